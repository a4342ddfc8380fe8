//! `stop` and `kill`: signals to PID 1, by a handle that cannot reach another process.

use super::plan::{Plan, Scene, Step};
use super::upper_diff;
use crate::container::{Container, ContainerId, Status};
use crate::event::{Deed, Fact, Fault, Story, SysError, now_us};
use crate::kernel::watch::Watch;
use crate::kernel::{process, signals};
use crate::launch::sequence;
use crate::store::{ContainerLock, Journal, Store};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

/// How long a start may take before a command gives up waiting for it.
const STARTING: Duration = Duration::from_secs(10);

/// The signal that asks it to end.
pub fn signal_of(container: &Container) -> i32 {
    container.stop_signal().and_then(signals::number).unwrap_or(libc::SIGTERM)
}

/// A running container's PID 1.
pub fn handle(container: &Container) -> Result<OwnedFd, Fault> {
    let not_running = || Fault::NotRunning { name: container.name.clone(), id: container.id.to_string() };
    let init = container.state.up().and_then(|life| life.init).ok_or_else(not_running)?;
    process::open(init.pid, init.start_time).ok_or_else(not_running)
}

/// The container once it runs, if it is about to: a signal for one that is being started is a signal for its program.
pub fn begun(store: &Store, container: &Container) -> Result<Container, Fault> {
    let id = &container.id;
    let mut now = container.clone();
    if now.state.status() != Status::Starting {
        return Ok(now);
    }
    let until = Instant::now() + STARTING;
    let watch = Watch::entries(store.container_dir(id).path()).map_err(|e| Fault::step("watch", e))?;
    while now.state.status() == Status::Starting && Instant::now() < until {
        // A lock that is free: whoever started it has died.
        if let Ok(Some(_)) = store.try_lock_container(id) {
            break;
        }
        watch.wait(100);
        match store.container_by_id(id)? {
            Some(next) => now = next,
            None => break,
        }
    }
    Ok(now)
}

fn pid_of(container: &Container) -> i32 {
    container.state.init().map_or(0, |init| init.pid)
}

pub(super) fn send(container: &Container, pidfd: &OwnedFd, signal: i32) -> Result<Option<Deed<()>>, Fault> {
    match process::signal(pidfd.as_fd(), pid_of(container), signal) {
        Ok(deed) => Ok(Some(deed.of_container(&container.id))),
        // It has ended meanwhile.
        Err(SysError { errno: libc::ESRCH, .. }) => Ok(None),
        Err(e) => Err(Fault::step("signal", e)),
    }
}

/// The signal that was asked for, or the container's own; a grace period in seconds (negative: for ever); then SIGKILL.
pub struct Stop {
    pub signal: Option<i32>,
    pub grace: Option<i64>,
}

/// Docker's.
const GRACE: i64 = 10;

impl Stop {
    pub fn plan(self, container: &Container) -> Plan {
        Plan::about(container).then(self)
    }
}

impl Step for Stop {
    fn forecast(&self, scene: &mut Scene<'_>) -> Result<Vec<Fact>, Fault> {
        let container = scene.container()?;
        if !container.state.live() {
            return Ok(Vec::new());
        }
        let facts = ended(scene.store, container, self.signal.unwrap_or(signal_of(container)));
        foresee_end(scene);
        Ok(facts)
    }

    fn apply(&mut self, scene: &mut Scene<'_>, story: &mut Story) -> Result<(), Fault> {
        let (store, container) = (scene.store, scene.container()?);
        // A container that does not run is stopped already.
        if !container.state.live() {
            return Ok(());
        }
        let container = &begun(store, container)?;
        let since = now_us();
        let Ok(pidfd) = handle(container) else { return Ok(()) };
        // Its monitor takes the write layer away.
        if container.host_config.auto_remove {
            upper_diff::since_last_look(store, container, story);
        }
        if let Some(deed) = send(container, &pidfd, self.signal.unwrap_or(signal_of(container)))? {
            deed.tell(story);
        }
        // A frozen process cannot even die of a signal it handles: it is thawed to get it.
        thaw(store, &container.id, story)?;
        let grace = self.grace.or(container.config.stop_timeout).unwrap_or(GRACE);
        let millis = u64::try_from(grace).ok().map(|s| s.saturating_mul(1000));
        if !process::wait_gone(pidfd.as_fd(), millis)
            && let Some(deed) = send(container, &pidfd, libc::SIGKILL)?
        {
            deed.tell(story);
            process::wait_gone(pidfd.as_fd(), None);
        }
        let lock = settled(store, story, container, since)?;
        if lock.is_some() {
            upper_diff::since_last_look(store, container, story);
        }
        Ok(())
    }
}

