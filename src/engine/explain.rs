//! Which recorded command to retell or verify, and what has happened since.

use super::verify::Later;
use crate::container::ContainerId;
use crate::event::{Fault, Outcome};
use crate::store::{Journal, Record, Store};
use std::collections::BTreeSet;

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

/// Everything that was told after this record's events: by later commands, and by the monitors of its containers.
pub fn since(store: &Store, record: &Record) -> Vec<Later> {
    let mut later = Vec::new();
    for number in Journal::numbers(store).into_iter().filter(|n| *n > record.header.number) {
        let Ok(next) = Journal::read(store, number) else { continue };
        let time = Some(next.header.asked.time);
        later.extend(next.events.into_iter().map(|event| Later { command: Some(number), time, event }));
    }
    let containers: BTreeSet<&str> = record.events.iter().filter_map(|e| e.container.as_deref()).collect();
    let monitors =
        containers.into_iter().filter_map(ContainerId::parse).flat_map(|id| Journal::of_container(store, &id));
    later.extend(monitors.map(|event| Later { command: None, time: None, event }));
    later
}
