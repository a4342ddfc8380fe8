//! Copies of files and trees between two directories that are known by descriptor.
//!
//! One side belongs to a container, which may rename and link while we walk: every step opens one name beneath a directory
//! that is already open, never following a symlink there (CVE-2018-15664, CVE-2026-41568), and what is opened is what was
//! looked at. A file or a new directory takes its place by rename, so the old content or the new is there, never half of it;
//! until then it lies in the directory that the copy began in, so that a killed copy's remains are found without a search.

use super::open::{self, Seen};
use super::sys::{Answer, Calls, quoted};
use super::walk::{self, DIRECTORY, Walk};
use crate::event::SysError;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags, ResolveFlags, Stat, Timespec, Timestamps};
use std::ffi::{OsStr, OsString};
use std::fs::File;
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
}

/// A directory that is copied into, and its path for people.
#[derive(Clone, Copy)]
struct Spot<'a> {
    dir: BorrowedFd<'a>,
    shown: &'a str,
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
        let found = self.look(from, name)?;
        let spot = Spot { dir: to, shown };
        if found.kind() != FileType::Directory {
            return self.replace(calls, &found, spot, spot, new);
        }
        let source = self.open(&found, DIRECTORY)?;
        match self.existing(to, new)? {
            Some(target) => self.contents(calls, source, (target, below(shown, new))),
            None => self.appear(calls, source, &found.stat, spot, spot, new),
        }
    }

    /// Everything in one directory into another, which is there.
    pub fn contents(&mut self, calls: &mut Calls, from: OwnedFd, to: (OwnedFd, String)) -> Result<(), SysError> {
        self.tree(calls, from, to, false)
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
            let found = self.look(from.here(), &name)?;
            let spot = Spot { dir: to.here(), shown: &shown };
            let making = match scratch.last() {
                Some((_, dir, shown)) if !fresh => Spot { dir: dir.as_fd(), shown },
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
        making: Spot<'_>,
        spot: Spot<'_>,
        new: &OsStr,
    ) -> Result<(), SysError> {
        let temporary = self.temporary();
        let made = self.directory(calls, making, &temporary).and_then(|target| {
            let filled = dup(target.as_fd())?;
            self.tree(calls, source, (filled, below(making.shown, &temporary)), true)?;
            self.own_fd(calls, target.as_fd(), new, stat)
        });
        self.take_place(calls, made, making, &temporary, spot, new)
    }

    /// Something other than a directory, instead of what may be there.
    fn replace(
        &mut self,
        calls: &mut Calls,
        found: &Seen,
        making: Spot<'_>,
        spot: Spot<'_>,
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
        making: Spot<'_>,
        temporary: &OsStr,
        spot: Spot<'_>,
        new: &OsStr,
    ) -> Result<(), SysError> {
        let _as_writer = self.as_writer()?;
        let placed = made.and_then(|()| {
            let done = rustix::fs::renameat_with(making.dir, temporary, spot.dir, new, RenameFlags::empty());
            let args = || format!("<{}>, {}, <{}>, {}, 0", making.shown, quoted(temporary), spot.shown, quoted(new));
            self.note(calls, "renameat2", args, new, done)
        });
        placed.inspect_err(|_| {
            // A later command tries again.
            walk::remove(&mut Calls::default(), making.dir, temporary, 0).unwrap_or(());
        })
    }

    /// Anything but a directory, under a name that is free.
    fn make(&mut self, calls: &mut Calls, found: &Seen, spot: Spot<'_>, name: &OsStr) -> Result<(), SysError> {
        let stat = &found.stat;
        let _as_writer = match found.kind() {
            FileType::RegularFile => return self.file(calls, found, spot, name),
            FileType::Socket => return Err(SysError::new("mknodat", name.to_string_lossy(), libc::EOPNOTSUPP)),
            _ => self.as_writer()?,
        };
        if found.kind() == FileType::Symlink {
            let target = found.target()?;
            let done = rustix::fs::symlinkat(&target, spot.dir, name);
            let args = || format!("{}, <{}>, {}", quoted(&target), spot.shown, quoted(name));
            self.note(calls, "symlinkat", args, name, done)?;
        } else {
            let mode = Mode::from_raw_mode(stat.st_mode & 0o7777);
            let done = rustix::fs::mknodat(spot.dir, name, found.kind(), mode, stat.st_rdev);
            self.note(calls, "mknodat", || format!("<{}>, {}", spot.shown, quoted(name)), name, done)?;
        }
        // What a writer makes is the writer's already.
        if self.writer.is_none() {
            self.own(calls, spot, name, stat)?;
        }
        self.times(calls, spot, name, stat)
    }

    fn file(&mut self, calls: &mut Calls, found: &Seen, spot: Spot<'_>, name: &OsStr) -> Result<(), SysError> {
        let mut source = {
            let _as_reader = self.as_reader()?;
            found.content()?
        };
        let how = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let made = {
            let _as_writer = self.as_writer()?;
            rustix::fs::openat(spot.dir, name, how, Mode::from_raw_mode(0o600))
        };
        let args = || format!("<{}>, {}, O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0600", spot.shown, quoted(name));
        let mut target = File::from(self.note(calls, "openat", args, name, made)?);
        self.sum.bytes += std::io::copy(&mut source, &mut target)
            .map_err(|e| SysError::io("copy_file_range", name.to_string_lossy(), &e))?;
        self.own_fd(calls, target.as_fd(), name, &found.stat)
    }

    /// What is to be copied next, counted.
    fn look(&mut self, dir: BorrowedFd<'_>, name: &OsStr) -> Result<Seen, SysError> {
        self.sum.entries += 1;
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
        open::beneath(dir, Path::new(name), DIRECTORY)
    }

    /// The directory of this name, if there is one.
    fn existing(&self, dir: BorrowedFd<'_>, name: &OsStr) -> Result<Option<OwnedFd>, SysError> {
        if !stat_here(dir, name).is_ok_and(|s| kind(&s) == FileType::Directory) {
            return Ok(None);
        }
        let _as_writer = self.as_writer()?;
        open::beneath(dir, Path::new(name), DIRECTORY).map(Some)
    }

    fn is_mount(&self, dir: BorrowedFd<'_>, name: &OsStr) -> bool {
        let opened = open::within(dir, Path::new(name), OFlags::PATH, ResolveFlags::NO_XDEV);
        opened.is_err_and(|e| e.errno == libc::EXDEV)
    }

    fn directory(&mut self, calls: &mut Calls, spot: Spot<'_>, name: &OsStr) -> Result<OwnedFd, SysError> {
        let _as_writer = self.as_writer()?;
        let done = rustix::fs::mkdirat(spot.dir, name, Mode::from_raw_mode(0o700));
        self.note(calls, "mkdirat", || format!("<{}>, {}, 0700", spot.shown, quoted(name)), name, done)?;
        open::beneath(spot.dir, Path::new(name), DIRECTORY)
    }

    fn as_reader(&self) -> Result<Option<super::userfiles::AsUser>, SysError> {
        self.reader.map(super::userfiles::AsUser::new).transpose()
    }

    fn as_writer(&self) -> Result<Option<super::userfiles::AsUser>, SysError> {
        self.writer.map(super::userfiles::AsUser::new).transpose()
    }

    /// Owner, mode and times of a file by its own descriptor.
    fn own_fd(&mut self, calls: &mut Calls, fd: BorrowedFd<'_>, name: &OsStr, stat: &Stat) -> Result<(), SysError> {
        let (uid, gid) = self.owner(stat);
        if (uid, gid) != (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw()) {
            let done =
                rustix::fs::fchown(fd, Some(rustix::fs::Uid::from_raw(uid)), Some(rustix::fs::Gid::from_raw(gid)));
            self.note(calls, "fchown", || format!("<{}>, {uid}, {gid}", name.to_string_lossy()), name, done)?;
        }
        let mode = stat.st_mode & 0o7777;
        let done = rustix::fs::fchmod(fd, Mode::from_raw_mode(mode));
        self.note(calls, "fchmod", || format!("<{}>, 0{mode:o}", name.to_string_lossy()), name, done)?;
        let done = rustix::fs::futimens(fd, &timestamps(stat));
        self.note(calls, "utimensat", || format!("<{}>", name.to_string_lossy()), name, done)
    }

    fn own(&mut self, calls: &mut Calls, spot: Spot<'_>, name: &OsStr, stat: &Stat) -> Result<(), SysError> {
        let (uid, gid) = self.owner(stat);
        if (uid, gid) == (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw()) {
            return Ok(());
        }
        let done = rustix::fs::chownat(
            spot.dir,
            name,
            Some(rustix::fs::Uid::from_raw(uid)),
            Some(rustix::fs::Gid::from_raw(gid)),
            AtFlags::SYMLINK_NOFOLLOW,
        );
        self.note(calls, "fchownat", || format!("<{}>, {}, {uid}, {gid}", spot.shown, quoted(name)), name, done)
    }

    fn times(&mut self, calls: &mut Calls, spot: Spot<'_>, name: &OsStr, stat: &Stat) -> Result<(), SysError> {
        let done = rustix::fs::utimensat(spot.dir, name, &timestamps(stat), AtFlags::SYMLINK_NOFOLLOW);
        self.note(calls, "utimensat", || format!("<{}>, {}", spot.shown, quoted(name)), name, done)
    }

    fn owner(&self, stat: &Stat) -> (u32, u32) {
        match self.owner {
            Owner::Of(uid, gid) => (uid, gid),
            Owner::Source => (stat.st_uid, stat.st_gid),
        }
    }

    /// Writes a call down while the copy is small enough to be told call by call.
    fn note<T: Answer>(
        &self,
        calls: &mut Calls,
        call: &str,
        args: impl FnOnce() -> String,
        name: &OsStr,
        done: rustix::io::Result<T>,
    ) -> Result<T, SysError> {
        if self.sum.entries <= self.noted {
            return calls.saw(call, args(), name.to_string_lossy(), done);
        }
        done.map_err(|e| SysError::new(call, name.to_string_lossy(), e.raw_os_error()))
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
        let source = open::directory(&from).expect("open");
        let node = |name: &str, kind, device| {
            rustix::fs::mknodat(&source, name, kind, Mode::from_raw_mode(0o644), device).expect("mknod");
        };
        node("zero", FileType::CharacterDevice, rustix::fs::makedev(1, 5));
        node("fifo", FileType::Fifo, 0);
        let (target, over) = (open::directory(&to).expect("open"), AtomicBool::new(false));
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
