//! How a line arrived: typed, or pasted.
//!
//! A terminal that brackets what is pasted says so itself (`ESC [ 200 ~`). From one that does not, a paste is several lines at
//! once, and rustyline alone would take the first and lose the rest. So an Enter that comes right behind other input does not
//! end the line yet: the terminal is set to wait no longer than [`WAIT`] for what follows (termios(3), VMIN 0). If nothing
//! does, rustyline reads an end of input and the line is the one kept here; if something does, it belongs to the same text.
//!
//! What never breaks: an Enter of a person ends the line at once, by rustyline's own way.

use crate::kernel::terminal;
use rustix::termios::{OptionalActions, SpecialCodeIndex, tcgetattr};
use rustyline::{Cmd, ConditionalEventHandler, Event, EventContext, KeyCode, KeyEvent, Modifiers, Movement};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Between two keys that nobody typed; a person's come at 60 ms and more.
const AT_ONCE: Duration = Duration::from_millis(40);
/// How long the rest of a paste may take to arrive, in tenths of a second (VTIME).
const WAIT: u8 = 1;

#[derive(Debug, Default)]
struct Seen {
    /// When the last key had been dealt with; nothing before the first of a line.
    last: Option<Instant>,
    keys: bool,
    pasted: bool,
    /// The line at an Enter after which more may come.
    ended: Option<String>,
}

/// What came while one line was read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Arrived {
    /// The terminal bracketed it as a paste, and it began a line.
    pub pasted: bool,
    /// Any key was seen: a terminal without editing shows none.
    pub keys: bool,
    /// The line, where rustyline reports an end of input in its stead.
    pub line: Option<String>,
}

/// Watches the keys of one editor. Clones watch together.
#[derive(Debug, Clone, Default)]
pub struct Watch(Arc<Mutex<Seen>>);

impl Watch {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the line that was just read arrived; the next begins anew.
    pub fn take(&self) -> Arrived {
        let seen = std::mem::take(&mut *self.seen());
        Arrived { pasted: seen.pasted, keys: seen.keys, line: seen.ended }
    }

    /// Whether the line has probably ended, so that no hint belongs behind it.
    pub fn ending(&self) -> bool {
        self.seen().ended.is_some()
    }

    /// A key has been dealt with. What that took is no pause of who types.
    pub fn rest(&self) {
        self.seen().last = Some(Instant::now());
    }

    fn key(&self, key: KeyEvent, line: &str, at: usize) -> Option<Cmd> {
        let mut seen = self.seen();
        let at_once = seen.last.replace(Instant::now()).is_some_and(|last| last.elapsed() < AT_ONCE);
        seen.keys = true;
        let enter = matches!(key, KeyEvent(KeyCode::Enter, _) | KeyEvent(KeyCode::Char('J' | 'M'), Modifiers::CTRL));
        let starts_paste = key.0 == KeyCode::BracketedPasteStart;
        let begins =
            line.get(..at).is_some_and(|before| before.rsplit('\n').next().is_some_and(|l| l.trim().is_empty()));
        seen.pasted |= starts_paste && begins;
        if let Some(ended) = seen.ended.take() {
            // There is more: what looked like the end was a line of several.
            if enter {
                seen.ended = Some(format!("{ended}\n"));
                return Some(Cmd::Insert(1, "\n".into()));
            }
            if key == KeyEvent::ctrl('C') {
                return None;
            }
            // An end of brackets that began nowhere is no text.
            if key.0 == KeyCode::BracketedPasteEnd {
                seen.ended = Some(ended);
                return Some(Cmd::Noop);
            }
            wait_no_longer_than(None)?;
            return Some(Cmd::Insert(1, format!("\n{}", text_of(key))));
        }
        if key == KeyEvent(KeyCode::Tab, Modifiers::NONE) || key == KeyEvent::ctrl('I') {
            // Within a text of several lines it is part of the text.
            return (at_once && line.contains('\n')).then(|| Cmd::Insert(1, "\t".into()));
        }
        if !enter || !(at_once || line.is_empty()) {
            return None;
        }
        wait_no_longer_than(Some(if at_once { WAIT } else { 0 }))?;
        seen.ended = Some(line.to_string());
        // The cursor behind the text, and no hint there: as at any end of a line.
        Some(if at < line.len() { Cmd::Move(Movement::EndOfBuffer) } else { Cmd::Repaint })
    }
}

impl ConditionalEventHandler for Watch {
    fn handle(&self, event: &Event, _: u16, _: bool, context: &EventContext<'_>) -> Option<Cmd> {
        match event {
            Event::KeySeq(keys) => self.key(*keys.first()?, context.line(), context.pos()),
            _ => None,
        }
    }
}

fn text_of(key: KeyEvent) -> String {
    match key {
        KeyEvent(KeyCode::Char(c), Modifiers::NONE) => c.to_string(),
        KeyEvent(KeyCode::Tab, _) => "\t".into(),
        _ => String::new(),
    }
}

/// Sets how long a read of the terminal waits: tenths of a second, or until something comes. rustyline sets everything back
/// after each line.
fn wait_no_longer_than(tenths: Option<u8>) -> Option<()> {
    let mut modes = tcgetattr(io::stdin()).ok()?;
    modes.special_codes[SpecialCodeIndex::VMIN] = u8::from(tenths.is_none());
    modes.special_codes[SpecialCodeIndex::VTIME] = tenths.unwrap_or(0);
    terminal::set_modes(io::stdin(), OptionalActions::Now, &modes)
}
