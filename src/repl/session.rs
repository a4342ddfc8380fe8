//! The loop: news, prompt, line, answer.
//!
//! With a terminal on standard input lines are edited, remembered and answered with hints; without one they run one by one
//! and the last exit code is returned, as a shell would. What the session says itself goes to standard error: standard
//! output belongs to the commands.

use super::arrival::Watch;
use super::complete::{Helper, Kind, Names};
use super::host;
use super::lexer::{is_variable, lex};
use super::line::{self, Doubt, Piece, Read, Reading};
use super::paste_repair::Repair;
use super::private::Private;
use super::shell::{Ended, Shell, Start};
use super::verbs::Words;
use crate::cli::{self, Globals, commands};
use crate::engine::news::News;
use crate::kernel::host::Host;
use crate::kernel::terminal;
use crate::narrate::{Lang, Level, clean_lines, paint, session as say};
use crate::store::{Store, default_root};
use rustyline::completion::FilenameCompleter;
use rustyline::error::ReadlineError;
use rustyline::hint::HistoryHinter;
use rustyline::history::DefaultHistory;
use rustyline::{Behavior, CompletionType, Config, DefaultEditor, Editor, Event, EventHandler};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;

/// Lines that are kept for the arrow keys.
const HISTORY: usize = 2000;

/// Exit codes of what the session answers itself: as a shell's for a command not found, for one used wrongly, for one that
/// was asked about and not confirmed, and the engine's own when there is no shell.
const NOT_FOUND: i32 = 127;
const MISUSED: i32 = 2;
const REFUSED: i32 = 1;
const ENGINE: i32 = 125;

/// Runs a session to its end; gives the exit code.
pub fn run(globals: Globals) -> i32 {
    begin(&globals).unwrap_or_else(|e| {
        tell(&say::no_shell(globals.lang, e));
        ENGINE
    })
}

fn begin(globals: &Globals) -> io::Result<i32> {
    let (root, lang) = (cli::root_of(globals), globals.lang);
    let host = Host::look();
    let store = Store::existing(&root, &host);
    let terminal = io::stdin().is_terminal();
    let private = Private::make(store.as_ref())?;
    let mut env: Vec<(&str, OsString)> =
        vec![("DOCENT_ROOT", root.clone().into()), ("DOCENT_LANG", lang.code().into())];
    if let Some(level) = globals.narrate {
        env.push(("DOCENT_NARRATE", level.word().into()));
    }
    let program = std::env::current_exe()?;
    let shell = Shell::start(&Start { dir: private.path(), program: &program, env: &env, terminal })?;
    let (command, grammar) = (cli::command(), shell.grammar());
    let names = |kind| host::names(&root, &host, kind);
    let is_name = |word: &str| {
        names(Kind::Container).iter().any(|n| n == word)
            || names(Kind::Id).iter().any(|id| id == word || id.get(..12) == Some(word))
    };
    let reading = Reading {
        words: &Words::of(&command),
        is_name: &is_name,
        incomplete: &|text| grammar.incomplete(text),
        script: !terminal,
        root: host.root,
    };
    let mut session = Session {
        shell,
        lang,
        hinted: BTreeSet::new(),
        lab_vars: BTreeMap::new(),
        last: 0,
        refused: false,
        terminal,
        command: &command,
        names: &names,
        reading: &reading,
        news: News::default(),
        root: &root,
        host: &host,
    };
    session.share_lab_vars()?;
    if terminal {
        let history = store.as_ref().map(Store::history);
        let first = history.as_ref().is_none_or(|h| !h.exists());
        tell(&host::verdict(&root, &host, lang));
        tell(&if first { say::first_start(lang) } else { say::start(lang) });
        session.converse(&prompt(&root, host.root), history.as_deref())
    } else {
        session.follow()
    }
}

/// `docent> `, with what is not usual: `docent (rootless) /srv/class> `.
fn prompt(root: &Path, is_root: bool) -> String {
    let mut prompt = String::from("docent");
    if !is_root {
        prompt.push_str(" (rootless)");
    }
    let asked_for = std::env::var_os("DOCENT_ROOT").is_some_and(|r| !r.is_empty());
    if asked_for || root != default_root() {
        let shown = root.to_string_lossy();
        let length = shown.chars().count();
        let tail: String = shown.chars().skip(length.saturating_sub(24)).collect();
        prompt.push_str(if length > 24 { " …" } else { " " });
        prompt.push_str(&tail);
    }
    prompt.push_str("> ");
    prompt
}

fn tell(text: &str) {
    tell_lines(&format!("{text}\n"));
}

