//! The network of containers: one bridge per root, a veth pair per container, and NAT for the way out.
//!
//! ```text
//!   container's network namespace  |  host
//!   eth0 172.30.0.2/16  ───────────|── veth1f2e… ── docent0 172.30.0.1/16 ── ip_forward, masquerade ── outside
//! ```
//!
//! [`ensure`] makes what belongs to the root and [`attach_veth`] reaches into the namespace from outside; [`inside`] is the
//! container's own process, before it has a root file system. The kernel removes the pair with the namespace; the bridge
//! stays, as docker0 does. Nothing else on the host is changed: no device, rule or setting that docent did not make, but
//! for `net.ipv4.ip_forward`, which is switched on, guarded ([`super::firewall`]), and told.

use super::{firewall, ownership, subnet};
use crate::container::{ContainerId, Endpoint};
use crate::event::{Deed, Event, Expect, Fact, Fault, Holds, Receipt, Story, SysError};
use crate::kernel::files;
use crate::kernel::netlink::{Link, Netlink, Subnet, colons};
use crate::kernel::nft_rule::network;
use crate::kernel::process;
use crate::kernel::sys::{self, Calls};
use crate::store::Store;
use std::net::Ipv4Addr;
use std::path::Path;

/// The name of every container's own device.
pub const INSIDE: &str = "eth0";

/// The bridge as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    pub bridge: String,
    /// First address and length of the prefix.
    pub subnet: Subnet,
    /// The bridge's own address.
    pub gateway: Ipv4Addr,
    /// Containers reach the outside.
    pub nat: bool,
}

// ---- for the whole root --------------------------------------------------------------------------------------------

/// Makes the bridge, its filter, NAT and ip_forward where they are missing. The caller holds the store lock.
pub fn ensure(store: &Store, story: &mut Story) -> Result<Network, Fault> {
    let bridge = subnet::bridge_name(store.root());
    let address = ensure_bridge(store, &bridge, story)?;
    let mark = ownership::mark(store);
    let nat = firewall::ensure(&bridge, address, &mark, story);
    Ok(Network { bridge, subnet: (network(address), address.1), gateway: address.0, nat })
}

/// What [`ensure`] would tell, and the address that [`lease`] would give, as far as a look shows. A forecast changes nothing,
/// and what cannot be looked at counts as missing.
pub fn forecast(store: &Store, container_id: &ContainerId) -> Result<(Vec<Fact>, Option<Endpoint>), Fault> {
    let bridge = subnet::bridge_name(store.root());
    let there = Netlink::open().and_then(|mut net| match settled(&mut net, &bridge, store)? {
        Some((_, address)) => Ok((address, true)),
        None => Ok((subnet::choose(&taken(&mut net, 0)?, subnet::remembered(store), 0)?, false)),
    });
    let Ok((address, reused)) = there else {
        return Ok((vec![Fact::Bridge { name: None, address: None, ipv6_off: true }], None));
    };
    let fact = if reused {
        Fact::BridgeReused { name: bridge.clone(), address: shown(address) }
    } else {
        Fact::Bridge { name: Some(bridge.clone()), address: Some(shown(address)), ipv6_off: true }
    };
    let facts = [fact].into_iter().chain(firewall::forecast(&bridge, address)).collect();
    let network = Network { bridge, subnet: (network(address), address.1), gateway: address.0, nat: true };
    Ok((facts, Some(lease(&network, container_id, &in_use(store, container_id)?)?)))
}

/// Addresses of the store's other containers that live.
pub fn in_use(store: &Store, container_id: &ContainerId) -> Result<Vec<Ipv4Addr>, Fault> {
    let (whole, damaged) = store.all_containers()?;
    let others = whole.into_iter().filter(|c| c.id != *container_id);
    let known = others.filter_map(|c| Some(c.state.life()?.endpoint.as_ref()?.address));
    Ok(known.chain(damaged.iter().flat_map(|d| addresses_of(store, &d.id))).collect())
}

