//! The session at a terminal: what is pasted, what is typed, and what is asked before it touches the host.

mod common;

use common::{DOCENT, Machine};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::os::fd::OwnedFd;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// A terminal, and what gives its other side to a program.
fn pair() -> (OwnedFd, impl Fn() -> Stdio) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("openpt");
    grantpt(&master).expect("grantpt");
    unlockpt(&master).expect("unlockpt");
    let name = ptsname(&master, Vec::new()).expect("ptsname");
    let slave = move || {
        let how = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        Stdio::from(rustix::fs::open(&name, how, Mode::empty()).expect("the slave"))
    };
    (master, slave)
}

/// A session behind a terminal of its own.
struct Terminal {
    master: OwnedFd,
    child: Child,
    seen: String,
}

impl Terminal {
    fn open(machine: &Machine, term: &str) -> Terminal {
        let (master, slave) = pair();
        // `-c`: the terminal on its standard input is the session's.
        let child = machine
            .command(&["setsid", "-c", "-w", DOCENT])
            .env("TERM", term)
            .env("SHELL", "/bin/bash")
            .env("DOCENT_LANG", "en")
            .stdin(slave())
            .stdout(slave())
            .stderr(slave())
            .spawn()
            .expect("a session");
        let mut terminal = Terminal { master, child, seen: String::new() };
        terminal.until("leave: exit");
        terminal.until("> ");
        terminal
    }

    fn send(&self, text: &str) {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let n = rustix::io::write(&self.master, rest).expect("the terminal");
            rest = &rest[n..];
        }
    }

    /// As a terminal brackets what is pasted.
    fn paste(&self, text: &str) {
        self.send(&format!("\x1b[200~{}\x1b[201~", text.replace('\n', "\r")));
    }

    /// Reads until this is seen; gives what came before it, and forgets both.
    #[track_caller]
    fn until(&mut self, what: &str) -> String {
        let end = Instant::now() + common::seconds(20);
        loop {
            if let Some(at) = self.seen.find(what) {
                let before = self.seen[..at].to_string();
                self.seen.drain(..at + what.len());
                return before;
            }
            let left = end.saturating_duration_since(Instant::now());
            let wait = rustix::time::Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
            let ready = poll(&mut [PollFd::new(&self.master, PollFlags::IN)], Some(&wait)).expect("poll");
            assert!(ready > 0, "waited for {what:?}, saw:\n{}", self.seen);
            let mut chunk = [0u8; 4096];
            match rustix::io::read(&self.master, &mut chunk) {
                Ok(n @ 1..) => self.seen.push_str(&String::from_utf8_lossy(&chunk[..n])),
                _ => panic!("the terminal closed; waited for {what:?}, saw:\n{}", self.seen),
            }
        }
    }

    /// A typed line, a key at a time.
    fn type_line(&mut self, line: &str) {
        for c in line.chars() {
            self.send(&c.to_string());
            // The echo: who types sees it before the next key.
            self.until(&c.to_string());
        }
        // A person's pause, which is what makes this Enter one of a person.
        std::thread::sleep(Duration::from_millis(60));
        self.enter();
    }

    /// The Enter that ends the line: rustyline switches brackets off behind it.
    #[track_caller]
    fn enter(&mut self) {
        self.send("\r");
        self.until("\x1b[?2004l");
    }

    /// A short answer, all at once as a tool gives it.
    #[track_caller]
    fn answer(&mut self, text: &str) {
        self.send(text);
        self.enter();
    }

    /// Proves that the session lives and has done all that was asked before: what it answers comes after it.
    #[track_caller]
    fn alive(&mut self) -> String {
        self.type_line("echo 'still 'here");
        self.until("still here")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn session(test: &str) -> Option<(Machine, Terminal)> {
    let machine = Machine::new(test, &["setsid"])?;
    let terminal = Terminal::open(&machine, "xterm");
    Some((machine, terminal))
}

/// What a lesson's text is made of: prose that begins with commands' names, a fence of a Dockerfile, a bullet, a prompt.
const LESSON: &str = "# A day of layers\n\
    Each instruction makes a layer:\n\
    ```\n\
    FROM tiny\n\
    RUN touch made-by-a-dockerfile\n\
    ```\n\
    touch made-by-prose and then read on\n\
    rm keep\n\
    exit\n\
    - `touch made-by-a-bullet`\n\
    # touch made-by-a-heading\n\
    $ touch made-by-a-prompt\n\
    docker run --rm tiny echo from-a-container\n";

#[track_caller]
fn only_the_prompt_ran(machine: &Machine) {
    let mut names: Vec<String> = std::fs::read_dir(machine.work())
        .expect("work")
        .map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["keep", "made-by-a-prompt"]);
}

