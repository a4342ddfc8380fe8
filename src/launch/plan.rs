//! The launch as a list of steps. A step can forecast itself before anything is done; `inside.rs` and `outside.rs` apply the
//! same list, so what `explain -- run …` promises is what `run` does.

use super::spec::Spec;
use super::{protect, root};
use crate::container::NetworkMode;
use crate::event::{Fact, FaultPoint, Limit, Namespace};
use crate::kernel::process::KINDS;

/// Who applies a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The monitor, before and beside the new process.
    Outside,
    /// The new process, in its namespaces.
    Inside,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Bridge,
    Cgroup,
    Limits,
    Publish,
    Clone,
    Guard,
    JoinCgroup,
    /// The namespace of what the process sees as `/` of its cgroups.
    CgroupNamespace,
    /// The namespaces of a container that runs already (exec).
    Enter,
    PrivateMounts,
    Overlay,
    Proc,
    Dev,
    Shm,
    Mqueue,
    Sys,
    CgroupView,
    Files,
    Protect,
    /// The veth pair reaches into the namespace from outside.
    Plug,
    Loopback,
    Network,
    Hostname,
    Terminal,
    PivotRoot,
    Session,
    WorkingDirectory,
    Bounding,
    Seccomp,
    User,
    Capabilities,
    Exec,
}

/// The steps of this launch, in order.
pub fn steps(spec: &Spec) -> Vec<Step> {
    use Step::*;
    let (bridge, own_net) = (spec.network == NetworkMode::Bridge, spec.network != NetworkMode::Host);
    let group = spec.group.is_some();
    let all = [
        (Bridge, bridge),
        (Cgroup, true),
        (Limits, group && spec.limits.any()),
        (Publish, bridge),
        (Clone, true),
        (Guard, true),
        (JoinCgroup, group),
        (CgroupNamespace, group),
        (PrivateMounts, true),
        (Overlay, true),
        (Proc, true),
        (Dev, true),
        (Shm, true),
        (Mqueue, true),
        (Sys, true),
        (CgroupView, group),
        (Files, !spec.files.is_empty()),
        (Protect, true),
        (Plug, bridge),
        (Loopback, own_net),
        (Network, bridge),
        (Hostname, true),
        (Terminal, spec.process.tty),
        (PivotRoot, true),
        (Session, true),
        (WorkingDirectory, true),
        (Bounding, true),
        (Seccomp, true),
        (User, true),
        (Capabilities, true),
        (Exec, true),
    ];
    all.into_iter().filter(|(_, wanted)| *wanted).map(|(step, _)| step).collect()
}

/// The steps of an exec: into what exists, then as every program.
pub fn exec_steps(spec: &Spec) -> Vec<Step> {
    use Step::*;
    let all = [
        (Guard, true),
        (JoinCgroup, spec.group.is_some()),
        (Enter, true),
        (Session, true),
        (WorkingDirectory, true),
        (Bounding, true),
        (Seccomp, true),
        (User, true),
        (Capabilities, true),
        (Exec, true),
    ];
    all.into_iter().filter(|(_, wanted)| *wanted).map(|(step, _)| step).collect()
}

impl Step {
    pub fn side(self) -> Side {
        use Step::*;
        match self {
            Bridge | Cgroup | Limits | Publish | Clone | Plug => Side::Outside,
            _ => Side::Inside,
        }
    }

