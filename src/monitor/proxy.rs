//! Published ports: what comes in at a port of the host is carried to the container's address, byte by byte.
//!
//! The connection goes to the address, not to the container's loopback: a service that listens on 127.0.0.1 inside stays
//! unreachable, as with Docker. Nothing here waits: a slow reader holds up only its own connection.
//!
//! Beyond Docker: a server needs a moment before it listens, and `curl` right behind `run -d` would be turned
//! away in that moment. So the first connections are kept until the server is there, or [`PATIENCE`] is over.

use crate::launch::parent::Published;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, Shutdown, SocketFlags, SocketType};
use std::net::SocketAddrV4;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// How long after the start a connection is kept that nobody inside takes yet …
const PATIENCE: Duration = Duration::from_secs(2);
/// … and how often it is tried.
const AGAIN: Duration = Duration::from_millis(10);
/// Most connections at once through one container, two descriptors each; further ones wait in the kernel's queue. What the
/// monitor needs beside them (pipes, clients, execs) fits into [`SPARE`].
const MOST: usize = 2048;
const SPARE: u64 = 128;
const BUFFER: usize = 32 * 1024;

/// One direction of a connection.
#[derive(Default)]
struct Flow {
    buffer: Vec<u8>,
    /// The source is at its end.
    ended: bool,
    /// … and the destination knows.
    passed_on: bool,
}

struct Pair {
    outside: OwnedFd,
    inside: OwnedFd,
    to: SocketAddrV4,
    /// When the container turned the connection away.
    refused: Option<Instant>,
    inward: Flow,
    outward: Flow,
    connected: bool,
    broken: bool,
}

pub struct Proxies {
    listeners: Vec<Published>,
    pairs: Vec<Pair>,
    most: usize,
    /// Until when a refusal may mean "not yet"; None as soon as a connection was taken.
    patient: Option<Instant>,
}

impl Proxies {
    pub fn new(listeners: Vec<Published>) -> Proxies {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
        let most = usize::try_from(limit.saturating_sub(SPARE) / 2).unwrap_or(MOST).clamp(1, MOST);
        Proxies { listeners, pairs: Vec::new(), most, patient: Instant::now().checked_add(PATIENCE) }
    }

    /// How long a poll may take, when a connection is to be tried again.
    pub fn timeout(&self) -> Option<Timespec> {
        self.pairs.iter().any(|p| p.refused.is_some()).then(|| Timespec::try_from(AGAIN).ok()).flatten()
    }

    /// What to wait for, in the order that [`Proxies::handle`] expects the answers.
    pub fn interests(&self) -> Vec<(BorrowedFd<'_>, PollFlags)> {
        let accept = if self.pairs.len() < self.most { PollFlags::IN } else { PollFlags::empty() };
        let mut all: Vec<_> = self.listeners.iter().map(|l| (l.fd.as_fd(), accept)).collect();
        for pair in &self.pairs {
            if pair.refused.is_some() {
                // A socket that was refused would say so at every poll; whether the client goes away is still of interest.
                all.extend([(pair.outside.as_fd(), PollFlags::empty()), (pair.outside.as_fd(), PollFlags::empty())]);
                continue;
            }
            // What the client says is read only when there is somebody to take it: else the poll would return at once.
            let outside = if pair.connected { wants(&pair.inward, &pair.outward, true) } else { PollFlags::empty() };
            all.push((pair.outside.as_fd(), outside));
            all.push((pair.inside.as_fd(), wants(&pair.outward, &pair.inward, pair.connected)));
        }
        all
    }

    pub fn handle(&mut self, answers: &[PollFlags]) {
        let (listeners, pairs) = answers.split_at(self.listeners.len().min(answers.len()));
        for (pair, answer) in self.pairs.iter_mut().zip(pairs.chunks(2)) {
            if pair.refused.is_some() {
                pair.broken |= answer.iter().any(|a| !a.is_empty());
                pair.try_again();
            } else if answer.iter().any(|a| !a.is_empty()) {
                pair.turn(self.patient);
            }
            if pair.connected {
                self.patient = None;
            }
        }
        self.pairs.retain(|p| !p.is_over());
        for (listener, answer) in self.listeners.iter().zip(listeners) {
            if answer.contains(PollFlags::IN)
                && let Ok(outside) =
                    rustix::net::accept_with(&listener.fd, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)
                && let Some(inside) = connect(listener.to)
            {
                self.pairs.push(Pair {
                    outside,
                    inside,
                    to: listener.to,
                    refused: None,
                    inward: Flow::default(),
                    outward: Flow::default(),
                    connected: false,
                    broken: false,
                });
            }
        }
    }
}

