//! Talking to the kernel's network over netlink sockets: devices, addresses and routes (rtnetlink(7)).
//!
//! A request is a datagram with a header, a fixed structure and attributes (type, length, value); the kernel works it off
//! within the send and queues its answer, so one `sendto` is one change, done or refused when [`Socket::talk`] returns. A
//! changing request is written down as `sendto(<netlink:route>, RTM_NEWLINK docent0 bridge up)`: the message's type as strace
//! shows it (`nlmsg_type=RTM_NEWLINK`), the object, what was asked of it. Its answer is the number of bytes sent or, negated,
//! the errno of the kernel's acknowledgement, which strace shows in the `recvfrom` that follows. Look-ups (`RTM_GET…`)
//! change nothing and are not written down.

use super::sys::Calls;
use crate::fact::SysError;
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType};
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;

// linux/netlink.h
const ERROR: u16 = 2;
const DONE: u16 = 3;
pub(super) const REQUEST: u16 = 1;
pub(super) const ACK: u16 = 4;
pub(super) const DUMP: u16 = 0x300;
pub(super) const CREATE: u16 = 0x400;
const EXCL: u16 = 0x200;
/// Things changed while a list was being given; it may be incomplete.
const INTERRUPTED: u16 = 0x10;
const NESTED: u16 = 0x8000;
const TYPE_MASK: u16 = 0x3fff;
/// linux/veth.h: the attribute that describes the other end, which libc lacks.
const VETH_INFO_PEER: u16 = 1;

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
    fn raw(mut self, value: &[u8]) -> Message {
        self.0.extend_from_slice(value);
        self.padded()
    }

    fn padded(mut self) -> Message {
        self.0.resize(self.0.len().next_multiple_of(4), 0);
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

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn text_of(value: &[u8]) -> String {
    String::from_utf8_lossy(value.split(|b| *b == 0).next().unwrap_or_default()).into_owned()
}

fn ipv4(value: &[u8]) -> Option<Ipv4Addr> {
    Some(Ipv4Addr::from(<[u8; 4]>::try_from(value).ok()?))
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
    pub(super) fn list(&mut self, message: impl Fn() -> Message) -> Result<Vec<Reply>, Errno> {
        let mut all = Vec::new();
        for _ in 0..LIST_ATTEMPTS {
            let sequence = self.next();
            all = self.talk(&message().numbered(sequence), sequence)?;
            if all.iter().all(|reply| reply.flags & INTERRUPTED == 0) {
                break;
            }
        }
        Ok(all)
    }
}

/// An address range: any address in it, and how many leading bits are fixed.
pub type Subnet = (Ipv4Addr, u8);

/// A network device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub index: u32,
    pub name: String,
    /// `bridge`, `veth`, …; empty for hardware and `lo`.
    pub kind: String,
    pub mac: String,
    pub up: bool,
    /// Index of the bridge that it is a port of, or 0.
    pub master: u32,
}

/// An IPv4 route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// 0.0.0.0/0 for the default route.
    pub to: Subnet,
    pub gateway: Option<Ipv4Addr>,
    /// Index of the device it leads through, or 0.
    pub device: u32,
}

/// Devices, addresses and routes of the network namespace that the caller is in.
pub struct Netlink {
    socket: Socket,
}

impl Netlink {
    pub fn open() -> Result<Netlink, SysError> {
        let socket = Socket::open(None).map_err(|e| SysError::new("socket", "netlink:route", e.raw_os_error()))?;
        Ok(Netlink { socket })
    }

    // ---- look-ups --------------------------------------------------------------------------------------------------

    /// The device of this name, if there is one.
    pub fn link(&mut self, name: &str) -> Result<Option<Link>, SysError> {
        let sequence = self.socket.next();
        let message = Message::new(libc::RTM_GETLINK, ACK, &link_header(0, 0)).text(libc::IFLA_IFNAME, name);
        match self.socket.talk(&message.numbered(sequence), sequence) {
            Ok(found) => Ok(found.iter().find_map(|reply| parse_link(&reply.body))),
            Err(Errno::NODEV) => Ok(None),
            Err(e) => Err(SysError::new("sendto", format!("RTM_GETLINK {name}"), e.raw_os_error())),
        }
    }

    /// The same for a device that must be there.
    pub fn existing(&mut self, name: &str) -> Result<Link, SysError> {
        self.link(name)?.ok_or_else(|| SysError::new("sendto", format!("RTM_GETLINK {name}"), libc::ENODEV))
    }

    /// All IPv4 addresses, each with the index of its device.
    pub fn addresses(&mut self) -> Result<Vec<(u32, Subnet)>, SysError> {
        let list =
            self.list(libc::RTM_GETADDR, "RTM_GETADDR", [libc::AF_INET as u8, 0, 0, 0, 0, 0, 0, 0].as_slice())?;
        Ok(list.iter().filter_map(|reply| parse_address(&reply.body)).collect())
    }

