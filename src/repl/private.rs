//! Where a session keeps its links to this program and its named pipe.
//!
//! Only its owner can look into it, and it goes with the session; what a killed session left is swept by a later command.

use crate::store::{Store, Temp};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The session's private directory: removed with this.
pub enum Private {
    InStore(Temp),
    Elsewhere(PathBuf),
}

impl Private {
    /// In the store's `tmp/`, where the next command would remove what a killed session left; without a store in the
    /// system's, under a name that nobody can have taken before (mkdir fails on anything that is there).
    pub fn make(store: Option<&Store>) -> io::Result<Private> {
        if let Some(temp) = store.and_then(|s| s.temporary_dir().ok()) {
            return Ok(Private::InStore(temp));
        }
        let name = format!("docent-session.{}.{}", std::process::id(), crate::fact::now_us());
        let path = std::env::temp_dir().join(name);
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Private::Elsewhere(path))
    }

    pub fn path(&self) -> &Path {
        match self {
            Private::InStore(temp) => temp.path(),
            Private::Elsewhere(path) => path,
        }
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        if let Private::Elsewhere(path) = self {
            // Links and a pipe of no further use; the system clears its temporary files.
            drop(std::fs::remove_dir_all(path));
        }
    }
}
