//! `cp`, both ways, with Docker's rules for directories, slashes and `/.`.

mod places;
mod steps;

pub use steps::plan;

use super::content;
use super::upper_diff;
use super::view::{View, absolute};
use crate::container::Container;
use crate::event::{Bytes, Deed, Event, Fact, Fault, Holds, Receipt, Story, SysError};
use crate::kernel::callers_files::CallersFiles;
use crate::kernel::copy_tree::{self, Copy, Owner};
use crate::kernel::{sys, walk};
use crate::store::{Store, Temp};
use places::{Source, Target, container_source, container_target, local_source, local_target};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::io::Write;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// `-a`: keep owners.
    pub archive: bool,
    /// `-L`: follow the source's symlink.
    pub follow: bool,
}

/// Note in `tmp/` about a copy under way, so that a later command can take away what a killed one had not put in place. One
/// line for each directory in which the copy makes things; a search for them would have to go through what others made.
#[derive(Clone, Serialize, Deserialize)]
struct Note {
    copy: String,
    /// None: a path of the host.
    container: Option<String>,
    dir: PathBuf,
}

/// How many calls are told one by one.
const NOTED: usize = 16;

const NOTE: &[u8] = b"{\"copy\":";

/// Copies a local file or tree into a container, and tells what it covered there.
fn into_container(
    store: &Store,
    story: &mut Story,
    container: &Container,
    local: &Path,
    inside: &Path,
    options: Options,
) -> Result<(), Fault> {
    story.about(&container.id);
    let files = CallersFiles::here().map_err(|e| local_fault(local, e))?;
    let source = local_source(&files, local, options)?;
    let view = View::open(store, container, story)?;
    let target = container_target(&view, container, inside, &source)?;
    let start = target.shown().to_path_buf();
    let under_way = UnderWay::begin(store, Some(&container.id), &making_dirs(&target, start.clone(), source.is_dir))?;
    let owner = if options.archive { Owner::Source } else { Owner::Of(0, 0) };
    // Where nobody hears it only what the copy itself changes is looked at.
    let look_at = if story.is_heard() { Path::new("/") } else { &start };
    upper_diff::catch_up(store, container, look_at, story);
    let (from, to) = (local.into(), in_container(container, &start));
    let copied = transfer(&source, &target, (owner, files.user(), None), &under_way, true, (from, to));
    let copied = copied.map_err(|stopped| inside_fault(container, &start, stopped.tell(story)));
    // What lies in a mount of the container (`/dev/shm`) is no part of its write layer, and is shown by nobody outside.
    let upper = store.container_dir(&container.id).upper();
    let receipt = || content::in_upper(&container.id, &upper, &start, &mut content::READ.clone());
    let done = copied.map(|copied| match receipt() {
        Some(receipt) => copied.with_receipt(receipt).tell(story),
        None => copied.tell(story),
    });
    drop(under_way);
    upper_diff::tell_own(store, container, look_at, story);
    done
}

/// Copies a file or tree of a container to a local place.
fn from_container(
    store: &Store,
    story: &mut Story,
    container: &Container,
    inside: &Path,
    local: &Path,
    options: Options,
) -> Result<(), Fault> {
    story.about(&container.id);
    let files = CallersFiles::here().map_err(|e| local_fault(local, e))?;
    let view = View::open(store, container, story)?;
    let source = container_source(&view, container, inside, options)?;
    let target = local_target(&files, local, &source)?;
    let start = target.shown();
    let shown = start.to_string_lossy().into_owned();
    // In the grader's sandbox paths are the sandbox's: what a killed copy leaves there goes with the sandbox.
    let under_way = if files.is_confined() {
        UnderWay::unnoted(None)
    } else {
        UnderWay::begin(store, None, &making_dirs(&target, from_here(start), source.is_dir))?
    };
    // A submission could not give its files away either.
    let owner = if options.archive && !files.is_confined() {
        Owner::Source
    } else {
        let (user, group) = files.owner();
        Owner::Of(user, group)
    };
    upper_diff::since_last_look(store, container, story);
    let names = (in_container(container, inside), start.into());
    let copied = transfer(&source, &target, (owner, None, files.user()), &under_way, false, names)
        .map_err(|stopped| local_fault(local, stopped.tell(story)))?;
    // The grader's paths are its sandbox's: nobody could look there.
    let receipt = if files.is_confined() { None } else { receipt(&absolute(&from_here(Path::new(&shown)))) };
    match receipt {
        Some(receipt) => copied.with_receipt(receipt).tell(story),
        None => copied.tell(story),
    }
    drop(under_way);
    Ok(())
}

