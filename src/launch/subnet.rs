//! Which addresses: the subnet that a root's bridge gets, and the address that a container gets in it.
//!
//! A subnet is taken only if nothing that this host knows overlaps it. Which one a root was given is remembered in
//! `network/bridge.json`, so that a bridge made anew after a reboot is where it was; while the bridge exists, its own address
//! is what counts.

use crate::event::SysError;
use crate::kernel::netlink::Subnet;
use crate::kernel::sys::Calls;
use crate::store::{Store, read_json};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::net::Ipv4Addr;
use std::path::Path;

/// How many subnets are tried when others keep taking them at the same moment.
pub const ATTEMPTS: usize = 8;
/// A route to less than this is meant for everything (a VPN's 0.0.0.0/1), and says nothing about which subnets are used.
const FOR_EVERYTHING: u8 = 8;

/// Several roots can live on one machine: the usual one has `docent0`, any other a name made from its path.
pub fn bridge_name(root: &Path) -> String {
    if root == Path::new("/var/lib/docent") {
        return "docent0".into();
    }
    // The same directory by another name is the same root.
    let path = std::fs::canonicalize(root).unwrap_or_else(|_| root.to_path_buf());
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    let hex: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("dcnt{hex}")
}

/// Whether a device of this name is a store's bridge.
pub fn is_bridge_name(name: &str) -> bool {
    let hex = |digits: &str| digits.len() == 8 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    name == "docent0" || name.strip_prefix("dcnt").is_some_and(hex)
}

/// The bridge's address in each subnet that is tried, in order.
fn candidates() -> impl Iterator<Item = Subnet> + Clone {
    let first = [30, 31].map(|b| ([172, b, 0, 1], 16));
    let second = (213..=254).map(|b| ([10, b, 0, 1], 16));
    // For hosts whose network claims all of 10/8 and 172.16/12.
    let last = [208, 224].map(|c| ([192, 168, c, 1], 20));
    first.into_iter().chain(second).chain(last).map(|(address, prefix)| (address.into(), prefix))
}

/// The remembered subnet if it is free, else the first free one, `skip` free ones further on.
///
/// EADDRNOTAVAIL when this host knows of a use for each.
pub fn choose(taken: &[Subnet], remembered: Option<Subnet>, skip: usize) -> Result<Subnet, SysError> {
    let used: Vec<Subnet> = taken.iter().copied().filter(|(_, prefix)| *prefix >= FOR_EVERYTHING).collect();
    let is_free = |subnet: &Subnet| !used.iter().any(|other| overlap(*other, *subnet));
    if skip == 0
        && let Some(subnet) = remembered.filter(is_free)
    {
        return Ok(subnet);
    }
    let free: Vec<Subnet> = candidates().filter(is_free).collect();
    let place = skip.checked_rem(free.len()).ok_or_else(exhausted)?;
    free.get(place).copied().ok_or_else(exhausted)
}

/// No subnet is left.
pub fn exhausted() -> SysError {
    SysError::new(
        "bridge",
        "172.30.0.0/15, 10.213.0.0 - 10.254.0.0/16, 192.168.208.0/20, 192.168.224.0/20",
        libc::EADDRNOTAVAIL,
    )
}

pub fn overlap((a, a_prefix): Subnet, (b, b_prefix): Subnet) -> bool {
    let common = u32::from(a_prefix.min(b_prefix).min(32));
    (a.to_bits() ^ b.to_bits()).checked_shr(32 - common).unwrap_or(0) == 0
}

/// The first address of the subnet that is neither its own, nor its broadcast's, nor the gateway's, nor in use.
pub fn first_free((first, prefix): Subnet, gateway: Ipv4Addr, in_use: &[Ipv4Addr]) -> Option<Ipv4Addr> {
    let used: HashSet<Ipv4Addr> = in_use.iter().copied().chain([gateway]).collect();
    let hosts = u32::MAX.checked_shr(prefix.into()).unwrap_or(0);
    let first = first.to_bits() & !hosts;
    (1..hosts).map(|n| Ipv4Addr::from_bits(first | n)).find(|address| !used.contains(address))
}

#[derive(Serialize, Deserialize)]
struct Remembered {
    address: Ipv4Addr,
    prefix: u8,
}

