//! `docker` inside the grader's sandbox: hands its words and its standard streams to the engine outside, passes signals on,
//! and ends as the command ended there. It holds no rights and knows nothing; a submission that replaces it gains nothing.
//!
//! One conversation over a packet socket: [`RUN`] with the working directory and the words, NUL between them, and three
//! descriptors; then [`SIGNAL`]s from here; at the end one [`EXIT`] or [`REFUSED`] from there.

use crate::event::{Fault, SysError};
use crate::kernel::packet::{MOST, Packets, Stop};
use crate::kernel::signals::Signals;
use rustix::event::{PollFd, PollFlags, poll};
use std::ffi::{OsStr, OsString};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Names the engine's socket.
pub const ENGINE: &str = "DOCENT_ENGINE";

pub const RUN: u8 = 1;
pub const SIGNAL: u8 = 2;
pub const EXIT: u8 = 3;
pub const REFUSED: u8 = 4;

const PASSED_ON: [i32; 6] = [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGUSR1, libc::SIGUSR2, libc::SIGTERM];

/// The engine to be asked instead of doing anything here; main looks at this first of all.
pub fn engine() -> Option<PathBuf> {
    std::env::var_os(ENGINE).filter(|v| !v.is_empty()).map(PathBuf::from)
}

/// Runs `docker WORDS…` at the engine. Gives its exit code.
///
/// # Errors
/// What the engine refused, or `CannotGrade` when it cannot be reached.
pub fn run(engine: &Path, words: &[OsString]) -> Result<u8, Fault> {
    let gone = |call: &str, errno| Fault::step("ask the engine", SysError::new(call, engine.to_string_lossy(), errno));
    let io = |call: &str, e: std::io::Error| gone(call, e.raw_os_error().unwrap_or(libc::EIO));
    let cwd = std::env::current_dir().map_err(|e| io("getcwd", e))?;
    let mut body = cwd.as_os_str().as_bytes().to_vec();
    for word in words {
        body.push(0);
        body.extend_from_slice(word.as_bytes());
    }
    if body.len() > MOST {
        return Err(gone("execve", libc::E2BIG));
    }
    let signals = Signals::catch(&PASSED_ON).map_err(|e| Fault::step("ask the engine", e))?;
    let parent = engine.parent().unwrap_or(Path::new("/"));
    let dir = crate::kernel::resolve::directory(parent).map_err(|e| Fault::step("ask the engine", e))?;
    let name = engine.file_name().unwrap_or(OsStr::new("")).to_string_lossy();
    let socket = Packets::connect(dir.as_fd(), &name).map_err(|e| Fault::step("ask the engine", e))?;
    let (input, output, errors) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
    socket
        .send(RUN, &body, &[input.as_fd(), output.as_fd(), errors.as_fd()], true)
        .map_err(|_| gone("sendmsg", libc::EPIPE))?;
    loop {
        let mut fds = [PollFd::new(&socket, PollFlags::IN), PollFd::new(&signals, PollFlags::IN)];
        match poll(&mut fds, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(gone("poll", e.raw_os_error())),
        }
        while let Some(signal) = signals.next() {
            // Lost with an engine that is gone; the next receive says so.
            socket.send(SIGNAL, &[signal as u8], &[], true).unwrap_or(());
        }
        match socket.receive(false) {
            Err(Stop::WouldBlock) => {}
            Err(Stop::Closed) => return Err(gone("recvmsg", libc::EPIPE)),
            Ok(message) => match (message.kind, message.body.first()) {
                (EXIT, Some(code)) => return Ok(*code),
                (REFUSED, _) => {
                    let fault = serde_json::from_slice(&message.body).map_err(|_| gone("recvmsg", libc::EPROTO))?;
                    return Err(fault);
                }
                _ => {}
            },
        }
    }
}
