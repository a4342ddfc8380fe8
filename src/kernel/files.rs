//! Changes of files and directories that remember themselves (see sys.rs), by path or beneath a directory that is open.

use super::sys::{Calls, quoted};
use crate::event::{Stamp, SysError};
use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, OFlags, RawMode, RenameFlags, Timestamps, Uid};
use std::ffi::OsStr;
use std::fmt::{self, Display};
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// A directory or a file that is open, and the name by which strace and people know it (none in the depth of a walk).
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    pub dir: BorrowedFd<'a>,
    pub shown: &'a str,
}

impl<'a> At<'a> {
    const CWD: At<'static> = At { dir: CWD, shown: "AT_FDCWD" };

    pub fn new(dir: &'a impl AsFd, shown: &'a str) -> At<'a> {
        At { dir: dir.as_fd(), shown }
    }

    fn entry(self, name: &'a OsStr) -> Entry<'a> {
        Entry(self, name)
    }
}

/// As the first argument of a call.
impl Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.shown == "AT_FDCWD" { f.write_str(self.shown) } else { write!(f, "<{}>", self.shown) }
    }
}

/// Something in a directory: as arguments of a call, or with `{:#}` as its path.
struct Entry<'a>(At<'a>, &'a OsStr);

impl Display for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entry(at, name) = self;
        match (f.alternate(), at.shown) {
            (false, "") => quoted(*name).fmt(f),
            (false, _) => write!(f, "{at}, {}", quoted(*name)),
            (true, "" | "." | "AT_FDCWD") => name.display().fmt(f),
            (true, shown) => write!(f, "{}/{}", shown.trim_end_matches('/'), name.display()),
        }
    }
}

/// How a file is now, for a receipt; None where it is not there.
pub fn stamp(path: &Path) -> Option<Stamp> {
    std::fs::symlink_metadata(path).ok().map(|meta| Stamp::of(path, &meta))
}

/// An owner as the calls take it.
fn ids(uid: u32, gid: u32) -> (Option<Uid>, Option<Gid>) {
    (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))
}

// ---- beneath a directory -----------------------------------------------------------------------------------------

pub fn mkdirat(calls: &mut Calls, at: At<'_>, name: impl AsRef<OsStr>, mode: RawMode) -> Result<(), SysError> {
    let place = at.entry(name.as_ref());
    let made = rustix::fs::mkdirat(at.dir, place.1, Mode::from_raw_mode(mode));
    calls.saw("mkdirat", format_args!("{place}, 0{mode:02o}"), format_args!("{place:#}"), made)
}

/// `device` counts for devices alone (see `rustix::fs::makedev`).
pub fn mknodat(
    calls: &mut Calls,
    at: At<'_>,
    name: impl AsRef<OsStr>,
    kind: FileType,
    mode: RawMode,
    device: u64,
) -> Result<(), SysError> {
    let place = at.entry(name.as_ref());
    let made = rustix::fs::mknodat(at.dir, place.1, kind, Mode::from_raw_mode(mode), device);
    let kind = match kind {
        FileType::CharacterDevice => "S_IFCHR",
        FileType::BlockDevice => "S_IFBLK",
        FileType::Fifo => "S_IFIFO",
        _ => "S_IFREG",
    };
    let number = if matches!(kind, "S_IFCHR" | "S_IFBLK") { makedev(device) } else { String::new() };
    let bits = [(libc::S_ISUID, "S_ISUID|"), (libc::S_ISGID, "S_ISGID|"), (libc::S_ISVTX, "S_ISVTX|")];
    let bits: String = bits.into_iter().filter(|(bit, _)| mode & bit != 0).map(|(_, name)| name).collect();
    let args = format_args!("{place}, {kind}|{bits}0{:02o}{number}", mode & 0o777);
    calls.saw("mknodat", args, format_args!("{place:#}"), made)
}

/// A device's number as strace prints it: zero without 0x.
fn makedev(device: u64) -> String {
    let number = |n: u32| if n == 0 { "0".to_string() } else { format!("{n:#x}") };
    format!(", makedev({}, {})", number(rustix::fs::major(device)), number(rustix::fs::minor(device)))
}

pub fn symlinkat(
    calls: &mut Calls,
    to: impl AsRef<OsStr>,
    at: At<'_>,
    name: impl AsRef<OsStr>,
) -> Result<(), SysError> {
    let (to, place) = (to.as_ref(), at.entry(name.as_ref()));
    let made = rustix::fs::symlinkat(to, at.dir, place.1);
    calls.saw("symlinkat", format_args!("{}, {place}", quoted(to)), format_args!("{place:#}"), made)
}

/// Removes a file, or with `REMOVEDIR` an empty directory.
pub fn unlinkat(calls: &mut Calls, at: At<'_>, name: impl AsRef<OsStr>, how: AtFlags) -> Result<(), SysError> {
    let place = at.entry(name.as_ref());
    let gone = rustix::fs::unlinkat(at.dir, place.1, how);
    let how = if how.contains(AtFlags::REMOVEDIR) { "AT_REMOVEDIR" } else { "0" };
    calls.saw("unlinkat", format_args!("{place}, {how}"), format_args!("{place:#}"), gone)
}

pub fn renameat(calls: &mut Calls, (from, old): (At<'_>, &OsStr), (to, new): (At<'_>, &OsStr)) -> Result<(), SysError> {
    let done = rustix::fs::renameat_with(from.dir, old, to.dir, new, RenameFlags::empty());
    let (old, new) = (from.entry(old), to.entry(new));
    calls.saw("renameat2", format_args!("{old}, {new}, 0"), format_args!("{new:#}"), done)
}

