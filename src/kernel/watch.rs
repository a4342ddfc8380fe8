//! Waiting for a file to change (inotify), instead of looking again and again.

use crate::event::SysError;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::inotify;
use std::os::fd::OwnedFd;
use std::path::Path;

#[derive(Debug)]
pub struct Watch {
    fd: OwnedFd,
}

impl Watch {
    /// Writes to a file.
    pub fn modified(path: &Path) -> Result<Watch, SysError> {
        Watch::of(path, inotify::WatchFlags::MODIFY)
    }

    /// Entries that take their place in a directory: files that are replaced by rename.
    pub fn entries(dir: &Path) -> Result<Watch, SysError> {
        Watch::of(dir, inotify::WatchFlags::MOVED_TO)
    }

    /// These changes, and the end of the file or directory itself.
    fn of(path: &Path, what: inotify::WatchFlags) -> Result<Watch, SysError> {
        let err = |e: rustix::io::Errno| SysError::new("inotify_add_watch", path.to_string_lossy(), e.raw_os_error());
        let fd = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK).map_err(err)?;
        inotify::add_watch(&fd, path, what | inotify::WatchFlags::DELETE_SELF).map_err(err)?;
        Ok(Watch { fd })
    }

    /// Waits for a change, at most `millis`.
    pub fn wait(&self, millis: u64) {
        let limit =
            rustix::time::Timespec { tv_sec: (millis / 1000) as i64, tv_nsec: (millis % 1000) as i64 * 1_000_000 };
        if poll(&mut [PollFd::new(&self.fd, PollFlags::IN)], Some(&limit)).is_ok_and(|n| n > 0) {
            let mut events = [0u8; 4096];
            // What changed does not matter, only that something did; more waits in the queue at worst.
            rustix::io::read(&self.fd, &mut events).unwrap_or(0);
        }
    }
}
