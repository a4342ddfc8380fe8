//! `start`, and the second half of `run`: a monitor for the container, and its story as it comes.

use crate::container::Container;
use crate::fact::{Fault, Story};
use crate::kernel::process;
use crate::monitor::client::Client;
use crate::monitor::{Message, Request};
use crate::store::Store;
use std::os::fd::AsFd;

/// A container that has been started, with the line to its monitor.
pub struct Started {
    pub client: Client,
}

/// Starts it and comes back when its program runs (or with the reason why it does not).
///
/// `attach`: its output comes over the line. `size`: rows and columns of the learner's terminal, for `-t`.
pub fn start(
    store: &Store,
    story: &mut Story,
    container: &Container,
    attach: bool,
    size: Option<(u16, u16)>,
) -> Result<Started, Fault> {
    let id = &container.config.id;
    let program = process::sealed_program().map_err(|e| Fault::step("seal", e))?.of_container(id).tell(story);
    let (client, deed) = Client::start_monitor(store, id, program.as_fd()).map_err(|e| Fault::step("monitor", e))?;
    deed.of_container(id).tell(story);
    let (rows, cols) = size.unwrap_or((0, 0));
    client.request(&Request::Start { attach, rows, cols }, &[])?;
    loop {
        match client.next() {
            Message::Event(event) => story.tell(*event),
            Message::Started { .. } => return Ok(Started { client }),
            Message::Fault(fault) => return Err(fault),
            Message::Closed => return Err(Fault::MonitorDied { id: id.clone() }),
            // Output follows `Started`.
            Message::Stdout(_) | Message::Stderr(_) | Message::Exited(_) => {}
        }
    }
}
