//! The session: a learner types or pastes lines, and each runs in the learner's own shell, where `docker` is docent.
//!
//! - [`shell`] keeps that shell, and the terminal's foreground between it and us
//! - [`arrival`] tells a paste from what was typed
//! - [`line`] reads what was typed: `lexer` finds commands in shell text, `pasted` takes them out of prose and prompts,
//!   `paste_repair` undoes typography, `verbs` knows which words are ours
//! - [`complete`] answers before the line is run; [`host`] knows names, news and labs
//! - [`session`] is the loop
//!
//! What never breaks: a line that the session does not understand reaches the shell as it was typed; nothing that is only
//! guessed is run; of a paste nothing runs unasked but docker and docent commands and lines behind a prompt; Ctrl-C ends a
//! line, never the session.

mod arrival;
mod complete;
mod host;
mod lexer;
mod line;
mod paste_repair;
mod pasted;
mod private;
mod session;
mod shell;
mod verbs;

pub use session::run;
