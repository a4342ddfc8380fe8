//! Copy-on-write, told with the image layer that a change touches: covered, copied up, added or hidden.

use super::Narrator;
use super::blocks::words;
use super::concept::Concept;
use super::layout::Block as Piece;
use super::text::{cow, frame};
use crate::event::words::{brief, file_name, short};
use crate::event::{Below, Block, Bytes, Change, Event, Fact, Holds, Lang, Since, What, Word, counts};

/// So many changes are told one by one; more are counted.
const SHOWN: usize = 4;

/// The name of the container that a copy of this story went into (`web` of `web:/path`), to speak of in the lesson.
fn target_name(events: &[&Event]) -> Option<String> {
    events.iter().find_map(|e| match &e.fact {
        Fact::Copied { to, into_container: true, .. } => to.shown().split_once(':').map(|(name, _)| name.to_string()),
        _ => None,
    })
}

/// Since when something had changed that this command found and did not do.
fn since(event: &Event) -> Option<Since> {
    match &event.fact {
        Fact::Changed { since, .. } | Fact::MoreChanges { since, .. } => *since,
        _ => None,
    }
}

fn is_look(event: &Event) -> bool {
    matches!(event.fact, Fact::Changed { .. } | Fact::MoreChanges { .. })
}

/// What had changed before this command, in a block of its own.
pub fn earlier(n: &Narrator, all: &[&Event]) -> Option<Piece> {
    let lang = n.lang;
    let found: Vec<&Event> = all.iter().filter(|e| is_look(e) && since(e).is_some()).copied().collect();
    let when = found.iter().find_map(|e| since(e))?;
    let head = match when.after {
        Some(_) => frame::since_between(lang, when.word(lang)),
        None => frame::since_last_look(lang),
    };
    let mut block = Piece::new(Block::Changes.label(lang)).text(head);
    for event in found.iter().take(SHOWN) {
        block = block.text(apart(event).sentence(lang, event.outcome.tense()));
    }
    if let Some(rest) = found.len().checked_sub(SHOWN).filter(|r| *r > 0) {
        block = block.text(rest_of(n, rest, &found));
    }
    Some(block)
}

/// The fact without what the block says already.
fn apart(event: &Event) -> Fact {
    let mut fact = event.fact.clone();
    if let Fact::Changed { since, .. } | Fact::MoreChanges { since, .. } = &mut fact {
        *since = None;
    }
    fact
}

/// Those that are not shown one by one: counted, and where a look did not come to all of them, as it says so itself.
fn rest_of(n: &Narrator, rest: usize, changes: &[&Event]) -> String {
    match changes.iter().find(|e| matches!(e.fact, Fact::MoreChanges { .. })) {
        Some(more) => apart(more).sentence(n.lang, more.outcome.tense()),
        None => format!("{} · docent diff", counts::more(n.lang, rest)),
    }
}

/// Blocks for what this command changed, and the short words for a folded line.
pub fn blocks(n: &Narrator, all: &[&Event], full: bool) -> (Vec<Piece>, Vec<String>) {
    let changes: Vec<&Event> = all.iter().filter(|e| is_look(e) && since(e).is_none()).copied().collect();
    let shown = || changes.iter().take(SHOWN);
    let target = target_name(all);
    let mut blocks: Vec<Piece> = shown().map(|e| piece(n, e, full, target.as_deref())).collect();
    let mut shorts: Vec<String> = shown().map(|e| words(n.lang, e)).collect();
    if let Some(rest) = changes.len().checked_sub(SHOWN).filter(|r| *r > 0) {
        let rest = rest_of(n, rest, &changes);
        blocks.push(Piece::new(Block::Changes.label(n.lang)).text(rest.clone()));
        shorts.push(rest);
    }
    (blocks, shorts)
}

fn label(lang: Lang, change: Change) -> String {
    match change {
        Change::Covered => frame::label_covered(lang),
        Change::CopiedUp => frame::label_copied_up(lang),
        Change::Added => frame::label_added(lang),
        Change::Deleted | Change::Opaque => frame::label_deleted(lang),
        _ => Block::Changes.label(lang),
    }
}

/// A change; in full with its lesson: what lies where now, and what did not change.
fn piece(n: &Narrator, event: &Event, full: bool, container: Option<&str>) -> Piece {
    let lang = n.lang;
    let Fact::Changed { path, change, layer, number, image, node_was, was, .. } = &event.fact else {
        return Piece::new(Block::Changes.label(lang)).text(event.sentence(lang));
    };
    let block = Piece::new(label(lang, *change));
    let block = match change {
        Change::Covered if full => {
            let name =
                container.map(str::to_string).or_else(|| event.container.as_deref().map(short)).unwrap_or_default();
            let (below, size) = (Below(layer, number, image).word(lang), What(node_was, was).word(lang));
            block
                .text(cow::now_in_upper(lang, file_name(&path.shown()), name))
                .text(cow::original_stays(lang, below, size))
                .text(cow::others_see(lang))
        }
        Change::CopiedUp if full => block.text(event.sentence(lang)).text(cow::whole_file(lang)),
        Change::Deleted | Change::Opaque if full => block.text(event.sentence(lang)).text(cow::whiteout_note(lang)),
        _ => block.text(event.sentence(lang)),
    };
    with_evidence(n, event, block)
}

/// Evidence, and the proof where it is a comparison that a learner would want to run.
fn with_evidence(n: &Narrator, event: &Event, block: Piece) -> Piece {
    let Some(receipt) = &event.receipt else { return block };
    let block = block.tagged(frame::tag_evidence(n.lang), brief(&receipt.seen()));
    if receipt.holds == Holds::Now || !matches!(receipt.first.argv.first().and_then(Bytes::text), Some("diff" | "cmp"))
    {
        return block;
    }
    let root =
        if receipt.needs.is_empty() { String::new() } else { format!("   ({})", super::deep::needs(n.lang, receipt)) };
    block.copy(frame::tag_try(n.lang), receipt.first.quoted() + &root)
}

/// The concept that this change teaches.
pub fn concept(event: &Event) -> Option<Concept> {
    let Fact::Changed { change, since: None, .. } = &event.fact else { return None };
    Some(match change {
        Change::Covered => Concept::Covered,
        Change::CopiedUp => Concept::CopiedUp,
        Change::Deleted | Change::Opaque => Concept::Whiteout,
        _ => Concept::Added,
    })
}
