//! Everything a launch needs to know, decided beforehand: no look-ups in the store from inside a half-made container.

use crate::container::{Container, Endpoint, NetworkMode, Process};
use crate::kernel::cgroup::Group;
use crate::kernel::overlay::Overlay;
use crate::store::Store;
use std::path::PathBuf;

/// Docker's default capabilities, less CAP_MKNOD where no device controller would hold a node in check.
const MKNOD: &str = "CAP_MKNOD";

#[derive(Debug, Clone)]
pub struct Spec {
    pub id: String,
    pub hostname: String,
    pub overlay: Overlay,
    pub process: Process,
    pub network: NetworkMode,
    /// Set on the way, when the bridge has given an address.
    pub endpoint: Option<Endpoint>,
    pub group: Option<Group>,
    pub limits: crate::container::Limits,
    /// Files of the container's directory that are seen in its `/etc`.
    pub files: Vec<(PathBuf, &'static str)>,
    pub capabilities: Vec<&'static str>,
    /// Why a capability is missing, if one is.
    pub without_mknod: bool,
}

impl Spec {
    pub fn of(store: &Store, container: &Container, group: Option<Group>) -> Spec {
        let dir = store.container_dir(&container.id);
        let devices = group.as_ref().is_some_and(|g| g.version == 1);
        let process = container.process();
        Spec {
            id: container.id.clone(),
            hostname: container.hostname().to_string(),
            overlay: Overlay { without_devices: !devices, ..overlay_of(store, container) },
            process,
            network: container.host_config.network_mode,
            endpoint: None,
            group,
            limits: container.limits(),
            files: vec![
                (dir.resolv(), "etc/resolv.conf"),
                (dir.hostname(), "etc/hostname"),
                (dir.hosts(), "etc/hosts"),
            ],
            capabilities: crate::kernel::caps::DEFAULT.iter().copied().filter(|c| devices || *c != MKNOD).collect(),
            without_mknod: !devices,
        }
    }
}

/// The overlay of a container: its image's layers from the top down, the mount points below them all, its own upper.
pub fn overlay_of(store: &Store, container: &Container) -> Overlay {
    let dir = store.container_dir(&container.id);
    let names: Vec<String> = container.layers.iter().rev().cloned().collect();
    let mut lower: Vec<PathBuf> = names.iter().map(|chain| store.layer_diff(chain)).collect();
    let mut short: Vec<PathBuf> = names.iter().map(|chain| short_name(store, chain)).collect();
    lower.push(store.mount_points());
    short.push(PathBuf::from("mount-points/diff"));
    Overlay {
        lower,
        names,
        upper: dir.upper(),
        work: dir.work(),
        target: dir.merged(),
        // For a look from outside: docent opens no device there either.
        without_devices: true,
        short_base: store.layers(),
        short,
    }
}

/// A layer by its short link, or in full when it has none.
fn short_name(store: &Store, chain: &str) -> PathBuf {
    match store.layer_short(chain) {
        Some(short) => PathBuf::from(short),
        None => store.layer_diff(chain),
    }
}
