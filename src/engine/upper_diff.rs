//! The diff of a container's upper directory: what has changed in it since the last snapshot, and which layer of its image
//! each change covers.
//!
//! Nothing is guessed. A file is *copied up* when the kernel's own mark (`origin`) is on it; a file of the same
//! name without that mark was made anew and *covers* the lower one. A whiteout is a character device 0:0.

use super::content;
use crate::container::{Container, ContainerId};
use crate::event::{
    Bytes, Change, Deed, Event, Expect, Fact, Fault, FaultPoint, Holds, Receipt, Story, SysError, now_us,
};
use crate::image::ChainId;
use crate::kernel::host::Host;
use crate::kernel::{resolve, walk};
use crate::store::{Store, read_json};
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// One entry of the upper directory at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub kind: Kind,
    pub size: u64,
    /// mtime and ctime in nanoseconds: a rewrite changes at least one.
    pub times: (i64, i64),
    pub ino: u64,
    pub origin: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    File,
    Dir,
    Opaque,
    Whiteout,
    Other,
}

/// Paths from `/` and what lies there.
pub type Snapshot = BTreeMap<PathBuf, Entry>;

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub path: PathBuf,
    pub change: Change,
    /// Chain ID and size of what is covered.
    pub below: Option<(ChainId, u64)>,
    pub now: Option<u64>,
    pub dir: bool,
}

/// What lies at a path of a layer. A layer is a container's or an image's own work: no symlink in it is ever followed, since it
/// would lead through the host's files.
fn entry(host: &Host, layer: BorrowedFd<'_>, path: &Path) -> Option<Entry> {
    let meta = fs::File::from(resolve::beneath(layer, relative(path), OFlags::PATH | OFlags::NOFOLLOW).ok()?);
    let shown = format!("/proc/self/fd/{}", meta.as_raw_fd());
    // The magic link leads to what is open, even where that is a symlink itself.
    let has = |name: &str| {
        let mut value = [0u8; 256];
        rustix::fs::getxattr(&shown, host.overlay_mark(name), &mut value[..]).is_ok_and(|n| n > 0 || name == "origin")
    };
    let meta = meta.metadata().ok()?;
    let kind = if meta.is_dir() {
        if has("opaque") { Kind::Opaque } else { Kind::Dir }
    } else if meta.file_type().is_char_device() && meta.rdev() == 0 {
        Kind::Whiteout
    } else if meta.is_file() {
        Kind::File
    } else {
        Kind::Other
    };
    Some(Entry {
        kind,
        size: meta.len(),
        times: (
            meta.mtime().wrapping_mul(1_000_000_000).wrapping_add(meta.mtime_nsec()),
            meta.ctime().wrapping_mul(1_000_000_000).wrapping_add(meta.ctime_nsec()),
        ),
        ino: meta.ino(),
        origin: has("origin"),
    })
}

