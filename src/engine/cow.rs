//! Copy-on-write, observed: what lies in a container's write layer, since the last look, and which layer of its image it
//! covers.
//!
//! Nothing is guessed. A file is *copied up* when the kernel's own mark (trusted.overlay.origin) is on it; a file of the same
//! name without that mark was made anew and *covers* the lower one. A whiteout is a character device 0:0.

use crate::container::Container;
use crate::event::{
    Change, Deed, Event, Expect, Fact, Fault, FaultPoint, Holds, Needs, Receipt, Story, SysError, now_us,
};
use crate::image::ChainId;
use crate::kernel::{open, walk};
use crate::store::Store;
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// One entry of the write layer at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
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
pub type Look = BTreeMap<PathBuf, Mark>;

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
fn mark(layer: BorrowedFd<'_>, path: &Path) -> Option<Mark> {
    let meta = fs::File::from(open::beneath(layer, relative(path), OFlags::PATH | OFlags::NOFOLLOW).ok()?);
    let shown = format!("/proc/self/fd/{}", meta.as_raw_fd());
    // The magic link leads to what is open, even where that is a symlink itself.
    let has = |name: &str| {
        let mut value = [0u8; 256];
        rustix::fs::getxattr(&shown, name, &mut value[..]).is_ok_and(|n| n > 0 || name.ends_with("origin"))
    };
    let meta = meta.metadata().ok()?;
    let kind = if meta.is_dir() {
        if has("trusted.overlay.opaque") { Kind::Opaque } else { Kind::Dir }
    } else if meta.file_type().is_char_device() && meta.rdev() == 0 {
        Kind::Whiteout
    } else if meta.is_file() {
        Kind::File
    } else {
        Kind::Other
    };
    Some(Mark {
        kind,
        size: meta.len(),
        times: (
            meta.mtime().wrapping_mul(1_000_000_000).wrapping_add(meta.mtime_nsec()),
            meta.ctime().wrapping_mul(1_000_000_000).wrapping_add(meta.ctime_nsec()),
        ),
        ino: meta.ino(),
        origin: has("trusted.overlay.origin"),
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
pub fn look(upper: &Path, start: &Path, budget_us: u64) -> Result<Look, SysError> {
    let until = now_us().saturating_add(budget_us);
    let (mut found, mut waiting) = (Look::new(), vec![start.to_path_buf()]);
    let Ok(layer) = open::directory(upper) else { return Ok(found) };
    while let Some(path) = waiting.pop() {
        if now_us() > until {
            return Err(SysError::new("getdents64", upper.to_string_lossy(), libc::ETIME));
        }
        if path.as_os_str().len() > libc::PATH_MAX as usize {
            return Err(SysError::new("openat2", start.to_string_lossy(), libc::ENAMETOOLONG));
        }
        if path != Path::new("/") {
            let Some(mark) = mark(layer.as_fd(), &path) else { continue };
            let dir = matches!(mark.kind, Kind::Dir | Kind::Opaque);
            found.insert(path.clone(), mark);
            if !dir {
                continue;
            }
        }
        let how = OFlags::RDONLY | OFlags::DIRECTORY;
        let Ok(dir) = open::beneath(layer.as_fd(), relative(&path), how) else { continue };
        for name in walk::names(dir.as_fd()).unwrap_or_default() {
            waiting.push(path.join(name));
        }
    }
    Ok(found)
}

/// The topmost layer that has this path, and the size of what it has; a whiteout or an opaque directory on the way hides
/// what is further down.
pub fn below(store: &Store, container: &Container, path: &Path) -> Option<(ChainId, u64)> {
    let relative = relative(path);
    for chain in container.layers.iter().rev() {
        let Ok(layer) = open::directory(&store.layer_diff(chain)) else { continue };
        if let Some(mark) = mark(layer.as_fd(), relative) {
            return (mark.kind != Kind::Whiteout).then_some((chain.clone(), mark.size));
        }
        // Whatever is not a plain directory hides what is further down, a symlink too.
        let mut above = relative.ancestors().skip(1).filter(|a| !a.as_os_str().is_empty());
        let hidden = above.any(|a| mark(layer.as_fd(), a).is_some_and(|m| m.kind != Kind::Dir));
        if hidden {
            return None;
        }
    }
    None
}

/// What changed between two looks, in the order of the paths.
pub fn differences(store: &Store, container: &Container, before: &Look, now: &Look) -> Vec<Difference> {
    let mut all = Vec::new();
    for (path, mark) in now {
        if before.get(path) == Some(mark) {
            continue;
        }
        let below = below(store, container, path);
        let known = before.get(path);
        let dir = matches!(mark.kind, Kind::Dir | Kind::Opaque);
        let change = match mark.kind {
            Kind::Whiteout if below.is_none() => continue,
            Kind::Whiteout => Change::Deleted,
            Kind::Opaque if below.is_some() => Change::Opaque,
            // Directories are copied up on the way to a file; their times change with every entry: no news by themselves.
            Kind::Dir if below.is_some() || known.is_some() => continue,
            _ if below.is_none() && known.is_some() => Change::Rewritten,
            _ if below.is_none() => Change::Added,
            _ if known.is_some_and(|k| k.kind == mark.kind && k.origin == mark.origin) => Change::Rewritten,
            _ if mark.origin => Change::CopiedUp,
            _ => Change::Covered,
        };
        let size = (mark.kind == Kind::File).then_some(mark.size);
        all.push(Difference { path: path.clone(), change, below, now: size, dir });
    }
    for (path, mark) in before {
        if !now.contains_key(path) && mark.kind != Kind::Whiteout {
            let below = below(store, container, path);
            // A copy that is gone and leaves the lower one in sight is no longer a change.
            let dir = matches!(mark.kind, Kind::Dir | Kind::Opaque);
            all.push(Difference { path: path.clone(), change: Change::Gone, below, now: None, dir });
        }
    }
    all
}

/// The last look that was told.
pub fn seen(store: &Store, id: &str) -> Look {
    fs::read(store.container_dir(id).seen())
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default()
}

/// Remembers a look. Bookkeeping: a lost one means that something is told twice.
pub fn remember(store: &Store, id: &str, look: &Look) -> Result<(), SysError> {
    let content = serde_json::to_vec(look).unwrap_or_default();
    store.replace_file(&mut crate::kernel::sys::Calls::default(), &store.container_dir(id).seen(), &content, false)
}

/// Takes what is in the write layer now for known: a story that begins here tells what comes later, and not what others did.
/// Where that cannot be written down, on a full disk, it is told, and the command goes on: what is told then may be older.
pub fn baseline(store: &Store, container: &Container, budget_us: u64, story: &mut Story) {
    let upper = store.container_dir(&container.id).upper();
    let Ok(now) = look(&upper, Path::new("/"), budget_us) else { return };
    if now == seen(store, &container.id) {
        return;
    }
    if let Err(error) = remember(store, &container.id, &now) {
        story.tell(Event::failed(Fact::Fallback { what: "seen.json".into(), point: FaultPoint::Optional }, error));
    }
}

/// Looks at `start` and below, tells what is new there, and remembers it.
pub fn tell(
    store: &Store,
    container: &Container,
    start: &Path,
    budget_us: u64,
    story: &mut Story,
) -> Result<(), Fault> {
    let upper = store.container_dir(&container.id).upper();
    let Ok(now) = look(&upper, start, budget_us) else { return Ok(()) };
    let all_before = seen(store, &container.id);
    let before: Look =
        all_before.iter().filter(|(path, _)| path.starts_with(start)).map(|(p, m)| (p.clone(), m.clone())).collect();
    if now == before {
        return Ok(());
    }
    for difference in differences(store, container, &before, &now) {
        event(store, container, &difference).tell(story);
    }
    let mut after: Look = all_before.into_iter().filter(|(path, _)| !path.starts_with(start)).collect();
    after.extend(now);
    remember(store, &container.id, &after).map_err(|e| Fault::step("seen", e))
}

/// What the kernel did on somebody's behalf, with what proves it.
fn event(store: &Store, container: &Container, difference: &Difference) -> Deed<()> {
    let upper = store.container_dir(&container.id).upper();
    let file = upper.join(difference.path.strip_prefix("/").unwrap_or(&difference.path));
    let file = file.to_string_lossy().into_owned();
    let fact = Fact::Changed {
        path: difference.path.to_string_lossy().into_owned(),
        change: difference.change,
        layer: difference.below.as_ref().map(|(chain, _)| chain.to_string()),
        number: difference
            .below
            .as_ref()
            .and_then(|(chain, _)| container.layers.iter().position(|c| c == chain))
            .map(|below| below + 1),
        image: difference.below.as_ref().map(|_| container.config.image.clone()),
        was: difference.below.as_ref().map(|(_, size)| *size),
        now: difference.now,
    };
    let words = |words: &[&str]| words.iter().map(|w| w.to_string()).chain([file.clone()]).collect::<Vec<_>>();
    let (proof, expect, evidence) = match (difference.change, difference.now) {
        (Change::Deleted, _) => {
            let seen = "character special file 0:0";
            (words(&["stat", "-c", "%F %t:%T"]), Expect::Equals(seen.into()), format!("{file}: {seen}"))
        }
        (Change::Gone, _) => (words(&["test", "-e"]), Expect::Status(1), format!("{file}: -")),
        (_, Some(size)) => (words(&["stat", "-c", "%s"]), Expect::Equals(size.to_string()), format!("{file}: {size}")),
        _ => (words(&["test", "-e"]), Expect::Status(0), file.clone()),
    };
    Deed::new((), Event::of(fact, Vec::new())).of_container(&container.id).with_receipt(Receipt {
        evidence,
        proof,
        expect,
        holds: Holds::WhileExists(container.id.clone()),
        needs: Needs::root(),
        subject: format!("upper:{}:{}", container.id, difference.path.to_string_lossy()),
    })
}

/// `docker diff`: the write layer against the image, as (letter, path), directories included.
///
/// # Errors
/// As [`look`].
pub fn diff(store: &Store, container: &Container) -> Result<Vec<(char, String)>, Fault> {
    let upper = store.container_dir(&container.id).upper();
    let now = look(&upper, Path::new("/"), u64::MAX / 2).map_err(|e| Fault::step("diff", e))?;
    Ok(now
        .iter()
        .filter_map(|(path, mark)| {
            let below = below(store, container, path);
            let letter = match (mark.kind, below) {
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
        let dir = tempfile::tempdir().expect("tempdir");
        std::fs::create_dir(dir.path().join("d")).expect("mkdir");
        std::fs::write(dir.path().join("d/file"), "four").expect("write");
        std::os::unix::fs::symlink("/etc", dir.path().join("out")).expect("symlink");
        std::os::unix::fs::symlink("d", dir.path().join("in")).expect("symlink");
        let layer = open::directory(dir.path()).expect("open");
        let kind = |path: &str| mark(layer.as_fd(), Path::new(path)).map(|m| (m.kind, m.size));
        assert_eq!(kind("/d/file"), Some((Kind::File, 4)));
        assert_eq!(kind("/out").map(|k| k.0), Some(Kind::Other));
        assert_eq!((kind("/out/passwd"), kind("/in/file"), kind("/d/../out/passwd")), (None, None, None));
        let found = look(dir.path(), Path::new("/"), u64::MAX / 2).expect("in time");
        let names: Vec<&str> = found.keys().filter_map(|p| p.to_str()).collect();
        assert_eq!(names, ["/d", "/d/file", "/in", "/out"]);
        assert_eq!(look(dir.path(), Path::new("/out"), u64::MAX / 2).map(|l| l.len()), Ok(1));
    }
}
