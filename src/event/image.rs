//! Images: where they come from, their layers, their names; and the store's first use.

use serde::{Deserialize, Serialize};

/// How an image was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Resolved {
    Local,
    /// Made from this machine's own programs.
    BuiltIn,
    /// By (a prefix of) its id.
    Id,
}

macro_rules! image {
    ($($so_far:tt)*) => { families! { $($so_far)*

    /// A reference led to an image that is here.
    ImageResolved {
        #[serde(rename = "image", alias = "reference")]
        reference: String,
        #[serde(rename = "image_id")]
        id: Option<String>,
        #[serde(rename = "found", alias = "by")]
        by: Resolved,
        #[serde(rename = "diff_ids", default)]
        layers: Option<Vec<String>>,
        bytes: Option<u64>,
    } = "image.resolved" {
        in Block::Image; unproven "a look: nothing was changed";
        plan (reference) { ko: "{reference} 이미지를 씁니다", en: "will use the image {reference}" }
        (reference) { ko: "{reference} 이미지를 찾았습니다", en: "found the image {reference}" }
        #[cfg(test)]
        sample { reference: s("nginx:latest"), id: id(), by: Resolved::Local, layers: Some(lower()), bytes: Some(14_200_000) }
    }

    /// A built-in image is being made from programs of this machine.
    ImageFromHost {
        #[serde(rename = "image", alias = "reference")]
        reference: String,
        programs: Option<Vec<String>>,
        server: Option<String>,
    } = "image.from-host" {
        in Block::Image; unproven "a decision; each layer that it leads to has its own";
        plan [MAKE] (reference) {
            ko: "{reference} 이미지를 이 컴퓨터의 프로그램으로 {v}",
            en: "{v} the image {reference} from programs of this machine",
        }
        [MAKE] (reference, programs = programs.as_ref().map(|all| all.iter().map(|p| file_name(p)).collect::<Vec<_>>())) {
            ko: "{reference} 이미지를 이 컴퓨터의 프로그램으로 {v}: {programs}",
            en: "{v} the image {reference} from programs of this machine: {programs}",
        }
        #[cfg(test)]
        sample { reference: s("nginx:latest"), programs: Some(vec![s("/bin/sh"), s("/usr/bin/ls")]), server: None }
    }

    /// An archive was read.
    ArchiveRead {
        #[serde(rename = "archive", alias = "path")]
        path: String,
        #[serde(rename = "image_count", alias = "images")]
        images: Option<usize>,
        #[serde(rename = "layer_count", alias = "layers")]
        layers: Option<usize>,
    } = "image.archive-read" {
        in Block::Image; unproven "a look: nothing was changed";
        plan [READ] (path) { ko: "{path} 아카이브를 {v}", en: "{v} the archive {path}" }
        [READ] (path, images = images.map(|n| Count(counts::images, n)), layers = layers.map(|n| Count(counts::layers, n))) {
            ko: "{path} 아카이브를 {v} · {images}, {layers}",
            en: "{v} the archive {path} · {images}, {layers}",
        }
        short (path) { ko: "{path} 아카이브에서 읽음", en: "read from the archive {path}" }
        hand (path) { "tar tvf {path}" }
        #[cfg(test)]
        sample { path: s("nginx.tar"), images: Some(1), layers: Some(3) }
    }

    /// A blob was written to `oci/blobs`.
    BlobWritten { digest: String, bytes: u64 } = "image.blob-written" {
        in Block::Image; calls [rename];
        proof [sha256sum] broken "a byte of it changes";
        [WRITE] (digest = short(digest), size = Size(*bytes)) {
            ko: "{digest} 블롭을 저장소에 {v} · {size}",
            en: "{v} the blob {digest} · {size}",
        }
        #[cfg(test)]
        sample { digest: s(LAYER), bytes: 512 }
    }

    /// A layer was unpacked and verified; `path` is its directory in the store.
    LayerUnpacked { diff_id: String, chain_id: String, entries: u64, bytes: u64, path: String } = "image.layer-unpacked" {
        in Block::Image; calls [rename symlink];
        proof [tar du] broken "a file of it changes, or one more comes";
        [UNPACK] (layer = short(diff_id), entries = Count(counts::entries, *entries as usize), size = Size(*bytes)) {
            ko: "{layer} 레이어를 {v} · {entries}, {size}",
            en: "{v} the layer {layer} · {entries}, {size}",
        }
        hand (path) { "tar xf LAYER.tar -C {path}" }
        #[cfg(test)]
        sample { diff_id: s(LAYER), chain_id: s(LAYER), entries: 12, bytes: 5_000_000, path: s("/p") }
    }

    /// A layer was here already.
    LayerReused { diff_id: String, chain_id: String } = "image.layer-reused" {
        in Block::Image; unproven "a look: nothing was changed";
        (layer = short(diff_id)) {
            ko: "{layer} 레이어는 이미 있어서 그대로 씁니다",
            en: "the layer {layer} was here already and is used as it is",
        }
        #[cfg(test)]
        sample { diff_id: s(LAYER), chain_id: s(LAYER) }
    }

    /// A name now leads to this image (`oci/index.json` replaced).
    Tagged {
        #[serde(rename = "image", alias = "reference")]
        reference: String,
        #[serde(rename = "image_id")]
        id: String,
        #[serde(rename = "image_id_was", alias = "was")]
        was: Option<String>,
    } = "image.tagged" {
        in Block::Image; calls [rename];
        proof [grep] broken "another digest stands in the index";
        [ATTACH] (reference, id = short(id)) {
            ko: "{id} 이미지에 {reference} 이름을 {v}",
            en: "{v} the name {reference} on the image {id}",
        }
        also if (was.is_some()) (was = was.as_deref().map(short)) {
            ko: "전에는 {was} 이미지의 이름이었습니다",
            en: "it was the name of {was} before",
        }
        #[cfg(test)]
        sample { reference: s("me/web:v2"), id: s(LAYER), was: Some(s(LAYER)) }
    }

    /// The store's first use: its directories and `oci-layout`.
    StoreMade { path: String } = "store.made" {
        in Block::Store; calls [mkdir rename mknodat];
        proof [cat] broken "its layout says another version";
        [MAKE] (path) { ko: "{path} 저장소를 {v}", en: "{v} the store {path}" }
        hand (path) { "mkdir -p {path}" }
        #[cfg(test)]
        sample { path: s(ROOT) }
    }

    /// Everything below it that is docent's.
    StoreRemoved { path: String } = "store.removed" {
        in Block::Cleanup; calls [rename]; unproven "the journal that would hold it is gone with the store";
        [REMOVE] (path) { ko: "{path} 저장소를 {v}", en: "{v} the store {path}" }
        hand (path) { "rm -r {path}" }
        #[cfg(test)]
        sample { path: s(ROOT) }
    }
    } };
}
