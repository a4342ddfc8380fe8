//! Where a submission runs: a process tree that can read the machine's programs, write its own work directory, and ask the
//! engine for containers. Nothing else of the host is there to be found.
//!
//! - Its root is an empty tmpfs with read-only binds of /usr and the like and an /etc made up here: no home, no /var, no
//!   /run, no store. Only what is listed can be seen, so nothing has to be thought of to be hidden.
//! - Pid, mount, ipc and uts namespaces of its own, with their own /proc, masked as a container's. The network is the
//!   engine's, which has loopback and the bridge: `curl localhost:8080` reaches a published port and nothing leaves.
//! - An unused user number without any capability, no_new_privs, Docker's seccomp filter, limits by cgroup and by rlimit.
//!
//! Process 1 is a copy of the engine that waits for the shell: when it ends, or is killed at the time limit, the kernel
//! kills all that the script left running. It cannot be traced or read by the script: it is not dumpable.

use super::engine::{SIDE, SOCKET};
use super::grade::Plan;
use crate::event::{Event, Fact, Fault, Story, SysError};
use crate::kernel::files::{self, At};
use crate::kernel::mounts::{self, Setting};
use crate::kernel::packet::Packets;
use crate::kernel::sys::{self, Calls, Cloned};
use crate::kernel::{caps, ids, process, resolve, seccomp, signals};
use crate::launch::{protect, root};
use rustix::fs::OFlags;
use rustix::mount::MountAttrFlags as Attr;
use rustix::process::Resource;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

pub const MOUNT_POINT: &str = "/run/side/root";

