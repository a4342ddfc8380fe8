//! The first half of a monitor's life: resources, then the process. Whatever fails comes back as the reason; what was made
//! until then is the caller's to undo.

use super::exec;
use super::log::Log;
use super::proxy::{self, Proxies};
use super::streams::Streams;
use crate::container::{Container, Init, Life, NetworkMode, Port, State};
use crate::event::{Event, Fact, Fault, Story, SysError};
use crate::kernel::cgroup::Group;
use crate::kernel::packet::Packets;
use crate::kernel::signals::Signals;
use crate::kernel::{open, ports, process, terminal};
use crate::launch::{self, Launched, Spec, network, outside};
use crate::store::{SOCKET, Store};
use std::net::SocketAddrV4;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// Resources before the process: network, ports, cgroup, limits.
pub(super) fn prepare(
    store: &Store,
    container: &Container,
    spec: &mut Spec,
    life: &mut Life,
    story: &mut Story,
) -> Result<Vec<proxy::Listener>, Fault> {
    let mut listeners = Vec::new();
    if container.host_config.network_mode == NetworkMode::Bridge {
        connect(store, container, spec, life, story)?;
        listeners = publish(container, life, story)?;
    }
    match &spec.group {
        Some(group) => {
            let step = |e: SysError| {
                story_failed(
                    story,
                    Fact::CgroupMade { version: group.version, name: group.name.clone(), paths: group.paths() },
                    &e,
                );
                Fault::step("cgroup", SysError { calls: Vec::new(), ..e })
            };
            let made = group.make(&launch::traces::mark(store)).map_err(step)?;
            made.tell(story);
            if let Some(devices) = group.allow_devices() {
                devices.map_err(|e| Fault::step("devices", e))?.tell(story);
            }
            outside::set_limits(group, &container.limits(), story)?;
        }
        None if container.limits().any() => {
            return Err(Fault::LimitRefused { limit: "cgroup".into(), why: crate::kernel::cgroup::NONE.into() });
        }
        None => story.tell(Event::of(Fact::CgroupNone { why: crate::kernel::cgroup::NONE.into() }, Vec::new())),
    }
    life.cgroups = spec.group.as_ref().map(Group::paths).unwrap_or_default();
    Ok(listeners)
}

fn story_failed(story: &mut Story, fact: Fact, error: &SysError) {
    story.tell(Event::failed(fact, error.clone()));
}

/// An address on the bridge, taken and written down under the store lock.
fn connect(
    store: &Store,
    container: &Container,
    spec: &mut Spec,
    life: &mut Life,
    story: &mut Story,
) -> Result<(), Fault> {
    let _lock = store.lock().map_err(|e| Fault::step("lock", e))?;
    let bridge = network::ensure(store, story)?;
    let in_use: Vec<std::net::Ipv4Addr> = store
        .list_containers()?
        .iter()
        .filter(|c| c.id != container.id)
        .filter_map(|c| Some(c.state.life()?.endpoint.as_ref()?.address))
        .collect();
    let endpoint = network::lease(&bridge, &container.id, &in_use)?;
    life.endpoint = Some(endpoint.clone());
    store.write_state(&container.id, &State::Starting(life.clone())).map_err(|e| Fault::step("state", e))?;
    let dir = store.container_dir(&container.id);
    let hosts = crate::launch::netfiles::hosts(container.hostname(), Some(endpoint.address));
    std::fs::write(dir.hosts(), hosts)
        .map_err(|e| Fault::step("hosts", SysError::io("write", dir.hosts().to_string_lossy(), &e)))?;
    let args =
        format!("AT_FDCWD, {}, O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0666", crate::kernel::sys::quoted(dir.hosts()));
    let call = crate::event::Call { name: "openat".into(), args, ret: 0 };
    story.tell(Event::of(Fact::NetworkFiles { files: vec![dir.hosts().to_string_lossy().into_owned()] }, vec![call]));
    spec.endpoint = Some(endpoint);
    Ok(())
}

