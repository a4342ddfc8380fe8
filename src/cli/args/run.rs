//! `run` and `create`: the same flags, but for `-d`.

use crate::cli::environment::{self, Environ, parse_entry};
use crate::cli::parsers::parse_signal;
use crate::cli::parsers::{
    Cpus, Memory, PidsLimit, PortSpec, parse_cpus, parse_hostname, parse_label, parse_memory, parse_name,
    parse_network, parse_pids, parse_publish, parse_stop_timeout, parse_workdir,
};
use crate::container::{Limits, NetworkMode, PortBinding};
use crate::fact::Fault;
use clap::Args;
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq, Args)]
pub struct RunArgs {
    #[arg(short, long)]
    pub detach: bool,
    #[command(flatten)]
    pub create: CreateArgs,
}

#[derive(Debug, Clone, PartialEq, Args)]
pub struct CreateArgs {
    #[arg(long, value_name = "decimal", value_parser = parse_cpus)]
    pub cpus: Option<Cpus>,
    #[arg(long, value_name = "string")]
    pub entrypoint: Option<String>,
    #[arg(short, long, value_name = "list", value_parser = parse_entry)]
    pub env: Vec<String>,
    #[arg(long, value_name = "list")]
    pub env_file: Vec<PathBuf>,
    #[arg(short = 'h', long, value_name = "string", value_parser = parse_hostname)]
    pub hostname: Option<String>,
    #[arg(short, long)]
    pub interactive: bool,
    #[arg(short, long, value_name = "list", value_parser = parse_label)]
    pub label: Vec<(String, String)>,
    #[arg(short, long, value_name = "bytes", value_parser = parse_memory)]
    pub memory: Option<Memory>,
    #[arg(long, value_name = "string", value_parser = parse_name)]
    pub name: Option<String>,
    #[arg(long, alias = "net", value_name = "network", value_parser = parse_network)]
    pub network: Option<NetworkMode>,
    #[arg(long, value_name = "int", value_parser = parse_pids)]
    pub pids_limit: Option<PidsLimit>,
    #[arg(short, long, value_name = "list", value_parser = parse_publish)]
    pub publish: Vec<PortSpec>,
    #[arg(long)]
    pub rm: bool,
    #[arg(long, value_name = "string", value_parser = parse_signal)]
    pub stop_signal: Option<i32>,
    /// Seconds; -1 waits for ever.
    #[arg(long, value_name = "int", value_parser = parse_stop_timeout)]
    pub stop_timeout: Option<i64>,
    #[arg(short, long)]
    pub tty: bool,
    #[arg(short, long, value_name = "string")]
    pub user: Option<String>,
    #[arg(short, long, value_name = "string", value_parser = parse_workdir)]
    pub workdir: Option<String>,
    /// IMAGE [COMMAND] [ARG...]: from the image on, nothing is a flag of docent's.
    #[arg(required = true, trailing_var_arg = true, value_name = "IMAGE [COMMAND] [ARG...]")]
    pub line: Vec<String>,
}

impl CreateArgs {
    pub fn image(&self) -> &str {
        self.line.first().map_or("", String::as_str)
    }

    /// The command after the image; empty means the image's own.
    pub fn command(&self) -> &[String] {
        self.line.get(1..).unwrap_or_default()
    }

    pub fn port_bindings(&self) -> BTreeMap<String, Vec<PortBinding>> {
        let mut all: BTreeMap<String, Vec<PortBinding>> = BTreeMap::new();
        for (port, binding) in self.publish.iter().flat_map(|spec| &spec.0) {
            all.entry(port.clone()).or_default().push(binding.clone());
        }
        all
    }

    pub fn limits(&self) -> Limits {
        Limits {
            memory: self.memory.and_then(|m| m.0),
            cpu_milli: self.cpus.and_then(|c| c.0),
            pids: self.pids_limit.and_then(|p| p.0),
        }
    }

    pub fn labels(&self) -> BTreeMap<String, String> {
        self.label.iter().cloned().collect()
    }

    pub fn network(&self) -> NetworkMode {
        self.network.unwrap_or(NetworkMode::Bridge)
    }

    /// `--env-file` and `-e` as `KEY=value`. Reads the files.
    pub fn environment(&self, environ: Environ) -> Result<Vec<String>, Fault> {
        environment::gather(&self.env_file, &self.env, environ)
    }
}
