//! Copy-on-write: what the write layer holds, and what it covers.

use crate::narrate::messages::messages;

messages! {
    // ---- one sentence for each change ----
    copied_up(path, layer, size) {
        ko: "{path} · {layer} 안의 원본({size})을 커널이 쓰기 레이어로 올린 뒤(copy-up) 고쳤습니다",
        en: "{path} · the kernel first copied it up from {layer} ({size}) into the write layer; there it was changed",
    }
    covered(path, layer, size) {
        ko: "{path} · 쓰기 레이어의 새 파일이 {layer} 안의 원본 {size} 파일을 가립니다",
        en: "{path} · a new file in the write layer covers the original of {size} in {layer}",
    }
    added(path, size) { ko: "{path} · 새로 생김 · {size}", en: "{path} · new · {size}" }
    added_other(path) { ko: "{path} · 새로 생김", en: "{path} · new" }
    rewritten_other(path) {
        ko: "{path} · 이미 쓰기 레이어에 있던 것을 고쳤습니다",
        en: "{path} · was in the write layer already, and changed there",
    }
    rewritten(path, size) {
        ko: "{path} · 이미 쓰기 레이어에 있던 것을 고쳤습니다 · {size}",
        en: "{path} · was in the write layer already, and changed there · {size}",
    }
    deleted(path, layer) {
        ko: "{path} · {layer} 안의 원본을 화이트아웃으로 가렸습니다",
        en: "{path} · a whiteout hides the original in {layer}",
    }
    opaque(path, layer) {
        ko: "{path} · 이 디렉터리는 {layer} 안의 같은 디렉터리를 통째로 가립니다",
        en: "{path} · this directory hides the whole one in {layer}",
    }
    gone(path) {
        ko: "{path} · 쓰기 레이어에만 있던 것이라 완전히 지워졌습니다",
        en: "{path} · it was in the write layer alone, and is gone for good",
    }
    copied_plan[COPY](from, to) { ko: "{from} → {to} · {v}", en: "{v} {from} → {to}" }
    copied[COPY](from, to, size) { ko: "{from} → {to} · {size} 분량을 {v}", en: "{v} {from} → {to} · {size}" }

    // ---- where it lies below ----
    layer_of_image(image, number, id) {
        ko: "{image} 이미지의 {number}번째 레이어({id})",
        en: "layer {number} ({id}) of the image {image}",
    }
    layer_numbered(number, id) { ko: "이미지의 {number}번째 레이어({id})", en: "layer {number} ({id}) of the image" }
    layer_known(id) { ko: "이미지의 {id} 레이어", en: "the image's layer {id}" }
    layer_of(image) { ko: "{image} 이미지의 레이어", en: "a layer of the image {image}" }
    layer_some() { ko: "이미지의 레이어", en: "a layer of the image" }
    size_unknown() { ko: "크기 모름", en: "unknown size" }

    // ---- the lesson ----
    now_in_upper(path, name) {
        ko: "{path} 파일은 이제 {name} 컨테이너의 쓰기 레이어에 있습니다.",
        en: "{path} now lies in the write layer of the container {name}.",
    }
    original_stays(layer, size) {
        ko: "{layer} 안의 원본({size})은 그대로이고, 위에서 가려졌을 뿐입니다.",
        en: "The original ({size}) in {layer} is untouched; it is only covered from above.",
    }
    others_see() {
        ko: "같은 이미지로 만든 다른 컨테이너에는 원본이 보입니다.",
        en: "Other containers made from the same image still see the original.",
    }
    whole_file() {
        ko: "한 글자나 권한만 바꾸어도 파일 전체가 복사됩니다. 비우면서 여는 경우(>)에만 내용은 복사하지 않습니다.",
        en: "Even for one letter or a new mode the whole file is copied; only one that is opened to be emptied (>) is not.",
    }
    whiteout_note() {
        ko: "이미지는 읽기 전용이라 지울 수 없습니다. 그 이름이 없다는 표시만 쓰기 레이어에 남습니다.",
        en: "The image is read-only and cannot lose a file: the write layer only marks the name as absent.",
    }
    out_note(name) {
        ko: "{name} 컨테이너에서 읽기만 했습니다. 쓰기 레이어는 그대로입니다.",
        en: "Only read from the container {name}: its write layer is as it was.",
    }
    short_copied_up(path, layer) { ko: "{path} · {layer} 안의 원본을 쓰기 시 복사", en: "{path} · copied up from {layer}" }
    short_hidden(path, layer) { ko: "{path} · {layer} 안의 원본을 가림", en: "{path} · hides the original in {layer}" }
    short_covered(path, layer, size) {
        ko: "{path} · {layer} 안의 원본({size})을 덮음",
        en: "{path} · covers the original ({size}) in {layer}",
    }
}