#[test]
fn of_a_paste_only_docker_and_prompted_lines_run_unasked() {
    let Some((machine, mut terminal)) = session("of_a_paste_only_docker_and_prompted_lines_run_unasked") else {
        return;
    };
    std::fs::write(machine.work().join("keep"), "").expect("keep");
    terminal.paste(LESSON);
    terminal.enter();
    let shown = terminal.until("[y/N] ");
    for line in ["touch made-by-prose", "rm keep", "touch made-by-a-bullet"] {
        assert!(shown.contains(&format!("    {line}")), "{line} is shown: {shown}");
    }
    assert!(!machine.work().join("made-by-prose").exists(), "it waits for the answer");
    // Enter alone is a no.
    terminal.enter();
    terminal.until("> docker run");
    terminal.until("from-a-container");
    terminal.alive();
    only_the_prompt_ran(&machine);
}

#[test]
fn lines_that_come_at_once_are_a_paste() {
    let Some((machine, mut terminal)) = session("lines_that_come_at_once_are_a_paste") else { return };
    std::fs::write(machine.work().join("keep"), "").expect("keep");
    // No brackets: a terminal that has none, or a tool that types.
    terminal.send(&LESSON.replace('\n', "\r"));
    let shown = terminal.until("[y/N] ");
    assert!(shown.contains("    rm keep"), "{shown}");
    terminal.answer("n");
    terminal.until("from-a-container");
    terminal.alive();
    only_the_prompt_ran(&machine);
}

#[test]
fn a_terminal_without_editing_asks_too() {
    let Some(machine) = Machine::new("a_terminal_without_editing_asks_too", &["setsid"]) else { return };
    let mut terminal = Terminal::open(&machine, "dumb");
    terminal.send("touch made-one\ntouch made-two\n");
    terminal.until("[y/N] ");
    terminal.send("\n");
    terminal.until("not run");
    terminal.send("echo 'still 'here\n");
    terminal.until("still here");
    assert!(!machine.work().join("made-one").exists() && !machine.work().join("made-two").exists());
}

#[test]
fn one_question_is_enough_and_a_yes_runs_all_in_order() {
    let Some((machine, mut terminal)) = session("one_question_is_enough_and_a_yes_runs_all_in_order") else { return };
    terminal.paste("mkdir a\ncd a\ndocker run --rm tiny echo between\ntouch b");
    terminal.enter();
    terminal.until("[y/N] ");
    terminal.answer("y");
    terminal.until("between");
    let rest = terminal.alive();
    assert!(!rest.contains("[y/N]"), "{rest}");
    assert!(machine.work().join("a/b").exists());
}

#[test]
fn an_answer_is_not_taken_from_the_paste() {
    let Some((machine, mut terminal)) = session("an_answer_is_not_taken_from_the_paste") else { return };
    // The end of brackets within a paste, and what would answer behind it.
    terminal.paste("touch made\x1b[201~\ry\ryes\r");
    terminal.until("[y/N] ");
    terminal.paste("y");
    terminal.enter();
    terminal.until("not run");
    terminal.alive();
    assert!(!machine.work().join("made").exists());
}

#[test]
fn one_pasted_line_is_asked_about_and_a_typed_one_is_not() {
    let Some((machine, mut terminal)) = session("one_pasted_line_is_asked_about_and_a_typed_one_is_not") else {
        return;
    };
    terminal.paste("touch pasted");
    terminal.enter();
    terminal.until("[y/N] ");
    terminal.enter();
    terminal.until("not run");
    terminal.paste("exit");
    terminal.enter();
    terminal.until("to leave the session");
    terminal.type_line("touch typed");
    // What is pasted into a typed line is an argument.
    terminal.until("> ");
    terminal.send("touch ");
    terminal.paste("argument");
    terminal.enter();
    terminal.alive();
    let made = |name: &str| machine.work().join(name).exists();
    assert!(!made("pasted") && made("typed") && made("argument"));
    // A line that comes at once is a line, also when it is unfinished.
    terminal.answer("for i in 1 2; do");
    terminal.answer("touch loop$i; done");
    terminal.alive();
    assert!(made("loop1") && made("loop2"));
}

