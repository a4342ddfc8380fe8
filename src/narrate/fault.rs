//! Errors on the terminal: what failed, on what, why, and what to do now.

use super::Narrator;
use super::layout::{clean, wrap};
use super::paint::{Colorize, paint};
use crate::event::{Fault, Sentence};

impl Narrator {
    /// As it is printed on stderr: `docent: error`, the cause, and the ways out.
    pub fn print_fault(&self, fault: &Fault) -> String {
        let told = fault.sentence(self.lang);
        let mut out = format!("docent: {}\n", paint(self.color, &clean(&told.error), Colorize::red));
        if let Some(cause) = &told.cause {
            for line in wrap(&clean(cause), self.width.saturating_sub(2).max(20)) {
                out.push_str(&format!("  {line}\n"));
            }
        }
        for fix in &told.fix {
            out.push_str(&format!("  → {}\n", clean(fix)));
        }
        out
    }

    pub fn fault(&self, fault: &Fault) -> Sentence {
        fault.sentence(self.lang)
    }
}
