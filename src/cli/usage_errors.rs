//! What cannot be parsed, as a typed fault with Docker's exit code: 125 for a flag, 1 for a command or an argument.
//!
//! A flag or command that Docker has and docent lacks is [`Fault::Unsupported`]; what neither knows is [`Fault::Usage`],
//! with the nearest name that would be understood. `text` is Docker's own wording, for logs; people read the catalogue's,
//! which goes by `kind`: `unknown-flag`, `unknown-shorthand`, `unknown-command`, `flag-needs-value`, `missing-arguments`, `too-many-arguments`,
//! `not-utf8`, `not-together`.

use super::suggest::nearest;
use super::{parsers, unsupported};
use crate::event::Fault;
use clap::Command;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use std::error::Error as _;
use std::ffi::OsString;

/// Docker's exit code for a flag that is wrong, and for whatever the engine itself refuses.
pub(super) const ENGINE: i32 = 125;
/// Docker's exit code for an argument or a command that is wrong.
const ARGUMENT: i32 = 1;

pub(super) enum Answer {
    /// Not an error: help was asked for (or a group was named without a command).
    Help(Vec<String>),
    Fault(Fault, i32),
}

pub(super) fn refuse(tree: &Command, argv: &[OsString], error: &Error) -> Answer {
    let (path, command) = walk(tree, argv);
    let word = context(error, ContextKind::InvalidArg).or_else(|| context(error, ContextKind::InvalidSubcommand));
    // clap shows a flag with its value's name: `--publish <list>`, `--rm[=<RM>]`.
    let word = word.map(|w| w.split([' ', '=', '[']).next().unwrap_or_default().to_string());
    let name = path.join(" ");
    let usage = |kind: &str, word: Option<String>, suggestion: Option<String>, text: String| Fault::Usage {
        command: name.clone(),
        kind: kind.into(),
        word,
        suggestion,
        text,
    };
    let (fault, code) = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            return Answer::Help(path);
        }
        ErrorKind::UnknownArgument => {
            let word = word.unwrap_or_default();
            if word == "-h" {
                // Docker still answers -h with help, but for `run` and `create`, where it is --hostname.
                return Answer::Help(path);
            }
            if !word.starts_with('-') || word == "-" {
                (usage("too-many-arguments", Some(word), None, arity(command)), ARGUMENT)
            } else if let Some(long) = unsupported::flag(&path, &word) {
                (unsupported(&format!("--{long}")), ENGINE)
            } else {
                let suggestion = nearest_flag(command, &path, &word);
                match shorthand(argv, &word) {
                    Some(word) => {
                        let text = format!("unknown shorthand flag: in {word}");
                        (usage("unknown-shorthand", Some(word), None, text), ENGINE)
                    }
                    None => {
                        let text = format!("unknown flag: {word}");
                        (usage("unknown-flag", Some(word), suggestion, text), ENGINE)
                    }
                }
            }
        }
        ErrorKind::InvalidSubcommand => unknown(command, &path, &word.unwrap_or_default()),
        ErrorKind::MissingRequiredArgument | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            (usage("missing-arguments", None, None, arity(command)), ARGUMENT)
        }
        ErrorKind::ValueValidation => {
            let fault = error.source().and_then(|e| e.downcast_ref::<Fault>()).cloned();
            let value = context(error, ContextKind::InvalidValue).unwrap_or_default();
            let flag = word.unwrap_or_default();
            let fault = match fault {
                // A parser of several flags does not know which of them it serves.
                Some(Fault::BadValue { flag: unnamed, value, expected }) if unnamed.is_empty() => {
                    parsers::bad(&flag, &value, &expected)
                }
                Some(fault) => fault,
                None => parsers::bad(&flag, &value, ""),
            };
            // Docker's client does not look at these: its engine refuses them, which only `run` makes 125 of.
            let engines =
                matches!(&fault, Fault::BadName { .. } | Fault::BadSignal { .. } | Fault::MemoryTooLow { .. });
            let by_engine = engines && path.last().is_none_or(|verb| verb != "run");
            (fault, if by_engine { ARGUMENT } else { ENGINE })
        }
        ErrorKind::InvalidValue if word.as_ref().is_some_and(|w| w.starts_with('-')) => {
            let text = format!("flag needs an argument: {}", word.as_deref().unwrap_or_default());
            (usage("flag-needs-value", word, None, text), ENGINE)
        }
        ErrorKind::InvalidValue => (usage("missing-arguments", None, None, arity(command)), ARGUMENT),
        ErrorKind::ArgumentConflict => (usage("not-together", word, None, arity(command)), ENGINE),
        ErrorKind::InvalidUtf8 => (usage("not-utf8", None, None, error.kind().to_string()), ENGINE),
        kind => (usage("unknown-flag", word, None, kind.to_string()), ENGINE),
    };
    Answer::Fault(fault, code)
}

