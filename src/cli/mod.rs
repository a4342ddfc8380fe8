//! The command line's surface: what can be typed, what is answered to what cannot, and how results look on stdout.
//!
//! Names, flags, defaults, columns and exit codes are Docker 28's; `explain`, `verify`, `doctor`, `lab`, `grade`, `book` and
//! `journal` are docent's own. Nothing here touches the kernel or the store: [`parse`] turns words into a [`Cli`], and
//! [`ps`], [`images`] and [`inspect`] turn models into lines. What cannot be honoured is refused by name, never ignored.

mod act;
mod args;
mod context;
mod environment;
mod filter;
mod format;
mod help;
mod images;
mod inspect;
mod lang;
mod parsers;
mod ps;
mod table;
mod times;
mod unsupported;
mod usage_errors;
mod words;

pub use act::{act, refuse};
pub use args::{
    BookArgs, Cli, CpArgs, CreateArgs, DiffArgs, ExecArgs, ExplainArgs, Globals, GradeArgs, GradeFormat, ImagesArgs,
    InspectArgs, JournalVerb, KillArgs, LabVerb, LoadArgs, LogsArgs, NamesArgs, ObjectKind, PsArgs, RmArgs, RunArgs,
    StartArgs, StopArgs, Tail, Verb, VerifyArgs, VersionArgs, command, parse, parse_with,
};
pub use context::{narrator, root_of, width};
pub use environment::{Environ, process_environ};
pub use filter::{ContainerFilter, ImageFilter, Term};
pub use format::{Json, check, render};
pub use help::{help, usage};
pub use images::{ImageRow, images};
pub use inspect::{ImageNames, Paths, inspect_container, inspect_image, pretty};
pub use lang::{Lang, Level, language};
pub use parsers::{Cpus, Memory, PidsLimit, PortSpec};
pub use ps::{ps, status};
pub use times::{ago, human_duration, human_size, rfc3339};
pub use unsupported::instead_of;

/// `docent --version`.
pub fn version_line() -> String {
    format!("docent version {}, speaks Docker {DOCKER}", env!("CARGO_PKG_VERSION"))
}

/// The release of Docker whose commands docent speaks.
pub const DOCKER: &str = "28";
