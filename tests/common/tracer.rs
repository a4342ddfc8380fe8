//! Stops a command at each of its changing calls, in all its processes, and lets one of them fail or kills the process there.
//!
//! As `strace -f -e inject=CALL:error=EIO:when=N` does, but counted over the whole tree of processes and all calls: point N
//! is the N-th changing call, whoever makes it, so that each can be met in turn. The programs that run inside containers are
//! let go at their execve. This is the one place in the tests that needs `unsafe`: ptrace(2) has no safe wrapper here.

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::process::{Command, Output, Stdio};

/// Whether this machine's registers are known here.
pub const SUPPORTED: bool = cfg!(target_arch = "x86_64");

/// What happens at the chosen point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Nothing: the points are counted.
    Watch,
    /// The call is not made and answers EIO.
    Fail(usize),
    /// Its process is killed before the call is made.
    Kill(usize),
}

/// One changing call as it was met.
#[derive(Debug, Clone)]
pub struct Point {
    /// `command`, `monitor`, `child` (of the monitor, up to execve) or `helper`.
    pub who: String,
    pub name: &'static str,
    /// Its path, or what is written to, where it has one.
    pub object: String,
}

impl std::fmt::Display for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}({})", self.who, self.name, self.object)
    }
}

pub struct Traced {
    pub output: Output,
    pub points: Vec<Point>,
    pub hit: Option<Point>,
    /// The programs of containers, as they were about to start.
    pub started: Vec<Started>,
}

/// The process of a container at its execve.
#[derive(Debug, Clone)]
pub struct Started {
    pub path: String,
    pub descriptors: Vec<Descriptor>,
    /// Whether its working directory is of the file systems that it sees at its root.
    pub inside: bool,
}

#[derive(Debug, Clone)]
pub struct Descriptor {
    pub number: i32,
    pub link: String,
    /// The file system that it is on.
    pub device: u64,
    pub close_on_exec: bool,
}

impl Started {
    fn look(pid: i32, path: String) -> Started {
        use std::os::unix::fs::MetadataExt;
        let of = |what: &str| format!("/proc/{pid}/{what}");
        let device = |path: String| std::fs::metadata(path).map_or(0, |m| m.dev());
        let mut descriptors = Vec::new();
        for entry in std::fs::read_dir(of("fd")).expect("its descriptors").flatten() {
            let number = entry.file_name().to_string_lossy().parse().expect("a number");
            let info = std::fs::read_to_string(of(&format!("fdinfo/{number}"))).expect("fdinfo");
            let flags = info.lines().find_map(|l| l.strip_prefix("flags:")).expect("flags");
            let flags = i64::from_str_radix(flags.trim(), 8).expect("octal");
            descriptors.push(Descriptor {
                number,
                link: open_file(pid, number as u64),
                device: device(of(&format!("fd/{number}"))),
                close_on_exec: flags & i64::from(libc::O_CLOEXEC) != 0,
            });
        }
        descriptors.sort_by_key(|d| d.number);
        Started { path, descriptors, inside: device(of("cwd")) == device(of("root/")) }
    }
}

#[repr(C)]
struct SyscallInfo {
    op: u8,
    pad: [u8; 3],
    arch: u32,
    ip: u64,
    sp: u64,
    nr: u64,
    args: [u64; 6],
    rest: [u64; 4],
}

struct Tracee {
    who: String,
    /// In a call that is to answer EIO.
    failing: bool,
}

fn ptrace(request: libc::c_uint, pid: i32, address: usize, data: usize) -> Result<i64, i32> {
    // SAFETY: the requests made here take plain numbers, or `data` is the address of a buffer that outlives the call and has
    // the size that `address` says (PTRACE_GET_SYSCALL_INFO) or the kernel's layout (user_regs_struct).
    let ret = unsafe { libc::ptrace(request, pid, address, data) };
    if ret < 0 { Err(std::io::Error::last_os_error().raw_os_error().unwrap_or(0)) } else { Ok(ret) }
}

const OPTIONS: i32 = libc::PTRACE_O_TRACESYSGOOD
    | libc::PTRACE_O_TRACEFORK
    | libc::PTRACE_O_TRACEVFORK
    | libc::PTRACE_O_TRACECLONE
    | libc::PTRACE_O_TRACEEXEC;

