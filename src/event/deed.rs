//! A deed cannot go untold.
//!
//! A function that changes a kernel object or the store returns a [`Deed`]: its value is out of reach until the deed has
//! been told to the command's [`Story`]. Dropping one is a compile error in this crate, since `unused_must_use` and
//! `clippy::let_underscore_must_use` are denied:
//!
//! ```compile_fail
//! #![deny(unused_must_use)]
//! use docent::inside::{Deed, Event, Fact};
//! fn change() -> Deed<u32> { Deed::new(7, Event::of(Fact::NoNewPrivileges, Vec::new())) }
//! change(); // the deed is dropped untold
//! ```
//!
//! and its value cannot be taken without telling:
//!
//! ```compile_fail
//! use docent::inside::{Deed, Event, Fact};
//! let deed = Deed::new(7, Event::of(Fact::NoNewPrivileges, Vec::new()));
//! let seven: u32 = deed.value; // private
//! ```
//!
//! Told, it gives the value:
//!
//! ```
//! use docent::inside::{Deed, Event, Fact, Story};
//! let mut story = Story::new();
//! let seven: u32 = Deed::new(7, Event::of(Fact::NoNewPrivileges, Vec::new())).tell(&mut story);
//! assert_eq!((seven, story.events().len()), (7, 1));
//! ```

use super::{Event, Fact, Receipt, Story, SysError};

/// Something done to the kernel or the store that has not been told yet.
#[must_use = "a deed must be told to the command's story"]
#[derive(Debug)]
pub struct Deed<T> {
    value: T,
    event: Event,
}

impl<T> Deed<T> {
    pub fn new(value: T, event: Event) -> Self {
        Deed { value, event }
    }

    /// Adds the receipt: what was read back, and how to see it again.
    pub fn with_receipt(mut self, receipt: Receipt) -> Self {
        self.event.receipt = Some(receipt);
        self
    }

    /// Adds the time of what was made aside, and put in its place by this deed: in microseconds.
    pub fn after(mut self, us: u64) -> Self {
        self.event.took_us += us;
        self
    }

    /// Names the container that the deed belongs to.
    pub fn of_container(mut self, id: &str) -> Self {
        self.event.container = Some(id.to_string());
        self
    }

    /// Tells the deed, and gives what came of it.
    pub fn tell(self, story: &mut Story) -> T {
        story.tell(self.event);
        self.value
    }

    /// Tells what was done, or what was meant and why it failed.
    pub fn tell_either(deed: Result<Self, SysError>, meant: Fact, story: &mut Story) -> Result<T, SysError> {
        deed.map(|deed| deed.tell(story)).map_err(|error| {
            story.tell(Event::failed(meant, error.clone()));
            SysError { calls: Vec::new(), ..error }
        })
    }

    /// The event, to read before it is told.
    pub fn event(&self) -> &Event {
        &self.event
    }
}
