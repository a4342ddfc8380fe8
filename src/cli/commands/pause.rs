//! `docker pause`: the processes of containers stand still, and notice nothing of it.

use super::*;
use crate::engine::pause;

/// 컨테이너의 모든 프로세스를 일시정지합니다 | Pause all processes within one or more containers
#[derive(Debug, Args)]
pub struct Pause {
    #[arg(required = true, value_name = "CONTAINER")]
    names: Vec<String>,
}

impl Command for Pause {
    const PATHS: &'static [&'static str] = &["container pause", "pause"];
    const EXAMPLE: &'static str = "docker pause web";
    const GRADED: Graded = Graded::Always;

    fn run(self, context: &mut Context) -> Result<i32, Fault> {
        context.each(&self.names, |container| pause::plan(container, true))
    }

    fn plans(&self, store: &Store) -> Result<Vec<Plan>, Fault> {
        for_each(store, &self.names, |container| pause::plan(container, true))
    }
}
