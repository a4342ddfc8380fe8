//! The wire form of netlink(7): messages with attributes, and a socket that sends them and reads the answers.
//!
//! A request is a datagram: a header, a fixed structure of its family, attributes (type, length, value) padded to 4 bytes.
//! The kernel works it off within the send and queues its answer, so what was asked is done or refused when
//! [`Socket::talk`] returns. What comes back is read with checks for every length, as if it could be anything.

use super::sys::Calls;
use crate::event::SysError;
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType};
use std::os::fd::OwnedFd;

// linux/netlink.h
const ERROR: u16 = 2;
const DONE: u16 = 3;
pub(super) const REQUEST: u16 = 1;
pub(super) const ACK: u16 = 4;
pub(super) const DUMP: u16 = 0x300;
pub(super) const CREATE: u16 = 0x400;
pub(super) const EXCL: u16 = 0x200;
/// Things changed while a list was being given; it may be incomplete.
const INTERRUPTED: u16 = 0x10;
const NESTED: u16 = 0x8000;
const TYPE_MASK: u16 = 0x3fff;

/// The kernel never sends more in one datagram than a reader's buffer has shown to hold, and at most this much.
const BUFFER: usize = 32 * 1024;
/// How often a list is asked for again when it changed on the way.
const LIST_ATTEMPTS: usize = 8;

/// One request in the making: `nlmsghdr`, the family's fixed structure, attributes.
pub(super) struct Message(Vec<u8>);

impl Message {
    pub(super) fn new(kind: u16, flags: u16, fixed: &[u8]) -> Message {
        let mut bytes = vec![0; 16];
        bytes.splice(4..6, kind.to_ne_bytes());
        bytes.splice(6..8, (flags | REQUEST).to_ne_bytes());
        bytes.extend_from_slice(fixed);
        Message(bytes).padded()
    }

    pub(super) fn put(mut self, kind: u16, value: &[u8]) -> Message {
        self.0.extend_from_slice(&(value.len() as u16 + 4).to_ne_bytes());
        self.0.extend_from_slice(&kind.to_ne_bytes());
        self.raw(value)
    }

    /// A string with its NUL.
    pub(super) fn text(self, kind: u16, value: &str) -> Message {
        self.put(kind, &[value.as_bytes(), &[0]].concat())
    }

    /// An attribute whose value is attributes.
    pub(super) fn nest(self, kind: u16, fill: impl FnOnce(Message) -> Message) -> Message {
        let start = self.0.len();
        let mut filled = fill(self.put(kind | NESTED, &[]));
        let length = (filled.0.len() - start) as u16;
        filled.0.splice(start..start + 2, length.to_ne_bytes());
        filled
    }

    /// A fixed structure that stands at the head of a nested attribute.
    pub(super) fn raw(mut self, value: &[u8]) -> Message {
        self.0.extend_from_slice(value);
        self.padded()
    }

    fn padded(mut self) -> Message {
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    /// Asks for an answer even when there is nothing to say.
    pub(super) fn acknowledged(mut self) -> Message {
        if let Some(flags) = u16_at(&self.0, 6) {
            self.0.splice(6..8, (flags | ACK).to_ne_bytes());
        }
        self
    }

    /// The bytes, with length and sequence number filled in.
    pub(super) fn numbered(mut self, sequence: u32) -> Vec<u8> {
        let length = self.0.len() as u32;
        self.0.splice(0..4, length.to_ne_bytes());
        self.0.splice(8..12, sequence.to_ne_bytes());
        self.0
    }
}

/// A message from the kernel.
pub(super) struct Reply {
    kind: u16,
    flags: u16,
    sequence: u32,
    pub(super) body: Vec<u8>,
}

/// Takes a datagram apart. What is cut short ends the list: nothing is read past the end.
fn replies(mut datagram: &[u8]) -> Vec<Reply> {
    let mut list = Vec::new();
    while let (Some(length), Some(kind), Some(flags), Some(sequence)) =
        (u32_at(datagram, 0), u16_at(datagram, 4), u16_at(datagram, 6), u32_at(datagram, 8))
    {
        let Some(body) = datagram.get(16..length as usize) else { break };
        list.push(Reply { kind, flags, sequence, body: body.to_vec() });
        datagram = datagram.get((length as usize).next_multiple_of(4)..).unwrap_or_default();
    }
    list
}

/// The attributes in `bytes`, types without their flags.
pub(super) fn attributes(mut bytes: &[u8]) -> Vec<(u16, &[u8])> {
    let mut list = Vec::new();
    while let (Some(length), Some(kind)) = (u16_at(bytes, 0), u16_at(bytes, 2)) {
        let Some(value) = bytes.get(4..length as usize) else { break };
        list.push((kind & TYPE_MASK, value));
        bytes = bytes.get((length as usize).next_multiple_of(4)..).unwrap_or_default();
    }
    list
}

pub(super) fn attribute<'a>(list: &[(u16, &'a [u8])], kind: u16) -> Option<&'a [u8]> {
    list.iter().find(|(k, _)| *k == kind).map(|(_, value)| *value)
}

