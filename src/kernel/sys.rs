//! Thin system calls that remember themselves.
//!
//! Every call that changes something takes [`Calls`] and writes itself down there in strace's words, whatever the kernel
//! answers; [`deed`] turns a row of them into a [`Deed`]. Calls that only look are made elsewhere, with rustix or std.
//! The truth test compares what is written down here with what strace saw.

use crate::event::{Call, Deed, Event, Fact, SysError};
use std::ffi::{CString, OsStr};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The changing calls of one step, in order.
#[derive(Debug, Default)]
pub struct Calls {
    list: Vec<Call>,
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

impl Answer for rustix::process::Pid {
    fn ret(&self) -> i64 {
        i64::from(self.as_raw_nonzero().get())
    }
}

impl Answer for OwnedFd {
    fn ret(&self) -> i64 {
        i64::from(self.as_raw_fd())
    }
}

impl Calls {
    /// Writes a call down. `ret` is the raw answer: a value, or a negated errno.
    pub fn note(&mut self, name: &str, args: String, ret: i64) {
        self.list.push(Call { name: name.into(), args, ret });
    }

    /// Writes down the outcome of a call made through rustix.
    pub fn saw<T: Answer>(
        &mut self,
        name: &str,
        args: String,
        object: impl Into<String>,
        r: rustix::io::Result<T>,
    ) -> Result<T, SysError> {
        match r {
            Ok(v) => {
                self.note(name, args, v.ret());
                Ok(v)
            }
            Err(e) => {
                self.note(name, args, -(e.raw_os_error() as i64));
                Err(SysError::new(name, object, e.raw_os_error()))
            }
        }
    }

