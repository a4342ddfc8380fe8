//! What lies in the upper directory at one moment.
//!
//! A look goes through the entries in the order of their paths, each directory before what is in it, so that one that had to
//! end early can say how far it came.

use crate::event::{Bytes, SysError, now_us};
use crate::kernel::walk::{self, DIRECTORY};
use crate::kernel::{host::Host, resolve};
use rustix::fs::{AtFlags, FileType, OFlags, Statx, StatxFlags, StatxTimestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    File,
    Dir,
    /// A directory that hides everything below it.
    Opaque,
    /// A character device 0:0: no such name.
    Whiteout,
    Symlink,
    Fifo,
    Socket,
    CharDevice,
    BlockDevice,
}

impl Kind {
    pub fn is_dir(self) -> bool {
        matches!(self, Kind::Dir | Kind::Opaque)
    }
}

/// One entry of a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Row", into = "Row")]
pub struct Entry {
    pub kind: Kind,
    pub size: u64,
    /// Its twelve bits.
    pub mode: u32,
    pub owner: (u32, u32),
    /// mtime and ctime in nanoseconds: a rewrite changes at least one.
    pub times: (i64, i64),
    pub names: u32,
    /// Its inode, and when that was made: an inode number is soon given to another file.
    pub inode: (u64, i64),
}

/// An entry as it is written down: there may be tens of thousands.
type Row = (Kind, u64, u32, (u32, u32), (i64, i64), u32, (u64, i64));

impl From<Row> for Entry {
    fn from((kind, size, mode, owner, times, names, inode): Row) -> Entry {
        Entry { kind, size, mode, owner, times, names, inode }
    }
}

impl From<Entry> for Row {
    fn from(e: Entry) -> Row {
        (e.kind, e.size, e.mode, e.owner, e.times, e.names, e.inode)
    }
}

impl Entry {
    fn of(stat: &Statx) -> Entry {
        let nanos = |t: StatxTimestamp| t.tv_sec.wrapping_mul(1_000_000_000).wrapping_add(i64::from(t.tv_nsec));
        let kind = match FileType::from_raw_mode(stat.stx_mode.into()) {
            FileType::Directory => Kind::Dir,
            FileType::Symlink => Kind::Symlink,
            FileType::Fifo => Kind::Fifo,
            FileType::Socket => Kind::Socket,
            FileType::BlockDevice => Kind::BlockDevice,
            FileType::CharacterDevice if (stat.stx_rdev_major, stat.stx_rdev_minor) == (0, 0) => Kind::Whiteout,
            FileType::CharacterDevice => Kind::CharDevice,
            _ => Kind::File,
        };
        Entry {
            kind,
            size: stat.stx_size,
            mode: u32::from(stat.stx_mode) & 0o7777,
            owner: (stat.stx_uid, stat.stx_gid),
            times: (nanos(stat.stx_mtime), nanos(stat.stx_ctime)),
            names: stat.stx_nlink,
            inode: (stat.stx_ino, nanos(stat.stx_btime)),
        }
    }

    /// Whether nothing about it that concerns a reader has changed. The kernel links all whiteouts to one inode, so that each
    /// new one changes the times of all; and a directory's ctime and size change with what the kernel notes on it.
    pub fn same(&self, other: &Entry) -> bool {
        match self.kind {
            Kind::Whiteout => other.kind == Kind::Whiteout,
            Kind::Dir | Kind::Opaque => {
                let seen = |e: &Entry| (e.kind, e.mode, e.owner, e.times.0, e.inode);
                seen(self) == seen(other)
            }
            _ => self == other,
        }
    }
}

/// What lies at a name of a directory; a symlink is looked at itself. An opaque directory is not told from another here.
pub fn entry(dir: BorrowedFd<'_>, name: &OsStr) -> Option<Entry> {
    let how = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
    let what = StatxFlags::BASIC_STATS | StatxFlags::BTIME;
    rustix::fs::statx(dir, name, how, what).ok().map(|stat| Entry::of(&stat))
}

pub fn is_opaque(dir: BorrowedFd<'_>, mark: &str) -> bool {
    let mut value = [0u8; 4];
    // "x" (kernel 6.7) only says that whiteouts of another kind may be in it.
    rustix::fs::fgetxattr(dir, mark, &mut value[..]).is_ok_and(|n| value.get(..n) == Some(b"y"))
}

pub fn relative(path: &Path) -> &Path {
    let path = path.strip_prefix("/").unwrap_or(path);
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

/// The entries by their paths from `/`, and how far the look came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    pub entries: BTreeMap<PathBuf, Entry>,
    /// What comes after this path was not looked at, and is as an earlier look saw it. None: everything was.
    pub until: Option<PathBuf>,
    /// The last command that looked at all of it, or as far as it could.
    pub by: Option<u64>,
    /// The directory in which the look had to end, and how many more names of it were read.
    pub glimpse: Option<(PathBuf, usize)>,
}

#[derive(Default, Serialize, Deserialize)]
pub struct Written {
    by: Option<u64>,
    until: Option<Bytes>,
    entries: Vec<(Bytes, Entry)>,
}

