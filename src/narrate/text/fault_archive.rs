//! Files and archives. Archives are untrusted: each flaw is an attack or an accident, and nothing of such a file is kept.

use crate::event::messages::messages;

messages! {
    no_such_path(container, path) {
        ko: "{container} 컨테이너에 그런 경로가 없습니다: {path}",
        en: "Could not find the file {path} in container {container}",
    }
    no_such_path_fix(container) { ko: "docent exec {container} ls /", en: "docent exec {container} ls /" }
    not_a_directory(path) { ko: "디렉터리가 아닙니다: {path}", en: "not a directory: {path}" }
    not_a_directory_cause() {
        ko: "경로가 / 기호로 끝나거나 복사할 것이 디렉터리이면, 목적지도 디렉터리여야 합니다.",
        en: "A path that ends in /, or a directory to copy, needs a directory as its target.",
    }
    local_file(path, errno) { ko: "호스트의 파일을 다룰 수 없습니다: {path} · {errno}", en: "{path}: {errno}" }
    local_file_fix(path) { ko: "ls -l {path}", en: "ls -l {path}" }
    cp_direction() {
        ko: "cp의 한쪽은 호스트의 경로, 다른 쪽은 컨테이너의 경로여야 합니다",
        en: "must specify exactly one container path: copying between containers is not supported",
    }
    cp_direction_fix_in() {
        ko: "docent cp FILE NAME:/PATH",
        en: "docent cp FILE NAME:/PATH",
    }
    cp_direction_fix_out() {
        ko: "docent cp NAME:/PATH FILE",
        en: "docent cp NAME:/PATH FILE",
    }

    archive(path) { ko: "{path} 아카이브를 읽지 못했습니다", en: "cannot load the archive {path}" }
    nothing_kept() { ko: "저장소에 들어간 것은 없습니다.", en: "Nothing of it was kept." }
    not_an_archive(what) {
        ko: "tar 아카이브가 아니거나, 읽지 못하는 방식으로 압축되었습니다: {what}",
        en: "It is not a tar archive, or compressed in a way that is not read: {what}",
    }
    truncated() { ko: "파일이 중간에서 끊겼습니다.", en: "unexpected EOF: the file ends in the middle." }
    no_manifest() {
        ko: "manifest.json이 없습니다. 컨테이너를 export 한 파일은 이미지가 아닙니다.",
        en: "It has no manifest.json. What `export` writes is a file tree, not an image.",
    }
    bad_json(member, why) { ko: "{member} 파일이 올바른 JSON이 아닙니다: {why}", en: "{member} is not valid JSON: {why}" }
    missing_member(member) { ko: "있어야 할 파일이 없습니다: {member}", en: "A file is missing in it: {member}" }
    digest_mismatch(what, expected, found) {
        ko: "{what} 내용의 해시가 다릅니다. 기대한 값 {expected}, 실제 값 {found}",
        en: "The digest of {what} does not match: expected {expected}, found {found}",
    }
    escape(member) {
        ko: "레이어 밖으로 나가는 이름이 있어 거절했습니다: {member}",
        en: "A name in it leads out of the layer, which is refused: {member}",
    }
    bad_member(member, why) {
        ko: "레이어에 있을 수 없는 항목입니다: {member} ({why})",
        en: "No layer may hold this: {member} ({why})",
    }
    too_large(what, limit) { ko: "너무 큽니다: {what} · 한계 {limit}", en: "Too large: {what} · the limit is {limit}" }
    too_many_names(found, limit) {
        ko: "이미지 이름이 {found}개 들어 있습니다. 아카이브 하나에서 {limit}개까지만 읽습니다.",
        en: "It holds {found} image names; at most {limit} are taken from one archive.",
    }
    write(member, errno) { ko: "{member} 파일을 풀지 못했습니다: {errno}", en: "{member} could not be unpacked: {errno}" }
    empty() { ko: "이미지가 하나도 없습니다.", en: "There is no image in it." }
    archive_fix_again() {
        ko: "다시 만듭니다: docker save -o FILE.tar IMAGE",
        en: "make it again: docker save -o FILE.tar IMAGE",
    }
    archive_fix_check(path) { ko: "내용 보기: tar tvf {path}", en: "look into it: tar tvf {path}" }
    archive_fix_trust() {
        ko: "이 파일을 어디서 받았는지 확인합니다",
        en: "find out where this file comes from",
    }
    archive_fix_space() { ko: "남은 공간 보기: df -h", en: "see the space left: df -h" }
}
