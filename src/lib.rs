//! docent: a container engine that explains itself.
//!
//! The modules, from the lowest layer up; every arrow points down (a test reads the sources):
//! [`event`] what can be told, each event defined once, [`kernel`] the system calls, `store` the disk, `image` and `container`
//! the models, `launch` what makes a container, `monitor` the process beside each, `engine` the verbs, `narrate` the stories, and
//! then `lab` and `book`, `cli` with every command, and on top the session `repl`. [`web`] is the built-in web server, which
//! runs inside containers.

mod book;
mod cli;
pub mod container;
mod dispatch;
pub mod engine;
pub mod event;
mod image;
pub mod kernel;
mod lab;
pub mod launch;
mod monitor;
mod narrate;
mod repl;
pub mod store;
mod web;

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
