//! Opening paths that somebody else chose: openat2 keeps the walk inside a root (kernel 5.6).

use crate::event::SysError;
use nix::unistd::AccessFlags;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat, StatxFlags};
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Take};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

/// Opens `path` as a process would whose root is `root`: absolute symlinks start there, `..` stops there, and the magic
/// links of /proc are refused.
pub fn in_root(root: BorrowedFd<'_>, path: &Path, how: OFlags) -> Result<OwnedFd, SysError> {
    named(path, openat2(root, path, how, ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS))
}

/// openat2 itself, close-on-exec, of what is there. EAGAIN means that a rename raced with a `..`; the kernel asks to try again.
pub fn openat2(dir: impl AsFd, path: &Path, how: OFlags, resolve: ResolveFlags) -> rustix::io::Result<OwnedFd> {
    let mut tries = 0..64;
    loop {
        match rustix::fs::openat2(&dir, path, how | OFlags::CLOEXEC, Mode::empty(), resolve) {
            Err(rustix::io::Errno::AGAIN) if tries.next().is_some() => {}
            other => return other,
        }
    }
}

fn named(path: &Path, opened: rustix::io::Result<OwnedFd>) -> Result<OwnedFd, SysError> {
    opened.map_err(|e| SysError::new("openat2", path.to_string_lossy(), e.raw_os_error()))
}

/// Opens `path` beneath a directory, through directories alone: no symlink on the way or at its end is followed. With
/// O_PATH|O_NOFOLLOW a symlink at the end is opened as itself (openat2(2)).
pub fn beneath(dir: BorrowedFd<'_>, path: &Path, how: OFlags) -> Result<OwnedFd, SysError> {
    within(dir, path, how, ResolveFlags::empty())
}

/// The same, with more that the kernel is to refuse (NO_XDEV: another mount).
pub fn within(dir: BorrowedFd<'_>, path: &Path, how: OFlags, more: ResolveFlags) -> Result<OwnedFd, SysError> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS | more;
    named(path, openat2(dir, path, how, resolve))
}

/// Opens `path` as this process sees it, but through no magic link of /proc: what those lead to need not be in its root.
pub fn without_magic_links(path: &Path, how: OFlags) -> Result<OwnedFd, SysError> {
    named(path, openat2(rustix::fs::CWD, path, how, ResolveFlags::NO_MAGICLINKS))
}

/// Whether this process may execute what is open, by its effective ids (faccessat2, kernel 5.8). Errors: EACCES.
pub fn may_execute(file: BorrowedFd<'_>) -> Result<(), SysError> {
    use nix::fcntl::AtFlags;
    nix::unistd::faccessat(file, "", AccessFlags::X_OK, AtFlags::AT_EACCESS | AtFlags::AT_EMPTY_PATH)
        .map_err(|e| SysError::new("faccessat2", "program", e as i32))
}

/// What lies at a name, held and looked at before it is opened: to open a device or a FIFO can do something already, and a
/// program that swaps the name meanwhile changes nothing of what is held.
#[derive(Debug)]
pub struct Seen {
    handle: OwnedFd,
    pub stat: Stat,
}

impl Seen {
    /// As [`beneath`].
    pub fn beneath(dir: BorrowedFd<'_>, path: &Path) -> Result<Seen, SysError> {
        let handle = beneath(dir, path, OFlags::PATH | OFlags::NOFOLLOW)?;
        // fstat works on a descriptor that only names a place (O_PATH) since kernel 3.6.
        let stat =
            rustix::fs::fstat(&handle).map_err(|e| SysError::new("fstat", path.to_string_lossy(), e.raw_os_error()))?;
        Ok(Seen { handle, stat })
    }

    pub fn kind(&self) -> FileType {
        FileType::from_raw_mode(self.stat.st_mode)
    }

    /// Opens this very file or directory: /proc/self/fd leads to what is held, whatever its name leads to by now. For what
    /// [`Seen::kind`] says is one of the two.
    pub fn open(&self, how: OFlags) -> Result<OwnedFd, SysError> {
        let link = format!("/proc/self/fd/{}", self.handle.as_raw_fd());
        rustix::fs::open(&link, how | OFlags::CLOEXEC, Mode::empty())
            .map_err(|e| SysError::new("open", link, e.raw_os_error()))
    }

