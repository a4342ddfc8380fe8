//! The command line's surface: what can be typed, what is answered to what cannot, and how results look on stdout.
//!
//! Names, flags, defaults, columns and exit codes are Docker 28's; `explain`, `verify`, `doctor`, `lab`, `grade`, `book` and
//! `journal` are docent's own. [`parse`] turns words into a [`Cli`], each of [`commands`] calls the engine and turns
//! models into lines. What cannot be honoured is refused by name, never ignored.

mod attached;
pub mod commands;
mod context;
mod environment;
mod filter;
mod format;
mod help;
mod inspect;
mod lang;
#[cfg(feature = "book")]
mod man;
mod parse;
mod parsers;
mod suggest;
mod table;
mod times;
pub mod unsupported;
mod usage_errors;

pub use context::{Context, fail, narrator, refuse, root_of, width};
pub use environment::process_environ;
pub use format::{check, render};
pub use help::help;
pub use lang::language;
#[cfg(feature = "book")]
pub use man::man_pages;
pub use parse::{Asked, Globals, command, parse};
pub use suggest::{is_one, nearest};

/// `docent --version`.
pub fn version_line() -> String {
    format!("docent version {}, speaks Docker {DOCKER}", env!("CARGO_PKG_VERSION"))
}

/// The release of Docker whose commands docent speaks.
pub const DOCKER: &str = "28";
