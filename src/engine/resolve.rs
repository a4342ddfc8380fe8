//! From what a learner typed to an image: here already, built in, or not to be had.

use super::builtin;
use crate::event::{Event, Fact, Fault, Resolved, Story};
use crate::image::{Image, Reference};
use crate::store::Store;

/// Finds the image, and makes it if it is a built-in one that is not here yet.
///
/// # Errors
/// [`Fault::BadReference`], [`Fault::AmbiguousId`]; [`Fault::NoSuchImage`] with names that are here and look alike.
pub fn image(store: &Store, story: &mut Story, text: &str) -> Result<Image, Fault> {
    if let Some((image, by)) = store.image(text)? {
        tell(story, text, &image, by);
        return Ok(image);
    }
    let name = Reference::parse(text)?;
    if let Some(which) = builtin::which(&name) {
        builtin::make(store, story, which, &name)?;
        if let Some((image, _)) = store.image(&name.canonical())? {
            tell(story, text, &image, Resolved::BuiltIn);
            return Ok(image);
        }
    }
    Err(Fault::NoSuchImage { reference: name.familiar(), similar: similar(store, &name)? })
}

fn tell(story: &mut Story, text: &str, image: &Image, by: Resolved) {
    let reference = match by {
        Resolved::Id => text.to_string(),
        _ => Reference::parse(text).map_or(text.to_string(), |name| name.familiar()),
    };
    let (id, layers, bytes) =
        (image.id.to_string(), image.chain().iter().map(ToString::to_string).collect(), image.bytes);
    story.tell(Event::of(
        Fact::ImageResolved { reference, id: Some(id), by, layers: Some(layers), bytes: Some(bytes) },
        Vec::new(),
    ));
}

/// Names that are here and differ from this one by a slip of the pen, or only in the tag or the registry.
fn similar(store: &Store, name: &Reference) -> Result<Vec<String>, Fault> {
    let last = |r: &Reference| r.repository().rsplit('/').next().unwrap_or_default().to_string();
    let asked = last(name);
    let images = store.images()?;
    let built_in = ["nginx".to_string(), "tiny".to_string()];
    let names = images.iter().flat_map(|i| &i.names).chain(&built_in).filter_map(|n| Reference::parse(n).ok());
    let mut close: Vec<(usize, String)> = names
        .map(|n| (distance(&asked, &last(&n)), n.familiar()))
        .filter(|(far, _)| *far <= 2 && *far < asked.len())
        .collect();
    close.sort();
    close.dedup();
    close.truncate(5);
    Ok(close.into_iter().map(|(_, name)| name).collect())
}

/// Levenshtein's: letters to change, add or leave out.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (y, &above) in b.iter().zip(row.iter().skip(1)) {
            left = (above + 1).min(left + 1).min(diagonal + usize::from(x != *y));
            diagonal = above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_letters() {
        for (a, b, far) in
            [("nginx", "nginx", 0), ("ngnix", "nginx", 2), ("ngin", "nginx", 1), ("", "ab", 2), ("한글", "한국", 1)]
        {
            assert_eq!(distance(a, b), far, "{a} {b}");
        }
    }
}
