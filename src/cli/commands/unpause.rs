//! `docker unpause`: paused processes go on where they stood.

use super::*;
use crate::engine::pause;

/// 일시정지한 컨테이너를 다시 움직입니다 | Unpause all processes within one or more containers
#[derive(Debug, Args)]
pub struct Unpause {
    #[arg(required = true, value_name = "CONTAINER")]
    names: Vec<String>,
}

impl Command for Unpause {
    const PATHS: &'static [&'static str] = &["container unpause", "unpause"];
    const EXAMPLE: &'static str = "docker unpause web";
    const GRADED: Graded = Graded::Always;

    fn run(self, context: &mut Context) -> Result<i32, Fault> {
        context.each(&self.names, |container| pause::plan(container, false))
    }

    fn plans(&self, store: &Store) -> Result<Vec<Plan>, Fault> {
        for_each(store, &self.names, |container| pause::plan(container, false))
    }
}
