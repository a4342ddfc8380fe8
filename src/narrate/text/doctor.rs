//! The doctor's verdict: what this host can do, and the exact command for each shortfall.

use crate::event::messages::messages;

messages! {
    head(tier, kernel) { ko: "{tier} · 커널 {kernel}", en: "{tier} · kernel {kernel}" }
    verdict_ok() { ko: "컨테이너를 실행할 수 있습니다.", en: "Containers can run here." }
    verdict_root(docent) {
        ko: "이 사용자로는 컨테이너를 실행할 수 없습니다. root로 실행하세요: sudo {docent}",
        en: "Containers cannot run as this user. Run as root: sudo {docent}",
    }
    verdict_bad() {
        ko: "컨테이너를 실행할 수 없습니다. 아래의 '없음' 중 필수인 것을 먼저 고치세요.",
        en: "Containers cannot run here. First mend what is missing and required below.",
    }
    ok() { ko: "있음", en: "ok" }
    missing() { ko: "없음", en: "missing" }
    required() { ko: "필수", en: "required" }
    optional() { ko: "선택", en: "optional" }
    cgroup_none() { ko: "cgroup 없음 · 제한을 걸 수 없음", en: "no cgroup · nothing can be limited" }

    what_namespaces() { ko: "네임스페이스", en: "namespaces" }
    what_bridge() { ko: "브리지 네트워크", en: "bridge network" }
    what_nat() { ko: "NAT", en: "NAT" }
    what_id_ranges() { ko: "ID 범위", en: "id ranges" }
    what_freezer() { ko: "일시정지", en: "pause" }
    what_devices() { ko: "장치 제어", en: "device control" }

    what_directory() { ko: "저장소 위치", en: "store directory" }
    what_proc() { ko: "/proc 마운트", en: "mounting /proc" }
    what_user_namespace() { ko: "사용자 네임스페이스", en: "user namespaces" }
    what_probe() { ko: "시험 실행", en: "trial run" }

    fix_directory() { ko: "DOCENT_ROOT=DIR (쓸 수 있는 디렉터리)", en: "DOCENT_ROOT=DIR (a directory that can be written)" }
    fix_namespaces(docent) {
        ko: "sudo {docent}  (컨테이너나 VM 안이라면: 특권을 가진 채로 시작합니다)",
        en: "sudo {docent}  (inside a container: start that one privileged)",
    }
    fix_overlay() {
        ko: "sudo modprobe overlay  (저장소가 overlay나 NFS 위라면: DOCENT_ROOT=DIR)",
        en: "sudo modprobe overlay  (if the store lies on overlay or NFS: DOCENT_ROOT=DIR)",
    }
    fix_cgroup() {
        ko: "sudo mount -t cgroup2 none /sys/fs/cgroup  (root 없이: systemd-run --user --scope -p Delegate=yes docent)",
        en: "sudo mount -t cgroup2 none /sys/fs/cgroup  (without root: systemd-run --user --scope -p Delegate=yes docent)",
    }
    fix_seccomp() {
        ko: "CONFIG_SECCOMP_FILTER를 켠 커널이 필요합니다",
        en: "a kernel with CONFIG_SECCOMP_FILTER is needed",
    }
}
