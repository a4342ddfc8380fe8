//! Copies of files and trees between two directories that are known by descriptor.
//!
//! One side belongs to a container, which may rename and link while we walk: every step opens one name beneath a directory
//! that is already open, never following a symlink there (CVE-2018-15664, CVE-2026-41568), and what is opened is what was
//! looked at. A file or a new directory takes its place by rename, so the old content or the new is there, never half of it;
//! until then it lies in the directory that the copy began in, so that a killed copy's remains are found without a search.

use super::files::{self, At};
use super::resolve::{self, Seen};
use super::sys::Calls;
use super::walk::{self, DIRECTORY, Walk};
use crate::event::SysError;
use rustix::fs::{AtFlags, FileType, OFlags, ResolveFlags, Stat, Timespec, Timestamps};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What a copy came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    pub entries: u64,
    /// Content of regular files.
    pub bytes: u64,
}

/// What has taken its place, by its path: the first few, and how many.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Placed {
    pub paths: Vec<String>,
    pub count: u64,
}

/// So many paths are named.
const NAMED: usize = 10;

/// Who owns what is made.
#[derive(Debug, Clone, Copy)]
pub enum Owner {
    /// This user and group.
    Of(u32, u32),
    /// As at the source (`cp -a`).
    Source,
}

/// How to copy.
pub struct Copy<'a> {
    pub owner: Owner,
    /// Opens the source with this user's file system rights: docent copies for a submission, which may be asking for
    /// what only docent can read.
    pub reader: Option<u32>,
    /// Makes what is made with this user's rights, for the same reason: no node of a device, nothing in a directory that only
    /// docent may write to.
    pub writer: Option<u32>,
    /// Begins the names of things that have not taken their place yet.
    pub token: &'a str,
    /// Is told of each directory, other than the one that the copy begins in, where such names are going to be made.
    pub announce: &'a dyn Fn(&str) -> Result<(), SysError>,
    /// Calls of the first entries are written down one by one; a tree of thousands is told by its sum.
    pub noted: u64,
    pub sum: Sum,
    pub placed: Placed,
}

/// One level of a tree under way: what is still to be copied of it, and where the path of its parent ends.
struct Level {
    rest: std::vec::IntoIter<OsString>,
    name: OsString,
    stat: Option<Stat>,
    above: usize,
}

pub fn stat_here(dir: BorrowedFd<'_>, name: &OsStr) -> Result<Stat, SysError> {
    rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)
        .map_err(|e| SysError::new("newfstatat", name.to_string_lossy(), e.raw_os_error()))
}

fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

