//! Walks through trees that somebody else made, and may be changing: however deep, with one loop and one open directory.
//!
//! A tree can be deeper than the stack has room for, than there are descriptors, and than a path may be long (PATH_MAX), so
//! nothing here calls itself, keeps a descriptor for each level or joins names to a path. The way back up is `..`, believed
//! only when it is the directory that the walk came from: a program may have moved what is open to somewhere else.

use super::files::{self, At};
use super::resolve;
use super::sys::Calls;
use crate::event::SysError;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags};
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// How a directory is opened to be walked through.
pub const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY);

/// A directory of our own, to begin at.
pub fn open(path: &Path) -> Result<OwnedFd, SysError> {
    rustix::fs::open(path, DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|e| SysError::new("open", path.to_string_lossy(), e.raw_os_error()))
}

/// A place in a tree.
#[derive(Debug)]
pub struct Walk {
    here: OwnedFd,
    /// Device and inode of each directory above, the top first.
    above: Vec<(u64, u64)>,
}

impl Walk {
    /// Begins at a directory that is open for reading.
    pub fn at(top: OwnedFd) -> Walk {
        Walk { here: top, above: Vec::new() }
    }

    pub fn here(&self) -> BorrowedFd<'_> {
        self.here.as_fd()
    }

    /// Goes on in a directory that was opened here.
    pub fn down(&mut self, below: OwnedFd) -> Result<(), SysError> {
        self.above.push(identity(self.here())?);
        self.here = below;
        Ok(())
    }

    /// Goes back to where the last [`Walk::down`] was.
    ///
    /// # Errors
    /// ESTALE when the directory has been moved meanwhile.
    pub fn up(&mut self) -> Result<(), SysError> {
        let fail = |errno| SysError::new("openat", "..", errno);
        let Some(from) = self.above.pop() else { return Err(fail(libc::EINVAL)) };
        let parent = rustix::fs::openat(&self.here, "..", DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|e| fail(e.raw_os_error()))?;
        if identity(parent.as_fd())? != from {
            return Err(fail(libc::ESTALE));
        }
        self.here = parent;
        Ok(())
    }
}

fn identity(dir: BorrowedFd<'_>) -> Result<(u64, u64), SysError> {
    let stat = rustix::fs::fstat(dir).map_err(|e| SysError::new("fstat", "", e.raw_os_error()))?;
    Ok((stat.st_dev, stat.st_ino))
}

/// Names in a directory, sorted, without `.` and `..`.
pub fn names(dir: BorrowedFd<'_>) -> Result<Vec<OsString>, SysError> {
    names_while(dir, || true).map(|(names, _)| names)
}

/// The same for as long as this holds, and whether these are all.
pub fn names_while(dir: BorrowedFd<'_>, holds: impl Fn() -> bool) -> Result<(Vec<OsString>, bool), SysError> {
    let err = |e: rustix::io::Errno| SysError::new("getdents64", "", e.raw_os_error());
    let mut all = Vec::new();
    for entry in Dir::read_from(dir).map_err(err)? {
        if all.len() % 1024 == 1023 && !holds() {
            return Ok((all, false));
        }
        let entry = entry.map_err(err)?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            all.push(OsStr::from_bytes(name).to_os_string());
        }
    }
    all.sort_unstable();
    Ok((all, true))
}

/// How many inodes there are from this directory down, itself among them: several names of one count once, as for du(1). Only
/// directories are read.
pub fn inodes(top: OwnedFd) -> Result<u64, SysError> {
    let err = |e: rustix::io::Errno| SysError::new("getdents64", "", e.raw_os_error());
    let mut found = HashSet::new();
    let mut below = |dir: BorrowedFd<'_>| -> Result<_, SysError> {
        let mut directories = Vec::new();
        for entry in Dir::read_from(dir).map_err(err)? {
            let entry = entry.map_err(err)?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            found.insert(entry.ino());
            if entry.file_type() == FileType::Directory {
                directories.push(OsStr::from_bytes(name).to_os_string());
            }
        }
        Ok(directories)
    };
    let mut walk = Walk::at(top);
    let mut levels = vec![below(walk.here())?];
    while let Some(rest) = levels.last_mut() {
        match rest.pop() {
            Some(name) => {
                let opened = same_file_system(walk.here(), &name)?;
                walk.down(opened)?;
                levels.push(below(walk.here())?);
            }
            None => {
                levels.pop();
                if !levels.is_empty() {
                    walk.up()?;
                }
            }
        }
    }
    Ok(found.len() as u64 + 1)
}

