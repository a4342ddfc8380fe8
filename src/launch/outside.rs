//! The monitor's half of a launch: resources first, then one clone, then a word to go.
//!
//! Whatever fails, [`launch`] undoes what it had done, in reverse, and tells that too.

use super::inside::{self, EVENT, FAULT, GO, PLUGGED, READY, Ready, Streams, TERMINAL};
use super::network;
use super::plan;
use super::spec::Spec;
use crate::container::{Endpoint, NetworkMode};
use crate::event::{Event, Expect, Fact, Fault, Holds, Needs, Receipt, Story, SysError};
use crate::kernel::cgroup::Group;
use crate::kernel::packet::{Packets, Stop};
use crate::kernel::signals::Signals;
use crate::kernel::sys::{self, Cloned};
use crate::kernel::{process, seccomp};
use rustix::event::{PollFd, PollFlags, poll};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A container whose process waits for execve's word, or runs.
pub struct Launched {
    pub pid: i32,
    pub pidfd: OwnedFd,
    /// The container's devpts.
    pub devpts: Option<OwnedFd>,
    /// The master side of its terminal.
    pub terminal: Option<OwnedFd>,
    pub ready: Ready,
    /// The conversation with the process; None once its program has taken over, or it has died.
    link: Option<Packets>,
    /// It has been told to go: what closes the conversation now is its execve.
    released: bool,
    is_exec: bool,
}

/// How far a process has come, by what it has said until now.
enum Progress {
    Waiting,
    /// Only execve is left.
    Ready,
    /// The program has taken over.
    Running,
}

/// Limits are kept or refused, before anything runs.
pub fn set_limits(group: &Group, limits: &crate::container::Limits, story: &mut Story) -> Result<(), Fault> {
    let mut set = |name: &str, outcome: Option<Result<crate::event::Deed<()>, SysError>>| match outcome {
        Some(Ok(deed)) => {
            deed.tell(story);
            Ok(())
        }
        Some(Err(error)) => Err(Fault::LimitRefused { limit: name.into(), why: error.to_string() }),
        None => Err(Fault::LimitRefused { limit: name.into(), why: "no such controller".into() }),
    };
    if let Some(bytes) = limits.memory {
        set("memory", group.limit_memory(bytes))?;
        if let Some(swap) = group.limit_swap(bytes) {
            set("memory-swap", Some(swap))?;
        }
    }
    if let Some(milli) = limits.cpu_milli {
        set("cpus", group.limit_cpu(milli))?;
    }
    if let Some(count) = limits.pids {
        set("pids-limit", group.limit_pids(count))?;
    }
    Ok(())
}

/// Makes the container's process and brings it to the point where only execve is left.
///
/// The cgroup and the network have been prepared by the caller and are in `spec`. On failure the process is gone and its
/// veth pair with it; the cgroup is the caller's to remove.
///
/// SIGTERM among `signals` ends it, however long the process takes.
pub fn launch(spec: &Spec, streams: Option<Streams>, signals: &Signals, story: &mut Story) -> Result<Launched, Fault> {
    let (ours, theirs) = Packets::pair().map_err(|e| Fault::step("launch", e))?;
    let given = inside::Inherited { link: theirs, streams, slave: None, filters: seccomp::build(), enter: None };
    let step = |e| Fault::step("clone", e);
    let into = spec.group.as_ref().map(|g| g.open_v2()).transpose().map_err(step)?.flatten();
    let kinds = plan::namespaces(spec);
    // The cgroup namespace is made by the child once it has joined (plan.rs says why).
    let flags = kinds.iter().filter(|(kind, _)| *kind != "cgroup").fold(0, |all, (_, flag)| all | flag);
    let mut calls = sys::Calls::default();
    let cloned = match sys::clone3(&mut calls, flags, into.as_ref().map(|fd| fd.as_fd())) {
        Ok(cloned) => cloned,
        Err(error) => {
            let fact = Fact::NamespacesMade { pid: None, inside: 1, namespaces: Vec::new() };
            let failed = SysError { calls: calls.take(), ..error.clone() };
            story.tell(Event::failed(fact, failed));
            return Err(step(error));
        }
    };
    let (pid, pidfd) = match cloned {
        Cloned::Child => {
            drop(ours);
            inside::run(spec, given)
        }
        Cloned::Parent { pid, pidfd } => (pid, pidfd),
    };
    drop(given);
    tell_clone(spec, pid, &kinds, calls, into.is_some(), story);
    let mut launched = Launched::new(pid, pidfd, ours, false);
    match launched.bring_up(spec, signals, story) {
        Ok(()) => Ok(launched),
        Err(fault) => {
            launched.end(story);
            Err(fault)
        }
    }
}

