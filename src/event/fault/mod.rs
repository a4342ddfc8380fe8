//! Errors: what went wrong, as data; and what is said of it, each defined once with its sentence, cause and ways out.
//!
//! ```text
//! NameTaken { name: String, by: String } => {
//!     when (by.is_empty()) (name) { ko: "…", en: "…" }    // another sentence for some (optional, several)
//!     (name, by) { ko: "…", en: "Docker's words, where it has any" }
//!     cause if (…) { ko: "…", en: "…" }                   // the first that fits (optional, several)
//!     fix (name) { "docent rm -f {name}" }                // a way out, each that fits (optional, several)
//!     exit Some(127);                                     // the container's exit code, when its program never ran (optional)
//!     #[cfg(test)]
//!     sample { Fault::NameTaken { name: s("web"), by: s(ID) } }
//! }
//! ```
//!
//! What is missing does not compile, as with events (`define`).

#[macro_use]
mod define;
#[macro_use]
mod asked;
#[macro_use]
mod running;
#[macro_use]
mod files;
#[macro_use]
mod host;

pub use asked::ReferenceFlaw;
pub use files::ArchiveFlaw;
pub use host::Remedy;
pub use running::Holder;

use super::network::shown_ip;
#[cfg(test)]
use super::samples::*;
use super::signal::name as signal_name;
use super::words::{Errno, Memory, short};
use super::{Lang, Probe, SysError, Word};
use asked::{command_of, is_dash, letter};
use files::Kept;
use running::{LONGEST, code, other_port};
use serde::{Deserialize, Serialize};

/// An error in words. All lines are one-liners without line breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    pub error: String,
    pub cause: Option<String>,
    /// Each a thing that can be done, mostly a command.
    pub fix: Vec<String>,
}

families! { [asked running files host_faults] errors! }

impl Fault {
    pub fn step(step: &str, error: SysError) -> Self {
        Fault::Step { step: step.into(), error }
    }

    /// What programs know it by: it never changes its meaning.
    pub fn key(&self) -> String {
        let json = serde_json::to_value(self).unwrap_or_default();
        json.get("fault").and_then(|key| key.as_str()).unwrap_or_default().to_string()
    }

    /// What the kernel refused, as far as it did: the call, what it was called on, and the errno.
    pub fn of_the_kernel(&self) -> (Option<&str>, Option<String>, Option<i32>) {
        let (call, object, errno) = match self {
            Fault::Step { error, .. } => (Some(error.call.as_str()), error.object.clone(), error.errno),
            Fault::NotExecutable { command, errno, .. } => (Some("execve"), command.clone(), *errno),
            Fault::ArgumentsTooLong { command, .. } => (Some("execve"), command.clone(), libc::E2BIG),
            Fault::BadWorkdir { path, errno } => (None, path.clone(), *errno),
            Fault::PortTaken { ip, port, .. } => {
                (Some("bind"), format!("{}:{port}", shown_ip(ip.as_deref())), libc::EADDRINUSE)
            }
            Fault::Archive { flaw: ArchiveFlaw::Write { member, errno }, .. } => (None, member.clone(), *errno),
            Fault::LocalFile { path, call, errno } => (Some(call.as_str()), path.clone(), *errno),
            Fault::StoreRefused { path, errno } => (None, path.clone(), *errno),
            _ => return (None, None, None),
        };
        (call, Some(object), Some(errno))
    }
}

/// Language-free, for logs and tests; people read the catalogue's sentence.
impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match serde_json::to_string(self) {
            Ok(json) => f.write_str(&json),
            Err(_) => f.write_str("fault"),
        }
    }
}

impl std::error::Error for Fault {}
