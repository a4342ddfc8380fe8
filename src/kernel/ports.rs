//! Listening sockets for published ports. Whoever holds them (the container's monitor) passes connections on.
//!
//! No host address means all addresses, IPv4 and IPv6, as two sockets with the same number. A host without IPv6 has
//! the one. Only TCP: a caller that was asked for another protocol says so before it comes here.

use super::sys::{self, Calls};
use crate::event::{Deed, Expect, Fact, Holds, Receipt, SysError};
use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, sockopt};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::path::PathBuf;

/// As many connections wait for the monitor as Go's and Docker's proxies let wait.
const BACKLOG: i32 = 1024;
/// How often the kernel is asked for a number that is free in both families.
const FREE_ATTEMPTS: usize = 16;

/// A listening socket and the address it is bound to.
pub type Listener = (OwnedFd, SocketAddr);

/// Binds and listens, to pass on to `to`, the container's address and port. No port: the kernel chooses the number.
///
/// Errors: what bind and listen say (EADDRINUSE, EADDRNOTAVAIL, EACCES).
pub fn bind(
    container: &str,
    host_ip: Option<IpAddr>,
    port: Option<u16>,
    to: SocketAddrV4,
) -> Result<Deed<Vec<Listener>>, SysError> {
    let shown = host_ip.map(|ip| ip.to_string());
    let port = port.unwrap_or(0);
    let mut bound: Vec<String> = Vec::new();
    let deed = sys::deed(|calls| {
        let listeners = match host_ip {
            None => bind_all(calls, port)?,
            Some(ip) => vec![listen(calls, SocketAddr::new(ip, port))?],
        };
        let fact = Fact::Published {
            host_ip: shown.clone(),
            host_port: listeners.first().map(|(_, address)| address.port()),
            address: Some(to.ip().to_string()),
            port: to.port(),
            proto: "tcp".into(),
        };
        bound = listeners.iter().map(|(_, address)| address.to_string()).collect();
        Ok((listeners, fact))
    })?;
    let Fact::Published { host_port: Some(host_port), .. } = deed.event().fact else { return Ok(deed) };
    let subject = format!("port:{container}:{}", bound.join(","));
    let evidence = format!("getsockname: {}", bound.join(" "));
    // Nobody else's listener counts, at whatever address: the process that holds the socket is named.
    let (pid, own) = (std::process::id(), super::process::proc_file("/proc/self/comm").unwrap_or_default());
    let own = own.trim();
    let listens = |address: &String| {
        let from_all = if address.starts_with('[') { "[::]:*" } else { "0.0.0.0:*" };
        Expect::Contains(format!("{address} {from_all} users:((\"{own}\",pid={pid},"))
    };
    let receipt = Receipt::about(subject, Holds::WhileRunning(container.into()), evidence).with("ss").as_root();
    let look = ["ss", "-Hltnp", &format!("sport = :{host_port}")];
    Ok(deed.with_receipt(bound.iter().fold(receipt, |receipt, address| receipt.by(look, listens(address)))))
}

/// Whether somebody listens at this address and port, as far as a look shows (proc_net(5)); who only binds is not seen. One who
/// listens at all addresses of IPv6 has those of IPv4 too, as long as nobody has asked for IPv6 alone (ipv6(7)).
pub fn taken(host_ip: Option<IpAddr>, port: u16) -> bool {
    !listeners(host_ip, port).is_empty()
}

/// Who that is, by pid and name, where it can be seen: another pid or network namespace hides it.
pub fn holder(host_ip: Option<IpAddr>, port: u16) -> Option<(i32, String)> {
    let sockets: Vec<PathBuf> =
        listeners(host_ip, port).into_iter().map(|inode| format!("socket:[{inode}]").into()).collect();
    let numbers =
        std::fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let pid = numbers.filter(|_| !sockets.is_empty()).find(|pid: &i32| {
        let fds = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        fds.filter_map(|fd| std::fs::read_link(fd.path()).ok()).any(|to| sockets.contains(&to))
    })?;
    Some((pid, std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?.trim().to_string()))
}

/// The inodes of the sockets that listen there.
fn listeners(host_ip: Option<IpAddr>, port: u16) -> Vec<u64> {
    let in_the_way = |ip: IpAddr| match host_ip {
        None => true,
        Some(own) if own.is_ipv4() == ip.is_ipv4() => own == ip || own.is_unspecified() || ip.is_unspecified(),
        Some(own) => own.is_ipv4() && ip.is_unspecified(),
    };
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|table| std::fs::read_to_string(table).unwrap_or_default());
    tables
        .iter()
        .flat_map(|table| table.lines())
        .filter_map(listening)
        .filter(|(ip, number, _)| *number == port && in_the_way(*ip))
        .map(|(_, _, inode)| inode)
        .collect()
}

/// Whether two that are bound here to one number are in each other's way. A socket of IPv6 is for IPv6 alone here.
pub fn clash(one: Option<IpAddr>, other: Option<IpAddr>) -> bool {
    let Some((one, other)) = one.zip(other) else { return true };
    one.is_ipv4() == other.is_ipv4() && (one == other || one.is_unspecified() || other.is_unspecified())
}