/// Runs `command` to its end. What it leaves running is let go.
#[expect(clippy::zombie_processes, reason = "the tracer reaps it, with all the others")]
pub fn trace(mut command: Command, docent: &str, act: Act) -> Traced {
    // A shell that waits for its word, so that it can be seized before it becomes the command.
    let mut waiting = Command::new("sh");
    waiting
        .args(["-c", "read word && exec \"$@\" < /dev/null", "sh"])
        .arg(command.get_program())
        .args(command.get_args());
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => waiting.env(key, value),
            None => waiting.env_remove(key),
        };
    }
    command = waiting;
    let (mut out, mut err) = (tempfile::tempfile().expect("a file"), tempfile::tempfile().expect("a file"));
    command.stdin(Stdio::piped());
    command.stdout(out.try_clone().expect("a file")).stderr(err.try_clone().expect("a file"));
    let mut child = command.spawn().expect("sh");
    let first = child.id() as i32;
    ptrace(libc::PTRACE_SEIZE, first, 0, OPTIONS as usize).expect("PTRACE_SEIZE");
    child.stdin.take().expect("stdin").write_all(b"go\n").expect("its word");
    let mut tracer = Tracer {
        docent: docent.into(),
        act,
        tracees: HashMap::new(),
        early: HashSet::new(),
        points: Vec::new(),
        hit: None,
        started: Vec::new(),
    };
    tracer.tracees.insert(first, Tracee { who: String::new(), failing: false });
    // Calls are stopped at from the first stop on; the seized process has none yet.
    ptrace(libc::PTRACE_INTERRUPT, first, 0, 0).expect("PTRACE_INTERRUPT");
    let status = tracer.follow(first);
    tracer.let_go();
    use std::io::{Read, Seek};
    use std::os::unix::process::ExitStatusExt;
    let text = |file: &mut std::fs::File| {
        let mut bytes = Vec::new();
        file.rewind().and_then(|()| file.read_to_end(&mut bytes)).expect("its output");
        bytes
    };
    let (stdout, stderr) = (text(&mut out), text(&mut err));
    let status = std::process::ExitStatus::from_raw(status);
    Traced {
        output: Output { status, stdout, stderr },
        points: tracer.points,
        hit: tracer.hit,
        started: tracer.started,
    }
}

/// Up to the next call; ESRCH: it was killed meanwhile, and will be reaped.
fn resume(pid: i32, signal: i32) {
    if let Err(e) = ptrace(libc::PTRACE_SYSCALL, pid, 0, signal as usize) {
        assert_eq!(e, libc::ESRCH, "PTRACE_SYSCALL");
    }
}

struct Tracer {
    docent: String,
    act: Act,
    tracees: HashMap<i32, Tracee>,
    /// Processes that were seen before the one that made them said so: they stay at their first stop until it is known whose
    /// they are. Otherwise their first calls would count in one run and not in the next.
    early: HashSet<i32>,
    points: Vec<Point>,
    hit: Option<Point>,
    started: Vec<Started>,
}