    /// What this step will tell, without what only the kernel knows (inodes, pids, addresses).
    pub fn forecast(self, spec: &Spec) -> Vec<Fact> {
        use Step::*;
        match self {
            Cgroup => match &spec.group {
                Some(g) => vec![Fact::CgroupMade { version: g.version, name: g.name.clone(), paths: g.paths() }],
                None => vec![Fact::CgroupNone { why: crate::kernel::cgroup::NONE.into() }],
            },
            Limits => {
                let limit = |limit, value: Option<u64>| {
                    value.map(|v| Fact::CgroupLimit { limit, file: None, value: v.to_string(), read_back: None })
                };
                [
                    limit(Limit::Memory, spec.limits.memory),
                    limit(Limit::Cpu, spec.limits.cpu_milli.map(crate::kernel::cgroup::quota)),
                    limit(Limit::Pids, spec.limits.pids),
                ]
                .into_iter()
                .flatten()
                .collect()
            }
            // What is missing of the network only a look at the host shows: [`super::network::forecast`].
            Bridge | Publish => Vec::new(),
            Clone => vec![Fact::NamespacesMade {
                pid: None,
                inside: 1,
                namespaces: namespaces(spec)
                    .iter()
                    // It is made later, by the process itself: a step of its own.
                    .filter(|(kind, _)| *kind != "cgroup")
                    .map(|(kind, _)| Namespace { kind: kind.to_string(), inode: None, host: None, shared: false })
                    .collect(),
            }],
            Guard => vec![Fact::Guarded { parent_death: true, not_dumpable: false }],
            JoinCgroup => Vec::new(),
            CgroupNamespace => vec![Fact::CgroupNamespace],
            Enter => vec![Fact::NamespacesJoined {
                pid: None,
                kinds: namespaces(spec).iter().map(|(kind, _)| kind.to_string()).collect(),
                of: None,
            }],
            PrivateMounts => vec![Fact::MountsPrivate],
            // An image that is yet to be made has no layers to speak of.
            Overlay if spec.overlay.lower.len() < 2 => Vec::new(),
            Overlay => vec![spec.overlay.fact()],
            Proc => vec![root::PROC.fact()],
            Dev => vec![root::dev_fact(), root::nodes_fact(), root::pts_fact()],
            Shm => vec![root::SHM.fact()],
            Mqueue => vec![root::MQUEUE.fact()],
            Sys => vec![root::SYS.fact()],
            CgroupView => spec.group.iter().map(|g| root::cgroup_fact(g.version)).collect(),
            Files => spec.files.iter().map(|(source, target)| root::bind_fact(source, target, false, true)).collect(),
            Protect => protect::forecast().into(),
            Plug => vec![Fact::Veth { host: None, inside: "eth0".into(), bridge: None }],
            Loopback => vec![Fact::Loopback],
            Network => Vec::new(),
            Hostname => vec![Fact::HostnameSet { name: spec.hostname.clone() }],
            Terminal => vec![Fact::Terminal { path: "/dev/console".into() }],
            PivotRoot => vec![Fact::RootPivoted { to: spec.overlay.target.to_string_lossy().into_owned() }],
            Session => vec![Fact::SessionMade { tty: spec.process.tty }],
            WorkingDirectory => Vec::new(),
            Bounding if spec.without_mknod => {
                vec![Fact::Fallback { what: "CAP_MKNOD".into(), point: FaultPoint::NoDeviceControl }]
            }
            Bounding => Vec::new(),
            Seccomp => vec![Fact::Seccomp { allowed: None, filters: None }],
            User => Vec::new(),
            Capabilities => {
                vec![Fact::Capabilities {
                    kept: spec.capabilities.iter().map(|c| c.to_string()).collect(),
                    dropped: None,
                }]
            }
            Exec if spec.process.argv.is_empty() => Vec::new(),
            Exec => vec![Fact::Exec {
                path: None,
                argv: spec.process.argv.clone(),
                cwd: spec.process.cwd.clone(),
                user: spec.process.user.clone().unwrap_or_default(),
            }],
        }
    }
}

/// The namespaces that the clone makes. The cgroup namespace is made after the process has joined its cgroup, so that this
/// is what it sees as `/`.
pub fn namespaces(spec: &Spec) -> Vec<(&'static str, u64)> {
    KINDS
        .into_iter()
        .filter(|(kind, _)| *kind != "net" || spec.network != NetworkMode::Host)
        .filter(|(kind, _)| *kind != "cgroup" || spec.group.is_some())
        .collect()
}
