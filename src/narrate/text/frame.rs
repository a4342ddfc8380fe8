//! The frame of a story: labels, the words around evidence and proofs, the hint at the end.

use crate::event::messages::messages;

messages! {
    // ---- labels that no block has: the column on the left ----
    label_container() { ko: "컨테이너", en: "container" }
    label_covered() { ko: "덮음", en: "covered" }
    label_copied_up() { ko: "쓰기 시 복사", en: "copy-on-write" }
    label_added() { ko: "추가", en: "added" }
    label_deleted() { ko: "가림", en: "hidden" }
    since_last_look() {
        ko: "지난번 살펴본 뒤에 바뀐 것입니다. 이 명령이 직접 한 일이 아닙니다.",
        en: "Changed since the last look; this command did not do it itself.",
    }
    since_between(when) {
        ko: "지난번 살펴본 뒤에 바뀐 것입니다({when}). 이 명령이 직접 한 일이 아닙니다.",
        en: "Changed since the last look, {when}; this command did not do it itself.",
    }

    // ---- tags inside a block ----
    tag_evidence() { ko: "증거", en: "evidence" }
    tag_try() { ko: "직접", en: "try it" }
    tag_fix() { ko: "해결", en: "fix" }
    tag_read_back() { ko: "읽은 값", en: "read back" }
    tag_proof() { ko: "증명", en: "proof" }
    tag_by_hand() { ko: "손으로", en: "by hand" }
    tag_man() { ko: "문서", en: "man" }

    version_no_daemon() {
        ko: "없음: 컨테이너마다 곁에서 지키는 프로세스가 하나씩 있습니다",
        en: "none: each container has a process of its own beside it",
    }
    hint() { ko: "확인: docent verify    자세히: docent explain", en: "check: docent verify    more: docent explain" }
    nothing() { ko: "이 명령은 아무것도 바꾸지 않았습니다.", en: "This command changed nothing." }
    plan_head() {
        ko: "미리 보기입니다. 이 명령은 아직 실행하지 않았습니다.",
        en: "A forecast: this command has not been run.",
    }
    reset_question(root) {
        ko: "{root} 저장소를 컨테이너, 이미지, 기록까지 모두 지웁니다. 되돌릴 수 없습니다. 계속할까요? [y/N] ",
        en: "The store {root} will be gone, with its containers, images and records, for good. Continue? [y/N] ",
    }
    reset_refused() { ko: "아무것도 지우지 않았습니다.", en: "Nothing was removed." }
    plan_fails() { ko: "그다음 여기에서 실패합니다:", en: "And there it would fail:" }
    plan_empty() { ko: "이 명령은 아무것도 바꾸지 않습니다.", en: "This command will change nothing." }
    record_head(number, argv, time) { ko: "명령 {number} · {argv} · {time}", en: "command {number} · {argv} · {time}" }
    record_exit(code) { ko: "종료 코드 {code}", en: "exit code {code}" }
    record_no_exit() {
        ko: "끝나지 않았거나, 도중에 강제로 종료된 명령입니다.",
        en: "This command has not ended, or it was killed on its way.",
    }
    record_torn() {
        ko: "마지막 줄이 쓰이다가 끊겼습니다. 그 앞까지 보여 줍니다.",
        en: "The last line was cut off while it was written; here is what stands before it.",
    }
    record_broken(line) {
        ko: "기록의 {line}번째 줄부터 해시가 이어지지 않습니다. 누군가 이 기록을 고쳤습니다.",
        en: "From line {line} on the hashes do not join: this record was edited.",
    }

    holds_process(pid) { ko: "{pid}번 프로세스가 살아 있는 동안 맞음", en: "holds while process {pid} lives" }
    holds_until_reboot() {
        ko: "다른 명령이 바꾸거나 컴퓨터를 다시 시작할 때까지 맞음",
        en: "holds until another command changes it or the machine is started anew",
    }
    holds_now() { ko: "그 순간에만 맞음", en: "held at that moment" }
    holds_running(id) { ko: "{id} 컨테이너가 실행되는 동안 맞음", en: "holds while {id} runs" }
    holds_exists(id) { ko: "{id} 컨테이너가 있는 동안 맞음", en: "holds while {id} exists" }
    holds_forever() { ko: "다른 명령이 바꿀 때까지 맞음", en: "holds until another command changes it" }
    needs_root() { ko: "root 필요", en: "needs root" }
    needs_tool(tool) { ko: "{tool} 프로그램 필요", en: "needs {tool}" }
}
