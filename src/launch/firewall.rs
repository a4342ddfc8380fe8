//! What the host forwards for containers, and what keeps it from forwarding anything else.
//!
//! ```text
//! table inet docent0 {                                                   one for each bridge
//!     chain prerouting {
//!         type filter hook prerouting priority raw; policy accept;
//!         iifname != "docent0" iifname != "lo" ip daddr 172.30.0.0/16 drop
//!     }
//!     chain forward {
//!         type filter hook forward priority filter; policy accept;
//!         iifname "docent0" oifname "docent0" accept
//!         iifname "docent0" ip saddr 172.30.0.0/16 accept
//!         oifname "docent0" ct state established,related accept
//!         iifname "docent0" drop
//!         oifname "docent0" drop
//!     }
//!     chain postrouting {
//!         type nat hook postrouting priority srcnat; policy accept;
//!         ip saddr 172.30.0.0/16 oifname != "docent0" masquerade
//!     }
//! }
//! table inet docent { … }                    the guard, where docent switched forwarding on
//! ```
//!
//! A host that forwards for its containers is a router for everybody who sends it a packet. So nobody outside reaches a
//! container by its address: a neighbour, another store's container, or whoever tries a port that is published on
//! 127.0.0.1 alone. Published ports need no rule here, since the monitor's proxy connects from the host itself.
//!
//! The guard stands before forwarding is switched on: what concerns no bridge of docent is dropped, as it was before. It
//! is also how every store knows that it was docent who switched it, for as long as the setting itself lasts. Forwarding
//! that somebody else has switched on is left as it is.

use super::network::proven;
use crate::event::{Deed, Expect, Fact, FaultPoint, Holds, Kept, Receipt, Story, SysError};
use crate::kernel::files;
use crate::kernel::netlink::{Netlink, Subnet};
use crate::kernel::nft_rule::{Match, Rule, Verdict, network};
use crate::kernel::nftables::{GUARD, Nftables, Table};
use std::path::Path;

const IP_FORWARD: &str = "/proc/sys/net/ipv4/ip_forward";
const SETTING: &str = "net.ipv4.ip_forward";
/// The guard's table. No bridge has this name.
const GUARD_TABLE: &str = "docent";
/// The names of all stores' bridges (see [`super::subnet::bridge_name`]).
const BRIDGES: [&str; 2] = ["docent0", "dcnt*"];

/// Makes the bridge's table and switches forwarding on, where either is missing. Whether containers reach the outside.
///
/// NAT that this kernel refuses is a fallback and not an error: containers then reach each other and the host.
pub fn ensure(bridge: &str, address: Subnet, mark: &str, story: &mut Story) -> bool {
    let subnet = format!("{}/{}", network(address), address.1);
    let made = filter(bridge, address, &subnet, mark);
    if told(made, Fact::Nat { table: format!("inet {bridge}"), subnet }, story).is_err() {
        return no_nat("nftables", story);
    }
    // A host that hides its settings can still be routing; then NAT is all there is to do.
    let Ok(was) = std::fs::read_to_string(IP_FORWARD) else { return true };
    if was.trim() != "0" {
        return true;
    }
    if told(guard(), Fact::ForwardGuard { table: format!("inet {GUARD_TABLE}") }, story).is_err() {
        return no_nat("nftables", story);
    }
    let fact = Fact::Sysctl { name: SETTING.into(), value: "1".into(), was: "0".into() };
    match told(switch("1", "0").map(Some), fact, story) {
        Ok(()) => true,
        Err(_) => no_nat(SETTING, story),
    }
}

/// What [`ensure`] would tell.
pub fn forecast(bridge: &str, address: Subnet) -> Vec<Fact> {
    let wanted = Table::of_bridge(bridge, address, "");
    let missing = !Nftables::open().and_then(|mut nft| is_there(&mut nft, &wanted)).unwrap_or(false);
    let off = std::fs::read_to_string(IP_FORWARD).is_ok_and(|was| was.trim() == "0");
    let nat = Fact::Nat { table: format!("inet {bridge}"), subnet: format!("{}/{}", network(address), address.1) };
    let guard = Fact::ForwardGuard { table: format!("inet {GUARD_TABLE}") };
    let switch = Fact::Sysctl { name: SETTING.into(), value: "1".into(), was: "0".into() };
    [(nat, missing), (guard, off), (switch, off)].into_iter().filter(|(_, will)| *will).map(|(fact, _)| fact).collect()
}

