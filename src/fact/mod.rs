//! Plain data that every other room speaks in: facts, calls, receipts, deeds, stories and faults.
//!
//! Nothing here makes a system call, joins a path or writes a sentence. What the kernel did is a [`Fact`] with the
//! [`Call`]s that did it; a [`Deed`] is such a fact that has not been told yet, and telling it to a [`Story`] is the only
//! way to its value.

mod call;
mod deed;
mod event;
mod fault;
mod lab;
mod receipt;
mod story;

pub use call::{Call, SysError};
pub use deed::Deed;
pub use event::{
    By, Change, Device, Event, Fact, FaultPoint, Kept, Limit, Namespace, Outcome, Probe, Resolved, Shown, Tier, now_us,
};
pub use fault::{ArchiveFlaw, Fault, MountFlaw, ReferenceFlaw};
pub use lab::{
    Cause, Ended, GradeResult, LabHint, LabListed, Miss, Output, Score, TaskChange, TaskLine, TaskScore, Text, Verdict,
};
pub use receipt::{Expect, Holds, Needs, Receipt};
pub use story::Story;