fn relative(path: &Path) -> &Path {
    let path = path.strip_prefix("/").unwrap_or(path);
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

/// Everything below `start` in the write layer, within `budget_us` microseconds.
///
/// # Errors
/// ETIME when that was not enough. ENAMETOOLONG for what lies deeper than a path can lead, as Docker's walk ends there: half
/// of what changed would be no answer.
pub fn snapshot(host: &Host, upper: &Path, start: &Path, budget_us: u64) -> Result<Snapshot, SysError> {
    let until = now_us().saturating_add(budget_us);
    let (mut found, mut waiting) = (Snapshot::new(), vec![start.to_path_buf()]);
    let Ok(layer) = resolve::directory(upper) else { return Ok(found) };
    while let Some(path) = waiting.pop() {
        if now_us() > until {
            return Err(SysError::new("getdents64", upper.to_string_lossy(), libc::ETIME));
        }
        if path.as_os_str().len() > libc::PATH_MAX as usize {
            return Err(SysError::new("openat2", start.to_string_lossy(), libc::ENAMETOOLONG));
        }
        if path != Path::new("/") {
            let Some(entry) = entry(host, layer.as_fd(), &path) else { continue };
            let dir = matches!(entry.kind, Kind::Dir | Kind::Opaque);
            found.insert(path.clone(), entry);
            if !dir {
                continue;
            }
        }
        let how = OFlags::RDONLY | OFlags::DIRECTORY;
        let Ok(dir) = resolve::beneath(layer.as_fd(), relative(&path), how) else { continue };
        for name in walk::names(dir.as_fd()).unwrap_or_default() {
            waiting.push(path.join(name));
        }
    }
    Ok(found)
}

/// The topmost layer that has this path, and the size of what it has; a whiteout or an opaque directory on the way hides
/// what is further down.
pub fn below(store: &Store, container: &Container, path: &Path) -> Option<(ChainId, u64)> {
    let (host, relative) = (store.host(), relative(path));
    for chain in container.layers.iter().rev() {
        let Ok(layer) = resolve::directory(&store.layer_diff(chain)) else { continue };
        if let Some(entry) = entry(host, layer.as_fd(), relative) {
            return (entry.kind != Kind::Whiteout).then_some((chain.clone(), entry.size));
        }
        // Whatever is not a plain directory hides what is further down, a symlink too.
        let mut above = relative.ancestors().skip(1).filter(|a| !a.as_os_str().is_empty());
        let hidden = above.any(|a| entry(host, layer.as_fd(), a).is_some_and(|m| m.kind != Kind::Dir));
        if hidden {
            return None;
        }
    }
    None
}

/// What changed between two snapshots, in the order of the paths.
pub fn differences(store: &Store, container: &Container, before: &Snapshot, now: &Snapshot) -> Vec<Difference> {
    let mut all = Vec::new();
    for (path, entry) in now {
        if before.get(path) == Some(entry) {
            continue;
        }
        let below = below(store, container, path);
        let known = before.get(path);
        let dir = matches!(entry.kind, Kind::Dir | Kind::Opaque);
        let change = match entry.kind {
            Kind::Whiteout if below.is_none() => continue,
            Kind::Whiteout => Change::Deleted,
            Kind::Opaque if below.is_some() => Change::Opaque,
            // Directories are copied up on the way to a file; their times change with every entry: no news by themselves.
            Kind::Dir if below.is_some() || known.is_some() => continue,
            _ if below.is_none() && known.is_some() => Change::Rewritten,
            _ if below.is_none() => Change::Added,
            _ if known.is_some_and(|k| k.kind == entry.kind && k.origin == entry.origin) => Change::Rewritten,
            _ if entry.origin => Change::CopiedUp,
            _ => Change::Covered,
        };
        let size = (entry.kind == Kind::File).then_some(entry.size);
        all.push(Difference { path: path.clone(), change, below, now: size, dir });
    }
    for (path, entry) in before {
        if !now.contains_key(path) && entry.kind != Kind::Whiteout {
            let below = below(store, container, path);
            // A copy that is gone and leaves the lower one in sight is no longer a change.
            let dir = matches!(entry.kind, Kind::Dir | Kind::Opaque);
            all.push(Difference { path: path.clone(), change: Change::Gone, below, now: None, dir });
        }
    }
    all
}

/// The snapshot whose differences were told last.
pub fn last_snapshot(store: &Store, id: &ContainerId) -> Snapshot {
    read_json(&store.container_dir(id).last_snapshot()).unwrap_or_default()
}

/// Writes a snapshot down as the last. Bookkeeping: a lost one means that something is told twice.
pub fn keep(store: &Store, id: &ContainerId, snapshot: &Snapshot) -> Result<(), SysError> {
    store.note(&store.container_dir(id).last_snapshot(), snapshot)
}

/// Takes what is in the write layer now for known: a story that begins here tells what comes later, and not what others did.
/// Where that cannot be written down, on a full disk, it is told, and the command goes on: what is told then may be older.
pub fn baseline(store: &Store, container: &Container, budget_us: u64, story: &mut Story) {
    let upper = store.container_dir(&container.id).upper();
    let Ok(now) = snapshot(store.host(), &upper, Path::new("/"), budget_us) else { return };
    if now == last_snapshot(store, &container.id) {
        return;
    }
    if let Err(error) = keep(store, &container.id, &now) {
        story.tell(Event::failed(Fact::Fallback { what: "snapshot.json".into(), point: FaultPoint::Optional }, error));
    }
}

/// Takes a snapshot of `start` and below, tells what differs from the last, and keeps it.
pub fn tell(
    store: &Store,
    container: &Container,
    start: &Path,
    budget_us: u64,
    story: &mut Story,
) -> Result<(), Fault> {
    let upper = store.container_dir(&container.id).upper();
    let Ok(now) = snapshot(store.host(), &upper, start, budget_us) else { return Ok(()) };
    let all_before = last_snapshot(store, &container.id);
    let before: Snapshot =
        all_before.iter().filter(|(path, _)| path.starts_with(start)).map(|(p, m)| (p.clone(), m.clone())).collect();
    if now == before {
        return Ok(());
    }
    let mut left = content::READ;
    for difference in differences(store, container, &before, &now) {
        event(store, container, &difference, &mut left).tell(story);
    }
    let mut after: Snapshot = all_before.into_iter().filter(|(path, _)| !path.starts_with(start)).collect();
    after.extend(now);
    keep(store, &container.id, &after).map_err(|e| Fault::step("snapshot", e))
}

/// What the kernel did on somebody's behalf, with what proves it.
fn event(store: &Store, container: &Container, difference: &Difference, left: &mut u64) -> Deed<()> {
    let upper = store.container_dir(&container.id).upper();
    let fact = Fact::Changed {
        path: difference.path.to_string_lossy().into_owned(),
        change: difference.change,
        layer: difference.below.as_ref().map(|(chain, _)| store.layer_name(chain)),
        number: difference
            .below
            .as_ref()
            .and_then(|(chain, _)| container.layers.iter().position(|c| c == chain))
            .map(|below| below + 1),
        image: difference.below.as_ref().map(|_| container.config.image.clone()),
        was: difference.below.as_ref().map(|(_, size)| *size),
        now: difference.now,
    };
    let deed = Deed::new((), Event::of(fact, Vec::new())).of_container(&container.id);
    match receipt(container, &upper, difference, left) {
        Some(receipt) => deed.with_receipt(receipt),
        None => deed,
    }
}

/// What shows this change. None when it is not as it was seen any more.
fn receipt(container: &Container, upper: &Path, difference: &Difference, left: &mut u64) -> Option<Receipt> {
    let subject = format!("upper:{}:{}", container.id, Bytes::from(difference.path.as_path()).shown());
    let holds = Holds::WhileExists(container.id.to_string());
    let inside = relative(&difference.path);
    let receipt = match difference.change {
        Change::Gone => {
            let name = Bytes::from(upper.join(inside).as_path());
            let receipt = Receipt::about(subject, holds, format!("{}: ENOENT", name.shown()));
            receipt.by(["stat".into(), name], Expect::absent())
        }
        _ => content::receipt(upper, inside, subject, holds, left)?,
    };
    Some(receipt.as_root())
}

/// `docker diff`: the write layer against the image, as (letter, path), directories included.
///
/// # Errors
/// As [`snapshot`].
pub fn diff(store: &Store, container: &Container) -> Result<Vec<(char, String)>, Fault> {
    let upper = store.container_dir(&container.id).upper();
    let now = snapshot(store.host(), &upper, Path::new("/"), u64::MAX / 2).map_err(|e| Fault::step("diff", e))?;
    Ok(now
        .iter()
        .filter_map(|(path, entry)| {
            let below = below(store, container, path);
            let letter = match (entry.kind, below) {
                (Kind::Whiteout, None) => return None,
                (Kind::Whiteout, Some(_)) => 'D',
                (_, Some(_)) => 'C',
                (_, None) => 'A',
            };
            Some((letter, path.to_string_lossy().into_owned()))
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_symlink_of_a_layer_leads_out_of_it() {
        let (dir, host) = (tempfile::tempdir().expect("tempdir"), Host::look());
        std::fs::create_dir(dir.path().join("d")).expect("mkdir");
        std::fs::write(dir.path().join("d/file"), "four").expect("write");
        std::os::unix::fs::symlink("/etc", dir.path().join("out")).expect("symlink");
        std::os::unix::fs::symlink("d", dir.path().join("in")).expect("symlink");
        let layer = resolve::directory(dir.path()).expect("open");
        let kind = |path: &str| entry(&host, layer.as_fd(), Path::new(path)).map(|m| (m.kind, m.size));
        assert_eq!(kind("/d/file"), Some((Kind::File, 4)));
        assert_eq!(kind("/out").map(|k| k.0), Some(Kind::Other));
        assert_eq!((kind("/out/passwd"), kind("/in/file"), kind("/d/../out/passwd")), (None, None, None));
        let found = snapshot(&host, dir.path(), Path::new("/"), u64::MAX / 2).expect("in time");
        let names: Vec<&str> = found.keys().filter_map(|p| p.to_str()).collect();
        assert_eq!(names, ["/d", "/d/file", "/in", "/out"]);
        assert_eq!(snapshot(&host, dir.path(), Path::new("/out"), u64::MAX / 2).map(|l| l.len()), Ok(1));
    }
}
