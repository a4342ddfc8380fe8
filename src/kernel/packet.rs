//! Messages between docent's own processes: a Unix socket that keeps message boundaries and can carry descriptors.
//!
//! SOCK_SEQPACKET: one send is one receive, a closed peer is an empty message. A message is a kind (one byte) and up to
//! [`MOST`] bytes.

use crate::event::SysError;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketAddrUnix, SocketFlags, SocketType,
};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// Largest payload of one message.
pub const MOST: usize = 64 * 1024;

/// One end of a conversation.
#[derive(Debug)]
pub struct Packets {
    fd: OwnedFd,
}

/// A received message.
#[derive(Debug)]
pub struct Message {
    pub kind: u8,
    pub body: Vec<u8>,
    pub fds: Vec<OwnedFd>,
}

/// Why nothing was received or sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The other end is gone.
    Closed,
    /// Nothing to read, or no room to send, without waiting.
    WouldBlock,
}

fn sys(call: &str, e: rustix::io::Errno) -> SysError {
    SysError::new(call, "control socket", e.raw_os_error())
}

impl Packets {
    pub fn pair() -> Result<(Packets, Packets), SysError> {
        let (a, b) = rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
            .map_err(|e| sys("socketpair", e))?;
        Ok((Packets { fd: a }, Packets { fd: b }))
    }

    pub fn from_fd(fd: OwnedFd) -> Packets {
        Packets { fd }
    }

    /// The socket itself, for `process::keep_only`.
    pub fn descriptor(&mut self) -> &mut OwnedFd {
        &mut self.fd
    }

    /// Listens at `name` in `dir`. The directory is named by descriptor, since an address holds 107 bytes and a root's path
    /// can be longer.
    pub fn listen(dir: BorrowedFd<'_>, name: &str) -> Result<Packets, SysError> {
        let fd = rustix::net::socket_with(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
            None,
        )
        .map_err(|e| sys("socket", e))?;
        rustix::net::bind(&fd, &address(dir, name)?).map_err(|e| sys("bind", e))?;
        rustix::net::listen(&fd, 128).map_err(|e| sys("listen", e))?;
        Ok(Packets { fd })
    }

    pub fn accept(&self) -> Option<Packets> {
        rustix::net::accept_with(&self.fd, SocketFlags::CLOEXEC).ok().map(|fd| Packets { fd })
    }

    pub fn connect(dir: BorrowedFd<'_>, name: &str) -> Result<Packets, SysError> {
        let fd = rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
            .map_err(|e| sys("socket", e))?;
        rustix::net::connect(&fd, &address(dir, name)?).map_err(|e| sys("connect", e))?;
        Ok(Packets { fd })
    }

    /// The user at the other end.
    pub fn peer_uid(&self) -> Option<u32> {
        rustix::net::sockopt::socket_peercred(&self.fd).ok().map(|c| c.uid.as_raw())
    }

    pub fn send(&self, kind: u8, body: &[u8], fds: &[BorrowedFd<'_>], wait: bool) -> Result<(), Stop> {
        let head = [kind];
        let parts = [IoSlice::new(&head), IoSlice::new(body)];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(fds)) {
            return Err(Stop::Closed);
        }
        let mut how = SendFlags::NOSIGNAL;
        if !wait {
            how |= SendFlags::DONTWAIT;
        }
        loop {
            return match rustix::net::sendmsg(&self.fd, &parts, &mut ancillary, how) {
                Ok(_) => Ok(()),
                Err(rustix::io::Errno::AGAIN) => Err(Stop::WouldBlock),
                Err(rustix::io::Errno::INTR) => continue,
                Err(_) => Err(Stop::Closed),
            };
        }
    }

    pub fn receive(&self, wait: bool) -> Result<Message, Stop> {
        let mut buffer = vec![0u8; MOST + 1];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut how = RecvFlags::CMSG_CLOEXEC;
        if !wait {
            how |= RecvFlags::DONTWAIT;
        }
        let got = loop {
            match rustix::net::recvmsg(&self.fd, &mut [IoSliceMut::new(&mut buffer)], &mut ancillary, how) {
                Ok(got) => break got.bytes,
                // ECONNRESET: the other end closed with something of ours unread. It is said once and before what was sent to us,
                // which is still there (unix(7), sock_error in the kernel).
                Err(rustix::io::Errno::INTR | rustix::io::Errno::CONNRESET) => continue,
                Err(rustix::io::Errno::AGAIN) => return Err(Stop::WouldBlock),
                Err(_) => return Err(Stop::Closed),
            }
        };
        let mut fds = Vec::new();
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(received) = message {
                fds.extend(received);
            }
        }
        buffer.truncate(got);
        let Some((&kind, body)) = buffer.split_first() else { return Err(Stop::Closed) };
        Ok(Message { kind, body: body.to_vec(), fds })
    }
}

impl AsFd for Packets {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn address(dir: BorrowedFd<'_>, name: &str) -> Result<SocketAddrUnix, SysError> {
    let path = Path::new("/proc/self/fd").join(dir.as_raw_fd().to_string()).join(name);
    SocketAddrUnix::new(&path).map_err(|e| sys("bind", e))
}

/// Takes over a descriptor that the parent handed to us by its number on the command line.
pub fn handed_over(number: &str) -> Option<Packets> {
    let n: i32 = number.parse().ok().filter(|n| *n > 2)?;
    // SAFETY: the parent put it there for us and nobody else in this process knows it; fcntl tells if it is not open.
    let fd = unsafe {
        if libc::fcntl(n, libc::F_SETFD, libc::FD_CLOEXEC) < 0 {
            return None;
        }
        <OwnedFd as std::os::fd::FromRawFd>::from_raw_fd(n)
    };
    Some(Packets { fd })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_word_is_heard_from_one_who_left_without_listening() {
        let (here, there) = Packets::pair().expect("a pair");
        here.send(1, b"never read", &[], true).expect("sent");
        there.send(2, b"last", &[], true).expect("sent");
        drop(there);
        let heard = here.receive(false).map(|m| (m.kind, m.body)).map_err(|_| "the last word is lost");
        assert_eq!(heard, Ok((2, b"last".to_vec())));
        assert!(matches!(here.receive(false), Err(Stop::Closed)));
    }
}
