//! Is what a story says afterwards still right? By hand, as a learner would check it ([`by_hand`]).

#[path = "../common/mod.rs"]
mod common;

mod by_hand;