impl From<Written> for Snapshot {
    fn from(written: Written) -> Snapshot {
        let path = |bytes: Bytes| bytes.as_path().to_path_buf();
        let entries = written.entries.into_iter().map(|(name, entry)| (path(name), entry)).collect();
        Snapshot { entries, until: written.until.map(path), by: written.by, glimpse: None }
    }
}

impl From<&Snapshot> for Written {
    fn from(snapshot: &Snapshot) -> Written {
        let bytes = |path: &PathBuf| Bytes::from(path.as_path());
        let entries = snapshot.entries.iter().map(|(path, entry)| (bytes(path), entry.clone())).collect();
        Written { by: snapshot.by, until: snapshot.until.as_ref().map(bytes), entries }
    }
}

impl Snapshot {
    /// Whether this path has been looked at, be there something or not.
    pub fn reaches(&self, path: &Path) -> bool {
        self.until.as_deref().is_none_or(|until| path <= until)
    }

    /// Of a directory that was not there at the last look all that is in it is new, looked at or not.
    pub fn glimpsed(&self, before: &Snapshot) -> usize {
        let new = |dir: &PathBuf| before.reaches(dir) && !before.entries.contains_key(dir);
        self.glimpse.as_ref().filter(|(dir, _)| new(dir)).map_or(0, |(_, names)| *names)
    }
}

/// How much a look may take: so many entries, and so long.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    pub entries: usize,
    pub micros: u64,
}

impl Budget {
    pub const NONE: Budget = Budget { entries: usize::MAX, micros: u64::MAX / 2 };
}

/// Everything at `start` and below it in the write layer, and the directories above it.
///
/// # Errors
/// ENAMETOOLONG for what lies deeper than a path can lead, as Docker's walk ends there: half of what changed would be no answer.
pub fn look(host: &Host, upper: &Path, start: &Path, budget: Budget) -> Result<Snapshot, SysError> {
    let end = now_us().saturating_add(budget.micros);
    let (mark, mut found, mut until, mut glimpse) = (host.overlay_mark("opaque"), Vec::new(), None, None);
    let Ok(layer) = resolve::directory(upper) else { return Ok(Snapshot::default()) };
    let above: Vec<&Path> = start.ancestors().skip(1).collect();
    for path in above.into_iter().rev() {
        let Ok(dir) = resolve::beneath(layer.as_fd(), relative(path), DIRECTORY) else {
            return Ok(Snapshot::default());
        };
        let Some(mut entry) = entry(dir.as_fd(), OsStr::new(".")) else { continue };
        if is_opaque(dir.as_fd(), &mark) {
            entry.kind = Kind::Opaque;
        }
        found.push((path.to_path_buf(), entry));
    }
    let open = |path: &Path, how| resolve::beneath(layer.as_fd(), relative(path), how);
    let above = start.parent().unwrap_or(Path::new("/")).to_path_buf();
    let name = start.file_name().unwrap_or(OsStr::new(".")).to_os_string();
    let Ok(mut here) = open(&above, OFlags::PATH | OFlags::DIRECTORY) else { return Ok(Snapshot::default()) };
    // The directories on the way, each with the names that are left in it. Only the last one is open: a tree can be deeper than
    // there are descriptors.
    let mut waiting = vec![(above, vec![name].into_iter())];
    while let Some((above, names)) = waiting.last_mut() {
        let Some(name) = names.next() else {
            waiting.pop();
            match waiting.last().map(|(above, _)| open(above, OFlags::PATH | OFlags::DIRECTORY)) {
                Some(Ok(back)) => here = back,
                // It was removed meanwhile, with what was left in it.
                Some(Err(_)) => waiting.last_mut().into_iter().for_each(|(_, names)| *names = Vec::new().into_iter()),
                None => {}
            }
            continue;
        };
        let Some(mut entry) = entry(here.as_fd(), &name) else { continue };
        if found.len() >= budget.entries || (found.len() % 64 == 0 && now_us() > end) {
            glimpse = Some((above.clone(), names.len() + 1));
            until = Some(found.last().map_or(PathBuf::from("/"), |(path, _): &(PathBuf, Entry)| path.clone()));
            break;
        }
        let path = if name == "." { PathBuf::from("/") } else { above.join(&name) };
        if path.as_os_str().len() > libc::PATH_MAX as usize {
            return Err(SysError::new("openat2", start.to_string_lossy(), libc::ENAMETOOLONG));
        }
        if !entry.kind.is_dir() {
            found.push((path, entry));
            continue;
        }
        let below = resolve::beneath(here.as_fd(), Path::new(&name), DIRECTORY);
        if below.as_ref().is_ok_and(|dir| is_opaque(dir.as_fd(), &mark)) {
            entry.kind = Kind::Opaque;
        }
        found.push((path.clone(), entry));
        let Ok(below) = below else { continue };
        // A directory of a hundred thousand names takes longer than the look may.
        let (names, whole) = walk::names_while(below.as_fd(), || now_us() <= end).unwrap_or((Vec::new(), true));
        if !whole {
            (until, glimpse) = (Some(path.clone()), Some((path, names.len())));
            break;
        }
        waiting.push((path, names.into_iter()));
        here = below;
    }
    Ok(Snapshot { entries: found.into_iter().collect(), until, by: None, glimpse })
}
