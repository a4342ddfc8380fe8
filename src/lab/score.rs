//! From checks to a verdict on every task: each is scored by itself, and the dependants of a failed one are skipped.

use super::check::Look;
use super::{Lab, World};
use crate::fact::{Fault, Score, TaskScore, Verdict};
use std::collections::BTreeMap;

/// Looks at every task. Without `thorough` nothing is started and nothing is waited for.
///
/// # Errors
/// When the world could not be looked at.
pub fn score(lab: &Lab, values: &BTreeMap<String, String>, world: &dyn World, thorough: bool) -> Result<Score, Fault> {
    let look = Look::new(world, values)?;
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
                } else if let Some(miss) = look.check(check)? {
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
