//! cgroups: limits, and the freezer.

use crate::narrate::messages::messages;

messages! {
    made[MAKE](name, version) { ko: "{name} cgroup을 {v} (v{version})", en: "{v} the cgroup {name} (v{version})" }
    limit[SET](limit, value, file) {
        ko: "{limit} 제한을 {value} 값으로 {v} · {file}",
        en: "{v} a limit: {limit} {value} · {file}",
    }
    devices[ALLOW](n, path) {
        ko: "장치 {n}종류만 열도록 {v} · {path}",
        en: "{v} only these kinds of device to be opened ({n}) · {path}",
    }
    joined[MOVE](pid, name) {
        ko: "{pid}번 프로세스를 {name} cgroup으로 {v}",
        en: "{v} process {pid} into the cgroup {name}",
    }
    joined_plan(name) { ko: "프로세스를 {name} cgroup으로 옮깁니다", en: "will move the process into the cgroup {name}" }
    frozen[FREEZE](file) { ko: "컨테이너의 모든 프로세스를 {v} · {file}", en: "{v} every process of the container · {file}" }
    thawed[THAW](file) { ko: "컨테이너의 모든 프로세스를 {v} · {file}", en: "{v} every process of the container · {file}" }
    removed[REMOVE](name) { ko: "{name} cgroup을 {v}", en: "{v} the cgroup {name}" }
    none_plain() { ko: "cgroup 없음. 아무것도 제한하지 않습니다", en: "no cgroup here; nothing is limited" }
    none(why) { ko: "cgroup 없음: {why}. 아무것도 제한하지 않았습니다", en: "no cgroup: {why}; nothing was limited" }
    none_fix() { ko: "systemd-run --user --scope -p Delegate=yes docent", en: "systemd-run --user --scope -p Delegate=yes docent" }

    memory() { ko: "메모리", en: "memory" }
    swap() { ko: "메모리+스왑", en: "memory+swap" }
    cpu() { ko: "CPU", en: "CPU" }
    pids() { ko: "프로세스 수", en: "processes" }
    no_limit() { ko: "제한 없음", en: "no limits" }
    limited(what, value) { ko: "{what} {value}", en: "{what} {value}" }
    short_frozen() { ko: "모든 프로세스를 멈췄습니다 (freezer)", en: "every process is frozen (freezer)" }
    short_thawed() { ko: "모든 프로세스가 다시 움직입니다", en: "every process runs again" }
}