impl Copy<'_> {
    /// Copies `name` of `from` to `to`/`new`; `shown` is the path of `to`. A directory that is there already is merged into.
    pub fn entry(
        &mut self,
        calls: &mut Calls,
        from: BorrowedFd<'_>,
        name: &OsStr,
        (to, shown): (BorrowedFd<'_>, &str),
        new: &OsStr,
    ) -> Result<(), SysError> {
        let done = self.one(calls, from, name, At { dir: to, shown }, new);
        calls.unwritten(false);
        done
    }

    fn one(
        &mut self,
        calls: &mut Calls,
        from: BorrowedFd<'_>,
        name: &OsStr,
        to: At<'_>,
        new: &OsStr,
    ) -> Result<(), SysError> {
        let found = self.look(calls, from, name)?;
        if found.kind() != FileType::Directory {
            return self.replace(calls, &found, to, to, new);
        }
        let source = self.open(&found, DIRECTORY)?;
        match self.existing(to.dir, new)? {
            Some(target) => self.tree(calls, source, (target, below(to.shown, new)), false),
            None => self.appear(calls, source, &found.stat, to, to, new),
        }
    }

    /// Everything in one directory into another, which is there.
    pub fn contents(&mut self, calls: &mut Calls, from: OwnedFd, to: (OwnedFd, String)) -> Result<(), SysError> {
        let done = self.tree(calls, from, to, false);
        calls.unwritten(false);
        done
    }

    /// Walks through a directory and all below it. In a `fresh` one, which nobody has been shown yet, everything is made under
    /// its own name; in others what is made takes its place by rename.
    fn tree(
        &mut self,
        calls: &mut Calls,
        from: OwnedFd,
        (to, mut shown): (OwnedFd, String),
        fresh: bool,
    ) -> Result<(), SysError> {
        // Where things are made until they take their place, one for each mount on the way: rename(2) does not cross one.
        let mut scratch = vec![(0, dup(to.as_fd())?, shown.clone())];
        let (mut from, mut to) = (Walk::at(from), Walk::at(to));
        let first = walk::names(from.here())?.into_iter();
        let mut levels = vec![Level { rest: first, name: OsString::new(), stat: None, above: 0 }];
        while let Some(level) = levels.last_mut() {
            let Some(name) = level.rest.next() else {
                let Some(done) = levels.pop() else { break };
                if let Some(stat) = &done.stat {
                    self.own_fd(calls, to.here(), &done.name, stat)?;
                }
                if !levels.is_empty() {
                    from.up()?;
                    to.up()?;
                    scratch.pop_if(|(depth, ..)| *depth == levels.len());
                    shown.truncate(done.above);
                }
                continue;
            };
            let found = self.look(calls, from.here(), &name)?;
            let spot = At { dir: to.here(), shown: &shown };
            let making = match scratch.last() {
                Some((_, dir, shown)) if !fresh => At { dir: dir.as_fd(), shown },
                _ => spot,
            };
            if found.kind() != FileType::Directory {
                if fresh {
                    self.make(calls, &found, spot, &name)?
                } else {
                    self.replace(calls, &found, making, spot, &name)?
                }
                continue;
            }
            let source = self.open(&found, DIRECTORY)?;
            let target =
                if fresh { Some(self.directory(calls, spot, &name)?) } else { self.existing(spot.dir, &name)? };
            let Some(target) = target else {
                self.appear(calls, source, &found.stat, making, spot, &name)?;
                continue;
            };
            let above = shown.len();
            if !shown.ends_with('/') {
                shown.push('/');
            }
            shown.push_str(&name.to_string_lossy());
            // A submission may be allowed to write here and not further up.
            if !fresh && (self.writer.is_some() || self.is_mount(to.here(), &name)) {
                (self.announce)(&shown)?;
                scratch.push((levels.len(), dup(target.as_fd())?, shown.clone()));
            }
            from.down(source)?;
            to.down(target)?;
            let rest = walk::names(from.here())?.into_iter();
            levels.push(Level { rest, name, stat: fresh.then_some(found.stat), above });
        }
        Ok(())
    }

    /// A directory that is not there yet, with all that belongs in it.
    fn appear(
        &mut self,
        calls: &mut Calls,
        source: OwnedFd,
        stat: &Stat,
        making: At<'_>,
        spot: At<'_>,
        new: &OsStr,
    ) -> Result<(), SysError> {
        let temporary = self.temporary();
        let made = self.directory(calls, making, &temporary).and_then(|target| {
            let filled = dup(target.as_fd())?;
            self.tree(calls, source, (filled, below(making.shown, &temporary)), true)?;
            self.own_fd(calls, target.as_fd(), &temporary, stat)
        });
        self.take_place(calls, made, making, &temporary, spot, new)
    }

    /// Something other than a directory, instead of what may be there.
    fn replace(
        &mut self,
        calls: &mut Calls,
        found: &Seen,
        making: At<'_>,
        spot: At<'_>,
        new: &OsStr,
    ) -> Result<(), SysError> {
        let temporary = self.temporary();
        let made = self.make(calls, found, making, &temporary);
        self.take_place(calls, made, making, &temporary, spot, new)
    }

    fn temporary(&self) -> OsString {
        OsString::from(format!("{}.{}", self.token, self.sum.entries))
    }

    /// What was made becomes what it should be, or goes.
    fn take_place(
        &mut self,
        calls: &mut Calls,
        made: Result<(), SysError>,
        making: At<'_>,
        temporary: &OsStr,
        spot: At<'_>,
        new: &OsStr,
    ) -> Result<(), SysError> {
        let _as_writer = self.as_writer()?;
        let placed = made.and_then(|()| files::renameat(calls, (making, temporary), (spot, new)));
        match placed {
            Ok(()) => {
                self.placed.count += 1;
                if self.placed.paths.len() < NAMED {
                    self.placed.paths.push(below(spot.shown, new));
                }
                Ok(())
            }
            Err(error) => {
                // A later command tries again.
                walk::remove(calls, making.dir, temporary, self.noted as usize).unwrap_or(());
                Err(error)
            }
        }
    }

    /// Anything but a directory, under a name that is free.
    fn make(&mut self, calls: &mut Calls, found: &Seen, spot: At<'_>, name: &OsStr) -> Result<(), SysError> {
        let stat = &found.stat;
        let _as_writer = match found.kind() {
            FileType::RegularFile => return self.file(calls, found, spot, name),
            FileType::Socket => return Err(SysError::new("mknodat", name.to_string_lossy(), libc::EOPNOTSUPP)),
            _ => self.as_writer()?,
        };
        if found.kind() == FileType::Symlink {
            files::symlinkat(calls, found.target()?, spot, name)?;
        } else {
            files::mknodat(calls, spot, name, found.kind(), stat.st_mode & 0o7777, stat.st_rdev)?;
        }
        // What a writer makes is the writer's already.
        if let Some(owner) = self.other_owner(stat).filter(|_| self.writer.is_none()) {
            files::chownat(calls, spot, name, owner)?;
        }
        files::utimensat(calls, spot, name, &timestamps(stat))
    }

    fn file(&mut self, calls: &mut Calls, found: &Seen, spot: At<'_>, name: &OsStr) -> Result<(), SysError> {
        let mut source = {
            let _as_reader = self.as_reader()?;
            found.content()?
        };
        let mut target = {
            let _as_writer = self.as_writer()?;
            files::create(calls, spot, name, 0o600)?
        };
        self.sum.bytes += std::io::copy(&mut source, &mut target)
            .map_err(|e| SysError::io("copy_file_range", name.to_string_lossy(), &e))?;
        self.own_fd(calls, target.as_fd(), name, &found.stat)
    }

    /// What is to be copied next, counted. Calls are written down one by one while the copy is small enough to be told so.
    fn look(&mut self, calls: &mut Calls, dir: BorrowedFd<'_>, name: &OsStr) -> Result<Seen, SysError> {
        self.sum.entries += 1;
        calls.unwritten(self.sum.entries > self.noted);
        let _as_reader = self.as_reader()?;
        Seen::beneath(dir, Path::new(name))
    }

    fn open(&self, found: &Seen, how: OFlags) -> Result<OwnedFd, SysError> {
        let _as_reader = self.as_reader()?;
        found.open(how)
    }

    /// Opens a directory of the source, with the reader's rights.
    pub fn open_source(&self, dir: BorrowedFd<'_>, name: &OsStr) -> Result<OwnedFd, SysError> {
        let _as_reader = self.as_reader()?;
        resolve::beneath(dir, Path::new(name), DIRECTORY)
    }

    /// The directory of this name, if there is one.
    fn existing(&self, dir: BorrowedFd<'_>, name: &OsStr) -> Result<Option<OwnedFd>, SysError> {
        if !stat_here(dir, name).is_ok_and(|s| kind(&s) == FileType::Directory) {
            return Ok(None);
        }
        let _as_writer = self.as_writer()?;
        resolve::beneath(dir, Path::new(name), DIRECTORY).map(Some)
    }

    fn is_mount(&self, dir: BorrowedFd<'_>, name: &OsStr) -> bool {
        let opened = resolve::within(dir, Path::new(name), OFlags::PATH, ResolveFlags::NO_XDEV);
        opened.is_err_and(|e| e.errno == libc::EXDEV)
    }

    fn directory(&mut self, calls: &mut Calls, spot: At<'_>, name: &OsStr) -> Result<OwnedFd, SysError> {
        let _as_writer = self.as_writer()?;
        files::mkdirat(calls, spot, name, 0o700)?;
        resolve::beneath(spot.dir, Path::new(name), DIRECTORY)
    }

    fn as_reader(&self) -> Result<Option<super::callers_files::AsUser>, SysError> {
        self.reader.map(super::callers_files::AsUser::new).transpose()
    }

    fn as_writer(&self) -> Result<Option<super::callers_files::AsUser>, SysError> {
        self.writer.map(super::callers_files::AsUser::new).transpose()
    }

    /// Owner, mode and times of a file by its own descriptor.
    fn own_fd(&self, calls: &mut Calls, fd: BorrowedFd<'_>, name: &OsStr, stat: &Stat) -> Result<(), SysError> {
        let name = name.to_string_lossy();
        let file = At { dir: fd, shown: &name };
        if let Some(owner) = self.other_owner(stat) {
            files::fchown(calls, file, owner)?;
        }
        files::fchmod(calls, file, stat.st_mode & 0o7777)?;
        files::futimens(calls, file, &timestamps(stat))
    }

    /// Who is to own it, if that is not who makes it.
    fn other_owner(&self, stat: &Stat) -> Option<(u32, u32)> {
        let owner = match self.owner {
            Owner::Of(uid, gid) => (uid, gid),
            Owner::Source => (stat.st_uid, stat.st_gid),
        };
        (owner != (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw())).then_some(owner)
    }
}

