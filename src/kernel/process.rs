//! Processes: handles that cannot be mistaken, identities that survive pid reuse, and docent's own copies.
//!
//! A pid is a number that the kernel hands out again. docent keeps a process's start time (field 22 of /proc/PID/stat, in
//! clock ticks since boot) and the boot's id beside it, and signals only through a pidfd that it opened and then compared.

use super::sys::{self, Calls, Prctl};
use crate::event::{Call, Deed, Event, Fact, Namespace, SysError};
use nix::fcntl::OFlag;
use nix::unistd::{dup2_stderr, dup2_stdin, dup2_stdout, dup3_raw, execve};
use rustix::process::{
    Pid, PidfdFlags, Resource, Rlimit, WaitId, WaitIdOptions, WaitOptions, pidfd_open, setrlimit, wait, waitid, waitpid,
};
use std::fs;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Kinds of namespaces as /proc/PID/ns names them, with their clone flags, in the order in which they are told.
pub const KINDS: [(&str, u64); 6] = [
    ("pid", libc::CLONE_NEWPID as u64),
    ("mnt", libc::CLONE_NEWNS as u64),
    ("uts", libc::CLONE_NEWUTS as u64),
    ("ipc", libc::CLONE_NEWIPC as u64),
    ("net", libc::CLONE_NEWNET as u64),
    ("cgroup", libc::CLONE_NEWCGROUP as u64),
];

/// Gives the memory that the allocator holds back to the kernel, for a process that will wait from now on.
pub fn give_memory_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it takes no pointer, and the allocator's own locks guard it.
    let _given = unsafe { libc::malloc_trim(0) };
}

/// How a shell reaches this very program: `docent` where PATH leads to it, else its file.
pub fn own_command() -> String {
    let Ok(own) = std::env::current_exe() else { return "docent".into() };
    let identity = |path: &std::path::Path| fs::metadata(path).ok().map(|m| (m.dev(), m.ino()));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut on_path = std::env::split_paths(&path).filter(|dir| dir.is_absolute()).map(|dir| dir.join("docent"));
    match on_path.find(|path| path.is_file()) {
        Some(first) if identity(&first) == identity(&own) => "docent".into(),
        _ => own.to_string_lossy().into_owned(),
    }
}

