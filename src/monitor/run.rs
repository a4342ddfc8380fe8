//! A monitor's life: launch, event loop, teardown.

use super::exec::{Execs, OurPipes, Target, Waits, container_pipes, interest};
use super::log::Log;
use super::protocol::{Exited, Request, from_client, to_client};
use super::proxy::{self, Proxies};
use super::streams::{Listener, Streams, settle};
use crate::container::{Container, ContainerId, End, Failed, Life, State};
use crate::event::{Deed, Event, Fact, Fault, FaultPoint, Story, SysError};
use crate::kernel::cgroup::Group;
use crate::kernel::host::Host;
use crate::kernel::packet::Packets;
use crate::kernel::signals::Signals;
use crate::kernel::{process, terminal};
use crate::launch::init_process::died;
use crate::launch::parent::{Parent, remove_cgroup};
use crate::launch::{InitProcess, Spec};
use crate::store::Store;
use rustix::event::{PollFd, PollFlags, poll};
use std::cell::RefCell;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::rc::Rc;

/// Docker's exit code of a container that could not be started, for a reason that has no code of its own.
const NEVER_RAN: i32 = 128;

/// The one client that hears the story of the launch, shared with the story's listener.
type First = Rc<RefCell<Listener>>;

/// Entry point of the hidden command: ROOT ID DESCRIPTOR.
pub fn main(args: &[String]) -> i32 {
    let [root, id, number] = args else { return 2 };
    let Some(id) = &ContainerId::parse(id) else { return 2 };
    let Some(packets) = crate::kernel::packet::handed_over(number) else { return 2 };
    process::be_called(c"docent-monitor");
    if process::begin_afresh(number).is_err() {
        return 2;
    }
    let Ok((store, None)) = Store::open(Path::new(root), Host::look()) else { return 2 };
    let Ok(request) = packets.receive(true) else { return 0 };
    let Ok(Request::Start { attach, stdin, size }) = serde_json::from_slice(&request.body) else { return 2 };
    let first: First = Rc::new(RefCell::new(Listener::new(packets)));
    let mut story = story(&store, id, &first);
    let code = match Monitor::start(store.clone(), id, &mut story, size) {
        Ok(monitor) => {
            let input = monitor.streams.input().filter(|_| stdin);
            first.borrow_mut().attached = attach;
            first.borrow_mut().send_with(to_client::STARTED, &[], input);
            // The launch is the most that a monitor ever has to remember.
            process::give_memory_back();
            // From here on the loop owns the connection; the story keeps a handle of its own for the launch's last words.
            let mut others = monitor.look_after(&first, &mut story);
            let mut client = first.borrow_mut();
            settle(&mut std::iter::once(&mut *client).chain(&mut others).collect::<Vec<_>>());
            0
        }
        Err(fault) => {
            story.tell_failure(&fault);
            let mut client = first.borrow_mut();
            client.send(to_client::FAULT, &serde_json::to_vec(&fault).unwrap_or_default());
            settle(&mut [&mut client]);
            1
        }
    };
    write_unheard(&store, id, &mut first.borrow_mut());
    code
}

/// Events go to the client that waits, and what nobody waits for goes to the monitors' journal.
fn story(store: &Store, id: &ContainerId, first: &First) -> Story {
    let (store, id_, first) = (store.clone(), id.clone(), first.clone());
    let mut story = Story::passing_on(move |events| {
        let mut client = first.borrow_mut();
        client.tell(events);
        write_unheard(&store, &id_, &mut client);
    });
    story.about(id);
    story
}

/// What a client was to be told and has not taken before it went.
pub(super) fn write_unheard(store: &Store, id: &ContainerId, client: &mut Listener) {
    for events in client.unheard().iter().filter_map(|body| serde_json::from_slice::<Vec<Event>>(body).ok()) {
        store.append_monitor_events(id, &events);
    }
}

struct Monitor {
    store: Store,
    container: Container,
    life: Life,
    spec: Spec,
    init: InitProcess,
    streams: Streams,
    signals: Signals,
    listener: Packets,
    execs: Execs,
    proxies: Proxies,
    _lock: crate::store::ContainerLock,
}

