//! The host, the store, labs and the journal.

use crate::event::messages::messages;

messages! {
    damaged(path) { ko: "저장소의 파일이 손상되었습니다: {path}", en: "the store is damaged: {path}" }
    damaged_fix(path) {
        ko: "백업에서 되살리거나, 다른 저장소를 씁니다: DOCENT_ROOT=DIR (손상된 파일: {path})",
        en: "restore {path} from a backup, or use another store: DOCENT_ROOT=DIR",
    }
    not_root() { ko: "컨테이너를 실행하려면 root 권한이 필요합니다", en: "running containers needs root here" }
    not_root_cause() {
        ko: "네임스페이스와 마운트를 만드는 시스템 콜을 커널이 root에게만 허락합니다.",
        en: "The kernel lets only root make these namespaces and mounts.",
    }
    not_root_possible(tier) { ko: "이 호스트의 등급: {tier}", en: "This host's tier: {tier}" }
    sudo_it() { ko: "sudo docent", en: "sudo docent" }
    store_refused(path, errno) { ko: "저장소를 열 수 없습니다: {path} · {errno}", en: "cannot open the store {path}: {errno}" }
    store_refused_cause() {
        ko: "다른 사용자의 저장소이거나, 쓸 수 없는 파일 시스템에 있습니다.",
        en: "It belongs to another user, or lies on a file system that cannot be written.",
    }
    store_refused_fix() {
        ko: "sudo docent  또는 내 저장소: DOCENT_ROOT=$HOME/docent",
        en: "sudo docent  or a store of your own: DOCENT_ROOT=$HOME/docent",
    }
    step(step, errno) { ko: "{step} 단계에서 실패했습니다: {errno}", en: "{step} failed: {errno}" }
    step_cause(call) { ko: "커널이 거부한 시스템 콜: {call}", en: "The system call that the kernel refused: {call}" }

    eperm() { ko: "권한이 없습니다: docent doctor 명령으로 확인합니다", en: "not permitted: docent doctor says what is missing" }
    enospc() { ko: "디스크가 가득 찼습니다: df -h, docent rm NAME", en: "the disk is full: df -h, docent rm NAME" }
    enomem() { ko: "메모리가 모자랍니다: free -h", en: "out of memory: free -h" }
    emfile() { ko: "열린 파일이 너무 많습니다: ulimit -n", en: "too many open files: ulimit -n" }
    enosys() { ko: "이 커널에 없는 기능입니다: docent doctor", en: "this kernel lacks it: docent doctor" }
    ebusy() { ko: "다른 것이 쓰는 중입니다: docent ps -a", en: "something still uses it: docent ps -a" }
    erofs() { ko: "읽기 전용 파일 시스템입니다: DOCENT_ROOT=DIR", en: "a read-only file system: DOCENT_ROOT=DIR" }
    step_report() {
        ko: "docent explain 명령에 그때까지 한 일과 되돌린 일이 남아 있습니다",
        en: "docent explain shows what had been done until then, and undone",
    }

    no_such_lab(name) { ko: "없는 실습입니다: {name}", en: "no such lab: {name}" }
    labs(labs) { ko: "있는 실습: {labs}", en: "labs: {labs}" }
    lab_list() { ko: "docent lab list", en: "docent lab list" }
    no_such_chapter(name) { ko: "교재에 없는 장입니다: {name}", en: "no such chapter: {name}" }
    chapters(chapters) { ko: "있는 장: {chapters}", en: "chapters: {chapters}" }
    no_lab_started() { ko: "시작한 실습이 없습니다", en: "no lab has been started" }
    lab_start() { ko: "docent lab start NAME", en: "docent lab start NAME" }
    lab_damaged(path) { ko: "실습 파일을 읽지 못했습니다: {path}", en: "cannot read the lab: {path}" }
    lab_damaged_fix() {
        ko: "--labs DIR 옵션을 썼다면 그 디렉터리의 lab.toml을 고칩니다",
        en: "with --labs DIR: put its lab.toml right",
    }
    no_such_command(number) { ko: "기록에 없는 명령 번호입니다: {number}", en: "no such command in the journal: {number}" }
    last_command(last) { ko: "마지막 번호는 {last}번입니다.", en: "The last one is {last}." }
    no_commands() { ko: "아직 기록된 명령이 없습니다.", en: "No command has been recorded yet." }
    see_journal() { ko: "docent explain  (번호 없이: 마지막 명령)", en: "docent explain  (without a number: the last command)" }
    cannot_grade() { ko: "채점을 하지 못했습니다", en: "could not grade" }
    cannot_grade_fix() {
        ko: "제출물의 문제가 아닐 수 있습니다. docent doctor 명령으로 호스트를 확인합니다",
        en: "the submission may not be at fault: docent doctor looks at the host",
    }
    several(n) { ko: "{n}개 컨테이너는 처리하지 못했습니다", en: "could not serve all containers ({n} failed)" }
}
