//! Files that the user names on the command line: `cp`'s local side, `load -i`, `--env-file`.
//!
//! Usually they are simply opened. When docent serves a grader's sandbox, the names are the submission's: they are then
//! resolved inside the sandbox's root (openat2 RESOLVE_IN_ROOT: no symlink and no `..` leads out) and with the submission's
//! user for the file system (setfsuid(2)), so docent can open nothing there that the submission could not open itself.
//!
//! Three variables say so, set only by the grader's engine: `DOCENT_FILES_ROOT` (a directory as the engine sees it),
//! `DOCENT_FILES_CWD` (where relative names start, as the sandbox sees it) and `DOCENT_FILES_USER` (a number). A path and
//! not a descriptor is handed over, because a descriptor would have to be kept out of every monitor and container.

use crate::event::SysError;
use nix::unistd::{Gid, Uid, setfsgid, setfsuid};
use rustix::fs::{CWD, Mode, OFlags};
use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

pub const ROOT: &str = "DOCENT_FILES_ROOT";
pub const CWD_INSIDE: &str = "DOCENT_FILES_CWD";
pub const USER: &str = "DOCENT_FILES_USER";

/// The user's view of the file system.
#[derive(Debug)]
pub struct CallersFiles {
    confined: Option<Confined>,
}

#[derive(Debug)]
struct Confined {
    root: OwnedFd,
    cwd: PathBuf,
    user: u32,
}

impl CallersFiles {
    /// As the environment says.
    ///
    /// # Errors
    /// When a sandbox is named that is not there (any more): nothing is opened then, least of all on the host.
    pub fn here() -> Result<CallersFiles, SysError> {
        let Some(root) = std::env::var_os(ROOT) else { return Ok(CallersFiles { confined: None }) };
        let bad = |name: &str| SysError::new("getenv", name, libc::EINVAL);
        let user = std::env::var(USER).ok().and_then(|u| u.parse::<u32>().ok()).ok_or_else(|| bad(USER))?;
        let cwd = std::env::var_os(CWD_INSIDE)
            .map(PathBuf::from)
            .filter(|p| p.is_absolute())
            .ok_or_else(|| bad(CWD_INSIDE))?;
        CallersFiles::confined(Path::new(&root), &cwd, user)
    }

    /// Inside `root`, as this user, with relative names starting at `cwd`.
    pub fn confined(root: &Path, cwd: &Path, user: u32) -> Result<CallersFiles, SysError> {
        let root = super::resolve::directory(root)?;
        Ok(CallersFiles { confined: Some(Confined { root, cwd: cwd.to_path_buf(), user }) })
    }

    /// Whether a submission is being served: then nothing of the host may be named by other ways either.
    pub fn is_confined(&self) -> bool {
        self.confined.is_some()
    }

    /// The submission's user, when one is served.
    pub fn user(&self) -> Option<u32> {
        self.confined.as_ref().map(|c| c.user)
    }

    /// Whom a new file belongs to: who asked for it.
    pub fn owner(&self) -> (u32, u32) {
        match self.user() {
            Some(user) => (user, user),
            None => (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw()),
        }
    }

    /// Opens for reading.
    pub fn open_read(&self, path: &Path) -> Result<File, SysError> {
        self.open(path, OFlags::RDONLY).map(File::from)
    }

    /// A directory as a handle, to be walked with *at calls (O_NOFOLLOW in each: the walk must not leave it).
    pub fn open_dir(&self, path: &Path) -> Result<OwnedFd, SysError> {
        self.open(path, OFlags::RDONLY | OFlags::DIRECTORY)
    }

    /// What the name leads to.
    pub fn metadata(&self, path: &Path) -> Result<Metadata, SysError> {
        self.stat(path, OFlags::PATH)
    }

    /// The thing itself, be it a symlink.
    pub fn symlink_metadata(&self, path: &Path) -> Result<Metadata, SysError> {
        self.stat(path, OFlags::PATH | OFlags::NOFOLLOW)
    }

    fn stat(&self, path: &Path, how: OFlags) -> Result<Metadata, SysError> {
        let file = File::from(self.open(path, how)?);
        // fstat works on a descriptor that only names a place (O_PATH) since kernel 3.6.
        file.metadata().map_err(|e| SysError::io("fstat", path.to_string_lossy(), &e))
    }

    /// Where a symlink says that it leads.
    pub fn read_link(&self, path: &Path) -> Result<PathBuf, SysError> {
        let fd = self.open(path, OFlags::PATH | OFlags::NOFOLLOW)?;
        let fail = |e: rustix::io::Errno| SysError::new("readlink", path.to_string_lossy(), e.raw_os_error());
        let text = rustix::fs::readlinkat(&fd, "", Vec::new()).map_err(fail)?;
        Ok(PathBuf::from(OsString::from_vec(text.into_bytes())))
    }

