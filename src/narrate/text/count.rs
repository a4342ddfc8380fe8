//! Nouns with a number.

use crate::narrate::messages::counts;

counts! {
    layers { ko: "레이어 {n}개", one: "{n} layer", en: "{n} layers" }
    new_layers { ko: "새 레이어 {n}개", one: "{n} new layer", en: "{n} new layers" }
    images { ko: "이미지 {n}개", one: "{n} image", en: "{n} images" }
    programs { ko: "프로그램 {n}개", one: "{n} program", en: "{n} programs" }
    files { ko: "파일 {n}개", one: "{n} file", en: "{n} files" }
    entries { ko: "항목 {n}개", one: "{n} entry", en: "{n} entries" }
    paths { ko: "경로 {n}개", one: "{n} path", en: "{n} paths" }
    namespaces { ko: "네임스페이스 {n}개", one: "{n} namespace", en: "{n} namespaces" }
    capabilities { ko: "권한(capability) {n}개", one: "{n} capability", en: "{n} capabilities" }
    devices { ko: "장치 {n}개", one: "{n} device", en: "{n} devices" }
    calls_allowed { ko: "시스템 콜 {n}개", one: "{n} system call", en: "{n} system calls" }
    filters { ko: "필터 {n}개", one: "{n} filter", en: "{n} filters" }
    bytes { ko: "{n}바이트", one: "{n} byte", en: "{n} bytes" }
    times { ko: "{n}번", one: "once", en: "{n} times" }
    events { ko: "사건 {n}개", one: "{n} event", en: "{n} events" }
    proofs { ko: "증거 {n}개", one: "{n} proof", en: "{n} proofs" }
    more { ko: "외 {n}개", one: "and {n} more", en: "and {n} more" }
    processes { ko: "프로세스 {n}개", one: "{n} process", en: "{n} processes" }
}
