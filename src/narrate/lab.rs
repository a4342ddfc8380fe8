//! Exercises in words: tasks with their verdicts, near misses, hints and grades.
//!
//! Scripts and containers chose much of what is shown here; all of it is cleaned of control characters.

use super::layout::{clean, dim, hanging, padded};
use super::text::lab as l;
use super::{Lang, Narrator};
use crate::event::signal::name as signal_name;
use crate::event::{Ended, GradeResult, LabHint, LabListed, Score, TaskChange, TaskLine, Text, Verdict, Word};
use std::collections::BTreeMap;
use unicode_width::UnicodeWidthStr;

/// Lines of a submission's output that are shown.
const TAIL: usize = 15;

/// The sentence of this language.
pub fn of(text: &Text, lang: Lang) -> &str {
    match lang {
        Lang::Ko => &text.ko,
        Lang::En => &text.en,
    }
}

pub(crate) use l::reset;

impl Narrator {
    /// `docent lab list`.
    pub fn lab_list(&self, labs: &[LabListed]) -> String {
        let row = |one: &LabListed| {
            let mark = if one.current { "▶" } else { " " };
            let title = clean(of(&one.title, self.lang));
            format!("{mark} {} · {title} · {}/{}\n", one.id, one.passed, one.tasks)
        };
        labs.iter().map(row).collect()
    }

    /// What is said when a lab starts; the guide follows apart.
    pub fn lab_started(
        &self,
        title: &Text,
        goal: &Text,
        student: &str,
        practice: bool,
        values: &BTreeMap<String, String>,
    ) -> String {
        let lang = self.lang;
        let mut out = format!("● {}\n", clean(&l::started(lang, of(title, lang))));
        self.lines(&mut out, of(goal, lang));
        self.lines(&mut out, &l::student(lang, student));
        for (name, value) in values {
            self.lines(&mut out, &l::value(lang, name, value));
        }
        if practice {
            self.dimmed(&mut out, &l::practice(lang));
        }
        out + &l::next_steps(lang) + "\n"
    }

    /// The tasks with their verdicts, and the points.
    pub fn lab_tasks(&self, lines: &[TaskLine], score: &Score) -> String {
        let lang = self.lang;
        let words = [l::passed(lang), l::failed(lang), l::skipped(lang), l::unlooked(lang)];
        let column = words.iter().map(|w| w.width()).max().unwrap_or(0) + 2;
        let mut out = String::new();
        for line in lines {
            let (mark, word) = match line.score.verdict {
                Verdict::Passed => ("✓", l::passed(lang)),
                Verdict::Failed { .. } => ("✗", l::failed(lang)),
                Verdict::Skipped { .. } => ("-", l::skipped(lang)),
                Verdict::Unlooked => ("?", l::unlooked(lang)),
            };
            let points = format!("{}/{}", line.score.points, line.score.max);
            let title = clean(of(&line.title, lang));
            out.push_str(&format!("{mark} {}{} {title}\n", padded(&word, column), padded(&points, 6)));
            self.lab_reasons(&mut out, lines, line);
        }
        out.push_str(&l::points(lang, score.points, score.max));
        if score.full() {
            out.push_str(" · ");
            out.push_str(&l::all_done(lang));
        }
        out + "\n"
    }

    fn lab_reasons(&self, out: &mut String, all: &[TaskLine], line: &TaskLine) {
        let lang = self.lang;
        match &line.score.verdict {
            Verdict::Passed => {}
            Verdict::Unlooked => self.lines(out, &l::unlooked_because(lang)),
            Verdict::Skipped { because } => {
                let title = |id: &String| {
                    all.iter().find(|t| t.score.id == *id).map_or(id.as_str(), |t| of(&t.title, lang)).to_string()
                };
                let titles = because.iter().map(title).collect::<Vec<_>>().join(" · ");
                self.lines(out, &l::skipped_because(lang, titles));
            }
            // The cause, what the lab adds to it, and what was expected beside what is.
            Verdict::Failed { miss } => {
                self.lines(out, &miss.cause.word(lang));
                if let Some(more) = &line.more {
                    self.lines(out, of(more, lang));
                }
                self.dimmed(out, &l::expected(lang, &miss.expected, &miss.actual));
            }
        }
    }

