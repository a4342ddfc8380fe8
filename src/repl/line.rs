//! What a line becomes before the shell gets it: pastes taken apart, prompts and typography repaired, bare verbs completed.
//!
//! Pure: text in, pieces out. What was changed comes back beside the text, so that the session can say it; what is only
//! guessed is never done, but comes back as a doubt.

use super::lexer::{Open, Simple, lex};
use super::paste_repair::{self, Repair};
use super::pasted::{self, Pasted};
use super::verbs::{self, Words};
use crate::cli::nearest;

/// What reading needs to know about the world.
pub struct Reading<'a> {
    pub words: &'a Words,
    /// Whether a container has this name or ID.
    pub is_name: &'a dyn Fn(&str) -> bool,
    /// Whether the shell finds this unfinished (`for … do` without `done`).
    pub incomplete: &'a dyn Fn(&str) -> bool,
    /// Lines come from a script: what begins with `#` is a comment.
    pub script: bool,
    /// Whoever types is root.
    pub root: bool,
}

/// One command to run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Piece {
    pub text: String,
    pub repaired: Vec<Repair>,
    /// More lines are needed.
    pub open: bool,
    pub doubt: Option<Doubt>,
    /// A bare verb of the shell's that was probably meant for a container.
    pub shells: Option<String>,
    /// A host's command on what is a container's name: it could be either.
    pub either: Option<Either>,
    /// From a paste it needs no question: docker's or docent's alone as it was written, or behind a prompt of the host's.
    pub certain: bool,
}

/// `rm web`, where web is a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Either {
    pub verb: String,
    /// The container, as it was written.
    pub name: String,
    /// The line with `docker` before the verb.
    pub docker: String,
}

/// Why a piece should not be run as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// The word that nothing knows, and what the line would be with the right one. `command`: the word stands where a
    /// program's name is expected, and the shell may know it.
    Meant { typed: String, line: String, command: bool },
    /// A gap of the notes is still to be filled in.
    Gap(String),
}

/// A paste or a line, read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Read {
    pub pieces: Vec<Piece>,
    /// Lines that were left out because they are a transcript's output, or prose.
    pub left_out: usize,
}

/// Reads what was typed, pasted or piped.
pub fn read(input: &str, with: &Reading<'_>) -> Read {
    let lines: Vec<&str> = input.split('\n').map(|l| l.strip_suffix('\r').unwrap_or(l)).collect();
    let first = lines.iter().find(|l| !l.trim().is_empty()).copied().unwrap_or_default();
    let plain_docker = lines.iter().any(|l| ours(l.trim_start(), with.words));
    let hash_is_prompt = !with.script && !plain_docker;
    // Where the first line has a prompt, lines without one are output.
    let transcript = lines.len() > 1
        && match pasted::classify(first, with.words) {
            Pasted::Prompted(_) => true,
            Pasted::Hashed(_) => hash_is_prompt,
            _ => false,
        };
    let mut out = Read::default();
    let mut piece = Piece::default();
    for line in lines {
        let begun = piece.open;
        let (text, open) = if begun {
            piece.text.push('\n');
            let open = lex(&piece.text).open;
            // The continuation prompt of a transcript.
            (if transcript { line.strip_prefix("> ").unwrap_or(line) } else { line }, open)
        } else {
            match begin(line, with, hash_is_prompt) {
                Begin::Command { text, prompted, sure } if prompted || !transcript || ours(text, with.words) => {
                    piece.certain = sure;
                    (text, None)
                }
                Begin::Nothing => continue,
                Begin::Command { .. } | Begin::LeftOut => {
                    out.left_out += 1;
                    continue;
                }
            }
        };
        if open == Some(Open::Heredoc) {
            piece.text.push_str(text);
        } else {
            let quote = match open {
                Some(Open::Quote(q @ ('\'' | '"'))) => Some(q),
                _ => None,
            };
            let (repaired, done) = paste_repair::repair(text, quote, with.words);
            piece.text.push_str(&repaired);
            piece.repaired.extend(done);
        }
        let seen = lex(&piece.text);
        piece.open = seen.open.is_some() || (seen.compound && (with.incomplete)(&piece.text));
        if !piece.open {
            out.pieces.push(finish(std::mem::take(&mut piece), with));
        }
    }
    if piece.open {
        out.pieces.push(piece);
    }
    out
}

enum Begin<'a> {
    /// `sure`: behind a prompt that can only be a host's.
    Command {
        text: &'a str,
        prompted: bool,
        sure: bool,
    },
    Nothing,
    LeftOut,
}

fn begin<'a>(line: &'a str, with: &Reading<'_>, hash_is_prompt: bool) -> Begin<'a> {
    if line.trim().is_empty() {
        return Begin::Nothing;
    }
    match pasted::classify(line, with.words) {
        Pasted::Prompted("") | Pasted::Comment => Begin::Nothing,
        Pasted::Prompted(text) => Begin::Command { text, prompted: true, sure: !pasted::of_a_container(line) },
        Pasted::Hashed(text) if hash_is_prompt => Begin::Command { text, prompted: true, sure: false },
        Pasted::Hashed(_) => Begin::Nothing,
        Pasted::Lifted(text) => {
            let text = text.trim_start_matches(['#', '$']).trim_start();
            Begin::Command { text, prompted: true, sure: false }
        }
        Pasted::Prose => Begin::LeftOut,
        Pasted::Plain(text) => Begin::Command { text, prompted: false, sure: false },
    }
}

