//! `cp` as a step: what will be copied where, found without mounting anything.

use super::places::{container_source, container_target, local_source, local_target};
use super::{Options, Side, container_of, from_container, in_container, into_container, local_fault, side};
use crate::container::Container;
use crate::engine::plan::{Plan, Scene, Step};
use crate::engine::upper_diff::{Lowers, covered};
use crate::engine::view;
use crate::event::{Fact, Fault, Story};
use crate::kernel::callers_files::CallersFiles;
use crate::launch::ahead::Root;
use crate::launch::spec::overlay_of;
use crate::store::Store;
use rustix::fs::OFlags;
use std::path::PathBuf;

/// # Errors
/// CpDirection, unless one side is a container's and the other is not; no such container.
pub fn plan(store: &Store, from: &str, to: &str, options: Options) -> Result<Plan, Fault> {
    let (inside, local, into) = match (side(from), side(to)) {
        (Side::Local(local), inside @ Side::Container { .. }) => (inside, local, true),
        (inside @ Side::Container { .. }, Side::Local(local)) => (inside, local, false),
        _ => return Err(Fault::CpDirection),
    };
    let (container, inside) = container_of(store, inside)?;
    Ok(Plan::about(&container).then(Copy { local, inside, into, options }))
}

struct Copy {
    local: PathBuf,
    inside: PathBuf,
    /// Into the container.
    into: bool,
    options: Options,
}

impl Step for Copy {
    fn forecast(&self, scene: &mut Scene<'_>) -> Result<Vec<Fact>, Fault> {
        let (store, container) = (scene.store, scene.container()?);
        self.allowed(container)?;
        let overlay = overlay_of(store, container);
        let running = view::running_root(container).transpose().map_err(|e| Fault::step("view", e))?;
        // A stopped container's files are mounted for the look.
        let mounted = running.is_none().then(|| overlay.fact());
        let root = match running {
            Some(root) => Root::Running(root),
            None => Root::of_layers(store, &overlay.upper, &overlay.lower)?,
        };
        let files = CallersFiles::here().map_err(|e| local_fault(&self.local, e))?;
        let copied = if self.into {
            self.forecast_into(store, container, &root, &files)?
        } else {
            vec![self.forecast_out(container, &root, &files)?]
        };
        Ok(mounted.into_iter().chain(copied).collect())
    }

    fn apply(&mut self, scene: &mut Scene<'_>, story: &mut Story) -> Result<(), Fault> {
        let (store, container) = (scene.store, scene.container()?);
        self.allowed(container)?;
        match self.into {
            true => into_container(store, story, container, &self.local, &self.inside, self.options),
            false => from_container(store, story, container, &self.inside, &self.local, self.options),
        }
    }
}

impl Copy {
    fn allowed(&self, container: &Container) -> Result<(), Fault> {
        match self.into && container.host_config.readonly_rootfs {
            true => Err(Fault::RootFsReadOnly { name: container.name.clone() }),
            false => Ok(()),
        }
    }

    fn forecast_into(
        &self,
        store: &Store,
        container: &Container,
        root: &Root,
        files: &CallersFiles,
    ) -> Result<Vec<Fact>, Fault> {
        let source = local_source(files, &self.local, self.options)?;
        let to = container_target(root, container, &self.inside, &source)?.shown().to_path_buf();
        let (from, shown) = (self.local.as_path().into(), in_container(container, &to));
        let mut facts = vec![Fact::Copied { from, to: shown, bytes: None, entries: None, into_container: true }];
        // What a whole tree covers, only the look at the write layer afterwards says.
        let upper = Root::of_layers(store, &store.container_dir(&container.id).upper(), &[])?;
        let written = upper.open(&to, OFlags::PATH).is_ok();
        let below = || Lowers::of(store, container).visible(&to);
        facts.extend((!source.is_dir && !written).then(below).flatten().map(|below| covered(container, &to, below)));
        Ok(facts)
    }

    fn forecast_out(&self, container: &Container, root: &Root, files: &CallersFiles) -> Result<Fact, Fault> {
        let source = container_source(root, container, &self.inside, self.options)?;
        let target = local_target(files, &self.local, &source)?;
        let (from, to) = (in_container(container, &self.inside), target.shown().into());
        Ok(Fact::Copied { from, to, bytes: None, entries: None, into_container: false })
    }
}
