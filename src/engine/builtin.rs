//! The built-in images: made from this machine's programs when they are first asked for.

use super::import::Import;
use crate::event::{Fact, Fault, FaultPoint, Story, SysError};
use crate::image::host::{BuiltIn, Recipe};
use crate::image::model::ImageConfig;
use crate::image::tarball::LayerError;
use crate::image::{DiffId, Reference};
use crate::store::Store;
use std::path::Path;

/// The built-in image of this name, if it is one: only `tiny` and `nginx`, and of these only the latest.
pub fn which(name: &Reference) -> Option<BuiltIn> {
    match name.canonical().as_str() {
        "docker.io/library/tiny:latest" => Some(BuiltIn::Tiny),
        "docker.io/library/nginx:latest" => Some(BuiltIn::Nginx),
        _ => None,
    }
}

/// Makes it, by the same way as an archive's image comes in, and gives it its name.
///
/// # Errors
/// [`Fault::Step`] when this machine lacks a shell or a file cannot be read or written.
pub fn make(store: &Store, story: &mut Story, which: BuiltIn, name: &Reference) -> Result<(), Fault> {
    // The program that runs, even if its file has been replaced meanwhile.
    make_with(store, story, which, name, Path::new("/proc/self/exe"))
}

/// What [`make`] will tell before it makes layers, whose digests only the making shows; and the image's configuration without them.
pub fn forecast(which: BuiltIn, name: &Reference) -> Result<(Vec<Fact>, ImageConfig), Fault> {
    let recipe = Recipe::of(which, Path::new("/proc/self/exe")).map_err(step)?;
    Ok((decided(&recipe, name).into(), recipe.config(Vec::new())))
}

fn decided(recipe: &Recipe, name: &Reference) -> [Fact; 2] {
    let (programs, server) = (Some(recipe.programs.clone()), recipe.server.clone());
    let fallback = Fact::Fallback { what: name.familiar(), point: FaultPoint::BuiltIn };
    [fallback, Fact::ImageFromHost { reference: name.familiar(), programs, server }]
}

fn step(e: SysError) -> Fault {
    Fault::step("built-in", e)
}

fn make_with(store: &Store, story: &mut Story, which: BuiltIn, name: &Reference, docent: &Path) -> Result<(), Fault> {
    let fault = |error: LayerError| match error {
        LayerError::Store(e) => step(e),
        other => other.fault(&name.familiar()),
    };
    let recipe = Recipe::of(which, docent).map_err(step)?;
    for fact in decided(&recipe, name) {
        story.tell(fact);
    }
    let mut import = Import::begin(store).map_err(fault)?;
    let mut layers = Vec::new();
    for (tree, words) in &recipe.layers {
        let mut blob = import.writer().map_err(step)?;
        tree.write(&mut blob).map_err(|e| step(SysError::io("write", *words, &e)))?;
        layers.push(blob.finish());
    }
    let config = recipe.config(layers.iter().map(|blob| DiffId::of_plain(&blob.digest)).collect());
    let text = serde_json::to_vec(&config).map_err(|e| step(SysError::io("write", "config", &e.into())))?;
    let blob = import.stage(&mut text.as_slice()).map_err(fault)?;
    import.image(blob, &config, &layers, vec![name.clone()]).map_err(fault)?;
    import.finish(story).map(drop)
}
