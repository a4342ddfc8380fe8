//! Runs the proofs of a recorded command, and judges what each still says.
//!
//! What never breaks: a proof is an argv, never a shell line; only the programs of [`ALLOWED`] run, found in the system's own
//! directories and never in PATH or in a container; none of them changes anything; each has ten seconds and a bounded
//! answer. Names in a proof come from containers and images, so a proof is data to be judged like any other input.
//!
//! A proof that no longer answers as it did is not false by that alone: a later command may have changed its subject, or the
//! container may be gone. It is false only when nothing that docent knows of explains it.

use crate::event::{Event, Expect, Fact, Holds, Needs, Outcome, Receipt, SysError};
use crate::kernel::bounded;
use crate::store::Record;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Programs that only look.
const ALLOWED: [&str; 14] = [
    "cat",
    "grep",
    "readlink",
    "stat",
    "test",
    "ls",
    "cmp",
    "sha256sum",
    "diff",
    "getfattr",
    "ip",
    "nft",
    "nsenter",
    "ss",
];
const DIRECTORIES: [&str; 4] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];
const LIMIT: Duration = Duration::from_secs(10);
/// More than any proof's answer.
const ANSWER: u64 = 1 << 20;

/// Something told after the events in question; `command` is None for what a container's monitor told.
#[derive(Debug, Clone)]
pub struct Later {
    pub command: Option<u64>,
    pub event: Event,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// Index of the event in the record.
    pub event: usize,
    pub receipt: Receipt,
    pub verdict: Verdict,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    True,
    /// Told later about the same subject; None by a container's monitor.
    ChangedSince {
        command: Option<u64>,
    },
    Gone {
        why: Gone,
    },
    /// Answered otherwise, and nothing explains it.
    False {
        got: Answer,
    },
    NotRunnable {
        needs: Missing,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// It held at the moment it was told.
    Moment,
    /// The file it is about was changed or taken away since.
    Edited,
    Stopped,
    Restarted,
    Removed,
}

/// What a proof's program answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub out: String,
    /// None: ended by a signal.
    pub status: Option<i32>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Missing {
    Root,
    Tool(String),
    /// Not one of the programs that only look, or with arguments that do more.
    Refused(String),
    Timeout,
    Failed(SysError),
}

/// Judges every proof of the record. `later` is what was told since ([`super::explain::since`]); a container is known by its
/// full id.
pub fn verify(
    record: &Record,
    later: &[Later],
    is_running: impl Fn(&str) -> bool,
    exists: impl Fn(&str) -> bool,
) -> Vec<Checked> {
    let mut all = Vec::new();
    for (i, event) in record.events.iter().enumerate() {
        let (Some(receipt), Outcome::Done) = (&event.receipt, &event.outcome) else { continue };
        let own = record.events.iter().skip(i + 1).map(|e| (Some(record.header.number), e));
        let after: Vec<(Option<u64>, &Event)> = own
            .chain(
                later
                    .iter()
                    .filter(|l| l.event.at_us >= event.at_us || l.command.is_some())
                    .map(|l| (l.command, &l.event)),
            )
            .filter(|(_, e)| *e != event)
            .collect();
        let verdict = match gone(receipt, &after, record.header.number, &is_running, &exists) {
            Some(why) => Verdict::Gone { why },
            None => judge(receipt, &after),
        };
        all.push(Checked { event: i, receipt: receipt.clone(), verdict });
    }
    all
}

/// Whether the time in which the proof holds is over.
fn gone(
    receipt: &Receipt,
    after: &[(Option<u64>, &Event)],
    number: u64,
    is_running: &impl Fn(&str) -> bool,
    exists: &impl Fn(&str) -> bool,
) -> Option<Gone> {
    match &receipt.holds {
        Holds::Now => Some(Gone::Moment),
        Holds::Forever => None,
        Holds::UntilEdited { path, stamp } => {
            (super::copy::stamp(Path::new(path)).as_ref() != Some(stamp)).then_some(Gone::Edited)
        }
        Holds::WhileExists(id) => (!exists(id)).then_some(Gone::Removed),
        Holds::WhileRunning(id) => {
            let ended = after.iter().any(|(command, e)| match &e.fact {
                Fact::ContainerExited { id: i, .. } | Fact::ContainerLost { id: i, .. } => i == id,
                // In the same command it is the start of the run that the proof is about.
                Fact::ContainerStarted { id: i, .. } => i == id && command.is_some_and(|c| c != number),
                _ => false,
            });
            match (exists(id), is_running(id)) {
                (false, _) => Some(Gone::Removed),
                (true, false) => Some(Gone::Stopped),
                (true, true) if ended => Some(Gone::Restarted),
                (true, true) => None,
            }
        }
    }
}

fn judge(receipt: &Receipt, after: &[(Option<u64>, &Event)]) -> Verdict {
    let answer = match run(receipt) {
        Ok(answer) => answer,
        Err(needs) => return Verdict::NotRunnable { needs },
    };
    if agrees(&receipt.expect, &answer) {
        return Verdict::True;
    }
    let same = |e: &Event| e.receipt.as_ref().is_some_and(|r| r.subject == receipt.subject);
    match after.iter().rev().find(|(_, e)| same(e) && e.outcome == Outcome::Done) {
        Some((command, _)) => Verdict::ChangedSince { command: *command },
        None => Verdict::False { got: answer },
    }
}

pub fn agrees(expect: &Expect, answer: &Answer) -> bool {
    match expect {
        Expect::Equals(text) => answer.out.trim() == text.trim(),
        Expect::Contains(text) => answer.out.contains(text.as_str()),
        Expect::Status(code) => answer.status == Some(*code),
    }
}

/// Runs a proof's program.
///
/// # Errors
/// It may not run, cannot, or did not end in time.
pub fn run(receipt: &Receipt) -> Result<Answer, Missing> {
    let argv = allowed(&receipt.proof)?;
    if receipt.needs.contains(&Needs::Root) && !rustix::process::geteuid().is_root() {
        return Err(Missing::Root);
    }
    let Some((program, args)) = argv.split_first() else { return Err(Missing::Refused(String::new())) };
    ask(program, args)
}

/// The argv with programs by their full paths, when it does nothing but look.
fn allowed(proof: &[String]) -> Result<Vec<String>, Missing> {
    let refused = || Missing::Refused(proof.first().cloned().unwrap_or_default());
    let (program, args) = proof.split_first().ok_or_else(refused)?;
    if !ALLOWED.contains(&program.as_str()) {
        return Err(refused());
    }
    let harmless = match program.as_str() {
        "ip" => !args.iter().any(|a| changes_links(a)),
        "nft" => args.iter().find(|a| !a.starts_with('-')).is_some_and(|a| a == "list") && !takes_file(args),
        // -K closes sockets, -D writes a file, -N enters a namespace: only the letters of a plain list.
        "ss" => {
            args.iter().filter(|a| a.starts_with('-')).all(|a| a.bytes().skip(1).all(|b| b"Hlntuap46".contains(&b)))
        }
        _ => true,
    };
    if !harmless {
        return Err(refused());
    }
    let path = find(program).ok_or_else(|| Missing::Tool(program.clone()))?;
    let mut argv = vec![path.to_string_lossy().into_owned()];
    if program == "nsenter" {
        argv.extend(entering(args).ok_or_else(refused)??);
    } else {
        argv.extend(args.iter().cloned());
    }
    Ok(argv)
}

/// `ip` looks unless one of these words is in it, by the abbreviations that it takes, too.
fn changes_links(arg: &str) -> bool {
    let verbs = [
        "add", "append", "change", "delete", "exec", "flush", "identify", "monitor", "prepend", "replace", "restore",
        "save", "set",
    ];
    let short = !arg.is_empty() && !arg.starts_with(['/', '-']) && verbs.iter().any(|v| v.starts_with(arg));
    // `ip addr show dev a` names a device: a word is a verb only when it is not an option's value, which cannot be told
    // here, so a device of such a name is refused rather than a change allowed.
    short || arg == "netns" || arg.starts_with("-b") || arg.starts_with("-force") || arg.starts_with("-n")
}

fn takes_file(args: &[String]) -> bool {
    args.iter().any(|a| a == "-f" || a == "-i" || a.starts_with("--file") || a.starts_with("--interactive"))
}

/// `nsenter -t PID -n PROGRAM …`: never into the mount or user namespace, where programs would be the container's, and only to
/// run another program of the list. None: refused.
fn entering(args: &[String]) -> Option<Result<Vec<String>, Missing>> {
    let mut out = Vec::new();
    let mut words = args.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-t" | "--target" => {
                let pid = words.next().filter(|p| p.bytes().all(|b| b.is_ascii_digit()))?;
                out.extend([word.clone(), pid.clone()]);
            }
            "-n" | "--net" | "-u" | "--uts" | "-i" | "--ipc" | "-C" | "--cgroup" => out.push(word.clone()),
            "nsenter" => return None,
            program => {
                let inner: Vec<String> = std::iter::once(program.to_string()).chain(words.cloned()).collect();
                return Some(allowed(&inner).map(|argv| {
                    out.push("--".into());
                    out.extend(argv);
                    out
                }));
            }
        }
    }
    None
}

fn find(program: &str) -> Option<PathBuf> {
    DIRECTORIES.iter().map(|d| PathBuf::from(d).join(program)).find(|p| p.is_file())
}

/// Starts the program with an empty environment and no input, and collects its answer.
fn ask(program: &str, args: &[String]) -> Result<Answer, Missing> {
    let mut command = Command::new(program);
    command.args(args).env_clear().env("LC_ALL", "C").env("PATH", DIRECTORIES.join(":")).current_dir("/");
    let done = bounded::run(&mut command, LIMIT, ANSWER).map_err(Missing::Failed)?;
    if done.late {
        return Err(Missing::Timeout);
    }
    if done.output.len() as u64 >= ANSWER {
        return Err(Missing::Failed(SysError::new("read", "proof", libc::EFBIG)));
    }
    Ok(Answer { out: String::from_utf8_lossy(&done.output).into_owned(), status: done.ended.code })
}

#[cfg(test)]
mod tests;
