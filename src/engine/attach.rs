//! The learner's terminal and a program's streams, joined: for `run`, `start -a` and `exec`.
//!
//! docent is a pipe here: the program's bytes pass untouched, its exit code becomes ours, signals that docent gets go on to
//! it, and narration waits until its last byte is out (design, promise 4).

use crate::fact::{Fault, Story};
use crate::kernel::signals::Signals;
use crate::kernel::terminal::{self, Raw};
use crate::monitor::client::Client;
use crate::monitor::{Exited, Message};
use rustix::event::{PollFd, PollFlags, poll};
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Signals that are passed on to the program (`--sig-proxy`).
const PASSED: [i32; 6] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT, libc::SIGUSR1, libc::SIGUSR2];

/// How the attachment ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Exited(Exited),
    /// By Ctrl-P Ctrl-Q: the program runs on.
    Detached,
    /// Nobody reads our standard output any more (`… | head -1`): the program runs on.
    Unread,
    /// The monitor went away.
    Lost,
}

/// What to join.
pub struct Ends {
    pub stdin: bool,
    pub tty: bool,
    /// An exec's own pipes or terminal; without them the bytes come over the line.
    pub direct: Option<Direct>,
}

/// Our ends of an exec's streams.
pub struct Direct {
    pub input: Option<OwnedFd>,
    pub outputs: [Option<OwnedFd>; 2],
    /// A terminal's master is input and output at once.
    pub terminal: Option<OwnedFd>,
}

/// Watches for Ctrl-P Ctrl-Q, Docker's way to leave without stopping.
#[derive(Default)]
struct DetachKeys {
    armed: bool,
}

impl DetachKeys {
    /// The bytes to pass on; None: the learner wants to leave.
    fn filter(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(bytes.len() + 1);
        for &byte in bytes {
            match (self.armed, byte) {
                (true, 0x11) => return None,
                (true, 0x10) => out.push(0x10),
                (true, _) => {
                    self.armed = false;
                    out.extend([0x10, byte]);
                }
                (false, 0x10) => self.armed = true,
                (false, _) => out.push(byte),
            }
        }
        Some(out)
    }
}

/// Joins them until the program ends. Events that come meanwhile are told at once; the caller shows them afterwards.
pub fn attach(client: &Client, mut ends: Ends, story: &mut Story) -> Result<Outcome, Fault> {
    let mut wanted = PASSED.to_vec();
    wanted.push(libc::SIGWINCH);
    let signals = Signals::catch(&wanted).map_err(|e| Fault::step("signalfd", e))?;
    let (stdin, stdout) = (std::io::stdin(), std::io::stdout());
    let raw = (ends.tty && ends.stdin && terminal::is_terminal(&stdin))
        .then(|| Raw::enter(&stdin))
        .transpose()
        .map_err(|e| Fault::step("terminal", e))?;
    let outcome = relay(client, &mut ends, &signals, raw.is_some(), stdin.as_fd(), stdout.as_fd(), story);
    drop(raw);
    crate::kernel::signals::release(&wanted);
    Ok(outcome)
}

#[derive(Clone, Copy)]
enum Source {
    Line,
    Signals,
    Stdin,
    Output(usize),
    Terminal,
}

