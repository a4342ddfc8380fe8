//! The one way by which images come into the store: from an archive, or made from this machine.
//!
//! Everything is made and verified in `tmp/` first, outside the store lock; then it is synced, and then, under the lock,
//! each layer and blob becomes real by one rename, and last the names move. Whatever fails before that leaves the store as
//! it was.

use crate::event::{ArchiveFlaw, Fact, Fault, Story, SysError};
use crate::image::apply::apply;
use crate::image::archive::{open, plain};
use crate::image::digest::{ChainId, DiffId, ImageId, chain_ids};
use crate::image::model::{CONFIG, Descriptor, ImageConfig, LAYER, LAYER_GZIP, MANIFEST, Manifest, StagedBlob};
use crate::image::reference::Reference;
use crate::image::tarball::LayerError;
use crate::kernel::walk;
use crate::store::{BlobWriter, Committed, ImportTransaction, NewLayer, StageError, Store, StoreLock};
use sha2::{Digest, Sha256};
use std::io::{self, Read};
use std::path::PathBuf;

/// One image, complete in `tmp/`.
struct Ready {
    id: ImageId,
    manifest: Descriptor,
    blobs: Vec<StagedBlob>,
    names: Vec<Reference>,
}

/// Images on their way into the store.
pub struct Import<'a> {
    store: &'a Store,
    transaction: ImportTransaction,
    layers: Vec<NewLayer>,
    /// Layers that were here already.
    reused: Vec<(DiffId, ChainId)>,
    images: Vec<Ready>,
}

