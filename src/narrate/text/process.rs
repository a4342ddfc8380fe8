//! Processes and signals.

use crate::narrate::messages::messages;

messages! {
    helper[START](role, pid) { ko: "docent의 {role} 프로세스를 {v} · {pid}번", en: "{v} docent's {role} · process {pid}" }
    helper_plan(role) { ko: "docent의 {role} 프로세스를 시작합니다", en: "will start docent's {role}" }
    exec[RUN](argv, cwd, user) {
        ko: "{argv} · 컨테이너의 프로그램을 {v} · 위치 {cwd}, 사용자 {user}",
        en: "{v} {argv} · in {cwd} as {user}",
    }
    signalled[SEND](signal, pid) {
        ko: "{pid}번 프로세스에 {signal} 신호를 {v}",
        en: "{v} {signal} to process {pid}",
    }
    signalled_all[SEND](signal) {
        ko: "컨테이너의 모든 프로세스에 {signal} 신호를 {v}",
        en: "{v} {signal} to every process of the container",
    }
    signalled_plan(signal) {
        ko: "컨테이너에 {signal} 신호를 보냅니다",
        en: "will send {signal} to the container",
    }
    terminal[OPEN](path) { ko: "컨테이너의 터미널을 {v} · {path}", en: "{v} the container's terminal · {path}" }
    reaped(pid, code) { ko: "{pid}번 프로세스를 거두었습니다 · 종료 코드 {code}", en: "reaped process {pid} · exit code {code}" }
    reaped_signal(pid, signal) {
        ko: "{signal} 신호로 끝난 {pid}번 프로세스를 거두었습니다",
        en: "reaped process {pid}, ended by {signal}",
    }

    role_monitor() { ko: "감시", en: "monitor" }
    role_private() { ko: "조회", en: "helper for a private look" }
    monitor(pid) { ko: "감시 프로세스 {pid}", en: "monitor {pid}" }
    with_terminal() { ko: "터미널", en: "terminal" }
    root_user() { ko: "root", en: "root" }
}
