//! The learner's terminal and a program's streams, joined: for `run`, `start -a` and `exec`.
//!
//! docent is a pipe here: the program's bytes pass untouched, its exit code becomes ours, signals that docent gets go on to
//! it, and narration waits until its last byte is out.

use crate::event::{Fault, Story};
use crate::kernel::signals::Signals;
use crate::kernel::terminal::{self, Raw};
use crate::monitor::client::Client;
use crate::monitor::{Exited, Message};
use rustix::event::{PollFd, PollFlags, poll};
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
#[derive(Default)]
pub struct Ends {
    pub tty: bool,
    /// Where our input goes, if it is to go anywhere: the write end of the program's pipe, or its terminal's master.
    pub input: Option<OwnedFd>,
    /// An exec's own pipes, or its terminal's master in the first place; without them the bytes come over the line.
    pub outputs: [Option<OwnedFd>; 2],
    /// Input that the program has not taken yet; while there is some, no more is read.
    waiting: Vec<u8>,
    /// Our input has ended …
    ended: bool,
    /// … with a line that is not finished.
    within_line: bool,
}

impl Ends {
    pub fn new(tty: bool, input: Option<OwnedFd>, outputs: [Option<OwnedFd>; 2]) -> Ends {
        // A program that does not read must not keep docent from hearing a signal, or what the program says meanwhile.
        if let Some(fd) = &input {
            rustix::io::ioctl_fionbio(fd, true).unwrap_or(());
        }
        Ends { tty, input, outputs, waiting: Vec::new(), ended: false, within_line: false }
    }
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
    let raw = (ends.tty && ends.input.is_some() && terminal::is_terminal(&stdin))
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
    Input,
    Output(usize),
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
    let mut keys = DetachKeys::default();
    let mut exited: Option<Exited> = None;
    loop {
        // What comes over the line came before `Exited`.
        if let Some(exited) = exited.take_if(|_| ends.outputs.iter().all(Option::is_none)) {
            return Outcome::Exited(exited);
        }
        let mut ready = Vec::new();
        {
            let mut sources: Vec<(Source, BorrowedFd<'_>, PollFlags)> =
                vec![(Source::Signals, signals.as_fd(), PollFlags::IN)];
            if exited.is_none() {
                sources.push((Source::Line, client.as_fd(), PollFlags::IN));
            }
            if let Some(input) = &ends.input {
                if !ends.waiting.is_empty() {
                    sources.push((Source::Input, input.as_fd(), PollFlags::OUT));
                } else if !ends.ended {
                    sources.push((Source::Stdin, stdin, PollFlags::IN));
                }
            }
            for (n, fd) in ends.outputs.iter().enumerate() {
                if let Some(fd) = fd {
                    sources.push((Source::Output(n), fd.as_fd(), PollFlags::IN));
                }
            }
            let mut fds: Vec<PollFd<'_>> =
                sources.iter().map(|(_, fd, flags)| PollFd::from_borrowed_fd(*fd, *flags)).collect();
            match poll(&mut fds, None) {
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(_) => return Outcome::Lost,
            }
            for ((source, ..), fd) in sources.iter().zip(&fds) {
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
                            ends.within_line = bytes.last().is_some_and(|last| *last != b'\n');
                            ends.waiting = bytes;
                        }
                        Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
                        _ => ends.end_input(raw),
                    }
                    ends.feed(client);
                }
                Source::Input => ends.feed(client),
                Source::Output(n) => match ends.outputs.get(n).and_then(|fd| fd.as_ref()).map(|fd| pass_some(fd, n)) {
                    Some(Passed::Unread) => return Outcome::Unread,
                    Some(Passed::Ended) => ends.outputs[n] = None,
                    Some(Passed::Some) | None => {}
                },
                Source::Line => match client.next() {
                    Message::Events(events) => story.tell_all(events),
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
    let (stdout, stderr) = (std::io::stdout(), std::io::stderr());
    let to = if stream == 0 { stdout.as_fd() } else { stderr.as_fd() };
    let mut rest = bytes;
    while !rest.is_empty() {
        match rustix::io::write(to, rest) {
            Ok(n) => rest = rest.get(n..).unwrap_or_default(),
            Err(rustix::io::Errno::INTR) => {}
            // Whoever shares this descriptor has made it non-blocking (a pipe of Node.js): no byte is lost for that.
            Err(rustix::io::Errno::AGAIN) => drop(poll(&mut [PollFd::new(&to, PollFlags::OUT)], None)),
            // Complaints that nobody hears are no reason to stop.
            Err(e) => return stream != 0 || e != rustix::io::Errno::PIPE,
        }
    }
    true
}

/// What passing on came to.
enum Passed {
    Some,
    /// The source has ended (EIO is a terminal's end).
    Ended,
    Unread,
}

impl Ends {
    /// Gives the program what it takes now.
    fn feed(&mut self, client: &Client) {
        let Some(fd) = &self.input else { return };
        while !self.waiting.is_empty() {
            match rustix::io::write(fd, &self.waiting) {
                Ok(n) => drop(self.waiting.drain(..n)),
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => return,
                // Nobody reads any more.
                Err(_) => {
                    self.waiting.clear();
                    self.ended = true;
                }
            }
        }
        if self.ended {
            self.input = None;
            if !self.tty {
                client.stdin_end();
            }
        }
    }

    /// Our input has ended. In a terminal its end is a character, which script(1) too types for piped input: once to hand over
    /// a line that is not finished, and once to end. A learner's own terminal (`raw`) has its own way to say so.
    fn end_input(&mut self, raw: bool) {
        self.ended = true;
        if let Some(end) = self.input.as_ref().filter(|_| self.tty && !raw).and_then(terminal::end_of_file) {
            self.waiting = vec![end; 1 + usize::from(self.within_line)];
        }
    }

    fn resize(&self, client: &Client, rows: u16, cols: u16) {
        match self.outputs[0].as_ref().filter(|_| self.tty) {
            Some(fd) => terminal::set_size(fd, rows, cols),
            None => client.size(rows, cols),
        }
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
