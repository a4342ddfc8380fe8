//! Thin system calls that remember themselves.
//!
//! Every call that changes something takes [`Calls`] and writes itself down there in strace's words, whatever the kernel
//! answers; [`deed`] turns a row of them into a [`Deed`]. The words are made of the values that the call is made with, next to
//! it, here and in files.rs. Calls that only look are made elsewhere, with rustix or std. The truth test compares what is
//! written down here with what strace saw.

use crate::event::{Call, Deed, Event, Fact, SysError};
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags};
use nix::sched::CloneFlags;
use std::ffi::{CString, OsStr};
use std::fmt::{self, Arguments, Display, Write};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The changing calls of one step, in order.
#[derive(Debug, Default)]
pub struct Calls {
    list: Vec<Call>,
    unwritten: bool,
}

/// Runs one step: `f` makes calls through [`Calls`] and gives the value and what to tell of it. A failure carries the
/// calls that were made, the failed one last.
pub fn deed<T>(f: impl FnOnce(&mut Calls) -> Result<(T, Fact), SysError>) -> Result<Deed<T>, SysError> {
    let start = crate::event::now_us();
    let mut calls = Calls::default();
    match f(&mut calls) {
        Ok((value, fact)) => {
            let mut event = Event::of(fact, calls.list);
            event.took_us = event.at_us.saturating_sub(start);
            Ok(Deed::new(value, event))
        }
        Err(mut e) => {
            calls.list.append(&mut e.calls);
            e.calls = calls.list;
            Err(e)
        }
    }
}

/// What a system call gave, as the kernel's number.
pub trait Answer {
    fn ret(&self) -> i64;
}

impl Answer for () {
    fn ret(&self) -> i64 {
        0
    }
}

impl Answer for i64 {
    fn ret(&self) -> i64 {
        *self
    }
}

impl Answer for usize {
    fn ret(&self) -> i64 {
        *self as i64
    }
}

impl Answer for nix::unistd::Pid {
    fn ret(&self) -> i64 {
        i64::from(self.as_raw())
    }
}

impl Answer for OwnedFd {
    fn ret(&self) -> i64 {
        i64::from(self.as_raw_fd())
    }
}

/// Why a call failed, as the libraries say it.
pub trait Reason {
    fn errno(&self) -> i32;
}

impl Reason for Errno {
    fn errno(&self) -> i32 {
        *self as i32
    }
}

impl Reason for rustix::io::Errno {
    fn errno(&self) -> i32 {
        self.raw_os_error()
    }
}

impl Reason for std::io::Error {
    fn errno(&self) -> i32 {
        self.raw_os_error().unwrap_or(libc::EIO)
    }
}

/// The outcome of a call of the C library's that sets errno.
pub(super) fn answer(ret: impl Into<i64>) -> nix::Result<i64> {
    Errno::result(ret.into())
}

impl Calls {
    /// The outcome of a call, written down. Only for wrappers of calls: `args` are made of what the call was made with.
    pub(super) fn saw<T: Answer, E: Reason>(
        &mut self,
        name: &'static str,
        args: Arguments<'_>,
        object: impl Display,
        outcome: Result<T, E>,
    ) -> Result<T, SysError> {
        let ret = outcome.as_ref().map_or_else(|e| -i64::from(e.errno()), Answer::ret);
        self.note(name, args, ret);
        outcome.map_err(|e| SysError::new(name, object.to_string(), e.errno()))
    }

    /// The same for a call that another process made, or that the C library made for us.
    pub(super) fn note(&mut self, name: &str, args: Arguments<'_>, ret: i64) {
        if !self.unwritten {
            self.list.push(Call { name: name.into(), args: args.to_string(), ret });
        }
    }

    /// Whether what is called from now on is not written down: a tree of thousands is told by its sum.
    pub(super) fn unwritten(&mut self, yes: bool) {
        self.unwritten = yes;
    }

    pub(super) fn add(&mut self, calls: impl IntoIterator<Item = Call>) {
        self.list.extend(calls);
    }

    /// The calls so far, for steps that are told in pieces.
    pub fn take(&mut self) -> Vec<Call> {
        std::mem::take(&mut self.list)
    }
}

/// A string as strace prints it.
pub struct Quoted<'a>(&'a OsStr);

