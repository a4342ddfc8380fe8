//! The seccomp filter: which system calls the programs of a container may make.
//!
//! Docker's default profile, for a container with Docker's default capabilities: what is in the table is allowed, a few
//! calls depend on an argument, and everything else answers EPERM, as if the kernel had refused. Two answers are ENOSYS,
//! "this kernel has no such call", so that C libraries fall back to an older one: clone3, whose flags lie in memory
//! where a filter cannot look, and numbers newer than the table (so does runc).
//!
//! Stricter than Docker 28.5 in two points: AF_ALG (the kernel's own cryptography, a wide way into it that programs do
//! without) is refused beside AF_VSOCK; and so is socketcall(SYS_SOCKET) of 32-bit programs, whose family lies in memory, and
//! by which both could be had. C libraries call socket itself since glibc 2.23 and musl 1.1.
//!
//! What never breaks: a filter is inherited and can never be taken off; a call of another architecture is judged by that
//! architecture's own numbers (x86_64 also runs i386 programs, and 32-bit numbers mean other calls), or kills.
//!
//! The program is a binary tree over call numbers, some ten steps deep. A list of comparisons, as libraries write it,
//! is ten times slower to load: since Linux 5.11 the kernel runs every number through a new filter once, to remember
//! those that are always allowed.

use super::sys::{self, Calls};
use crate::event::{Deed, Fact, SysError};
use libc::sock_filter;

/// A filter program, ready to be installed.
#[derive(Debug, Clone)]
pub struct Filters {
    program: Vec<sock_filter>,
    allowed: usize,
}

/// What becomes of a system call number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Allow,
    /// EPERM
    Refuse,
    /// ENOSYS
    Unknown,
    /// Any address family but AF_VSOCK, which reaches the hypervisor from any network namespace, and AF_ALG.
    Socket,
    /// All of socketcall but the making of a socket.
    Socketcall,
    /// Linux's own, 32-bit and UNAME26 personalities; not READ_IMPLIES_EXEC or ADDR_NO_RANDOMIZE.
    Personality,
    /// Threads and processes, but no new namespaces.
    Clone,
}

/// CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET}.
const NEW_NAMESPACES: u32 = 0x7E02_0000;
const PERSONALITIES: [u32; 5] = [0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];
const AF_VSOCK: u32 = 40;
const AF_ALG: u32 = 38;
/// socketcall's number for socket (linux/net.h).
const SYS_SOCKET: u32 = 1;

// Offsets in struct seccomp_data (seccomp(2)); both architectures are little-endian, so the low half comes first.
const DATA_NR: u32 = 0;
const DATA_ARCH: u32 = 4;
const DATA_ARG0_LOW: u32 = 16;

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const EPERM: u32 = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
const ENOSYS: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;
const KILL: u32 = libc::SECCOMP_RET_KILL_PROCESS;

/// One architecture: its AUDIT_ARCH number (linux/audit.h) and its judged calls in the order of their numbers.
struct Arch {
    audit: u32,
    calls: Vec<(u32, Verdict)>,
}

/// Every call number of an architecture with its verdict; the argument is that architecture's `Sysno`.
macro_rules! judged {
    ($sysno:ty) => {
        <$sysno>::iter().map(|call| (call.id() as u32, judge(call.name()))).collect::<Vec<_>>()
    };
}

#[cfg(target_arch = "x86_64")]
fn archs() -> [Arch; 2] {
    [
        Arch { audit: 0xC000_003E, calls: judged!(syscalls::x86_64::Sysno) },
        Arch { audit: 0x4000_0003, calls: judged!(syscalls::x86::Sysno) },
    ]
}

