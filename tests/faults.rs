//! Each changing call of a command is made to fail once, in turn: nothing that failed is told as done, and what was half
//! made is undone, or listed as Docker lists it (`Created`).
//!
//! Usually a dozen points are tried, chosen by a seed (`DOCENT_TEST_SEED`) that is printed; `DOCENT_TEST_LONG=1` tries all.

mod common;

use common::scenario::{SCENARIOS, Scenario, points_of};
use common::tracer::{self, Act, Traced};
use common::{DOCENT, Machine, Ran, say};
use docent::inside::Outcome;

/// Failures that a command may survive with exit code 0, by what failed: nothing that was asked for depends on it.
fn tolerated(point: &tracer::Point) -> Option<&'static str> {
    let object = point.object.as_str();
    if object.contains("/journal/") {
        return Some("the story cannot be written, but is told; the command's work is done");
    }
    if object.contains("/root/tmp/") && matches!(point.name, "unlinkat" | "unlink" | "rmdir") {
        return Some("what is on its way out of tmp/ is removed by the next command");
    }
    if object.ends_with("container.log") {
        return Some("a log that cannot be written does not stop the program");
    }
    None
}

#[test]
fn what_fails_is_told_as_failed_and_undone() {
    if !tracer::SUPPORTED {
        return common::skip("faults", "calls can be made to fail on x86_64 only");
    }
    let Some(mut machine) = Machine::new("faults", &[]) else { return };
    let (mut choice, seed) = common::Choice::seeded();
    let (mut tried, mut possible, mut wrong) = (0, 0, Vec::new());
    for scenario in SCENARIOS {
        common::scenario::base(&machine);
        let all = points_of(&machine, scenario);
        possible += all.len();
        let chosen: Vec<usize> = match common::long() {
            true => (0..all.len()).collect(),
            false => (0..3).map(|_| choice.below(all.len())).collect(),
        };
        for n in chosen {
            (scenario.before)(&machine);
            let told = machine.mark();
            let traced = tracer::trace(machine.command(&scenario.argv(DOCENT)), DOCENT, Act::Fail(n));
            tried += 1;
            let found = judge(&machine, scenario, &traced, &told);
            if !found.is_empty() {
                let hit = traced.hit.as_ref().map_or("(not met)".into(), ToString::to_string);
                let line = format!("{} point {n} {hit}:\n    {}", scenario.name, found.join("\n    "));
                say(&line);
                wrong.push(line);
                let Some(fresh) = Machine::new("faults", &[]) else { return };
                machine = fresh;
                common::scenario::base(&machine);
            }
        }
    }
    say(&format!("faults: {tried} of {possible} points tried, seed {seed} (DOCENT_TEST_SEED={seed})"));
    assert!(wrong.is_empty(), "{} points, seed {seed}:\n{}", wrong.len(), wrong.join("\n"));
}

fn judge(machine: &Machine, scenario: &Scenario, traced: &Traced, told: &common::Mark) -> Vec<String> {
    let ran = Ran::of(scenario.name.into(), &traced.output);
    let Some(hit) = &traced.hit else { return Vec::new() };
    let mut found = Vec::new();
    let events = machine.events_since(told);
    for event in events.iter().filter(|e| e.outcome == Outcome::Done) {
        // EEXIST, EBUSY and the like are part of some deeds; EIO is nothing but the failure that was made here.
        if let Some(call) = event.calls.iter().find(|c| c.ret == -i64::from(libc::EIO)) {
            found.push(format!("told as done: {:?} though {}({}) failed", event.fact, call.name, call.args));
        }
    }
    let told_as_failed =
        events.iter().any(|e| matches!(&e.outcome, Outcome::Failed { error } if error.errno == libc::EIO));
    if ran.code == 0 && tolerated(hit).is_none() && !told_as_failed {
        found.push(format!("exit code 0, and nothing is told as failed\n{}", ran.stderr));
    }
    if ran.stderr.contains("panicked") || ran.code > 128 {
        found.push(format!("it crashed: {} {}", ran.code, ran.stderr));
    }
    found.extend(common::scenario::settle(machine));
    found.extend((scenario.after)(machine, ran.code == 0, &ran.stdout));
    found
}
