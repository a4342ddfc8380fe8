//! Tables of nf_tables: what docent puts into the host's packet filter. Nobody else's tables are touched.
//!
//! The kernel takes a batch whole or not at all, so a table is never there by halves, and one that is made anew takes the
//! old one's place in the same moment. The comments of its rules say what was asked for: a table whose comments are
//! others is replaced. Masquerading in an inet table needs Linux 5.2.

use super::netlink::Subnet;
use super::netlink_wire::{CREATE, DUMP, Message, Socket, attribute, attributes, noted, text_of};
use super::nft_rule::{Match, Rule, Verdict, network};
use super::sys::Calls;
use crate::event::SysError;
use rustix::io::Errno;

// linux/netfilter/nfnetlink.h and nf_tables.h
const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
const SUBSYSTEM: u16 = 10;
const NEWTABLE: u16 = 0;
const DELTABLE: u16 = 2;
const GETTABLE: u16 = 1;
const NEWCHAIN: u16 = 3;
const GETCHAIN: u16 = 4;
const NEWRULE: u16 = 6;
const GETRULE: u16 = 7;
const INET: u8 = 1;
const PRE_ROUTING: u32 = 0;
const FORWARD: u32 = 2;
const POST_ROUTING: u32 = 4;
const TABLE_USERDATA: u16 = 6;
const RULE_USERDATA: u16 = 7;
/// NLM_F_APPEND
const APPEND: u16 = 0x800;
/// A byte holds a comment's length, with its NUL.
const LONGEST_COMMENT: usize = 254;

/// A chain that the kernel calls at a point of a packet's way.
#[derive(Debug, Clone, Copy)]
pub struct Chain {
    pub name: &'static str,
    kind: &'static str,
    hook: u32,
    priority: i32,
    /// What becomes of a packet that no rule has spoken of.
    drops: bool,
}

/// Before connections are looked at (`priority raw`): addresses are still those on the wire.
pub const RAW: Chain = Chain { name: "prerouting", kind: "filter", hook: PRE_ROUTING, priority: -300, drops: false };
pub const FILTER: Chain = Chain { name: "forward", kind: "filter", hook: FORWARD, priority: 0, drops: false };
/// The same where everything is dropped that no rule accepts.
pub const GUARD: Chain = Chain { drops: true, ..FILTER };
/// `priority srcnat`, after everything that filters.
pub const NAT: Chain = Chain { name: "postrouting", kind: "nat", hook: POST_ROUTING, priority: 100, drops: false };

/// A table of the family inet as it is to be.
#[derive(Debug, Clone)]
pub struct Table {
    pub name: String,
    /// What the table itself says (`nft list table` shows it as its comment), or empty.
    pub comment: String,
    pub chains: Vec<Chain>,
    pub rules: Vec<Rule>,
}

impl Table {
    /// What a bridge needs; the order of the rules counts. See launch/firewall.rs for why.
    pub fn of_bridge(bridge: &str, address: Subnet, comment: &str) -> Table {
        use Match::*;
        use Verdict::*;
        let own = || bridge.to_string();
        let subnet = format!("{}/{}", network(address), address.1);
        let rule = |chain: Chain, verdict, why: &str, matches: Vec<Match>| Rule {
            chain: chain.name,
            matches,
            verdict,
            comment: format!("docent {subnet}: {why}"),
        };
        let outside = vec![NotIn(own()), NotIn("lo".into()), To(address)];
        Table {
            name: own(),
            comment: comment.into(),
            chains: vec![RAW, FILTER, NAT],
            rules: vec![
                rule(RAW, Drop, "a container is reached by its bridge alone", outside),
                rule(FILTER, Accept, "within the network", vec![In(own()), Out(own())]),
                rule(FILTER, Accept, "out of a container", vec![In(own()), From(address)]),
                rule(FILTER, Accept, "replies to a container", vec![Out(own()), Reply]),
                rule(FILTER, Drop, "nothing else from it", vec![In(own())]),
                rule(FILTER, Drop, "nothing else to it", vec![Out(own())]),
                rule(NAT, Masquerade, "outside it has the host's address", vec![From(address), NotOut(own())]),
            ],
        }
    }
}

