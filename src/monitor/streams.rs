//! The container's standard streams: to the log, and to whoever is attached.
//!
//! Back pressure: while an attached client has not taken a packet, nothing more is read from the container, so a slow
//! terminal slows the program down, as with Docker, and no memory grows. Input does not come through here: an attached client
//! has the other end of it.

use super::log::Log;
use super::protocol::to_client;
use crate::event::Event;
use crate::kernel::packet::{Packets, Stop};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

struct Packet {
    kind: u8,
    body: Vec<u8>,
    fd: Option<OwnedFd>,
}

/// A client, and what it has not had room for. Sending never waits and never loses: what does not fit is kept, in order.
pub struct Listener {
    pub packets: Packets,
    /// It hears the container's output.
    pub attached: bool,
    waiting: VecDeque<Packet>,
    /// Nothing follows what waits.
    last: bool,
    gone: bool,
}

impl Listener {
    pub fn new(packets: Packets) -> Listener {
        Listener { packets, attached: false, waiting: VecDeque::new(), last: false, gone: false }
    }

    pub fn send(&mut self, kind: u8, body: &[u8]) {
        self.send_with(kind, body, None);
    }

    pub fn tell(&mut self, events: &[Event]) {
        if !events.is_empty() {
            self.send(to_client::EVENTS, &serde_json::to_vec(events).unwrap_or_default());
        }
    }

    pub fn send_with(&mut self, kind: u8, body: &[u8], fd: Option<OwnedFd>) {
        // What a client that is gone was to be told is still to be written down.
        if !self.gone || kind == to_client::EVENTS {
            self.waiting.push_back(Packet { kind, body: body.to_vec(), fd });
            self.catch_up();
        }
    }

    /// The client is let go of when it has this.
    pub fn send_last(&mut self, kind: u8, body: &[u8]) {
        self.send(kind, body);
        self.last = true;
    }

    /// Sends what there is room for.
    pub fn catch_up(&mut self) {
        while let Some(first) = self.waiting.front().filter(|_| !self.gone) {
            let fds: Vec<BorrowedFd<'_>> = first.fd.iter().map(|fd| fd.as_fd()).collect();
            match self.packets.send(first.kind, &first.body, &fds, false) {
                Ok(()) => drop(self.waiting.pop_front()),
                Err(Stop::WouldBlock) => return,
                Err(Stop::Closed) => self.leave(),
            }
        }
    }

    pub fn is_behind(&self) -> bool {
        !self.waiting.is_empty() && !self.gone
    }

    pub fn leave(&mut self) {
        self.gone = true;
        self.attached = false;
    }

    pub fn is_gone(&self) -> bool {
        self.gone
    }

    /// There is nothing more to say to it, or nobody to say it to.
    pub fn is_over(&self) -> bool {
        self.gone || (self.last && self.waiting.is_empty())
    }

    /// The events that a client which is gone has not taken.
    pub fn unheard(&mut self) -> Vec<Vec<u8>> {
        if !self.gone {
            return Vec::new();
        }
        self.waiting.drain(..).filter(|p| p.kind == to_client::EVENTS).map(|p| p.body).collect()
    }
}

/// Waits until each has taken what it is behind with, or is gone: the monitor's last deed, when it holds nothing any more.
pub fn settle(clients: &mut [&mut Listener]) {
    loop {
        let mut behind: Vec<&mut Listener> = clients.iter_mut().map(|c| &mut **c).filter(|c| c.is_behind()).collect();
        let mut fds: Vec<PollFd<'_>> = Vec::new();
        for client in &behind {
            fds.push(PollFd::from_borrowed_fd(client.packets.as_fd(), PollFlags::OUT));
        }
        if fds.is_empty() || poll(&mut fds, None).is_err_and(|e| e != Errno::INTR) {
            return;
        }
        drop(fds);
        behind.iter_mut().for_each(|client| client.catch_up());
    }
}

/// Our ends of the container's streams.
pub struct Streams {
    /// stdout and stderr; a terminal's master stands in the first place.
    outputs: [Option<OwnedFd>; 2],
    /// Kept open so that the program's input does not end when a client lets go of it.
    input: Option<OwnedFd>,
    terminal: bool,
    log: Log,
}

