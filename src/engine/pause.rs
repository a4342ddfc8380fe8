//! `pause` and `unpause`: the freezer stops every process of the container where it stands, at once. Nothing is copied and
//! nothing is asked of the program; its memory stays where it is.

use crate::container::{Container, Status};
use crate::event::{Fault, Story};
use crate::kernel::cgroup;

pub fn pause(story: &mut Story, container: &Container) -> Result<(), Fault> {
    let (name, id) = (container.name.clone(), container.id.clone());
    match container.state.status() {
        Status::Running => set(story, container, true),
        Status::Paused => Err(Fault::IsPaused { name, id }),
        _ => Err(Fault::NotRunning { name, id }),
    }
}

pub fn unpause(story: &mut Story, container: &Container) -> Result<(), Fault> {
    let (name, id) = (container.name.clone(), container.id.clone());
    match container.state.status() {
        Status::Paused => set(story, container, false),
        Status::Running => Err(Fault::NotPaused { name, id }),
        _ => Err(Fault::NotRunning { name, id }),
    }
}

fn set(story: &mut Story, container: &Container, freeze: bool) -> Result<(), Fault> {
    let refused = || Fault::LimitRefused { limit: "freezer".into(), why: "no freezer cgroup".into() };
    let group = cgroup::layout().group(&container.id).filter(|g| g.can_freeze()).ok_or_else(refused)?;
    let deed = group.freeze(freeze).map_err(|e| Fault::step("freezer", e))?;
    deed.of_container(&container.id).tell(story);
    Ok(())
}
