//! The events of a root, for checks.

use crate::fact::{Event, Fault};
use crate::store::Store;

/// What monitors wrote down; the oldest first.
pub fn events(store: &Store) -> Result<Vec<Event>, Fault> {
    let mut all = Vec::new();
    for container in store.list_containers()? {
        let Ok(text) = std::fs::read_to_string(store.container_dir(&container.config.id).journal()) else { continue };
        // A torn last line is what a power cut leaves; it is no event.
        all.extend(text.lines().filter_map(|line| serde_json::from_str::<Event>(line).ok()));
    }
    all.sort_by_key(|e| e.at_us);
    Ok(all)
}
