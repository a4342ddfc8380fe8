//! Narration: the only place (besides the tables of `cli/`) that makes text for people, in Korean and English.
//!
//! Events come in, a block of text goes out; nothing here changes anything or reads the system. Whatever a container, an
//! image or a lab could have named is cleaned of control characters before it reaches a terminal ([`layout`]).
//!
//! What an event says of itself stands in its definition (`event/`); here are
//! - `learn`, `blocks`, `cow` the blocks of a story: concept first, mechanism second, evidence third
//! - `text/` what is said beside events: both languages side by side, checked at compile time (`messages!`)
//! - `deep`, `plan`, `fault`, `doctor`, `verdict` the other things that are told
//! - [`session`] what the session says beside its commands: a part of `text/`

mod blocks;
mod blocks_inside;
mod concept;
mod cow;
mod deep;
mod doctor;
mod fault;
pub mod lab;
mod layout;
mod learn;
pub mod markdown;
pub mod paint;
mod plan;
mod text;
mod verdict;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use crate::event::Lang;
pub use concept::Concept;
pub use layout::{clean_lines, padded};
pub use text::{frame, session};

use crate::event::{Event, Line};
use crate::store::redacted;
use std::collections::BTreeSet;

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Off,
    /// One line a family.
    Brief,
    /// A concept in full at the first meeting, folded afterwards.
    Learn,
    /// Nothing folded.
    Full,
    /// Every event, with its calls, what was read back, and proofs.
    Deep,
    /// Lines of JSON: the command's beginning, its events, its end.
    Json,
}

impl Level {
    /// As `--narrate` takes it.
    pub fn word(self) -> &'static str {
        match self {
            Level::Off => "off",
            Level::Brief => "brief",
            Level::Learn => "learn",
            Level::Full => "full",
            Level::Deep => "deep",
            Level::Json => "json",
        }
    }

    pub const ALL: [Level; 6] = [Level::Off, Level::Brief, Level::Learn, Level::Full, Level::Deep, Level::Json];
}

/// Tells stories, in one language, at one level, to one learner.
#[derive(Debug, Clone)]
pub struct Narrator {
    pub lang: Lang,
    pub level: Level,
    /// Only at a terminal, and not with NO_COLOR: the caller decides.
    pub color: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// Concepts that this learner has met ([`Concept::key`]).
    pub learned: BTreeSet<String>,
    /// The command's number in the journal, for JSON.
    pub command: Option<u64>,
}

impl Narrator {
    pub fn new(lang: Lang, level: Level) -> Self {
        Narrator { lang, level, color: false, width: 100, learned: BTreeSet::new(), command: None }
    }

    /// The block for these events, each line ended; empty when there is nothing to say at this level.
    pub fn story(&self, events: &[Event]) -> String {
        self.story_from(1, events)
    }

    /// The same for a piece of a command's events; `first` is the number of the first (only JSON shows numbers).
    pub fn story_from(&self, first: usize, events: &[Event]) -> String {
        match self.level {
            Level::Off => String::new(),
            Level::Json => events.iter().zip(first as u64..).map(|(event, id)| self.json_line(id, event)).collect(),
            Level::Deep => deep::story(self, events),
            Level::Brief | Level::Learn | Level::Full => learn::story(self, events).0,
        }
    }

    /// Concepts that [`Narrator::story`] tells in full for these events: what the learner has met afterwards.
    pub fn teaches(&self, events: &[Event]) -> Vec<Concept> {
        match self.level {
            Level::Learn | Level::Full => learn::story(self, events).1,
            _ => Vec::new(),
        }
    }

    /// The line after the story (and after the id on standard output): how to check, and how to see more.
    /// None when nothing new was told.
    pub fn hint(&self, events: &[Event]) -> Option<String> {
        (!self.teaches(events).is_empty()).then(|| layout::dim(self.color, &text::frame::hint(self.lang)) + "\n")
    }

    /// One event as a line of JSON, without secrets, as the journal has it.
    fn json_line(&self, id: u64, event: &Event) -> String {
        Line::Event { command: self.command, id, event: Box::new(redacted(event)) }.json()
    }
}