/// The host name of this process's uts namespace.
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Identifies this boot of the machine.
pub fn boot_id() -> String {
    proc_file("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_string()
}

/// A file of the kernel's (/proc, /sys). It says that it is empty, so std would look at its size and read it in a dozen small pieces.
pub fn proc_file(path: &str) -> std::io::Result<String> {
    use rustix::fs::{Mode, OFlags};
    let file = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let mut text = Vec::with_capacity(16 * 1024);
    loop {
        text.reserve(4096);
        if rustix::io::read(&file, rustix::buffer::spare_capacity(&mut text))? == 0 {
            return String::from_utf8(text).map_err(|_| std::io::ErrorKind::InvalidData.into());
        }
    }
}

/// Start time of a process in ticks since boot; None when there is no such process.
pub fn start_time(pid: i32) -> Option<u64> {
    let stat = proc_file(&format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold spaces and parentheses itself: fields are counted after the last one.
    stat.rsplit_once(") ")?.1.split(' ').nth(19)?.parse().ok()
}

/// Whether a child has executed a program since its birth; it may be a zombie by now. The kernel clears PF_FORKNOEXEC when an
/// execve cannot fail any more, before it closes what is close-on-exec (proc_pid_stat(5), field 9; begin_new_exec).
pub fn has_executed(pid: i32) -> bool {
    const PF_FORKNOEXEC: u64 = 0x40;
    let flags = || -> Option<u64> {
        proc_file(&format!("/proc/{pid}/stat")).ok()?.rsplit_once(") ")?.1.split(' ').nth(6)?.parse().ok()
    };
    flags().is_some_and(|flags| flags & PF_FORKNOEXEC == 0)
}

/// How a child has ended, waiting for that; it is still to be reaped.
pub fn end_of(pidfd: BorrowedFd<'_>) -> Option<Ended> {
    let how = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    loop {
        match waitid(WaitId::PidFd(pidfd), how) {
            Ok(status) => return status.map(|s| Ended { code: s.exit_status(), signal: s.terminating_signal() }),
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return None,
        }
    }
}

/// Overwrites the words that this process was started with, which any process that sees it in /proc may read
/// (proc_pid_cmdline(5)). Through /proc/self/mem, since PR_SET_MM takes CAP_SYS_RESOURCE.
pub fn forget_arguments() -> Result<(), SysError> {
    use std::os::unix::fs::FileExt;
    let err = |call: &'static str, path: &'static str| move |e: std::io::Error| SysError::io(call, path, &e);
    let stat = proc_file("/proc/self/stat").map_err(err("read", "/proc/self/stat"))?;
    // arg_start and arg_end are fields 48 and 49 (proc_pid_stat(5)), of which the first behind the name is number 3.
    let fields: Vec<&str> = stat.rsplit_once(") ").map(|(_, rest)| rest.split(' ').collect()).unwrap_or_default();
    let field = |n: usize| fields.get(n - 3).and_then(|f| f.parse::<u64>().ok()).unwrap_or(0);
    let (start, end) = (field(48), field(49));
    let memory = fs::File::options().write(true).open("/proc/self/mem").map_err(err("open", "/proc/self/mem"))?;
    let zeros = vec![0u8; end.saturating_sub(start).min(8 << 20) as usize];
    memory.write_all_at(&zeros, start).map_err(err("pwrite64", "/proc/self/mem"))
}

/// A handle of this very process: None when it is gone, or another has taken its number.
pub fn open(pid: i32, started: u64) -> Option<OwnedFd> {
    let fd = pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()?;
    (start_time(pid) == Some(started)).then_some(fd)
}

/// Sends a signal and tells it.
pub fn signal(pidfd: BorrowedFd<'_>, pid: i32, signal: i32) -> Result<Deed<()>, SysError> {
    sys::deed(|calls| {
        sys::pidfd_signal(calls, pidfd, pid, signal)?;
        Ok(((), Fact::Signalled { pid: Some(pid), signal, name: super::signals::name(signal), all: false }))
    })
}

/// Waits until the process behind the handle has ended, at most `millis` (None: as long as it takes). True: it has.
pub fn wait_gone(pidfd: BorrowedFd<'_>, millis: Option<u64>) -> bool {
    use rustix::event::{PollFd, PollFlags, poll};
    let until = millis.and_then(|m| Instant::now().checked_add(Duration::from_millis(m)));
    loop {
        let left = until.map(|u| u.saturating_duration_since(Instant::now()));
        let limit =
            left.map(|l| rustix::time::Timespec { tv_sec: l.as_secs() as i64, tv_nsec: l.subsec_nanos().into() });
        match poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], limit.as_ref()) {
            Ok(0) => return false,
            Ok(_) => return true,
            Err(rustix::io::Errno::INTR) if left != Some(Duration::ZERO) => {}
            Err(_) => return false,
        }
    }
}

/// How a child of ours ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    pub code: Option<i32>,
    pub signal: Option<i32>,
}

impl Ended {
    /// As a shell says it: the code, or 128 plus the signal.
    pub fn status(self) -> i32 {
        self.code.or(self.signal.map(|s| 128 + s)).unwrap_or(255)
    }
}

/// Reaps a child that has ended, without waiting; None: it runs.
pub fn reap(pid: i32) -> Option<Ended> {
    wait_for(Some(Pid::from_raw(pid)?), false).map(|(_, ended)| ended)
}

/// The same, waiting for it.
pub fn reap_waiting(pid: i32) -> Option<Ended> {
    wait_for(Some(Pid::from_raw(pid)?), true).map(|(_, ended)| ended)
}

/// Reaps whichever child has ended; None: none has, or with `waiting` there is none.
pub fn reap_any(waiting: bool) -> Option<(i32, Ended)> {
    wait_for(None, waiting)
}

