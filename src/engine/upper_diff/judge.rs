//! What became of each path between two looks, judged by what was there before and after, by the layers below, and by the
//! kernel's own marks. Nothing is guessed: what has no mark is told as just that.

use super::lowers::{Lowers, Original, Search};
use super::snapshot::{Entry, Kind, Snapshot, relative};
use crate::event::{Change, Differs};
use crate::kernel::handle::{self, Handle, Origin};
use crate::kernel::{host::Host, resolve};
use rustix::fs::OFlags;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub path: PathBuf,
    pub change: Change,
    /// What is there now.
    pub now: Option<Entry>,
    /// What it was copied from, what it covers or hides, or the directory whose attributes it had.
    pub original: Option<Original>,
    /// What else lies below at this path, and is covered.
    pub covers: Option<Original>,
    /// The name in the write layer that it had before, or has besides.
    pub other: Option<PathBuf>,
    pub differs: Differs,
}

impl Difference {
    /// Whether a name has come or gone in the directory, or leads to another file.
    fn comes_or_goes(&self) -> bool {
        match self.change {
            Change::CopiedUp => self.original.as_ref().is_none_or(|original| original.path != self.path),
            Change::Attributes | Change::Rewritten => false,
            _ => true,
        }
    }
}

/// An inode of the write layer.
type Inode = (u64, i64);

pub struct Judge<'a> {
    upper: Option<OwnedFd>,
    mark: String,
    lowers: Lowers,
    before: &'a Snapshot,
    now: &'a Snapshot,
    /// The names that each file of the write layer had at the last look.
    had: Option<HashMap<Inode, Vec<&'a Path>>>,
    search: Option<Search>,
    /// New names, by their inodes.
    named: HashMap<Inode, &'a Path>,
    /// Names of the last look whose files have another name now.
    moved: BTreeMap<&'a Path, &'a Path>,
    found: Vec<Difference>,
}

/// The differences of these paths, in their order; `all`: these are all that differ.
pub fn differences<'a>(
    host: &Host,
    upper: &Path,
    lowers: Lowers,
    (before, now): (&'a Snapshot, &'a Snapshot),
    paths: &BTreeSet<&'a Path>,
    all: bool,
) -> Vec<Difference> {
    let mut judge = Judge {
        upper: resolve::directory(upper).ok(),
        mark: host.overlay_mark("origin"),
        lowers,
        before,
        now,
        had: None,
        search: None,
        named: HashMap::new(),
        moved: BTreeMap::new(),
        found: Vec::new(),
    };
    let mut copies = Vec::new();
    for path in paths {
        match now.entries.get(*path) {
            Some(entry) if entry.kind.is_dir() && !judge.made_directory(path, entry) => copies.push((*path, entry)),
            Some(entry) if entry.kind == Kind::Whiteout => judge.whiteout(path),
            Some(entry) if !entry.kind.is_dir() => judge.changed(path, entry),
            _ => {}
        }
    }
    for path in paths.iter().filter(|path| !now.entries.contains_key(**path)) {
        judge.gone(path);
    }
    let parents = judge.found.iter().filter(|d| d.comes_or_goes()).filter_map(|d| d.path.parent());
    let mut parents: BTreeSet<PathBuf> = parents.map(Path::to_path_buf).collect();
    parents.extend(judge.moved.keys().filter_map(|path| path.parent().map(Path::to_path_buf)));
    for (path, entry) in copies {
        judge.attributes(path, entry, !all || parents.contains(path));
    }
    judge.leave_out_what_moved_along();
    judge.found.sort_by(|a, b| a.path.cmp(&b.path));
    judge.found
}

impl<'a> Judge<'a> {
    /// What the write layer's directories let through from below.
    fn below(&mut self, path: &Path) -> Option<Original> {
        let hides = |above: &Path| self.now.entries.get(above).is_some_and(|entry| entry.kind != Kind::Dir);
        if path.ancestors().skip(1).any(hides) {
            return None;
        }
        self.lowers.visible(path)
    }

    fn tell(&mut self, path: &Path, change: Change, original: Option<Original>) {
        let now = self.now.entries.get(path).cloned();
        let (path, differs) = (path.to_path_buf(), Differs::default());
        self.found.push(Difference { path, change, now, original, covers: None, other: None, differs });
    }

    /// The same with more of it.
    fn tell_more(
        &mut self,
        path: &Path,
        change: Change,
        original: Option<Original>,
        more: impl FnOnce(&mut Difference),
    ) {
        self.tell(path, change, original);
        if let Some(last) = self.found.last_mut() {
            more(last);
        }
    }

