//! Rules of nf_tables: what a packet is compared with, and what becomes of it.
//!
//! A rule shows itself in nft's own words ([`std::fmt::Display`]) and is sent as the expressions that
//! `nft --debug=netlink` prints, so no `nft` program is needed. Numbers in attributes are big-endian; what is compared is
//! as the kernel keeps it or as it is on the wire.

use super::netlink::Subnet;
use super::netlink_wire::Message;
use std::fmt::{Display, Formatter};
use std::net::Ipv4Addr;

// linux/netfilter/nf_tables.h
const VERDICT: u32 = 0;
const REGISTER_1: u32 = 1;
const EQUAL: u32 = 0;
const NOT_EQUAL: u32 = 1;
const META_IN_NAME: u32 = 6;
const META_OUT_NAME: u32 = 7;
const META_PROTOCOL: u32 = 15;
const NFPROTO_IPV4: u8 = 2;
const CT_STATE: u32 = 0;
/// Offsets of the addresses in an IPv4 header.
const SOURCE: u32 = 12;
const DESTINATION: u32 = 16;
/// IP_CT_ESTABLISHED and IP_CT_RELATED as bits of `ct state`.
const ESTABLISHED_OR_RELATED: u32 = 2 | 4;
const NF_DROP: u32 = 0;
const NF_ACCEPT: u32 = 1;

/// One comparison. A device's name that ends in `*` stands for every name that begins so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    In(String),
    NotIn(String),
    Out(String),
    NotOut(String),
    From(Subnet),
    To(Subnet),
    /// A packet of a connection that was begun the other way round, or an ICMP error about one.
    Reply,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Accept,
    Drop,
    Masquerade,
}

/// All comparisons hold: then the verdict is spoken. The comment is what `nft list` shows of the reason.
#[derive(Debug, Clone)]
pub struct Rule {
    pub chain: &'static str,
    pub matches: Vec<Match>,
    pub verdict: Verdict,
    pub comment: String,
}

impl Display for Match {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Match::In(name) => write!(f, "iifname \"{name}\""),
            Match::NotIn(name) => write!(f, "iifname != \"{name}\""),
            Match::Out(name) => write!(f, "oifname \"{name}\""),
            Match::NotOut(name) => write!(f, "oifname != \"{name}\""),
            Match::From(subnet) => write!(f, "ip saddr {}/{}", network(*subnet), subnet.1),
            Match::To(subnet) => write!(f, "ip daddr {}/{}", network(*subnet), subnet.1),
            Match::Reply => f.write_str("ct state established,related"),
        }
    }
}

impl Display for Rule {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        for m in &self.matches {
            write!(f, "{m} ")?;
        }
        f.write_str(match self.verdict {
            Verdict::Accept => "accept",
            Verdict::Drop => "drop",
            Verdict::Masquerade => "masquerade",
        })
    }
}

impl Rule {
    pub(super) fn expressions(&self, list: Message) -> Message {
        let list = self.matches.iter().fold(list, |list, m| m.expressions(list));
        let verdict = |list: Message, code: u32| {
            expression(list, "immediate", |m| {
                m.put(1, &number(VERDICT)).nest(2, |m| m.nest(2, |m| m.put(1, &number(code))))
            })
        };
        match self.verdict {
            Verdict::Accept => verdict(list, NF_ACCEPT),
            Verdict::Drop => verdict(list, NF_DROP),
            Verdict::Masquerade => expression(list, "masq", |m| m),
        }
    }
}

impl Match {
    fn expressions(&self, list: Message) -> Message {
        match self {
            Match::In(name) => compare(meta(list, META_IN_NAME), EQUAL, &device(name)),
            Match::NotIn(name) => compare(meta(list, META_IN_NAME), NOT_EQUAL, &device(name)),
            Match::Out(name) => compare(meta(list, META_OUT_NAME), EQUAL, &device(name)),
            Match::NotOut(name) => compare(meta(list, META_OUT_NAME), NOT_EQUAL, &device(name)),
            Match::From(subnet) => address(list, SOURCE, *subnet),
            Match::To(subnet) => address(list, DESTINATION, *subnet),
            Match::Reply => {
                let list = expression(list, "ct", |m| m.put(1, &number(REGISTER_1)).put(2, &number(CT_STATE)));
                let list = masked(list, &ESTABLISHED_OR_RELATED.to_ne_bytes());
                compare(list, NOT_EQUAL, &[0; 4])
            }
        }
    }
}

fn number(n: u32) -> [u8; 4] {
    n.to_be_bytes()
}

fn expression(list: Message, name: &str, data: impl FnOnce(Message) -> Message) -> Message {
    list.nest(1, |m| m.text(1, name).nest(2, data))
}

fn value(m: Message, kind: u16, bytes: &[u8]) -> Message {
    m.nest(kind, |m| m.put(1, bytes))
}

fn meta(list: Message, key: u32) -> Message {
    expression(list, "meta", |m| m.put(1, &number(REGISTER_1)).put(2, &number(key)))
}

fn compare(list: Message, how: u32, with: &[u8]) -> Message {
    expression(list, "cmp", |m| value(m.put(1, &number(REGISTER_1)).put(2, &number(how)), 3, with))
}

/// Keeps the bits of `mask` in the register.
fn masked(list: Message, mask: &[u8; 4]) -> Message {
    expression(list, "bitwise", |m| {
        let m = m.put(1, &number(REGISTER_1)).put(2, &number(REGISTER_1)).put(3, &number(4));
        value(value(m, 4, mask), 5, &number(0))
    })
}

/// IPv4 alone, and the address at this offset of the network header (base 1).
fn address(list: Message, offset: u32, subnet: Subnet) -> Message {
    let list = compare(meta(list, META_PROTOCOL), EQUAL, &[NFPROTO_IPV4]);
    let list = expression(list, "payload", |m| {
        m.put(1, &number(REGISTER_1)).put(2, &number(1)).put(3, &number(offset)).put(4, &number(4))
    });
    compare(masked(list, &number(mask(subnet.1))), EQUAL, &network(subnet).octets())
}

/// A device's name as the kernel keeps it, 16 bytes padded with NUL; of a `…*` only what must be equal.
fn device(name: &str) -> Vec<u8> {
    if let Some(beginning) = name.strip_suffix('*') {
        return beginning.as_bytes().to_vec();
    }
    let mut bytes = name.as_bytes().to_vec();
    bytes.resize(16, 0);
    bytes
}

fn mask(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0)
}

/// The first address of the range.
pub fn network((address, prefix): Subnet) -> Ipv4Addr {
    Ipv4Addr::from_bits(address.to_bits() & mask(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subnet_starts_at_its_network() {
        let of = |a: [u8; 4], p| network((a.into(), p)).octets();
        assert_eq!(of([172, 30, 7, 9], 16), [172, 30, 0, 0]);
        assert_eq!(of([192, 168, 215, 1], 20), [192, 168, 208, 0]);
        assert_eq!(of([1, 2, 3, 4], 0), [0, 0, 0, 0]);
        assert_eq!(of([1, 2, 3, 4], 32), [1, 2, 3, 4]);
    }

    #[test]
    fn a_name_is_compared_as_a_whole_or_by_its_beginning() {
        assert_eq!(device("docent0"), b"docent0\0\0\0\0\0\0\0\0\0");
        assert_eq!(device("dcnt*"), b"dcnt");
    }
}