/// Removes the bridge of this name; None when there is none.
pub fn remove_bridge(name: &str) -> Result<Option<Deed<()>>, SysError> {
    let mut net = Netlink::open()?;
    let Some(link) = net.link(name)?.filter(|link| link.kind == BRIDGE) else { return Ok(None) };
    proven(|calls| {
        unless_gone(net.delete_link(calls, &link))?;
        Ok(((), Fact::BridgeRemoved { name: name.into() }, gone_receipt(&mut net, BRIDGE, name)?))
    })
    .map(Some)
}

/// Whether there is a bridge of this name.
pub fn has_bridge(name: &str) -> bool {
    Netlink::open().and_then(|mut net| net.link(name)).is_ok_and(|link| link.is_some_and(|link| link.kind == BRIDGE))
}

/// The bridge and its address, if nothing is missing of it.
fn settled(net: &mut Netlink, bridge: &str, store: &Store) -> Result<Option<(Link, Subnet)>, SysError> {
    let marked = |link: &Link| ownership::is_mark(&link.alias) || ownership::mark(store).is_empty();
    let whole =
        |link: &Link| link.up && marked(link) && link.kind == BRIDGE && without_ipv6(bridge).all(|(p, v)| holds(&p, v));
    let Some(link) = net.link(bridge)?.filter(whole) else { return Ok(None) };
    Ok(address_of(net, &link)?.map(|address| (link, address)))
}

/// Gives the bridge's address; makes or completes it where something is missing.
fn ensure_bridge(store: &Store, bridge: &str, story: &mut Story) -> Result<Subnet, Fault> {
    let step = |error| Fault::step("bridge", error);
    let mut net = Netlink::open().map_err(step)?;
    if let Some((link, address)) = settled(&mut net, bridge, store).map_err(step)? {
        let fact = Fact::BridgeReused { name: bridge.into(), address: shown(address) };
        story.tell(Event { receipt: Some(bridge_receipt(&link, address)), ..Event::of(fact, Vec::new()) });
        return Ok(address);
    }
    let made = proven(|calls| {
        let address = make_bridge(calls, &mut net, bridge, store)?;
        let receipt = bridge_receipt(&net.existing(bridge)?, address);
        Ok((
            address,
            Fact::Bridge { name: Some(bridge.into()), address: Some(shown(address)), ipv6_off: true },
            receipt,
        ))
    });
    let meant = Fact::Bridge { name: Some(bridge.into()), address: None, ipv6_off: false };
    Deed::tell_either(made, meant, story).map_err(|error| match error.errno {
        libc::EADDRNOTAVAIL => Fault::NoFreeAddress { subnet: error.object },
        _ => step(error),
    })
}

/// What is missing of the bridge. Another command may be at the same thing: what it has made already counts as made.
fn make_bridge(calls: &mut Calls, net: &mut Netlink, bridge: &str, store: &Store) -> Result<Subnet, SysError> {
    let remembered = subnet::remembered(store);
    let link = match net.link(bridge)? {
        Some(link) => link,
        None => {
            let first = subnet::choose(&taken(net, 0)?, remembered, 0)?;
            unless_there(net.add_bridge(calls, bridge, mac_of(first.0)))?;
            net.existing(bridge)?
        }
    };
    if link.kind != BRIDGE {
        return Err(SysError::new("sendto", format!("RTM_NEWLINK {bridge} bridge"), libc::EEXIST));
    }
    for (path, value) in without_ipv6(bridge).filter(|(path, value)| !holds(path, value)) {
        files::put(calls, Path::new(&path), value)?;
    }
    let mark = ownership::mark(store);
    if !ownership::is_mark(&link.alias) && !mark.is_empty() {
        net.alias(calls, &link, &mark)?;
    }
    if !link.up {
        net.up(calls, &link)?;
    }
    if let Some(address) = address_of(net, &link)? {
        return Ok(address);
    }
    // Commands of another root hold another lock, and the kernel lets two devices have one subnet. So the address is set
    // and the neighbours are looked at again: whoever sees somebody else in the same place withdraws, and tries elsewhere.
    let seed = bridge.bytes().fold(0, |sum: usize, b| sum + usize::from(b));
    for attempt in 0..subnet::ATTEMPTS {
        let address = subnet::choose(&taken(net, link.index)?, remembered, attempt * (1 + seed % 7))?;
        unless_there(net.add_address(calls, &link, address))?;
        if !taken(net, link.index)?.iter().any(|other| subnet::overlap(*other, address)) {
            if remembered != Some(address) {
                subnet::remember(calls, store, address)?;
            }
            return Ok(address);
        }
        net.delete_address(calls, &link, address)?;
    }
    Err(subnet::exhausted())
}

