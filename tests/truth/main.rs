//! Is the story true and complete? An independent witness decides: every verb runs under strace, and what strace saw is matched
//! with what docent told, call by call: which calls an event may claim stands in its definition (all of them, as a table:
//! `events.snap`), which calls need not be told in `table.toml`.

#[path = "../common/mod.rs"]
mod common;

mod claims;
mod failures;
mod table;
mod witness;

use claims::Claim;
use common::scenario::VERBS;
use common::{DOCENT, Machine, archive, say};
use docent::inside::{Bulk, Event, Fact, Outcome, Provable};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use table::{Class, Table};
use witness::Seen;

#[test]
fn every_changing_call_is_told_and_every_told_call_was_made() {
    let Some(machine) = Machine::new("truth", &["strace", "script"]) else { return };
    archive(&machine.work().join("hello.tar"), "hello:latest");
    std::fs::write(machine.work().join("verbs.sh"), VERBS).expect("verbs.sh");
    let table = table::read();
    let trace = machine.work().join("trace");
    let unseen = format!("trace=!{}", table.unseen.calls.join(","));
    let shown = trace.to_string_lossy().into_owned();
    let argv = ["strace", "-f", "-yy", "-s", "600", "-e", &unseen, "-o", &shown, "sh", "-e", "verbs.sh"];
    // `sh -e FILE` has FILE as $0; docent's path is what the script needs there.
    let script = VERBS.replace("$0", DOCENT);
    std::fs::write(machine.work().join("verbs.sh"), script).expect("verbs.sh");
    let ran = machine.run(&argv);
    assert_eq!(ran.code, 0, "a verb failed:\n{}\n{}", ran.stdout, ran.stderr);
    let bytes = std::fs::read(&trace).expect("the trace");
    let seen = witness::read(&String::from_utf8_lossy(&bytes), DOCENT);
    let events = machine.events();
    let report = Report::of(&table, &seen, &claims::by_process(&events), &machine.root());
    say(&format!(
        "truth: {} calls of docent seen, {} changing, {} told by {} events, {} in bulk, {} bookkeeping",
        seen.len(),
        report.changing,
        report.matched,
        events.len(),
        report.bulk,
        report.bookkeeping
    ));
    assert!(report.matched > 500, "the witness and the story meet");
    assert!(report.wrong.is_empty(), "{} differences:\n{}", report.wrong.len(), report.wrong.join("\n"));
    let unlike = proofs_unlike_their_definitions(&events);
    assert!(unlike.is_empty(), "{}", unlike.join("\n"));
    // And the matching itself can tell: without any one of these, something is left over.
    for left_out in ["cow.copied", "network.nat", "process.signal", "cgroup.limit", "image.tagged"] {
        let without: Vec<_> = events.iter().filter(|e| e.fact.definition().name != left_out).cloned().collect();
        assert!(without.len() < events.len(), "{left_out} was told");
        let report = Report::of(&table, &seen, &claims::by_process(&without), &machine.root());
        assert!(!report.wrong.is_empty(), "{left_out} untold is not noticed");
    }
}

