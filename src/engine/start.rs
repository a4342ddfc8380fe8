//! `start`, and the second half of `run`: a monitor for the container, and its story as it comes.

use super::plan::{Plan, Scene, Step};
use super::stop;
use crate::container::{Container, Life, NetworkMode, State, Status};
use crate::event::{Fact, Fault, Story};
use crate::kernel::process;
use crate::kernel::watch::Watch;
use crate::launch::ahead::{Ahead, Root};
use crate::launch::{Spec, sequence};
use crate::monitor::client::Client;
use crate::monitor::{Message, Request};
use crate::store::Store;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

/// A container that has been started, with the line to its monitor.
pub struct Started {
    pub client: Client,
    /// Where its input goes, when it was asked for and the container takes any.
    pub input: Option<OwnedFd>,
}

/// What a command wants of the program's streams.
#[derive(Debug, Clone, Copy, Default)]
pub struct Join {
    /// The output comes over the line.
    pub output: bool,
    pub input: bool,
}

pub fn plan(container: &Container, join: Join, size: Option<(u16, u16)>) -> Plan {
    Plan::about(container).then(Start { join, size })
}

/// Starts the scene's container, and leaves [`Started`]; nothing, when it runs already or another command has been faster.
/// `size`: rows and columns of the learner's terminal, for `-t`.
pub struct Start {
    pub join: Join,
    pub size: Option<(u16, u16)>,
}

impl Step for Start {
    fn forecast(&self, scene: &mut Scene<'_>) -> Result<Vec<Fact>, Fault> {
        let (store, container) = (scene.store, scene.container()?);
        if container.state.live() {
            return Ok(Vec::new());
        }
        let spec = Spec::of(store, container);
        // An image may have no layers at all.
        let known = container.image_id.is_some();
        let root = known.then(|| Root::of_layers(store, &spec.root.upper, &spec.root.lower)).transpose()?;
        let others = scene.published.clone();
        let ahead = Ahead { store: Some(store), name: &container.name, root, others, ..Ahead::blind(None) };
        let mut facts = vec![process::sealing(), Fact::HelperStarted { pid: None, role: "monitor".into() }];
        for step in sequence::launch(&spec) {
            facts.extend(step.forecast(&spec, &ahead)?);
        }
        // Who stays with it hears of its end.
        if self.join.output {
            facts.extend(sequence::ending(container, spec.cgroup.as_ref()));
        }
        let ports = if spec.network == NetworkMode::Bridge { spec.ports } else { Vec::new() };
        let running = State::Running(Life::to_come(ports));
        match self.join.output {
            true => stop::foresee_end(scene),
            false => scene.foresee(Some(running)),
        }
        Ok(facts)
    }

    fn apply(&mut self, scene: &mut Scene<'_>, story: &mut Story) -> Result<(), Fault> {
        let container = scene.container()?;
        // Starting what runs is no error with Docker.
        if container.state.live() {
            return Ok(());
        }
        if let Some(started) = start(scene.store, story, container, self.join, self.size)? {
            scene.leave(started);
        }
        Ok(())
    }
}

/// How long another command may have the container before this one gives up: a start elsewhere, a copy into it.
const BUSY: Duration = Duration::from_secs(10);

/// Starts it and comes back when its program runs (or with the reason why it does not). None: another command has started it
/// meanwhile.
fn start(
    store: &Store,
    story: &mut Story,
    container: &Container,
    join: Join,
    size: Option<(u16, u16)>,
) -> Result<Option<Started>, Fault> {
    let id = &container.id;
    let until = Instant::now() + BUSY;
    loop {
        match once(store, story, container, join, size) {
            Err(Fault::Step { error, .. })
                if error.call == "flock" && error.errno == libc::EWOULDBLOCK && Instant::now() < until =>
            {
                let watch = Watch::entries(store.container_dir(id).path()).map_err(|e| Fault::step("watch", e))?;
                let now = store.container_by_id(id)?.ok_or_else(|| Fault::NoSuchContainer { name: id.to_string() })?;
                if matches!(now.state.status(), Status::Running | Status::Paused) {
                    return Ok(None);
                }
                watch.wait(100);
            }
            other => return other.map(Some),
        }
    }
}

fn once(
    store: &Store,
    story: &mut Story,
    container: &Container,
    join: Join,
    size: Option<(u16, u16)>,
) -> Result<Started, Fault> {
    let id = &container.id;
    let program = process::sealed_program().map_err(|e| Fault::step("seal", e))?.of_container(id).tell(story);
    let (client, deed) = Client::start_monitor(store, id, program.as_fd()).map_err(|e| Fault::step("monitor", e))?;
    deed.of_container(id).tell(story);
    client.request(&Request::Start { attach: join.output, stdin: join.input, size }, &[])?;
    loop {
        match client.next() {
            Message::Events(events) => story.tell_all(events),
            Message::Started { fd } => return Ok(Started { client, input: fd }),
            Message::Fault(fault) => return Err(fault),
            Message::Closed => return Err(Fault::MonitorDied { id: id.to_string() }),
            // Output follows `Started`.
            Message::Stdout(_) | Message::Stderr(_) | Message::Exited(_) => {}
        }
    }
}
