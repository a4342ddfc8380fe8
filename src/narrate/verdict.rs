//! What `verify` found, proof by proof, and the sum. Of many receipts those that are as told, and those whose time is over, have
//! a line each.

use super::layout::{clean, cut, dim, hanging, padded};
use super::text::verdict as v;
use super::{Level, Narrator};
use crate::engine::verify::{By, Checked, Found, Gone, Missing, Verdict};
use crate::event::words::{brief, errno};
use crate::event::{Event, Expect, Receipt};
use unicode_width::UnicodeWidthStr;

/// So many are shown whole.
const WHOLE: usize = 10;

impl Narrator {
    /// `events` are those of the record of command `number`.
    pub fn verdicts(&self, number: u64, events: &[Event], checked: &[Checked]) -> String {
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
        let folds = checked.len() > WHOLE && !matches!(self.level, Level::Full | Level::Deep);
        for one in checked {
            let start =
                kinds.clone().find(|(m, _)| *m == mark(one)).map(|(m, word)| format!("{m} {}", padded(word, column)));
            let told = events.get(one.event);
            let told = told.map(|e| format!("{} · {}", e.fact.block().label(lang), brief(&e.sentence(lang))));
            let (start, told) = (start.unwrap_or_default(), clean(&told.unwrap_or_default()));
            if let Some(line) = self.folded(one, &told, self.width.saturating_sub(column + 2)).filter(|_| folds) {
                out += &format!("{start}{line}\n");
                continue;
            }
            out += &hanging(&start, &told, self.width);
            let below = " ".repeat(column + 2);
            // To be copied, so in one piece.
            for proof in one.receipt.proofs() {
                out += &format!("{below}{}\n", dim(self.color, &clean(&proof.quoted())));
            }
            for reason in self.reasons(one) {
                out += &hanging(&below, &clean(&reason), self.width);
            }
        }
        let [good, changed, gone, wrong, unrun] =
            ["✓", "~", "-", "✗", "?"].map(|m| checked.iter().filter(|one| mark(one) == m).count());
        out += &(v::summary(lang, checked.len(), good, changed, gone, wrong, unrun) + "\n");
        if folds && good > 0 {
            out += &(v::every_proof(lang, format!("docent verify --narrate full {number}")) + "\n");
        }
        out
    }

    /// In one line of this width: what is true with its proof where there is room for it, what is gone with the reason.
    fn folded(&self, one: &Checked, told: &str, width: usize) -> Option<String> {
        let room = |behind: &str| width.checked_sub(behind.width() + 4);
        match &one.verdict {
            Verdict::True { not_run } if not_run.is_empty() => {
                let told = cut(told, width);
                let proof = clean(&one.receipt.first.quoted());
                let fits = one.receipt.also.is_empty() && room(&proof).is_some_and(|room| told.width() <= room);
                Some(if fits { format!("{told}  → {}", dim(self.color, &proof)) } else { told })
            }
            Verdict::Gone { why } => {
                let why = self.over(*why);
                Some(format!("{}  ({why})", cut(told, room(&why)?)))
            }
            _ => None,
        }
    }

    /// Why the time of a proof is over.
    fn over(&self, why: Gone) -> String {
        let lang = self.lang;
        match why {
            Gone::Moment => v::gone_moment(lang),
            Gone::Stopped => v::gone_stopped(lang),
            Gone::Restarted => v::gone_restarted(lang),
            Gone::Removed => v::gone_removed(lang),
            Gone::Ended => v::gone_ended(lang),
            Gone::Rebooted => v::gone_rebooted(lang),
        }
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
            Verdict::Gone { why } => vec![self.over(*why)],
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::verify::Answer;
    use crate::event::{Fact, Holds, Lang};

    #[test]
    fn of_many_receipts_only_what_is_not_as_told_is_shown_whole() {
        let path = "/a/long/path/that/fills/a/line/".repeat(5);
        let receipt = |argv: [&str; 2]| Receipt::about("it", Holds::Forever, "one").by(argv, Expect::Evidence);
        let short = || receipt(["cat", "/short"]);
        let found = Found { proof: short().first, answer: Answer { out: "two".into(), ..Answer::default() } };
        let checked = |n: usize| {
            let verdicts = [
                Verdict::Changed { by: By::Unknown, when: None, found: found.clone() },
                Verdict::Gone { why: Gone::Stopped },
            ];
            let good = (0..n)
                .map(|n| (if n == 0 { receipt(["cat", &path]) } else { short() }, Verdict::True { not_run: vec![] }));
            let others = verdicts.into_iter().map(|verdict| (short(), verdict));
            good.chain(others)
                .enumerate()
                .map(|(n, (receipt, verdict))| Checked { event: n.min(1), receipt, verdict })
                .collect::<Vec<_>>()
        };
        let events = [&path, "/short"].map(|path| Event::planned(Fact::StoreMade { path: path.into() }));
        for lang in [Lang::Ko, Lang::En] {
            let told = |level, n| Narrator::new(lang, level).verdicts(7, &events, &checked(n));
            let folded = told(Level::Learn, 9);
            assert!(folded.lines().all(|line| line.width() <= 100), "{folded}");
            let lines: Vec<&str> = folded.lines().collect();
            assert!(!lines[0].contains("cat"), "{folded}");
            assert!(lines[0].ends_with('…'), "{folded}");
            assert!(lines[1].ends_with("→ cat /short"), "{folded}");
            assert!(folded.contains(": one\n") && folded.contains(": two\n"), "{folded}");
            assert!(folded.contains("docent verify --narrate full 7"), "{folded}");
            for whole in [told(Level::Full, 9), told(Level::Learn, 3)] {
                assert!(whole.contains(&format!("cat {path}")), "{whole}");
            }
        }
    }
}
