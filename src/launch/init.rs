//! The container's own process, from its birth to execve: the init's steps of the sequence.

use super::init_process::{EVENTS, FAULT, GO, READY, Ready, TERMINAL, VETH_ATTACHED};
use super::sequence::{self, Side, Step};
use super::spec::Spec;
use super::{ahead, network, program, protect, root, target, user};
use crate::container::{Endpoint, Process};
use crate::event::{Deed, Event, Fact, Fault, Story, SysError};
use crate::kernel::files::{self, At};
use crate::kernel::packet::{Packets, Stop};
use crate::kernel::{caps, ids, mounts, process, resolve, seccomp, signals, sys, terminal};
use rustix::fs::{FileType, Mode, OFlags};
use std::cell::RefCell;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::rc::Rc;

/// What the new process was born with, besides its specification.
pub struct InitArguments {
    pub sync: Packets,
    /// None where a terminal takes their place.
    pub streams: Option<Streams>,
    /// The terminal that an exec was given.
    pub slave: Option<OwnedFd>,
    pub filters: seccomp::Filters,
    pub endpoint: Option<Endpoint>,
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

impl InitArguments {
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
        let mut kept = vec![self.sync.descriptor()];
        kept.extend(self.enter.as_mut().map(|(_, pidfd)| pidfd));
        process::keep_only(&mut kept)
    }
}

fn all_standard(terminal: &OwnedFd) -> Result<(), SysError> {
    (0..3).try_for_each(|number| process::become_standard(terminal.as_fd(), number))
}

/// The other side of the conversation. Events are gathered, and told before the next message: each that is told alone wakes the
/// monitor and the command line, and all three together were slower by a tenth.
struct Parent {
    sync: Packets,
    untold: RefCell<Vec<Event>>,
}

impl Parent {
    fn tell(&self) {
        let events = self.untold.take();
        if !events.is_empty() {
            // The monitor is gone when this fails, and the kernel is about to end us too.
            let body = serde_json::to_vec(&events).unwrap_or_default();
            self.sync.send(EVENTS, &body, &[], true).unwrap_or(());
        }
    }

    fn say(&self, kind: u8, body: &[u8], fds: &[BorrowedFd<'_>]) -> Result<(), Stop> {
        self.tell();
        self.sync.send(kind, body, fds, true)
    }

    /// Waits for a word from the monitor. Its silence is its death: then this process ends too.
    fn wait_for(&self, kind: u8) {
        self.tell();
        loop {
            match self.sync.receive(true) {
                Ok(message) if message.kind == kind => return,
                Ok(_) => {}
                Err(_) => sys::exit_now(125),
            }
        }
    }
}

struct Init<'a> {
    spec: &'a Spec,
    parent: Rc<Parent>,
    filters: &'a seccomp::Filters,
    endpoint: Option<Endpoint>,
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
    /// The program's file.
    path: String,
}

/// Applies the init's steps and becomes the program. Never returns: every way out is an exec or an exit.
pub fn run(spec: &Spec, mut arguments: InitArguments) -> ! {
    let begun = arguments.take_only_this();
    let InitArguments { sync, streams, slave, filters, endpoint, enter } = arguments;
    let needs_null = streams.as_ref().is_some_and(|s| s.stdin.is_none());
    // Their numbers are closed, or another's by now: these owners must not close them.
    std::mem::forget((streams, slave));
    let parent = Rc::new(Parent { sync, untold: RefCell::default() });
    let hears = parent.clone();
    let mut story = Story::passing_on(move |events| hears.untold.borrow_mut().extend_from_slice(events));
    story.about(&spec.id);
    let steps = if enter.is_some() { sequence::exec(spec) } else { sequence::launch(spec) };
    let mut init = Init {
        spec,
        parent: parent.clone(),
        filters: &filters,
        endpoint,
        enter,
        story,
        root: None,
        proc: None,
        sys: None,
        dev: None,
        needs_null,
        user: user::User::root(),
        path: String::new(),
    };
    let applied = begun.map_err(|e| Fault::step("descriptors", e)).and_then(|()| init.apply_all(&steps));
    let body = applied
        .inspect_err(|fault| init.story.tell_failure(fault))
        .err()
        .map(|fault| serde_json::to_vec(&fault).unwrap_or_default())
        .unwrap_or_default();
    parent.say(FAULT, &body, &[]).unwrap_or(());
    sys::exit_now(127)
}

