//! Unpacks one layer's tar stream into a directory, as overlayfs wants a lower directory to be.
//!
//! Nothing leaves the directory, whatever the archive says: every change is an *at call on a directory that was opened
//! beneath the root without following a link. A link on the way to a member is resolved as in a chroot (so Docker does),
//! and what it leads to is opened anew, again without links. Whiteouts become overlayfs' own: `.wh.x` a character device
//! 0:0 named x, `.wh..wh..opq` overlayfs' mark `opaque`. An image's own xattrs of overlayfs' names are escaped
//! (`overlay.overlay.*`, which the kernel itself shows as `overlay.*` since 6.7), so that no image can
//! place a redirect or an opaque mark.

use super::tarball::{Kind, LayerError, Member, Tar, too_large};
use crate::event::ArchiveFlaw;
use crate::kernel::host::{Host, OVERLAY_XATTRS};
use crate::kernel::sys::Calls;
use crate::kernel::{resolve, walk};
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, ResolveFlags, Stat, Timespec, Timestamps, Uid, XattrFlags};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Members of one layer. The largest public images have some 500,000 files in all.
pub const MAX_ENTRIES: u64 = 4_000_000;
/// Directories deep. Real trees end near 40; whoever removes a tree recursively holds a descriptor for each level, and
/// 1,024 of those is the usual limit.
pub const MAX_DEPTH: usize = 256;
/// Bytes of names of directories, whose times are set last: some 500,000 directories.
const MAX_REMEMBERED: usize = 32 << 20;

const WHITEOUT: &[u8] = b".wh.";

/// What one layer came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    pub entries: u64,
    /// Sum of the files' sizes.
    pub bytes: u64,
}

/// Unpacks `input` beneath `root`, an empty directory that nobody else writes. `lowers` are the directories of the layers
/// below, the top first: a parent directory that the archive lacks takes its metadata from there, else it is 0755.
///
/// # Errors
/// The archive's flaw, or the input's own error. What was unpacked until then stays for the caller to remove.
pub fn apply(input: impl Read, root: OwnedFd, lowers: &[PathBuf], host: &Host) -> Result<Applied, LayerError> {
    let mut layer = Unpacker {
        opaque: host.overlay_mark("opaque"),
        root: Rc::new(root),
        lowers,
        opened: None,
        last: None,
        times: BTreeMap::new(),
        remembered: 0,
        done: Applied { entries: 0, bytes: 0 },
        buffer: vec![0; 128 << 10],
    };
    layer.inherit(b"", &layer.root.clone()).map_err(|e| write_flaw("/", e))?;
    let mut tar = Tar::new(input);
    while let Some(member) = tar.next()? {
        layer.done.entries += 1;
        if layer.done.entries > MAX_ENTRIES {
            return Err(too_large("entries", MAX_ENTRIES));
        }
        layer.member(&member, &mut tar)?;
    }
    tar.drain()?;
    layer.set_directory_times();
    Ok(layer.done)
}

struct Unpacker<'a> {
    /// The xattr of a directory that hides what is below it.
    opaque: String,
    root: Rc<OwnedFd>,
    lowers: &'a [PathBuf],
    opened: Option<Vec<OwnedFd>>,
    /// The directory used last: members of one directory come one after the other, and a member changes nothing of the
    /// way to itself.
    last: Option<(Vec<u8>, Place)>,
    times: BTreeMap<Vec<u8>, Timestamps>,
    remembered: usize,
    done: Applied,
    buffer: Vec<u8>,
}

/// An open directory of the layer and its true path below the root.
#[derive(Clone)]
struct Place {
    path: Vec<u8>,
    fd: Rc<OwnedFd>,
}

impl Place {
    fn child(&self, name: &[u8]) -> Vec<u8> {
        if self.path.is_empty() { name.to_vec() } else { [&self.path, &b"/"[..], name].concat() }
    }

    /// A path for calls that take no directory descriptor; its last part is not followed by those used here.
    fn proc(&self, name: &[u8]) -> PathBuf {
        Path::new(&format!("/proc/self/fd/{}", self.fd.as_raw_fd())).join(OsStr::from_bytes(name))
    }
}

