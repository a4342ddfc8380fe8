//! `create`: an image and a request become a container's configuration and directory, with an empty write layer. No process yet.

use super::plan::{Plan, Scene, Step};
use super::resolve::{Base, Resolve};
use super::{names, remove};
use crate::container::{
    Config, Container, ContainerId, CreateRequest, Empty, NetworkMode, State, merge_env, valid_name,
};
use crate::event::{Fact, Fault, FaultPoint, Story, SysError};
use crate::image::Image;
use crate::image::model::ImageConfig;
use crate::kernel::signals;
use crate::launch::netfiles;
use std::io::Read;
use std::path::PathBuf;

pub fn plan(request: CreateRequest) -> Plan {
    Plan::default().then(Resolve(request.config.image.clone())).then(Create(request))
}

/// The image that the step before has left becomes a container.
struct Create(CreateRequest);

impl Create {
    fn base(&self, scene: &mut Scene<'_>) -> Result<(Base, Config), Fault> {
        let missing = || Fault::NoSuchImage { reference: self.0.config.image.clone(), similar: Vec::new() };
        let base = scene.take::<Base>().ok_or_else(missing)?;
        let config = complete(self.0.config.clone(), &base.config)?;
        Ok((base, config))
    }

    fn name(&self, all: &[(ContainerId, String)]) -> Result<Option<String>, Fault> {
        let Some(name) = self.0.name.clone() else { return Ok(None) };
        if !valid_name(&name) {
            return Err(Fault::BadName { name });
        }
        match all.iter().find(|(_, other)| *other == name) {
            Some((id, _)) => Err(Fault::NameTaken { name, by: id.to_string() }),
            None => Ok(Some(name)),
        }
    }
}

impl Step for Create {
    fn forecast(&self, scene: &mut Scene<'_>) -> Result<Vec<Fact>, Fault> {
        let (base, config) = self.base(scene)?;
        let name = self.name(&scene.store.names())?;
        // One that only the making chooses is shown as the id is.
        let shown = name.clone().unwrap_or_else(|| ContainerId::unborn().to_string());
        let container = container_of(ContainerId::unborn(), shown, &base, config, self.0.clone());
        let created = Fact::ContainerCreated { id: None, name, image: self.0.config.image.clone(), path: None };
        let stand_in = network_files(&container).1;
        scene.set_container(container);
        Ok(stand_in.into_iter().chain([created]).collect())
    }

    fn apply(&mut self, scene: &mut Scene<'_>, story: &mut Story) -> Result<(), Fault> {
        let (base, config) = self.base(scene)?;
        let store = scene.store;
        let lock = store.lock().map_err(|e| Fault::step("lock", e))?;
        let all = store.names();
        let name = match self.name(&all)? {
            Some(name) => name,
            None => names::free(&all, random_u64()?),
        };
        let container = container_of(random_id()?, name, &base, config, self.0.clone());
        let (files, stand_in) = network_files(&container);
        stand_in.into_iter().for_each(|fact| story.tell(fact));
        let deed = store.create_container(&container, &files)?;
        drop(lock);
        deed.tell(story);
        scene.set_container(container);
        Ok(())
    }

    /// As Docker: a container that could not start stays `Created`; with --rm it goes.
    fn undo(&mut self, scene: &mut Scene<'_>, story: &mut Story) -> Result<(), Fault> {
        let container = scene.container()?;
        match container.host_config.auto_remove {
            true => remove::remove(scene.store, story, container, false),
            false => Ok(()),
        }
    }
}

/// Fills in from the image what was not asked for, by Docker's rules: a new entrypoint drops the image's command, the
/// environment is merged by name and labels by key.
fn complete(mut config: Config, image: &ImageConfig) -> Result<Config, Fault> {
    let run = &image.config;
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

fn container_of(id: ContainerId, name: String, base: &Base, mut config: Config, request: CreateRequest) -> Container {
    let (mut host_config, networking_config) = (request.host_config, request.networking_config);
    config.hostname = config.hostname.or_else(|| {
        Some(match host_config.network_mode {
            // Who shares the host's network has its name too, as with Docker.
            NetworkMode::Host => rustix::system::uname().nodename().to_string_lossy().into_owned(),
            _ => id.short().to_string(),
        })
    });
    // As Docker: as much swap again as memory, when only that is limited.
    host_config.memory_swap =
        host_config.memory_swap.or(host_config.memory.and_then(|bytes| i64::try_from(bytes.saturating_mul(2)).ok()));
    Container {
        id,
        name,
        created: chrono::Utc::now(),
        image_id: base.image.as_ref().map(|image| image.id.clone()),
        layers: base.image.as_ref().map(Image::chain).unwrap_or_default(),
        config,
        host_config,
        networking_config,
        origin: base.image.as_ref().and_then(Image::origin).map(str::to_string),
        state: State::default(),
    }
}

/// hosts, hostname and resolv.conf, as they will be seen in the container's /etc. The address is added at start.
fn network_files(container: &Container) -> (Vec<(PathBuf, String)>, Option<Fact>) {
    let mut told = None;
    let mut host = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    if netfiles::is_systemd_stub(&host) {
        host = std::fs::read_to_string(netfiles::SYSTEMD_RESOLVED).unwrap_or(host);
    }
    let resolv = if container.host_config.network_mode == NetworkMode::Host {
        host
    } else {
        let resolv = netfiles::resolv_conf(&host);
        if resolv.stand_in && container.host_config.network_mode == NetworkMode::Bridge {
            told = Some(Fact::Fallback { what: "/etc/resolv.conf".into(), point: FaultPoint::NoNameserver });
        }
        resolv.text
    };
    let files = vec![
        (PathBuf::from("hosts"), netfiles::hosts(container.hostname(), None)),
        (PathBuf::from("hostname"), netfiles::hostname(container.hostname())),
        (PathBuf::from("resolv.conf"), resolv),
    ];
    (files, told)
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
fn random_id() -> Result<ContainerId, Fault> {
    loop {
        let id = ContainerId::of_bytes(random()?);
        if id.bytes().take(12).any(|b| b.is_ascii_alphabetic()) {
            return Ok(id);
        }
    }
}
