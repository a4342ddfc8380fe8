//! Where a copy comes from and where it goes: Docker's rules for links, slashes, `/.` and what is there already. The copy itself
//! and its forecast both ask here.
//!
//! A container renames and links while it is looked at: each name is looked up in a directory that is held, and never followed
//! there.

use super::{Options, inside_fault, local_fault};
use crate::container::Container;
use crate::engine::view::{View, absolute};
use crate::event::{Fault, SysError};
use crate::kernel::callers_files::CallersFiles;
use crate::kernel::{copy_tree, resolve};
use crate::launch::ahead::Root;
use rustix::fs::{FileType, OFlags};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// A directory that is open, and a name in it.
pub struct Place<D = OwnedFd> {
    pub dir: D,
    pub name: OsString,
    /// The whole path, for people and for the story.
    pub shown: PathBuf,
}

/// What a destination turned out to be.
pub enum Target<D = OwnedFd> {
    /// Make or replace this entry.
    Entry(Place<D>),
    /// Into this directory.
    Inside(D, PathBuf),
}

/// What is copied.
pub struct Source<D = OwnedFd> {
    pub place: Place<D>,
    pub is_dir: bool,
    /// Of a directory, only what is in it.
    pub contents: bool,
}

impl<D> Target<D> {
    pub fn shown(&self) -> &Path {
        match self {
            Target::Entry(place) => &place.shown,
            Target::Inside(_, path) => path,
        }
    }
}

impl<D> Source<D> {
    /// The name that it was given by: not `.`, and not a link's target's.
    fn name(&self) -> OsString {
        let shown = &self.place.shown;
        let path = absolute(&std::path::absolute(shown).unwrap_or(shown.clone()));
        path.file_name().map(OsStr::to_os_string).unwrap_or_else(|| self.place.name.clone())
    }
}

/// A container's files: mounted, or looked through where they are yet to be.
pub trait Files {
    type Dir;

    fn directory(&self, path: &Path) -> Result<Self::Dir, SysError>;

    /// Itself, were it a symlink.
    fn entry(&self, dir: &Self::Dir, name: &OsStr) -> Result<OwnedFd, SysError>;

    fn kind(&self, dir: &Self::Dir, name: &OsStr) -> Result<FileType, SysError> {
        let entry = self.entry(dir, name)?;
        let stat = rustix::fs::fstat(&entry);
        stat.map(|s| FileType::from_raw_mode(s.st_mode))
            .map_err(|e| SysError::new("fstat", name.to_string_lossy(), e.raw_os_error()))
    }

    /// Follows symlinks at the end of `path` as the container would, and gives the path they lead to: absolute, without `..`.
    fn follow(&self, path: &Path) -> Result<PathBuf, SysError> {
        let mut path = absolute(path);
        for _ in 0..40 {
            let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Ok(path) };
            // Nothing there to follow: the caller will find out by itself.
            let Ok(entry) = self.directory(parent).and_then(|dir| self.entry(&dir, name)) else { return Ok(path) };
            let Ok(to) = rustix::fs::readlinkat(&entry, "", Vec::new()) else { return Ok(path) };
            path = absolute(&parent.join(OsString::from_vec(to.into_bytes())));
        }
        Err(SysError::new("openat2", path.to_string_lossy(), libc::ELOOP))
    }
}

impl Files for View {
    type Dir = OwnedFd;

    fn directory(&self, path: &Path) -> Result<OwnedFd, SysError> {
        View::directory(self, path)
    }

    fn entry(&self, dir: &OwnedFd, name: &OsStr) -> Result<OwnedFd, SysError> {
        resolve::beneath(dir.as_fd(), Path::new(name), OFlags::PATH | OFlags::NOFOLLOW)
    }
}

impl Files for Root {
    /// Without links.
    type Dir = PathBuf;

    fn directory(&self, path: &Path) -> Result<PathBuf, SysError> {
        Root::directory(self, path)
    }

    fn entry(&self, dir: &PathBuf, name: &OsStr) -> Result<OwnedFd, SysError> {
        Root::entry(self, dir, name)
    }
}

/// What is to be copied out of a container.
pub fn container_source<F: Files>(
    files: &F,
    container: &Container,
    path: &Path,
    options: Options,
) -> Result<Source<F::Dir>, Fault> {
    let fault = |e| inside_fault(container, path, e);
    let (contents, slash) = copy_tree::endings(path);
    let follows = contents || slash || options.follow;
    let real = if follows { files.follow(path).map_err(fault)? } else { absolute(path) };
    let dir = files.directory(real.parent().unwrap_or(Path::new("/"))).map_err(fault)?;
    let name = real.file_name().unwrap_or(OsStr::new(".")).to_os_string();
    let is_dir = files.kind(&dir, &name).map_err(fault)? == FileType::Directory;
    if (contents || slash) && !is_dir {
        return Err(Fault::NotADirectory { path: path.to_string_lossy().into_owned() });
    }
    Ok(Source { place: Place { dir, name, shown: absolute(path) }, is_dir, contents })
}