impl Unpacker<'_> {
    fn member<R: Read>(&mut self, m: &Member, tar: &mut Tar<R>) -> Result<(), LayerError> {
        let path = clean(&m.path, &m.name())?;
        let Some((&name, dir)) = path.split_last() else {
            // The root itself: "./".
            return match m.kind {
                Kind::Directory => self.directory_metadata(m, Vec::new(), &self.root.clone()),
                _ => Err(bad(m, "root")),
            };
        };
        let place = self.parent(dir, m)?;
        if let Some(hidden) = name.strip_prefix(WHITEOUT) {
            return self.whiteout(hidden, &place, m);
        }
        if m.kind == Kind::File {
            // Nearly always nothing of the name is there yet: then this is the only look at it.
            match create(&place, name) {
                Ok(fd) => return self.file(m, &fd, tar),
                Err(Errno::EXIST) => {}
                Err(e) => return Err(write(m, e)),
            }
        }
        let existing = status(&place, name).map_err(|e| write(m, e))?;
        let keep = m.kind == Kind::Directory && existing.as_ref().is_some_and(is_dir);
        let covered = existing.as_ref().is_some_and(is_whiteout);
        let target = if m.kind == Kind::HardLink { Some(self.link_target(m)?) } else { None };
        if let Some(stat) = &existing
            && !keep
        {
            if let Some((_, _, found)) = &target
                && (found.st_dev, found.st_ino) == (stat.st_dev, stat.st_ino)
            {
                return Ok(());
            }
            remove(&place, name).map_err(|e| write(m, e))?;
        }
        match m.kind {
            Kind::File => {
                let fd = create(&place, name).map_err(|e| write(m, e))?;
                self.file(m, &fd, tar)
            }
            Kind::Directory => {
                if !keep {
                    rustix::fs::mkdirat(&place.fd, name, Mode::RWXU).map_err(|e| write(m, e))?;
                }
                let fd = Rc::new(open_dir(&place.fd, name).map_err(|e| write(m, e))?);
                if keep {
                    forget_xattrs(&fd).map_err(|e| write(m, e))?;
                }
                if covered {
                    // Deleted and made again in one layer: nothing of the lower one shows through.
                    self.make_opaque(&fd).map_err(|e| write(m, e))?;
                }
                self.directory_metadata(m, place.child(name), &fd)
            }
            Kind::HardLink => match target {
                Some((dir, base, _)) => rustix::fs::linkat(&dir, base.as_slice(), &place.fd, name, AtFlags::empty())
                    .map_err(|e| write(m, e)),
                None => Err(bad(m, "link")),
            },
            Kind::Symlink => {
                if m.link.is_empty() {
                    return Err(bad(m, "link"));
                }
                rustix::fs::symlinkat(m.link.as_slice(), &place.fd, name).map_err(|e| write(m, e))?;
                self.node_metadata(m, &place, name).map_err(|e| write(m, e))
            }
            Kind::CharDevice | Kind::BlockDevice | Kind::Fifo => {
                let (kind, device) = match m.kind {
                    Kind::CharDevice => (FileType::CharacterDevice, rustix::fs::makedev(m.device.0, m.device.1)),
                    Kind::BlockDevice => (FileType::BlockDevice, rustix::fs::makedev(m.device.0, m.device.1)),
                    _ => (FileType::Fifo, 0),
                };
                rustix::fs::mknodat(&place.fd, name, kind, Mode::RUSR, device).map_err(|e| write(m, e))?;
                self.node_metadata(m, &place, name).map_err(|e| write(m, e))
            }
            Kind::Other(flag) => Err(bad(m, &format!("type {:?}", char::from(flag)))),
        }
    }

    /// `.wh.x` deletes x of the layers below; it never touches what this layer itself holds.
    fn whiteout(&mut self, hidden: &[u8], place: &Place, m: &Member) -> Result<(), LayerError> {
        if hidden == b".wh..opq" {
            return self.make_opaque(&place.fd).map_err(|e| write(m, e));
        }
        if hidden.starts_with(WHITEOUT) {
            // Bookkeeping of AUFS (`.wh..wh.plnk`), which Docker skips too.
            return Ok(());
        }
        if matches!(hidden, b"" | b"." | b"..") {
            return Err(bad(m, "whiteout"));
        }
        match status(place, hidden).map_err(|e| write(m, e))? {
            None => rustix::fs::mknodat(&place.fd, hidden, FileType::CharacterDevice, Mode::empty(), 0)
                .map_err(|e| write(m, e)),
            // It was made anew in this layer, so only what lies below is hidden.
            Some(stat) if is_dir(&stat) => {
                open_dir(&place.fd, hidden).and_then(|fd| self.make_opaque(&fd)).map_err(|e| write(m, e))
            }
            Some(_) => Ok(()),
        }
    }

    fn file<R: Read>(&mut self, m: &Member, fd: &OwnedFd, tar: &mut Tar<R>) -> Result<(), LayerError> {
        match &m.pieces {
            None => {
                let copied = self.copy(m, u64::MAX, fd, tar)?;
                if copied != m.size {
                    return Err(ArchiveFlaw::Truncated.into());
                }
            }
            Some(pieces) => {
                rustix::fs::ftruncate(fd, m.size).map_err(|e| write(m, e))?;
                for &(offset, length) in pieces {
                    rustix::fs::seek(fd, rustix::fs::SeekFrom::Start(offset)).map_err(|e| write(m, e))?;
                    self.copy(m, length, fd, tar)?;
                }
            }
        }
        self.done.bytes = self.done.bytes.saturating_add(m.size);
        own(fd, m).and_then(|()| rustix::fs::futimens(fd, &times(m.mtime))).map_err(|e| write(m, e))
    }

    fn copy<R: Read>(&mut self, m: &Member, most: u64, fd: &OwnedFd, tar: &mut Tar<R>) -> Result<u64, LayerError> {
        let mut copied = 0u64;
        while copied < most {
            let want = (most - copied).min(self.buffer.len() as u64) as usize;
            let n = tar.content(self.buffer.get_mut(..want).unwrap_or_default())?;
            if n == 0 {
                break;
            }
            let mut rest = self.buffer.get(..n).unwrap_or_default();
            while !rest.is_empty() {
                let written = rustix::io::write(fd, rest).map_err(|e| write(m, e))?;
                rest = rest.get(written..).unwrap_or_default();
            }
            copied += n as u64;
        }
        Ok(copied)
    }

    /// Owner, mode, xattrs and time of what cannot be opened without effect: links, devices, fifos.
    fn node_metadata(&self, m: &Member, place: &Place, name: &[u8]) -> rustix::io::Result<()> {
        let (uid, gid) = (Some(Uid::from_raw(m.uid)), Some(Gid::from_raw(m.gid)));
        rustix::fs::chownat(&place.fd, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)?;
        if m.kind != Kind::Symlink {
            // It is no link: this process has just made it, and nobody else writes here.
            rustix::fs::chmodat(&place.fd, name, Mode::from_raw_mode(m.mode), AtFlags::empty())?;
        }
        for (key, value) in &m.xattrs {
            tolerate(rustix::fs::lsetxattr(place.proc(name), escaped(key).as_slice(), value, XattrFlags::empty()))?;
        }
        rustix::fs::utimensat(&place.fd, name, &times(m.mtime), AtFlags::SYMLINK_NOFOLLOW)
    }

    fn directory_metadata(&mut self, m: &Member, path: Vec<u8>, fd: &OwnedFd) -> Result<(), LayerError> {
        own(fd, m).map_err(|e| write(m, e))?;
        self.remember(path, times(m.mtime))
    }

    fn remember(&mut self, path: Vec<u8>, when: Timestamps) -> Result<(), LayerError> {
        self.remembered += path.len();
        if self.remembered > MAX_REMEMBERED {
            return Err(too_large("directory names", MAX_REMEMBERED as u64));
        }
        self.times.insert(path, when);
        Ok(())
    }

    /// Last, since every entry made in a directory changes its time. One that is gone again needs none.
    fn set_directory_times(&mut self) {
        for (path, when) in std::mem::take(&mut self.times) {
            if let Ok(fd) = beneath(&self.root, &path, OFlags::RDONLY) {
                // A file system that keeps no times (there are such network ones) still holds the layer.
                rustix::fs::futimens(&fd, &when).unwrap_or_default();
            }
        }
    }

    /// Opens the directory that a member lies in, and makes what is missing of it.
    fn parent(&mut self, dir: &[&[u8]], m: &Member) -> Result<Place, LayerError> {
        let asked = dir.join(&b"/"[..]);
        if let Some((known, place)) = &self.last
            && *known == asked
        {
            return Ok(place.clone());
        }
        let place = match beneath(&self.root, &asked, OFlags::RDONLY) {
            Ok(fd) => Place { path: asked.clone(), fd: Rc::new(fd) },
            Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR) => self.walk(dir, m)?,
            Err(e) => return Err(write(m, e)),
        };
        self.last = Some((asked, place.clone()));
        Ok(place)
    }

    fn walk(&mut self, dir: &[&[u8]], m: &Member) -> Result<Place, LayerError> {
        let mut place = Place { path: Vec::new(), fd: self.root.clone() };
        for name in dir {
            let existing = status(&place, name).map_err(|e| write(m, e))?;
            let path = place.child(name);
            place = match existing {
                Some(stat) if is_dir(&stat) => {
                    Place { fd: Rc::new(open_dir(&place.fd, name).map_err(|e| write(m, e))?), path }
                }
                Some(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink => self.follow(&path, m)?,
                Some(stat) if !is_whiteout(&stat) => return Err(bad(m, "parent is not a directory")),
                covered => {
                    if covered.is_some() {
                        remove(&place, name).map_err(|e| write(m, e))?;
                    }
                    rustix::fs::mkdirat(&place.fd, *name, Mode::RWXU).map_err(|e| write(m, e))?;
                    let fd = Rc::new(open_dir(&place.fd, name).map_err(|e| write(m, e))?);
                    if covered.is_some() {
                        self.make_opaque(&fd).map_err(|e| write(m, e))?;
                        rustix::fs::fchmod(&fd, Mode::from_raw_mode(0o755)).map_err(|e| write(m, e))?;
                    } else if let Some(when) = self.inherit(&path, &fd).map_err(|e| write(m, e))? {
                        self.remember(path.clone(), when)?;
                    }
                    Place { path, fd }
                }
            };
            if place.path.split(|&b| b == b'/').count() > MAX_DEPTH {
                return Err(too_large("depth", MAX_DEPTH as u64));
            }
        }
        Ok(place)
    }

    /// Where a link of this layer leads, as in a chroot. The place is then opened anew by its true path.
    fn follow(&self, link: &[u8], m: &Member) -> Result<Place, LayerError> {
        let escape = || LayerError::Flaw(ArchiveFlaw::Escape { member: m.name() });
        let how = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let found = open2(&self.root, link, OFlags::PATH | OFlags::DIRECTORY, how).map_err(|_| escape())?;
        let shown = |fd: &OwnedFd| std::fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd()));
        let (root, found) = (shown(&self.root).map_err(|_| escape())?, shown(&found).map_err(|_| escape())?);
        let path = found.strip_prefix(&root).map_err(|_| escape())?.as_os_str().as_bytes().to_vec();
        let fd = beneath(&self.root, &path, OFlags::RDONLY).map_err(|_| escape())?;
        Ok(Place { path, fd: Rc::new(fd) })
    }

    /// The file that a hard link names: its directory, its name there, its status.
    fn link_target(&self, m: &Member) -> Result<(OwnedFd, Vec<u8>, Stat), LayerError> {
        let path = clean(&m.link, &m.name())?;
        let (base, dir) = path.split_last().ok_or_else(|| bad(m, "link"))?;
        let how = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let fd = open2(&self.root, &dir.join(&b"/"[..]), OFlags::PATH | OFlags::DIRECTORY, how)
            .map_err(|_| bad(m, "link to nothing"))?;
        match rustix::fs::statat(&fd, *base, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if is_dir(&stat) => Err(bad(m, "link to a directory")),
            Ok(stat) => Ok((fd, base.to_vec(), stat)),
            Err(_) => Err(bad(m, "link to nothing")),
        }
    }

    fn make_opaque(&self, fd: &OwnedFd) -> rustix::io::Result<()> {
        rustix::fs::fsetxattr(fd, &self.opaque, b"y", XattrFlags::empty())
    }

    /// Gives a directory that the archive does not describe the metadata of the one that it covers; its time is for last.
    fn inherit(&mut self, path: &[u8], fd: &OwnedFd) -> rustix::io::Result<Option<Timestamps>> {
        let Some(lower) = self.lower(path) else {
            rustix::fs::fchmod(fd, Mode::from_raw_mode(0o755))?;
            return Ok(None);
        };
        let stat = rustix::fs::fstat(&lower)?;
        rustix::fs::fchown(fd, Some(Uid::from_raw(stat.st_uid)), Some(Gid::from_raw(stat.st_gid)))?;
        rustix::fs::fchmod(fd, Mode::from_raw_mode(stat.st_mode & 0o7777))?;
        for name in xattrs(&lower)?.iter().filter(|n| !overlays(n)) {
            let mut value = vec![0u8; 65536];
            let n = rustix::fs::fgetxattr(&lower, name.as_slice(), value.as_mut_slice())?;
            let value = value.get(..n).unwrap_or_default();
            tolerate(rustix::fs::fsetxattr(fd, name.as_slice(), value, XattrFlags::empty()))?;
        }
        Ok(Some(times((stat.st_mtime, stat.st_mtime_nsec as u32))))
    }

    /// The directory of this path that shows through from the layers below.
    fn lower(&mut self, path: &[u8]) -> Option<OwnedFd> {
        let opened = self.lowers.iter().filter_map(|path| walk::open(path).ok());
        let opened = self.opened.get_or_insert_with(|| opened.collect());
        for lower in opened.iter() {
            match beneath(lower, path, OFlags::RDONLY) {
                Ok(fd) => return Some(fd),
                Err(Errno::NOENT) => {
                    let ends = path.iter().enumerate().filter(|(_, b)| **b == b'/').map(|(i, _)| i).chain([0]);
                    let mut above = ends.filter_map(|end| beneath(lower, path.get(..end)?, OFlags::RDONLY).ok());
                    if above.any(|fd| rustix::fs::fgetxattr(&fd, &self.opaque, &mut [0u8; 1][..]).is_ok()) {
                        return None;
                    }
                }
                // A whiteout or a file covers everything further down.
                Err(_) => return None,
            }
        }
        None
    }
}

