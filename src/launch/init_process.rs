//! A process on its way to its program, as its parent has it: the conversation over the sync socket, and its end.
//!
//! The child tells what it does; the parent says `VETH_ATTACHED` when the veth pair reaches into it, and `GO`. The
//! socket closes on a successful execve, and carries the reason of a failed one; that it closed on an execve and not by the
//! child's death, the kernel says. If either side dies, the other sees it and stops: nothing runs half made.

use super::init::{self, InitArguments};
use super::proofs;
use super::spec::Spec;
use crate::event::{Call, Event, Fact, Fault, Receipt, Story, SysError};
use crate::kernel::cgroup::Group;
use crate::kernel::packet::{Packets, Stop};
use crate::kernel::process;
use crate::kernel::signals::Signals;
use crate::kernel::sys::{self, Calls, Cloned};
use rustix::event::{PollFd, PollFlags, poll};
use serde::{Deserialize, Serialize};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Kinds of messages between the two sides.
/// A list of events.
pub const EVENTS: u8 = b'E';
pub const READY: u8 = b'R';
pub const FAULT: u8 = b'F';
/// With the descriptor of the container's devpts, and of its terminal's master if it has one.
pub const TERMINAL: u8 = b'T';
pub const VETH_ATTACHED: u8 = b'P';
pub const GO: u8 = b'G';

/// What the child says when only execve is left to do.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Ready {
    /// The file that execve will be given.
    pub path: String,
    pub cwd: String,
    pub user: String,
}

pub struct InitProcess {
    pub pid: i32,
    pub pidfd: OwnedFd,
    /// The container's devpts.
    pub devpts: Option<OwnedFd>,
    /// The master side of its terminal.
    pub terminal: Option<OwnedFd>,
    ready: Ready,
    /// What it has done, and what its parent did for it meanwhile: told when only execve is left, since what shows it can be looked
    /// at only then ([`proofs`]), or when it fails.
    heard: Vec<Event>,
    /// None once its program has taken over, or it has died.
    sync: Option<Packets>,
    /// It has been told to go: what closes the conversation now is its execve.
    released: bool,
    is_exec: bool,
    /// How often the kernel had killed for memory in its cgroup when it was born.
    oom_kills: u64,
    /// It has died by itself, and is still to be reaped.
    ended: bool,
}

/// How far a process has come, by what it has said until now.
pub enum Progress {
    Waiting,
    /// Only execve is left.
    Ready,
    /// The program has taken over.
    Running,
}

impl InitProcess {
    /// Clones it with new namespaces (`flags`); in version 2 it is born in its cgroup. `arguments` are all that it keeps.
    pub fn born(
        calls: &mut Calls,
        flags: u64,
        spec: &Spec,
        arguments: impl FnOnce(Packets) -> InitArguments,
    ) -> Result<InitProcess, SysError> {
        let (ours, theirs) = Packets::pair()?;
        let arguments = arguments(theirs);
        let is_exec = arguments.enter.is_some();
        // A new group has none yet.
        let oom_kills = if is_exec { oom_kills(spec) } else { 0 };
        let into = spec.cgroup.as_ref().map(|g| g.open_v2()).transpose()?.flatten();
        match sys::clone3(calls, flags, into.as_ref().map(|fd| fd.as_fd()))? {
            Cloned::Child => {
                drop(ours);
                init::run(spec, arguments)
            }
            Cloned::Parent { pid, pidfd } => Ok(InitProcess {
                pid,
                pidfd,
                devpts: None,
                terminal: None,
                ready: Ready::default(),
                heard: Vec::new(),
                sync: Some(ours),
                released: false,
                is_exec,
                oom_kills,
                ended: false,
            }),
        }
    }

