//! The launch, from top to bottom: its steps, each in its place, and for each what it will tell and why it could fail.
//!
//! `explain -- run …` prints this sequence. The monitor ([`super::parent`]) and the new process ([`super::init`]) apply it: each
//! takes its own steps from the list, in the list's order, and the socket between them says where one waits for the other
//! ([`super::init_process`]). What fails is undone by the parent in reverse.

use super::ahead::Ahead;
use super::spec::{MKNOD, Mount, Spec};
use super::{network, protect, root, user};
use crate::container::{Container, NetworkMode, Port};
use crate::event::{Fact, Fault, FaultPoint, Holder, Limit, Namespace};
use crate::kernel::caps;
use crate::kernel::cgroup::{self, Group, Setting};
use crate::kernel::ports;
use crate::store::Store;
use std::path::Path;

/// Who applies a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The monitor, before and beside the new process.
    Parent,
    /// The new process, in its namespaces.
    Init,
}

/// A limit that was asked for, by its flag; None where this host has nothing that would keep it.
pub type Limited = (&'static str, Option<Setting>);

#[derive(Debug, Clone)]
pub enum Step {
    /// The monitor leaves the learner's session.
    OwnSession,
    /// What runs in the container can neither trace nor read the monitor.
    Undumpable,
    /// The bridge, an address on it, and the container's /etc/hosts with it.
    Address,
    Publish(Port),
    Cgroup(Group),
    /// This host has none.
    NoCgroup,
    Devices(Group),
    Limit(Limited),
    Clone,
    Guard,
    /// Version 1; in version 2 the process is born in it.
    JoinCgroup(Group),
    CgroupNamespace,
    /// The namespaces of a container that runs already (exec).
    Enter,
    KeepMounts,
    Overlay,
    Mount(&'static root::Simple),
    /// `/dev` with its nodes, links and devpts.
    Dev,
    CgroupView(Group),
    Bind(Mount),
    Protect,
    /// The veth pair reaches into the namespace from the host; [`Step::Network`] waits for it.
    Veth,
    Loopback,
    Network,
    Hostname,
    Terminal,
    PivotRoot,
    Session,
    WorkingDirectory,
    ReadOnlyRoot,
    Bounding,
    Seccomp,
    User,
    Capabilities,
    /// The program is found; its file is only executed when the parent says so.
    Program,
    /// The parent says so, with the process's identity on disk.
    Go,
    Exec,
    /// The program has taken over.
    Running,
}

/// The launch of a container.
pub fn launch(spec: &Spec) -> Vec<Step> {
    use Step::*;
    let (bridge, tty) = (spec.network == NetworkMode::Bridge, spec.process.tty);
    let group = || spec.cgroup.iter().cloned();
    let v1 = || group().filter(|g| g.version == 1);
    let published = spec.ports.iter().filter(|_| bridge).cloned().map(Publish);
    let mut steps = vec![OwnSession, Undumpable];
    steps.extend(bridge.then_some(Address));
    steps.extend(published);
    match &spec.cgroup {
        Some(group) => steps.push(Cgroup(group.clone())),
        None => steps.push(NoCgroup),
    }
    steps.extend(v1().map(Devices));
    steps.extend(limits(spec).into_iter().map(Limit));
    steps.extend([Clone, Guard]);
    steps.extend(v1().map(JoinCgroup));
    steps.extend(group().map(|_| CgroupNamespace));
    steps.extend([KeepMounts, Overlay, Mount(&root::PROC), Dev, Mount(&root::SHM), Mount(&root::MQUEUE)]);
    steps.push(Mount(&root::SYS));
    steps.extend(group().map(CgroupView));
    steps.extend(spec.mounts.iter().cloned().map(Bind));
    steps.push(Protect);
    match spec.network {
        NetworkMode::Bridge => steps.extend([Veth, Loopback, Network]),
        NetworkMode::None => steps.push(Loopback),
        NetworkMode::Host => {}
    }
    steps.push(Hostname);
    steps.extend(tty.then_some(Terminal));
    steps.extend([PivotRoot, Session, WorkingDirectory]);
    // The working directory may have had to be made.
    steps.extend(spec.read_only.then_some(ReadOnlyRoot));
    steps.extend(become_program());
    steps.extend([Go, Exec, Running]);
    steps
}

/// An exec: into what exists, then as every program.
pub fn exec(spec: &Spec) -> Vec<Step> {
    use Step::*;
    let v1 = spec.cgroup.iter().filter(|g| g.version == 1).cloned();
    let mut steps = vec![Clone, Guard];
    steps.extend(v1.map(JoinCgroup));
    steps.extend([Enter, Session, WorkingDirectory]);
    steps.extend(become_program());
    steps.extend([Go, Exec]);
    steps
}

/// The last steps of every program.
fn become_program() -> [Step; 5] {
    use Step::*;
    // Seccomp before the capabilities go: without no_new_privs, which would break set-uid programs as Docker does not,
    // installing a filter needs CAP_SYS_ADMIN (seccomp(2)).
    [Bounding, Seccomp, User, Capabilities, Program]
}

fn limits(spec: &Spec) -> Vec<Limited> {
    let of = |limit, amount| spec.cgroup.as_ref().and_then(|group| group.setting(limit, amount));
    let r = &spec.resources;
    let memory = r.memory.map(|bytes| ("memory", of(Limit::Memory, bytes)));
    // As Docker: as much swap again, where the kernel counts it.
    let swap = r.memory.and_then(|bytes| of(Limit::Swap, bytes)).map(|setting| ("memory-swap", Some(setting)));
    let cpu = r.cpu_milli.map(|milli| ("cpus", of(Limit::Cpu, milli)));
    let pids = r.pids.map(|count| ("pids-limit", of(Limit::Pids, count)));
    [memory, swap, cpu, pids].into_iter().flatten().collect()
}

/// The end of a container, as its monitor tells it: the launch's undoing, when nothing has failed.
pub fn ending(container: &Container, group: Option<&Group>) -> Vec<Fact> {
    let (id, name) = (container.id.clone(), container.name.clone());
    let group = group.map(|g| Fact::CgroupRemoved { name: g.name.clone(), paths: g.paths() });
    let removed = Fact::ContainerRemoved { id: id.to_string(), name: name.clone() };
    [Fact::Reaped { pid: container.state.init().map(|init| init.pid), code: None, signal: None }]
        .into_iter()
        .chain(group)
        .chain([Fact::ContainerExited { id: id.to_string(), name, code: None, signal: None, oom: false, oom_kills: 0 }])
        .chain(container.host_config.auto_remove.then_some(removed))
        .collect()
}

impl Step {
    /// Whose it is, and its name in an error.
    pub fn about(&self) -> (Side, &'static str) {
        use Side::*;
        match self {
            Step::OwnSession => (Parent, "setsid"),
            Step::Undumpable => (Parent, "guard"),
            Step::Address => (Parent, "network"),
            Step::Publish(_) => (Parent, "publish"),
            Step::Cgroup(_) | Step::NoCgroup => (Parent, "cgroup"),
            Step::Devices(_) => (Parent, "devices"),
            Step::Limit(_) => (Parent, "limits"),
            Step::Clone => (Parent, "clone"),
            Step::Veth => (Parent, "network"),
            Step::Go | Step::Running => (Parent, "start"),
            Step::Guard => (Init, "guard"),
            Step::JoinCgroup(_) => (Init, "joincgroup"),
            Step::CgroupNamespace => (Init, "cgroupnamespace"),
            Step::Enter => (Init, "enter"),
            Step::KeepMounts => (Init, "mounts"),
            Step::Overlay => (Init, "overlay"),
            Step::Mount(what) => (Init, what.target),
            Step::Dev => (Init, "dev"),
            Step::CgroupView(_) => (Init, "cgroupview"),
            Step::Bind(_) => (Init, "files"),
            Step::Protect => (Init, "protect"),
            Step::Loopback | Step::Network => (Init, "network"),
            Step::Hostname => (Init, "hostname"),
            Step::Terminal => (Init, "terminal"),
            Step::PivotRoot => (Init, "pivotroot"),
            Step::Session => (Init, "session"),
            Step::WorkingDirectory => (Init, "workingdirectory"),
            Step::ReadOnlyRoot => (Init, "readonlyroot"),
            Step::Bounding => (Init, "bounding"),
            Step::Seccomp => (Init, "seccomp"),
            Step::User => (Init, "user"),
            Step::Capabilities => (Init, "capabilities"),
            Step::Program | Step::Exec => (Init, "exec"),
        }
    }

    pub fn side(&self) -> Side {
        self.about().0
    }

    /// What this step was about to tell, when it has failed.
    pub fn meant(&self, spec: &Spec, ahead: &Ahead<'_>) -> Option<Fact> {
        self.forecast(spec, ahead).ok()?.into_iter().next()
    }

    /// What this step will tell, without what only the kernel knows (inodes, pids). Nothing is changed by looking.
    ///
    /// Errors: those that [`Ahead`] can foresee: a port that is taken, a limit that nothing keeps, a user, directory or
    /// program that the image does not have.
    pub fn forecast(&self, spec: &Spec, ahead: &Ahead<'_>) -> Result<Vec<Fact>, Fault> {
        use Step::*;
        Ok(match self {
            OwnSession => vec![Fact::SessionMade { tty: false }],
            Undumpable => vec![Fact::Guarded { parent_death: false, not_dumpable: true }],
            Address => {
                let hosts = spec.mounts.iter().find(|m| m.destination == "etc/hosts");
                let files = hosts.map(|m| m.source.to_string_lossy().into_owned()).into_iter().collect();
                ahead.network(spec)?.0.into_iter().chain([Fact::NetworkFiles { files }]).collect()
            }
            Publish(port) => {
                ahead.publish(port)?;
                vec![Fact::Published {
                    host_ip: port.host_ip.map(|ip| ip.to_string()),
                    host_port: port.host_port,
                    address: None,
                    port: port.port,
                    proto: port.proto.clone(),
                }]
            }
            Cgroup(g) => vec![made(g)],
            NoCgroup if spec.resources.any() => return Err(no_cgroup()),
            NoCgroup => vec![Fact::CgroupNone { why: cgroup::NONE.into() }],
            Devices(g) => g.devices_fact().into_iter().collect(),
            Limit((name, setting)) => vec![match setting {
                Some(s) => s.fact(None),
                None => return Err(no_controller(name)),
            }],
            Clone => [cloned(spec, ahead)].into_iter().chain(born(spec)).collect(),
            Guard => vec![guarded()],
            JoinCgroup(g) => vec![joined(g)],
            CgroupNamespace => vec![Fact::CgroupNamespace],
            Enter => vec![Fact::NamespacesJoined {
                pid: None,
                kinds: spec.namespaces().iter().map(|(kind, _)| kind.to_string()).collect(),
                of: ahead.init,
            }],
            KeepMounts => vec![Fact::MountsKept { private: false }],
            // An image that is yet to be made has no layers to speak of.
            Overlay if spec.root.lower.len() < 2 => vec![spec.root.unknown()],
            Overlay => vec![spec.root.fact()],
            Mount(what) => [ahead.mount_point(what.target)?, Some(what.fact())].into_iter().flatten().collect(),
            Dev => {
                let point = ahead.mount_point("dev")?;
                point.into_iter().chain([root::dev_fact(), root::nodes_fact(), root::pts_fact()]).collect()
            }
            CgroupView(g) => vec![root::cgroup_fact(g.version)],
            Bind(m) => ahead.bind(m, spec.read_only)?,
            Protect => protect::forecast().into(),
            Veth => {
                let endpoint = ahead.network(spec)?.1;
                let (host, bridge) = endpoint.map(|e| (e.veth, e.bridge)).unzip();
                vec![Fact::Veth { host, inside: network::INSIDE.into(), bridge }]
            }
            Loopback => vec![Fact::Loopback],
            Network => network::forecast_inside(ahead.network(spec)?.1.as_ref()).into(),
            Hostname => vec![Fact::HostnameSet { name: spec.hostname.clone() }],
            Terminal => vec![Fact::Terminal { path: "/dev/console".into() }],
            PivotRoot => vec![Fact::RootPivoted { to: spec.root.target.to_string_lossy().into_owned() }],
            Session => vec![Fact::SessionMade { tty: spec.process.tty }],
            WorkingDirectory => {
                ahead.user(spec)?;
                ahead.directories(Path::new(&spec.process.cwd))?
            }
            ReadOnlyRoot => vec![Fact::RootReadOnly],
            Bounding => {
                let (kept, dropped) = left(&spec.capabilities)?;
                without_mknod(spec).into_iter().chain([Fact::Capabilities { kept, dropped: Some(dropped) }]).collect()
            }
            Seccomp => vec![Fact::Seccomp { allowed: None, filters: None }],
            User => vec![match ahead.user(spec)? {
                Some(user) => Fact::UserSet { uid: Some(user.uid), gid: Some(user.gid), groups: Some(user.groups) },
                None => Fact::UserSet { uid: None, gid: None, groups: None },
            }],
            Capabilities => {
                let held = ahead.user(spec)?.map(|user| left(holds(spec, &user))).transpose()?;
                vec![Fact::CapabilitySets { held: held.map(|(held, _)| held) }, guarded()]
            }
            Program => {
                ahead.program(spec)?;
                Vec::new()
            }
            Go => Vec::new(),
            Exec => vec![Fact::Exec {
                path: ahead.program(spec)?,
                argv: spec.process.argv.clone(),
                cwd: spec.process.cwd.clone(),
                user: ahead.user(spec)?.map(|user| user.shown()),
            }],
            Running => {
                vec![Fact::ContainerStarted { id: spec.id.to_string(), name: ahead.name.into(), pid: None }]
            }
        })
    }
}

// ---- facts and faults that both halves speak of ---------------------------------------------------------------------

pub fn made(group: &Group) -> Fact {
    Fact::CgroupMade { version: group.version, name: group.name.clone(), paths: group.paths() }
}

/// In version 2 the process is born in its cgroup.
fn born(spec: &Spec) -> Option<Fact> {
    spec.cgroup.as_ref().filter(|g| g.version == 2).map(joined)
}

fn joined(group: &Group) -> Fact {
    Fact::CgroupJoined { pid: None, name: group.name.clone(), paths: group.paths() }
}

pub fn cloned(spec: &Spec, ahead: &Ahead<'_>) -> Fact {
    if ahead.init.is_some() {
        return Fact::ProcessAdded { pid: None };
    }
    let made = spec.namespaces().into_iter();
    let namespace = |(kind, _): (&str, u64)| Namespace { kind: kind.into(), inode: None, host: None, shared: false };
    Fact::NamespacesMade { pid: None, inside: 1, namespaces: made.map(namespace).collect() }
}

pub fn guarded() -> Fact {
    Fact::Guarded { parent_death: true, not_dumpable: false }
}

/// Why CAP_MKNOD is missing, if it is.
pub fn without_mknod(spec: &Spec) -> Option<Fact> {
    let point = match &spec.cgroup {
        Some(group) if group.version == 2 => FaultPoint::UnifiedDevices,
        _ => FaultPoint::NoDeviceControl,
    };
    (!spec.capabilities.contains(&MKNOD)).then(|| Fact::Fallback { what: MKNOD.into(), point })
}

fn left(keep: &[&str]) -> Result<(Vec<String>, usize), Fault> {
    caps::left(keep).map_err(|e| Fault::step("capabilities", e))
}

/// Root holds what the container may have; anybody else nothing.
pub fn holds<'a>(spec: &'a Spec, user: &user::User) -> &'a [&'static str] {
    if user.uid == 0 { &spec.capabilities } else { &[] }
}

