//! Namespaces.

use crate::narrate::messages::messages;

messages! {
    made[MAKE](n, kinds) { ko: "새 네임스페이스 {n}개를 {v}: {kinds}", en: "{v} new namespaces ({n}): {kinds}" }
    joined[ENTER](pid, kinds, of) {
        ko: "{pid}번 프로세스가 {of}번 프로세스의 {kinds} 네임스페이스에 {v}",
        en: "process {pid} {v} the namespaces of process {of}: {kinds}",
    }
    joined_plan(kinds) { ko: "{kinds} 네임스페이스에 들어갑니다", en: "will enter its namespaces: {kinds}" }
    private[MAKE](kinds) {
        ko: "docent만 쓰는 {kinds} 네임스페이스를 {v}",
        en: "{v} a namespace for docent alone: {kinds}",
    }
    own_cgroup[MAKE]() {
        ko: "컨테이너의 cgroup 네임스페이스를 {v}",
        en: "{v} the container's own cgroup namespace",
    }
    hostname[SET](name) {
        ko: "컨테이너의 호스트 이름을 {name} 값으로 {v}",
        en: "{v} the container's host name: {name}",
    }

    // ---- parts of the block ----
    head_new(n, kinds) { ko: "새로 만든 것 {n}개: {kinds}", en: "{n} new: {kinds}" }
    head_shared(kinds) { ko: "호스트와 같이 쓰는 것: {kinds}", en: "shared with the host: {kinds}" }
    head_joined(n, kinds, of) {
        ko: "들어간 것 {n}개: {kinds} · {of}번 프로세스의 것",
        en: "{n} entered: {kinds} · those of process {of}",
    }
    head_private(kinds) { ko: "잠시 쓸 것 하나: {kinds}", en: "one for this look: {kinds}" }
    evidence(new, host) { ko: "{new}, 호스트는 {host}", en: "{new}, the host has {host}" }
    short_new(n, pid, inside) { ko: "네임스페이스 {n}개 (PID {pid} → {inside})", en: "{n} namespaces (PID {pid} → {inside})" }
    short_joined(n) { ko: "네임스페이스 {n}개에 들어감", en: "entered {n} namespaces" }
    short_private() { ko: "docent만의 마운트 네임스페이스", en: "a private mount namespace" }
}
