//! The story of one command: its events in the order in which they happened.

use super::{Event, Fact, Fault, Outcome, SysError};

/// Called with the events that are told at once: one, or what another process had gathered.
type Listener = Box<dyn FnMut(&[Event])>;

/// Gives the number under which the command is written down.
type Number = Box<dyn FnMut() -> Option<u64>>;

/// Collects events; a listener hears them as they are told (a pipe to the parent, a journal, a renderer).
#[derive(Default)]
pub struct Story {
    events: Vec<Event>,
    listener: Option<Listener>,
    container: Option<String>,
    keep: bool,
    /// Failures that were told, without their calls; the last ones.
    failures: Vec<SysError>,
    heard: bool,
    number: Option<Number>,
}

/// As many failures are remembered: of the step that failed, and of what was undone after it.
const FAILURES: usize = 32;

impl Story {
    pub fn new() -> Self {
        Story { keep: true, ..Story::default() }
    }

    /// A story whose events are handed on and not kept: a monitor that lives for days must not grow.
    pub fn passing_on(listener: impl FnMut(&[Event]) + 'static) -> Self {
        Story { listener: Some(Box::new(listener)), ..Story::default() }
    }

    pub fn listening(mut self, listener: impl FnMut(&[Event]) + 'static) -> Self {
        self.listener = Some(Box::new(listener));
        self
    }

    /// Somebody is shown the story while it happens.
    pub fn heard(mut self, heard: bool) -> Self {
        self.heard = heard;
        self
    }

    /// Whether a look is worth its time that is taken for nothing but the story.
    pub fn is_heard(&self) -> bool {
        self.heard
    }

    pub fn numbered(mut self, number: impl FnMut() -> Option<u64> + 'static) -> Self {
        self.number = Some(Box::new(number));
        self
    }

    /// The command's number, if it is written down.
    pub fn number(&mut self) -> Option<u64> {
        self.number.as_mut().and_then(|number| number())
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

    /// Whether an event has told of this failure.
    pub fn has_told(&self, error: &SysError) -> bool {
        self.failures.iter().any(|told| told.is_same(error))
    }

    /// Tells the call by which a step has failed, unless an event has told of it: no failure may be a command's error alone.
    pub fn tell_failure(&mut self, fault: &Fault) {
        // What was found by looking, with no call that failed, is the error alone.
        let (step, error) = match fault {
            Fault::Step { step, error } => (step.clone(), error.clone()),
            fault => match fault.of_the_kernel() {
                (call, Some(object), Some(errno)) if call.is_some() || matches!(fault, Fault::Archive { .. }) => {
                    (fault.key(), SysError::new(call.unwrap_or_default(), object, errno))
                }
                _ => return,
            },
        };
        // Of a file of the learner's, or a member of an archive, a fault knows less than the event.
        let told = |told: &SysError| match fault {
            Fault::Step { .. } => told.is_same(&error),
            _ => told.errno == error.errno,
        };
        if !self.failures.iter().any(told) {
            self.tell(Event::failed(Fact::StepTaken { step }, error));
        }
    }

    pub fn tell_all(&mut self, mut events: Vec<Event>) {
        for event in &events {
            if let Outcome::Failed { error } = &event.outcome {
                self.failures.truncate(FAILURES - 1);
                self.failures.insert(0, SysError { calls: Vec::new(), ..error.clone() });
            }
        }
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
