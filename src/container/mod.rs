//! A container as data: its configuration, fixed when it is created, and its state, which its monitor writes.
//!
//! Plain data and the rules over it (names, status texts); the files lie in `store/`.

mod docker;
mod id;
mod state;

pub use docker::{Config, Empty, HostConfig, NetworkMode, NetworkingConfig, PortBinding, merge_env};
pub use id::ContainerId;
pub use state::{End, Endpoint, Failed, Init, Life, State, Status};

use crate::image::{ChainId, ImageId};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// A container as the store holds it. `containers/<id>/config.json` is everything that `create` decided, and never changes
/// afterwards but for the name; the state is `state.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Container {
    pub id: ContainerId,
    pub name: String,
    pub created: chrono::DateTime<chrono::Utc>,
    /// None only in a forecast, of an image that is not there yet.
    pub image_id: Option<ImageId>,
    /// The image's, the lowest first.
    pub layers: Vec<ChainId>,
    pub config: Config,
    pub host_config: HostConfig,
    pub networking_config: NetworkingConfig,
    /// Where the image came from, when it is not a real one (`built-in`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    #[serde(skip)]
    pub state: State,
}

/// What `create` and `run` ask for, as Docker's API takes it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CreateRequest {
    pub name: Option<String>,
    pub config: Config,
    pub host_config: HostConfig,
    pub networking_config: NetworkingConfig,
}

/// A program and how it is to run: the container's own, or one that `exec` adds.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Process {
    pub argv: Vec<String>,
    pub env: Vec<String>,
    /// Absolute inside the container.
    pub cwd: String,
    /// `user[:group]`, by name or number; None is root.
    pub user: Option<String>,
    pub tty: bool,
    pub stdin: bool,
}

impl Process {
    /// What execve's E2BIG means.
    pub fn too_long(&self) -> crate::event::Fault {
        let words = || self.argv.iter().chain(&self.env);
        // Each with the NUL at its end, and the pointer to it counts too since kernel 4.13.
        let size = |word: &String| word.len() as u64 + 1;
        let (longest, total) = (words().map(size).max().unwrap_or(0), words().map(|word| size(word) + 8).sum());
        let command = self.argv.first().cloned().unwrap_or_default();
        crate::event::Fault::ArgumentsTooLong { command, longest, total }
    }
}

/// One port of a container on the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// None: all addresses, IPv4 and IPv6.
    pub host_ip: Option<IpAddr>,
    /// None: chosen by the kernel at start.
    pub host_port: Option<u16>,
    pub port: u16,
    pub proto: String,
}

impl Port {
    /// The address on the host, or one of each family.
    pub fn families(&self) -> Vec<String> {
        match self.host_ip {
            Some(ip) => vec![ip.to_string()],
            None => vec!["0.0.0.0".into(), "::".into()],
        }
    }
}

/// What `-m`, `--cpus`, `--pids-limit` asked for; None is no limit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes.
    pub memory: Option<u64>,
    /// Thousandths of a CPU.
    pub cpu_milli: Option<u64>,
    pub pids: Option<u64>,
}

impl Limits {
    pub fn any(&self) -> bool {
        self.memory.is_some() || self.cpu_milli.is_some() || self.pids.is_some()
    }
}

impl Container {
    pub fn process(&self) -> Process {
        let c = &self.config;
        Process {
            argv: c.argv(),
            env: c.env.clone(),
            cwd: c.working_dir.clone().unwrap_or_else(|| "/".into()),
            user: c.user.clone(),
            tty: c.tty,
            stdin: c.open_stdin,
        }
    }

    /// The name that the container has for itself.
    pub fn hostname(&self) -> &str {
        self.config.hostname.as_deref().unwrap_or(self.short_id())
    }

    /// The signal that asks it to end.
    pub fn stop_signal(&self) -> Option<&str> {
        self.config.stop_signal.as_deref()
    }

    pub fn limits(&self) -> Limits {
        let h = &self.host_config;
        Limits {
            memory: h.memory,
            cpu_milli: h.nano_cpus.map(|nano| nano / 1_000_000),
            pids: h.pids_limit.and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0),
        }
    }

    /// The ports to publish, by container port.
    pub fn ports(&self) -> Vec<Port> {
        let of = |(key, bindings): (&String, &Vec<PortBinding>)| {
            let (port, proto) = key.split_once('/').unwrap_or((key, "tcp"));
            let (port, proto) = (port.parse().unwrap_or(0), proto.to_string());
            let one =
                move |b: &PortBinding| Port { host_ip: b.host_ip, host_port: b.host_port, port, proto: proto.clone() };
            bindings.iter().map(one).collect::<Vec<_>>()
        };
        self.host_config.port_bindings.iter().flat_map(of).collect()
    }

    pub fn short_id(&self) -> &str {
        self.id.short()
    }
}

/// Docker's rule for names: `[a-zA-Z0-9][a-zA-Z0-9_.-]+`.
pub fn valid_name(name: &str) -> bool {
    let mut chars = name.bytes();
    name.len() >= 2
        && chars.next().is_some_and(|c| c.is_ascii_alphanumeric())
        && chars.all(|c| c.is_ascii_alphanumeric() || b"_.-".contains(&c))
}
