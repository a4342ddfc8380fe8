//! What docent adds to Docker's commands: `explain`, `verify`, `doctor`, `journal`, labs, the book, the session.

use crate::cli::context::{Context, narrator, root_of};
use crate::cli::{ExplainArgs, Globals, JournalVerb, VerifyArgs, VersionArgs, render};
use crate::engine::{doctor as examiner, explain as records, forecast, verify as proofs};
use crate::fact::{Event, Fault, Story};
use crate::narrate::Level;
use crate::store::{Journal, Record};

/// `docker version`: what this is, and whose commands it speaks.
pub fn version(globals: &Globals, a: &VersionArgs) -> i32 {
    let kernel = rustix::system::uname();
    // Go's names of architectures, as Docker has them.
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    // One program is both.
    let part = serde_json::json!({
        "Platform": {"Name": "docent"},
        "Version": env!("CARGO_PKG_VERSION"),
        "ApiVersion": "",
        "DockerCommands": crate::cli::DOCKER,
        "Os": "linux",
        "Arch": arch,
        "KernelVersion": kernel.release().to_string_lossy(),
    });
    let json = serde_json::json!({"Client": part, "Server": part});
    let text = match &a.format {
        Some(template) => match render(template, &json) {
            Ok(line) => format!("{line}\n"),
            Err(fault) => {
                eprint!("{}", narrator(globals.lang, Level::Off).print_fault(&fault));
                return super::FAILED;
            }
        },
        None => narrator(globals.lang, Level::Off).version(
            env!("CARGO_PKG_VERSION"),
            crate::cli::DOCKER,
            arch,
            &kernel.release().to_string_lossy(),
        ),
    };
    print!("{text}");
    0
}

pub fn doctor(globals: &Globals) -> i32 {
    let probe = examiner::examine(&root_of(globals), &mut Story::new());
    print!("{}", narrator(globals.lang, Level::Full).doctor(&probe));
    i32::from(!examiner::containers_can_run(&probe))
}

/// Retells a command, or forecasts one. What was recorded is told again word for word; nothing is done.
pub fn explain(context: &mut Context, a: &ExplainArgs) -> Result<i32, Fault> {
    let level = a.level.unwrap_or(match context.narrator.level {
        Level::Off | Level::Learn | Level::Brief => Level::Full,
        level => level,
    });
    context.narrator.level = level;
    if !a.forecast.is_empty() {
        let words = std::iter::once("docker".into()).chain(a.forecast.iter().map(Into::into)).collect();
        let cli = crate::cli::parse(words).map_err(|(fault, _)| fault)?;
        let mut events: Vec<Event> = Vec::new();
        for fact in forecast::forecast(&context.store, &super::planned::wish(&cli.verb)?)? {
            events.push(Event::planned(fact));
        }
        let text = context.narrator.as_plan(&events);
        context.print(&text);
        return Ok(0);
    }
    let record = records::pick(&context.store, a.number)?;
    let events = with_monitors(context, &record);
    let header = &record.header;
    let time = header.time.with_timezone(&chrono::Local).format("%Y-%m-%d %H:%M:%S").to_string();
    let mut text = String::new();
    if level != Level::Json {
        text += &context.narrator.record_head(header.number, &header.argv, &time, record.exit);
        text += &context.narrator.record_flaws(record.torn, record.broken);
    }
    context.narrator.command = Some(header.number);
    let told = context.narrator.story(&events);
    text += if told.is_empty() { context.narrator.nothing() } else { told }.as_str();
    context.print(&text);
    Ok(0)
}

/// The record's own events; for what its containers' monitors said later there is `journal show`.
fn with_monitors(_front: &Context, record: &Record) -> Vec<Event> {
    record.events.clone()
}

pub fn verify(context: &mut Context, a: &VerifyArgs) -> Result<i32, Fault> {
    let record = records::pick(&context.store, a.number)?;
    let later = records::since(&context.store, &record);
    let store = context.store.clone();
    let container = |id: &str| store.container_by_id(id).ok().flatten();
    let checked = proofs::verify(
        &record,
        &later,
        |id| container(id).is_some_and(|c| store.is_running(&c)),
        |id| container(id).is_some(),
    );
    let text = context.narrator.verdicts(&record.events, &checked);
    context.print(&text);
    Ok(i32::from(checked.iter().any(|c| matches!(c.verdict, proofs::Verdict::False { .. }))))
}

pub fn journal(context: &mut Context, verb: &JournalVerb) -> Result<i32, Fault> {
    let text = match verb {
        JournalVerb::List => {
            let mut lines = String::new();
            for number in Journal::numbers(&context.store) {
                let Ok(record) = Journal::read(&context.store, number) else { continue };
                let time = record.header.time.with_timezone(&chrono::Local).format("%Y-%m-%d %H:%M:%S");
                lines += &context.narrator.record_head(number, &record.header.argv, &time.to_string(), record.exit);
            }
            lines
        }
        JournalVerb::Show { number } => {
            let record = records::pick(&context.store, *number)?;
            context.narrator.command = Some(record.header.number);
            record.events.iter().enumerate().map(|(n, e)| context.narrator.json_line(n + 1, e)).collect()
        }
    };
    context.print(&text);
    Ok(0)
}
