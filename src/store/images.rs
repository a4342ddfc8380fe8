//! The images of the store: `oci/index.json` and the documents that it leads to.
//!
//! The directory `oci/` is a valid OCI image layout at every moment: `index.json` is replaced as a whole, after everything
//! that it names. An image without a name stays in the index, so nothing that is here is unreachable.
//! Annotations: `org.opencontainers.image.ref.name` has the familiar name (`nginx:latest`), so that `skopeo inspect
//! oci:ROOT/oci:nginx:latest` finds it; `io.containerd.image.name` has the canonical one.

use super::{Store, StoreLock};
use crate::event::{Deed, Event, Expect, Fact, Fault, Holds, Receipt, Resolved, SysError};
use crate::image::digest::{BlobDigest, ChainId, ImageId, chain_ids};
use crate::image::model::{DOCKER_MANIFEST, Descriptor, Image, ImageConfig, Index, Layer, MANIFEST, Manifest};
use crate::image::reference::Reference;
use crate::kernel::{files, sys};
use serde::de::DeserializeOwned;
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::Path;

const REF_NAME: &str = "org.opencontainers.image.ref.name";
const FULL_NAME: &str = "io.containerd.image.name";
/// Manifests and configurations; containerd's limit is the same.
pub const MAX_DOCUMENT: u64 = 8 << 20;

impl Store {
    /// All images, in the order in which they came.
    ///
    /// # Errors
    /// [`Fault::StoreDamaged`] for a document that is missing or cannot be read.
    pub fn images(&self) -> Result<Vec<Image>, Fault> {
        let index = self.read_index()?;
        let mut sizes = HashMap::new();
        let mut images: Vec<Image> = Vec::new();
        for descriptor in index.manifests.iter().filter(|d| is_manifest(d)) {
            if !images.iter().any(|i| i.manifest_digest == descriptor.digest) {
                images.push(self.read_image(descriptor, &index, &mut sizes)?);
            }
        }
        Ok(images)
    }

