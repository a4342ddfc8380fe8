//! Blobs and unpacked layers: made in `tmp/`, synced once, and real by one rename each.
//!
//! Everything that an import makes lies in one entry of `tmp/` until all of it is verified and synced; only then, under
//! the store lock, is it renamed to where it belongs. So a kill at any moment leaves whole blobs and layers or none, and a
//! power cut cannot show a blob whose content has not reached the disk.

use super::{Store, StoreLock, Temp, sync_dir};
use crate::event::{Deed, Expect, Fact, Fault, Holds, Receipt, Story, SysError, now_us};
use crate::image::model::StagedBlob;
use crate::image::{BlobDigest, ChainId, DiffId};
use crate::kernel::{files, sys};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// `layers/<hex>/layer.json`: what is known of an unpacked layer and costs a walk to find out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerInfo {
    pub diff_id: DiffId,
    pub entries: u64,
    /// Sum of its files' sizes.
    pub bytes: u64,
}

/// One import: the directory in `tmp/` where its blobs and layers are staged. What is not committed goes when this is dropped.
#[derive(Debug)]
pub struct ImportTransaction {
    temp: Temp,
    next: u64,
}

/// What an import has renamed into its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Committed {
    Blob(BlobDigest),
    Layer(ChainId),
}

/// A layer that is being unpacked.
#[derive(Debug)]
pub struct NewLayer {
    home: PathBuf,
    pub chain_id: ChainId,
    pub info: LayerInfo,
    /// What it is unpacked from.
    pub blob: BlobDigest,
    /// In its directory, with the directory itself; hard links count once.
    pub inodes: u64,
    began_us: u64,
    took_us: u64,
}

impl NewLayer {
    /// The directory to unpack into.
    pub fn diff(&self) -> PathBuf {
        self.home.join("diff")
    }
}

/// A blob that is being written.
#[derive(Debug)]
pub struct BlobWriter {
    path: PathBuf,
    file: File,
    hash: Sha256,
    bytes: u64,
    began_us: u64,
}

impl BlobWriter {
    pub fn finish(self) -> StagedBlob {
        let took_us = now_us().saturating_sub(self.began_us);
        StagedBlob { path: self.path, digest: BlobDigest::of(self.hash), bytes: self.bytes, took_us }
    }
}

impl Write for BlobWriter {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let n = self.file.write(piece)?;
        self.hash.update(piece.get(..n).unwrap_or_default());
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Why a blob could not be staged: its input or the store.
#[derive(Debug)]
pub enum StageError {
    Read(io::Error),
    Write(SysError),
}

impl ImportTransaction {
    fn path(&mut self, kind: &str) -> PathBuf {
        self.next += 1;
        self.temp.path().join(format!("{kind}.{}", self.next))
    }

    /// A new file, whose digest is taken as it is written.
    ///
    /// # Errors
    /// The open's.
    pub fn writer(&mut self) -> Result<BlobWriter, SysError> {
        let path = self.path("blob");
        match File::create_new(&path) {
            Ok(file) => Ok(BlobWriter { path, file, hash: Sha256::new(), bytes: 0, began_us: now_us() }),
            Err(e) => Err(SysError::io("open", path.to_string_lossy(), &e)),
        }
    }

    /// Copies a stream to a new file, and takes its digest on the way.
    ///
    /// # Errors
    /// [`StageError`], which tells the input's errors from the store's.
    pub fn blob(&mut self, input: &mut dyn Read) -> Result<StagedBlob, StageError> {
        let mut writer = self.writer().map_err(StageError::Write)?;
        let mut buffer = vec![0u8; 128 << 10];
        loop {
            let n = match input.read(&mut buffer) {
                Ok(0) => return Ok(writer.finish()),
                Ok(n) => n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(StageError::Read(e)),
            };
            let piece = buffer.get(..n).unwrap_or_default();
            writer
                .write_all(piece)
                .map_err(|e| StageError::Write(SysError::io("write", writer.path.to_string_lossy(), &e)))?;
        }
    }

    /// A directory for this layer; nothing is in it yet.
    pub fn layer(&mut self, chain_id: &ChainId, diff_id: &DiffId, blob: &BlobDigest) -> Result<NewLayer, SysError> {
        let info = LayerInfo { diff_id: diff_id.clone(), entries: 0, bytes: 0 };
        let (home, chain_id, blob) = (self.path("layer"), chain_id.clone(), blob.clone());
        let layer = NewLayer { home, chain_id, info, blob, inodes: 1, began_us: now_us(), took_us: 0 };
        let io = |e: io::Error| SysError::io("mkdir", layer.home.to_string_lossy(), &e);
        fs::create_dir(&layer.home).and_then(|()| fs::create_dir(layer.diff())).map_err(io)?;
        Ok(layer)
    }

