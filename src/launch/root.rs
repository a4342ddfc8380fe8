//! The container's view of the file system: what is mounted where, beneath the overlay's root and nowhere else.
//!
//! Every target is a descriptor (see target.rs and kernel/mounts.rs); every step is one deed.

use crate::event::{Deed, Device, Event, Fact, FaultPoint, Story, SysError};
use crate::kernel::cgroup::Group;
use crate::kernel::files::{self, At};
use crate::kernel::mounts::{self, Setting};
use crate::kernel::sys::{self, Calls};
use crate::kernel::{process, resolve};
use nix::mount::MntFlags;
use rustix::fs::{FileType, makedev};
use rustix::mount::MountAttrFlags as Attr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// Device nodes of every container: name, major, minor.
pub const DEVICES: [(&str, u32, u32); 6] =
    [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];
pub const LINKS: [(&str, &str); 6] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
    ("core", "/proc/kcore"),
];

/// A file system mounted inside the root: kind, target, options.
#[derive(Debug)]
pub struct Simple {
    pub kind: &'static str,
    pub target: &'static str,
    pub options: &'static [(&'static str, &'static str)],
    pub read_only: bool,
}

pub const PROC: Simple = Simple { kind: "proc", target: "proc", options: &[], read_only: false };
pub const SYS: Simple = Simple { kind: "sysfs", target: "sys", options: &[], read_only: true };
pub const MQUEUE: Simple = Simple { kind: "mqueue", target: "dev/mqueue", options: &[], read_only: false };
pub const SHM: Simple =
    Simple { kind: "tmpfs", target: "dev/shm", options: &[("mode", "1777"), ("size", "65536k")], read_only: false };

impl Simple {
    pub fn fact(&self) -> Fact {
        let mut options = vec!["nosuid", "nodev", "noexec"];
        if self.read_only {
            options.insert(0, "ro");
        }
        let mut options: Vec<String> = options.into_iter().map(str::to_string).collect();
        options.extend(self.options.iter().map(|(k, v)| format!("{k}={v}")));
        Fact::Mounted { kind: self.kind.into(), target: format!("/{}", self.target), options: options.join(",") }
    }

    /// Mounts it on a directory that is open. Gives the mounted root.
    pub fn mount(&self, target: BorrowedFd<'_>) -> Result<Deed<OwnedFd>, SysError> {
        sys::deed(|calls| {
            let settings: Vec<Setting<'_>> = self.options.iter().map(|(k, v)| Setting::Value(k, v)).collect();
            let mut attr = Attr::MOUNT_ATTR_NOSUID | Attr::MOUNT_ATTR_NODEV | Attr::MOUNT_ATTR_NOEXEC;
            if self.read_only {
                attr |= Attr::MOUNT_ATTR_RDONLY;
            }
            let mount = mounts::detached(calls, self.kind, &settings, attr)?;
            mounts::attach(calls, mount.as_fd(), target, &format!("/{}", self.target))?;
            Ok((mount, self.fact()))
        })
    }
}

/// `/dev`: a small tmpfs with its nodes and links, and devpts of its own. Gives the devpts mount, for terminals.
pub fn make_dev(target: BorrowedFd<'_>, story: &mut Story) -> Result<(OwnedFd, OwnedFd), SysError> {
    let dev = sys::deed(|calls| {
        let settings = [Setting::Value("mode", "755"), Setting::Value("size", "65536k")];
        let dev = mounts::detached(calls, "tmpfs", &settings, Attr::MOUNT_ATTR_NOSUID)?;
        mounts::attach(calls, dev.as_fd(), target, "/dev")?;
        Ok((dev, dev_fact()))
    });
    let dev = Deed::tell_either(dev, dev_fact(), story)?;
    let nodes = sys::deed(|calls| {
        let at = At::new(&dev, "/dev");
        // mknod takes the umask off; Docker's nodes are 0666.
        process::without_umask(|| {
            DEVICES.into_iter().try_for_each(|(name, major, minor)| {
                files::mknodat(calls, at, name, FileType::CharacterDevice, 0o666, makedev(major, minor))
            })
        })?;
        for name in ["pts", "shm", "mqueue"] {
            files::mkdirat(calls, at, name, 0o755)?;
        }
        for (name, to) in LINKS {
            files::symlinkat(calls, to, at, name)?;
        }
        Ok(((), nodes_fact()))
    });
    Deed::tell_either(nodes, nodes_fact(), story)?;
    let pts = sys::deed(|calls| {
        let settings = [
            Setting::Flag("newinstance"),
            Setting::Value("ptmxmode", "0666"),
            Setting::Value("mode", "0620"),
            Setting::Value("gid", "5"),
        ];
        let target = mounts::beneath(dev.as_fd(), "pts")?;
        let pts = mounts::detached(calls, "devpts", &settings, Attr::MOUNT_ATTR_NOSUID | Attr::MOUNT_ATTR_NOEXEC)?;
        mounts::attach(calls, pts.as_fd(), target.as_fd(), "/dev/pts")?;
        Ok((pts, pts_fact()))
    });
    let pts = Deed::tell_either(pts, pts_fact(), story)?;
    Ok((dev, pts))
}

pub fn dev_fact() -> Fact {
    Fact::Mounted { kind: "tmpfs".into(), target: "/dev".into(), options: "nosuid,mode=755,size=65536k".into() }
}

pub fn pts_fact() -> Fact {
    let options = "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5";
    Fact::Mounted { kind: "devpts".into(), target: "/dev/pts".into(), options: options.into() }
}