/// Binds the published ports: first thing after the address, so that a taken one fails before anything runs.
fn publish(container: &Container, life: &mut Life, story: &mut Story) -> Result<Vec<proxy::Listener>, Fault> {
    let mut listeners = Vec::new();
    for port in container.ports() {
        let Some(endpoint) = &life.endpoint else { continue };
        let to = SocketAddrV4::new(endpoint.address, port.port);
        let bound = ports::bind(&container.id, port.host_ip, port.host_port, to).map_err(|e| match e.errno {
            libc::EADDRINUSE => Fault::PortTaken {
                ip: port.host_ip.map(|ip| ip.to_string()).unwrap_or_default(),
                port: port.host_port.unwrap_or(0),
                proto: port.proto.clone(),
            },
            _ => Fault::step("publish", e),
        })?;
        for (fd, address) in bound.tell(story) {
            life.ports.push(Port {
                host_ip: Some(address.ip()),
                host_port: Some(address.port()),
                port: port.port,
                proto: port.proto.clone(),
            });
            listeners.push(proxy::Listener { fd, to });
        }
    }
    Ok(listeners)
}

pub(super) type BroughtUp = (Launched, Streams, Proxies, Packets);

/// The process itself, up to execve, and everything that looks after it.
pub(super) fn bring_up(
    store: &Store,
    container: &Container,
    spec: &Spec,
    life: &mut Life,
    ((rows, cols), signals): ((u16, u16), &Signals),
    listeners: Vec<proxy::Listener>,
    story: &mut Story,
) -> Result<BroughtUp, Fault> {
    let step = |e: SysError| Fault::step("start", e);
    let dir = store.container_dir(&container.id);
    let (theirs, ours) = if container.config.tty {
        (None, exec::OurPipes { outputs: [None, None], input: None })
    } else {
        let (theirs, ours) = exec::container_pipes(container.config.open_stdin).map_err(step)?;
        (Some(theirs), ours)
    };
    let mut launched = launch::launch(spec, theirs, signals, story)?;
    let finish = |launched: &mut Launched, life: &mut Life, story: &mut Story| {
        let mut outputs = ours.outputs;
        if let Some(master) = launched.terminal.take() {
            if rows > 0 {
                terminal::set_size(&master, rows, cols);
            }
            outputs = [Some(master), None];
        }
        let streams = Streams::new(outputs, ours.input, container.config.tty, Log::open(&dir.log()));
        let listener = listen(dir.path())?;
        let start_time = process::start_time(launched.pid).unwrap_or(0);
        life.init = Some(Init { pid: launched.pid, start_time, at: chrono::Utc::now() });
        // The identity of PID 1 is on disk before it runs: whatever dies from here on, the next command finds it.
        store.write_state(&container.id, &State::Starting(life.clone())).map_err(step)?;
        launched.go(spec, signals, story)?;
        store.write_state(&container.id, &State::Running(life.clone())).map_err(step)?;
        Ok((streams, listener))
    };
    match finish(&mut launched, life, story) {
        Ok((streams, listener)) => {
            let (id, name, pid) = (container.id.clone(), container.name.clone(), launched.pid);
            story.tell(Event::of(Fact::ContainerStarted { id, name, pid }, Vec::new()));
            Ok((launched, streams, Proxies::new(listeners), listener))
        }
        Err(fault) => {
            launched.end(story);
            Err(fault)
        }
    }
}

/// The control socket; one that a dead monitor left behind is replaced.
fn listen(dir: &Path) -> Result<Packets, Fault> {
    let step = |e: SysError| Fault::step("listen", e);
    let handle: OwnedFd = open::directory(dir).map_err(step)?;
    match rustix::fs::unlinkat(&handle, SOCKET, rustix::fs::AtFlags::empty()) {
        Ok(()) | Err(rustix::io::Errno::NOENT) => {}
        Err(e) => return Err(step(SysError::new("unlinkat", SOCKET, e.raw_os_error()))),
    }
    Packets::listen(handle.as_fd(), SOCKET).map_err(step)
}
