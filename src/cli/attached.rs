//! Staying with a program that was started: its terminal, and what its end means for this command.

use super::Context;
use crate::container::Container;
use crate::engine::attach::Outcome;
use crate::engine::upper_diff;
use crate::event::Fault;
use crate::kernel::terminal;
use std::path::Path;

/// Tells what others have changed in the write layer, so that [`finish`] can tell what the program does.
pub fn before(context: &mut Context, container: &Container) {
    if context.story.is_heard() {
        upper_diff::catch_up(&context.store, container, Path::new("/"), &mut context.story);
    }
}

/// What came of an attached program: what it changed, and its exit code as our own.
pub fn finish(context: &mut Context, container: &Container, outcome: Outcome, look: bool) -> Result<i32, Fault> {
    if look && context.story.is_heard() {
        upper_diff::tell_own(&context.store, container, Path::new("/"), &mut context.story);
    }
    context.narrate_last();
    match outcome {
        Outcome::Exited(exited) => Ok(exited.code),
        Outcome::Detached => Ok(0),
        // As a shell says of a program that SIGPIPE ended.
        Outcome::Unread => Ok(128 + libc::SIGPIPE),
        Outcome::Lost => Err(Fault::MonitorDied { id: container.id.to_string() }),
    }
}

/// Docker's exit codes where a program was to be run; None is the command's own.
pub fn exit(fault: &Fault) -> Option<i32> {
    match fault {
        Fault::CommandNotFound { .. } => Some(127),
        Fault::NotExecutable { .. } | Fault::ArgumentsTooLong { .. } | Fault::BadWorkdir { .. } => Some(126),
        // Docker's client asks this before it asks its engine for anything.
        Fault::NotATerminal => Some(1),
        _ => None,
    }
}

pub fn terminal_for(tty: bool, interactive: bool) -> Result<(), Fault> {
    if tty && interactive && !terminal::is_terminal(std::io::stdin()) {
        return Err(Fault::NotATerminal);
    }
    Ok(())
}

pub fn size(tty: bool) -> Option<(u16, u16)> {
    tty.then(|| terminal::size(std::io::stdout())).flatten()
}
