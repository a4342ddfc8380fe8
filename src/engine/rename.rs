//! `rename`: another name for a container. It is the only thing about one that can change; its host name stays as it is.

use super::plan::{Plan, Scene, Step};
use crate::container::Container;
use crate::event::{Fact, Fault, Story};
use crate::store::Store;

pub fn plan(container: &Container, name: &str) -> Plan {
    Plan::about(container).then(Rename(name.into()))
}

struct Rename(String);

impl Rename {
    fn allowed(&self, store: &Store, container: &Container) -> Result<(), Fault> {
        let name = self.0.clone();
        match store.names().into_iter().find(|(_, other)| *other == name) {
            None => Ok(()),
            Some((id, _)) if id == container.id => Err(Fault::SameName { name }),
            Some((id, _)) => Err(Fault::NameTaken { name, by: id.to_string() }),
        }
    }
}

impl Step for Rename {
    fn forecast(&self, scene: &mut Scene<'_>) -> Result<Vec<Fact>, Fault> {
        let container = scene.container()?;
        self.allowed(scene.store, container)?;
        let (id, name, was) = (container.id.clone(), self.0.clone(), container.name.clone());
        Ok(vec![Fact::ContainerRenamed { id: id.to_string(), name, was }])
    }

    fn apply(&mut self, scene: &mut Scene<'_>, story: &mut Story) -> Result<(), Fault> {
        let (store, container) = (scene.store, scene.container()?);
        let lock = store.lock().map_err(|e| Fault::step("lock", e))?;
        // As it is now that nobody else can change it.
        let gone = || Fault::NoSuchContainer { name: container.name.clone() };
        let container = store.container_by_id(&container.id)?.ok_or_else(gone)?;
        self.allowed(store, &container)?;
        let deed = store.rename_container(&container, &self.0).map_err(|e| Fault::step("rename", e))?;
        drop(lock);
        deed.tell(story);
        Ok(())
    }
}
