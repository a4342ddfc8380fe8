//! Devices, addresses and routes of a network namespace (rtnetlink(7)).
//!
//! One `sendto` is one change. It is written down as `sendto(<netlink:route>, RTM_NEWLINK docent0 bridge up)`: the message's
//! type as strace shows it (`nlmsg_type=RTM_NEWLINK`), the object, what was asked of it. Its answer is the number of bytes
//! sent or, negated, the errno of the kernel's acknowledgement, which strace shows in the `recvfrom` that follows. Look-ups
//! (`RTM_GET…`) change nothing and are not written down.

use super::netlink_wire::{ACK, CREATE, DUMP, EXCL, Message, Socket, attribute, attributes, noted, text_of, u32_at};
use super::sys::Calls;
use crate::event::SysError;
use rustix::io::Errno;
use std::net::Ipv4Addr;

/// linux/veth.h: the attribute that describes the other end, which libc lacks.
const VETH_INFO_PEER: u16 = 1;

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
    /// What somebody has written to it (`ip link set … alias`), or empty.
    pub alias: String,
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

    /// All bridges.
    pub fn bridges(&mut self) -> Result<Vec<Link>, SysError> {
        let message = || {
            Message::new(libc::RTM_GETLINK, DUMP, &link_header(0, 0))
                .nest(libc::IFLA_LINKINFO, |m| m.text(libc::IFLA_INFO_KIND, "bridge"))
        };
        let list = self.socket.list("RTM_GETLINK", message)?;
        // A kernel that knows no such filter gives them all.
        Ok(list.iter().filter_map(|reply| parse_link(&reply.body)).filter(|link| link.kind == "bridge").collect())
    }

    /// Names of a bridge's ports.
    pub fn ports(&mut self, bridge: &Link) -> Result<Vec<String>, SysError> {
        let message = || {
            Message::new(libc::RTM_GETLINK, DUMP, &link_header(0, 0))
                .put(libc::IFLA_MASTER, &bridge.index.to_ne_bytes())
        };
        let list = self.socket.list("RTM_GETLINK", message)?;
        let links = list.iter().filter_map(|reply| parse_link(&reply.body));
        Ok(links.filter(|link| link.master == bridge.index).map(|link| link.name).collect())
    }

    /// All IPv4 addresses, each with the index of its device.
    pub fn addresses(&mut self) -> Result<Vec<(u32, Subnet)>, SysError> {
        let message = || Message::new(libc::RTM_GETADDR, DUMP, &[libc::AF_INET as u8, 0, 0, 0, 0, 0, 0, 0]);
        let list = self.socket.list("RTM_GETADDR", message)?;
        Ok(list.iter().filter_map(|reply| parse_address(&reply.body)).collect())
    }

    /// All IPv4 routes of all tables that lead somewhere (no broadcast and multicast entries).
    pub fn routes(&mut self) -> Result<Vec<Route>, SysError> {
        let message = || Message::new(libc::RTM_GETROUTE, DUMP, &route_header(0, 0, 0, 0, 0));
        let list = self.socket.list("RTM_GETROUTE", message)?;
        Ok(list.iter().filter_map(|reply| parse_route(&reply.body)).collect())
    }

    // ---- changes ---------------------------------------------------------------------------------------------------

    /// A bridge, not yet up. Its MAC is given, since one left to itself takes its lowest port's, and then every container
    /// that comes or goes makes the neighbours' ARP entries wrong.
    pub fn add_bridge(&mut self, calls: &mut Calls, name: &str, mac: [u8; 6]) -> Result<(), SysError> {
        let message = Message::new(libc::RTM_NEWLINK, CREATE | EXCL, &link_header(0, 0))
            .text(libc::IFLA_IFNAME, name)
            .put(libc::IFLA_ADDRESS, &mac)
            .nest(libc::IFLA_LINKINFO, |m| m.text(libc::IFLA_INFO_KIND, "bridge"));
        self.change(calls, message, format!("RTM_NEWLINK {name} bridge address {}", colons(mac)))
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

    /// Writes a text of at most 255 bytes to a device, which keeps it as long as it is there.
    pub fn alias(&mut self, calls: &mut Calls, link: &Link, text: &str) -> Result<(), SysError> {
        let message =
            Message::new(libc::RTM_NEWLINK, 0, &link_header(link.index, 0)).put(libc::IFLA_IFALIAS, text.as_bytes());
        self.change(calls, message, format!("RTM_NEWLINK {} alias {text:?}", link.name))
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

    fn change(&mut self, calls: &mut Calls, message: Message, shown: String) -> Result<(), SysError> {
        let sequence = self.socket.next();
        let datagram = message.acknowledged().numbered(sequence);
        let answer = self.socket.talk(&datagram, sequence).map(|_| datagram.len());
        noted(calls, "<netlink:route>", shown, answer)
    }
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

fn ipv4(value: &[u8]) -> Option<Ipv4Addr> {
    Some(Ipv4Addr::from(<[u8; 4]>::try_from(value).ok()?))
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
        alias: attribute(&list, libc::IFLA_IFALIAS).map(text_of).unwrap_or_default(),
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