/// What is to be copied into a container.
pub fn local_source(files: &CallersFiles, path: &Path, options: Options) -> Result<Source, Fault> {
    let (contents, slash) = copy_tree::endings(path);
    let fault = |e: SysError| local_fault(path, e);
    let meta = if contents || slash || options.follow { files.metadata(path) } else { files.symlink_metadata(path) }
        .map_err(fault)?;
    if meta.is_dir() {
        let dir = files.open_dir(path).map_err(fault)?;
        let place = Place { dir, name: OsString::from("."), shown: path.to_path_buf() };
        return Ok(Source { place, is_dir: true, contents });
    }
    if slash {
        return Err(Fault::NotADirectory { path: path.to_string_lossy().into_owned() });
    }
    let mut real = path.to_path_buf();
    if options.follow {
        for _ in 0..40 {
            match files.read_link(&real) {
                Ok(to) => real = real.parent().unwrap_or(Path::new("")).join(to),
                Err(_) => break,
            }
        }
    }
    let parent = real.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let dir = files.open_dir(parent).map_err(fault)?;
    let name = real
        .file_name()
        .map(OsStr::to_os_string)
        .ok_or_else(|| local_fault(path, SysError::new("open", path.to_string_lossy(), libc::EINVAL)))?;
    let is_dir = kind_here(&dir, &name) == Some(FileType::Directory);
    Ok(Source { place: Place { dir, name, shown: path.to_path_buf() }, is_dir, contents })
}

/// Where a copy goes in a container.
pub fn container_target<F: Files>(
    files: &F,
    container: &Container,
    path: &Path,
    source: &Source,
) -> Result<Target<F::Dir>, Fault> {
    let (_, slash) = copy_tree::endings(path);
    let real = files.follow(path).map_err(|e| inside_fault(container, path, e))?;
    match files.directory(&real) {
        Ok(dir) if source.contents => Ok(Target::Inside(dir, real)),
        Ok(dir) => {
            let name = source.name();
            let shown = real.join(&name);
            occupied(files.kind(&dir, &name).ok(), source.is_dir, &shown)?;
            Ok(Target::Entry(Place { dir, name, shown }))
        }
        Err(e) if e.errno == libc::ENOTDIR && slash => {
            Err(Fault::NotADirectory { path: real.to_string_lossy().into_owned() })
        }
        Err(_) => {
            let parent = real.parent().unwrap_or(Path::new("/"));
            let dir = files.directory(parent).map_err(|e| inside_fault(container, parent, e))?;
            let name = real.file_name().unwrap_or(OsStr::new(".")).to_os_string();
            let there = files.kind(&dir, &name).ok();
            if there.is_none() && slash && !source.is_dir {
                return Err(Fault::NoSuchPath {
                    container: container.name.clone(),
                    path: path.to_string_lossy().into_owned(),
                });
            }
            occupied(there, source.is_dir, &real)?;
            Ok(Target::Entry(Place { dir, name, shown: real }))
        }
    }
}

/// Where a copy goes on this machine.
pub fn local_target<D>(files: &CallersFiles, path: &Path, source: &Source<D>) -> Result<Target, Fault> {
    let (_, slash) = copy_tree::endings(path);
    let fault = |e: SysError| local_fault(path, e);
    match files.metadata(path) {
        Ok(meta) if meta.is_dir() => {
            let dir = files.open_dir(path).map_err(fault)?;
            if source.contents {
                return Ok(Target::Inside(dir, path.to_path_buf()));
            }
            let name = source.name();
            let shown = path.join(&name);
            occupied(kind_here(&dir, &name), source.is_dir, &shown)?;
            Ok(Target::Entry(Place { dir, name, shown }))
        }
        other => {
            // A file is there, or nothing.
            let wrong = if source.is_dir { other.is_ok() } else { slash };
            if wrong {
                return Err(Fault::NotADirectory { path: path.to_string_lossy().into_owned() });
            }
            let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let dir = files.open_dir(parent).map_err(|e| local_fault(parent, e))?;
            let name = path.file_name().unwrap_or(OsStr::new(".")).to_os_string();
            Ok(Target::Entry(Place { dir, name, shown: path.to_path_buf() }))
        }
    }
}

/// A directory never takes a file's place, nor a file a directory's.
fn occupied(there: Option<FileType>, is_dir: bool, shown: &Path) -> Result<(), Fault> {
    match there.map(|kind| kind == FileType::Directory) {
        Some(dir) if dir != is_dir => Err(Fault::NotADirectory { path: shown.to_string_lossy().into_owned() }),
        _ => Ok(()),
    }
}

fn kind_here(dir: &OwnedFd, name: &OsStr) -> Option<FileType> {
    copy_tree::stat_here(dir.as_fd(), name).ok().map(|s| FileType::from_raw_mode(s.st_mode))
}
