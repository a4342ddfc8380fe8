//! What `verify` found, proof by proof, and the sum.

use super::Narrator;
use super::layout::{clean, dim, hanging, padded};
use super::text::verdict as v;
use crate::engine::verify::{By, Checked, Found, Gone, Missing, Verdict};
use crate::event::words::{brief, errno};
use crate::event::{Event, Expect, Receipt};
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
            Verdict::True { .. } => "✓",
            Verdict::Changed { .. } => "~",
            Verdict::Gone { .. } => "-",
            Verdict::False { .. } => "✗",
            Verdict::NotChecked { .. } => "?",
        };
        let mut out = String::new();
        for one in checked {
            let start =
                kinds.clone().find(|(m, _)| *m == mark(one)).map(|(m, word)| format!("{m} {}", padded(word, column)));
            let told = events.get(one.event);
            let told = told.map(|e| format!("{} · {}", e.fact.block().label(lang), brief(&e.sentence(lang))));
            out += &hanging(&start.unwrap_or_default(), &clean(&told.unwrap_or_default()), self.width);
            let proofs = one.receipt.proofs().map(|proof| dim(self.color, &clean(&proof.quoted())));
            for line in proofs.chain(self.reasons(one).iter().map(|line| clean(line))) {
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
            Verdict::True { not_run } => not_run.iter().map(|needs| v::not_run(lang, self.missing(needs))).collect(),
            Verdict::Changed { by: By::Command(n), when: Some(when), .. } => {
                vec![v::changed_by_at(lang, n, clock(*when))]
            }
            Verdict::Changed { by: By::Command(n), when: None, .. } => vec![v::changed_by(lang, n)],
            Verdict::Changed { by: By::Monitor, .. } => vec![v::changed_by_monitor(lang)],
            Verdict::Changed { by: By::Unknown, when, found } => {
                let by = match when {
                    Some(when) => v::changed_by_unknown_at(lang, clock(*when)),
                    None => v::changed_by_unknown(lang),
                };
                [by].into_iter().chain(self.found(&one.receipt, found)).collect()
            }
            Verdict::Gone { why } => vec![match why {
                Gone::Moment => v::gone_moment(lang),
                Gone::Stopped => v::gone_stopped(lang),
                Gone::Restarted => v::gone_restarted(lang),
                Gone::Removed => v::gone_removed(lang),
                Gone::Ended => v::gone_ended(lang),
                Gone::Rebooted => v::gone_rebooted(lang),
            }],
            Verdict::False { found } => self.found(&one.receipt, found).into(),
            Verdict::NotChecked { needs } => vec![self.missing(needs)],
        }
    }

    fn missing(&self, needs: &Missing) -> String {
        let lang = self.lang;
        match needs {
            Missing::Root => v::needs(lang, "root"),
            Missing::Tool(tool) => v::needs(lang, tool),
            Missing::Refused(program) => v::refused(lang, program),
            Missing::Timeout => v::timeout(lang),
            Missing::Failed(e) => format!("{}({}): {}", e.call, e.object, errno(e.errno)),
        }
    }

    /// What a proof was to say and what it says: the first line that differs is enough to see it.
    fn found(&self, receipt: &Receipt, found: &Found) -> [String; 2] {
        let (lang, answer) = (self.lang, &found.answer);
        let lines = |text: &str| text.trim().lines().map(|line| line.trim().to_string()).collect::<Vec<_>>();
        let (expected, got) = match &found.proof.expect {
            Expect::Equals(text) | Expect::Contains(text) => (lines(text), lines(&answer.out)),
            Expect::Lines(_) | Expect::Whole(_) | Expect::Evidence => {
                let evidence = lines(&receipt.evidence);
                let wanted = match &found.proof.expect {
                    Expect::Lines(wanted) | Expect::Whole(wanted) => wanted,
                    _ => &evidence,
                };
                let got = lines(&answer.out);
                let at = (0..wanted.len().max(got.len())).find(|n| wanted.get(*n) != got.get(*n)).unwrap_or(0);
                (wanted.iter().skip(at).cloned().collect(), got.into_iter().skip(at).collect())
            }
            Expect::Status(code) => (vec![v::status(lang, code)], lines(&answer.out)),
            Expect::Fails { says, .. } => (vec![says.clone()], lines(&answer.out)),
        };
        let first =
            |lines: Vec<String>| lines.into_iter().next().map(|line| line.chars().take(200).collect::<String>());
        let got = first(got).or_else(|| first(lines(&answer.err)));
        [
            v::expected(lang, first(expected).unwrap_or_default()),
            v::got(lang, got.unwrap_or_else(|| v::got_nothing(lang))),
        ]
    }
}

/// The time of day here, as far as a second.
fn clock(when: chrono::DateTime<chrono::Utc>) -> String {
    when.with_timezone(&chrono::Local).format("%H:%M:%S").to_string()
}
