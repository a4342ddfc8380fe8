//! Where a file system or a file is mounted inside a root that an image's author made.
//!
//! /proc, /sys and /dev must be ordinary directories of the root: a symlink there would put them, and everything that is
//! masked beneath them, somewhere else, and leave the real path as the image has it (CVE-2019-16884, CVE-2019-19921). Every
//! other target is resolved as the container would, inside the root and without magic links, and is of its source's type.
//! What is missing is made in the write layer, and told. A target is a descriptor: nothing is looked up a second time.

use crate::event::{Deed, Fact, Fault, Story, SysError};
use crate::kernel::files::{self, At};
use crate::kernel::resolve;
use crate::kernel::sys;
use rustix::fs::{AtFlags, FileType, OFlags};
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The kernel's own limit for symlinks in one path (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// The ordinary directory `name` at the top of the root, for a file system of this kind.
pub fn ordinary(root: BorrowedFd<'_>, name: &str, kind: &str, story: &mut Story) -> Result<OwnedFd, Fault> {
    let path = Path::new(name);
    let find = || resolve::beneath(root, path, OFlags::PATH | OFlags::DIRECTORY);
    let found = match find() {
        Err(e) if e.errno == libc::ENOENT => make_directories(root, path, story).and_then(|()| find()),
        found => found,
    };
    found.map_err(|e| match e.errno {
        libc::ELOOP | libc::ENOTDIR | libc::EEXIST => {
            Fault::NotOrdinary { target: format!("/{name}"), kind: kind.into() }
        }
        _ => Fault::step("mount", e),
    })
}

/// The place for a bind of `source`, a directory or a file of the host.
pub fn for_bind(root: BorrowedFd<'_>, path: &Path, source: &Path, story: &mut Story) -> Result<OwnedFd, Fault> {
    let step = |e| Fault::step("bind", e);
    let is_directory =
        std::fs::metadata(source).map_err(|e| step(SysError::io("stat", source.to_string_lossy(), &e)))?.is_dir();
    let find = || resolve::in_root(root, path, OFlags::PATH);
    let target = match find() {
        Err(e) if e.errno == libc::ENOENT => {
            if place(root, path).map_err(step)?.path.starts_with("proc") {
                return Err(Fault::InsideProc { target: shown(path) });
            }
            if is_directory { make_directories(root, path, story) } else { make_file(root, path, story) }
                .and_then(|()| find())
                .map_err(step)?
        }
        found => found.map_err(step)?,
    };
    // What is read there later must be the kernel's.
    if in_proc(&target) {
        return Err(Fault::InsideProc { target: shown(path) });
    }
    if (kind(&target).map_err(step)? == FileType::Directory) != is_directory {
        return Err(Fault::OtherType { target: shown(path), source: source.to_string_lossy().into_owned() });
    }
    Ok(target)
}

/// `mkdir -p` inside the root, through the root's symlinks and never out of it.
pub fn make_directories(root: BorrowedFd<'_>, path: &Path, story: &mut Story) -> Result<(), SysError> {
    let how = OFlags::PATH | OFlags::DIRECTORY;
    match resolve::in_root(root, path, how) {
        Err(e) if e.errno == libc::ENOENT => {}
        found => return found.map(drop),
    }
    let mut parent = resolve::beneath(root, Path::new("."), how)?;
    let mut walked = PathBuf::from("/");
    for name in &place(root, path)?.path {
        let above = shown(&walked);
        walked.push(name);
        let name = Path::new(name);
        parent = match resolve::beneath(parent.as_fd(), name, how) {
            Err(e) if e.errno == libc::ENOENT => {
                let made = || Fact::MountPoint { path: shown(&walked) };
                let done = sys::deed(|calls| {
                    files::mkdirat(calls, At::new(&parent, &above), name, 0o755)?;
                    Ok(((), made()))
                });
                Deed::tell_either(done, made(), story)?;
                resolve::beneath(parent.as_fd(), name, how)?
            }
            found => found?,
        };
    }
    Ok(())
}

/// An empty file to mount on, and the directories that lead to it.
fn make_file(root: BorrowedFd<'_>, path: &Path, story: &mut Story) -> Result<(), SysError> {
    let path = place(root, path)?.path;
    let (Some(name), Some(above)) = (path.file_name(), path.parent()) else { return Ok(()) };
    make_directories(root, above, story)?;
    let parent = resolve::beneath(root, &Path::new(".").join(above), OFlags::PATH | OFlags::DIRECTORY)?;
    let made = || Fact::MountPoint { path: shown(&path) };
    let done = sys::deed(|calls| {
        // mknod, not open: whatever is put there meanwhile, nothing is opened or followed.
        files::mknodat(calls, At::new(&parent, &shown(above)), name, FileType::RegularFile, 0o755, 0)?;
        Ok(((), made()))
    });
    Deed::tell_either(done, made(), story)
}

/// What lies at a path that has no links in it.
pub(super) enum Found {
    Nothing,
    /// Itself, were it a symlink.
    Entry(OwnedFd),
    /// In a file system that is yet to be mounted, or is another one for each process that looks.
    Elsewhere,
}

/// Looks at a path that has no links in it.
pub(super) type Look<'a> = dyn FnMut(&Path) -> Result<Found, SysError> + 'a;

/// Where a path leads inside a root.
pub(super) struct Place {
    /// Without symlinks; what does not exist is kept as written.
    pub path: PathBuf,
    pub found: Found,
}

fn place(root: BorrowedFd<'_>, path: &Path) -> Result<Place, SysError> {
    resolved(&mut |next| entry(root, next), path)
}