/// What keeps the host from listening to a container that says it is a router (CVE-2020-13401): the kernel takes router
/// advertisements on every device with IPv6, and docent's network is IPv4. Set before the bridge is up.
fn without_ipv6(bridge: &str) -> impl Iterator<Item = (String, &'static str)> {
    [("disable_ipv6", "1"), ("accept_ra", "0")]
        .into_iter()
        .map(move |(name, value)| (format!("/proc/sys/net/ipv6/conf/{bridge}/{name}"), value))
}

/// A kernel without IPv6 has no such setting, and needs none.
fn holds(path: &str, value: &str) -> bool {
    match std::fs::read_to_string(path) {
        Ok(now) => now.trim() == value,
        Err(_) => !Path::new("/proc/sys/net/ipv6").exists(),
    }
}

/// Addresses and routes of this host but for those of one device.
fn taken(net: &mut Netlink, but: u32) -> Result<Vec<Subnet>, SysError> {
    let addresses = net.addresses()?.into_iter();
    // The default route leads everywhere and takes nothing: what is more specific goes before it.
    let routes = net.routes()?.into_iter().map(|route| (route.device, route.to)).filter(|(_, to)| to.1 > 0);
    Ok(addresses.chain(routes).filter(|(device, _)| *device != but || but == 0).map(|(_, subnet)| subnet).collect())
}

fn bridge_receipt(link: &Link, address: Subnet) -> Receipt {
    let evidence = format!("{}: {}, {} {}", link.index, link.name, link.mac, shown(address));
    let mut receipt = Receipt::about(format!("bridge:{}", link.name), Holds::UntilReboot, evidence)
        .by(
            ["ip", "-d", "-o", "link", "show", "dev", &link.name],
            Expect::Contains(format!("link/ether {} ", link.mac)),
        )
        .by(
            ["ip", "-o", "-4", "addr", "show", "dev", &link.name],
            Expect::Contains(format!("{} inet {} ", link.name, shown(address))),
        )
        .with("ip");
    for (path, value) in without_ipv6(&link.name).filter(|(path, _)| Path::new(path).exists()) {
        receipt = receipt.by(["cat", &path], Expect::Equals(value.into()));
    }
    receipt
}

/// That a device is there no more.
fn gone_receipt(net: &mut Netlink, kind: &str, name: &str) -> Result<Receipt, SysError> {
    let evidence = format!("{name}: {}", if net.link(name)?.is_none() { "ENODEV" } else { "there" });
    let receipt = Receipt::about(format!("{kind}:{name}"), Holds::UntilReboot, evidence).with("ip");
    let says = "does not exist".into();
    Ok(receipt.by(["ip", "-o", "link", "show", "dev", name], Expect::Fails { status: 1, says }))
}

// ---- for one container ---------------------------------------------------------------------------------------------

/// The first free address. `in_use` are those of live containers; the caller holds the store lock until the container's
/// state names its own.
pub fn lease(network: &Network, container_id: &ContainerId, in_use: &[Ipv4Addr]) -> Result<Endpoint, Fault> {
    let address = subnet::first_free(network.subnet, network.gateway, in_use)
        .ok_or_else(|| Fault::NoFreeAddress { subnet: shown(network.subnet) })?;
    Ok(Endpoint {
        bridge: network.bridge.clone(),
        address,
        prefix: network.subnet.1,
        gateway: network.gateway,
        mac: colons(mac_of(address)),
        veth: veth(container_id),
    })
}

/// The host's end of a container's pair. A device's name holds 15 characters: 11 hex digits tell 17 million million
/// containers apart.
pub fn veth(container_id: &ContainerId) -> String {
    format!("veth{}", container_id.chars().take(11).collect::<String>())
}