/// Starts another program in a container that runs: the same last steps, in the namespaces that are there. Comes back at
/// once: [`Launched::proceed`] goes on when [`Launched::conversation`] can be read.
///
/// The caller's children must be born in the container's pid namespace already ([`enter_pid_namespace`]).
pub fn exec(
    spec: &Spec,
    pid1: i32,
    pidfd: OwnedFd,
    streams: Option<Streams>,
    slave: Option<OwnedFd>,
    story: &mut Story,
) -> Result<Launched, Fault> {
    let (ours, theirs) = Packets::pair().map_err(|e| Fault::step("exec", e))?;
    let step = |e| Fault::step("exec", e);
    let into = spec.group.as_ref().map(|g| g.open_v2()).transpose().map_err(step)?.flatten();
    let enter = Some((pid1, pidfd));
    let given = inside::Inherited { link: theirs, streams, slave, filters: seccomp::build(), enter };
    let mut calls = sys::Calls::default();
    let (pid, pidfd) = match sys::clone3(&mut calls, 0, into.as_ref().map(|fd| fd.as_fd())).map_err(step)? {
        Cloned::Child => {
            drop(ours);
            inside::run(spec, given)
        }
        Cloned::Parent { pid, pidfd } => (pid, pidfd),
    };
    drop(given);
    let mut event = Event::of(Fact::HelperStarted { pid: Some(pid), role: "exec".into() }, calls.take());
    event.container = Some(spec.id.clone());
    story.tell(event);
    if let (Some(_), Some(group)) = (&into, &spec.group) {
        let fact = Fact::CgroupJoined { pid, name: group.name.clone(), paths: group.paths() };
        story.tell(Event { container: Some(spec.id.clone()), ..Event::of(fact, Vec::new()) });
    }
    Ok(Launched::new(pid, pidfd, ours, true))
}

/// From now on this process's children are born in the pid namespace of that process.
pub fn enter_pid_namespace(pid1: i32, pidfd: &OwnedFd) -> Result<crate::event::Deed<()>, SysError> {
    sys::deed(|calls| {
        sys::setns(calls, pidfd.as_fd(), libc::CLONE_NEWPID, &format!("pid:{pid1}"))?;
        let pid = std::process::id() as i32;
        Ok(((), Fact::NamespacesJoined { pid: Some(pid), kinds: vec!["pid".into()], of: Some(pid1) }))
    })
}

fn tell_clone(spec: &Spec, pid: i32, kinds: &[(&str, u64)], mut calls: sys::Calls, born: bool, story: &mut Story) {
    let made: Vec<(&str, u64)> = kinds.iter().filter(|(kind, _)| *kind != "cgroup").copied().collect();
    let namespaces = process::namespaces(pid, &made);
    let evidence: Vec<String> =
        namespaces.iter().filter_map(|n| n.inode.map(|inode| format!("{}:[{}]", n.kind, inode))).collect();
    let first = evidence.first().cloned().unwrap_or_default();
    let inside = process::inner_pid(pid).unwrap_or(1);
    let mut event = Event::of(Fact::NamespacesMade { pid: Some(pid), inside, namespaces }, calls.take());
    event.container = Some(spec.id.clone());
    event.receipt = Some(Receipt {
        evidence: evidence.join(" "),
        proof: vec!["readlink".into(), format!("/proc/{pid}/ns/pid")],
        expect: Expect::Equals(first),
        holds: Holds::WhileRunning(spec.id.clone()),
        needs: Needs::root(),
        subject: format!("namespaces:{}", spec.id),
    });
    story.tell(event);
    if let (true, Some(group)) = (born, &spec.group) {
        let fact = Fact::CgroupJoined { pid, name: group.name.clone(), paths: group.paths() };
        let mut event = Event::of(fact, Vec::new());
        event.container = Some(spec.id.clone());
        event.receipt = Some(group.joined_receipt(pid));
        story.tell(event);
    }
}

impl Ready {
    fn empty() -> Ready {
        Ready { path: String::new(), cwd: String::new(), user: String::new() }
    }
}

