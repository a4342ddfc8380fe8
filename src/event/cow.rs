//! Copy-on-write: what the write layer holds, what it covers, and what `docker cp` carried.

use super::words::{short, size};
use super::{Lang, Word};
use serde::{Deserialize, Serialize};

/// How a path of the write layer differs from the image below it, or from what it was at the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// The kernel copied the lower file up before it was changed: the upper file carries overlay.origin.
    CopiedUp,
    /// It differs from a lower file that has several names, of whose copies the kernel leaves no mark: a copy, or made anew.
    Unmarked,
    /// Something made anew over what lies below (`cp`, an editor that renames).
    Covered,
    /// Nothing of that name lies below.
    Added,
    /// A file of the write layer has this name now.
    Moved,
    /// One more name of a file of the write layer.
    Linked,
    /// It was in the write layer at the last look and is different now.
    Rewritten,
    /// It was in the write layer alone, and another has taken its place.
    Replaced,
    /// A directory's owner, mode or time.
    Attributes,
    /// A whiteout hides the lower one.
    Deleted,
    /// A directory that hides everything below it.
    Opaque,
    /// It was in the write layer at the last look and is gone, without a whiteout.
    Gone,
}

/// What can lie at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Node {
    File,
    Directory,
    Symlink,
    Fifo,
    Socket,
    CharDevice,
    BlockDevice,
}

impl Word for Node {
    fn word(&self, lang: Lang) -> String {
        let (ko, en) = match self {
            Node::File => ("파일", "file"),
            Node::Directory => ("디렉터리", "directory"),
            Node::Symlink => ("심볼릭 링크", "symbolic link"),
            Node::Fifo => ("FIFO", "FIFO"),
            Node::Socket => ("소켓", "socket"),
            Node::CharDevice => ("문자 장치", "character device"),
            Node::BlockDevice => ("블록 장치", "block device"),
        };
        if lang == Lang::Ko { ko.into() } else { en.into() }
    }
}

/// What is different of two states of one thing: what it was, what it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Differs {
    /// Twelve bits.
    #[serde(rename = "modes", skip_serializing_if = "Option::is_none")]
    pub mode: Option<[u32; 2]>,
    #[serde(rename = "uids", skip_serializing_if = "Option::is_none")]
    pub owner: Option<[u32; 2]>,
    #[serde(rename = "gids", skip_serializing_if = "Option::is_none")]
    pub group: Option<[u32; 2]>,
    #[serde(rename = "mtime_differs", skip_serializing_if = "std::ops::Not::not")]
    pub modified: bool,
    /// How many names (hard links) it has.
    #[serde(rename = "link_counts", skip_serializing_if = "Option::is_none")]
    pub names: Option<[u32; 2]>,
}

impl Differs {
    pub fn is_nothing(&self) -> bool {
        *self == Differs::default()
    }
}

impl Word for Differs {
    fn word(&self, lang: Lang) -> String {
        let ko = lang == Lang::Ko;
        let pair = |name: &str, [was, now]: [String; 2]| format!("{name} {was} → {now}");
        let numbers = |both: [u32; 2]| both.map(|number| number.to_string());
        let mode = self.mode.map(|both| both.map(|bits| format!("{bits:03o}")));
        let parts = [
            mode.map(|both| pair(if ko { "권한" } else { "mode" }, both)),
            self.owner.map(|both| pair(if ko { "소유자" } else { "owner" }, numbers(both))),
            self.group.map(|both| pair(if ko { "그룹" } else { "group" }, numbers(both))),
            self.names.map(|both| pair(if ko { "이름의 수" } else { "number of names" }, numbers(both))),
            self.modified.then(|| if ko { "수정 시각" } else { "modification time" }.into()),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// Sizes and attributes before and after, as well as there are any.
pub struct Compared<'a>(pub &'a Option<u64>, pub &'a Option<u64>, pub &'a Differs);

impl Word for Compared<'_> {
    fn word(&self, lang: Lang) -> String {
        let size = match (self.0, self.1) {
            (Some(was), Some(now)) if was != now => Some(format!("{} → {}", size(lang, *was), size(lang, *now))),
            (_, Some(now)) => Some(size(lang, *now)),
            _ => None,
        };
        let rest = (!self.2.is_nothing()).then(|| self.2.word(lang));
        match (size, rest) {
            (None, None) => if lang == Lang::Ko { "속성은 그대로" } else { "its attributes are the same" }.into(),
            (size, rest) => size.into_iter().chain(rest).collect::<Vec<_>>().join(", "),
        }
    }
}

/// What lies somewhere: `615 bytes`, `directory`.
pub struct What<'a>(pub &'a Option<Node>, pub &'a Option<u64>);

impl Word for What<'_> {
    fn word(&self, lang: Lang) -> String {
        match (self.0.unwrap_or(Node::File), self.1) {
            (Node::File, Some(bytes)) => size(lang, *bytes),
            (node, _) => node.word(lang),
        }
    }
}