impl Table {
    /// What `nft list table` prints of it, line by line and without their indentation.
    pub fn listing(&self) -> Vec<String> {
        let mut lines = vec![format!("table inet {} {{", self.name)];
        lines.extend((!self.comment.is_empty()).then(|| format!("comment \"{}\"", self.comment)));
        for chain in &self.chains {
            let of_chain = self.rules.iter().filter(|rule| rule.chain == chain.name);
            lines.extend([format!("chain {} {{", chain.name), chain.to_string()]);
            lines.extend(of_chain.map(|rule| format!("{rule} comment \"{}\"", rule.comment)));
            lines.push("}".into());
        }
        lines.push("}".into());
        lines
    }
}

/// As nft prints it, which has names for the usual priorities of a hook.
impl std::fmt::Display for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hook = match self.hook {
            PRE_ROUTING => "prerouting",
            POST_ROUTING => "postrouting",
            _ => "forward",
        };
        let priority = match self.priority {
            -300 => "raw",
            100 => "srcnat",
            _ => "filter",
        };
        let policy = if self.drops { "drop" } else { "accept" };
        write!(f, "type {} hook {hook} priority {priority}; policy {policy};", self.kind)
    }
}

/// The packet filter of the network namespace that the caller is in.
pub struct Nftables {
    socket: Socket,
}

impl Nftables {
    pub fn open() -> Result<Nftables, SysError> {
        let open = |e: Errno| SysError::new("socket", "netlink:netfilter", e.raw_os_error());
        Ok(Nftables { socket: Socket::open(Some(rustix::net::netlink::NETFILTER)).map_err(open)? })
    }

    /// The comments of a table's rules, in order. A missing table gives an empty list.
    pub fn comments(&mut self, table: &str) -> Result<Vec<String>, SysError> {
        let shown = format!("NFT_MSG_GETRULE inet {table}");
        let rules = self.socket.list(&shown, || message(GETRULE, DUMP).text(1, table))?;
        Ok(rules
            .iter()
            .filter_map(|rule| {
                let list = attributes(rule.body.get(4..)?);
                comment_in(attribute(&list, RULE_USERDATA)?)
            })
            .collect())
    }

    /// Makes the table, in the place of what has its name: made unless it is there, deleted, made. That works whoever else
    /// does the same at this moment.
    pub fn put(&mut self, calls: &mut Calls, table: &Table) -> Result<(), SysError> {
        let new = || {
            let message = message(NEWTABLE, CREATE).text(1, &table.name).put(2, &0u32.to_be_bytes());
            // Before Linux 5.10 a table keeps no such thing.
            if table.comment.is_empty() { message } else { message.put(TABLE_USERDATA, &userdata(&table.comment)) }
        };
        let mut all = vec![
            ("NFT_MSG_NEWTABLE|", new()),
            ("NFT_MSG_DELTABLE|", message(DELTABLE, 0).text(1, &table.name)),
            ("NFT_MSG_NEWTABLE", new()),
        ];
        all.extend(table.chains.iter().map(|chain| ("|NFT_MSG_NEWCHAIN", chain.message(&table.name))));
        all.extend(table.rules.iter().map(|rule| ("|NFT_MSG_NEWRULE", rule_message(&table.name, rule))));
        let names: String = all.iter().map(|(name, _)| *name).collect();
        let rules: Vec<String> = table.rules.iter().map(|rule| format!("{} {rule}", rule.chain)).collect();
        let shown = format!("{names} inet {}: {}", table.name, rules.join("; "));
        self.send(calls, all.into_iter().map(|(_, message)| message).collect(), shown)
    }

    pub fn delete(&mut self, calls: &mut Calls, table: &str) -> Result<(), SysError> {
        let shown = format!("NFT_MSG_DELTABLE inet {table}");
        self.send(calls, vec![message(DELTABLE, 0).text(1, table)], shown)
    }

    /// The inet tables, each with its comment.
    pub fn tables(&mut self) -> Result<Vec<(String, String)>, SysError> {
        let list = self.socket.list("NFT_MSG_GETTABLE", || message(GETTABLE, DUMP))?;
        Ok(list
            .iter()
            .filter_map(|table| {
                let list = attributes(table.body.get(4..)?);
                let comment = attribute(&list, TABLE_USERDATA).and_then(comment_in);
                Some((text_of(attribute(&list, 1)?), comment.unwrap_or_default()))
            })
            .collect())
    }