/// Tells a deed, that there was nothing to do, or what was meant and why it failed.
fn told(deed: Result<Option<Deed<()>>, SysError>, meant: Fact, story: &mut Story) -> Result<(), SysError> {
    deed.transpose().map_or(Ok(()), |deed| Deed::tell_either(deed, meant, story))
}

fn no_nat(what: &str, story: &mut Story) -> bool {
    story.tell(Fact::Fallback { what: what.into(), point: FaultPoint::NoNat });
    false
}

/// The bridge's own table; None when it is there for this subnet.
fn filter(bridge: &str, address: Subnet, subnet: &str, mark: &str) -> Result<Option<Deed<()>>, SysError> {
    let wanted = Table::of_bridge(bridge, address, mark);
    let fact = Fact::Nat { table: format!("inet {bridge}"), subnet: subnet.into() };
    put(&wanted, fact)
}

/// The guard's table, made anew.
///
/// Where br_netfilter is loaded, what passes within a bridge is seen by this chain too: the host's other bridges are
/// named, so that their own traffic is not taken for routing.
fn guard() -> Result<Option<Deed<()>>, SysError> {
    let rule = |why: &str, matches: Vec<Match>| Rule {
        chain: GUARD.name,
        matches,
        verdict: Verdict::Accept,
        comment: format!("docent: {why}"),
    };
    let ours = BRIDGES.iter().flat_map(|name| {
        [Match::In(name.to_string()), Match::Out(name.to_string())]
            .map(|m| rule("its bridges have their own tables", vec![m]))
    });
    let others = Netlink::open()?.bridges()?.into_iter().map(|link| link.name);
    let others = others.filter(|name| !super::subnet::is_bridge_name(name));
    let within = others.map(|name| rule("within another bridge", vec![Match::In(name.clone()), Match::Out(name)]));
    let wanted = Table {
        name: GUARD_TABLE.into(),
        comment: String::new(),
        chains: vec![GUARD],
        rules: ours.chain(within).collect(),
    };
    let fact = Fact::ForwardGuard { table: format!("inet {GUARD_TABLE}") };
    put(&wanted, fact)
}

fn is_there(nft: &mut Nftables, table: &Table) -> Result<bool, SysError> {
    Ok(nft.comments(&table.name)?.iter().eq(table.rules.iter().map(|rule| &rule.comment)))
}

/// Makes a table and reads its rules back; None when its rules are there.
fn put(table: &Table, fact: Fact) -> Result<Option<Deed<()>>, SysError> {
    let mut nft = Nftables::open()?;
    if is_there(&mut nft, table)? {
        return Ok(None);
    }
    proven(|calls| {
        nft.put(calls, table)?;
        // What cannot be read back is no evidence; the deed is told all the same.
        let seen = nft.comments(&table.name).unwrap_or_default();
        let seen = seen.join(", ");
        Ok(((), fact, table_receipt(&table.name, &seen, Expect::Whole(table.listing()))))
    })
    .map(Some)
}

fn table_receipt(table: &str, seen: &str, expect: Expect) -> Receipt {
    let receipt = Receipt::about(format!("nat:{table}"), Holds::UntilReboot, format!("inet {table}: {seen}"));
    receipt.by(["nft", "list", "table", "inet", table], expect).as_root().with("nft")
}

/// Writes the setting and reads it back.
fn switch(to: &str, was: &str) -> Result<Deed<()>, SysError> {
    proven(|calls| {
        files::put(calls, Path::new(IP_FORWARD), to)?;
        let now = std::fs::read_to_string(IP_FORWARD).map_err(|e| SysError::io("read", IP_FORWARD, &e))?;
        let now = now.trim();
        let receipt = Receipt::about(format!("sysctl:{SETTING}"), Holds::UntilReboot, format!("{IP_FORWARD}: {now}"))
            .by(["cat", IP_FORWARD], Expect::Equals(to.into()));
        Ok(((), Fact::Sysctl { name: SETTING.into(), value: now.into(), was: was.into() }, receipt))
    })
}

// ---- taken away ----------------------------------------------------------------------------------------------------