/// A new file, open for writing: never one that is there, never through a link.
pub fn create(calls: &mut Calls, at: At<'_>, name: impl AsRef<OsStr>, mode: RawMode) -> Result<File, SysError> {
    let place = at.entry(name.as_ref());
    let how = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let made = rustix::fs::openat(at.dir, place.1, how, Mode::from_raw_mode(mode));
    let args = format_args!("{place}, O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0{mode:o}");
    calls.saw("openat", args, format_args!("{place:#}"), made).map(File::from)
}

pub fn chownat(calls: &mut Calls, at: At<'_>, name: &OsStr, (uid, gid): (u32, u32)) -> Result<(), SysError> {
    let (user, group) = ids(uid, gid);
    let done = rustix::fs::chownat(at.dir, name, user, group, AtFlags::SYMLINK_NOFOLLOW);
    let place = at.entry(name);
    let args = format_args!("{place}, {uid}, {gid}, AT_SYMLINK_NOFOLLOW");
    calls.saw("fchownat", args, format_args!("{place:#}"), done)
}

pub fn utimensat(calls: &mut Calls, at: At<'_>, name: &OsStr, times: &Timestamps) -> Result<(), SysError> {
    let done = rustix::fs::utimensat(at.dir, name, times, AtFlags::SYMLINK_NOFOLLOW);
    let place = at.entry(name);
    calls.saw("utimensat", format_args!("{place}, ..."), format_args!("{place:#}"), done)
}

// ---- of what is open ---------------------------------------------------------------------------------------------

pub fn fchown(calls: &mut Calls, file: At<'_>, (uid, gid): (u32, u32)) -> Result<(), SysError> {
    let (user, group) = ids(uid, gid);
    let done = rustix::fs::fchown(file.dir, user, group);
    calls.saw("fchown", format_args!("{file}, {uid}, {gid}"), file.shown, done)
}

pub fn fchmod(calls: &mut Calls, file: At<'_>, mode: RawMode) -> Result<(), SysError> {
    let done = rustix::fs::fchmod(file.dir, Mode::from_raw_mode(mode));
    calls.saw("fchmod", format_args!("{file}, 0{mode:02o}"), file.shown, done)
}

pub fn futimens(calls: &mut Calls, file: At<'_>, times: &Timestamps) -> Result<(), SysError> {
    let done = rustix::fs::futimens(file.dir, times);
    calls.saw("utimensat", format_args!("{file}, ..."), file.shown, done)
}

// ---- by path -----------------------------------------------------------------------------------------------------

pub fn mkdir(calls: &mut Calls, path: &Path, mode: RawMode) -> Result<(), SysError> {
    let made = std::fs::DirBuilder::new().mode(mode).create(path);
    calls.saw("mkdir", format_args!("{}, 0{mode:02o}", quoted(path)), path.display(), made)
}

pub fn rmdir(calls: &mut Calls, path: &Path) -> Result<(), SysError> {
    calls.saw("rmdir", format_args!("{}", quoted(path)), path.display(), std::fs::remove_dir(path))
}

pub fn rename(calls: &mut Calls, from: &Path, to: &Path) -> Result<(), SysError> {
    let done = std::fs::rename(from, to);
    calls.saw("rename", format_args!("{}, {}", quoted(from), quoted(to)), to.display(), done)
}

pub fn symlink(calls: &mut Calls, to: &Path, at: &Path) -> Result<(), SysError> {
    let made = std::os::unix::fs::symlink(to, at);
    calls.saw("symlink", format_args!("{}, {}", quoted(to), quoted(at)), at.display(), made)
}

/// An empty file or a FIFO; nothing is opened, whatever has its name meanwhile.
pub fn mknod(calls: &mut Calls, path: &Path, kind: FileType, mode: RawMode) -> Result<(), SysError> {
    mknodat(calls, At::CWD, path, kind, mode, 0)
}

/// Sets an extended attribute.
pub fn setxattr(calls: &mut Calls, path: &Path, name: &str, value: &str) -> Result<(), SysError> {
    let set = rustix::fs::setxattr(path, name, value.as_bytes(), rustix::fs::XattrFlags::empty());
    let args = format_args!("{}, {}, {}, {}, 0", quoted(path), quoted(name), quoted(value), value.len());
    calls.saw("setxattr", args, path.display(), set)
}

/// The whole content of a file, in place: for one that something is mounted from.
pub fn overwrite(calls: &mut Calls, path: &Path, content: &str) -> Result<(), SysError> {
    let opened = File::create(path).map(OwnedFd::from);
    let args = format_args!("AT_FDCWD, {}, O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0666", quoted(path));
    let file = calls.saw("openat", args, path.display(), opened)?;
    File::from(file).write_all(content.as_bytes()).map_err(|e| SysError::io("write", path.to_string_lossy(), &e))
}

/// Writes a kernel file (a cgroup's, /proc/sys): one open, one write. What was written is the call.
pub fn put(calls: &mut Calls, path: &Path, value: &str) -> Result<(), SysError> {
    let file = File::options().write(true).open(path);
    put_fd(calls, &file.map_err(|e| SysError::io("open", path.to_string_lossy(), &e))?, path, value)
}

/// The same for a file that is open already.
pub fn put_fd(calls: &mut Calls, file: &impl AsFd, path: &Path, value: &str) -> Result<(), SysError> {
    let done = rustix::io::write(file, value.as_bytes());
    let args = format_args!("<{}>, {}, {}", path.display(), quoted(value), value.len());
    calls.saw("write", args, path.display(), done).map(drop)
}
