//! Opening paths that somebody else chose: openat2 keeps the walk inside a root (kernel 5.6).

use crate::fact::SysError;
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// Opens `path` as a process would whose root is `root`: absolute symlinks start there, `..` stops there, and the magic
/// links of /proc are refused. EAGAIN means that a rename raced with a `..`; the kernel asks to try again.
pub fn in_root(root: BorrowedFd<'_>, path: &Path, how: OFlags, mode: Mode) -> Result<OwnedFd, SysError> {
    for _ in 0..64 {
        match openat2(root, path, how, mode, ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS) {
            Err(rustix::io::Errno::AGAIN) => continue,
            other => return other.map_err(|e| SysError::new("openat2", path.to_string_lossy(), e.raw_os_error())),
        }
    }
    Err(SysError::new("openat2", path.to_string_lossy(), libc::EAGAIN))
}

/// Opens `path` beneath a directory, through directories alone: no symlink on the way or at its end is followed. With
/// O_PATH|O_NOFOLLOW a symlink at the end is opened as itself (openat2(2)).
pub fn beneath(dir: BorrowedFd<'_>, path: &Path, how: OFlags) -> Result<OwnedFd, SysError> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    openat2(dir, path, how | OFlags::CLOEXEC, Mode::empty(), resolve)
        .map_err(|e| SysError::new("openat2", path.to_string_lossy(), e.raw_os_error()))
}

/// Opens `path` as this process sees it, but through no magic link of /proc: what those lead to need not be in its root.
pub fn without_magic_links(path: &Path, how: OFlags) -> Result<OwnedFd, SysError> {
    openat2(rustix::fs::CWD, path, how | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::NO_MAGICLINKS)
        .map_err(|e| SysError::new("openat2", path.to_string_lossy(), e.raw_os_error()))
}

/// Whether this process may execute what is open, by its effective ids (faccessat2, kernel 5.8). Errors: EACCES.
pub fn may_execute(file: BorrowedFd<'_>) -> Result<(), SysError> {
    let how = libc::AT_EACCESS | libc::AT_EMPTY_PATH;
    // SAFETY: a descriptor that is open, an empty NUL-terminated path, two integers.
    let ret = unsafe { libc::syscall(libc::SYS_faccessat2, file.as_raw_fd(), c"".as_ptr(), libc::X_OK, how) };
    if ret == 0 { Ok(()) } else { Err(SysError::io("faccessat2", "program", &std::io::Error::last_os_error())) }
}

/// A directory as a handle.
pub fn directory(path: &Path) -> Result<OwnedFd, SysError> {
    rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|e| SysError::new("open", path.to_string_lossy(), e.raw_os_error()))
}