    /// The layer is whole: writes down what it came to.
    pub fn describe(&self, layer: &mut NewLayer) -> Result<(), SysError> {
        layer.took_us = now_us().saturating_sub(layer.began_us);
        let path = layer.home.join("layer.json");
        let text = serde_json::to_vec(&layer.info).map_err(io::Error::from);
        text.and_then(|text| fs::write(&path, text)).map_err(|e| SysError::io("write", path.to_string_lossy(), &e))
    }

    /// Syncs all that was made: one syncfs(2) instead of an fsync for each of many thousand files.
    pub fn sync(&self) -> Result<(), SysError> {
        rustix::fs::syncfs(self.temp.file())
            .map_err(|e| SysError::new("syncfs", self.temp.path().to_string_lossy(), e.raw_os_error()))
    }
}

impl Store {
    /// Begins an import.
    pub fn begin_import(&self) -> Result<ImportTransaction, SysError> {
        Ok(ImportTransaction { temp: self.temporary_dir()?, next: 0 })
    }

    pub fn blob(&self, digest: &BlobDigest) -> PathBuf {
        self.blobs().join(digest.hex())
    }

    /// The unpacked layer is here.
    pub fn has_layer(&self, chain_id: &ChainId) -> bool {
        self.layer_diff(chain_id).is_dir()
    }

    fn layer_home(&self, chain_id: &ChainId) -> PathBuf {
        self.layers().join(chain_id.hex())
    }

    /// What was written down when the layer was unpacked.
    pub fn layer_info(&self, chain_id: &ChainId) -> Result<LayerInfo, Fault> {
        let path = self.layer_home(chain_id).join("layer.json");
        let damaged = |why: String| Fault::StoreDamaged { path: path.to_string_lossy().into_owned(), why };
        let text = fs::read(&path).map_err(|e| damaged(e.to_string()))?;
        serde_json::from_slice(&text).map_err(|e| damaged(e.to_string()))
    }

    /// What people know a layer by: its diff ID, which `image inspect` prints. The chain ID is a name of this store alone.
    pub fn layer_name(&self, chain_id: &ChainId) -> String {
        self.layer_info(chain_id).map_or_else(|_| chain_id.to_string(), |info| info.diff_id.to_string())
    }

    /// The short name `l/<12 hex>` of a layer below `layers/`. None when another layer has it: 12 digits can be made to
    /// meet on purpose, so a link counts only when it leads to the right place.
    pub fn layer_short(&self, chain_id: &ChainId) -> Option<String> {
        let short = chain_id.short();
        let leads_to = fs::read_link(self.layer_links().join(short)).ok()?;
        (leads_to == link_target(chain_id)).then(|| format!("l/{short}"))
    }

    /// Puts a verified and synced blob in its place. None when it is here already. `_lock` shows that the lock is held.
    ///
    /// # Errors
    /// The rename's.
    pub fn commit_blob(&self, blob: &StagedBlob, _lock: &StoreLock) -> Result<Option<Deed<()>>, SysError> {
        let path = self.blob(&blob.digest);
        if path.exists() {
            return Ok(None);
        }
        let deed = sys::deed(|calls| {
            files::rename(calls, &blob.path, &path)?;
            Ok(((), Fact::BlobWritten { digest: blob.digest.to_string(), bytes: blob.bytes }))
        })?;
        let shown = path.to_string_lossy().into_owned();
        let evidence = format!("{shown} {}", blob.bytes);
        let line = format!("{}  {shown}", blob.digest.hex());
        let receipt = Receipt::about(format!("blob:{}", blob.digest), Holds::Forever, evidence)
            .by(["sha256sum", &shown], Expect::Equals(line))
            .stamped(files::stamp(&path));
        Ok(Some(deed.after(blob.took_us).with_receipt(receipt.as_root())))
    }

