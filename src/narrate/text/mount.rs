//! Mounts: the root, and what the container sees in it.

use crate::narrate::messages::messages;

messages! {
    private[SEPARATE]() {
        ko: "이 마운트 네임스페이스의 마운트를 호스트에서 {v}",
        en: "{v} the mounts of this namespace from the host's",
    }
    overlay[STACK](layers, target) {
        ko: "{layers} 위에 쓰기 레이어를 {v} (overlay, {target})",
        en: "{v} a write layer on top of {layers} (overlay on {target})",
    }
    with_mount_points(overlay) {
        ko: "{overlay} · 맨 아래에는 마운트할 자리만 있는 레이어 하나",
        en: "{overlay} · at the very bottom a layer of nothing but places to mount on",
    }
    mounted[MOUNT](kind, target) {
        ko: "{kind} 파일 시스템을 {target} 위치에 {v}",
        en: "{v} {kind} on {target}",
    }
    mounted_plan(targets) { ko: "이 위치들을 마운트합니다: {targets}", en: "will mount: {targets}" }
    overlay_plan(layers) {
        ko: "{layers} 위에 빈 쓰기 레이어를 얹습니다 (overlay)",
        en: "will put an empty write layer on top of the image's {layers} (overlay)",
    }
    bound[SHOW](source, target) {
        ko: "호스트의 {source} 경로를 안에서 {target} 위치로 {v}",
        en: "{v} the host's {source} at {target}",
    }
    bound_read_only() { ko: "읽기 전용", en: "read-only" }
    devices[MAKE](n, links, names) {
        ko: "장치 {n}개와 링크 {links}개를 {v}: {names}",
        en: "{v} devices ({n}) and links ({links}): {names}",
    }
    masked[HIDE](names) { ko: "안에서 보이지 않게 {v}: {names}", en: "{v} from the container: {names}" }
    read_only[CHANGE](names) { ko: "읽기 전용으로 {v}: {names}", en: "{v} to read-only: {names}" }
    absent(names) { ko: "이 커널에 없음: {names}", en: "not in this kernel: {names}" }
    pivot[CHANGE](to) {
        ko: "루트 디렉터리를 {to} 위치로 {v} (pivot_root). 호스트의 루트는 이제 보이지 않습니다",
        en: "{v} the root to {to} (pivot_root); the host's root is out of sight",
    }
    pivot_plan() {
        ko: "루트 디렉터리를 컨테이너의 것으로 바꿉니다 (pivot_root)",
        en: "will change the root to the container's (pivot_root)",
    }
    point[MAKE](path) {
        ko: "이미지에 없는 {path} 마운트 지점을 쓰기 레이어에 {v}",
        en: "{v} the mount point {path}, which the image lacks, in the write layer",
    }
    unmounted[UNMOUNT](target) { ko: "{target} 위치를 {v}", en: "{v} {target}" }

    // ---- parts of the block ----
    head_new(layers) {
        ko: "{layers} 위에 빈 레이어 하나를 얹었습니다 (overlay)",
        en: "an empty layer put on top of the image's {layers} (overlay)",
    }
    head_again(layers) {
        ko: "{layers} 위에 이 컨테이너의 쓰기 레이어를 다시 얹었습니다 (overlay)",
        en: "this container's write layer put on top of the image's {layers} again (overlay)",
    }
    short_masked(n) { ko: "가린 경로 {n}개", en: "{n} hidden" }
    short_point(path) { ko: "{path} 마운트 지점을 만듦", en: "mount point {path} made" }
    short_bound(source, target) { ko: "{source} → {target}", en: "{source} → {target}" }
    short_bound_read_only(source, target) { ko: "{source} → {target} (읽기 전용)", en: "{source} → {target} (read-only)" }
}