/// The addresses that a container has as the kernel says, for one whose files do not.
pub fn addresses_of(store: &Store, container_id: &ContainerId) -> Vec<Ipv4Addr> {
    let processes = store.group(container_id).map(|group| group.processes()).unwrap_or_default();
    processes.into_iter().map(process::addresses).find(|found| !found.is_empty()).unwrap_or_default()
}

/// From outside: the pair, its host's end up and in the bridge, its other end born as `eth0` in the namespace of `pid`.
///
/// `pid` must be a child that has not been reaped, so that its number is nobody else's.
pub fn attach_veth(container: &str, endpoint: &Endpoint, pid: i32) -> Result<Deed<()>, SysError> {
    let mut net = Netlink::open()?;
    let bridge = net.existing(&endpoint.bridge)?;
    let mac = mac_of(endpoint.address);
    proven(|calls| {
        let made = net.add_veth(calls, &endpoint.veth, &bridge, INSIDE, mac, pid);
        // The kernel takes a namespace down behind our back: after a quick restart the pair of the container's last run
        // may still be there. Its name is the container's own, so a veth of that name is nobody else's.
        match made {
            Err(e) if e.errno == libc::EEXIST => {
                if let Some(old) = net.link(&endpoint.veth)? {
                    if old.kind != VETH {
                        return Err(e);
                    }
                    unless_gone(net.delete_link(calls, &old))?;
                }
                net.add_veth(calls, &endpoint.veth, &bridge, INSIDE, mac, pid)?;
            }
            other => other?,
        }
        let link = net.existing(&endpoint.veth)?;
        let fact = Fact::Veth {
            host: Some(endpoint.veth.clone()),
            inside: INSIDE.into(),
            bridge: Some(endpoint.bridge.clone()),
        };
        let evidence = format!("{}: {} master {} ({})", link.index, link.name, link.master, bridge.name);
        let proof = ["ip", "-o", "link", "show", "dev", &endpoint.veth];
        let receipt =
            Receipt::about(format!("veth:{}", endpoint.veth), Holds::WhileRunning(container.into()), evidence)
                .by(proof, Expect::Contains(format!("master {} ", endpoint.bridge)))
                .with("ip");
        Ok(((), fact, receipt))
    })
}

/// From inside, in the new network namespace and before there is a root: address, `eth0` up, default route.
pub fn inside(container: &str, endpoint: &Endpoint, story: &mut Story) -> Result<(), SysError> {
    let mut net = Netlink::open()?;
    let seen = Seen::new(Some(container));
    let own = net.existing(INSIDE)?;
    let [address, route] = forecast_inside(Some(endpoint));
    let set = proven(|calls| {
        net.add_address(calls, &own, (endpoint.address, endpoint.prefix))?;
        net.up(calls, &own)?;
        let address = shown(address_of(&mut net, &own)?.unwrap_or((Ipv4Addr::UNSPECIFIED, 0)));
        let receipt = seen.receipt(
            format!("{}: {INSIDE} {address}", own.index),
            &["ip", "-o", "-4", "addr", "show", "dev", INSIDE],
            format!(" {}/{} ", endpoint.address, endpoint.prefix),
            "address",
        );
        Ok(((), Fact::Address { device: INSIDE.into(), address: Some(address) }, receipt))
    });
    Deed::tell_either(set, address, story)?;
    let set = proven(|calls| {
        net.add_default_route(calls, &own, endpoint.gateway)?;
        let found = net.routes()?.into_iter().find(|route| route.to.1 == 0).and_then(|route| route.gateway);
        let gateway = found.map_or(String::new(), |g| g.to_string());
        let receipt = seen.receipt(
            format!("default via {gateway} dev {INSIDE}"),
            &["ip", "-4", "route", "show", "default"],
            format!("via {} dev {INSIDE}", endpoint.gateway),
            "route",
        );
        Ok(((), Fact::Route { gateway: Some(gateway), device: INSIDE.into() }, receipt))
    });
    Deed::tell_either(set, route, story)
}

/// What [`inside`] will tell.
pub fn forecast_inside(endpoint: Option<&Endpoint>) -> [Fact; 2] {
    let address = endpoint.map(|e| shown((e.address, e.prefix)));
    let gateway = endpoint.map(|e| e.gateway.to_string());
    [Fact::Address { device: INSIDE.into(), address }, Fact::Route { gateway, device: INSIDE.into() }]
}

