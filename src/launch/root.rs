//! The container's view of the file system: what is mounted where, beneath the overlay's root and nowhere else.
//!
//! Every target is opened inside the root (see kernel/mounts.rs); every step is one deed.

use crate::container::Bind;
use crate::fact::{Deed, Device, Event, Fact, Fault, FaultPoint, Story, SysError};
use crate::kernel::mounts::{self, Setting};
use crate::kernel::sys::{self, Calls, quoted};
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::mount::MountAttrFlags as Attr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// Paths that Docker hides: they tell of the host, or change it.
pub const MASKED: [&str; 10] = [
    "proc/acpi",
    "proc/asound",
    "proc/interrupts",
    "proc/kcore",
    "proc/keys",
    "proc/latency_stats",
    "proc/sched_debug",
    "proc/scsi",
    "proc/timer_list",
    "proc/timer_stats",
];
pub const MASKED_SYS: [&str; 2] = ["sys/devices/virtual/powercap", "sys/firmware"];

/// Those of them that this kernel has.
pub fn masked_here() -> Vec<String> {
    MASKED.iter().chain(&MASKED_SYS).map(|p| format!("/{p}")).filter(|p| Path::new(p).exists()).collect()
}

/// Paths of /proc through which a root user could change the host.
pub const READ_ONLY: [&str; 5] = ["proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"];

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

    /// Mounts it. Gives the mounted root.
    pub fn mount(&self, root: BorrowedFd<'_>) -> Result<Deed<OwnedFd>, SysError> {
        sys::deed(|calls| {
            let settings: Vec<Setting<'_>> = self.options.iter().map(|(k, v)| Setting::Value(k, v)).collect();
            let mut attr = Attr::MOUNT_ATTR_NOSUID | Attr::MOUNT_ATTR_NODEV | Attr::MOUNT_ATTR_NOEXEC;
            if self.read_only {
                attr |= Attr::MOUNT_ATTR_RDONLY;
            }
            let target = mounts::in_root(root, self.target, true)?;
            let mount = mounts::detached(calls, self.kind, &settings, attr)?;
            mounts::attach(calls, mount.as_fd(), target.as_fd(), &format!("/{}", self.target))?;
            Ok((mount, self.fact()))
        })
    }
}

/// `/dev`: a small tmpfs with its nodes and links, and devpts of its own. Gives the devpts mount, for terminals.
pub fn make_dev(root: BorrowedFd<'_>, story: &mut Story) -> Result<(OwnedFd, OwnedFd), SysError> {
    let dev = sys::deed(|calls| {
        let settings = [Setting::Value("mode", "755"), Setting::Value("size", "65536k")];
        let target = mounts::in_root(root, "dev", true)?;
        let dev = mounts::detached(calls, "tmpfs", &settings, Attr::MOUNT_ATTR_NOSUID)?;
        mounts::attach(calls, dev.as_fd(), target.as_fd(), "/dev")?;
        Ok((dev, dev_fact()))
    })?
    .tell(story);
    sys::deed(|calls| {
        // mknod takes the umask off; Docker's nodes are 0666.
        let before = rustix::process::umask(Mode::empty());
        let made = nodes(calls, dev.as_fd());
        rustix::process::umask(before);
        made?;
        for name in ["pts", "shm", "mqueue"] {
            calls.saw(
                "mkdirat",
                format!("</dev>, {}, 0755", quoted(name)),
                format!("/dev/{name}"),
                rustix::fs::mkdirat(&dev, name, Mode::from_raw_mode(0o755)),
            )?;
        }
        for (name, to) in LINKS {
            calls.saw(
                "symlinkat",
                format!("{}, </dev>, {}", quoted(to), quoted(name)),
                format!("/dev/{name}"),
                rustix::fs::symlinkat(to, &dev, name),
            )?;
        }
        Ok(((), nodes_fact()))
    })?
    .tell(story);
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
    })?
    .tell(story);
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

fn nodes(calls: &mut Calls, dev: BorrowedFd<'_>) -> Result<(), SysError> {
    for (name, major, minor) in DEVICES {
        calls.saw(
            "mknodat",
            format!("</dev>, {}, S_IFCHR|0666, {}", quoted(name), sys::device(major, minor)),
            format!("/dev/{name}"),
            rustix::fs::mknodat(
                dev,
                name,
                FileType::CharacterDevice,
                Mode::from_raw_mode(0o666),
                rustix::fs::makedev(major, minor),
            ),
        )?;
    }
    Ok(())
}

/// A file or directory of the host seen at a place inside the root. `source` was opened before the root changed.
pub fn bind(root: BorrowedFd<'_>, source: &Path, target: &str, read_only: bool) -> Result<Deed<()>, SysError> {
    let place = mounts::in_root(root, target, true)?;
    sys::deed(|calls| {
        let copy = mounts::copy_of(calls, rustix::fs::CWD, source)?;
        if read_only {
            mounts::set_read_only(calls, copy.as_fd(), true)?;
        }
        mounts::attach(calls, copy.as_fd(), place.as_fd(), &format!("/{target}"))?;
        Ok(((), bind_fact(source, target, read_only)))
    })
}

pub fn bind_fact(source: &Path, target: &str, read_only: bool) -> Fact {
    let (source, target) = (source.to_string_lossy().into_owned(), format!("/{}", target.trim_start_matches('/')));
    Fact::Bound { source, target, read_only }
}

/// The learner's own directories (`-v`), with the place made if the image lacks it.
pub fn bind_all(root: BorrowedFd<'_>, binds: &[Bind], story: &mut Story) -> Result<(), Fault> {
    for b in binds {
        let step = |e| Fault::step("bind", e);
        let target = b.target.trim_start_matches('/');
        make_directories(root, Path::new(target), story).map_err(step)?;
        bind(root, &PathBuf::from(&b.source), target, b.read_only).map_err(step)?.tell(story);
    }
    Ok(())
}

