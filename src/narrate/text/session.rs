//! What the session says, beside the stories of its commands.

use crate::event::Lang;
use crate::event::messages::messages;
use crate::narrate::layout::clean_lines;

messages! {
    // The first start: one container to run offline, one question, and the way to the lab.
    first_start() {
        ko: "처음 오셨습니다. 인터넷 없이 컨테이너 하나를 실행해 보십시오:\n\n\
             \x20   docker run --rm tiny sh -c 'echo hello; ps'\n\n\
             질문: ps에는 프로세스가 몇 개 보입니까? 이 컴퓨터의 나머지 프로세스는 왜 보이지 않습니까?\n\
             다음: lab start 03-nginx-cp-edit    명령 목록: help    끝내기: exit",
        en: "Welcome. Run one container; it needs no internet:\n\n\
             \x20   docker run --rm tiny sh -c 'echo hello; ps'\n\n\
             A question: how many processes does ps show, and why not the others of this machine?\n\
             Next: lab start 03-nginx-cp-edit    commands: help    leave: exit",
    }
    start() { ko: "명령 목록: help    끝내기: exit", en: "Commands: help    leave: exit" }
    help() {
        ko: "모든 줄은 여러분의 셸에서 실행됩니다. docker와 docent는 이 프로그램이고, docker는 빼고 써도 됩니다.\n\
             노트의 명령은 여러 줄이라도 그대로 붙여넣으십시오.\n\n\
             \x20 help COMMAND      사용법과 노트의 예 하나\n\
             \x20 explain, verify   마지막 명령을 다시 설명, 증거를 다시 확인\n\
             \x20 lab list          실습 목록\n\
             \x20 lang ko|en        언어\n\
             \x20 narrate LEVEL     설명 수준: off brief learn full deep json\n\
             \x20 exit              끝내기 (Ctrl-D)",
        en: "Every line runs in your own shell. docker and docent are this program, and docker may be left out.\n\
             Paste commands of the notes as they are, several lines at once too.\n\n\
             \x20 help COMMAND      its usage, with an example from the notes\n\
             \x20 explain, verify   retell the last command, check its evidence again\n\
             \x20 lab list          the labs\n\
             \x20 lang ko|en        language\n\
             \x20 narrate LEVEL     how much is told: off brief learn full deep json\n\
             \x20 exit              leave (Ctrl-D)",
    }
    usage(usage) { ko: "사용법: {usage}", en: "Usage: {usage}" }
    example(line) { ko: "노트의 예:\n    {line}", en: "From the notes:\n    {line}" }
    language() { ko: "한국어로 말합니다. 바꾸기: lang en", en: "Speaking English. Change: lang ko" }
    level(level) { ko: "다음 명령부터 설명 수준은 {level} 입니다.", en: "From the next command on, narration is: {level}" }

    // ---- doubts ----
    did_you_mean(typed, line) {
        ko: "{typed}: 그런 명령은 없습니다. 혹시 이것입니까?\n    {line}",
        en: "{typed}: no such command. Did you mean this?\n    {line}",
    }
    gap(gap) {
        ko: "{gap} 자리에 실제 값을 넣어야 합니다. 실행하지 않았습니다. 이름은 docker ps -a, docker images 명령으로 볼 수 있습니다.",
        en: "{gap} stands for a value of yours, so this was not run. docker ps -a and docker images show the names.",
    }
    either(name, verb, docker, line) {
        ko: "{name} 컨테이너가 있습니다. 이 컴퓨터의 {verb} 명령입니까, docker {verb} 명령입니까?\n    d: {docker}\n    h: {line} (이 컴퓨터)\n    Enter: 실행하지 않음",
        en: "{name} is a container here. Do you mean the host's {verb}, or docker {verb}?\n    d: {docker}\n    h: {line} (on this computer)\n    Enter: neither",
    }
    nothing_run() { ko: "실행하지 않았습니다.", en: "Nothing was run." }
    shells_own(verb) {
        ko: "방금 것은 이 컴퓨터의 {verb} 명령입니다. 컨테이너에 쓰려면: docker {verb}",
        en: "That was your system's {verb}; docent's is: docker {verb}",
    }

    // ---- what was pasted ----
    repaired(what) { ko: "고쳐 읽었습니다: {what}", en: "Read: {what}" }
    repaired_dash() { ko: "긴 줄표를 하이픈(-, --)으로", en: "long dashes as hyphens (-, --)" }
    repaired_quotes() { ko: "둥근 따옴표를 곧은 따옴표로", en: "curly quotes as straight ones" }
    repaired_space() { ko: "특수 공백을 보통 공백으로", en: "special spaces as plain ones" }
    repaired_sudo() { ko: "이미 root이므로 sudo 없이", en: "sudo left out, as you are root already" }
    left_out_one() {
        ko: "명령이 아닌 줄 1개(설명, 출력)는 건너뛰었습니다.",
        en: "1 line that is no command (prose, output) was left out.",
    }
    left_out_many(n) {
        ko: "명령이 아닌 줄 {n}개(설명, 출력)는 건너뛰었습니다.",
        en: "{n} lines that are no commands (prose, output) were left out.",
    }
    not_run_one() {
        ko: "중단했습니다. 남은 명령 1개는 실행하지 않았습니다.",
        en: "Interrupted; the 1 command left was not run.",
    }
    not_run_many(n) {
        ko: "중단했습니다. 남은 명령 {n}개는 실행하지 않았습니다.",
        en: "Interrupted; the {n} commands left were not run.",
    }
    paste_one(shown) {
        ko: "붙여 넣은 내용에 docker 명령이 아닌 줄이 1개 있습니다. 실행하면 컨테이너가 아니라 이 컴퓨터에서 실행됩니다:{shown}\n실행할까요? (y: 실행, Enter: 실행하지 않음)",
        en: "This pasted line is no docker command; it would run on this computer, not in a container:{shown}\nRun it? (y: yes, Enter: no)",
    }
    paste_many(n, shown) {
        ko: "붙여 넣은 내용에 docker 명령이 아닌 줄이 {n}개 있습니다. 실행하면 컨테이너가 아니라 이 컴퓨터에서 실행됩니다:{shown}\n실행할까요? (y: 실행, Enter: 실행하지 않음)",
        en: "These {n} pasted lines are no docker commands; they would run on this computer, not in a container:{shown}\nRun them? (y: yes, Enter: no)",
    }
    refused_one() { ko: "그 줄 1개는 실행하지 않습니다.", en: "That line is not run." }
    refused_many(n) { ko: "그 줄 {n}개는 실행하지 않습니다.", en: "Those {n} lines are not run." }
    pasted_exit(line) {
        ko: "붙여 넣은 {line} 줄은 실행하지 않았습니다. 세션을 끝내려면 직접 입력하세요.",
        en: "The pasted line {line} was not run: to leave the session, type it.",
    }

    // ---- ends ----
    unfinished() {
        ko: "입력이 끝나기 전에 명령이 끊겨 실행하지 않았습니다:",
        en: "The input ends within a command, which was not run:",
    }
    no_shell(why) {
        ko: "세션의 셸과 통신할 수 없습니다: {why}\nSHELL=/bin/sh docent 로 다시 시작해 보십시오. docent run … 처럼 명령 하나씩은 그대로 쓸 수 있습니다.",
        en: "The session's shell does not answer: {why}\nTry: SHELL=/bin/sh docent. Single commands such as docent run … work without it.",
    }
}

pub fn left_out(lang: Lang, lines: usize) -> String {
    if lines == 1 { left_out_one(lang) } else { left_out_many(lang, lines) }
}

pub fn not_run(lang: Lang, commands: usize) -> String {
    if commands == 1 { not_run_one(lang) } else { not_run_many(lang, commands) }
}

/// Lines of a paste that are no docker commands, before any of them runs.
pub fn paste_question(lang: Lang, lines: &[&str]) -> String {
    let shown: String = lines.iter().map(|l| format!("\n    {}", clean_lines(l).replace('\n', "\n    "))).collect();
    if lines.len() == 1 { paste_one(lang, shown) } else { paste_many(lang, lines.len(), shown) }
}

pub fn paste_refused(lang: Lang, lines: usize) -> String {
    if lines == 1 { refused_one(lang) } else { refused_many(lang, lines) }
}

/// A command of several, before it runs.
pub fn next_of_several(text: &str) -> String {
    format!("> {}", clean_lines(text).replace('\n', "\n  "))
}
