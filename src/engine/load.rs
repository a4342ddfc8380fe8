//! `load`: images from an archive.

use super::import::Import;
use crate::event::{Event, Fact, Fault, Story};
use crate::image::archive;
use crate::image::tarball::Trouble;
use crate::store::Store;
use std::io::Read;

/// Loads every image of a docker-archive, plain or gzip. `path` is the archive's name for people. Gives the familiar names
/// (or, for an image without one, the id) in the archive's order.
///
/// # Errors
/// [`Fault::Archive`] for an archive that is not what it should be, [`Fault::LocalFile`] when it cannot be read; the store
/// is then as it was.
pub fn load(store: &Store, story: &mut Story, input: &mut dyn Read, path: &str) -> Result<Vec<String>, Fault> {
    let fault = |trouble: Trouble| trouble.fault(path);
    let mut import = Import::begin(store).map_err(fault)?;
    let images = archive::read(input, &mut |content| import.spool(content)).map_err(fault)?;
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
