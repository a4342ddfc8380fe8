//! The container's own process, from its birth to execve: the steps of the plan that happen inside.

use super::plan::{Side, Step, exec_steps, namespaces, steps};
use super::spec::Spec;
use super::{network, protect, root, target, user};
use crate::container::{NetworkMode, Process};
use crate::event::{Event, Fact, Fault, FaultPoint, Story, SysError};
use crate::kernel::packet::Packets;
use crate::kernel::{caps, ids, mounts, open, process, seccomp, sys, terminal};
use rustix::fs::{FileType, Mode, OFlags};
use serde::{Deserialize, Serialize};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::rc::Rc;

/// Kinds of messages between the two sides.
pub const EVENT: u8 = b'E';
pub const READY: u8 = b'R';
pub const FAULT: u8 = b'F';
/// With the descriptor of the container's devpts, and of its terminal's master if it has one.
pub const TERMINAL: u8 = b'T';
pub const PLUGGED: u8 = b'P';
pub const GO: u8 = b'G';

/// What the child says when only execve is left to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ready {
    /// The file that execve will be given.
    pub path: String,
    pub cwd: String,
    pub user: String,
}

/// What the new process was born with, besides its specification.
pub struct Inherited {
    pub link: Packets,
    /// None where a terminal takes their place.
    pub streams: Option<Streams>,
    /// The terminal that an exec was given.
    pub slave: Option<OwnedFd>,
    pub filters: seccomp::Filters,
    /// PID 1 of the container to enter: this is an exec.
    pub enter: Option<(i32, OwnedFd)>,
}

/// The standard streams of a program without a terminal.
pub struct Streams {
    /// None: the container's own /dev/null. The host's would be a file of the host's in its hands.
    pub stdin: Option<OwnedFd>,
    pub stdout: OwnedFd,
    pub stderr: OwnedFd,
}

impl Inherited {
    /// The first act: the streams become 0, 1 and 2, the socket 3, an exec's handle of PID 1 4, and of the monitor's own
    /// descriptors (its sockets, log, lock, a directory of the host's cgroups) nothing is left.
    fn take_only_this(&mut self) -> Result<(), SysError> {
        if let Some(Streams { stdin, stdout, stderr }) = &self.streams {
            for (fd, number) in [(stdin.as_ref(), 0), (Some(stdout), 1), (Some(stderr), 2)] {
                fd.map_or(Ok(()), |fd| process::become_standard(fd.as_fd(), number))?;
            }
        }
        if let Some(slave) = &self.slave {
            all_standard(slave)?;
        }
        let mut kept = vec![self.link.descriptor()];
        kept.extend(self.enter.as_mut().map(|(_, pidfd)| pidfd));
        process::keep_only(&mut kept)
    }
}

fn all_standard(terminal: &OwnedFd) -> Result<(), SysError> {
    (0..3).try_for_each(|number| process::become_standard(terminal.as_fd(), number))
}

struct Inside<'a> {
    spec: &'a Spec,
    link: Rc<Packets>,
    filters: &'a seccomp::Filters,
    enter: Option<(i32, OwnedFd)>,
    story: Story,
    root: Option<OwnedFd>,
    /// What the mounts of /proc, /sys, and /dev with its devpts gave.
    proc: Option<OwnedFd>,
    sys: Option<OwnedFd>,
    dev: Option<(OwnedFd, OwnedFd)>,
    /// Standard input is yet to be opened, in the container's /dev.
    needs_null: bool,
    user: user::User,
}