/// What a copy on the host can be known by. The file is the learner's from now on, so it counts until they edit it.
fn receipt(path: &Path) -> Option<Receipt> {
    let subject = format!("local:{}", Bytes::from(path).shown());
    content::receipt(path.parent()?, Path::new(path.file_name()?), subject, Holds::Forever, &mut content::READ.clone())
}

/// The inode and the time of its last change, which no program can set: the same as long as nobody touches the file.
/// A path of the host as every directory knows it. The parent of a bare name, which is empty, is the working directory.
fn from_here(path: &Path) -> PathBuf {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    std::path::absolute(path).unwrap_or(path.to_path_buf())
}

/// As it is named on the command line.
fn in_container(container: &Container, path: &Path) -> Bytes {
    let mut name = OsString::from(format!("{}:", container.name));
    name.push(path);
    name.into()
}

/// A copy that has failed, with what has taken its place until then, and stays.
struct Stopped {
    meant: Fact,
    error: SysError,
    to: Bytes,
    placed: copy_tree::Placed,
}

impl Stopped {
    fn tell(self, story: &mut Story) -> SysError {
        story.tell(Event::failed(self.meant, self.error.clone()));
        let copy_tree::Placed { paths, count } = self.placed;
        if count > 0 {
            story.tell(Fact::PartlyCopied { to: self.to, paths, entries: count });
        }
        SysError { calls: Vec::new(), ..self.error }
    }
}

/// The copy itself, as one deed.
fn transfer(
    source: &Source,
    target: &Target,
    (owner, reader, writer): (Owner, Option<u32>, Option<u32>),
    under_way: &UnderWay,
    into_container: bool,
    (from, to): (Bytes, Bytes),
) -> Result<Deed<()>, Box<Stopped>> {
    let origin = &source.place;
    let announce = |dir: &str| under_way.announce(Path::new(dir));
    let mut copy = Copy {
        owner,
        reader,
        writer,
        token: under_way.note.copy.as_str(),
        announce: &announce,
        noted: NOTED as u64,
        sum: Default::default(),
        placed: Default::default(),
    };
    let done = sys::deed(|calls| {
        match target {
            Target::Entry(place) => {
                let above = shown(place.shown.parent().unwrap_or(Path::new("/")));
                copy.entry(calls, origin.dir.as_fd(), &origin.name, (place.dir.as_fd(), &above), &place.name)?;
            }
            Target::Inside(dir, path) if source.contents => {
                let from = copy.open_source(origin.dir.as_fd(), &origin.name)?;
                let dir = dir.try_clone().map_err(|e| SysError::io("fcntl", shown(path), &e))?;
                copy.contents(calls, from, (dir, shown(path)))?;
            }
            Target::Inside(dir, path) => {
                copy.entry(calls, origin.dir.as_fd(), &origin.name, (dir.as_fd(), &shown(path)), &origin.name)?;
            }
        }
        let (bytes, entries) = (copy.sum.bytes, copy.sum.entries);
        let (from, to) = (from.clone(), to.clone());
        Ok(((), Fact::Copied { from, to, bytes: Some(bytes), entries: Some(entries), into_container }))
    });
    done.map_err(|error| {
        let (bytes, entries) = (None, Some(copy.sum.entries));
        let meant = Fact::Copied { from: from.clone(), to: to.clone(), bytes, entries, into_container };
        Box::new(Stopped { meant, error, to, placed: copy.placed })
    })
}

fn shown(path: &Path) -> String {
    absolute(&from_here(path)).to_string_lossy().into_owned()
}

/// The directories in which a copy to `start` may make things before they take their place.
fn making_dirs(target: &Target, start: PathBuf, is_dir: bool) -> Vec<PathBuf> {
    match target {
        Target::Inside(..) => vec![start],
        Target::Entry(_) => {
            let parent = start.parent().unwrap_or(Path::new("/")).to_path_buf();
            // A directory that is there already is merged into, and the work is done in it.
            if is_dir { vec![parent, start] } else { vec![parent] }
        }
    }
}

fn local_fault(path: &Path, e: SysError) -> Fault {
    Fault::LocalFile { path: path.to_string_lossy().into_owned(), call: e.call, errno: e.errno }
}

