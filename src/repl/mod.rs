//! The session: a learner types or pastes lines, and each runs in the learner's own shell, where `docker` is docent.
//!
//! - [`shell`] keeps that shell, and the terminal's foreground between it and us
//! - [`arrival`] tells a paste from what was typed
//! - [`line`] reads what was typed: `scan` finds commands in shell text, `notes` takes them out of prose and prompts, `mend`
//!   undoes typography, `verbs` knows which words are ours
//! - [`complete`] and [`help`] answer before the line is run
//! - [`session`] is the loop
//!
//! What never breaks: a line that the session does not understand reaches the shell as it was typed; nothing that is only
//! guessed is run; of a paste nothing runs unasked but docker and docent commands and lines behind a prompt; Ctrl-C ends a
//! line, never the session.

mod arrival;
mod complete;
mod help;
mod line;
mod mend;
mod notes;
mod private;
mod scan;
mod session;
mod shell;
mod verbs;

pub use complete::Kind;
pub use session::run;

use crate::narrate::Lang;
use crate::store::Store;
use std::path::PathBuf;

/// Gives the help of the command that the words lead to.
pub type HelpOf = Box<dyn Fn(&[String], Lang) -> String>;

/// What a session is made of: the parts that know the engine are given as closures.
pub struct Setup {
    /// The store in use, if it could be opened: the history and the session's private directory are there.
    pub store: Option<Store>,
    /// Its root, as later commands get it in `DOCENT_ROOT`.
    pub root: PathBuf,
    pub lang: Lang,
    /// `--narrate`, for later commands as `DOCENT_NARRATE`.
    pub narrate: Option<String>,
    /// The tree of commands, for completion and for slips.
    pub command: clap::Command,
    /// Names for completion.
    pub names: Box<dyn Fn(Kind) -> Vec<String>>,
    /// What happened since it was asked last (containers that exited or were lost), one line each.
    pub news: Box<dyn FnMut(Lang) -> Vec<String>>,
    /// The running lab's results after a command, one line each; nothing when nothing changed.
    pub lab_check: Box<dyn FnMut(Lang) -> Vec<String>>,
    /// Variables that a running lab gives to the learner's shell (`LAB_TOKEN`).
    pub lab_env: Box<dyn FnMut() -> Vec<(String, String)>>,
    /// One line on what this host can do.
    pub verdict: Box<dyn Fn(Lang) -> String>,
    pub help: HelpOf,
}
