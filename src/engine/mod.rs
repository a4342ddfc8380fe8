//! The verbs, one file for each or for a pair: plans of steps ([`plan`]) that call the modules below and tell their deeds to the
//! command's story. No text for people is made here.

pub mod attach;
pub mod builtin;
mod content;
pub mod copy;
pub mod create;
pub mod doctor;
pub mod exec;
pub mod explain;
mod import;
pub mod load;
pub mod logs;
pub mod names;
pub mod news;
pub mod pause;
pub mod plan;
pub mod recover;
pub mod remove;
pub mod rename;
pub mod reset;
pub mod resolve;
pub mod start;
pub mod stop;
pub mod upper_diff;
pub mod verify;
pub mod view;
pub mod wait;
