//! Stories for learning: a concept is told in full at the first meeting and folded into one line afterwards.
//!
//! A story keeps to one screen: every topic has its head line, and lessons follow, the most important first, as long as
//! there is room. A lesson that found no room is not counted as told: it waits for the next command.

use super::concept::Concept;
use super::layout::{Block, Line, clean, hanging};
use super::text::frame;
use super::{Level, Narrator, blocks, cow};
use crate::event::words::errno;
use crate::event::{Block as Topic, Event, Fact, Outcome, Remedy, Tense, Word};
use std::collections::{BTreeMap, BTreeSet};

/// Lines of a story at level learn, the hint at its end not counted.
const SCREEN: usize = 14;

/// What one topic has to say.
#[derive(Debug, Default)]
pub struct Told {
    /// The first lines, without explanation.
    pub head: Vec<String>,
    /// Told with the head whenever it is not folded: another way taken, with its reason and fix.
    pub notes: Vec<(Concept, Vec<Line>)>,
    /// In the order of importance. One without lines has been told by the head.
    pub lessons: Vec<(Concept, Vec<Line>)>,
    /// The words in a folded line.
    pub short: Vec<String>,
    pub label: Option<String>,
    /// Never folded.
    pub always: bool,
}

/// Importance of lessons when room is short.
const FIRST: [Concept; 4] = [Concept::WriteLayer, Concept::Namespaces, Concept::FromHost, Concept::Bridge];

/// The story, and the concepts that it told in full.
pub fn story(n: &Narrator, events: &[Event]) -> (String, Vec<Concept>) {
    let mut known: BTreeSet<&str> = n.learned.iter().map(String::as_str).collect();
    let (mut out, mut taught) = (String::new(), Vec::new());
    for group in by_container(events) {
        let (text, concepts) = one_container(n, &group, &known);
        out.push_str(&text);
        known.extend(concepts.iter().map(|c| c.key()));
        taught.extend(concepts);
    }
    (out, taught)
}

/// Events of one container together, in the order in which the containers come up. What belongs to none (an image that is
/// made for it) stands with what follows.
fn by_container(events: &[Event]) -> Vec<Vec<&Event>> {
    let mut groups: Vec<(Option<&str>, Vec<&Event>)> = Vec::new();
    let mut last = 0;
    for event in events {
        let id = event.container.as_deref();
        let at = match id {
            Some(id) => {
                groups.iter().position(|g| g.0 == Some(id)).or_else(|| groups.iter().position(|g| g.0.is_none()))
            }
            None => (!groups.is_empty()).then_some(last),
        };
        match at.and_then(|at| groups.get_mut(at).map(|g| (at, g))) {
            Some((at, group)) => {
                group.0 = group.0.or(id);
                group.1.push(event);
                last = at;
            }
            None => {
                last = groups.len();
                groups.push((id, vec![event]));
            }
        }
    }
    groups.into_iter().map(|g| g.1).collect()
}

/// A piece of the story that is not folded.
enum Piece {
    Folded(Vec<String>),
    Block { block: Block, lessons: Vec<(Concept, Vec<Line>)> },
}

