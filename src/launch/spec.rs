//! Everything a launch needs to know, decided beforehand: no look-ups in the store from inside a half-made container.
//!
//! Fields that the OCI runtime specification has bear its names (`config.json`: root, process, hostname, mounts, and of linux
//! cgroupsPath, resources, namespaces), so that who knows a runc bundle can read this. Its types were tried and left: each
//! field is an Option behind a builder there, and what is ours (the overlay, the network) would stand beside them anyway.

use crate::container::{Container, ContainerId, Limits, NetworkMode, Port, Process};
use crate::image::ChainId;
use crate::kernel::cgroup::Group;
use crate::kernel::overlay::Overlay;
use crate::kernel::process::KINDS;
use crate::store::Store;
use std::path::PathBuf;

/// Of Docker's default capabilities the one that goes where no device controller would hold a node in check.
pub const MKNOD: &str = "CAP_MKNOD";

#[derive(Debug, Clone)]
pub struct Spec {
    pub id: ContainerId,
    pub hostname: String,
    pub root: Overlay,
    /// `root.readonly`
    pub read_only: bool,
    pub process: Process,
    /// `process.capabilities`: of PID 1 and of each exec.
    pub capabilities: Vec<&'static str>,
    /// Files of the container's directory, bound into its `/etc`.
    pub mounts: Vec<Mount>,
    pub cgroup: Option<Group>,
    pub resources: Limits,
    pub network: NetworkMode,
    pub ports: Vec<Port>,
}

/// A file of the host at a place inside the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    pub source: PathBuf,
    /// Without the slash at the beginning.
    pub destination: &'static str,
}

impl Spec {
    pub fn of(store: &Store, container: &Container) -> Spec {
        let cgroup = store.group(&container.id);
        let dir = store.container_dir(&container.id);
        let devices = cgroup.as_ref().is_some_and(Group::controls_devices);
        let bound = [(dir.resolv(), "etc/resolv.conf"), (dir.hostname(), "etc/hostname"), (dir.hosts(), "etc/hosts")];
        Spec {
            id: container.id.clone(),
            hostname: container.hostname().to_string(),
            root: Overlay { without_devices: !devices, ..overlay_of(store, container) },
            read_only: container.host_config.readonly_rootfs,
            process: container.process(),
            capabilities: crate::kernel::caps::DEFAULT.iter().copied().filter(|c| devices || *c != MKNOD).collect(),
            mounts: bound.map(|(source, destination)| Mount { source, destination }).into(),
            cgroup,
            resources: container.limits(),
            network: container.host_config.network_mode,
            ports: container.ports(),
        }
    }

    /// The namespaces that are new, and their flags. That of the cgroup is not made by the clone but once the process has
    /// joined its cgroup, so that this is what it sees as `/`.
    pub fn namespaces(&self) -> Vec<(&'static str, u64)> {
        KINDS
            .into_iter()
            .filter(|(kind, _)| *kind != "net" || self.network != NetworkMode::Host)
            .filter(|(kind, _)| *kind != "cgroup" || self.cgroup.is_some())
            .collect()
    }
}

/// The overlay of a container: its image's layers from the top down, the mount points below them all, its own upper.
pub fn overlay_of(store: &Store, container: &Container) -> Overlay {
    let dir = store.container_dir(&container.id);
    let layers = || container.layers.iter().rev();
    let mut lower: Vec<PathBuf> = layers().map(|chain| store.layer_diff(chain)).collect();
    let mut short: Vec<PathBuf> = layers().map(|chain| short_name(store, chain)).collect();
    lower.push(store.mount_points());
    short.push(PathBuf::from("mount-points/diff"));
    Overlay {
        lower,
        names: layers().map(|chain| store.layer_name(chain)).collect(),
        kept: std::fs::read_dir(dir.upper()).is_ok_and(|mut entries| entries.next().is_some()),
        upper: dir.upper(),
        work: dir.work(),
        target: dir.merged(),
        // For a look from outside: docent opens no device there either.
        without_devices: true,
        userxattr: store.host().needs_userxattr(),
        short_base: store.layers(),
        short,
    }
}

/// A layer by its short link, or in full when it has none.
fn short_name(store: &Store, chain: &ChainId) -> PathBuf {
    match store.layer_short(chain) {
        Some(short) => PathBuf::from(short),
        None => store.layer_diff(chain),
    }
}
