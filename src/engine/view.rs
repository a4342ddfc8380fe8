//! A container's files as the container sees them, from outside: for `cp`, `diff` and forecasts.
//!
//! Nothing of the container is run or believed: its root is a descriptor, and every path is walked by the kernel with
//! RESOLVE_IN_ROOT (CVE-2018-15664, CVE-2019-14271). A running container is entered through /proc/PID/root, which leads into
//! its mount namespace, volumes and all; a stopped one is mounted, detached from every namespace, under its lock, since the
//! kernel would accept a second mount of the same write layer without an error.

use crate::container::Container;
use crate::event::{Fault, Story, SysError};
use crate::kernel::{process, resolve, walk};
use crate::launch::spec::overlay_of;
use crate::store::{ContainerLock, Store};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

#[derive(Debug)]
pub struct View {
    root: OwnedFd,
    /// A stopped container stays stopped while we look.
    _lock: Option<ContainerLock>,
}

impl View {
    pub fn open(store: &Store, container: &Container, story: &mut Story) -> Result<View, Fault> {
        let step = |e: SysError| Fault::step("view", e);
        if let Some(root) = running_root(container) {
            return Ok(View { root: root.map_err(step)?, _lock: None });
        }
        let lock = store.lock_container(&container.id).map_err(step)?;
        let overlay = overlay_of(store, container);
        let root = overlay.mount_detached().map_err(step)?.of_container(&container.id).tell(story);
        Ok(View { root, _lock: lock })
    }

    pub fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// A directory of the container as a handle.
    pub fn directory(&self, path: &Path) -> Result<OwnedFd, SysError> {
        resolve::in_root(self.root(), &Path::new("/").join(path), walk::DIRECTORY)
    }
}

/// The root of a container that runs; None when it does not.
pub fn running_root(container: &Container) -> Option<Result<OwnedFd, SysError>> {
    let init = container.state.init()?;
    let pid = init.pid;
    let _alive = process::open(pid, init.start_time)?;
    let root = resolve::directory(Path::new(&format!("/proc/{pid}/root")));
    // Compared again after opening: what we hold is the root of this very process.
    (process::start_time(pid) == Some(init.start_time)).then_some(root)
}

/// The path by its words alone: from `/`, `.` and `..` taken out.
pub fn absolute(path: &Path) -> PathBuf {
    let mut clean = PathBuf::from("/");
    for part in path.components() {
        match part {
            std::path::Component::Normal(name) => clean.push(name),
            std::path::Component::ParentDir => {
                clean.pop();
            }
            _ => {}
        }
    }
    clean
}