/// What lies below at a path besides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Covers {
    pub diff_id: String,
    #[serde(rename = "layer_number")]
    pub number: usize,
    #[serde(rename = "file_type")]
    pub node: Node,
    pub bytes: Option<u64>,
}

impl Word for Covers {
    fn word(&self, lang: Lang) -> String {
        let (what, n, id) = (What(&Some(self.node), &self.bytes).word(lang), self.number, short(&self.diff_id));
        match lang {
            Lang::Ko => format!("{n}번째 레이어({id}) 안의 원본({what})"),
            Lang::En => format!("the original ({what}) in layer {n} ({id})"),
        }
    }
}

/// Between which commands something happened that none of them did: after the one that looked last, before this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Since {
    /// None: nobody has looked before.
    #[serde(rename = "after_command")]
    pub after: Option<u64>,
    #[serde(rename = "before_command")]
    pub before: Option<u64>,
}

impl Word for Since {
    fn word(&self, lang: Lang) -> String {
        match (self.after, self.before, lang) {
            (Some(after), Some(before), Lang::Ko) => format!("명령 {after}번과 {before}번 사이"),
            (Some(after), Some(before), Lang::En) => format!("between commands {after} and {before}"),
            (None, Some(before), Lang::Ko) => format!("명령 {before}번 전"),
            (None, Some(before), Lang::En) => format!("before command {before}"),
            (_, None, Lang::Ko) => "이 명령 전".into(),
            (_, None, Lang::En) => "before this command".into(),
        }
    }
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

macro_rules! cow {
    ($($so_far:tt)*) => { families! { $($so_far)*

    /// Something in the write layer that was not there at the last look.
    Changed {
        #[serde(rename = "path_inside", alias = "path")]
        path: Bytes,
        change: Change,
        /// What lies there now.
        #[serde(rename = "file_type", default)]
        node: Option<Node>,
        /// The layer of what it was copied from, or of what it covers or hides.
        #[serde(rename = "diff_id", default)]
        layer: Option<String>,
        /// Which layer of the image that is, counted from 1, the lowest.
        #[serde(default, rename = "layer_number", alias = "number")]
        number: Option<usize>,
        image: Option<String>,
        /// The path there, where that is another.
        #[serde(rename = "source_inside", default)]
        source: Option<Bytes>,
        #[serde(rename = "file_type_was", default)]
        node_was: Option<Node>,
        #[serde(rename = "bytes_was", alias = "was")]
        was: Option<u64>,
        #[serde(rename = "bytes", alias = "now")]
        now: Option<u64>,
        /// How many names the file has in its layer.
        #[serde(rename = "link_count", default)]
        names_was: Option<u32>,
        /// What lies below at the same path, where `diff_id` tells of another.
        #[serde(default)]
        covers: Option<Covers>,
        /// A name in the write layer that it had before, or has besides.
        #[serde(rename = "other_inside", default)]
        other: Option<Bytes>,
        #[serde(default, skip_serializing_if = "Differs::is_nothing")]
        differs: Differs,
        /// Not by this command.
        #[serde(default)]
        since: Option<Since>,
    } = "cow.change" {
        in Block::Changes;
        proof [sha256sum stat readlink getfattr] broken "the file is written to, or its mark goes"; man "kernel: Documentation/filesystems/overlayfs.rst";
        when (*change == Change::CopiedUp && layer.is_none()) (path, compared = Compared(was, now, differs)) {
            ko: "{path} · 커널이 쓰기 레이어로 올린(copy-up) 것이지만 어느 원본인지는 찾지 못했습니다 · {compared}",
            en: "{path} · the kernel copied it up into the write layer; of which original was not found · {compared}",
        }
        when (*change == Change::CopiedUp && source.is_some()) (path, layer = Below(layer, number, image), source, compared = Compared(was, now, differs)) {
            ko: "{path} · {layer} 안의 {source} 원본을 커널이 쓰기 레이어로 올렸고(copy-up), 그 사본의 지금 이름입니다 · {compared}",
            en: "{path} · the kernel copied {source} up from {layer} into the write layer, and this is the copy's name now · {compared}",
        }
        when (*change == Change::CopiedUp) (path, layer = Below(layer, number, image), compared = Compared(was, now, differs)) {
            ko: "{path} · {layer} 안의 원본을 커널이 쓰기 레이어로 올려(copy-up) 그 사본을 고쳤습니다 · {compared}",
            en: "{path} · the kernel copied it up from {layer} into the write layer, and the copy was changed there · {compared}",
        }
        when (*change == Change::Unmarked) (path, layer = Below(layer, number, image), names = names_was, compared = Compared(was, now, differs)) {
            ko: "{path} · {layer} 안의 원본과 다른 것이 쓰기 레이어에 있습니다. 이미지에서 이름이 {names}개인 파일이라 커널이 출처를 남기지 않습니다 · {compared}",
            en: "{path} · differs in the write layer from the original in {layer}; that has {names} names in the image, and of such a file the kernel leaves no mark of where a copy came from · {compared}",
        }
        when (*change == Change::Covered) (path, layer = Below(layer, number, image), node = node.unwrap_or(Node::File), what = What(node_was, was)) {
            ko: "{path} · 쓰기 레이어의 새 {node} · {layer} 안의 원본({what}) 위를 가립니다",
            en: "{path} · a new {node} in the write layer covers the original ({what}) in {layer}",
        }
        when (*change == Change::Added) (path, what = What(node, now)) { ko: "{path} · 새로 생김 · {what}", en: "{path} · new · {what}" }
        when (*change == Change::Moved) (path, other, compared = Compared(&None, now, differs)) {
            ko: "{path} · 쓰기 레이어에서 {other} 이름이던 것이 이 이름으로 바뀌었습니다 · {compared}",
            en: "{path} · was {other} in the write layer, and has this name now · {compared}",
        }
        when (*change == Change::Linked) (path, other) {
            ko: "{path} · 쓰기 레이어에 있는 {other} 파일의 또 다른 이름(하드 링크)입니다",
            en: "{path} · one more name (hard link) of {other} in the write layer",
        }
        when (*change == Change::Rewritten) (path, compared = Compared(&None, now, differs)) {
            ko: "{path} · 이미 쓰기 레이어에 있던 것을 고쳤습니다 · {compared}",
            en: "{path} · was in the write layer already, and changed there · {compared}",
        }
        when (*change == Change::Replaced) (path, what = What(node, now)) {
            ko: "{path} · 쓰기 레이어에만 있던 것 대신 새것이 들어왔습니다 · {what}",
            en: "{path} · was in the write layer alone; another has taken its place · {what}",
        }
        when (*change == Change::Attributes && layer.is_some()) (path, layer = Below(layer, number, image), differs) {
            ko: "{path} · {layer} 안의 디렉터리인데, 쓰기 레이어에서 속성이 바뀌었습니다 · {differs}",
            en: "{path} · a directory of {layer}, whose attributes are changed in the write layer · {differs}",
        }
        when (*change == Change::Attributes) (path, differs) {
            ko: "{path} · 디렉터리의 속성이 바뀌었습니다 · {differs}",
            en: "{path} · a directory whose attributes are changed · {differs}",
        }
        when (*change == Change::Deleted) (path, layer = Below(layer, number, image), what = What(node_was, was)) {
            ko: "{path} · {layer} 안의 원본({what}) 위를 화이트아웃으로 가렸습니다",
            en: "{path} · a whiteout hides the original ({what}) in {layer}",
        }
        when (*change == Change::Opaque) (path, layer = Below(layer, number, image)) {
            ko: "{path} · 새로 만든 이 디렉터리는 {layer} 안의 같은 디렉터리를 통째로 가립니다(opaque)",
            en: "{path} · made anew, this directory hides the whole one in {layer} (opaque)",
        }
        when (other.is_some()) (path, other) {
            ko: "{path} · 이 이름은 없어졌지만, 파일은 {other} 이름으로 남아 있습니다",
            en: "{path} · this name is gone; the file is still there as {other}",
        }
        when (layer.is_some()) (path, layer = Below(layer, number, image)) {
            ko: "{path} · 쓰기 레이어에 있던 것은 없어졌습니다. {layer} 안의 원본은 가려진 채 그대로입니다",
            en: "{path} · what the write layer had is gone; the original in {layer} is untouched, and hidden",
        }
        (path) {
            ko: "{path} · 쓰기 레이어에만 있던 것이라 완전히 지워졌습니다",
            en: "{path} · it was in the write layer alone, and is gone for good",
        }
        also if (covers.is_some()) (covers) { ko: "{covers} 위를 가립니다", en: "covers {covers}" }
        also if (since.is_some()) (since) {
            ko: "지난번 살펴본 뒤에 바뀐 것({since})",
            en: "since the last look, {since}",
        }
        short if (*change == Change::Covered) (name = file_name(&path.shown()), layer = Below(layer, number, image), what = What(node_was, was)) {
            ko: "{name} · {layer} 안의 원본({what})을 덮음",
            en: "{name} · covers the original ({what}) in {layer}",
        }
        short if (*change == Change::CopiedUp && layer.is_some()) (name = file_name(&path.shown()), layer = Below(layer, number, image)) {
            ko: "{name} · {layer} 안의 원본을 쓰기 시 복사",
            en: "{name} · copied up from {layer}",
        }
        short if (matches!(change, Change::Deleted | Change::Opaque)) (name = file_name(&path.shown()), layer = Below(layer, number, image)) {
            ko: "{name} · {layer} 안의 원본을 가림",
            en: "{name} · hides the original in {layer}",
        }
        #[cfg(test)]
        sample {
            path: page().as_str().into(), change: Change::CopiedUp, node: Some(Node::File), layer: id(), number: Some(3), image: Some(s("nginx")),
            source: None, node_was: Some(Node::File), was: Some(615), now: Some(640), names_was: None, covers: None, other: None,
            differs: Differs { modified: true, ..Differs::default() }, since: None
        }
    }

    /// More changes than a look tells one by one, or than it came to.
    MoreChanges {
        #[serde(rename = "changes_told")]
        told: u64,
        /// As far as was looked.
        #[serde(rename = "changes_seen")]
        changes: u64,
        #[serde(rename = "entries")]
        looked: u64,
        /// All of the write layer was looked at.
        #[serde(rename = "looked_at_all")]
        whole: bool,
        #[serde(rename = "look_us")]
        micros: u64,
        #[serde(default)]
        since: Option<Since>,
    } = "cow.more" {
        in Block::Changes; unproven "a look: nothing was changed; docent diff shows all of them";
        when (*whole) (told, changes) {
            ko: "바뀐 것이 {changes}개이고, 그 가운데 {told}개만 하나씩 알려 드립니다. 전부 보기: docent diff",
            en: "{changes} changes, of which only {told} are told one by one; all of them: docent diff",
        }
        when (*changes == 0) (looked, ms = micros / 1000) {
            ko: "쓰기 레이어의 항목이 {looked}개보다 많아 다 살펴보지 못했습니다({ms} ms). 살펴본 곳에서는 바뀐 것이 없습니다. 전부 보기: docent diff",
            en: "the write layer has more than {looked} entries, and not all were looked at ({ms} ms); of those that were none is changed; all: docent diff",
        }
        (changes, looked, ms = micros / 1000) {
            ko: "바뀐 것이 적어도 {changes}개이고, 다 살펴보지는 못했습니다. 앞의 항목 {looked}개만 살펴보았습니다({ms} ms). 전부 보기: docent diff",
            en: "at least {changes} changes; not all were looked at, only the first {looked} entries ({ms} ms); all of them: docent diff",
        }
        also if (since.is_some()) (since) {
            ko: "지난번 살펴본 뒤에 바뀐 것({since})",
            en: "since the last look, {since}",
        }
        #[cfg(test)]
        sample { told: 1000, changes: 20_000, looked: 20_000, whole: false, micros: 61_000, since: None }
        #[cfg(test)]
        sample { told: 1000, changes: 1800, looked: 2400, whole: true, micros: 61_000, since: Some(Since { after: Some(3), before: Some(7) }) }
    }

    /// A copy by `docker cp`; `bytes` is the sum of the files' sizes.
    Copied { from: Bytes, to: Bytes, bytes: Option<u64>, entries: Option<u64>, into_container: bool } = "cow.copied" {
        in Block::Copy; calls [mkdirat mknodat symlinkat openat renameat2 fchown fchownat fchmod utimensat unlinkat];
        proof [sha256sum stat readlink] broken "the copy is written to";

        bulk after 16 [openat mkdirat mknodat symlinkat renameat2 fchown fchownat fchmod utimensat unlinkat];
        plan [COPY] (from, to) { ko: "{from} → {to} · {v}", en: "{v} {from} → {to}" }
        [COPY] (from, to, size = bytes.map(Size)) { ko: "{from} → {to} · {size} 분량을 {v}", en: "{v} {from} → {to} · {size}" }
        #[cfg(test)]
        sample { from: "index.html".into(), to: "web:/srv/index.html".into(), bytes: Some(640), entries: Some(1), into_container: true }
    }

    /// What a copy that failed had put in its place until then: it stays. `paths` are the first of `entries`.
    PartlyCopied {
        to: Bytes,
        #[serde(rename = "placed")]
        paths: Vec<String>,
        entries: u64,
    } = "cow.copied-partly" {
        in Block::Copy; unproven "what a copy has made before it failed is the learner's to keep or to remove";
        (to, n = Count(counts::entries, *entries as usize), paths) {
            ko: "{to} · 실패하기 전에 복사된 것은 남아 있습니다: {n} ({paths})",
            en: "{to} · what was copied before it failed stays there: {n} ({paths})",
        }
        #[cfg(test)]
        sample { to: "web:/srv".into(), paths: vec![s("/srv/a")], entries: 1 }
    }
    } };
}
