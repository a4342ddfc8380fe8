//! `exec`: another program in a container that runs. The monitor starts it (monitor/exec.rs says why).

use super::attach::{self, Ends, Outcome};
use super::plan::{Plan, Scene, Step};
use super::view;
use crate::container::{Container, Life, Process, Status, merge_env};
use crate::event::{Fact, Fault, Story};
use crate::kernel::{process, resolve};
use crate::launch::ahead::{Ahead, Root};
use crate::launch::{Spec, sequence};
use crate::monitor::client::{Client, pipe};
use crate::monitor::{Message, Request};
use crate::store::Store;
use std::os::fd::AsFd;

#[derive(Debug, Clone, Default)]
pub struct Ask {
    pub command: Vec<String>,
    pub env: Vec<String>,
    pub workdir: Option<String>,
    pub user: Option<String>,
    pub tty: bool,
    pub stdin: bool,
}

/// A program that runs; nothing of what it says has been passed on yet, so narration goes before.
pub struct Begun {
    client: Client,
    ends: Ends,
}

impl Begun {
    /// Joins the learner's streams to it until it ends.
    pub fn attach(self, story: &mut Story) -> Result<Outcome, Fault> {
        attach::attach(&self.client, self.ends, story)
    }
}

/// Starts the program, and leaves [`Begun`]. `size`: rows and columns of the learner's terminal, for `-t`.
pub struct Exec {
    pub ask: Ask,
    pub size: Option<(u16, u16)>,
}

impl Exec {
    pub fn plan(self, container: &Container) -> Plan {
        Plan::about(container).then(self)
    }
}

impl Step for Exec {
    fn forecast(&self, scene: &mut Scene<'_>) -> Result<Vec<Fact>, Fault> {
        let (store, container) = (scene.store, scene.container()?);
        runs(container)?;
        let process = process_of(container, &self.ask);
        let spec = Spec { process, ..Spec::of(store, container) };
        let life = container.state.life();
        let init = life.and_then(|life| life.init).map(|init| init.pid);
        // Where setns leads: its first program may have another root by now (chroot).
        let root = view::running_root(container).map(|root| root.and_then(resolve::top_of)).transpose();
        let root = root.map_err(|e| Fault::step("view", e))?.map(Root::Running);
        let ahead = Ahead { store: Some(store), name: &container.name, root, ..Ahead::blind(init) };
        // With the first exec the monitor goes where its further children are to be born.
        let outside = |life: &Life| !process::has_children_elsewhere(life.monitor);
        let placed = life.filter(|l| outside(l)).map(|l| Fact::ChildrenPlaced { pid: Some(l.monitor), of: init });
        let mut facts: Vec<Fact> = placed.into_iter().collect();
        for step in sequence::exec(&spec) {
            facts.extend(step.forecast(&spec, &ahead)?);
        }
        facts.push(Fact::Reaped { pid: None, code: None, signal: None });
        Ok(facts)
    }

    fn apply(&mut self, scene: &mut Scene<'_>, story: &mut Story) -> Result<(), Fault> {
        let begun = begin(scene.store, story, scene.container()?, &self.ask, self.size)?;
        scene.leave(begun);
        Ok(())
    }
}

fn runs(container: &Container) -> Result<(), Fault> {
    let (name, id) = (container.name.clone(), container.id.clone());
    match container.state.status() {
        Status::Running => Ok(()),
        Status::Paused => Err(Fault::IsPaused { name, id: id.to_string() }),
        _ => Err(Fault::NotRunning { name, id: id.to_string() }),
    }
}

/// The container's own, where nothing else is asked for.
fn process_of(container: &Container, ask: &Ask) -> Process {
    Process {
        argv: ask.command.clone(),
        env: merge_env(&container.config.env, &ask.env),
        cwd: ask.workdir.clone().unwrap_or_else(|| container.process().cwd),
        user: ask.user.clone().or_else(|| container.config.user.clone()),
        tty: ask.tty,
        stdin: ask.stdin,
    }
}

fn begin(
    store: &Store,
    story: &mut Story,
    container: &Container,
    ask: &Ask,
    size: Option<(u16, u16)>,
) -> Result<Begun, Fault> {
    runs(container)?;
    let (id, process) = (container.id.clone(), process_of(container, ask));
    let step = |e| Fault::step("exec", e);
    let client = Client::connect(store, &id).map_err(step)?;
    let request = Request::Exec { process, size };
    let mut ours = None;
    if ask.tty {
        client.request(&request, &[])?;
    } else {
        let ((in_read, in_write), (out_read, out_write), (err_read, err_write)) =
            (pipe().map_err(step)?, pipe().map_err(step)?, pipe().map_err(step)?);
        client.request(&request, &[in_read.as_fd(), out_write.as_fd(), err_write.as_fd()])?;
        // Without -i the program reads an empty input: our end is dropped here.
        ours = Some((ask.stdin.then_some(in_write), [Some(out_read), Some(err_read)]));
    }
    loop {
        match client.next() {
            Message::Events(events) => story.tell_all(events),
            Message::Started { fd } => {
                let (input, outputs) = ours.unwrap_or_else(|| {
                    let input = fd.as_ref().filter(|_| ask.stdin).and_then(|fd| fd.try_clone().ok());
                    (input, [fd, None])
                });
                return Ok(Begun { client, ends: Ends::new(ask.tty, input, outputs) });
            }
            Message::Fault(fault) => return Err(fault),
            Message::Closed => return Err(Fault::MonitorDied { id: id.to_string() }),
            _ => {}
        }
    }
}
