//! Completion and hints: commands and flags from the command line's definition, names from the store, else file names.
//!
//! Looks only, and only at what was typed: a name that cannot be listed is not offered, and nothing else happens.

use super::arrival::Watch;
use super::lexer::lex;
use super::line::{self, Reading};
use super::verbs;
use crate::cli::commands;
use crate::narrate::Level;
use crate::narrate::paint::{Colorize, paint};
use clap::{Arg, Command};
use rustyline::Context;
use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::highlight::Highlighter;
use rustyline::hint::{Hinter, HistoryHinter};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use std::borrow::Cow;

/// What a name can stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A container's name.
    Container,
    /// A container's full ID.
    Id,
    Image,
    Lab,
}

/// Lists the names of a kind.
pub type Names<'a> = dyn Fn(Kind) -> Vec<String> + 'a;

/// What may stand at a place of the line.
#[derive(Debug, PartialEq, Eq)]
struct Candidates {
    /// Where the word begins, in bytes.
    start: usize,
    words: Vec<String>,
    /// File names fit as well.
    files: bool,
}

/// rustyline's helper.
pub struct Helper<'a> {
    pub command: &'a Command,
    pub names: &'a Names<'a>,
    pub reading: &'a Reading<'a>,
    pub colour: bool,
    /// Told when a key has been dealt with: asking for a hint is the last of it.
    pub watch: Watch,
    pub files: FilenameCompleter,
    pub history: HistoryHinter,
}

/// The words before the cursor that belong to its command, and where the word at the cursor begins.
fn place(text: &str) -> (Vec<&str>, usize) {
    let start = text
        .rfind(|c: char| c.is_whitespace() || ";|&(`".contains(c))
        .map_or(0, |at| at + text.get(at..).and_then(|r| r.chars().next()).map_or(1, char::len_utf8));
    // A word at the cursor, so that the lexer sees which command it would belong to.
    let probed = format!("{}x", text.get(..start).unwrap_or_default());
    let commands = lex(&probed).commands;
    let Some(last) = commands.iter().find(|c| c.words.last().is_some_and(|w| w.end == probed.len())) else {
        return (vec!["\0"], start);
    };
    let before = last.words.len().saturating_sub(1);
    (last.words.iter().take(before).filter_map(|w| text.get(w.start..w.end)).collect(), start)
}

fn candidates(command: &Command, names: &Names<'_>, text: &str) -> Candidates {
    let (before, start) = place(text);
    let typed = text.get(start..).unwrap_or_default();
    let mut words: Vec<String> = Vec::new();
    let mut files = false;
    match before.split_first() {
        None => {
            words.extend(["docker", "docent", "help", "lang", "narrate", "exit"].map(String::from));
            words.extend(commands::bare());
            files = typed.contains('/');
        }
        Some((&"lang", [])) => words.extend(["ko", "en"].map(String::from)),
        Some((&"narrate", [])) => words.extend(Level::ALL.map(|l| l.word().into())),
        Some((&("docker" | "docent" | "help"), rest)) => files = below(command, names, rest, typed, &mut words),
        Some((first, rest)) => {
            let is_name = |n: &str| names(Kind::Container).iter().any(|c| c == n);
            match verbs::owner(first, rest, &is_name) {
                Some(_) => files = below(command, names, &before, typed, &mut words),
                None => files = true,
            }
        }
    }
    words.retain(|w| w.starts_with(typed));
    words.sort();
    words.dedup();
    Candidates { start, words, files }
}

/// After `docker`: flags of the whole, a subcommand, or what the subcommand takes.
fn below(command: &Command, names: &Names<'_>, rest: &[&str], typed: &str, words: &mut Vec<String>) -> bool {
    let mut here = command;
    let mut rest = rest;
    while let Some((first, more)) = rest.split_first() {
        if first.starts_with('-') {
            let takes = takes_value(here, first);
            rest = more.get(usize::from(takes)..).unwrap_or_default();
            continue;
        }
        let Some(found) = here.find_subcommand(first) else { return true };
        here = found;
        rest = more;
        if !here.has_subcommands() {
            break;
        }
    }
    below_verb(here, names, rest, typed, words)
}

