//! Names for containers that were given none: a word for a mood and one for something of the sea.

use crate::container::ContainerId;

const MOODS: [&str; 24] = [
    "amber", "bold", "brisk", "calm", "clever", "curious", "eager", "early", "fair", "gentle", "glad", "honest",
    "keen", "kind", "lively", "lucid", "merry", "patient", "quick", "quiet", "ready", "steady", "sunny", "warm",
];
const THINGS: [&str; 24] = [
    "anchor",
    "barge",
    "buoy",
    "cargo",
    "coral",
    "crane",
    "dock",
    "ferry",
    "gull",
    "harbor",
    "island",
    "keel",
    "lantern",
    "lighthouse",
    "mast",
    "otter",
    "pier",
    "reef",
    "rudder",
    "sail",
    "seal",
    "tide",
    "whale",
    "wharf",
];

/// A name that is none of these; numbered when chance does not find a free pair.
pub fn free(all: &[(ContainerId, String)], seed: u64) -> String {
    let taken = |name: &str| all.iter().any(|(_, other)| other == name);
    let pairs = (MOODS.len() * THINGS.len()) as u64;
    for n in 0..pairs {
        let at = (seed % pairs + n) % pairs;
        let (mood, thing) = (at as usize / THINGS.len(), at as usize % THINGS.len());
        let name = format!("{}_{}", MOODS[mood], THINGS[thing]);
        if !taken(&name) {
            return name;
        }
    }
    (2u64..).map(|n| format!("{}_{}{n}", MOODS[0], THINGS[0])).find(|name| !taken(name)).unwrap_or_default()
}
