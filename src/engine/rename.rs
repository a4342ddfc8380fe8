//! `rename`: another name for a container. It is the only thing about one that can change; its host name stays as it is.

use crate::container::Container;
use crate::event::{Fact, Fault, Story};
use crate::store::Store;

pub fn rename(store: &Store, story: &mut Story, container: &Container, name: &str) -> Result<(), Fault> {
    let lock = store.lock().map_err(|e| Fault::step("lock", e))?;
    // As it is now that nobody else can change it.
    let gone = || Fault::NoSuchContainer { name: container.name.clone() };
    let container = store.container_by_id(&container.id)?.ok_or_else(gone)?;
    allowed(store, &container, name)?;
    let deed = store.rename_container(&container, name).map_err(|e| Fault::step("rename", e))?;
    drop(lock);
    deed.tell(story);
    Ok(())
}

pub fn forecast(store: &Store, container: Container, name: &str) -> Result<Vec<Fact>, Fault> {
    allowed(store, &container, name)?;
    Ok(vec![Fact::ContainerRenamed { id: container.id, name: name.into(), was: container.name }])
}

fn allowed(store: &Store, container: &Container, name: &str) -> Result<(), Fault> {
    let (id, name) = (&container.id, name.to_string());
    match store.known_containers()?.into_iter().find(|other| other.name == name) {
        None => Ok(()),
        Some(other) if other.id == *id => Err(Fault::SameName { name }),
        Some(other) => Err(Fault::NameTaken { name, by: other.id }),
    }
}