    fn whiteout(&mut self, path: &Path) {
        if let Some(original) = self.below(path) {
            self.tell(path, Change::Deleted, Some(original));
        }
    }

    /// Tells of a directory that was made anew; false: it was there at the last look, or is the copy of a lower one.
    fn made_directory(&mut self, path: &'a Path, entry: &Entry) -> bool {
        let known = self.before.entries.get(path);
        if known.is_some_and(|k| k.inode == entry.inode && k.kind == entry.kind) {
            return false;
        }
        let below = self.below(path);
        if self.has_other_name(path, entry, below.clone()) {
            return true;
        }
        let change = match &below {
            Some(below) if below.entry.kind.is_dir() && entry.kind == Kind::Dir => return false,
            Some(below) if below.entry.kind.is_dir() => Change::Opaque,
            Some(_) => Change::Covered,
            None if known.is_some_and(|k| k.kind != Kind::Whiteout) => Change::Replaced,
            None => Change::Added,
        };
        self.tell(path, change, below);
        true
    }

    fn names_at_last_look(&mut self, inode: Inode) -> Vec<&'a Path> {
        let before = self.before;
        let had = self.had.get_or_insert_with(|| {
            let mut had: HashMap<Inode, Vec<&Path>> = HashMap::new();
            for (path, entry) in before.entries.iter().filter(|(_, e)| e.kind != Kind::Whiteout) {
                had.entry(entry.inode).or_default().push(path);
            }
            had
        });
        had.get(&inode).cloned().unwrap_or_default()
    }

    /// Tells of a file that was in the write layer at the last look and has another name now, or one more.
    fn has_other_name(&mut self, path: &'a Path, entry: &Entry, below: Option<Original>) -> bool {
        let mut names = self.names_at_last_look(entry.inode);
        names.retain(|name| *name != path);
        let still = |name: &Path| self.now.entries.get(name).is_some_and(|e| e.inode == entry.inode);
        let left = names.iter().find(|name| !still(name) && !self.moved.contains_key(**name));
        let (change, other) = match (left, names.iter().find(|name| still(name)), self.named.get(&entry.inode)) {
            (Some(name), ..) => (Change::Moved, *name),
            (None, Some(name), _) => (Change::Linked, *name),
            (None, None, Some(new)) if !names.is_empty() => (Change::Linked, *new),
            _ => return false,
        };
        if change == Change::Moved {
            self.moved.insert(other, path);
        }
        let differs = self.before.entries.get(other).map(|was| between(was, entry)).unwrap_or_default();
        self.named.entry(entry.inode).or_insert(path);
        self.tell_more(path, change, None, |found| {
            found.other = Some(other.to_path_buf());
            found.covers = below;
            if change == Change::Moved {
                found.differs = differs;
            }
        });
        true
    }

    /// A file, a symlink or another node that is new at this name, or differs.
    fn changed(&mut self, path: &'a Path, entry: &Entry) {
        let known = self.before.entries.get(path);
        if let Some(known) = known.filter(|k| k.inode == entry.inode && k.kind == entry.kind) {
            let differs = between(known, entry);
            return self.tell_more(path, Change::Rewritten, None, |found| found.differs = differs);
        }
        let below = self.below(path);
        if self.has_other_name(path, entry, below.clone()) {
            return;
        }
        let first = *self.named.entry(entry.inode).or_insert(path);
        match self.origin(path) {
            Some(origin) => self.copied_up(path, entry, below, origin),
            None if first != path => self.tell_more(path, Change::Linked, None, |found| {
                found.other = Some(first.to_path_buf());
                found.covers = below;
            }),
            None => {
                let change = match &below {
                    // The kernel leaves no mark on a copy of a file with several names (unless `index` is on). After a whiteout
                    // it cannot be a copy.
                    Some(b) if b.entry.names > 1 && b.entry.kind == entry.kind && known.is_none() => Change::Unmarked,
                    Some(_) => Change::Covered,
                    None if known.is_some_and(|k| k.kind != Kind::Whiteout) => Change::Replaced,
                    None => Change::Added,
                };
                self.tell_more(path, change, below, |found| {
                    let unmarked = found.original.as_ref().filter(|_| change == Change::Unmarked);
                    found.differs = unmarked.map(|o| between(&o.entry, entry)).unwrap_or_default();
                });
            }
        }
    }

    /// The kernel's own mark on a copy.
    fn origin(&self, path: &Path) -> Option<Origin> {
        let file =
            resolve::beneath(self.upper.as_ref()?.as_fd(), relative(path), OFlags::PATH | OFlags::NOFOLLOW).ok()?;
        // The magic link leads to what is open, even where that is a symlink itself.
        let shown = format!("/proc/self/fd/{}", file.as_raw_fd());
        let mut value = [0u8; 256];
        let length = rustix::fs::getxattr(&shown, &*self.mark, &mut value[..]).ok()?;
        handle::origin(value.get(..length)?)
    }

    fn copied_up(&mut self, path: &Path, entry: &Entry, below: Option<Original>, origin: Origin) {
        let source = match origin {
            Origin::Unnamed => below.clone().filter(|b| b.entry.kind == entry.kind),
            Origin::From(handle) => match self.lowers.handle(path).filter(|(of, _)| below.is_some() && *of == handle) {
                Some((_, original)) => Some(original),
                None => self.source(&handle),
            },
        };
        let covers = below.filter(|_| source.as_ref().is_none_or(|source| source.path != path));
        let differs = source.as_ref().map(|source| between(&source.entry, entry)).unwrap_or_default();
        self.tell_more(path, Change::CopiedUp, source, |found| {
            found.covers = covers;
            found.differs = differs;
        });
    }

    /// A copy is made under its own name: when it has another now, its first one is hidden, covered, or in a directory that is.
    fn source(&mut self, handle: &Handle) -> Option<Original> {
        let search = self.search.get_or_insert_with(|| {
            let hides = self.now.entries.iter().filter(|(_, entry)| entry.kind != Kind::Dir);
            // What came with this look is the likeliest, and searched first.
            let is_new = |path: &&PathBuf| !self.before.entries.contains_key(*path);
            let (new, old): (Vec<&PathBuf>, Vec<&PathBuf>) = hides.map(|(path, _)| path).partition(is_new);
            Search::among(old.into_iter().chain(new).cloned().collect())
        });
        search.find(&mut self.lowers, handle)
    }

    /// What was in the write layer at the last look, and is not any more.
    fn gone(&mut self, path: &'a Path) {
        let Some(known) = self.before.entries.get(path) else { return };
        if known.kind == Kind::Whiteout || self.moved.contains_key(path) {
            return;
        }
        let original = self.lowers.visible(path);
        // A copied directory that is gone was hidden with what is above it, which is told.
        if known.kind == Kind::Dir && original.as_ref().is_some_and(|original| original.entry.kind.is_dir()) {
            return;
        }
        let names = self.names_at_last_look(known.inode);
        let other = names.into_iter().find(|name| self.now.entries.get(*name).is_some_and(|e| e.inode == known.inode));
        self.tell_more(path, Change::Gone, original, |found| found.other = other.map(Path::to_path_buf));
    }

    /// A directory that was there at the last look, or is the copy of a lower one, which the kernel makes of every directory on
    /// the way to a change: no news by itself. Its time is none where a name in it has come or gone, or may have.
    fn attributes(&mut self, path: &Path, entry: &Entry, names_changed: bool) {
        let known = self.before.entries.get(path).filter(|known| known.kind.is_dir());
        let original = self.below(path).filter(|original| original.entry.kind.is_dir());
        let Some(was) = known.or(original.as_ref().map(|original| &original.entry)) else { return };
        let mut differs = Differs { names: None, ..between(was, entry) };
        let until = [&self.before.until, &self.now.until];
        let seen_all = until.into_iter().flatten().all(|until| !until.starts_with(path));
        differs.modified &= !names_changed && seen_all;
        if differs != Differs::default() {
            self.tell_more(path, Change::Attributes, original, |found| found.differs = differs);
        }
    }

    /// What is in a directory that has another name now has moved with it.
    fn leave_out_what_moved_along(&mut self) {
        let moved: BTreeMap<PathBuf, PathBuf> = self
            .found
            .iter()
            .filter(|d| d.change == Change::Moved && d.now.as_ref().is_some_and(|now| now.kind.is_dir()))
            .filter_map(|d| Some((d.path.clone(), d.other.clone()?)))
            .collect();
        let along = |d: &Difference| {
            let from = d.path.parent().and_then(|above| moved.get(above));
            d.change == Change::Moved
                && d.differs == Differs::default()
                && from.zip(d.path.file_name()).is_some_and(|(from, name)| d.other == Some(from.join(name)))
        };
        self.found.retain(|d| !along(d));
    }
}

fn between(was: &Entry, now: &Entry) -> Differs {
    let pair = |was: u32, now: u32| (was != now).then_some([was, now]);
    Differs {
        mode: pair(was.mode, now.mode).filter(|_| was.kind != Kind::Symlink),
        owner: pair(was.owner.0, now.owner.0),
        group: pair(was.owner.1, now.owner.1),
        modified: was.times.0 != now.times.0,
        names: pair(was.names, now.names),
    }
}
