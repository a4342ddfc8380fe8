//! Verbs over several containers: each is served by itself, and says its name when it is done.

use super::front::Front;
use crate::cli::{CpArgs, KillArgs, NamesArgs, RmArgs, StopArgs};
use crate::container::Container;
use crate::engine::copy::{self, Options, Side, side};
use crate::engine::{pause as freezer, remove, stop as signals};
use crate::fact::Fault;

/// Does it for each name, prints the names that worked, complains about the others, and goes on.
fn each(
    front: &mut Front,
    names: &[String],
    mut act: impl FnMut(&mut Front, &Container) -> Result<(), Fault>,
) -> Result<i32, Fault> {
    let mut failed = 0;
    for name in names {
        match front.store.find_container(name).and_then(|container| act(front, &container)) {
            Ok(()) => {
                front.narrate();
                front.print(&format!("{name}\n"));
            }
            Err(fault) => {
                front.narrate();
                front.complain(&fault);
                failed += 1;
            }
        }
    }
    Ok(i32::from(failed > 0))
}

pub fn stop(front: &mut Front, a: &StopArgs) -> Result<i32, Fault> {
    each(front, &a.names, |front, container| {
        let signal = a.signal.unwrap_or(container.config.stop_signal);
        let grace = a.timeout.or(container.config.stop_timeout).unwrap_or(10);
        signals::stop(&front.store, &mut front.story, container, signal, grace)
    })
}

pub fn kill(front: &mut Front, a: &KillArgs) -> Result<i32, Fault> {
    each(front, &a.names, |front, container| {
        signals::kill(&front.store, &mut front.story, container, a.signal.unwrap_or(libc::SIGKILL))
    })
}

pub fn rm(front: &mut Front, a: &RmArgs) -> Result<i32, Fault> {
    // With -f what is not there is not missed, as with Docker 28: said, and no failure.
    let there = |front: &Front, name: &String| {
        !a.force || !matches!(front.store.find_container(name), Err(Fault::NoSuchContainer { .. }))
    };
    let (names, missing): (Vec<String>, Vec<String>) = a.names.iter().cloned().partition(|name| there(front, name));
    for name in missing {
        front.complain(&Fault::NoSuchContainer { name });
    }
    each(front, &names, |front, container| remove::remove(&front.store, &mut front.story, container, a.force))
}

pub fn pause(front: &mut Front, a: &NamesArgs) -> Result<i32, Fault> {
    each(front, &a.names, |front, container| freezer::pause(&mut front.story, container))
}

pub fn unpause(front: &mut Front, a: &NamesArgs) -> Result<i32, Fault> {
    each(front, &a.names, |front, container| freezer::unpause(&mut front.story, container))
}

pub fn cp(front: &mut Front, a: &CpArgs) -> Result<i32, Fault> {
    let options = Options { archive: a.archive, follow: a.follow_link };
    if a.from == "-" || a.to == "-" {
        let instead = Some("docker cp NAME:PATH DIRECTORY".to_string());
        return Err(Fault::Unsupported { what: "cp -".into(), instead });
    }
    match (side(&a.from), side(&a.to)) {
        (Side::Local(local), Side::Container { name, path }) => {
            let container = front.store.find_container(&name)?;
            copy::into_container(&front.store, &mut front.story, &container, &local, &path, options)?;
        }
        (Side::Container { name, path }, Side::Local(local)) => {
            let container = front.store.find_container(&name)?;
            copy::from_container(&front.store, &mut front.story, &container, &path, &local, options)?;
        }
        _ => return Err(Fault::CpDirection),
    }
    front.narrate_last();
    Ok(0)
}
