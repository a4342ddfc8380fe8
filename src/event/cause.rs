//! Why a check of an exercise failed: the nearest miss, each defined once with its code and its sentence.
//!
//! ```text
//! WrongName { name: String, is: String } = "wrong-name" (name, is) { ko: "…", en: "…" }
//! #[cfg(test)]
//! sample { name: s("web"), is: s("wep") }
//! ```
//!
//! What is missing does not compile, as with events ([`define`](super::define)). The codes stand in results and in `lab.toml`,
//! and never change their meaning.

#[cfg(test)]
use super::samples::*;
use super::words::Errno;
use super::{Lang, Word};

macro_rules! causes {
    ($(
        $(#[doc = $doc:literal])*
        $variant:ident { $($field:ident: $type:ty),* } = $code:literal ($($p:tt)*) {$($t:tt)*}
        #[cfg(test)] sample $sample:tt
    )*) => {
        pieces! {
            /// Why a check failed.
            pub enum Cause by "cause" {
                $($(#[doc = $doc])* #[serde(rename = $code)] $variant { $($field: $type),* } => ($($p)*) {$($t)*})*
            }
        }

        impl Cause {
            /// Every code, for a lab's file to name.
            pub const CODES: &[&str] = &[$($code),*];

            pub fn code(&self) -> &'static str {
                match self { $(Cause::$variant { .. } => $code),* }
            }
        }

        /// One of every cause.
        #[cfg(test)]
        pub fn causes() -> Vec<Cause> {
            vec![$(Cause::$variant $sample),*]
        }
    };
}

causes! {
    NoContainer { name: String } = "no-container" (name) {
        ko: "{name} 컨테이너가 없습니다.",
        en: "There is no container {name}.",
    }
    #[cfg(test)]
    sample { name: s("web") }
    /// It was there, and a command removed it.
    Removed { name: String } = "removed" (name) {
        ko: "{name} 컨테이너가 있었지만 삭제되었고, 쓰기 레이어도 함께 사라졌습니다.",
        en: "The container {name} was there, and was removed; its write layer went with it.",
    }
    #[cfg(test)]
    sample { name: s("web") }
    /// There is one that would do, by another name.
    WrongName { name: String, is: String } = "wrong-name" (name, is) {
        ko: "{name} 컨테이너가 없습니다. 대신 {is} 컨테이너가 있습니다. 이름을 확인해 보세요.",
        en: "There is no container {name}, but there is one named {is}; look at the name again.",
    }
    #[cfg(test)]
    sample { name: s("web"), is: s("wep") }
    WrongImage { name: String, image: String } = "wrong-image" (name, image) {
        ko: "{name} 컨테이너가 {image} 이미지로 만들어졌습니다.",
        en: "The container {name} was made from the image {image}.",
    }
    #[cfg(test)]
    sample { name: s("web"), image: s("alpine") }
    NotRunning { name: String, exit_code: i32 } = "not-running" (name, exit_code) {
        ko: "{name} 컨테이너가 멈춰 있습니다 (종료 코드 {exit_code}). docker start 명령으로 다시 시작할 수 있습니다.",
        en: "The container {name} has stopped (exit code {exit_code}); docker start brings it back.",
    }
    #[cfg(test)]
    sample { name: s("web"), exit_code: 137 }
    WrongState { name: String, status: String } = "wrong-state" (name, status) {
        ko: "{name} 컨테이너의 상태: {status}",
        en: "The container {name} is {status}.",
    }
    #[cfg(test)]
    sample { name: s("web"), status: s("paused") }
    PortNotPublished { name: String, port: u16 } = "port-not-published" (name, port) {
        ko: "{name} 컨테이너의 {port}번 포트가 호스트에 열려 있지 않습니다. 컨테이너를 만들 때 -p 옵션이 빠졌습니다.",
        en: "Port {port} of {name} is not published on the host: -p was missing when the container was made.",
    }
    #[cfg(test)]
    sample { name: s("web"), port: 80 }
    /// Published, at another port of the host or of the container.
    PortElsewhere { name: String, host_port: u16, port: u16 } = "port-elsewhere" (name, host_port, port) {
        ko: "{name} 컨테이너의 포트가 다르게 열려 있습니다: 호스트 {host_port} → 컨테이너 {port}",
        en: "The ports of {name} are joined differently: host {host_port} → container {port}",
    }
    #[cfg(test)]
    sample { name: s("web"), host_port: 8080, port: 80 }
    /// The host's port leads to another container.
    PortOfAnother { host_port: u16, by: String } = "port-of-another" (host_port, by) {
        ko: "호스트의 {host_port}번 포트는 {by} 컨테이너로 이어져 있습니다.",
        en: "Port {host_port} of the host leads to the container {by}.",
    }
    #[cfg(test)]
    sample { host_port: 8080, by: s("other") }
    NoAnswer { port: u16, errno: i32 } = "no-answer" (port, why = Errno(*errno)) {
        ko: "{port}번 포트에서 답이 없습니다: {why}",
        en: "No answer at port {port}: {why}",
    }
    #[cfg(test)]
    sample { port: 80, errno: libc::ECONNREFUSED }
    HttpStatus { port: u16, status: u16 } = "http-status" (port, status) {
        ko: "{port}번 포트의 웹 서버가 {status} 상태로 답했습니다.",
        en: "The web server at port {port} answered with status {status}.",
    }
    #[cfg(test)]
    sample { port: 80, status: 404 }
    PageLacksIt { port: u16 } = "page-lacks-it" (port) {
        ko: "{port}번 포트에서 받은 페이지에 기대한 내용이 없습니다.",
        en: "The page at port {port} lacks what was expected.",
    }
    #[cfg(test)]
    sample { port: 80 }
    NotCopiedOut { name: String } = "not-copied-out" (name) {
        ko: "{name} 컨테이너에서 꺼낸 파일이 없습니다. docker cp 명령의 왼쪽에 컨테이너를 적으면 꺼내는 것입니다.",
        en: "Nothing was copied out of {name}: with the container on the left of docker cp the file comes out.",
    }
    #[cfg(test)]
    sample { name: s("web") }
    NotCopiedIn { name: String } = "not-copied-in" (name) {
        ko: "{name} 컨테이너로 넣은 파일이 없습니다. 고친 파일을 docker cp 명령으로 다시 넣어야 합니다.",
        en: "Nothing was copied into {name}: the edited file has to go back in by docker cp.",
    }
    #[cfg(test)]
    sample { name: s("web") }
    WrongPath { name: String, path: String } = "wrong-path" (name, path) {
        ko: "{name} 컨테이너와 복사하긴 했지만 경로가 {path} 입니다.",
        en: "There was a copy with {name}, but at the path {path}.",
    }
    #[cfg(test)]
    sample { name: s("web"), path: page() }
    WrongContainer { name: String, is: String } = "wrong-container" (name, is) {
        ko: "{name} 컨테이너가 아니라 {is} 컨테이너와 복사했습니다.",
        en: "The copy was with {is}, not with {name}.",
    }
    #[cfg(test)]
    sample { name: s("web"), is: s("wep") }
    /// The file in the container did change, without a copy.
    EditedInside { name: String, path: String } = "edited-inside" (name, path) {
        ko: "{path} 파일은 바뀌어 있지만, 실습을 시작한 뒤 docker cp로 {name} 컨테이너에 넣은 것이 아닙니다.",
        en: "{path} is changed, but not by a docker cp into {name} since the lab began.",
    }
    #[cfg(test)]
    sample { name: s("web"), path: page() }
    /// Copied in just as it had been taken out.
    Unedited { name: String, path: String } = "unedited" (name, path) {
        ko: "{name} 컨테이너에 넣은 {path} 파일이 원본과 같습니다. 고친 뒤에 넣어야 합니다.",
        en: "{path} in {name} is the same as the original: edit it before you copy it in.",
    }
    #[cfg(test)]
    sample { name: s("web"), path: page() }
    /// Something like a token is in it, and it is not this learner's.
    WrongToken { name: String, path: String } = "wrong-token" (name, path) {
        ko: "{name} 컨테이너의 {path} 파일에 있는 토큰이 본인의 것이 아닙니다.",
        en: "The token in {path} of {name} is not yours.",
    }
    #[cfg(test)]
    sample { name: s("web"), path: page() }
    TokenMissing { name: String, path: String } = "token-missing" (name, path) {
        ko: "{name} 컨테이너의 {path} 파일이 바뀌었지만 토큰이 없습니다.",
        en: "{path} in {name} has changed, but your token is not in it.",
    }
    #[cfg(test)]
    sample { name: s("web"), path: page() }
    NotInImage { path: String } = "not-in-image" (path) { ko: "이미지에 {path} 파일이 없습니다.", en: "The image has no {path}." }
    #[cfg(test)]
    sample { path: page() }
    ImageHasIt { path: String } = "image-has-it" (path) {
        ko: "이미지의 {path} 파일에 이미 고친 내용이 있습니다. 이미지는 그대로여야 합니다.",
        en: "The change is in the image's own {path}; the image should be as it was.",
    }
    #[cfg(test)]
    sample { path: page() }
    FreshDiffers { image: String } = "fresh-differs" (image) {
        ko: "{image} 이미지로 새로 만든 컨테이너가 원래 페이지를 보여 주지 않습니다.",
        en: "A new container from {image} does not show the original page.",
    }
    #[cfg(test)]
    sample { image: s("alpine") }
    NoEvent { event: String } = "no-event" (event) {
        ko: "기록에 {event} 사건이 없습니다.",
        en: "There is no {event} in the journal.",
    }
    #[cfg(test)]
    sample { event: s("cow.copied") }
    ShellFailed { code: i32 } = "shell-failed" (code) {
        ko: "검사 스크립트가 {code} 코드로 끝났습니다.",
        en: "The check's script ended with {code}.",
    }
    #[cfg(test)]
    sample { code: 1 }
    /// What the submission left could not be looked at: a full disk, a damaged image.
    CannotLook { why: String } = "cannot-look" (why) {
        ko: "제출물이 남긴 상태를 확인할 수 없습니다: {why}",
        en: "What the submission left cannot be looked at: {why}",
    }
    #[cfg(test)]
    sample { why: s("write /img: errno 28") }
}
