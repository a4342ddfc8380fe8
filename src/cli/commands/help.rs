//! `docent help COMMAND`.

use super::*;
use crate::cli::{command, help, usage_errors, width};

/// 명령의 사용법을 보여 줍니다 | Show how a command is used
#[derive(Debug, Args)]
pub struct Help {
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
}

impl Command for Help {
    const PATHS: &'static [&'static str] = &["help"];
    const EXAMPLE: &'static str = "docent help run";
    // Docker's code for a command that nobody knows.
    const EXIT: fn(&Fault) -> i32 = |fault| if matches!(fault, Fault::Usage { .. }) { 1 } else { 125 };

    fn start(self, globals: &Globals) -> Result<i32, Fault> {
        let path = usage_errors::described(&command(), &self.command)?;
        print!("{}", help(&path, globals.lang, width()));
        Ok(0)
    }
}
