//! `load`: images from an archive.

use super::import::Import;
use super::plan::{Plan, Scene, Step};
use crate::event::{Fact, Fault, Story, SysError};
use crate::image::archive;
use crate::image::tarball::LayerError;
use crate::kernel::callers_files::CallersFiles;
use crate::store::Store;
use std::io::Read;
use std::path::PathBuf;

/// The archive's file; None is standard input.
pub struct Load(pub Option<PathBuf>);

/// Names of what was loaded, in the archive's order.
pub struct Loaded(pub Vec<String>);

impl Load {
    pub fn plan(self) -> Plan {
        Plan::default().then(self)
    }

    /// The archive's name for people.
    fn shown(&self) -> String {
        self.0.as_ref().map_or("-".into(), |path| path.to_string_lossy().into_owned())
    }

    fn local(&self, e: &SysError) -> Fault {
        Fault::LocalFile { path: self.shown(), call: e.call.clone(), errno: e.errno }
    }
}

impl Step for Load {
    /// What the archive holds only its reading shows. To open it would do something already, if it is a FIFO or a device.
    fn forecast(&self, _: &mut Scene<'_>) -> Result<Vec<Fact>, Fault> {
        if let Some(path) = &self.0 {
            let found = CallersFiles::here().and_then(|files| files.metadata(path)).map_err(|e| self.local(&e))?;
            if found.is_dir() {
                return Err(self.local(&SysError::new("read", self.shown(), libc::EISDIR)));
            }
        }
        Ok(vec![Fact::ArchiveRead { path: self.shown(), images: None, layers: None }])
    }

    fn apply(&mut self, scene: &mut Scene<'_>, story: &mut Story) -> Result<(), Fault> {
        let mut input: Box<dyn Read> = match &self.0 {
            Some(path) => {
                Box::new(CallersFiles::here().and_then(|files| files.open_read(path)).map_err(|e| self.local(&e))?)
            }
            None => Box::new(std::io::stdin().lock()),
        };
        let loaded = load(scene.store, story, &mut *input, &self.shown())?;
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
    story.tell(Fact::ArchiveRead { path: path.into(), images: Some(images.len()), layers: Some(layers) });
    for image in images {
        import.image(image.config, &image.parsed, &image.layers, image.names).map_err(fault)?;
    }
    import.finish(story)
}

#[cfg(test)]
mod tests;