/// Runs the inside half of the plan and becomes the program. Never returns: every way out is an exec or an exit.
pub fn run(spec: &Spec, mut given: Inherited) -> ! {
    let begun = given.take_only_this();
    let Inherited { link, streams, slave, filters, enter } = given;
    let needs_null = streams.as_ref().is_some_and(|s| s.stdin.is_none());
    // Their numbers are closed, or another's by now: these owners must not close them.
    std::mem::forget((streams, slave));
    let link = Rc::new(link);
    let heard = link.clone();
    let mut story = Story::passing_on(move |event| {
        // The monitor is gone when this fails, and the kernel is about to end us too.
        heard.send(EVENT, &serde_json::to_vec(event).unwrap_or_default(), &[], true).unwrap_or(());
    });
    story.about(&spec.id);
    let mut inside = Inside {
        spec,
        link: link.clone(),
        filters: &filters,
        enter,
        story,
        root: None,
        proc: None,
        sys: None,
        dev: None,
        needs_null,
        user: user::User::root(),
    };
    let prepared = begun.map_err(|e| Fault::step("descriptors", e)).and_then(|()| inside.prepare());
    let fault = match prepared {
        Ok(path) => inside.become_program(&path),
        Err(fault) => fault,
    };
    let body = serde_json::to_vec(&fault).unwrap_or_default();
    link.send(FAULT, &body, &[], true).unwrap_or(());
    sys::exit_now(127)
}

