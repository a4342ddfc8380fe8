//! A container's name for good.

use crate::image::digest::valid_hex;
use serde::{Deserialize, Serialize};
use std::fmt::{self, Write};

/// 64 lower-case hex digits, looked at wherever they come from outside: safe as a file's name. Events and the kernel's objects
/// know it as text, which it is by reference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ContainerId(String);

impl ContainerId {
    /// None: it is no such id.
    pub fn parse(text: &str) -> Option<ContainerId> {
        valid_hex(text).then(|| ContainerId(text.into()))
    }

    pub fn of_bytes(bytes: [u8; 32]) -> ContainerId {
        ContainerId(bytes.iter().fold(String::new(), |mut text, byte| {
            // Writing into a String has no errors.
            write!(text, "{byte:02x}").unwrap_or(());
            text
        }))
    }

    /// Of the container of a forecast: only its making gives it an id, and until then its cgroup is `/docent/…`.
    pub fn unborn() -> ContainerId {
        ContainerId("…".into())
    }

    /// The same for the same text, for tests.
    #[cfg(test)]
    pub fn sample(text: &str) -> ContainerId {
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
        ContainerId::of_bytes(bytes)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 12 digits.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl std::ops::Deref for ContainerId {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ContainerId {
    type Error = String;
    fn try_from(text: String) -> Result<ContainerId, String> {
        ContainerId::parse(&text).ok_or_else(|| format!("no container id: {text:?}"))
    }
}

impl From<&ContainerId> for String {
    fn from(id: &ContainerId) -> String {
        id.0.clone()
    }
}
