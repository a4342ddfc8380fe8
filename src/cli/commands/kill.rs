//! `docker kill`: a signal to the first process of containers.

use super::*;
use crate::cli::parsers::parse_signal;
use crate::engine::stop;

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
        context.each(&self.names, |container| self.plan(container))
    }

    fn plans(&self, store: &Store) -> Result<Vec<Plan>, Fault> {
        for_each(store, &self.names, |container| self.plan(container))
    }
}

impl Kill {
    fn plan(&self, container: &Container) -> Plan {
        stop::Kill(self.signal.unwrap_or(libc::SIGKILL)).plan(container)
    }
}
