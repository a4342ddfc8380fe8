//! What has been told, written down: one file per command, and one per container for what its monitors tell later.
//!
//! ```text
//! ROOT/journal/00000017.jsonl            command 17
//!   {"record":"begin","command":17,"argv":[…],"time":…,"cwd":…,"uid":0,"lang":"ko",…,"prev":""}
//!   {"record":"event","id":1,"event":"image.resolved",…,"prev":"<sha256 of the line above>"}
//!   {"record":"end","exit_code":0,"took_us":41230,"faults":[],"prev":"…"}
//! ROOT/journal/hint                      empty, but as long as the last number: where to look for the next
//! ROOT/journal/containers/<id>.jsonl     what monitors told when no command listened; the same without begin and end
//! ```
//!
//! What never breaks: a number is given once (the file is created O_EXCL); what is told at once is one write(2) as it is told,
//! so a killed command leaves every event it told, and at most a last line that is torn; a reader takes a torn line for none.
//! Each line carries the hash of the one before. That tells an accident or an edit from none, and no more: who can write
//! the file can also write new hashes, so it is no proof of anything. Nothing is synced.
//!
//! A file comes to be at the first event, or at the end: a command that tells nothing costs a handful of system calls.

use super::Store;
use crate::container::ContainerId;
use crate::event::{Asked, Event, FORMAT, Fact, Failure, Fault, Lang, Line, SysError};
use crate::kernel::{process, sys};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

mod redact;

/// So many commands are kept; the oldest go, a few dozen at a time.
const KEPT: u64 = 2000;
const PRUNE_EVERY: u64 = 64;

/// A number beyond this cannot have been counted up to: the hint is damaged, and the directory is asked instead.
const LAST_NUMBER: u64 = 99_999_999;

/// Nobody's journal has such a file; one that does is not read into memory.
const TOO_LARGE: u64 = 64 << 20;

/// A recorded command's number, and what was asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    pub number: u64,
    pub asked: Asked,
}

/// A command's journal while it runs.
#[derive(Debug)]
pub struct Journal {
    store: Store,
    asked: Asked,
    began_us: u64,
    events: u64,
    /// With its number, from the first line on.
    file: Option<(u64, Chain)>,
}

/// A command as it was recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    pub header: Header,
    pub events: Vec<Event>,
    /// None: still running, or killed.
    pub exit: Option<i32>,
    pub took_us: Option<u64>,
    /// What it complained of.
    pub faults: Vec<Failure>,
    /// A line was cut off while it was written.
    pub torn: bool,
    /// The first line (from 1) that does not carry the hash of the one before.
    pub broken: Option<usize>,
}

impl Record {
    /// As it was told, without the hashes that join it.
    pub fn lines(self) -> Vec<Line> {
        let command = Some(self.header.number);
        let event = |(event, id)| Line::Event { command, id, event: Box::new(event) };
        let end = self.exit.zip(self.took_us).map(|(exit_code, took_us)| {
            let faults = self.faults;
            Line::End { command, exit_code, took_us, faults }
        });
        let begin = Line::Begin { command, asked: self.header.asked };
        std::iter::once(begin).chain(self.events.into_iter().zip(1..).map(event)).chain(end).collect()
    }
}

/// An open file of lines, each with the hash of the one before.
#[derive(Debug)]
struct Chain {
    file: File,
    prev: String,
}

impl Chain {
    /// Adds these lines by one write.
    fn append(&mut self, lines: &[Line]) -> Result<(), SysError> {
        let mut bytes = Vec::new();
        for line in lines {
            let text = self.chained(line)?;
            self.prev = hash(text.as_bytes());
            bytes.extend_from_slice(text.as_bytes());
            bytes.push(b'\n');
        }
        self.file.write_all(&bytes).map_err(|e| SysError::io("write", "journal", &e))
    }

    fn chained(&self, line: &Line) -> Result<String, SysError> {
        #[derive(Serialize)]
        struct Chained<'a> {
            #[serde(flatten)]
            line: &'a Line,
            prev: &'a str,
        }
        serde_json::to_string(&Chained { line, prev: &self.prev })
            .map_err(|_| SysError::new("write", "journal", libc::EINVAL))
    }
}

fn hash(line: &[u8]) -> String {
    Sha256::digest(line).iter().map(|b| format!("{b:02x}")).collect()
}

impl Journal {
    /// The journal of a command that begins now. Nothing is written yet.
    pub fn begin(store: &Store, asked: Asked) -> Journal {
        Journal { store: store.clone(), asked, began_us: crate::event::now_us(), events: 0, file: None }
    }

    /// The command's number; it has none before its first line is written.
    pub fn number(&self) -> Option<u64> {
        self.file.as_ref().map(|(number, _)| *number)
    }

    /// Writes the beginning down now, for its number to be known. Gives it as it is shown.
    pub fn announce(&mut self) -> Line {
        // Without a number the command goes on, as without a journal.
        drop(self.write(Vec::new()));
        Line::Begin { command: self.number(), asked: self.asked.clone() }
    }