/// The parts of a member's name. A leading slash means the layer's root, as Docker takes it; `..` may not lead above it.
fn clean<'a>(path: &'a [u8], member: &str) -> Result<Vec<&'a [u8]>, LayerError> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|&b| b == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                if parts.pop().is_none() {
                    return Err(ArchiveFlaw::Escape { member: member.into() }.into());
                }
            }
            _ if part.contains(&0) => {
                return Err(ArchiveFlaw::BadMember { member: member.into(), why: "name".into() }.into());
            }
            _ => parts.push(part),
        }
    }
    if parts.len() > MAX_DEPTH { Err(too_large("depth", MAX_DEPTH as u64)) } else { Ok(parts) }
}

fn open2(root: impl AsFd, path: &[u8], flags: OFlags, how: ResolveFlags) -> rustix::io::Result<OwnedFd> {
    let path = if path.is_empty() { b"." } else { path };
    resolve::openat2(root, Path::new(OsStr::from_bytes(path)), flags, how)
}

/// Opens a directory by its true path: a link anywhere in it is ELOOP.
fn beneath(root: impl AsFd, path: &[u8], flags: OFlags) -> rustix::io::Result<OwnedFd> {
    open2(root, path, flags | OFlags::DIRECTORY, ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS)
}

/// A new file: never one that exists, never through a link.
fn create(place: &Place, name: &[u8]) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(&place.fd, name, flags, Mode::RUSR | Mode::WUSR)
}

