//! `docker wait`: until containers end, and with which code.

use super::*;
use crate::engine::wait;

/// 컨테이너가 끝날 때까지 기다린 다음 종료 코드를 출력합니다 |
/// Block until one or more containers stop, then print their exit codes
#[derive(Debug, Args)]
pub struct Wait {
    #[arg(required = true, value_name = "CONTAINER")]
    names: Vec<String>,
}

impl Command for Wait {
    const PATHS: &'static [&'static str] = &["container wait", "wait"];
    const EXAMPLE: &'static str = "docker wait web";
    const BARE: Bare = Bare::Shells(names_one);
    const GRADED: Graded = Graded::Always;

    /// Docker complains at the end about what it could not wait for.
    fn run(self, context: &mut Context) -> Result<i32, Fault> {
        let mut faults = Vec::new();
        for name in &self.names {
            match context.store.find_container(name).and_then(|container| wait::wait(&context.store, &container)) {
                Ok(code) => context.print(&format!("{code}\n")),
                Err(fault) => faults.push(fault),
            }
        }
        faults.iter().for_each(|fault| context.complain(fault));
        Ok(i32::from(!faults.is_empty()))
    }
}
