//! Errors on the terminal: what failed, on what, why, and what to do now.

use super::Narrator;
use super::layout::{clean, hanging};
use super::paint::{Colorize, paint};
use crate::event::Fault;

impl Narrator {
    /// As it is printed on stderr: `docent: error`, the cause, and the ways out.
    pub fn print_fault(&self, fault: &Fault) -> String {
        let told = fault.sentence(self.lang);
        let mut out = format!("docent: {}\n", paint(self.color, &clean(&told.error), Colorize::red));
        if let Some(cause) = &told.cause {
            out.push_str(&hanging("  ", &clean(cause), self.width));
        }
        for fix in &told.fix {
            out.push_str(&format!("  → {}\n", clean(fix)));
        }
        out
    }
}