    /// The content of a regular file, no more of it than there was when it was looked at: a program may write on for ever.
    pub fn content(&self) -> Result<Take<File>, SysError> {
        Ok(File::from(self.open(OFlags::RDONLY)?).take(u64::try_from(self.stat.st_size).unwrap_or(0)))
    }

    /// Where a symlink leads.
    pub fn target(&self) -> Result<OsString, SysError> {
        rustix::fs::readlinkat(&self.handle, "", Vec::new())
            .map(|to| OsString::from_vec(to.into_bytes()))
            .map_err(|e| SysError::new("readlinkat", "", e.raw_os_error()))
    }
}

/// The top of the mounts that this directory is in, whatever root the process has chosen that it is the root of: `..` ends at
/// nothing but the top, and at the root of who walks.
///
/// Errors: ELOOP for a tree deeper than anybody waits for.
pub fn top_of(from: OwnedFd) -> Result<OwnedFd, SysError> {
    let failed = |call: &str, e: rustix::io::Errno| SysError::new(call, "..", e.raw_os_error());
    let place = |fd: &OwnedFd| {
        let what = StatxFlags::INO | StatxFlags::MNT_ID;
        let stat = rustix::fs::statx(fd, "", AtFlags::EMPTY_PATH, what).map_err(|e| failed("statx", e))?;
        Ok((stat.stx_mnt_id, stat.stx_dev_major, stat.stx_dev_minor, stat.stx_ino))
    };
    // Many steps at once: a path may have 4096 bytes.
    let up = "../".repeat(1000);
    let (mut at, mut seen) = (from, None);
    for _ in 0..100 {
        let now = place(&at)?;
        if seen == Some(now) {
            return Ok(at);
        }
        seen = Some(now);
        let how = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        at = rustix::fs::openat(&at, &up, how, Mode::empty()).map_err(|e| failed("openat", e))?;
    }
    Err(failed("openat", rustix::io::Errno::LOOP))
}

/// A directory as a handle.
pub fn directory(path: &Path) -> Result<OwnedFd, SysError> {
    rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|e| SysError::new("open", path.to_string_lossy(), e.raw_os_error()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsFd;

    #[test]
    fn the_top_is_found_from_however_far_below() {
        let dir = tempfile::tempdir().expect("tempdir");
        let mut at = directory(dir.path()).expect("open");
        for _ in 0..1200 {
            rustix::fs::mkdirat(&at, "d", Mode::RWXU).expect("mkdir");
            at = beneath(at.as_fd(), Path::new("d"), OFlags::PATH | OFlags::DIRECTORY).expect("open");
        }
        let is = |fd: OwnedFd| rustix::fs::fstat(&fd).map(|stat| (stat.st_dev, stat.st_ino)).expect("fstat");
        let top = || directory(Path::new("/")).expect("open");
        assert_eq!(is(top_of(at).expect("top")), is(top()));
        assert_eq!(is(top_of(top()).expect("top")), is(top()));
    }

    #[test]
    fn what_was_seen_is_what_is_read_whatever_takes_its_name() {
        let dir = tempfile::tempdir().expect("tempdir");
        let (at, top) = (|name: &str| dir.path().join(name), directory(dir.path()).expect("open"));
        std::fs::write(at("file"), "seen").expect("write");
        let seen = Seen::beneath(top.as_fd(), Path::new("file")).expect("seen");
        let mut grows = File::options().append(true).open(at("file")).expect("open");
        grows.write_all(b" and more").expect("write");
        std::fs::remove_file(at("file")).expect("remove");
        // A FIFO without a writer would hold whoever opens it; a link would lead to another file.
        rustix::fs::mknodat(&top, "file", FileType::Fifo, Mode::RUSR, 0).expect("mknod");
        let mut content = String::new();
        seen.content()
            .and_then(|mut c| c.read_to_string(&mut content).map_err(|e| SysError::io("read", "", &e)))
            .expect("read");
        assert_eq!((seen.kind(), content.as_str()), (FileType::RegularFile, "seen"));
        assert_eq!(Seen::beneath(top.as_fd(), Path::new("file")).expect("seen").kind(), FileType::Fifo);
        std::os::unix::fs::symlink("/etc/passwd", at("link")).expect("symlink");
        let link = Seen::beneath(top.as_fd(), Path::new("link")).expect("seen");
        assert_eq!((link.kind(), link.target().expect("target")), (FileType::Symlink, "/etc/passwd".into()));
    }
}