    /// Puts an unpacked, verified and synced layer in its place. None when somebody else has done so meanwhile.
    ///
    /// The short name comes first: a layer that is here has its link, whenever a kill comes.
    ///
    /// # Errors
    /// The failed call's.
    pub fn commit_layer(&self, layer: &NewLayer, _lock: &StoreLock) -> Result<Option<Deed<()>>, SysError> {
        let chain_id = &layer.chain_id;
        if self.has_layer(chain_id) {
            return Ok(None);
        }
        let home = self.layer_home(chain_id);
        let link = self.layer_links().join(chain_id.short());
        let diff = self.layer_diff(chain_id).to_string_lossy().into_owned();
        let deed = sys::deed(|calls| {
            let linked = fs::symlink_metadata(&link).is_err();
            if linked {
                files::symlink(calls, &link_target(chain_id), &link)?;
            }
            if let Err(e) = files::rename(calls, &layer.home, &home) {
                if linked {
                    files::rename(calls, &link, &layer.home.join("link"))?;
                }
                return Err(e);
            }
            let LayerInfo { diff_id, entries, bytes } = &layer.info;
            let (diff_id, chain_id) = (diff_id.to_string(), chain_id.to_string());
            let (entries, bytes, path) = (*entries, *bytes, diff.clone());
            Ok(((), Fact::LayerUnpacked { diff_id, chain_id, entries, bytes, path }))
        })?;
        // Every member is as the archive has it, and there is nothing else. Whiteouts have another form in a layer.
        let blob = self.blob(&layer.blob).to_string_lossy().into_owned();
        let evidence = format!("{diff}: {} inodes", layer.inodes);
        let receipt = Receipt::about(format!("layer:{chain_id}"), Holds::Forever, evidence)
            .by(["tar", "-dvf", &blob, "-C", &diff, "--exclude=.wh.*"], Expect::Status(0))
            .by(["du", "--inodes", "-s", &diff], Expect::Equals(format!("{}\t{diff}", layer.inodes)));
        Ok(Some(deed.after(layer.took_us).with_receipt(receipt.as_root().with("tar"))))
    }

    /// Makes the renames of an import durable.
    pub fn sync_images(&self) -> Result<(), SysError> {
        for dir in [self.blobs(), self.layer_links(), self.layers()] {
            sync_dir(&dir)?;
        }
        Ok(())
    }

    /// Removes blobs and layers that no image names and that are not in `used` (chain IDs of the containers' layers): a
    /// killed import can leave whole ones that nothing leads to. Takes the store lock, so no import is half-way.
    ///
    /// # Errors
    /// A damaged index or manifest: then nothing is removed.
    pub fn remove_unreferenced(&self, used: BTreeSet<ChainId>) -> Result<Vec<Deed<()>>, Fault> {
        let step = |e: SysError| Fault::step("clean", e);
        let lock = self.lock().map_err(step)?;
        let (blobs, mut layers) = self.referenced()?;
        layers.extend(used);
        let mut transaction = self.begin_import().map_err(step)?;
        let mut deeds = Vec::new();
        let here = names(&self.blobs()).into_iter().filter_map(|name| BlobDigest::of_hex(&name));
        let unused = here.filter(|digest| !blobs.contains(digest)).map(Committed::Blob);
        let here = names(&self.layers()).into_iter().filter_map(|name| ChainId::of_hex(&name));
        for what in unused.chain(here.filter(|chain| !layers.contains(chain)).map(Committed::Layer)) {
            deeds.push(self.discard(&mut transaction, &what).map_err(step)?);
        }
        for name in names(&self.layer_links()) {
            if !self.layer_links().join(&name).exists() {
                deeds.push(discard(&mut transaction, &self.layer_links().join(name), None).map_err(step)?);
            }
        }
        drop(lock);
        Ok(deeds)
    }

    /// Removes what an import has committed, the last first, unless the index already leads to it.
    ///
    /// # Errors
    /// A damaged index, or a rename's.
    pub fn roll_back(
        &self,
        transaction: &mut ImportTransaction,
        committed: &[Committed],
        story: &mut Story,
        _lock: &StoreLock,
    ) -> Result<(), Fault> {
        let (blobs, layers) = self.referenced()?;
        for what in committed.iter().rev() {
            let named = match what {
                Committed::Blob(digest) => blobs.contains(digest),
                Committed::Layer(chain_id) => layers.contains(chain_id),
            };
            if !named {
                self.discard(transaction, what).map_err(|e| Fault::step("clean", e))?.tell(story);
            }
        }
        Ok(())
    }

    /// A layer's short name goes with it.
    fn discard(&self, transaction: &mut ImportTransaction, what: &Committed) -> Result<Deed<()>, SysError> {
        match what {
            Committed::Blob(digest) => discard(transaction, &self.blob(digest), None),
            Committed::Layer(chain_id) => {
                let short = self.layer_short(chain_id).map(|short| self.layers().join(short));
                discard(transaction, &self.layer_home(chain_id), short)
            }
        }
    }
}

/// One rename out of sight; the bulk goes with `tmp/`.
fn discard(transaction: &mut ImportTransaction, path: &Path, link: Option<PathBuf>) -> Result<Deed<()>, SysError> {
    let (away, link_away) = (transaction.path("old"), transaction.path("old"));
    sys::deed(|calls| {
        files::rename(calls, path, &away)?;
        if let Some(link) = &link {
            files::rename(calls, link, &link_away)?;
        }
        Ok(((), Fact::Cleaned { what: path.to_string_lossy().into_owned() }))
    })
}

fn names(dir: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut names: Vec<String> = entries.flatten().filter_map(|e| e.file_name().into_string().ok()).collect();
    names.sort();
    names
}

fn link_target(chain_id: &ChainId) -> PathBuf {
    Path::new("..").join(chain_id.hex()).join("diff")
}