impl Monitor {
    /// Everything up to the running program; on failure everything is undone.
    fn start(store: Store, id: &ContainerId, story: &mut Story, size: Option<(u16, u16)>) -> Result<Monitor, Fault> {
        let step = |name: &'static str| move |e: SysError| Fault::step(name, e);
        std::env::set_current_dir("/").map_err(|e| Fault::step("chdir", SysError::io("chdir", "/", &e)))?;
        let signals =
            Signals::catch(&[libc::SIGCHLD, libc::SIGTERM, libc::SIGHUP, libc::SIGINT]).map_err(step("signalfd"))?;
        let lock = store
            .try_lock_container(id)
            .map_err(step("lock"))?
            .ok_or_else(|| Fault::step("lock", SysError::new("flock", id, libc::EWOULDBLOCK)))?;
        let container = store.container_by_id(id)?.ok_or_else(|| Fault::NoSuchContainer { name: id.into() })?;

        let (theirs, ours) = match container.config.tty {
            true => (None, OurPipes::default()),
            false => container_pipes(container.config.open_stdin)
                .map(|(theirs, ours)| (Some(theirs), ours))
                .map_err(step("start"))?,
        };
        let life = Life {
            boot_id: process::boot_id(),
            monitor: std::process::id() as i32,
            init: None,
            endpoint: None,
            ports: Vec::new(),
            cgroups: Vec::new(),
        };
        store.write_state(id, &State::Starting(life.clone())).map_err(step("state"))?;
        let spec = Spec::of(&store, &container);
        let mut parent = Parent {
            store: &store,
            container: &container,
            spec: &spec,
            streams: theirs,
            size,
            signals: &signals,
            life,
            published: Vec::new(),
            init: None,
            control: None,
        };
        if let Err(fault) = parent.launch(story) {
            // As before the attempt: a container that could not start stays `Created` (or `Exited`), with the reason, and with
            // a code that is not 0.
            let error = serde_json::to_string(&fault).unwrap_or_default();
            let cgroups = std::mem::take(&mut parent.life.cgroups);
            let failed = Failed { code: fault.exit_code().unwrap_or(NEVER_RAN), error, cgroups };
            store.write_state(id, &container.state.clone().after(failed)).map_err(step("state"))?;
            return Err(fault);
        }
        let Parent { life, published, init, control, .. } = parent;
        let (Some(mut init), Some(listener)) = (init, control) else { return Err(died(&spec)) };
        let outputs = match init.terminal.take() {
            Some(master) => [Some(master), None],
            None => ours.outputs,
        };
        let log = Log::open(&store.container_dir(id).log());
        let streams = Streams::new(outputs, ours.input, container.config.tty, log);
        Ok(Monitor {
            life,
            init,
            streams,
            signals,
            listener,
            execs: Execs::default(),
            proxies: Proxies::new(published),
            _lock: lock,
            spec,
            container,
            store,
        })
    }

    /// The event loop, until PID 1 has ended and its teardown is done. Gives the clients that may not know it yet: waiting
    /// for them, a monitor holds nothing any more, not even the container's lock.
    fn look_after(mut self, first: &First, story: &mut Story) -> Vec<Listener> {
        // Who died during the launch has sent its SIGCHLD already.
        let mut ended = self.children(story);
        while ended.is_none() {
            ended = self.turn(first, story);
        }
        match ended {
            Some(ended) => self.teardown(first, story, ended),
            None => Vec::new(),
        }
    }

    /// Waits for something to happen and handles it. Some: PID 1 has ended.
    fn turn(&mut self, first: &First, story: &mut Story) -> Option<process::Ended> {
        let mut ready: Vec<(Source, PollFlags)> = Vec::new();
        let proxy_answers;
        {
            let first = first.borrow();
            let behind = first.attached && first.is_behind();
            let mut sources: Vec<(Source, BorrowedFd<'_>, PollFlags)> = vec![
                (Source::Signals, self.signals.as_fd(), PollFlags::IN),
                (Source::Listener, self.listener.as_fd(), PollFlags::IN),
            ];
            for stream in 0..2 {
                if let Some(fd) = self.streams.output(stream).filter(|_| !behind) {
                    sources.push((Source::Output(stream), fd, PollFlags::IN));
                }
            }
            if !first.is_gone() {
                sources.push((Source::First, first.packets.as_fd(), interest(&first)));
            }
            sources.extend(self.execs.interests().map(|(what, fd, flags)| (Source::Execs(what), fd, flags)));
            let own = sources.len();
            let proxies = self.proxies.interests();
            let mut fds: Vec<PollFd<'_>> = sources
                .iter()
                .map(|(_, fd, flags)| PollFd::from_borrowed_fd(*fd, *flags))
                .chain(proxies.iter().map(|(fd, flags)| PollFd::from_borrowed_fd(*fd, *flags)))
                .collect();
            if poll(&mut fds, self.proxies.timeout().as_ref()).is_err() {
                return None;
            }
            for ((source, ..), fd) in sources.iter().zip(&fds) {
                if !fd.revents().is_empty() {
                    ready.push((*source, fd.revents()));
                }
            }
            proxy_answers = proxy::answers(fds.get(own..).unwrap_or_default());
        }
        self.proxies.handle(&proxy_answers);
        let mut ended = None;
        for (source, flags) in ready {
            match source {
                Source::Signals => ended = self.children(story).or(ended),
                Source::Listener => self.accept(),
                Source::Output(stream) => {
                    let mut client = first.borrow_mut();
                    if !client.is_behind() {
                        self.streams.read(stream, &mut client);
                    }
                }
                Source::First => {
                    let mut client = first.borrow_mut();
                    if flags.contains(PollFlags::OUT) {
                        client.catch_up();
                    }
                    if flags.intersects(PollFlags::IN | PollFlags::HUP) {
                        hear_first(&mut client, &mut self.streams, &self.init);
                    }
                }
                Source::Execs(what) => {
                    let (execs, into) = self.execs();
                    execs.handle(what, flags, &into);
                }
            }
        }
        let (execs, into) = self.execs();
        execs.forget_gone(&into);
        ended
    }

