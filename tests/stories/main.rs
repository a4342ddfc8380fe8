//! Is what a story says afterwards still right? By hand, as a learner would check it ([`by_hand`]), and after
//! all that can happen to a container, a file or the machine meanwhile ([`later`]).

#[path = "../common/mod.rs"]
mod common;

mod by_hand;
mod later;