impl Inside<'_> {
    /// Everything but the exec. Gives the program's path.
    fn prepare(&mut self) -> Result<String, Fault> {
        let plan = if self.enter.is_some() { exec_steps(self.spec) } else { steps(self.spec) };
        for step in plan.into_iter().filter(|s| s.side() == Side::Inside) {
            self.apply(step)?;
        }
        let path = find_program(&self.spec.process.argv, &self.spec.process.env, &self.spec.id)?;
        let ready = Ready {
            path: path.clone(),
            cwd: self.spec.process.cwd.clone(),
            user: format!("{}:{}", self.user.uid, self.user.gid),
        };
        let body = serde_json::to_vec(&ready).unwrap_or_default();
        self.link.send(READY, &body, &[], true).unwrap_or(());
        self.wait_for(GO);
        Ok(path)
    }

    /// Waits for a word from the monitor. Its silence is its death: then this process ends too.
    fn wait_for(&self, kind: u8) {
        loop {
            match self.link.receive(true) {
                Ok(message) if message.kind == kind => return,
                Ok(_) => {}
                Err(_) => sys::exit_now(125),
            }
        }
    }

    fn apply(&mut self, step: Step) -> Result<(), Fault> {
        let name = format!("{step:?}").to_lowercase();
        self.apply_step(step).map_err(|failure| match failure {
            Failure::Call(error) => {
                if let Some(fact) = step.forecast(self.spec).into_iter().next() {
                    self.story.tell(Event::failed(fact, error.clone()));
                }
                Fault::Step { step: name, error: SysError { calls: Vec::new(), ..error } }
            }
            Failure::Fault(fault) => fault,
        })
    }

    fn apply_step(&mut self, step: Step) -> Result<(), Failure> {
        let spec = self.spec;
        match step {
            Step::Guard => process::guard(true, false)?.tell(&mut self.story),
            Step::JoinCgroup => {
                let Some(group) = &spec.group else { return Ok(()) };
                if group.version == 1 {
                    group.join_self(std::process::id() as i32)?.tell(&mut self.story);
                }
            }
            Step::CgroupNamespace => sys::deed(|calls| {
                sys::unshare(calls, libc::CLONE_NEWCGROUP)?;
                Ok(((), Fact::CgroupNamespace))
            })?
            .tell(&mut self.story),
            Step::Enter => self.enter()?,
            Step::PrivateMounts => sys::deed(|calls| {
                mounts::keep_private(calls)?;
                Ok(((), Fact::MountsPrivate))
            })?
            .tell(&mut self.story),
            Step::Overlay => self.root = Some(spec.overlay.mount()?.tell(&mut self.story)),
            Step::Proc => self.proc = Some(self.mount(&root::PROC)?),
            Step::Dev => {
                let target = target::ordinary(self.root()?.as_fd(), "dev", "tmpfs", &mut self.story)?;
                let dev = root::make_dev(target.as_fd(), &mut self.story)?;
                // The monitor keeps the devpts: a terminal for a later exec comes from it, whatever the container has done
                // to its /dev meanwhile.
                if !self.spec.process.tty && self.link.send(TERMINAL, &[], &[dev.1.as_fd()], true).is_err() {
                    sys::exit_now(125);
                }
                if self.needs_null {
                    let null = rustix::fs::openat(&dev.0, "null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
                        .map_err(|e| SysError::new("openat", "/dev/null", e.raw_os_error()))?;
                    process::become_standard(null.as_fd(), 0)?;
                }
                self.dev = Some(dev);
            }
            Step::Shm => self.mount_in_dev(&root::SHM, "shm")?,
            Step::Mqueue => self.mount_in_dev(&root::MQUEUE, "mqueue")?,
            Step::Sys => self.sys = Some(self.mount(&root::SYS)?),
            Step::CgroupView => {
                let Some(group) = &spec.group else { return Ok(()) };
                let sys = duplicate(self.sys.as_ref(), "/sys")?;
                root::show_cgroup(sys.as_fd(), group, &mut self.story)?;
            }
            Step::Files => root::bind_files(self.root()?.as_fd(), &spec.files, &mut self.story)?,
            Step::Protect => {
                let proc = duplicate(self.proc.take().as_ref(), "/proc")?;
                let sys = duplicate(self.sys.take().as_ref(), "/sys")?;
                let dev = self.dev()?;
                let mounts = protect::Mounts { proc: proc.as_fd(), sys: Some(sys.as_fd()), dev: dev.as_fd() };
                protect::protect(&mounts, &mut self.story)?;
            }
            Step::Loopback if spec.network == NetworkMode::None => network::loopback(&mut self.story)?,
            Step::Loopback => {}
            Step::Network => {
                self.wait_for(PLUGGED);
                let Some(endpoint) = &spec.endpoint else { return Ok(()) };
                network::inside(&spec.id, endpoint, &mut self.story)?;
            }
            Step::Hostname => sys::deed(|calls| {
                sys::sethostname(calls, &spec.hostname)?;
                Ok(((), Fact::HostnameSet { name: spec.hostname.clone() }))
            })?
            .tell(&mut self.story),
            Step::Terminal => self.open_terminal()?,
            Step::PivotRoot => {
                let top = self.root()?;
                root::pivot(top.as_fd(), &spec.overlay.target)?.tell(&mut self.story);
                drop((self.root.take(), self.dev.take()));
            }
            Step::Session if spec.process.tty => terminal::own_session(rustix::stdio::stdin())?.tell(&mut self.story),
            Step::Session => process::own_session()?.tell(&mut self.story),
            Step::WorkingDirectory => {
                let top = open::directory(Path::new("/"))?;
                self.user = user::look_up(top.as_fd(), spec.process.user.as_deref().unwrap_or_default())?;
                let cwd = Path::new(&spec.process.cwd);
                let bad = |errno| Fault::BadWorkdir { path: spec.process.cwd.clone(), errno };
                target::make_directories(top.as_fd(), cwd, &mut self.story).map_err(|e| bad(e.errno))?;
                enter_directory(&top, cwd).map_err(|e| bad(e.errno))?;
            }
            Step::Bounding => {
                if spec.without_mknod {
                    let fact = Fact::Fallback { what: "CAP_MKNOD".into(), point: FaultPoint::NoDeviceControl };
                    self.story.tell(Event::of(fact, Vec::new()));
                }
                caps::bounding(&spec.capabilities)?.tell(&mut self.story);
            }
            // Before the capabilities go: without no_new_privs, which would break set-uid programs as Docker does not,
            // installing a filter needs CAP_SYS_ADMIN (seccomp(2)).
            Step::Seccomp => seccomp::install(self.filters)?.tell(&mut self.story),
            Step::User => {
                ids::become_user(self.user.uid, self.user.gid, &self.user.groups)?.tell(&mut self.story);
            }
            Step::Capabilities => {
                caps::sets(if self.user.uid == 0 { &spec.capabilities } else { &[] })?.tell(&mut self.story);
                // A change of credentials clears it (prctl(2)).
                process::guard(true, false)?.tell(&mut self.story);
            }
            Step::Bridge | Step::Cgroup | Step::Limits | Step::Publish | Step::Clone | Step::Plug | Step::Exec => {}
        }
        Ok(())
    }

    /// At the top of the root.
    fn mount(&mut self, what: &root::Simple) -> Result<OwnedFd, Failure> {
        let target = target::ordinary(self.root()?.as_fd(), what.target, what.kind, &mut self.story)?;
        Ok(what.mount(target.as_fd())?.tell(&mut self.story))
    }

    fn mount_in_dev(&mut self, what: &root::Simple, name: &str) -> Result<(), Failure> {
        let target = mounts::beneath(self.dev()?.as_fd(), name)?;
        drop(what.mount(target.as_fd())?.tell(&mut self.story));
        Ok(())
    }

    /// Joins the namespaces of a container that runs. The pid namespace is the one that this process was born into: setns
    /// changes it for children only, so the monitor has done that before the clone (setns(2)).
    fn enter(&mut self) -> Result<(), SysError> {
        // The handle of PID 1 has done its work with this.
        let Some((of, pidfd)) = self.enter.take() else { return Ok(()) };
        let kinds = namespaces(self.spec);
        let flags = kinds.iter().filter(|(kind, _)| *kind != "pid").fold(0, |all, (_, flag)| all | *flag as i32);
        sys::deed(|calls| {
            sys::setns(calls, pidfd.as_fd(), flags, &format!("pid:{of}"))?;
            let kinds = kinds.iter().map(|(kind, _)| kind.to_string()).collect();
            Ok(((), Fact::NamespacesJoined { pid: Some(std::process::id() as i32), kinds, of: Some(of) }))
        })?
        .tell(&mut self.story);
        Ok(())
    }

    /// A handle of the root of its own, so that telling the story can go on meanwhile.
    fn root(&self) -> Result<OwnedFd, SysError> {
        duplicate(self.root.as_ref(), "root")
    }

    fn dev(&self) -> Result<OwnedFd, SysError> {
        duplicate(self.dev.as_ref().map(|(dev, _)| dev), "/dev")
    }

    /// A terminal from the container's own devpts; its master goes to the monitor, the slave is also /dev/console.
    fn open_terminal(&mut self) -> Result<(), SysError> {
        let Some((dev, pts)) = &self.dev else { return Ok(()) };
        let (master, slave) = terminal::open_pair(pts.as_fd())?;
        let deed = sys::deed(|calls| {
            calls.saw(
                "mknodat",
                "</dev>, \"console\", S_IFREG|0600".into(),
                "/dev/console",
                rustix::fs::mknodat(dev, "console", FileType::RegularFile, Mode::from_raw_mode(0o600), 0),
            )?;
            let target = mounts::beneath(dev.as_fd(), "console")?;
            let copy = mounts::copy_of(calls, slave.as_fd(), Path::new(""))?;
            mounts::attach(calls, copy.as_fd(), target.as_fd(), "/dev/console")?;
            Ok(((), Fact::Terminal { path: "/dev/console".into() }))
        })?;
        deed.tell(&mut self.story);
        if self.link.send(TERMINAL, &[], &[pts.as_fd(), master.as_fd()], true).is_err() {
            sys::exit_now(125);
        }
        all_standard(&slave)
    }

    /// Descriptors closed, signals at their defaults, and execve. Comes back only with what went wrong.
    fn become_program(&self, path: &str) -> Fault {
        if let Err(e) = process::close_on_exec_from_3() {
            return Fault::step("exec", e);
        }
        process::default_signals();
        let env = environment(&self.spec.process.env, &self.user, &self.spec.hostname, self.spec.process.tty);
        let e = process::execute(path, &self.spec.process.argv, &env);
        match e.errno {
            libc::E2BIG => Process { env, ..self.spec.process.clone() }.too_long(),
            errno => not_executable(&self.spec.process.argv, &self.spec.id, errno),
        }
    }
}

