//! Programs that `exec` starts in a container, and the clients that ask for them: children of the monitor, since it is already
//! on a sealed program and outside the container's cgroup, and is there whatever becomes of the command line.
//!
//! Nothing here waits. A program on its way is heard when it says something, and a client that does not listen is kept a
//! queue: one that is stopped (SIGSTOP, a debugger) holds up nobody else.

use super::client::pipe;
use super::protocol::{Exited, Request, from_client, to_client};
use super::streams::Listener;
use crate::container::Process;
use crate::event::{Event, Fault, Story, SysError};
use crate::kernel::packet::{Message, Packets};
use crate::kernel::{process, terminal};
use crate::launch::init::Streams as InitStreams;
use crate::launch::{InitProcess, Spec, parent};
use crate::store::Store;
use rustix::event::PollFlags;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What an exec needs to know of the container it goes into.
pub struct Target<'a> {
    pub store: &'a Store,
    pub spec: &'a Spec,
    pub init: &'a InitProcess,
}

/// A client that connected to a container that runs; its number is never given again.
struct Client {
    number: usize,
    listener: Listener,
}

/// A program that a client asked for, until it is reaped.
struct Exec {
    asked_by: usize,
    process: InitProcess,
    stage: Stage,
}

enum Stage {
    /// On its way to execve; a terminal's master is for the client then.
    Starting {
        spec: Box<Spec>,
        master: Option<OwnedFd>,
    },
    Running,
    /// It has been killed, and the client is to know why.
    Failed(Fault),
}

/// The clients and their programs.
#[derive(Default)]
pub struct Execs {
    clients: Vec<Client>,
    execs: Vec<Exec>,
    last_number: usize,
    in_pid_namespace: bool,
}

/// What of them can be waited for.
#[derive(Debug, Clone, Copy)]
pub enum Waits {
    /// A client, by its number.
    Client(usize),
    /// A program on its way, by its pid.
    Exec(i32),
}

/// What a poll waits for with a client.
pub fn interest(listener: &Listener) -> PollFlags {
    if listener.is_behind() { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN }
}

impl Execs {
    pub fn connected(&mut self, packets: Packets) {
        self.last_number += 1;
        self.clients.push(Client { number: self.last_number, listener: Listener::new(packets) });
    }

    pub fn interests(&self) -> impl Iterator<Item = (Waits, BorrowedFd<'_>, PollFlags)> {
        let clients = self
            .clients
            .iter()
            .map(|Client { number, listener }| (Waits::Client(*number), listener.packets.as_fd(), interest(listener)));
        let starting = self.execs.iter().filter(|e| matches!(e.stage, Stage::Starting { .. }));
        let execs =
            starting.filter_map(|e| Some((Waits::Exec(e.process.pid), e.process.conversation()?, PollFlags::IN)));
        clients.chain(execs)
    }

    pub fn handle(&mut self, what: Waits, flags: PollFlags, into: &Target<'_>) {
        match what {
            Waits::Client(number) => self.hear(number, flags, into),
            Waits::Exec(pid) => self.proceed(pid, into),
        }
    }

    fn client(&mut self, number: usize) -> Option<&mut Listener> {
        self.clients.iter_mut().find(|c| c.number == number).map(|c| &mut c.listener)
    }

    /// A packet of a client.
    fn hear(&mut self, number: usize, flags: PollFlags, into: &Target<'_>) {
        let Some(client) = self.client(number) else { return };
        if flags.contains(PollFlags::OUT) {
            client.catch_up();
        }
        if !flags.intersects(PollFlags::IN | PollFlags::HUP) {
            return;
        }
        let Ok(message) = client.packets.receive(false) else { return client.leave() };
        match message.kind {
            from_client::SIGNAL => self.signal(number, &message.body, into),
            from_client::REQUEST => match serde_json::from_slice::<Request>(&message.body) {
                Ok(Request::Exec { process, size }) => self.start(number, process, size, message, into),
                _ => client.leave(),
            },
            _ => {}
        }
    }

    /// A signal that the learner's command line got is for the program it started.
    fn signal(&mut self, number: usize, body: &[u8], into: &Target<'_>) {
        let Some(&signal) = body.first() else { return };
        let mut story = Story::new();
        for exec in self.execs.iter().filter(|e| e.asked_by == number && matches!(e.stage, Stage::Running)) {
            // A program that is gone needs none.
            let sent = process::signal(exec.process.pidfd.as_fd(), exec.process.pid, i32::from(signal));
            if let Ok(deed) = sent {
                deed.tell(&mut story);
            }
        }
        self.tell(number, &story, into);
    }

