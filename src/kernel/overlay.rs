//! overlayfs: several read-only directories below one writable, seen as a single tree.
//!
//! A look-up goes from the top down. Writing to a file of a lower layer first copies it into `upper` (*copy-up*); deleting
//! one leaves a character device 0:0 there (a *whiteout*); `work` is the kernel's scratch space beside `upper`. The lower
//! directories are never written: that is why a hundred containers can share one image.
//!
//! What can go wrong: `upper` may be used by one mount at a time, but the kernel only warns in its log about a second one
//! (so docent mounts it under the container's lock); upper and work must be on one file system that is not itself an
//! overlay; mount(2) takes at most a page of options (so before kernel 6.5, without `lowerdir+`, short relative names).

use super::mounts::{self, Setting};
use super::sys::{self, Calls};
use crate::event::{Deed, Fact, SysError};
use nix::mount::MsFlags;
use rustix::mount::MountAttrFlags;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// The parts of one overlay. `lower` is ordered from the top down, as the kernel wants it.
#[derive(Debug, Clone)]
pub struct Overlay {
    pub lower: Vec<PathBuf>,
    /// Names of the lowers for the story (diff IDs, as `image inspect` has them).
    pub names: Vec<String>,
    pub upper: PathBuf,
    /// Something is in `upper` already.
    pub kept: bool,
    pub work: PathBuf,
    /// An empty directory to mount on; its parent is the directory of the container.
    pub target: PathBuf,
    /// Directory from which `short` names lead to the lowers, and those names, for kernels before 6.5.
    pub short_base: PathBuf,
    pub short: Vec<PathBuf>,
    /// No node of a device in it can be opened: where no cgroup decides about devices, an image could bring the host's disk.
    pub without_devices: bool,
    /// The marks are kept where an ordinary user may write.
    pub userxattr: bool,
}

impl Overlay {
    /// Mounts it at `target` in this mount namespace, and gives a handle of the mounted root.
    pub fn mount(&self) -> Result<Deed<OwnedFd>, SysError> {
        sys::deed(|calls| {
            let mount = match self.detached(calls) {
                Err(e) if e.errno == libc::EINVAL => return self.mount_old(calls),
                other => other?,
            };
            let target = super::resolve::directory(&self.target)?;
            mounts::attach(calls, rustix::fd::AsFd::as_fd(&mount), rustix::fd::AsFd::as_fd(&target), &self.shown())?;
            Ok((mount, self.fact()))
        })
    }

    /// Mounts it for a look from outside: attached nowhere, and gone with the last descriptor. Kernels before 6.5 need a place:
    /// a mount namespace of this process's own, gone with the process.
    pub fn mount_detached(&self) -> Result<Deed<OwnedFd>, SysError> {
        sys::deed(|calls| match self.detached(calls) {
            Err(e) if e.errno == libc::EINVAL => {
                sys::unshare(calls, libc::CLONE_NEWNS)?;
                mounts::keep_mounts_inside(calls)?;
                let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
                let mounted = self.mount_old(calls)?;
                std::env::set_current_dir(&here).map_err(|e| SysError::io("chdir", here.to_string_lossy(), &e))?;
                Ok(mounted)
            }
            other => Ok((other?, self.fact())),
        })
    }

    /// EINVAL comes from kernels before 6.5, which do not know `lowerdir+`: they say so when the file system is created.
    fn detached(&self, calls: &mut Calls) -> Result<OwnedFd, SysError> {
        let lower: Vec<String> = self.lower.iter().map(|p| p.to_string_lossy().into_owned()).collect();
        let (upper, work) = (self.upper.to_string_lossy(), self.work.to_string_lossy());
        let mut settings: Vec<Setting<'_>> = lower.iter().map(|p| Setting::Value("lowerdir+", p)).collect();
        settings.push(Setting::Value("upperdir", &upper));
        settings.push(Setting::Value("workdir", &work));
        settings.extend(self.userxattr.then_some(Setting::Flag("userxattr")));
        let attributes = if self.without_devices { MountAttrFlags::MOUNT_ATTR_NODEV } else { MountAttrFlags::empty() };
        mounts::detached(calls, "overlay", &settings, attributes)
    }

    /// mount(2) with names relative to the layers' directory: sixty layers fit into one page.
    fn mount_old(&self, calls: &mut Calls) -> Result<(OwnedFd, Fact), SysError> {
        std::env::set_current_dir(&self.short_base)
            .map_err(|e| SysError::io("chdir", self.short_base.to_string_lossy(), &e))?;
        let lower: Vec<String> = self.short.iter().map(|p| p.to_string_lossy().into_owned()).collect();
        let data = format!(
            "lowerdir={},upperdir={},workdir={}{}",
            lower.join(":"),
            self.upper.to_string_lossy(),
            self.work.to_string_lossy(),
            if self.userxattr { ",userxattr" } else { "" }
        );
        let flags = if self.without_devices { MsFlags::MS_NODEV } else { MsFlags::empty() };
        sys::mount(calls, Some(Path::new("overlay")), &self.target, Some("overlay"), flags, Some(&data))?;
        Ok((super::resolve::directory(&self.target)?, self.fact()))
    }

    fn shown(&self) -> String {
        self.target.to_string_lossy().into_owned()
    }

    /// What is known of it while the image is yet to be made.
    pub fn unknown(&self) -> Fact {
        match self.fact() {
            Fact::Overlay { upper, work, target, kept, .. } => {
                Fact::Overlay { lower: None, lower_dirs: Vec::new(), upper, work, target, mount_points: true, kept }
            }
            fact => fact,
        }
    }

    pub fn fact(&self) -> Fact {
        Fact::Overlay {
            lower: Some(self.names.clone()),
            lower_dirs: self.lower.iter().map(|dir| dir.to_string_lossy().into_owned()).collect(),
            upper: self.upper.to_string_lossy().into_owned(),
            work: self.work.to_string_lossy().into_owned(),
            target: self.shown(),
            mount_points: self.lower.len() > self.names.len(),
            kept: self.kept,
        }
    }
}
