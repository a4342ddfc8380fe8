//! Signals as something to poll: blocked, and read from a signalfd.

use crate::event::SysError;
pub use crate::event::signal::{name, number};
use nix::sys::signal::{SigHandler, SigSet, Signal, signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::os::fd::{AsFd, BorrowedFd};

#[derive(Debug)]
pub struct Signals {
    fd: SignalFd,
}

impl Signals {
    /// Blocks these signals in this (single-threaded) process and gives a descriptor that becomes readable with each.
    pub fn catch(which: &[i32]) -> Result<Signals, SysError> {
        let set = set(which);
        let caught = set
            .thread_block()
            .and_then(|()| SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK));
        Ok(Signals { fd: caught.map_err(|e| SysError::new("signalfd", "", e as i32))? })
    }

    /// The next one that has arrived.
    pub fn next(&self) -> Option<i32> {
        self.fd.read_signal().ok()?.and_then(|info| i32::try_from(info.ssi_signo).ok())
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn named(which: &[i32]) -> impl Iterator<Item = Signal> {
    which.iter().filter_map(|signal| Signal::try_from(*signal).ok())
}

fn set(which: &[i32]) -> SigSet {
    named(which).collect()
}

/// Lets these signals through again (a program that is about to be started elsewhere must not inherit our mask).
pub fn release(which: &[i32]) {
    set(which).thread_unblock().unwrap_or(());
}

/// Gives a signal its usual effect again, whatever was inherited.
pub fn usual(which: i32) {
    handle(&[which], SigHandler::SigDfl);
}

/// Ignores these signals from now on. Programs started later inherit that: start those that must be stoppable first.
pub fn ignore(which: &[i32]) {
    handle(which, SigHandler::SigIgn);
}

fn handle(which: &[i32], how: SigHandler) {
    for which in named(which) {
        // SAFETY: neither is a handler, so nothing runs in signal context.
        let _before = unsafe { signal(which, how) };
    }
}

/// All signals unblocked and at their defaults: a program expects to start so.
pub fn default_all() {
    SigSet::empty().thread_set_mask().unwrap_or(());
    for signal in 1..=64 {
        // SAFETY: SIG_DFL is no handler; failures for KILL and STOP do not matter. nix has no realtime signals.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}
