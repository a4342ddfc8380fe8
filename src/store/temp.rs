//! Unfinished files and directories: entries of `tmp/`, each locked by its maker.
//!
//! The kernel drops a lock with its holder's last descriptor, so an entry that can be locked belongs to nobody: a later
//! command removes it. That is the whole recovery for everything that becomes real by one rename.

use super::Store;
use crate::event::SysError;
use crate::kernel::walk;
use std::fs::File;
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
            // What cannot be removed now is removed by the recovery of a later command.
            walk::remove_path(&self.path).unwrap_or(());
        }
    }
}

impl Store {
    fn temp_name(&self) -> PathBuf {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        self.tmp().join(format!("{}.{}.{}", std::process::id(), crate::event::now_us(), n))
    }

    /// A locked directory in `tmp/`.
    pub fn temporary_dir(&self) -> Result<Temp, SysError> {
        self.make_temp("mkdir", |path| std::fs::create_dir(path).and_then(|()| File::open(path)))
    }

    /// A locked file in `tmp/`.
    pub fn temporary_file(&self) -> Result<Temp, SysError> {
        self.make_temp("open", |path| File::options().create_new(true).read(true).write(true).open(path))
    }

    /// Makes and locks. The recovery of another command may come between the two and take the entry for abandoned: then
    /// it removes it, and another is made here.
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
            let small = lock.metadata().is_ok_and(|m| m.len() < 1 << 20);
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
