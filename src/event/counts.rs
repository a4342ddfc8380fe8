//! Nouns with a number.

counts! {
    layers { ko: "레이어 {n}개", one: "{n} layer", en: "{n} layers" }
    new_layers { ko: "새 레이어 {n}개", one: "{n} new layer", en: "{n} new layers" }
    images { ko: "이미지 {n}개", one: "{n} image", en: "{n} images" }
    entries { ko: "항목 {n}개", one: "{n} entry", en: "{n} entries" }
    bytes { ko: "{n}바이트", one: "{n} byte", en: "{n} bytes" }
    times { ko: "{n}번", one: "{n} time", en: "{n} times" }
    more { ko: "그 밖에 {n}개", one: "and {n} more", en: "and {n} more" }
}
