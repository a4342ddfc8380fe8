//! What the container's program may do.

use crate::narrate::messages::messages;

messages! {
    capabilities[KEEP](n, names, dropped) {
        ko: "root 권한 중 {n}개만 {v}, 버린 것 {dropped}개 · {names}",
        en: "{v} only {n} of root's capabilities, {dropped} dropped · {names}",
    }
    seccomp[INSTALL](n, allowed) {
        ko: "seccomp 필터 {n}개를 {v} · 허용된 시스템 콜 {allowed}개",
        en: "{v} seccomp filters ({n}) · {allowed} system calls allowed",
    }
    capabilities_plan(n) { ko: "root 권한 중 {n}개만 남깁니다", en: "will keep only {n} of root's capabilities" }
    seccomp_plan() { ko: "seccomp 필터를 겁니다", en: "will install the seccomp filters" }
    capability_sets[KEEP](n, names) {
        ko: "이 프로세스가 가진 권한을 {n}개만 {v} · {names}",
        en: "{v} only these capabilities of the process ({n}) · {names}",
    }
    no_new_privileges[FORBID]() {
        ko: "실행 중에 권한을 더 얻는 것을 {v} (no_new_privs)",
        en: "{v} gaining privileges later on (no_new_privs)",
    }
    user[SET](uid, gid) { ko: "사용자를 uid {uid}, gid {gid} 값으로 {v}", en: "{v} the user: uid {uid}, gid {gid}" }
    session[MAKE]() { ko: "새 세션을 {v} (setsid)", en: "{v} a session of its own (setsid)" }
    session_tty[MAKE]() {
        ko: "새 세션을 {v} (setsid), 터미널을 물려주었습니다",
        en: "{v} a session of its own (setsid), with the terminal",
    }
    guarded[TIE]() {
        ko: "이 프로세스의 수명을 감시 프로세스에 {v}. docent 코드인 동안은 추적할 수 없습니다",
        en: "{v} this process to its monitor's life; it cannot be traced while it is docent's code",
    }
    sealed[SEAL](program) {
        ko: "컨테이너가 docent 프로그램을 고칠 수 없게 {v} (CVE-2019-5736) · {program}",
        en: "{v} docent's own program against the container (CVE-2019-5736) · {program}",
    }

    short_capabilities(n) { ko: "권한 {n}개", en: "{n} capabilities" }
    short_user(uid, gid) { ko: "사용자 {uid}:{gid}", en: "user {uid}:{gid}" }
    short_sealed() { ko: "docent 프로그램 보호", en: "docent's program sealed" }
    short_private_mounts() { ko: "호스트와 분리된 마운트", en: "mounts cut off from the host" }
}
