//! `docent explain [N]` retells a command word for word; `explain -- COMMAND…` forecasts one. Nothing is done.

use super::*;
use crate::cli::lang::{Level, parse_level};
use crate::cli::parse::{Asked, parse};
use crate::cli::parsers::parse_number;
use crate::engine::explain;
use crate::event::{Event, Line};
use crate::narrate::{Narrator, frame};

/// 지난 명령이 한 일을 다시 설명합니다. '--' 뒤의 명령은 실행하지 않고 미리 설명합니다 |
/// Retell what a command did; with '--', tell what a command would do without doing it
#[derive(Debug, Args)]
pub struct Explain {
    // None is the last command.
    #[arg(value_name = "N", value_parser = parse_number)]
    pub number: Option<u64>,
    /// 설명의 깊이: brief, learn, full, deep, json | How deep: brief, learn, full, deep, json
    #[arg(long, value_name = "LEVEL", value_parser = parse_level)]
    pub level: Option<Level>,
    // The command to forecast, without `docker` or `docent` before it; empty: retell.
    #[arg(last = true, value_name = "COMMAND")]
    pub forecast: Vec<String>,
}

impl Command for Explain {
    const PATHS: &'static [&'static str] = &["explain"];
    const EXAMPLE: &'static str = "docent explain -- run -d --name web nginx";
    const USAGE: &'static [&'static str] = &["[--level LEVEL] [N]", "-- COMMAND [ARG...]"];

    fn run(self, context: &mut Context) -> Result<i32, Fault> {
        let level = self.level.unwrap_or(match context.narrator.level {
            Level::Off | Level::Learn | Level::Brief => Level::Full,
            level => level,
        });
        let narrator = Narrator { level, ..context.narrator.clone() };
        if !self.forecast.is_empty() {
            context.only_looks();
            let words = std::iter::once("docker".into()).chain(self.forecast.into_iter().map(Into::into)).collect();
            let Forecast { facts, fault } = match parse(words).map_err(|(fault, _)| fault)?.asked {
                Asked::Command(command) => command.forecast(&context.store)?,
                _ => Forecast::default(),
            };
            let events: Vec<Event> = facts.into_iter().map(Event::planned).collect();
            if fault.is_none() || !events.is_empty() {
                context.print(&narrator.as_plan(&events));
            }
            let Some(fault) = fault else { return Ok(0) };
            if level != Level::Json && !events.is_empty() {
                context.ask(&(frame::plan_fails(narrator.lang) + "\n"));
            }
            return Err(fault);
        }
        let record = explain::pick_told(&context.store, self.number)?;
        let text = if level == Level::Json {
            record.lines().iter().map(Line::json).collect()
        } else {
            let told = narrator.story(&record.events);
            let told = if told.is_empty() { frame::nothing(narrator.lang) + "\n" } else { told };
            narrator.record_head(&record) + &narrator.record_flaws(&record) + &told + &narrator.record_faults(&record)
        };
        context.print(&text);
        Ok(0)
    }
}
