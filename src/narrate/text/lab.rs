//! Exercises: the list, the tasks, hints and grades.

use crate::event::messages::messages;

messages! {
    started(title) { ko: "실습을 시작합니다: {title}", en: "The lab begins: {title}" }
    student(student) { ko: "학생: {student}", en: "Student: {student}" }
    practice() {
        ko: "연습용 공개 비밀로 만든 값입니다. 성적에는 쓰지 않습니다.",
        en: "The values are made with the public practice secret: for exercise, not for a grade.",
    }
    value(name, value) { ko: "${name} 변수의 값: {value}", en: "${name} is {value}" }
    next_steps() {
        ko: "안내: docent lab guide    힌트: docent lab hint    확인: docent lab check",
        en: "guide: docent lab guide    hint: docent lab hint    check: docent lab check",
    }
    points(points, max) { ko: "{points}/{max}점", en: "{points} of {max} points" }
    all_done() { ko: "모두 해냈습니다. 축하합니다.", en: "All of it done. Well done!" }
    passed() { ko: "통과", en: "passed" }
    failed() { ko: "아직", en: "not yet" }
    skipped() { ko: "건너뜀", en: "skipped" }
    unlooked() { ko: "나중에 확인", en: "checked later" }
    skipped_because(tasks) { ko: "먼저 할 과제: {tasks}", en: "first do: {tasks}" }
    unlooked_because() {
        ko: "여기까지는 맞습니다. 나머지는 docent lab check 명령이 확인합니다.",
        en: "Right so far; docent lab check looks at the rest.",
    }
    expected(expected, actual) { ko: "기대: {expected} · 실제: {actual}", en: "expected: {expected} · found: {actual}" }
    now_passed(title) { ko: "과제 통과: {title}", en: "task passed: {title}" }
    now_lost(title) { ko: "이제 맞지 않는 과제: {title}", en: "no longer holds: {title}" }
    hint(title, number, of) { ko: "{title} · 힌트 {number}/{of}", en: "{title} · hint {number} of {of}" }
    reset(id) {
        ko: "{id} 실습의 진행 기록을 지웠습니다. 컨테이너와 이미지는 그대로 있습니다.",
        en: "The record of {id} is cleared. Containers and images are still there.",
    }

    graded(title, student) { ko: "채점: {title} · 학생 {student}", en: "Grade: {title} · student {student}" }
    exited(code) { ko: "제출물의 스크립트가 끝났습니다 (종료 코드 {code}).", en: "The submission's script ended with exit code {code}." }
    killed(signal) { ko: "제출물의 스크립트가 {signal} 신호로 끝났습니다.", en: "The submission's script was ended by {signal}." }
    timed_out(seconds) {
        ko: "제출물의 스크립트가 {seconds}초 안에 끝나지 않아 멈추었습니다. 그때까지 한 일을 채점했습니다.",
        en: "The submission's script was stopped after {seconds} seconds; what it had done by then was graded.",
    }
    output_head() { ko: "스크립트의 마지막 출력", en: "The end of the script's output" }
}