    fn start(
        &mut self,
        number: usize,
        process: Process,
        size: Option<(u16, u16)>,
        message: Message,
        into: &Target<'_>,
    ) {
        let mut story = Story::new();
        let outcome = self.enter(into.init, &mut story).and_then(|()| start(process, size, message, into, &mut story));
        let outcome = outcome.inspect_err(|fault| story.tell_failure(fault));
        self.tell(number, &story, into);
        match outcome {
            Ok((process, stage)) => self.execs.push(Exec { asked_by: number, process, stage }),
            Err(fault) => self.answer(number, to_client::FAULT, &fault),
        }
    }

    /// The monitor's further children are born in the container's pid namespace.
    fn enter(&mut self, init: &InitProcess, story: &mut Story) -> Result<(), Fault> {
        if !self.in_pid_namespace {
            parent::enter_pid_namespace(init.pid, &init.pidfd).map_err(|e| Fault::step("exec", e))?.tell(story);
            self.in_pid_namespace = true;
        }
        Ok(())
    }

    /// A program on its way has said something.
    fn proceed(&mut self, pid: i32, into: &Target<'_>) {
        let Some(exec) = self.execs.iter_mut().find(|e| e.process.pid == pid) else { return };
        let Stage::Starting { spec, master } = &mut exec.stage else { return };
        let mut story = Story::new();
        let outcome = exec.process.proceed(spec, &mut story);
        let (asked_by, master) = (exec.asked_by, master.take_if(|_| matches!(outcome, Ok(true))));
        match outcome {
            Ok(false) => {}
            Ok(true) => exec.stage = Stage::Running,
            Err(fault) => exec.fail(fault, &mut story),
        }
        let (runs, waits) = (matches!(exec.stage, Stage::Running), matches!(exec.stage, Stage::Starting { .. }));
        self.tell(asked_by, &story, into);
        if let Some(client) = self.client(asked_by).filter(|_| runs) {
            client.send_with(to_client::STARTED, &[], master);
        }
        if !waits {
            // Its SIGCHLD may have come while it was not yet to be reaped.
            self.reap(into);
        }
    }

    /// Reaps what has ended, and says so to who asked for it.
    pub fn reap(&mut self, into: &Target<'_>) {
        for exec in std::mem::take(&mut self.execs) {
            let fault = match &exec.stage {
                // It is heard first: its last words say why.
                Stage::Starting { .. } => {
                    self.execs.push(exec);
                    continue;
                }
                Stage::Running => None,
                Stage::Failed(fault) => Some(fault.clone()),
            };
            let Some(ended) = process::reap(exec.process.pid) else {
                self.execs.push(exec);
                continue;
            };
            let mut story = Story::new();
            story.tell(exec.process.reaped(&ended));
            self.tell(exec.asked_by, &story, into);
            match fault {
                Some(fault) => self.answer(exec.asked_by, to_client::FAULT, &fault),
                None => {
                    self.answer(exec.asked_by, to_client::EXITED, &Exited { code: ended.status(), oom: false });
                }
            }
        }
    }

    /// Lets go of clients that are gone or know everything. What was on its way for one of them ends: nobody waits for it.
    pub fn forget_gone(&mut self, into: &Target<'_>) {
        let (over, stay) = std::mem::take(&mut self.clients).into_iter().partition(|c| c.listener.is_over());
        self.clients = stay;
        for mut client in over {
            super::run::write_unheard(into.store, &into.spec.id, &mut client.listener);
            for exec in self.execs.iter_mut().filter(|e| e.asked_by == client.number) {
                if matches!(exec.stage, Stage::Starting { .. }) {
                    let mut story = Story::new();
                    exec.fail(Fault::MonitorDied { id: into.spec.id.to_string() }, &mut story);
                    into.write_down(&story);
                }
            }
        }
    }

    /// The clients that are left when the container has ended, told so.
    pub fn told(self, exited: &[u8]) -> Vec<Listener> {
        let mut listeners: Vec<Listener> = self.clients.into_iter().map(|c| c.listener).collect();
        for listener in &mut listeners {
            listener.send_last(to_client::EXITED, exited);
        }
        listeners
    }