fn one_container(n: &Narrator, events: &[&Event], known: &BTreeSet<&str>) -> (String, Vec<Concept>) {
    let mut topics: BTreeMap<Topic, Vec<&Event>> = BTreeMap::new();
    for event in events.iter().filter(|e| e.outcome == Outcome::Done || matches!(e.fact, Fact::Fallback { .. })) {
        topics.entry(event.fact.block()).or_default().push(event);
    }
    let unknown = |c: Concept| n.level == Level::Full || !known.contains(c.key());
    let mut pieces: Vec<Piece> = Vec::new();
    let mut taught: Vec<Concept> = Vec::new();
    for (topic, list) in topics {
        if topic == Topic::Changes {
            let kinds: BTreeSet<Concept> = list.iter().filter_map(|e| cow::concept(e)).collect();
            let new: Vec<Concept> = kinds.into_iter().filter(|c| unknown(*c)).collect();
            let done: Vec<&Event> = events.iter().filter(|e| e.outcome == Outcome::Done).copied().collect();
            if let Some(block) = cow::earlier(n, &done) {
                pieces.push(Piece::Block { block, lessons: Vec::new() });
            }
            let (blocks, shorts) = cow::blocks(n, &done, !new.is_empty() && n.level != Level::Brief);
            if shorts.is_empty() {
                // All of it was there before.
            } else if n.level == Level::Brief {
                let block = Block::new(topic.label(n.lang)).text(shorts.join(" · "));
                pieces.push(Piece::Block { block, lessons: Vec::new() });
            } else if new.is_empty() {
                fold(&mut pieces, shorts);
            } else {
                pieces.extend(blocks.into_iter().map(|block| Piece::Block { block, lessons: Vec::new() }));
                taught.extend(new);
            }
            continue;
        }
        let told = blocks::tell(n, topic, &list, events);
        if n.level == Level::Brief {
            // Each note (another way taken) has added its own words to the end of `short`.
            let notes = told.short.len().saturating_sub(told.notes.len());
            let words = told.head.iter().filter(|h| !h.is_empty()).chain(told.short.iter().skip(notes));
            let text = words.cloned().collect::<Vec<_>>().join(" · ");
            pieces.push(Piece::Block { block: Block::new(topic.label(n.lang)).text(text), lessons: Vec::new() });
            continue;
        }
        let new_note = told.notes.iter().any(|(c, _)| unknown(*c));
        let new_lesson = told.lessons.iter().any(|(c, _)| unknown(*c));
        if !told.always && !new_note && !new_lesson {
            fold(&mut pieces, told.short);
            continue;
        }
        let mut block = Block::new(told.label.unwrap_or_else(|| topic.label(n.lang)));
        block.lines.extend(told.head.into_iter().map(Line::Text));
        for (concept, lines) in told.notes.into_iter().filter(|(c, _)| unknown(*c)) {
            block.lines.extend(lines);
            taught.push(concept);
        }
        let lessons = told.lessons.into_iter().filter(|(c, _)| unknown(*c)).collect();
        pieces.push(Piece::Block { block, lessons });
    }
    teach(n, &mut pieces, &mut taught);
    let mut out: String = pieces.iter().map(|p| render(n, p)).collect();
    for block in setbacks(n, events) {
        out.push_str(&block.render(n.width, n.color));
    }
    (out, taught)
}

fn fold(pieces: &mut Vec<Piece>, short: Vec<String>) {
    match pieces.last_mut() {
        Some(Piece::Folded(words)) => words.extend(short),
        _ => pieces.push(Piece::Folded(short)),
    }
}

/// Puts lessons into their blocks: all of them at level full; else the most important that fit on the screen, at most one
/// for a block.
fn teach(n: &Narrator, pieces: &mut [Piece], taught: &mut Vec<Concept>) {
    let mut used: usize = pieces.iter().map(|p| render(n, p).lines().count()).sum();
    let mut order: Vec<(usize, usize)> = (0..pieces.len()).map(|i| (rank(pieces.get(i)), i)).collect();
    order.sort();
    for (_, i) in order {
        let Some(Piece::Block { block, lessons }) = pieces.get_mut(i) else { continue };
        let mut one = false;
        for (concept, lines) in std::mem::take(lessons) {
            if lines.is_empty() {
                taught.push(concept);
                continue;
            }
            // Where there is no room for its evidence, the lesson comes without.
            let text = lines.iter().filter(|line| matches!(line, Line::Text(_))).cloned().collect();
            for lines in [lines, text] {
                let mut with = block.clone();
                with.lines.extend(lines);
                let before = block.render(n.width, false).lines().count();
                let more = with.render(n.width, false).lines().count().saturating_sub(before);
                if n.level == Level::Full || (!one && used + more <= SCREEN) {
                    *block = with;
                    used += more;
                    one = true;
                    taught.push(concept);
                    break;
                }
            }
        }
    }
}

fn rank(piece: Option<&Piece>) -> usize {
    let Some(Piece::Block { lessons, .. }) = piece else { return FIRST.len() + 1 };
    lessons.iter().filter_map(|(c, _)| FIRST.iter().position(|f| f == c)).min().unwrap_or(FIRST.len())
}

fn render(n: &Narrator, piece: &Piece) -> String {
    match piece {
        Piece::Folded(words) => hanging("● ", &clean(&words.join(" · ")), n.width),
        Piece::Block { block, .. } => block.render(n.width, n.color),
    }
}

/// What failed, and what was undone after a failure: never folded, at every level.
pub fn setbacks(n: &Narrator, events: &[&Event]) -> Vec<Block> {
    let mut blocks = Vec::new();
    for event in events {
        let Outcome::Failed { error } = &event.outcome else { continue };
        if matches!(event.fact, Fact::Fallback { .. }) {
            continue;
        }
        let mut block = Block::new(event.fact.block().label(n.lang)).text(event.sentence(n.lang));
        block.tense = Tense::Failed;
        block = block.text(format!("{}: {}", error.made(), errno(error.errno)));
        if let Some(remedy) = Remedy::for_error(error) {
            block = block.tagged(frame::tag_fix(n.lang), remedy.word(n.lang));
        }
        blocks.push(block);
    }
    blocks
}