impl Launched {
    fn new(pid: i32, pidfd: OwnedFd, link: Packets, is_exec: bool) -> Launched {
        let ready = Ready::empty();
        Launched { pid, pidfd, devpts: None, terminal: None, ready, link: Some(link), released: false, is_exec }
    }

    /// What to wait for before the next [`Launched::proceed`].
    pub fn conversation(&self) -> Option<BorrowedFd<'_>> {
        self.link.as_ref().map(|link| link.as_fd())
    }

    /// Hears the process without waiting for it, and lets it go as soon as it is ready. True: its program runs.
    pub fn proceed(&mut self, spec: &Spec, story: &mut Story) -> Result<bool, Fault> {
        loop {
            match self.hear(spec, story)? {
                Progress::Waiting => return Ok(false),
                Progress::Ready => self.release(spec)?,
                Progress::Running => return Ok(true),
            }
        }
    }

    /// Plugs the network in, when there is one to plug, and listens to the process until it is ready.
    fn bring_up(&mut self, spec: &Spec, signals: &Signals, story: &mut Story) -> Result<(), Fault> {
        if let Some(endpoint) = spec.endpoint.as_ref().filter(|_| spec.network == NetworkMode::Bridge) {
            self.attach_veth(spec, endpoint, story)?;
        }
        while let Progress::Waiting = self.hear(spec, story)? {
            self.wait(spec, signals)?;
        }
        Ok(())
    }

    /// Lets it go. Comes back when the program has taken over, or with the reason why not.
    pub fn go(&mut self, spec: &Spec, signals: &Signals, story: &mut Story) -> Result<(), Fault> {
        self.release(spec)?;
        while let Progress::Waiting = self.hear(spec, story)? {
            self.wait(spec, signals)?;
        }
        Ok(())
    }

    /// Until the process says something. A stopped one never does: then the monitor can still be told to end.
    fn wait(&self, spec: &Spec, signals: &Signals) -> Result<(), Fault> {
        let Some(link) = self.conversation() else { return Ok(()) };
        let mut fds = [PollFd::from_borrowed_fd(link, PollFlags::IN), PollFd::new(signals, PollFlags::IN)];
        if poll(&mut fds, None).is_err_and(|e| e != rustix::io::Errno::INTR) {
            return Err(died(spec));
        }
        while let Some(signal) = signals.next() {
            if signal == libc::SIGTERM {
                return Err(died(spec));
            }
        }
        Ok(())
    }

    fn release(&mut self, spec: &Spec) -> Result<(), Fault> {
        self.released = true;
        match self.link.as_ref().map(|link| link.send(GO, &[], &[], false)) {
            Some(Ok(())) => Ok(()),
            _ => Err(died(spec)),
        }
    }

    /// Takes what the process has said, up to where it has come further.
    fn hear(&mut self, spec: &Spec, story: &mut Story) -> Result<Progress, Fault> {
        while let Some(link) = &self.link {
            let message = match link.receive(false) {
                Ok(message) => message,
                Err(Stop::WouldBlock) => return Ok(Progress::Waiting),
                Err(Stop::Closed) => {
                    self.link = None;
                    if !self.released {
                        return Err(died(spec));
                    }
                    // By a successful execve, or by the process's sudden death: whoever reaps it will see that.
                    break;
                }
            };
            match message.kind {
                EVENT => {
                    if let Ok(event) = serde_json::from_slice::<Event>(&message.body) {
                        story.tell(self.as_seen_from_here(event, spec));
                    }
                }
                TERMINAL => {
                    let mut fds = message.fds.into_iter();
                    (self.devpts, self.terminal) = (fds.next(), fds.next());
                }
                READY => {
                    self.ready = serde_json::from_slice(&message.body).unwrap_or(Ready::empty());
                    return Ok(Progress::Ready);
                }
                FAULT => {
                    let fault = serde_json::from_slice(&message.body).unwrap_or(died(spec));
                    if self.released {
                        self.tell_failed_exec(spec, &fault, story);
                    }
                    return Err(fault);
                }
                _ => {}
            }
        }
        self.tell_exec(spec, story);
        Ok(Progress::Running)
    }

    /// What the child calls itself is its inner pid; people and strace know the outer one.
    fn as_seen_from_here(&self, mut event: Event, spec: &Spec) -> Event {
        event.pid = self.pid;
        match &mut event.fact {
            Fact::CgroupJoined { pid, .. } => {
                *pid = self.pid;
                event.receipt = spec.group.as_ref().map(|group| self.lasting(group.joined_receipt(self.pid)));
            }
            Fact::NamespacesJoined { pid, .. } => *pid = Some(self.pid),
            _ => {}
        }
        event
    }

    /// An exec's process is gone before its container is: what proves it holds only now.
    fn lasting(&self, receipt: Receipt) -> Receipt {
        if self.is_exec { Receipt { holds: Holds::Now, ..receipt } } else { receipt }
    }

    fn attach_veth(&self, spec: &Spec, endpoint: &Endpoint, story: &mut Story) -> Result<(), Fault> {
        match network::attach_veth(&spec.id, endpoint, self.pid) {
            Ok(deed) => deed.tell(story),
            Err(error) => {
                let fact = Fact::Veth {
                    host: Some(endpoint.veth.clone()),
                    inside: "eth0".into(),
                    bridge: Some(endpoint.bridge.clone()),
                };
                story.tell(Event::failed(fact, error.clone()));
                return Err(Fault::step("network", SysError { calls: Vec::new(), ..error }));
            }
        }
        match self.link.as_ref().map(|link| link.send(PLUGGED, &[], &[], false)) {
            Some(Ok(())) => Ok(()),
            _ => Err(Fault::step("network", SysError::new("sendmsg", "child", libc::EPIPE))),
        }
    }

    fn exec_fact(&self, spec: &Spec) -> Fact {
        Fact::Exec {
            path: Some(self.ready.path.clone()),
            argv: spec.process.argv.clone(),
            cwd: self.ready.cwd.clone(),
            user: self.ready.user.clone(),
        }
    }

    fn tell_failed_exec(&self, spec: &Spec, fault: &Fault, story: &mut Story) {
        let errno = match fault {
            Fault::NotExecutable { errno, .. } => *errno,
            Fault::ArgumentsTooLong { .. } => libc::E2BIG,
            _ => libc::ENOENT,
        };
        let mut error = SysError::new("execve", self.ready.path.clone(), errno);
        error.calls.push(self.exec_call(spec, -(errno as i64)));
        story.tell(Event { pid: self.pid, ..Event::failed(self.exec_fact(spec), error) });
    }

    fn tell_exec(&self, spec: &Spec, story: &mut Story) {
        let mut event = Event::of(self.exec_fact(spec), vec![self.exec_call(spec, 0)]);
        event.pid = self.pid;
        event.receipt = Some(self.lasting(Receipt {
            evidence: format!("/proc/{}/cmdline", self.pid),
            proof: vec!["test".into(), "-d".into(), format!("/proc/{}", self.pid)],
            expect: Expect::Status(0),
            holds: Holds::WhileRunning(spec.id.clone()),
            needs: Vec::new(),
            subject: format!("process:{}:{}", spec.id, self.pid),
        }));
        story.tell(event);
    }

    fn exec_call(&self, spec: &Spec, ret: i64) -> crate::event::Call {
        let args = format!("{}, {}, ...", sys::quoted(&self.ready.path), sys::quoted_list(&spec.process.argv));
        crate::event::Call { name: "execve".into(), args, ret }
    }

    /// Kills what was made and reaps it: the namespaces, the mounts and the veth pair go with it.
    pub fn end(&mut self, story: &mut Story) {
        self.kill(story);
        if let Some(ended) = process::reap_waiting(self.pid) {
            let fact = Fact::Reaped { pid: self.pid, code: ended.status(), signal: ended.signal };
            story.tell(Event::of(fact, Vec::new()));
        }
    }

    /// Kills what was made; it is still to be reaped.
    pub fn kill(&mut self, story: &mut Story) {
        self.link = None;
        match process::signal(self.pidfd.as_fd(), self.pid, libc::SIGKILL) {
            Ok(deed) => deed.tell(story),
            // ESRCH: it has ended by itself.
            Err(error) if error.errno == libc::ESRCH => {}
            Err(error) => story.tell(Event::failed(
                Fact::Signalled { pid: self.pid, signal: 9, name: "SIGKILL".into(), all: false },
                error,
            )),
        }
    }
}

/// The process ended without a word (killed from outside, out of memory), or its monitor was told to end.
fn died(spec: &Spec) -> Fault {
    Fault::MonitorDied { id: spec.id.clone() }
}