#[cfg(target_arch = "aarch64")]
fn archs() -> [Arch; 2] {
    let mut arm = judged!(syscalls::arm::Sysno);
    // The private calls of 32-bit ARM: breakpoint, cacheflush and set_tls (asm/unistd.h), which C libraries need.
    for private in [0xf_0001, 0xf_0002, 0xf_0005] {
        if arm.iter().all(|(number, _)| *number != private) {
            arm.push((private, Verdict::Allow));
        }
    }
    [Arch { audit: 0xC000_00B7, calls: judged!(syscalls::aarch64::Sysno) }, Arch { audit: 0x4000_0028, calls: arm }]
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
compile_error!("the seccomp table knows x86_64 and aarch64");

/// Builds the filter: pure computation, to be done before the clone.
pub fn build() -> Filters {
    let [native, compat] = archs();
    let allowed = native.calls.iter().filter(|(_, v)| !matches!(v, Verdict::Refuse | Verdict::Unknown)).count();
    let native_code = section(native.calls);
    let mut program = vec![
        load(DATA_ARCH),
        jump(libc::BPF_JEQ, native.audit, 3, 0),
        jump(libc::BPF_JEQ, compat.audit, 1, 0),
        answer(KILL),
        // A call of the other architecture: past the native section.
        ahead(native_code.len() as u32),
    ];
    program.extend(native_code);
    program.extend(section(compat.calls));
    Filters { program, allowed }
}

/// Installs the filter on this process, for good. Needs CAP_SYS_ADMIN or no_new_privs, so it comes before the
/// capabilities go; all calls that come after it (capset, setresuid, execve) are in the table.
///
/// Errors: EACCES without either right, EINVAL on a kernel without CONFIG_SECCOMP_FILTER.
pub fn install(filters: &Filters) -> Result<Deed<()>, SysError> {
    sys::deed(|calls| {
        set_filter(calls, &filters.program)?;
        Ok(((), Fact::Seccomp { allowed: Some(filters.allowed), filters: Some(1) }))
    })
}

fn set_filter(calls: &mut Calls, program: &[sock_filter]) -> Result<(), SysError> {
    let count = u16::try_from(program.len()).map_err(|_| SysError::new("seccomp", "program", libc::EINVAL))?;
    let fprog = libc::sock_fprog { len: count, filter: program.as_ptr().cast_mut() };
    // SAFETY: the kernel copies `len` instructions from `filter` and keeps no pointer; `program` lives throughout.
    let ret = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &fprog) };
    calls
        .saw("seccomp", format_args!("SECCOMP_SET_MODE_FILTER, 0, {{len={count}}}"), "filter", sys::answer(ret))
        .map(drop)
}

// ---- the program ---------------------------------------------------------------------------------------------------

fn load(offset: u32) -> sock_filter {
    sock_filter { code: (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16, jt: 0, jf: 0, k: offset }
}

/// Compares with `k`, and skips `jt` instructions when it holds, `jf` when not.
fn jump(how: u32, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code: (libc::BPF_JMP | how | libc::BPF_K) as u16, jt, jf, k }
}

fn ahead(by: u32) -> sock_filter {
    sock_filter { code: (libc::BPF_JMP | libc::BPF_JA) as u16, jt: 0, jf: 0, k: by }
}

fn answer(action: u32) -> sock_filter {
    sock_filter { code: (libc::BPF_RET | libc::BPF_K) as u16, jt: 0, jf: 0, k: action }
}

/// The judgement of one architecture: load the number, then the tree.
fn section(calls: Vec<(u32, Verdict)>) -> Vec<sock_filter> {
    let mut code = vec![load(DATA_NR)];
    code.extend(tree(&ranges(calls)));
    code
}

/// Runs of numbers with one verdict, each by its first number. Holes between known numbers are refused; what comes
/// after the last is unknown, x32 numbers (bit 30 set) among it.
fn ranges(mut calls: Vec<(u32, Verdict)>) -> Vec<(u32, Verdict)> {
    calls.sort_by_key(|(number, _)| *number);
    let mut runs: Vec<(u32, Verdict)> = Vec::new();
    let mut next = 0;
    let mut add = |number: u32, verdict: Verdict| {
        if runs.last().is_none_or(|(_, last)| *last != verdict) {
            runs.push((number, verdict));
        }
    };
    for (number, verdict) in calls {
        if number > next {
            add(next, Verdict::Refuse);
        }
        add(number, verdict);
        next = number + 1;
    }
    add(next, Verdict::Unknown);
    runs
}

