//! `doctor`: which tier this host is in, and what is missing.

use crate::event::{Probe, Story, Tier};
use crate::kernel::host::Host;
use crate::kernel::probe;
use std::path::Path;

/// Attempts the real thing at the store's place, and tells what it found.
pub fn examine(store_root: &Path, host: &Host, story: &mut Story) -> Probe {
    probe::probe(store_root, host).tell(story)
}

/// Whether containers can run here: docent launches them as root, and everything required worked.
pub fn containers_can_run(probe: &Probe) -> bool {
    probe.tier == Tier::T0 && probe.shown.iter().all(|s| s.ok || !s.required)
}
