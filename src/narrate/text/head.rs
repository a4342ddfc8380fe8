//! Parts of the heads that speak of several events at once.

use crate::event::messages::messages;

messages! {
    // ---- image ----
    here() { ko: "이 컴퓨터에 있음", en: "on this machine" }
    by_id() { ko: "ID로 찾음", en: "found by its id" }
    built_in() { ko: "이 컴퓨터에서 만듦", en: "made on this machine" }
    own_server(server) { ko: "서버 {server}", en: "server {server}" }
    nothing_new(layers) {
        ko: "새로 푼 레이어 없음: {layers} 모두 이미 있었음",
        en: "nothing unpacked: all {layers} were here",
    }

    // ---- write layer ----
    layer_new(layers) {
        ko: "{layers} 위에 빈 레이어 하나를 얹었습니다 (overlay)",
        en: "an empty layer put on top of the image's {layers} (overlay)",
    }
    layer_again(layers) {
        ko: "{layers} 위에 이 컨테이너의 쓰기 레이어를 그 안에 있던 것과 함께 다시 얹었습니다 (overlay)",
        en: "this container's write layer, with what is in it, put on top of the image's {layers} again (overlay)",
    }
    mounted_plan(targets) { ko: "이 위치들을 마운트합니다: {targets}", en: "will mount: {targets}" }

    // ---- namespaces ----
    namespaces_new(n, kinds) { ko: "새로 만든 것 {n}개: {kinds}", en: "{n} new: {kinds}" }
    namespaces_shared(kinds) { ko: "호스트와 같이 쓰는 것: {kinds}", en: "shared with the host: {kinds}" }
    namespaces_joined(n, kinds, of) {
        ko: "들어간 것 {n}개: {kinds} · {of}번 프로세스의 것",
        en: "{n} entered: {kinds} · those of process {of}",
    }
    namespaces_evidence(new, host) { ko: "{new}, 호스트는 {host}", en: "{new}, the host has {host}" }
    namespaces_short(n, pid, inside) { ko: "네임스페이스 {n}개 (PID {pid} → {inside})", en: "{n} namespaces (PID {pid} → {inside})" }

    // ---- cgroup, network ----
    no_limit() { ko: "제한 없음", en: "no limits" }
    loopback_only() { ko: "loopback뿐 · 바깥과 이어지지 않음", en: "loopback only · no way out" }
}
