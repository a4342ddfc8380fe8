//! Which store a bridge, a table or a control group of docent's belongs to, and the removal of those whose store is gone.
//!
//! A store that was deleted by hand leaves a bridge, its table, perhaps a control group. The kernel keeps with each of them
//! the name of its store: the bridge's alias, the table's comment, an extended attribute of the group's directory, all of
//! the form `docent mnt:[4026531841] /var/lib/docent`. The next command of any store removes what belongs to a store that
//! is gone, is used by nobody, and whose name means the same here as where it was written. Where that is not sure, it is
//! left, and told once.

use super::{firewall, network, parent, subnet};
use crate::event::{Fact, Kept, Story, SysError};
use crate::kernel::cgroup;
use crate::kernel::netlink::Netlink;
use crate::kernel::nftables::Nftables;
use crate::store::Store;
use std::collections::BTreeMap;
use std::path::Path;

/// What the kernel keeps at most of an alias and of a comment. A store with a longer path cannot be named.
const LONGEST: usize = 254;
const BEGINNING: &str = "docent ";

/// The name of a store, as it is written to what belongs to it. Empty: it cannot be said.
pub fn mark(store: &Store) -> String {
    let text = format!("{BEGINNING}{} {}", mount_namespace(), store.root().display());
    if text.len() > LONGEST || store.root().to_str().is_none() { String::new() } else { text }
}

pub fn is_mark(text: &str) -> bool {
    text.starts_with(BEGINNING)
}

/// A path means something only within a mount namespace.
fn mount_namespace() -> String {
    std::fs::read_link("/proc/thread-self/ns/mnt").map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// Its store is there, or somebody holds its lock.
    Owned,
    Gone,
    Unsure,
}

fn judge(mark: &str) -> Verdict {
    let Some((namespace, path)) = mark.strip_prefix(BEGINNING).and_then(|rest| rest.split_once(' ')) else {
        return Verdict::Unsure;
    };
    if namespace.is_empty() || namespace != mount_namespace() {
        return Verdict::Unsure;
    }
    if Store::is_used(Path::new(path)) { Verdict::Owned } else { Verdict::Gone }
}

/// Removes what stores that are gone have left.
///
/// # Errors
/// Netlink's, where only root may ask (another user's command): who may not has left nothing there. What was removed is told.
pub fn remove_orphans(store: &Store, story: &mut Story) -> Result<(), SysError> {
    let mut unsure = Vec::new();
    remove_orphan_networks(store, story, &mut unsure)?;
    for (group, owner) in cgroup::all(&store.host().cgroups) {
        if store.has_container(&group.id) || !group.is_empty() {
            continue;
        }
        match judge(&owner.unwrap_or_default()) {
            Verdict::Gone => parent::tell_removed(&group, story),
            Verdict::Unsure => unsure.push((group.paths().first().cloned().unwrap_or(group.name), String::new())),
            Verdict::Owned => {}
        }
    }
    store.not_told_yet(&mut unsure);
    for (what, by) in unsure {
        story.tell(Fact::Left { what, why: Kept::Unsure, by });
    }
    Ok(())
}

fn remove_orphan_networks(
    store: &Store,
    story: &mut Story,
    unsure: &mut Vec<(String, String)>,
) -> Result<(), SysError> {
    let own = subnet::bridge_name(store.root());
    let mut net = Netlink::open()?;
    let bridges = net.bridges()?;
    // Only root may look; who may not has nothing to take away either.
    let tables = Nftables::open().and_then(|mut nft| nft.tables()).unwrap_or_default();
    let mut found: BTreeMap<&str, &str> = BTreeMap::new();
    let named = tables.iter().map(|(name, comment)| (name, comment));
    for (name, mark) in named.chain(bridges.iter().map(|link| (&link.name, &link.alias))) {
        if subnet::is_bridge_name(name) && *name != own {
            let known = found.entry(name).or_default();
            if is_mark(mark) {
                *known = mark;
            }
        }
    }
    let mut taken = false;
    for (name, mark) in found {
        let verdict = judge(mark);
        let bridge = bridges.iter().find(|link| link.name == name);
        // A container that runs has its veth pair attached.
        if verdict == Verdict::Owned || bridge.is_some_and(|link| net.ports(link).map_or(true, |p| !p.is_empty())) {
            continue;
        }
        if verdict == Verdict::Unsure {
            unsure.push((name.to_string(), mark.trim_start_matches(BEGINNING).to_string()));
            continue;
        }
        if let Some(deed) = firewall::remove(name)? {
            deed.tell(story);
        }
        if let Some(deed) = network::remove_bridge(name)? {
            deed.tell(story);
        }
        taken = true;
    }
    if taken {
        firewall::release(story)?;
    }
    Ok(())
}
