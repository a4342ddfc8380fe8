//! Errors on the terminal: what failed, on what, why, and what to do now.

use super::Narrator;
use super::layout::{clean, hanging};
use super::paint::{Colorize, paint};
use crate::event::Failure;
use crate::event::Fault;
use crate::store::Record;

impl Narrator {
    /// As it is printed on stderr: `docent: error`, the cause, and the ways out.
    pub fn print_fault(&self, fault: &Fault) -> String {
        let told = fault.sentence(self.lang);
        self.said(&told.error, told.cause.as_deref(), &told.fix)
    }

    /// What a recorded command complained of, in the language in which it did.
    pub fn record_faults(&self, record: &Record) -> String {
        // In the language of who reads it now; that of an older docent in its own words.
        let retold = |one: &Failure| serde_json::from_str::<Fault>(&one.data).ok();
        let told = |one: &Failure| match retold(one) {
            Some(fault) => self.print_fault(&fault),
            None => self.said(&one.message, one.cause.as_deref(), &one.fixes),
        };
        record.faults.iter().map(told).collect()
    }

    fn said(&self, error: &str, cause: Option<&str>, fixes: &[String]) -> String {
        let mut out = format!("docent: {}\n", paint(self.color, &clean(error), Colorize::red));
        if let Some(cause) = cause {
            out.push_str(&hanging("  ", &clean(cause), self.width));
        }
        for fix in fixes {
            out.push_str(&format!("  → {}\n", clean(fix)));
        }
        out
    }
}
