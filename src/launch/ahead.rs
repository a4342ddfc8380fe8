//! A look ahead: what a launch will find in a root that is not mounted yet.
//!
//! A forecast must change nothing, and a mount is a change. So the layers are looked through as the kernel's overlay would:
//! from the top down, a whiteout or an opaque directory hiding what lies below. No symlink is followed but by its words, inside
//! the layers; nothing of the image is believed but what a launch would believe.

use super::spec::{Mount, Spec};
use super::{network, program, root, target, user};
use crate::container::Endpoint;
use crate::event::{Fact, Fault, SysError};
use crate::kernel::open;
use crate::store::Store;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What is known before a launch.
pub struct Ahead<'a> {
    /// None: no look is taken at the host.
    pub store: Option<&'a Store>,
    pub name: &'a str,
    /// None: the image is yet to be made.
    pub root: Option<Root>,
    /// PID 1, for an exec.
    pub init: Option<i32>,
}

pub enum Root {
    /// Each directory of a layer, the topmost first.
    Layers { dirs: Vec<OwnedFd>, opaque: String },
    /// Of a container that runs.
    Running(OwnedFd),
}

impl Root {
    /// The layers that an overlay will have, as far as they exist.
    pub fn of_layers<'a>(store: &Store, upper: &'a Path, lower: &'a [std::path::PathBuf]) -> Root {
        let all = std::iter::once(upper).chain(lower.iter().map(|p| p.as_path()));
        Root::Layers {
            dirs: all.filter_map(|dir| open::directory(dir).ok()).collect(),
            opaque: store.host().overlay_mark("opaque"),
        }
    }

    /// Opens what a process with this root finds at a path; to be read, a regular file alone. Docent is the host's root here,
    /// beyond the container's device controller, so what was looked at is what is opened, whatever takes its name meanwhile.
    pub fn open(&self, path: &Path, how: OFlags) -> Result<OwnedFd, SysError> {
        let found = match self {
            Root::Running(root) => open::in_root(root.as_fd(), path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?,
            Root::Layers { dirs, opaque } => merged(dirs, opaque, path)?,
        };
        if how.contains(OFlags::PATH) {
            return Ok(found);
        }
        let failed = |errno| SysError::new("open", path.to_string_lossy(), errno);
        // A file of /proc is the kernel's: to read one can do something already (kmsg).
        if target::kind(&found)? != FileType::RegularFile || target::in_proc(&found) {
            return Err(failed(libc::EACCES));
        }
        let link = format!("/proc/self/fd/{}", found.as_raw_fd());
        rustix::fs::open(&link, how | OFlags::CLOEXEC, Mode::empty()).map_err(|e| failed(e.raw_os_error()))
    }
}

/// As overlayfs looks a path up. The parts of a merged directory lie in one another's place, the topmost first.
fn merged(layers: &[OwnedFd], opaque: &str, path: &Path) -> Result<OwnedFd, SysError> {
    let failed = |errno| SysError::new("openat2", path.to_string_lossy(), errno);
    let copy = |fd: &OwnedFd| rustix::io::fcntl_dupfd_cloexec(fd, 3).map_err(|e| failed(e.raw_os_error()));
    let mut above: Vec<Vec<OwnedFd>> = vec![layers.iter().map(copy).collect::<Result<_, _>>()?];
    let mut left: VecDeque<OsString> = target::names(path).into();
    let mut links = 0;
    while let Some(name) = left.pop_front() {
        if name == ".." {
            above.truncate(above.len().saturating_sub(1).max(1));
            continue;
        }
        let (mut parts, mut entry) = (Vec::new(), None);
        for dir in above.last().into_iter().flatten() {
            let found = match open::beneath(dir.as_fd(), Path::new(&name), OFlags::PATH | OFlags::NOFOLLOW) {
                Err(e) if e.errno == libc::ENOENT => continue,
                found => found?,
            };
            let stat = rustix::fs::statat(&found, "", AtFlags::EMPTY_PATH).map_err(|e| failed(e.raw_os_error()))?;
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => {
                    let ends = has_mark(&found, opaque);
                    parts.push(found);
                    if ends {
                        break;
                    }
                }
                // A whiteout.
                FileType::CharacterDevice if stat.st_rdev == 0 => break,
                kind => {
                    entry = parts.is_empty().then_some((found, kind));
                    break;
                }
            }
        }
        match entry {
            Some((link, FileType::Symlink)) => {
                links += 1;
                if links > target::MOST_LINKS {
                    return Err(failed(libc::ELOOP));
                }
                let to = rustix::fs::readlinkat(&link, "", Vec::new()).map_err(|e| failed(e.raw_os_error()))?;
                let to = Path::new(OsStr::from_bytes(to.as_bytes()));
                if to.is_absolute() {
                    above.truncate(1);
                }
                target::names(to).into_iter().rev().for_each(|name| left.push_front(name));
            }
            Some((file, _)) if left.is_empty() => return Ok(file),
            Some(_) => return Err(failed(libc::ENOTDIR)),
            None if parts.is_empty() => return Err(failed(libc::ENOENT)),
            None => above.push(parts),
        }
    }
    above.last().and_then(|parts| parts.first()).ok_or_else(|| failed(libc::ENOENT)).and_then(copy)
}