/// Removes `name` and everything below it. No symlink is followed and no other file system entered. The first `noted` calls
/// are written down one by one.
///
/// # Errors
/// The first call that failed; what was removed until then is gone. ENOTEMPTY when somebody still makes files there.
pub fn remove(calls: &mut Calls, dir: BorrowedFd<'_>, name: &OsStr, noted: usize) -> Result<(), SysError> {
    let mut made = 0;
    // Gives false for a directory, which unlinkat(2) refuses without a flag; what is gone already is as good.
    let mut unlink = |dir: BorrowedFd<'_>, name: &OsStr, how: AtFlags| {
        let mut call = Calls::default();
        let gone = files::unlinkat(&mut call, At::new(&dir, ""), name, how);
        if gone.as_ref().is_err_and(|e| e.errno == libc::EISDIR) {
            return Ok(false);
        }
        made += 1;
        if made <= noted {
            calls.add(call.take());
        }
        match gone {
            Err(e) if e.errno != libc::ENOENT => Err(e),
            _ => Ok(true),
        }
    };
    if unlink(dir, name, AtFlags::empty())? {
        return Ok(());
    }
    let mut walk = Walk::at(same_file_system(dir, name)?);
    let mut levels = vec![(name.to_os_string(), names(walk.here())?.into_iter())];
    while let Some((_, rest)) = levels.last_mut() {
        if let Some(below) = rest.next() {
            if !unlink(walk.here(), &below, AtFlags::empty())? {
                let opened = same_file_system(walk.here(), &below)?;
                walk.down(opened)?;
                levels.push((below, names(walk.here())?.into_iter()));
            }
        } else if let Some((emptied, _)) = levels.pop() {
            let parent = if levels.is_empty() {
                dir
            } else {
                walk.up()?;
                walk.here()
            };
            unlink(parent, &emptied, AtFlags::REMOVEDIR)?;
        }
    }
    Ok(())
}

/// The same for a path of our own; its calls are bookkeeping.
pub fn remove_path(path: &Path) -> Result<(), SysError> {
    let name = path.file_name().ok_or_else(|| SysError::new("unlinkat", path.to_string_lossy(), libc::EINVAL))?;
    let parent = resolve::directory(path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
    remove(&mut Calls::default(), parent.as_fd(), name, 0)
}

fn same_file_system(dir: BorrowedFd<'_>, name: &OsStr) -> Result<OwnedFd, SysError> {
    resolve::within(dir, Path::new(name), DIRECTORY, ResolveFlags::NO_XDEV)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::CWD;

    fn deep(top: &Path, levels: usize) -> OwnedFd {
        let mut here = rustix::fs::openat(CWD, top, DIRECTORY, Mode::empty()).expect("open");
        for level in 0..levels {
            rustix::fs::mkdirat(&here, "d", Mode::RWXU).expect("mkdirat");
            if level % 100 == 0 {
                rustix::fs::symlinkat("/nowhere", &here, "link").expect("symlinkat");
                rustix::fs::mkdirat(&here, "other", Mode::RWXU).expect("mkdirat");
            }
            here = rustix::fs::openat(&here, "d", DIRECTORY, Mode::empty()).expect("openat");
        }
        here
    }

    #[test]
    fn a_tree_deeper_than_there_are_descriptors_goes() {
        let dir = tempfile::tempdir().expect("tempdir");
        let top = dir.path().join("top");
        std::fs::create_dir(&top).expect("mkdir");
        drop(deep(&top, 3_000));
        remove_path(&top).expect("removed");
        assert!(!top.exists());
        remove_path(&top).expect("gone already");
    }

    #[test]
    fn what_was_moved_away_is_not_walked_out_of() {
        let dir = tempfile::tempdir().expect("tempdir");
        for name in ["tree", "outside"] {
            std::fs::create_dir(dir.path().join(name)).expect("mkdir");
        }
        let open = |path: &Path| rustix::fs::openat(CWD, path, DIRECTORY, Mode::empty()).expect("open");
        drop(deep(&dir.path().join("tree"), 2));
        let mut walk = Walk::at(open(&dir.path().join("tree")));
        walk.down(open(&dir.path().join("tree/d"))).expect("down");
        walk.down(open(&dir.path().join("tree/d/d"))).expect("down");
        std::fs::rename(dir.path().join("tree/d/d"), dir.path().join("outside/d")).expect("rename");
        assert_eq!(walk.up().map_err(|e| e.errno), Err(libc::ESTALE));
    }

    #[test]
    fn no_link_is_followed_and_no_more_removed() {
        let dir = tempfile::tempdir().expect("tempdir");
        std::fs::create_dir_all(dir.path().join("kept/below")).expect("mkdir");
        std::fs::create_dir(dir.path().join("gone")).expect("mkdir");
        std::os::unix::fs::symlink("../kept", dir.path().join("gone/link")).expect("symlink");
        remove_path(&dir.path().join("gone")).expect("removed");
        assert!(dir.path().join("kept/below").exists());
    }
}
