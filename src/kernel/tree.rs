//! Copies of files and trees between two directories that are known by descriptor.
//!
//! One side belongs to a container, which may rename and link while we walk: every step opens one name beneath a directory
//! that is already open, never following a symlink there (CVE-2018-15664, CVE-2026-41568). A file takes its place by rename,
//! so the old content or the new is there, never half of it.

use super::open;
use super::sys::{Answer, Calls, quoted};
use crate::fact::SysError;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, RenameFlags, Stat, Timespec, Timestamps};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
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
    /// Calls of the first entries are written down one by one; a tree of thousands is told by its sum.
    pub noted: u64,
    /// The directory that is copied into at the moment, for people.
    pub shown: String,
    pub sum: Sum,
}

pub fn stat_here(dir: BorrowedFd<'_>, name: &OsStr) -> Result<Stat, SysError> {
    rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)
        .map_err(|e| SysError::new("newfstatat", name.to_string_lossy(), e.raw_os_error()))
}

fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

impl Copy<'_> {
    /// Copies `name` of `from` to `to`/`new`. A directory that is there already is merged into.
    pub fn entry(
        &mut self,
        calls: &mut Calls,
        from: BorrowedFd<'_>,
        name: &OsStr,
        to: BorrowedFd<'_>,
        new: &OsStr,
    ) -> Result<(), SysError> {
        let stat = stat_here(from, name)?;
        self.sum.entries += 1;
        if kind(&stat) == FileType::Directory {
            return self.directory(calls, from, name, to, new, &stat);
        }
        let temporary = OsString::from(format!("{}.{}", self.token, self.sum.entries));
        match kind(&stat) {
            FileType::RegularFile => self.file(calls, from, name, to, &temporary, &stat)?,
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(from, name, Vec::new())
                    .map_err(|e| SysError::new("readlinkat", name.to_string_lossy(), e.raw_os_error()))?;
                let target = OsString::from_vec(target.into_bytes());
                let _as_writer = self.as_writer()?;
                let done = rustix::fs::symlinkat(&target, to, &temporary);
                self.note(
                    calls,
                    "symlinkat",
                    format!("{}, <{}>, {}", quoted(&target), self.shown, quoted(&temporary)),
                    new,
                    done,
                )?;
            }
            FileType::Socket => return Err(SysError::new("mknodat", name.to_string_lossy(), libc::EOPNOTSUPP)),
            other => {
                let mode = Mode::from_raw_mode(stat.st_mode & 0o7777);
                let _as_writer = self.as_writer()?;
                let done = rustix::fs::mknodat(to, &temporary, other, mode, stat.st_rdev);
                self.note(calls, "mknodat", format!("<{}>, {}", self.shown, quoted(&temporary)), new, done)?;
            }
        }
        let _as_writer = self.as_writer()?;
        if kind(&stat) != FileType::RegularFile {
            // What a writer makes is the writer's already.
            if self.writer.is_none() {
                self.own(calls, to, &temporary, &stat)?;
            }
            self.times(calls, to, &temporary, &stat)?;
        }
        let done = rustix::fs::renameat_with(to, &temporary, to, new, RenameFlags::empty());
        let args = format!("<{0}>, {1}, <{0}>, {2}, 0", self.shown, quoted(&temporary), quoted(new));
        self.note(calls, "renameat2", args, new, done).inspect_err(|_| {
            rustix::fs::unlinkat(to, &temporary, AtFlags::empty()).unwrap_or(());
        })
    }

    fn file(
        &mut self,
        calls: &mut Calls,
        from: BorrowedFd<'_>,
        name: &OsStr,
        to: BorrowedFd<'_>,
        temporary: &OsStr,
        stat: &Stat,
    ) -> Result<(), SysError> {
        // O_NONBLOCK: if a fifo has taken the file's place since, its opening does not hang.
        let mut source = File::from(self.open_source(from, name, OFlags::RDONLY | OFlags::NONBLOCK)?);
        let how = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let as_writer = self.as_writer()?;
        let made = rustix::fs::openat(to, temporary, how, Mode::from_raw_mode(0o600));
        drop(as_writer);
        let args =
            format!("<{}>, {}, O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0600", self.shown, quoted(temporary));
        let made = self.note(calls, "openat", args, name, made)?;
        let mut target = File::from(made);
        let finished = std::io::copy(&mut source, &mut target)
            .map_err(|e| SysError::io("copy_file_range", name.to_string_lossy(), &e))
            .and_then(|bytes| {
                self.sum.bytes += bytes;
                self.own_fd(calls, target.as_fd(), temporary, stat)
            });
        let _as_writer = self.as_writer()?;
        finished.inspect_err(|_| {
            rustix::fs::unlinkat(to, temporary, AtFlags::empty()).unwrap_or(());
        })
    }

    /// Opens something of the source, with the reader's rights.
    pub fn open_source(&self, dir: BorrowedFd<'_>, name: &OsStr, how: OFlags) -> Result<OwnedFd, SysError> {
        let _as_reader = self.reader.map(super::userfiles::AsUser::new).transpose()?;
        open::beneath(dir, Path::new(name), how)
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
            self.note(calls, "fchown", format!("<{}>, {uid}, {gid}", name.to_string_lossy()), name, done)?;
        }
        let mode = stat.st_mode & 0o7777;
        let done = rustix::fs::fchmod(fd, Mode::from_raw_mode(mode));
        self.note(calls, "fchmod", format!("<{}>, 0{mode:o}", name.to_string_lossy()), name, done)?;
        let done = rustix::fs::futimens(fd, &timestamps(stat));
        self.note(calls, "utimensat", format!("<{}>", name.to_string_lossy()), name, done)
    }

    fn own(&mut self, calls: &mut Calls, dir: BorrowedFd<'_>, name: &OsStr, stat: &Stat) -> Result<(), SysError> {
        let (uid, gid) = self.owner(stat);
        if (uid, gid) == (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw()) {
            return Ok(());
        }
        let done = rustix::fs::chownat(
            dir,
            name,
            Some(rustix::fs::Uid::from_raw(uid)),
            Some(rustix::fs::Gid::from_raw(gid)),
            AtFlags::SYMLINK_NOFOLLOW,
        );
        self.note(calls, "fchownat", format!("<{}>, {}, {uid}, {gid}", self.shown, quoted(name)), name, done)
    }

    fn times(&mut self, calls: &mut Calls, dir: BorrowedFd<'_>, name: &OsStr, stat: &Stat) -> Result<(), SysError> {
        let done = rustix::fs::utimensat(dir, name, &timestamps(stat), AtFlags::SYMLINK_NOFOLLOW);
        self.note(calls, "utimensat", format!("<{}>, {}", self.shown, quoted(name)), name, done)
    }

    fn owner(&self, stat: &Stat) -> (u32, u32) {
        match self.owner {
            Owner::Of(uid, gid) => (uid, gid),
            Owner::Source => (stat.st_uid, stat.st_gid),
        }
    }

    fn directory(
        &mut self,
        calls: &mut Calls,
        from: BorrowedFd<'_>,
        name: &OsStr,
        to: BorrowedFd<'_>,
        new: &OsStr,
        stat: &Stat,
    ) -> Result<(), SysError> {
        let source = self.open_source(from, name, OFlags::RDONLY | OFlags::DIRECTORY)?;
        let there = stat_here(to, new).is_ok_and(|s| kind(&s) == FileType::Directory);
        if !there {
            let _as_writer = self.as_writer()?;
            let done = rustix::fs::mkdirat(to, new, Mode::from_raw_mode(0o700));
            self.note(calls, "mkdirat", format!("<{}>, {}, 0700", self.shown, quoted(new)), new, done)?;
        }
        let target = {
            let _as_writer = self.as_writer()?;
            open::beneath(to, Path::new(new), OFlags::RDONLY | OFlags::DIRECTORY)?
        };
        let above = self.shown.len();
        if !self.shown.ends_with('/') {
            self.shown.push('/');
        }
        self.shown.push_str(&new.to_string_lossy());
        self.contents(calls, source.as_fd(), target.as_fd())?;
        self.shown.truncate(above);
        if !there {
            self.own_fd(calls, target.as_fd(), new, stat)?;
        }
        Ok(())
    }

    /// Everything in one directory into another.
    pub fn contents(&mut self, calls: &mut Calls, from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<(), SysError> {
        for name in names(from)? {
            self.entry(calls, from, &name, to, &name)?;
        }
        Ok(())
    }

    /// Writes a call down while the copy is small enough to be told call by call.
    fn note<T: Answer>(
        &self,
        calls: &mut Calls,
        call: &str,
        args: String,
        name: &OsStr,
        done: rustix::io::Result<T>,
    ) -> Result<T, SysError> {
        if self.sum.entries <= self.noted {
            return calls.saw(call, args, name.to_string_lossy(), done);
        }
        done.map_err(|e| SysError::new(call, name.to_string_lossy(), e.raw_os_error()))
    }
}

