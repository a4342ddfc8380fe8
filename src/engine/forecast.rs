//! What a command would do, told before it is done: the same steps, and nothing touched.

use super::{builtin, create};
use crate::container::{Container, CreateRequest};
use crate::event::{Change, Fact, Fault, FaultPoint, Resolved};
use crate::image::{Image, Reference};
use crate::kernel::{cgroup, signals};
use crate::launch::ahead::{Ahead, Root};
use crate::launch::{Spec, sequence};
use crate::store::Store;

/// The containers of these names.
fn containers(store: &Store, names: &[String]) -> Result<Vec<Container>, Fault> {
    names.iter().map(|name| store.find_container(name)).collect()
}

pub fn run(store: &Store, ask: &CreateRequest) -> Result<Vec<Fact>, Fault> {
    let mut facts = Vec::new();
    let config = created(store, ask, &mut facts)?;
    started(store, &config, &mut facts)?;
    Ok(facts)
}

pub fn create(store: &Store, ask: &CreateRequest) -> Result<Vec<Fact>, Fault> {
    let mut facts = Vec::new();
    drop(created(store, ask, &mut facts)?);
    Ok(facts)
}

pub fn start(store: &Store, names: &[String]) -> Result<Vec<Fact>, Fault> {
    let mut facts = Vec::new();
    for container in containers(store, names)? {
        started(store, &container, &mut facts)?;
    }
    Ok(facts)
}

/// `signal` is the one that they would get first (None: their own).
pub fn stop(store: &Store, names: &[String], signal: Option<i32>) -> Result<Vec<Fact>, Fault> {
    let stopped = |c: Container| [signalled(&c, signal.unwrap_or(super::stop::signal_of(&c))), ended(&c)];
    Ok(containers(store, names)?.into_iter().flat_map(stopped).collect())
}

pub fn kill(store: &Store, names: &[String], signal: i32) -> Result<Vec<Fact>, Fault> {
    Ok(containers(store, names)?.iter().map(|c| signalled(c, signal)).collect())
}

pub fn remove(store: &Store, names: &[String], force: bool) -> Result<Vec<Fact>, Fault> {
    let mut facts = Vec::new();
    for container in containers(store, names)? {
        removed(&container, force, &mut facts);
    }
    Ok(facts)
}

pub fn freeze(store: &Store, names: &[String], freeze: bool) -> Result<Vec<Fact>, Fault> {
    let fact = |_| match freeze {
        true => Fact::CgroupFrozen { file: None, state: "FROZEN".into() },
        false => Fact::CgroupThawed { file: None, state: "THAWED".into() },
    };
    Ok(containers(store, names)?.into_iter().map(fact).collect())
}

pub fn exec(store: &Store, name: &str, command: &[String]) -> Result<Vec<Fact>, Fault> {
    let container = store.find_container(name)?;
    let mut spec = Spec::of(store, &container, cgroup::layout().group(&container.id));
    spec.process.argv = command.to_vec();
    let ahead =
        Ahead { store: Some(store), name: &container.name, root: None, init: container.state.init().map(|i| i.pid) };
    let mut facts = Vec::new();
    for step in sequence::exec(&spec) {
        facts.extend(step.forecast(&spec, &ahead)?);
    }
    Ok(facts)
}

pub fn load(path: String) -> Vec<Fact> {
    vec![Fact::ArchiveRead { path, images: None, layers: None }]
}

/// The image that would be used, without making a built-in one.
fn image(store: &Store, text: &str, facts: &mut Vec<Fact>) -> Result<Option<Image>, Fault> {
    if let Some((image, by)) = store.image(text)? {
        let layers = image.chain().iter().map(ToString::to_string).collect();
        facts.push(Fact::ImageResolved {
            reference: text.into(),
            id: Some(image.id.to_string()),
            by,
            layers: Some(layers),
            bytes: Some(image.bytes),
        });
        return Ok(Some(image));
    }
    let reference = Reference::parse(text)?;
    if builtin::which(&reference).is_none() {
        return Err(Fault::NoSuchImage { reference: text.into(), similar: Vec::new() });
    }
    facts.push(Fact::Fallback { what: text.into(), point: FaultPoint::BuiltIn });
    facts.push(Fact::ImageFromHost { reference: reference.familiar(), programs: None, server: None });
    facts.push(Fact::ImageResolved {
        reference: text.into(),
        id: None,
        by: Resolved::BuiltIn,
        layers: None,
        bytes: None,
    });
    Ok(None)
}

fn created(store: &Store, ask: &CreateRequest, facts: &mut Vec<Fact>) -> Result<Container, Fault> {
    let image = image(store, &ask.config.image, facts)?;
    if let Some(name) = &ask.name
        && let Some(other) = store.known_containers()?.iter().find(|c| c.name == *name)
    {
        return Err(Fault::NameTaken { name: name.clone(), by: other.id.clone() });
    }
    let config = create::planned(ask.clone(), image.as_ref(), ask.name.clone().unwrap_or_default())?;
    facts.push(Fact::ContainerCreated {
        id: None,
        name: ask.name.clone(),
        image: ask.config.image.clone(),
        path: None,
    });
    Ok(config)
}

fn started(store: &Store, container: &Container, facts: &mut Vec<Fact>) -> Result<(), Fault> {
    let spec = Spec::of(store, container, cgroup::layout().group(&container.id));
    facts.push(Fact::HelperStarted { pid: None, role: "monitor".into() });
    let root = container.layers.first().map(|_| Root::of_layers(&spec.root.upper, &spec.root.lower));
    let ahead = Ahead { store: Some(store), name: &container.name, root, init: None };
    for step in sequence::launch(&spec) {
        facts.extend(step.forecast(&spec, &ahead)?);
    }
    Ok(())
}

pub(super) fn removed(container: &Container, force: bool, facts: &mut Vec<Fact>) {
    if container.state.live() && force {
        facts.extend([signalled(container, libc::SIGKILL), ended(container)]);
    }
    facts.push(Fact::ContainerRemoved { id: container.id.clone(), name: container.name.clone() });
}

fn signalled(container: &Container, signal: i32) -> Fact {
    Fact::Signalled {
        pid: container.state.init().map(|init| init.pid),
        signal,
        name: signals::name(signal),
        all: false,
    }
}

fn ended(container: &Container) -> Fact {
    let name = format!("/docent/{}", container.id);
    let paths = container.state.life().map(|life| life.cgroups.clone()).unwrap_or_default();
    Fact::CgroupRemoved { name, paths }
}

/// What a copy would cover.
pub fn copy(store: &Store, from: &str, to: &str) -> Result<Vec<Fact>, Fault> {
    use super::copy::{Side, side};
    let into_container = matches!(side(to), Side::Container { .. });
    let mut facts = vec![Fact::Copied { from: from.into(), to: to.into(), bytes: None, entries: None, into_container }];
    if let Side::Container { name, path } = side(to) {
        let container = store.find_container(&name)?;
        let path = super::view::absolute(&path);
        if let Some((layer, size)) = super::cow::below(store, &container, &path) {
            let number = container.layers.iter().position(|l| *l == layer).map(|n| n + 1);
            facts.push(Fact::Changed {
                path: path.to_string_lossy().into_owned(),
                change: Change::Covered,
                layer: Some(layer.to_string()),
                number,
                image: Some(container.config.image.clone()),
                was: Some(size),
                now: None,
            });
        }
    } else if let Side::Container { name, .. } = side(from) {
        drop(store.find_container(&name)?);
    }
    Ok(facts)
}