/// For [`resolved`], in a root that is mounted.
pub(super) fn entry(root: BorrowedFd<'_>, path: &Path) -> Result<Found, SysError> {
    match resolve::beneath(root, &Path::new(".").join(path), OFlags::PATH | OFlags::NOFOLLOW) {
        Err(e) if e.errno == libc::ENOENT => Ok(Found::Nothing),
        found => found.map(Found::Entry),
    }
}

/// The path that this one means inside a root; `look` looks into it. It only says where to make something: every open
/// afterwards is confined by itself, so a link that changes meanwhile leads nowhere else.
pub(super) fn resolved(look: &mut Look<'_>, path: &Path) -> Result<Place, SysError> {
    let (mut left, mut done, mut links) = (names(path), PathBuf::new(), 0);
    let (mut directory, mut lost) = (true, false);
    while let Some(name) = left.pop_front() {
        if name == "." || name == ".." {
            if !directory && !lost {
                return Err(SysError::new("openat2", shown(&done), libc::ENOTDIR));
            }
            directory = true;
            if name == ".." {
                done.pop();
            }
            continue;
        }
        let next = done.join(&name);
        let link = match look(&next)? {
            Found::Elsewhere => {
                return Ok(Place { path: next.join(left.iter().collect::<PathBuf>()), found: Found::Elsewhere });
            }
            Found::Nothing => {
                lost = true;
                done = next;
                continue;
            }
            Found::Entry(entry) => match kind(&entry)? {
                FileType::Symlink => entry,
                kind => {
                    directory = kind == FileType::Directory;
                    done = next;
                    continue;
                }
            },
        };
        links += 1;
        let error = |errno| SysError::new("readlinkat", shown(&next), errno);
        if links > MOST_LINKS {
            return Err(error(libc::ELOOP));
        }
        let to = rustix::fs::readlinkat(&link, "", Vec::new()).map_err(|e| error(e.raw_os_error()))?;
        let to = Path::new(OsStr::from_bytes(to.as_bytes()));
        if to.is_absolute() {
            done.clear();
        }
        directory = true;
        names(to).into_iter().rev().for_each(|name| left.push_front(name));
    }
    let found = if lost { Found::Nothing } else { look(&done)? };
    Ok(Place { path: done, found })
}

/// The names that a path is made of, `..` among them, and `.` where the end has to be a directory.
fn names(path: &Path) -> VecDeque<OsString> {
    let bytes = path.as_os_str().as_bytes();
    let named = |name: &&[u8]| !name.is_empty() && *name != b".";
    let directory = bytes.ends_with(b"/") || bytes.ends_with(b"/.");
    let end = directory.then_some(&b"."[..]);
    bytes.split(|b| *b == b'/').filter(named).chain(end).map(|name| OsStr::from_bytes(name).to_owned()).collect()
}

pub(super) fn kind(fd: &OwnedFd) -> Result<FileType, SysError> {
    let stat = rustix::fs::statat(fd, "", AtFlags::EMPTY_PATH);
    stat.map(|s| FileType::from_raw_mode(s.st_mode)).map_err(|e| SysError::new("fstat", "target", e.raw_os_error()))
}

pub(super) fn in_proc(fd: &OwnedFd) -> bool {
    rustix::fs::fstatfs(fd).is_ok_and(|s| s.f_type == libc::PROC_SUPER_MAGIC)
}

/// As the container sees it.
pub(super) fn shown(path: &Path) -> String {
    format!("/{}", path.to_string_lossy().trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_path_is_resolved_inside_whether_it_exists_or_not() {
        let dir = tempfile::tempdir().expect("tempdir");
        std::fs::create_dir_all(dir.path().join("a/b")).expect("a/b");
        symlink("/a/b", dir.path().join("absolute")).expect("link");
        symlink("../../../../a", dir.path().join("a/b/up")).expect("link");
        symlink("nowhere/x", dir.path().join("a/dangling")).expect("link");
        symlink("loop", dir.path().join("loop")).expect("link");
        let root = resolve::directory(dir.path()).expect("root");
        let is = |path: &str| place(root.as_fd(), Path::new(path)).map(|p| p.path.to_string_lossy().into_owned());
        assert_eq!(is("/absolute/up/dangling/y"), Ok("a/nowhere/x/y".into()));
        assert_eq!(is("../../new/../etc//hosts"), Ok("etc/hosts".into()));
        assert_eq!(is("loop").map_err(|e| e.errno), Err(libc::ELOOP));
        let mut story = Story::new();
        make_directories(root.as_fd(), Path::new("absolute/up/dangling/y"), &mut story).expect("made");
        assert!(dir.path().join("a/nowhere/x/y").is_dir());
        assert_eq!(story.events().len(), 3);
    }

    #[test]
    fn a_bind_is_of_its_source_s_type() {
        let dir = tempfile::tempdir().expect("tempdir");
        std::fs::write(dir.path().join("file"), "").expect("file");
        let root = resolve::directory(dir.path()).expect("root");
        let mut story = Story::new();
        let mut bind = |target: &str, source: &str| {
            for_bind(root.as_fd(), Path::new(target), Path::new(source), &mut story).map(drop)
        };
        assert_eq!(bind("new/place", "/etc"), Ok(()));
        assert_eq!(bind("new/file", "/etc/passwd"), Ok(()));
        let other = |target: &str, source: &str| Err(Fault::OtherType { target: target.into(), source: source.into() });
        assert_eq!(bind("file", "/etc"), other("/file", "/etc"));
        assert_eq!(bind("new", "/etc/passwd"), other("/new", "/etc/passwd"));
        assert!(dir.path().join("new/place").is_dir() && dir.path().join("new/file").is_file());
    }
}