    /// All IPv4 routes of all tables that lead somewhere (no broadcast and multicast entries).
    pub fn routes(&mut self) -> Result<Vec<Route>, SysError> {
        let list = self.list(libc::RTM_GETROUTE, "RTM_GETROUTE", &route_header(0, 0, 0, 0, 0))?;
        Ok(list.iter().filter_map(|reply| parse_route(&reply.body)).collect())
    }

    fn list(&mut self, kind: u16, shown: &str, fixed: &[u8]) -> Result<Vec<Reply>, SysError> {
        self.socket
            .list(|| Message::new(kind, DUMP, fixed))
            .map_err(|e| SysError::new("sendto", shown, e.raw_os_error()))
    }

    // ---- changes ---------------------------------------------------------------------------------------------------

    /// A bridge, up from the start. Its MAC is given, since one left to itself takes its lowest port's, and then every
    /// container that comes or goes makes the neighbours' ARP entries wrong.
    pub fn add_bridge(&mut self, calls: &mut Calls, name: &str, mac: [u8; 6]) -> Result<(), SysError> {
        let message = Message::new(libc::RTM_NEWLINK, CREATE | EXCL, &link_header(0, UP))
            .text(libc::IFLA_IFNAME, name)
            .put(libc::IFLA_ADDRESS, &mac)
            .nest(libc::IFLA_LINKINFO, |m| m.text(libc::IFLA_INFO_KIND, "bridge"));
        self.change(calls, message, format!("RTM_NEWLINK {name} bridge address {} up", colons(mac)))
    }

    /// A veth pair in one request: `host` here, a port of `bridge` and up; `inside` born in the network namespace of `pid`,
    /// never seen on the host, with its MAC.
    pub fn add_veth(
        &mut self,
        calls: &mut Calls,
        host: &str,
        bridge: &Link,
        inside: &str,
        mac: [u8; 6],
        pid: i32,
    ) -> Result<(), SysError> {
        let message = Message::new(libc::RTM_NEWLINK, CREATE | EXCL, &link_header(0, UP))
            .text(libc::IFLA_IFNAME, host)
            .put(libc::IFLA_MASTER, &bridge.index.to_ne_bytes())
            .nest(libc::IFLA_LINKINFO, |m| {
                m.text(libc::IFLA_INFO_KIND, "veth").nest(libc::IFLA_INFO_DATA, |m| {
                    m.nest(VETH_INFO_PEER, |m| {
                        m.raw(&link_header(0, 0))
                            .text(libc::IFLA_IFNAME, inside)
                            .put(libc::IFLA_ADDRESS, &mac)
                            .put(libc::IFLA_NET_NS_PID, &pid.to_ne_bytes())
                    })
                })
            });
        let shown = format!(
            "RTM_NEWLINK {host} veth master {} up peer {inside} netns {pid} address {}",
            bridge.name,
            colons(mac)
        );
        self.change(calls, message, shown)
    }

    pub fn up(&mut self, calls: &mut Calls, link: &Link) -> Result<(), SysError> {
        let message = Message::new(libc::RTM_NEWLINK, 0, &link_header(link.index, UP));
        self.change(calls, message, format!("RTM_NEWLINK {} up", link.name))
    }

    pub fn add_address(&mut self, calls: &mut Calls, link: &Link, subnet: Subnet) -> Result<(), SysError> {
        let message = address_message(libc::RTM_NEWADDR, CREATE | EXCL, link, subnet);
        self.change(calls, message, format!("RTM_NEWADDR {} {}/{}", link.name, subnet.0, subnet.1))
    }

    pub fn delete_address(&mut self, calls: &mut Calls, link: &Link, subnet: Subnet) -> Result<(), SysError> {
        let message = address_message(libc::RTM_DELADDR, 0, link, subnet);
        self.change(calls, message, format!("RTM_DELADDR {} {}/{}", link.name, subnet.0, subnet.1))
    }

    pub fn add_default_route(&mut self, calls: &mut Calls, link: &Link, gateway: Ipv4Addr) -> Result<(), SysError> {
        let header =
            route_header(0, libc::RT_TABLE_MAIN, libc::RTPROT_BOOT, libc::RT_SCOPE_UNIVERSE, libc::RTN_UNICAST);
        let message = Message::new(libc::RTM_NEWROUTE, CREATE | EXCL, &header)
            .put(libc::RTA_GATEWAY, &gateway.octets())
            .put(libc::RTA_OIF, &link.index.to_ne_bytes());
        self.change(calls, message, format!("RTM_NEWROUTE default via {gateway} dev {}", link.name))
    }

    /// Deletes a device; of a veth pair both ends go.
    pub fn delete_link(&mut self, calls: &mut Calls, link: &Link) -> Result<(), SysError> {
        let message = Message::new(libc::RTM_DELLINK, 0, &link_header(link.index, 0));
        self.change(calls, message, format!("RTM_DELLINK {}", link.name))
    }