/// The magic link leads to what is open, which a descriptor for a path alone (O_PATH) does not (fgetxattr: EBADF).
fn has_mark(dir: &OwnedFd, mark: &str) -> bool {
    let mut value = [0u8; 1];
    let path = format!("/proc/self/fd/{}", dir.as_raw_fd());
    rustix::fs::getxattr(&path, mark, &mut value[..]).is_ok_and(|n| n > 0)
}

impl Ahead<'_> {
    /// For what was meant, when it has failed already.
    pub fn blind(init: Option<i32>) -> Ahead<'static> {
        Ahead { store: None, name: "", root: None, init }
    }

    /// What the bridge will tell, and the address that will be given.
    pub fn network(&self, spec: &Spec) -> Result<(Vec<Fact>, Option<Endpoint>), Fault> {
        match self.store {
            Some(store) => network::forecast(store, &spec.id),
            None => Ok((vec![Fact::Bridge { name: None, address: None, ipv6_off: true }], None)),
        }
    }

    fn kind(&self, path: &Path) -> Result<Option<FileType>, SysError> {
        let Some(root) = &self.root else { return Ok(None) };
        target::kind(&root.open(path, OFlags::PATH)?).map(Some)
    }

    pub fn user(&self, spec: &Spec) -> Result<Option<user::User>, Fault> {
        let Some(root) = &self.root else { return Ok(None) };
        user::look_up(&|path, how| root.open(path, how), spec.process.user.as_deref().unwrap_or_default()).map(Some)
    }

    pub fn program(&self, spec: &Spec) -> Result<Option<String>, Fault> {
        let Some(root) = &self.root else { return Ok(None) };
        let user = self.user(spec)?.unwrap_or_else(user::User::root);
        // A relative path begins in the working directory.
        let from = Path::new(&spec.process.cwd);
        let open = |path: &Path| root.open(&from.join(path), OFlags::PATH);
        program::find(&spec.process, &spec.id, &open, &|file| program::executable_by(file, &user)).map(Some)
    }

    /// The directory of the root that a file system will be mounted on, told where it is yet to be made.
    pub fn mount_point(&self, name: &str) -> Result<Option<Fact>, Fault> {
        // What lies below /dev is docent's own.
        if name.contains('/') {
            return Ok(None);
        }
        let Some(Root::Layers { dirs, .. }) = &self.root else { return Ok(None) };
        let top = Path::new(name);
        let how = OFlags::PATH | OFlags::NOFOLLOW;
        for layer in dirs {
            match open::beneath(layer.as_fd(), top, how).and_then(|found| target::kind(&found)) {
                Ok(FileType::Directory) => return Ok(None),
                Ok(_) => {
                    return Err(Fault::NotOrdinary { target: format!("/{name}"), kind: root::kind_at(name).into() });
                }
                Err(_) => {}
            }
        }
        Ok(Some(Fact::MountPoint { path: format!("/{name}") }))
    }

    /// A file of the container's directory, and the place that is made for it.
    pub fn bind(&self, mount: &Mount, read_only: bool) -> Result<Vec<Fact>, Fault> {
        let place = Path::new(mount.destination);
        let mut facts = Vec::new();
        match self.kind(place) {
            Err(e) if e.errno == libc::ENOENT => {
                facts.extend(self.directories(place.parent().unwrap_or(Path::new("/")))?);
                facts.push(Fact::MountPoint { path: target::shown(place) });
            }
            Ok(Some(FileType::Directory)) => {
                let source = mount.source.to_string_lossy().into_owned();
                return Err(Fault::OtherType { target: target::shown(place), source });
            }
            _ => {}
        }
        facts.push(root::bind_fact(&mount.source, mount.destination, read_only, true));
        Ok(facts)
    }

    /// The directories of a path that are yet to be made; the path may turn out to lead nowhere.
    pub fn directories(&self, path: &Path) -> Result<Vec<Fact>, Fault> {
        let bad = |errno| Fault::BadWorkdir { path: target::shown(path), errno };
        let mut missing = Vec::new();
        for part in path.ancestors().filter(|p| p.file_name().is_some()) {
            match self.kind(part) {
                Ok(None | Some(FileType::Directory)) => break,
                Ok(Some(_)) => return Err(bad(libc::ENOTDIR)),
                Err(e) if e.errno == libc::ENOENT => missing.push(Fact::MountPoint { path: target::shown(part) }),
                Err(e) => return Err(bad(e.errno)),
            }
        }
        missing.reverse();
        Ok(missing)
    }
}