fn duplicate(fd: Option<&OwnedFd>, what: &str) -> Result<OwnedFd, SysError> {
    let fd = fd.ok_or_else(|| SysError::new("open", what, libc::EBADF))?;
    rustix::io::fcntl_dupfd_cloexec(fd, 3).map_err(|e| SysError::new("fcntl", what, e.raw_os_error()))
}

/// Enters a directory that is inside the root, whatever has become of its path since it was looked at (CVE-2024-21626).
fn enter_directory(root: &OwnedFd, path: &Path) -> Result<(), SysError> {
    let how = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = open::in_root(root.as_fd(), path, how, Mode::empty())?;
    rustix::process::fchdir(&directory).map_err(|e| SysError::new("fchdir", "cwd", e.raw_os_error()))?;
    // getcwd fails for a directory that cannot be reached from the root (getcwd(3)).
    std::env::current_dir().map(drop).map_err(|e| SysError::io("getcwd", "cwd", &e))
}

/// A step fails by a call, or because of what was asked.
enum Failure {
    Call(SysError),
    Fault(Fault),
}

impl From<SysError> for Failure {
    fn from(e: SysError) -> Self {
        Failure::Call(e)
    }
}

impl From<Fault> for Failure {
    fn from(f: Fault) -> Self {
        Failure::Fault(f)
    }
}

