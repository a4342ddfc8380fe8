//! `docent verify [N]`: whether what a command told can still be seen.

use super::grade::{Format, parse_report};
use super::*;
use crate::cli::parsers::parse_number;
use crate::engine::{explain, verify};
use serde::Serialize;

/// 지난 명령의 증거가 지금도 맞는지 확인합니다 | Check whether the proofs of a command still hold
#[derive(Debug, Args)]
pub struct Verify {
    /// 출력 형식: 'human', 'json' (증거마다 한 줄) | Format output: 'human', 'json' (a line for each receipt)
    #[arg(long, value_name = "human|json", default_value = "human", value_parser = parse_report)]
    format: Format,
    // None is the last command.
    #[arg(value_name = "N", value_parser = parse_number)]
    number: Option<u64>,
}

/// A line of JSON: which event, and what has become of it.
#[derive(Serialize)]
struct Line<'a> {
    command: u64,
    /// As in the record, counted from 1.
    id: usize,
    #[serde(rename = "event")]
    name: &'static str,
    #[serde(flatten)]
    checked: &'a verify::Checked,
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
        let exists = |id: &str| store.has_container(id);
        let now = verify::Now { is_running: &is_running, exists: &exists, boot_id: verify::boot_id() };
        let checked = verify::verify(&record, &later, &now);
        match self.format {
            Format::Human => {
                context.print(&context.narrator.verdicts(record.header.number, &record.events, &checked));
            }
            Format::Json => {
                let name = |n: usize| record.events.get(n).map_or("", |event| event.fact.definition().name);
                for one in &checked {
                    let (id, name) = (one.event + 1, name(one.event));
                    let line = Line { command: record.header.number, id, name, checked: one };
                    context.print(&format!("{}\n", serde_json::to_string(&line).unwrap_or_default()));
                }
            }
        }
        Ok(i32::from(checked.iter().any(|c| matches!(c.verdict, verify::Verdict::False { .. }))))
    }
}