/// Removes whatever has this name, and what is below it.
fn remove(place: &Place, name: &[u8]) -> rustix::io::Result<()> {
    walk::remove(&mut Calls::default(), place.fd.as_fd(), OsStr::from_bytes(name), 0)
        .map_err(|e| Errno::from_raw_os_error(e.errno))
}

fn open_dir(dir: &OwnedFd, name: &[u8]) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(dir, name, flags, Mode::empty())
}

fn status(place: &Place, name: &[u8]) -> rustix::io::Result<Option<Stat>> {
    match rustix::fs::statat(&place.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(e) => Err(e),
    }
}

fn is_dir(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}

fn is_whiteout(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice && stat.st_rdev == 0
}

fn xattrs(fd: &OwnedFd) -> rustix::io::Result<Vec<Vec<u8>>> {
    let mut list = vec![0u8; 65536];
    let n = match rustix::fs::flistxattr(fd, list.as_mut_slice()) {
        Err(Errno::OPNOTSUPP) => 0,
        other => other?,
    };
    list.truncate(n);
    Ok(list.split(|&b| b == 0).filter(|name| !name.is_empty()).map(<[u8]>::to_vec).collect())
}

/// A directory described twice has what is said last; overlayfs' own marks stay.
fn forget_xattrs(fd: &OwnedFd) -> rustix::io::Result<()> {
    for name in xattrs(fd)?.iter().filter(|n| !overlays(n)) {
        rustix::fs::fremovexattr(fd, name.as_slice())?;
    }
    Ok(())
}

