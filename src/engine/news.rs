//! What monitors saw between two commands: containers that ended or were lost without anybody asking for it.

use crate::fact::{Event, Fact, now_us};
use crate::store::{Journal, Store};

/// Remembers how far it has been read.
#[derive(Debug)]
pub struct News {
    since: u64,
}

impl Default for News {
    fn default() -> Self {
        News { since: now_us() }
    }
}

impl News {
    /// Ends of containers since the last call, but for those that a command caused and has told itself.
    pub fn next(&mut self, store: &Store) -> Vec<Event> {
        let told = |event: &Event| {
            Journal::last(store).is_some_and(|record| record.events.iter().any(|e| e.at_us == event.at_us))
        };
        let mut news: Vec<Event> = store
            .monitor_journals_since(self.since)
            .iter()
            .flat_map(|id| Journal::of_container(store, id))
            .filter(|e| e.at_us > self.since && matches!(e.fact, Fact::ContainerExited { .. }) && !told(e))
            .collect();
        news.sort_by_key(|e| e.at_us);
        self.since = now_us();
        news
    }
}
