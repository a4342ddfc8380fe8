//! Level deep: every event with its process, its calls as strace prints them, what was read back, the proof with how long
//! it holds and what it needs, and the manual pages. Nothing is shortened.

use super::Narrator;
use super::layout::{Block, Line};
use super::text::frame;
use crate::event::words::{errno, short};
use crate::event::{Call, Event, Fact, Holds, Lang, Needs, Outcome, Receipt, counts};

pub fn story(n: &Narrator, events: &[Event]) -> String {
    events.iter().map(|e| block(n, e).render(n.width, n.color)).collect()
}

fn block(n: &Narrator, event: &Event) -> Block {
    let lang = n.lang;
    let mut block = Block::new(event.fact.block().label(lang)).text(event.sentence(lang));
    block.tense = event.outcome.tense();
    for (i, line) in calls(lang, &event.calls).into_iter().enumerate() {
        let pid = if i == 0 { event.pid.to_string() } else { " ".repeat(event.pid.to_string().len()) };
        block = block.copy(pid, line);
    }
    if let Outcome::Failed { error } = &event.outcome {
        let failure = format!("{}: {}", error.made(), errno(error.errno));
        block = block.text(failure);
    }
    if let Fact::Fallback { point, .. } = &event.fact
        && let Some(fix) = point.fix(lang)
    {
        block = block.tagged(frame::tag_fix(lang), fix);
    }
    if let Some(receipt) = &event.receipt {
        block = block.tagged(frame::tag_read_back(lang), receipt.seen());
        let how_long = [holds(lang, &receipt.holds), needs(lang, receipt)].join("; ");
        for proof in receipt.proofs() {
            block = block.copy(frame::tag_proof(lang), proof.quoted());
        }
        block.lines.push(Line::Text(how_long.trim_end_matches("; ").to_string()));
    }
    if let Some(command) = event.fact.by_hand() {
        block = block.copy(frame::tag_by_hand(lang), command);
    }
    match event.fact.definition().man {
        Some(pages) => block.tagged(frame::tag_man(lang), pages),
        None => block,
    }
}

/// Calls that differ in nothing but their arguments' values stand one by one; exact repetitions are counted.
fn calls(lang: Lang, calls: &[Call]) -> Vec<String> {
    let mut lines: Vec<(String, usize)> = Vec::new();
    for call in calls {
        let ret = match call.ret {
            r if call.failed() => {
                format!("-1 {}", errno(i32::try_from(-r).unwrap_or(0)))
            }
            r => r.to_string(),
        };
        let line = format!("{}({}) = {ret}", call.name, call.args);
        match lines.last_mut() {
            Some((last, times)) if *last == line => *times += 1,
            _ => lines.push((line, 1)),
        }
    }
    lines.into_iter().map(|(l, n)| if n > 1 { format!("{l}   ({})", counts::times(lang, n)) } else { l }).collect()
}

pub fn holds(lang: Lang, holds: &Holds) -> String {
    match holds {
        Holds::Now => frame::holds_now(lang),
        Holds::WhileRunning(id) => frame::holds_running(lang, short(id)),
        Holds::WhileExists(id) => frame::holds_exists(lang, short(id)),
        Holds::WhileProcess { pid, .. } => frame::holds_process(lang, pid),
        Holds::UntilReboot => frame::holds_until_reboot(lang),
        Holds::Forever => frame::holds_forever(lang),
    }
}

pub fn needs(lang: Lang, receipt: &Receipt) -> String {
    let each = |need: &Needs| match need {
        Needs::Root => frame::needs_root(lang),
        Needs::Tool(tool) => frame::needs_tool(lang, tool),
    };
    receipt.needs.iter().map(each).collect::<Vec<_>>().join(", ")
}
