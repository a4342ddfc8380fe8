//! Reads a docker-archive (`docker save`, `podman save`): a tar of layers, configurations and one `manifest.json`.
//!
//! The input is read once, from front to back, since it may be a pipe: each member is handed on as it comes (to be written
//! to `tmp/` with its digest), and `manifest.json`, which mostly comes last, then says what each one was. Both layouts are
//! read: `<id>/layer.tar` with links between them, and `blobs/sha256/<hex>`. Nothing is believed that a digest can check.

use super::digest::BlobDigest;
use super::model::{ImageConfig, StagedBlob};
use super::reference::Reference;
use super::tarball::{Kind, LayerError, Member, Tar, compression, too_large};
use crate::event::ArchiveFlaw;
use flate2::bufread::MultiGzDecoder;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufReader, Read};

/// Members of one archive: three for each layer, so this is far beyond any image.
const MAX_MEMBERS: u64 = 20_000;
/// Layers of one image: what overlayfs can stack.
pub const MAX_LAYERS: usize = 500;
/// Images of one archive.
const MAX_IMAGES: usize = 500;
/// Names of one archive, of all its images together: each becomes an entry of the store's index.
const MAX_NAMES: usize = 1000;
/// `manifest.json` and configurations, as containerd has it.
const MAX_DOCUMENT: u64 = 8 << 20;

/// One image of an archive, its documents checked, its layers not yet.
#[derive(Debug)]
pub struct ArchivedImage {
    pub config: StagedBlob,
    pub parsed: ImageConfig,
    /// The lowest first, as many as `parsed` has diff IDs.
    pub layers: Vec<StagedBlob>,
    pub names: Vec<Reference>,
}

/// One entry of `manifest.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Option<Vec<String>>,
}

/// Where a member's content went.
#[derive(Debug, Clone)]
enum Content {
    Kept(StagedBlob),
    /// Older archives hold a layer that two images share once, and a link for the other.
    Link(String),
}

/// Reads the whole archive; `stage` writes one member's content to where it can be read again.
///
/// # Errors
/// What is wrong with the archive, or the error of the input or of `stage`.
pub fn read(
    input: &mut dyn Read,
    stage: &mut dyn FnMut(&mut dyn Read) -> Result<StagedBlob, LayerError>,
) -> Result<Vec<ArchivedImage>, LayerError> {
    let (input, _) = plain(input)?;
    let mut tar = Tar::new(input);
    let mut members: HashMap<String, Content> = HashMap::new();
    let mut count = 0;
    while let Some(member) = tar.next()? {
        count += 1;
        if count > MAX_MEMBERS {
            return Err(too_large("members", MAX_MEMBERS));
        }
        let name = join("", &member.name());
        match member.kind {
            Kind::File => {
                let kept = keep(&mut tar, &member, stage)?;
                check_name(&name, &kept)?;
                members.insert(name, Content::Kept(kept));
            }
            Kind::Symlink | Kind::HardLink => {
                let base =
                    if member.kind == Kind::Symlink { name.rsplit_once('/').map_or("", |(dir, _)| dir) } else { "" };
                let target = join(base, &String::from_utf8_lossy(&member.link));
                members.insert(name, Content::Link(target));
            }
            _ => {}
        }
    }
    tar.drain()?;
    if count == 0 {
        return Err(ArchiveFlaw::Empty.into());
    }
    let manifest = members.get("manifest.json").ok_or(ArchiveFlaw::NoManifest)?;
    let entries: Vec<Entry> = match manifest {
        Content::Kept(kept) => document("manifest.json", kept)?,
        Content::Link(_) => return Err(ArchiveFlaw::NoManifest.into()),
    };
    if entries.is_empty() {
        return Err(ArchiveFlaw::Empty.into());
    }
    // `docker save` names an image once, with all its tags. Each entry keeps a configuration in memory.
    let configs: HashSet<String> = entries.iter().map(|e| join("", &e.config)).collect();
    if configs.len() < entries.len() {
        let why = "one Config in several entries".into();
        return Err(ArchiveFlaw::BadJson { member: "manifest.json".into(), why }.into());
    }
    if entries.len() > MAX_IMAGES {
        return Err(too_large("images", MAX_IMAGES as u64));
    }
    let found = entries.iter().map(|e| e.repo_tags.as_ref().map_or(0, Vec::len)).sum();
    if found > MAX_NAMES {
        return Err(ArchiveFlaw::TooManyNames { found, limit: MAX_NAMES }.into());
    }
    entries.into_iter().map(|entry| image(entry, &members)).collect()
}

