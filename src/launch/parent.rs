//! The monitor's half of a launch: its steps of the sequence, in order, and their undoing in reverse.

use super::ahead::Ahead;
use super::init::{InitArguments, Streams};
use super::init_process::{InitProcess, died};
use super::sequence::{self, Side, Step};
use super::spec::Spec;
use super::{netfiles, network, ownership, proofs};
use crate::container::{Container, Init, Life, Port, State};
use crate::event::{Deed, Event, Expect, Fact, Fault, Holds, Limit, Receipt, Story, SysError, now_us};
use crate::kernel::cgroup::Group;
use crate::kernel::files::{self, At};
use crate::kernel::packet::Packets;
use crate::kernel::signals::Signals;
use crate::kernel::sys::{self, Calls};
use crate::kernel::{ports, process, resolve, seccomp, terminal};
use crate::store::{SOCKET, Store};
use std::net::SocketAddrV4;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// What a launch is made of, and what it has made so far.
pub struct Parent<'a> {
    pub store: &'a Store,
    pub container: &'a Container,
    pub spec: &'a Spec,
    /// The container's ends of its pipes; None where it gets a terminal.
    pub streams: Option<Streams>,
    /// Rows and columns of that terminal, where they are known.
    pub size: Option<(u16, u16)>,
    /// SIGTERM among these ends the launch, however long the process takes.
    pub signals: &'a Signals,
    pub life: Life,
    pub published: Vec<Published>,
    pub init: Option<InitProcess>,
    /// The control socket.
    pub control: Option<Packets>,
}

/// A port that listens on the host, and where its connections go.
pub struct Published {
    pub fd: OwnedFd,
    pub to: SocketAddrV4,
}

