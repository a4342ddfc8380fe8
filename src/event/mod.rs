//! Events, deeds, stories and faults: plain data that every other module speaks in, and what can be said of it.
//!
//! What the kernel did is a [`Fact`] with the [`Call`]s that did it: an [`Event`]. A [`Deed`] is an event that has not been
//! told yet, and telling it to a [`Story`] is the only way to its value. Each kind of fact is defined once ([`define`]), in its
//! family's file: fields, sentences in both languages, the ordinary command that does the same, the calls that it may claim,
//! how it is proven. Nothing here makes a system call or joins a path.

#[macro_use]
mod define;
#[macro_use]
pub(crate) mod messages;
#[macro_use]
mod image;
#[macro_use]
mod container;
#[macro_use]
mod namespace;
#[macro_use]
mod cgroup;
#[macro_use]
mod mount;
#[macro_use]
mod cow;
#[macro_use]
mod network;
#[macro_use]
mod security;
#[macro_use]
mod process;
#[macro_use]
mod host;

mod block;
mod bytes;
mod call;
mod cause;
pub(crate) mod counts;
mod deed;
pub(crate) mod fault;
mod lab;
mod lang;
mod line;
mod receipt;
mod record;
#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod schema;
pub(crate) mod signal;
mod story;
#[cfg(test)]
mod tests;
pub(crate) mod verbs;
#[cfg(test)]
mod vocabulary;
pub(crate) mod words;

pub use block::Block;
pub use bytes::Bytes;
pub use call::{Call, SysError};
pub use cause::Cause;
#[cfg(test)]
pub(crate) use cause::causes;
pub use cgroup::Limit;
pub use cow::{Below, Change, Covers, Differs, Node, Since, What};
pub use deed::Deed;
pub use define::{Bulk, Definition, Provable};
pub use fault::{ArchiveFlaw, Fault, Holder, ReferenceFlaw, Remedy};
pub use host::{FaultPoint, Kept, Probe, Shown, Tier};
pub use image::Resolved;
pub use lab::{
    Ended, GradeResult, LabHint, LabListed, Miss, Output, Score, TaskChange, TaskLine, TaskScore, Text, Verdict,
};
pub use lang::{Lang, Tense};
pub use line::{Asked, FORMAT, Failure, Line};
#[cfg(test)]
pub(crate) use messages::Row;
pub use mount::Device;
pub use namespace::Namespace;
pub use receipt::{Expect, Holds, Needs, Proof, Receipt, Stamp};
pub use record::{Event, Outcome, now_us};
pub use story::Story;
pub use words::{Argument, Word};

use cow::Compared;
use host::{Brief, Why};
use mount::{depth, names, nodes};
use namespace::{flags, new_kinds};
pub(crate) use network::shown_ip;
use network::{bare, last, shown_port, split};
use process::{Role, or};
#[cfg(test)]
use samples::*;
use security::bounding;
use serde::{Deserialize, Serialize};
use signal::name as signal_name;
use words::{Count, Size, brief, command_line, file_name, short};

families! { [image container namespace cgroup mount cow network security process host] define! }
