//! Mounts by descriptor.
//!
//! The old mount(2) names its target by a path, and a path inside a container's root is the image author's: `/dev` may be
//! a symlink to the host's `/etc` (CVE-2025-31133, CVE-2025-52565). Here every file system is first made as a detached
//! mount, known only by its descriptor (fsopen, fsmount, or open_tree for a bind), and then moved onto a target that was
//! opened with openat2(RESOLVE_IN_ROOT), so that no symlink leads out. Kernel 5.2 and later.

use super::sys::{self, Calls, named, quoted};
use crate::event::SysError;
use nix::mount::MsFlags;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, StatxFlags};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, fsconfig_create, fsconfig_set_flag,
    fsconfig_set_string, fsmount, fsopen, move_mount, open_tree,
};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

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
    let how = FsOpenFlags::FSOPEN_CLOEXEC;
    let args = format_args!("{}, {}", quoted(kind), named(how.iter_names()));
    let fs = calls.saw("fsopen", args, kind, fsopen(kind, how))?;
    // What the first column of /proc/mounts shows.
    for setting in std::iter::once(&Setting::Value("source", kind)).chain(settings) {
        match setting {
            Setting::Value(key, value) => calls.saw(
                "fsconfig",
                format_args!("<{kind}>, FSCONFIG_SET_STRING, {}, {}, 0", quoted(key), quoted(value)),
                format_args!("{kind} {key}={value}"),
                fsconfig_set_string(fs.as_fd(), *key, *value),
            )?,
            Setting::Flag(key) => calls.saw(
                "fsconfig",
                format_args!("<{kind}>, FSCONFIG_SET_FLAG, {}, NULL, 0", quoted(key)),
                format_args!("{kind} {key}"),
                fsconfig_set_flag(fs.as_fd(), *key),
            )?,
        }
    }
    let create = format_args!("<{kind}>, FSCONFIG_CMD_CREATE, NULL, NULL, 0");
    calls.saw("fsconfig", create, kind, fsconfig_create(fs.as_fd()))?;
    let how = FsMountFlags::FSMOUNT_CLOEXEC;
    let args = format_args!("<{kind}>, {}, {}", named(how.iter_names()), named(attr.iter_names()));
    calls.saw("fsmount", args, kind, fsmount(fs.as_fd(), how, attr))
}

/// A copy of an existing mount (a bind), detached. `from` is resolved against `dir`; an empty `from` is `dir` itself.
pub fn copy_of(calls: &mut Calls, dir: BorrowedFd<'_>, from: &Path) -> Result<OwnedFd, SysError> {
    let mut how = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    if from.as_os_str().is_empty() {
        how |= OpenTreeFlags::AT_EMPTY_PATH;
    }
    let args = format_args!("{}, {}", quoted(from), named(how.iter_names()));
    calls.saw("open_tree", args, from.display(), open_tree(dir, from, how))
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
    let how = if recursive { "AT_EMPTY_PATH|AT_RECURSIVE" } else { "AT_EMPTY_PATH" };
    let args = format_args!("\"\", {how}, {{attr_set=MOUNT_ATTR_RDONLY}}");
    calls.saw("mount_setattr", args, "read-only", sys::answer(ret)).map(drop)
}

/// Puts a detached mount at a target that is open; `shown` is the target's name for people.
pub fn attach(calls: &mut Calls, mount: BorrowedFd<'_>, target: BorrowedFd<'_>, shown: &str) -> Result<(), SysError> {
    let how = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    let args = format_args!("\"\", <{shown}>, \"\", {}", named(how.iter_names()));
    calls.saw("move_mount", args, shown, move_mount(mount, "", target, "", how))
}

/// A path beneath a mount of ours in which no symlink is believed at all (masked and read-only paths of /proc and /sys).
pub fn beneath(dir: BorrowedFd<'_>, path: &str) -> Result<OwnedFd, SysError> {
    super::resolve::beneath(dir, Path::new(path), OFlags::PATH)
}

/// Goes to the top of this mount namespace. False: the calling process was in a chroot. pivot_root would change that root and no
/// other, all mounts around it would stay in the namespace, and setns, or a program with CAP_SYS_CHROOT, would be among them.
pub fn go_to_top(calls: &mut Calls) -> Result<bool, SysError> {
    let root = || {
        let what = StatxFlags::INO | StatxFlags::MNT_ID;
        let stat = rustix::fs::statx(CWD, "/", AtFlags::empty(), what);
        let stat = stat.map_err(|e| SysError::new("statx", "/", e.raw_os_error()))?;
        Ok::<_, SysError>((stat.stx_dev_major, stat.stx_dev_minor, stat.stx_ino, stat.stx_mnt_id))
    };
    let (was, own) = (root()?, "/proc/thread-self/ns/mnt");
    let namespace = rustix::fs::open(own, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|e| SysError::new("open", own, e.raw_os_error()))?;
    let name = rustix::fs::readlink(own, Vec::new()).map_err(|e| SysError::new("readlink", own, e.raw_os_error()))?;
    sys::setns(calls, namespace.as_fd(), libc::CLONE_NEWNS, &name.to_string_lossy())?;
    Ok(root()? == was)
}

/// Every mount made from here on stays in this mount namespace, while later mounts of the host still reach it.
pub fn keep_mounts_inside(calls: &mut Calls) -> Result<(), SysError> {
    sys::mount(calls, None, Path::new("/"), None, MsFlags::MS_REC | MsFlags::MS_SLAVE, None)
}
