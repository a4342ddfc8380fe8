//! One told event: what was done, by whom and when, with the calls that did it and the receipt.

use super::{Call, Fact, Lang, Receipt, SysError, Tense};
use serde::{Deserialize, Serialize};

/// One told event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Event {
    /// Microseconds of the monotonic clock at the end of the deed (CLOCK_MONOTONIC, the same in every process).
    pub at_us: u64,
    /// How long it took, in microseconds.
    #[serde(default)]
    pub took_us: u64,
    /// The process that did it. Facts have a `pid` of their own, and both lie side by side in one JSON object.
    #[serde(rename = "by_pid")]
    pub pid: i32,
    #[serde(flatten)]
    pub fact: Fact,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    #[serde(default)]
    pub outcome: Outcome,
    /// The changing calls that did it, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<Call>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
}

/// Did it happen?
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Outcome {
    #[default]
    Done,
    /// Tried; the kernel said no. The fact is what was meant.
    Failed { error: SysError },
    /// Only planned (`explain -- COMMAND`).
    Planned,
}

impl Outcome {
    pub fn tense(&self) -> Tense {
        match self {
            Outcome::Done => Tense::Done,
            Outcome::Failed { .. } => Tense::Failed,
            Outcome::Planned => Tense::Planned,
        }
    }
}

/// Something that no call of ours has done.
impl From<Fact> for Event {
    fn from(fact: Fact) -> Event {
        Event::of(fact, Vec::new())
    }
}

impl Event {
    /// A deed's event, stamped now.
    pub fn of(fact: Fact, calls: Vec<Call>) -> Self {
        Event {
            at_us: now_us(),
            took_us: 0,
            pid: std::process::id() as i32,
            fact,
            container: None,
            outcome: Outcome::Done,
            calls,
            receipt: None,
        }
    }

    pub fn failed(fact: Fact, mut error: SysError) -> Self {
        let calls = std::mem::take(&mut error.calls);
        Event { outcome: Outcome::Failed { error }, ..Event::of(fact, calls) }
    }

    pub fn planned(fact: Fact) -> Self {
        Event { outcome: Outcome::Planned, ..Event::of(fact, Vec::new()) }
    }

    /// What happened (or was meant to), in one sentence without its full stop.
    pub fn sentence(&self, lang: Lang) -> String {
        self.fact.sentence(lang, self.outcome.tense())
    }
}

/// CLOCK_MONOTONIC in microseconds.
pub fn now_us() -> u64 {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    t.tv_sec as u64 * 1_000_000 + t.tv_nsec as u64 / 1000
}
