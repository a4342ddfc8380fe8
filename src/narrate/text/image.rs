//! Images: where they come from, their layers, their names.

use crate::narrate::messages::messages;

messages! {
    // ---- one sentence for each fact ----
    resolved(reference) { ko: "{reference} 이미지를 찾았습니다", en: "found the image {reference}" }
    resolved_plan(reference) { ko: "{reference} 이미지를 씁니다", en: "will use the image {reference}" }
    from_host[MAKE](reference, programs) {
        ko: "{reference} 이미지를 이 컴퓨터의 프로그램으로 {v}: {programs}",
        en: "{v} the image {reference} from programs of this machine: {programs}",
    }
    archive_read[READ](path, images, layers) {
        ko: "{path} 아카이브를 {v} · {images}, {layers}",
        en: "{v} the archive {path} · {images}, {layers}",
    }
    blob_written[WRITE](digest, size) {
        ko: "{digest} 블롭을 저장소에 {v} · {size}",
        en: "{v} the blob {digest} · {size}",
    }
    layer_unpacked[UNPACK](chain, entries, size) {
        ko: "{chain} 레이어를 {v} · {entries}, {size}",
        en: "{v} the layer {chain} · {entries}, {size}",
    }
    layer_reused(chain) {
        ko: "{chain} 레이어는 이미 있어서 그대로 씁니다",
        en: "the layer {chain} was here already and is used as it is",
    }
    tagged[ATTACH](reference, id) {
        ko: "{id} 이미지에 {reference} 이름을 {v}",
        en: "{v} the name {reference} on the image {id}",
    }
    tag_moved(was) { ko: "전에는 {was} 이미지의 이름이었습니다", en: "it was the name of {was} before" }
    store_removed[REMOVE](path) { ko: "{path} 저장소를 {v}", en: "{v} the store {path}" }
    store_made[MAKE](path) { ko: "{path} 저장소를 {v}", en: "{v} the store {path}" }

    // ---- parts of the head ----
    here() { ko: "이 컴퓨터에 있음", en: "on this machine" }
    by_id() { ko: "ID로 찾음", en: "found by its id" }
    built_in() { ko: "이 컴퓨터에서 만듦", en: "made on this machine" }
    from_archive(path) { ko: "{path} 아카이브에서 읽음", en: "read from the archive {path}" }
    own_server(server) { ko: "서버 {server}", en: "server {server}" }
    nothing_new(layers) {
        ko: "새로 푼 레이어 없음: {layers} 모두 이미 있었음",
        en: "nothing unpacked: all {layers} were here",
    }
}