/// `mkdir -p` inside the root, following the image's symlinks without leaving it. What is made is told.
pub fn make_directories(root: BorrowedFd<'_>, path: &Path, story: &mut Story) -> Result<(), SysError> {
    let mut walked = PathBuf::new();
    for part in path.components() {
        let std::path::Component::Normal(name) = part else { continue };
        let parent = walked.clone();
        walked.push(name);
        let how = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match crate::kernel::open::in_root(root, &walked, how, Mode::empty()) {
            Ok(_) => continue,
            Err(e) if e.errno == libc::ENOENT => {}
            Err(e) => return Err(e),
        }
        let parent = crate::kernel::open::in_root(root, &Path::new("/").join(&parent), how, Mode::empty())?;
        let shown = format!("/{}", walked.to_string_lossy());
        sys::deed(|calls| {
            calls.saw(
                "mkdirat",
                format!(
                    "<{}>, {}, 0755",
                    shown.rsplit_once('/').map_or("/", |(p, _)| if p.is_empty() { "/" } else { p }),
                    quoted(name)
                ),
                shown.clone(),
                rustix::fs::mkdirat(&parent, name, Mode::from_raw_mode(0o755)),
            )?;
            Ok(((), Fact::MountPoint { path: shown.clone() }))
        })?
        .tell(story);
    }
    Ok(())
}

/// Hides and protects what Docker hides and protects. `proc` and `sys` are our own mounts, in which no symlink is followed;
/// /dev/null is the node just made, and proved to be it (CVE-2025-31133).
pub fn protect(root: BorrowedFd<'_>, dev: BorrowedFd<'_>, story: &mut Story) -> Result<(), SysError> {
    let masked = sys::deed(|calls| {
        let null = mounts::beneath(dev, "null")?;
        let stat = rustix::fs::fstat(&null).map_err(|e| SysError::new("fstat", "/dev/null", e.raw_os_error()))?;
        if stat.st_rdev != rustix::fs::makedev(1, 3) {
            return Err(SysError::new("fstat", "/dev/null", libc::ENODEV));
        }
        let settings = [Setting::Value("size", "0k"), Setting::Value("mode", "755")];
        let mut empty: Option<OwnedFd> = None;
        let mut done = Vec::new();
        for path in MASKED.iter().chain(&MASKED_SYS) {
            let Ok(target) = mounts::beneath(root, path) else { continue };
            let is_dir = rustix::fs::statat(&target, "", AtFlags::EMPTY_PATH)
                .is_ok_and(|s| FileType::from_raw_mode(s.st_mode) == FileType::Directory);
            let shown = format!("/{path}");
            if !is_dir {
                let cover = mounts::copy_of(calls, null.as_fd(), Path::new(""))?;
                mounts::attach(calls, cover.as_fd(), target.as_fd(), &shown)?;
            } else if let Some(first) = &empty {
                // A copy of the first one, which is attached: a detached mount can be copied only since kernel 6.15.
                let cover = mounts::copy_of(calls, OwnedFd::as_fd(first), Path::new(""))?;
                mounts::attach(calls, cover.as_fd(), target.as_fd(), &shown)?;
            } else {
                let first = mounts::detached(calls, "tmpfs", &settings, Attr::MOUNT_ATTR_RDONLY)?;
                mounts::attach(calls, first.as_fd(), target.as_fd(), &shown)?;
                empty = Some(first);
            }
            done.push(format!("/{path}"));
        }
        Ok(((), Fact::Masked { paths: done }))
    })?;
    masked.tell(story);
    sys::deed(|calls| {
        let mut done = Vec::new();
        for path in READ_ONLY {
            let Ok(target) = mounts::beneath(root, path) else { continue };
            let copy = mounts::copy_of(calls, target.as_fd(), Path::new(""))?;
            mounts::set_read_only(calls, copy.as_fd(), true)?;
            mounts::attach(calls, copy.as_fd(), target.as_fd(), &format!("/{path}"))?;
            done.push(format!("/{path}"));
        }
        Ok(((), Fact::ReadOnly { paths: done }))
    })?
    .tell(story);
    Ok(())
}

/// The container's own cgroups, read-only, as it may see them. Docker shows them; a host without them does without.
pub fn show_cgroup(root: BorrowedFd<'_>, version: u8, story: &mut Story) -> Result<(), SysError> {
    if version != 2 {
        return Ok(());
    }
    let mounted = sys::deed(|calls| {
        let attr = Attr::MOUNT_ATTR_NOSUID | Attr::MOUNT_ATTR_NODEV | Attr::MOUNT_ATTR_NOEXEC | Attr::MOUNT_ATTR_RDONLY;
        let target = mounts::in_root(root, "sys/fs/cgroup", false)?;
        let mount = mounts::detached(calls, "cgroup2", &[], attr)?;
        mounts::attach(calls, mount.as_fd(), target.as_fd(), "/sys/fs/cgroup")?;
        let options = "ro,nosuid,nodev,noexec".to_string();
        Ok(((), Fact::Mounted { kind: "cgroup2".into(), target: "/sys/fs/cgroup".into(), options }))
    });
    match mounted {
        Ok(deed) => deed.tell(story),
        Err(e) => {
            story.tell(Event::failed(Fact::Fallback { what: "/sys/fs/cgroup".into(), point: FaultPoint::Optional }, e))
        }
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
        sys::umount2(calls, Path::new("."), libc::MNT_DETACH)?;
        std::env::set_current_dir("/").map_err(|e| SysError::io("chdir", "/", &e))?;
        Ok(((), Fact::RootPivoted { to: target.to_string_lossy().into_owned() }))
    })
}