fn inside_fault(container: &Container, path: &Path, e: SysError) -> Fault {
    if matches!(e.errno, libc::ENOENT | libc::ENOTDIR) {
        let path = path.to_string_lossy().into_owned();
        return Fault::NoSuchPath { container: container.name.clone(), path };
    }
    Fault::step("cp", SysError { calls: Vec::new(), ..e })
}

/// A copy under way: what its things are called until they take their place, and the note of it.
struct UnderWay {
    note: Note,
    temp: Option<Temp>,
}

impl UnderWay {
    fn unnoted(container: Option<&str>) -> UnderWay {
        // What nobody else calls a file.
        let copy = format!(".docent-{}-{:x}", std::process::id(), crate::event::now_us());
        UnderWay { note: Note { copy, container: container.map(str::to_string), dir: PathBuf::new() }, temp: None }
    }

    fn begin(store: &Store, container: Option<&str>, dirs: &[PathBuf]) -> Result<UnderWay, Fault> {
        let step = |e| Fault::step("cp", e);
        let temp = Some(store.temporary_file().map_err(step)?);
        let under_way = UnderWay { temp, ..UnderWay::unnoted(container) };
        dirs.iter().try_for_each(|dir| under_way.announce(dir)).map_err(step)?;
        Ok(under_way)
    }

    /// Notes one more directory.
    fn announce(&self, dir: &Path) -> Result<(), SysError> {
        let Some(temp) = &self.temp else { return Ok(()) };
        let mut line = serde_json::to_vec(&Note { dir: dir.to_path_buf(), ..self.note.clone() }).unwrap_or_default();
        line.push(b'\n');
        let mut file = temp.file();
        file.write_all(&line).map_err(|e| SysError::io("write", temp.path().to_string_lossy(), &e))
    }
}

/// Takes away what killed copies had not put in place, in containers and on the host. Gives what could not be taken away.
pub fn undo_abandoned(store: &Store, story: &mut Story) -> Vec<Fault> {
    let mut failed = Vec::new();
    for (temp, content) in store.adopt_abandoned(NOTE) {
        // The last line may not have been written to its end.
        for note in serde_json::Deserializer::from_slice(&content).into_iter::<Note>().map_while(Result::ok) {
            failed.extend(undo(store, story, &note).err());
        }
        drop(temp);
    }
    failed
}

fn undo(store: &Store, story: &mut Story, note: &Note) -> Result<(), Fault> {
    let dir = match &note.container {
        Some(id) => {
            let Some(container) = store.container_by_id(id)? else { return Ok(()) };
            let view = View::open(store, &container, story)?;
            view.directory(&note.dir)
        }
        None => walk::open(&note.dir),
    };
    // The directory itself may be gone by now, and what was in it too.
    let Ok(dir) = dir else { return Ok(()) };
    let mut calls = sys::Calls::default();
    let removed = copy_tree::remove_unfinished(&mut calls, dir.as_fd(), &note.copy, NOTED);
    if removed.map_err(|e| Fault::step("cp", e))? > 0 {
        let what = format!("{}/{}", note.dir.to_string_lossy(), note.copy);
        let mut event = Event::of(Fact::Cleaned { what }, calls.take());
        event.container = note.container.clone();
        story.tell(event);
    }
    Ok(())
}

/// `NAME:PATH` or a local path; `None` for `-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side {
    Container { name: String, path: PathBuf },
    Local(PathBuf),
}

/// Docker's rule: a colon makes it a container's path, unless the word begins with `/` or `.` (then it is local).
pub fn side(text: &str) -> Side {
    match text.split_once(':') {
        Some((name, path)) if !text.starts_with(['/', '.']) && !name.is_empty() => {
            Side::Container { name: name.into(), path: PathBuf::from(if path.is_empty() { "/" } else { path }) }
        }
        _ => Side::Local(PathBuf::from(text)),
    }
}

/// The container of a side, and its path there.
fn container_of(store: &Store, side: Side) -> Result<(Container, PathBuf), Fault> {
    match side {
        Side::Container { name, path } => Ok((store.find_container(&name)?, path)),
        Side::Local(_) => Err(Fault::CpDirection),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_told_apart_as_docker_does() {
        let container = |n: &str, p: &str| Side::Container { name: n.into(), path: p.into() };
        assert_eq!(side("web:/a/b"), container("web", "/a/b"));
        assert_eq!(side("web:"), container("web", "/"));
        assert_eq!(side("./a:b"), Side::Local("./a:b".into()));
        assert_eq!(side("/a:b"), Side::Local("/a:b".into()));
        assert_eq!(side("index.html"), Side::Local("index.html".into()));
    }
}
