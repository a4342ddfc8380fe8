//! docent: a container engine that explains itself.
//!
//! The rooms, from the ground up; every arrow points down (a test reads the `use` lines):
//! [`fact`] plain data, [`kernel`] the system calls, `store` the disk, `image` and `container` the models, `launch` what
//! makes a container, `monitor` the process beside each, `engine` the verbs, `narrate` the only place with sentences, and
//! on top the entry points `cli`, `repl`, `lab` and `book`.

pub mod cli;
pub mod container;
pub mod engine;
pub mod fact;
pub mod guest;
pub mod image;
pub mod kernel;
pub mod lab;
pub mod launch;
pub mod monitor;
pub mod narrate;
pub mod store;
