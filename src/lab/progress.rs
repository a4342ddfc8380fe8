//! A learner's way through the labs: which one is started, what has been passed, how many hints were asked for.
//!
//! `ROOT/lab/progress.json`, replaced as a whole and synced, under the store lock: what was reported passed stays so after
//! a power cut, and survives an upgrade, since it is kept by lab and task ids, and what this version does not know is left
//! where it lies. Seeded values are kept too: they are the learner's own, the course's secret is not.

use super::seed::Seeds;
use super::{Lab, Source, StoreWorld, journal, score};
use crate::event::{Fault, LabHint, LabListed, Score, SysError, TaskChange, TaskLine, Text, Verdict};
use crate::kernel::files;
use crate::kernel::sys::Calls;
use crate::store::Store;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Progress {
    /// The lab that is started.
    current: Option<String>,
    #[serde(default)]
    labs: BTreeMap<String, LabProgress>,
    /// Whatever a later version adds.
    #[serde(flatten)]
    rest: BTreeMap<String, serde_json::Value>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct LabProgress {
    student: String,
    /// The last command before it began.
    since: u64,
    values: BTreeMap<String, String>,
    #[serde(default)]
    tasks: BTreeMap<String, TaskProgress>,
    #[serde(flatten)]
    rest: BTreeMap<String, serde_json::Value>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct TaskProgress {
    /// Holds at the last evaluation.
    #[serde(default)]
    passed: bool,
    #[serde(default)]
    hints: usize,
}

/// The lab that has been started.
#[derive(Debug, Clone)]
pub struct Started {
    pub lab: Lab,
    /// For the learner's shell.
    pub values: BTreeMap<String, String>,
    pub student: String,
    pub practice: bool,
}

/// Where the learner stands.
#[derive(Debug, Clone)]
pub struct Status {
    pub score: Score,
    pub lines: Vec<TaskLine>,
    pub changes: Vec<TaskChange>,
}

/// All labs, and how far the learner is in each.
///
/// # Errors
/// A directory of labs that cannot be read, or holds a damaged one.
pub fn list(store: &Store) -> Result<Vec<LabListed>, Fault> {
    let progress = read(store)?;
    let listed = |id: String| {
        let lab = Source::Embedded.lab(&id)?;
        let passed =
            |t: &&super::Task| progress.labs.get(&id).and_then(|l| l.tasks.get(&t.id)).is_some_and(|t| t.passed);
        Ok(LabListed {
            title: lab.title.clone(),
            tasks: lab.tasks.len(),
            passed: lab.tasks.iter().filter(passed).count(),
            current: progress.current.as_ref() == Some(&id),
            id,
        })
    };
    Source::Embedded.names()?.into_iter().map(listed).collect()
}

/// Starts a lab, or goes on with it: what was passed stays passed.
///
/// # Errors
/// `NoSuchLab`, `LabDamaged`, or the progress could not be written.
pub fn start(store: &Store, name: &str, seeds: &Seeds) -> Result<Started, Fault> {
    let lab = Source::Embedded.lab(name)?;
    let values = seeds.of(&lab);
    change(store, |progress| {
        progress.current = Some(lab.id.clone());
        let fresh = LabProgress {
            student: seeds.student().into(),
            since: journal::last(store),
            values: BTreeMap::new(),
            tasks: BTreeMap::new(),
            rest: BTreeMap::new(),
        };
        let entry = progress.labs.entry(lab.id.clone()).or_insert(fresh);
        (entry.student, entry.values) = (seeds.student().into(), values.clone());
    })?;
    Ok(Started { values, student: seeds.student().into(), practice: seeds.practice(), lab })
}

/// The values of the started lab, for the environment of the learner's shell. Empty when none is started.
///
/// # Errors
/// The progress cannot be read.
pub fn values(store: &Store) -> Result<BTreeMap<String, String>, Fault> {
    Ok(current(&read(store)?).map(|(_, lab)| lab.values.clone()).unwrap_or_default())
}

/// The started lab and its guide.
///
/// # Errors
/// `NoLabStarted`.
pub fn started(store: &Store) -> Result<(Lab, Text), Fault> {
    let progress = read(store)?;
    let (id, _) = current(&progress).ok_or(Fault::NoLabStarted)?;
    Ok((Source::Embedded.lab(id)?, Source::Embedded.guide(id)?))
}

/// Where the learner stands; starts nothing and changes no container.
///
/// # Errors
/// `NoLabStarted`; the root could not be looked at.
pub fn status(store: &Store) -> Result<Status, Fault> {
    evaluate(store, false)
}

/// Looks at everything, also at what needs a container of the check's own.
///
/// # Errors
/// As [`status`].
pub fn check(store: &Store) -> Result<Status, Fault> {
    evaluate(store, true)
}

/// A cheap look after a command of the learner's: None when no lab is started, else what has changed by it.
///
/// # Errors
/// As [`status`].
pub fn live(store: &Store) -> Result<Option<Vec<TaskChange>>, Fault> {
    match evaluate(store, false) {
        Ok(status) => Ok(Some(status.changes)),
        Err(Fault::NoLabStarted) => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// The next hint of a task; without a task, of the first that is not passed. After the last one it is given again.
///
/// # Errors
/// `NoLabStarted`; `NoSuchObject` for a task that the lab does not have, or has no hints; nothing left to do is the same.
pub fn hint(store: &Store, task: Option<&str>) -> Result<LabHint, Fault> {
    let (lab, _) = started(store)?;
    let passed = |progress: &Progress, id: &str| {
        progress.labs.get(&lab.id).and_then(|l| l.tasks.get(id)).is_some_and(|t| t.passed)
    };
    let progress = read(store)?;
    let found = match task {
        Some(id) => lab.task(id),
        None => lab.tasks.iter().find(|t| !passed(&progress, &t.id)),
    };
    let found = found.ok_or_else(|| Fault::NoSuchObject { name: task.unwrap_or(&lab.id).into() })?;
    let mut number = 0;
    change(store, |progress| {
        if let Some(entry) = progress.labs.get_mut(&lab.id) {
            let task = entry.tasks.entry(found.id.clone()).or_default();
            task.hints = (task.hints + 1).min(found.hints.len());
            number = task.hints;
        }
    })?;
    let text = found.hints.get(number.saturating_sub(1)).cloned();
    let text = text.ok_or_else(|| Fault::NoSuchObject { name: found.id.clone() })?;
    Ok(LabHint { task: found.id.clone(), title: found.title.clone(), number, of: found.hints.len(), text })
}

/// Forgets what was passed in the started lab, and leaves it. Containers and images are the learner's and stay.
///
/// # Errors
/// `NoLabStarted`.
pub fn reset(store: &Store) -> Result<String, Fault> {
    let id = read(store)?.current.ok_or(Fault::NoLabStarted)?;
    change(store, |progress| {
        progress.labs.remove(&id);
        progress.current = None;
    })?;
    Ok(id)
}

fn evaluate(store: &Store, thorough: bool) -> Result<Status, Fault> {
    let progress = read(store)?;
    let (id, entry) = current(&progress).ok_or(Fault::NoLabStarted)?;
    let lab = Source::Embedded.lab(id)?;
    let program =
        std::env::current_exe().map_err(|e| Fault::step("check", SysError::io("readlink", "/proc/self/exe", &e)))?;
    let world = StoreWorld { store, program, since: entry.since, patient: thorough, own: Default::default() };
    let score = score(&lab, &entry.values, &world, thorough)?;
    let mut changes = Vec::new();
    for (task, scored) in lab.tasks.iter().zip(&score.tasks) {
        let before = entry.tasks.get(&task.id).is_some_and(|t| t.passed);
        let now = match scored.verdict {
            Verdict::Passed => true,
            // Nothing speaks against what was seen before.
            Verdict::Unlooked => before,
            Verdict::Failed { .. } | Verdict::Skipped { .. } => false,
        };
        if now != before {
            changes.push(TaskChange { id: task.id.clone(), title: task.title.clone(), passed: now });
        }
    }
    if !changes.is_empty() {
        change(store, |progress| {
            let Some(entry) = progress.labs.get_mut(id) else { return };
            for change in &changes {
                entry.tasks.entry(change.id.clone()).or_default().passed = change.passed;
            }
        })?;
    }
    Ok(Status { lines: lab.lines(&score), score, changes })
}

fn current(progress: &Progress) -> Option<(&str, &LabProgress)> {
    let id = progress.current.as_deref()?;
    Some((id, progress.labs.get(id)?))
}

fn read(store: &Store) -> Result<Progress, Fault> {
    let path = store.lab_progress();
    let shown = || path.to_string_lossy().into_owned();
    match std::fs::read(&path) {
        Ok(text) => {
            serde_json::from_slice(&text).map_err(|e| Fault::StoreDamaged { path: shown(), why: e.to_string() })
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Progress::default()),
        Err(e) => Err(Fault::step("check", SysError::io("open", shown(), &e))),
    }
}

/// Reads, changes and writes under the store lock: two terminals may share a root.
fn change(store: &Store, f: impl FnOnce(&mut Progress)) -> Result<(), Fault> {
    let step = |e: SysError| Fault::step("lab progress", e);
    let _lock = store.lock().map_err(step)?;
    let mut progress = read(store)?;
    let before = progress.clone();
    f(&mut progress);
    if progress == before {
        return Ok(());
    }
    let path = store.lab_progress();
    let dir = path.parent().unwrap_or(&path);
    if !dir.is_dir() {
        files::mkdir(&mut Calls::default(), dir, 0o777).map_err(step)?;
        crate::store::sync_dir(store.root()).map_err(step)?;
    }
    let text = serde_json::to_vec_pretty(&progress).unwrap_or_default();
    store.replace_file(&mut Calls::default(), &path, &text, true).map_err(step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::host::Host;

    fn store() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let (store, made) = Store::open(&dir.path().join("root"), Host::look()).unwrap();
        if let Some(made) = made {
            made.tell(&mut crate::event::Story::new());
        }
        (dir, store)
    }

    #[test]
    fn a_lab_is_started_hinted_and_left() {
        let (_dir, store) = store();
        assert!(matches!(status(&store), Err(Fault::NoLabStarted)));
        assert_eq!(live(&store).unwrap(), None);
        let seeds = Seeds::new(Some("kim"), None).unwrap();
        let begun = start(&store, "3", &seeds).unwrap();
        assert_eq!(values(&store).unwrap(), begun.values);
        assert!(list(&store).unwrap()[0].current);
        assert_eq!(live(&store).unwrap(), Some(Vec::new()));
        let now = status(&store).unwrap();
        assert_eq!((now.score.points, now.score.max), (0, 100));
        // Two hints for the first task, and then the last again.
        let hints: Vec<usize> = (0..3).map(|_| hint(&store, None).unwrap().number).collect();
        assert_eq!(hints, [1, 2, 2]);
        assert_eq!(hint(&store, Some("page")).unwrap().task, "page");
        assert!(matches!(hint(&store, Some("no")), Err(Fault::NoSuchObject { .. })));
        assert_eq!(reset(&store).unwrap(), "03-nginx-cp-edit");
        assert!(matches!(status(&store), Err(Fault::NoLabStarted)));
    }

    #[test]
    fn what_a_later_version_wrote_is_left_alone() {
        let (_dir, store) = store();
        let seeds = Seeds::new(Some("kim"), None).unwrap();
        start(&store, "3", &seeds).unwrap();
        let path = store.lab_progress();
        let mut json: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        json["badges"] = serde_json::json!(["first"]);
        json["labs"]["99-later"] = json["labs"]["03-nginx-cp-edit"].clone();
        json["labs"]["03-nginx-cp-edit"]["tasks"]["gone"] = serde_json::json!({"passed": true});
        std::fs::write(&path, json.to_string()).unwrap();
        hint(&store, None).unwrap();
        let after: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(after["badges"][0], "first");
        assert_eq!(after["labs"]["99-later"], json["labs"]["99-later"]);
        assert_eq!(after["labs"]["03-nginx-cp-edit"]["tasks"]["gone"]["passed"], true);
    }

    #[test]
    fn damaged_progress_is_said_so_and_not_overwritten() {
        let (_dir, store) = store();
        let seeds = Seeds::new(Some("kim"), None).unwrap();
        start(&store, "3", &seeds).unwrap();
        std::fs::write(store.lab_progress(), "{").unwrap();
        assert!(matches!(start(&store, "3", &seeds), Err(Fault::StoreDamaged { .. })));
        assert_eq!(std::fs::read_to_string(store.lab_progress()).unwrap(), "{");
    }
}
