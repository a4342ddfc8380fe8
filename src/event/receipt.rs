//! What a learner can check: evidence read back after the deed, and proofs that show the same with ordinary commands.

use super::Bytes;
use serde::{Deserialize, Serialize};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// Evidence and proofs of one event. All of its proofs together show all that the event claims to last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Receipt {
    /// What was read back after the deed, as the kernel or the file system said it.
    pub evidence: String,
    #[serde(flatten)]
    pub first: Proof,
    /// Where one command does not show the whole claim.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Proof>,
    pub holds: Holds,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Needs>,
    /// What the receipt is about (`freezer:<id>`, `upper:<id>:/path`): a later event with the same subject replaces it, and
    /// `verify` then says "changed since" and by which command.
    pub subject: String,
    /// The file that it is about as it was when the event was told: one that nobody has touched since cannot have changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp: Option<Stamp>,
}

/// A command that shows it, and what it must answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Proof {
    /// The argv of a standard program. Never run through a shell: names in it come from containers.
    #[serde(rename = "proof")]
    pub argv: Vec<Bytes>,
    pub expect: Expect,
}

impl Proof {
    /// As a shell reads it.
    pub fn quoted(&self) -> String {
        self.argv.iter().map(Bytes::quoted).collect::<Vec<_>>().join(" ")
    }
}

/// What stat(2) says of a file that is not touched: device, inode and the time of its last change (ctime, which no call can
/// set).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Stamp {
    pub path: Bytes,
    pub stat: String,
}

impl Stamp {
    pub fn of(path: impl Into<Bytes>, meta: &Metadata) -> Stamp {
        Stamp::with(path, (meta.dev(), meta.ino()), (meta.ctime(), meta.ctime_nsec()))
    }

    /// The same of a file that was looked at in the moment of its last change: another in the same tick of the kernel's clock
    /// leaves the same time, so it is never taken for untouched.
    pub fn unsettled(self) -> Stamp {
        Stamp { stat: self.stat + " or later", ..self }
    }

    /// Of a device and inode that were changed last at that time, in seconds and nanoseconds.
    pub fn with(path: impl Into<Bytes>, (dev, ino): (u64, u64), (seconds, nanoseconds): (i64, i64)) -> Stamp {
        Stamp { path: path.into(), stat: format!("{dev}:{ino} {seconds}.{nanoseconds:09}") }
    }
}

impl Receipt {
    /// What was seen; [`Receipt::by`] completes it.
    pub fn about(subject: impl Into<String>, holds: Holds, evidence: impl Into<String>) -> Receipt {
        let (subject, evidence) = (subject.into(), evidence.into());
        let first = Proof { argv: Vec::new(), expect: Expect::Status(0) };
        Receipt { evidence, first, also: Vec::new(), holds, needs: Vec::new(), subject, stamp: None }
    }

    /// The program that shows it again, and what it must answer. A second one shows the rest of the claim.
    pub fn by<W: Into<Bytes>>(mut self, argv: impl IntoIterator<Item = W>, expect: Expect) -> Receipt {
        let proof = Proof { argv: argv.into_iter().map(Into::into).collect(), expect };
        match self.first.argv.is_empty() {
            true => self.first = proof,
            false => self.also.push(proof),
        }
        self
    }

    /// The evidence in one line.
    pub fn seen(&self) -> String {
        self.evidence.lines().map(str::trim).collect::<Vec<_>>().join(" · ")
    }

    /// One that was made elsewhere.
    pub fn and(mut self, proof: Proof) -> Receipt {
        self.also.push(proof);
        self
    }

    pub fn proofs(&self) -> impl Iterator<Item = &Proof> {
        std::iter::once(&self.first).chain(&self.also)
    }

    pub fn as_root(mut self) -> Receipt {
        self.needs.push(Needs::Root);
        self
    }

    /// With a program that a small machine may lack.
    pub fn with(mut self, tool: &str) -> Receipt {
        self.needs.push(Needs::Tool(tool.into()));
        self
    }

    pub fn stamped(self, stamp: Option<Stamp>) -> Receipt {
        Receipt { stamp, ..self }
    }
}

/// What the proof's command must answer for the receipt to be true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "kind", content = "value")]
pub enum Expect {
    /// Standard output, line by line, is the evidence.
    Evidence,
    /// Standard output, trimmed, is exactly this.
    Equals(String),
    /// Standard output has this in it, however wide its columns are.
    Contains(String),
    /// Each of these is a line of standard output.
    Lines(Vec<String>),
    /// The lines of standard output are these and no others, however deep they are indented.
    Whole(Vec<String>),
    /// The exit status is this.
    Status(i32),
    /// It fails with this status, says this on standard error, and nothing on standard output: of several things none is there.
    Fails { status: i32, says: String },
}

impl Expect {
    /// Of `stat PATH` (and `readlink`, `ls`) for what is not there.
    pub fn absent() -> Expect {
        Expect::Fails { status: 1, says: "No such file or directory".into() }
    }
}

/// How long a proof can be expected to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "until", content = "of")]
pub enum Holds {
    /// Only at the moment it was told.
    Now,
    /// While this container (full id) runs, in the run that the event belongs to.
    WhileRunning(String),
    /// While this container (full id) exists.
    WhileExists(String),
    /// While this process lives: its number, and its start in clock ticks (proc(5)), since numbers are given again.
    WhileProcess { pid: i32, start: u64 },
    /// Until a later command or somebody else changes it: an object of the kernel, which no restart of the machine survives.
    UntilReboot,
    /// Until a later command or somebody else changes it.
    Forever,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Needs {
    Root,
    /// A program that a small machine may lack, by its name.
    Tool(String),
}
