//! Things in the making: entries of `tmp/`, each locked by its maker.
//!
//! The kernel drops a lock with its holder's last descriptor, so an entry that can be locked belongs to nobody: a later
//! command removes it. That is the whole recovery for everything that becomes real by one rename.

use super::Store;
use crate::fact::SysError;
use crate::kernel::tree;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags};
use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

static NEXT: AtomicU64 = AtomicU64::new(0);

/// An entry of `tmp/`, removed when dropped unless it was renamed away and [`Temp::keep`] said so.
#[derive(Debug)]
pub struct Temp {
    path: PathBuf,
    lock: File,
    kept: bool,
}

impl Temp {
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// It has been renamed to where it belongs; the lock goes with this.
    pub fn keep(mut self) {
        self.kept = true;
    }

    /// The descriptor that holds the lock: the directory or the file itself.
    pub fn file(&self) -> &File {
        &self.lock
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed now is removed by a later command's sweep.
            if self.path.is_dir() {
                // The library keeps a descriptor open for each level, and a program may make thousands.
                if std::fs::remove_dir_all(&self.path).is_err() {
                    remove_level_by_level(&self.path).unwrap_or(());
                }
            } else {
                std::fs::remove_file(&self.path).unwrap_or(());
            }
        }
    }
}

/// Removes a tree of any depth with two descriptors: directories are moved up to the top before they are emptied.
fn remove_level_by_level(top: &Path) -> Result<(), SysError> {
    let fail = |e: rustix::io::Errno| SysError::new("unlinkat", top.to_string_lossy(), e.raw_os_error());
    let how = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let root = rustix::fs::open(top, how, Mode::empty()).map_err(fail)?;
    let is_dir = |dir: BorrowedFd<'_>, name: &OsStr| {
        rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|s| FileType::from_raw_mode(s.st_mode) == FileType::Directory)
    };
    let mut moved = 0u64;
    loop {
        let names = tree::names(root.as_fd())?;
        if names.is_empty() {
            return std::fs::remove_dir(top).map_err(|e| SysError::io("rmdir", top.to_string_lossy(), &e));
        }
        for name in names {
            if !is_dir(root.as_fd(), &name) {
                rustix::fs::unlinkat(&root, &name, AtFlags::empty()).map_err(fail)?;
                continue;
            }
            let dir = rustix::fs::openat(&root, &name, how, Mode::empty()).map_err(fail)?;
            for inner in tree::names(dir.as_fd())? {
                if is_dir(dir.as_fd(), &inner) {
                    moved += 1;
                    let to = format!(".docent-moved-{moved}");
                    match rustix::fs::renameat_with(&dir, &inner, &root, &to, RenameFlags::NOREPLACE) {
                        // A container may have taken the name: the next one is tried in the next round.
                        Err(rustix::io::Errno::EXIST) => continue,
                        other => other.map_err(fail)?,
                    }
                } else {
                    rustix::fs::unlinkat(&dir, &inner, AtFlags::empty()).map_err(fail)?;
                }
            }
            match rustix::fs::unlinkat(&root, &name, AtFlags::REMOVEDIR) {
                Err(rustix::io::Errno::NOTEMPTY) => {}
                other => other.map_err(fail)?,
            }
        }
    }
}

impl Store {
    fn temp_name(&self) -> PathBuf {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        self.tmp().join(format!("{}.{}.{}", std::process::id(), crate::fact::now_us(), n))
    }

    /// A directory in the making.
    pub fn temporary_dir(&self) -> Result<Temp, SysError> {
        self.make_temp("mkdir", |path| std::fs::create_dir(path).and_then(|()| File::open(path)))
    }

    /// A file in the making.
    pub fn temporary_file(&self) -> Result<Temp, SysError> {
        self.make_temp("open", |path| File::options().create_new(true).read(true).write(true).open(path))
    }

    /// Makes and locks. A sweep may slip in between the two and take the entry for abandoned: then it is the sweep's, and
    /// another is made.
    fn make_temp(&self, call: &str, make: impl Fn(&Path) -> std::io::Result<File>) -> Result<Temp, SysError> {
        loop {
            let path = self.temp_name();
            let io = |e: std::io::Error| SysError::io(call, path.to_string_lossy(), &e);
            let lock = match make(&path) {
                Err(e) if e.kind() == std::io::ErrorKind::NotFound && self.tmp().exists() => continue,
                other => other.map_err(io)?,
            };
            // Never waiting: whoever has it may wait for the store lock that we hold.
            if lock.try_lock().is_ok() && path.exists() {
                return Ok(Temp { path, lock, kept: false });
            }
        }
    }

    /// Small files that killed commands left in `tmp/`, taken over: notes of what is to be undone elsewhere.
    pub fn adopt_abandoned(&self, begins: &[u8]) -> Vec<(Temp, Vec<u8>)> {
        let Ok(entries) = std::fs::read_dir(self.tmp()) else { return Vec::new() };
        let mut adopted = Vec::new();
        for path in entries.flatten().map(|e| e.path()).filter(|p| p.is_file()) {
            let Ok(lock) = File::open(&path) else { continue };
            let small = lock.metadata().is_ok_and(|m| m.len() < 64 * 1024);
            if !small || lock.try_lock().is_err() {
                continue;
            }
            if let Ok(content) = std::fs::read(&path)
                && content.starts_with(begins)
            {
                adopted.push((Temp { path, lock, kept: false }, content));
            }
        }
        adopted
    }

    /// Everything that killed commands left in `tmp/`, taken over: each entry goes when it is dropped.
    pub fn abandoned(&self) -> Vec<Temp> {
        let Ok(entries) = std::fs::read_dir(self.tmp()) else { return Vec::new() };
        let mut all = Vec::new();
        for path in entries.flatten().map(|e| e.path()) {
            let Ok(lock) = File::open(&path) else { continue };
            if lock.try_lock().is_ok() && path.exists() {
                all.push(Temp { path, lock, kept: false });
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_deeper_than_there_are_descriptors_goes() {
        let dir = tempfile::tempdir().expect("tempdir");
        let top = dir.path().join("top");
        std::fs::create_dir(&top).expect("mkdir");
        let how = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut here = rustix::fs::open(&top, how, Mode::empty()).expect("open");
        for level in 0..3000 {
            rustix::fs::mkdirat(&here, "d", Mode::RWXU).expect("mkdirat");
            if level % 100 == 0 {
                rustix::fs::symlinkat("/nowhere", &here, "link").expect("symlinkat");
                rustix::fs::mkdirat(&here, ".docent-moved-7", Mode::RWXU).expect("mkdirat");
            }
            here = rustix::fs::openat(&here, "d", how, Mode::empty()).expect("openat");
        }
        drop(here);
        remove_level_by_level(&top).expect("removed");
        assert!(!top.exists());
    }
}
