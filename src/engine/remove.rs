//! `rm`: the container's directory goes, and with it the write layer. The image stays as it was.

use super::plan::{Plan, Scene, Step};
use super::{recover, stop, upper_diff};
use crate::container::{Container, ContainerId, Status};
use crate::event::{Deed, Event, Fact, Fault, Story, SysError, now_us};
use crate::kernel::process;
use crate::kernel::watch::Watch;
use crate::launch::network;
use crate::store::Store;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

/// How long a monitor may take to end once its program has.
const ENDING: Duration = Duration::from_secs(10);

/// Milliseconds until a look again, where nothing wakes.
const WAIT: u64 = 100;

/// A container that was sent SIGKILL and is to be removed; its signal is told when its turn comes.
#[derive(Debug)]
pub struct Killed {
    container: Container,
    since: u64,
    pidfd: OwnedFd,
    /// None: it had ended meanwhile.
    sent: Option<Deed<()>>,
}

impl Killed {
    pub fn is(&self, container: &Container) -> bool {
        self.container.id == container.id
    }
}

/// Sends SIGKILL to one that runs, so that several end side by side before the first is waited for.
pub fn kill(container: &Container) -> Result<Option<Killed>, Fault> {
    let since = now_us();
    let Ok(pidfd) = stop::handle(container) else { return Ok(None) };
    let sent = stop::send(container, &pidfd, libc::SIGKILL)?;
    Ok(Some(Killed { container: container.clone(), since, pidfd, sent }))
}

/// A SIGKILL that could not be sent.
pub fn tell_not_killed(container: &Container, fault: &Fault, story: &mut Story) {
    if let Fault::Step { error, .. } = fault {
        let failed = Event::failed(stop::signalled(container, libc::SIGKILL), error.clone());
        story.tell(Event { container: Some(container.id.to_string()), ..failed });
    }
}

/// Removes what [`kill`] has killed.
fn remove_killed(store: &Store, story: &mut Story, killed: Killed) -> Result<(), Fault> {
    let Killed { container, since, pidfd, sent } = killed;
    if let Some(sent) = sent {
        sent.tell(story);
    }
    // Version 1 delivers even SIGKILL only when the group thaws.
    stop::thaw(store, &container.id, story)?;
    process::wait_gone(pidfd.as_fd(), None);
    ended(store, story, &container, since)
}

/// With `force` also one that runs; what has been killed already is not killed again.
pub struct Remove {
    force: bool,
    killed: Option<Killed>,
}

impl Remove {
    pub fn plan(container: &Container, force: bool) -> Plan {
        Plan::about(container).then(Remove { force, killed: None })
    }

    pub fn killed(killed: Killed) -> Plan {
        Plan::about(&killed.container.clone()).then(Remove { force: true, killed: Some(killed) })
    }
}

impl Step for Remove {
    fn forecast(&self, scene: &mut Scene<'_>) -> Result<Vec<Fact>, Fault> {
        let container = scene.container()?;
        if container.state.live() && !self.force {
            return Err(still_running(container));
        }
        let mut facts = match container.state.live() {
            true => stop::ended(scene.store, container, libc::SIGKILL),
            false => Vec::new(),
        };
        // With --rm its monitor removes it.
        if !facts.iter().any(|fact| matches!(fact, Fact::ContainerRemoved { .. })) {
            facts.push(Fact::ContainerRemoved { id: container.id.to_string(), name: container.name.clone() });
        }
        scene.foresee(None);
        Ok(facts)
    }

    fn apply(&mut self, scene: &mut Scene<'_>, story: &mut Story) -> Result<(), Fault> {
        match self.killed.take() {
            Some(killed) => remove_killed(scene.store, story, killed),
            None => remove(scene.store, story, scene.container()?, self.force),
        }
    }
}

fn still_running(container: &Container) -> Fault {
    let paused = container.state.status() == Status::Paused;
    Fault::StillRunning { name: container.name.clone(), id: container.id.to_string(), paused }
}

/// Removes it; with `force`, kills it first. Before it is reported the store is synced, once for all that were removed.
pub fn remove(store: &Store, story: &mut Story, container: &Container, force: bool) -> Result<(), Fault> {
    let id = container.id.clone();
    let since = now_us();
    let mut now = container.clone();
    let mut lock = None;
    // Whoever has the lock of one that does not run is about to start it, to remove it or to copy: then it is looked at again,
    // since a started one would keep its lock for as long as it runs.
    while !now.state.live() && lock.is_none() {
        let watch = Watch::entries(store.container_dir(&id).path());
        lock = match store.try_lock_container(&id) {
            Err(e) if e.errno == libc::ENOENT => return Ok(()),
            other => other.map_err(|e| Fault::step("lock", e))?,
        };
        if let (None, Ok(watch)) = (&lock, watch) {
            watch.wait(100);
        }
        let Some(next) = store.container_by_id(&id)? else { return Ok(()) };
        now = next;
    }
    if lock.is_some() {
        return remove_stopped(store, story, container);
    }
    if !force {
        return Err(still_running(&now));
    }
    match kill(&stop::begun(store, &now)?)? {
        Some(killed) => remove_killed(store, story, Killed { since, ..killed }),
        None => ended(store, story, &now, since),
    }
}

