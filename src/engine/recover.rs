//! Recovery: the next command removes what a killed command or monitor left behind, before it does anything else.
//!
//! Everything docent makes can be found from the store alone: what is not finished lies in `tmp/` under a lock that died with
//! its maker; a container whose state says that it lives and whose lock is free has lost its monitor, and its process,
//! cgroup and veth pair have names that follow from its id.

use crate::container::{Container, ContainerId};
use crate::event::{Event, Fact, Fault, Receipt, Story};
use crate::kernel::cgroup::Group;
use crate::kernel::process;
use crate::launch::{network, ownership};
use crate::store::Store;
use std::os::fd::AsFd;

/// Recovers the store and tells what was found. With nothing to do it costs one file and one lock attempt for each live
/// container. Gives what is wrong with containers whose files cannot be read: they are left as they are. One that has a monitor
/// is not looked at further; `ps` does that.
pub fn recover(store: &Store, story: &mut Story) -> Result<Vec<Fault>, Fault> {
    for fault in super::copy::undo_abandoned(store, story) {
        go_on(Err(fault), story)?;
    }
    let abandoned = store.abandoned();
    if !abandoned.is_empty() {
        // Whoever was killed may have been in the middle of an import: blobs and layers that no name leads to. They go
        // first: if this command is killed too, the next one still finds the reason to look.
        let (containers, damaged) = store.all_containers()?;
        let configs: Option<Vec<&Container>> = damaged.iter().map(|d| d.config.as_ref()).collect();
        // Which layers one has whose configuration is lost nobody knows: then all stay.
        if let Some(configs) = configs {
            let used = containers.iter().chain(configs).flat_map(|c| c.layers.iter().cloned()).collect();
            for deed in store.remove_unreferenced(used)? {
                deed.tell(story);
            }
        }
    }
    for temp in abandoned {
        let path = temp.path().to_path_buf();
        let what = format!("tmp/{}", path.file_name().unwrap_or_default().to_string_lossy());
        drop(temp);
        // What cannot be removed yet is not told as gone.
        if path.symlink_metadata().is_err() {
            story.tell(Fact::Cleaned { what });
        }
    }
    // Who cannot look at the host's network has left nothing there either.
    ownership::remove_orphans(store, story).unwrap_or(());
    let mut damaged = Vec::new();
    for id in store.container_ids().into_iter().filter(|id| !store.has_monitor(id)) {
        let container = match store.container_by_id(&id) {
            Ok(Some(container)) => container,
            Ok(None) => continue,
            Err(fault @ Fault::ContainerDamaged { .. }) => {
                damaged.push(fault);
                continue;
            }
            Err(other) => return Err(other),
        };
        if !container.state.live() {
            let removed = teardown_group(store, &container, story);
            go_on(removed, story)?;
            continue;
        }
        let Ok(Some(_lock)) = store.try_lock_container(&container.id) else { continue };
        // Under its lock nobody else changes it; what it was may have changed before we got it.
        if let Ok(Some(now)) = store.container_by_id(&container.id)
            && now.state.live()
        {
            let reaped = reap(store, &now, story);
            go_on(reaped, story)?;
        }
    }
    Ok(damaged)
}

/// What cannot be recovered now (a full disk, a process that the kernel cannot end yet) is told, and does not keep this
/// command from its work: it may be the one that frees the disk.
fn go_on(outcome: Result<(), Fault>, story: &mut Story) -> Result<(), Fault> {
    match outcome {
        Err(Fault::Step { error, .. }) => {
            story.tell(Event::failed(Fact::Cleaned { what: error.object.clone() }, error));
            Ok(())
        }
        // That one is reported anyway.
        Err(Fault::ContainerDamaged { .. }) => Ok(()),
        other => other,
    }
}

