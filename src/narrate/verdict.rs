//! What `verify` found, proof by proof, and the sum.

use super::Narrator;
use super::layout::{clean, dim, hanging, padded};
use super::text::verdict as v;
use crate::engine::verify::{Answer, Checked, Gone, Missing, Verdict};
use crate::event::words::{brief, command_line, errno};
use crate::event::{Event, Expect};
use unicode_width::UnicodeWidthStr;

impl Narrator {
    /// `events` are the record's.
    pub fn verdicts(&self, events: &[Event], checked: &[Checked]) -> String {
        let lang = self.lang;
        if checked.is_empty() {
            return v::none(lang) + "\n";
        }
        let words = [v::holds(lang), v::changed(lang), v::gone(lang), v::wrong(lang), v::unrun(lang)];
        let column = words.iter().map(|w| w.width()).max().unwrap_or(0) + 2;
        let kinds = ["✓", "~", "-", "✗", "?"].into_iter().zip(&words);
        let mark = |one: &Checked| match &one.verdict {
            Verdict::True => "✓",
            Verdict::ChangedSince { .. } | Verdict::Gone { why: Gone::Edited } => "~",
            Verdict::Gone { .. } => "-",
            Verdict::False { .. } => "✗",
            Verdict::NotRunnable { .. } => "?",
        };
        let mut out = String::new();
        for one in checked {
            let start =
                kinds.clone().find(|(m, _)| *m == mark(one)).map(|(m, word)| format!("{m} {}", padded(word, column)));
            let told = events.get(one.event);
            let told = told.map(|e| format!("{} · {}", e.fact.block().label(lang), brief(&e.sentence(lang))));
            out += &hanging(&start.unwrap_or_default(), &clean(&told.unwrap_or_default()), self.width);
            let proof = dim(self.color, &clean(&command_line(&one.receipt.proof)));
            for line in std::iter::once(proof).chain(self.reasons(one).iter().map(|line| clean(line))) {
                out += &format!("{}{line}\n", " ".repeat(column + 2));
            }
        }
        let [good, changed, gone, wrong, unrun] =
            ["✓", "~", "-", "✗", "?"].map(|m| checked.iter().filter(|one| mark(one) == m).count());
        out + &v::summary(lang, checked.len(), good, changed, gone, wrong, unrun) + "\n"
    }

    fn reasons(&self, one: &Checked) -> Vec<String> {
        let lang = self.lang;
        match &one.verdict {
            Verdict::True => Vec::new(),
            Verdict::ChangedSince { command: Some(n) } => vec![v::changed_by(lang, n)],
            Verdict::ChangedSince { command: None } => vec![v::changed_by_monitor(lang)],
            Verdict::Gone { why } => vec![match why {
                Gone::Moment => v::gone_moment(lang),
                Gone::Edited => v::gone_edited(lang),
                Gone::Stopped => v::gone_stopped(lang),
                Gone::Restarted => v::gone_restarted(lang),
                Gone::Removed => v::gone_removed(lang),
            }],
            Verdict::False { got } => {
                let expected = match &one.receipt.expect {
                    Expect::Equals(text) | Expect::Contains(text) => text.clone(),
                    Expect::Status(code) => v::status(lang, code),
                };
                vec![v::expected(lang, expected), v::got(lang, self.answer(&one.receipt.expect, got))]
            }
            Verdict::NotRunnable { needs } => vec![match needs {
                Missing::Root => v::needs(lang, "root"),
                Missing::Tool(tool) => v::needs(lang, tool),
                Missing::Refused(program) => v::refused(lang, program),
                Missing::Timeout => v::timeout(lang),
                Missing::Failed(e) => format!("{}({}): {}", e.call, e.object, errno(e.errno)),
            }],
        }
    }

    /// The first line of an answer is enough to see that it differs.
    fn answer(&self, expect: &Expect, got: &Answer) -> String {
        if let (Expect::Status(_), Some(code)) = (expect, got.status) {
            return v::status(self.lang, code);
        }
        match got.out.trim().lines().next() {
            Some(line) => line.chars().take(200).collect(),
            None => v::got_nothing(self.lang),
        }
    }
}