/// What was chosen the last time. A file that says nothing sensible counts as none: it is only a preference.
pub fn remembered(store: &Store) -> Option<Subnet> {
    let found: Remembered = read_json(&store.bridge()).ok()?;
    ((FOR_EVERYTHING..=30).contains(&found.prefix) && found.address.is_private())
        .then_some((found.address, found.prefix))
}

pub fn remember(calls: &mut Calls, store: &Store, (address, prefix): Subnet) -> Result<(), SysError> {
    let text = serde_json::to_vec(&Remembered { address, prefix }).unwrap_or_default();
    store.replace_file(calls, &store.bridge(), &text, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> Subnet {
        let (address, prefix) = text.split_once('/').expect("a prefix");
        (address.parse().expect("an address"), prefix.parse().expect("a number"))
    }

    fn chosen(taken: &[&str], remembered: Option<&str>, skip: usize) -> Option<String> {
        let taken: Vec<Subnet> = taken.iter().map(|t| net(t)).collect();
        choose(&taken, remembered.map(net), skip).ok().map(|(a, p)| format!("{a}/{p}"))
    }

    #[test]
    fn overlap_is_by_the_shorter_prefix() {
        assert!(overlap(net("172.30.5.1/24"), net("172.30.0.1/16")));
        assert!(overlap(net("172.16.0.0/12"), net("172.30.0.1/16")));
        assert!(!overlap(net("172.31.0.1/16"), net("172.30.0.1/16")));
        assert!(overlap(net("0.0.0.0/0"), net("172.30.0.1/16")));
        assert!(!overlap(net("1.2.3.4/32"), net("1.2.3.5/32")));
    }

    #[test]
    fn the_first_subnet_that_nothing_overlaps() {
        assert_eq!(chosen(&[], None, 0).as_deref(), Some("172.30.0.1/16"));
        assert_eq!(chosen(&["172.30.9.9/32"], None, 0).as_deref(), Some("172.31.0.1/16"));
        assert_eq!(chosen(&["172.16.0.0/12", "10.213.1.0/24"], None, 0).as_deref(), Some("10.214.0.1/16"));
        assert_eq!(chosen(&["172.16.0.0/12", "10.0.0.0/8"], None, 0).as_deref(), Some("192.168.208.1/20"));
        assert_eq!(chosen(&["172.16.0.0/12", "10.0.0.0/8", "192.168.0.0/16"], None, 0), None);
        assert_eq!(chosen(&["0.0.0.0/0", "0.0.0.0/1"], None, 0).as_deref(), Some("172.30.0.1/16"), "for everything");
    }

    #[test]
    fn what_was_given_before_is_given_again() {
        assert_eq!(chosen(&[], Some("10.220.0.1/16"), 0).as_deref(), Some("10.220.0.1/16"));
        assert_eq!(chosen(&["10.220.7.0/24"], Some("10.220.0.1/16"), 0).as_deref(), Some("172.30.0.1/16"));
        assert_eq!(chosen(&[], Some("10.220.0.1/16"), 1).as_deref(), Some("172.31.0.1/16"), "after a collision");
    }

    #[test]
    fn addresses_are_given_from_the_first_on() {
        let gateway = Ipv4Addr::new(10, 0, 0, 1);
        let used: Vec<Ipv4Addr> = [[10, 0, 0, 2], [10, 0, 0, 4]].map(Ipv4Addr::from).to_vec();
        assert_eq!(first_free(net("10.0.0.0/16"), gateway, &[]), Some([10, 0, 0, 2].into()));
        assert_eq!(first_free(net("10.0.0.0/16"), gateway, &used), Some([10, 0, 0, 3].into()));
        assert_eq!(first_free(net("10.0.0.0/30"), gateway, &used), None, "broadcast is nobody's");
        assert_eq!(first_free(net("10.0.0.1/32"), gateway, &[]), None);
        assert_eq!(first_free(net("10.0.3.0/22"), gateway, &used), Some([10, 0, 0, 3].into()));
    }

    #[test]
    fn each_root_has_a_bridge_of_its_own() {
        assert_eq!(bridge_name(Path::new("/var/lib/docent")), "docent0");
        let other = bridge_name(Path::new("/nowhere/else"));
        assert!(other.starts_with("dcnt") && other.len() == 12, "{other}");
        assert_ne!(other, bridge_name(Path::new("/nowhere/other")));
        assert!(is_bridge_name("docent0") && is_bridge_name(&other) && !is_bridge_name("dcnt-lan"));
    }
}