/// A group that could not be removed when its container ended, and with `--rm` the container: tried again, and told. That it
/// fails again does not keep this command from its work.
fn teardown_group(store: &Store, container: &Container, story: &mut Story) -> Result<(), Fault> {
    if container.state.left().is_empty() {
        return Ok(());
    }
    let Ok(Some(_lock)) = store.try_lock_container(&container.id) else { return Ok(()) };
    if let Some(group) = store.group(&container.id).filter(|g| g.exists()) {
        remove_group(&group, &container.id, story);
        if group.exists() {
            return Ok(());
        }
    }
    if container.host_config.auto_remove {
        store.remove_container(container).map_err(|e| Fault::step("remove", e))?.tell(story);
        return Ok(());
    }
    let after = container.state.clone().without_left();
    store.write_state(&container.id, &after).map_err(|e| Fault::step("recover", e))
}

/// Ends what is left of a lost container's processes, removes its cgroup, and records what can be known; with `--rm` the
/// container goes. The caller holds its lock.
pub(super) fn reap(store: &Store, container: &Container, story: &mut Story) -> Result<(), Fault> {
    let step = |e| Fault::step("recover", e);
    let id = &container.id;
    let Some(life) = container.state.life() else { return Ok(()) };
    let this_boot = life.boot_id == process::boot_id();
    let group = store.group(id).filter(|g| g.exists());
    if this_boot
        && let Some(init) = life.init
        && let Some(pidfd) = process::open(init.pid, init.start_time)
    {
        // PID 1 usually died with its monitor (PR_SET_PDEATHSIG), but a program can ask the kernel not to.
        if group.as_ref().is_some_and(|g| g.frozen())
            && let Some(group) = &group
        {
            group.freeze(false).map_err(step)?.of_container(id).tell(story);
        }
        end(pidfd.as_fd(), init.pid, id, story);
    }
    if let Some(group) = &group {
        end_group(group, id, story);
    }
    // A group that stays is remembered: the next command tries again, and the container is kept as long.
    let cgroups = group.filter(|g| g.exists()).map(|g| g.paths()).unwrap_or_default();
    if this_boot
        && let Some(endpoint) = &life.endpoint
        && let Some(deed) = network::remove_veth(&endpoint.veth).map_err(step)?
    {
        deed.of_container(id).tell(story);
    }
    if container.host_config.auto_remove && life.init.is_some() && cgroups.is_empty() {
        tell_lost(container, None, story);
        store.remove_container(container).map_err(|e| Fault::step("remove", e))?.tell(story);
        return Ok(());
    }
    let state = life.lost(cgroups);
    store.write_state(id, &state).map_err(step)?;
    tell_lost(container, store.state_receipt(id, &state), story);
    Ok(())
}

/// Kills what is in a group, and removes it.
pub(super) fn end_group(group: &Group, id: &ContainerId, story: &mut Story) {
    end_processes(group, id, story);
    remove_group(group, id, story);
}

pub(super) fn end_processes(group: &Group, id: &ContainerId, story: &mut Story) {
    for pid in group.processes() {
        if let Some(pidfd) = process::start_time(pid).and_then(|started| process::open(pid, started)) {
            end(pidfd.as_fd(), pid, id, story);
        }
    }
}

/// Tells the removal, or that it failed: then the group is still there, and a later command tries again.
fn remove_group(group: &Group, id: &ContainerId, story: &mut Story) {
    match group.remove() {
        Ok(deed) => deed.of_container(id).tell(story),
        Err(error) => {
            let fact = Fact::CgroupRemoved { name: group.name.clone(), paths: Vec::new() };
            story.tell(Event { container: Some(id.into()), ..Event::failed(fact, error) });
        }
    }
}

fn tell_lost(container: &Container, receipt: Option<Receipt>, story: &mut Story) {
    let fact = Fact::ContainerLost { id: container.id.to_string(), name: container.name.clone() };
    story.tell(Event { container: Some(container.id.to_string()), receipt, ..Event::from(fact) });
}

fn end(pidfd: std::os::fd::BorrowedFd<'_>, pid: i32, id: &ContainerId, story: &mut Story) {
    if let Ok(deed) = process::signal(pidfd, pid, libc::SIGKILL) {
        deed.of_container(id).tell(story);
    }
    process::wait_gone(pidfd, Some(10_000));
}