/// Removes one whose program has ended. Its monitor holds the lock until its teardown is done (a container with --rm is gone by
/// itself then); whoever starts it again meanwhile would keep it for as long as it runs, so that one is ended too.
fn ended(store: &Store, story: &mut Story, container: &Container, since: u64) -> Result<(), Fault> {
    let id = &container.id;
    let of = |container: &Container| container.state.life().map(|life| life.monitor);
    let monitor = of(container).and_then(|pid| process::open(pid, process::start_time(pid)?));
    loop {
        let lock = match store.try_lock_container(id) {
            Err(e) if e.errno == libc::ENOENT => None,
            Ok(None) => {
                match store.container_by_id(id)? {
                    Some(now) if of(&now).is_some_and(|pid| Some(pid) != of(container)) => {
                        stop::tell_since(store, story, id, since);
                        return remove(store, story, &now, true);
                    }
                    _ => {}
                }
                match &monitor {
                    Some(monitor) => drop(process::wait_gone(monitor.as_fd(), Some(WAIT))),
                    None => drop(Watch::entries(store.container_dir(id).path()).map(|watch| watch.wait(WAIT))),
                }
                continue;
            }
            lock => lock.map_err(|e| Fault::step("lock", e))?,
        };
        stop::tell_since(store, story, id, since);
        return lock.map_or(Ok(()), |_lock| remove_stopped(store, story, container));
    }
}

/// Removes one whose lock the caller has.
fn remove_stopped(store: &Store, story: &mut Story, container: &Container) -> Result<(), Fault> {
    let id = &container.id;
    // A monitor that was killed on the way has removed nothing: once the directory is gone, nobody would know of its group.
    if let Some(now) = store.container_by_id(id)?.filter(|c| c.state.live()) {
        let reaped = recover::reap(store, &now, story);
        if store.group(id).is_some_and(|g| g.exists()) {
            reaped?;
            return Err(Fault::step("cgroup", SysError::new("rmdir", id, libc::EBUSY)));
        }
        // A state that could not be written (a full disk) goes with the container.
        if store.container_by_id(id)?.is_none() {
            return Ok(());
        }
    }
    upper_diff::since_last_look(store, container, story);
    store.remove_container(container).map_err(|e| Fault::step("remove", e))?.tell(story);
    Ok(())
}

/// One whose files cannot be read, by its id.
pub struct Discard(pub ContainerId);

impl Step for Discard {
    fn forecast(&self, scene: &mut Scene<'_>) -> Result<Vec<Fact>, Fault> {
        let group = scene.store.group(&self.0).filter(|group| group.exists());
        let group = group.map(|g| Fact::CgroupRemoved { name: g.name.clone(), paths: g.paths() });
        let removed = Fact::ContainerRemoved { id: self.0.to_string(), name: self.0.to_string() };
        Ok(group.into_iter().chain([removed]).collect())
    }

    fn apply(&mut self, scene: &mut Scene<'_>, story: &mut Story) -> Result<(), Fault> {
        discard(scene.store, story, &self.0)
    }
}

/// Removes one whose files cannot be read: what the kernel has under names that follow from its id, then its directory.
pub fn discard(store: &Store, story: &mut Story, id: &ContainerId) -> Result<(), Fault> {
    let step = |e| Fault::step("remove", e);
    let (since, until) = (now_us(), Instant::now() + ENDING);
    let group = || store.group(id).filter(|group| group.exists());
    let _lock = loop {
        let watch = Watch::entries(store.container_dir(id).path());
        if let Some(group) = group() {
            // Version 1 delivers even SIGKILL only when the group thaws.
            stop::thaw(store, id, story)?;
            recover::end_processes(&group, id, story);
        }
        // The monitor ends with its program, and tells what it has removed.
        match store.try_lock_container(id) {
            Ok(None) if Instant::now() < until => watch.map(|watch| watch.wait(100)).map_err(step)?,
            Ok(None) => return Err(step(SysError::new("flock", id, libc::EBUSY))),
            Err(e) if e.errno != libc::ENOENT => return Err(step(e)),
            lock => break lock.ok().flatten(),
        }
    };
    stop::tell_since(store, story, id, since);
    if let Some(group) = group() {
        recover::end_group(&group, id, story);
    }
    if let Some(group) = group() {
        return Err(step(SysError::new("rmdir", group.name, libc::EBUSY)));
    }
    if let Some(deed) = network::remove_veth(&network::veth(id)).map_err(step)? {
        deed.of_container(id).tell(story);
    }
    match store.discard_container(id, id) {
        // Its monitor did it (`--rm`).
        Err(e) if e.errno == libc::ENOENT => {}
        other => other.map_err(step)?.tell(story),
    }
    Ok(())
}
