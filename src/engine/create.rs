//! `create`: an image and a wish become a container on paper. No process, no memory: a directory with an empty write layer.

use super::{names, resolve};
use crate::container::{Attach, Bind, Container, Limits, NetworkMode, Port, Process, State, valid_name};
use crate::fact::{Event, Fact, Fault, FaultPoint, Story, SysError};
use crate::image::Image;
use crate::launch::netfiles;
use crate::store::Store;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

/// What the command line asked for; what is None or empty comes from the image.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    pub image: String,
    pub name: Option<String>,
    pub command: Vec<String>,
    /// `Some("")` clears the image's.
    pub entrypoint: Option<String>,
    /// `KEY=VALUE`; a later one wins.
    pub env: Vec<String>,
    pub workdir: Option<String>,
    pub user: Option<String>,
    pub hostname: Option<String>,
    pub tty: bool,
    pub stdin: bool,
    pub attach: Attach,
    pub network: Option<NetworkMode>,
    pub ports: Vec<Port>,
    pub limits: Limits,
    pub auto_remove: bool,
    pub stop_signal: Option<i32>,
    pub stop_timeout: Option<i64>,
    pub labels: BTreeMap<String, String>,
    pub binds: Vec<Bind>,
}

/// Creates the container and tells it. Nothing is left behind when this fails.
pub fn create(store: &Store, story: &mut Story, ask: &Ask) -> Result<Container, Fault> {
    if let Some(name) = ask.name.as_deref().filter(|n| !valid_name(n)) {
        return Err(Fault::BadName { name: name.into() });
    }
    let image = resolve::image(store, story, &ask.image)?;
    let process = process_of(ask, &image)?;
    let lock = store.lock().map_err(|e| Fault::step("lock", e))?;
    let all = store.list_containers()?;
    let name = match &ask.name {
        Some(name) => {
            if let Some(other) = all.iter().find(|c| c.name == *name) {
                return Err(Fault::NameTaken { name: name.clone(), by: other.id.clone() });
            }
            name.clone()
        }
        None => names::free(&all, random_u64()?),
    };
    let container = container_of(ask, &image, process, name, random_id()?);
    let files = network_files(&container, story);
    let deed = store.create_container(&container, &files)?;
    drop(lock);
    deed.tell(story);
    Ok(container)
}

/// The container as it would be, for a forecast; without an image what the command line says is all there is.
pub fn planned(ask: &Ask, image: Option<&Image>, name: String) -> Result<Container, Fault> {
    let none = Image::default();
    let image = image.unwrap_or(&none);
    let process = match process_of(ask, image) {
        Err(Fault::NoCommand { .. }) if image.id.is_empty() => Process { tty: ask.tty, ..Process::default() },
        other => other?,
    };
    // What only the deed will know stands as an ellipsis.
    Ok(container_of(ask, image, process, name, "…".into()))
}

/// Entrypoint and command as Docker joins them: a new entrypoint drops the image's command.
fn process_of(ask: &Ask, image: &Image) -> Result<Process, Fault> {
    let run = &image.config.config;
    let entrypoint = match &ask.entrypoint {
        Some(e) if e.is_empty() => Vec::new(),
        Some(e) => vec![e.clone()],
        None => run.entrypoint.clone(),
    };
    let cmd = match (ask.command.is_empty(), &ask.entrypoint) {
        (false, _) => ask.command.clone(),
        (true, Some(_)) => Vec::new(),
        (true, None) => run.cmd.clone(),
    };
    let argv: Vec<String> = entrypoint.into_iter().chain(cmd).collect();
    if argv.is_empty() {
        return Err(Fault::NoCommand { image: ask.image.clone() });
    }
    let cwd = ask.workdir.clone().unwrap_or_else(|| run.working_dir.clone());
    if !cwd.is_empty() && !cwd.starts_with('/') {
        return Err(Fault::BadValue { flag: "--workdir".into(), value: cwd, expected: "an absolute path".into() });
    }
    Ok(Process {
        argv,
        env: merge_env(&run.env, &ask.env),
        cwd,
        user: ask.user.clone().unwrap_or_else(|| run.user.clone()),
        tty: ask.tty,
        stdin: ask.stdin,
    })
}

