//! Verdicts over real files and programs, and what must never run.

use super::*;
use crate::store::Header;
use std::fs;
use std::time::Instant;

const ID: &str = "3f2a9c0d1b2c3d4e5f60718293a4b5c6d7e8f90112233445566778899aabbccd";

fn words(line: &[&str]) -> Vec<String> {
    line.iter().map(|w| w.to_string()).collect()
}

fn receipt(proof: &[&str], expect: Expect, holds: Holds) -> Receipt {
    Receipt { evidence: String::new(), proof: words(proof), expect, holds, needs: Vec::new(), subject: "it".into() }
}

fn event(receipt: Option<Receipt>) -> Event {
    Event { receipt, ..Event::of(Fact::MountsKept { private: false }, Vec::new()) }
}

fn record(events: Vec<Event>) -> Record {
    let asked = crate::store::asked(&[], "/", 0, crate::event::Lang::En);
    let header = Header { number: 4, asked };
    Record { header, events, exit: Some(0), took_us: Some(1), faults: Vec::new(), torn: false, broken: None }
}

#[track_caller]
fn one(events: Vec<Event>, later: &[Later], running: bool, exists: bool) -> Verdict {
    let checked = verify(&record(events), later, |_| running, |_| exists);
    assert_eq!(checked.first().map(|c| c.event), Some(0));
    checked.into_iter().next().map(|c| c.verdict).expect("a verdict")
}

#[test]
fn true_changed_gone_and_false_are_told_apart() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("freezer.state");
    let path = file.to_string_lossy().into_owned();
    let claim = || receipt(&["cat", &path], Expect::Equals("FROZEN".into()), Holds::WhileRunning(ID.into()));
    fs::write(&file, "FROZEN\n").expect("written");
    assert_eq!(one(vec![event(Some(claim()))], &[], true, true), Verdict::True);
    fs::write(&file, "THAWED\n").expect("written");
    let got = Answer { out: "THAWED\n".into(), status: Some(0) };
    assert_eq!(one(vec![event(Some(claim()))], &[], true, true), Verdict::False { got });
    // Told since about the same subject: in the same command, in a later one, by a monitor.
    let thawed = Event { at_us: u64::MAX, ..event(Some(claim())) };
    let in_same = one(vec![event(Some(claim())), thawed.clone()], &[], true, true);
    assert_eq!(in_same, Verdict::ChangedSince { command: Some(4) });
    for command in [Some(7), None] {
        let later = [Later { command, event: thawed.clone() }];
        assert_eq!(one(vec![event(Some(claim()))], &later, true, true), Verdict::ChangedSince { command });
    }
    // A failed attempt changes nothing.
    let failed = Event { outcome: Outcome::Failed { error: SysError::new("write", "x", libc::EBUSY) }, ..thawed };
    let later = [Later { command: Some(7), event: failed }];
    assert!(matches!(one(vec![event(Some(claim()))], &later, true, true), Verdict::False { .. }));
    // The time is over.
    let gone = |running, exists| one(vec![event(Some(claim()))], &[], running, exists);
    assert_eq!(gone(false, true), Verdict::Gone { why: Gone::Stopped });
    assert_eq!(gone(false, false), Verdict::Gone { why: Gone::Removed });
    let exited = Fact::ContainerExited {
        id: ID.into(),
        name: "web".into(),
        code: Some(0),
        signal: None,
        oom: false,
        oom_kills: 0,
    };
    let later = [Later { command: None, event: Event { at_us: u64::MAX, ..Event::of(exited, Vec::new()) } }];
    assert_eq!(one(vec![event(Some(claim()))], &later, true, true), Verdict::Gone { why: Gone::Restarted });
}

#[test]
fn only_what_is_claimed_is_checked() {
    let claim = || Some(receipt(&["test", "-e", "/"], Expect::Status(0), Holds::Forever));
    let events = vec![
        event(None),
        Event { outcome: Outcome::Failed { error: SysError::new("mount", "/x", libc::EPERM) }, ..event(claim()) },
        Event { outcome: Outcome::Planned, ..event(claim()) },
        event(claim()),
    ];
    let checked = verify(&record(events), &[], |_| true, |_| true);
    assert_eq!(checked.iter().map(|c| (c.event, c.verdict == Verdict::True)).collect::<Vec<_>>(), [(3, true)]);
    let now = receipt(&["test", "-e", "/"], Expect::Status(0), Holds::Now);
    assert_eq!(one(vec![event(Some(now))], &[], true, true), Verdict::Gone { why: Gone::Moment });
}

