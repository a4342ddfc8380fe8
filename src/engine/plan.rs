//! One plan for every verb: its steps in order, over what they find and make.
//!
//! A step carries its data, says what it will tell and whether it can be known already that it would fail, applies itself, and
//! is undone when a later one fails. `explain -- COMMAND` asks the steps for their forecasts, the command itself applies the
//! same ones, so there are not two stories of it.

use crate::container::{Container, ContainerId, Port, State};
use crate::event::{Fact, Fault, Story, SysError};
use crate::store::Store;
use std::any::{Any, TypeId};
use std::collections::{BTreeMap, HashMap};

pub trait Step {
    /// What it will tell, without what only its doing will show (inodes, pids, a new container's id: `…`). It leaves the scene
    /// as it would then be, and changes nothing else.
    ///
    /// Errors: what [`Step::apply`] would fail with, as far as a look can know.
    fn forecast(&self, scene: &mut Scene<'_>) -> Result<Vec<Fact>, Fault>;

    /// Errors: what could not be done; what this step had done until then it has undone itself.
    fn apply(&mut self, scene: &mut Scene<'_>, story: &mut Story) -> Result<(), Fault>;

    /// Undoes it, down to what Docker too leaves, after a later step has failed.
    fn undo(&mut self, _: &mut Scene<'_>, _: &mut Story) -> Result<(), Fault> {
        Ok(())
    }
}

/// What there is, and what the steps before have left for those that follow, one of a type.
pub struct Scene<'a> {
    pub store: &'a Store,
    container: Option<Container>,
    left: HashMap<TypeId, Box<dyn Any>>,
    /// For a forecast: the ports that earlier plans of the command will have published, with the container of each.
    pub published: Vec<(String, Port)>,
}

impl Scene<'_> {
    /// The container that the verb is about, or has made.
    pub fn container(&self) -> Result<&Container, Fault> {
        self.container.as_ref().ok_or_else(|| Fault::step("plan", SysError::new("find", "container", libc::ENOENT)))
    }

    pub fn set_container(&mut self, container: Container) {
        self.container = Some(container);
    }

    /// For a forecast: the container's state as it will then be; None: it will be gone.
    pub fn foresee(&mut self, state: Option<State>) {
        self.container = self.container.take().zip(state).map(|(container, state)| Container { state, ..container });
    }

    pub fn leave<T: 'static>(&mut self, what: T) {
        drop(self.left.insert(TypeId::of::<T>(), Box::new(what)));
    }

    pub fn take<T: 'static>(&mut self) -> Option<T> {
        self.left.remove(&TypeId::of::<T>()).and_then(|what| what.downcast().ok()).map(|what| *what)
    }
}

struct Failing(Fault);

impl Step for Failing {
    fn forecast(&self, _: &mut Scene<'_>) -> Result<Vec<Fact>, Fault> {
        Err(self.0.clone())
    }

    fn apply(&mut self, _: &mut Scene<'_>, _: &mut Story) -> Result<(), Fault> {
        Err(self.0.clone())
    }
}

#[derive(Default)]
pub struct Plan {
    steps: Vec<Box<dyn Step>>,
    container: Option<Container>,
    /// Its id.
    about: Option<ContainerId>,
    /// How it was asked for.
    name: String,
}

/// What a plan would do.
#[derive(Debug, Default)]
pub struct Forecast {
    pub facts: Vec<Fact>,
    /// Where it would end, if that can be known.
    pub fault: Option<Fault>,
}

/// What the plans of one command will have done so far: each container that one was about as it will then be, None when it
/// will be gone.
#[derive(Default)]
pub struct Foreseen(BTreeMap<ContainerId, Option<Container>>);

impl Plan {
    /// A verb about this container.
    pub fn about(container: &Container) -> Plan {
        let about = Some(container.id.clone());
        Plan { container: Some(container.clone()), about, name: container.name.clone(), ..Plan::default() }
    }

    /// One about a container whose files cannot be read.
    pub fn about_damaged(id: &ContainerId) -> Plan {
        Plan { about: Some(id.clone()), name: id.as_str().into(), ..Plan::default() }
    }

    /// The word by which its container was asked for, and will be again.
    pub fn named(self, name: &str) -> Plan {
        Plan { name: name.strip_prefix('/').unwrap_or(name).into(), ..self }
    }

    /// A verb that cannot be carried out.
    pub fn failing(fault: Fault) -> Plan {
        Plan::default().then(Failing(fault))
    }

    pub fn then(mut self, step: impl Step + 'static) -> Plan {
        self.steps.push(Box::new(step));
        self
    }

    fn scene<'a>(&mut self, store: &'a Store) -> Scene<'a> {
        Scene { store, container: self.container.take(), left: HashMap::new(), published: Vec::new() }
    }

    /// `foreseen`: by the plans before it; then by this one too.
    pub fn forecast(mut self, store: &Store, foreseen: &mut Foreseen) -> Forecast {
        let mut forecast = Forecast::default();
        let about = self.about.take();
        match about.as_ref().and_then(|id| foreseen.0.get(id)) {
            Some(None) => {
                forecast.fault = Some(Fault::NoSuchContainer { name: self.name });
                return forecast;
            }
            Some(now) => self.container = now.clone(),
            None => {}
        }
        let ports = |container: &Container| {
            let ports = container.state.life().map(|life| life.ports.clone()).unwrap_or_default();
            ports.into_iter().map(|port| (container.name.clone(), port)).collect::<Vec<_>>()
        };
        let published = foreseen.0.values().flatten().flat_map(ports).collect();
        let mut scene = Scene { published, ..self.scene(store) };
        for step in &self.steps {
            match step.forecast(&mut scene) {
                Ok(facts) => forecast.facts.extend(facts),
                Err(fault) => {
                    forecast.fault = Some(fault);
                    break;
                }
            }
        }
        // What fails leaves things as they were.
        if let Some(id) = about.filter(|_| forecast.fault.is_none()) {
            foreseen.0.insert(id, scene.container);
        }
        forecast
    }

    /// Gives what the steps have left. Errors: the first that failed; what came before it has been undone.
    pub fn apply<'a>(mut self, store: &'a Store, story: &mut Story) -> Result<Scene<'a>, Fault> {
        let mut scene = self.scene(store);
        for n in 0..self.steps.len() {
            let (done, rest) = self.steps.split_at_mut(n);
            let Some(fault) = rest.first_mut().and_then(|step| step.apply(&mut scene, story).err()) else { continue };
            story.tell_failure(&fault);
            for step in done.iter_mut().rev() {
                step.undo(&mut scene, story).inspect_err(|fault| story.tell_failure(fault))?;
            }
            return Err(fault);
        }
        Ok(scene)
    }
}
