//! `wait`: until a container has ended, without polling. Its monitor says the code to everybody who is
//! connected, also of a container that goes with its end (`--rm`).

use super::stop::begun;
use crate::container::Container;
use crate::event::Fault;
use crate::monitor::Message;
use crate::monitor::client::Client;
use crate::store::Store;

/// The exit code, once it does not run any more; 0 of one that never ran.
pub fn wait(store: &Store, container: &Container) -> Result<i32, Fault> {
    let container = begun(store, container)?;
    let id = &container.id;
    if container.state.live()
        && let Ok(client) = Client::connect(store, id)
    {
        loop {
            match client.next() {
                Message::Exited(exited) => return Ok(exited.code),
                Message::Closed => break,
                _ => {}
            }
        }
    }
    // The monitor ended before it heard of us, or was killed: it holds the container's lock as long as it lives.
    let _lock = store.lock_container(id).map_err(|e| Fault::step("wait", e))?;
    let state = match store.container_by_id(id)? {
        Some(now) => now.state,
        None => return Err(Fault::NoSuchContainer { name: container.name }),
    };
    Ok(state.life().map_or(state.exit_code(), |life| life.lost(Vec::new()).exit_code()))
}