/// Top-level directories of the host that hold programs and their libraries.
const PROGRAMS: [&str; 9] = ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "nix", "gnu"];
/// Files of /etc that programs need and that tell nothing of this machine's users.
const ETC: [&str; 8] =
    ["alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "os-release", "protocols", "services"];
/// Numbers that systemd's documentation (Users, Groups, UIDs and GIDs) leaves to nobody.
const USERS: std::ops::Range<u32> = 60_578..61_184;
const MOST_PROCESSES: u64 = 128;
const MOST_MEMORY: u64 = 512 << 20;
const MOST_FILE: u64 = 256 << 20;
const PATH: &str = "/docent/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A sandbox at work.
pub struct Sandbox {
    pub pid: i32,
    pub user: u32,
    /// What the script writes to either stream, until all ends of it are closed.
    pub output: Option<OwnedFd>,
    pidfd: OwnedFd,
}

impl Sandbox {
    /// Its root as the engine and its commands see it. Valid until process 1 has been reaped.
    pub fn root(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root", self.pid))
    }

    /// Ends process 1, and with it every process inside.
    pub fn kill(&self) {
        // Ended already is as good.
        sys::pidfd_signal(&mut Calls::default(), self.pidfd.as_fd(), self.pid, libc::SIGKILL).unwrap_or(());
    }
}

const TOLD: u8 = 1;
const FAILED: u8 = 2;

/// Starts the script. What was done on the way inside is told to `story`.
pub fn start(plan: &Plan, story: &mut Story) -> Result<Sandbox, Fault> {
    let step = |e: SysError| Fault::step("sandbox", e);
    let errno = |call: &'static str| move |e: rustix::io::Errno| step(SysError::new(call, "", e.raw_os_error()));
    let (ours, theirs) = Packets::pair().map_err(step)?;
    let (output, script_output) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(errno("pipe2"))?;
    let flags = rustix::fs::fcntl_getfl(&output).map_err(errno("fcntl"))?;
    rustix::fs::fcntl_setfl(&output, flags | OFlags::NONBLOCK).map_err(errno("fcntl"))?;
    let user = USERS.start + plan.grader % (USERS.end - USERS.start);
    let filters = seccomp::build();
    let what = (libc::CLONE_NEWPID | libc::CLONE_NEWNS | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS) as u64;
    let born_in = plan.sandbox_birth.as_ref().map(AsFd::as_fd);
    let mut calls = Calls::default();
    match sys::clone3(&mut calls, what, born_in).map_err(step)? {
        Cloned::Child => {
            drop((ours, output));
            super::grade::never_returns(|| inside(plan, user, &filters, theirs, script_output))
        }
        Cloned::Parent { pid, pidfd } => {
            drop((theirs, script_output));
            let namespaces = process::namespaces(pid, process::KINDS.get(..4).unwrap_or_default());
            story.tell(Event::of(Fact::NamespacesMade { pid: Some(pid), inside: 1, namespaces }, calls.take()));
            while let Ok(message) = ours.receive(true) {
                if let (TOLD, Ok(events)) = (message.kind, serde_json::from_slice(&message.body)) {
                    story.tell_all(events);
                } else {
                    let error = serde_json::from_slice(&message.body);
                    return Err(step(error.unwrap_or_else(|_| SysError::new("recvmsg", "sandbox", libc::EPROTO))));
                }
            }
            Ok(Sandbox { pid, user, output: Some(output), pidfd })
        }
    }
}

/// Process 1 of the sandbox. Gives the script's exit code.
fn inside(plan: &Plan, user: u32, filters: &seccomp::Filters, told: Packets, output: OwnedFd) -> i32 {
    let told = std::rc::Rc::new(told);
    let teller = told.clone();
    let failed = |e: SysError| {
        told.send(FAILED, &serde_json::to_vec(&e).unwrap_or_default(), &[], true).unwrap_or(());
        126
    };
    let mut story = Story::passing_on(move |events| {
        // An engine that is gone has taken this namespace with it.
        teller.send(TOLD, &serde_json::to_vec(events).unwrap_or_default(), &[], true).unwrap_or(());
    });
    let shell = settle(plan, user, &mut story).and_then(|()| {
        let mut calls = Calls::default();
        match sys::clone3(&mut calls, 0, None)? {
            Cloned::Parent { pid, .. } => {
                seccomp::install(filters)?.tell(&mut story);
                Ok(pid)
            }
            Cloned::Child => super::grade::never_returns(|| {
                let installed = seccomp::install(filters).map(|deed| deed.tell(&mut story));
                installed.and_then(|()| shell(plan, output.as_fd())).map_or_else(failed, |()| 126)
            }),
        }
    });
    match shell {
        Err(e) => failed(e),
        Ok(pid) => {
            // The last copies of these two in this process: the engine now hears the shell alone.
            drop((story, told, output));
            wait_for(pid)
        }
    }
}

/// Reaps everything that ends in this pid namespace; gives the status of the script.
fn wait_for(shell: i32) -> i32 {
    while let Some((pid, ended)) = process::reap_any(true) {
        if pid == shell {
            return ended.status();
        }
    }
    255
}

/// From a copy of the engine to a process without rights in an empty root.
fn settle(plan: &Plan, user: u32, story: &mut Story) -> Result<(), SysError> {
    process::guard(true, true)?.tell(story);
    // This process's words are still the grader's (the student, the secret's path), and /proc/1/cmdline is for everybody.
    process::forget_arguments()?;
    signals::default_all();
    process::own_session()?.tell(story);
    if let Some(cgroup) = &plan.cgroup {
        cgroup.join_sandbox(story)?;
    }
    sys::deed(|calls| {
        sys::sethostname(calls, "lab")?;
        Ok(((), Fact::HostnameSet { name: "lab".into() }))
    })?
    .tell(story);
    sys::deed(|calls| {
        mounts::keep_mounts_inside(calls)?;
        Ok(((), Fact::MountsKept { private: false }))
    })?
    .tell(story);
    let top = tmpfs(resolve::directory(Path::new(MOUNT_POINT))?.as_fd(), MOUNT_POINT, 0, "33554432", story)?;
    furnish(plan, user, top.as_fd(), story)?;
    sys::deed(|calls| {
        mounts::set_read_only(calls, top.as_fd(), false)?;
        Ok(((), Fact::ReadOnly { paths: vec!["/".into()], absent: Vec::new() }))
    })?
    .tell(story);
    root::pivot(top.as_fd(), Path::new(MOUNT_POINT))?.tell(story);
    std::env::set_current_dir("/work").map_err(|e| SysError::io("chdir", "/work", &e))?;
    limits(plan)?;
    caps::bounding(&[])?.tell(story);
    caps::no_new_privs()?.tell(story);
    ids::become_user(user, user, &[])?.tell(story);
    caps::sets(&[])?.tell(story);
    // Set again: the change of user may have set it to what /proc/sys/fs/suid_dumpable says.
    process::guard(false, true)?.tell(story);
    Ok(())
}

/// A writable file system of this size and this user's at a target that is open.
fn tmpfs(target: BorrowedFd<'_>, shown: &str, user: u32, bytes: &str, story: &mut Story) -> Result<OwnedFd, SysError> {
    let number = user.to_string();
    Ok(sys::deed(|calls| {
        let settings = [
            Setting::Value("mode", "0755"),
            Setting::Value("uid", &number),
            Setting::Value("gid", &number),
            Setting::Value("size", bytes),
        ];
        let mount = mounts::detached(calls, "tmpfs", &settings, Attr::MOUNT_ATTR_NOSUID | Attr::MOUNT_ATTR_NODEV)?;
        mounts::attach(calls, mount.as_fd(), target, shown)?;
        let options = format!("nosuid,nodev,mode=755,uid={user},gid={user},size={bytes}");
        Ok((mount, Fact::Mounted { kind: "tmpfs".into(), target: shown.into(), options }))
    })?
    .tell(story))
}

/// Fills the empty root. Nobody else sees it yet, so its own names can be trusted.
fn furnish(plan: &Plan, user: u32, top: BorrowedFd<'_>, story: &mut Story) -> Result<(), SysError> {
    for name in ["dev", "proc", "etc", "tmp", "work", "docent", "docent/bin"] {
        mkdir(top, name)?;
    }
    for name in PROGRAMS {
        let host = Path::new("/").join(name);
        match std::fs::read_link(&host) {
            Ok(to) => files::symlinkat(&mut Calls::default(), &to, At::new(&top, ""), name)?,
            Err(_) if host.is_dir() => {
                mkdir(top, name)?;
                bind(top, &host, name, true, story)?;
            }
            Err(_) => {}
        }
    }
    for name in ETC {
        let (host, inside) = (Path::new("/etc").join(name), format!("etc/{name}"));
        if let Ok(to) = std::fs::read_link(&host) {
            files::symlinkat(&mut Calls::default(), &to, At::new(&top, ""), &inside)?;
        } else if host.exists() {
            if host.is_dir() {
                mkdir(top, &inside)?
            } else {
                write(top, &inside, "")?
            }
            bind(top, &host, &inside, true, story)?;
        }
    }
    write(top, "etc/passwd", &format!("root:x:0:0::/:/bin/sh\nstudent:x:{user}:{user}::/work:/bin/sh\n"))?;
    write(top, "etc/group", &format!("root:x:0:\nstudent:x:{user}:\n"))?;
    write(top, "etc/hosts", "127.0.0.1 localhost\n::1 localhost\n")?;
    write(top, "etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n")?;
    write(top, "docent/submission.sh", &plan.script)?;
    write(top, "docent/engine", "")?;
    bind(top, &Path::new(SIDE).join(SOCKET), "docent/engine", false, story)?;
    write(top, "docent/bin/docker", "")?;
    bind(top, &plan.program, "docent/bin/docker", true, story)?;
    files::symlinkat(&mut Calls::default(), "docker", At::new(&top, ""), "docent/bin/docent")?;
    for (name, bytes) in [("work", "134217728"), ("tmp", "67108864")] {
        let target = mounts::beneath(top, name)?;
        drop(tmpfs(target.as_fd(), &format!("/{name}"), user, bytes, story)?);
    }
    let proc = root::PROC.mount(mounts::beneath(top, "proc")?.as_fd())?.tell(story);
    let (dev, _pts) = root::make_dev(mounts::beneath(top, "dev")?.as_fd(), story)?;
    drop(root::SHM.mount(mounts::beneath(dev.as_fd(), "shm")?.as_fd())?.tell(story));
    protect::protect(&protect::Mounts { proc: proc.as_fd(), sys: None, dev: dev.as_fd() }, story)?;
    // Nothing is made in /dev any more, by nobody.
    sys::deed(|calls| {
        mounts::set_read_only(calls, dev.as_fd(), false)?;
        Ok(((), Fact::ReadOnly { paths: vec!["/dev".into()], absent: Vec::new() }))
    })?
    .tell(story);
    Ok(())
}

/// Shows something of the host at a place that was just made for it.
fn bind(top: BorrowedFd<'_>, source: &Path, name: &str, read_only: bool, story: &mut Story) -> Result<(), SysError> {
    root::bind(mounts::beneath(top, name)?.as_fd(), source, name, read_only, false)?.tell(story);
    Ok(())
}

fn mkdir(top: BorrowedFd<'_>, name: &str) -> Result<(), SysError> {
    files::mkdirat(&mut Calls::default(), At::new(&top, ""), name, 0o755)
}

fn write(top: BorrowedFd<'_>, name: &str, text: &str) -> Result<(), SysError> {
    let mut file = files::create(&mut Calls::default(), At::new(&top, ""), name, 0o755)?;
    file.write_all(text.as_bytes()).map_err(|e| SysError::io("write", name, &e))
}

/// Limits that hold without a cgroup too: the user's number is nobody else's, so RLIMIT_NPROC counts this tree alone.
fn limits(plan: &Plan) -> Result<(), SysError> {
    let mut all = vec![
        (Resource::Core, 0),
        (Resource::Nofile, 1024),
        (Resource::Nproc, MOST_PROCESSES),
        (Resource::Fsize, MOST_FILE),
    ];
    if plan.cgroup.is_none() {
        all.push((Resource::As, MOST_MEMORY));
    }
    for (resource, most) in all {
        process::limit(resource, most)?;
    }
    Ok(())
}

/// Becomes the learner's shell; comes back only with the reason why not.
fn shell(plan: &Plan, output: BorrowedFd<'_>) -> Result<(), SysError> {
    let null = File::open("/dev/null").map_err(|e| SysError::io("open", "/dev/null", &e))?;
    process::become_standard(null.as_fd(), 0)?;
    process::become_standard(output, 1)?;
    process::become_standard(output, 2)?;
    process::close_on_exec_from_3()?;
    let mut env: Vec<String> =
        [("PATH", PATH), ("HOME", "/work"), ("USER", "student"), ("LANG", "C.UTF-8"), ("TERM", "dumb")]
            .iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect();
    env.push(format!("{}=/docent/engine", super::client::ENGINE));
    env.extend(plan.values.iter().map(|(k, v)| format!("{k}={v}")));
    let shell = ["/bin/bash", "/bin/sh"].into_iter().find(|s| Path::new(s).exists()).unwrap_or("/bin/sh");
    Err(process::execute(shell, &[shell.into(), "/docent/submission.sh".into()], &env))
}