pub fn quoted(s: &(impl AsRef<OsStr> + ?Sized)) -> Quoted<'_> {
    Quoted(s.as_ref())
}

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for &b in self.0.as_bytes() {
            match b {
                b'"' => f.write_str("\\\"")?,
                b'\\' => f.write_str("\\\\")?,
                b'\n' => f.write_str("\\n")?,
                b'\t' => f.write_str("\\t")?,
                0x20..=0x7e => f.write_char(char::from(b))?,
                _ => write!(f, "\\{b:o}")?,
            }
        }
        f.write_char('"')
    }
}

const MOST_WORDS: usize = 64;
const LONGEST_WORD: usize = 1024;

/// The arguments of an execve as strace prints them, without the environment. Long words and lists are cut as strace does;
/// shorter than strace does it, nothing is.
pub struct Argv<'a, S>(pub &'a Path, pub &'a [S]);

impl<S: AsRef<str>> Display for Argv<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, [", quoted(self.0))?;
        for (n, word) in self.1.iter().take(MOST_WORDS).enumerate() {
            write!(f, "{}{}", if n == 0 { "" } else { ", " }, quoted_word(word.as_ref()))?;
        }
        f.write_str(if self.1.len() > MOST_WORDS { ", ...], ..." } else { "], ..." })
    }
}

/// A word of [`Argv`].
pub fn quoted_word(word: &str) -> String {
    match word.get(..word.floor_char_boundary(LONGEST_WORD)).filter(|start| start.len() < word.len()) {
        Some(start) => format!("{}...", quoted(start)),
        None => quoted(word).to_string(),
    }
}

/// Names of bits, joined as strace does.
pub(super) fn named<'a, F: 'a>(names: impl Iterator<Item = (&'a str, F)>) -> String {
    let names: Vec<&str> = names.map(|(name, _)| name).collect();
    if names.is_empty() { "0".into() } else { names.join("|") }
}

pub fn cstr(s: impl AsRef<OsStr>) -> Result<CString, SysError> {
    CString::new(s.as_ref().as_bytes()).map_err(|_| SysError::new("open", s.as_ref().to_string_lossy(), libc::EINVAL))
}

// ---- mounts ------------------------------------------------------------------------------------------------------

pub fn mount(
    calls: &mut Calls,
    source: Option<&Path>,
    target: &Path,
    kind: Option<&str>,
    how: MsFlags,
    data: Option<&str>,
) -> Result<(), SysError> {
    let done = nix::mount::mount(source, target, kind, how, data);
    let shown = |s: Option<&OsStr>| s.map_or("NULL".into(), |s| quoted(s).to_string());
    let (from, kind, data) =
        (shown(source.map(Path::as_os_str)), shown(kind.map(OsStr::new)), shown(data.map(OsStr::new)));
    let how = named(how.iter_names());
    calls.saw("mount", format_args!("{from}, {}, {kind}, {how}, {data}", quoted(target)), target.display(), done)
}

pub fn umount2(calls: &mut Calls, target: &Path, how: MntFlags) -> Result<(), SysError> {
    let done = nix::mount::umount2(target, how);
    calls.saw("umount2", format_args!("{}, {}", quoted(target), named(how.iter_names())), target.display(), done)
}

pub fn pivot_root(calls: &mut Calls, new: &Path, old: &Path) -> Result<(), SysError> {
    let done = nix::unistd::pivot_root(new, old);
    calls.saw("pivot_root", format_args!("{}, {}", quoted(new), quoted(old)), new.display(), done)
}

// ---- processes and namespaces --------------------------------------------------------------------------------------

/// In libc this constant does not fit its type yet.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

pub fn unshare(calls: &mut Calls, what: i32) -> Result<(), SysError> {
    let what = CloneFlags::from_bits_retain(what);
    let (shown, done) = (named(what.iter_names()), nix::sched::unshare(what));
    calls.saw("unshare", format_args!("{shown}"), &shown, done)
}

pub fn setns(calls: &mut Calls, fd: BorrowedFd<'_>, kinds: i32, object: &str) -> Result<(), SysError> {
    let kinds = CloneFlags::from_bits_retain(kinds);
    let done = nix::sched::setns(fd, kinds);
    calls.saw("setns", format_args!("<{object}>, {}", named(kinds.iter_names())), object, done)
}

/// What clone gave: in the parent the child's pid and pidfd.
pub enum Cloned {
    Parent { pid: i32, pidfd: OwnedFd },
    Child,
}

/// clone3 in fork's manner. Only for single-threaded processes: the child runs on with a copy of everything.
///
/// `into` is a cgroup v2 directory that the child is born in.
pub fn clone3(calls: &mut Calls, what: u64, into: Option<BorrowedFd<'_>>) -> Result<Cloned, SysError> {
    let mut pidfd: RawFd = -1;
    let mut all = what | libc::CLONE_PIDFD as u64;
    if into.is_some() {
        all |= CLONE_INTO_CGROUP;
    }
    let mut args = libc::clone_args {
        flags: all,
        pidfd: &mut pidfd as *mut RawFd as u64,
        child_tid: 0,
        parent_tid: 0,
        exit_signal: libc::SIGCHLD as u64,
        stack: 0,
        stack_size: 0,
        tls: 0,
        set_tid: 0,
        set_tid_size: 0,
        cgroup: into.map_or(0, |fd| fd.as_raw_fd() as u64),
    };
    // SAFETY: no stack, no shared memory: fork with flags. docent has no threads where it clones (see monitor/).
    let ret = unsafe { libc::syscall(libc::SYS_clone3, &mut args, std::mem::size_of::<libc::clone_args>()) };
    if ret == 0 {
        return Ok(Cloned::Child);
    }
    let new = CloneFlags::from_bits_retain(what as i32).iter_names().map(|(name, _)| (name, ()));
    let more = into.map(|_| ("CLONE_INTO_CGROUP", ()));
    let shown = named(new.chain([("CLONE_PIDFD", ())]).chain(more));
    let pid = calls.saw("clone3", format_args!("{{flags={shown}, exit_signal=SIGCHLD}}"), "", answer(ret))?;
    // SAFETY: with CLONE_PIDFD the kernel put a fresh descriptor there.
    Ok(Cloned::Parent { pid: pid as i32, pidfd: unsafe { OwnedFd::from_raw_fd(pidfd) } })
}

/// Ends this process at once, without destructors or buffers: for cloned children.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: never returns.
    unsafe { libc::_exit(code) }
}

