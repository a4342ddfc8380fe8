//! The story of one command: its events in the order in which they happened.

use super::Event;

/// Called with the events that are told at once: one, or what another process had gathered.
type Listener = Box<dyn FnMut(&[Event])>;

/// Collects events; a listener hears them as they are told (a pipe to the parent, a journal, a renderer).
#[derive(Default)]
pub struct Story {
    events: Vec<Event>,
    listener: Option<Listener>,
    container: Option<String>,
    keep: bool,
}

impl Story {
    pub fn new() -> Self {
        Story { events: Vec::new(), listener: None, container: None, keep: true }
    }

    /// A story whose events are handed on and not kept: a monitor that lives for days must not grow.
    pub fn passing_on(listener: impl FnMut(&[Event]) + 'static) -> Self {
        Story { events: Vec::new(), listener: Some(Box::new(listener)), container: None, keep: false }
    }

    pub fn listening(mut self, listener: impl FnMut(&[Event]) + 'static) -> Self {
        self.listener = Some(Box::new(listener));
        self
    }

    /// Events told from now on belong to this container, unless they name another.
    pub fn about(&mut self, container: &str) {
        self.container = Some(container.to_string());
    }

    /// The container that events belong to from now on.
    pub fn container(&self) -> Option<&str> {
        self.container.as_deref()
    }

    pub fn tell(&mut self, event: impl Into<Event>) {
        self.tell_all(vec![event.into()]);
    }

    pub fn tell_all(&mut self, mut events: Vec<Event>) {
        for event in events.iter_mut().filter(|event| event.container.is_none()) {
            event.container = self.container.clone();
        }
        if let Some(listener) = &mut self.listener {
            listener(&events);
        }
        if self.keep {
            self.events.append(&mut events);
        }
    }

    pub fn events(&self) -> &[Event] {
        &self.events
    }
}
