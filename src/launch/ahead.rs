//! A look ahead: what a launch will find in a root that is not mounted yet.
//!
//! A forecast must change nothing, and a mount is a change. So the layers are looked through as the kernel's overlay would:
//! from the top down, a whiteout or an opaque directory hiding what lies below. No symlink is followed but by its words, inside
//! the layers; nothing of the image is believed but what a launch would believe.

use super::spec::{Mount, Spec};
use super::target::{Found, Look, Place};
use super::{elf, network, program, root, sequence, target, user};
use crate::container::{Endpoint, Port};
use crate::event::{Fact, Fault, SysError};
use crate::kernel::{ports, resolve};
use crate::store::Store;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What is known before a launch.
pub struct Ahead<'a> {
    /// None: no look is taken at the host.
    pub store: Option<&'a Store>,
    pub name: &'a str,
    /// None: the image is yet to be made.
    pub root: Option<Root>,
    /// PID 1, for an exec.
    pub init: Option<i32>,
    /// What the steps before will have made in the root.
    pub made: RefCell<BTreeSet<PathBuf>>,
    /// The ports that they will have published.
    pub published: RefCell<Vec<Port>>,
    /// Those of other containers that will run by then, by name.
    pub others: Vec<(String, Port)>,
}

pub enum Root {
    /// Each directory of a layer, the topmost first.
    Layers { dirs: Vec<OwnedFd>, opaque: String },
    /// Of a container that runs.
    Running(OwnedFd),
}

impl Root {
    /// The layers that an overlay will have. The write layer may be yet to be made.
    ///
    /// Errors: what the mount will say of a layer that is gone.
    pub fn of_layers(store: &Store, upper: &Path, lower: &[PathBuf]) -> Result<Root, Fault> {
        let mut dirs: Vec<OwnedFd> = resolve::directory(upper).into_iter().collect();
        for dir in lower {
            let object = format!("overlay lowerdir+={}", dir.display());
            dirs.push(
                resolve::directory(dir)
                    .map_err(|e| Fault::step("overlay", SysError::new("fsconfig", object, e.errno)))?,
            );
        }
        Ok(Root::Layers { dirs, opaque: store.host().overlay_mark("opaque") })
    }

