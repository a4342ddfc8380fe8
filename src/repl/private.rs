//! Where a session keeps its links to this program and its named pipe.
//!
//! Only its owner can look into it, and it goes with the session; what a killed session left is removed by a later one.

use crate::kernel::sys::Calls;
use crate::kernel::{files, walk};
use crate::store::{Store, Temp};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

const PREFIX: &str = "docent-session.";

/// Which pid namespace this is: a session's number means something there alone, while several may share one `/tmp`.
fn namespace() -> String {
    let link = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    link.to_string_lossy().chars().filter(char::is_ascii_digit).collect()
}

/// Takes away what sessions without a store left behind when their terminal was closed.
fn remove_abandoned() {
    let own = rustix::process::geteuid().as_raw();
    let here = format!("{PREFIX}{}.", namespace());
    for entry in std::fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|n| n.strip_prefix(&here)).and_then(|n| n.split('.').next());
        let ended = pid.and_then(|p| p.parse::<i32>().ok()).is_some_and(|p| !Path::new(&format!("/proc/{p}")).exists());
        // A directory and not a link to one; a file system that others write to may hold anything.
        if ended && entry.metadata().is_ok_and(|m| m.is_dir() && m.uid() == own) {
            drop(walk::remove_path(&entry.path()));
        }
    }
}

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
        remove_abandoned();
        let name = format!("{PREFIX}{}.{}.{}", namespace(), std::process::id(), crate::event::now_us());
        let path = std::env::temp_dir().join(name);
        files::mkdir(&mut Calls::default(), &path, 0o700)?;
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
            drop(walk::remove_path(path));
        }
    }
}