/// `docker VERB …` or `docent VERB …`.
fn ours(line: &str, words: &Words) -> bool {
    let mut parts = line.split_whitespace();
    matches!(parts.next(), Some("docker" | "docent")) && parts.next().is_some_and(|v| words.has_verb(v))
}

/// Completes bare verbs and looks for slips.
fn finish(mut piece: Piece, with: &Reading<'_>) -> Piece {
    piece.repaired.sort_unstable();
    piece.repaired.dedup();
    let commands = lex(&piece.text).commands;
    piece.certain |= only_ours(&piece.text, &commands);
    // From the last to the first, so that offsets stay true.
    for simple in commands.iter().rev() {
        complete(&mut piece, simple, with);
    }
    let commands = lex(&piece.text).commands;
    piece.either = either(&piece.text, &commands, with);
    piece.certain &= piece.either.is_none();
    let about_us = |c: &Simple| matches!(c.word(&piece.text, 0), Some("docker" | "docent"));
    if commands.iter().any(about_us)
        && let Some(gap) = pasted::placeholder(&piece.text)
    {
        piece.doubt = Some(Doubt::Gap(gap.to_string()));
    } else {
        piece.doubt = commands.iter().find_map(|c| slip(&piece.text, c, with.words));
    }
    piece
}

/// Every command in it is docker or docent, those of substitutions too. A here-document is not looked into.
fn only_ours(text: &str, commands: &[Simple]) -> bool {
    !commands.is_empty()
        && commands.iter().all(|c| matches!(c.word(text, 0), Some("docker" | "docent")))
        && commands
            .first()
            .and_then(|c| c.words.first())
            .is_some_and(|w| text.trim_start().len() + w.start == text.len())
        && !text.contains("<<")
}

fn either(text: &str, commands: &[Simple], with: &Reading<'_>) -> Option<Either> {
    let mut docker = text.to_string();
    let mut found = None;
    // From the last to the first, so that offsets stay true.
    for simple in commands.iter().rev() {
        let words: Vec<&str> = simple.words.iter().filter_map(|w| text.get(w.start..w.end)).collect();
        let (Some(at), Some((verb, args))) = (simple.words.first(), words.split_first()) else { continue };
        if let Some(name) = verbs::container_of(verb, args, with.is_name) {
            docker.insert_str(at.start, "docker ");
            found = Some((verb.to_string(), name.to_string()));
        }
    }
    found.map(|(verb, name)| Either { verb, name, docker })
}

/// Whether a line would end the session.
pub fn leaves(text: &str) -> bool {
    let commands = lex(text).commands;
    matches!(commands.as_slice(), [only] if matches!(only.word(text, 0), Some("exit" | "logout")))
}

fn complete(piece: &mut Piece, simple: &Simple, with: &Reading<'_>) {
    let text = piece.text.clone();
    let words: Vec<&str> = simple.words.iter().filter_map(|w| text.get(w.start..w.end)).collect();
    let (Some(at), Some((verb, args))) = (simple.words.first(), words.split_first()) else { return };
    // A function's definition, or a pattern of `case`.
    if text.get(at.end..).is_some_and(|r| r.trim_start_matches(' ').starts_with(['(', ')'])) {
        return;
    }
    if *verb == "sudo" && with.root && matches!(args.first(), Some(&"docker" | &"docent")) {
        if let Some(next) = simple.words.get(1) {
            piece.text.replace_range(at.start..next.start, "");
            piece.repaired.push(Repair::Sudo);
        }
        return;
    }
    match verbs::owner(verb, args, with.is_name) {
        Some(owner) => piece.text.insert_str(at.start, &format!("{owner} ")),
        None if verbs::looks_like_ours(verb, args, with.is_name) => piece.shells = Some(verb.to_string()),
        None => {}
    }
}

/// A command of which a word is nearly one that we know.
fn slip(text: &str, simple: &Simple, words: &Words) -> Option<Doubt> {
    let meant = |n: usize, right: &str, command: bool| {
        let at = simple.words.get(n)?;
        let mut line = text.to_string();
        line.replace_range(at.start..at.end, right);
        Some(Doubt::Meant { typed: simple.word(text, n)?.to_string(), line, command })
    };
    let plain = |w: &&str| w.chars().all(|c| c.is_alphanumeric() || c == '-') && !w.starts_with('-');
    let first = simple.word(text, 0)?;
    if matches!(first, "docker" | "docent") {
        let second = simple.word(text, 1).filter(plain)?;
        if !words.has_verb(second) {
            return words.near_verb(second).and_then(|right| meant(1, right, false));
        }
        let third = simple.word(text, 2).filter(plain)?;
        return words.near_in_group(second, third).and_then(|right| meant(2, right, false));
    }
    if !plain(&first) {
        return None;
    }
    // `docekr` anywhere; a mistyped bare verb as well. Whether the shell knows the word is asked before this is said.
    if let Some(right) = nearest(first, ["docker", "docent"].into_iter()) {
        return meant(0, right, true);
    }
    if words.has_verb(first) || ["lang", "narrate", "help"].contains(&first) {
        return None;
    }
    meant(0, &verbs::near_bare(first)?, true)
}

#[cfg(test)]
#[path = "line_tests.rs"]
mod tests;