/// A binary search over the runs. The lower half follows its comparison directly, the upper half comes after it; a
/// conditional jump reaches 255 instructions, so a longer lower half is passed by an unconditional one.
fn tree(runs: &[(u32, Verdict)]) -> Vec<sock_filter> {
    let middle = runs.len() / 2;
    let (lower, upper) = runs.split_at(middle);
    let Some(&(first, verdict)) = upper.first() else { return vec![answer(EPERM)] };
    if lower.is_empty() {
        return leaf(verdict);
    }
    let (below, above) = (tree(lower), tree(upper));
    let mut code = match u8::try_from(below.len()) {
        Ok(skip) => vec![jump(libc::BPF_JGE, first, skip, 0)],
        Err(_) => vec![jump(libc::BPF_JGE, first, 0, 1), ahead(below.len() as u32)],
    };
    code.extend(below);
    code.extend(above);
    code
}

/// Arguments are compared by their low 32 bits: the kernel takes each of these three as an `int` or drops the upper
/// half, so a filter that compared 64 bits would let `socket(0x1_0000_0028, …)` pass for another family.
fn leaf(verdict: Verdict) -> Vec<sock_filter> {
    match verdict {
        Verdict::Allow => vec![answer(ALLOW)],
        Verdict::Refuse => vec![answer(EPERM)],
        Verdict::Unknown => vec![answer(ENOSYS)],
        Verdict::Socket => vec![
            load(DATA_ARG0_LOW),
            jump(libc::BPF_JEQ, AF_VSOCK, 1, 0),
            jump(libc::BPF_JEQ, AF_ALG, 0, 1),
            answer(EPERM),
            answer(ALLOW),
        ],
        Verdict::Socketcall => {
            vec![load(DATA_ARG0_LOW), jump(libc::BPF_JEQ, SYS_SOCKET, 0, 1), answer(EPERM), answer(ALLOW)]
        }
        Verdict::Clone => {
            vec![load(DATA_ARG0_LOW), jump(libc::BPF_JSET, NEW_NAMESPACES, 0, 1), answer(EPERM), answer(ALLOW)]
        }
        Verdict::Personality => {
            let mut code = vec![load(DATA_ARG0_LOW)];
            for value in PERSONALITIES {
                code.extend([jump(libc::BPF_JEQ, value, 0, 1), answer(ALLOW)]);
            }
            code.push(answer(EPERM));
            code
        }
    }
}

// ---- the profile ---------------------------------------------------------------------------------------------------

fn judge(name: &str) -> Verdict {
    match name {
        "socket" => Verdict::Socket,
        "socketcall" => Verdict::Socketcall,
        "personality" => Verdict::Personality,
        "clone" => Verdict::Clone,
        "clone3" => Verdict::Unknown,
        _ if ALLOWED.binary_search(&name).is_ok() => Verdict::Allow,
        _ => Verdict::Refuse,
    }
}

