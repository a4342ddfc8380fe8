//! What was asked cannot be done. English keeps Docker's wording where it has one.

use crate::event::{Lang, Word};

pieces! {
    pub enum ReferenceFlaw by "flaw" {
        Empty => { ko: "이름이 비어 있습니다.", en: "The name is empty." }
        Uppercase => { ko: "이름은 소문자여야 합니다.", en: "repository name must be lowercase" }
        Characters => {
            ko: "소문자와 숫자, 그 사이의 기호(._-/)만 쓸 수 있습니다.",
            en: "Only lowercase letters and digits, with . _ - / between them.",
        }
        Tag => {
            ko: "태그는 문자, 숫자, 기호(._-)로 128자까지이고, 점이나 빼기 기호로 시작할 수 없습니다.",
            en: "A tag has letters, digits, . _ and -, at most 128 of them, and does not begin with . or -.",
        }
        Digest => { ko: "다이제스트는 sha256: 뒤에 16진수 64자리입니다.", en: "A digest is sha256: and 64 hexadecimal digits." }
        Colon => { ko: "콜론(:) 뒤에 태그가 없습니다.", en: "Nothing follows the colon." }
    }
}

/// `docent run`, for a command that clap refused.
pub fn command_of(command: &str) -> String {
    format!("docent {command}").trim_end().to_string()
}

/// Of `-zq` the letter that is unknown.
pub fn letter(word: &Option<String>) -> String {
    word.iter().flat_map(|word| word.chars().nth(1)).collect()
}

/// An en or em dash, which copying from notes makes of two hyphens.
pub fn is_dash(text: &str) -> bool {
    text.starts_with(['\u{2013}', '\u{2014}'])
}

