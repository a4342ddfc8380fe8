//! From a request's path to an open file, never outside the root.
//!
//! What never breaks: the kernel resolves names beneath the root (openat2 RESOLVE_BENEATH: neither `..` nor a symlink leads
//! out, though one inside is followed), and only regular files are opened for good (a FIFO would hang, a device could do
//! anything).

use super::http::{self, Request};
use super::nginx_conf::Conf;
use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// What a path leads to.
pub enum Found {
    File {
        file: File,
        path: Vec<u8>,
        size: u64,
        modified: i64,
    },
    /// A directory that was named without its slash.
    Moved(String),
}

pub fn find(conf: &Conf, request: &Request) -> Result<Found, u16> {
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        return Err(405);
    }
    open(conf, &request.path, request.directory, &request.query)
}

pub fn open(conf: &Conf, path: &[u8], directory: bool, query: &str) -> Result<Found, u16> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::open(&conf.root, flags, Mode::empty()).map_err(status_of)?;
    if !directory && !path.is_empty() {
        return match regular(&root, path)? {
            Some(found) => Ok(found),
            None => Ok(Found::Moved(format!("{}/{query}", http::encode(&[b"/", path].concat())))),
        };
    }
    // A directory: its first index file. Without one, that it is there is all that is told.
    beneath(&root, if path.is_empty() { b"." } else { path }, flags)?;
    for index in &conf.index {
        let below = if path.is_empty() { index.clone().into_bytes() } else { [path, b"/", index.as_bytes()].concat() };
        match regular(&root, &below) {
            Ok(Some(found)) => return Ok(found),
            Ok(None) | Err(404) => {}
            Err(status) => return Err(status),
        }
    }
    Err(403)
}

/// The regular file at `path`; None for a directory. Looked at before it is opened, and opened without waiting.
fn regular(root: &OwnedFd, path: &[u8]) -> Result<Option<Found>, u16> {
    let looked = beneath(root, path, OFlags::PATH | OFlags::CLOEXEC)?;
    let kind = |fd: &OwnedFd| rustix::fs::fstat(fd).map_err(status_of).map(|s| (s.st_mode & libc::S_IFMT, s));
    match kind(&looked)?.0 {
        libc::S_IFDIR => return Ok(None),
        libc::S_IFREG => {}
        _ => return Err(403),
    }
    let file = beneath(root, path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC)?;
    let (mode, stat) = kind(&file)?;
    if mode != libc::S_IFREG {
        return Err(403);
    }
    let size = u64::try_from(stat.st_size).unwrap_or(0);
    Ok(Some(Found::File { file: file.into(), path: path.to_vec(), size, modified: stat.st_mtime }))
}

fn beneath(root: &OwnedFd, path: &[u8], flags: OFlags) -> Result<OwnedFd, u16> {
    use std::os::unix::ffi::OsStrExt;
    let path = Path::new(std::ffi::OsStr::from_bytes(path));
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    // EAGAIN: a rename came between; the kernel asks to try again.
    for _ in 0..16 {
        match rustix::fs::openat2(root.as_fd(), path, flags, Mode::empty(), resolve) {
            Err(Errno::AGAIN) => {}
            other => return other.map_err(status_of),
        }
    }
    Err(500)
}

fn status_of(e: Errno) -> u16 {
    match e {
        Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG => 404,
        // EXDEV: it leads out of the root.
        Errno::ACCESS | Errno::PERM | Errno::XDEV | Errno::LOOP => 403,
        _ => 500,
    }
}
