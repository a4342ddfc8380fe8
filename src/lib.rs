//! docent: a container engine that explains itself.
//!
//! The modules, from the lowest layer up; every arrow points down (tests/architecture.rs reads the sources):
//!
//! ```text
//! event      what can be told and what can go wrong: each event and each error defined once, with its sentences
//! kernel     the system calls, one facility a file; alone unsafe
//! store      the disk: images, layers, containers, the journal
//! image      names, documents, layers             container   configuration and state, as Docker's API has them
//! launch     what makes a container: the sequence of its steps, the monitor's half, the new process's half
//! monitor    the process beside each container
//! engine     the verbs, each a plan of steps
//! narrate    events and errors as stories, in Korean and English
//! lab        exercises and the grader             book        the chapters in the terminal
//! cli        every command, one file each         repl        the session
//! ```
//!
//! `web`, the built-in web server, runs inside containers and stands beside. `dispatch` and [`start`] choose the entry point.

mod book;
mod cli;
mod container;
mod dispatch;
mod engine;
mod event;
mod image;
mod kernel;
mod lab;
mod launch;
mod monitor;
mod narrate;
mod repl;
mod store;
mod web;

/// What the tests in `tests/` look at from inside. All else is private, so that the compiler says what nothing uses.
#[doc(hidden)]
pub mod inside {
    pub use crate::container::{ContainerId, Endpoint};
    pub use crate::engine::verify;
    pub use crate::event::{
        Bulk, Call, DEFINITIONS, Deed, Definition, Ended, Event, Expect, Fact, FaultPoint, GradeResult, Kept, Lang,
        Line, Outcome, Proof, Provable, Receipt, Story, SysError, Verdict, now_us,
    };
    pub use crate::kernel::host::Host;
    pub use crate::kernel::netlink::Netlink;
    pub use crate::kernel::nftables::Table;
    pub use crate::kernel::{ports, sys, walk::remove_path};
    pub use crate::launch::{firewall, network, subnet::bridge_name};
    pub use crate::store::{Journal, Store};
}

#[cfg(feature = "book")]
pub use cli::man_pages;
use std::ffi::OsString;

/// Runs as what the arguments say, `args[0]` first, and gives the exit code.
pub fn start(args: Vec<OsString>) -> i32 {
    let name = args.first().and_then(|a| std::path::Path::new(a).file_name());
    if name.is_some_and(|n| n == "nginx") {
        return web::run(args.get(1..).unwrap_or_default());
    }
    let hidden = args.get(1).and_then(|a| a.to_str()).unwrap_or_default();
    let rest = || args.iter().skip(2).map(|a| a.to_string_lossy().into_owned()).collect::<Vec<_>>();
    match hidden {
        monitor::COMMAND => monitor::main(&rest()),
        kernel::probe::ARGUMENT => kernel::probe::child_main(args.get(2..).unwrap_or_default()),
        _ => dispatch::command(args),
    }
}
