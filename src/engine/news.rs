//! What monitors saw between two commands: containers that ended or were lost without anybody asking for it.

use crate::event::{Event, Fact, now_us};
use crate::store::{Journal, Store};
use std::collections::BTreeSet;

/// Commands of other terminals that are looked at, at most.
const MOST: usize = 64;

/// Remembers how far it has been read.
#[derive(Debug)]
pub struct News {
    since: u64,
    /// The last command whose story was looked at.
    command: u64,
}

impl Default for News {
    fn default() -> Self {
        News { since: now_us(), command: 0 }
    }
}

impl News {
    /// Ends of containers since the last call, but for those that a command caused and has told itself.
    pub fn next(&mut self, store: &Store) -> Vec<Event> {
        // Other terminals have commands too: all that were begun since are asked.
        let numbers: Vec<u64> = Journal::numbers(store).into_iter().filter(|n| *n > self.command).collect();
        let recent = numbers.iter().rev().take(MOST).filter_map(|n| Journal::read(store, *n).ok());
        let known: BTreeSet<u64> = recent.flat_map(|r| r.events).map(|e| e.at_us).collect();
        let told = |event: &Event| known.contains(&event.at_us);
        let mut news: Vec<Event> = store
            .monitor_journals_since(self.since)
            .iter()
            .flat_map(|id| Journal::of_container(store, id))
            .filter(|e| e.at_us > self.since && matches!(e.fact, Fact::ContainerExited { .. }) && !told(e))
            .collect();
        news.sort_by_key(|e| e.at_us);
        self.since = now_us();
        // The last one may not have ended yet.
        self.command = numbers.last().map_or(self.command, |n| n.saturating_sub(1));
        news
    }
}