macro_rules! asked {
    ($($so_far:tt)*) => { families! { $($so_far)*

    /// A command line that was not understood: `kind` is one of those that `cli` makes, `word` the argument it stumbled over,
    /// `text` Docker's own wording.
    Usage { command: String, kind: String, word: Option<String>, suggestion: Option<String>, text: String } => {
        when (kind == "unknown-flag" && word.is_some()) (word) { ko: "없는 옵션입니다: {word}", en: "unknown flag: {word}" }
        when (kind == "unknown-shorthand" && word.is_some()) (letter = letter(word), word) {
            ko: "없는 옵션입니다: {word} 안의 '{letter}'",
            en: "unknown shorthand flag: '{letter}' in {word}",
        }
        when (kind == "unknown-command" && word.is_some()) (word) {
            ko: "없는 명령입니다: {word}",
            en: "unknown command: docent {word}",
        }
        when (kind == "flag-needs-value" && word.is_some()) (word) {
            ko: "값이 있어야 하는 옵션입니다: {word}",
            en: "flag needs an argument: {word}",
        }
        when (kind == "missing-arguments") (command = command_of(command), text) {
            ko: "{command} 명령에 꼭 필요한 인자가 빠졌습니다 ({text})",
            en: "\"{command}\" {text}",
        }
        when (kind == "too-many-arguments" && word.is_some()) (command = command_of(command), word) {
            ko: "{command} 명령은 이 인자를 받지 않습니다: {word}",
            en: "\"{command}\" does not take this argument: {word}",
        }
        when (kind == "not-together" && word.is_some()) (word) {
            ko: "함께 쓸 수 없는 옵션입니다: {word}",
            en: "conflicting options: {word}",
        }
        when (kind == "not-utf8") {
            ko: "명령에 글자로 읽을 수 없는 바이트가 있습니다 (UTF-8이 아님)",
            en: "the command line has bytes that are no text (not UTF-8)",
        }
        (text = text.lines().next().unwrap_or_default()) {
            ko: "명령을 이해하지 못했습니다: {text}",
            en: "cannot understand the command: {text}",
        }
        fix if (suggestion.is_some()) (suggestion) { ko: "혹시 이것을 쓰려고 하셨나요? {suggestion}", en: "did you mean: {suggestion}" }
        fix (command = command_of(command)) { ko: "사용법 보기: {command} --help", en: "see: {command} --help" }
        #[cfg(test)]
        sample { usage("unknown-flag", Some("--x")) }
        #[cfg(test)]
        sample { usage("unknown-shorthand", Some("-zq")) }
        #[cfg(test)]
        sample { usage("unknown-command", Some("rnu")) }
        #[cfg(test)]
        sample { usage("missing-arguments", None) }
        #[cfg(test)]
        sample { usage("too-many-arguments", Some("extra")) }
        #[cfg(test)]
        sample { usage("flag-needs-value", Some("--cpus")) }
        #[cfg(test)]
        sample { usage("not-together", Some("-d")) }
        #[cfg(test)]
        sample { usage("not-utf8", None) }
        #[cfg(test)]
        sample { usage("other", None) }
    }

    /// A flag or a command of Docker that docent does not have.
    Unsupported { what: String, instead: Option<String> } => {
        (what) { ko: "docent에 없는 기능입니다: {what}", en: "not supported by docent: {what}" }
        cause {
            ko: "Docker에는 있지만 docent에는 없습니다. 조용히 무시하지 않고 알려 드립니다.",
            en: "Docker has it; docent refuses it rather than ignore it.",
        }
        fix if (instead.is_some()) (instead) { ko: "대신 쓸 것: {instead}", en: "use instead: {instead}" }
        #[cfg(test)]
        sample { Fault::Unsupported { what: s("--link"), instead: Some(s("--network")) } }
    }

    BadValue { flag: String, value: String, expected: String } => {
        (flag, value) { ko: "{flag} 옵션의 값이 잘못되었습니다: {value}", en: "invalid argument \"{value}\" for \"{flag}\" flag" }
        cause (expected) { ko: "받을 수 있는 값: {expected}", en: "expected: {expected}" }
        #[cfg(test)]
        sample { Fault::BadValue { flag: s("-m"), value: s("x"), expected: s("64m") } }
    }

    /// `--narrate json` without a file, where something else goes to standard error too: a program's bytes, a question.
    JsonNeedsAFile => {
        { ko: "이 명령에서는 --narrate json 옵션에 파일이 필요합니다", en: "--narrate json needs a file for this command" }
        cause {
            ko: "표준 오류에 프로그램의 출력이나 질문도 나오므로, JSON 줄과 섞이면 읽을 수 없습니다.",
            en: "A program's output or a question goes to standard error too, and lines of JSON among it could not be read.",
        }
        fix { "--narrate json --narrate-to FILE" }
        #[cfg(test)]
        sample { Fault::JsonNeedsAFile }
    }

    BadSignal { signal: String } => {
        (signal) { ko: "없는 시그널입니다: {signal}", en: "invalid signal: {signal}" }
        cause {
            ko: "이름(TERM, SIGTERM)이나 번호(15)로 적습니다. 목록은 man 7 signal에 있습니다.",
            en: "A signal is written by its name (TERM, SIGTERM) or number (15); man 7 signal lists them.",
        }
        #[cfg(test)]
        sample { Fault::BadSignal { signal: s("NOPE") } }
    }

    /// A memory limit that no program could start in.
    MemoryTooLow { value: String } => {
        { ko: "메모리 제한은 6MB보다 작을 수 없습니다", en: "Minimum memory limit allowed is 6MB" }
        cause (value) {
            ko: "이보다 작으면 어떤 프로그램도 시작하지 못합니다 (--memory {value}).",
            en: "In less than that no program can even start (--memory {value}).",
        }
        #[cfg(test)]
        sample { Fault::MemoryTooLow { value: s("4k") } }
    }

    BadReference { text: String, flaw: ReferenceFlaw } => {
        (text) { ko: "이미지 이름의 형식이 잘못되었습니다: {text}", en: "invalid reference format: {text}" }
        cause if (is_dash(text)) {
            ko: "옵션이라면 긴 줄표가 아니라 빼기 기호 두 개(--)로 시작합니다. 노트를 복사할 때 바뀌기 쉽습니다.",
            en: "If an option is meant: it begins with two hyphens (--), not with a long dash, which copying from notes often makes.",
        }
        cause (flaw) { "{flaw}" }
        fix if (!is_dash(text)) { ko: "올바른 예: nginx, nginx:1.27, me/web:v2", en: "for example: nginx, nginx:1.27, me/web:v2" }
        #[cfg(test)]
        sample { Fault::BadReference { text: s("A:"), flaw: ReferenceFlaw::Uppercase } }
        #[cfg(test)]
        sample { Fault::BadReference { text: s("\u{2013}rm"), flaw: ReferenceFlaw::Characters } }
    }

    BadName { name: String } => {
        (name) {
            ko: "컨테이너 이름으로 쓸 수 없습니다: {name}",
            en: "Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
        }
        cause {
            ko: "영문자나 숫자로 시작하고, 영문자, 숫자, 기호(_.-)로 두 글자 이상이어야 합니다.",
            en: "It begins with a letter or digit, and has two or more letters, digits, _ . or -.",
        }
        #[cfg(test)]
        sample { Fault::BadName { name: s("_") } }
    }

    BadTemplate { template: String, why: String } => {
        (template) { ko: "--format 틀을 읽지 못했습니다: {template}", en: "template parsing error: {template}" }
        cause (why) { "{why}" }
        fix {
            ko: "올바른 예: ps --format '{{{{.Names}}}}' · inspect 필드 보기: docker inspect NAME",
            en: "for example: ps --format '{{{{.Names}}}}' · the fields of inspect: docker inspect NAME",
        }
        #[cfg(test)]
        sample { Fault::BadTemplate { template: s("{{"), why: s("unclosed") } }
    }

    /// `docker rm` of a container that runs, without -f.
    StillRunning { name: String, id: String, paused: bool } => {
        when (*paused) (name, id = short(id)) {
            ko: "일시정지된 {name} 컨테이너는 지울 수 없습니다 ({id})",
            en: "cannot remove container \"{name}\": container is paused ({id})",
        }
        (name, id = short(id)) {
            ko: "실행 중인 {name} 컨테이너는 지울 수 없습니다 ({id})",
            en: "cannot remove container \"{name}\": container is running ({id})",
        }
        cause { ko: "프로세스가 아직 있습니다.", en: "It still has processes: stop the container before removing or force remove." }
        fix (name) { ko: "docent stop {name}  또는  docent rm -f {name}", en: "docent stop {name}  or  docent rm -f {name}" }
        #[cfg(test)]
        sample { Fault::StillRunning { name: s("web"), id: s(ID), paused: false } }
        #[cfg(test)]
        sample { Fault::StillRunning { name: s("web"), id: s(ID), paused: true } }
    }

    NotRunning { name: String, id: String } => {
        (name, id = short(id)) { ko: "{name} 컨테이너가 실행 중이 아닙니다 ({id})", en: "container {name} is not running ({id})" }
        fix (name) { "docent start {name}" }
        #[cfg(test)]
        sample { Fault::NotRunning { name: s("web"), id: s(ID) } }
    }

    IsPaused { name: String, id: String } => {
        (name, id = short(id)) {
            ko: "{name} 컨테이너가 일시정지되어 있습니다 ({id})",
            en: "Container {name} is paused, unpause the container first ({id})",
        }
        fix (name) { "docent unpause {name}" }
        #[cfg(test)]
        sample { Fault::IsPaused { name: s("web"), id: s(ID) } }
    }

    AlreadyPaused { name: String, id: String } => {
        (name, id = short(id)) {
            ko: "{name} 컨테이너는 이미 일시정지되어 있습니다 ({id})",
            en: "Container {name} is already paused ({id})",
        }
        fix (name) { "docent unpause {name}" }
        #[cfg(test)]
        sample { Fault::AlreadyPaused { name: s("web"), id: s(ID) } }
    }

    /// `cp` into a container with `--read-only`.
    RootFsReadOnly { name: String } => {
        (name) {
            ko: "{name} 컨테이너의 루트 파일 시스템은 읽기 전용입니다",
            en: "container rootfs is marked read-only ({name})",
        }
        cause {
            ko: "--read-only 옵션으로 만든 컨테이너에는 밖에서도 쓸 수 없습니다.",
            en: "It was made with --read-only: nobody writes to it, not from outside either.",
        }
        fix { ko: "옵션 없이 새 컨테이너를 만듭니다", en: "make another container, without the option" }
        #[cfg(test)]
        sample { Fault::RootFsReadOnly { name: s("web") } }
    }

    NotPaused { name: String, id: String } => {
        (name, id = short(id)) { ko: "{name} 컨테이너는 일시정지 상태가 아닙니다 ({id})", en: "Container {name} is not paused ({id})" }
        fix { ko: "docent ps -a 명령으로 상태를 볼 수 있습니다", en: "docent ps -a shows the states" }
        #[cfg(test)]
        sample { Fault::NotPaused { name: s("web"), id: s(ID) } }
    }

    /// `rename` to what it is called already.
    SameName { name: String } => {
        (name) {
            ko: "새 이름이 지금 이름과 같습니다: {name}",
            en: "Renaming a container with the same name as its current name: {name}",
        }
        fix { ko: "docent ps -a 명령으로 상태를 볼 수 있습니다", en: "docent ps -a shows the states" }
        #[cfg(test)]
        sample { Fault::SameName { name: s("web") } }
    }

    NameTaken { name: String, by: String } => {
        (name, by) {
            ko: "이름이 겹칩니다. \"/{name}\" 이름은 {by} 컨테이너가 이미 쓰고 있습니다",
            en: "Conflict. The container name \"/{name}\" is already in use by container \"{by}\".",
        }
        cause {
            ko: "멈춘 컨테이너도 지울 때까지 이름을 가집니다.",
            en: "You have to remove (or rename) that container to be able to reuse that name.",
        }
        fix (name) { ko: "docent rm -f {name}  또는 다른 --name", en: "docent rm -f {name}  or another --name" }
        #[cfg(test)]
        sample { Fault::NameTaken { name: s("web"), by: s(ID) } }
    }

    NoSuchContainer { name: String } => {
        (name) { ko: "컨테이너를 찾을 수 없습니다: {name}", en: "No such container: {name}" }
        fix { ko: "docent ps -a 명령으로 상태를 볼 수 있습니다", en: "docent ps -a shows the states" }
        #[cfg(test)]
        sample { Fault::NoSuchContainer { name: s("web") } }
    }

    AmbiguousId { prefix: String } => {
        (prefix) { ko: "{prefix} 값으로 시작하는 ID가 여럿입니다", en: "multiple IDs found with provided prefix: {prefix}" }
        fix { ko: "ID를 더 길게 적습니다", en: "write more of the id" }
        #[cfg(test)]
        sample { Fault::AmbiguousId { prefix: s("3f") } }
    }

    /// No image of that name is here. `similar` are names that are.
    NoSuchImage { reference: String, similar: Vec<String> } => {
        (reference) { ko: "이 컴퓨터에 없는 이미지입니다: {reference}", en: "Unable to find image '{reference}' locally" }
        cause { ko: "docent에는 아직 레지스트리에서 내려받는 기능이 없습니다.", en: "docent has no registry client yet, so nothing can be pulled." }
        fix if (!similar.is_empty()) (names = similar) { ko: "비슷한 이름: {names}", en: "similar names here: {names}" }
        fix { ko: "docent load -i FILE.tar  (docker save로 만든 파일)", en: "docent load -i FILE.tar  (made by docker save)" }
        fix { ko: "내장 이미지는 언제나 있습니다: nginx, tiny", en: "built in, and always here: nginx, tiny" }
        #[cfg(test)]
        sample { Fault::NoSuchImage { reference: s("ngnix"), similar: vec![s("nginx")] } }
    }

    /// `port`: as it was asked for.
    NotPublished { port: String, container: String } => {
        (port, container) {
            ko: "{container} 컨테이너에는 공개된 {port} 포트가 없습니다",
            en: "No public port '{port}' published for {container}",
        }
        fix (container) { "docent port {container}" }
        #[cfg(test)]
        sample { Fault::NotPublished { port: s("81/tcp"), container: s("web") } }
    }

    NoSuchObject { name: String } => {
        (name) { ko: "그런 이름의 컨테이너나 이미지가 없습니다: {name}", en: "No such object: {name}" }
        fix { "docent ps -a, docent images" }
        #[cfg(test)]
        sample { Fault::NoSuchObject { name: s("web") } }
    }

    /// Neither the image nor the command line says what to run.
    NoCommand { image: String } => {
        (image) { ko: "실행할 명령이 없습니다: {image}", en: "no command specified: {image}" }
        cause { ko: "이미지에도 명령줄에도 프로그램 이름이 없습니다.", en: "Neither the image nor the command line names a program." }
        fix (image) { "docent run {image} sh" }
        #[cfg(test)]
        sample { Fault::NoCommand { image: s("nginx") } }
    }
    } };
}
