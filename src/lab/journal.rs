//! The events of a root, for checks: what commands told, and what monitors saw when no command listened any more.

use crate::fact::Event;
use crate::store::Store;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// Of each file so much is read, from its end.
const LIMIT: u64 = 8 << 20;

/// The number of the last command that has a journal; 0 when there is none.
pub fn last(store: &Store) -> u64 {
    numbers(store).into_iter().max().unwrap_or(0)
}

/// Events of the commands after number `since`, and of the monitors; the oldest first.
pub fn events(store: &Store, since: u64) -> Vec<Event> {
    let mut numbers: Vec<u64> = numbers(store).into_iter().filter(|n| *n > since).collect();
    numbers.sort_unstable();
    let mut all = read(&store.monitors_journal());
    for number in numbers {
        all.extend(read(&store.journal().join(format!("{number:08}.jsonl"))));
    }
    all.sort_by_key(|e| e.at_us);
    all
}

fn numbers(store: &Store) -> Vec<u64> {
    let entries = std::fs::read_dir(store.journal()).into_iter().flatten().flatten();
    entries.filter_map(|e| e.file_name().to_str()?.strip_suffix(".jsonl")?.parse().ok()).collect()
}

/// A line that is no event is the frame of a command, or what a power cut tore.
fn read(path: &Path) -> Vec<Event> {
    let mut text = Vec::new();
    let read = File::open(path).and_then(|mut file| {
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LIMIT)))?;
        file.take(LIMIT).read_to_end(&mut text)
    });
    if read.is_err() {
        return Vec::new();
    }
    text.split(|b| *b == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
}
