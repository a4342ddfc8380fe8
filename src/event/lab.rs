//! Results of exercises as data: what each task came to, and the canonical result of a grade.
//!
//! The task ids in here are kept in files and by instructors' programs: they never change their meaning.

use super::{Cause, Event};
use serde::{Deserialize, Serialize};

/// A sentence in both languages, as a lab's author wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    pub ko: String,
    pub en: String,
}

/// Why a check failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Miss {
    #[serde(flatten)]
    pub cause: Cause,
    pub expected: String,
    pub actual: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "verdict")]
pub enum Verdict {
    Passed,
    /// The first of its checks that does not hold.
    Failed {
        miss: Miss,
    },
    /// These tasks must be passed first.
    Skipped {
        because: Vec<String>,
    },
    /// Holds so far; the rest is looked at by `lab check` and `grade` only, since it starts containers.
    Unlooked,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskScore {
    pub id: String,
    pub points: u32,
    pub max: u32,
    #[serde(flatten)]
    pub verdict: Verdict,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    pub points: u32,
    pub max: u32,
    pub tasks: Vec<TaskScore>,
}

impl Score {
    pub fn full(&self) -> bool {
        self.points == self.max
    }
}

/// One task as people read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskLine {
    pub title: Text,
    pub score: TaskScore,
    /// What the lab itself says about this miss.
    pub more: Option<Text>,
}

/// A task that came to be passed, or no longer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskChange {
    pub id: String,
    pub title: Text,
    pub passed: bool,
}

/// A lab in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabListed {
    pub id: String,
    pub title: Text,
    pub tasks: usize,
    pub passed: usize,
    /// The one that is started.
    pub current: bool,
}

/// One hint, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabHint {
    pub task: String,
    pub title: Text,
    /// From 1.
    pub number: usize,
    pub of: usize,
    pub text: Text,
}

/// The canonical result of a grade: `result.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GradeResult {
    /// Of this format.
    pub version: u32,
    pub docent: String,
    pub lab: String,
    pub student: String,
    /// Seeded with the public practice secret: an exercise, no grade.
    pub practice: bool,
    pub ended: Ended,
    #[serde(flatten)]
    pub score: Score,
    pub output: Output,
    /// How the sandbox was made, for the level `deep`; not part of the result.
    #[serde(skip)]
    pub events: Vec<Event>,
}

/// How a submission's script ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Ended {
    Exited { code: i32 },
    Killed { signal: i32 },
    TimedOut { seconds: u64 },
}

/// What the script and its commands wrote, both streams together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    pub text: String,
    pub truncated: bool,
}
