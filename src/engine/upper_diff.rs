//! The diff of a container's upper directory: what has changed in it since the last look, and which layer of its image each
//! change covers or came from.
//!
//! A look compares what lies there now with the snapshot that the last look left. A command that is narrated looks twice: what
//! it finds before it begins others did, and is told apart; what it finds afterwards is its own. A look has a budget; what it
//! did not come to is told as just that, and nobody is blamed for it.

mod docker;
mod judge;
mod lowers;
mod snapshot;

pub use docker::diff;
pub use lowers::{Lowers, Original};

use super::content;
use crate::container::{Container, ContainerId};
use crate::event::{Bytes, Change, Covers, Deed, Event, Fact, FaultPoint, Node, Receipt, Since, Story, now_us};
use crate::store::{Store, read_json};
use judge::{Difference, differences};
pub(super) use snapshot::relative;
use snapshot::{Budget, Entry, Kind, Snapshot, Written, look};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What one look may take, in microseconds: half of it goes through the tree, the rest is for judging and telling what is found.
const BUDGET: u64 = 200_000;
const LOOK: Budget = Budget { entries: 20_000, micros: BUDGET / 2 };

/// So many differences are judged by a look, and so many told one by one.
const JUDGED: usize = 2_000;
const TOLD: usize = 1_000;

/// When in a command a look is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Before it does what it is there for.
    Before,
    /// It does nothing in the write layer itself.
    Only,
    After,
}

/// The snapshot that the last look left.
fn last_snapshot(store: &Store, id: &ContainerId) -> Snapshot {
    read_json::<Written>(&store.container_dir(id).last_snapshot()).unwrap_or_default().into()
}

/// Tells what changed at `start` and below since the last look, before the command does something there itself.
pub fn catch_up(store: &Store, container: &Container, start: &Path, story: &mut Story) {
    tell(store, container, start, Turn::Before, story);
}

/// The same for a command that changes nothing there, where somebody hears the story.
pub fn since_last_look(store: &Store, container: &Container, story: &mut Story) {
    if story.is_heard() {
        tell(store, container, Path::new("/"), Turn::Only, story);
    }
}

/// Tells what the command changed at `start` and below.
pub fn tell_own(store: &Store, container: &Container, start: &Path, story: &mut Story) {
    tell(store, container, start, Turn::After, story);
}

fn tell(store: &Store, container: &Container, start: &Path, turn: Turn, story: &mut Story) {
    let began = now_us();
    let upper = store.container_dir(&container.id).upper();
    let missed =
        |error| Event::failed(Fact::Fallback { what: "snapshot.json".into(), point: FaultPoint::Optional }, error);
    let now = match look(store.host(), &upper, start, LOOK) {
        Ok(now) => now,
        Err(error) => return story.tell(missed(error)),
    };
    let mut before = last_snapshot(store, &container.id);
    // What a new container's write layer is made with.
    if let Some(top) = now.entries.get(Path::new("/")) {
        let made = Entry { mode: 0o755, owner: (0, 0), ..top.clone() };
        before.entries.entry("/".into()).or_insert(made);
    }
    let reached = |path: &Path| now.reaches(path) && (turn != Turn::After || before.reaches(path));
    let differs = |(path, entry): &(&PathBuf, &Entry)| !before.entries.get(*path).is_some_and(|was| was.same(entry));
    let paths: BTreeSet<&Path> = now.entries.iter().filter(differs).map(|(path, _)| path.as_path()).collect();
    let gone = before.entries.keys().filter(|path| path.starts_with(start) && !now.entries.contains_key(*path));
    let gone: BTreeSet<&Path> = gone.map(PathBuf::as_path).filter(|path| reached(path)).collect();
    let mut paths: BTreeSet<&Path> =
        paths.into_iter().filter(|path| reached(path)).chain(gone.iter().copied()).collect();
    let whole = now.until.is_none() && (turn != Turn::After || before.until.is_none());
    if paths.is_empty() && whole && before.until.is_none() && turn != Turn::After {
        return;
    }
    // Of too many only the first are judged. What is gone may have another name among the others.
    let (mut unjudged, all_judged) = (now.glimpsed(&before), paths.len() <= JUDGED);
    if !all_judged {
        let chosen: BTreeSet<&Path> = paths.iter().copied().filter(|path| !gone.contains(path)).take(JUDGED).collect();
        let is_change = |path: &&&Path| now.entries.get(**path).is_none_or(|entry| entry.kind != Kind::Dir);
        unjudged += paths.difference(&chosen).filter(is_change).count();
        paths = chosen;
    }
    let number = story.number();
    let since = |path: &Path| {
        let after = before.by.filter(|_| before.reaches(path));
        (turn != Turn::After).then_some(Since { after, before: number })
    };
    let found = match paths.is_empty() {
        true => Vec::new(),
        false => {
            let lowers = Lowers::of(store, container);
            differences(store.host(), &upper, lowers, (&before, &now), &paths, all_judged)
        }
    };
    let mut left = content::READ;
    for difference in found.iter().take(TOLD) {
        if now_us().saturating_sub(began) > BUDGET {
            // What is still to be told is known by its times.
            left = 0;
        }
        event(store, container, difference, since(&difference.path), &mut left).tell(story);
    }
    let (told, changes) = (found.len().min(TOLD), found.len() + unjudged);
    if changes > told || !whole && (turn != Turn::Before || changes > 0) {
        let micros = now_us().saturating_sub(began);
        let (told, changes, looked) = (told as u64, changes as u64, now.entries.len() as u64);
        let fact = Fact::MoreChanges { told, changes, looked, whole, micros, since: since(start) };
        let event = Event { took_us: micros, ..Event::of(fact, Vec::new()) };
        Deed::new((), event).of_container(&container.id).tell(story);
    }
    let after = joined(before.clone(), &now, start, turn, number);
    let written = store.note(&store.container_dir(&container.id).last_snapshot(), &Written::from(&after));
    if let Err(error) = written {
        // On a full disk: the command goes on, and something will be told twice.
        story.tell(missed(error));
    }
}

