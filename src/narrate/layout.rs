//! Columns, wrapping and colour. Text that came from a container cannot reach the terminal as a control sequence.

use super::paint::{Colorize, paint};
use crate::event::Tense;
use crate::event::words::unseen;
use textwrap::core::display_width;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Where text begins: labels are shorter than this. Korean letters are two columns wide.
pub const COLUMN: usize = 16;

/// One block of a story.
#[derive(Debug, Clone)]
pub struct Block {
    /// What became of it: the bullet says it by its shape, not by colour alone.
    pub tense: Tense,
    pub label: String,
    pub lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    Text(String),
    /// A word (`evidence`) and what it is about.
    Tagged(String, String),
    /// The same for what may be copied into a shell: never wrapped.
    Copy(String, String),
}

impl Block {
    pub fn new(label: String) -> Self {
        Block { tense: Tense::Done, label, lines: Vec::new() }
    }
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.lines.push(Line::Text(text.into()));
        self
    }
    pub fn tagged(mut self, tag: String, text: impl Into<String>) -> Self {
        self.lines.push(Line::Tagged(tag, text.into()));
        self
    }
    pub fn copy(mut self, tag: String, text: impl Into<String>) -> Self {
        self.lines.push(Line::Copy(tag, text.into()));
        self
    }

    /// The block as lines; `width` is the terminal's.
    pub fn render(&self, width: usize, color: bool) -> String {
        let mut out = String::new();
        let bullet = match self.tense {
            Tense::Done => "●",
            Tense::Failed => "✗",
            Tense::Planned => "○",
        };
        let label = padded(&clean(&self.label), COLUMN - 2);
        let tint = if self.tense == Tense::Failed { Colorize::red } else { Colorize::cyan };
        let mut start = format!("{} {}", paint(color, bullet, tint), paint(color, &label, Colorize::bold));
        for line in &self.lines {
            let (tag, text, fixed) = match line {
                Line::Text(t) => (None, t, false),
                Line::Tagged(tag, t) => (Some(tag), t, false),
                Line::Copy(tag, t) => (Some(tag), t, true),
            };
            let tag = tag.map(|t| format!("{}  ", clean(t))).unwrap_or_default();
            let head = std::mem::replace(&mut start, " ".repeat(COLUMN)) + &dim(color, &tag);
            let text = clean(text);
            out += &if fixed { format!("{head}{text}\n") } else { hanging(&head, &text, width) };
        }
        out
    }
}

/// A text behind what it begins with, wrapped to a terminal's width; its further lines stand below its first.
pub fn hanging(start: &str, text: &str, width: usize) -> String {
    let indent = display_width(start);
    let lines = wrap(text, width.saturating_sub(indent).max(20));
    format!("{start}{}\n", lines.join(&format!("\n{}", " ".repeat(indent))))
}

/// As much of a text as has room in one line.
pub fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_string();
    }
    let mut out = String::new();
    for c in text.chars() {
        if out.width() + c.width().unwrap_or(0) + 1 > width {
            break;
        }
        out.push(c);
    }
    out.truncate(out.trim_end_matches([' ', '·']).len());
    out + "…"
}

pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let options = textwrap::Options::new(width)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .wrap_algorithm(textwrap::WrapAlgorithm::FirstFit);
    let lines: Vec<String> = textwrap::wrap(text, options).into_iter().map(|l| l.trim_end().to_string()).collect();
    if lines.is_empty() { vec![String::new()] } else { lines }
}

/// Padded to this many columns.
pub fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(text.width())))
}

pub fn dim(color: bool, text: &str) -> String {
    paint(color, text, Colorize::dimmed)
}

/// Control characters and those that reorder text are shown as escapes: names come from images and containers.
pub fn clean(text: &str) -> String {
    if !text.chars().any(unseen) {
        return text.to_string();
    }
    text.chars().flat_map(|c| if unseen(c) { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}

/// The same for a text of several lines: its line ends and tabs stay.
pub fn clean_lines(text: &str) -> String {
    let part = |part: &str| match part.strip_suffix(['\n', '\t']) {
        Some(before) => clean(before) + part.get(before.len()..).unwrap_or_default(),
        None => clean(part),
    };
    text.split_inclusive(['\n', '\t']).map(part).collect()
}