fn tell_lines(text: &str) {
    // Nobody is left to hear about a terminal that is gone.
    drop(io::stderr().write_all(text.as_bytes()));
}

/// What `narrate` takes in a session. JSON Lines need a file of their own: `--narrate json --narrate-to FILE` on the command.
fn levels() -> Vec<&'static str> {
    Level::ALL.into_iter().filter(|l| *l != Level::Json).map(Level::word).collect()
}

struct Session<'a> {
    shell: Shell,
    lang: Lang,
    /// Verbs of the shell's about which a hint was given.
    hinted: BTreeSet<String>,
    /// The lab's variables that the shell has.
    lab_vars: BTreeMap<String, String>,
    last: i32,
    /// The shell has just refused to exit, because of stopped jobs.
    refused: bool,
    terminal: bool,
    command: &'a clap::Command,
    names: &'a Names<'a>,
    reading: &'a Reading<'a>,
    news: News,
    root: &'a Path,
    host: &'a Host,
}

impl Session<'_> {
    /// With a person at a terminal.
    fn converse(mut self, prompt: &str, history: Option<&Path>) -> io::Result<i32> {
        let config = Config::builder()
            .max_history_size(HISTORY)
            .map_err(io::Error::other)?
            .history_ignore_space(true)
            .completion_type(CompletionType::List)
            .behavior(behavior())
            .build();
        let mut editor: Editor<Helper<'_>, DefaultHistory> = Editor::with_config(config).map_err(io::Error::other)?;
        let watch = Watch::default();
        editor.set_helper(Some(Helper {
            command: self.command,
            names: self.names,
            reading: self.reading,
            colour: paint::wanted(true),
            watch: watch.clone(),
            files: FilenameCompleter::new(),
            history: HistoryHinter::new(),
        }));
        editor.bind_sequence(Event::Any, EventHandler::Conditional(Box::new(watch.clone())));
        if let Some(path) = history {
            // None yet at the first start.
            drop(editor.load_history(path));
        }
        loop {
            tell_lines(&host::news(self.root, self.host, &mut self.news, self.lang));
            let ended = match read_line(&mut editor, &watch, prompt, Helper::unfinished) {
                Ok((text, _)) if text.trim() == "history" => {
                    // The shell's own would know nothing: what was typed is kept here.
                    for (n, line) in editor.history().iter().enumerate() {
                        self.print(&format!("{:5}  {line}", n + 1))?;
                    }
                    self.answered(0)?;
                    None
                }
                Ok((text, pasted)) => {
                    remember(&mut editor, &text, history);
                    let seen = line::read(&text, self.reading);
                    let paste = pasted || seen.pieces.len() > 1 || seen.left_out > 0;
                    self.run_all(seen, paste)?
                }
                // Ctrl-C: the line is gone, the session is not.
                Err(ReadlineError::Interrupted | ReadlineError::Signal(_)) => None,
                // Ctrl-D.
                Err(ReadlineError::Eof) => match self.run_line("exit")? {
                    Ended::Shell(code) => Some(code),
                    Ended::Line(_) => None,
                },
                Err(e) => return Err(io::Error::other(e)),
            };
            if let Some(code) = ended {
                return Ok(code);
            }
        }
    }

    /// With lines from a pipe or a file.
    fn follow(mut self) -> io::Result<i32> {
        let mut input = io::stdin().lock();
        let mut chunk = String::new();
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            if input.read_until(b'\n', &mut bytes)? == 0 {
                break;
            }
            chunk.push_str(String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']));
            let seen = line::read(&chunk, self.reading);
            if seen.pieces.last().is_some_and(|p| p.open) {
                chunk.push('\n');
                continue;
            }
            chunk.clear();
            if let Some(code) = self.run_all(seen, false)? {
                return Ok(code);
            }
        }
        if !chunk.trim().is_empty() {
            tell(&format!("{}\n{}", say::unfinished(self.lang), chunk.trim_end()));
            return Ok(MISUSED);
        }
        Ok(self.last)
    }

    /// Runs the pieces one by one; gives the exit code when the shell has ended.
    fn run_all(&mut self, mut seen: Read, paste: bool) -> io::Result<Option<i32>> {
        if paste {
            self.leave_out(&mut seen)?;
        }
        if seen.left_out > 0 {
            tell(&say::left_out(self.lang, seen.left_out));
        }
        // One question for all that a paste brings beside docker's commands, when the first of it is due.
        let asked: Vec<&str> = seen.pieces.iter().filter(|p| paste && asks(p)).map(|p| p.text.as_str()).collect();
        let mut agreed = None;
        let count = seen.pieces.len();
        for (n, piece) in seen.pieces.iter().enumerate() {
            if paste && asks(piece) {
                let agreed = match agreed {
                    Some(answer) => answer,
                    None => *agreed.insert(self.agrees(&asked)?),
                };
                if !agreed {
                    continue;
                }
            }
            if !piece.repaired.is_empty() {
                tell(&say::repaired(self.lang, self.phrases(&piece.repaired)));
            }
            let changed = count > 1 || seen.left_out > 0 || !piece.repaired.is_empty();
            if self.terminal && changed {
                tell(&say::next_of_several(&piece.text));
            }
            match self.run_one(piece, paste)? {
                Ended::Shell(code) => return Ok(Some(code)),
                Ended::Line(status) => self.last = status,
            }
            if self.terminal {
                fresh_line();
            }
            self.after()?;
            let left = count - n - 1;
            // Ctrl-C means the whole paste.
            if self.terminal && self.last == 128 + libc::SIGINT && left > 0 {
                tell(&say::not_run(self.lang, left));
                break;
            }
        }
        Ok(None)
    }

    /// Leaves out of a paste what cannot be meant: prose, that is what begins with a word that the shell does not know, and
    /// the word that would end this session.
    fn leave_out(&mut self, seen: &mut Read) -> io::Result<()> {
        let mut known: BTreeMap<String, bool> = BTreeMap::new();
        let mut kept = Vec::new();
        for mut piece in std::mem::take(&mut seen.pieces) {
            if line::leaves(&piece.text) {
                tell(&say::pasted_exit(self.lang, clean_lines(&piece.text)));
                continue;
            }
            let first = lex(&piece.text).commands.first().and_then(|c| c.word(&piece.text, 0)).map(str::to_string);
            if let (true, Some(first)) = (asks(&piece), first) {
                if !known.contains_key(&first) {
                    known.insert(first.clone(), self.shell.knows(&first)?);
                }
                let knows = known.get(&first) == Some(&true);
                match &piece.doubt {
                    // The shell knows it, so it is no slip.
                    Some(_) if knows => piece.doubt = None,
                    Some(_) => {}
                    None if knows || first.contains(['$', '`', '"', '\'']) => {}
                    None => {
                        seen.left_out += 1;
                        continue;
                    }
                }
            }
            kept.push(piece);
        }
        seen.pieces = kept;
        Ok(())
    }

    /// Whether these lines of a paste may run on the host. Nothing but a plain yes is one.
    fn agrees(&mut self, lines: &[&str]) -> io::Result<bool> {
        tell(&say::paste_question(self.lang, lines));
        let answer = self.ask("[y/N] ")?;
        let yes = ["y", "yes", "예", "네", "ㅛ"].contains(&answer.as_str());
        if !yes {
            tell(&say::paste_refused(self.lang, lines.len()));
        }
        Ok(yes)
    }

    /// A short answer from the terminal; what was typed or pasted before the question was seen is none.
    fn ask(&self, prompt: &str) -> io::Result<String> {
        terminal::forget_input();
        let config = Config::builder().behavior(behavior()).build();
        let mut editor = DefaultEditor::with_config(config).map_err(io::Error::other)?;
        let watch = Watch::default();
        editor.bind_sequence(Event::Any, EventHandler::Conditional(Box::new(watch.clone())));
        match read_line(&mut editor, &watch, prompt, |(), _| false) {
            Ok((text, pasted)) if !pasted => Ok(text.trim().to_lowercase()),
            Ok(_) | Err(ReadlineError::Interrupted | ReadlineError::Eof | ReadlineError::Signal(_)) => {
                Ok(String::new())
            }
            Err(e) => Err(io::Error::other(e)),
        }
    }

    fn phrases(&self, repaired: &[Repair]) -> String {
        let phrase = |m: &Repair| match m {
            Repair::Dash => say::repaired_dash(self.lang),
            Repair::Quotes => say::repaired_quotes(self.lang),
            Repair::Space => say::repaired_space(self.lang),
            Repair::Sudo => say::repaired_sudo(self.lang),
        };
        repaired.iter().map(phrase).collect::<Vec<_>>().join(", ")
    }

    fn run_one(&mut self, piece: &Piece, paste: bool) -> io::Result<Ended> {
        match &piece.doubt {
            Some(Doubt::Gap(gap)) => {
                tell(&say::gap(self.lang, gap));
                return self.answered(MISUSED);
            }
            Some(Doubt::Meant { typed, line, command }) if !*command || !self.shell.knows(typed)? => {
                tell(&say::did_you_mean(self.lang, typed, line));
                return self.answered(NOT_FOUND);
            }
            _ => {}
        }
        if let (Some(either), true, false) = (&piece.either, self.terminal, paste) {
            let (docker, line) = (clean_lines(&either.docker), clean_lines(&piece.text));
            tell(&say::either(self.lang, &either.name, &either.verb, docker, line));
            return match self.ask("[d/h] ")?.as_str() {
                "d" | "docker" | "ㅇ" => self.run_line(&either.docker),
                "h" | "host" | "ㅗ" => self.run_line(&piece.text),
                _ => {
                    tell(&say::nothing_run(self.lang));
                    self.answered(REFUSED)
                }
            };
        }
        if let Some(status) = self.own(&piece.text)? {
            return self.answered(status);
        }
        let ended = self.run_line(&piece.text)?;
        if let Some(verb) = &piece.shells
            && self.terminal
            && self.hinted.insert(verb.clone())
        {
            tell(&say::shells_own(self.lang, verb));
        }
        Ok(ended)
    }

    /// Runs a line in the shell. One with stopped jobs refuses to exit, until it is told again.
    fn run_line(&mut self, text: &str) -> io::Result<Ended> {
        let exit = self.terminal && text.split_whitespace().next() == Some("exit") && lex(text).commands.len() == 1;
        let refused = std::mem::take(&mut self.refused);
        let ended = if exit && refused { self.shell.exit_anyway(text)? } else { self.shell.run(text)? };
        self.refused = exit && matches!(ended, Ended::Line(_));
        Ok(ended)
    }

    /// What the session answered counts as a line for `$?`.
    fn answered(&mut self, status: i32) -> io::Result<Ended> {
        self.shell.set_status(status)
    }

    /// The session's own commands; gives their exit code, or nothing when the line is not one of them.
    fn own(&mut self, text: &str) -> io::Result<Option<i32>> {
        let commands = lex(text).commands;
        let [simple] = commands.as_slice() else { return Ok(None) };
        let mut words: Vec<&str> = simple.words.iter().filter_map(|w| text.get(w.start..w.end)).collect();
        if matches!(words.as_slice(), ["docker" | "docent", "lang" | "narrate", ..]) {
            words.remove(0);
        }
        match words.as_slice() {
            ["lang"] => tell(&say::language(self.lang)),
            ["lang", code @ ("ko" | "en")] => {
                self.lang = if *code == "ko" { Lang::Ko } else { Lang::En };
                self.shell.export("DOCENT_LANG", code)?;
                tell(&say::language(self.lang));
            }
            ["narrate", level] if levels().contains(level) => {
                self.shell.export("DOCENT_NARRATE", level)?;
                tell(&say::level(self.lang, level));
            }
            ["lang", ..] => return Ok(Some(self.misused("lang ko|en"))),
            ["narrate", ..] => return Ok(Some(self.misused(&format!("narrate {}", levels().join("|"))))),
            // Alone it would be a session within this one; Docker answers with its help.
            ["docker" | "docent"] => self.print(cli::help(&[], self.lang, cli::width()).trim_end())?,
            ["help"] => self.print(&say::help(self.lang))?,
            ["help", rest @ ..] => {
                let rest = rest.strip_prefix(&["docker"]).or_else(|| rest.strip_prefix(&["docent"])).unwrap_or(rest);
                let path: Vec<String> = rest.iter().map(|w| w.to_string()).collect();
                let known = path.iter().try_fold(self.command, |c, w| c.find_subcommand(w)).is_some();
                // `help cd` is the shell's.
                if !known {
                    return Ok(None);
                }
                let mut text = cli::help(&path, self.lang, cli::width()).trim_end().to_string();
                if let Some(entry) = commands::find(&path) {
                    text = format!("{text}\n\n{}", say::example(self.lang, entry.example));
                }
                self.print(&text)?;
            }
            _ => return Ok(None),
        }
        Ok(Some(0))
    }

    fn misused(&self, usage: &str) -> i32 {
        tell(&say::usage(self.lang, usage));
        MISUSED
    }

    fn print(&self, text: &str) -> io::Result<()> {
        writeln!(io::stdout(), "{text}")
    }

    /// After each command: the lab's variables for the shell, its results for the learner.
    fn after(&mut self) -> io::Result<()> {
        self.share_lab_vars()?;
        if self.terminal {
            tell_lines(&host::lab_changes(self.root, self.host, self.lang));
        }
        Ok(())
    }

    fn share_lab_vars(&mut self) -> io::Result<()> {
        for (name, value) in host::lab_values(self.root, self.host) {
            if is_variable(&name) && self.lab_vars.get(&name) != Some(&value) {
                self.shell.export(&name, &value)?;
                self.lab_vars.insert(name, value);
            }
        }
        Ok(())
    }
}