    fn change(&mut self, calls: &mut Calls, mut message: Message, shown: String) -> Result<(), SysError> {
        if let Some(flags) = u16_at(&message.0, 6) {
            message.0.splice(6..8, (flags | ACK).to_ne_bytes());
        }
        let sequence = self.socket.next();
        let datagram = message.numbered(sequence);
        let answer = self.socket.talk(&datagram, sequence).map(|_| datagram.len());
        noted(calls, "<netlink:route>", shown, answer)
    }
}

/// Writes one changing datagram down with the kernel's answer.
pub(super) fn noted(
    calls: &mut Calls,
    socket: &str,
    shown: String,
    answer: Result<usize, Errno>,
) -> Result<(), SysError> {
    let ret = answer.map_or_else(|e| -(e.raw_os_error() as i64), |sent| sent as i64);
    calls.note("sendto", format!("{socket}, {shown}"), ret);
    answer.map(drop).map_err(|e| SysError::new("sendto", shown, e.raw_os_error()))
}

/// `02:42:ac:1e:00:02`
pub fn colons(mac: [u8; 6]) -> String {
    mac.map(|b| format!("{b:02x}")).join(":")
}

const UP: u32 = libc::IFF_UP as u32;

/// `struct ifinfomsg`: family, device type, index, flags, and which of them to change.
fn link_header(index: u32, flags: u32) -> [u8; 16] {
    let mut header = [0; 16];
    let words = [0, index, flags, flags];
    for (place, word) in header.chunks_exact_mut(4).zip(words) {
        place.copy_from_slice(&word.to_ne_bytes());
    }
    header
}

/// `struct rtmsg`
fn route_header(prefix: u8, table: u8, protocol: u8, scope: u8, kind: u8) -> [u8; 12] {
    [libc::AF_INET as u8, prefix, 0, 0, table, protocol, scope, kind, 0, 0, 0, 0]
}

/// `struct ifaddrmsg`, the address, and the broadcast address that goes with it.
fn address_message(kind: u16, flags: u16, link: &Link, (address, prefix): Subnet) -> Message {
    let mut header = vec![libc::AF_INET as u8, prefix, 0, libc::RT_SCOPE_UNIVERSE];
    header.extend_from_slice(&link.index.to_ne_bytes());
    let hosts = u32::MAX.checked_shr(prefix.into()).unwrap_or(0);
    let broadcast = Ipv4Addr::from_bits(address.to_bits() | hosts);
    Message::new(kind, flags, &header)
        .put(libc::IFA_LOCAL, &address.octets())
        .put(libc::IFA_ADDRESS, &address.octets())
        .put(libc::IFA_BROADCAST, &broadcast.octets())
}

fn parse_link(body: &[u8]) -> Option<Link> {
    let list = attributes(body.get(16..)?);
    let kind = attribute(&list, libc::IFLA_LINKINFO)
        .and_then(|info| attribute(&attributes(info), libc::IFLA_INFO_KIND).map(text_of));
    let mac = attribute(&list, libc::IFLA_ADDRESS).and_then(|m| <[u8; 6]>::try_from(m).ok());
    Some(Link {
        index: u32_at(body, 4)?,
        name: text_of(attribute(&list, libc::IFLA_IFNAME)?),
        kind: kind.unwrap_or_default(),
        mac: mac.map(colons).unwrap_or_default(),
        up: u32_at(body, 8)? & UP != 0,
        master: attribute(&list, libc::IFLA_MASTER).and_then(|m| u32_at(m, 0)).unwrap_or(0),
    })
}

fn parse_address(body: &[u8]) -> Option<(u32, Subnet)> {
    let list = attributes(body.get(8..)?);
    // On a point-to-point link IFA_ADDRESS is the other end; IFA_LOCAL is always ours.
    let local = attribute(&list, libc::IFA_LOCAL).or_else(|| attribute(&list, libc::IFA_ADDRESS))?;
    Some((u32_at(body, 4)?, (ipv4(local)?, *body.get(1)?)))
}

fn parse_route(body: &[u8]) -> Option<Route> {
    let list = attributes(body.get(12..)?);
    if matches!(*body.get(7)?, libc::RTN_BROADCAST | libc::RTN_MULTICAST) {
        return None;
    }
    let to = match attribute(&list, libc::RTA_DST) {
        Some(to) => ipv4(to)?,
        None => Ipv4Addr::UNSPECIFIED,
    };
    Some(Route {
        to: (to, *body.get(1)?),
        gateway: attribute(&list, libc::RTA_GATEWAY).and_then(ipv4),
        device: attribute(&list, libc::RTA_OIF).and_then(|d| u32_at(d, 0)).unwrap_or(0),
    })
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
