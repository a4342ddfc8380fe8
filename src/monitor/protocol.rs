//! What the command line and a monitor say to each other, one packet each.

use crate::container::Process;
use serde::{Deserialize, Serialize};

/// Kinds of packets to a client.
pub mod to_client {
    /// A list of events.
    pub const EVENTS: u8 = b'E';
    /// The container's (or the exec's) program runs. With the descriptor that its input goes to, when it was asked for; of an
    /// exec with a terminal, that terminal's master.
    pub const STARTED: u8 = b'S';
    pub const FAULT: u8 = b'F';
    pub const STDOUT: u8 = b'O';
    pub const STDERR: u8 = b'R';
    pub const EXITED: u8 = b'X';
}

/// Kinds of packets from a client.
pub mod from_client {
    /// A [`super::Request`]; the first packet of a connection.
    pub const REQUEST: u8 = b'Q';
    pub const STDIN_END: u8 = b'C';
    /// Rows and columns, two little-endian u16.
    pub const SIZE: u8 = b'W';
    /// A signal for the program, one byte.
    pub const SIGNAL: u8 = b'K';
}

/// What a client wants. `size`: rows and columns of its terminal.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case")]
pub enum Request {
    /// Start the container; this client hears its output when `attach` says so, and gets its input with `stdin`.
    Start { attach: bool, stdin: bool, size: Option<(u16, u16)> },
    /// Run another program in it. Its stdin, stdout and stderr come as descriptors of pipes, unless it gets a terminal.
    Exec { process: Process, size: Option<(u16, u16)> },
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exited {
    pub code: i32,
    pub oom: bool,
}

/// A packet to a client, read.
#[derive(Debug)]
pub enum Message {
    Events(Vec<crate::event::Event>),
    Started {
        fd: Option<std::os::fd::OwnedFd>,
    },
    Fault(crate::event::Fault),
    Stdout(Vec<u8>),
    Stderr(Vec<u8>),
    Exited(Exited),
    /// The monitor is gone.
    Closed,
}