impl Init<'_> {
    /// Comes back only with what went wrong.
    fn apply_all(&mut self, steps: &[Step]) -> Result<(), Fault> {
        for step in steps.iter().filter(|s| s.side() == Side::Init) {
            self.apply(step).map_err(|failure| match failure {
                Failure::Call(error) => {
                    self.tell_failed(step, &error);
                    Fault::Step { step: step.about().1.into(), error: SysError { calls: Vec::new(), ..error } }
                }
                Failure::Both(fault, error) => {
                    self.tell_failed(step, &error);
                    *fault
                }
                Failure::Fault(fault) => fault,
            })?;
        }
        Ok(())
    }

    /// What the step was about to tell, or the step itself; unless its part that failed has told so.
    fn tell_failed(&mut self, step: &Step, error: &SysError) {
        if self.story.has_told(error) {
            return;
        }
        let ahead = ahead::Ahead::blind(self.enter.as_ref().map(|(pid, _)| *pid));
        let meant = step.meant(self.spec, &ahead);
        let fact = meant.unwrap_or_else(|| Fact::StepTaken { step: step.about().1.into() });
        self.story.tell(Event::failed(fact, error.clone()));
    }

    fn apply(&mut self, step: &Step) -> Result<(), Failure> {
        let spec = self.spec;
        match step {
            Step::Guard => process::guard(true, false)?.tell(&mut self.story),
            Step::JoinCgroup(group) => group.join_self(std::process::id() as i32)?.tell(&mut self.story),
            Step::CgroupNamespace => sys::deed(|calls| {
                sys::unshare(calls, libc::CLONE_NEWCGROUP)?;
                Ok(((), Fact::CgroupNamespace))
            })?
            .tell(&mut self.story),
            Step::Enter => self.enter()?,
            Step::KeepMounts => {
                let whole = sys::deed(|calls| {
                    let whole = mounts::go_to_top(calls)?;
                    mounts::keep_mounts_inside(calls)?;
                    Ok((whole, Fact::MountsKept { private: false }))
                })?;
                if !whole.tell(&mut self.story) {
                    return Err(Fault::InChroot.into());
                }
            }
            Step::Overlay => self.root = Some(spec.root.mount()?.tell(&mut self.story)),
            Step::Mount(what) => self.mount(what)?,
            Step::Dev => {
                let target = target::ordinary(self.root()?.as_fd(), "dev", "tmpfs", &mut self.story)?;
                let dev = root::make_dev(target.as_fd(), &mut self.story)?;
                // The monitor keeps the devpts: a terminal for a later exec comes from it, whatever the container has done
                // to its /dev meanwhile.
                if !self.spec.process.tty && self.parent.say(TERMINAL, &[], &[dev.1.as_fd()]).is_err() {
                    sys::exit_now(125);
                }
                if self.needs_null {
                    let null = rustix::fs::openat(&dev.0, "null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
                        .map_err(|e| SysError::new("openat", "/dev/null", e.raw_os_error()))?;
                    process::become_standard(null.as_fd(), 0)?;
                }
                self.dev = Some(dev);
            }
            Step::CgroupView(group) => {
                let sys = duplicate(self.sys.as_ref(), "/sys")?;
                root::show_cgroup(sys.as_fd(), group, &mut self.story)?;
            }
            Step::Bind(m) => {
                let place = Path::new(m.destination);
                let target = target::for_bind(self.root()?.as_fd(), place, &m.source, &mut self.story)?;
                root::bind(target.as_fd(), &m.source, m.destination, spec.read_only, true)?.tell(&mut self.story);
            }
            Step::Protect => {
                let proc = duplicate(self.proc.take().as_ref(), "/proc")?;
                let sys = duplicate(self.sys.take().as_ref(), "/sys")?;
                let dev = self.dev()?;
                let mounts = protect::Mounts { proc: proc.as_fd(), sys: Some(sys.as_fd()), dev: dev.as_fd() };
                protect::protect(&mounts, &mut self.story)?;
            }
            Step::Loopback => network::loopback(&mut self.story)?,
            Step::Network => {
                self.parent.wait_for(VETH_ATTACHED);
                let Some(endpoint) = &self.endpoint else { return Ok(()) };
                network::inside(&spec.id, endpoint, &mut self.story)?;
            }
            Step::Hostname => sys::deed(|calls| {
                sys::sethostname(calls, &spec.hostname)?;
                Ok(((), Fact::HostnameSet { name: process::host_name() }))
            })?
            .tell(&mut self.story),
            Step::Terminal => self.open_terminal()?,
            Step::PivotRoot => {
                let top = self.root()?;
                root::pivot(top.as_fd(), &spec.root.target)?.tell(&mut self.story);
                drop((self.root.take(), self.dev.take()));
            }
            Step::Session if spec.process.tty => terminal::own_session(rustix::stdio::stdin())?.tell(&mut self.story),
            Step::Session => process::own_session()?.tell(&mut self.story),
            Step::WorkingDirectory => {
                let top = resolve::directory(Path::new("/"))?;
                let open = |path: &Path, how| resolve::in_root(top.as_fd(), path, how);
                self.user = user::look_up(&open, spec.process.user.as_deref().unwrap_or_default())?;
                let cwd = Path::new(&spec.process.cwd);
                let bad = |error: SysError| {
                    let path = spec.process.cwd.clone();
                    Failure::Both(Box::new(Fault::BadWorkdir { path, errno: error.errno }), error)
                };
                target::make_directories(top.as_fd(), cwd, &mut self.story).map_err(bad)?;
                enter_directory(&top, cwd).map_err(bad)?;
            }
            Step::ReadOnlyRoot => root::make_read_only()?.tell(&mut self.story),
            Step::Bounding => {
                if let Some(why) = sequence::without_mknod(spec) {
                    self.story.tell(why);
                }
                let kept = spec.capabilities.iter().map(|cap| cap.to_string()).collect();
                let meant = Fact::Capabilities { kept, dropped: None };
                Deed::tell_either(caps::bounding(&spec.capabilities), meant, &mut self.story)?;
            }
            Step::Seccomp => seccomp::install(self.filters)?.tell(&mut self.story),
            Step::User => ids::become_user(self.user.uid, self.user.gid, &self.user.groups)?.tell(&mut self.story),
            Step::Capabilities => {
                caps::sets(sequence::holds(spec, &self.user))?.tell(&mut self.story);
                // A change of credentials clears it (prctl(2)).
                Deed::tell_either(process::guard(true, false), sequence::guarded(), &mut self.story)?;
            }
            Step::Program => {
                let open = |path: &Path| resolve::without_magic_links(path, OFlags::PATH);
                self.path = program::find(&spec.process, &spec.id, &open, &resolve::may_execute)?;
                let ready = Ready { path: self.path.clone(), cwd: spec.process.cwd.clone(), user: self.user.shown() };
                self.parent.say(READY, &serde_json::to_vec(&ready).unwrap_or_default(), &[]).unwrap_or(());
                self.parent.wait_for(GO);
            }
            // Descriptors closed, signals at their defaults; comes back only with what went wrong.
            Step::Exec => {
                process::close_on_exec_from_3()?;
                signals::default_all();
                let env = program::environment(&spec.process, &self.user, &spec.hostname);
                let e = process::execute(&self.path, &spec.process.argv, &env);
                let command = spec.process.argv.first().map(String::as_str).unwrap_or_default();
                Err(match e.errno {
                    libc::E2BIG => Process { env, ..spec.process.clone() }.too_long(),
                    errno => program::not_executable(command, &spec.id, errno),
                })?;
            }
            Step::OwnSession
            | Step::Undumpable
            | Step::Address
            | Step::Publish(_)
            | Step::Cgroup(_)
            | Step::NoCgroup
            | Step::Devices(_)
            | Step::Limit(_)
            | Step::Clone
            | Step::Veth
            | Step::Go
            | Step::Running => {}
        }
        Ok(())
    }

    /// At the top of the root, or in docent's own /dev.
    fn mount(&mut self, what: &root::Simple) -> Result<(), Failure> {
        let target = match what.target.strip_prefix("dev/") {
            Some(name) => mounts::beneath(self.dev()?.as_fd(), name)?,
            None => target::ordinary(self.root()?.as_fd(), what.target, what.kind, &mut self.story)?,
        };
        let mount = what.mount(target.as_fd())?.tell(&mut self.story);
        match what.target {
            "proc" => self.proc = Some(mount),
            "sys" => self.sys = Some(mount),
            _ => {}
        }
        Ok(())
    }

    /// Joins the namespaces of a container that runs. The pid namespace is the one that this process was born into: setns
    /// changes it for children only, so the monitor has done that before the clone (setns(2)).
    fn enter(&mut self) -> Result<(), SysError> {
        // The handle of PID 1 has done its work with this.
        let Some((of, pidfd)) = self.enter.take() else { return Ok(()) };
        let kinds = self.spec.namespaces();
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
            files::mknodat(calls, At::new(dev, "/dev"), "console", FileType::RegularFile, 0o600, 0)?;
            let target = mounts::beneath(dev.as_fd(), "console")?;
            let copy = mounts::copy_of(calls, slave.as_fd(), Path::new(""))?;
            mounts::attach(calls, copy.as_fd(), target.as_fd(), "/dev/console")?;
            Ok(((), Fact::Terminal { path: "/dev/console".into() }))
        })?;
        deed.tell(&mut self.story);
        if self.parent.say(TERMINAL, &[], &[pts.as_fd(), master.as_fd()]).is_err() {
            sys::exit_now(125);
        }
        all_standard(&slave)
    }
}

fn duplicate(fd: Option<&OwnedFd>, what: &str) -> Result<OwnedFd, SysError> {
    let fd = fd.ok_or_else(|| SysError::new("open", what, libc::EBADF))?;
    rustix::io::fcntl_dupfd_cloexec(fd, 3).map_err(|e| SysError::new("fcntl", what, e.raw_os_error()))
}

/// Enters a directory that is inside the root, whatever has become of its path since it was looked at (CVE-2024-21626).
fn enter_directory(root: &OwnedFd, path: &Path) -> Result<(), SysError> {
    let directory = resolve::in_root(root.as_fd(), path, OFlags::PATH | OFlags::DIRECTORY)?;
    rustix::process::fchdir(&directory).map_err(|e| SysError::new("fchdir", "cwd", e.raw_os_error()))?;
    // getcwd fails for a directory that cannot be reached from the root (getcwd(3)).
    std::env::current_dir().map(drop).map_err(|e| SysError::io("getcwd", "cwd", &e))
}

/// A step fails by a call, or because of what was asked, or of that with the call that showed it.
enum Failure {
    Call(SysError),
    Fault(Fault),
    Both(Box<Fault>, SysError),
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
