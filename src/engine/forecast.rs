//! What a command would do, told before it is done: the same steps, and nothing touched.

use super::{builtin, create};
use crate::container::{Container, CreateRequest, NetworkMode};
use crate::fact::{Change, Fact, Fault, FaultPoint, Resolved};
use crate::image::{Image, Reference};
use crate::kernel::{cgroup, signals};
use crate::launch::{Spec, Step, network, plan};
use crate::store::Store;

/// A command, as far as a forecast goes.
#[derive(Debug, Clone)]
pub enum Wish {
    Run(Box<CreateRequest>),
    Create(Box<CreateRequest>),
    Start(Vec<String>),
    /// Containers, and the signal they would get first (None: their own).
    Stop(Vec<String>, Option<i32>),
    Kill(Vec<String>, i32),
    Remove(Vec<String>, bool),
    Freeze(Vec<String>, bool),
    Exec {
        name: String,
        command: Vec<String>,
    },
    Copy {
        from: String,
        to: String,
    },
    Load(String),
    /// It only looks.
    Nothing,
}

/// The facts to come, in order.
pub fn forecast(store: &Store, wish: &Wish) -> Result<Vec<Fact>, Fault> {
    let containers = |names: &[String]| names.iter().map(|n| store.find_container(n)).collect::<Result<Vec<_>, _>>();
    let mut facts = Vec::new();
    match wish {
        Wish::Run(ask) => {
            let config = created(store, ask, &mut facts)?;
            started(store, &config, &mut facts);
        }
        Wish::Create(ask) => drop(created(store, ask, &mut facts)?),
        Wish::Start(names) => {
            for container in containers(names)? {
                started(store, &container, &mut facts);
            }
        }
        Wish::Stop(names, signal) => {
            for container in containers(names)? {
                facts.push(signalled(&container, signal.unwrap_or(super::stop::signal_of(&container))));
                ended(&container, &mut facts);
            }
        }
        Wish::Kill(names, signal) => {
            for container in containers(names)? {
                facts.push(signalled(&container, *signal));
            }
        }
        Wish::Remove(names, force) => {
            for container in containers(names)? {
                removed(&container, *force, &mut facts);
            }
        }
        Wish::Freeze(names, freeze) => {
            for _ in containers(names)? {
                let file = String::new();
                let state = if *freeze { "FROZEN" } else { "THAWED" }.to_string();
                facts.push(if *freeze {
                    Fact::CgroupFrozen { file, state }
                } else {
                    Fact::CgroupThawed { file, state }
                });
            }
        }
        Wish::Exec { name, command } => {
            let container = store.find_container(name)?;
            let mut spec = Spec::of(store, &container, cgroup::layout().group(&container.id));
            spec.process.argv = command.clone();
            facts.extend(plan::exec_steps(&spec).into_iter().flat_map(|step| step.forecast(&spec)));
        }
        Wish::Copy { from, to } => copied(store, from, to, &mut facts)?,
        Wish::Load(path) => facts.push(Fact::ArchiveRead { path: path.clone(), images: 0, layers: 0 }),
        Wish::Nothing => {}
    }
    Ok(facts)
}

/// The image that would be used, without making a built-in one.
fn image(store: &Store, text: &str, facts: &mut Vec<Fact>) -> Result<Option<Image>, Fault> {
    if let Some((image, by)) = store.image(text)? {
        let layers = image.layers.iter().map(|l| l.chain_id.clone()).collect();
        facts.push(Fact::ImageResolved {
            reference: text.into(),
            id: image.id.clone(),
            by,
            layers,
            bytes: image.bytes,
        });
        return Ok(Some(image));
    }
    let reference = Reference::parse(text)?;
    if builtin::which(&reference).is_none() {
        return Err(Fault::NoSuchImage { reference: text.into(), similar: Vec::new() });
    }
    facts.push(Fact::Fallback { what: text.into(), point: FaultPoint::BuiltIn });
    facts.push(Fact::ImageFromHost { reference: reference.familiar(), programs: Vec::new(), server: None });
    facts.push(Fact::ImageResolved {
        reference: text.into(),
        id: String::new(),
        by: Resolved::BuiltIn,
        layers: Vec::new(),
        bytes: 0,
    });
    Ok(None)
}

fn created(store: &Store, ask: &CreateRequest, facts: &mut Vec<Fact>) -> Result<Container, Fault> {
    let image = image(store, &ask.config.image, facts)?;
    let name = ask.name.clone().unwrap_or_default();
    if !name.is_empty()
        && let Some(other) = store.list_containers()?.iter().find(|c| c.name == name)
    {
        return Err(Fault::NameTaken { name, by: other.id.clone() });
    }
    let config = create::planned(ask.clone(), image.as_ref(), name.clone())?;
    facts.push(Fact::ContainerCreated {
        id: String::new(),
        name,
        image: ask.config.image.clone(),
        path: String::new(),
    });
    Ok(config)
}

fn started(store: &Store, container: &Container, facts: &mut Vec<Fact>) {
    let spec = Spec::of(store, &container, cgroup::layout().group(&container.id));
    facts.push(Fact::HelperStarted { pid: 0, role: "monitor".into() });
    for step in plan::steps(&spec) {
        match step {
            Step::Bridge => facts.extend(network::forecast(store)),
            _ => facts.extend(step.forecast(&spec)),
        }
    }
    if container.host_config.network_mode == NetworkMode::Bridge {
        facts.extend(container.ports().iter().map(|port| Fact::Published {
            host_ip: port.host_ip.map(|ip| ip.to_string()).unwrap_or_default(),
            host_port: port.host_port.unwrap_or(0),
            address: String::new(),
            port: port.port,
            proto: port.proto.clone(),
        }));
    }
}

pub(super) fn removed(container: &Container, force: bool, facts: &mut Vec<Fact>) {
    if container.state.live() && force {
        facts.push(signalled(container, libc::SIGKILL));
        ended(container, facts);
    }
    facts.push(Fact::ContainerRemoved { id: container.id.clone(), name: container.name.clone() });
}

fn signalled(container: &Container, signal: i32) -> Fact {
    Fact::Signalled {
        pid: container.state.init().map_or(0, |init| init.pid),
        signal,
        name: signals::name(signal),
        all: false,
    }
}

fn ended(container: &Container, facts: &mut Vec<Fact>) {
    let name = format!("/docent/{}", container.id);
    facts.push(Fact::CgroupRemoved {
        name,
        paths: container.state.life().map(|life| life.cgroups.clone()).unwrap_or_default(),
    });
}

/// What a copy would cover.
fn copied(store: &Store, from: &str, to: &str, facts: &mut Vec<Fact>) -> Result<(), Fault> {
    use super::copy::{Side, side};
    let into_container = matches!(side(to), Side::Container { .. });
    facts.push(Fact::Copied { from: from.into(), to: to.into(), bytes: 0, entries: 0, into_container });
    if let Side::Container { name, path } = side(to) {
        let container = store.find_container(&name)?;
        let path = super::view::absolute(&path);
        if let Some((layer, size)) = super::cow::below(store, &container, &path) {
            let number = container.layers.iter().position(|l| *l == layer).map(|n| n + 1);
            facts.push(Fact::Changed {
                path: path.to_string_lossy().into_owned(),
                change: Change::Covered,
                layer: Some(layer),
                number,
                image: Some(container.config.image.clone()),
                was: Some(size),
                now: None,
            });
        }
    } else if let Side::Container { name, .. } = side(from) {
        drop(store.find_container(&name)?);
    }
    Ok(())
}
