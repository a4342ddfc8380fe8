//! What a user means: one file per family of verbs.

pub mod explain;
pub mod verify;