/// The command that `help WORD…` describes.
pub(super) fn described(tree: &Command, words: &[String]) -> Result<Vec<String>, Fault> {
    let mut command = tree;
    let mut path: Vec<String> = Vec::new();
    for word in words {
        let Some(next) = command.find_subcommand(word) else { return Err(unknown(command, &path, word).0) };
        command = next;
        path.push(next.get_name().to_string());
    }
    Ok(path)
}

fn unsupported(what: &str) -> Fault {
    Fault::Unsupported { what: what.into(), instead: unsupported::instead_of(what).map(str::to_string) }
}

/// A word that is no command below `path`: one of Docker's, or of nobody's.
fn unknown(command: &Command, path: &[String], word: &str) -> (Fault, i32) {
    let dockers: Vec<&str> = unsupported::commands(path).collect();
    let what = spaced(path, word);
    if dockers.contains(&word) {
        return (unsupported(&what), ENGINE);
    }
    let known = command.get_subcommands().flat_map(|c| std::iter::once(c.get_name()).chain(c.get_visible_aliases()));
    let suggestion = nearest(word, known.chain(dockers.iter().copied())).map(str::to_string);
    let (command, kind, text) = (path.join(" "), "unknown-command".into(), format!("unknown command: {what}"));
    (Fault::Usage { command, kind, word: Some(word.into()), suggestion, text }, ARGUMENT)
}

fn spaced(path: &[String], word: &str) -> String {
    path.iter().map(String::as_str).chain([word]).collect::<Vec<_>>().join(" ")
}

fn context(error: &Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => texts.first().cloned(),
        _ => None,
    }
}

/// The command that the words lead to. Only docent's own flags can stand between the words of a command.
fn walk<'a>(tree: &'a Command, argv: &[OsString]) -> (Vec<String>, &'a Command) {
    let takes_value = |word: &str| {
        tree.get_arguments().any(|a| {
            a.get_action().takes_values()
                && a.get_num_args().is_none_or(|n| n.min_values() > 0)
                && a.get_long().is_some_and(|long| word.strip_prefix("--") == Some(long))
        })
    };
    let mut command = tree;
    let mut path = Vec::new();
    let mut words = argv.iter().skip(1).map(|w| w.to_string_lossy());
    while let Some(word) = words.next() {
        if takes_value(&word) {
            words.next();
        } else if !word.starts_with('-') {
            match command.find_subcommand(word.as_ref()) {
                Some(next) => {
                    command = next;
                    path.push(next.get_name().to_string());
                }
                None => break,
            }
        } else if word == "--" {
            break;
        }
    }
    (path, command)
}

/// Docker's sentence about the number of arguments.
fn arity(command: &Command) -> String {
    let (mut least, mut most) = (0, Some(0));
    for arg in command.get_positionals() {
        let many = matches!(arg.get_action(), clap::ArgAction::Append)
            || arg.get_num_args().is_some_and(|n| n.max_values() == usize::MAX);
        let needed = arg.get_num_args().map_or(1, |n| n.min_values().max(1));
        least += if arg.is_required_set() { needed } else { 0 };
        most = if many { None } else { most.map(|m| m + 1) };
    }
    let s = |n: usize| if n == 1 { "" } else { "s" };
    match (least, most) {
        (0, Some(0)) => "accepts no arguments".into(),
        (0, Some(most)) => format!("requires at most {most} argument{}", s(most)),
        (least, Some(most)) if least == most => format!("requires {least} argument{}", s(least)),
        (least, Some(most)) => format!("requires {least} to {most} arguments"),
        (least, None) => format!("requires at least {least} argument{}", s(least)),
    }
}

/// `-zq` for an unknown `-z`: the letter and what stands behind it in its word, as Docker shows it.
fn shorthand(argv: &[OsString], word: &str) -> Option<String> {
    let letter = word.strip_prefix('-').filter(|l| l.chars().count() == 1 && *l != "-")?;
    let words = argv.iter().skip(1).map(|w| w.to_string_lossy());
    let rest = words
        .filter(|w| w.starts_with('-') && !w.starts_with("--"))
        .find_map(|w| Some(w[w.find(letter)?..].to_string()));
    Some(format!("-{}", rest.unwrap_or_else(|| letter.into())))
}

fn nearest_flag(command: &Command, path: &[String], word: &str) -> Option<String> {
    let name = word.strip_prefix("--")?;
    let own = command.get_arguments().filter_map(|a| a.get_long());
    nearest(name, own.chain(unsupported::flags(path).map(|(_, long)| long))).map(|flag| format!("--{flag}"))
}
