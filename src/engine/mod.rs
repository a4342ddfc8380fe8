//! What a user means: one file per verb family.

pub mod doctor;