    /// Tables of any family that have a chain where packets are forwarded.
    pub fn forwarding_tables(&mut self) -> Result<Vec<String>, SysError> {
        let message = || Message::new(SUBSYSTEM << 8 | GETCHAIN, DUMP, &[0; 4]);
        let list = self.socket.list("NFT_MSG_GETCHAIN", message)?;
        Ok(list
            .iter()
            .filter_map(|chain| {
                // struct nfgenmsg begins with the family; forwarding is a matter of inet, ip and ip6.
                let (family, list) = (*chain.body.first()?, attributes(chain.body.get(4..)?));
                let hook = attribute(&list, 4).map(attributes)?;
                let hook = attribute(&hook, 1)?;
                (matches!(family, 1 | 2 | 10) && hook == FORWARD.to_be_bytes()).then_some(())?;
                Some(text_of(attribute(&list, 1)?))
            })
            .collect())
    }

    fn send(&mut self, calls: &mut Calls, messages: Vec<Message>, shown: String) -> Result<(), SysError> {
        let (mut datagram, mut last, count) = (framing(BATCH_BEGIN).numbered(self.socket.next()), 0, messages.len());
        for (n, message) in messages.into_iter().enumerate() {
            last = self.socket.next();
            let message = if n + 1 == count { message.acknowledged() } else { message };
            datagram.extend(message.numbered(last));
        }
        datagram.extend(framing(BATCH_END).numbered(self.socket.next()));
        let answer = self.socket.talk(&datagram, last).map(|_| datagram.len());
        noted(calls, "<netlink:netfilter>", shown, answer)
    }
}

impl Chain {
    fn message(&self, table: &str) -> Message {
        let place = |m: Message| m.put(1, &self.hook.to_be_bytes()).put(2, &self.priority.to_be_bytes());
        message(NEWCHAIN, CREATE)
            .text(1, table)
            .text(3, self.name)
            .nest(4, place)
            .put(5, &u32::from(!self.drops).to_be_bytes())
            .text(7, self.kind)
    }
}

fn rule_message(table: &str, rule: &Rule) -> Message {
    message(NEWRULE, CREATE | APPEND)
        .text(1, table)
        .text(2, rule.chain)
        .nest(4, |m| rule.expressions(m))
        .put(RULE_USERDATA, &userdata(&rule.comment))
}

/// A message of nf_tables about an inet table: `struct nfgenmsg` is family, version and a resource number.
fn message(kind: u16, flags: u16) -> Message {
    Message::new(SUBSYSTEM << 8 | kind, flags, &[INET, 0, 0, 0])
}

fn framing(kind: u16) -> Message {
    let [high, low] = SUBSYSTEM.to_be_bytes();
    Message::new(kind, 0, &[0, 0, high, low])
}

/// A comment as nft stores it with a rule: type 0, length, text with its NUL.
fn userdata(comment: &str) -> Vec<u8> {
    let text = comment.as_bytes().get(..LONGEST_COMMENT).unwrap_or(comment.as_bytes());
    [&[0, text.len() as u8 + 1], text, &[0]].concat()
}

fn comment_in(data: &[u8]) -> Option<String> {
    let (&[kind, length], rest) = data.split_first_chunk()?;
    let text = rest.get(..usize::from(length))?.strip_suffix(&[0])?;
    (kind == 0).then(|| String::from_utf8_lossy(text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_stored_as_nft_reads_it() {
        assert_eq!(userdata("hi"), [0, 3, b'h', b'i', 0]);
        assert_eq!(comment_in(&userdata("hi")).as_deref(), Some("hi"));
        for odd in [[].as_slice(), &[0], &[0, 0], &[0, 9, b'h'], &[1, 2, b'h', 0]] {
            assert_eq!(comment_in(odd), None);
        }
        assert_eq!(comment_in(&userdata(&"x".repeat(300))).map(|text| text.len()), Some(LONGEST_COMMENT));
    }
}