/// A signal by pidfd: it can never reach a process that only has the same number.
pub fn pidfd_signal(calls: &mut Calls, pidfd: BorrowedFd<'_>, pid: i32, signal: i32) -> Result<(), SysError> {
    // SAFETY: a null siginfo is allowed, the descriptor is open.
    let ret = unsafe {
        libc::syscall(libc::SYS_pidfd_send_signal, pidfd.as_raw_fd(), signal, std::ptr::null::<libc::siginfo_t>(), 0)
    };
    let args = format_args!("<pid:{pid}>, {}", super::signals::name(signal));
    calls.saw("pidfd_send_signal", args, pid, answer(ret)).map(drop)
}

/// What a process asks of the kernel about itself (prctl(2)).
#[derive(Debug, Clone, Copy)]
pub enum Prctl {
    NotDumpable,
    /// Killed when its parent ends.
    DieWithParent,
    NoNewPrivs,
    /// This capability leaves the bounding set.
    DropBounding(u32),
    ClearAmbient,
}

pub fn prctl(calls: &mut Calls, what: Prctl) -> Result<(), SysError> {
    use libc::{PR_CAP_AMBIENT, PR_CAPBSET_DROP, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG};
    let (option, value, shown) = match what {
        Prctl::NotDumpable => (PR_SET_DUMPABLE, 0, "PR_SET_DUMPABLE, SUID_DUMP_DISABLE".into()),
        Prctl::DieWithParent => (PR_SET_PDEATHSIG, libc::SIGKILL, "PR_SET_PDEATHSIG, SIGKILL".into()),
        Prctl::NoNewPrivs => (PR_SET_NO_NEW_PRIVS, 1, "PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0".into()),
        Prctl::DropBounding(n) => (PR_CAPBSET_DROP, n as i32, format!("PR_CAPBSET_DROP, {}", super::caps::name(n))),
        Prctl::ClearAmbient => {
            (PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, "PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0".into())
        }
    };
    // SAFETY: each of these takes a plain number, and zeros.
    let ret = unsafe { libc::prctl(option, value as libc::c_ulong, 0, 0, 0) };
    calls.saw("prctl", format_args!("{shown}"), shown.split(',').next().unwrap_or_default(), answer(ret)).map(drop)
}

pub fn setsid(calls: &mut Calls) -> Result<(), SysError> {
    calls.saw("setsid", format_args!(""), "", nix::unistd::setsid()).map(drop)
}

pub fn sethostname(calls: &mut Calls, name: &str) -> Result<(), SysError> {
    let done = nix::unistd::sethostname(name);
    calls.saw("sethostname", format_args!("{}, {}", quoted(name), name.len()), name, done)
}
