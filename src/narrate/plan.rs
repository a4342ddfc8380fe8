//! Forecasts (`explain -- COMMAND`): the same facts in the future tense, without the numbers that only the kernel gives;
//! and the retelling of a recorded command.

use super::Narrator;
use super::layout::{Block, Line, clean, dim, padded, wrap};
use super::text::{frame, head};
use crate::event::words::{brief, command_line, readable};
use crate::event::{Block as Topic, Event, Fact, Lang, Tense};
use crate::store::Record;
use std::collections::BTreeMap;

impl Narrator {
    /// What a command would do, from its planned events.
    pub fn as_plan(&self, events: &[Event]) -> String {
        if self.level == super::Level::Json {
            return self.story(events);
        }
        if events.is_empty() {
            return frame::plan_empty(self.lang) + "\n";
        }
        let mut topics: BTreeMap<Topic, Vec<&Event>> = BTreeMap::new();
        for event in events {
            topics.entry(event.fact.block()).or_default().push(event);
        }
        let mut out = dim(self.color, &frame::plan_head(self.lang)) + "\n";
        for (topic, list) in topics {
            let mut block = Block::new(topic.label(self.lang));
            block.tense = Tense::Planned;
            block.lines = planned(self.lang, &list).into_iter().map(Line::Text).collect();
            out.push_str(&block.render(self.width, self.color));
        }
        out
    }

    pub fn reset_question(&self, root: &std::path::Path) -> String {
        frame::reset_question(self.lang, clean(&root.to_string_lossy()))
    }

    /// The line above a retold command: number, command line, time and how it ended.
    pub fn record_head(&self, record: &Record) -> String {
        let header = &record.header;
        let time = header.asked.time.with_timezone(&chrono::Local).format("%Y-%m-%d %H:%M:%S");
        let head = frame::record_head(self.lang, header.number, readable(command_line(&header.asked.argv)), time);
        let end =
            record.exit.map_or_else(|| frame::record_no_exit(self.lang), |code| frame::record_exit(self.lang, code));
        wrap(&clean(&format!("{head} · {end}")), self.width.saturating_sub(2).max(20)).join("\n  ") + "\n"
    }

    /// What is wrong with a record itself: a torn tail, a chain that does not join (with the line).
    pub fn record_flaws(&self, record: &Record) -> String {
        let torn = record.torn.then(|| frame::record_torn(self.lang));
        let broken = record.broken.map(|line| frame::record_broken(self.lang, line));
        torn.into_iter().chain(broken).map(|line| line + "\n").collect()
    }
}

/// One sentence each; the many small mounts in one.
fn planned(lang: Lang, list: &[&Event]) -> Vec<String> {
    let targets: Vec<&str> = list
        .iter()
        .filter_map(|e| match &e.fact {
            Fact::Mounted { target, .. } => Some(target.as_str()),
            _ => None,
        })
        .collect();
    let mut folded = false;
    let mut out = Vec::new();
    for event in list {
        match &event.fact {
            Fact::Mounted { .. } if targets.len() > 1 => {
                if !std::mem::replace(&mut folded, true) {
                    out.push(head::mounted_plan(lang, targets.join(", ")));
                }
            }
            fact => out.push(brief(&fact.sentence(lang, Tense::Planned))),
        }
    }
    // Three layers are three times the same sentence as long as their digests are unknown.
    out.dedup();
    out
}

impl Narrator {
    /// `docker version`, for people.
    pub fn version(&self, own: &str, docker: &str, arch: &str, kernel: &str) -> String {
        // Docker's own layout and labels: scripts look for them. The client and the engine are one program here.
        let client = |label: &str, value: &str| format!(" {} {value}\n", padded(label, 18));
        let engine = |label: &str, value: &str| format!("  {} {value}\n", padded(label, 17));
        let platform = format!("linux/{arch}");
        [
            "Client: docent\n".into(),
            client("Version:", own),
            client("Docker CLI:", docker),
            client("OS/Arch:", &platform),
            "\nServer: docent\n Engine:\n".into(),
            engine("Version:", own),
            engine("OS/Arch:", &platform),
            engine("Kernel Version:", kernel),
            engine("Daemon:", &frame::version_no_daemon(self.lang)),
        ]
        .concat()
    }
}