/// The image's environment with the learner's on top, each name once.
pub fn merge_env(image: &[String], asked: &[String]) -> Vec<String> {
    let name = |e: &str| e.split_once('=').map_or(e.to_string(), |(n, _)| n.to_string());
    let mut all: Vec<String> = Vec::new();
    for entry in image.iter().chain(asked) {
        match all.iter_mut().find(|e| name(e) == name(entry)) {
            Some(old) => *old = entry.clone(),
            None => all.push(entry.clone()),
        }
    }
    all
}

fn container_of(ask: &Ask, image: &Image, process: Process, name: String, id: String) -> Container {
    let run = &image.config.config;
    let short = id.get(..12).unwrap_or(&id).to_string();
    let stop_signal =
        ask.stop_signal.or_else(|| crate::kernel::sys::signal_number(&run.stop_signal)).unwrap_or(libc::SIGTERM);
    let entrypoint = match &ask.entrypoint {
        Some(e) => vec![e.clone()],
        None => run.entrypoint.clone(),
    };
    let cmd = process.argv.iter().skip(entrypoint.iter().filter(|e| !e.is_empty()).count()).cloned().collect();
    Container {
        id,
        name,
        created: chrono::Utc::now(),
        image: ask.image.clone(),
        image_id: image.id.clone(),
        layers: image.layers.iter().map(|l| l.chain_id.clone()).collect(),
        process,
        entrypoint,
        cmd,
        hostname: ask.hostname.clone().unwrap_or_else(|| match ask.network {
            // Who shares the host's network has its name too, as with Docker.
            Some(NetworkMode::Host) => rustix::system::uname().nodename().to_string_lossy().into_owned(),
            _ => short,
        }),
        network: ask.network.unwrap_or(NetworkMode::Bridge),
        ports: ask.ports.clone(),
        exposed: run.exposed_ports.keys().cloned().collect(),
        limits: ask.limits.clone(),
        auto_remove: ask.auto_remove,
        stop_signal,
        stop_timeout: ask.stop_timeout,
        labels: run.labels.iter().chain(&ask.labels).map(|(k, v)| (k.clone(), v.clone())).collect(),
        attach: ask.attach.clone(),
        binds: ask.binds.clone(),
        origin: image.origin().map(str::to_string),
        state: State::default(),
    }
}

/// hosts, hostname and resolv.conf, as they will be seen in the container's /etc. The address is added at start.
fn network_files(container: &Container, story: &mut Story) -> Vec<(PathBuf, String)> {
    let mut host = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    if netfiles::is_systemd_stub(&host) {
        host = std::fs::read_to_string(netfiles::SYSTEMD_RESOLVED).unwrap_or(host);
    }
    let resolv = if container.network == NetworkMode::Host {
        host
    } else {
        let resolv = netfiles::resolv_conf(&host);
        if resolv.stand_in && container.network == NetworkMode::Bridge {
            let fact = Fact::Fallback { what: "/etc/resolv.conf".into(), point: FaultPoint::NoNameserver };
            story.tell(Event::of(fact, Vec::new()));
        }
        resolv.text
    };
    vec![
        (PathBuf::from("hosts"), netfiles::hosts(&container.hostname, None)),
        (PathBuf::from("hostname"), netfiles::hostname(&container.hostname)),
        (PathBuf::from("resolv.conf"), resolv),
    ]
}

fn random<const N: usize>() -> Result<[u8; N], Fault> {
    let mut bytes = [0u8; N];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut f| f.read_exact(&mut bytes))
        .map_err(|e| Fault::step("random", SysError::io("read", "/dev/urandom", &e)))?;
    Ok(bytes)
}

fn random_u64() -> Result<u64, Fault> {
    random().map(u64::from_ne_bytes)
}

/// 64 hex digits; not all of the first twelve are decimal, so that a short id is never taken for a number.
fn random_id() -> Result<String, Fault> {
    loop {
        let id: String = random::<32>()?.iter().map(|b| format!("{b:02x}")).collect();
        if id.bytes().take(12).any(|b| b.is_ascii_alphabetic()) {
            return Ok(id);
        }
    }
}