    /// The same, which it is given now if it has none. None: the record cannot be written.
    pub fn take_number(&mut self) -> Option<u64> {
        if self.file.is_none() {
            self.write(Vec::new()).ok()?;
        }
        self.number()
    }

    /// Writes events down as they are told.
    ///
    /// # Errors
    /// The file cannot be made or written (a full disk): the events are told nevertheless, by whoever else listens.
    pub fn events(&mut self, events: &[Event]) -> Result<(), SysError> {
        let lines = numbered(&mut self.events, events);
        self.write(lines)
    }

    /// Writes the end, and gives it as it is shown.
    pub fn end(mut self, exit_code: i32, faults: Vec<Failure>) -> Line {
        let took_us = crate::event::now_us().saturating_sub(self.began_us);
        // A journal that cannot be written costs `explain`, never the command.
        drop(self.write(vec![Line::End { command: None, exit_code, took_us, faults: faults.clone() }]));
        Line::End { command: self.number(), exit_code, took_us, faults }
    }

    fn write(&mut self, mut lines: Vec<Line>) -> Result<(), SysError> {
        match &mut self.file {
            Some((_, chain)) => chain.append(&lines),
            None => {
                let (number, file) = create(&self.store)?;
                let mut chain = Chain { file, prev: String::new() };
                lines.insert(0, Line::Begin { command: Some(number), asked: self.asked.clone() });
                let written = chain.append(&lines);
                self.file = Some((number, chain));
                if number % PRUNE_EVERY == 0 {
                    prune(&self.store, number);
                }
                written
            }
        }
    }

    /// One command's record.
    ///
    /// # Errors
    /// `NoSuchCommand`: never given, pruned, or nothing readable in it.
    pub fn read(store: &Store, number: u64) -> Result<Record, Fault> {
        let missing = || Fault::NoSuchCommand { number: Some(number), last: Journal::numbers(store).last().copied() };
        let lines = read_lines(&path(store, number)).ok_or_else(missing)?;
        let Some(asked) = lines.asked else { return Err(missing()) };
        let (exit, took_us, faults) = lines.end.unwrap_or_default();
        Ok(Record {
            header: Header { number, asked },
            events: lines.events,
            exit,
            took_us,
            faults,
            torn: lines.torn,
            broken: lines.broken,
        })
    }

    /// The numbers of all recorded commands, the oldest first.
    pub fn numbers(store: &Store) -> Vec<u64> {
        let Ok(entries) = fs::read_dir(store.journal()) else { return Vec::new() };
        let mut numbers: Vec<u64> =
            entries.flatten().filter_map(|e| e.file_name().to_str()?.strip_suffix(".jsonl")?.parse().ok()).collect();
        numbers.sort_unstable();
        numbers
    }

    /// What a container's monitors told, the oldest first.
    pub fn of_container(store: &Store, id: &ContainerId) -> Vec<Event> {
        read_lines(&store.monitor_journal(id)).map(|l| l.events).unwrap_or_default()
    }
}

/// The journal of a container, open as long as its monitor lives.
#[derive(Debug)]
pub struct ContainerJournal {
    chain: Chain,
    events: u64,
}

impl ContainerJournal {
    /// Opens it, and goes on where an earlier monitor stopped. A line that one left torn is ended; it counts as none.
    pub fn open(store: &Store, id: &ContainerId) -> Result<ContainerJournal, SysError> {
        let path = store.monitor_journal(id);
        let io = |e: std::io::Error| SysError::io("open", path.to_string_lossy(), &e);
        let mut file = File::options().read(true).append(true).create(true).mode(0o600).open(&path).map_err(io)?;
        let (mut content, mut events, mut prev) = (Vec::new(), 0, String::new());
        if file.metadata().map_err(io)?.len() <= TOO_LARGE {
            file.read_to_end(&mut content).map_err(io)?;
        } else {
            // More than any container tells: begun anew rather than read.
            file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0))).map_err(io)?;
        }
        if content.last().is_some_and(|b| *b != b'\n') {
            file.write_all(b"\n").map_err(io)?;
            content.push(b'\n');
        }
        for line in content.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
            prev = hash(line);
            events += 1;
        }
        Ok(ContainerJournal { chain: Chain { file, prev }, events })
    }

    pub fn events(&mut self, events: &[Event]) -> Result<(), SysError> {
        self.chain.append(&numbered(&mut self.events, events))
    }
}

fn numbered(last: &mut u64, events: &[Event]) -> Vec<Line> {
    let line = |event| {
        *last += 1;
        Line::Event { command: None, id: *last, event: Box::new(redacted(event)) }
    };
    events.iter().map(line).collect()
}

/// What a command that begins now was asked, without secrets.
pub fn asked(argv: &[String], cwd: &str, uid: u32, lang: Lang) -> Asked {
    let (argv, time, docent) = (redact::argv(argv), chrono::Utc::now(), env!("CARGO_PKG_VERSION").to_string());
    Asked {
        format: FORMAT,
        docent,
        boot_id: Some(process::boot_id()),
        argv,
        time,
        cwd: cwd.into(),
        uid,
        lang: lang.code().into(),
    }
}

