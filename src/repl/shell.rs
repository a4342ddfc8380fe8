//! The learner's own shell, kept alive as long as the session: every line runs there, so directory, variables, functions
//! and jobs are as in any terminal.
//!
//! The shell is started as an interactive one (job control, and Ctrl-C returns to its prompt instead of ending it), but
//! its commands come over a pipe on its standard input. A line goes through in three steps:
//!
//! 1. `begin; eval 'the line' 0<>TERMINAL` is written to the pipe, and `begin` answers on a named pipe that the line starts;
//! 2. only then `end` is written: a shell that is interrupted may drop what it has read already, never what is still in the
//!    pipe, so the line's end is always reported;
//! 3. `end` answers with exit status and working directory, waits in `read` for the next line's go, and hands `$?` on. So
//!    the shell is never at a prompt of its own while we have the terminal (zsh takes the terminal at each prompt, bash
//!    speaks of its jobs there).
//!
//! What never breaks: programs of the learner get neither pipe (the shell's standard input is replaced for the line, and the
//! named one is open only while it is written to); the terminal's foreground group is the shell's while a line runs and ours
//! while we read one; when docent dies, the shell reads the end of its input and goes.
//!
//! Without a terminal the same steps run a shell without job control in our own process group, as a script would.

use crate::kernel::sys::Calls;
use crate::kernel::{files, signals, terminal};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::process::{Pid, PidfdFlags};
use rustix::termios::{OptionalActions, Termios};
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

/// The signals of a terminal that must not reach whoever keeps a session: Ctrl-C, Ctrl-\\, Ctrl-Z, and the two that stop a
/// background process which touches the terminal, as we are when we take it back (tcsetpgrp(3)).
const OF_THE_TERMINAL: [i32; 5] = [libc::SIGINT, libc::SIGQUIT, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];

/// What the shell is started with.
pub struct Start<'a> {
    /// Read and write only by us: the named pipe and the links are made there.
    pub dir: &'a Path,
    /// This program; `docker` and `docent` become links to it.
    pub program: &'a Path,
    /// Set for every line, beside what the session itself got.
    pub env: &'a [(&'a str, OsString)],
    /// Lines come from a person at the terminal on standard input.
    pub terminal: bool,
}

/// How a line ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The line; the shell goes on.
    Line(i32),
    /// The shell itself, with this exit code (128 + n for a signal).
    Shell(i32),
}

/// Which shell, as far as its flags and habits differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Bash,
    Zsh,
    Dash,
    /// busybox sh, ksh: what POSIX says.
    Plain,
}

/// A shell as a judge of text, without running any.
#[derive(Debug, Clone)]
pub struct Grammar {
    program: PathBuf,
    family: Family,
}

pub struct Shell {
    child: Child,
    lines: ChildStdin,
    answers: OwnedFd,
    ended: OwnedFd,
    grammar: Grammar,
    /// The standard input of lines, quoted for the shell.
    input: String,
    foreground: Option<Foreground>,
    buffer: Vec<u8>,
}

struct Foreground {
    ours: Pid,
    shells: Pid,
    /// The terminal's modes after the last line that ended well.
    modes: Option<Termios>,
}

/// `$SHELL` when we know how to talk to it, else bash, else sh.
fn choose() -> (PathBuf, Family) {
    let family = |path: &Path| match path.file_name().and_then(OsStr::to_str)? {
        "bash" => Some(Family::Bash),
        "zsh" => Some(Family::Zsh),
        "dash" => Some(Family::Dash),
        // Often a link to one of the others.
        "sh" => match path.canonicalize().ok()?.file_name()?.to_str()? {
            "dash" => Some(Family::Dash),
            _ => Some(Family::Plain),
        },
        "ash" | "ksh" | "mksh" => Some(Family::Plain),
        _ => None,
    };
    let wished = std::env::var_os("SHELL").map(PathBuf::from).filter(|p| p.is_absolute());
    [wished, Some("/bin/bash".into()), Some("/usr/bin/bash".into())]
        .into_iter()
        .flatten()
        .filter(|p| rustix::fs::access(p, rustix::fs::Access::EXEC_OK).is_ok())
        .find_map(|p| family(&p).map(|f| (p, f)))
        .unwrap_or(("/bin/sh".into(), Family::Plain))
}