/// Removes a table; None when there is none of this name, or no packet filter that could have one.
pub fn remove(table: &str) -> Result<Option<Deed<()>>, SysError> {
    if !has_table(table) {
        return Ok(None);
    }
    let mut nft = Nftables::open()?;
    proven(|calls| {
        match nft.delete(calls, table) {
            Err(e) if e.errno == libc::ENOENT => {}
            other => other?,
        }
        let seen = if has(&mut nft, table)? { "there" } else { "ENOENT" };
        let receipt = table_receipt(table, seen, Expect::absent());
        Ok(((), Fact::TableRemoved { table: format!("inet {table}") }, receipt))
    })
    .map(Some)
}

fn has(nft: &mut Nftables, table: &str) -> Result<bool, SysError> {
    Ok(nft.tables()?.iter().any(|(name, _)| name == table))
}

/// Whether this store's table is there.
pub fn has_table(table: &str) -> bool {
    Nftables::open().and_then(|mut nft| has(&mut nft, table)).unwrap_or(false)
}

/// Who keeps forwarding on, if docent has switched it on.
enum Held {
    /// It was not docent; or it is off.
    NotOurs,
    /// Another store's bridge.
    Store(String),
    /// A bridge or a rule of somebody else.
    Foreign(String),
    Nobody,
}

/// `but`: a bridge that does not count, since it is about to go.
fn held(but: &str) -> Result<Held, SysError> {
    let mut nft = Nftables::open()?;
    let tables = nft.tables()?;
    if !tables.iter().any(|(name, _)| name == GUARD_TABLE) {
        return Ok(Held::NotOurs);
    }
    let bridges: Vec<String> = Netlink::open()?.bridges()?.into_iter().map(|link| link.name).collect();
    let mut names = bridges.iter().chain(tables.iter().map(|(name, _)| name));
    if let Some(name) = names.find(|name| super::subnet::is_bridge_name(name) && *name != but) {
        return Ok(Held::Store(name.clone()));
    }
    let rules = nft.forwarding_tables()?.into_iter().filter(|name| name != GUARD_TABLE);
    let bridges = bridges.into_iter().filter(|name| !super::subnet::is_bridge_name(name));
    // Tables of the older iptables are no part of nf_tables.
    let old = std::fs::read_to_string("/proc/thread-self/net/ip_tables_names").unwrap_or_default();
    let old = old.lines().any(|name| name == "filter").then(|| "iptables filter".to_string());
    let foreign = bridges.chain(rules.filter(|name| !super::subnet::is_bridge_name(name))).chain(old).next();
    Ok(foreign.map_or(Held::Nobody, Held::Foreign))
}

/// What [`release`] would tell when the bridge and the table `but` are gone.
pub fn release_forecast(but: &str) -> Vec<Fact> {
    let guard = Fact::TableRemoved { table: format!("inet {GUARD_TABLE}") };
    match held(but) {
        Ok(Held::Nobody) => vec![Fact::Sysctl { name: SETTING.into(), value: "0".into(), was: "1".into() }, guard],
        Ok(Held::Foreign(by)) => vec![left(by), guard],
        Ok(Held::Store(by)) => vec![left(by)],
        Ok(Held::NotOurs) | Err(_) => Vec::new(),
    }
}

fn left(by: String) -> Fact {
    Fact::Left { what: SETTING.into(), why: Kept::Needed, by }
}

/// Switches forwarding back when docent had switched it on and nobody needs it any more. What somebody else may need stays
/// on and is theirs: the guard, which would drop it, goes.
pub fn release(story: &mut Story) -> Result<(), SysError> {
    // Forwarding is switched on only behind a guard: where nobody can look for one, it was not docent.
    match held("").unwrap_or(Held::NotOurs) {
        Held::NotOurs => return Ok(()),
        Held::Store(by) => {
            story.tell(left(by));
            return Ok(());
        }
        Held::Foreign(by) => story.tell(left(by)),
        Held::Nobody => switch("0", "1")?.tell(story),
    }
    if let Some(deed) = remove(GUARD_TABLE)? {
        deed.tell(story);
    }
    // A store that has made its bridge meanwhile may have found forwarding on and a guard that is no more. Stores make
    // their bridge before they look, so whoever comes later than this look finds it off.
    let bridges = Netlink::open()?.bridges()?;
    if bridges.iter().any(|link| super::subnet::is_bridge_name(&link.name)) {
        if let Some(deed) = guard()? {
            deed.tell(story);
        }
        switch("1", "0")?.tell(story);
    }
    Ok(())
}
