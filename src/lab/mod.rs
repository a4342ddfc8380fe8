//! Labs and grading: exercises as data, checked on what really is.
//!
//! A lab is a directory of `labs/`: tasks, points, checks and hints in `lab.toml`, a guide in each language. Its checks are
//! typed conditions over containers, files of the store, HTTP and the journal's events; none reads text meant for people.
//! While a learner works, [`progress`] looks after each command; [`grade`] runs a submission again from nothing, in a
//! throw-away root and a sandbox. What comes out is data; `narrate::lab` has the sentences.

pub mod check;
pub mod client;
mod embedded;
mod engine;
pub mod grade;
mod http;
mod journal;
mod model;
pub mod progress;
mod sandbox;
mod score;
pub mod seed;
mod world;

pub use embedded::{Source, names};
pub use grade::grade;
pub use model::{Lab, Task};
pub use score::score;
pub use world::{StoreWorld, World};
