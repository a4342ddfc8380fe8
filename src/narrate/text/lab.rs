//! Exercises: the list, the tasks, hints, near misses and grades.

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

    no_container(name) { ko: "{name} 컨테이너가 없습니다.", en: "There is no container {name}." }
    removed(name) {
        ko: "{name} 컨테이너가 있었지만 삭제되었고, 쓰기 레이어도 함께 사라졌습니다.",
        en: "The container {name} was there, and was removed; its write layer went with it.",
    }
    wrong_name(name, is) {
        ko: "{name} 컨테이너가 없습니다. 대신 {is} 컨테이너가 있습니다. 이름을 확인해 보세요.",
        en: "There is no container {name}, but there is one named {is}; look at the name again.",
    }
    wrong_image(name, image) {
        ko: "{name} 컨테이너가 {image} 이미지로 만들어졌습니다.",
        en: "The container {name} was made from the image {image}.",
    }
    not_running(name, code) {
        ko: "{name} 컨테이너가 멈춰 있습니다 (종료 코드 {code}). docker start 명령으로 다시 시작할 수 있습니다.",
        en: "The container {name} has stopped (exit code {code}); docker start brings it back.",
    }
    wrong_state(name, status) { ko: "{name} 컨테이너의 상태: {status}", en: "The container {name} is {status}." }
    port_not_published(name, port) {
        ko: "{name} 컨테이너의 {port}번 포트가 호스트에 열려 있지 않습니다. 컨테이너를 만들 때 -p 옵션이 빠졌습니다.",
        en: "Port {port} of {name} is not published on the host: -p was missing when the container was made.",
    }
    port_elsewhere(name, host_port, port) {
        ko: "{name} 컨테이너의 포트가 다르게 열려 있습니다: 호스트 {host_port} → 컨테이너 {port}",
        en: "The ports of {name} are joined differently: host {host_port} → container {port}",
    }
    port_of_another(host_port, by) {
        ko: "호스트의 {host_port}번 포트는 {by} 컨테이너로 이어져 있습니다.",
        en: "Port {host_port} of the host leads to the container {by}.",
    }
    no_answer(port, why) { ko: "{port}번 포트에서 답이 없습니다: {why}", en: "No answer at port {port}: {why}" }
    http_status(port, status) {
        ko: "{port}번 포트의 웹 서버가 {status} 상태로 답했습니다.",
        en: "The web server at port {port} answered with status {status}.",
    }
    page_lacks_it(port) {
        ko: "{port}번 포트에서 받은 페이지에 기대한 내용이 없습니다.",
        en: "The page at port {port} lacks what was expected.",
    }
    not_copied_out(name) {
        ko: "{name} 컨테이너에서 꺼낸 파일이 없습니다. docker cp 명령의 왼쪽에 컨테이너를 적으면 꺼내는 것입니다.",
        en: "Nothing was copied out of {name}: with the container on the left of docker cp the file comes out.",
    }
    not_copied_in(name) {
        ko: "{name} 컨테이너로 넣은 파일이 없습니다. 고친 파일을 docker cp 명령으로 다시 넣어야 합니다.",
        en: "Nothing was copied into {name}: the edited file has to go back in by docker cp.",
    }
    wrong_path(name, path) {
        ko: "{name} 컨테이너와 복사하긴 했지만 경로가 {path} 입니다.",
        en: "There was a copy with {name}, but at the path {path}.",
    }
    wrong_container(name, is) {
        ko: "{name} 컨테이너가 아니라 {is} 컨테이너와 복사했습니다.",
        en: "The copy was with {is}, not with {name}.",
    }
    edited_inside(name, path) {
        ko: "{path} 파일은 바뀌어 있지만, 실습을 시작한 뒤 docker cp로 {name} 컨테이너에 넣은 것이 아닙니다.",
        en: "{path} is changed, but not by a docker cp into {name} since the lab began.",
    }
    unedited(name, path) {
        ko: "{name} 컨테이너에 넣은 {path} 파일이 원본과 같습니다. 고친 뒤에 넣어야 합니다.",
        en: "{path} in {name} is the same as the original: edit it before you copy it in.",
    }
    wrong_token(name, path) {
        ko: "{name} 컨테이너의 {path} 파일에 있는 토큰이 본인의 것이 아닙니다.",
        en: "The token in {path} of {name} is not yours.",
    }
    token_missing(name, path) {
        ko: "{name} 컨테이너의 {path} 파일이 바뀌었지만 토큰이 없습니다.",
        en: "{path} in {name} has changed, but your token is not in it.",
    }
    not_in_image(path) { ko: "이미지에 {path} 파일이 없습니다.", en: "The image has no {path}." }
    image_has_it(path) {
        ko: "이미지의 {path} 파일에 이미 고친 내용이 있습니다. 이미지는 그대로여야 합니다.",
        en: "The change is in the image's own {path}; the image should be as it was.",
    }
    fresh_differs(image) {
        ko: "{image} 이미지로 새로 만든 컨테이너가 원래 페이지를 보여 주지 않습니다.",
        en: "A new container from {image} does not show the original page.",
    }
    no_event(event) { ko: "기록에 {event} 사건이 없습니다.", en: "There is no {event} in the journal." }
    cannot_look(why) {
        ko: "제출물이 남긴 상태를 확인할 수 없습니다: {why}",
        en: "What the submission left cannot be looked at: {why}",
    }
    shell_failed(code) { ko: "검사 스크립트가 {code} 코드로 끝났습니다.", en: "The check's script ended with {code}." }
}