/// nix knows no realtime signals, and would lose a child that ended by one: waited for with rustix.
fn wait_for(child: Option<Pid>, waiting: bool) -> Option<(i32, Ended)> {
    let how = if waiting { WaitOptions::empty() } else { WaitOptions::NOHANG };
    loop {
        // Without a number waitpid means the process group, wait any child.
        match if child.is_some() { waitpid(child, how) } else { wait(how) } {
            Ok(found) => {
                let (pid, status) = found?;
                let ended = Ended { code: status.exit_status(), signal: status.terminating_signal() };
                return Some((pid.as_raw_nonzero().get(), ended));
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return None,
        }
    }
}

/// A signal to a child that has not been reaped, so that its number is nobody else's.
pub fn signal_child(pid: i32, signal: i32) {
    // One that has ended needs none.
    let signal = nix::sys::signal::Signal::try_from(signal);
    signal.and_then(|signal| nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal)).unwrap_or(());
}

/// A limit of this process and what it starts, which nobody raises again.
pub fn limit(resource: Resource, most: u64) -> Result<(), SysError> {
    setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })
        .map_err(|e| SysError::new("prlimit64", format!("{resource:?}"), e.raw_os_error()))
}

/// The namespaces of a process beside our own: the evidence of what its clone made.
pub fn namespaces(pid: i32, kinds: &[(&str, u64)]) -> Vec<Namespace> {
    let inode = |who: &str, kind: &str| fs::metadata(format!("/proc/{who}/ns/{kind}")).ok().map(|m| m.ino());
    kinds
        .iter()
        .map(|(kind, _)| {
            let (inode, host) = (inode(&pid.to_string(), kind), inode("self", kind));
            Namespace { kind: kind.to_string(), inode, host, shared: inode.is_some() && inode == host }
        })
        .collect()
}

/// The pid by which a process knows itself in its innermost pid namespace (NSpid of /proc/PID/status).
pub fn inner_pid(pid: i32) -> Option<i32> {
    let status = proc_file(&format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|l| l.strip_prefix("NSpid:"))?.split_whitespace().last()?.parse().ok()
}

/// docent's own program on a read-only mount that is attached nowhere. Helpers run from it, so /proc/self/exe of a process on
/// its way into a container cannot be opened for writing (CVE-2019-5736).
pub fn sealed_program() -> Result<Deed<OwnedFd>, SysError> {
    sys::deed(|calls| {
        let program = super::mounts::copy_of(calls, rustix::fs::CWD, std::path::Path::new("/proc/self/exe"))?;
        super::mounts::set_read_only(calls, program.as_fd(), false)?;
        Ok((program, sealing()))
    })
}

/// What [`sealed_program`] tells.
pub fn sealing() -> Fact {
    Fact::Sealed { program: fs::read_link("/proc/self/exe").unwrap_or_default().to_string_lossy().into_owned() }
}

/// Whether children of this process are born in another pid namespace than its own (pid_namespaces(7)).
pub fn has_children_elsewhere(pid: i32) -> bool {
    let name = |kind: &str| fs::read_link(format!("/proc/{pid}/ns/{kind}")).ok();
    name("pid") != name("pid_for_children")
}

