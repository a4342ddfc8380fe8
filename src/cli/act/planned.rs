//! A parsed command as a wish that can be forecast.

use super::run::request;
use crate::cli::Verb;
use crate::engine::forecast::Wish;
use crate::fact::Fault;

pub fn wish(verb: &Verb) -> Result<Wish, Fault> {
    Ok(match verb {
        Verb::Run(a) => Wish::Run(Box::new(request(&a.create, a.detach)?)),
        Verb::Create(a) => Wish::Create(Box::new(request(a, true)?)),
        Verb::Start(a) => Wish::Start(a.names.clone()),
        Verb::Stop(a) => Wish::Stop(a.names.clone(), a.signal),
        Verb::Kill(a) => Wish::Kill(a.names.clone(), a.signal.unwrap_or(libc::SIGKILL)),
        Verb::Rm(a) => Wish::Remove(a.names.clone(), a.force),
        Verb::Pause(a) => Wish::Freeze(a.names.clone(), true),
        Verb::Unpause(a) => Wish::Freeze(a.names.clone(), false),
        Verb::Exec(a) => match a.line.split_first() {
            Some((name, command)) => Wish::Exec { name: name.clone(), command: command.to_vec() },
            None => Wish::Nothing,
        },
        Verb::Cp(a) => Wish::Copy { from: a.from.clone(), to: a.to.clone() },
        Verb::Load(a) => Wish::Load(a.input.as_ref().map_or("-".into(), |p| p.to_string_lossy().into_owned())),
        _ => Wish::Nothing,
    })
}
