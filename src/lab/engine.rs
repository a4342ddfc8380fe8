//! The engine of one grade: process 1 of its own pid, mount and network namespaces, with the throw-away root.
//!
//! It serves the sandbox: each `docker …` in there is a connection here and one `docent …` as a child, with the client's
//! standard streams. What the submission may ask for is [`Plan::serves`]; the rest of docent could run programs or touch files
//! with the engine's rights. When the script has ended, all that it started is killed and the tasks are
//! looked at. The end of this process is the end of everything in its pid namespace, mounts and network: nothing to undo.

use super::client::{EXIT, REFUSED, RUN, SIGNAL};
use super::grade::{Plan, Report};
use super::sandbox::{self, Sandbox};
use super::{StoreWorld, score};
use crate::engine::{builtin, resolve as images};
use crate::event::{Ended, Fault, Output, Story, SysError};
use crate::image::Reference;
use crate::kernel::host::Host;
use crate::kernel::mounts::{self, Setting};
use crate::kernel::packet::{Packets, Stop};
use crate::kernel::signals::Signals;
use crate::kernel::sys::{self, Calls};
use crate::kernel::{callers_files, files, ids, process, resolve};
use crate::launch::root;
use crate::store::Store;
use nix::mount::MsFlags;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::mount::MountAttrFlags as Attr;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Everything that a grade writes lies on a tmpfs here; that of the host is hidden, with the sockets of its services.
const PLACE: &str = "/run";
pub const ROOT: &str = "/run/docent";
/// The engine's side of the sandbox: its socket and the mount point of its root.
pub const SIDE: &str = "/run/side";
pub const SOCKET: &str = "engine";

/// Bytes that everything in the throw-away root may take.
const DISK: &str = "size=1073741824";
const OUTPUT_LIMIT: usize = 256 * 1024;
const CLIENTS: usize = 64;

/// Runs the grade. In the process that [`super::grade`] cloned.
pub fn run(plan: &Plan, link: &Packets) -> Result<Report, Fault> {
    let step = |e: SysError| Fault::step("grade", e);
    let mut story = Story::new();
    settle(plan, &mut story).map_err(step)?;
    let (store, made) = Store::open(Path::new(ROOT), Host::look())?;
    if let Some(made) = made {
        made.tell(&mut story);
    }
    for dir in [SIDE, sandbox::MOUNT_POINT] {
        files::mkdir(&mut Calls::default(), Path::new(dir), 0o777).map_err(step)?;
    }
    let side = resolve::directory(Path::new(SIDE)).map_err(step)?;
    // The socket is for the submission's user, and nobody else sees this directory.
    let listener = process::without_umask(|| Packets::listen(side.as_fd(), SOCKET));
    let signals = Signals::catch(&[libc::SIGCHLD]).map_err(step)?;
    // Made before the submission can give their names to something else.
    let mut own = BTreeMap::new();
    for name in plan.lab.images().filter_map(|name| Reference::parse(name).ok()) {
        if builtin::which(&name).is_some() {
            own.insert(name.canonical(), images::image(&store, &mut story, &name.canonical())?.id);
        }
    }
    let sandbox = sandbox::start(plan, &mut story)?;
    let mut served =
        Serving { plan, sandbox, clients: Vec::new(), strays: Vec::new(), output: Vec::new(), truncated: false };
    let ended = served.until_end(&listener.map_err(step)?, &signals, link)?;
    let world = StoreWorld { store: &store, program: plan.program.clone(), since: 0, patient: true, own };
    let score = score::score(&plan.lab, &plan.values, &world, true)?;
    let text = String::from_utf8_lossy(&served.output).into_owned();
    Ok(Report { ended, score, output: Output { text, truncated: served.truncated }, events: story.events().to_vec() })
}