impl Tracer {
    /// Until the first process has ended; gives its wait status.
    fn follow(&mut self, first: i32) -> i32 {
        loop {
            let mut status = 0;
            // SAFETY: `status` is an int that lives until the call returns. __WNOTHREAD: other tests' children are theirs.
            let pid = unsafe { libc::waitpid(-1, &mut status, libc::__WALL | libc::__WNOTHREAD) };
            if pid < 0 {
                assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(libc::EINTR), "waitpid");
                continue;
            }
            if libc::WIFEXITED(status) || libc::WIFSIGNALED(status) {
                self.tracees.remove(&pid);
                // Who made a process may have been killed before it could say so.
                for pid in std::mem::take(&mut self.early) {
                    resume(pid, 0);
                }
                if pid == first {
                    return status;
                }
                continue;
            }
            self.stopped(pid, status);
        }
    }

    fn stopped(&mut self, pid: i32, status: i32) {
        let (signal, event) = (libc::WSTOPSIG(status), status >> 16);
        if event == libc::PTRACE_EVENT_STOP && !self.tracees.contains_key(&pid) {
            self.early.insert(pid);
        }
        self.tracees.entry(pid).or_insert(Tracee { who: String::new(), failing: false });
        if self.early.contains(&pid) {
            return;
        }
        let mut pass = 0;
        match (signal, event) {
            (s, 0) if s == libc::SIGTRAP | 0x80 => self.call(pid),
            (_, libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK | libc::PTRACE_EVENT_CLONE) => {
                let mut new: libc::c_ulong = 0;
                if ptrace(libc::PTRACE_GETEVENTMSG, pid, 0, &mut new as *mut _ as usize).is_ok() {
                    let who = match self.tracees[&pid].who.as_str() {
                        "" => "",
                        "monitor" => "child",
                        _ => "helper",
                    };
                    self.tracees.entry(new as i32).or_insert(Tracee { who: String::new(), failing: false }).who =
                        who.into();
                    if self.early.remove(&(new as i32)) {
                        resume(new as i32, 0);
                    }
                }
            }
            (_, libc::PTRACE_EVENT_EXEC) => {
                let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
                let words: Vec<String> =
                    line.split(|b| *b == 0).map(|w| String::from_utf8_lossy(w).into_owned()).collect();
                let hidden = words.get(1).is_some_and(|w| w.starts_with("__"));
                let was = self.tracees[&pid].who.clone();
                let who = if words[0] == self.docent {
                    "command"
                } else if hidden && words[1] == "__monitor" {
                    "monitor"
                } else if hidden {
                    "helper"
                } else if was.is_empty() {
                    ""
                } else {
                    // The container's own program: not ours any more.
                    self.tracees.remove(&pid);
                    if ptrace(libc::PTRACE_DETACH, pid, 0, 0).is_ok() {
                        return;
                    }
                    ""
                };
                if let Some(tracee) = self.tracees.get_mut(&pid) {
                    tracee.who = who.into();
                }
            }
            // Group stops and the first stop of a new process.
            (_, libc::PTRACE_EVENT_STOP) => {}
            (signal, _) => pass = signal,
        }
        resume(pid, pass);
    }

    /// At the entry or the exit of a call.
    fn call(&mut self, pid: i32) {
        let mut info = SyscallInfo { op: 0, pad: [0; 3], arch: 0, ip: 0, sp: 0, nr: 0, args: [0; 6], rest: [0; 4] };
        let size = std::mem::size_of::<SyscallInfo>();
        if ptrace(0x420e, pid, size, &mut info as *mut _ as usize).is_err() {
            return;
        }
        match info.op {
            1 => self.entry(pid, &info),
            2 if self.tracees[&pid].failing => {
                set_register(pid, |regs| regs.rax = -i64::from(libc::EIO) as u64);
                if let Some(tracee) = self.tracees.get_mut(&pid) {
                    tracee.failing = false;
                }
            }
            _ => {}
        }
    }

    fn entry(&mut self, pid: i32, info: &SyscallInfo) {
        let who = self.tracees[&pid].who.clone();
        if who.is_empty() {
            return;
        }
        let Some((name, object)) = changing(pid, info) else { return };
        if who == "child" && name == "execve" {
            self.started.push(Started::look(pid, object.clone()));
        }
        let point = Point { who, name, object };
        self.points.push(point.clone());
        match self.act {
            Act::Fail(n) if n + 1 == self.points.len() => {
                set_register(pid, |regs| regs.orig_rax = u64::MAX);
                if let Some(tracee) = self.tracees.get_mut(&pid) {
                    tracee.failing = true;
                }
                self.hit = Some(point);
            }
            Act::Kill(n) if n + 1 == self.points.len() => {
                // SAFETY: two plain numbers; the process is ours, stopped, and has not been reaped.
                unsafe { libc::kill(pid, libc::SIGKILL) };
                self.hit = Some(point);
            }
            _ => {}
        }
    }

    /// Everything that still runs goes on by itself.
    fn let_go(&mut self) {
        let mut running: Vec<i32> = self.tracees.keys().copied().collect();
        while let Some(pid) = running.pop() {
            if ptrace(libc::PTRACE_INTERRUPT, pid, 0, 0).is_err() {
                continue;
            }
            let mut status = 0;
            // SAFETY: as above.
            if unsafe { libc::waitpid(pid, &mut status, libc::__WALL) } == pid && libc::WIFSTOPPED(status) {
                let (signal, event) = (libc::WSTOPSIG(status), status >> 16);
                // It was just making a process: that one is ours too, and would stay stopped.
                let mut new: libc::c_ulong = 0;
                if matches!(event, libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK | libc::PTRACE_EVENT_CLONE)
                    && ptrace(libc::PTRACE_GETEVENTMSG, pid, 0, &mut new as *mut _ as usize).is_ok()
                    && !self.tracees.contains_key(&(new as i32))
                {
                    running.push(new as i32);
                }
                let pass = if event == 0 && signal != libc::SIGTRAP | 0x80 { signal } else { 0 };
                // ESRCH: it is gone by now.
                ptrace(libc::PTRACE_DETACH, pid, 0, pass as usize).unwrap_or(0);
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn set_register(pid: i32, set: impl FnOnce(&mut libc::user_regs_struct)) {
    // SAFETY: a struct of integers; all zeroes is a value of it.
    let mut regs: libc::user_regs_struct = unsafe { std::mem::zeroed() };
    ptrace(libc::PTRACE_GETREGS, pid, 0, &mut regs as *mut _ as usize).expect("PTRACE_GETREGS");
    set(&mut regs);
    ptrace(libc::PTRACE_SETREGS, pid, 0, &mut regs as *mut _ as usize).expect("PTRACE_SETREGS");
}

#[cfg(not(target_arch = "x86_64"))]
struct Registers {
    rax: u64,
    orig_rax: u64,
}

#[cfg(not(target_arch = "x86_64"))]
fn set_register(_pid: i32, _set: impl FnOnce(&mut Registers)) {
    unreachable!("tests ask for SUPPORTED first");
}

/// A string of the tracee's, at most one page.
fn string(pid: i32, address: u64) -> String {
    let bytes = memory(pid, address, 4096);
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

fn memory(pid: i32, address: u64, most: usize) -> Vec<u8> {
    use std::os::unix::fs::FileExt;
    let mut bytes = vec![0; most];
    let read = std::fs::File::open(format!("/proc/{pid}/mem")).and_then(|f| f.read_at(&mut bytes, address));
    bytes.truncate(read.unwrap_or(0));
    bytes
}

fn open_file(pid: i32, fd: u64) -> String {
    std::fs::read_link(format!("/proc/{pid}/fd/{}", fd as i32))
        .map_or(String::new(), |p| p.to_string_lossy().into_owned())
}

/// Whether a call changes a kernel object or a file, bookkeeping included; with its name and what it is about.
fn changing(pid: i32, info: &SyscallInfo) -> Option<(&'static str, String)> {
    let a = info.args;
    let path = |n: usize| string(pid, a[n]);
    let at = |dir: usize| {
        let name = string(pid, a[dir + 1]);
        if name.starts_with('/') || a[dir] as i32 == libc::AT_FDCWD {
            name
        } else {
            format!("{}/{name}", open_file(pid, a[dir]))
        }
    };
    let none = String::new;
    let call = match info.nr as i64 {
        #[cfg(target_arch = "x86_64")]
        libc::SYS_mkdir => ("mkdir", path(0)),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_rmdir => ("rmdir", path(0)),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_unlink => ("unlink", path(0)),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_rename => ("rename", format!("{} -> {}", path(0), path(1))),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_symlink => ("symlink", path(1)),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_chmod => ("chmod", path(0)),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_vfork | libc::SYS_fork => ("vfork", none()),
        libc::SYS_mkdirat => ("mkdirat", at(0)),
        libc::SYS_unlinkat => ("unlinkat", at(0)),
        libc::SYS_mknodat => ("mknodat", at(0)),
        libc::SYS_symlinkat => ("symlinkat", at(1)),
        libc::SYS_renameat2 => ("renameat2", format!("{} -> {}", at(0), at(2))),
        libc::SYS_fchmod => ("fchmod", open_file(pid, a[0])),
        libc::SYS_fchown => ("fchown", open_file(pid, a[0])),
        libc::SYS_fchownat => ("fchownat", at(0)),
        libc::SYS_utimensat if a[1] == 0 => ("utimensat", open_file(pid, a[0])),
        libc::SYS_utimensat => ("utimensat", at(0)),
        libc::SYS_ftruncate => ("ftruncate", open_file(pid, a[0])),
        libc::SYS_openat if a[2] as i32 & (libc::O_CREAT | libc::O_TRUNC) != 0 => ("openat", at(0)),
        libc::SYS_write => {
            let to = open_file(pid, a[0]);
            // Files, not the streams of programs.
            if !to.starts_with('/') || to.starts_with("/dev/") || to.starts_with("/tmp/#") || to.contains("(deleted)") {
                return None;
            }
            ("write", to)
        }
        libc::SYS_fsync => ("fsync", open_file(pid, a[0])),
        libc::SYS_syncfs => ("syncfs", none()),
        libc::SYS_sendfile => ("sendfile", open_file(pid, a[0])),
        libc::SYS_mount => ("mount", path(1)),
        libc::SYS_umount2 => ("umount2", path(0)),
        libc::SYS_pivot_root => ("pivot_root", none()),
        libc::SYS_fsopen => ("fsopen", path(0)),
        libc::SYS_fsconfig => ("fsconfig", if a[2] == 0 { none() } else { path(2) }),
        libc::SYS_fsmount => ("fsmount", none()),
        libc::SYS_move_mount => ("move_mount", open_file(pid, a[2])),
        libc::SYS_open_tree => ("open_tree", path(1)),
        libc::SYS_mount_setattr => ("mount_setattr", none()),
        libc::SYS_clone | libc::SYS_clone3 => {
            let flags = if info.nr as i64 == libc::SYS_clone { a[0] } else { word(&memory(pid, a[0], 8)) };
            if flags & libc::CLONE_THREAD as u64 != 0 {
                return None;
            }
            ("clone", format!("{flags:#x}"))
        }
        libc::SYS_unshare => ("unshare", format!("{:#x}", a[0])),
        libc::SYS_setns => ("setns", none()),
        libc::SYS_execve => ("execve", path(0)),
        libc::SYS_setsid => ("setsid", none()),
        libc::SYS_sethostname => ("sethostname", none()),
        libc::SYS_pidfd_send_signal => ("pidfd_send_signal", a[1].to_string()),
        libc::SYS_prctl if matches!(a[0] as i32, 1 | 4 | 24 | 38 | 47) => ("prctl", format!("{}, {}", a[0], a[1])),
        libc::SYS_seccomp => ("seccomp", none()),
        libc::SYS_capset => ("capset", none()),
        libc::SYS_setgroups => ("setgroups", none()),
        libc::SYS_setresgid => ("setresgid", none()),
        libc::SYS_setresuid => ("setresuid", none()),
        libc::SYS_bind => ("bind", none()),
        libc::SYS_listen => ("listen", none()),
        libc::SYS_ioctl if a[1] == libc::TIOCSCTTY => ("ioctl", "TIOCSCTTY".into()),
        libc::SYS_sendto => {
            let kind = u16::from_ne_bytes(memory(pid, a[1] + 4, 2).try_into().ok()?);
            let look = if kind >> 8 == 0 { kind >= 0x10 && kind % 4 == 2 } else { matches!(kind & 0xff, 1 | 4 | 7) };
            if look {
                return None;
            }
            ("sendto", format!("netlink {kind:#x}"))
        }
        _ => return None,
    };
    Some(call)
}

fn word(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_ne_bytes)
}

/// Holds a process's next child at its birth: it has not run one instruction, and does not until it gets SIGCONT.
pub struct NextChild {
    parent: i32,
}

impl NextChild {
    /// Of a process that has one thread. What it does meanwhile is done by the same thread of the test: ptrace(2) knows
    /// tracers by thread.
    pub fn of(parent: i32) -> NextChild {
        ptrace(libc::PTRACE_SEIZE, parent, 0, OPTIONS as usize & !(libc::PTRACE_O_TRACEEXEC as usize))
            .expect("PTRACE_SEIZE");
        NextChild { parent }
    }

    /// Waits for the child; its parent goes on, untraced.
    pub fn stopped(self) -> i32 {
        let wait = |pid: i32| {
            let mut status = 0;
            // SAFETY: `status` is an int that lives until the call returns.
            let got = unsafe { libc::waitpid(pid, &mut status, libc::__WALL) };
            assert!(got == pid && libc::WIFSTOPPED(status), "{pid} has stopped: {got} {status:#x}");
            (libc::WSTOPSIG(status), status >> 16)
        };
        let mut child: libc::c_ulong = 0;
        loop {
            match wait(self.parent) {
                (_, libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK | libc::PTRACE_EVENT_CLONE) => break,
                (signal, event) => {
                    let pass = if event == 0 { signal } else { 0 };
                    ptrace(libc::PTRACE_CONT, self.parent, 0, pass as usize).expect("PTRACE_CONT");
                }
            }
        }
        ptrace(libc::PTRACE_GETEVENTMSG, self.parent, 0, &mut child as *mut _ as usize).expect("PTRACE_GETEVENTMSG");
        let child = child as i32;
        wait(child);
        // The signal waits for it: it stops before it comes back to its program.
        // SAFETY: two plain numbers; the process is stopped, and ours until it is let go.
        assert_eq!(unsafe { libc::kill(child, libc::SIGSTOP) }, 0);
        ptrace(libc::PTRACE_DETACH, child, 0, 0).expect("PTRACE_DETACH");
        ptrace(libc::PTRACE_DETACH, self.parent, 0, 0).expect("PTRACE_DETACH");
        child
    }
}
