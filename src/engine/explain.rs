//! Which recorded command to retell or verify, and what has happened since.

use super::verify::Later;
use crate::container::ContainerId;
use crate::event::{Fault, Outcome, now_us};
use crate::kernel::process;
use crate::store::{Journal, Record, Store};
use chrono::{TimeDelta, Utc};
use std::collections::{BTreeSet, HashSet};

/// The record of command `number`; without a number the last command that changed something, or else the last of all.
///
/// # Errors
/// `NoSuchCommand` when there is none.
pub fn pick(store: &Store, number: Option<u64>) -> Result<Record, Fault> {
    if let Some(number) = number {
        return Journal::read(store, number);
    }
    let mut newest = None;
    for number in Journal::numbers(store).into_iter().rev() {
        let Ok(record) = Journal::read(store, number) else { continue };
        if record.events.iter().any(|e| e.outcome != Outcome::Planned) {
            return Ok(record);
        }
        newest = newest.or(Some(record));
    }
    newest.ok_or(Fault::NoSuchCommand { number: None, last: None })
}

/// The same to tell it: one that failed without having changed anything counts too, unless it only looked at the records.
pub fn pick_told(store: &Store, number: Option<u64>) -> Result<Record, Fault> {
    let latest = pick(store, number)?;
    if number.is_some() {
        return Ok(latest);
    }
    let looks = |record: &Record| record.header.asked.argv.iter().any(|word| word == "explain" || word == "verify");
    let later = Journal::numbers(store).into_iter().rev().take_while(|n| *n > latest.header.number);
    let failed = |record: &Record| !record.faults.is_empty() && !looks(record);
    Ok(later.filter_map(|n| Journal::read(store, n).ok()).find(failed).unwrap_or(latest))
}

/// Everything that was told after this record's events: by later commands, and by the monitors of its containers. In the order in
/// which it happened.
pub fn since(store: &Store, record: &Record) -> Vec<Later> {
    let mut later = Vec::new();
    let mut told: HashSet<(i32, u64)> = record.events.iter().map(|event| (event.pid, event.at_us)).collect();
    let here = Some(process::boot_id());
    let mut one_boot = record.header.asked.boot_id == here;
    for number in Journal::numbers(store).into_iter().filter(|n| *n > record.header.number) {
        let Ok(next) = Journal::read(store, number) else { continue };
        one_boot &= next.header.asked.boot_id == here;
        told.extend(next.events.iter().map(|event| (event.pid, event.at_us)));
        let time = Some(next.header.asked.time);
        later.extend(next.events.into_iter().map(|event| Later { command: Some(number), time, event }));
    }
    let containers: BTreeSet<&str> = record.events.iter().filter_map(|e| e.container.as_deref()).collect();
    let monitors =
        containers.into_iter().filter_map(ContainerId::parse).flat_map(|id| Journal::of_container(store, &id));
    // A command that waited for a monitor has told what that did.
    let alone = monitors.filter(|event| !told.contains(&(event.pid, event.at_us)));
    later.extend(alone.map(|event| {
        let ago = now_us().checked_sub(event.at_us).filter(|_| one_boot);
        let time = ago.and_then(|us| Some(Utc::now() - TimeDelta::microseconds(i64::try_from(us).ok()?)));
        Later { command: None, time, event }
    }));
    // The clock of events begins anew with the machine.
    if one_boot {
        later.sort_by_key(|one| one.event.at_us);
    }
    later
}
