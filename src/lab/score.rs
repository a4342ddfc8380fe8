//! From checks to a verdict on every task: each is scored by itself, and the dependants of a failed one are skipped.

use super::check::Checker;
use super::{Lab, World};
use crate::event::{Cause, Fault, Miss, Score, TaskScore, Verdict};
use std::collections::BTreeMap;

/// Looks at every task. What stands in the way of a look was made by whoever is scored (a full disk, a damaged image): it
/// fails the task, and is no reason to give no verdict. Without `thorough` nothing is started and nothing is waited for.
///
/// # Errors
/// When the world could not be looked at.
pub fn score(lab: &Lab, values: &BTreeMap<String, String>, world: &dyn World, thorough: bool) -> Result<Score, Fault> {
    let checker = match Checker::new(world, values) {
        Err(fault) if thorough => return Ok(none(lab, &fault)),
        checker => checker?,
    };
    let mut tasks: Vec<TaskScore> = Vec::new();
    for task in &lab.tasks {
        // Passed, or nothing seen against it: a cheap look must not hide what hangs on a dear one.
        let stands =
            |id: &String| tasks.iter().any(|t| t.id == *id && matches!(t.verdict, Verdict::Passed | Verdict::Unlooked));
        let because: Vec<String> = task.depends.iter().filter(|d| !stands(d)).cloned().collect();
        let verdict = if !because.is_empty() {
            Verdict::Skipped { because }
        } else {
            let mut verdict = Verdict::Passed;
            for check in &task.checks {
                if check.costly() && !thorough {
                    verdict = Verdict::Unlooked;
                    continue;
                }
                let miss = match checker.check(check) {
                    Err(fault) if thorough => Some(cannot_look(&fault)),
                    found => found?,
                };
                if let Some(miss) = miss {
                    verdict = Verdict::Failed { miss };
                    break;
                }
            }
            verdict
        };
        let points = if verdict == Verdict::Passed { task.points } else { 0 };
        tasks.push(TaskScore { id: task.id.clone(), points, max: task.points, verdict });
    }
    Ok(Score { points: tasks.iter().map(|t| t.points).sum(), max: lab.points(), tasks })
}

/// Nothing at all could be looked at.
fn none(lab: &Lab, fault: &Fault) -> Score {
    let failed = |task: &super::model::Task| TaskScore {
        id: task.id.clone(),
        points: 0,
        max: task.points,
        verdict: Verdict::Failed { miss: cannot_look(fault) },
    };
    Score { points: 0, max: lab.points(), tasks: lab.tasks.iter().map(failed).collect() }
}

fn cannot_look(fault: &Fault) -> Miss {
    let why = match fault {
        Fault::CannotGrade { why } => why.clone(),
        Fault::Step { error, .. } => format!("{} {}: errno {}", error.call, error.object, error.errno),
        other => serde_json::to_value(other).map(|v| v.to_string()).unwrap_or_default(),
    };
    Miss { cause: Cause::CannotLook { why: why.clone() }, expected: String::new(), actual: why }
}
