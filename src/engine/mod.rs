//! What a user means: one file per family of verbs. A verb looks, decides, and lets the modules below do; it tells what they
//! did to the command's story and never says a word itself.

pub mod attach;
pub mod builtin;
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