    /// Looks at paths without links, in the order of a walk.
    fn look(&self) -> Box<Look<'_>> {
        match self {
            Root::Running(root) => Box::new(|path| target::entry(root.as_fd(), path)),
            Root::Layers { dirs, opaque } => {
                let mut merged = Merged { dirs, opaque, levels: vec![Ok((0..dirs.len()).collect())] };
                Box::new(move |path| merged.look(path))
            }
        }
    }

    /// The same, as what is launched will see it: docent's own mounts cover what the image has there, and /proc is another one
    /// for each process that looks.
    fn look_inside(&self) -> Box<Look<'_>> {
        let mounted: &[&str] = if matches!(self, Root::Running(_)) { &["proc"] } else { &["proc", "sys", "dev"] };
        let mut look = self.look();
        Box::new(move |path| {
            let covered = path.parent().is_some_and(|above| mounted.iter().any(|top| above.starts_with(top)));
            if covered { Ok(Found::Elsewhere) } else { look(path) }
        })
    }

    /// Where a path leads. Errors: those of an open.
    fn place(&self, path: &Path) -> Result<Place, SysError> {
        target::resolved(&mut *self.look_inside(), path)
            .map_err(|e| SysError::new("openat2", path.to_string_lossy(), e.errno))
    }

    /// What of a path without links is yet to be made.
    fn missing(&self, path: &Path) -> Vec<PathBuf> {
        let mut look = self.look();
        let mut all: Vec<&Path> = path.ancestors().filter(|p| p.file_name().is_some()).collect();
        all.reverse();
        all.into_iter().filter(|p| matches!(look(p), Ok(Found::Nothing))).map(Path::to_path_buf).collect()
    }

    /// The directory that a path leads to, as a path without links, for [`Root::entry`]. Errors: those of an open.
    pub fn directory(&self, path: &Path) -> Result<PathBuf, SysError> {
        let failed = |errno| SysError::new("openat2", path.to_string_lossy(), errno);
        let place = self.open(path, OFlags::PATH).and_then(|found| match target::kind(&found)? {
            FileType::Directory => target::resolved(&mut *self.look(), path),
            _ => Err(failed(libc::ENOTDIR)),
        });
        place.map(|place| place.path).map_err(|e| failed(e.errno))
    }

    /// What has this name in a directory: itself, were it a symlink.
    pub fn entry(&self, dir: &Path, name: &OsStr) -> Result<OwnedFd, SysError> {
        let (mut look, path) = (self.look(), dir.join(name));
        let mut above: Vec<&Path> = dir.ancestors().filter(|p| p.file_name().is_some()).collect();
        while let Some(dir) = above.pop() {
            drop(look(dir)?);
        }
        match look(if name == "." { dir } else { &path })? {
            Found::Entry(found) => Ok(found),
            _ => Err(SysError::new("openat2", path.to_string_lossy(), libc::ENOENT)),
        }
    }

    /// Opens what a process with this root finds at a path; to be read, a regular file alone. Docent is the host's root here,
    /// beyond the container's device controller, so what was looked at is what is opened, whatever takes its name meanwhile.
    pub fn open(&self, path: &Path, how: OFlags) -> Result<OwnedFd, SysError> {
        let found = match self {
            Root::Running(root) => resolve::in_root(root.as_fd(), path, OFlags::PATH)?,
            Root::Layers { .. } => match target::resolved(&mut *self.look(), path)?.found {
                Found::Entry(found) => found,
                _ => return Err(SysError::new("openat2", path.to_string_lossy(), libc::ENOENT)),
            },
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

    /// The same, without using it, where this user may go. Errors: EACCES.
    fn open_as(&self, path: &Path, user: &user::User) -> Result<OwnedFd, SysError> {
        let mut look = self.look_inside();
        let mut may_go = |path: &Path| {
            let found = look(path)?;
            match &found {
                Found::Entry(entry) if user.uid != 0 && target::kind(entry)? == FileType::Directory => {
                    program::executable_by(entry.as_fd(), user).map(|()| found)
                }
                _ => Ok(found),
            }
        };
        match target::resolved(&mut may_go, path)?.found {
            Found::Entry(found) => Ok(found),
            Found::Elsewhere if matches!(self, Root::Running(_)) => self.open(path, OFlags::PATH),
            _ => Err(SysError::new("openat2", path.to_string_lossy(), libc::ENOENT)),
        }
    }

    /// The errno of execve, by how the file begins: neither a program nor a script, a program without its loader, or a script
    /// without its interpreter (which may be a script in turn, execve(2)).
    fn loads(&self, path: &Path, from: &Path, user: &user::User, depth: u8) -> Result<(), i32> {
        let file = self.open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY).map_err(|e| e.errno)?;
        let (file, mut first) = (File::from(file), Vec::with_capacity(256));
        (&file).take(256).read_to_end(&mut first).map_err(|_| libc::EIO)?;
        let may_be_executed = |path: &Path| {
            let found = self.open_as(path, user).map_err(|e| e.errno)?;
            match target::kind(&found) {
                Ok(FileType::RegularFile) => program::executable_by(found.as_fd(), user).map_err(|e| e.errno),
                _ => Err(libc::EACCES),
            }
        };
        if first.starts_with(elf::MAGIC) {
            return elf::loader(&file).map_or(Ok(()), |loader| may_be_executed(&from.join(loader)));
        }
        let line = first.strip_prefix(b"#!").ok_or(libc::ENOEXEC)?;
        let mut words = line.split(|b| *b == b'\n').next().unwrap_or_default().split(|b| matches!(b, b' ' | b'\t' | 0));
        let interpreter = words.find(|word| !word.is_empty()).ok_or(libc::ENOEXEC)?;
        let path = from.join(OsStr::from_bytes(interpreter));
        may_be_executed(&path)?;
        if depth == 5 { Err(libc::ELOOP) } else { self.loads(&path, from, user, depth + 1) }
    }
}