    /// The image that this text means: a name, or an id or the beginning of one; and which of the two it was.
    ///
    /// # Errors
    /// [`Fault::AmbiguousId`], [`Fault::StoreDamaged`]. A text that is neither a name nor an id is simply not here.
    pub fn image(&self, text: &str) -> Result<Option<(Image, Resolved)>, Fault> {
        let index = self.read_index()?;
        let mut sizes = HashMap::new();
        if let Ok(reference) = Reference::parse(text)
            && let Some(descriptor) = index.manifests.iter().find(|d| is_manifest(d) && leads_to(d, &reference))
        {
            return Ok(Some((self.read_image(descriptor, &index, &mut sizes)?, Resolved::Local)));
        }
        let prefix = text.strip_prefix("sha256:").unwrap_or(text);
        if prefix.is_empty() || prefix.len() > 64 || !prefix.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Ok(None);
        }
        let mut found: Option<(&Descriptor, ImageId)> = None;
        for descriptor in index.manifests.iter().filter(|d| is_manifest(d)) {
            let id = self.image_id(&descriptor.digest)?;
            // Docker takes the digest of the manifest for an id too.
            if !id.hex().starts_with(prefix) && !descriptor.digest.hex().starts_with(prefix) {
                continue;
            }
            match &found {
                Some((_, other)) if *other != id => return Err(Fault::AmbiguousId { prefix: text.into() }),
                Some(_) => {}
                None => found = Some((descriptor, id)),
            }
        }
        match found {
            Some((descriptor, _)) => Ok(Some((self.read_image(descriptor, &index, &mut sizes)?, Resolved::Id))),
            None => Ok(None),
        }
    }

    /// Lets each name lead to its manifest; a manifest without one is in the index all the same. The index is written once,
    /// durably: gives a deed for each change, the first of which has the calls. `_lock` shows that the store lock is held.
    ///
    /// # Errors
    /// The store's own; the index is then as it was.
    pub fn name_images(
        &self,
        images: &[(Option<&Reference>, &Descriptor)],
        _lock: &StoreLock,
    ) -> Result<Vec<Deed<()>>, Fault> {
        let mut index = self.read_index()?;
        let mut changes = Vec::new();
        for (name, manifest) in images {
            let change = match name {
                Some(name) => self.tag(&mut index, name, manifest),
                None => keep_nameless(&mut index, manifest),
            };
            if let Some((reference, was)) = change {
                changes.push((reference, manifest, was));
            }
        }
        if changes.is_empty() { Ok(Vec::new()) } else { self.write_index(&index, &changes) }
    }

    /// Gives what changed: the name, and the id of the image that had it. That one stays, nameless if this was its last name.
    fn tag(&self, index: &mut Index, name: &Reference, manifest: &Descriptor) -> Option<Change> {
        let had = index.manifests.iter().position(|d| is_manifest(d) && named(d, name));
        let before = had.and_then(|at| index.manifests.get(at)).map(|d| d.digest.clone());
        if before.as_ref() == Some(&manifest.digest) {
            return None;
        }
        let mut entry = manifest.clone();
        entry.annotations.insert(REF_NAME.into(), name.familiar());
        entry.annotations.insert(FULL_NAME.into(), name.canonical());
        if let Some(at) = had {
            let mut old = index.manifests.remove(at);
            if !index.manifests.iter().any(|d| d.digest == old.digest) {
                old.annotations.remove(REF_NAME);
                old.annotations.remove(FULL_NAME);
                index.manifests.insert(at, old);
            }
        }
        index.manifests.retain(|d| d.digest != manifest.digest || name_of(d).is_some());
        index.manifests.push(entry);
        let was = before.and_then(|digest| self.image_id(&digest).ok());
        Some((name.familiar(), was))
    }

    /// The manifest by which an image of this id is here already. The same configuration means the same layers, so it serves
    /// for another archive of the image too, however that one compresses them.
    ///
    /// # Errors
    /// [`Fault::StoreDamaged`].
    pub fn manifest_of(&self, id: &ImageId) -> Result<Option<Descriptor>, Fault> {
        for d in self.read_index()?.manifests.iter().filter(|d| is_manifest(d)) {
            if self.image_id(&d.digest)? == *id {
                return Ok(Some(Descriptor::new(&d.media_type, &d.digest, d.size)));
            }
        }
        Ok(None)
    }

    fn write_index(
        &self,
        index: &Index,
        changes: &[(String, &&Descriptor, Option<ImageId>)],
    ) -> Result<Vec<Deed<()>>, Fault> {
        let path = self.index();
        let shown = path.to_string_lossy().into_owned();
        let text =
            serde_json::to_vec(index).map_err(|e| Fault::StoreDamaged { path: shown.clone(), why: e.to_string() })?;
        if text.len() as u64 > MAX_DOCUMENT {
            // It could not be read again.
            return Err(Fault::step("tag", SysError::new("write", shown, libc::EFBIG)));
        }
        let mut facts = Vec::with_capacity(changes.len());
        for (reference, manifest, was) in changes {
            let id = self.image_id(&manifest.digest)?.to_string();
            let was = was.as_ref().map(ImageId::to_string);
            facts.push(Fact::Tagged { reference: reference.clone(), id, was });
        }
        let mut facts = facts.into_iter();
        let written = sys::deed(|calls| {
            self.replace_file(calls, &path, &text, true)?;
            // There is a change: the index would not be written else.
            facts.next().map(|first| ((), first)).ok_or_else(|| SysError::new("write", shown.clone(), libc::EINVAL))
        })
        .map_err(|e| Fault::step("tag", e))?;
        let others: Vec<_> = facts.map(|fact| Deed::new((), Event::of(fact, Vec::new()))).collect();
        let stamp = files::stamp(&path);
        let receipt = |(reference, ..): &(String, &&Descriptor, Option<ImageId>)| {
            // The entry as it stands in the file, with the name and the digest that it leads to.
            let named = |d: &&Descriptor| d.annotations.get(REF_NAME).is_some_and(|name| name == reference);
            let entry = index.manifests.iter().find(named).and_then(|d| serde_json::to_string(d).ok());
            let entry = entry.unwrap_or_default();
            Receipt::about(format!("tag:{reference}"), Holds::Forever, format!("{shown}: {entry}"))
                .by(["grep", "-oF", &entry, &shown], Expect::Equals(entry.clone()))
                .stamped(stamp.clone())
                .as_root()
        };
        let deeds = std::iter::once(written).chain(others);
        Ok(deeds.zip(changes).map(|(deed, change)| deed.with_receipt(receipt(change))).collect())
    }

    fn read_index(&self) -> Result<Index, Fault> {
        read_document(&self.index())
    }

    /// A manifest or configuration among the blobs.
    fn document<T: DeserializeOwned>(&self, digest: &BlobDigest) -> Result<T, Fault> {
        read_document(&self.blob(digest))
    }

    /// The image of a manifest.
    fn image_id(&self, manifest: &BlobDigest) -> Result<ImageId, Fault> {
        Ok(ImageId::of_config(&self.document::<Manifest>(manifest)?.config.digest))
    }

    fn read_image(
        &self,
        descriptor: &Descriptor,
        index: &Index,
        sizes: &mut HashMap<ChainId, u64>,
    ) -> Result<Image, Fault> {
        let manifest: Manifest = self.document(&descriptor.digest)?;
        let config: ImageConfig = self.document(&manifest.config.digest)?;
        let mut layers = Vec::with_capacity(config.rootfs.diff_ids.len());
        for (diff_id, chain_id) in config.rootfs.diff_ids.iter().zip(chain_ids(&config.rootfs.diff_ids)) {
            let bytes = match sizes.get(&chain_id) {
                Some(bytes) => *bytes,
                None => self.layer_info(&chain_id)?.bytes,
            };
            sizes.insert(chain_id.clone(), bytes);
            layers.push(Layer { diff_id: diff_id.clone(), chain_id, bytes });
        }
        let same = index.manifests.iter().filter(|d| d.digest == descriptor.digest);
        Ok(Image {
            id: ImageId::of_config(&manifest.config.digest),
            names: same.filter_map(name_of).collect(),
            manifest_digest: descriptor.digest.clone(),
            bytes: layers.iter().map(|l| l.bytes).sum(),
            config,
            layers,
        })
    }

    /// All blobs and all layers that the index leads to.
    pub(super) fn referenced(&self) -> Result<(BTreeSet<BlobDigest>, BTreeSet<ChainId>), Fault> {
        let (mut blobs, mut layers) = (BTreeSet::new(), BTreeSet::new());
        for descriptor in &self.read_index()?.manifests {
            blobs.insert(descriptor.digest.clone());
            if !is_manifest(descriptor) {
                continue;
            }
            let manifest: Manifest = self.document(&descriptor.digest)?;
            let config: ImageConfig = self.document(&manifest.config.digest)?;
            blobs.insert(manifest.config.digest);
            blobs.extend(manifest.layers.into_iter().map(|l| l.digest));
            layers.extend(chain_ids(&config.rootfs.diff_ids));
        }
        Ok((blobs, layers))
    }
}

