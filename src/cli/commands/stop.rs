//! `docker stop`: a signal that asks containers to end, and SIGKILL for those that do not.

use super::*;
use crate::cli::parsers::{parse_signal, parse_timeout};
use crate::engine::stop;

/// 실행 중인 컨테이너를 멈춥니다 | Stop one or more running containers
#[derive(Debug, Args)]
pub struct Stop {
    /// 컨테이너에 보낼 시그널 | Signal to send to the container
    #[arg(short, long, value_name = "string", value_parser = parse_signal)]
    signal: Option<i32>,
    // 0 kills at once, -1 waits for ever. None is the container's own, else 10.
    /// 강제로 끝내기 전에 기다릴 초 | Seconds to wait before killing the container
    #[arg(short, long, alias = "time", value_name = "int", value_parser = parse_timeout)]
    timeout: Option<i64>,
    #[arg(required = true, value_name = "CONTAINER")]
    names: Vec<String>,
}

impl Command for Stop {
    const PATHS: &'static [&'static str] = &["container stop", "stop"];
    const EXAMPLE: &'static str = "docker stop $(docker ps -a -q)";
    const GRADED: Graded = Graded::Always;

    fn run(self, context: &mut Context) -> Result<i32, Fault> {
        context.each(&self.names, |container| self.plan(container))
    }

    fn plans(&self, store: &Store) -> Result<Vec<Plan>, Fault> {
        for_each(store, &self.names, |container| self.plan(container))
    }
}

impl Stop {
    fn plan(&self, container: &Container) -> Plan {
        stop::Stop { signal: self.signal, grace: self.timeout }.plan(container)
    }
}
