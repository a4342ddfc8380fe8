//! `state.json`: what has become of a container. Its monitor writes it while it lives, else whoever holds the store lock.
//!
//! Each state holds what a container in it has, and nothing else: one that never ran has no pid, one that ended no address.
//! Bookkeeping: replaced atomically, not synced.

use super::Port;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "status")]
pub enum State {
    /// It never ran.
    Created {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failed: Option<Failed>,
    },
    /// A monitor is at work, the program does not run yet.
    Starting(Life),
    Running(Life),
    /// Never in the file: the freezer says it.
    Paused(Life),
    Exited(End),
}

/// What exists while a monitor looks after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Life {
    /// Of this boot: after another one, no pid here means anything.
    pub boot_id: String,
    pub monitor: i32,
    /// PID 1, from its birth on.
    pub init: Option<Init>,
    pub endpoint: Option<Endpoint>,
    /// Published ports as they are bound.
    pub ports: Vec<Port>,
    /// Its cgroup in each hierarchy (version 1), or the one (version 2).
    pub cgroups: Vec<String>,
}

/// PID 1 as the host knows it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Init {
    pub pid: i32,
    /// Field 22 of /proc/PID/stat (proc_pid_stat(5)): a reused pid is never taken for ours.
    pub start_time: u64,
    pub at: DateTime<Utc>,
}

/// A container's end of the bridge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    pub bridge: String,
    pub address: Ipv4Addr,
    pub prefix: u8,
    pub gateway: Ipv4Addr,
    pub mac: String,
    /// The host's end of the pair, named after the container.
    pub veth: String,
}

/// A start that came to nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failed {
    /// As Docker numbers it: 127 no such program, 126 it cannot run, 128 anything else.
    pub code: i32,
    pub error: String,
    /// Cgroups that could not be removed yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cgroups: Vec<String>,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct End {
    pub code: i32,
    pub oom_killed: bool,
    pub started: DateTime<Utc>,
    pub finished: DateTime<Utc>,
    /// Why the last attempt to start it again failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Cgroups that could not be removed yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cgroups: Vec<String>,
}

impl Life {
    /// For a forecast: of one that nobody has started yet, with the ports it will have.
    pub fn to_come(ports: Vec<Port>) -> Life {
        Life { boot_id: String::new(), monitor: 0, init: None, endpoint: None, ports, cgroups: Vec::new() }
    }

    /// What it is once its monitor has died without recording an end. 137, as a shell says of a
    /// process that was killed: what it really returned died with its parent.
    pub fn lost(&self, cgroups: Vec<String>) -> State {
        match self.init {
            Some(init) => {
                let (started, finished) = (init.at, Utc::now());
                State::Exited(End { code: 137, oom_killed: false, started, finished, error: None, cgroups })
            }
            None => State::Created { failed: None },
        }
    }
}

impl Default for State {
    fn default() -> Self {
        State::Created { failed: None }
    }
}

impl State {
    pub fn status(&self) -> Status {
        match self {
            State::Created { .. } => Status::Created,
            State::Starting(_) => Status::Starting,
            State::Running(_) => Status::Running,
            State::Paused(_) => Status::Paused,
            State::Exited(_) => Status::Exited,
        }
    }

    /// What it has while processes of it may exist.
    pub fn life(&self) -> Option<&Life> {
        match self {
            State::Starting(life) | State::Running(life) | State::Paused(life) => Some(life),
            State::Created { .. } | State::Exited(_) => None,
        }
    }

    /// A monitor looks after it, or did until it was killed.
    pub fn live(&self) -> bool {
        self.life().is_some()
    }

    /// The program runs, or is frozen: what Docker calls running.
    pub fn up(&self) -> Option<&Life> {
        self.life().filter(|_| !matches!(self, State::Starting(_)))
    }

    pub fn init(&self) -> Option<Init> {
        self.life()?.init
    }

    /// Of what does not run any more: cgroups that could not be removed yet.
    pub fn left(&self) -> &[String] {
        match self {
            State::Created { failed: Some(failed) } => &failed.cgroups,
            State::Exited(end) => &end.cgroups,
            _ => &[],
        }
    }

    /// The same, once they are gone.
    pub fn without_left(mut self) -> State {
        match &mut self {
            State::Created { failed: Some(failed) } => failed.cgroups.clear(),
            State::Exited(end) => end.cgroups.clear(),
            _ => {}
        }
        self
    }

    /// What it is after a start that failed: as before, with the reason.
    pub fn after(self, failed: Failed) -> State {
        match self {
            State::Exited(end) => {
                let (code, error, cgroups) = (failed.code, Some(failed.error), failed.cgroups);
                State::Exited(End { code, error, cgroups, ..end })
            }
            _ => State::Created { failed: Some(failed) },
        }
    }

    /// 0 as long as there is none, as Docker says it.
    pub fn exit_code(&self) -> i32 {
        match self {
            State::Exited(end) => end.code,
            State::Created { failed: Some(failed) } => failed.code,
            _ => 0,
        }
    }

    pub fn error(&self) -> Option<&str> {
        match self {
            State::Exited(end) => end.error.as_deref(),
            State::Created { failed: Some(failed) } => Some(&failed.error),
            _ => None,
        }
    }
}

/// The state's name alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Created,
    Starting,
    Running,
    Paused,
    Exited,
}

impl Status {
    /// Docker's word.
    pub fn word(self) -> &'static str {
        match self {
            Status::Created | Status::Starting => "created",
            Status::Running => "running",
            Status::Paused => "paused",
            Status::Exited => "exited",
        }
    }
}
