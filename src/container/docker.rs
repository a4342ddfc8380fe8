//! Docker's own configuration of a container: what flags parse into, what `config.json` keeps, what `inspect` prints.
//!
//! Names, order and JSON are those of Docker 28's API (`Config`, `HostConfig`, `NetworkingConfig`); a test holds them against
//! the API's own schema. Docker writes "nothing asked" as `""` or `0`; in Rust that is `None`, and [`zero`] is the one place
//! where the two meet. A flag is parsed into a field here and acts where that field is read; a field that nothing acts on
//! yet always has its default, since a flag without an effect is refused.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// `None` as Docker writes it: `""`, or 0.
mod zero {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
    use std::net::IpAddr;

    pub trait Zero: Sized {
        type Json: Serialize + for<'a> Deserialize<'a> + Default + PartialEq;
        fn json(&self) -> Self::Json;
        fn from_json(json: Self::Json) -> Result<Self, String>;
    }

    macro_rules! as_it_is {
        ($($type:ty),*) => {$(impl Zero for $type {
            type Json = $type;
            fn json(&self) -> $type {
                self.clone()
            }
            fn from_json(json: $type) -> Result<Self, String> {
                Ok(json)
            }
        })*};
    }
    as_it_is!(String, i64, u64);

    macro_rules! as_text {
        ($($type:ty),*) => {$(impl Zero for $type {
            type Json = String;
            fn json(&self) -> String {
                self.to_string()
            }
            fn from_json(json: String) -> Result<Self, String> {
                json.parse().map_err(|e| format!("{json}: {e}"))
            }
        })*};
    }
    as_text!(IpAddr, u16);

    pub fn serialize<T: Zero, S: Serializer>(value: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
        value.as_ref().map(Zero::json).unwrap_or_default().serialize(to)
    }

    pub fn deserialize<'a, T: Zero, D: Deserializer<'a>>(from: D) -> Result<Option<T>, D::Error> {
        let json = T::Json::deserialize(from)?;
        if json == T::Json::default() { Ok(None) } else { T::from_json(json).map(Some).map_err(D::Error::custom) }
    }
}

/// The empty object that Go's sets have for values (`"80/tcp": {}`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Empty {}

/// What runs: the part of the configuration that does not depend on the host.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Config {
    #[serde(with = "zero")]
    pub hostname: Option<String>,
    #[serde(with = "zero")]
    pub domainname: Option<String>,
    /// `user[:group]`, by name or number.
    #[serde(with = "zero")]
    pub user: Option<String>,
    pub attach_stdin: bool,
    pub attach_stdout: bool,
    pub attach_stderr: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub exposed_ports: BTreeMap<String, Empty>,
    pub tty: bool,
    pub open_stdin: bool,
    pub stdin_once: bool,
    /// `KEY=VALUE`, each key once.
    pub env: Vec<String>,
    /// `None` in a request: the image's.
    pub cmd: Option<Vec<String>>,
    /// The reference as it was typed (`nginx`), as `ps` shows it.
    pub image: String,
    pub volumes: Option<BTreeMap<String, Empty>>,
    /// Absolute inside the container.
    #[serde(with = "zero")]
    pub working_dir: Option<String>,
    /// `None` in a request: the image's; one empty word: none at all, the image's dropped.
    pub entrypoint: Option<Vec<String>>,
    pub on_build: Option<Vec<String>>,
    pub labels: BTreeMap<String, String>,
    /// As it was written: `SIGQUIT`, `3`, `RTMIN+1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
    /// Seconds of grace at `stop`; negative waits for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_timeout: Option<i64>,
}

impl Config {
    /// Entrypoint and command, as execve gets them.
    pub fn argv(&self) -> Vec<String> {
        let entrypoint = self.entrypoint.iter().flatten().filter(|word| !word.is_empty());
        entrypoint.chain(self.cmd.iter().flatten()).cloned().collect()
    }
}

/// An environment with another on top of it, each name once.
pub fn merge_env(below: &[String], above: &[String]) -> Vec<String> {
    let name = |e: &str| e.split_once('=').map_or(e.to_string(), |(n, _)| n.to_string());
    let mut all: Vec<String> = Vec::new();
    for entry in below.iter().chain(above) {
        match all.iter_mut().find(|e| name(e) == name(entry)) {
            Some(old) => *old = entry.clone(),
            None => all.push(entry.clone()),
        }
    }
    all
}