/// A word for the shell that means exactly this text.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\0', "").replace('\'', r"'\''"))
}

impl Shell {
    /// Starts the learner's shell and waits until it listens.
    pub fn start(start: &Start<'_>) -> io::Result<Shell> {
        let (program, family) = choose();
        Shell::start_as(start, program, family)
    }

    fn start_as(start: &Start<'_>, program: PathBuf, family: Family) -> io::Result<Shell> {
        let pipe = start.dir.join("answer");
        let mut calls = Calls::default();
        files::mknod(&mut calls, &pipe, FileType::Fifo, 0o600)?;
        // Open for both: it never ends, however often the shell opens and closes its side.
        let answers = rustix::fs::open(&pipe, OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?;
        for name in ["docker", "docent"] {
            files::symlink(&mut calls, start.program, &start.dir.join(name))?;
        }
        let mut path = start.dir.as_os_str().to_os_string();
        if let Some(usual) = std::env::var_os("PATH") {
            path.push(":");
            path.push(usual);
        }
        let mut command = Command::new(&program);
        match (family, start.terminal) {
            (Family::Bash, true) => command.args(["--norc", "--noprofile", "--noediting", "-i"]),
            (Family::Bash, false) => command.args(["--norc", "--noprofile"]),
            (Family::Zsh, true) => command.args(["-f", "-i", "+Z", "-o", "nopromptsp", "-o", "nopromptcr"]),
            (Family::Zsh, false) => command.arg("-f"),
            // dash becomes interactive later, see prepare.
            (Family::Dash, _) => &mut command,
            (Family::Plain, true) => command.arg("-i"),
            (Family::Plain, false) => &mut command,
        };
        command.stdin(Stdio::piped()).env("PATH", path);
        // Nothing may be printed or run at its prompts, and no start-up file be read instead of ours.
        for name in ["PROMPT_COMMAND", "ENV", "BASH_ENV", "PS1", "PS2"] {
            command.env_remove(name);
        }
        if start.terminal && family != Family::Dash {
            command.env("PS1", "").env("PS2", "");
        }
        command.envs(start.env.iter().map(|(k, v)| (*k, v)));
        let mut child = command.spawn()?;
        let lines = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let shells = Pid::from_child(&child);
        let ended = rustix::process::pidfd_open(shells, PidfdFlags::empty())?;
        let mut shell = Shell {
            child,
            lines,
            answers,
            ended,
            grammar: Grammar { program, family },
            input: if start.terminal { terminal_name() } else { "'/dev/null'".into() },
            foreground: None,
            buffer: Vec::new(),
        };
        shell.prepare(&pipe, start.terminal)?;
        if start.terminal {
            let modes = rustix::termios::tcgetattr(io::stdin()).ok();
            shell.foreground = Some(Foreground { ours: terminal::own_group(), shells, modes });
            // Only now: the shell and its programs must not inherit this.
            signals::ignore(&OF_THE_TERMINAL);
            shell.take_terminal(0);
        }
        Ok(shell)
    }

    /// Tells the shell its part, and waits for the first answer.
    fn prepare(&mut self, pipe: &Path, terminal: bool) -> io::Result<()> {
        let pipe = quoted(&pipe.to_string_lossy());
        // The prompts are unset first, so that a shell that the learner starts has its own.
        let mut text = format!(
            "unset PS1 PS2; PS1= PS2=\n\
             __docent_begin() {{ set -- \"$?\"; printf 's\\0' 1<>{pipe}; return \"$1\"; }}\n\
             __docent_status() {{ return \"$1\"; }}\n\
             __docent_end() {{ set -- \"$?\"; PS1= PS2=; printf '%s %s\\0' \"$1\" \"$PWD\" 1<>{pipe}; \
             read -r __docent_go; return \"$1\"; }}\n"
        );
        match self.grammar.family {
            // History is the session's: these lines are not what the learner typed.
            Family::Bash if terminal => text.push_str("set +o history +H; history -c; unset HISTFILE\n"),
            Family::Zsh if terminal => {
                text.push_str("typeset +x PS1 PS2; setopt interactivecomments; unset HISTFILE\n")
            }
            // It cannot take a variable out of the environment again, and every shell of the learner's would inherit an
            // empty prompt: so it was started without one, quietly, and turns interactive with job control here.
            Family::Dash if terminal => text.push_str("set -im\n"),
            _ => {}
        }
        text.push_str("{ __docent_end; } 2>/dev/null\n");
        self.send(&text)?;
        match self.answer()? {
            Some(_) => Ok(()),
            None => Err(io::Error::other(self.grammar.program.to_string_lossy().into_owned())),
        }
    }

    /// Runs a line to its end.
    pub fn run(&mut self, text: &str) -> io::Result<Ended> {
        self.hand_terminal_over();
        let ended = self.pass_through(text);
        let status = match &ended {
            Ok(Ended::Line(status)) => *status,
            _ => 128,
        };
        self.take_terminal(status);
        ended
    }

    /// Runs `exit …` once more after the shell refused it because of stopped jobs. Shells obey when they are told again at
    /// once; what passes between two lines here would make them forget, so this one is told in a way that it obeys.
    pub fn exit_anyway(&mut self, text: &str) -> io::Result<Ended> {
        match self.grammar.family {
            Family::Zsh => self.run(&format!("setopt nocheckjobs; {text}")),
            _ => self.run(&format!("{text}; {text}")),
        }
    }

    /// Sets a variable for later lines; `$?` stays as it is. The name must be a shell's name.
    pub fn export(&mut self, name: &str, value: &str) -> io::Result<Ended> {
        let value = quoted(value);
        self.run(&format!("__docent_keep=$?; export {name}={value}; __docent_status \"$__docent_keep\""))
    }

    /// Gives the next line this `$?`, for what the session answered itself.
    pub fn set_status(&mut self, status: i32) -> io::Result<Ended> {
        self.run(&format!("__docent_status {status}"))
    }

    /// Whether the shell would find a command of this name: a program, a builtin, a function or an alias.
    pub fn knows(&mut self, name: &str) -> io::Result<bool> {
        let name = quoted(name);
        let found = self.run(&format!("__docent_keep=$?; command -v {name} >/dev/null 2>&1"))?;
        self.run("__docent_status \"$__docent_keep\"")?;
        Ok(found == Ended::Line(0))
    }

    fn pass_through(&mut self, text: &str) -> io::Result<Ended> {
        // The go that `end` waits for, then the line.
        let begin = ":\n{ __docent_begin; } 2>/dev/null;";
        // An error in `eval`, a special builtin, would end a plain shell that is not interactive (POSIX, 2.8.1).
        let plain = matches!(self.grammar.family, Family::Dash | Family::Plain);
        let eval = if plain { "command eval" } else { "eval" };
        if self.send(&format!("{begin} {eval} {} 0<>{}\n", quoted(text), self.input)).is_ok() {
            // It started: nothing that comes now can be lost, see the head of this file. The line before `end` gives the
            // shell a prompt at which to speak of jobs that ended meanwhile.
            if self.answer()?.is_some() {
                drop(self.send("__docent_status \"$?\"\n{ __docent_end; } 2>/dev/null\n"));
            }
            if let Some(answer) = self.answer()? {
                return Ok(Ended::Line(self.ended_with(&answer)));
            }
        }
        let status = self.child.wait()?;
        Ok(Ended::Shell(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))))
    }

    /// Reads `STATUS PWD` and follows the shell to its directory, for the completion of file names.
    fn ended_with(&self, answer: &[u8]) -> i32 {
        let (status, cwd) = answer.split_at(answer.iter().position(|b| *b == b' ').unwrap_or(answer.len()));
        let cwd = OsString::from_vec(cwd.get(1..).unwrap_or_default().to_vec());
        // A directory that is gone by now is no reason to stop.
        drop(std::env::set_current_dir(cwd));
        std::str::from_utf8(status).ok().and_then(|s| s.parse().ok()).unwrap_or(0)
    }

    fn send(&mut self, text: &str) -> io::Result<()> {
        self.lines.write_all(text.as_bytes())
    }

    /// The next answer, or nothing when the shell has ended.
    fn answer(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(end) = self.buffer.iter().position(|b| *b == 0) {
                let mut answer: Vec<u8> = self.buffer.drain(..=end).collect();
                answer.pop();
                return Ok(Some(answer));
            }
            let mut chunk = [0u8; 4096];
            match rustix::io::read(&self.answers, &mut chunk) {
                Ok(n) => {
                    self.buffer.extend_from_slice(chunk.get(..n).unwrap_or_default());
                    continue;
                }
                Err(rustix::io::Errno::INTR) => continue,
                Err(rustix::io::Errno::AGAIN) => {}
                Err(e) => return Err(e.into()),
            }
            let mut wait = [PollFd::new(&self.answers, PollFlags::IN), PollFd::new(&self.ended, PollFlags::IN)];
            match poll(&mut wait, None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
            let has = |n: usize| wait.get(n).is_some_and(|p| p.revents().contains(PollFlags::IN));
            if has(1) && !has(0) {
                return Ok(None);
            }
        }
    }

    fn hand_terminal_over(&self) {
        if let Some(foreground) = &self.foreground {
            terminal::bring_forward(foreground.shells);
        }
    }

    /// Takes the terminal back. After a line that was killed its modes are set back, as shells do: the program may have
    /// had no time to.
    fn take_terminal(&mut self, status: i32) {
        let Some(foreground) = &mut self.foreground else { return };
        terminal::bring_forward(foreground.ours);
        match &foreground.modes {
            Some(modes) if status >= 128 => drop(terminal::set_modes(io::stdin(), OptionalActions::Drain, modes)),
            _ => foreground.modes = rustix::termios::tcgetattr(io::stdin()).ok(),
        }
    }

    /// What the shell thinks of text.
    pub fn grammar(&self) -> Grammar {
        self.grammar.clone()
    }
}

