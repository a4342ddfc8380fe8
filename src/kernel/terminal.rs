//! Pseudo-terminals for `-t`, and the learner's own terminal.

use super::sys;
use crate::event::{Deed, Fact, SysError};
use rustix::fs::{Mode, OFlags};
use rustix::termios::{OptionalActions, Termios, Winsize, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Opens a new pair in the container's own devpts, by the descriptor of its mount: nothing in the container can put itself
/// in the way (CVE-2025-52565). Gives the master and the slave, the slave proved to be of that devpts.
pub fn open_pair(devpts: BorrowedFd<'_>) -> Result<(OwnedFd, OwnedFd), SysError> {
    let err = |call: &str, e: rustix::io::Errno| SysError::new(call, "ptmx", e.raw_os_error());
    let how = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let master = rustix::fs::openat(devpts, "ptmx", how, Mode::empty()).map_err(|e| err("openat", e))?;
    rustix::pty::unlockpt(&master).map_err(|e| err("unlockpt", e))?;
    // TIOCGPTPEER opens the other side from the master itself, without a name in between (kernel 4.13).
    let slave = rustix::pty::ioctl_tiocgptpeer(
        &master,
        rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::NOCTTY | rustix::pty::OpenptFlags::CLOEXEC,
    )
    .map_err(|e| err("ioctl", e))?;
    Ok((master, slave))
}

/// A new session with this terminal as its controlling one.
pub fn own_session(slave: BorrowedFd<'_>) -> Result<Deed<()>, SysError> {
    sys::deed(|calls| {
        sys::setsid(calls)?;
        calls.saw("ioctl", format_args!("<pts>, TIOCSCTTY, 0"), "pts", rustix::process::ioctl_tiocsctty(slave))?;
        Ok(((), Fact::SessionMade { tty: true }))
    })
}

/// The process group that this process is in. As the first process of a pid namespace it may be in one that has no number
/// here (getpgrp then answers 0): then it gets a group of its own.
pub fn own_group() -> rustix::process::Pid {
    rustix::process::Pid::from_raw(nix::unistd::getpgrp().as_raw()).unwrap_or_else(|| {
        rustix::process::setpgid(None, None).unwrap_or(());
        rustix::process::getpid()
    })
}

pub fn is_terminal(fd: impl AsFd) -> bool {
    rustix::termios::isatty(fd)
}

/// Gives the terminal to a process group. One that hung up refuses, and says so at the next read.
pub fn bring_forward(group: rustix::process::Pid) {
    rustix::termios::tcsetpgrp(std::io::stdin(), group).unwrap_or_default();
}

/// Modes of the learner's terminal; None for one that is gone.
pub fn set_modes(fd: impl AsFd, when: OptionalActions, modes: &Termios) -> Option<()> {
    tcsetattr(fd, when, modes).ok()
}

/// Drops what was typed and not yet read.
pub fn forget_input() {
    rustix::termios::tcflush(std::io::stdin(), rustix::termios::QueueSelector::IFlush).unwrap_or(());
}

/// Rows and columns.
pub fn size(fd: impl AsFd) -> Option<(u16, u16)> {
    tcgetwinsize(fd).ok().map(|w| (w.ws_row, w.ws_col))
}

pub fn set_size(fd: impl AsFd, rows: u16, cols: u16) {
    // A terminal that is gone has no size: nothing is lost.
    tcsetwinsize(fd, Winsize { ws_row: rows, ws_col: cols, ws_xpixel: 0, ws_ypixel: 0 }).unwrap_or(());
}

/// The character by which a terminal is told that its input ends (VEOF); None while it reads characters and not lines.
pub fn end_of_file(fd: impl AsFd) -> Option<u8> {
    use rustix::termios::{LocalModes, SpecialCodeIndex};
    let now = tcgetattr(fd).ok().filter(|t| t.local_modes.contains(LocalModes::ICANON))?;
    Some(now.special_codes[SpecialCodeIndex::VEOF])
}

/// The learner's terminal in raw mode, as it was again when this is dropped.
#[derive(Debug)]
pub struct Raw {
    fd: OwnedFd,
    before: Termios,
}

impl Raw {
    pub fn enter(fd: impl AsFd) -> Result<Raw, SysError> {
        let err = |e: rustix::io::Errno| SysError::new("ioctl", "terminal", e.raw_os_error());
        let fd = rustix::io::fcntl_dupfd_cloexec(fd, 3).map_err(err)?;
        let before = tcgetattr(&fd).map_err(err)?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(&fd, OptionalActions::Now, &raw).map_err(err)?;
        Ok(Raw { fd, before })
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        set_modes(&self.fd, OptionalActions::Now, &self.before);
    }
}
