//! Programs that `exec` starts in a container: children of the monitor, since it is already on a sealed program and outside
//! the container's cgroup, and is there whatever becomes of the command line.

use super::client::pipe;
use crate::container::Process;
use crate::fact::{Fault, Story, SysError};
use crate::kernel::packet::{Message, Packets};
use crate::kernel::terminal;
use crate::launch::{Spec, inside, outside};
use std::os::fd::{AsFd, OwnedFd};

/// A program under way, and who asked for it.
pub struct Running {
    pub pid: i32,
    pub pidfd: OwnedFd,
    pub asked_by: usize,
}

/// The descriptors with which it starts; a terminal's master goes back to the client.
struct Streams {
    pipes: Option<inside::Streams>,
    slave: Option<OwnedFd>,
    master: Option<OwnedFd>,
}

/// Our side of a container's standard streams.
pub struct OurPipes {
    pub outputs: [Option<OwnedFd>; 2],
    pub input: Option<OwnedFd>,
}

/// A started program, and the terminal's master for the client.
pub struct Begun {
    pub pid: i32,
    pub pidfd: OwnedFd,
    pub master: Option<OwnedFd>,
}

/// Starts it.
pub fn start(
    spec: &Spec,
    process: Process,
    size: (u16, u16),
    message: Message,
    container: (i32, &OwnedFd, Option<&OwnedFd>),
    story: &mut Story,
) -> Result<Begun, Fault> {
    let step = |e: SysError| Fault::step("exec", e);
    let (pid1, pidfd, devpts) = container;
    let streams = streams(&process, size, message, devpts).map_err(step)?;
    let pidfd = rustix::io::fcntl_dupfd_cloexec(pidfd, 3)
        .map_err(|e| step(SysError::new("fcntl", "pidfd", e.raw_os_error())))?;
    let mut spec = spec.clone();
    spec.process = process;
    // The network is there; nothing is to be plugged.
    spec.lease = None;
    let launched = outside::exec(&spec, pid1, pidfd, streams.pipes, streams.slave, story)?;
    Ok(Begun { pid: launched.pid, pidfd: launched.pidfd, master: streams.master })
}

fn streams(
    process: &Process,
    (rows, cols): (u16, u16),
    message: Message,
    devpts: Option<&OwnedFd>,
) -> Result<Streams, SysError> {
    if process.tty {
        let devpts = devpts.ok_or_else(|| SysError::new("openat", "devpts", libc::ENOENT))?;
        let (master, slave) = terminal::open_pair(devpts.as_fd())?;
        if rows > 0 {
            terminal::set_size(&master, rows, cols);
        }
        return Ok(Streams { pipes: None, slave: Some(slave), master: Some(master) });
    }
    let mut fds = message.fds.into_iter();
    let (Some(stdin), Some(stdout), Some(stderr)) = (fds.next(), fds.next(), fds.next()) else {
        return Err(SysError::new("recvmsg", "streams", libc::EBADMSG));
    };
    // Only pipes: a descriptor of the learner's terminal or file has no business in a container.
    for fd in [&stdin, &stdout, &stderr] {
        let stat = rustix::fs::fstat(fd).map_err(|e| SysError::new("fstat", "streams", e.raw_os_error()))?;
        if rustix::fs::FileType::from_raw_mode(stat.st_mode) != rustix::fs::FileType::Fifo {
            return Err(SysError::new("fstat", "streams", libc::EINVAL));
        }
    }
    let pipes = inside::Streams { stdin: Some(stdin), stdout, stderr };
    Ok(Streams { pipes: Some(pipes), slave: None, master: None })
}

/// The container's end and ours of its three streams; no pipe leads to stdin unless it was asked for.
pub fn container_pipes(stdin: bool) -> Result<(inside::Streams, OurPipes), SysError> {
    let (out_read, stdout) = pipe()?;
    let (err_read, stderr) = pipe()?;
    let (stdin, input) = if stdin { pipe().map(|(read, write)| (Some(read), Some(write)))? } else { (None, None) };
    let ours = OurPipes { outputs: [Some(out_read), Some(err_read)], input };
    Ok((inside::Streams { stdin, stdout, stderr }, ours))
}

/// Answers a client whose program has ended.
pub fn answer(packets: &Packets, exited: &super::Exited) {
    let body = serde_json::to_vec(exited).unwrap_or_default();
    packets.send(super::to_client::EXITED, &body, &[], true).unwrap_or(());
}
