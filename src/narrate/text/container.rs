//! The life of a container.

use crate::narrate::messages::messages;

messages! {
    created[MAKE](name, id) { ko: "{name} 컨테이너를 {v} · {id}", en: "{v} the container {name} · {id}" }
    started[START](name, pid) {
        ko: "{name} 컨테이너를 {v} · 호스트의 {pid}번 프로세스",
        en: "{v} the container {name} · process {pid} of the host",
    }
    started_plan(name) { ko: "{name} 컨테이너를 시작합니다", en: "will start the container {name}" }
    exited(name, code) { ko: "{name} 컨테이너가 끝났습니다 · 종료 코드 {code}", en: "{name} ended · exit code {code}" }
    exited_signal(name, code, signal) {
        ko: "{name} 컨테이너가 {signal} 신호로 끝났습니다 · 종료 코드 {code}",
        en: "{name} was ended by {signal} · exit code {code}",
    }
    oom() {
        ko: "메모리 제한을 넘어서(OOM) 커널이 강제로 종료했습니다.",
        en: "It went over its memory limit, and the kernel killed it (OOM).",
    }
    removed[REMOVE](name) {
        ko: "{name} 컨테이너와 그 쓰기 레이어를 {v}",
        en: "{v} the container {name} and its write layer",
    }
    lost(name) {
        ko: "{name} 컨테이너를 돌보던 프로세스가 말없이 사라졌습니다. 종료된 것으로 정리했습니다",
        en: "the process that looked after {name} was gone without a word; it is now listed as exited",
    }
}