    /// Writes down the outcome of a libc call that sets errno.
    pub fn raw(
        &mut self,
        name: &str,
        args: String,
        object: impl Into<String>,
        ret: libc::c_long,
    ) -> Result<libc::c_long, SysError> {
        if ret < 0 {
            let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO);
            self.note(name, args, -(errno as i64));
            return Err(SysError::new(name, object, errno));
        }
        self.note(name, args, ret);
        Ok(ret)
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The calls so far, for steps that are told in pieces.
    pub fn take(&mut self) -> Vec<Call> {
        std::mem::take(&mut self.list)
    }
}

/// An argv as strace prints it, which cuts long words and lists; shorter than strace does it, nothing is cut.
pub fn quoted_list(words: &[String]) -> String {
    let mut shown: Vec<String> = words.iter().take(MOST_WORDS).map(quoted_word).collect();
    if words.len() > MOST_WORDS {
        shown.push("...".into());
    }
    format!("[{}]", shown.join(", "))
}

const MOST_WORDS: usize = 64;
const LONGEST_WORD: usize = 1024;

/// A word of [`quoted_list`].
pub fn quoted_word(word: &String) -> String {
    match word.get(..word.floor_char_boundary(LONGEST_WORD)).filter(|start| start.len() < word.len()) {
        Some(start) => quoted(start) + "...",
        None => quoted(word),
    }
}

/// A string as strace prints it.
pub fn quoted(s: impl AsRef<OsStr>) -> String {
    let mut out = String::from("\"");
    for &b in s.as_ref().as_bytes() {
        match b {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\t' => out.push_str("\\t"),
            0x20..=0x7e => out.push(b as char),
            _ => out.push_str(&format!("\\{b:o}")),
        }
    }
    out.push('"');
    out
}

/// Names of the set bits, joined as strace does; what has no name stays a hex number.
pub fn flags(value: u64, names: &[(u64, &str)]) -> String {
    let mut rest = value;
    let mut out = Vec::new();
    for &(bit, name) in names {
        if bit != 0 && rest & bit == bit {
            out.push(name.to_string());
            rest &= !bit;
        }
    }
    if rest != 0 || out.is_empty() {
        out.push(if rest == 0 { "0".into() } else { format!("{rest:#x}") });
    }
    out.join("|")
}

pub fn cstr(s: impl AsRef<OsStr>) -> Result<CString, SysError> {
    CString::new(s.as_ref().as_bytes()).map_err(|_| SysError::new("open", s.as_ref().to_string_lossy(), libc::EINVAL))
}

fn text(p: &Path) -> String {
    p.to_string_lossy().into_owned()
}

// ---- mounts ------------------------------------------------------------------------------------------------------

const MS: &[(u64, &str)] = &[
    (libc::MS_RDONLY, "MS_RDONLY"),
    (libc::MS_NOSUID, "MS_NOSUID"),
    (libc::MS_NODEV, "MS_NODEV"),
    (libc::MS_NOEXEC, "MS_NOEXEC"),
    (libc::MS_REMOUNT, "MS_REMOUNT"),
    (libc::MS_BIND, "MS_BIND"),
    (libc::MS_REC, "MS_REC"),
    (libc::MS_PRIVATE, "MS_PRIVATE"),
    (libc::MS_SLAVE, "MS_SLAVE"),
    (libc::MS_STRICTATIME, "MS_STRICTATIME"),
    (libc::MS_RELATIME, "MS_RELATIME"),
];

pub fn mount(
    calls: &mut Calls,
    source: Option<&Path>,
    target: &Path,
    kind: Option<&str>,
    mount_flags: u64,
    data: Option<&str>,
) -> Result<(), SysError> {
    let source_c = source.map(cstr).transpose()?;
    let target_c = cstr(target)?;
    let kind_c = kind.map(cstr).transpose()?;
    let data_c = data.map(cstr).transpose()?;
    let ptr = |c: &Option<CString>| c.as_ref().map_or(std::ptr::null(), |c| c.as_ptr());
    // SAFETY: every pointer is null or a NUL-terminated string that lives until the call returns.
    let ret = unsafe { libc::mount(ptr(&source_c), target_c.as_ptr(), ptr(&kind_c), mount_flags, ptr(&data_c).cast()) };
    let shown = |s: Option<String>| s.unwrap_or("NULL".into());
    let args = format!(
        "{}, {}, {}, {}, {}",
        shown(source.map(quoted)),
        quoted(target),
        shown(kind.map(quoted)),
        flags(mount_flags, MS),
        shown(data.map(quoted))
    );
    calls.raw("mount", args, text(target), ret as libc::c_long).map(drop)
}

pub fn umount2(calls: &mut Calls, target: &Path, how: i32) -> Result<(), SysError> {
    let c = cstr(target)?;
    // SAFETY: a NUL-terminated path.
    let ret = unsafe { libc::umount2(c.as_ptr(), how) };
    let names = &[(libc::MNT_DETACH as u64, "MNT_DETACH"), (libc::UMOUNT_NOFOLLOW as u64, "UMOUNT_NOFOLLOW")];
    calls
        .raw("umount2", format!("{}, {}", quoted(target), flags(how as u64, names)), text(target), ret as libc::c_long)
        .map(drop)
}

pub fn pivot_root(calls: &mut Calls, new: &Path, old: &Path) -> Result<(), SysError> {
    let (n, o) = (cstr(new)?, cstr(old)?);
    // SAFETY: two NUL-terminated paths.
    let ret = unsafe { libc::syscall(libc::SYS_pivot_root, n.as_ptr(), o.as_ptr()) };
    calls.raw("pivot_root", format!("{}, {}", quoted(new), quoted(old)), text(new), ret).map(drop)
}

// ---- files -------------------------------------------------------------------------------------------------------

pub fn mkdir(calls: &mut Calls, path: &Path, mode: u32) -> Result<(), SysError> {
    let c = cstr(path)?;
    // SAFETY: a NUL-terminated path.
    let ret = unsafe { libc::mkdir(c.as_ptr(), mode) };
    calls.raw("mkdir", format!("{}, 0{mode:o}", quoted(path)), text(path), ret as libc::c_long).map(drop)
}

pub fn rmdir(calls: &mut Calls, path: &Path) -> Result<(), SysError> {
    let c = cstr(path)?;
    // SAFETY: a NUL-terminated path.
    let ret = unsafe { libc::rmdir(c.as_ptr()) };
    calls.raw("rmdir", quoted(path), text(path), ret as libc::c_long).map(drop)
}

pub fn rename(calls: &mut Calls, from: &Path, to: &Path) -> Result<(), SysError> {
    let (a, b) = (cstr(from)?, cstr(to)?);
    // SAFETY: two NUL-terminated paths.
    let ret = unsafe { libc::rename(a.as_ptr(), b.as_ptr()) };
    calls.raw("rename", format!("{}, {}", quoted(from), quoted(to)), text(to), ret as libc::c_long).map(drop)
}

pub fn symlink(calls: &mut Calls, to: &Path, at: &Path) -> Result<(), SysError> {
    let (a, b) = (cstr(to)?, cstr(at)?);
    // SAFETY: two NUL-terminated paths.
    let ret = unsafe { libc::symlink(a.as_ptr(), b.as_ptr()) };
    calls.raw("symlink", format!("{}, {}", quoted(to), quoted(at)), text(at), ret as libc::c_long).map(drop)
}

pub fn mknod(calls: &mut Calls, path: &Path, mode: u32, major: u32, minor: u32) -> Result<(), SysError> {
    let c = cstr(path)?;
    let kind = match mode & libc::S_IFMT {
        libc::S_IFCHR => "S_IFCHR",
        libc::S_IFREG => "S_IFREG",
        _ => "S_IFIFO",
    };
    // SAFETY: a NUL-terminated path.
    let ret = unsafe { libc::mknod(c.as_ptr(), mode, libc::makedev(major, minor)) };
    let mut args = format!("AT_FDCWD, {}, {kind}|0{:o}", quoted(path), mode & 0o7777);
    if kind == "S_IFCHR" {
        args.push_str(&format!(", {}", device(major, minor)));
    }
    // The C library's mknod is mknodat.
    calls.raw("mknodat", args, text(path), ret as libc::c_long).map(drop)
}

/// A device's number as strace prints it: zero without 0x.
pub fn device(major: u32, minor: u32) -> String {
    let number = |n: u32| if n == 0 { "0".to_string() } else { format!("{n:#x}") };
    format!("makedev({}, {})", number(major), number(minor))
}

/// Writes a kernel file (a cgroup's, /proc/sys): one open, one write. What was written is the call.
pub fn put(calls: &mut Calls, path: &Path, value: &str) -> Result<(), SysError> {
    let c = cstr(path)?;
    // SAFETY: a NUL-terminated path; the descriptor is owned at once.
    let fd = unsafe { libc::open(c.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC) };
    if fd < 0 {
        let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO);
        return Err(SysError::new("open", text(path), errno));
    }
    // SAFETY: open just gave it, nobody else has it.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    put_fd(calls, &fd, path, value)
}

