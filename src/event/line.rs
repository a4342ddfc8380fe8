//! A command as lines of JSON: how it began, what was told, how it ended. The journal keeps them, `--narrate json` shows them.

use super::words::errno_name;
use super::{Event, Fault, Lang};
use serde::{Deserialize, Serialize};

/// Of these records. It grows when a field's name or meaning changes; a new field or kind of event does not change it.
pub const FORMAT: u32 = 1;

/// One line. `record` says which.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "record")]
pub enum Line {
    /// A command begins.
    Begin {
        #[serde(default, alias = "number", skip_serializing_if = "Option::is_none")]
        command: Option<u64>,
        #[serde(flatten)]
        asked: Asked,
    },
    /// Something was done, tried, learned or decided.
    Event {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        command: Option<u64>,
        id: u64,
        #[serde(flatten)]
        event: Box<Event>,
    },
    /// The command ends. One that was killed has no such line.
    End {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        command: Option<u64>,
        #[serde(alias = "exit")]
        exit_code: i32,
        took_us: u64,
        #[serde(default)]
        faults: Vec<Failure>,
    },
}

/// Who asked for what, where and when. Secrets in `argv` have been replaced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Asked {
    #[serde(default)]
    pub format: u32,
    #[serde(default)]
    pub docent: String,
    /// Of the machine: none of its processes and devices is there after another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_id: Option<String>,
    pub argv: Vec<String>,
    #[cfg_attr(test, schemars(with = "String", extend("format" = "date-time")))]
    pub time: chrono::DateTime<chrono::Utc>,
    pub cwd: String,
    pub uid: u32,
    pub lang: String,
}

/// An error that the command complained of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Failure {
    pub fault: String,
    pub call: Option<String>,
    pub object: Option<String>,
    pub errno: Option<i32>,
    pub errno_name: Option<String>,
    pub message: String,
    pub cause: Option<String>,
    pub fixes: Vec<String>,
    /// The fault itself, for docent: so that it can be retold in the other language.
    #[serde(default)]
    pub data: String,
}

impl Line {
    /// As it is written, its newline with it.
    pub fn json(&self) -> String {
        // Strings and numbers alone: there is nothing in it that JSON cannot have.
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }
}

impl Failure {
    pub fn of(fault: &Fault, lang: Lang) -> Failure {
        let said = fault.sentence(lang);
        let (call, object, errno) = fault.of_the_kernel();
        Failure {
            fault: fault.key(),
            call: call.map(str::to_string),
            object,
            errno,
            errno_name: errno.and_then(errno_name).map(str::to_string),
            message: said.error,
            cause: said.cause,
            fixes: said.fix,
            data: serde_json::to_string(fault).unwrap_or_default(),
        }
    }
}