/// `own` are those that the container has got already, `others` those that others will have got by then.
pub fn taken(port: &Port, own: &[Port], others: &[(String, Port)], store: Option<&Store>) -> Fault {
    let number = port.host_port.unwrap_or(0);
    let clashes = |other: &Port| other.host_port == Some(number) && ports::clash(other.host_ip, port.host_ip);
    let soon = others.iter().find(|(_, other)| clashes(other)).map(|(name, _)| name.clone());
    let now = || {
        let (whole, _) = store?.all_containers().ok()?;
        let has = |c: &Container| c.state.life().is_some_and(|life| life.ports.iter().any(clashes));
        whole.into_iter().find(has).map(|container| container.name)
    };
    let holder = match own.iter().any(clashes) {
        true => Some(Holder::Itself),
        false => soon
            .or_else(now)
            .map(|name| Holder::Container { name })
            .or_else(|| ports::holder(port.host_ip, number).map(|(pid, name)| Holder::Process { pid, name })),
    };
    Fault::PortTaken { ip: port.host_ip.map(|ip| ip.to_string()), port: number, proto: port.proto.clone(), holder }
}

pub fn no_controller(limit: &str) -> Fault {
    Fault::LimitRefused { limit: limit.into(), why: "no such controller".into() }
}

pub fn no_cgroup() -> Fault {
    Fault::LimitRefused { limit: "cgroup".into(), why: cgroup::NONE.into() }
}