/// What Docker 28 allows a container with its default capabilities, by the kernel's names, sorted. Names that one of the
/// architectures lacks stand for the other. chroot is there by CAP_SYS_CHROOT; ptrace and process_vm_* since Linux 4.8,
/// where a tracer cannot lead its tracee past a filter. Not there, among others: io_uring (out of Docker since 25: what
/// it does, no filter sees), mount and the mount API, unshare, setns, bpf, perf_event_open, keyctl (keyrings have no namespace),
/// userfaultfd, kexec, modules, clock_settime, reboot, swapon, quotactl, open_by_handle_at (the "shocker" escape).
#[rustfmt::skip] // one name per line would be six screens
const ALLOWED: &[&str] = &[
    "_llseek", "_newselect", "accept", "accept4", "access", "adjtimex", "alarm", "arch_prctl", "arm_fadvise64_64",
    "arm_sync_file_range", "bind", "breakpoint", "brk", "cacheflush", "cachestat", "capget", "capset", "chdir",
    "chmod", "chown", "chown32", "chroot", "clock_adjtime", "clock_adjtime64", "clock_getres", "clock_getres_time64",
    "clock_gettime", "clock_gettime64", "clock_nanosleep", "clock_nanosleep_time64", "close", "close_range", "connect",
    "copy_file_range", "creat", "dup", "dup2", "dup3", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_ctl_old",
    "epoll_pwait", "epoll_pwait2", "epoll_wait", "epoll_wait_old", "eventfd", "eventfd2", "execve", "execveat", "exit",
    "exit_group", "faccessat", "faccessat2", "fadvise64", "fadvise64_64", "fallocate", "fanotify_mark", "fchdir",
    "fchmod", "fchmodat", "fchmodat2", "fchown", "fchown32", "fchownat", "fcntl", "fcntl64", "fdatasync", "fgetxattr",
    "flistxattr", "flock", "fork", "fremovexattr", "fsetxattr", "fstat", "fstat64", "fstatat", "fstatat64", "fstatfs",
    "fstatfs64", "fsync", "ftruncate", "ftruncate64", "futex", "futex_requeue", "futex_time64", "futex_wait",
    "futex_waitv", "futex_wake", "futimesat", "get_robust_list", "get_thread_area", "getcpu", "getcwd", "getdents",
    "getdents64", "getegid", "getegid32", "geteuid", "geteuid32", "getgid", "getgid32", "getgroups", "getgroups32",
    "getitimer", "getpeername", "getpgid", "getpgrp", "getpid", "getppid", "getpriority", "getrandom", "getresgid",
    "getresgid32", "getresuid", "getresuid32", "getrlimit", "getrusage", "getsid", "getsockname", "getsockopt",
    "gettid", "gettimeofday", "getuid", "getuid32", "getxattr", "getxattrat", "inotify_add_watch", "inotify_init",
    "inotify_init1", "inotify_rm_watch", "io_cancel", "io_destroy", "io_getevents", "io_pgetevents",
    "io_pgetevents_time64", "io_setup", "io_submit", "ioctl", "ioprio_get", "ioprio_set", "ipc", "kill",
    "landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self", "lchown", "lchown32", "lgetxattr",
    "link", "linkat", "listen", "listmount", "listxattr", "listxattrat", "llistxattr", "lremovexattr", "lseek", "lsetxattr",
    "lstat", "lstat64", "madvise", "map_shadow_stack", "membarrier", "memfd_create", "memfd_secret", "mincore",
    "mkdir", "mkdirat", "mknod", "mknodat", "mlock", "mlock2", "mlockall", "mmap", "mmap2", "modify_ldt", "mprotect",
    "mq_getsetattr", "mq_notify", "mq_open", "mq_timedreceive", "mq_timedreceive_time64", "mq_timedsend",
    "mq_timedsend_time64", "mq_unlink", "mremap", "mseal", "msgctl", "msgget", "msgrcv", "msgsnd", "msync", "munlock",
    "munlockall", "munmap", "name_to_handle_at", "nanosleep", "newfstatat", "open", "openat", "openat2", "pause",
    "pidfd_open", "pidfd_send_signal", "pipe", "pipe2", "pkey_alloc", "pkey_free", "pkey_mprotect", "poll", "ppoll",
    "ppoll_time64", "prctl", "pread64", "preadv", "preadv2", "prlimit64", "process_mrelease", "process_vm_readv",
    "process_vm_writev", "pselect6", "pselect6_time64", "ptrace", "pwrite64", "pwritev", "pwritev2", "read",
    "readahead", "readlink", "readlinkat", "readv", "recv", "recvfrom", "recvmmsg", "recvmmsg_time64", "recvmsg",
    "remap_file_pages", "removexattr", "removexattrat", "rename", "renameat", "renameat2", "restart_syscall", "rmdir",
    "rseq", "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigqueueinfo", "rt_sigreturn", "rt_sigsuspend",
    "rt_sigtimedwait", "rt_sigtimedwait_time64", "rt_tgsigqueueinfo", "sched_get_priority_max",
    "sched_get_priority_min", "sched_getaffinity", "sched_getattr", "sched_getparam", "sched_getscheduler",
    "sched_rr_get_interval", "sched_rr_get_interval_time64", "sched_setaffinity", "sched_setattr", "sched_setparam",
    "sched_setscheduler", "sched_yield", "seccomp", "select", "semctl", "semget", "semop", "semtimedop",
    "semtimedop_time64", "send", "sendfile", "sendfile64", "sendmmsg", "sendmsg", "sendto", "set_robust_list",
    "set_thread_area", "set_tid_address", "set_tls", "setfsgid", "setfsgid32", "setfsuid", "setfsuid32", "setgid",
    "setgid32", "setgroups", "setgroups32", "setitimer", "setpgid", "setpriority", "setregid", "setregid32",
    "setresgid", "setresgid32", "setresuid", "setresuid32", "setreuid", "setreuid32", "setrlimit", "setsid",
    "setsockopt", "setuid", "setuid32", "setxattr", "setxattrat", "shmat", "shmctl", "shmdt", "shmget", "shutdown",
    "sigaltstack", "signalfd", "signalfd4", "sigprocmask", "sigreturn", "socketpair", "splice", "stat",
    "stat64", "statfs", "statfs64", "statmount", "statx", "symlink", "symlinkat", "sync", "sync_file_range", "sync_file_range2",
    "syncfs", "sysinfo", "tee", "tgkill", "time", "timer_create", "timer_delete", "timer_getoverrun", "timer_gettime",
    "timer_gettime64", "timer_settime", "timer_settime64", "timerfd_create", "timerfd_gettime", "timerfd_gettime64",
    "timerfd_settime", "timerfd_settime64", "times", "tkill", "truncate", "truncate64", "ugetrlimit", "umask", "uname",
    "unlink", "unlinkat", "uretprobe", "utime", "utimensat", "utimensat_time64", "utimes", "vfork", "vmsplice",
    "wait4", "waitid", "waitpid", "write", "writev",
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a filter as the kernel would, on one call.
    fn run(program: &[sock_filter], arch: u32, number: u32, arg0: u64) -> (u32, usize) {
        let (mut at, mut acc, mut steps) = (0, 0u32, 0);
        loop {
            let i = program[at];
            at += 1;
            steps += 1;
            let class = i.code as u32 & 7;
            let op = i.code as u32 & 0xf0;
            if class == libc::BPF_RET {
                return (i.k, steps);
            } else if class == libc::BPF_LD {
                acc = match i.k {
                    DATA_NR => number,
                    DATA_ARCH => arch,
                    DATA_ARG0_LOW => arg0 as u32,
                    other => panic!("loads offset {other}"),
                };
            } else if op == libc::BPF_JA {
                at += i.k as usize;
            } else {
                let holds = match op {
                    libc::BPF_JEQ => acc == i.k,
                    libc::BPF_JGE => acc >= i.k,
                    libc::BPF_JSET => acc & i.k != 0,
                    other => panic!("compares by {other:#x}"),
                };
                at += if holds { i.jt } else { i.jf } as usize;
            }
        }
    }

    fn verdict(filters: &Filters, arch: usize, name: &str, arg0: u64) -> u32 {
        let arch = &archs()[arch];
        #[cfg(target_arch = "x86_64")]
        let number = if arch.audit == archs()[0].audit {
            name.parse::<syscalls::x86_64::Sysno>().expect(name).id()
        } else {
            name.parse::<syscalls::x86::Sysno>().expect(name).id()
        };
        #[cfg(target_arch = "aarch64")]
        let number = if arch.audit == archs()[0].audit {
            name.parse::<syscalls::aarch64::Sysno>().expect(name).id()
        } else {
            name.parse::<syscalls::arm::Sysno>().expect(name).id()
        };
        run(&filters.program, arch.audit, number as u32, arg0).0
    }

    #[test]
    fn table_is_sorted_and_without_doubles() {
        assert!(ALLOWED.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn every_number_gets_the_verdict_of_its_name() {
        let filters = build();
        assert!(filters.program.len() < 4096, "{}", filters.program.len());
        assert!(filters.allowed > 250, "{}", filters.allowed);
        for arch in archs() {
            let known: std::collections::BTreeMap<u32, Verdict> = arch.calls.iter().copied().collect();
            let last = *known.keys().last().expect("calls");
            for number in (0..last + 300).chain([0x4000_0000, 0x4000_0001, u32::MAX]) {
                let want = match known.get(&number) {
                    Some(
                        Verdict::Allow | Verdict::Socket | Verdict::Socketcall | Verdict::Clone | Verdict::Personality,
                    ) => ALLOW,
                    Some(Verdict::Unknown) => ENOSYS,
                    Some(Verdict::Refuse) => EPERM,
                    None if number > last => ENOSYS,
                    None => EPERM,
                };
                let (got, steps) = run(&filters.program, arch.audit, number, 0);
                assert_eq!(got, want, "call {number} of {:#x}", arch.audit);
                assert!(steps < 28, "{steps} steps for {number}");
            }
        }
    }

    #[test]
    fn arguments_decide_where_they_must() {
        let filters = build();
        for arch in [0, 1] {
            let is = |name, arg| verdict(&filters, arch, name, arg);
            for flags in [0x11, 0x3d0f00, 0x4111] {
                assert_eq!(is("clone", flags), ALLOW);
            }
            for namespace in
                [0x0002_0000u64, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000]
            {
                assert_eq!(is("clone", namespace | 0x11), EPERM);
            }
            assert_eq!(is("clone3", 0), ENOSYS);
            assert_eq!(is("socket", 2), ALLOW);
            assert_eq!(is("socket", 40), EPERM);
            assert_eq!(is("socket", 0x1_0000_0028), EPERM);
            assert_eq!(is("socket", 38), EPERM);
            assert_eq!([is("statmount", 0), is("listmount", 0)], [ALLOW, ALLOW]);
            assert_eq!(is("personality", 8), ALLOW);
            assert_eq!(is("personality", 0xffff_ffff), ALLOW);
            assert_eq!(is("personality", 0x40000), EPERM);
            for name in
                ["mount", "umount2", "unshare", "setns", "bpf", "reboot", "keyctl", "init_module", "userfaultfd"]
            {
                assert_eq!(is(name, 0), EPERM, "{name}");
            }
            for name in ["io_uring_setup", "clock_settime", "pivot_root", "swapon", "open_by_handle_at", "syslog"] {
                assert_eq!(is(name, 0), EPERM, "{name}");
            }
            for name in ["execve", "capset", "setresuid", "prctl", "chroot", "ptrace", "openat2", "close_range"] {
                assert_eq!(is(name, 0), ALLOW, "{name}");
            }
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn a_32_bit_program_makes_no_socket_that_cannot_be_judged() {
        let filters = build();
        assert_eq!(verdict(&filters, 1, "socketcall", 1), EPERM);
        for other in (2..=20).chain([0]) {
            assert_eq!(verdict(&filters, 1, "socketcall", other), ALLOW, "{other}");
        }
    }

    #[test]
    fn another_architecture_dies() {
        assert_eq!(run(&build().program, 0x1234, 0, 0).0, KILL);
    }

    /// The kernel takes the filter, and it holds: in a child, since a filter cannot be taken off.
    #[test]
    fn kernel_agrees() {
        let filters = build();
        // SAFETY: the child only makes system calls that need no lock, and leaves by _exit.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            // SAFETY: plain numbers; the filter lives on.
            let code = unsafe {
                libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
                let fprog =
                    libc::sock_fprog { len: filters.program.len() as u16, filter: filters.program.as_ptr().cast_mut() };
                let errno = || std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
                if libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &fprog) != 0 {
                    1
                } else if libc::syscall(libc::SYS_clone3, 0, 0) != -1 || errno() != libc::ENOSYS {
                    2
                } else if libc::unshare(libc::CLONE_NEWUSER) != -1 || errno() != libc::EPERM {
                    3
                } else if libc::socket(AF_VSOCK as i32, libc::SOCK_STREAM, 0) != -1 || errno() != libc::EPERM {
                    4
                } else if libc::syscall(2000) != -1 || errno() != libc::ENOSYS {
                    5
                } else if libc::getppid() <= 0 {
                    6
                } else {
                    0
                }
            };
            sys::exit_now(code);
        }
        let mut status = 0;
        // SAFETY: our own child.
        assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
        assert!(libc::WIFEXITED(status), "status {status:#x}");
        assert_eq!(libc::WEXITSTATUS(status), 0);
    }
}
