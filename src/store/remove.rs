//! The end of a store, and what is told apart for others: whether a path is a store at all.

use super::Store;
use crate::container::ContainerId;
use crate::event::{Deed, Fact, Kept, Story, SysError};
use crate::kernel::{files, sys, walk};
use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;

/// What lies below a root. The layout goes first: without it there is no store any more, whatever is left of it.
const PARTS: [&str; 7] = ["oci", "containers", "layers", "network", "lab", "journal", "tmp"];
/// The most names that are told of what stays.
const NAMED: usize = 3;

impl Store {
    /// Whether there is a store at `root`, or somebody at work on one. What cannot be looked at counts as one.
    pub fn is_used(root: &Path) -> bool {
        let gone = |path: &Path| {
            path.symlink_metadata().is_err_and(|e| matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory))
        };
        if !gone(&root.join("oci/oci-layout")) {
            return true;
        }
        match File::open(root.join("lock")) {
            Ok(file) => matches!(file.try_lock(), Err(TryLockError::WouldBlock)),
            Err(_) => !gone(&root.join("lock")),
        }
    }

    pub fn has_container(&self, id: &str) -> bool {
        ContainerId::parse(id).is_some_and(|id| self.container(&id).is_dir())
    }

    /// Keeps of a list of things only those that this store has not told of yet, and remembers them.
    pub fn not_told_yet(&self, things: &mut Vec<(String, String)>) {
        if things.is_empty() {
            return;
        }
        let path = self.network().join("left.json");
        let told: Vec<String> = super::read_json(&path).unwrap_or_default();
        let now: Vec<String> = things.iter().map(|(name, _)| name.clone()).collect();
        things.retain(|(name, _)| !told.contains(name));
        if !things.is_empty() {
            // What cannot be written is told once more.
            drop(self.note(&path, &now));
        }
    }

    /// A mount of somebody else below the root: what lies in it is not the store's.
    pub fn mounted_below(&self) -> Option<String> {
        let root = std::fs::canonicalize(&self.root).unwrap_or_else(|_| self.root.clone());
        let text = std::fs::read_to_string("/proc/thread-self/mountinfo").unwrap_or_default();
        let points = text.lines().filter_map(|line| line.split(' ').nth(4).map(str::to_string));
        points.into_iter().find(|point| Path::new(point) != root && Path::new(point).starts_with(&root))
    }

    /// Removes everything that is docent's below the root, and the root when nothing else is in it. The caller holds the
    /// store lock, and has looked that no container and no mount is left.
    pub fn remove_all(&self, story: &mut Story) -> Result<(), SysError> {
        let path = || self.root.to_string_lossy().into_owned();
        let temp = self.temporary_dir()?;
        let deed: Deed<()> = sys::deed(|calls| {
            for part in PARTS.into_iter().filter(|part| *part != "tmp") {
                match files::rename(calls, &self.root.join(part), &temp.path().join(part)) {
                    Err(e) if e.errno == libc::ENOENT => {}
                    other => other?,
                }
            }
            Ok(((), Fact::StoreRemoved { path: path() }))
        })?;
        drop(temp);
        for temp in self.abandoned() {
            drop(temp);
        }
        deed.tell(story);
        // What another command is making at this moment it removes itself, when its rename fails.
        walk::remove_path(&self.tmp())?;
        let lock = self.root.join("lock");
        std::fs::remove_file(&lock)
            .or_else(unless_gone)
            .map_err(|e| SysError::io("unlink", lock.to_string_lossy(), &e))?;
        if std::fs::remove_dir(&self.root).is_err() {
            let entries = std::fs::read_dir(&self.root).into_iter().flatten().flatten();
            let names: Vec<String> =
                entries.map(|e| e.file_name().to_string_lossy().into_owned()).take(NAMED).collect();
            let fact = Fact::Left { what: path(), why: Kept::Shared, by: names.join(", ") };
            story.tell(fact);
        }
        Ok(())
    }
}

fn unless_gone(e: std::io::Error) -> std::io::Result<()> {
    if e.kind() == ErrorKind::NotFound { Ok(()) } else { Err(e) }
}
