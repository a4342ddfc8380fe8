//! What `verify` found.

use crate::event::messages::messages;

messages! {
    holds() { ko: "맞음", en: "true" }
    changed() { ko: "바뀜", en: "changed since" }
    changed_by(command) { ko: "그 뒤 {command}번 명령이 바꿨습니다", en: "changed since by command {command}" }
    changed_by_at(command, time) {
        ko: "그 뒤 {command}번 명령이 바꿨습니다 ({time})",
        en: "changed since by command {command} ({time})",
    }
    changed_by_unknown() {
        ko: "이 명령 뒤에 무언가가 바꿨습니다. 컨테이너인지 호스트인지 docent는 알 수 없습니다",
        en: "changed by something after this command (the container, or the host: docent cannot tell)",
    }
    changed_by_unknown_at(time) {
        ko: "이 명령 뒤에 무언가가 바꿨습니다 ({time}). 컨테이너인지 호스트인지 docent는 알 수 없습니다",
        en: "changed by something after this command, at {time} (the container, or the host: docent cannot tell)",
    }
    changed_by_monitor() { ko: "그 뒤 컨테이너 쪽에서 바뀌었습니다", en: "changed since, in the container's own course" }
    gone() { ko: "사라짐", en: "gone" }
    gone_moment() { ko: "그 순간에만 맞는 증거입니다", en: "it held at that moment only" }
    gone_ended() { ko: "프로세스가 끝났습니다", en: "the process has ended" }
    gone_rebooted() { ko: "그 뒤 컴퓨터를 다시 시작했습니다", en: "the machine was started anew since" }
    gone_stopped() { ko: "컨테이너가 더는 실행 중이 아닙니다", en: "the container no longer runs" }
    gone_restarted() { ko: "컨테이너가 그 뒤 다시 시작되었습니다", en: "the container was started anew since" }
    gone_removed() { ko: "컨테이너가 지워졌습니다", en: "the container was removed" }
    wrong() { ko: "틀림", en: "false" }
    got(got) { ko: "실제 값: {got}", en: "found: {got}" }
    expected(value) { ko: "기대한 값: {value}", en: "expected: {value}" }
    got_nothing() { ko: "(출력 없음)", en: "(no output)" }
    unrun() { ko: "확인 못 함", en: "not checked" }
    not_run(why) { ko: "한 가지는 확인하지 못했습니다 · {why}", en: "one of them was not run · {why}" }
    needs(needs) { ko: "필요한 것: {needs}", en: "needs: {needs}" }
    refused(program) { ko: "verify가 실행하지 않는 프로그램: {program}", en: "not a program that verify runs: {program}" }
    timeout() { ko: "10초 안에 끝나지 않음", en: "did not end within 10 seconds" }
    status(status) { ko: "종료 코드 {status}", en: "exit code {status}" }
    summary(all, good, changed, gone, wrong, unrun) {
        ko: "증거 {all}개: 맞음 {good} · 바뀜 {changed} · 사라짐 {gone} · 틀림 {wrong} · 확인 못 함 {unrun}",
        en: "proofs: {all} · {good} true · {changed} changed since · {gone} gone · {wrong} false · {unrun} not checked",
    }
    every_proof(command) { ko: "확인 명령까지 모두 보기: {command}", en: "with every proof: {command}" }
    none() { ko: "확인할 증거가 없는 명령입니다.", en: "This command left no proofs to check." }
}