impl Parent<'_> {
    /// The whole launch. What fails is undone, in reverse, and told, down to what Docker too leaves: the container stays
    /// `Created`, and the bridge, as docker0 does.
    pub fn launch(&mut self, story: &mut Story) -> Result<(), Fault> {
        let steps: Vec<Step> = sequence::launch(self.spec).into_iter().filter(|s| s.side() == Side::Parent).collect();
        for (n, step) in steps.iter().enumerate() {
            if let Err(fault) = self.apply(step, story) {
                story.tell_failure(&fault);
                // What failed may have been half done.
                steps.iter().take(n + 1).rev().for_each(|step| self.undo(step, story));
                return Err(fault);
            }
        }
        Ok(())
    }

    fn apply(&mut self, step: &Step, story: &mut Story) -> Result<(), Fault> {
        let name = step.about().1;
        let failed = |error| Fault::step(name, error);
        match step {
            Step::OwnSession => {
                let deed = process::own_session().map_err(failed)?;
                match proofs::own_session(&self.spec.id) {
                    Some(receipt) => deed.with_receipt(receipt).tell(story),
                    None => deed.tell(story),
                }
            }
            Step::Undumpable => process::guard(false, true).map_err(failed)?.tell(story),
            Step::Address => self.take_address(story)?,
            Step::Publish(port) => self.publish(port, story)?,
            Step::Cgroup(group) => {
                self.life.cgroups = group.paths();
                let made = group.make(&ownership::mark(self.store));
                self.done(step, made, story).map_err(failed)?;
            }
            Step::NoCgroup if self.spec.resources.any() => return Err(sequence::no_cgroup()),
            Step::NoCgroup => self.meant(step).into_iter().for_each(|fact| story.tell(fact)),
            Step::Devices(group) => {
                group.allow_devices().transpose().map_err(failed)?.map_or((), |deed| deed.tell(story))
            }
            // Limits are kept or refused, before anything runs.
            Step::Limit((limit, setting)) => {
                let (group, setting) =
                    self.spec.cgroup.as_ref().zip(setting.as_ref()).ok_or_else(|| sequence::no_controller(limit))?;
                // Known only where the group is: this kernel was told not to count swap (swapaccount=0).
                if setting.limit == Limit::Swap && !setting.file.exists() {
                    return Ok(());
                }
                let refused = |e: SysError| Fault::LimitRefused { limit: (*limit).into(), why: e.to_string() };
                Deed::tell_either(group.set(setting), setting.fact(None), story).map_err(refused)?;
            }
            Step::Clone => self.clone_init(step, story)?,
            Step::Veth => {
                let (Some(endpoint), Some(init)) = (&self.life.endpoint, &self.init) else { return Ok(()) };
                let attached = network::attach_veth(&self.spec.id, endpoint, init.pid);
                let mut told = Story::new();
                let attached = self.done(step, attached, &mut told);
                let Some(init) = &mut self.init else { return Ok(()) };
                init.add(told.events().iter().cloned());
                // A process that has given up has no namespace any more: it is its own words that say why.
                if attached.is_err() {
                    init.dismiss(self.spec, self.signals, story)?;
                }
                attached.map_err(failed)?;
                init.veth_attached();
            }
            Step::Go => self.go(story)?,
            Step::Running => {
                let state = State::Running(self.life.clone());
                self.store.write_state(&self.spec.id, &state).map_err(failed)?;
                let (id, name) = (self.container.id.clone(), self.container.name.clone());
                let pid = self.init.as_ref().map(|init| init.pid);
                let fact = Fact::ContainerStarted { id: id.to_string(), name, pid };
                let receipt = self.store.state_receipt(&id, &state);
                story.tell(Event { receipt, ..Event::of(fact, Vec::new()) });
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes back what a step has made. The address and the ports go with the state and the sockets, limits with their
    /// group, the mounts and the veth pair with the process's namespaces.
    fn undo(&mut self, step: &Step, story: &mut Story) {
        match step {
            Step::Clone => self.init.take().map_or((), |mut init| init.end(story)),
            // What is left of it stays in the container's state.
            Step::Cgroup(group) => self.life.cgroups = remove_cgroup(Some(group), story),
            _ => {}
        }
    }

    /// Tells the deed, or what was meant and why it failed.
    fn done<T>(&self, step: &Step, deed: Result<Deed<T>, SysError>, story: &mut Story) -> Result<T, SysError> {
        match self.meant(step) {
            Some(meant) => Deed::tell_either(deed, meant, story),
            None => deed.map(|deed| deed.tell(story)),
        }
    }

    fn meant(&self, step: &Step) -> Option<Fact> {
        step.meant(self.spec, &Ahead::blind(None))
    }

    /// An address on the bridge, taken and written down under the store lock.
    fn take_address(&mut self, story: &mut Story) -> Result<(), Fault> {
        let _lock = self.store.lock().map_err(|e| Fault::step("lock", e))?;
        let id = &self.spec.id;
        let bridge = network::ensure(self.store, story)?;
        let endpoint = network::lease(&bridge, id, &network::in_use(self.store, id)?)?;
        self.life.endpoint = Some(endpoint.clone());
        let state = State::Starting(self.life.clone());
        self.store.write_state(id, &state).map_err(|e| Fault::step("state", e))?;
        let path = self.store.container_dir(id).hosts();
        let shown = path.to_string_lossy().into_owned();
        let hosts = netfiles::hosts(&self.spec.hostname, Some(endpoint.address));
        let file = shown.clone();
        let written = sys::deed(|calls| {
            files::overwrite(calls, &path, &hosts)?;
            Ok(((), Fact::NetworkFiles { files: vec![file] }))
        })
        .map_err(|e| Fault::step("hosts", e))?;
        let now = std::fs::read_to_string(&path).unwrap_or_default();
        let receipt = Receipt::about(format!("hosts:{id}"), Holds::WhileExists(id.to_string()), now).as_root();
        written.with_receipt(receipt.by(["cat", &shown], Expect::Evidence)).tell(story);
        Ok(())
    }

    /// First thing after the address, so that a port that is taken fails before anything runs.
    fn publish(&mut self, port: &Port, story: &mut Story) -> Result<(), Fault> {
        let Some(endpoint) = &self.life.endpoint else { return Ok(()) };
        let to = SocketAddrV4::new(endpoint.address, port.port);
        let bound = ports::bind(&self.spec.id, port.host_ip, port.host_port, to);
        let meant = Fact::Published {
            host_ip: port.host_ip.map(|ip| ip.to_string()),
            host_port: port.host_port,
            address: Some(to.ip().to_string()),
            port: to.port(),
            proto: port.proto.clone(),
        };
        let bound = Deed::tell_either(bound, meant, story).map_err(|e| match e.errno {
            libc::EADDRINUSE => sequence::taken(port, &self.life.ports, &[], Some(self.store)),
            _ => Fault::step("publish", e),
        })?;
        for (fd, address) in bound {
            let (host_ip, host_port) = (Some(address.ip()), Some(address.port()));
            self.life.ports.push(Port { host_ip, host_port, ..port.clone() });
            self.published.push(Published { fd, to });
        }
        Ok(())
    }

    fn clone_init(&mut self, step: &Step, story: &mut Story) -> Result<(), Fault> {
        let spec = self.spec;
        let mut calls = Calls::default();
        let made: Vec<(&str, u64)> = spec.namespaces().into_iter().filter(|(kind, _)| *kind != "cgroup").collect();
        let flags = made.iter().fold(0, |all, (_, flag)| all | flag);
        let (streams, endpoint) = (self.streams.take(), self.life.endpoint.clone());
        let filters = seccomp::build();
        let arguments = |sync| InitArguments { sync, streams, slave: None, filters, endpoint, enter: None };
        let began = now_us();
        let init = InitProcess::born(&mut calls, flags, spec, arguments).map_err(|error| {
            if let Some(fact) = self.meant(step) {
                story.tell(Event::failed(fact, SysError { calls: calls.take(), ..error.clone() }));
            }
            Fault::step("clone", error)
        })?;
        let mut init = init;
        // Before everything that the process does.
        init.add([Event { at_us: began, ..cloned(init.pid, &made, calls) }]);
        init.born_in_cgroup(spec);
        self.init = Some(init);
        Ok(())
    }

    /// The identity of PID 1 is on disk before it runs: whatever dies from here on, the next command finds it.
    fn go(&mut self, story: &mut Story) -> Result<(), Fault> {
        let Some(init) = &mut self.init else { return Ok(()) };
        init.until_ready(self.spec, self.signals, story)?;
        if let (Some(master), Some((rows, cols))) = (&init.terminal, self.size) {
            terminal::set_size(master, rows, cols);
        }
        self.control = Some(listen(self.store.container_dir(&self.spec.id).path())?);
        let start_time = process::start_time(init.pid).ok_or_else(|| died(self.spec))?;
        self.life.init = Some(Init { pid: init.pid, start_time, at: chrono::Utc::now() });
        let state = State::Starting(self.life.clone());
        self.store.write_state(&self.spec.id, &state).map_err(|e| Fault::step("start", e))?;
        init.go(self.spec, self.signals, story)
    }
}

/// Removes the group, or tells why it stays.
pub fn tell_removed(group: &Group, story: &mut Story) {
    let meant = Fact::CgroupRemoved { name: group.name.clone(), paths: Vec::new() };
    Deed::tell_either(group.remove(), meant, story).unwrap_or(());
}

/// Removes the group, and gives the paths that could not be removed: the container's state keeps them for a later command.
pub fn remove_cgroup(group: Option<&Group>, story: &mut Story) -> Vec<String> {
    let Some(group) = group.filter(|g| g.exists()) else { return Vec::new() };
    tell_removed(group, story);
    if group.exists() { group.paths() } else { Vec::new() }
}

/// Starts another program in a container that runs: the last steps of the sequence, in the namespaces that are there. Comes
/// back at once: [`InitProcess::proceed`] goes on when [`InitProcess::conversation`] can be read.
///
/// The caller's children must be born in the container's pid namespace already ([`enter_pid_namespace`]).
pub fn exec(
    spec: &Spec,
    (pid1, pidfd): (i32, OwnedFd),
    streams: Option<Streams>,
    slave: Option<OwnedFd>,
    story: &mut Story,
) -> Result<InitProcess, Fault> {
    let mut calls = Calls::default();
    let (filters, enter) = (seccomp::build(), Some((pid1, pidfd)));
    // The network is there; no veth pair is to be attached.
    let arguments = |sync| InitArguments { sync, streams, slave, filters, endpoint: None, enter };
    let began = now_us();
    let mut init = InitProcess::born(&mut calls, 0, spec, arguments).map_err(|e| Fault::step("exec", e))?;
    story.about(&spec.id);
    let fact = Fact::ProcessAdded { pid: Some(init.pid) };
    init.add([Event { at_us: began, ..Event::of(fact, calls.take()) }]);
    init.born_in_cgroup(spec);
    Ok(init)
}

/// From now on this process's children are born in the pid namespace of that process.
pub fn enter_pid_namespace(pid1: i32, pidfd: &OwnedFd) -> Result<Deed<()>, SysError> {
    sys::deed(|calls| {
        sys::setns(calls, pidfd.as_fd(), libc::CLONE_NEWPID, &format!("pid:{pid1}"))?;
        let pid = std::process::id() as i32;
        Ok(((), Fact::ChildrenPlaced { pid: Some(pid), of: Some(pid1) }))
    })
}

/// The clone, by whose hand it is.
fn cloned(pid: i32, made: &[(&str, u64)], mut calls: Calls) -> Event {
    let (namespaces, inside) = (process::namespaces(pid, made), process::inner_pid(pid).unwrap_or(1));
    Event::of(Fact::NamespacesMade { pid: Some(pid), inside, namespaces }, calls.take())
}

/// The control socket; one that a dead monitor left behind is replaced.
fn listen(dir: &Path) -> Result<Packets, Fault> {
    let step = |e: SysError| Fault::step("listen", e);
    let handle: OwnedFd = resolve::directory(dir).map_err(step)?;
    // Bookkeeping, and so not told.
    match files::unlinkat(&mut Calls::default(), At::new(&handle, ""), SOCKET, rustix::fs::AtFlags::empty()) {
        Err(e) if e.errno != libc::ENOENT => return Err(step(e)),
        _ => {}
    }
    Packets::listen(handle.as_fd(), SOCKET).map_err(step)
}