impl<'a> Import<'a> {
    pub fn begin(store: &'a Store) -> Result<Import<'a>, LayerError> {
        Ok(Import {
            store,
            transaction: store.begin_import()?,
            layers: Vec::new(),
            reused: Vec::new(),
            images: Vec::new(),
        })
    }

    /// Writes a stream to `tmp/`, with its digest.
    pub fn stage(&mut self, input: &mut dyn Read) -> Result<StagedBlob, LayerError> {
        self.transaction.blob(input).map_err(|e| match e {
            StageError::Read(e) => LayerError::reading(e),
            StageError::Write(e) => LayerError::Store(e),
        })
    }

    /// A blob in `tmp/` to be written by the caller.
    pub fn writer(&mut self) -> Result<BlobWriter, SysError> {
        self.transaction.writer()
    }

    /// Adds an image: unpacks the layers that are not here, and verifies all of them.
    ///
    /// # Errors
    /// A layer that is not what the configuration says, or cannot be unpacked.
    pub fn image(
        &mut self,
        config: StagedBlob,
        parsed: &ImageConfig,
        layers: &[StagedBlob],
        names: Vec<Reference>,
    ) -> Result<(), LayerError> {
        let diff_ids = &parsed.rootfs.diff_ids;
        let chain = chain_ids(diff_ids);
        // Directories of the layers so far, the top first: a directory that an archive lacks is like the one below it.
        let mut lowers: Vec<PathBuf> = Vec::new();
        let mut blobs = Vec::new();
        for ((diff_id, chain_id), blob) in diff_ids.iter().zip(&chain).zip(layers) {
            let (diff, gzip) = self.layer(diff_id, chain_id, blob, &lowers)?;
            lowers.insert(0, diff);
            blobs.push(Descriptor::new(if gzip { LAYER_GZIP } else { LAYER }, &blob.digest, blob.bytes));
        }
        let id = ImageId::of_config(&config.digest);
        let manifest = Manifest::new(Descriptor::new(CONFIG, &config.digest, config.bytes), blobs);
        let text = serde_json::to_vec(&manifest).map_err(|e| LayerError::Read(e.into()))?;
        let manifest = self.stage(&mut text.as_slice())?;
        let descriptor = Descriptor::new(MANIFEST, &manifest.digest, manifest.bytes);
        let blobs = layers.iter().cloned().chain([config, manifest]).collect();
        self.images.push(Ready { id, manifest: descriptor, blobs, names });
        Ok(())
    }

    /// One layer: its directory, and whether its blob is compressed.
    fn layer(
        &mut self,
        diff_id: &DiffId,
        chain_id: &ChainId,
        blob: &StagedBlob,
        lowers: &[PathBuf],
    ) -> Result<(PathBuf, bool), LayerError> {
        let (stream, gzip) = plain(open(blob)?)?;
        let verify = |found: DiffId| {
            if found == *diff_id {
                return Ok(());
            }
            let (what, expected, found) = ("layer".to_string(), diff_id.to_string(), found.to_string());
            Err(LayerError::Flaw(ArchiveFlaw::DigestMismatch { what, expected, found }))
        };
        // Of an uncompressed blob it was taken when that was written.
        if !gzip {
            verify(DiffId::of_plain(&blob.digest))?;
        }
        let mut stream = Hashing { inner: stream, hash: gzip.then(Sha256::new) };
        let made = self.layers.iter().find(|l| l.chain_id == *chain_id).map(NewLayer::diff);
        let here = made.or_else(|| self.store.has_layer(chain_id).then(|| self.store.layer_diff(chain_id)));
        if let Some(diff) = here {
            if gzip {
                io::copy(&mut stream, &mut io::sink()).map_err(LayerError::reading)?;
                stream.digest().map_or(Ok(()), verify)?;
            }
            let pair = (diff_id.clone(), chain_id.clone());
            if !self.layers.iter().any(|l| l.chain_id == *chain_id) && !self.reused.contains(&pair) {
                self.reused.push(pair);
            }
            return Ok((diff, gzip));
        }
        let mut layer = self.transaction.layer(chain_id, diff_id, &blob.digest)?;
        let applied = apply(&mut stream, walk::open(&layer.diff())?, lowers, self.store.host())?;
        stream.digest().map_or(Ok(()), verify)?;
        (layer.info.entries, layer.info.bytes) = (applied.entries, applied.bytes);
        layer.inodes = walk::inodes(walk::open(&layer.diff())?)?;
        self.transaction.describe(&mut layer)?;
        let diff = layer.diff();
        self.layers.push(layer);
        Ok((diff, gzip))
    }

    /// Makes it all real, and tells it. Gives what now leads to each image: its familiar names, or its id.
    ///
    /// # Errors
    /// The store's. What was committed and no name leads to is rolled back.
    pub fn finish(mut self, story: &mut Story) -> Result<Vec<String>, Fault> {
        self.transaction.sync().map_err(step)?;
        let lock = self.store.lock().map_err(step)?;
        let mut committed = Vec::new();
        let done = match self.commit(story, &lock, &mut committed) {
            Ok(()) => self.name(story, &lock),
            Err(fault) => Err(fault),
        };
        if let Err(fault) = &done {
            story.tell_failure(fault);
            self.store.roll_back(&mut self.transaction, &committed, story, &lock)?;
        }
        done
    }

    /// Layers and blobs, each by one rename.
    fn commit(&mut self, story: &mut Story, lock: &StoreLock, committed: &mut Vec<Committed>) -> Result<(), Fault> {
        for (diff_id, chain_id) in &self.reused {
            tell_reused(story, diff_id, chain_id);
        }
        for layer in &self.layers {
            match self.store.commit_layer(layer, lock).map_err(step)? {
                Some(deed) => {
                    committed.push(Committed::Layer(layer.chain_id.clone()));
                    deed.tell(story);
                }
                None => tell_reused(story, &layer.info.diff_id, &layer.chain_id),
            }
        }
        for image in &mut self.images {
            if let Some(known) = self.store.manifest_of(&image.id)? {
                image.manifest = known;
                continue;
            }
            for blob in &image.blobs {
                if let Some(deed) = self.store.commit_blob(blob, lock).map_err(step)? {
                    committed.push(Committed::Blob(blob.digest.clone()));
                    deed.tell(story);
                }
            }
        }
        self.store.sync_images().map_err(step)
    }

    fn name(&self, story: &mut Story, lock: &StoreLock) -> Result<Vec<String>, Fault> {
        let (mut leads, mut images) = (Vec::new(), Vec::new());
        for image in &self.images {
            if image.names.is_empty() {
                images.push((None, &image.manifest));
                leads.push(image.id.to_string());
            }
            for name in &image.names {
                images.push((Some(name), &image.manifest));
                leads.push(name.familiar());
            }
        }
        for deed in self.store.name_images(&images, lock)? {
            deed.tell(story);
        }
        Ok(leads)
    }
}

fn step(e: SysError) -> Fault {
    Fault::step("load", e)
}

fn tell_reused(story: &mut Story, diff_id: &DiffId, chain_id: &ChainId) {
    let fact = Fact::LayerReused { diff_id: diff_id.to_string(), chain_id: chain_id.to_string() };
    story.tell(fact);
}

/// Takes the digest of what is read through it, if one is wanted.
struct Hashing<R> {
    inner: R,
    hash: Option<Sha256>,
}

impl<R: Read> Hashing<R> {
    fn digest(self) -> Option<DiffId> {
        self.hash.map(DiffId::of)
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        if let Some(hash) = &mut self.hash {
            hash.update(buffer.get(..n).unwrap_or_default());
        }
        Ok(n)
    }
}