/// A connection under way to the container.
fn connect(to: SocketAddrV4) -> Option<OwnedFd> {
    let how = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let fd = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, how, None).ok()?;
    match rustix::net::connect(&fd, &to) {
        Ok(()) | Err(rustix::io::Errno::INPROGRESS) => Some(fd),
        Err(_) => None,
    }
}

/// An end is read while there is room for what it says, and written while there is something for it.
fn wants(from: &Flow, to: &Flow, connected: bool) -> PollFlags {
    let mut flags = PollFlags::empty();
    if !from.ended && from.buffer.len() < BUFFER && connected {
        flags |= PollFlags::IN;
    }
    if !to.buffer.is_empty() || (to.ended && !to.passed_on) || !connected {
        flags |= PollFlags::OUT;
    }
    flags
}

impl Pair {
    fn is_over(&self) -> bool {
        self.broken || (self.inward.passed_on && self.outward.passed_on)
    }

    /// Knocks once more, if it is time.
    fn try_again(&mut self) {
        if self.refused.is_some_and(|at| at.elapsed() >= AGAIN) {
            self.refused = None;
            match connect(self.to) {
                Some(inside) => self.inside = inside,
                None => self.broken = true,
            }
        }
    }

    fn turn(&mut self, patient: Option<Instant>) {
        if !self.connected {
            match rustix::net::sockopt::socket_error(&self.inside) {
                Ok(Ok(())) => self.connected = rustix::net::getpeername(&self.inside).is_ok(),
                Ok(Err(rustix::io::Errno::CONNREFUSED)) if patient.is_some_and(|until| Instant::now() < until) => {
                    self.refused = Some(Instant::now());
                }
                _ => self.broken = true,
            }
        }
        if !self.connected {
            return;
        }
        self.broken |= !self.inward.carry(self.outside.as_fd(), self.inside.as_fd());
        self.broken |= !self.outward.carry(self.inside.as_fd(), self.outside.as_fd());
    }
}

impl Flow {
    /// Moves what can be moved now. False: the connection is broken.
    fn carry(&mut self, from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> bool {
        if !self.ended && self.buffer.len() < BUFFER {
            let mut chunk = [0u8; BUFFER];
            match rustix::net::recv(from, &mut chunk[..], RecvFlags::DONTWAIT) {
                Ok((0, _)) => self.ended = true,
                Ok((n, _)) => self.buffer.extend_from_slice(chunk.get(..n).unwrap_or_default()),
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
                Err(_) => return false,
            }
        }
        if !self.buffer.is_empty() {
            match rustix::net::send(to, &self.buffer, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
                Ok(n) => drop(self.buffer.drain(..n)),
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
                Err(_) => return false,
            }
        }
        if self.ended && self.buffer.is_empty() && !self.passed_on {
            self.passed_on = true;
            // The peer may have closed already: then there is nobody to tell.
            rustix::net::shutdown(to, Shutdown::Write).unwrap_or(());
        }
        true
    }
}

/// The answers of a poll, for [`Proxies::handle`].
pub fn answers(fds: &[PollFd<'_>]) -> Vec<PollFlags> {
    fds.iter().map(PollFd::revents).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_speaks_first_does_not_wake_a_proxy_that_has_nobody_to_tell() {
        let (client, outside) = std::os::unix::net::UnixStream::pair().expect("a pair");
        let (inside, _other) = std::os::unix::net::UnixStream::pair().expect("a pair");
        rustix::io::write(&client, b"GET / HTTP/1.0").expect("write");
        let mut proxies = Proxies::new(Vec::new());
        let to = SocketAddrV4::new([127, 0, 0, 1].into(), 9);
        proxies.pairs.push(Pair {
            outside: outside.into(),
            inside: inside.into(),
            to,
            refused: None,
            inward: Flow::default(),
            outward: Flow::default(),
            connected: false,
            broken: false,
        });
        assert_eq!(proxies.interests()[0].1, PollFlags::empty());
        assert_eq!(proxies.interests()[1].1, PollFlags::OUT);
        proxies.pairs[0].connected = true;
        assert_eq!(proxies.interests()[0].1, PollFlags::IN);
    }
}