/// The address and the inode of a line whose socket listens (state 0A). Addresses stand there as the machine's own 32-bit words.
fn listening(line: &str) -> Option<(IpAddr, u16, u64)> {
    let mut fields = line.split_whitespace();
    let (local, state) = (fields.nth(1)?, fields.nth(1)?);
    let inode = fields.nth(5)?.parse().ok()?;
    let (ip, port) = local.split_once(':').filter(|_| state == "0A")?;
    let words: Vec<u8> = (0..ip.len() / 8)
        .filter_map(|n| u32::from_str_radix(ip.get(n * 8..n * 8 + 8)?, 16).ok())
        .flat_map(u32::to_ne_bytes)
        .collect();
    let ip = match <[u8; 4]>::try_from(words.as_slice()) {
        Ok(four) => IpAddr::from(four),
        Err(_) => IpAddr::from(<[u8; 16]>::try_from(words.as_slice()).ok()?),
    };
    Some((ip, u16::from_str_radix(port, 16).ok()?, inode))
}

/// Both families. A number that the kernel chose for the first may be taken in the second: then it chooses again.
fn bind_all(calls: &mut Calls, port: u16) -> Result<Vec<Listener>, SysError> {
    let mut attempts = 1..=FREE_ATTEMPTS;
    loop {
        let first = listen(calls, (Ipv4Addr::UNSPECIFIED, port).into())?;
        let number = first.1.port();
        match listen(calls, (Ipv6Addr::UNSPECIFIED, number).into()) {
            Ok(second) => return Ok(vec![first, second]),
            // No IPv6 in this kernel; or switched off, so that it has no addresses.
            Err(e) if matches!(e.errno, libc::EAFNOSUPPORT | libc::EADDRNOTAVAIL) => return Ok(vec![first]),
            Err(e) if port == 0 && e.errno == libc::EADDRINUSE && attempts.next().is_some() => {}
            Err(e) => return Err(e),
        }
    }
}

fn listen(calls: &mut Calls, address: SocketAddr) -> Result<Listener, SysError> {
    let object = address.to_string();
    let failed = |call: &str, e: rustix::io::Errno| SysError::new(call, object.clone(), e.raw_os_error());
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let fd = rustix::net::socket_with(family, SocketType::STREAM, flags, Some(ipproto::TCP))
        .map_err(|e| failed("socket", e))?;
    // Connections of a container that has just stopped linger in TIME_WAIT; they must not keep its port from the next.
    sockopt::set_socket_reuseaddr(&fd, true).map_err(|e| failed("setsockopt", e))?;
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&fd, true).map_err(|e| failed("setsockopt", e))?;
    }
    calls.saw("bind", format_args!("<tcp>, {}", shown(address)), &object, rustix::net::bind(&fd, &address))?;
    let bound = rustix::net::getsockname(&fd).and_then(SocketAddr::try_from).map_err(|e| failed("getsockname", e))?;
    calls.saw("listen", format_args!("<tcp:{bound}>, {BACKLOG}"), &object, rustix::net::listen(&fd, BACKLOG))?;
    Ok((fd, bound))
}

/// An address as strace prints it.
fn shown(address: SocketAddr) -> String {
    let port = address.port();
    match address {
        SocketAddr::V4(v4) => {
            format!("{{sa_family=AF_INET, sin_port=htons({port}), sin_addr=inet_addr(\"{}\")}}, 16", v4.ip())
        }
        SocketAddr::V6(v6) => format!(
            "{{sa_family=AF_INET6, sin6_port=htons({port}), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, \"{}\", \
             &sin6_addr), sin6_scope_id={}}}, 28",
            v6.ip(),
            v6.scope_id()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Story;

    const HERE: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));

    fn to() -> SocketAddrV4 {
        SocketAddrV4::new(Ipv4Addr::new(172, 30, 0, 2), 80)
    }

    #[test]
    fn two_addresses_clash_where_the_kernel_says_so() {
        let addresses = ["127.0.0.1", "127.0.0.2", "0.0.0.0", "::1", "::"].map(|ip| ip.parse().ok());
        let all = || addresses.into_iter().chain([None]);
        for (one, other) in all().flat_map(|one| all().map(move |other| (one, other))) {
            let Ok(first) = bind("a", one, None, to()) else { continue };
            let first = first.tell(&mut Story::new());
            let second = bind("b", other, Some(first[0].1.port()), to());
            let said = second.map(|deed| drop(deed.tell(&mut Story::new()))).map_err(|e| e.errno);
            // A host without IPv6 has none of its addresses to bind to.
            if !matches!(said, Err(libc::EAFNOSUPPORT | libc::EADDRNOTAVAIL)) {
                assert_eq!(said == Err(libc::EADDRINUSE), clash(one, other), "{one:?} and {other:?}: {said:?}");
            }
        }
    }

    #[test]
    fn the_evidence_is_what_getsockname_says_of_each_socket() {
        for (ip, addresses) in [(HERE, &["127.0.0.1"][..]), (None, &["0.0.0.0", "[::]"])] {
            let deed = bind("a", ip, None, to()).expect("bind");
            let evidence = deed.event().receipt.clone().expect("a receipt").evidence;
            let listeners = deed.tell(&mut Story::new());
            let read: Vec<String> = listeners
                .iter()
                .map(|(fd, _)| rustix::net::getsockname(fd).and_then(SocketAddr::try_from).unwrap().to_string())
                .collect();
            assert_eq!(evidence, format!("getsockname: {}", read.join(" ")));
            assert!(addresses.iter().take(read.len()).all(|address| evidence.contains(address)), "{evidence}");
        }
    }

    #[test]
    fn a_taken_port_is_refused_and_the_tries_are_told() {
        let first = bind("a", HERE, None, to()).expect("bind").tell(&mut Story::new());
        let port = first[0].1.port();
        let refused = bind("b", HERE, Some(port), to()).expect_err("taken");
        assert_eq!(refused.errno, libc::EADDRINUSE);
        assert!(refused.calls.last().is_some_and(|call| call.failed()));
        drop(first);
        bind("b", HERE, Some(port), to()).expect("free again").tell(&mut Story::new());
    }
}
