//! Mounts by descriptor.
//!
//! The old mount(2) names its target by a path, and a path inside a container's root is the image author's: `/dev` may be
//! a symlink to the host's `/etc` (CVE-2025-31133, CVE-2025-52565). Here every file system is first made as a detached
//! mount, known only by its descriptor (fsopen, fsmount, or open_tree for a bind), and then moved onto a target that was
//! opened with openat2(RESOLVE_IN_ROOT), so that no symlink leads out. Kernel 5.2 and later.

use super::sys::{self, Calls, flags, quoted};
use crate::event::SysError;
use rustix::fs::{Mode, OFlags};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, fsconfig_create, fsconfig_set_flag,
    fsconfig_set_string, fsmount, fsopen, move_mount, open_tree,
};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

const ATTR: &[(u64, &str)] =
    &[(1, "MOUNT_ATTR_RDONLY"), (2, "MOUNT_ATTR_NOSUID"), (4, "MOUNT_ATTR_NODEV"), (8, "MOUNT_ATTR_NOEXEC")];

/// One setting of a file system in the making.
pub enum Setting<'a> {
    Value(&'a str, &'a str),
    Flag(&'a str),
}

/// A file system as a detached mount.
pub fn detached(
    calls: &mut Calls,
    kind: &str,
    settings: &[Setting<'_>],
    attr: MountAttrFlags,
) -> Result<OwnedFd, SysError> {
    let fs = calls.saw(
        "fsopen",
        format!("{}, FSOPEN_CLOEXEC", quoted(kind)),
        kind,
        fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC),
    )?;
    // What the first column of /proc/mounts shows.
    for setting in std::iter::once(&Setting::Value("source", kind)).chain(settings) {
        match setting {
            Setting::Value(key, value) => calls.saw(
                "fsconfig",
                format!("<{kind}>, FSCONFIG_SET_STRING, {}, {}, 0", quoted(key), quoted(value)),
                format!("{kind} {key}={value}"),
                fsconfig_set_string(fs.as_fd(), *key, *value),
            )?,
            Setting::Flag(key) => calls.saw(
                "fsconfig",
                format!("<{kind}>, FSCONFIG_SET_FLAG, {}, NULL, 0", quoted(key)),
                format!("{kind} {key}"),
                fsconfig_set_flag(fs.as_fd(), *key),
            )?,
        }
    }
    calls.saw(
        "fsconfig",
        format!("<{kind}>, FSCONFIG_CMD_CREATE, NULL, NULL, 0"),
        kind,
        fsconfig_create(fs.as_fd()),
    )?;
    calls.saw(
        "fsmount",
        format!("<{kind}>, FSMOUNT_CLOEXEC, {}", flags(attr.bits() as u64, ATTR)),
        kind,
        fsmount(fs.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attr),
    )
}

/// A copy of an existing mount (a bind), detached. `from` is resolved against `dir`; an empty `from` is `dir` itself.
pub fn copy_of(calls: &mut Calls, dir: BorrowedFd<'_>, from: &Path) -> Result<OwnedFd, SysError> {
    let mut how = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let empty = from.as_os_str().is_empty();
    if empty {
        how |= OpenTreeFlags::AT_EMPTY_PATH;
    }
    calls.saw(
        "open_tree",
        format!("{}, OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC{}", quoted(from), if empty { "|AT_EMPTY_PATH" } else { "" }),
        from.to_string_lossy(),
        open_tree(dir, from, how),
    )
}

/// Makes a detached mount read-only (mount_setattr, kernel 5.12).
pub fn set_read_only(calls: &mut Calls, mount: BorrowedFd<'_>, recursive: bool) -> Result<(), SysError> {
    #[repr(C)]
    struct Attr {
        set: u64,
        clear: u64,
        propagation: u64,
        userns_fd: u64,
    }
    let attr = Attr { set: 1, clear: 0, propagation: 0, userns_fd: 0 };
    let how = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the struct is the kernel's mount_attr, its size is passed, the path is a static empty string.
    let ret = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            how,
            &attr as *const Attr,
            std::mem::size_of::<Attr>(),
        )
    };
    let args =
        format!("\"\", AT_EMPTY_PATH{}, {{attr_set=MOUNT_ATTR_RDONLY}}", if recursive { "|AT_RECURSIVE" } else { "" });
    calls.raw("mount_setattr", args, "read-only", ret).map(drop)
}

/// Puts a detached mount at a target that is open; `shown` is the target's name for people.
pub fn attach(calls: &mut Calls, mount: BorrowedFd<'_>, target: BorrowedFd<'_>, shown: &str) -> Result<(), SysError> {
    calls.saw(
        "move_mount",
        format!("\"\", <{shown}>, \"\", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH"),
        shown,
        move_mount(
            mount,
            "",
            target,
            "",
            MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH,
        ),
    )
}

/// Opens a path inside a container's root for use as a mount target or source: symlinks are followed as the container would
/// see them, and never out of the root.
pub fn in_root(root: BorrowedFd<'_>, path: &str, follow: bool) -> Result<OwnedFd, SysError> {
    let mut how = OFlags::PATH | OFlags::CLOEXEC;
    if !follow {
        how |= OFlags::NOFOLLOW;
    }
    super::open::in_root(root, Path::new(path), how, Mode::empty())
}

/// A path beneath a mount of ours in which no symlink is believed at all (masked and read-only paths of /proc and /sys).
pub fn beneath(dir: BorrowedFd<'_>, path: &str) -> Result<OwnedFd, SysError> {
    super::open::beneath(dir, Path::new(path), OFlags::PATH)
}

/// Every mount made from here on stays in this mount namespace, while later mounts of the host still reach it.
pub fn keep_private(calls: &mut Calls) -> Result<(), SysError> {
    sys::mount(calls, None, Path::new("/"), None, libc::MS_REC | libc::MS_SLAVE, None)
}
