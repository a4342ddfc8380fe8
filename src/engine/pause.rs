//! `pause` and `unpause`: the freezer stops every process of the container where it stands, at once. Nothing is copied and
//! nothing is asked of the program; its memory stays where it is.

use super::plan::{Plan, Scene, Step};
use crate::container::{Container, State, Status};
use crate::event::{Fact, Fault, Story};
use crate::kernel::cgroup::Group;
use crate::store::Store;

pub fn plan(container: &Container, freeze: bool) -> Plan {
    Plan::about(container).then(Freeze(freeze))
}

/// Or thaw.
struct Freeze(bool);

impl Freeze {
    fn group(&self, store: &Store, container: &Container) -> Result<Group, Fault> {
        let (name, id) = (container.name.clone(), container.id.clone());
        match (container.state.status(), self.0) {
            (Status::Running, true) | (Status::Paused, false) => {}
            (Status::Paused, true) => return Err(Fault::AlreadyPaused { name, id: id.to_string() }),
            (Status::Running, false) => return Err(Fault::NotPaused { name, id: id.to_string() }),
            _ => return Err(Fault::NotRunning { name, id: id.to_string() }),
        }
        let refused = || Fault::LimitRefused { limit: "freezer".into(), why: "no freezer cgroup".into() };
        store.group(&container.id).filter(|g| g.can_freeze()).ok_or_else(refused)
    }
}

impl Step for Freeze {
    fn forecast(&self, scene: &mut Scene<'_>) -> Result<Vec<Fact>, Fault> {
        let container = scene.container()?;
        let facts = self.group(scene.store, container)?.freezing(self.0).into_iter().collect();
        let state = match container.state.clone() {
            State::Running(life) | State::Paused(life) if self.0 => State::Paused(life),
            State::Paused(life) => State::Running(life),
            other => other,
        };
        scene.foresee(Some(state));
        Ok(facts)
    }

    fn apply(&mut self, scene: &mut Scene<'_>, story: &mut Story) -> Result<(), Fault> {
        let container = scene.container()?;
        let deed = self.group(scene.store, container)?.freeze(self.0).map_err(|e| Fault::step("freezer", e))?;
        deed.of_container(&container.id).tell(story);
        Ok(())
    }
}