    fn open(&self, path: &Path, how: OFlags) -> Result<OwnedFd, SysError> {
        // openat2 refuses what O_PATH would ignore.
        let more = if how.contains(OFlags::PATH) { OFlags::CLOEXEC } else { OFlags::CLOEXEC | OFlags::NOCTTY };
        let how = how | more;
        match &self.confined {
            None => rustix::fs::openat(CWD, path, how, Mode::empty())
                .map_err(|e| SysError::new("openat", path.to_string_lossy(), e.raw_os_error())),
            Some(c) => {
                let _as_user = self.as_user()?;
                super::resolve::in_root(c.root.as_fd(), &c.cwd.join(path), how)
            }
        }
    }

    /// File system rights of the submission's user for as long as this is held.
    fn as_user(&self) -> Result<Option<AsUser>, SysError> {
        self.confined.as_ref().map(|c| AsUser::new(c.user)).transpose()
    }
}

/// setfsuid and setfsgid take the file system capabilities away while the number is not 0, and give them back with 0
/// (capabilities(7)). Supplementary groups do not change: the grader's engine has none.
pub(in crate::kernel) struct AsUser {
    user: Uid,
    group: Gid,
}

impl AsUser {
    pub(in crate::kernel) fn new(number: u32) -> Result<AsUser, SysError> {
        // Both calls answer the number before, never an error: whether it worked is asked by a second, void call.
        let (user, group) = (Uid::from_raw(number), Gid::from_raw(number));
        let held = AsUser { group: setfsgid(group), user: setfsuid(user) };
        if setfsuid(Uid::from_raw(u32::MAX)) != user || setfsgid(Gid::from_raw(u32::MAX)) != group {
            return Err(SysError::new("setfsuid", number.to_string(), libc::EPERM));
        }
        Ok(held)
    }
}

impl Drop for AsUser {
    fn drop(&mut self) {
        setfsuid(self.user);
        setfsgid(self.group);
    }
}

/// The names by which a confined process is told of its confinement, for the grader's engine.
pub fn variables(root: &Path, cwd: &OsStr, user: u32) -> [(&'static str, OsString); 3] {
    [(ROOT, root.into()), (CWD_INSIDE, cwd.into()), (USER, user.to_string().into())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn root_user() -> bool {
        rustix::process::geteuid().is_root()
    }

    /// A root with a world-writable `work`, and a file outside of it that must stay out of reach.
    fn sandbox() -> (tempfile::TempDir, CallersFiles, u32) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let root = dir.path().join("root");
        for sub in [&root, &root.join("work"), &root.join("etc")] {
            std::fs::create_dir(sub).unwrap();
        }
        std::fs::set_permissions(root.join("work"), PermissionsExt::from_mode(0o777)).unwrap();
        std::fs::write(dir.path().join("secret"), "host").unwrap();
        std::fs::write(root.join("etc/private"), "root's").unwrap();
        std::fs::set_permissions(root.join("etc/private"), PermissionsExt::from_mode(0o600)).unwrap();
        let user = if root_user() { 60_578 } else { rustix::process::geteuid().as_raw() };
        let files = CallersFiles::confined(&root, Path::new("/work"), user).unwrap();
        (dir, files, user)
    }

    #[test]
    fn names_are_resolved_inside_and_belong_to_the_user() {
        let (dir, files, user) = sandbox();
        assert_eq!(files.owner(), (user, user));
        std::fs::write(dir.path().join("root/work/page"), "x").unwrap();
        symlink("page", dir.path().join("root/work/link")).unwrap();
        let mut text = String::new();
        files.open_read(Path::new("/work/page")).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "x");
        assert_eq!(files.read_link(Path::new("link")).unwrap(), Path::new("page"));
        assert!(files.symlink_metadata(Path::new("link")).unwrap().is_symlink());
        assert!(files.metadata(Path::new("link")).unwrap().is_file());
    }

    #[test]
    fn no_link_leads_out() {
        let (dir, files, _) = sandbox();
        let work = dir.path().join("root/work");
        let out = dir.path().join("secret");
        symlink(&out, work.join("absolute")).unwrap();
        symlink("../../secret", work.join("up")).unwrap();
        symlink("/proc/self/root", work.join("magic")).unwrap();
        for name in ["absolute", "up", "../../secret", "magic/etc/passwd", "/../secret"] {
            assert!(files.open_read(Path::new(name)).is_err(), "{name} was read");
            assert!(files.metadata(Path::new(name)).is_err(), "{name} was seen");
        }
    }

    #[test]
    fn what_the_user_may_not_docent_does_not() {
        let (dir, files, user) = sandbox();
        if user == 0 || !root_user() {
            return;
        }
        let errno = files.open_read(Path::new("/etc/private")).unwrap_err().errno;
        assert_eq!(errno, libc::EACCES);
        // And afterwards docent is itself again.
        assert_eq!(std::fs::read_to_string(dir.path().join("root/etc/private")).unwrap(), "root's");
    }

    #[test]
    fn without_a_sandbox_names_are_the_hosts() {
        let files = CallersFiles { confined: None };
        assert!(!files.is_confined());
        assert!(files.metadata(Path::new("/")).unwrap().is_dir());
    }
}
