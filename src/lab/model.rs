//! What `lab.toml` may say. Read strictly: an unknown key, a missing language or a task that depends on a later one is an
//! error that names the file and the line, so an instructor's mistake is found before a class meets it.

use crate::event::{Cause, Fault, Score, TaskLine, Text, Tier, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a lab may ask for in `verbs`.
const VERBS_ON_REQUEST: [&str; 1] = ["load"];

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lab {
    /// The same as its directory, `03-nginx-cp-edit`; progress is kept under it, so it never changes.
    pub id: String,
    pub title: Text,
    pub goal: Text,
    /// Where it works (design: tiers).
    pub tiers: Vec<Tier>,
    /// Names of the values that differ from student to student, given as variables to the learner's shell.
    #[serde(default)]
    pub seeds: Vec<String>,
    /// Docker's verbs that only some exercises need, and that let a submission bring what it likes: `load`.
    #[serde(default)]
    pub verbs: Vec<String>,
    #[serde(default = "two_minutes")]
    /// Seconds.
    pub time_limit: u64,
    #[serde(rename = "task")]
    pub tasks: Vec<Task>,
}

fn two_minutes() -> u64 {
    120
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// Never changes: progress and results are kept under it.
    pub id: String,
    pub title: Text,
    pub points: u32,
    /// Tasks further up that must have been passed; otherwise this one is skipped.
    #[serde(default)]
    pub depends: Vec<String>,
    #[serde(rename = "check")]
    pub checks: Vec<Check>,
    #[serde(default)]
    pub hints: Vec<Text>,
    /// By cause code: what this lab adds to the general sentence of that cause.
    #[serde(default)]
    pub miss: BTreeMap<String, Text>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    In,
    Out,
}

/// One condition over what really is. Values may name seeds, as `$LAB_TOKEN`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "type", deny_unknown_fields)]
pub enum Check {
    ContainerExists {
        container: String,
    },
    /// `created`, `running`, `paused` or `exited`.
    ContainerState {
        container: String,
        state: String,
    },
    ContainerImage {
        container: String,
        image: String,
    },
    PortPublished {
        container: String,
        port: u16,
        host_port: u16,
    },
    /// The published port answers with a success.
    HttpAnswers {
        container: String,
        host_port: u16,
        path: String,
    },
    HttpContains {
        container: String,
        host_port: u16,
        path: String,
        contains: String,
    },
    /// `docker cp` went that way, with this path inside the container.
    Copied {
        direction: Way,
        container: String,
        path: String,
    },
    /// The container's write layer has this file, with this in it.
    FileInUpper {
        container: String,
        path: String,
        contains: String,
    },
    /// The image's own layers have the file, without this in it.
    ImageUnchanged {
        container: String,
        path: String,
        lacks: String,
    },
    /// A container that the check starts from the same image serves the image's own file.
    FreshContainerServesOriginal {
        container: String,
        port: u16,
        path: String,
        file: String,
        lacks: String,
    },
    /// The journal has an event of this kind, in this container, whose fields are as given.
    Event {
        event: String,
        #[serde(default)]
        container: Option<String>,
        #[serde(default)]
        fields: BTreeMap<String, toml::Value>,
    },
    /// The way out for what no condition covers: a program that exits with 0. Run by the checker with the root of the lab
    /// in `DOCENT_ROOT`; only instructors write these, a submission never reaches them.
    Shell {
        script: String,
    },
}

impl Check {
    /// Starts containers or programs: left out when a look has to be cheap.
    pub fn costly(&self) -> bool {
        matches!(self, Check::FreshContainerServesOriginal { .. } | Check::Shell { .. })
    }
}

impl Lab {
    /// Reads a `lab.toml`; `path` is only for the error.
    ///
    /// # Errors
    /// `LabDamaged` with file and line.
    pub fn parse(path: &str, text: &str) -> Result<Lab, Fault> {
        let lab: Lab = toml::from_str(text).map_err(|e| {
            let line = e.span().map_or(1, |s| 1 + text.get(..s.start).unwrap_or("").matches('\n').count());
            Fault::LabDamaged { path: format!("{path}:{line}"), why: e.message().to_string() }
        })?;
        lab.validate().map_err(|(needle, why)| {
            let at = text.lines().position(|l| !needle.is_empty() && l.contains(&needle)).map_or(1, |n| n + 1);
            Fault::LabDamaged { path: format!("{path}:{at}"), why }
        })?;
        Ok(lab)
    }

    /// The rules that types do not hold; an error names what to look for in the file.
    fn validate(&self) -> Result<(), (String, String)> {
        let no = |needle: &str, why: String| Err((needle.to_string(), why));
        if !plain(&self.id) {
            return no(&self.id, "id: small letters, digits and hyphens only".into());
        }
        if self.tasks.is_empty() || self.tiers.is_empty() || self.time_limit == 0 {
            return no("", "task, tiers and time_limit must not be empty".into());
        }
        for name in &self.seeds {
            if !name.starts_with("LAB_") || !name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') {
                return no(name, format!("seed {name}: must be LAB_ and capital letters"));
            }
        }
        if let Some(verb) = self.verbs.iter().find(|v| !VERBS_ON_REQUEST.contains(&v.as_str())) {
            return no(verb, format!("verbs: {verb} is none of {}", VERBS_ON_REQUEST.join(", ")));
        }
        let mut seen = BTreeSet::new();
        for task in &self.tasks {
            if !plain(&task.id) || !seen.insert(task.id.as_str()) {
                return no(&task.id, format!("task {}: id is not plain, or used twice", task.id));
            }
            if task.points == 0 || task.checks.is_empty() {
                return no(&task.id, format!("task {}: without points or checks", task.id));
            }
            if let Some(d) = task.depends.iter().find(|d| **d == task.id || !seen.contains(d.as_str())) {
                return no(d, format!("task {}: depends on {d}, which is no task further up", task.id));
            }
            if let Some(code) = task.miss.keys().find(|code| !Cause::CODES.contains(&code.as_str())) {
                return no(code, format!("task {}: there is no cause {code}", task.id));
            }
            for name in task.checks.iter().flat_map(variables) {
                if !self.seeds.contains(&name) {
                    return no(&format!("${name}"), format!("task {}: ${name} is not among the seeds", task.id));
                }
            }
            let texts = task.hints.iter().chain(task.miss.values()).chain([&task.title, &self.title, &self.goal]);
            if texts.clone().any(|t| t.ko.trim().is_empty() || t.en.trim().is_empty()) {
                return no(&task.id, format!("task {}: a sentence lacks a language", task.id));
            }
        }
        Ok(())
    }

    pub fn task(&self, id: &str) -> Option<&Task> {
        self.tasks.iter().find(|t| t.id == id)
    }

    /// The verdicts with their titles, and with what this lab says about each miss.
    pub fn lines(&self, score: &Score) -> Vec<TaskLine> {
        let line = |t: &crate::event::TaskScore| {
            let task = self.task(&t.id)?;
            let more = match &t.verdict {
                Verdict::Failed { miss } => task.miss.get(miss.cause.code()).cloned(),
                _ => None,
            };
            Some(TaskLine { title: task.title.clone(), score: t.clone(), more })
        };
        score.tasks.iter().filter_map(line).collect()
    }

    /// Images that the checks name.
    pub fn images(&self) -> impl Iterator<Item = &str> {
        self.tasks.iter().flat_map(|t| &t.checks).filter_map(|check| match check {
            Check::ContainerImage { image, .. } => Some(image.as_str()),
            _ => None,
        })
    }

    pub fn points(&self) -> u32 {
        self.tasks.iter().map(|t| t.points).sum()
    }
}