impl Streams {
    pub fn new(outputs: [Option<OwnedFd>; 2], input: Option<OwnedFd>, terminal: bool, log: Log) -> Streams {
        for fd in outputs.iter().flatten().chain(&input) {
            // A pipe that cannot be made non-blocking would only be slower: reads follow a poll.
            rustix::io::ioctl_fionbio(fd, true).unwrap_or(());
        }
        Streams { outputs, input, terminal, log }
    }

    pub fn terminal(&self) -> Option<BorrowedFd<'_>> {
        self.outputs[0].as_ref().filter(|_| self.terminal).map(|fd| fd.as_fd())
    }

    pub fn output(&self, stream: usize) -> Option<BorrowedFd<'_>> {
        self.outputs.get(stream)?.as_ref().map(|fd| fd.as_fd())
    }

    /// Where a client's input goes: the write end of the program's pipe, or its terminal.
    pub fn input(&self) -> Option<OwnedFd> {
        let fd = if self.terminal { self.outputs[0].as_ref() } else { self.input.as_ref() }?;
        rustix::io::fcntl_dupfd_cloexec(fd, 3).ok()
    }

    /// The client's input has ended. A terminal gets no end from here: who typed has said so there.
    pub fn end_input(&mut self) {
        self.input = None;
    }

    /// Reads what the container has written, logs it and hands it on; gives the number of bytes. None: nothing is there now,
    /// or nothing will be any more.
    pub fn read(&mut self, stream: usize, listener: &mut Listener) -> Option<usize> {
        let fd = self.outputs.get(stream)?.as_ref()?;
        let mut buffer = [0u8; 32 * 1024];
        match rustix::io::read(fd, &mut buffer) {
            Ok(n) if n > 0 => {
                let bytes = buffer.get(..n).unwrap_or_default();
                self.log.write(stream, bytes);
                if listener.attached {
                    listener.send(if stream == 0 { to_client::STDOUT } else { to_client::STDERR }, bytes);
                }
                Some(n)
            }
            Err(Errno::INTR) => Some(0),
            Err(Errno::AGAIN) => None,
            // EIO is a terminal's way of saying that its last user has closed it.
            _ => {
                self.outputs[stream] = None;
                None
            }
        }
    }

    /// Reads what is left: PID 1 has ended, and all its processes with it.
    ///
    /// Not more than a pipe holds: a descriptor that found its way out of the container may still be written to.
    pub fn drain(&mut self, listener: &mut Listener) {
        for stream in 0..2 {
            // A terminal is no pipe, and holds less than one.
            let size = |fd: BorrowedFd<'_>| rustix::pipe::fcntl_getpipe_size(fd).unwrap_or(64 * 1024);
            let mut left = self.output(stream).map_or(0, size);
            while left > 0
                && let Some(n) = self.read(stream, listener)
            {
                left = left.saturating_sub(n);
            }
        }
        self.log.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_kept_in_order() {
        let (ours, theirs) = Packets::pair().expect("a pair");
        let mut client = Listener::new(ours);
        let body = |n: u32| n.to_le_bytes().repeat(2500);
        let mut sent = 0;
        // Full, and then as many as come at once when two streams are ready.
        while !client.is_behind() {
            client.send(to_client::STDOUT, &body(sent));
            sent += 1;
        }
        for _ in 0..3 {
            client.send(to_client::STDOUT, &body(sent));
            sent += 1;
        }
        for n in 0..sent {
            client.catch_up();
            let packet = theirs.receive(false).expect("a packet");
            assert!(packet.body == body(n), "packet {n}");
        }
        assert!(!client.is_behind() && theirs.receive(false).is_err());
    }

    #[test]
    fn events_of_a_client_that_left_are_not_lost() {
        let (ours, theirs) = Packets::pair().expect("a pair");
        let mut client = Listener::new(ours);
        drop(theirs);
        client.send(to_client::EVENTS, b"one");
        client.send(to_client::STDOUT, b"nobody reads this");
        client.send(to_client::EVENTS, b"two");
        assert_eq!(client.unheard(), [b"one".to_vec(), b"two".to_vec()]);
    }
}
