//! Verbs on containers that exist.

use crate::cli::environment::{self, Environ, parse_entry};
use crate::cli::filter::Term;
use crate::cli::parsers::parse_signal;
use crate::cli::parsers::{bad, parse_filter, parse_last, parse_timeout, parse_workdir};
use crate::fact::Fault;
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq, Args)]
pub struct StartArgs {
    #[arg(short, long)]
    pub attach: bool,
    #[arg(short, long)]
    pub interactive: bool,
    #[arg(required = true, value_name = "CONTAINER")]
    pub names: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Args)]
pub struct StopArgs {
    #[arg(short, long, value_name = "string", value_parser = parse_signal)]
    pub signal: Option<i32>,
    /// Seconds of grace: 0 kills at once, -1 waits for ever. None is the container's own, else 10.
    #[arg(short, long, alias = "time", value_name = "int", value_parser = parse_timeout)]
    pub timeout: Option<i64>,
    #[arg(required = true, value_name = "CONTAINER")]
    pub names: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Args)]
pub struct KillArgs {
    /// None is SIGKILL.
    #[arg(short, long, value_name = "string", value_parser = parse_signal)]
    pub signal: Option<i32>,
    #[arg(required = true, value_name = "CONTAINER")]
    pub names: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Args)]
pub struct RmArgs {
    #[arg(short, long)]
    pub force: bool,
    /// Anonymous volumes go too; there are none yet, so nothing is left out.
    #[arg(short, long)]
    pub volumes: bool,
    #[arg(required = true, value_name = "CONTAINER")]
    pub names: Vec<String>,
}

/// `pause` and `unpause`.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct NamesArgs {
    #[arg(required = true, value_name = "CONTAINER")]
    pub names: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Default, Args)]
pub struct PsArgs {
    #[arg(short, long)]
    pub all: bool,
    #[arg(short, long, value_name = "filter", value_parser = parse_filter)]
    pub filter: Vec<Term>,
    #[arg(long, value_name = "string")]
    pub format: Option<String>,
    /// Negative: no bound, as Docker's default -1.
    #[arg(short = 'n', long, value_name = "int", default_value = "-1", value_parser = parse_last)]
    pub last: i64,
    #[arg(short, long)]
    pub latest: bool,
    #[arg(long)]
    pub no_trunc: bool,
    #[arg(short, long)]
    pub quiet: bool,
}

#[derive(Debug, Clone, PartialEq, Args)]
pub struct LogsArgs {
    #[arg(short, long)]
    pub follow: bool,
    #[arg(short = 'n', long, value_name = "string", default_value = "all", value_parser = parse_tail)]
    pub tail: Tail,
    #[arg(short, long)]
    pub timestamps: bool,
    #[arg(value_name = "CONTAINER")]
    pub name: String,
}

/// How many of the last lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    All,
    Last(u64),
}

/// Docker takes whatever is no number for `all`; a typing error is told here instead. Negative numbers are all, as there.
fn parse_tail(text: &str) -> Result<Tail, Fault> {
    match text.parse::<i64>() {
        Ok(n) => Ok(u64::try_from(n).map_or(Tail::All, Tail::Last)),
        Err(_) if text == "all" || text.is_empty() => Ok(Tail::All),
        Err(_) => Err(bad("--tail", text, "NUMBER|all")),
    }
}

#[derive(Debug, Clone, PartialEq, Args)]
pub struct ExecArgs {
    #[arg(short, long)]
    pub detach: bool,
    #[arg(short, long, value_name = "list", value_parser = parse_entry)]
    pub env: Vec<String>,
    #[arg(long, value_name = "list")]
    pub env_file: Vec<PathBuf>,
    #[arg(short, long)]
    pub interactive: bool,
    #[arg(short, long)]
    pub tty: bool,
    #[arg(short, long, value_name = "string")]
    pub user: Option<String>,
    #[arg(short, long, value_name = "string", value_parser = parse_workdir)]
    pub workdir: Option<String>,
    /// CONTAINER COMMAND [ARG...]: from the container on, nothing is a flag of docent's.
    #[arg(required = true, num_args = 2.., trailing_var_arg = true, value_name = "CONTAINER COMMAND [ARG...]")]
    pub line: Vec<String>,
}

impl ExecArgs {
    pub fn name(&self) -> &str {
        self.line.first().map_or("", String::as_str)
    }

    pub fn command(&self) -> &[String] {
        self.line.get(1..).unwrap_or_default()
    }

    /// `--env-file` and `-e` as `KEY=value`. Reads the files.
    pub fn environment(&self, environ: Environ) -> Result<Vec<String>, Fault> {
        environment::gather(&self.env_file, &self.env, environ)
    }
}

#[derive(Debug, Clone, PartialEq, Args)]
pub struct CpArgs {
    #[arg(short, long)]
    pub archive: bool,
    #[arg(short = 'L', long)]
    pub follow_link: bool,
    /// docent shows no progress of a copy, so there is nothing to keep quiet.
    #[arg(short, long)]
    pub quiet: bool,
    #[arg(value_name = "SRC_PATH")]
    pub from: String,
    #[arg(value_name = "DEST_PATH")]
    pub to: String,
}

#[derive(Debug, Clone, PartialEq, Args)]
pub struct DiffArgs {
    #[arg(value_name = "CONTAINER")]
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Args)]
pub struct InspectArgs {
    #[arg(short, long, value_name = "string")]
    pub format: Option<String>,
    /// None: a container of that name, else an image.
    #[arg(long = "type", value_name = "string", value_parser = parse_kind)]
    pub kind: Option<ObjectKind>,
    #[arg(required = true, value_name = "NAME|ID")]
    pub names: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectKind {
    Container,
    Image,
}

impl InspectArgs {
    pub(super) fn only(self, kind: ObjectKind) -> Self {
        InspectArgs { kind: Some(kind), ..self }
    }
}

fn parse_kind(text: &str) -> Result<ObjectKind, Fault> {
    let others = ["config", "network", "node", "plugin", "secret", "service", "task", "volume"];
    match text {
        "container" => Ok(ObjectKind::Container),
        "image" => Ok(ObjectKind::Image),
        _ if others.contains(&text) => {
            Err(Fault::Unsupported { what: format!("--type {text}"), instead: Some("--type container|image".into()) })
        }
        _ => Err(bad("--type", text, "container|image")),
    }
}