/// Whether a piece of a paste waits for an answer: one that is not run anyway needs none.
fn asks(piece: &Piece) -> bool {
    let command = matches!(piece.doubt, None | Some(Doubt::Meant { command: true, .. }));
    command && !piece.certain
}

fn behavior() -> Behavior {
    if io::stdout().is_terminal() { Behavior::Stdio } else { Behavior::PreferTerm }
}

/// Reads a line, or several that arrive at once, and whether the terminal bracketed them as a paste.
fn read_line<H: rustyline::Helper>(
    editor: &mut Editor<H, DefaultHistory>,
    watch: &Watch,
    prompt: &str,
    unfinished: fn(&H, &str) -> bool,
) -> rustyline::Result<(String, bool)> {
    let mut begun = String::new();
    let mut pasted = false;
    loop {
        drop(watch.take());
        let read = editor.readline_with_initial(prompt, (&begun, ""));
        let arrived = watch.take();
        pasted |= arrived.pasted;
        let mut text = match (read, arrived.line) {
            (Err(ReadlineError::Eof), Some(line)) => line,
            (read, _) => read?,
        };
        // Without editing the lines come one by one, and the next waits in the terminal.
        while !arrived.keys && more_waits() {
            text.push('\n');
            text.push_str(&editor.readline("")?);
        }
        if !editor.helper().is_some_and(|h| unfinished(h, &text)) {
            return Ok((text, pasted));
        }
        begun = format!("{text}\n");
    }
}