fn below_verb(here: &Command, names: &Names<'_>, rest: &[&str], typed: &str, words: &mut Vec<String>) -> bool {
    if here.has_subcommands() && rest.is_empty() && !typed.starts_with('-') {
        words.extend(here.get_subcommands().map(|c| c.get_name().to_string()));
        return false;
    }
    let mut given = 0;
    let mut value_of = None;
    for word in rest {
        if value_of.take().is_some() {
            continue;
        }
        if word.starts_with('-') && word.len() > 1 && given == 0 {
            value_of = flag(here, word).filter(|_| takes_value(here, word));
        } else {
            given += 1;
        }
    }
    if value_of.is_none() && typed.starts_with('-') && given == 0 {
        let flags = here.get_arguments().filter(|a| !a.is_hide_set());
        words.extend(flags.filter_map(|a| a.get_long()).map(|l| format!("--{l}")));
        return false;
    }
    let Some(arg) = value_of.or_else(|| here.get_positionals().nth(given).or_else(|| here.get_positionals().last()))
    else {
        return true;
    };
    // What an argument takes is what its value is called: in `IMAGE [COMMAND] [ARG...]` only the first is a name.
    let called = arg.get_value_names().and_then(|n| n.first()).map_or("", |n| n.as_str());
    let name = match called.split_once(' ') {
        Some((first, _)) if given == 0 => first,
        Some(_) => "",
        None => called,
    };
    let mut add = |kind| words.extend(names(kind));
    match name {
        "CONTAINER" => add(Kind::Container),
        "IMAGE" => add(Kind::Image),
        "LAB" => add(Kind::Lab),
        "NAME|ID" => {
            add(Kind::Container);
            add(Kind::Image);
        }
        "SRC_PATH" | "DEST_PATH" => {
            words.extend(names(Kind::Container).into_iter().map(|c| format!("{c}:")));
            return true;
        }
        "network" => words.extend(["bridge", "host", "none"].map(String::from)),
        _ => return true,
    }
    false
}

fn flag<'c>(command: &'c Command, word: &str) -> Option<&'c Arg> {
    let find = |fits: &dyn Fn(&Arg) -> bool| command.get_arguments().find(|a| fits(a));
    if let Some(long) = word.strip_prefix("--") {
        return find(&|a| a.get_long() == Some(long));
    }
    // In `-it` the last letter decides.
    let last = word.strip_prefix('-')?.chars().last()?;
    find(&|a| a.get_short() == Some(last))
}

/// Whether the word after this flag is its value.
fn takes_value(command: &Command, word: &str) -> bool {
    !word.contains('=')
        && flag(command, word).is_some_and(|a| a.get_action().takes_values() && !a.is_require_equals_set())
}

impl Completer for Helper<'_> {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let text = line.get(..pos).unwrap_or(line);
        let found = candidates(self.command, self.names, text);
        let pair = |w: String| {
            let replacement = if w.ends_with(':') { w.clone() } else { format!("{w} ") };
            Pair { display: w, replacement }
        };
        if found.files && (found.words.is_empty() || text.len() == pos) {
            let (start, mut pairs) = self.files.complete_path(line, pos)?;
            if found.words.is_empty() || start == found.start {
                let mut all: Vec<Pair> = found.words.into_iter().map(pair).collect();
                all.append(&mut pairs);
                return Ok((start, all));
            }
        }
        Ok((found.start, found.words.into_iter().map(pair).collect()))
    }
}

impl Hinter for Helper<'_> {
    type Hint = String;

    /// The line of before that began like this; else, after a complete command, what it takes.
    fn hint(&self, line: &str, pos: usize, ctx: &Context<'_>) -> Option<String> {
        let hint = if self.watch.ending() { None } else { self.look_up(line, pos, ctx) };
        self.watch.rest();
        hint
    }
}