    /// What to wait for before the next [`InitProcess::proceed`].
    pub fn conversation(&self) -> Option<BorrowedFd<'_>> {
        self.sync.as_ref().map(|sync| sync.as_fd())
    }

    /// Tells this with what the process says.
    pub fn add(&mut self, events: impl IntoIterator<Item = Event>) {
        self.heard.extend(events);
    }

    /// Tells what it has done, in the order in which it happened; with what shows it, if it has come so far.
    fn tell_heard(&mut self, seen: Option<&proofs::Seen>, story: &mut Story) {
        let mut heard = std::mem::take(&mut self.heard);
        heard.sort_by_key(|event| event.at_us);
        if let Some(seen) = seen {
            seen.prove(self.pid, &mut heard);
        }
        if !heard.is_empty() {
            story.tell_all(heard);
        }
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

    /// Its end of the network is there. One that is gone does not hear it; why, it has said.
    pub fn veth_attached(&self) {
        self.sync.iter().for_each(|sync| sync.send(VETH_ATTACHED, &[], &[], false).unwrap_or(()));
    }

    /// The parent's part has failed: hears the process to its end. What it says of itself, or what killed it, is the cause;
    /// when it has nothing to say, the parent's failure is.
    pub fn dismiss(&mut self, spec: &Spec, signals: &Signals, story: &mut Story) -> Result<(), Fault> {
        self.sync.iter().for_each(Packets::say_no_more);
        while self.sync.is_some() {
            match self.hear(spec, story) {
                Ok(Progress::Waiting) => self.wait(spec, signals)?,
                Ok(_) => {}
                // It has ended by itself, since nothing more will be said to it.
                Err(Fault::MonitorDied { .. }) => break,
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }

    /// Listens to it until only execve is left.
    pub fn until_ready(&mut self, spec: &Spec, signals: &Signals, story: &mut Story) -> Result<(), Fault> {
        while let Progress::Waiting = self.hear(spec, story)? {
            self.wait(spec, signals)?;
        }
        Ok(())
    }

    /// Lets it go. Comes back when the program has taken over, or with the reason why not.
    pub fn go(&mut self, spec: &Spec, signals: &Signals, story: &mut Story) -> Result<(), Fault> {
        self.release(spec)?;
        self.until_ready(spec, signals, story)
    }

    /// Until the process says something. A stopped one never does: then the monitor can still be told to end.
    fn wait(&self, spec: &Spec, signals: &Signals) -> Result<(), Fault> {
        let Some(sync) = self.conversation() else { return Ok(()) };
        let mut fds = [PollFd::from_borrowed_fd(sync, PollFlags::IN), PollFd::new(signals, PollFlags::IN)];
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
        match self.sync.as_ref().map(|sync| sync.send(GO, &[], &[], false)) {
            Some(Ok(())) => Ok(()),
            _ => Err(died(spec)),
        }
    }

    /// Takes what the process has said, up to where it has come further.
    pub fn hear(&mut self, spec: &Spec, story: &mut Story) -> Result<Progress, Fault> {
        while let Some(sync) = &self.sync {
            let message = match sync.receive(false) {
                Ok(message) => message,
                Err(Stop::WouldBlock) => return Ok(Progress::Waiting),
                Err(Stop::Closed) => {
                    self.sync = None;
                    self.tell_heard(None, story);
                    if self.released && process::has_executed(self.pid) {
                        break;
                    }
                    return Err(self.dead(spec, story));
                }
            };
            match message.kind {
                EVENTS => {
                    let events: Vec<Event> = serde_json::from_slice(&message.body).unwrap_or_default();
                    let events: Vec<Event> =
                        events.into_iter().map(|event| self.as_seen_from_here(event, spec)).collect();
                    self.add(events);
                }
                TERMINAL => {
                    let mut fds = message.fds.into_iter();
                    (self.devpts, self.terminal) = (fds.next(), fds.next());
                }
                READY => {
                    self.ready = serde_json::from_slice(&message.body).unwrap_or_default();
                    let seen = proofs::Seen::look(self.pid, spec, self.is_exec);
                    self.tell_heard(Some(&seen), story);
                    return Ok(Progress::Ready);
                }
                FAULT => {
                    self.tell_heard(None, story);
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

    /// It died on its way, without a word.
    fn dead(&mut self, spec: &Spec, story: &mut Story) -> Fault {
        self.ended = true;
        let killed = process::end_of(self.pidfd.as_fd()).and_then(|ended| ended.signal);
        let for_memory = killed == Some(libc::SIGKILL) && oom_kills(spec) > self.oom_kills;
        if self.released {
            // Whether it had come to the call is not known: none is claimed.
            let errno = if for_memory { libc::ENOMEM } else { libc::EINTR };
            let error = SysError::new("execve", self.ready.path.clone(), errno);
            story.tell(Event { pid: self.pid, ..Event::failed(self.exec_fact(spec), error) });
        }
        let id = spec.id.to_string();
        match killed {
            Some(_) if for_memory => Fault::MemoryTooSmall { id, limit: spec.resources.memory },
            Some(signal) => Fault::KilledEarly { id, signal },
            None => died(spec),
        }
    }

    /// What the child calls itself is its inner pid; people and strace know the outer one.
    fn as_seen_from_here(&self, mut event: Event, spec: &Spec) -> Event {
        event.pid = self.pid;
        match &mut event.fact {
            Fact::CgroupJoined { pid, .. } => {
                *pid = Some(self.pid);
                event.receipt = spec.cgroup.as_ref().map(|group| self.lasting(group.joined_receipt(self.pid)));
            }
            Fact::NamespacesJoined { pid, .. } => *pid = Some(self.pid),
            _ => {}
        }
        event
    }

    /// An exec's process is gone before its container is.
    fn lasting(&self, receipt: Receipt) -> Receipt {
        if self.is_exec { Receipt { holds: proofs::lasting(self.pid), ..receipt } } else { receipt }
    }

    /// In version 2 a process is born in its cgroup.
    pub fn born_in_cgroup(&mut self, spec: &Spec) {
        let Some(group) = spec.cgroup.as_ref().filter(|g| g.version == 2) else { return };
        let fact = Fact::CgroupJoined { pid: Some(self.pid), name: group.name.clone(), paths: group.paths() };
        let receipt = Some(self.lasting(group.joined_receipt(self.pid)));
        self.add([Event { receipt, ..Event::of(fact, Vec::new()) }]);
    }

    fn exec_fact(&self, spec: &Spec) -> Fact {
        Fact::Exec {
            path: Some(self.ready.path.clone()),
            argv: spec.process.argv.clone(),
            cwd: self.ready.cwd.clone(),
            user: Some(self.ready.user.clone()),
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
        event.receipt = proofs::executed(self.pid, &spec.id, self.is_exec, &self.ready);
        story.tell(event);
    }

    fn exec_call(&self, spec: &Spec, ret: i64) -> Call {
        process::execve_call(self.ready.path.as_ref(), &spec.process.argv, ret)
    }

    /// Kills what was made and reaps it: the namespaces, the mounts and the veth pair go with it.
    pub fn end(&mut self, story: &mut Story) {
        self.kill(story);
        if let Some(ended) = process::reap_waiting(self.pid) {
            story.tell(self.reaped(&ended));
        }
    }

    pub fn reaped(&self, ended: &process::Ended) -> Fact {
        Fact::Reaped { pid: Some(self.pid), code: Some(ended.status()), signal: ended.signal }
    }

    /// Kills what was made; it is still to be reaped.
    pub fn kill(&mut self, story: &mut Story) {
        self.sync = None;
        self.tell_heard(None, story);
        if self.ended {
            return;
        }
        match process::signal(self.pidfd.as_fd(), self.pid, libc::SIGKILL) {
            Ok(deed) => deed.tell(story),
            // ESRCH: it has ended by itself.
            Err(error) if error.errno == libc::ESRCH => {}
            Err(error) => story.tell(Event::failed(
                Fact::Signalled { pid: Some(self.pid), signal: 9, name: "SIGKILL".into(), all: false },
                error,
            )),
        }
    }
}

fn oom_kills(spec: &Spec) -> u64 {
    spec.cgroup.as_ref().map_or(0, Group::oom_kills)
}

/// Its monitor was told to end, or they no longer understand each other.
pub fn died(spec: &Spec) -> Fault {
    Fault::MonitorDied { id: spec.id.to_string() }
}