/// The environment as Docker completes it.
pub fn environment(env: &[String], user: &user::User, hostname: &str, tty: bool) -> Vec<String> {
    let has = |name: &str| env.iter().any(|e| e.split_once('=').is_some_and(|(k, _)| k == name));
    let mut all: Vec<String> = Vec::new();
    if !has("PATH") {
        all.push(format!("PATH={DEFAULT_PATH}"));
    }
    if !has("HOSTNAME") {
        all.push(format!("HOSTNAME={hostname}"));
    }
    if tty && !has("TERM") {
        all.push("TERM=xterm".into());
    }
    all.extend(env.iter().cloned());
    user.give_home(&mut all);
    all
}

const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The program's file as the container's PATH finds it, for the user that will run it: no host program, no NSS, no shell.
pub fn find_program(argv: &[String], env: &[String], container: &str) -> Result<String, Fault> {
    let command = argv.first().map(String::as_str).unwrap_or_default();
    let not_found = || Fault::CommandNotFound { command: command.into(), container: container.into() };
    if command.is_empty() {
        return Err(not_found());
    }
    let check = |path: &str| -> Option<Result<String, Fault>> {
        let refused =
            |errno| Some(Err(Fault::NotExecutable { command: command.into(), container: container.into(), errno }));
        let file = match open::without_magic_links(Path::new(path), OFlags::PATH) {
            Ok(file) => file,
            // A magic link, or a loop of links.
            Err(e) if e.errno == libc::ELOOP => return refused(libc::ELOOP),
            Err(_) => return None,
        };
        let stat = rustix::fs::fstat(&file).ok()?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            return refused(libc::EISDIR);
        }
        match open::may_execute(file.as_fd()) {
            Ok(()) => Some(Ok(path.to_string())),
            Err(e) => refused(e.errno),
        }
    };
    if command.contains('/') {
        return check(command).unwrap_or_else(|| Err(not_found()));
    }
    let path = env.iter().rev().find_map(|e| e.strip_prefix("PATH=")).unwrap_or(DEFAULT_PATH);
    let mut denied = None;
    for dir in path.split(':') {
        match check(&format!("{}/{command}", if dir.is_empty() { "." } else { dir })) {
            Some(Ok(found)) => return Ok(found),
            Some(Err(Fault::NotExecutable { errno: libc::EISDIR | libc::ELOOP, .. })) | None => {}
            Some(Err(fault)) => denied = Some(fault),
        }
    }
    Err(denied.unwrap_or_else(not_found))
}

/// What execve's errno means to a learner. ENOENT after the file was found: its `#!` or its loader is missing.
pub fn not_executable(argv: &[String], container: &str, errno: i32) -> Fault {
    let command = argv.first().cloned().unwrap_or_default();
    Fault::NotExecutable { command, container: container.into(), errno }
}
