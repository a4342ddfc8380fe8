//! The disk: where everything lies, and how it stays whole. Nobody else joins paths below the root.
//!
//! ```text
//! ROOT/oci/                 an OCI image layout: oci-layout, index.json, blobs/sha256/<hex>
//! ROOT/layers/<hex>/diff    an unpacked layer by chain ID; `l/<12 hex>` is a short name for lowerdir
//! ROOT/containers/<id>/     config.json, state.json, lock, upper/, work/, merged/, log, control socket, journal
//! ROOT/network/             leases of the bridge
//! ROOT/tmp/                 not finished yet, each under a held lock
//! ROOT/lab/progress.json    the learner's way through the labs
//! ROOT/journal/             one file per command
//! ROOT/lock                 the store lock
//! ```
//!
//! Locks, in the order in which they are taken:
//! 1. A container's `lock` is held by its monitor as long as it lives: an unlocked one with a live state is a lost one.
//! 2. The store `lock` guards names, `index.json` and leases. It is never held while a user's process runs, while a
//!    layer is unpacked, or while waiting for a container.
//! 3. An entry of `tmp/` is locked by its maker; who can lock it may remove it.
//!
//! Durability: what is reported done (load, tag, rm) is synced before it is reported. `state.json`, the journal and caches
//! are only crash-consistent: replaced by rename, never synced.

mod containers;
mod images;
mod journal;
mod layers;
mod learned;
mod remove;
mod temp;

pub use containers::{ContainerLock, SOCKET};
#[cfg(test)]
pub use journal::Header;
pub use journal::{ContainerJournal, Journal, Record, asked, redacted};
pub use layers::{BlobWriter, Committed, ImportTransaction, NewLayer, StageError};
pub use temp::Temp;

use crate::container::ContainerId;
use crate::event::{Deed, Expect, Fact, Fault, Holds, Receipt, SysError};
use crate::image::ChainId;
use crate::kernel::host::Host;
use crate::kernel::{files, sys};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// An opened store, on the host whose kernel says what the containers in it are doing.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
    host: Host,
}

/// The store lock; released when dropped.
#[derive(Debug)]
pub struct StoreLock {
    _file: File,
}

/// `$DOCENT_ROOT`; else /var/lib/docent for root, `$XDG_DATA_HOME/docent` for others.
pub fn default_root() -> PathBuf {
    if let Some(root) = std::env::var_os("DOCENT_ROOT").filter(|r| !r.is_empty()) {
        return std::path::absolute(&root).unwrap_or_else(|_| PathBuf::from(root));
    }
    if rustix::process::geteuid().is_root() {
        return PathBuf::from("/var/lib/docent");
    }
    let home = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    home("XDG_DATA_HOME")
        .unwrap_or_else(|| home("HOME").unwrap_or_else(|| PathBuf::from("/")).join(".local/share"))
        .join("docent")
}

/// Of the directory `oci/`, which other programs can read in place.
const LAYOUT: &str = "{\"imageLayoutVersion\":\"1.0.0\"}";

impl Store {
    /// Opens the store at `root`, and makes it at its first use; that deed comes back to be told.
    pub fn open(root: &Path, host: Host) -> Result<(Store, Option<Deed<()>>), Fault> {
        let store = Store { root: root.to_path_buf(), host };
        if store.oci_layout().exists() {
            return match rustix::fs::access(root, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK) {
                Ok(()) => Ok((store, None)),
                Err(e) => Err(refused(root, e.raw_os_error())),
            };
        }
        // Whoever is removing this store holds its lock until nothing is left.
        let _lock = File::open(root.join("lock")).and_then(|file| file.lock().map(|()| file));
        let made = store.make().map_err(|e| refused(root, e.errno))?;
        Ok((store, Some(made)))
    }

    fn make(&self) -> Result<Deed<()>, SysError> {
        let made = sys::deed(|calls| {
            let mut missing: Vec<&Path> = self.root.ancestors().take_while(|p| !p.exists()).collect();
            missing.reverse();
            for path in missing {
                make_dir(calls, path, 0o755)?;
            }
            make_dir(calls, &self.tmp(), 0o700)?;
            for (path, mode) in [
                (self.root.join("oci"), 0o700),
                (self.root.join("oci/blobs"), 0o755),
                (self.blobs(), 0o755),
                (self.layers(), 0o700),
                (self.layer_links(), 0o755),
                (self.mount_points().parent().unwrap_or(&self.root).to_path_buf(), 0o755),
                (self.mount_points(), 0o755),
                (self.mount_points().join("dev"), 0o755),
                (self.mount_points().join("proc"), 0o755),
                (self.mount_points().join("sys"), 0o755),
                (self.mount_points().join("etc"), 0o755),
                (self.containers(), 0o700),
                (self.root.join("network"), 0o755),
                (self.journal(), 0o700),
                (self.journal().join("containers"), 0o700),
            ] {
                make_dir(calls, &path, mode)?;
            }
            for name in ["etc/hosts", "etc/hostname", "etc/resolv.conf"] {
                match files::mknod(calls, &self.mount_points().join(name), rustix::fs::FileType::RegularFile, 0o644) {
                    Err(e) if e.errno == libc::EEXIST => {}
                    other => other?,
                }
            }
            if !self.index().exists() {
                self.replace_file(
                    calls,
                    &self.index(),
                    b"{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[]}",
                    false,
                )?;
            }
            // Last: its presence says that the rest is complete.
            self.replace_file(calls, &self.oci_layout(), LAYOUT.as_bytes(), false)?;
            Ok(((), Fact::StoreMade { path: self.root.to_string_lossy().into_owned() }))
        })?;
        let layout = self.oci_layout().to_string_lossy().into_owned();
        let receipt = Receipt::about("store", Holds::Forever, LAYOUT).as_root().by(["cat", &layout], Expect::Evidence);
        Ok(made.with_receipt(receipt))
    }

