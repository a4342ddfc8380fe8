//! The container's program: its file, by the container's own PATH, and its environment. No host program, no NSS, no shell.

use super::user::User;
use crate::container::Process;
use crate::event::{Fault, SysError};
use rustix::fs::{AtFlags, FileType};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The environment as Docker completes it.
pub fn environment(process: &Process, user: &User, hostname: &str) -> Vec<String> {
    let has = |name: &str| process.env.iter().any(|e| e.split_once('=').is_some_and(|(k, _)| k == name));
    let mut all: Vec<String> = Vec::new();
    if !has("PATH") {
        all.push(format!("PATH={DEFAULT_PATH}"));
    }
    if !has("HOSTNAME") {
        all.push(format!("HOSTNAME={hostname}"));
    }
    if process.tty && !has("TERM") {
        all.push("TERM=xterm".into());
    }
    all.extend(process.env.iter().cloned());
    user.give_home(&mut all);
    all
}

/// The path that execve will be given. `open` opens what the container has at a path, without using it (O_PATH) and through
/// no magic link; `may_execute` says whether the one who will run it may.
pub fn find(
    process: &Process,
    container: &str,
    open: &dyn Fn(&Path) -> Result<OwnedFd, SysError>,
    may_execute: &dyn Fn(BorrowedFd<'_>) -> Result<(), SysError>,
) -> Result<String, Fault> {
    let command = process.argv.first().map(String::as_str).unwrap_or_default();
    let not_found = || Fault::CommandNotFound { command: command.into(), container: container.into() };
    if command.is_empty() {
        return Err(not_found());
    }
    let check = |path: &str| -> Option<Result<String, Fault>> {
        let refused = |errno| Some(Err(not_executable(command, container, errno)));
        let file = match open(Path::new(path)) {
            Ok(file) => file,
            // A magic link, or a loop of links.
            Err(e) if e.errno == libc::ELOOP => return refused(libc::ELOOP),
            Err(_) => return None,
        };
        let stat = rustix::fs::fstat(&file).ok()?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => {}
            FileType::Directory => return refused(libc::EISDIR),
            // execve's own answer to a device, a FIFO or a socket.
            _ => return refused(libc::EACCES),
        }
        match may_execute(file.as_fd()) {
            Ok(()) => Some(Ok(path.to_string())),
            Err(e) => refused(e.errno),
        }
    };
    if command.contains('/') {
        return check(command).unwrap_or_else(|| Err(not_found()));
    }
    let path = process.env.iter().rev().find_map(|e| e.strip_prefix("PATH=")).unwrap_or(DEFAULT_PATH);
    let mut denied = None;
    for dir in path.split(':') {
        match check(&format!("{}/{command}", if dir.is_empty() { "." } else { dir })) {
            Some(Ok(found)) => return Ok(found),
            Some(Err(Fault::NotExecutable { errno: libc::EISDIR | libc::ELOOP, .. })) | None => {}
            Some(Err(fault)) => denied = Some(fault),
        }
    }
    Err(denied.unwrap_or_else(not_found))
}

/// What execve's errno means to a learner. ENOENT after the file was found: its `#!` or its loader is missing.
pub fn not_executable(command: &str, container: &str, errno: i32) -> Fault {
    Fault::NotExecutable { command: command.into(), container: container.into(), errno }
}

/// What the kernel will say when this user executes it, by the file's mode alone. Errors: EACCES.
pub fn executable_by(file: BorrowedFd<'_>, user: &User) -> Result<(), SysError> {
    let stat = rustix::fs::statat(file, "", AtFlags::EMPTY_PATH)
        .map_err(|e| SysError::new("fstat", "program", e.raw_os_error()))?;
    let bit = match user {
        // Who may do everything still needs somebody to be allowed to (capabilities(7), CAP_DAC_OVERRIDE).
        User { uid: 0, .. } => 0o111,
        _ if stat.st_uid == user.uid => 0o100,
        _ if user.groups.contains(&stat.st_gid) => 0o010,
        _ => 0o001,
    };
    if stat.st_mode & bit != 0 { Ok(()) } else { Err(SysError::new("access", "program", libc::EACCES)) }
}