pub fn nodes_fact() -> Fact {
    let device = |&(name, major, minor): &(&str, u32, u32)| Device { path: format!("/dev/{name}"), major, minor };
    Fact::DeviceNodes {
        devices: DEVICES.iter().map(device).collect(),
        links: LINKS.iter().map(|(name, to)| format!("/dev/{name} -> {to}")).collect(),
    }
}

/// A file or directory of the host seen at a place inside the root that is open; `shown` is the place's name.
pub fn bind(
    target: BorrowedFd<'_>,
    source: &Path,
    shown: &str,
    read_only: bool,
    own: bool,
) -> Result<Deed<()>, SysError> {
    sys::deed(|calls| {
        let copy = mounts::copy_of(calls, rustix::fs::CWD, source)?;
        if read_only {
            mounts::set_read_only(calls, copy.as_fd(), true)?;
        }
        mounts::attach(calls, copy.as_fd(), target, &format!("/{shown}"))?;
        Ok(((), bind_fact(source, shown, read_only, own)))
    })
}

/// `own`: a file that docent made for the container.
pub fn bind_fact(source: &Path, target: &str, read_only: bool, own: bool) -> Fact {
    let (source, target) = (source.to_string_lossy().into_owned(), format!("/{}", target.trim_start_matches('/')));
    Fact::Bound { source, target, read_only, own }
}

/// The kind of file system at a top directory of the root, for an error.
pub fn kind_at(name: &str) -> &'static str {
    [&PROC, &SYS].iter().find(|simple| simple.target == name).map_or("tmpfs", |simple| simple.kind)
}

/// The container's own cgroups, read-only, where programs look for their limits. On version 2 it is the file system itself,
/// whose root is that of the cgroup namespace; on version 1 a directory with the container's group of each tree, as Docker
/// has it. A kernel whose sysfs has no place for them does without, and that is told.
pub fn show_cgroup(sys_mount: BorrowedFd<'_>, group: &Group, story: &mut Story) -> Result<(), SysError> {
    let target = match mounts::beneath(sys_mount, "fs/cgroup") {
        Err(e) if e.errno == libc::ENOENT => {
            let fact = Fact::Fallback { what: CGROUP.into(), point: FaultPoint::Optional };
            story.tell(Event::failed(fact, e));
            return Ok(());
        }
        target => target?,
    };
    sys::deed(|calls| {
        let attr = Attr::MOUNT_ATTR_NOSUID | Attr::MOUNT_ATTR_NODEV | Attr::MOUNT_ATTR_NOEXEC;
        if group.version == 2 {
            let mount = mounts::detached(calls, "cgroup2", &[], attr | Attr::MOUNT_ATTR_RDONLY)?;
            mounts::attach(calls, mount.as_fd(), target.as_fd(), CGROUP)?;
        } else {
            let settings = [Setting::Value("mode", "755"), Setting::Value("size", "64k")];
            let place = mounts::detached(calls, "tmpfs", &settings, attr)?;
            mounts::attach(calls, place.as_fd(), target.as_fd(), CGROUP)?;
            for (dir, name) in group.trees() {
                show_tree(calls, place.as_fd(), dir, &name)?;
            }
            mounts::set_read_only(calls, place.as_fd(), false)?;
        }
        Ok(((), cgroup_fact(group.version)))
    })?
    .tell(story);
    Ok(())
}

const CGROUP: &str = "/sys/fs/cgroup";

pub fn cgroup_fact(version: u8) -> Fact {
    let kind = if version == 2 { "cgroup2" } else { "cgroup" };
    Fact::Mounted { kind: kind.into(), target: CGROUP.into(), options: "ro,nosuid,nodev,noexec".into() }
}

/// One group of version 1, and a link for each controller of a tree that has several (`cpu -> cpu,cpuacct`).
fn show_tree(calls: &mut Calls, place: BorrowedFd<'_>, dir: &Path, name: &str) -> Result<(), SysError> {
    let shown = format!("{CGROUP}/{name}");
    files::mkdirat(calls, At::new(&place, CGROUP), name, 0o755)?;
    let copy = mounts::copy_of(calls, rustix::fs::CWD, dir)?;
    mounts::set_read_only(calls, copy.as_fd(), true)?;
    mounts::attach(calls, copy.as_fd(), mounts::beneath(place, name)?.as_fd(), &shown)?;
    for controller in name.split(',').filter(|c| *c != name) {
        files::symlinkat(calls, name, At::new(&place, CGROUP), controller)?;
    }
    Ok(())
}

/// The overlay becomes `/`, the old root is put on top of it for a moment and let go of.
pub fn pivot(root: BorrowedFd<'_>, target: &Path) -> Result<Deed<()>, SysError> {
    sys::deed(|calls| {
        rustix::process::fchdir(root)
            .map_err(|e| SysError::new("fchdir", target.to_string_lossy(), e.raw_os_error()))?;
        // pivot_root(".", ".") stacks the old root on the new one's own place: no directory for it is needed (pivot_root(2)).
        sys::pivot_root(calls, Path::new("."), Path::new("."))?;
        sys::umount2(calls, Path::new("."), MntFlags::MNT_DETACH)?;
        std::env::set_current_dir("/").map_err(|e| SysError::io("chdir", "/", &e))?;
        Ok(((), Fact::RootPivoted { to: target.to_string_lossy().into_owned() }))
    })
}

/// Nothing of the root can be written any more, but what is mounted in it (`/dev`, `/dev/shm`). `/` is the container's by now.
pub fn make_read_only() -> Result<Deed<()>, SysError> {
    let top = resolve::directory(Path::new("/"))?;
    sys::deed(|calls| {
        mounts::set_read_only(calls, top.as_fd(), false)?;
        Ok(((), Fact::RootReadOnly))
    })
}
