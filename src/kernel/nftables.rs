//! One nftables table per bridge, which gives the containers' packets the host's address on their way out.
//!
//! ```text
//! table inet docent0 {
//!     chain postrouting {
//!         type nat hook postrouting priority srcnat; policy accept;
//!         ip saddr 172.30.0.0/16 oifname != "docent0" masquerade comment "docent 172.30.0.0/16"
//!     }
//! }
//! ```
//!
//! It is the only thing that docent puts into the host's packet filter, and nobody else's tables are touched. The kernel
//! takes the batch whole or not at all, so the rule is never there by halves; its comment says for which subnet it was
//! made, and a rule for another one (the bridge was made anew) is replaced. No `nft` program is needed: the rule is sent as
//! the expressions that `nft --debug=netlink` prints. Masquerading in an inet table needs Linux 5.2.

use super::netlink::Subnet;
use super::netlink_wire::{ACK, CREATE, DUMP, Message, Socket, attribute, attributes, noted};
use super::sys;
use crate::fact::{Deed, Expect, Fact, Holds, Needs, Receipt, SysError};
use rustix::io::Errno;
use std::net::Ipv4Addr;

// linux/netfilter/nfnetlink.h and nf_tables.h
const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
const SUBSYSTEM: u16 = 10;
const NEWTABLE: u16 = 0;
const GETTABLE: u16 = 1;
const DELTABLE: u16 = 2;
const NEWCHAIN: u16 = 3;
const NEWRULE: u16 = 6;
const GETRULE: u16 = 7;
const INET: u8 = 1;
const POST_ROUTING: u32 = 4;
/// `srcnat`, after everything that filters.
const PRIORITY: u32 = 100;
const REGISTER_1: u32 = 1;
const EQUAL: u32 = 0;
const NOT_EQUAL: u32 = 1;
const META_OUT_NAME: u32 = 7;
const META_PROTOCOL: u32 = 15;
const NFPROTO_IPV4: u8 = 2;
const RULE_USERDATA: u16 = 7;

/// Makes the table unless it is there for this subnet; None when there was nothing to do.
pub fn masquerade(bridge: &str, subnet: Subnet) -> Result<Option<Deed<()>>, SysError> {
    let open = |e: Errno| SysError::new("socket", "netlink:netfilter", e.raw_os_error());
    let mut socket = Socket::open(Some(rustix::net::netlink::NETFILTER)).map_err(open)?;
    let comment = format!("docent {}/{}", network(subnet), subnet.1);
    let looked = |what: &str, e: Errno| SysError::new("sendto", format!("{what} inet {bridge}"), e.raw_os_error());
    if comments(&mut socket, bridge).map_err(|e| looked("NFT_MSG_GETRULE", e))?.contains(&comment) {
        return Ok(None);
    }
    let replaced = has_table(&mut socket, bridge).map_err(|e| looked("NFT_MSG_GETTABLE", e))?;
    let deed = sys::deed(|calls| {
        let (datagram, last, shown) = batch(&mut socket, bridge, subnet, &comment, replaced);
        let answer = socket.talk(&datagram, last).map(|_| datagram.len());
        noted(calls, "<netlink:netfilter>", shown, answer)?;
        let subnet = format!("{}/{}", network(subnet), subnet.1);
        Ok(((), Fact::Nat { table: format!("inet {bridge}"), subnet }))
    })?;
    // What cannot be read back is no evidence; the deed is told all the same.
    let seen = comments(&mut socket, bridge).unwrap_or_default();
    Ok(Some(deed.with_receipt(Receipt {
        evidence: format!("inet {bridge} postrouting: {}", seen.join(", ")),
        proof: ["nft", "list", "table", "inet", bridge].map(str::to_string).to_vec(),
        expect: Expect::Contains("masquerade".into()),
        holds: Holds::Forever,
        needs: vec![Needs::Root, Needs::Tool("nft".into())],
        subject: format!("nat:{bridge}"),
    })))
}

/// The comments of the table's rules. A missing table gives an empty list.
fn comments(socket: &mut Socket, bridge: &str) -> Result<Vec<String>, Errno> {
    let rules = socket.list(|| message(GETRULE, DUMP).text(1, bridge))?;
    Ok(rules
        .iter()
        .filter_map(|rule| {
            let list = attributes(rule.body.get(4..)?);
            comment_in(attribute(&list, RULE_USERDATA)?)
        })
        .collect())
}

fn has_table(socket: &mut Socket, bridge: &str) -> Result<bool, Errno> {
    let sequence = socket.next();
    match socket.talk(&message(GETTABLE, ACK).text(1, bridge).numbered(sequence), sequence) {
        Ok(_) => Ok(true),
        Err(Errno::NOENT) => Ok(false),
        Err(e) => Err(e),
    }
}