/// From inside: with `--network none` this is all there is.
pub fn loopback(story: &mut Story) -> Result<(), SysError> {
    let seen = Seen::new(story.container());
    loopback_up(&mut Netlink::open()?, &seen)?.tell(story);
    Ok(())
}

fn loopback_up(net: &mut Netlink, seen: &Seen) -> Result<Deed<()>, SysError> {
    proven(|calls| {
        let lo = net.existing("lo")?;
        net.up(calls, &lo)?;
        let up = net.existing("lo")?.up;
        let evidence = format!("{}: lo {}", lo.index, if up { "UP" } else { "DOWN" });
        Ok((
            (),
            Fact::Loopback,
            seen.receipt(evidence, &["ip", "-o", "link", "show", "dev", "lo"], "LOOPBACK,UP,".into(), "lo"),
        ))
    })
}

/// Removes the host's end if it is still there; None when the kernel has done so already.
pub fn remove_veth(veth: &str) -> Result<Option<Deed<()>>, SysError> {
    let mut net = Netlink::open()?;
    let Some(link) = net.link(veth)?.filter(|link| link.kind == VETH) else { return Ok(None) };
    proven(|calls| {
        unless_gone(net.delete_link(calls, &link))?;
        Ok(((), Fact::VethRemoved { host: veth.into() }, gone_receipt(&mut net, VETH, veth)?))
    })
    .map(Some)
}

// ---- small things --------------------------------------------------------------------------------------------------

const BRIDGE: &str = "bridge";
const VETH: &str = "veth";

/// The container's own process as the host sees it, for proofs that look into its network namespace.
struct Seen {
    container: String,
    pid: String,
}

impl Seen {
    /// /proc is still the host's here, and its `self` is our number there, whatever it is inside (proc(5)).
    fn new(container: Option<&str>) -> Seen {
        let pid = std::fs::read_link("/proc/self").map(|pid| pid.to_string_lossy().into_owned()).unwrap_or_default();
        Seen { container: container.unwrap_or_default().into(), pid }
    }

    fn receipt(&self, evidence: String, look: &[&str], expect: String, subject: &str) -> Receipt {
        let (subject, holds) =
            (format!("network:{}:{subject}", self.container), Holds::WhileRunning(self.container.clone()));
        let proof = [&["nsenter", "--target", &self.pid, "--net"], look].concat();
        let receipt = Receipt::about(subject, holds, evidence).by(proof, Expect::Contains(expect));
        receipt.as_root().with("nsenter").with("ip")
    }
}

/// A deed whose receipt comes from a look at the kernel right after it.
pub(super) fn proven<T>(
    f: impl FnOnce(&mut Calls) -> Result<(T, Fact, Receipt), SysError>,
) -> Result<Deed<T>, SysError> {
    let mut seen = None;
    let deed = sys::deed(|calls| {
        let (value, fact, receipt) = f(calls)?;
        seen = Some(receipt);
        Ok((value, fact))
    })?;
    Ok(match seen {
        Some(receipt) => deed.with_receipt(receipt),
        None => deed,
    })
}

fn address_of(net: &mut Netlink, link: &Link) -> Result<Option<Subnet>, SysError> {
    Ok(net.addresses()?.into_iter().find(|(device, _)| *device == link.index).map(|(_, address)| address))
}

/// Locally administered, and the same for the same address: an ARP entry of a container that is gone fits the next one.
fn mac_of(address: Ipv4Addr) -> [u8; 6] {
    let [a, b, c, d] = address.octets();
    [0x02, 0x42, a, b, c, d]
}

fn shown((address, prefix): Subnet) -> String {
    format!("{address}/{prefix}")
}

fn unless_there(made: Result<(), SysError>) -> Result<(), SysError> {
    made.or_else(|e| if e.errno == libc::EEXIST { Ok(()) } else { Err(e) })
}

fn unless_gone(removed: Result<(), SysError>) -> Result<(), SysError> {
    removed.or_else(|e| if e.errno == libc::ENODEV { Ok(()) } else { Err(e) })
}
