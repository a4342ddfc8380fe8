//! What a user means: one file per verb family.

pub mod builtin;
mod import;
pub mod load;
pub mod resolve;