fn plain(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// The seeds that a check's values name.
fn variables(check: &Check) -> Vec<String> {
    let value = match check {
        Check::HttpContains { contains, .. } | Check::FileInUpper { contains, .. } => contains,
        Check::ImageUnchanged { lacks, .. } | Check::FreshContainerServesOriginal { lacks, .. } => lacks,
        _ => return Vec::new(),
    };
    value
        .split('$')
        .skip(1)
        .map(|rest| rest.chars().take_while(|c| c.is_ascii_uppercase() || *c == '_').collect::<String>())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = include_str!("../../labs/03-nginx-cp-edit/lab.toml");

    fn damaged(text: &str) -> (String, String) {
        match Lab::parse("lab.toml", text) {
            Err(Fault::LabDamaged { path, why }) => (path, why),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_page_lab_is_read() {
        let lab = Lab::parse("lab.toml", GOOD).unwrap();
        assert_eq!(lab.points(), 100);
        assert_eq!(
            lab.tasks.iter().map(|t| t.id.as_str()).collect::<Vec<_>>(),
            "run port out in page image".split(' ').collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_misspelt_key_is_found_with_its_line() {
        let text = GOOD.replacen("points = 15", "pionts = 15", 1);
        let line = 1 + text.lines().position(|l| l.starts_with("pionts")).unwrap();
        let (path, why) = damaged(&text);
        assert!(path.starts_with("lab.toml:") && why.contains("pionts"), "{path} {why}");
        let said: usize = path.trim_start_matches("lab.toml:").parse().unwrap();
        assert!(said.abs_diff(line) <= 3, "said {said}, is {line}");
    }

    #[test]
    fn slips_are_refused() {
        for (from, to, says) in [
            ("depends = [\"run\"]", "depends = [\"page\"]", "no task further up"),
            ("id = \"port\"", "id = \"run\"", "used twice"),
            ("seeds = [\"LAB_TOKEN\"]", "seeds = []", "not among the seeds"),
            ("not-copied-in = ", "not-copied-inn = ", "no cause"),
            ("type = \"copied\"", "type = \"copyed\"", "copyed"),
            (", en = \"curl localhost:8080\"", "", "en"),
        ] {
            let (_, why) = damaged(&GOOD.replacen(from, to, 1));
            assert!(why.contains(says), "{to}: {why}");
        }
    }
}