/// Command lines of containers hold secrets too (`sh -c 'PASSWORD=…'`).
pub fn redacted(event: &Event) -> Event {
    let mut event = event.clone();
    if let Fact::Exec { argv, .. } = &mut event.fact {
        let kept = redact::argv(argv);
        for call in &mut event.calls {
            // The call repeats the words, quoted.
            let changed = argv.iter().zip(&kept).filter(|(word, kept)| word != kept);
            for (word, kept) in changed {
                call.args = call.args.replace(&sys::quoted_word(word), &sys::quoted_word(kept));
            }
            call.args = redact::text(&call.args);
        }
        *argv = kept;
    }
    event
}

fn path(store: &Store, number: u64) -> PathBuf {
    store.journal().join(format!("{number:08}.jsonl"))
}

fn hint_path(store: &Store) -> PathBuf {
    store.journal().join("hint")
}

/// A new file with a number that nobody else has. Fifty commands that start at once all read the same hint; O_EXCL gives
/// each number to one of them, and the others go on to the next.
fn create(store: &Store) -> Result<(u64, File), SysError> {
    let hint = fs::metadata(hint_path(store)).ok().map(|m| m.len()).filter(|n| *n <= LAST_NUMBER);
    let mut number = hint.unwrap_or_else(|| Journal::numbers(store).last().copied().unwrap_or(0)) + 1;
    loop {
        let path = path(store, number);
        match File::options().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(file) => {
                note_hint(store, number);
                return Ok((number, file));
            }
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
            Err(e) => return Err(SysError::io("open", path.to_string_lossy(), &e)),
        }
    }
}

/// The hint may be wrong in either direction without harm: too low costs some opens, too high skips numbers.
fn note_hint(store: &Store, number: u64) {
    let open = File::options().write(true).create(true).truncate(false).mode(0o600).open(hint_path(store));
    drop(open.and_then(|f| f.set_len(number)));
}

/// Removes all but the newest records, and with them the stories of containers that are gone and told nothing since. What
/// cannot be removed now is removed the next time.
fn prune(store: &Store, number: u64) {
    let numbers = Journal::numbers(store);
    let (old, kept): (Vec<u64>, Vec<u64>) = numbers.into_iter().partition(|n| n + KEPT <= number);
    if old.is_empty() {
        return;
    }
    for old in old {
        drop(fs::remove_file(path(store, old)));
    }
    let changed = |path: &Path| fs::metadata(path).and_then(|m| m.modified()).ok();
    let Some(oldest) = kept.first().and_then(|n| changed(&path(store, *n))) else { return };
    for story in fs::read_dir(store.monitor_journals()).into_iter().flatten().flatten().map(|e| e.path()) {
        let gone = story.file_stem().and_then(|s| s.to_str()).is_some_and(|id| !store.has_container(id));
        if gone && changed(&story).is_some_and(|time| time < oldest) {
            drop(fs::remove_file(story));
        }
    }
}

#[derive(Default)]
struct Lines {
    asked: Option<Asked>,
    events: Vec<Event>,
    end: Option<(Option<i32>, Option<u64>, Vec<Failure>)>,
    torn: bool,
    broken: Option<usize>,
}

fn read_lines(path: &Path) -> Option<Lines> {
    if fs::metadata(path).ok()?.len() > TOO_LARGE {
        return None;
    }
    let content = fs::read(path).ok()?;
    let mut lines = Lines::default();
    let mut prev = String::new();
    for (i, bytes) in content.split(|b| *b == b'\n').enumerate().filter(|(_, b)| !b.is_empty()) {
        let Ok(mut value) = serde_json::from_slice::<serde_json::Value>(bytes) else {
            // Cut off by a kill. A later monitor of the same container goes on after it.
            lines.torn = true;
            prev = hash(bytes);
            continue;
        };
        let said = value.as_object_mut().and_then(|o| o.shift_remove("prev"));
        if lines.broken.is_none() && said.as_ref().and_then(|p| p.as_str()) != Some(&prev) {
            lines.broken = Some(i + 1);
        }
        prev = hash(bytes);
        // As it was called once.
        if let Some((object, record)) = value.as_object_mut().and_then(|o| o.shift_remove("line").map(|r| (o, r))) {
            object.insert("record".into(), record);
        }
        match serde_json::from_value::<Line>(value) {
            Ok(Line::Begin { asked, .. }) => lines.asked = Some(asked),
            Ok(Line::Event { event, .. }) => lines.events.push(*event),
            Ok(Line::End { exit_code, took_us, faults, .. }) => {
                lines.end = Some((Some(exit_code), Some(took_us), faults));
            }
            // Written by another version of docent.
            Err(_) => lines.broken = lines.broken.or(Some(i + 1)),
        }
    }
    Some(lines)
}

#[cfg(test)]
mod tests;