/// A name that leads elsewhere now, and the id of the image that it led to.
type Change = (String, Option<ImageId>);

fn keep_nameless(index: &mut Index, manifest: &Descriptor) -> Option<Change> {
    if index.manifests.iter().any(|d| d.digest == manifest.digest) {
        return None;
    }
    index.manifests.push(manifest.clone());
    Some(("<none>".into(), None))
}

fn is_manifest(d: &Descriptor) -> bool {
    matches!(d.media_type.as_str(), MANIFEST | DOCKER_MANIFEST)
}

/// The canonical name of an entry. Other tools may have written only the short annotation.
fn name_of(d: &Descriptor) -> Option<String> {
    let text = d.annotations.get(FULL_NAME).or_else(|| d.annotations.get(REF_NAME))?;
    Reference::parse(text).ok().map(|r| r.canonical())
}

fn named(d: &Descriptor, name: &Reference) -> bool {
    name_of(d).is_some_and(|n| n == name.canonical())
}

/// By name, or by repository and digest.
fn leads_to(d: &Descriptor, name: &Reference) -> bool {
    match name.digest() {
        None => named(d, name),
        Some(digest) => {
            d.digest == *digest
                && name_of(d)
                    .and_then(|n| Reference::parse(&n).ok())
                    .is_some_and(|n| n.repository() == name.repository())
        }
    }
}

fn read_document<T: DeserializeOwned>(path: &Path) -> Result<T, Fault> {
    let damaged = |why: String| Fault::StoreDamaged { path: path.to_string_lossy().into_owned(), why };
    let mut text = Vec::new();
    let file = File::open(path).map_err(|e| damaged(e.to_string()))?;
    file.take(MAX_DOCUMENT + 1).read_to_end(&mut text).map_err(|e| damaged(e.to_string()))?;
    if text.len() as u64 > MAX_DOCUMENT {
        return Err(damaged("size".into()));
    }
    serde_json::from_slice(&text).map_err(|e| damaged(e.to_string()))
}