/// A string without its NUL.
pub(super) fn text_of(value: &[u8]) -> String {
    String::from_utf8_lossy(value.split(|b| *b == 0).next().unwrap_or_default()).into_owned()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// A netlink socket of the network namespace in which it was opened.
pub(super) struct Socket {
    fd: OwnedFd,
    sequence: u32,
    buffer: Vec<u8>,
}

impl Socket {
    /// None is NETLINK_ROUTE, whose number is 0.
    pub(super) fn open(protocol: Option<Protocol>) -> Result<Socket, Errno> {
        let fd = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, protocol)?;
        Ok(Socket { fd, sequence: 0, buffer: vec![0; BUFFER] })
    }

    pub(super) fn next(&mut self) -> u32 {
        self.sequence = self.sequence.wrapping_add(1);
        self.sequence
    }

    /// Sends `datagram` and reads until the request numbered `last` is answered; gives the messages that came. Any refusal
    /// is the error, whichever of a batch it is about.
    pub(super) fn talk(&mut self, datagram: &[u8], last: u32) -> Result<Vec<Reply>, Errno> {
        retry_on_intr(|| rustix::net::send(&self.fd, datagram, SendFlags::empty()))?;
        let mut all = Vec::new();
        loop {
            let (length, _) = retry_on_intr(|| rustix::net::recv(&self.fd, &mut self.buffer[..], RecvFlags::empty()))?;
            if length == 0 {
                return Err(Errno::IO);
            }
            for reply in replies(self.buffer.get(..length).unwrap_or_default()) {
                if !matches!(reply.kind, ERROR | DONE) {
                    all.push(reply);
                    continue;
                }
                // Both carry a negated errno, 0 for success.
                match u32_at(&reply.body, 0).map_or(0, |e| e as i32) {
                    e if e < 0 => return Err(Errno::from_raw_os_error(e.saturating_neg())),
                    _ if reply.sequence == last => return Ok(all),
                    _ => {}
                }
            }
        }
    }

    /// A whole list, asked for again when it changed while it was given.
    pub(super) fn list(&mut self, shown: &str, message: impl Fn() -> Message) -> Result<Vec<Reply>, SysError> {
        let mut all = Vec::new();
        for _ in 0..LIST_ATTEMPTS {
            let sequence = self.next();
            let found = self.talk(&message().numbered(sequence), sequence);
            all = found.map_err(|e| SysError::new("sendto", shown, e.raw_os_error()))?;
            if all.iter().all(|reply| reply.flags & INTERRUPTED == 0) {
                break;
            }
        }
        Ok(all)
    }
}

/// Writes one changing datagram down with the kernel's answer.
pub(super) fn noted(
    calls: &mut Calls,
    socket: &str,
    shown: String,
    answer: Result<usize, Errno>,
) -> Result<(), SysError> {
    calls.saw("sendto", format_args!("{socket}, {shown}"), &shown, answer).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_laid_out_as_the_kernel_reads_it() {
        let bytes = Message::new(16, ACK, &[7; 5])
            .text(3, "eth")
            .nest(18, |m| m.put(1, &[9]).raw(&[8; 4]))
            .numbered(0x01020304);
        let reply = replies(&bytes).pop().expect("one message");
        assert_eq!((reply.kind, reply.flags, reply.sequence), (16, ACK | REQUEST, 0x01020304));
        assert_eq!(&reply.body[..8], [7, 7, 7, 7, 7, 0, 0, 0], "the fixed part is padded");
        let list = attributes(&reply.body[8..]);
        assert_eq!(list, [(3, b"eth\0".as_slice()), (18, &[5, 0, 1, 0, 9, 0, 0, 0, 8, 8, 8, 8])]);
    }

    #[test]
    fn what_is_cut_short_is_not_read() {
        let bytes = Message::new(16, 0, &[1; 16]).text(3, "eth0").numbered(1);
        for length in 0..bytes.len() {
            assert!(replies(&bytes[..length]).is_empty(), "{length} of {} bytes", bytes.len());
        }
        assert!(replies(&[0; 64]).is_empty(), "a length of 0 must not loop");
        assert!(attributes(&[0; 64]).is_empty());
        assert!(attributes(&[9, 0, 1, 0, 5]).is_empty(), "longer than what is there");
    }
}
