//! What a learner can check: evidence read back after the deed, and a proof that shows the same with an ordinary command.

use serde::{Deserialize, Serialize};

/// Evidence and proof of one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Receipt {
    /// What was read back after the deed, as the kernel or the file system said it.
    pub evidence: String,
    /// The argv of a standard program that shows the same. Never run through a shell: names in it come from containers.
    pub proof: Vec<String>,
    pub expect: Expect,
    pub holds: Holds,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Needs>,
    /// What the receipt is about (`freezer:<id>`, `upper:<id>:/path`): a later event with the same subject replaces it, and
    /// `verify` then says "changed since" and by which command.
    pub subject: String,
}

impl Receipt {
    /// What was seen; [`Receipt::by`] completes it.
    pub fn about(subject: impl Into<String>, holds: Holds, evidence: impl Into<String>) -> Receipt {
        let (subject, evidence, expect) = (subject.into(), evidence.into(), Expect::Status(0));
        Receipt { evidence, proof: Vec::new(), expect, holds, needs: Vec::new(), subject }
    }

    /// The program that shows it again, and what it must answer.
    pub fn by(self, proof: &[&str], expect: Expect) -> Receipt {
        Receipt { proof: proof.iter().map(|word| word.to_string()).collect(), expect, ..self }
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
}

/// What the proof's command must answer for the receipt to be true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "kind", content = "value")]
pub enum Expect {
    /// Standard output, trimmed, is exactly this.
    Equals(String),
    /// Standard output has this in it.
    Contains(String),
    /// The exit status is this (for `test -e`, `cmp -s`).
    Status(i32),
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
    /// Until somebody writes to this file of the host, which docent does not watch. `stamp`: what stat(2) said of it.
    UntilEdited { path: String, stamp: String },
    /// Until a later command changes it.
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