impl Helper<'_> {
    /// Whether the text is unfinished, so that Enter begins another line.
    pub fn unfinished(&self, text: &str) -> bool {
        line::read(text, self.reading).pieces.last().is_some_and(|p| p.open)
    }

    fn look_up(&self, line: &str, pos: usize, ctx: &Context<'_>) -> Option<String> {
        if let Some(hint) = self.history.hint(line, pos, ctx) {
            return Some(hint.lines().next().unwrap_or_default().to_string());
        }
        if pos < line.len() || !line.ends_with(' ') {
            return None;
        }
        takes(self.command, line)
    }
}

/// `IMAGE [COMMAND] [ARG...]` after `docker run `.
fn takes(command: &Command, line: &str) -> Option<String> {
    let (words, _) = place(line);
    let words = match words.split_first() {
        Some((&("docker" | "docent"), rest)) if !rest.is_empty() => rest.to_vec(),
        Some((first, _)) if verbs::owner(first, &[], &|_| false).is_some() => words,
        _ => return None,
    };
    let here = words.iter().try_fold(command, |c, w| c.find_subcommand(w))?;
    let shown = |a: &Arg| {
        let names = a.get_value_names().unwrap_or_default();
        let name = names.first().map_or_else(|| a.get_id().as_str().to_uppercase(), |n| n.to_string());
        if a.is_required_set() { name } else { format!("[{name}]") }
    };
    let all: Vec<String> = here.get_positionals().map(shown).collect();
    (!all.is_empty()).then(|| all.join(" "))
}

impl Highlighter for Helper<'_> {
    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(paint(self.colour, hint, Colorize::dimmed))
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        Cow::Owned(paint(self.colour, prompt, |text| text.bold().cyan()))
    }
}

impl Validator for Helper<'_> {
    fn validate(&self, ctx: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(if self.unfinished(ctx.input()) { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}

impl rustyline::Helper for Helper<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    fn offers(text: &str) -> Vec<String> {
        let names = |kind: Kind| match kind {
            Kind::Container => vec!["web".to_string(), "웹".into()],
            Kind::Id => Vec::new(),
            Kind::Image => vec!["nginx".to_string(), "tiny".into()],
            Kind::Lab => vec!["03-nginx-cp-edit".to_string()],
        };
        candidates(&crate::cli::command(), &names, text).words
    }

    #[test]
    fn commands_subcommands_flags_and_names_are_offered_where_they_fit() {
        for (text, want) in [
            ("doc", &["docent", "docker", "doctor"][..]),
            ("ru", &["run"]),
            ("docker ru", &["run"]),
            ("docker image ", &["inspect", "load", "ls"]),
            ("docker run --n", &["--name", "--network"]),
            ("docker run --network ", &["bridge", "host", "none"]),
            ("run --rm -t ", &["nginx", "tiny"]),
            ("run --name ", &[]),
            ("docker run tiny ", &[]),
            ("stop -t 3 w", &["web"]),
            ("docker stop 웹", &["웹"]),
            ("docker ps; stop ", &["web", "웹"]),
            ("docker stop $(docker image l", &["load", "ls"]),
            ("docker cp ", &["web:", "웹:"]),
            ("docker image inspect t", &["tiny"]),
            ("docker inspect t", &["tiny"]),
            ("docker container inspect w", &["web"]),
            ("docker exec web ", &[]),
            ("lab start ", &["03-nginx-cp-edit"]),
            ("docent grade ", &["03-nginx-cp-edit"]),
            ("docent grade 03-nginx-cp-edit ", &[]),
            ("lang ", &["en", "ko"]),
            ("help ru", &["run"]),
            ("ls ", &[]),
            ("exec ba", &[]),
        ] {
            assert_eq!(offers(text), want, "{text}");
        }
    }

    #[test]
    fn after_a_command_its_arguments_are_shown() {
        assert_eq!(takes(&crate::cli::command(), "docker run ").as_deref(), Some("IMAGE [COMMAND] [ARG...]"));
        assert_eq!(takes(&crate::cli::command(), "run ").as_deref(), Some("IMAGE [COMMAND] [ARG...]"));
        assert_eq!(takes(&crate::cli::command(), "ls "), None);
        assert_eq!(takes(&crate::cli::command(), "docker "), None);
    }
}
