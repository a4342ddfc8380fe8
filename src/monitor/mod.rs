//! One process beside each container: the real parent of its PID 1.
//!
//! It is docent started again, with one thread and one event loop. It makes the container (launch/), owns its streams and its
//! log, carries the published ports, starts the programs of `exec`, and takes everything down when PID 1 ends. It outlives
//! the command line and the learner's terminal. While it lives it holds the container's lock, so a container whose state
//! says that it lives and whose lock is free has lost its monitor, and the next command cleans up.

pub mod client;
mod exec;
mod log;
mod protocol;
mod proxy;
mod run;
mod streams;

pub use protocol::{Exited, Message, Request};
pub use run::main;

/// The hidden command by which docent starts itself as a monitor.
pub const COMMAND: &str = "__monitor";
