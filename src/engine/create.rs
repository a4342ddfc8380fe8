//! `create`: an image and a wish become a container on paper. No process, no memory: a directory with an empty write layer.

use super::{names, resolve};
use crate::container::{
    Config, Container, CreateRequest, Empty, HostConfig, NetworkMode, NetworkingConfig, State, merge_env, valid_name,
};
use crate::event::{Event, Fact, Fault, FaultPoint, Story, SysError};
use crate::image::Image;
use crate::kernel::signals;
use crate::launch::netfiles;
use crate::store::Store;
use std::io::Read;
use std::path::PathBuf;

/// Creates the container and tells it. Nothing is left behind when this fails.
pub fn create(store: &Store, story: &mut Story, request: CreateRequest) -> Result<Container, Fault> {
    if let Some(name) = request.name.as_deref().filter(|n| !valid_name(n)) {
        return Err(Fault::BadName { name: name.into() });
    }
    let image = resolve::image(store, story, &request.config.image)?;
    let config = complete(request.config, &image)?;
    let lock = store.lock().map_err(|e| Fault::step("lock", e))?;
    let all = store.known_containers()?;
    let name = match request.name {
        Some(name) => {
            if let Some(other) = all.iter().find(|c| c.name == name) {
                return Err(Fault::NameTaken { name, by: other.id.clone() });
            }
            name
        }
        None => names::free(&all, random_u64()?),
    };
    let (host_config, networking_config) = (request.host_config, request.networking_config);
    let container = container_of(random_id()?, name, Some(&image), config, host_config, networking_config);
    let files = network_files(&container, story);
    let deed = store.create_container(&container, &files)?;
    drop(lock);
    deed.tell(story);
    Ok(container)
}

/// The container as it would be, for a forecast; without an image what the command line says is all there is.
pub fn planned(request: CreateRequest, image: Option<&Image>, name: String) -> Result<Container, Fault> {
    let config = match image {
        Some(image) => complete(request.config, image)?,
        None => request.config,
    };
    // What only the deed will know stands as an ellipsis.
    Ok(container_of("…".into(), name, image, config, request.host_config, request.networking_config))
}

/// Fills in from the image what was not asked for, by Docker's rules: a new entrypoint drops the image's command, the
/// environment is merged by name and labels by key.
fn complete(mut config: Config, image: &Image) -> Result<Config, Fault> {
    let run = &image.config.config;
    let words = |list: &[String]| (!list.is_empty()).then(|| list.to_vec());
    let text = |text: &str| (!text.is_empty()).then(|| text.to_string());
    if config.entrypoint.is_none() {
        config.cmd = config.cmd.or_else(|| words(&run.cmd));
        config.entrypoint = words(&run.entrypoint);
    }
    if config.argv().is_empty() {
        return Err(Fault::NoCommand { image: config.image });
    }
    config.user = config.user.or_else(|| text(&run.user));
    config.working_dir = config.working_dir.or_else(|| text(&run.working_dir));
    if let Some(cwd) = config.working_dir.as_deref().filter(|cwd| !cwd.starts_with('/')) {
        return Err(Fault::BadValue {
            flag: "--workdir".into(),
            value: cwd.into(),
            expected: "an absolute path".into(),
        });
    }
    // A name that docent does not know is an image's mistake: Docker takes SIGTERM then, too.
    config.stop_signal =
        config.stop_signal.or_else(|| signals::number(&run.stop_signal).map(|_| run.stop_signal.clone()));
    config.env = merge_env(&run.env, &config.env);
    config.labels = run.labels.clone().into_iter().chain(config.labels).collect();
    config.exposed_ports.extend(run.exposed_ports.keys().map(|port| (port.clone(), Empty {})));
    Ok(config)
}

fn container_of(
    id: String,
    name: String,
    image: Option<&Image>,
    mut config: Config,
    mut host_config: HostConfig,
    networking_config: NetworkingConfig,
) -> Container {
    config.hostname = config.hostname.or_else(|| {
        Some(match host_config.network_mode {
            // Who shares the host's network has its name too, as with Docker.
            NetworkMode::Host => rustix::system::uname().nodename().to_string_lossy().into_owned(),
            _ => id.get(..12).unwrap_or(&id).to_string(),
        })
    });
    // As Docker: as much swap again as memory, when only that is limited.
    host_config.memory_swap =
        host_config.memory_swap.or(host_config.memory.and_then(|bytes| i64::try_from(bytes.saturating_mul(2)).ok()));
    Container {
        id,
        name,
        created: chrono::Utc::now(),
        image_id: image.map(|image| image.id.clone()),
        layers: image.map(Image::chain).unwrap_or_default(),
        config,
        host_config,
        networking_config,
        origin: image.and_then(Image::origin).map(str::to_string),
        state: State::default(),
    }
}

/// hosts, hostname and resolv.conf, as they will be seen in the container's /etc. The address is added at start.
fn network_files(container: &Container, story: &mut Story) -> Vec<(PathBuf, String)> {
    let mut host = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    if netfiles::is_systemd_stub(&host) {
        host = std::fs::read_to_string(netfiles::SYSTEMD_RESOLVED).unwrap_or(host);
    }
    let resolv = if container.host_config.network_mode == NetworkMode::Host {
        host
    } else {
        let resolv = netfiles::resolv_conf(&host);
        if resolv.stand_in && container.host_config.network_mode == NetworkMode::Bridge {
            let fact = Fact::Fallback { what: "/etc/resolv.conf".into(), point: FaultPoint::NoNameserver };
            story.tell(Event::of(fact, Vec::new()));
        }
        resolv.text
    };
    vec![
        (PathBuf::from("hosts"), netfiles::hosts(container.hostname(), None)),
        (PathBuf::from("hostname"), netfiles::hostname(container.hostname())),
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