/// Makes the namespaces a home: private mounts, /proc of this pid namespace, the place for everything, its cgroup, loopback.
fn settle(plan: &Plan, story: &mut Story) -> Result<(), SysError> {
    process::guard(true, true)?.tell(story);
    process::close_on_exec_from_3()?;
    // Of root's groups nothing may help who opens files for the submission (kernel/userfiles.rs).
    ids::set_groups(&mut Calls::default(), &[])?;
    if let Some(cgroup) = &plan.cgroup {
        cgroup.join_engine(story)?;
    }
    sys::deed(|calls| {
        sys::mount(calls, None, Path::new("/"), None, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None)?;
        Ok(((), crate::event::Fact::MountsKept { private: true }))
    })?
    .tell(story);
    if let Some(cgroup) = &plan.cgroup {
        cgroup.close(story)?;
    }
    let proc = resolve::directory(Path::new("/proc"))?;
    drop(root::PROC.mount(proc.as_fd())?.tell(story));
    sys::deed(|calls| {
        let settings = [Setting::Value("mode", "0755"), Setting::Value("size", DISK.trim_start_matches("size="))];
        let place = mounts::detached(calls, "tmpfs", &settings, Attr::MOUNT_ATTR_NOSUID)?;
        let target = resolve::directory(Path::new(PLACE))?;
        mounts::attach(calls, place.as_fd(), target.as_fd(), PLACE)?;
        Ok(((), crate::event::Fact::Mounted { kind: "tmpfs".into(), target: PLACE.into(), options: DISK.into() }))
    })?
    .tell(story);
    crate::launch::network::loopback(story)
}

/// One connection, and the command that it asked for.
struct Client {
    socket: Packets,
    child: Option<i32>,
}

struct Serving<'a> {
    plan: &'a Plan,
    sandbox: Sandbox,
    clients: Vec<Client>,
    /// Commands whose client has gone away.
    strays: Vec<i32>,
    output: Vec<u8>,
    truncated: bool,
}