/// One signal. A frozen container gets it when it is thawed, except SIGKILL, which Docker thaws it for.
pub struct Kill(pub i32);

impl Kill {
    pub fn plan(self, container: &Container) -> Plan {
        Plan::about(container).then(self)
    }
}

impl Step for Kill {
    fn forecast(&self, scene: &mut Scene<'_>) -> Result<Vec<Fact>, Fault> {
        let container = scene.container()?;
        if container.state.status() != Status::Starting {
            drop(handle(container)?);
        }
        Ok(match self.0 {
            libc::SIGKILL => {
                let facts = ended(scene.store, container, self.0);
                foresee_end(scene);
                facts
            }
            signal => vec![signalled(container, signal)],
        })
    }

    fn apply(&mut self, scene: &mut Scene<'_>, story: &mut Story) -> Result<(), Fault> {
        let store = scene.store;
        let container = &begun(store, scene.container()?)?;
        let (since, pidfd) = (now_us(), handle(container)?);
        if let Some(deed) = send(container, &pidfd, self.0)? {
            deed.tell(story);
        }
        if self.0 == libc::SIGKILL {
            thaw(store, &container.id, story)?;
            process::wait_gone(pidfd.as_fd(), None);
            drop(settled(store, story, container, since)?);
        }
        Ok(())
    }
}

/// A signal that ends it, and what its monitor will tell then.
pub(super) fn ended(store: &Store, container: &Container, signal: i32) -> Vec<Fact> {
    let group = store.group(&container.id);
    let thawed = group.as_ref().filter(|g| g.frozen()).and_then(|g| g.freezing(false));
    let ending = sequence::ending(container, group.as_ref());
    [signalled(container, signal)].into_iter().chain(thawed).chain(ending).collect()
}

/// With --rm its monitor removes it then.
pub(super) fn foresee_end(scene: &mut Scene<'_>) {
    let left = scene.container().ok().filter(|container| !container.host_config.auto_remove);
    let state = left.map(|container| match container.state.life() {
        Some(life) => life.lost(Vec::new()),
        None => container.state.clone(),
    });
    scene.foresee(state);
}

pub(super) fn signalled(container: &Container, signal: i32) -> Fact {
    let pid = container.state.init().map(|init| init.pid);
    Fact::Signalled { pid, signal, name: signals::name(signal), all: false }
}

/// Where it is frozen. After a SIGKILL its monitor may be quicker, and the group be gone.
pub(super) fn thaw(store: &Store, id: &ContainerId, story: &mut Story) -> Result<(), Fault> {
    match store.group(id).filter(|g| g.frozen()).map(|group| group.freeze(false)) {
        None => {}
        Some(Err(e)) if matches!(e.errno, libc::ENOENT | libc::ENODEV) => {}
        Some(deed) => deed.map_err(|e| Fault::step("thaw", e))?.of_container(id).tell(story),
    }
    Ok(())
}

/// Waits until the monitor has put everything away, tells what it did meanwhile, and keeps the container's lock.
///
/// `since`: the clock when the command began; what the monitor told before belongs to earlier commands.
pub fn settled(
    store: &Store,
    story: &mut Story,
    container: &Container,
    since: u64,
) -> Result<Option<ContainerLock>, Fault> {
    let id = &container.id;
    let lock = store.lock_container(id).map_err(|e| Fault::step("wait", e))?;
    tell_since(store, story, id, since);
    Ok(lock)
}

/// What its monitor has told since then.
pub(super) fn tell_since(store: &Store, story: &mut Story, id: &ContainerId, since: u64) {
    Journal::of_container(store, id).into_iter().filter(|e| e.at_us >= since).for_each(|event| story.tell(event));
}
