//! The command line's side of the conversation with a monitor.

use super::protocol::{Message, Request, from_client, to_client};
use crate::container::ContainerId;
use crate::event::{Deed, Fault, SysError};
use crate::kernel::packet::{MOST, Packets, Stop};
use crate::kernel::{process, resolve};
use crate::store::{SOCKET, Store};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A connection to a container's monitor.
#[derive(Debug)]
pub struct Client {
    packets: Packets,
}

impl Client {
    /// Starts a monitor for this container; it begins when it is asked to ([`Client::request`]).
    pub fn start_monitor(
        store: &Store,
        id: &ContainerId,
        program: BorrowedFd<'_>,
    ) -> Result<(Client, Deed<i32>), SysError> {
        let (ours, theirs) = Packets::pair()?;
        let root = store.root().to_string_lossy().into_owned();
        let deed = process::start_helper("monitor", &[super::COMMAND, &root, id], theirs.as_fd(), program)?;
        Ok((Client { packets: ours }, deed))
    }

    /// Connects to the monitor of a container that runs.
    pub fn connect(store: &Store, id: &ContainerId) -> Result<Client, SysError> {
        let dir = resolve::directory(store.container_dir(id).path())?;
        Ok(Client { packets: Packets::connect(dir.as_fd(), SOCKET)? })
    }

    pub fn request(&self, request: &Request, fds: &[BorrowedFd<'_>]) -> Result<(), Fault> {
        let body = serde_json::to_vec(request).unwrap_or_default();
        if let Request::Exec { process, .. } = request
            && body.len() > MOST
        {
            return Err(process.too_long());
        }
        self.packets
            .send(from_client::REQUEST, &body, fds, true)
            .map_err(|_| Fault::step("request", SysError::new("sendmsg", "monitor", libc::EPIPE)))
    }

    /// The next packet, waiting for it.
    pub fn next(&self) -> Message {
        loop {
            match self.packets.receive(true) {
                Ok(m) => {
                    let parsed = match m.kind {
                        to_client::EVENTS => serde_json::from_slice(&m.body).ok().map(Message::Events),
                        to_client::STARTED => Some(Message::Started { fd: m.fds.into_iter().next() }),
                        to_client::FAULT => serde_json::from_slice(&m.body).ok().map(Message::Fault),
                        to_client::STDOUT => Some(Message::Stdout(m.body)),
                        to_client::STDERR => Some(Message::Stderr(m.body)),
                        to_client::EXITED => serde_json::from_slice(&m.body).ok().map(Message::Exited),
                        _ => None,
                    };
                    if let Some(message) = parsed {
                        return message;
                    }
                }
                Err(Stop::WouldBlock) => {}
                Err(Stop::Closed) => return Message::Closed,
            }
        }
    }

    /// Our input has ended: the program's ends when we have let go of its pipe, too.
    pub fn stdin_end(&self) {
        self.packets.send(from_client::STDIN_END, &[], &[], true).unwrap_or(());
    }

    pub fn size(&self, rows: u16, cols: u16) {
        let body = [rows.to_le_bytes(), cols.to_le_bytes()].concat();
        self.packets.send(from_client::SIZE, &body, &[], true).unwrap_or(());
    }

    pub fn signal(&self, signal: i32) {
        self.packets.send(from_client::SIGNAL, &[signal as u8], &[], true).unwrap_or(());
    }
}

impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.packets.as_fd()
    }
}

/// Both ends of a new pipe: (read, write), closed on exec.
pub fn pipe() -> Result<(OwnedFd, OwnedFd), SysError> {
    rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(|e| SysError::new("pipe2", "", e.raw_os_error()))
}
