//! Copy-on-write: what the write layer holds, what it covers, and what `docker cp` carried.

use super::words::{short, size};
use super::{Lang, Word};
use serde::{Deserialize, Serialize};

/// How a path of the write layer differs from the image below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// The kernel copied the lower file up before it was changed: the upper file carries overlay.origin.
    CopiedUp,
    /// A file made anew over a lower one of the same name (`cp`, an editor that renames).
    Covered,
    /// Nothing of that name lies below.
    Added,
    /// It was in the write layer at the last look and is different now.
    Rewritten,
    /// A whiteout hides the lower one.
    Deleted,
    /// A directory that hides everything below it.
    Opaque,
    /// It was in the write layer at the last look and is gone, and nothing lies below.
    Gone,
}

/// The layer below, as well as it is known: its diff ID, its number, the image's name.
pub struct Below<'a>(pub &'a Option<String>, pub &'a Option<usize>, pub &'a Option<String>);

impl Word for Below<'_> {
    fn word(&self, lang: Lang) -> String {
        let id = self.0.as_deref().map(short);
        match (lang, id, self.1, self.2) {
            (Lang::Ko, Some(id), Some(n), Some(image)) => format!("{image} 이미지의 {n}번째 레이어({id})"),
            (Lang::En, Some(id), Some(n), Some(image)) => format!("layer {n} ({id}) of the image {image}"),
            (Lang::Ko, Some(id), Some(n), None) => format!("이미지의 {n}번째 레이어({id})"),
            (Lang::En, Some(id), Some(n), None) => format!("layer {n} ({id}) of the image"),
            (Lang::Ko, Some(id), None, _) => format!("이미지의 {id} 레이어"),
            (Lang::En, Some(id), None, _) => format!("the image's layer {id}"),
            (Lang::Ko, None, _, Some(image)) => format!("{image} 이미지의 레이어"),
            (Lang::En, None, _, Some(image)) => format!("a layer of the image {image}"),
            (Lang::Ko, None, _, None) => "이미지의 레이어".into(),
            (Lang::En, None, _, None) => "a layer of the image".into(),
        }
    }
}

/// A file's size, where it has one that says something.
pub struct Sized<'a>(pub &'a Option<u64>);

impl Word for Sized<'_> {
    fn word(&self, lang: Lang) -> String {
        match (self.0, lang) {
            (Some(bytes), _) => size(lang, *bytes),
            (None, Lang::Ko) => "크기 모름".into(),
            (None, Lang::En) => "unknown size".into(),
        }
    }
}

macro_rules! cow {
    ($($so_far:tt)*) => { families! { $($so_far)*

    /// Something in the write layer that was not there at the last look.
    Changed {
        #[serde(rename = "path_inside", alias = "path")]
        path: String,
        change: Change,
        #[serde(rename = "diff_id", default)]
        layer: Option<String>,
        /// Which layer of the image that is, counted from 1, the lowest.
        #[serde(default, rename = "layer_number", alias = "number")]
        number: Option<usize>,
        image: Option<String>,
        #[serde(rename = "bytes_was", alias = "was")]
        was: Option<u64>,
        #[serde(rename = "bytes", alias = "now")]
        now: Option<u64>,
    } = "cow.change" {
        in Block::Changes;
        proof [sha256sum stat readlink] broken "the file is written to"; man "kernel: Documentation/filesystems/overlayfs.rst";
        when (*change == Change::CopiedUp) (path, layer = Below(layer, number, image), size = Sized(was)) {
            ko: "{path} · {layer} 안의 원본({size})을 커널이 쓰기 레이어로 올린 뒤(copy-up) 고쳤습니다",
            en: "{path} · the kernel first copied it up from {layer} ({size}) into the write layer; there it was changed",
        }
        when (*change == Change::Covered) (path, layer = Below(layer, number, image), size = Sized(was)) {
            ko: "{path} · 쓰기 레이어의 새 파일이 {layer} 안의 원본 {size} 파일을 가립니다",
            en: "{path} · a new file in the write layer covers the original of {size} in {layer}",
        }
        when (*change == Change::Added && now.is_some()) (path, size = Sized(now)) {
            ko: "{path} · 새로 생김 · {size}",
            en: "{path} · new · {size}",
        }
        when (*change == Change::Added) (path) { ko: "{path} · 새로 생김", en: "{path} · new" }
        when (*change == Change::Rewritten && now.is_some()) (path, size = Sized(now)) {
            ko: "{path} · 이미 쓰기 레이어에 있던 것을 고쳤습니다 · {size}",
            en: "{path} · was in the write layer already, and changed there · {size}",
        }
        when (*change == Change::Rewritten) (path) {
            ko: "{path} · 이미 쓰기 레이어에 있던 것을 고쳤습니다",
            en: "{path} · was in the write layer already, and changed there",
        }
        when (*change == Change::Deleted) (path, layer = Below(layer, number, image)) {
            ko: "{path} · {layer} 안의 원본을 화이트아웃으로 가렸습니다",
            en: "{path} · a whiteout hides the original in {layer}",
        }
        when (*change == Change::Opaque) (path, layer = Below(layer, number, image)) {
            ko: "{path} · 이 디렉터리는 {layer} 안의 같은 디렉터리를 통째로 가립니다",
            en: "{path} · this directory hides the whole one in {layer}",
        }
        (path) {
            ko: "{path} · 쓰기 레이어에만 있던 것이라 완전히 지워졌습니다",
            en: "{path} · it was in the write layer alone, and is gone for good",
        }
        short if (*change == Change::Covered) (name = file_name(path), layer = Below(layer, number, image), size = Sized(was)) {
            ko: "{name} · {layer} 안의 원본({size})을 덮음",
            en: "{name} · covers the original ({size}) in {layer}",
        }
        short if (*change == Change::CopiedUp) (name = file_name(path), layer = Below(layer, number, image)) {
            ko: "{name} · {layer} 안의 원본을 쓰기 시 복사",
            en: "{name} · copied up from {layer}",
        }
        short if (matches!(change, Change::Deleted | Change::Opaque)) (name = file_name(path), layer = Below(layer, number, image)) {
            ko: "{name} · {layer} 안의 원본을 가림",
            en: "{name} · hides the original in {layer}",
        }
        #[cfg(test)]
        sample { path: page(), change: Change::CopiedUp, layer: id(), number: Some(3), image: Some(s("nginx")), was: Some(615), now: Some(640) }
    }

    /// A copy by `docker cp`; `bytes` is the sum of the files' sizes.
    Copied { from: String, to: String, bytes: Option<u64>, entries: Option<u64>, into_container: bool } = "cow.copied" {
        in Block::Copy; calls [mkdirat mknodat symlinkat openat renameat2 fchown fchownat fchmod utimensat];
        proof [sha256sum stat readlink] broken "the copy is written to";

        bulk after 16 [openat mkdirat mknodat symlinkat renameat2 fchown fchownat fchmod utimensat];
        plan [COPY] (from, to) { ko: "{from} → {to} · {v}", en: "{v} {from} → {to}" }
        [COPY] (from, to, size = bytes.map(Size)) { ko: "{from} → {to} · {size} 분량을 {v}", en: "{v} {from} → {to} · {size}" }
        #[cfg(test)]
        sample { from: s("index.html"), to: s("web:/srv/index.html"), bytes: Some(640), entries: Some(1), into_container: true }
    }
    } };
}
