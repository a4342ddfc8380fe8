//! The container's standard streams: to the log, and to whoever is attached.
//!
//! Back pressure: while an attached client has not taken a packet, nothing more is read from the container, so a slow
//! terminal slows the program down, as with Docker, and no memory grows.

use super::log::Log;
use super::protocol::to_client;
use crate::kernel::packet::{Packets, Stop};
use rustix::event::PollFlags;
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A client that hears the container's output.
pub struct Listener {
    pub packets: Packets,
    pub attached: bool,
    pub stdin: bool,
    /// A packet it has not had room for.
    pending: Option<(u8, Vec<u8>)>,
    pub gone: bool,
}

impl Listener {
    pub fn new(packets: Packets) -> Listener {
        Listener { packets, attached: false, stdin: false, pending: None, gone: false }
    }

    pub fn send(&mut self, kind: u8, body: &[u8]) {
        if self.gone {
            return;
        }
        match self.packets.send(kind, body, &[], false) {
            Ok(()) => {}
            Err(Stop::WouldBlock) => self.pending = Some((kind, body.to_vec())),
            Err(Stop::Closed) => self.gone = true,
        }
    }

    pub fn is_behind(&self) -> bool {
        self.pending.is_some()
    }

    pub fn catch_up(&mut self) {
        if let Some((kind, body)) = self.pending.take() {
            self.send(kind, &body);
        }
    }
}

/// Our ends of the container's streams.
pub struct Streams {
    /// stdout and stderr; a terminal's master stands in the first place.
    outputs: [Option<OwnedFd>; 2],
    input: Option<OwnedFd>,
    /// Input that the program has not read yet.
    waiting: Vec<u8>,
    input_ended: bool,
    terminal: bool,
    log: Log,
}

impl Streams {
    pub fn new(outputs: [Option<OwnedFd>; 2], input: Option<OwnedFd>, terminal: bool, log: Log) -> Streams {
        for fd in outputs.iter().flatten().chain(&input) {
            // A pipe that cannot be made non-blocking would only be slower: reads follow a poll.
            rustix::io::ioctl_fionbio(fd, true).unwrap_or(());
        }
        Streams { outputs, input, waiting: Vec::new(), input_ended: false, terminal, log }
    }

    pub fn terminal(&self) -> Option<BorrowedFd<'_>> {
        self.outputs[0].as_ref().filter(|_| self.terminal).map(|fd| fd.as_fd())
    }

    /// There is room for more input.
    pub fn wants_input(&self) -> bool {
        self.waiting.len() < 64 * 1024
    }

    pub fn output(&self, stream: usize) -> Option<BorrowedFd<'_>> {
        self.outputs.get(stream)?.as_ref().map(|fd| fd.as_fd())
    }

    /// Where input goes, if some waits.
    pub fn input_interest(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        let fd = if self.terminal { self.outputs[0].as_ref() } else { self.input.as_ref() }?;
        (!self.waiting.is_empty()).then_some((fd.as_fd(), PollFlags::OUT))
    }

    /// Reads what the container has written, logs it and hands it on. False: this stream has ended.
    pub fn read(&mut self, stream: usize, listener: &mut Listener) -> bool {
        let Some(fd) = self.outputs.get(stream).and_then(|fd| fd.as_ref()) else { return false };
        let mut buffer = [0u8; 32 * 1024];
        match rustix::io::read(fd, &mut buffer) {
            Ok(n) if n > 0 => {
                let bytes = buffer.get(..n).unwrap_or_default();
                self.log.write(stream, bytes);
                let kind = if stream == 0 { to_client::STDOUT } else { to_client::STDERR };
                if listener.attached {
                    listener.send(kind, bytes);
                }
                true
            }
            Err(Errno::AGAIN | Errno::INTR) => true,
            // EIO is a terminal's way of saying that its last user has closed it.
            _ => {
                self.outputs[stream] = None;
                false
            }
        }
    }

    /// Reads until nothing is left: PID 1 has ended, so all writers are gone.
    pub fn drain(&mut self, listener: &mut Listener) {
        for stream in 0..2 {
            while self.output(stream).is_some() {
                settle(listener);
                let Some(fd) = self.output(stream) else { break };
                let mut poll = [rustix::event::PollFd::new(&fd, PollFlags::IN)];
                let now = rustix::time::Timespec { tv_sec: 0, tv_nsec: 0 };
                match rustix::event::poll(&mut poll, Some(&now)) {
                    Ok(n) if n > 0 => {
                        if !self.read(stream, listener) {
                            break;
                        }
                    }
                    _ => break,
                }
            }
        }
        self.log.finish();
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
        self.flush_input();
    }

    /// The client's input has ended. A terminal gets no end: the program reads on from whoever attaches next.
    pub fn end_input(&mut self) {
        self.input_ended = true;
        self.flush_input();
    }

    pub fn flush_input(&mut self) {
        let fd = if self.terminal { &self.outputs[0] } else { &self.input };
        if let Some(fd) = fd
            && !self.waiting.is_empty()
        {
            match rustix::io::write(fd, &self.waiting) {
                Ok(n) => drop(self.waiting.drain(..n)),
                Err(Errno::AGAIN | Errno::INTR) => return,
                // Nobody reads any more.
                Err(_) => {
                    self.waiting.clear();
                    self.input_ended = true;
                }
            }
        }
        if self.input_ended && self.waiting.is_empty() && !self.terminal {
            self.input = None;
        }
    }
}

/// Gives a slow client a while to take what it is behind with; one that does not is let go of.
pub fn settle(listener: &mut Listener) {
    while listener.is_behind() && !listener.gone {
        let fd = listener.packets.as_fd();
        let mut poll = [rustix::event::PollFd::new(&fd, PollFlags::OUT)];
        let limit = rustix::time::Timespec { tv_sec: 10, tv_nsec: 0 };
        match rustix::event::poll(&mut poll, Some(&limit)) {
            Ok(n) if n > 0 => listener.catch_up(),
            Err(Errno::INTR) => {}
            _ => listener.gone = true,
        }
    }
}