impl Serving<'_> {
    /// Serves until the script has ended or its time is up; afterwards nothing of it is left.
    fn until_end(&mut self, listener: &Packets, signals: &Signals, link: &Packets) -> Result<Ended, Fault> {
        let deadline = Instant::now() + Duration::from_secs(self.plan.lab.time_limit);
        let mut ended = None;
        let mut timed_out = false;
        while ended.is_none() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() && !timed_out {
                timed_out = true;
                self.sandbox.kill();
            }
            let limit = rustix::time::Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
            // After the time is up only the end of the sandbox is waited for, and a killed process does end.
            let limit = (!timed_out).then_some(&limit);
            let ready = {
                let mut fds = vec![PollFd::new(signals, PollFlags::IN), PollFd::new(link, PollFlags::IN)];
                fds.push(PollFd::new(listener, PollFlags::IN));
                fds.extend(self.clients.iter().map(|c| PollFd::new(&c.socket, PollFlags::IN)));
                if let Some(output) = &self.sandbox.output {
                    fds.push(PollFd::new(output, PollFlags::IN));
                }
                match poll(&mut fds, limit) {
                    Ok(_) | Err(rustix::io::Errno::INTR) => {}
                    Err(e) => return Err(Fault::step("grade", SysError::new("poll", "", e.raw_os_error()))),
                }
                fds.iter().map(|f| !f.revents().is_empty()).collect::<Vec<_>>()
            };
            if ready.get(1) == Some(&true) {
                // Nobody waits for the result any more: leaving takes everything along.
                return Err(Fault::CannotGrade { why: "interrupted".into() });
            }
            let talkers: Vec<usize> = (0..self.clients.len()).filter(|n| ready.get(n + 3) == Some(&true)).collect();
            for n in talkers.into_iter().rev() {
                self.hear(n);
            }
            if ready.get(2) == Some(&true) && self.clients.len() < CLIENTS {
                self.clients.extend(listener.accept().map(|socket| Client { socket, child: None }));
            }
            self.read_output();
            while signals.next().is_some() {}
            ended = self.reap();
        }
        for pid in self.clients.drain(..).filter_map(|c| c.child).chain(self.strays.drain(..)) {
            // Gone already, or killed: either is an end.
            process::signal_child(pid, libc::SIGKILL);
            process::reap_waiting(pid);
        }
        self.read_output();
        Ok(if timed_out {
            Ended::TimedOut { seconds: self.plan.lab.time_limit }
        } else {
            ended.unwrap_or(Ended::Exited { code: 0 })
        })
    }

    /// Takes note of every child that has ended; the sandbox's end is the answer.
    fn reap(&mut self) -> Option<Ended> {
        let mut ended = None;
        while let Some((pid, how)) = process::reap_any(false) {
            let code = how.status();
            if pid == self.sandbox.pid {
                ended = Some(match how.signal {
                    Some(signal) => Ended::Killed { signal },
                    None => Ended::Exited { code },
                });
            } else if let Some(n) = self.clients.iter().position(|c| c.child == Some(pid)) {
                let client = self.clients.swap_remove(n);
                // A client that has gone away does not want to know.
                client.socket.send(EXIT, &[code as u8], &[], false).unwrap_or(());
            }
            self.strays.retain(|s| *s != pid);
            // Anything else is a monitor whose command line has ended: an orphan that this process 1 lays to rest.
        }
        ended
    }

    /// A message of client `n`, or its end.
    fn hear(&mut self, n: usize) {
        let Some(client) = self.clients.get_mut(n) else { return };
        match client.socket.receive(false) {
            Err(Stop::WouldBlock) => {}
            Err(Stop::Closed) => {
                // The client was killed: so would be the command, were it docker itself.
                if let Some(pid) = client.child {
                    process::signal_child(pid, libc::SIGTERM);
                    self.strays.push(pid);
                }
                self.clients.swap_remove(n);
            }
            Ok(message) if message.kind == SIGNAL => {
                if let (Some(pid), Some(signal)) = (client.child, message.body.first()) {
                    process::signal_child(pid, i32::from(*signal));
                }
            }
            Ok(message) if message.kind == RUN && client.child.is_none() => {
                match command(self.plan, &self.sandbox, &message.body, message.fds) {
                    Ok(pid) => client.child = Some(pid),
                    Err(fault) => {
                        let body = serde_json::to_vec(&fault).unwrap_or_default();
                        client.socket.send(REFUSED, &body, &[], false).unwrap_or(());
                        self.clients.swap_remove(n);
                    }
                }
            }
            Ok(_) => {}
        }
    }

    /// Reads what is there; what goes beyond the limit is dropped, so that the script is never held up.
    fn read_output(&mut self) {
        let mut chunk = [0u8; 16 * 1024];
        while let Some(output) = &self.sandbox.output {
            match rustix::io::read(output, &mut chunk) {
                Ok(0) => self.sandbox.output = None,
                Ok(n) => {
                    let room = OUTPUT_LIMIT.saturating_sub(self.output.len()).min(n);
                    self.truncated |= room < n;
                    self.output.extend_from_slice(chunk.get(..room).unwrap_or_default());
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
        }
    }
}

/// Starts the command that a client asks for.
fn command(plan: &Plan, sandbox: &Sandbox, body: &[u8], fds: Vec<OwnedFd>) -> Result<i32, Fault> {
    let mut words = body.split(|b| *b == 0).map(|w| OsStr::from_bytes(w).to_os_string());
    let cwd = words.next().unwrap_or_default();
    let argv: Vec<OsString> = words.collect();
    (plan.serves)(&argv, &plan.lab.verbs)?;
    let Ok([input, output, errors]) = <[OwnedFd; 3]>::try_from(fds) else {
        return Err(Fault::CannotGrade { why: "three descriptors expected".into() });
    };
    let child = Command::new(&plan.program)
        .arg0("docker")
        .args(&argv)
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", "/")
        .env("DOCENT_ROOT", ROOT)
        .env("DOCENT_LANG", &plan.lang)
        .envs(callers_files::variables(&sandbox.root(), &cwd, sandbox.user))
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::from(input))
        .stdout(Stdio::from(output))
        .stderr(Stdio::from(errors))
        .spawn()
        .map_err(|e| Fault::step("grade", SysError::io("execve", plan.program.to_string_lossy(), &e)))?;
    Ok(child.id() as i32)
}
