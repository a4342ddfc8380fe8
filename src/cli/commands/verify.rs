//! `docent verify [N]`: whether what a command told can still be seen.

use super::*;
use crate::cli::parsers::parse_number;
use crate::engine::{explain, verify};

/// 지난 명령의 증거가 지금도 맞는지 확인합니다 | Check whether the proofs of a command still hold
#[derive(Debug, Args)]
pub struct Verify {
    // None is the last command.
    #[arg(value_name = "N", value_parser = parse_number)]
    number: Option<u64>,
}

impl Command for Verify {
    const PATHS: &'static [&'static str] = &["verify"];
    const EXAMPLE: &'static str = "docent verify";

    fn run(self, context: &mut Context) -> Result<i32, Fault> {
        let record = explain::pick(&context.store, self.number)?;
        let later = explain::since(&context.store, &record);
        let store = &context.store;
        let container = |id: &str| store.container_by_id(id).ok().flatten();
        let is_running = |id: &str| container(id).is_some_and(|c| store.is_running(&c));
        let exists = |id: &str| container(id).is_some();
        let now = verify::Now { is_running: &is_running, exists: &exists, boot_id: verify::boot_id() };
        let checked = verify::verify(&record, &later, &now);
        context.print(&context.narrator.verdicts(&record.events, &checked));
        Ok(i32::from(checked.iter().any(|c| matches!(c.verdict, verify::Verdict::False { .. }))))
    }
}