/// The whole table in one transaction; an old one of that name goes in the same breath. Gives the datagram, the number of
/// the message whose acknowledgement ends the answer, and how the call is shown.
fn batch(socket: &mut Socket, bridge: &str, subnet: Subnet, comment: &str, replaced: bool) -> (Vec<u8>, u32, String) {
    let table = message(NEWTABLE, CREATE).text(1, bridge).put(2, &0u32.to_be_bytes());
    let chain = message(NEWCHAIN, CREATE)
        .text(1, bridge)
        .text(3, "postrouting")
        .nest(4, |m| m.put(1, &POST_ROUTING.to_be_bytes()).put(2, &PRIORITY.to_be_bytes()))
        .text(7, "nat");
    let rule = message(NEWRULE, CREATE | APPEND | ACK)
        .text(1, bridge)
        .text(2, "postrouting")
        .nest(4, |m| expressions(m, bridge, subnet))
        .put(RULE_USERDATA, &userdata(comment));
    let mut all = vec![("", framing(BATCH_BEGIN))];
    if replaced {
        all.push(("NFT_MSG_DELTABLE|", message(DELTABLE, 0).text(1, bridge)));
    }
    all.push(("NFT_MSG_NEWTABLE|", table));
    all.push(("NFT_MSG_NEWCHAIN|", chain));
    all.push(("NFT_MSG_NEWRULE", rule));
    let names: String = all.iter().map(|(name, _)| *name).collect();
    let mut datagram = Vec::new();
    let mut last = 0;
    for (_, message) in all {
        last = socket.next();
        datagram.extend(message.numbered(last));
    }
    let end = socket.next();
    datagram.extend(framing(BATCH_END).numbered(end));
    let shown =
        format!("{names} inet {bridge}: ip saddr {}/{} oifname != {bridge} masquerade", network(subnet), subnet.1);
    (datagram, last, shown)
}

/// NLM_F_APPEND
const APPEND: u16 = 0x800;

/// A message of nf_tables about an inet table: `struct nfgenmsg` is family, version and a resource number.
fn message(kind: u16, flags: u16) -> Message {
    Message::new(SUBSYSTEM << 8 | kind, flags, &[INET, 0, 0, 0])
}

fn framing(kind: u16) -> Message {
    let [high, low] = SUBSYSTEM.to_be_bytes();
    Message::new(kind, 0, &[0, 0, high, low])
}

/// `ip saddr SUBNET oifname != BRIDGE masquerade`. Numbers in attributes are big-endian; what is compared is as on the wire.
fn expressions(list: Message, bridge: &str, subnet: Subnet) -> Message {
    let number = |n: u32| n.to_be_bytes();
    let value = |m: Message, kind: u16, bytes: &[u8]| m.nest(kind, |m| m.put(1, bytes));
    let compare = |m: Message, how: u32, with: &[u8]| {
        expression(m, "cmp", |m| value(m.put(1, &number(REGISTER_1)).put(2, &number(how)), 3, with))
    };
    let meta = |m: Message, key: u32| expression(m, "meta", |m| m.put(1, &number(REGISTER_1)).put(2, &number(key)));
    // A device name is compared as the kernel keeps it: 16 bytes, padded with NUL.
    let mut name = bridge.as_bytes().to_vec();
    name.resize(16, 0);
    let list = compare(meta(list, META_PROTOCOL), EQUAL, &[NFPROTO_IPV4]);
    // The source address: 4 bytes at offset 12 of the network header (base 1).
    let list = expression(list, "payload", |m| {
        m.put(1, &number(REGISTER_1)).put(2, &number(1)).put(3, &number(12)).put(4, &number(4))
    });
    let list = expression(list, "bitwise", |m| {
        let m = m.put(1, &number(REGISTER_1)).put(2, &number(REGISTER_1)).put(3, &number(4));
        value(value(m, 4, &number(mask(subnet.1))), 5, &number(0))
    });
    let list = compare(list, EQUAL, &network(subnet).octets());
    let list = compare(meta(list, META_OUT_NAME), NOT_EQUAL, &name);
    expression(list, "masq", |m| m)
}

fn expression(list: Message, name: &str, data: impl FnOnce(Message) -> Message) -> Message {
    list.nest(1, |m| m.text(1, name).nest(2, data))
}

/// A comment as nft stores it with a rule: type 0, length, text with its NUL.
fn userdata(comment: &str) -> Vec<u8> {
    let mut data = vec![0, comment.len() as u8 + 1];
    data.extend_from_slice(comment.as_bytes());
    data.push(0);
    data
}

fn comment_in(data: &[u8]) -> Option<String> {
    let (&[kind, length], rest) = data.split_first_chunk()?;
    let text = rest.get(..usize::from(length).checked_sub(1)?)?;
    (kind == 0).then(|| String::from_utf8_lossy(text).into_owned())
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
    fn a_comment_is_stored_as_nft_reads_it() {
        assert_eq!(userdata("hi"), [0, 3, b'h', b'i', 0]);
        assert_eq!(comment_in(&userdata("hi")).as_deref(), Some("hi"));
        for odd in [[].as_slice(), &[0], &[0, 0], &[0, 9, b'h'], &[1, 2, b'h', 0]] {
            assert_eq!(comment_in(odd), None);
        }
    }
}
