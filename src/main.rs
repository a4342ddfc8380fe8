//! Chooses who this process is: the command line, one of docent's own helpers, or a program inside a container.

use std::ffi::OsString;

fn main() {
    let args: Vec<OsString> = std::env::args_os().collect();
    std::process::exit(docent::start(args));
}