/// A proof runs a program that its event's definition names; an event whose definition says why it has none has none; and of
/// each kind that has proofs all were told with one, but for what had ended before it could be looked at.
fn proofs_unlike_their_definitions(events: &[Event]) -> Vec<String> {
    let mut unlike = Vec::new();
    let mut proven: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    // Who lives long enough to be looked at: monitors, and whoever became a program.
    let of_done = |event: &Event| match &event.fact {
        Fact::HelperStarted { pid, role } if role == "monitor" => *pid,
        Fact::Exec { .. } if event.outcome == Outcome::Done => Some(event.pid),
        _ => None,
    };
    let lived: BTreeSet<i32> = events.iter().filter_map(of_done).collect();
    for event in events.iter().filter(|e| e.outcome == Outcome::Done) {
        let definition = event.fact.definition();
        let proofs = event.receipt.iter().flat_map(|receipt| receipt.proofs());
        for program in proofs.filter_map(|proof| proof.argv.first()?.text()) {
            match &definition.proof {
                Provable::By { programs, .. } if programs.contains(&program) => {}
                other => unlike.push(format!("{}: proven by {program}, defined as {other:?}", definition.name)),
            }
        }
        if let Provable::By { .. } = definition.proof {
            let (all, with) = proven.entry(definition.name).or_default();
            let about = match &event.fact {
                Fact::NamespacesMade { pid: Some(pid), .. } => *pid,
                _ => event.pid,
            };
            let counts = event.receipt.is_some() || lived.contains(&about);
            (*all, *with) = (*all + usize::from(counts), *with + usize::from(event.receipt.is_some()));
        }
    }
    for (name, (all, with)) in &proven {
        if *with == 0 || (with < all && !ENDED.contains(name)) {
            unlike.push(format!("{name}: {with} of {all} with a proof"));
        }
    }
    let (with, all) = proven.values().fold((0, 0), |sum, (all, with)| (sum.0 + with, sum.1 + all));
    say(&format!("truth: {} kinds with proofs, {with} of {all} of their events told with one", proven.len()));
    unlike
}

/// Of a process that lives for a moment only, and of a container that goes with its end (`--rm`).
const ENDED: [&str; 2] = ["process.exec", "container.exited"];

#[derive(Default)]
struct Report {
    changing: usize,
    matched: usize,
    bulk: usize,
    bookkeeping: usize,
    wrong: Vec<String>,
}

impl Report {
    fn of(table: &Table, seen: &[Seen], claims: &BTreeMap<i32, Vec<Claim>>, root: &Path) -> Report {
        let mut report = Report::default();
        let mut processes: BTreeMap<i32, Vec<&Seen>> = BTreeMap::new();
        for call in seen {
            processes.entry(call.pid).or_default().push(call);
        }
        for pid in claims.keys() {
            processes.entry(*pid).or_default();
        }
        for (pid, calls) in processes {
            let claims = claims.get(&pid).map(Vec::as_slice).unwrap_or_default();
            report.process(table, pid, &calls, claims, root);
        }
        report
    }

    /// One process: its claims are met in order; what lies between is of a class that need not be told.
    fn process(&mut self, table: &Table, pid: i32, calls: &[&Seen], claims: &[Claim], root: &Path) {
        let mut next = 0;
        let mut bulk: Option<Bulk> = None;
        for call in calls {
            if claims.get(next).is_some_and(|claim| claims::fits(claim, call)) {
                let claim = &claims[next];
                if !claim.definition.calls.contains(&claim.name.as_str()) {
                    self.wrong.push(format!("not in its definition: {}", claim.shown()));
                }
                self.matched += 1;
                self.changing += 1;
                bulk = claim.definition.bulk.filter(|b| claim.last && claim.entries > b.after);
                next += 1;
                continue;
            }
            match table.class(call, root) {
                Class::NoChange => {}
                Class::Bookkeeping => self.bookkeeping += 1,
                Class::Unknown => self.wrong.push(format!("not classed: {}", call.shown())),
                Class::Changing if bulk.is_some_and(|b| b.calls.contains(&call.name.as_str())) => {
                    self.changing += 1;
                    self.bulk += 1;
                }
                Class::Changing => {
                    self.changing += 1;
                    // Claims that were never met must not hide all that follow.
                    let later = claims[next.min(claims.len())..].iter().position(|claim| claims::fits(claim, call));
                    match later {
                        Some(n) => {
                            for claim in &claims[next..next + n] {
                                self.wrong.push(format!("told, not seen: {pid} {}", claim.shown()));
                            }
                            next += n + 1;
                            self.matched += 1;
                        }
                        None => self.wrong.push(format!("seen, not told: {}", call.shown())),
                    }
                }
            }
        }
        for claim in claims.get(next..).unwrap_or_default() {
            self.wrong.push(format!("told, not seen: {pid} {}", claim.shown()));
        }
    }
}