/// What is known after a look: of `start`, as far as it came, what it saw; of the rest what was known.
fn joined(before: Snapshot, now: &Snapshot, start: &Path, turn: Turn, number: Option<u64>) -> Snapshot {
    let everything = start == Path::new("/");
    let until = match (everything && turn != Turn::After, &before.until, &now.until) {
        (true, _, now) => now.clone(),
        (false, Some(one), Some(other)) => Some(one.min(other).clone()),
        (false, one, other) => one.clone().or(other.clone()),
    };
    let by = if everything { number.or(before.by) } else { before.by };
    let seen = |path: &Path| until.as_deref().is_none_or(|until| path <= until);
    let kept = before.entries.into_iter().filter(|(path, _)| !path.starts_with(start) || !seen(path));
    let new = now.entries.iter().filter(|(path, _)| seen(path)).map(|(path, entry)| (path.clone(), entry.clone()));
    let entries = kept.chain(new).collect();
    Snapshot { entries, until, by, glimpse: None }
}

fn node(entry: &Entry) -> Option<Node> {
    Some(match entry.kind {
        Kind::Whiteout => return None,
        Kind::File => Node::File,
        Kind::Dir | Kind::Opaque => Node::Directory,
        Kind::Symlink => Node::Symlink,
        Kind::Fifo => Node::Fifo,
        Kind::Socket => Node::Socket,
        Kind::CharDevice => Node::CharDevice,
        Kind::BlockDevice => Node::BlockDevice,
    })
}

fn bytes(entry: &Entry) -> Option<u64> {
    (entry.kind == Kind::File).then_some(entry.size)
}

/// A change of the write layer as a fact.
fn fact(container: &Container, difference: &Difference, since: Option<Since>) -> Fact {
    let Difference { path, change, now, original, covers, other, differs } = difference;
    let layer = original.as_ref().and_then(|original| original.layer.as_ref());
    let source = original.as_ref().filter(|o| *change == Change::CopiedUp && o.path != *path);
    Fact::Changed {
        path: path.as_path().into(),
        change: *change,
        node: now.as_ref().and_then(node),
        layer: layer.map(|layer| layer.diff_id.clone()),
        number: layer.map(|layer| layer.number),
        image: layer.map(|_| container.config.image.clone()),
        source: source.map(|original| original.path.as_path().into()),
        node_was: original.as_ref().and_then(|original| node(&original.entry)),
        was: original.as_ref().and_then(|original| bytes(&original.entry)),
        now: now.as_ref().and_then(bytes),
        names_was: original.as_ref().filter(|_| *change == Change::Unmarked).map(|original| original.entry.names),
        covers: covers.as_ref().and_then(|covers| {
            let layer = covers.layer.as_ref()?;
            let (diff_id, number) = (layer.diff_id.clone(), layer.number);
            Some(Covers { diff_id, number, node: node(&covers.entry)?, bytes: bytes(&covers.entry) })
        }),
        other: other.as_deref().map(Bytes::from),
        differs: differs.clone(),
        since,
    }
}

/// What `cp` will cover, as a forecast.
pub fn covered(container: &Container, path: &Path, original: Original) -> Fact {
    let (path, change) = (path.to_path_buf(), Change::Covered);
    let original = Some(original);
    fact(
        container,
        &Difference { path, change, now: None, original, covers: None, other: None, differs: Default::default() },
        None,
    )
}

/// What the kernel did on somebody's behalf, with what proves it.
fn event(
    store: &Store,
    container: &Container,
    difference: &Difference,
    since: Option<Since>,
    left: &mut u64,
) -> Deed<()> {
    let fact = fact(container, difference, since);
    let deed = Deed::new((), Event::of(fact, Vec::new())).of_container(&container.id);
    match receipt(store, container, difference, left) {
        Some(receipt) => deed.with_receipt(receipt),
        None => deed,
    }
}

/// What shows this change. None when it is not as it was seen any more.
fn receipt(store: &Store, container: &Container, difference: &Difference, left: &mut u64) -> Option<Receipt> {
    let Difference { path, change, original, .. } = difference;
    let (id, upper) = (&container.id, store.container_dir(&container.id).upper());
    let receipt = match change {
        Change::Gone => return content::not_in_upper(id, &upper, path),
        _ => content::in_upper(id, &upper, path, left)?,
    };
    let mark = match change {
        Change::CopiedUp => Some("origin"),
        Change::Opaque => Some("opaque"),
        _ => None,
    };
    let receipt = match mark {
        Some(mark) => content::marked(receipt, &upper, path, &store.host().overlay_mark(mark)),
        None => receipt,
    };
    // What it was copied from, or hides, is as it was.
    let layer = original.as_ref().and_then(|original| Some((original, original.layer.as_ref()?)));
    let lower = layer.and_then(|(original, layer)| {
        let chain = container.layers.get(layer.number.checked_sub(1)?)?;
        content::in_layer(&store.layer_diff(chain), &original.path, left)
    });
    Some(match lower {
        Some(proof) => receipt.and(proof),
        None => receipt,
    })
}

#[cfg(test)]
mod tests;