/// Whether another line arrives behind the last at once.
fn more_waits() -> bool {
    let wait = rustix::time::Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
    let stdin = io::stdin();
    let mut fds = [rustix::event::PollFd::new(&stdin, rustix::event::PollFlags::IN)];
    rustix::event::poll(&mut fds, Some(&wait)).is_ok_and(|n| n > 0)
}

/// Keeps a line for the arrow keys, here and in later sessions; not one that may hold a secret.
fn remember(editor: &mut Editor<Helper<'_>, DefaultHistory>, text: &str, history: Option<&Path>) {
    if text.trim().is_empty() || may_hold_secret(text) {
        return;
    }
    let added = editor.add_history_entry(text.trim_end());
    if let (Ok(true), Some(path)) = (added, history) {
        // A history that cannot be kept is no reason to stop.
        drop(editor.append_history(path));
    }
}

fn may_hold_secret(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let login =
        lower.contains("login") && (lower.contains(" -p") || lower.contains("echo ") || lower.contains("printf "));
    let named = ["password", "passwd", "secret", "token", "api_key", "apikey"];
    login
        || named
            .iter()
            .any(|n| lower.contains(&format!("{n}=")) || lower.contains(&format!("{n} ")) && lower.contains("echo "))
}

/// Begins what follows on a line of its own, whatever the last program left: a mark and a line's width of spaces wrap only
/// where the cursor is not at the left margin (asking the terminal for its position would eat what was typed ahead).
fn fresh_line() {
    let Some((width, _)) = terminal_size::terminal_size_of(io::stdout()) else { return };
    let spaces = " ".repeat(usize::from(width.0).saturating_sub(1));
    let mut out = io::stdout();
    drop(write!(out, "%{spaces}\r\x1b[K"));
    drop(out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_remembered() {
        for line in [
            "docker login -u me -p hunter2",
            "docker login --username me --password=x",
            "echo dckr_pat_x | docker login -u me --password-stdin",
            "run -e MYSQL_ROOT_PASSWORD=x mysql",
            "export TOKEN=abc",
        ] {
            assert!(may_hold_secret(line), "{line}");
        }
        for line in ["docker login", "docker ps", "cat .access_token | docker login --username me --password-stdin"] {
            assert!(!may_hold_secret(line), "{line}");
        }
    }

    #[test]
    fn the_prompt_is_one_that_a_paste_takes_off() {
        let words = Words::default();
        for root in ["/var/lib/docent", "/srv/class", "/a/very/long/path/to/some/store/of/a/class"] {
            let line = format!("{}docker ps", prompt(Path::new(root), true));
            assert_eq!(
                super::super::pasted::classify(&line, &words),
                super::super::pasted::Pasted::Prompted("docker ps")
            );
        }
    }
}