fn relay(
    client: &Client,
    ends: &mut Ends,
    signals: &Signals,
    raw: bool,
    stdin: BorrowedFd<'_>,
    stdout: BorrowedFd<'_>,
    story: &mut Story,
) -> Outcome {
    let mut reading = ends.stdin;
    let mut keys = DetachKeys::default();
    let mut exited: Option<Exited> = None;
    loop {
        if let Some(exited) = exited.take_if(|_| ends.outputs_ended()) {
            return Outcome::Exited(exited);
        }
        let mut ready = Vec::new();
        {
            let mut sources: Vec<(Source, BorrowedFd<'_>)> = vec![(Source::Signals, signals.as_fd())];
            if exited.is_none() {
                sources.push((Source::Line, client.as_fd()));
            }
            if reading {
                sources.push((Source::Stdin, stdin));
            }
            if let Some(direct) = &ends.direct {
                for (n, fd) in direct.outputs.iter().enumerate() {
                    if let Some(fd) = fd {
                        sources.push((Source::Output(n), fd.as_fd()));
                    }
                }
                if let Some(fd) = &direct.terminal {
                    sources.push((Source::Terminal, fd.as_fd()));
                }
            }
            let mut fds: Vec<PollFd<'_>> =
                sources.iter().map(|(_, fd)| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
            match poll(&mut fds, None) {
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(_) => return Outcome::Lost,
            }
            for ((source, _), fd) in sources.iter().zip(&fds) {
                if !fd.revents().is_empty() {
                    ready.push(*source);
                }
            }
        }
        for source in ready {
            match source {
                Source::Signals => {
                    while let Some(signal) = signals.next() {
                        if signal == libc::SIGWINCH {
                            if let Some((rows, cols)) = terminal::size(stdout) {
                                ends.resize(client, rows, cols);
                            }
                        } else {
                            client.signal(signal);
                        }
                    }
                }
                Source::Stdin => {
                    let mut buffer = [0u8; 16 * 1024];
                    match rustix::io::read(stdin, &mut buffer) {
                        Ok(n) if n > 0 => {
                            let bytes = buffer.get(..n).unwrap_or_default();
                            let bytes = if raw { keys.filter(bytes) } else { Some(bytes.to_vec()) };
                            let Some(bytes) = bytes else { return Outcome::Detached };
                            if !ends.feed(client, &bytes) {
                                reading = false;
                            }
                        }
                        Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
                        _ => {
                            reading = false;
                            ends.end_input(client);
                        }
                    }
                }
                Source::Output(_) | Source::Terminal => {
                    if !ends.pass(source) {
                        return Outcome::Unread;
                    }
                }
                Source::Line => match client.next() {
                    Message::Event(event) => story.tell(*event),
                    Message::Stdout(bytes) => {
                        if !write_all(0, &bytes) {
                            return Outcome::Unread;
                        }
                    }
                    Message::Stderr(bytes) => {
                        write_all(1, &bytes);
                    }
                    Message::Exited(e) => exited = Some(e),
                    Message::Started { .. } | Message::Fault(_) => {}
                    Message::Closed => return Outcome::Lost,
                },
            }
        }
    }
}

/// To our own stdout (0) or stderr (1). False: nobody reads our stdout any more. That ends docent as it would end any program
/// in a pipe, but not the container's: its output is in the log.
fn write_all(stream: usize, bytes: &[u8]) -> bool {
    if stream == 0 {
        let mut out = std::io::stdout().lock();
        let written = out.write_all(bytes).and_then(|()| out.flush());
        !written.is_err_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
    } else {
        // Complaints that nobody hears are no reason to stop.
        std::io::stderr().lock().write_all(bytes).unwrap_or(());
        true
    }
}

/// What passing on came to.
enum Passed {
    Some,
    /// The source has ended (EIO is a terminal's end).
    Ended,
    Unread,
}

impl Ends {
    /// Nothing more can come: the pipes of an exec are closed. What comes over the line came before `Exited`.
    fn outputs_ended(&self) -> bool {
        self.direct.as_ref().is_none_or(|d| d.terminal.is_none() && d.outputs.iter().all(Option::is_none))
    }

    fn feed(&mut self, client: &Client, bytes: &[u8]) -> bool {
        let Some(direct) = &self.direct else { return client.stdin(bytes) };
        let Some(fd) = direct.terminal.as_ref().or(direct.input.as_ref()) else { return false };
        let mut rest = bytes;
        while !rest.is_empty() {
            match rustix::io::write(fd, rest) {
                Ok(n) => rest = rest.get(n..).unwrap_or_default(),
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return false,
            }
        }
        true
    }

    fn end_input(&mut self, client: &Client) {
        match &mut self.direct {
            Some(direct) => direct.input = None,
            None => client.stdin_end(),
        }
    }

    fn resize(&self, client: &Client, rows: u16, cols: u16) {
        match self.direct.as_ref().map(|d| d.terminal.as_ref()) {
            Some(Some(fd)) => terminal::set_size(fd, rows, cols),
            Some(None) => {}
            None => client.size(rows, cols),
        }
    }

    /// Passes on what this source has to say, and forgets one that has ended. False: nobody reads it.
    fn pass(&mut self, source: Source) -> bool {
        let Some(direct) = &mut self.direct else { return true };
        let (slot, stream) = match source {
            Source::Output(n) => (direct.outputs.get_mut(n), n),
            _ => (Some(&mut direct.terminal), 0),
        };
        let Some(slot) = slot else { return true };
        match slot.as_ref().map(|fd| pass_some(fd, stream)) {
            Some(Passed::Unread) => return false,
            Some(Passed::Ended) => *slot = None,
            Some(Passed::Some) | None => {}
        }
        true
    }
}

/// Passes on what can be read now.
fn pass_some(fd: &OwnedFd, stream: usize) -> Passed {
    let mut buffer = [0u8; 32 * 1024];
    match rustix::io::read(fd, &mut buffer) {
        Ok(0) => Passed::Ended,
        Ok(n) if write_all(stream, buffer.get(..n).unwrap_or_default()) => Passed::Some,
        Ok(_) => Passed::Unread,
        Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => Passed::Some,
        Err(_) => Passed::Ended,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detach_keys_are_taken_out_and_a_lone_ctrl_p_is_passed_on() {
        let mut keys = DetachKeys::default();
        assert_eq!(keys.filter(b"ls\x10"), Some(b"ls".to_vec()));
        assert_eq!(keys.filter(b"x"), Some(b"\x10x".to_vec()));
        assert_eq!(keys.filter(b"\x10\x11"), None);
    }
}
