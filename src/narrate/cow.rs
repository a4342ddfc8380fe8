//! Copy-on-write, told with the image layer that a change touches: covered, copied up, added or hidden.

use super::layout::Block;
use super::text::{cow, frame};
use super::topic::Concept;
use super::units::{brief, file_name, short, size};
use super::{Lang, Narrator};
use crate::fact::{Change, Event, Fact, Holds};

/// So many changes are told one by one; more are counted.
const SHOWN: usize = 4;

/// The layer below, as well as it is known: `nginx 이미지의 3번째 레이어(9d1c…)`.
fn layer_name(lang: Lang, layer: Option<&str>, number: Option<usize>, image: Option<&str>) -> String {
    match (layer.map(short), number, image) {
        (Some(id), Some(n), Some(image)) => cow::layer_of_image(lang, image, n, id),
        (Some(id), Some(n), None) => cow::layer_numbered(lang, n, id),
        (Some(id), None, _) => cow::layer_known(lang, id),
        (None, _, Some(image)) => cow::layer_of(lang, image),
        (None, _, None) => cow::layer_some(lang),
    }
}

/// One change in one sentence.
pub fn sentence(fact: &Fact, lang: Lang) -> String {
    let Fact::Changed { path, change, layer, number, image, was, now } = fact else { return String::new() };
    let layer = layer_name(lang, layer.as_deref(), *number, image.as_deref());
    let sized = |bytes: &Option<u64>| bytes.map_or_else(|| cow::size_unknown(lang), |b| size(lang, b));
    match change {
        Change::CopiedUp => cow::copied_up(lang, path, layer, sized(was)),
        Change::Covered => cow::covered(lang, path, layer, sized(was)),
        // Only regular files have a size that says something.
        Change::Added if now.is_none() => cow::added_other(lang, path),
        Change::Added => cow::added(lang, path, sized(now)),
        Change::Rewritten if now.is_none() => cow::rewritten_other(lang, path),
        Change::Rewritten => cow::rewritten(lang, path, sized(now)),
        Change::Deleted => cow::deleted(lang, path, layer),
        Change::Opaque => cow::opaque(lang, path, layer),
        Change::Gone => cow::gone(lang, path),
    }
}

/// The name of the container that a copy of this story went into (`web` of `web:/path`), to speak of in the lesson.
fn target_name<'a>(events: &[&'a Event]) -> Option<&'a str> {
    events.iter().find_map(|e| match &e.fact {
        Fact::Copied { to, into_container: true, .. } => to.split_once(':').map(|(name, _)| name),
        _ => None,
    })
}

/// Blocks for the changes among these events, and the short words for a folded line.
pub fn blocks(n: &Narrator, all: &[&Event], full: bool) -> (Vec<Block>, Vec<String>) {
    let changes: Vec<&Event> = all.iter().filter(|e| matches!(e.fact, Fact::Changed { .. })).copied().collect();
    let (mut blocks, mut shorts) = (Vec::new(), Vec::new());
    for event in changes.iter().take(SHOWN) {
        let block = if full { lesson(n, event, target_name(all)) } else { plain(n, event) };
        blocks.push(block);
        shorts.push(short_form(n.lang, &event.fact));
    }
    if let Some(rest) = changes.len().checked_sub(SHOWN).filter(|r| *r > 0) {
        let more = super::text::count::more(n.lang, rest);
        blocks.push(Block::new(frame::label_changes(n.lang)).text(format!("{more} · docent diff")));
        shorts.push(more);
    }
    (blocks, shorts)
}

fn short_form(lang: Lang, fact: &Fact) -> String {
    let Fact::Changed { path, change, layer, number, was, image, .. } = fact else { return String::new() };
    let layer = layer_name(lang, layer.as_deref(), *number, image.as_deref());
    let name = file_name(path);
    match change {
        Change::Covered => {
            cow::short_covered(lang, name, layer, was.map_or_else(|| cow::size_unknown(lang), |b| size(lang, b)))
        }
        Change::CopiedUp => cow::short_copied_up(lang, name, layer),
        Change::Deleted | Change::Opaque => cow::short_hidden(lang, name, layer),
        Change::Added | Change::Rewritten | Change::Gone => sentence(fact, lang),
    }
}

fn label(lang: Lang, change: Change) -> String {
    match change {
        Change::Covered => frame::label_covered(lang),
        Change::CopiedUp => frame::label_copied_up(lang),
        Change::Added => frame::label_added(lang),
        Change::Deleted | Change::Opaque => frame::label_deleted(lang),
        Change::Rewritten | Change::Gone => frame::label_changes(lang),
    }
}

fn plain(n: &Narrator, event: &Event) -> Block {
    let Fact::Changed { change, .. } = &event.fact else { return Block::default() };
    with_evidence(n, event, Block::new(label(n.lang, *change)).text(sentence(&event.fact, n.lang)))
}

/// The lesson of a change: what lies where now, and what did not change.
fn lesson(n: &Narrator, event: &Event, container: Option<&str>) -> Block {
    let lang = n.lang;
    let Fact::Changed { path, change, layer, number, image, was, .. } = &event.fact else { return Block::default() };
    let block = Block::new(label(lang, *change));
    let below = layer_name(lang, layer.as_deref(), *number, image.as_deref());
    let block = match change {
        Change::Covered => {
            let name =
                container.map(str::to_string).or_else(|| event.container.as_deref().map(short)).unwrap_or_default();
            let original = was.map_or_else(|| cow::size_unknown(lang), |b| size(lang, b));
            block
                .text(cow::now_in_upper(lang, file_name(path), name))
                .text(cow::original_stays(lang, below, original))
                .text(cow::others_see(lang))
        }
        Change::CopiedUp => block.text(sentence(&event.fact, lang)).text(cow::whole_file(lang)),
        Change::Deleted | Change::Opaque => block.text(sentence(&event.fact, lang)).text(cow::whiteout_note(lang)),
        Change::Added | Change::Rewritten | Change::Gone => block.text(sentence(&event.fact, lang)),
    };
    with_evidence(n, event, block)
}

/// Evidence, and the proof where it is a comparison that a learner would want to run.
fn with_evidence(n: &Narrator, event: &Event, block: Block) -> Block {
    let Some(receipt) = &event.receipt else { return block };
    let block = block.tagged(frame::tag_evidence(n.lang), brief(&receipt.evidence));
    if receipt.holds == Holds::Now || receipt.proof.first().is_none_or(|p| p != "diff" && p != "cmp") {
        return block;
    }
    let root =
        if receipt.needs.is_empty() { String::new() } else { format!("   ({})", super::deep::needs(n.lang, receipt)) };
    block.copy(frame::tag_try(n.lang), super::units::command_line(&receipt.proof) + &root)
}

/// The concept that this change teaches.
pub fn concept(change: Change) -> Concept {
    match change {
        Change::Covered => Concept::Covered,
        Change::CopiedUp => Concept::CopiedUp,
        Change::Deleted | Change::Opaque => Concept::Whiteout,
        Change::Added | Change::Rewritten | Change::Gone => Concept::Added,
    }
}
