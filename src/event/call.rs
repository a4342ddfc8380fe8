//! One system call as it was made, in the words in which strace would show it.

use super::words::errno_name;
use serde::{Deserialize, Serialize};

/// A call that changed a kernel object or the store: its name, its arguments as strace prints them, and the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Call {
    #[serde(rename = "call", alias = "name")]
    pub name: String,
    pub args: String,
    /// The value returned; a failure is the negated errno.
    pub ret: i64,
}

impl Call {
    pub fn failed(&self) -> bool {
        (-4095..0).contains(&self.ret)
    }
}

/// A system call that failed: what was called, on what, and why, with the calls of the same step that went before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(into = "Written")]
pub struct SysError {
    pub call: String,
    pub object: String,
    pub errno: i32,
    /// Calls of the step that had been made, the failed one last; told with the failure, so that nothing done stays untold.
    #[serde(default)]
    pub calls: Vec<Call>,
}

/// In JSON with the errno's name beside its number, which differs between architectures.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Written {
    call: String,
    object: String,
    errno: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    errno_name: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    calls: Vec<Call>,
}

impl From<SysError> for Written {
    fn from(error: SysError) -> Written {
        let SysError { call, object, errno, calls } = error;
        Written { call, object, errno, errno_name: errno_name(errno), calls }
    }
}

impl SysError {
    pub fn new(call: &str, object: impl Into<String>, errno: i32) -> Self {
        SysError { call: call.into(), object: object.into(), errno, calls: Vec::new() }
    }

    /// The call and what it was made on, as far as they are known.
    pub fn made(&self) -> String {
        if self.call.is_empty() { self.object.clone() } else { format!("{}({})", self.call, self.object) }
    }

    /// The same call, on the same object, with the same answer.
    pub fn is_same(&self, other: &SysError) -> bool {
        (&self.call, &self.object, self.errno) == (&other.call, &other.object, other.errno)
    }

    /// From a `std::io::Error`; an error without an errno (a short read, bad UTF-8) counts as EIO.
    pub fn io(call: &str, object: impl Into<String>, e: &std::io::Error) -> Self {
        SysError::new(call, object, e.raw_os_error().unwrap_or(5))
    }
}

/// As strace prints a failure, free of any language: `mount("/x") = EPERM (Operation not permitted)`.
impl std::fmt::Display for SysError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let e = std::io::Error::from_raw_os_error(self.errno);
        write!(f, "{}: {}", self.made(), e)
    }
}

impl std::error::Error for SysError {}

impl From<SysError> for std::io::Error {
    fn from(e: SysError) -> Self {
        std::io::Error::from_raw_os_error(e.errno)
    }
}
