//! `load`: images from an archive.

use super::import::Import;
use super::plan::{Plan, Scene, Step};
use crate::event::{Event, Fact, Fault, Story};
use crate::image::archive;
use crate::image::tarball::LayerError;
use crate::store::Store;
use std::io::Read;

/// Where an archive comes from: a file by its name for people, opened, or standard input.
pub struct Load {
    pub path: String,
    pub input: Box<dyn Fn() -> Result<Box<dyn Read>, Fault>>,
}

/// Names of what was loaded, in the archive's order.
pub struct Loaded(pub Vec<String>);

impl Load {
    pub fn plan(self) -> Plan {
        Plan::default().then(self)
    }
}

impl Step for Load {
    /// What the archive holds only its reading shows.
    fn forecast(&self, _: &mut Scene<'_>) -> Result<Vec<Fact>, Fault> {
        // Standard input is not ours to read yet.
        if self.path != "-" {
            drop((self.input)()?);
        }
        Ok(vec![Fact::ArchiveRead { path: self.path.clone(), images: None, layers: None }])
    }

    fn apply(&mut self, scene: &mut Scene<'_>, story: &mut Story) -> Result<(), Fault> {
        let loaded = load(scene.store, story, &mut *(self.input)()?, &self.path)?;
        scene.leave(Loaded(loaded));
        Ok(())
    }
}

/// Loads every image of a docker-archive, plain or gzip. `path` is the archive's name for people. Gives the familiar names
/// (or, for an image without one, the id) in the archive's order.
///
/// # Errors
/// [`Fault::Archive`] for an archive that is not what it should be, [`Fault::LocalFile`] when it cannot be read; the store
/// is then as it was.
pub fn load(store: &Store, story: &mut Story, input: &mut dyn Read, path: &str) -> Result<Vec<String>, Fault> {
    let fault = |error: LayerError| error.fault(path);
    let mut import = Import::begin(store).map_err(fault)?;
    let images = archive::read(input, &mut |content| import.stage(content)).map_err(fault)?;
    let layers = images.iter().map(|i| i.layers.len()).sum();
    story.tell(Event::of(
        Fact::ArchiveRead { path: path.into(), images: Some(images.len()), layers: Some(layers) },
        Vec::new(),
    ));
    for image in images {
        import.image(image.config, &image.parsed, &image.layers, image.names).map_err(fault)?;
    }
    import.finish(story)
}

#[cfg(test)]
mod tests;
