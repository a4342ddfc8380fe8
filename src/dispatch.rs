//! Which entry point a command line belongs to.

use crate::cli::{self, Asked};
use crate::lab::client;
use crate::repl;
use std::ffi::OsString;

/// A command line, `argv[0]` first. Gives the exit code.
pub fn command(argv: Vec<OsString>) -> i32 {
    let lang = cli::language(&argv, &cli::process_environ);
    // In a grader's sandbox this program only carries words to the engine outside.
    if let Some(engine) = client::engine() {
        return match client::run(&engine, argv.get(1..).unwrap_or_default()) {
            Ok(code) => i32::from(code),
            Err(fault) => cli::refuse(lang, &fault, 125),
        };
    }
    let cli = match cli::parse(argv) {
        Ok(cli) => cli,
        Err((fault, code)) => return cli::refuse(lang, &fault, code),
    };
    match cli.asked {
        Asked::Session => return repl::run(cli.globals),
        Asked::Help(path) => print!("{}", cli::help(&path, lang, cli::width())),
        Asked::VersionLine => println!("{}", cli::version_line()),
        Asked::Command(command) => return command.execute(&cli.globals),
    }
    0
}