/// The same for a file that is open already.
pub fn put_fd(calls: &mut Calls, fd: &impl AsRawFd, path: &Path, value: &str) -> Result<(), SysError> {
    // SAFETY: pointer and length are the string's.
    let ret = unsafe { libc::write(fd.as_raw_fd(), value.as_ptr().cast(), value.len()) };
    calls
        .raw("write", format!("<{}>, {}, {}", text(path), quoted(value), value.len()), text(path), ret as libc::c_long)
        .map(drop)
}

// ---- processes and namespaces --------------------------------------------------------------------------------------

/// In libc this constant does not fit its type yet.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

pub const CLONE: &[(u64, &str)] = &[
    (libc::CLONE_NEWNS as u64, "CLONE_NEWNS"),
    (libc::CLONE_NEWCGROUP as u64, "CLONE_NEWCGROUP"),
    (libc::CLONE_NEWUTS as u64, "CLONE_NEWUTS"),
    (libc::CLONE_NEWIPC as u64, "CLONE_NEWIPC"),
    (libc::CLONE_NEWUSER as u64, "CLONE_NEWUSER"),
    (libc::CLONE_NEWPID as u64, "CLONE_NEWPID"),
    (libc::CLONE_NEWNET as u64, "CLONE_NEWNET"),
    (libc::CLONE_PIDFD as u64, "CLONE_PIDFD"),
    (CLONE_INTO_CGROUP, "CLONE_INTO_CGROUP"),
];

pub fn unshare(calls: &mut Calls, what: i32) -> Result<(), SysError> {
    // SAFETY: no pointers; the process is single-threaded.
    let ret = unsafe { libc::unshare(what) };
    let shown = flags(what as u64, CLONE);
    calls.raw("unshare", shown.clone(), shown, ret as libc::c_long).map(drop)
}

pub fn setns(calls: &mut Calls, fd: BorrowedFd<'_>, kinds: i32, object: &str) -> Result<(), SysError> {
    // SAFETY: a descriptor that is open.
    let ret = unsafe { libc::setns(fd.as_raw_fd(), kinds) };
    calls
        .raw("setns", format!("<{object}>, {}", flags(kinds as u64, CLONE)), object.to_string(), ret as libc::c_long)
        .map(drop)
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
    let pid = calls.raw("clone3", format!("{{flags={}, exit_signal=SIGCHLD}}", flags(all, CLONE)), "", ret)?;
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
    calls
        .raw("pidfd_send_signal", format!("<pid:{pid}>, {}", super::signals::name(signal)), format!("{pid}"), ret)
        .map(drop)
}

/// `name` and `shown` are the option and its value as strace prints them.
pub fn prctl(calls: &mut Calls, option: i32, name: &str, value: u64, shown: &str) -> Result<(), SysError> {
    // SAFETY: only options with a plain number as argument are called through here.
    let ret = unsafe { libc::prctl(option, value, 0, 0, 0) };
    calls.raw("prctl", format!("{name}, {shown}"), name.to_string(), ret as libc::c_long).map(drop)
}

pub fn sethostname(calls: &mut Calls, name: &str) -> Result<(), SysError> {
    // SAFETY: pointer and length are the string's.
    let ret = unsafe { libc::sethostname(name.as_ptr().cast(), name.len()) };
    calls
        .raw("sethostname", format!("{}, {}", quoted(name), name.len()), name.to_string(), ret as libc::c_long)
        .map(drop)
}
