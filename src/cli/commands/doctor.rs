//! `docent doctor`: whether containers can run here, and what to do if not.

use super::*;
use crate::cli::root_of;
use crate::engine::doctor;
use crate::event::Story;
use crate::kernel::host::Host;

/// 이 컴퓨터에서 컨테이너를 실행할 수 있는지, 없다면 해결책을 알려 줍니다 |
/// Tell whether containers can run on this machine, and what to do if not
#[derive(Debug, Args)]
pub struct Doctor {}

impl Command for Doctor {
    const PATHS: &'static [&'static str] = &["doctor"];
    const EXAMPLE: &'static str = "docent doctor";

    fn start(self, globals: &Globals) -> Result<i32, Fault> {
        let probe = doctor::examine(&root_of(globals), &Host::look(), &mut Story::new());
        print!("{}", narrator(globals.lang, Level::Full).doctor(&probe));
        Ok(i32::from(!doctor::containers_can_run(&probe)))
    }
}
