//! Messages between docent's own processes: a Unix socket that keeps message boundaries and can carry descriptors.
//!
//! SOCK_SEQPACKET: one send is one receive, a closed peer is an empty message. A message is a kind (one byte, less than
//! 128) and up to [`MOST`] bytes; more of them than [`PACKET`] lie in a sealed memory file, which goes as a descriptor.

use crate::event::SysError;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, memfd_create};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketAddrUnix, SocketFlags, SocketType,
};
use std::fs::File;
use std::io::{IoSlice, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Largest payload of one message: execve takes at most 6 MiB (3/4 of the kernel's _STK_LIM), and JSON writes a control
/// character as six.
pub const MOST: usize = 40 << 20;
/// Largest payload of one packet.
const PACKET: usize = 64 << 10;
/// In a packet's kind: the payload is in the file that is its first descriptor.
const IN_FILE: u8 = 0x80;
/// What the receiver demands: the content can no longer change.
const SEALS: SealFlags = SealFlags::SHRINK.union(SealFlags::GROW).union(SealFlags::WRITE);

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
        let file = if body.len() > PACKET { Some(in_file(body).ok_or(Stop::Closed)?) } else { None };
        let (kind, body) = if file.is_some() { (kind | IN_FILE, &[][..]) } else { (kind, body) };
        let fds: Vec<BorrowedFd<'_>> = file.iter().map(AsFd::as_fd).chain(fds.iter().copied()).collect();
        let head = [kind];
        let parts = [IoSlice::new(&head), IoSlice::new(body)];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(&fds)) {
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

    /// The other end hears the end of what we say, and can still speak.
    pub fn say_no_more(&self) {
        // One that is gone needs none.
        rustix::net::shutdown(&self.fd, rustix::net::Shutdown::Write).unwrap_or(());
    }

    pub fn receive(&self, wait: bool) -> Result<Message, Stop> {
        let how = if wait { RecvFlags::empty() } else { RecvFlags::DONTWAIT };
        // Its length first: a monitor lives for days, and room for the longest was a quarter of its memory.
        let ask = how | RecvFlags::PEEK | RecvFlags::TRUNC;
        let (_, length) = again(|| rustix::net::recv(&self.fd, &mut [0u8; 0], ask))?;
        let mut buffer = vec![0; length.min(PACKET + 1)];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let how = how | RecvFlags::CMSG_CLOEXEC;
        let got =
            again(|| rustix::net::recvmsg(&self.fd, &mut [IoSliceMut::new(&mut buffer)], &mut ancillary, how))?.bytes;
        let mut fds = Vec::new();
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(received) = message {
                fds.extend(received);
            }
        }
        let Some((&kind, body)) = buffer.get(..got).and_then(<[u8]>::split_first) else { return Err(Stop::Closed) };
        if kind & IN_FILE == 0 {
            return Ok(Message { kind, body: body.to_vec(), fds });
        }
        // Who sends what cannot be read has ended the conversation.
        let file = if fds.is_empty() { return Err(Stop::Closed) } else { File::from(fds.remove(0)) };
        Ok(Message { kind: kind & !IN_FILE, body: from_file(&file).ok_or(Stop::Closed)?, fds })
    }
}

/// Again, when a signal came between, or with ECONNRESET: the other end closed with something of ours unread. That is said once
/// and before what was sent to us, which is still there (unix(7), sock_error in the kernel).
fn again<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> Result<T, Stop> {
    loop {
        match call() {
            Ok(done) => return Ok(done),
            Err(rustix::io::Errno::INTR | rustix::io::Errno::CONNRESET) => {}
            Err(rustix::io::Errno::AGAIN) => return Err(Stop::WouldBlock),
            Err(_) => return Err(Stop::Closed),
        }
    }
}

fn in_file(body: &[u8]) -> Option<File> {
    let file =
        memfd_create("message", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).ok().filter(|_| body.len() <= MOST)?;
    let mut file = File::from(file);
    file.write_all(body).ok()?;
    fcntl_add_seals(&file, SEALS | SealFlags::SEAL).ok()?;
    Some(file)
}

/// The sender may be hostile. Only a memory file has these seals, so to read it waits for nobody, and its size stays.
fn from_file(file: &File) -> Option<Vec<u8>> {
    fcntl_get_seals(file).ok().filter(|seals| seals.contains(SEALS))?;
    let size = usize::try_from(file.metadata().ok()?.len()).ok().filter(|size| *size <= MOST)?;
    let mut body = vec![0; size];
    file.read_exact_at(&mut body, 0).ok()?;
    Some(body)
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

    #[test]
    fn a_large_body_arrives_whole_and_with_its_descriptors() {
        let (here, there) = Packets::pair().expect("a pair");
        let (read, write) = rustix::pipe::pipe().expect("a pipe");
        let body: Vec<u8> = (0..3 << 20).map(|n: u32| n as u8).collect();
        here.send(7, &body, &[read.as_fd(), write.as_fd(), read.as_fd()], true).expect("sent");
        let heard = there.receive(false).expect("heard");
        assert!(heard.kind == 7 && heard.body == body && heard.fds.len() == 3);
        assert_eq!(here.send(7, &vec![0; MOST + 1], &[], true), Err(Stop::Closed));
    }

    #[test]
    fn a_file_that_could_change_or_hold_the_reader_up_is_not_read() {
        let memory = |seals: SealFlags, size: u64| {
            let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
            let file = File::from(memfd_create("test", flags).expect("memfd"));
            file.set_len(size).expect("its size");
            fcntl_add_seals(&file, seals).expect("seals");
            OwnedFd::from(file)
        };
        let (fifo, _write) = rustix::pipe::pipe().expect("a pipe");
        let file = OwnedFd::from(tempfile::tempfile().expect("a file"));
        let (changing, huge) = (memory(SealFlags::SHRINK, 9), memory(SEALS, MOST as u64 + 1));
        let (here, there) = Packets::pair().expect("a pair");
        for bad in [Some(&fifo), Some(&file), Some(&changing), Some(&huge), None] {
            let fds: Vec<BorrowedFd<'_>> = bad.into_iter().map(|fd| fd.as_fd()).collect();
            here.send(7 | IN_FILE, &[], &fds, true).expect("sent");
            assert!(matches!(there.receive(false), Err(Stop::Closed)));
        }
        here.send(7 | IN_FILE, &[], &[memory(SEALS, 9).as_fd()], true).expect("sent");
        assert_eq!(there.receive(false).map(|m| m.body), Ok(vec![0; 9]));
    }
}
