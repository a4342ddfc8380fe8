//! Files and archives. Archives are untrusted: each flaw is an attack or an accident, and nothing of such a file is kept.

use crate::event::words::{Errno, Memory, short};
use crate::event::{Lang, Remedy, Word};

pieces! {
    /// What is wrong with an archive or a layer in it.
    pub enum ArchiveFlaw by "flaw" {
        /// Not a tar at all (or one in a compression that is not read).
        NotAnArchive { what: String } => (what) {
            ko: "tar 아카이브가 아니거나, 읽지 못하는 방식으로 압축되었습니다: {what}",
            en: "It is not a tar archive, or compressed in a way that is not read: {what}",
        }
        Truncated => { ko: "파일이 중간에서 끊겼습니다.", en: "unexpected EOF: the file ends in the middle." }
        NoManifest => {
            ko: "manifest.json이 없습니다. 컨테이너를 export 한 파일은 이미지가 아닙니다.",
            en: "It has no manifest.json. What `export` writes is a file tree, not an image.",
        }
        BadJson { member: String, why: String } => (member, why) {
            ko: "{member} 파일이 올바른 JSON이 아닙니다: {why}",
            en: "{member} is not valid JSON: {why}",
        }
        MissingMember { member: String } => (member) { ko: "있어야 할 파일이 없습니다: {member}", en: "A file is missing in it: {member}" }
        DigestMismatch { what: String, expected: String, found: String } =>
            (what = short(what), expected = short(expected), found = short(found)) {
                ko: "{what} 내용의 해시가 다릅니다. 기대한 값 {expected}, 실제 값 {found}",
                en: "The digest of {what} does not match: expected {expected}, found {found}",
            }
        /// A name that leads out of the layer: `..`, an absolute path, a link.
        Escape { member: String } => (member) {
            ko: "레이어 밖으로 나가는 이름이 있어 거절했습니다: {member}",
            en: "A name in it leads out of the layer, which is refused: {member}",
        }
        /// A member type that no layer may hold.
        BadMember { member: String, why: String } => (member, why) {
            ko: "레이어에 있을 수 없는 항목입니다: {member} ({why})",
            en: "No layer may hold this: {member} ({why})",
        }
        TooLarge { what: String, limit: u64 } => (what, limit = Memory(*limit)) {
            ko: "너무 큽니다: {what} · 한계 {limit}",
            en: "Too large: {what} · the limit is {limit}",
        }
        /// More names than one load gives.
        TooManyNames { found: usize, limit: usize } => (found, limit) {
            ko: "이미지 이름이 {found}개 들어 있습니다. 아카이브 하나에서 {limit}개까지만 읽습니다.",
            en: "It holds {found} image names; at most {limit} are taken from one archive.",
        }
        /// Unpacking failed on the file system.
        Write { member: String, errno: i32 } => (member, errno = Errno(*errno)) {
            ko: "{member} 파일을 풀지 못했습니다: {errno}",
            en: "{member} could not be unpacked: {errno}",
        }
        Empty => { ko: "이미지가 하나도 없습니다.", en: "There is no image in it." }
    }
}

impl ArchiveFlaw {
    /// Unpacking failed, and the archive may be as good as any.
    pub fn errno(&self) -> Option<i32> {
        if let ArchiveFlaw::Write { errno, .. } = self { Some(*errno) } else { None }
    }

    pub fn remedy(&self) -> Option<Remedy<'_>> {
        if let ArchiveFlaw::Write { member, errno } = self { Remedy::of("write", member, *errno) } else { None }
    }

    /// Nobody makes such an archive by accident.
    pub fn is_hostile(&self) -> bool {
        use ArchiveFlaw::*;
        matches!(self, Escape { .. } | BadMember { .. } | TooLarge { .. } | TooManyNames { .. })
    }
}

/// A flaw and what became of the rest, joined as sentences or as parts of one.
pub struct Kept<'a>(pub &'a ArchiveFlaw);

impl Word for Kept<'_> {
    fn word(&self, lang: Lang) -> String {
        let flaw = self.0.word(lang);
        let between = if flaw.ends_with('.') { " " } else { " · " };
        flaw + between
            + if lang == Lang::Ko { "저장소에 들어간 것은 없습니다." } else { "Nothing of it was kept." }
    }
}

macro_rules! files {
    ($($so_far:tt)*) => { families! { $($so_far)*

    NoSuchPath { container: String, path: String } => {
        (container, path) {
            ko: "{container} 컨테이너에 그런 경로가 없습니다: {path}",
            en: "Could not find the file {path} in container {container}",
        }
        fix (container) { "docent exec {container} ls /" }
        #[cfg(test)]
        sample { Fault::NoSuchPath { container: s("web"), path: s("/etc/x") } }
    }

    NotADirectory { path: String } => {
        (path) { ko: "디렉터리가 아닙니다: {path}", en: "not a directory: {path}" }
        cause {
            ko: "경로가 / 기호로 끝나거나 복사할 것이 디렉터리이면, 목적지도 디렉터리여야 합니다.",
            en: "A path that ends in /, or a directory to copy, needs a directory as its target.",
        }
        #[cfg(test)]
        sample { Fault::NotADirectory { path: s("/etc/x") } }
    }

    /// `call` is empty where no single one is to blame.
    LocalFile { path: String, call: String, errno: i32 } => {
        (path, errno = Errno(*errno)) { ko: "호스트의 파일을 다룰 수 없습니다: {path} · {errno}", en: "{path}: {errno}" }
        fix (path) { "ls -l {path}" }
        #[cfg(test)]
        sample { Fault::LocalFile { path: s("/etc/x"), call: s("open"), errno: libc::EACCES } }
    }

    /// `cp` between two containers, or between no container.
    CpDirection => {
        {
            ko: "cp의 한쪽은 호스트의 경로, 다른 쪽은 컨테이너의 경로여야 합니다",
            en: "must specify exactly one container path: copying between containers is not supported",
        }
        fix { "docent cp FILE NAME:/PATH" }
        fix { "docent cp NAME:/PATH FILE" }
        #[cfg(test)]
        sample { Fault::CpDirection }
    }

    Archive { path: String, flaw: ArchiveFlaw } => {
        (path) { ko: "{path} 아카이브를 읽지 못했습니다", en: "cannot load the archive {path}" }
        cause (flaw = Kept(flaw)) { "{flaw}" }
        fix if (flaw.is_hostile()) { ko: "이 파일을 어디서 받았는지 확인합니다", en: "find out where this file comes from" }
        fix if (!flaw.is_hostile() && flaw.errno().is_none()) {
            ko: "다시 만듭니다: docker save -o FILE.tar IMAGE",
            en: "make it again: docker save -o FILE.tar IMAGE",
        }
        fix if (flaw.errno().is_none()) (path) { ko: "내용 보기: tar tvf {path}", en: "look into it: tar tvf {path}" }
        fix if (flaw.remedy().is_some()) (remedy = flaw.remedy()) { "{remedy}" }
        fix if (flaw.errno().is_some() && flaw.remedy().is_none()) {
            ko: "남은 공간 보기: df -h",
            en: "see the space left: df -h",
        }
        #[cfg(test)]
        sample { Fault::Archive { path: s("/etc/x"), flaw: ArchiveFlaw::Truncated } }
    }
    } };
}