    /// The store at `root` if there is one that this user can use; nothing is made.
    pub fn existing(root: &Path, host: &Host) -> Option<Store> {
        let store = Store { root: root.to_path_buf(), host: host.clone() };
        let usable = rustix::fs::access(root, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK).is_ok();
        (usable && store.oci_layout().exists()).then_some(store)
    }

    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Replaces a file as a whole: written in `tmp/`, synced when `durable`, renamed. The rename is the changing call.
    pub fn replace_file(
        &self,
        calls: &mut sys::Calls,
        path: &Path,
        content: &[u8],
        durable: bool,
    ) -> Result<(), SysError> {
        let temp = self.temporary_file()?;
        let name = temp.path().to_path_buf();
        let io = |e: std::io::Error| SysError::io("write", name.to_string_lossy(), &e);
        temp.file().write_all(content).map_err(io)?;
        if durable {
            temp.file().sync_all().map_err(io)?;
        }
        files::rename(calls, &name, path)?;
        temp.keep();
        if durable && let Some(dir) = path.parent() {
            sync_dir(dir)?;
        }
        Ok(())
    }

    /// Writes bookkeeping of docent's own, as a whole: not told, not synced.
    pub fn note(&self, path: &Path, what: &impl serde::Serialize) -> Result<(), SysError> {
        self.replace_file(&mut sys::Calls::default(), path, &serde_json::to_vec(what).unwrap_or_default(), false)
    }

    /// Takes the store lock, waiting for whoever holds it. Nobody else may open it: who can, can hold it (flock(2)). A lock
    /// file that was removed while we waited is nobody's lock.
    pub fn lock(&self) -> Result<StoreLock, SysError> {
        let path = self.root.join("lock");
        let io = |e: std::io::Error| SysError::io("flock", path.to_string_lossy(), &e);
        loop {
            let file = File::options().create(true).truncate(false).write(true).mode(0o600).open(&path).map_err(io)?;
            file.lock().map_err(io)?;
            let inode = |m: std::fs::Metadata| (m.dev(), m.ino());
            if path.symlink_metadata().is_ok_and(|there| file.metadata().is_ok_and(|m| inode(m) == inode(there))) {
                return Ok(StoreLock { _file: file });
            }
        }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }
    pub fn index(&self) -> PathBuf {
        self.root.join("oci/index.json")
    }
    fn oci_layout(&self) -> PathBuf {
        self.root.join("oci/oci-layout")
    }
    pub fn blobs(&self) -> PathBuf {
        self.root.join("oci/blobs/sha256")
    }
    pub fn layers(&self) -> PathBuf {
        self.root.join("layers")
    }
    /// Short names of layers, `l/<first 12 hex digits of the chain ID>`.
    pub fn layer_links(&self) -> PathBuf {
        self.root.join("layers/l")
    }
    /// The lowest layer of every container: empty places to mount on (`/proc`, `/dev`, `/etc/hosts`, …) for images that lack
    /// them. Below everything else, it changes nothing that an image has, and keeps the write layer truly empty.
    pub fn mount_points(&self) -> PathBuf {
        self.layers().join("mount-points/diff")
    }
    /// The unpacked layer.
    pub fn layer_diff(&self, chain_id: &ChainId) -> PathBuf {
        self.layers().join(chain_id.hex()).join("diff")
    }
    pub fn containers(&self) -> PathBuf {
        self.root.join("containers")
    }
    pub fn container(&self, id: &ContainerId) -> PathBuf {
        self.containers().join(id.as_str())
    }
    pub fn network(&self) -> PathBuf {
        self.root.join("network")
    }
    /// Which subnet the bridge was given, for when it has to be made again (after a reboot).
    pub fn bridge(&self) -> PathBuf {
        self.network().join("bridge.json")
    }
    pub fn tmp(&self) -> PathBuf {
        self.root.join("tmp")
    }
    /// What the learner has passed; synced.
    pub fn lab_progress(&self) -> PathBuf {
        self.root.join("lab/progress.json")
    }
    pub fn journal(&self) -> PathBuf {
        self.root.join("journal")
    }
    /// What was typed in sessions: bookkeeping, for the arrow keys.
    pub fn history(&self) -> PathBuf {
        self.journal().join("history")
    }
}

/// No document of docent's own is larger.
const LARGEST: u64 = 64 << 20;

/// Opens what docent wrote, whatever has become of it: nobody is waited for (a FIFO's writer), no link followed.
fn open_own(path: &Path) -> std::io::Result<File> {
    File::options().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW | libc::O_NOCTTY).open(path)
}

pub fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> std::io::Result<T> {
    let file = open_own(path)?;
    let there = file.metadata()?;
    if !there.is_file() || there.len() > LARGEST {
        return Err(std::io::Error::other(if there.is_file() { "too large" } else { "not a regular file" }));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(there.len()).unwrap_or(0));
    file.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(serde_json::from_slice(&bytes)?)
}

fn make_dir(calls: &mut sys::Calls, path: &Path, mode: u32) -> Result<(), SysError> {
    match files::mkdir(calls, path, mode) {
        Err(e) if e.errno == libc::EEXIST && path.is_dir() => Ok(()),
        other => other,
    }
}

/// Syncs a directory, so that a rename in it survives a power cut.
pub fn sync_dir(dir: &Path) -> Result<(), SysError> {
    File::open(dir).and_then(|d| d.sync_all()).map_err(|e| SysError::io("fsync", dir.to_string_lossy(), &e))
}

fn refused(path: &Path, errno: i32) -> Fault {
    Fault::StoreRefused { path: path.to_string_lossy().into_owned(), errno }
}