/// How it runs on this host.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HostConfig {
    pub binds: Option<Vec<String>>,
    #[serde(rename = "ContainerIDFile", with = "zero")]
    pub container_id_file: Option<String>,
    pub log_config: LogConfig,
    pub network_mode: NetworkMode,
    /// By container port (`80/tcp`).
    pub port_bindings: BTreeMap<String, Vec<PortBinding>>,
    pub restart_policy: RestartPolicy,
    pub auto_remove: bool,
    #[serde(with = "zero")]
    pub volume_driver: Option<String>,
    pub volumes_from: Option<Vec<String>>,
    /// Rows and columns of the terminal that asked for it.
    pub console_size: [u16; 2],
    pub cap_add: Option<Vec<String>>,
    pub cap_drop: Option<Vec<String>>,
    pub cgroupns_mode: NamespaceMode,
    pub dns: Vec<String>,
    pub dns_options: Vec<String>,
    pub dns_search: Vec<String>,
    pub extra_hosts: Option<Vec<String>>,
    pub group_add: Option<Vec<String>>,
    pub ipc_mode: NamespaceMode,
    #[serde(with = "zero")]
    pub cgroup: Option<String>,
    pub links: Option<Vec<String>>,
    pub oom_score_adj: i64,
    #[serde(with = "zero")]
    pub pid_mode: Option<String>,
    pub privileged: bool,
    pub publish_all_ports: bool,
    pub readonly_rootfs: bool,
    pub security_opt: Option<Vec<String>>,
    #[serde(rename = "UTSMode", with = "zero")]
    pub uts_mode: Option<String>,
    #[serde(with = "zero")]
    pub userns_mode: Option<String>,
    pub shm_size: ShmSize,
    #[serde(with = "zero")]
    pub isolation: Option<String>,
    #[serde(with = "zero")]
    pub cpu_shares: Option<i64>,
    /// Bytes.
    #[serde(with = "zero")]
    pub memory: Option<u64>,
    /// Billionths of a CPU.
    #[serde(with = "zero")]
    pub nano_cpus: Option<u64>,
    #[serde(with = "zero")]
    pub cgroup_parent: Option<String>,
    #[serde(with = "zero")]
    pub cpuset_cpus: Option<String>,
    #[serde(with = "zero")]
    pub cpuset_mems: Option<String>,
    /// Bytes of memory and swap together; -1 is no limit.
    #[serde(with = "zero")]
    pub memory_swap: Option<i64>,
    pub pids_limit: Option<i64>,
}

/// Of its cgroup and IPC namespaces, the only one yet.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NamespaceMode {
    #[default]
    Private,
}

/// Bytes of /dev/shm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ShmSize(u64);

impl Default for ShmSize {
    fn default() -> Self {
        ShmSize(64 << 20)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkMode {
    #[default]
    Bridge,
    None,
    /// Shares the network namespace that docent runs in.
    Host,
}

impl NetworkMode {
    pub fn name(self) -> &'static str {
        match self {
            NetworkMode::Bridge => "bridge",
            NetworkMode::None => "none",
            NetworkMode::Host => "host",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct LogConfig {
    #[serde(rename = "Type")]
    pub driver: String,
    pub config: BTreeMap<String, String>,
}

impl Default for LogConfig {
    fn default() -> Self {
        LogConfig { driver: "json-file".into(), config: BTreeMap::new() }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RestartPolicy {
    pub name: String,
    pub maximum_retry_count: i64,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        RestartPolicy { name: "no".into(), maximum_retry_count: 0 }
    }
}

/// One `-p`. Without an address: all of them, IPv4 and IPv6; without a port: the kernel chooses one at start.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PortBinding {
    #[serde(with = "zero")]
    pub host_ip: Option<IpAddr>,
    #[serde(with = "zero")]
    pub host_port: Option<u16>,
}

/// How the container's ends of its networks are to be: nothing can be asked of them yet.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworkingConfig {
    pub endpoints_config: BTreeMap<String, Empty>,
}