    /// After a command: what came to be passed, and what no longer holds.
    pub fn lab_changes(&self, changes: &[TaskChange]) -> String {
        let say = |change: &TaskChange| {
            let title = of(&change.title, self.lang);
            let (mark, text) = match change.passed {
                true => ("✓", l::now_passed(self.lang, title)),
                false => ("✗", l::now_lost(self.lang, title)),
            };
            format!("{mark} {}\n", clean(&text))
        };
        changes.iter().map(say).collect()
    }

    pub fn lab_hint(&self, hint: &LabHint) -> String {
        let mut out = format!("● {}\n", clean(&l::hint(self.lang, of(&hint.title, self.lang), hint.number, hint.of)));
        self.lines(&mut out, of(&hint.text, self.lang));
        out
    }

    /// `docent grade --format human`.
    pub fn grade(&self, result: &GradeResult, title: &Text, lines: &[TaskLine]) -> String {
        let lang = self.lang;
        let mut out = clean(&l::graded(lang, of(title, lang), &result.student)) + "\n";
        if result.practice {
            out.push_str(&(dim(self.color, &l::practice(lang)) + "\n"));
        }
        out.push_str(&self.lab_tasks(lines, &result.score));
        let ended = match result.ended {
            Ended::Exited { code } => l::exited(lang, code),
            Ended::Killed { signal } => l::killed(lang, signal_name(signal)),
            Ended::TimedOut { seconds } => l::timed_out(lang, seconds),
        };
        out.push_str(&(ended + "\n"));
        // Full marks need no looking for what went wrong.
        if !result.score.full() && !result.output.text.trim().is_empty() {
            out.push_str(&(l::output_head(lang) + "\n"));
            let all: Vec<&str> = result.output.text.lines().collect();
            for line in all.iter().skip(all.len().saturating_sub(TAIL)) {
                out.push_str(&format!("  | {}\n", clean(line)));
            }
        }
        out
    }

    fn lines(&self, out: &mut String, text: &str) {
        out.push_str(&hanging("    ", &clean(text), self.width));
    }

    fn dimmed(&self, out: &mut String, text: &str) {
        out.push_str(&hanging("    ", &dim(self.color, &clean(text)), self.width));
    }
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;
    use crate::event::{Cause, Miss, Output, TaskScore};

    fn result(verdict: Verdict, text: &str) -> (GradeResult, Vec<TaskLine>) {
        let task = TaskScore { id: "in".into(), points: 0, max: 20, verdict };
        let title = Text { ko: "다시 넣기".into(), en: "copy in".into() };
        let lines = vec![TaskLine { title, score: task.clone(), more: None }];
        let result = GradeResult {
            version: 1,
            docent: "0".into(),
            lab: "x".into(),
            student: "kim".into(),
            practice: true,
            ended: Ended::TimedOut { seconds: 9 },
            score: Score { points: 0, max: 20, tasks: vec![task] },
            output: Output { text: text.into(), truncated: false },
            events: Vec::new(),
        };
        (result, lines)
    }

    #[test]
    fn a_miss_is_told_in_both_languages_with_what_was_expected() {
        let miss = Miss {
            cause: Cause::WrongToken { name: "web".into(), path: "/p".into() },
            expected: "a1".into(),
            actual: "b2".into(),
        };
        let (result, lines) = result(Verdict::Failed { miss }, "");
        let title = Text { ko: "실습".into(), en: "the lab".into() };
        for (lang, parts) in [
            (Lang::Ko, ["본인의 것이 아닙니다", "기대: a1 · 실제: b2", "9초 안에", "0/20점", "연습용"]),
            (Lang::En, ["is not yours", "expected: a1 · found: b2", "after 9 seconds", "0 of 20", "practice"]),
        ] {
            let told = Narrator::new(lang, Level::Learn).grade(&result, &title, &lines);
            for part in parts {
                assert!(told.contains(part), "{part} is not in {told}");
            }
        }
    }

    #[test]
    fn what_a_submission_printed_reaches_no_terminal_raw() {
        let miss = Miss {
            cause: Cause::NoContainer { name: "\x1b[2J".into() },
            expected: "\x07".into(),
            actual: "\x1b]0;x".into(),
        };
        let (result, lines) = result(Verdict::Failed { miss }, "a\x1b[31mb\n\u{202e}c");
        let title = Text { ko: "실습".into(), en: "the lab".into() };
        // A sentence may begin with a name: this one does in Korean.
        for lang in [Lang::Ko, Lang::En] {
            let told = Narrator::new(lang, Level::Learn).grade(&result, &title, &lines);
            assert!(!told.contains(['\x1b', '\x07', '\u{202e}']), "{told:?}");
        }
    }
}
