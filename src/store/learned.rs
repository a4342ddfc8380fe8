//! Which concepts a learner has met: `ROOT/journal/learned.json`, by user id. Bookkeeping: a lost entry means that something
//! is told in full once more, so there is no lock and nothing is synced.

use super::Store;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

type Learned = BTreeMap<u32, BTreeSet<String>>;

impl Store {
    fn learned_path(&self) -> PathBuf {
        self.journal().join("learned.json")
    }

    fn read_learned(&self) -> Learned {
        super::read_json(&self.learned_path()).unwrap_or_default()
    }

    /// The concepts that this user has met.
    pub fn learned(&self, uid: u32) -> BTreeSet<String> {
        self.read_learned().remove(&uid).unwrap_or_default()
    }

    /// Adds concepts that were told in full. Writes only when one of them is new.
    pub fn learn<'a>(&self, uid: u32, concepts: impl IntoIterator<Item = &'a str>) {
        let mut all = self.read_learned();
        let mine = all.entry(uid).or_default();
        let before = mine.len();
        mine.extend(concepts.into_iter().map(str::to_string));
        if mine.len() > before {
            drop(self.note(&self.learned_path(), &all));
        }
    }
}
