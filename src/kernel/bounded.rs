//! A program that is run to its end, within limits of time and of output.
//!
//! What never breaks: it is reaped whatever goes wrong. Its output goes through files in memory, not through pipes, so that a
//! helper which keeps them open cannot hold the caller up; and they are sealed at their size (memfd_create(2)), so that a write
//! beyond it fails.

use super::process::{Ended, wait_gone};
use crate::event::SysError;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::fs::File;
use std::io::{Read, Seek};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::Duration;

pub struct Finished {
    pub ended: Ended,
    /// It was killed since its time was over.
    pub late: bool,
    /// At most as long as was asked for; of that length: there may have been more.
    pub output: Vec<u8>,
    pub errors: Vec<u8>,
}

/// Runs the program without input. Only it is killed, and only it is waited for: what it started may go on.
/// `/dev/stdout` and `/dev/stderr` cannot be opened for writing by name (`>&2` is no opening): that would cut the sealed file.
pub fn run(command: &mut Command, limit: Duration, most: u64) -> Result<Finished, SysError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |call: &'static str| {
        let program = program.clone();
        move |e: std::io::Error| SysError::io(call, program, &e)
    };
    let file = || {
        let file = memfd_create("output", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        ftruncate(&file, most)?;
        fcntl_add_seals(&file, SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
        Ok(File::from(file))
    };
    let (output, errors) = (file().map_err(failed("memfd_create"))?, file().map_err(failed("memfd_create"))?);
    let theirs = |file: &File| file.try_clone().map_err(failed("fcntl"));
    command.stdin(Stdio::null()).stdout(theirs(&output)?).stderr(theirs(&errors)?);
    let mut child = command.spawn().map_err(failed("execve"))?;
    let handle = pidfd_open(Pid::from_child(&child), PidfdFlags::empty());
    let in_time = handle.as_ref().is_ok_and(|h| wait_gone(h.as_fd(), Some(limit.as_millis() as u64)));
    if !in_time {
        // It may have ended just now; then there is nothing to kill.
        drop(child.kill());
    }
    let status = child.wait().map_err(failed("wait4"))?;
    handle.map_err(|e| failed("pidfd_open")(e.into()))?;
    Ok(Finished {
        ended: Ended { code: status.code(), signal: status.signal() },
        late: !in_time,
        output: written(output).map_err(failed("read"))?,
        errors: written(errors).map_err(failed("read"))?,
    })
}

/// What lies before the position, which the program and its file here have in common.
fn written(mut file: File) -> std::io::Result<Vec<u8>> {
    let size = file.stream_position()?;
    file.rewind()?;
    let mut bytes = Vec::new();
    file.take(size).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn shell(script: &str, limit: Duration) -> Finished {
        run(Command::new("sh").args(["-c", script]), limit, 1 << 16).expect("sh")
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn what_it_writes_and_how_it_ends_is_known() {
        let done = shell("cat; echo a; echo b >&2; exit 3", LONG);
        assert_eq!((done.output.as_slice(), done.errors.as_slice()), (b"a\n".as_slice(), b"b\n".as_slice()));
        assert_eq!((done.ended.status(), done.late), (3, false));
        assert_eq!(shell("kill -TERM $$", LONG).ended, Ended { code: None, signal: Some(libc::SIGTERM) });
        let none = run(&mut Command::new("/none"), LONG, 1);
        assert!(none.is_err_and(|e| e.call == "execve" && e.object == "/none" && e.errno == libc::ENOENT));
    }

    #[test]
    fn it_is_killed_in_time_and_reaped() {
        let done = shell("echo $$; exec sleep 1000", Duration::from_secs(2));
        assert_eq!((done.late, done.ended.status()), (true, 128 + libc::SIGKILL));
        let pid: i32 = String::from_utf8_lossy(&done.output).trim().parse().expect("a pid");
        assert_eq!(super::super::process::start_time(pid), None, "a zombie would have one");
    }

    #[test]
    fn its_output_has_an_end() {
        let done = shell("head -c 200000 /dev/zero", LONG);
        assert_eq!((done.output.len(), done.ended.status(), done.late), (1 << 16, 1, false));
    }

    #[test]
    fn a_helper_that_keeps_its_output_open_holds_nobody_up() {
        let (began, dir) = (Instant::now(), tempfile::tempdir().expect("a directory"));
        let fifo = dir.path().join("fifo");
        // Until somebody writes, the helper waits.
        let script = format!("mkfifo {0}; cat {0} & echo started", fifo.display());
        let done = shell(&script, LONG);
        assert_eq!(done.output, b"started\n");
        assert!(!done.late && began.elapsed() < LONG);
        std::fs::write(fifo, "").expect("the helper reads");
    }
}