    /// The execs, and what they need to know of the container.
    fn execs(&mut self) -> (&mut Execs, Target<'_>) {
        (&mut self.execs, Target { store: &self.store, spec: &self.spec, init: &self.init })
    }

    fn accept(&mut self) {
        while let Some(packets) = self.listener.accept() {
            // Only the store's owner may speak to a monitor; others cannot reach the socket's directory anyway.
            if packets.peer_uid() == Some(rustix::process::geteuid().as_raw()) {
                self.execs.connected(packets);
            }
        }
    }

    /// Something has died, or somebody wants us to.
    fn children(&mut self, story: &mut Story) -> Option<process::Ended> {
        while let Some(signal) = self.signals.next() {
            if signal == libc::SIGTERM {
                // The host is going down: pass it on, and end when PID 1 does.
                let meant = Fact::Fallback { what: self.init.pid.to_string(), point: FaultPoint::Optional };
                let sent = process::signal(self.init.pidfd.as_fd(), self.init.pid, libc::SIGTERM);
                Deed::tell_either(sent, meant, story).unwrap_or(());
            }
        }
        let (execs, into) = self.execs();
        execs.reap(&into);
        process::reap(self.init.pid)
    }

    /// PID 1 has ended: its last words, its state, its cgroup, and the container itself with `--rm`.
    /// Gives the clients that are left.
    fn teardown(mut self, first: &First, story: &mut Story, ended: process::Ended) -> Vec<Listener> {
        self.streams.drain(&mut first.borrow_mut());
        // It may have been renamed meanwhile.
        if let Ok(Some(now)) = self.store.container_by_id(&self.container.id) {
            self.container.name = now.name;
        }
        let oom_kills = self.spec.cgroup.as_ref().map_or(0, Group::oom_kills);
        // The kernel's own signal for it. Docker's OOMKilled is said of a container that lost any process.
        let oom = oom_kills > 0 && ended.signal == Some(libc::SIGKILL);
        let exited = Exited { code: ended.status(), oom: oom_kills > 0 };
        story.tell(self.init.reaped(&ended));
        let cgroups = remove_cgroup(self.spec.cgroup.as_ref(), story);
        let removable = self.container.host_config.auto_remove && cgroups.is_empty();
        let finished = chrono::Utc::now();
        let started = self.life.init.map_or(finished, |init| init.at);
        let end = End { code: exited.code, oom_killed: exited.oom, started, finished, error: None, cgroups };
        let (id, name) = (self.container.id.clone(), self.container.name.clone());
        let (code, signal) = (Some(exited.code), ended.signal);
        let fact = Fact::ContainerExited { id: id.to_string(), name: name.clone(), code, signal, oom, oom_kills };
        let state = State::Exited(end);
        // Of one that goes at once nothing is written down.
        let written = (!removable).then(|| self.store.write_state(&id, &state));
        let receipt = written.is_some().then(|| self.store.state_receipt(&id, &state)).flatten();
        story.tell(Event { receipt, ..Event::of(fact, Vec::new()) });
        // While its group is there, the container is kept too: the next command finds both by its name.
        let meant = Fact::ContainerRemoved { id: id.to_string(), name };
        let removed = removable.then(|| self.store.remove_container(&self.container));
        let removed = removed.map(|deed| Deed::tell_either(deed, meant, story));
        let written = match (written, removed) {
            (None, Some(Ok(()))) => Ok(()),
            (Some(written), _) => written,
            (None, _) => self.store.write_state(&id, &state),
        };
        if let Err(error) = written {
            story.tell(Event::failed(Fact::Fallback { what: "state.json".into(), point: FaultPoint::Optional }, error));
        }
        let body = serde_json::to_vec(&exited).unwrap_or_default();
        first.borrow_mut().send_last(to_client::EXITED, &body);
        self.execs.told(&body)
    }
}

#[derive(Clone, Copy)]
enum Source {
    Signals,
    Listener,
    Output(usize),
    First,
    Execs(Waits),
}

/// The end of input, size and signals from the client that started the container.
fn hear_first(client: &mut Listener, streams: &mut Streams, init: &InitProcess) {
    let Ok(message) = client.packets.receive(false) else {
        client.leave();
        return;
    };
    match message.kind {
        from_client::STDIN_END => streams.end_input(),
        from_client::SIZE => {
            if let ([a, b, c, d], Some(fd)) = (message.body.as_slice(), streams.terminal()) {
                terminal::set_size(fd, u16::from_le_bytes([*a, *b]), u16::from_le_bytes([*c, *d]));
            }
        }
        from_client::SIGNAL => {
            if let Some(&signal) = message.body.first() {
                // Told by the command line that passed it on; a program that is gone needs none.
                if let Ok(deed) = process::signal(init.pidfd.as_fd(), init.pid, i32::from(signal)) {
                    let mut story = Story::new();
                    deed.tell(&mut story);
                    client.tell(story.events());
                }
            }
        }
        _ => {}
    }
}
