//! Signals as something to poll: blocked, and read from a signalfd.

use crate::event::SysError;
pub use crate::event::signal::{name, number};
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};

#[derive(Debug)]
pub struct Signals {
    fd: OwnedFd,
}

impl Signals {
    /// Blocks these signals in this (single-threaded) process and gives a descriptor that becomes readable with each.
    pub fn catch(which: &[i32]) -> Result<Signals, SysError> {
        // SAFETY: the set lives on this stack and is initialised by sigemptyset; signalfd gives a fresh descriptor.
        unsafe {
            let mut set: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&mut set);
            for &signal in which {
                libc::sigaddset(&mut set, signal);
            }
            libc::sigprocmask(libc::SIG_BLOCK, &set, std::ptr::null_mut());
            let fd = libc::signalfd(-1, &set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
            if fd < 0 {
                let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO);
                return Err(SysError::new("signalfd", "", errno));
            }
            Ok(Signals { fd: OwnedFd::from_raw_fd(fd) })
        }
    }

    /// The next one that has arrived.
    pub fn next(&self) -> Option<i32> {
        let mut info = [0u8; 128];
        match rustix::io::read(&self.fd, &mut info) {
            Ok(128) => Some(i32::from_ne_bytes([info[0], info[1], info[2], info[3]])),
            _ => None,
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Lets these signals through again (a program that is about to be started elsewhere must not inherit our mask).
pub fn release(which: &[i32]) {
    // SAFETY: as in catch.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        for &signal in which {
            libc::sigaddset(&mut set, signal);
        }
        libc::sigprocmask(libc::SIG_UNBLOCK, &set, std::ptr::null_mut());
    }
}

/// Gives a signal its usual effect again, whatever was inherited.
pub fn usual(signal: i32) {
    // SAFETY: SIG_DFL is no handler of ours.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
}

/// Ignores these signals from now on. Programs started later inherit that: start those that must be stoppable first.
pub fn ignore(which: &[i32]) {
    for &signal in which {
        // SAFETY: SIG_IGN is no handler, so nothing runs in signal context; a number that is none only gives an error.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}