fn timestamps(stat: &Stat) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: stat.st_atime, tv_nsec: stat.st_atime_nsec as i64 },
        last_modification: Timespec { tv_sec: stat.st_mtime, tv_nsec: stat.st_mtime_nsec as i64 },
    }
}

fn dup(fd: BorrowedFd<'_>) -> Result<OwnedFd, SysError> {
    fd.try_clone_to_owned().map_err(|e| SysError::io("fcntl", "", &e))
}

fn below(shown: &str, name: &OsStr) -> String {
    format!("{}/{}", shown.trim_end_matches('/'), name.to_string_lossy())
}

/// Removes what a killed copy had not put in place in a directory: what is named by its token, and nothing else.
pub fn remove_unfinished(calls: &mut Calls, dir: BorrowedFd<'_>, token: &str, noted: usize) -> Result<u64, SysError> {
    let (mut removed, begin) = (0, format!("{token}."));
    for name in walk::names(dir)?.iter().filter(|name| name.as_bytes().starts_with(begin.as_bytes())) {
        walk::remove(calls, dir, name, noted)?;
        removed += 1;
    }
    Ok(removed)
}

/// Whether a path's last part asks for a directory's contents (`dir/.`), and whether it ends in a slash.
pub fn endings(path: &Path) -> (bool, bool) {
    let bytes = path.as_os_str().as_bytes();
    (bytes == b"." || bytes.ends_with(b"/."), bytes.ends_with(b"/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// A device that never ends, a FIFO that never begins, a link and a file take turns under one name while it is copied.
    #[test]
    fn what_is_swapped_meanwhile_is_copied_as_what_it_was_seen_to_be() {
        if !rustix::process::geteuid().is_root() {
            return eprintln!("SKIPPED (needs root): devices");
        }
        let dir = tempfile::tempdir().expect("tempdir");
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        for made in [&from, &to] {
            std::fs::create_dir(made).expect("mkdir");
        }
        std::fs::write(from.join("file"), "content").expect("write");
        std::os::unix::fs::symlink("/etc/passwd", from.join("link")).expect("symlink");
        let source = resolve::directory(&from).expect("open");
        let node = |name: &str, kind, device| {
            rustix::fs::mknodat(&source, name, kind, rustix::fs::Mode::from_raw_mode(0o644), device).expect("mknod");
        };
        node("zero", FileType::CharacterDevice, rustix::fs::makedev(1, 5));
        node("fifo", FileType::Fifo, 0);
        let (target, over) = (resolve::directory(&to).expect("open"), AtomicBool::new(false));
        let mut kinds = std::collections::BTreeMap::new();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for name in ["zero", "file", "fifo", "file", "link", "file"].iter().cycle() {
                    rustix::fs::linkat(&source, *name, &source, "next", AtFlags::empty()).expect("linkat");
                    rustix::fs::renameat(&source, "next", &source, "it").expect("renameat");
                    // Two names of one file are left as they are by rename(2).
                    rustix::fs::unlinkat(&source, "next", AtFlags::empty()).unwrap_or(());
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                }
            });
            for _ in 0..20_000 {
                let mut copy = Copy {
                    owner: Owner::Source,
                    reader: None,
                    writer: None,
                    token: ".docent-1-1",
                    announce: &|_| Ok(()),
                    noted: 0,
                    placed: Placed::default(),
                    sum: Sum::default(),
                };
                let name = OsStr::new("it");
                let done = copy.entry(&mut Calls::default(), source.as_fd(), name, (target.as_fd(), "/"), name);
                // Before the first turn there is nothing.
                let Ok(stat) = done.and_then(|()| stat_here(target.as_fd(), name)) else { continue };
                if kind(&stat) == FileType::RegularFile {
                    assert_eq!(stat.st_size, 7);
                }
                *kinds.entry(format!("{:?}", kind(&stat))).or_insert(0) += 1;
            }
            over.store(true, Ordering::Relaxed);
        });
        assert_eq!(kinds.len(), 4, "{kinds:?}");
    }
}
