//! The events of a root, for checks: what commands told, and what monitors saw when no command listened any more.

use crate::event::{Event, Fault};
use crate::store::{Journal, Store};

/// The number of the last command that has a journal; 0 when there is none.
pub fn last(store: &Store) -> u64 {
    Journal::numbers(store).last().copied().unwrap_or(0)
}

/// Events of the commands after number `since`, and of the monitors of the containers that exist; the oldest first.
pub fn events(store: &Store, since: u64) -> Result<Vec<Event>, Fault> {
    let mut all = Vec::new();
    for container in store.list_containers()? {
        all.extend(Journal::of_container(store, &container.id));
    }
    for number in Journal::numbers(store).into_iter().filter(|n| *n > since) {
        // One that was pruned between the two reads is no event any more.
        all.extend(Journal::read(store, number).map(|record| record.events).unwrap_or_default());
    }
    all.sort_by_key(|e| e.at_us);
    Ok(all)
}
