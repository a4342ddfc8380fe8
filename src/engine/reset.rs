//! `system reset`: a store ends, and the host is as it was before it. Containers first, then what the network had, then the
//! store itself; a reset that was killed on the way is gone on with by the next one.

use super::plan::{Foreseen, Plan, Scene, Step};
use super::remove::{self, Remove};
use crate::event::{Fact, Fault, Story, SysError};
use crate::kernel::cgroup;
use crate::launch::{firewall, network, subnet};
use crate::store::Store;

/// How often containers that others make meanwhile are removed before it is given up.
const ROUNDS: usize = 8;

pub fn plan() -> Plan {
    Plan::default().then(Reset)
}

struct Reset;

impl Step for Reset {
    fn forecast(&self, scene: &mut Scene<'_>) -> Result<Vec<Fact>, Fault> {
        let store = scene.store;
        refuse_mounts(store)?;
        let mut facts = Vec::new();
        for container in store.list_containers()? {
            facts.extend(Remove::plan(&container, true).forecast(store, &mut Foreseen::default()).facts);
        }
        let bridge = subnet::bridge_name(store.root());
        if firewall::has_table(&bridge) {
            facts.push(Fact::TableRemoved { table: format!("inet {bridge}") });
        }
        if network::has_bridge(&bridge) {
            facts.push(Fact::BridgeRemoved { name: bridge.clone() });
        }
        facts.extend(firewall::release_forecast(&bridge));
        facts.push(Fact::StoreRemoved { path: store.root().to_string_lossy().into_owned() });
        Ok(facts)
    }

    fn apply(&mut self, scene: &mut Scene<'_>, story: &mut Story) -> Result<(), Fault> {
        reset(scene.store, story)
    }
}

fn refuse_mounts(store: &Store) -> Result<(), Fault> {
    match store.mounted_below() {
        Some(path) => Err(Fault::StoreRefused { path, errno: libc::EBUSY }),
        None => Ok(()),
    }
}

/// Ends and removes everything of this store. Nothing below the root is touched as long as a container is left, or where
/// somebody has mounted something in it.
///
/// Errors: StoreRefused with EBUSY for a mount below the root; what could not be removed otherwise.
fn reset(store: &Store, story: &mut Story) -> Result<(), Fault> {
    refuse_mounts(store)?;
    let step = |error: SysError| Fault::step("reset", error);
    for _ in 0..ROUNDS {
        end_containers(store, story)?;
        // From here on nobody makes a container; one that was made since the list was read is removed in another round.
        let lock = store.lock().map_err(step)?;
        if store.container_ids().is_empty() {
            let bridge = subnet::bridge_name(store.root());
            if let Some(deed) = firewall::remove(&bridge).map_err(step)? {
                deed.tell(story);
            }
            if let Some(deed) = network::remove_bridge(&bridge).map_err(step)? {
                deed.tell(story);
            }
            firewall::release(story).map_err(step)?;
            if let Some(deed) = cgroup::remove_parents(&store.host().cgroups).map_err(step)? {
                deed.tell(story);
            }
            store.remove_all(story).map_err(step)?;
            drop(lock);
            return Ok(());
        }
    }
    Err(step(SysError::new("rmdir", store.containers().to_string_lossy(), libc::EBUSY)))
}

/// Each container as by `rm -f`; one whose files say nothing sensible goes by its id.
fn end_containers(store: &Store, story: &mut Story) -> Result<(), Fault> {
    for id in store.container_ids() {
        match store.container_by_id(&id) {
            Ok(Some(container)) => remove::remove(store, story, &container, true)?,
            _ => remove::discard(store, story, &id)?,
        }
    }
    Ok(())
}
