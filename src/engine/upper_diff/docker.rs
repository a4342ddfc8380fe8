//! `docker diff`, as Docker 28 prints it with overlay2: the image's tree and the container's, compared by what stat(2) says.
//!
//! A directory is changed by its mode or owner, or when something in it is; anything else by its size or time too. What is below
//! a deleted directory is not listed, and a file that was copied up and is as it was is none.

use super::lowers::Lowers;
use super::snapshot::{Budget, Entry, Kind, Snapshot, look};
use crate::container::Container;
use crate::event::Fault;
use crate::store::Store;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The letters and their paths, directories included.
///
/// # Errors
/// As of a look.
pub fn diff(store: &Store, container: &Container) -> Result<Vec<(char, PathBuf)>, Fault> {
    let upper = store.container_dir(&container.id).upper();
    let now = look(store.host(), &upper, Path::new("/"), Budget::NONE).map_err(|e| Fault::step("diff", e))?;
    Ok(letters(&now, &mut Lowers::of(store, container)).into_iter().map(|(path, letter)| (letter, path)).collect())
}

fn letters(now: &Snapshot, lowers: &mut Lowers) -> BTreeMap<PathBuf, char> {
    let mut found = BTreeMap::new();
    for (path, entry) in now.entries.iter().filter(|(path, _)| path.as_path() != Path::new("/")) {
        let below = lowers.visible(path).map(|original| original.entry);
        let letter = match (entry.kind, below) {
            (Kind::Whiteout, None) => continue,
            (Kind::Whiteout, Some(_)) => 'D',
            (_, None) => 'A',
            (_, Some(below)) => {
                if entry.kind == Kind::Opaque && below.kind.is_dir() {
                    let hidden = lowers.names(path).into_iter().filter(|name| !now.entries.contains_key(name));
                    found.extend(hidden.map(|name| (name, 'D')));
                }
                match changed(entry, &below) {
                    true => 'C',
                    false => continue,
                }
            }
        };
        found.insert(path.clone(), letter);
    }
    let within: Vec<PathBuf> = found.keys().cloned().collect();
    for path in within {
        for above in path.ancestors().skip(1).take_while(|above| *above != Path::new("/")) {
            found.entry(above.to_path_buf()).or_insert('C');
        }
    }
    found
}

fn changed(now: &Entry, was: &Entry) -> bool {
    let kind = |e: &Entry| if e.kind.is_dir() { Kind::Dir } else { e.kind };
    let seen = |e: &Entry| (kind(e), e.mode, e.owner);
    seen(now) != seen(was) || !now.kind.is_dir() && (now.size != was.size || now.times.0 != was.times.0)
}
