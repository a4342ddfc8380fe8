//! Processes and signals.

use super::{Lang, Word};

/// What a helper process of docent's is for.
pub struct Role<'a>(pub &'a str);

impl Word for Role<'_> {
    fn word(&self, lang: Lang) -> String {
        let (ko, en) = match self.0 {
            "monitor" => ("감시", "monitor"),
            "private" | "private-look" => ("조회", "helper for a private look"),
            other => (other, other),
        };
        (if lang == Lang::Ko { ko } else { en }).into()
    }
}

/// The empty text stands for what the image leaves to the default.
pub fn or<'a>(text: &'a str, default: &'a str) -> &'a str {
    if text.is_empty() { default } else { text }
}

macro_rules! process {
    ($($so_far:tt)*) => { families! { $($so_far)*

    /// A helper process of docent was started (the monitor, the engine's copy for a private look).
    HelperStarted { pid: Option<i32>, role: String } = "process.helper" {
        in Block::Start; calls [vfork execve];
        unproven "docent's own, which no command promises to keep; ps shows it while it runs";
        plan (role = Role(role)) { ko: "docent의 {role} 프로세스를 시작합니다", en: "will start docent's {role}" }
        [START] (role = Role(role), pid) {
            ko: "docent의 {role} 프로세스를 {v} · {pid}번",
            en: "{v} docent's {role} · process {pid}",
        }
        short if (role == "monitor") (pid) { ko: "감시 프로세스 {pid}", en: "monitor {pid}" }
        #[cfg(test)]
        sample { pid: Some(48200), role: s("monitor") }
    }

    /// A process of docent's code, born in a container that runs: it is to become the program of an exec.
    ProcessAdded { pid: Option<i32> } = "process.added" {
        in Block::Start; calls [clone3]; man "clone(2), setns(2)";
        unproven "it becomes a program, whose event has its own proof, or ends";
        plan { ko: "컨테이너에 프로세스를 하나 더 만듭니다", en: "will add a process to the container" }
        [MAKE] (pid) { ko: "컨테이너에 프로세스를 하나 더 {v} · {pid}번", en: "{v} one more process for the container · process {pid}" }
        #[cfg(test)]
        sample { pid: Some(48300) }
    }

    /// The container's program took the place of docent's code. `path` is what execve was given.
    Exec {
        #[serde(rename = "path_inside", alias = "path")]
        path: Option<String>,
        argv: Vec<String>,
        #[serde(rename = "cwd_inside", alias = "cwd")]
        cwd: String,
        user: Option<String>,
    } = "process.exec" {
        in Block::Start; calls [execve];
        proof [readlink] broken "the process executes another program"; man "execve(2)";
        [RUN] (argv = command_line(argv), cwd = or(cwd, "/"), user) {
            ko: "{argv} · 컨테이너의 프로그램을 {v} · 위치 {cwd}, 사용자 {user}",
            en: "{v} {argv} · in {cwd} as {user}",
        }
        short (argv = command_line(argv)) { "{argv}" }
        hand (argv) { "exec {argv}" }
        #[cfg(test)]
        sample { path: Some(s("/usr/sbin/nginx")), argv: vec![s("nginx"), s("-g"), s("daemon off;")], cwd: s("/"), user: Some(s("0:0")) }
    }

    Signalled {
        pid: Option<i32>,
        signal: i32,
        #[serde(rename = "signal_name", alias = "name")]
        name: String,
        all: bool,
    } = "process.signal" {
        in Block::Signal; calls [pidfd_send_signal]; man "signal(7), pidfd_send_signal(2)";
        unproven "a signal leaves no trace but what the program makes of it";
        plan (name) { ko: "컨테이너에 {name} 신호를 보냅니다", en: "will send {name} to the container" }
        when (*all) [SEND] (name) {
            ko: "컨테이너의 모든 프로세스에 {name} 신호를 {v}",
            en: "{v} {name} to every process of the container",
        }
        [SEND] (name, pid) { ko: "{pid}번 프로세스에 {name} 신호를 {v}", en: "{v} {name} to process {pid}" }
        hand (signal, pid) { "kill -{signal} {pid}" }
        #[cfg(test)]
        sample { pid: Some(48213), signal: 15, name: s("SIGTERM"), all: false }
        #[cfg(test)]
        sample { pid: Some(48213), signal: 9, name: s("SIGKILL"), all: true }
    }

    Terminal {
        #[serde(rename = "path_inside", alias = "path")]
        path: String,
    } = "process.terminal" {
        in Block::Start; calls [move_mount open_tree mknodat];
        proof [grep] broken "it is unmounted"; man "pty(7)";
        [OPEN] (path) { ko: "컨테이너의 터미널을 {v} · {path}", en: "{v} the container's terminal · {path}" }
        short { ko: "터미널", en: "terminal" }
        hand { "script -c PROGRAM /dev/null" }
        #[cfg(test)]
        sample { path: s("/dev/console") }
    }

    /// A process ended, and its parent, docent's, was told how.
    Reaped {
        pid: Option<i32>,
        #[serde(rename = "exit_code", alias = "code")]
        code: Option<i32>,
        signal: Option<i32>,
    } = "process.reaped" {
        in Block::Exit; man "wait(2)"; unproven "the process is gone; only its parent was told how it ended";
        plan { ko: "끝난 프로세스를 거둡니다", en: "will reap the process when it has ended" }
        when (signal.is_some()) (pid, signal = signal.map(signal_name)) {
            ko: "{signal} 신호로 끝난 {pid}번 프로세스를 거두었습니다",
            en: "reaped process {pid}, ended by {signal}",
        }
        (pid, code) { ko: "{pid}번 프로세스를 거두었습니다 · 종료 코드 {code}", en: "reaped process {pid} · exit code {code}" }
        #[cfg(test)]
        sample { pid: Some(48213), code: Some(0), signal: None }
        #[cfg(test)]
        sample { pid: Some(48213), code: Some(137), signal: Some(9) }
    }
    } };
}