fn overlays(name: &[u8]) -> bool {
    OVERLAY_XATTRS.iter().any(|prefix| name.starts_with(prefix.as_bytes()))
}

fn escaped(name: &[u8]) -> Vec<u8> {
    for prefix in OVERLAY_XATTRS {
        if let Some(rest) = name.strip_prefix(prefix.as_bytes()) {
            return [prefix.as_bytes(), b"overlay.", rest].concat();
        }
    }
    name.to_vec()
}

/// An xattr that this file system or this kind of file cannot have is left out, as Docker does: EPERM is the answer for a
/// `user.*` one of a symlink (xattr(7)).
fn tolerate(set: rustix::io::Result<()>) -> rustix::io::Result<()> {
    match set {
        Err(Errno::OPNOTSUPP | Errno::PERM) => Ok(()),
        other => other,
    }
}

/// Owner, mode and xattrs. The owner first: chown(2) clears set-id bits and security.capability.
fn own(fd: &OwnedFd, m: &Member) -> rustix::io::Result<()> {
    rustix::fs::fchown(fd, Some(Uid::from_raw(m.uid)), Some(Gid::from_raw(m.gid)))?;
    rustix::fs::fchmod(fd, Mode::from_raw_mode(m.mode))?;
    m.xattrs.iter().try_for_each(|(name, value)| {
        tolerate(rustix::fs::fsetxattr(fd, escaped(name).as_slice(), value, XattrFlags::empty()))
    })
}

fn times(mtime: (i64, u32)) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_OMIT },
        last_modification: Timespec { tv_sec: mtime.0, tv_nsec: i64::from(mtime.1) },
    }
}

fn write(m: &Member, e: Errno) -> LayerError {
    write_flaw(&m.name(), e)
}

fn write_flaw(member: &str, e: Errno) -> LayerError {
    ArchiveFlaw::Write { member: member.into(), errno: e.raw_os_error() }.into()
}

fn bad(m: &Member, why: &str) -> LayerError {
    ArchiveFlaw::BadMember { member: m.name(), why: why.into() }.into()
}

#[cfg(test)]
mod tests;