#[test]
fn a_typed_rm_of_a_containers_name_asks_which_is_meant() {
    let Some((machine, mut terminal)) = session("a_typed_rm_of_a_containers_name_asks_which_is_meant") else { return };
    let here = |name: &str| machine.docent(&["ps", "-a", "--filter", &format!("name=^{name}$"), "-q"]).ok().stdout;
    machine.docent(&["create", "--name", "web", "tiny", "true"]).ok();
    machine.docent(&["create", "--name", "db", "tiny", "true"]).ok();
    let id = here("db");
    for name in ["web", "plain"] {
        std::fs::write(machine.work().join(name), "").expect("a file");
    }
    let file = |name: &str| machine.work().join(name).exists();
    // Neither: Enter alone.
    terminal.type_line("rm web");
    terminal.until("[d/h] ");
    terminal.enter();
    terminal.until("Nothing was run");
    assert!(file("web") && !here("web").is_empty());
    // The host's.
    terminal.type_line("rm web");
    terminal.until("[d/h] ");
    terminal.answer("h");
    terminal.alive();
    assert!(!file("web") && !here("web").is_empty());
    // Docker's, by name and by ID.
    for word in ["web", id.trim()] {
        terminal.type_line(&format!("rm {word}"));
        let shown = terminal.until("[d/h] ");
        assert!(shown.contains(&format!("d: docker rm {word}")), "{shown}");
        terminal.answer("d");
        terminal.alive();
    }
    assert!(here("web").is_empty() && here("db").is_empty());
    // What names no container is not asked about.
    terminal.type_line("rm plain");
    terminal.alive();
    assert!(!file("plain"));
}

#[test]
fn a_script_runs_as_it_is() {
    let Some(machine) = Machine::new("a_script_runs_as_it_is", &[]) else { return };
    let ran = machine
        .sh("printf 'touch one\\ntouch two\\ndocker run --rm tiny echo three\\nexit 7\\n' | \"$0\" || test $? = 7");
    assert_eq!(ran.ok().stdout.trim(), "three");
    assert!(machine.work().join("one").exists() && machine.work().join("two").exists());
}

/// A name that would set a terminal's title, and one that starts a sequence with a single character (C1).
const NAMES: [&str; 2] = ["a\u{1b}]0;owned\u{7}", "b\u{9b}31m"];

#[test]
fn a_terminal_is_given_nothing_that_it_obeys() {
    let Some(machine) = Machine::new("a_terminal_is_given_nothing_that_it_obeys", &[]) else { return };
    let [title, c1] = NAMES;
    let labels = [format!("title={title}"), format!("c1={c1}")];
    let files = [format!("/{title}"), format!("/{c1}")];
    let run = ["run", "--name", "names", "-l", &labels[0], "-l", &labels[1], "tiny", "touch", &files[0], &files[1]];
    machine.docent(&run).ok();
    for args in [
        &["diff", "names"][..],
        &["ps", "-a", "--format", "{{.Labels}}"],
        &["inspect", "-f", "{{.Config.Labels.title}}{{.Config.Labels.c1}}", "names"],
        &["inspect", "names"],
    ] {
        let (master, slave) = pair();
        let argv = [&[DOCENT], args].concat();
        let mut child = machine.command(&argv).stdin(Stdio::null()).stdout(slave()).spawn().expect("docent");
        assert!(child.wait().expect("its end").success(), "{args:?}");
        let mut chunk = [0u8; 65536];
        let n = rustix::io::read(&master, &mut chunk).expect("what it printed");
        let shown = String::from_utf8_lossy(&chunk[..n]).into_owned();
        assert!(shown.contains("owned") && shown.contains("31m"), "{args:?}: {shown}");
        assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{9b}']), "{args:?}: {shown:?}");
        // Elsewhere it is data, byte for byte (JSON escapes what it must by itself).
        let data = machine.docent(args).ok().stdout;
        assert!(data.contains(c1), "{args:?}: {data:?}");
        assert!(args == ["inspect", "names"] || data.contains(title), "{args:?}: {data:?}");
    }
}