fn image(entry: Entry, members: &HashMap<String, Content>) -> Result<ArchivedImage, LayerError> {
    let config = find(&entry.config, members)?;
    // `<hex>.json`: the name says what the content must be.
    check_name(entry.config.trim_end_matches(".json"), &config)?;
    let parsed: ImageConfig = document(&entry.config, &config)?;
    let bad = |why: &str| ArchiveFlaw::BadJson { member: entry.config.clone(), why: why.into() };
    let names = entry.layers.unwrap_or_default();
    if names.len() > MAX_LAYERS {
        return Err(too_large("layers", MAX_LAYERS as u64));
    }
    if parsed.rootfs.diff_ids.len() != names.len() {
        return Err(bad("rootfs.diff_ids").into());
    }
    let layers = names.iter().map(|name| find(name, members)).collect::<Result<_, _>>()?;
    let tags = entry.repo_tags.unwrap_or_default();
    let names = tags.iter().map(|tag| match Reference::parse(tag) {
        Ok(name) if name.digest().is_none() => Ok(name),
        _ => Err(ArchiveFlaw::BadJson { member: "manifest.json".into(), why: format!("RepoTags: {tag:?}") }),
    });
    Ok(ArchivedImage { config, parsed, layers, names: names.collect::<Result<_, _>>()? })
}

/// A member by its name, through at most a few links.
fn find(name: &str, members: &HashMap<String, Content>) -> Result<StagedBlob, LayerError> {
    let mut at = join("", name);
    for _ in 0..8 {
        match members.get(&at) {
            Some(Content::Kept(kept)) => return Ok(kept.clone()),
            Some(Content::Link(target)) => at.clone_from(target),
            None => break,
        }
    }
    Err(ArchiveFlaw::MissingMember { member: name.into() }.into())
}

fn keep<R: Read>(
    tar: &mut Tar<R>,
    member: &Member,
    stage: &mut dyn FnMut(&mut dyn Read) -> Result<StagedBlob, LayerError>,
) -> Result<StagedBlob, LayerError> {
    if member.pieces.is_some() {
        return Err(ArchiveFlaw::BadMember { member: member.name(), why: "sparse".into() }.into());
    }
    let mut content = MemberContent { tar, error: None };
    let kept = stage(&mut content);
    match content.error {
        Some(error) => Err(error),
        None => {
            kept.and_then(|kept| if kept.bytes == member.size { Ok(kept) } else { Err(ArchiveFlaw::Truncated.into()) })
        }
    }
}

/// A member's content as a reader; what was wrong is kept beside the bare I/O error.
struct MemberContent<'a, R> {
    tar: &'a mut Tar<R>,
    error: Option<LayerError>,
}

impl<R: Read> Read for MemberContent<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.tar.content(buffer).map_err(|error| {
            self.error = Some(error);
            io::Error::from(io::ErrorKind::InvalidData)
        })
    }
}

/// A name that is a digest must be the content's.
fn check_name(name: &str, kept: &StagedBlob) -> Result<(), LayerError> {
    let base = name.rsplit('/').next().unwrap_or(name);
    let is_digest = name.starts_with("blobs/sha256/") || !name.contains('/');
    match BlobDigest::of_hex(base).filter(|expected| is_digest && *expected != kept.digest) {
        Some(expected) => {
            let (expected, found) = (expected.to_string(), kept.digest.to_string());
            Err(ArchiveFlaw::DigestMismatch { what: name.into(), expected, found }.into())
        }
        None => Ok(()),
    }
}

fn document<T: DeserializeOwned>(member: &str, kept: &StagedBlob) -> Result<T, LayerError> {
    if kept.bytes > MAX_DOCUMENT {
        return Err(too_large(member, MAX_DOCUMENT));
    }
    let text = std::fs::read(&kept.path).map_err(LayerError::Read)?;
    serde_json::from_slice(&text).map_err(|e| ArchiveFlaw::BadJson { member: member.into(), why: e.to_string() }.into())
}

/// A name as a plain path from the archive's top; only used to look members up, never to open anything.
fn join(dir: &str, name: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in dir.split('/').chain(name.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// The stream without its compression, and whether there was one.
///
/// # Errors
/// [`ArchiveFlaw::NotAnArchive`] names a compression that is not read.
pub fn plain<'a>(mut input: impl Read + 'a) -> Result<(Box<dyn Read + 'a>, bool), LayerError> {
    let mut head = Vec::with_capacity(6);
    input.by_ref().take(6).read_to_end(&mut head).map_err(LayerError::reading)?;
    let known = compression(&head);
    let input = BufReader::with_capacity(64 << 10, io::Cursor::new(head).chain(input));
    match known {
        None => Ok((Box::new(input), false)),
        Some("gzip") => Ok((Box::new(MultiGzDecoder::new(input)), true)),
        Some(other) => Err(ArchiveFlaw::NotAnArchive { what: other.into() }.into()),
    }
}

/// Opens a staged blob.
///
/// # Errors
/// The system's.
pub fn open(kept: &StagedBlob) -> Result<File, LayerError> {
    File::open(&kept.path).map_err(LayerError::Read)
}