/// Starts docent again as a helper, with one descriptor handed over as its number in the last argument.
///
/// Its standard streams are /dev/null: it outlives the command line and must not hold a learner's pipe open. The caller
/// has one thread, so clearing close-on-exec for a moment leaks the descriptor to nobody else.
pub fn start_helper(
    role: &str,
    args: &[&str],
    handed: BorrowedFd<'_>,
    program: BorrowedFd<'_>,
) -> Result<Deed<i32>, SysError> {
    use rustix::io::{FdFlags, fcntl_setfd};
    let keep = |flags| fcntl_setfd(handed, flags).map_err(|e| SysError::new("fcntl", role, e.raw_os_error()));
    let mut calls = Calls::default();
    keep(FdFlags::empty())?;
    let path = format!("/proc/self/fd/{}", program.as_raw_fd());
    let number = handed.as_raw_fd().to_string();
    let child = Command::new(&path)
        .args(args)
        .arg(&number)
        // A helper allocates little after its start. What glibc's per-thread cache keeps back then is spread over many pages,
        // and none of them could be given back (see `give_memory_back`).
        .env("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    keep(FdFlags::CLOEXEC)?;
    let child = child.map_err(|e| {
        let errno = e.raw_os_error().unwrap_or(libc::EIO);
        // The C library says of its two calls only that one failed; these are execve's alone (execve(2), clone(2)).
        let of_execve = [libc::EACCES, libc::ENOENT, libc::ENOEXEC, libc::E2BIG, libc::ETXTBSY].contains(&errno);
        let mut error = SysError::new(if of_execve { "execve" } else { "vfork" }, role, errno);
        if !of_execve {
            calls.note("vfork", format_args!(""), -i64::from(errno));
            error.calls = calls.take();
        }
        error
    })?;
    let pid = child.id() as i32;
    let argv: Vec<&str> = [path.as_str()].into_iter().chain(args.iter().copied()).chain([number.as_str()]).collect();
    // The C library starts a program by vfork, or a clone that does the same; what the child does next is execve.
    calls.note("vfork", format_args!(""), i64::from(pid));
    calls.note("execve", format_args!("{}", sys::Argv(path.as_ref(), &argv)), 0);
    Ok(Deed::new(pid, Event::of(Fact::HelperStarted { pid: Some(pid), role: role.into() }, calls.take())))
}

/// A new session without a controlling terminal: a hangup of the learner's terminal does not reach it.
pub fn own_session() -> Result<Deed<()>, SysError> {
    sys::deed(|calls| {
        sys::setsid(calls)?;
        Ok(((), Fact::SessionMade { tty: false }))
    })
}

/// Neither traced nor read by what runs in the container while it is still docent's own code, and killed with its parent.
pub fn guard(parent_death: bool, not_dumpable: bool) -> Result<Deed<()>, SysError> {
    sys::deed(|calls| {
        if not_dumpable {
            sys::prctl(calls, Prctl::NotDumpable)?;
        }
        if parent_death {
            sys::prctl(calls, Prctl::DieWithParent)?;
        }
        Ok(((), Fact::Guarded { parent_death, not_dumpable }))
    })
}

/// Lets go of what a helper inherits from whoever called docent, a shell or a build tool with locks and pipes of its own:
/// all descriptors but the standard ones and the one handed over, a umask, and an ignored SIGCHLD, with which the kernel would
/// reap the container before its monitor could ask how it ended (wait(2)).
pub fn begin_afresh(handed_over: &str) -> Result<(), SysError> {
    let keep: u32 = handed_over.parse().map_err(|_| SysError::new("close_range", handed_over, libc::EINVAL))?;
    for (first, last) in [(3, keep.saturating_sub(1)), (keep.saturating_add(1), u32::MAX)] {
        if first > last {
            continue;
        }
        // SAFETY: at the start of a helper nothing but the descriptor that is kept belongs to an owner in this process.
        unsafe { close_range(first, last, 0)? };
    }
    usual_umask();
    super::signals::usual(libc::SIGCHLD);
    Ok(())
}

/// Files are made with the modes that are asked for: 022 as everywhere, whatever the learner's shell has.
pub fn usual_umask() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
}

/// What is made meanwhile has the mode that is asked for, to the bit.
pub fn without_umask<T>(f: impl FnOnce() -> T) -> T {
    use rustix::process::umask;
    let before = umask(rustix::fs::Mode::empty());
    let made = f();
    umask(before);
    made
}

/// The name by which `ps` shows this process. Without it a helper would be called by the number of the descriptor it was
/// started from.
pub fn be_called(name: &std::ffi::CStr) {
    // A name that cannot be set is only less telling.
    rustix::thread::set_name(name).unwrap_or(());
}