impl Grammar {
    /// Whether the shell finds that `text` could go on (`-n`: read, not run).
    pub fn incomplete(&self, text: &str) -> bool {
        let Some(said) = self.complaint(text) else { return false };
        match self.family {
            // zsh names the word before the end, as if that were wrong: only what is wrong at the end changes with it.
            Family::Zsh => {
                let further = self.complaint(&format!("{text}\n;;")).unwrap_or_default();
                said.contains("unmatched ") || (further.contains(";;") && !said.contains(";;"))
            }
            // bash; dash and busybox.
            _ => ["unexpected end of file", "unexpected EOF", "end of file unexpected", "Unterminated", "EOF in "]
                .iter()
                .any(|end| said.contains(end)),
        }
    }

    /// What the shell finds wrong with a text; nothing when it cannot be asked, so that it gets the text as it is.
    fn complaint(&self, text: &str) -> Option<String> {
        let checked = Command::new(&self.program)
            .args(["-n", "-c", text])
            .env("LC_ALL", "C")
            .env_remove("BASH_ENV")
            .env_remove("ENV")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .output()
            .ok()?;
        (!checked.status.success()).then(|| String::from_utf8_lossy(&checked.stderr).into_owned())
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // The end of its input ends it; what it left running is the learner's.
        if let Some(foreground) = &self.foreground {
            terminal::bring_forward(foreground.ours);
        }
    }
}

/// The terminal by its own name, so that `tty` and its like answer as usual; `/dev/tty` where that name is not ours to open
/// (after su) or not to be seen (in another mount namespace).
fn terminal_name() -> String {
    let named = rustix::termios::ttyname(io::stdin(), Vec::new())
        .ok()
        .map(|n| PathBuf::from(OsString::from_vec(n.into_bytes())));
    let access = rustix::fs::Access::READ_OK | rustix::fs::Access::WRITE_OK;
    match named.filter(|n| rustix::fs::access(n, access).is_ok()) {
        Some(name) => quoted(&name.to_string_lossy()),
        None => "'/dev/tty'".into(),
    }
}

#[cfg(test)]
#[path = "shell_tests.rs"]
mod tests;