/// Names in a directory, sorted, without `.` and `..`.
pub fn names(dir: BorrowedFd<'_>) -> Result<Vec<OsString>, SysError> {
    let err = |e: rustix::io::Errno| SysError::new("getdents64", "", e.raw_os_error());
    let mut all = Vec::new();
    for entry in Dir::read_from(dir).map_err(err)? {
        let entry = entry.map_err(err)?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            all.push(OsStr::from_bytes(name).to_os_string());
        }
    }
    all.sort();
    Ok(all)
}

fn timestamps(stat: &Stat) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: stat.st_atime, tv_nsec: stat.st_atime_nsec as i64 },
        last_modification: Timespec { tv_sec: stat.st_mtime, tv_nsec: stat.st_mtime_nsec as i64 },
    }
}

/// Removes entries whose names begin with `token`, below a directory: what a killed copy had not put in place.
pub fn remove_unfinished(calls: &mut Calls, dir: BorrowedFd<'_>, token: &str, deep: bool) -> Result<u64, SysError> {
    let mut removed = 0;
    for name in names(dir)? {
        if name.as_bytes().starts_with(token.as_bytes()) {
            let done = rustix::fs::unlinkat(dir, &name, AtFlags::empty());
            calls.saw("unlinkat", format!("{}, 0", quoted(&name)), name.to_string_lossy(), done)?;
            removed += 1;
        } else if deep && stat_here(dir, &name).is_ok_and(|s| kind(&s) == FileType::Directory) {
            let below = open::beneath(dir, Path::new(&name), OFlags::RDONLY | OFlags::DIRECTORY)?;
            removed += remove_unfinished(calls, below.as_fd(), token, deep)?;
        }
    }
    Ok(removed)
}

/// Whether a path's last part asks for a directory's contents (`dir/.`), and whether it ends in a slash.
pub fn endings(path: &Path) -> (bool, bool) {
    let bytes = path.as_os_str().as_bytes();
    (bytes == b"." || bytes.ends_with(b"/."), bytes.ends_with(b"/"))
}
