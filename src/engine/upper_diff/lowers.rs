//! What lies below the write layer: the image's layers as the kernel looks through them, from the top down. A whiteout ends the
//! look, and so does an opaque directory or anything that is no directory on the way.

use super::snapshot::{Entry, Kind, entry, is_opaque, relative};
use crate::container::Container;
use crate::event::now_us;
use crate::kernel::handle::{self, Handle};
use crate::kernel::resolve;
use crate::kernel::walk::{self, DIRECTORY};
use crate::store::Store;
use rustix::fs::OFlags;
use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// A layer as people know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    pub diff_id: String,
    /// Counted from 1, the lowest.
    pub number: usize,
}

/// What a lower layer has at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    /// None: docent's own places to mount on.
    pub layer: Option<Layer>,
    pub path: PathBuf,
    pub entry: Entry,
}

/// How many files a look may compare in the search for sources, and for how long, in microseconds.
const SEARCHED: usize = 10_000;
const SEARCH: u64 = 100_000;

pub struct Lowers {
    /// The topmost first.
    layers: Vec<(OwnedFd, Option<Layer>)>,
    opaque: String,
    /// Of each directory the layers that make it up.
    merged: HashMap<PathBuf, Rc<[usize]>>,
}

impl Lowers {
    pub fn of(store: &Store, container: &Container) -> Lowers {
        let named = container.layers.iter().enumerate().rev().map(|(n, chain)| {
            (store.layer_diff(chain), Some(Layer { diff_id: store.layer_name(chain), number: n + 1 }))
        });
        let all = named.chain([(store.mount_points(), None)]);
        let layers = all.filter_map(|(dir, layer)| Some((resolve::directory(&dir).ok()?, layer))).collect();
        Lowers { layers, opaque: store.host().overlay_mark("opaque"), merged: HashMap::new() }
    }

    /// What a look-up of this path finds below the write layer.
    pub fn visible(&mut self, path: &Path) -> Option<Original> {
        let (n, entry, _) = self.find(path)?;
        let layer = self.layers.get(n)?.1.clone();
        Some(Original { layer, path: path.to_path_buf(), entry })
    }

    /// The same with the layer's place, and the directory that it lies in.
    fn find(&mut self, path: &Path) -> Option<(usize, Entry, OwnedFd)> {
        let above = path.parent().unwrap_or(Path::new("/"));
        let name = path.file_name().unwrap_or(OsStr::new("."));
        for n in self.directory(above).iter() {
            // The layers are docent's own: nobody changes them. Still no symlink is followed.
            let layer = self.layers.get(*n)?.0.as_fd();
            let dir = resolve::beneath(layer, relative(above), OFlags::PATH | OFlags::DIRECTORY).ok()?;
            match entry(dir.as_fd(), name) {
                Some(entry) if entry.kind == Kind::Whiteout => return None,
                Some(entry) => return Some((*n, entry, dir)),
                None => {}
            }
        }
        None
    }

    /// The layers that a directory is made of, the topmost first.
    fn directory(&mut self, path: &Path) -> Rc<[usize]> {
        let unknown: Vec<&Path> = path.ancestors().take_while(|above| !self.merged.contains_key(*above)).collect();
        for path in unknown.into_iter().rev() {
            let above = path.parent().and_then(|above| self.merged.get(above).cloned());
            let above = above.unwrap_or_else(|| (0..self.layers.len()).collect());
            let found = self.merge(path, &above);
            self.merged.insert(path.to_path_buf(), found.into());
        }
        self.merged.get(path).cloned().unwrap_or_default()
    }

    fn merge(&self, path: &Path, above: &[usize]) -> Vec<usize> {
        let mut found = Vec::new();
        for n in above {
            let Some((layer, _)) = self.layers.get(*n) else { continue };
            let open = |how| resolve::beneath(layer.as_fd(), relative(path), how);
            match open(DIRECTORY) {
                Ok(dir) => {
                    found.push(*n);
                    if is_opaque(dir.as_fd(), &self.opaque) {
                        break;
                    }
                }
                // A whiteout, a file or a symlink ends the look; where there is nothing it goes on.
                Err(_) if open(OFlags::PATH | OFlags::NOFOLLOW).is_ok() => break,
                Err(_) => {}
            }
        }
        found
    }

    /// The names of a directory below the write layer.
    pub fn names(&mut self, path: &Path) -> BTreeSet<PathBuf> {
        let mut names = BTreeSet::new();
        for n in self.directory(path).iter() {
            let Some((layer, _)) = self.layers.get(*n) else { continue };
            let dir = resolve::beneath(layer.as_fd(), relative(path), DIRECTORY);
            names.extend(dir.ok().and_then(|dir| walk::names(dir.as_fd()).ok()).unwrap_or_default());
        }
        let all = names.into_iter().map(|name| path.join(name));
        all.filter(|path| self.find(path).is_some()).collect()
    }

    /// The handle of what [`Lowers::visible`] gives, and that itself.
    pub fn handle(&mut self, path: &Path) -> Option<(Handle, Original)> {
        let (n, entry, dir) = self.find(path)?;
        let handle = handle::of(dir.as_fd(), path.file_name()?).ok()?;
        let layer = self.layers.get(n)?.1.clone();
        Some((handle, Original { layer, path: path.to_path_buf(), entry }))
    }
}

/// The search for the file that a copy with another name came from.
pub struct Search {
    found: HashMap<Handle, Original>,
    waiting: Vec<PathBuf>,
    left: usize,
    until: u64,
}

impl Search {
    /// Among what these paths have below, the last first; what lies in a directory that is hidden as a whole comes after them.
    pub fn among(hidden: Vec<PathBuf>) -> Search {
        Search { found: HashMap::new(), waiting: hidden, left: SEARCHED, until: now_us().saturating_add(SEARCH) }
    }

    pub fn find(&mut self, lowers: &mut Lowers, handle: &Handle) -> Option<Original> {
        while !self.found.contains_key(handle) && self.left > 0 && now_us() < self.until {
            let path = self.waiting.pop()?;
            self.left -= 1;
            let Some((handle, original)) = lowers.handle(&path) else { continue };
            match original.entry.kind.is_dir() {
                true => drop(self.waiting.splice(0..0, lowers.names(&path))),
                false => drop(self.found.insert(handle, original)),
            }
        }
        self.found.get(handle).cloned()
    }
}