/// As overlayfs looks a path up, name by name. The parts of a merged directory lie in one another's place, the topmost first.
struct Merged<'a> {
    dirs: &'a [OwnedFd],
    opaque: &'a str,
    /// For each directory on the way, from the root on: which layers have a part of it, or why there is none. No descriptor is
    /// kept: an image may have a hundred layers and a path a thousand names.
    levels: Vec<Result<Vec<usize>, i32>>,
}

impl Merged<'_> {
    /// All but the last of the path's names have been looked at before.
    fn look(&mut self, path: &Path) -> Result<Found, SysError> {
        let failed = |errno| SysError::new("openat2", path.to_string_lossy(), errno);
        let depth = path.components().count();
        let how = OFlags::PATH | OFlags::NOFOLLOW;
        if depth == 0 {
            let top = self.dirs.first().ok_or_else(|| failed(libc::ENOENT))?;
            return resolve::beneath(top.as_fd(), Path::new("."), how).map(Found::Entry);
        }
        self.levels.truncate(depth);
        let above = match self.levels.last() {
            Some(Ok(above)) => above.clone(),
            Some(Err(libc::ENOTDIR)) => return Err(failed(libc::ENOTDIR)),
            _ => Vec::new(),
        };
        let (mut parts, mut top) = (Vec::new(), None);
        for n in above {
            let found = match resolve::beneath(self.dirs[n].as_fd(), path, how) {
                Err(e) if e.errno == libc::ENOENT => continue,
                found => found?,
            };
            let stat = rustix::fs::statat(&found, "", AtFlags::EMPTY_PATH).map_err(|e| failed(e.raw_os_error()))?;
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => {
                    let opaque = has_mark(&found, self.opaque);
                    parts.push(n);
                    top.get_or_insert(found);
                    if opaque {
                        break;
                    }
                }
                // A whiteout.
                FileType::CharacterDevice if stat.st_rdev == 0 => break,
                _ if parts.is_empty() => {
                    self.levels.push(Err(libc::ENOTDIR));
                    return Ok(Found::Entry(found));
                }
                _ => break,
            }
        }
        self.levels.push(if parts.is_empty() { Err(libc::ENOENT) } else { Ok(parts) });
        Ok(top.map_or(Found::Nothing, Found::Entry))
    }
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
        let (made, published) = (RefCell::default(), RefCell::default());
        Ahead { store: None, name: "", root: None, init, made, published, others: Vec::new() }
    }

    /// Whether nobody is in the way of a port, who listens or will have been given it by then.
    pub fn publish(&self, port: &Port) -> Result<(), Fault> {
        let Some(number) = port.host_port else { return Ok(()) };
        let mut published = self.published.borrow_mut();
        let clashes = |other: &Port| other.host_port == Some(number) && ports::clash(other.host_ip, port.host_ip);
        if published.iter().chain(self.others.iter().map(|(_, port)| port)).any(clashes)
            || ports::taken(port.host_ip, number)
        {
            return Err(sequence::taken(port, &published, &self.others, self.store));
        }
        published.push(port.clone());
        Ok(())
    }

    /// What the bridge will tell, and the address that will be given.
    pub fn network(&self, spec: &Spec) -> Result<(Vec<Fact>, Option<Endpoint>), Fault> {
        match self.store {
            Some(store) => network::forecast(store, &spec.id),
            None => Ok((vec![Fact::Bridge { name: None, address: None, ipv6_off: true }], None)),
        }
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
        let open = |path: &Path| root.open_as(&from.join(path), &user);
        let may_execute = |file: BorrowedFd<'_>| program::executable_by(file, &user);
        let path = program::find(&spec.process, &spec.id, &open, &may_execute)?;
        root.loads(&from.join(&path), from, &user, 0).map_err(|errno| {
            let command = spec.process.argv.first().map(String::as_str).unwrap_or_default();
            program::not_executable(command, &spec.id, errno)
        })?;
        Ok(Some(path))
    }

    /// The directory of the root that a file system will be mounted on, told where it is yet to be made.
    pub fn mount_point(&self, name: &str) -> Result<Option<Fact>, Fault> {
        // What lies below /dev is docent's own.
        let Some(root) = self.root.as_ref().filter(|_| !name.contains('/')) else { return Ok(None) };
        let step = |e| Fault::step("mount", e);
        let path = Path::new(name);
        match root.look()(path).map_err(step)? {
            Found::Entry(found) if target::kind(&found).map_err(step)? != FileType::Directory => {
                Err(Fault::NotOrdinary { target: target::shown(path), kind: root::kind_at(name).into() })
            }
            Found::Nothing => Ok(self.made([path.into()]).pop()),
            _ => Ok(None),
        }
    }

    /// A file of the container's directory, and the place that is made for it.
    pub fn bind(&self, mount: &Mount, read_only: bool) -> Result<Vec<Fact>, Fault> {
        let (step, to) = (|e| Fault::step("bind", e), Path::new(mount.destination));
        let mut facts = Vec::new();
        if let Some(root) = &self.root {
            let place = root.place(to).map_err(step)?;
            match place.found {
                Found::Nothing => facts = self.made(root.missing(&place.path)),
                Found::Elsewhere if place.path.starts_with("proc") => {
                    return Err(Fault::InsideProc { target: target::shown(to) });
                }
                Found::Entry(found) if target::kind(&found).map_err(step)? == FileType::Directory => {
                    let source = mount.source.to_string_lossy().into_owned();
                    return Err(Fault::OtherType { target: target::shown(to), source });
                }
                _ => {}
            }
        }
        facts.push(root::bind_fact(&mount.source, mount.destination, read_only, true));
        Ok(facts)
    }

    /// The directories of a path that are yet to be made; the path may turn out to lead nowhere.
    pub fn directories(&self, path: &Path) -> Result<Vec<Fact>, Fault> {
        let Some(root) = &self.root else { return Ok(Vec::new()) };
        let bad = |errno| Fault::BadWorkdir { path: path.to_string_lossy().into_owned(), errno };
        let place = root.place(path).map_err(|e| bad(e.errno))?;
        match place.found {
            Found::Nothing => Ok(self.made(root.missing(&place.path))),
            Found::Entry(found) if target::kind(&found).map_err(|e| bad(e.errno))? != FileType::Directory => {
                Err(bad(libc::ENOTDIR))
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Each is made by the first step that needs it.
    fn made(&self, paths: impl IntoIterator<Item = PathBuf>) -> Vec<Fact> {
        let mut made = self.made.borrow_mut();
        let new = paths.into_iter().filter(|path| made.insert(path.clone()));
        new.map(|path| Fact::MountPoint { path: target::shown(&path) }).collect()
    }
}

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
        let open = |path: &Path| resolve::directory(path).expect("layer");
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
        let root = || resolve::directory(dir.path()).expect("root");
        for root in [Root::Running(root()), Root::Layers { dirs: vec![root()], opaque: String::new() }] {
            let read = |path: &str| root.open(Path::new(path), OFlags::RDONLY | OFlags::NONBLOCK).map_err(|e| e.errno);
            assert!(read("file").is_ok());
            assert_eq!(read("fifo").err(), Some(libc::EACCES));
            assert!(!device || read("device").err() == Some(libc::EACCES));
        }
        let host = Root::Running(resolve::directory(Path::new("/")).expect("root"));
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
        let root = Root::Running(resolve::directory(dir.path()).expect("root"));
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

    #[test]
    fn what_a_launch_makes_in_the_root_is_foreseen_where_it_makes_it() {
        let dir = tempfile::tempdir().expect("tempdir");
        let at = |path: &str| dir.path().join(path);
        for path in ["low/dev", "low/etc", "low/opt", "low/proc/self", "top/etc"] {
            std::fs::create_dir_all(at(path)).expect(path);
        }
        symlink("../run/systemd/resolv.conf", at("low/etc/resolv.conf")).expect("link");
        symlink("hostname", at("top/etc/hostname")).expect("link");
        symlink("/proc/self/x", at("low/etc/hosts")).expect("link");
        symlink("/opt", at("low/lnk")).expect("link");
        std::fs::write(at("low/sys"), "").expect("sys");
        let device = FileType::CharacterDevice;
        let rooted = rustix::fs::mknodat(rustix::fs::CWD, at("top/dev"), device, Mode::RUSR, 0).is_ok();
        let dirs = ["top", "low"].map(|layer| resolve::directory(&at(layer)).expect("layer")).into();
        let opaque = "trusted.overlay.opaque".to_string();
        let ahead = Ahead { root: Some(Root::Layers { dirs, opaque }), ..Ahead::blind(None) };
        let paths = |facts: Vec<Fact>| -> Vec<String> {
            let path = |fact| match fact {
                Fact::MountPoint { path } => Some(path),
                _ => None,
            };
            facts.into_iter().filter_map(path).collect()
        };
        if rooted {
            assert_eq!(ahead.mount_point("dev"), Ok(Some(Fact::MountPoint { path: "/dev".into() })));
        }
        assert_eq!(ahead.mount_point("proc"), Ok(None));
        assert!(matches!(ahead.mount_point("sys"), Err(Fault::NotOrdinary { .. })));
        let bind = |destination| ahead.bind(&Mount { source: "/x".into(), destination }, false).map(paths);
        let made = ["/run", "/run/systemd", "/run/systemd/resolv.conf"].map(String::from);
        assert_eq!(bind("etc/resolv.conf"), Ok(made.into()));
        let failed = SysError::new("openat2", "etc/hostname", libc::ELOOP);
        assert_eq!(bind("etc/hostname"), Err(Fault::step("bind", failed)));
        assert_eq!(bind("etc/hosts"), Err(Fault::InsideProc { target: "/etc/hosts".into() }));
        let directories = |path: &str| ahead.directories(Path::new(path)).map(paths);
        assert_eq!(directories("/lnk/x"), Ok(vec!["/opt/x".into()]));
        assert_eq!(directories("//etc//x/./y"), Ok(vec!["/etc/x".into(), "/etc/x/y".into()]));
        assert_eq!(directories("/run/z"), Ok(vec!["/run/z".into()]), "/run is there by then");
        for own in ["/dev/shm", "/proc/self", "/sys/kernel", "/proc/none"] {
            assert_eq!(directories(own), Ok(Vec::new()), "{own}");
        }
    }

    #[test]
    fn many_layers_and_a_deep_path_take_no_descriptors() {
        let dir = tempfile::tempdir().expect("tempdir");
        let deep = vec!["d"; 200].join("/");
        std::fs::create_dir_all(dir.path().join(&deep)).expect("deep");
        // More parts than a process may have descriptors, as a rule.
        let dirs = (0..120).map(|_| resolve::directory(dir.path()).expect("layer")).collect();
        let root = Root::Layers { dirs, opaque: "trusted.overlay.opaque".into() };
        let open = std::fs::read_dir("/proc/self/fd").map(Iterator::count).unwrap_or_default();
        let mut most = 0;
        let mut look = root.look();
        let mut counted = |path: &Path| {
            most = most.max(std::fs::read_dir("/proc/self/fd").map(Iterator::count).unwrap_or_default());
            look(path)
        };
        assert!(matches!(target::resolved(&mut counted, Path::new(&deep)).expect("deep").found, Found::Entry(_)));
        // Other tests of this process open some too.
        assert!(most < open + 100, "{open}, then {most}");
    }
}
