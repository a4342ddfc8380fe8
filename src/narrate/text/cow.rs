//! Copy-on-write: the lesson of a change.

use crate::event::messages::messages;

messages! {
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
        ko: "{name} 컨테이너에서 읽기만 했습니다. 쓰기 레이어의 파일은 하나도 바뀌지 않았습니다.",
        en: "Only read from the container {name}: no file of its write layer was changed.",
    }
}
