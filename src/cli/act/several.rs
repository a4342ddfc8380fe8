//! Verbs over several containers: each is served by itself, and says its name when it is done.

use crate::cli::context::Context;
use crate::cli::{CpArgs, KillArgs, NamesArgs, RmArgs, StopArgs};
use crate::container::Container;
use crate::engine::copy::{self, Options, Side, side};
use crate::engine::{pause as freezer, remove, stop as signals};
use crate::fact::Fault;

/// Does it for each name, prints the names that worked, complains about the others, and goes on.
fn each(
    context: &mut Context,
    names: &[String],
    mut act: impl FnMut(&mut Context, &Container) -> Result<(), Fault>,
) -> Result<i32, Fault> {
    let mut failed = 0;
    for name in names {
        match context.store.find_container(name).and_then(|container| act(context, &container)) {
            Ok(()) => {
                context.narrate();
                context.print(&format!("{name}\n"));
            }
            Err(fault) => {
                context.narrate();
                context.complain(&fault);
                failed += 1;
            }
        }
    }
    Ok(i32::from(failed > 0))
}

pub fn stop(context: &mut Context, a: &StopArgs) -> Result<i32, Fault> {
    each(context, &a.names, |context, container| {
        let signal = a.signal.unwrap_or(signals::signal_of(container));
        let grace = a.timeout.or(container.config.stop_timeout).unwrap_or(10);
        signals::stop(&context.store, &mut context.story, container, signal, grace)
    })
}

pub fn kill(context: &mut Context, a: &KillArgs) -> Result<i32, Fault> {
    each(context, &a.names, |context, container| {
        signals::kill(&context.store, &mut context.story, container, a.signal.unwrap_or(libc::SIGKILL))
    })
}

pub fn rm(context: &mut Context, a: &RmArgs) -> Result<i32, Fault> {
    // With -f what is not there is not missed, as with Docker 28: said, and no failure.
    let there = |context: &Context, name: &String| {
        !a.force || !matches!(context.store.find_container(name), Err(Fault::NoSuchContainer { .. }))
    };
    let (names, missing): (Vec<String>, Vec<String>) = a.names.iter().cloned().partition(|name| there(context, name));
    for name in missing {
        context.complain(&Fault::NoSuchContainer { name });
    }
    each(context, &names, |context, container| remove::remove(&context.store, &mut context.story, container, a.force))
}

pub fn pause(context: &mut Context, a: &NamesArgs) -> Result<i32, Fault> {
    each(context, &a.names, |context, container| freezer::pause(&mut context.story, container))
}

pub fn unpause(context: &mut Context, a: &NamesArgs) -> Result<i32, Fault> {
    each(context, &a.names, |context, container| freezer::unpause(&mut context.story, container))
}

pub fn cp(context: &mut Context, a: &CpArgs) -> Result<i32, Fault> {
    let options = Options { archive: a.archive, follow: a.follow_link };
    if a.from == "-" || a.to == "-" {
        let instead = Some("docker cp NAME:PATH DIRECTORY".to_string());
        return Err(Fault::Unsupported { what: "cp -".into(), instead });
    }
    match (side(&a.from), side(&a.to)) {
        (Side::Local(local), Side::Container { name, path }) => {
            let container = context.store.find_container(&name)?;
            copy::into_container(&context.store, &mut context.story, &container, &local, &path, options)?;
        }
        (Side::Container { name, path }, Side::Local(local)) => {
            let container = context.store.find_container(&name)?;
            copy::from_container(&context.store, &mut context.story, &container, &path, &local, options)?;
        }
        _ => return Err(Fault::CpDirection),
    }
    context.narrate_last();
    Ok(0)
}
