//! `docker kill`: a signal to the first process of containers.

use super::*;
use crate::cli::parsers::parse_signal;
use crate::engine::{forecast, stop};

/// 실행 중인 컨테이너에 시그널을 보냅니다 (기본은 KILL) | Kill one or more running containers
#[derive(Debug, Args)]
pub struct Kill {
    /// 컨테이너에 보낼 시그널 | Signal to send to the container
    #[arg(short, long, value_name = "string", value_parser = parse_signal)]
    signal: Option<i32>,
    #[arg(required = true, value_name = "CONTAINER")]
    names: Vec<String>,
}

impl Command for Kill {
    const PATHS: &'static [&'static str] = &["container kill", "kill"];
    const EXAMPLE: &'static str = "docker container kill web";
    const BARE: Bare = Bare::Shells(names_one);
    const GRADED: Graded = Graded::Always;

    fn run(self, context: &mut Context) -> Result<i32, Fault> {
        let signal = self.signal.unwrap_or(libc::SIGKILL);
        context
            .each(&self.names, |context, container| stop::kill(&context.store, &mut context.story, container, signal))
    }

    fn forecast(&self, store: &Store) -> Result<Vec<Fact>, Fault> {
        forecast::kill(store, &self.names, self.signal.unwrap_or(libc::SIGKILL))
    }
}