/// Stands where only the making of a container gives an id or a name.
pub const UNKNOWN: &str = "…";

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn layers_are_looked_through_as_the_kernel_does() {
        let dir = tempfile::tempdir().expect("tempdir");
        let at = |path: &str| dir.path().join(path);
        for path in ["low/bin", "low/usr/bin", "low/etc", "low/gone", "mid/etc", "top/etc"] {
            std::fs::create_dir_all(at(path)).expect(path);
        }
        for file in ["low/usr/bin/sh", "low/etc/old", "low/gone/x", "mid/etc/file", "top/etc/file", "low/hidden"] {
            std::fs::write(at(file), file).expect(file);
        }
        std::fs::remove_dir(at("low/bin")).expect("bin");
        symlink("usr/bin", at("low/bin")).expect("link");
        symlink("/../etc/file", at("top/link")).expect("link");
        symlink("loop", at("top/loop")).expect("link");
        let device = |path: &str| {
            let kind = FileType::CharacterDevice;
            rustix::fs::mknodat(rustix::fs::CWD, at(path), kind, Mode::RUSR, 0)
        };
        let rooted = rustix::process::geteuid().is_root() && device("mid/gone").is_ok() && device("top/hidden").is_ok();
        let open = |path: &Path| open::directory(path).expect("layer");
        let opaque = "trusted.overlay.opaque";
        let dirs = vec![open(&at("top")), open(&at("mid")), open(&at("low"))];
        let root = Root::Layers { dirs, opaque: opaque.into() };
        let read = |path: &str| {
            root.open(Path::new(path), OFlags::RDONLY)
                .map_err(|e| e.errno)
                .map(|fd| std::io::read_to_string(std::fs::File::from(fd)).unwrap_or_default())
        };
        assert_eq!(read("/bin/sh"), Ok("low/usr/bin/sh".into()));
        assert_eq!(read("link"), Ok("top/etc/file".into()));
        assert_eq!(read("etc/../bin/./sh"), Ok("low/usr/bin/sh".into()));
        assert_eq!(read("etc/old"), Ok("low/etc/old".into()));
        assert_eq!((read("loop"), read("none")), (Err(libc::ELOOP), Err(libc::ENOENT)));
        assert_eq!(read("etc/old/x"), Err(libc::ENOTDIR));
        if rooted {
            assert_eq!((read("gone/x"), read("hidden")), (Err(libc::ENOENT), Err(libc::ENOENT)));
            rustix::fs::setxattr(at("mid/etc"), opaque, b"y", rustix::fs::XattrFlags::empty()).expect("opaque");
            assert_eq!((read("etc/old"), read("etc/file")), (Err(libc::ENOENT), Ok("top/etc/file".into())));
        }
    }
    #[test]
    fn nothing_but_a_regular_file_is_opened_whatever_took_the_name_of_one() {
        let dir = tempfile::tempdir().expect("tempdir");
        let at = |path: &str| dir.path().join(path);
        std::fs::write(at("file"), "file").expect("file");
        rustix::fs::mknodat(rustix::fs::CWD, at("fifo"), FileType::Fifo, Mode::RUSR, 0).expect("fifo");
        let null = (FileType::CharacterDevice, rustix::fs::makedev(1, 3));
        let device = rustix::fs::mknodat(rustix::fs::CWD, at("device"), null.0, Mode::RUSR, null.1).is_ok();
        let root = || open::directory(dir.path()).expect("root");
        for root in [Root::Running(root()), Root::Layers { dirs: vec![root()], opaque: String::new() }] {
            let read = |path: &str| root.open(Path::new(path), OFlags::RDONLY | OFlags::NONBLOCK).map_err(|e| e.errno);
            assert!(read("file").is_ok());
            assert_eq!(read("fifo").err(), Some(libc::EACCES));
            assert!(!device || read("device").err() == Some(libc::EACCES));
        }
        let host = Root::Running(open::directory(Path::new("/")).expect("root"));
        let read = |path: &str| host.open(Path::new(path), OFlags::RDONLY).map_err(|e| e.errno);
        assert_eq!(read("proc/version").err(), Some(libc::EACCES));
    }

    /// As a container would that exchanges its /etc/passwd with a device: another file each time that it is looked at.
    #[test]
    fn a_user_is_not_read_from_what_took_the_name_of_passwd() {
        let dir = tempfile::tempdir().expect("tempdir");
        let at = |path: &str| dir.path().join(path);
        std::fs::create_dir(at("etc")).expect("etc");
        std::fs::write(at("etc/passwd"), "web:x:33:33::/:\n").expect("passwd");
        rustix::fs::mknodat(rustix::fs::CWD, at("etc/evil"), FileType::Fifo, Mode::RUSR, 0).expect("fifo");
        let root = Root::Running(open::directory(dir.path()).expect("root"));
        let swap = |path: &Path, how| {
            let found = root.open(path, how);
            if found.is_ok() && path.ends_with("passwd") {
                let how = rustix::fs::RenameFlags::EXCHANGE;
                let (cwd, evil) = (rustix::fs::CWD, at("etc/evil"));
                rustix::fs::renameat_with(cwd, &evil, cwd, at("etc/passwd"), how).expect("exchange");
            }
            found
        };
        let refused = SysError::new("open", "etc/passwd", libc::EACCES);
        assert_eq!(user::look_up(&swap, "web"), Err(Fault::step("user", refused)));
    }
}
