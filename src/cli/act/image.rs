//! `images`, `load`, and an image's JSON.

use super::look::zone;
use crate::cli::context::Context;
use crate::cli::{ImageNames, ImageRow, ImagesArgs, LoadArgs};
use crate::engine::load as archive;
use crate::fact::{Fact, Fault};
use crate::image::{Image, Reference};
use crate::kernel::userfiles::UserFiles;
use crate::store::Store;
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::fs::File;

pub fn images(context: &mut Context, a: &ImagesArgs) -> Result<i32, Fault> {
    let mut rows = Vec::new();
    for image in context.store.images()? {
        rows.extend(rows_of(&image));
    }
    rows.sort_by(|a, b| b.created.cmp(&a.created).then(a.repository.cmp(&b.repository)).then(a.tag.cmp(&b.tag)));
    let text = crate::cli::images(&rows, a, Utc::now(), zone())?;
    context.print(&text);
    Ok(0)
}

/// A line for each of its names; one with `<none>` when it has none.
fn rows_of(image: &Image) -> Vec<ImageRow> {
    let row = |repository: String, tag: String| ImageRow {
        repository,
        tag,
        id: image.id.clone(),
        digest: Some(image.manifest_digest.clone()),
        created: image.config.created.unwrap_or(DateTime::UNIX_EPOCH),
        size: image.bytes,
        labels: image.config.config.labels.clone(),
    };
    let none = || "<none>".to_string();
    let mut rows: Vec<ImageRow> = image
        .names
        .iter()
        .filter_map(|name| Reference::parse(name).ok())
        .map(|r| row(r.familiar_repository(), r.tag().map_or_else(none, str::to_string)))
        .collect();
    if rows.is_empty() {
        rows.push(row(none(), none()));
    }
    rows
}

pub fn load(context: &mut Context, a: &LoadArgs) -> Result<i32, Fault> {
    let loaded = match &a.input {
        Some(path) => {
            let shown = path.to_string_lossy().into_owned();
            let local = |errno| Fault::LocalFile { path: shown.clone(), errno };
            let files = UserFiles::here().map_err(|e| local(e.errno))?;
            let mut file: File = files.open_read(path).map_err(|e| local(e.errno))?;
            archive::load(&context.store, &mut context.story, &mut file, &shown)?
        }
        None => {
            let stdin = std::io::stdin();
            if crate::kernel::terminal::is_terminal(&stdin) {
                let expected = "docker load -i FILE, docker load < FILE".to_string();
                return Err(Fault::BadValue { flag: "--input".into(), value: "-".into(), expected });
            }
            archive::load(&context.store, &mut context.story, &mut stdin.lock(), "-")?
        }
    };
    context.narrate();
    // Docker's words: a name that led to another image no longer does, and that one is nameless now.
    let moved: Vec<String> = context
        .story
        .events()
        .iter()
        .filter_map(|e| match &e.fact {
            Fact::Tagged { reference, was: Some(was), .. } => Some(format!(
                "The image {reference} already exists, renaming the old one with ID {was} to empty string\n"
            )),
            _ => None,
        })
        .collect();
    context.print(&moved.concat());
    for name in loaded {
        let line = if name.starts_with("sha256:") { "Loaded image ID" } else { "Loaded image" };
        context.print(&format!("{line}: {name}\n"));
    }
    Ok(0)
}

/// The image's configuration as the store has it, handed to `show` with its names.
pub fn inspected(
    store: &Store,
    image: &Image,
    show: impl FnOnce(&Value, &ImageNames) -> Value,
) -> Result<Value, Fault> {
    let path = store.blob(&image.id);
    let damaged = |why: String| Fault::StoreDamaged { path: path.to_string_lossy().into_owned(), why };
    let bytes = std::fs::read(&path).map_err(|e| damaged(e.to_string()))?;
    let config: Value = serde_json::from_slice(&bytes).map_err(|e| damaged(e.to_string()))?;
    let references: Vec<Reference> = image.names.iter().filter_map(|n| Reference::parse(n).ok()).collect();
    let names = ImageNames {
        id: image.id.clone(),
        tags: references.iter().map(Reference::familiar).collect(),
        digests: references.iter().map(|r| format!("{}@{}", r.familiar_repository(), image.manifest_digest)).collect(),
        size: image.bytes,
        tagged: None,
    };
    Ok(show(&config, &names))
}