    /// The story of an exec goes to the one who asked for it, and to the monitors' journal when that one is gone.
    fn tell(&mut self, number: usize, story: &Story, into: &Target<'_>) {
        let Some(client) = self.client(number) else { return into.write_down(story) };
        let about = |event: &Event| Event { container: Some(into.spec.id.to_string()), ..event.clone() };
        client.tell(&story.events().iter().map(about).collect::<Vec<_>>());
    }

    fn answer(&mut self, number: usize, kind: u8, body: &impl serde::Serialize) {
        if let Some(client) = self.client(number) {
            client.send_last(kind, &serde_json::to_vec(body).unwrap_or_default());
        }
    }
}

impl Target<'_> {
    fn write_down(&self, story: &Story) {
        self.store.append_monitor_events(&self.spec.id, story.events());
    }
}

impl Exec {
    fn fail(&mut self, fault: Fault, story: &mut Story) {
        self.process.kill(story);
        self.stage = Stage::Failed(fault);
    }
}

/// The descriptors with which it starts; a terminal's master goes back to the client.
struct Streams {
    pipes: Option<InitStreams>,
    slave: Option<OwnedFd>,
    master: Option<OwnedFd>,
}

/// Our side of a container's standard streams.
#[derive(Default)]
pub struct OurPipes {
    pub outputs: [Option<OwnedFd>; 2],
    pub input: Option<OwnedFd>,
}

/// Sends it on its way.
fn start(
    process: Process,
    size: Option<(u16, u16)>,
    message: Message,
    into: &Target<'_>,
    story: &mut Story,
) -> Result<(InitProcess, Stage), Fault> {
    let step = |e: SysError| Fault::step("exec", e);
    let streams = streams(&process, size, message, into.init.devpts.as_ref()).map_err(step)?;
    let pidfd = rustix::io::fcntl_dupfd_cloexec(&into.init.pidfd, 3)
        .map_err(|e| step(SysError::new("fcntl", "pidfd", e.raw_os_error())))?;
    let spec = Box::new(Spec { process, ..into.spec.clone() });
    let begun = parent::exec(&spec, (into.init.pid, pidfd), streams.pipes, streams.slave, story)?;
    Ok((begun, Stage::Starting { spec, master: streams.master }))
}

fn streams(
    process: &Process,
    size: Option<(u16, u16)>,
    message: Message,
    devpts: Option<&OwnedFd>,
) -> Result<Streams, SysError> {
    if process.tty {
        let devpts = devpts.ok_or_else(|| SysError::new("openat", "devpts", libc::ENOENT))?;
        let (master, slave) = terminal::open_pair(devpts.as_fd())?;
        if let Some((rows, cols)) = size {
            terminal::set_size(&master, rows, cols);
        }
        return Ok(Streams { pipes: None, slave: Some(slave), master: Some(master) });
    }
    let mut fds = message.fds.into_iter();
    let (Some(stdin), Some(stdout), Some(stderr)) = (fds.next(), fds.next(), fds.next()) else {
        return Err(SysError::new("recvmsg", "streams", libc::EBADMSG));
    };
    // Only pipes: a descriptor of the learner's terminal or file has no business in a container.
    for fd in [&stdin, &stdout, &stderr] {
        let stat = rustix::fs::fstat(fd).map_err(|e| SysError::new("fstat", "streams", e.raw_os_error()))?;
        if rustix::fs::FileType::from_raw_mode(stat.st_mode) != rustix::fs::FileType::Fifo {
            return Err(SysError::new("fstat", "streams", libc::EINVAL));
        }
    }
    let pipes = InitStreams { stdin: Some(stdin), stdout, stderr };
    Ok(Streams { pipes: Some(pipes), slave: None, master: None })
}

/// The container's end and ours of its three streams; no pipe leads to stdin unless it was asked for.
pub fn container_pipes(stdin: bool) -> Result<(InitStreams, OurPipes), SysError> {
    let (out_read, stdout) = pipe()?;
    let (err_read, stderr) = pipe()?;
    let (stdin, input) = if stdin { pipe().map(|(read, write)| (Some(read), Some(write)))? } else { (None, None) };
    let ours = OurPipes { outputs: [Some(out_read), Some(err_read)], input };
    Ok((InitStreams { stdin, stdout, stderr }, ours))
}