/// Closes every descriptor from 3 on when the next program starts: nothing of docent's leaks into a container
/// (CVE-2024-21626). Kernel 5.11.
pub fn close_on_exec_from_3() -> Result<(), SysError> {
    // SAFETY: marking descriptors close-on-exec invalidates none of them.
    unsafe { close_range(3, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) }
}

/// # Safety
/// What it closes must have no owner that still uses it. Kernel 5.9.
unsafe fn close_range(first: u32, last: u32, how: u32) -> Result<(), SysError> {
    // SAFETY: three integers; the rest is the caller's.
    let ret = unsafe { libc::syscall(libc::SYS_close_range, first, last, how) };
    let failed = |e| SysError::new("close_range", format!("{first}..{last}"), e as i32);
    sys::answer(ret).map(drop).map_err(failed)
}

/// Gives these descriptors the numbers from 3 on, in their order and close-on-exec, and closes every other one but the
/// standard three: the first act of a process that was cloned from one with descriptors of the host. Kernel 5.9.
pub fn keep_only(kept: &mut [&mut OwnedFd]) -> Result<(), SysError> {
    let beyond = 3 + kept.len() as i32;
    // Out of the way first: one may have the number that another is to get.
    let mut copies = Vec::new();
    for fd in kept.iter() {
        let copy = rustix::io::fcntl_dupfd_cloexec(&**fd, beyond);
        copies.push(copy.map_err(|e| SysError::new("fcntl", "descriptors", e.raw_os_error()))?);
    }
    for ((number, fd), copy) in (3..).zip(kept).zip(&copies) {
        // SAFETY: whatever had this number is a copy of the parent's, which nothing uses in this process; its new owner is
        // this one alone.
        let made = unsafe { dup3_raw(copy, number, OFlag::O_CLOEXEC) };
        let made = made.map_err(|e| SysError::new("dup3", number.to_string(), e as i32))?;
        // The old number is closed below.
        std::mem::forget(std::mem::replace(*fd, made));
    }
    std::mem::forget(copies);
    // SAFETY: owners of what is closed here are copies of the parent's, and are never dropped: this process ends by execve or
    // _exit.
    unsafe { close_range(beyond as u32, u32::MAX, 0) }
}

/// Makes this descriptor one of the three standard ones.
pub fn become_standard(fd: BorrowedFd<'_>, number: i32) -> Result<(), SysError> {
    let done = match number {
        0 => dup2_stdin(fd),
        1 => dup2_stdout(fd),
        _ => dup2_stderr(fd),
    };
    done.map_err(|e| SysError::new("dup2", number.to_string(), e as i32))
}

/// The execve of another process, as its parent tells it.
pub fn execve_call(path: &std::path::Path, argv: &[String], ret: i64) -> Call {
    Call { name: "execve".into(), args: sys::Argv(path, argv).to_string(), ret }
}

/// execve; comes back only with the reason why not. The call is noted by the parent, which sees it succeed.
pub fn execute(path: &str, argv: &[String], env: &[String]) -> SysError {
    let vector = |list: &[String]| list.iter().map(sys::cstr).collect::<Result<Vec<_>, _>>();
    let (Ok(path_c), Ok(argv_c), Ok(env_c)) = (sys::cstr(path), vector(argv), vector(env)) else {
        return SysError::new("execve", path, libc::EINVAL);
    };
    let refused = execve(&path_c, &argv_c, &env_c).map_or_else(|e| e as i32, |never| match never {});
    SysError::new("execve", path, refused)
}

/// IPv4 addresses of the network namespace of a process, by the kernel's own table of routes: what is there is `LOCAL`.
pub fn addresses(pid: i32) -> Vec<std::net::Ipv4Addr> {
    let text = fs::read_to_string(format!("/proc/{pid}/net/fib_trie")).unwrap_or_default();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let local = lines.windows(2).filter(|pair| pair[1].starts_with("/32 host LOCAL"));
    local.filter_map(|pair| pair[0].strip_prefix("|-- ")?.parse().ok()).collect()
}
