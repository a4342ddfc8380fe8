//! What the container's program may do.

/// As setpriv(1) takes a bounding set.
pub fn bounding(kept: &[String]) -> String {
    let names = kept.iter().map(|cap| format!(",+{}", cap.trim_start_matches("CAP_").to_lowercase()));
    std::iter::once("-all".to_string()).chain(names).collect()
}

macro_rules! security {
    ($($so_far:tt)*) => { families! { $($so_far)*

    Capabilities { kept: Vec<String>, dropped: Option<usize> } = "security.capabilities" {
        in Block::Isolation; calls [prctl];
        proof [grep] broken "the process drops one more"; man "capabilities(7), prctl(2)";
        plan (n = kept.len()) { ko: "root 권한 중 {n}개만 남깁니다", en: "will keep only {n} of root's capabilities" }
        [KEEP] (n = kept.len(), names = kept, dropped) {
            ko: "root 권한 중 {n}개만 {v}, 버린 것 {dropped}개 · {names}",
            en: "{v} only {n} of root's capabilities, {dropped} dropped · {names}",
        }
        short (n = kept.len()) { ko: "권한 {n}개", en: "{n} capabilities" }
        hand (kept = bounding(kept)) { "setpriv --bounding-set {kept} PROGRAM" }
        #[cfg(test)]
        sample { kept: vec![s("CAP_CHOWN"); 14], dropped: Some(27) }
    }

    Seccomp {
        #[serde(rename = "allowed_calls", alias = "allowed")]
        allowed: Option<usize>,
        filters: Option<usize>,
    } = "security.seccomp" {
        in Block::Isolation; calls [seccomp];
        proof [grep] broken "the process installs one more filter"; man "seccomp(2)";
        plan { ko: "seccomp 필터를 겁니다", en: "will install the seccomp filters" }
        [INSTALL] (n = filters, allowed) {
            ko: "seccomp 필터 {n}개를 {v} · 허용된 시스템 콜 {allowed}개",
            en: "{v} seccomp filters ({n}) · {allowed} system calls allowed",
        }
        short { "seccomp" }
        #[cfg(test)]
        sample { allowed: Some(350), filters: Some(2) }
    }

    NoNewPrivileges = "security.no-new-privileges" {
        in Block::Isolation; calls [prctl]; man "prctl(2)";
        unproven "told of a grade's sandbox alone, which ends with it";
        [FORBID] {
            ko: "실행 중에 권한을 더 얻는 것을 {v} (no_new_privs)",
            en: "{v} gaining privileges later on (no_new_privs)",
        }
        short { "no_new_privs" }
        hand { "setpriv --no-new-privs PROGRAM" }
        #[cfg(test)]
        sample {}
    }

    UserSet { uid: Option<u32>, gid: Option<u32>, groups: Option<Vec<u32>> } = "security.user" {
        in Block::Isolation; calls [setgroups setresgid setresuid];
        proof [grep] broken "the process becomes another user"; man "setgroups(2), setresuid(2), setresgid(2)";
        [SET] (uid, gid) { ko: "사용자를 uid {uid}, gid {gid} 값으로 {v}", en: "{v} the user: uid {uid}, gid {gid}" }
        short if (*uid != Some(0)) (uid, gid) { ko: "사용자 {uid}:{gid}", en: "user {uid}:{gid}" }
        hand (uid, gid) { "setpriv --reuid {uid} --regid {gid} --clear-groups PROGRAM" }
        #[cfg(test)]
        sample { uid: Some(1000), gid: Some(1000), groups: Some(vec![]) }
    }

    SessionMade { tty: bool } = "security.session" {
        in Block::Isolation; calls [setsid ioctl];
        proof [grep] broken "the process makes another session"; man "setsid(2)";
        when (*tty) [MAKE] {
            ko: "새 세션을 {v} (setsid), 터미널을 물려주었습니다",
            en: "{v} a session of its own (setsid), with the terminal",
        }
        [MAKE] { ko: "새 세션을 {v} (setsid)", en: "{v} a session of its own (setsid)" }
        hand { "setsid PROGRAM" }
        #[cfg(test)]
        sample { tty: true }
        #[cfg(test)]
        sample { tty: false }
    }

    /// The process is killed when its parent dies; or it can be neither traced nor read by a process that lacks CAP_SYS_PTRACE.
    Guarded { parent_death: bool, not_dumpable: bool } = "security.guard" {
        in Block::Isolation; calls [prctl]; man "prctl(2)"; unproven "no file of the kernel shows it";
        when (!*parent_death) [FORBID] {
            ko: "CAP_SYS_PTRACE가 없는 프로세스가 이 프로세스를 추적하는 것을 {v}",
            en: "{v} processes without CAP_SYS_PTRACE to trace this process",
        }
        [TIE] {
            ko: "이 프로세스의 수명을 부모 프로세스에 {v} (부모가 죽으면 SIGKILL)",
            en: "{v} this process to its parent's life (SIGKILL when that dies)",
        }
        also if (*parent_death && *not_dumpable) {
            ko: "CAP_SYS_PTRACE 없이는 추적할 수 없음",
            en: "not to be traced without CAP_SYS_PTRACE",
        }
        hand if (*parent_death) { "setpriv --pdeathsig KILL PROGRAM" }
        #[cfg(test)]
        sample { parent_death: true, not_dumpable: true }
        #[cfg(test)]
        sample { parent_death: true, not_dumpable: false }
        #[cfg(test)]
        sample { parent_death: false, not_dumpable: true }
    }

    /// docent runs from a read-only mount of its own program: what runs in a container cannot overwrite it (CVE-2019-5736).
    Sealed {
        #[serde(rename = "path", alias = "program")]
        program: String,
    } = "security.sealed" {
        in Block::Isolation; calls [open_tree mount_setattr];
        unproven "a mount that no name leads to; it goes with the last process that runs from it";
        [SEAL] (program) {
            ko: "컨테이너가 docent 프로그램을 고칠 수 없게 {v} (CVE-2019-5736) · {program}",
            en: "{v} docent's own program against the container (CVE-2019-5736) · {program}",
        }
        short { ko: "docent 프로그램 보호", en: "docent's program sealed" }
        #[cfg(test)]
        sample { program: s("/usr/bin/docent") }
    }

    /// What the process itself holds from now on (permitted and effective); inheritable and ambient are empty.
    CapabilitySets { held: Option<Vec<String>> } = "security.capability-sets" {
        in Block::Isolation; calls [prctl capset];
        proof [grep] broken "the process drops one"; man "capabilities(7), prctl(2)";
        [KEEP] (n = held.as_ref().map(Vec::len), names = held) {
            ko: "이 프로세스가 가진 권한을 {n}개만 {v} · {names}",
            en: "{v} only these capabilities of the process ({n}) · {names}",
        }
        hand (held = held.as_ref().map(|held| held.join(",").to_lowercase())) { "capsh --caps='{held}=ep' -- -c PROGRAM" }
        #[cfg(test)]
        sample { held: Some(vec![s("CAP_CHOWN")]) }
    }
    } };
}