#[test]
fn answers_are_compared_as_they_were_promised() {
    let run = |proof: &[&str], expect: Expect| {
        one(vec![event(Some(receipt(proof, expect, Holds::Forever)))], &[], true, true)
    };
    assert_eq!(run(&["grep", "-c", "", "/dev/null"], Expect::Equals("0".into())), Verdict::True);
    assert_eq!(run(&["readlink", "/proc/self/ns/pid"], Expect::Contains("pid:[".into())), Verdict::True);
    assert_eq!(run(&["test", "-e", "/nothing"], Expect::Status(1)), Verdict::True);
    assert!(matches!(run(&["test", "-e", "/nothing"], Expect::Status(0)), Verdict::False { .. }));
    // No shell: what looks like one is a name.
    assert_eq!(run(&["test", "-e", "/; touch /tmp/docent-evil"], Expect::Status(1)), Verdict::True);
    assert!(!std::path::Path::new("/tmp/docent-evil").exists());
}

#[test]
fn nothing_runs_that_could_change_anything() {
    for proof in [
        &["sh", "-c", "true"][..],
        &["/tmp/cat", "x"],
        &["./cat"],
        &["rm", "-rf", "/x"],
        &["ip", "link", "del", "docent0"],
        &["ip", "l", "d", "docent0"],
        &["ip", "netns", "exec", "x", "sh"],
        &["ip", "-batch", "/x"],
        &["nft", "flush", "ruleset"],
        &["nft", "-f", "/x"],
        &["nft", "list", "ruleset", "-f", "/x"],
        &["nsenter", "-t", "1", "-m", "cat", "/etc/passwd"],
        &["nsenter", "-t", "1", "-a", "ip", "addr"],
        &["nsenter", "-t", "1", "-n", "sh"],
        &["nsenter", "-t", "1", "-n", "nsenter", "-t", "1", "cat"],
        &["nsenter", "-t", "1x", "-n", "cat"],
        &["nsenter", "-t", "1"],
        &["nsenter", "--target=1", "--mount", "cat"],
        &["ss", "-K", "dst", "127.0.0.1"],
        &["ss", "-ltnD", "/tmp/x"],
        &["ss", "--kill"],
        &[],
    ] {
        let verdict = one(vec![event(Some(receipt(proof, Expect::Status(0), Holds::Forever)))], &[], true, true);
        assert!(matches!(verdict, Verdict::NotRunnable { needs: Missing::Refused(_) }), "{proof:?}: {verdict:?}");
    }
}

#[test]
fn the_proofs_that_docent_gives_may_run() {
    for proof in [
        &["ip", "-o", "-4", "addr", "show", "dev", "docent0"][..],
        &["ip", "-4", "route", "show", "default"],
        &["nsenter", "--target", "1", "--net", "ip", "-o", "link", "show", "dev", "lo"],
        &["nft", "list", "table", "inet", "docent0"],
        &["ss", "-Hltn", "sport = :8080"],
        &["stat", "-c", "%F %t:%T", "/x"],
    ] {
        let judged = allowed(&words(proof));
        assert!(matches!(judged, Ok(_) | Err(Missing::Tool(_))), "{proof:?}: {judged:?}");
    }
}

#[test]
fn programs_come_from_the_system_and_get_an_empty_environment() {
    let argv = allowed(&words(&["cat", "/x"])).expect("allowed");
    assert!(argv.first().is_some_and(|p| p.ends_with("/cat") && p.starts_with('/')), "{argv:?}");
    let answer = run(&receipt(&["cat", "/proc/self/environ"], Expect::Status(0), Holds::Forever)).expect("an answer");
    let names: Vec<&str> =
        answer.out.split('\0').filter_map(|v| v.split('=').next()).filter(|n| !n.is_empty()).collect();
    assert_eq!(names, ["LC_ALL", "PATH"]);
    let missing = receipt(&["getfattr", "/"], Expect::Status(0), Holds::Forever);
    if find("getfattr").is_none() {
        assert_eq!(run(&missing), Err(Missing::Tool("getfattr".into())));
    }
}

#[test]
fn a_proof_that_does_not_end_is_ended() {
    let dir = tempfile::tempdir().expect("a directory");
    let fifo = dir.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
    let began = Instant::now();
    // Nobody ever writes: `cat` waits in open(2) for good.
    let proof = receipt(&["cat", &fifo.to_string_lossy()], Expect::Status(0), Holds::Forever);
    assert_eq!(run(&proof), Err(Missing::Timeout));
    assert!(began.elapsed() >= LIMIT && began.elapsed() < LIMIT * 3);
    let endless = receipt(&["cat", "/dev/zero"], Expect::Status(0), Holds::Forever);
    assert!(matches!(run(&endless), Err(Missing::Failed(e)) if e.errno == libc::EFBIG));
}
