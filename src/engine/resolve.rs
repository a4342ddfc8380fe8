//! From what a learner typed to an image: here already, built in, or not to be had.

use super::builtin;
use super::plan::{Scene, Step};
use crate::event::{Fact, Fault, Resolved, Story};
use crate::image::model::ImageConfig;
use crate::image::{Image, Reference};
use crate::store::Store;

/// What a container is made of.
pub struct Base {
    pub config: ImageConfig,
    /// None: in a forecast, of an image that is yet to be made.
    pub image: Option<Image>,
}

impl From<Image> for Base {
    fn from(image: Image) -> Base {
        Base { config: image.config.clone(), image: Some(image) }
    }
}

/// Leaves the container's [`Base`] for the steps that follow.
pub struct Resolve(pub String);

impl Step for Resolve {
    fn forecast(&self, scene: &mut Scene<'_>) -> Result<Vec<Fact>, Fault> {
        if let Some((image, by)) = scene.store.image(&self.0)? {
            let fact = found(&self.0, Some(&image), by);
            scene.leave(Base::from(image));
            return Ok(vec![fact]);
        }
        let name = Reference::parse(&self.0)?;
        let Some(which) = builtin::which(&name) else { return Err(missing(scene.store, &name)?) };
        let (mut facts, config) = builtin::forecast(which, &name)?;
        scene.leave(Base { config, image: None });
        facts.push(found(&self.0, None, Resolved::BuiltIn));
        Ok(facts)
    }

    fn apply(&mut self, scene: &mut Scene<'_>, story: &mut Story) -> Result<(), Fault> {
        let image = image(scene.store, story, &self.0)?;
        scene.leave(Base::from(image));
        Ok(())
    }
}

/// Finds the image, and makes it if it is a built-in one that is not here yet.
///
/// # Errors
/// [`Fault::BadReference`], [`Fault::AmbiguousId`]; [`Fault::NoSuchImage`] with names that are here and look alike.
pub fn image(store: &Store, story: &mut Story, text: &str) -> Result<Image, Fault> {
    if let Some((image, by)) = store.image(text)? {
        story.tell(found(text, Some(&image), by));
        return Ok(image);
    }
    let name = Reference::parse(text)?;
    if let Some(which) = builtin::which(&name) {
        builtin::make(store, story, which, &name)?;
        if let Some((image, _)) = store.image(&name.canonical())? {
            story.tell(found(text, Some(&image), Resolved::BuiltIn));
            return Ok(image);
        }
    }
    Err(missing(store, &name)?)
}

fn missing(store: &Store, name: &Reference) -> Result<Fault, Fault> {
    Ok(Fault::NoSuchImage { reference: name.familiar(), similar: similar(store, name)? })
}

fn found(text: &str, image: Option<&Image>, by: Resolved) -> Fact {
    let reference = match by {
        Resolved::Id => text.to_string(),
        _ => Reference::parse(text).map_or(text.to_string(), |name| name.familiar()),
    };
    let (id, layers, bytes) = (
        image.map(|i| i.id.to_string()),
        image.map(|i| i.layers.iter().map(|layer| layer.diff_id.to_string()).collect()),
        image.map(|i| i.bytes),
    );
    Fact::ImageResolved { reference, id, by, layers, bytes }
}

/// Names that are here and differ from this one by a typing error, or only in the tag or the registry.
fn similar(store: &Store, name: &Reference) -> Result<Vec<String>, Fault> {
    let last = |r: &Reference| r.repository().rsplit('/').next().unwrap_or_default().to_string();
    let asked = last(name);
    let images = store.images()?;
    let built_in = ["nginx".to_string(), "tiny".to_string()];
    let names = images.iter().flat_map(|i| &i.names).chain(&built_in).filter_map(|n| Reference::parse(n).ok());
    let mut close: Vec<(usize, String)> = names
        .map(|n| (strsim::levenshtein(&asked, &last(&n)), n.familiar()))
        .filter(|(far, _)| *far <= 2 && *far < asked.len())
        .collect();
    close.sort();
    close.dedup();
    close.truncate(5);
    Ok(close.into_iter().map(|(_, name)| name).collect())
}
