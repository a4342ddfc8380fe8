//! Copy-on-write, told with the image layer that a change touches: covered, copied up, added or hidden.

use super::Narrator;
use super::blocks::words;
use super::concept::Concept;
use super::layout::Block as Piece;
use super::text::{cow, frame};
use crate::event::Bytes;
use crate::event::words::{brief, file_name, short};
use crate::event::{Below, Block, Change, Event, Fact, Holds, Lang, Sized, Word, counts};

/// So many changes are told one by one; more are counted.
const SHOWN: usize = 4;

/// The name of the container that a copy of this story went into (`web` of `web:/path`), to speak of in the lesson.
fn target_name<'a>(events: &[&'a Event]) -> Option<&'a str> {
    events.iter().find_map(|e| match &e.fact {
        Fact::Copied { to, into_container: true, .. } => to.split_once(':').map(|(name, _)| name),
        _ => None,
    })
}

/// Blocks for the changes among these events, and the short words for a folded line.
pub fn blocks(n: &Narrator, all: &[&Event], full: bool) -> (Vec<Piece>, Vec<String>) {
    let changes: Vec<&Event> = all.iter().filter(|e| matches!(e.fact, Fact::Changed { .. })).copied().collect();
    let shown = || changes.iter().take(SHOWN);
    let mut blocks: Vec<Piece> = shown().filter_map(|e| piece(n, e, full, target_name(all))).collect();
    let mut shorts: Vec<String> = shown().map(|e| words(n.lang, e)).collect();
    if let Some(rest) = changes.len().checked_sub(SHOWN).filter(|r| *r > 0) {
        let more = counts::more(n.lang, rest);
        blocks.push(Piece::new(Block::Changes.label(n.lang)).text(format!("{more} · docent diff")));
        shorts.push(more);
    }
    (blocks, shorts)
}

fn label(lang: Lang, change: Change) -> String {
    match change {
        Change::Covered => frame::label_covered(lang),
        Change::CopiedUp => frame::label_copied_up(lang),
        Change::Added => frame::label_added(lang),
        Change::Deleted | Change::Opaque => frame::label_deleted(lang),
        Change::Rewritten | Change::Gone => Block::Changes.label(lang),
    }
}

/// A change; in full with its lesson: what lies where now, and what did not change.
fn piece(n: &Narrator, event: &Event, full: bool, container: Option<&str>) -> Option<Piece> {
    let lang = n.lang;
    let Fact::Changed { path, change, layer, number, image, was, .. } = &event.fact else { return None };
    let block = Piece::new(label(lang, *change));
    let block = match change {
        Change::Covered if full => {
            let name =
                container.map(str::to_string).or_else(|| event.container.as_deref().map(short)).unwrap_or_default();
            let (below, size) = (Below(layer, number, image).word(lang), Sized(was).word(lang));
            block
                .text(cow::now_in_upper(lang, file_name(path), name))
                .text(cow::original_stays(lang, below, size))
                .text(cow::others_see(lang))
        }
        Change::CopiedUp if full => block.text(event.sentence(lang)).text(cow::whole_file(lang)),
        Change::Deleted | Change::Opaque if full => block.text(event.sentence(lang)).text(cow::whiteout_note(lang)),
        _ => block.text(event.sentence(lang)),
    };
    Some(with_evidence(n, event, block))
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
    let Fact::Changed { change, .. } = &event.fact else { return None };
    Some(match change {
        Change::Covered => Concept::Covered,
        Change::CopiedUp => Concept::CopiedUp,
        Change::Deleted | Change::Opaque => Concept::Whiteout,
        Change::Added | Change::Rewritten | Change::Gone => Concept::Added,
    })
}
