//! A kill -9 at each changing call of run, rm, cp and load, of the command line and of the monitor: the next command leaves
//! nothing of it behind, and what was reported done is there.
//!
//! Usually a dozen points are tried, chosen by a seed (`DOCENT_TEST_SEED`) that is printed; `DOCENT_TEST_LONG=1` tries all.

mod common;

use common::scenario::{SCENARIOS, points_of};
use common::tracer::{self, Act};
use common::{DOCENT, Machine, say};
use std::collections::BTreeMap;

#[test]
fn the_next_command_puts_a_killed_one_in_order() {
    if !tracer::SUPPORTED {
        return common::skip("kills", "processes can be stopped at their calls on x86_64 only");
    }
    let Some(mut machine) = Machine::new("kills", &[]) else { return };
    let (mut choice, seed) = common::Choice::seeded();
    let (mut tried, mut wrong) = (0, Vec::new());
    let mut possible: BTreeMap<String, usize> = BTreeMap::new();
    for scenario in SCENARIOS {
        common::scenario::base(&machine);
        let all = points_of(&machine, scenario);
        for point in &all {
            *possible.entry(format!("{} {}", scenario.name, point.who)).or_default() += 1;
        }
        let chosen: Vec<usize> = match common::long() {
            true => (0..all.len()).collect(),
            false => (0..3).map(|_| choice.below(all.len())).collect(),
        };
        for n in chosen {
            (scenario.before)(&machine);
            let traced = tracer::trace(machine.command(&scenario.argv(DOCENT)), DOCENT, Act::Kill(n));
            tried += 1;
            let Some(hit) = traced.hit else { continue };
            let mut found = common::scenario::settle(&machine);
            let stdout = String::from_utf8_lossy(&traced.output.stdout);
            found.extend((scenario.after)(&machine, traced.output.status.success(), &stdout));
            if !found.is_empty() {
                let line = format!("{} point {n} {hit}:\n    {}", scenario.name, found.join("\n    "));
                say(&line);
                wrong.push(line);
                let Some(fresh) = Machine::new("kills", &[]) else { return };
                machine = fresh;
                common::scenario::base(&machine);
            }
        }
    }
    let sum: usize = possible.values().sum();
    say(&format!("kills: {tried} of {sum} points tried, seed {seed} (DOCENT_TEST_SEED={seed}); {possible:?}"));
    assert!(wrong.is_empty(), "{} points, seed {seed}:\n{}", wrong.len(), wrong.join("\n"));
}
