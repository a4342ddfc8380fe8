//! Verdicts over real files and programs, and what must never run.

use super::*;
use crate::store::Header;
use std::fs;
use std::time::Instant;

const TRUE: Verdict = Verdict::True { not_run: Vec::new() };
const ID: &str = "3f2a9c0d1b2c3d4e5f60718293a4b5c6d7e8f90112233445566778899aabbccd";

fn words(line: &[&str]) -> Vec<Bytes> {
    line.iter().map(|w| Bytes::from(*w)).collect()
}

fn receipt(proof: &[&str], expect: Expect, holds: Holds) -> Receipt {
    Receipt { first: Proof { argv: words(proof), expect }, ..Receipt::about("it", holds, "") }
}

fn event(receipt: Option<Receipt>) -> Event {
    Event { receipt, ..Event::of(Fact::MountsKept { private: false }, Vec::new()) }
}

fn record(events: Vec<Event>) -> Record {
    let asked = crate::store::asked(&[], "/", 0, crate::event::Lang::En);
    let asked = crate::event::Asked { boot_id: Some("this".into()), ..asked };
    let header = Header { number: 4, asked };
    Record { header, events, exit: Some(0), took_us: Some(1), faults: Vec::new(), torn: false, broken: None }
}

#[track_caller]
fn one(events: Vec<Event>, later: &[Later], running: bool, exists: bool) -> Verdict {
    let now = Now { is_running: &|_| running, exists: &|_| exists, boot_id: "this".into() };
    let checked = verify(&record(events), later, &now);
    assert_eq!(checked.first().map(|c| c.event), Some(0));
    checked.into_iter().next().map(|c| c.verdict).expect("a verdict")
}

fn by(verdict: &Verdict) -> Option<By> {
    if let Verdict::Changed { by, .. } = verdict { Some(*by) } else { None }
}

#[test]
fn true_changed_gone_and_false_are_told_apart() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("freezer.state");
    let path = file.to_string_lossy().into_owned();
    let claim = || receipt(&["cat", &path], Expect::Equals("FROZEN".into()), Holds::WhileRunning(ID.into()));
    fs::write(&file, "FROZEN\n").expect("written");
    let stamped = claim().stamped(fs::symlink_metadata(&file).ok().map(|meta| Stamp::of(file.as_path(), &meta)));
    assert_eq!(one(vec![event(Some(stamped.clone()))], &[], true, true), TRUE);
    // Nobody has touched the file, and it says otherwise: then it was never so.
    let lie = receipt(&["cat", &path], Expect::Equals("THAWED".into()), Holds::WhileRunning(ID.into()));
    let lie = lie.stamped(stamped.stamp.clone());
    assert!(
        matches!(one(vec![event(Some(lie))], &[], true, true), Verdict::False { found } if found.answer.out == "FROZEN\n")
    );
    fs::write(&file, "THAWED\n").expect("written");
    let unknown = one(vec![event(Some(stamped.clone()))], &[], true, true);
    let changed = fs::metadata(&file).and_then(|m| m.modified()).map(DateTime::<Utc>::from).expect("its time");
    assert!(
        matches!(unknown, Verdict::Changed { by: By::Unknown, when: Some(when), .. } if when == changed),
        "{unknown:?}"
    );
    assert_eq!(by(&one(vec![event(Some(claim()))], &[], true, true)), Some(By::Unknown));
    // Told since about the same subject: in the same command, in a later one, by a monitor.
    let other = Receipt { evidence: "THAWED".into(), ..claim() };
    let thawed = Event { at_us: u64::MAX, ..event(Some(other)) };
    // What was seen again as it was is no change.
    let again = Event { at_us: u64::MAX, ..event(Some(claim())) };
    let in_same = one(vec![event(Some(stamped.clone())), again], &[], true, true);
    assert_eq!(by(&in_same), Some(By::Unknown));
    let in_same = one(vec![event(Some(stamped)), thawed.clone()], &[], true, true);
    assert_eq!(by(&in_same), Some(By::Command(4)));
    for (command, who) in [(Some(7), By::Command(7)), (None, By::Monitor)] {
        let later = [Later { command, time: None, event: thawed.clone() }];
        assert_eq!(by(&one(vec![event(Some(claim()))], &later, true, true)), Some(who));
    }
    // A failed attempt changes nothing.
    let failed = Event { outcome: Outcome::Failed { error: SysError::new("write", "x", libc::EBUSY) }, ..thawed };
    let later = [Later { command: Some(7), time: None, event: failed }];
    assert_eq!(by(&one(vec![event(Some(claim()))], &later, true, true)), Some(By::Unknown));
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
    let told = Event { at_us: u64::MAX, ..Event::of(exited, Vec::new()) };
    let later = [Later { command: None, time: None, event: told }];
    assert_eq!(one(vec![event(Some(claim()))], &later, true, true), Verdict::Gone { why: Gone::Restarted });
}

#[test]
fn nothing_of_another_boot_is_looked_for() {
    let judged = |holds: Holds| {
        let events = vec![event(Some(receipt(&["cat", "/proc/version"], Expect::Equals("x".into()), holds)))];
        let now = Now { is_running: &|_| true, exists: &|_| true, boot_id: "another".into() };
        verify(&record(events), &[], &now).remove(0).verdict
    };
    let rebooted = Verdict::Gone { why: Gone::Rebooted };
    let pid = i32::try_from(std::process::id()).expect("a pid");
    let start = process::start_time(pid).expect("its start");
    for holds in [Holds::UntilReboot, Holds::WhileRunning(ID.into()), Holds::WhileProcess { pid, start }] {
        assert_eq!(judged(holds), rebooted);
    }
    assert_eq!(by(&judged(Holds::Forever)), Some(By::Unknown));
}

#[test]
fn a_process_is_known_by_its_start() {
    let pid = i32::try_from(std::process::id()).expect("a pid");
    let start = process::start_time(pid).expect("its start");
    let judged = |start| {
        let claim = receipt(
            &["readlink", "/proc/self/ns/pid"],
            Expect::Contains("pid:[".into()),
            Holds::WhileProcess { pid, start },
        );
        one(vec![event(Some(claim))], &[], true, true)
    };
    assert_eq!((judged(start), judged(start + 1)), (TRUE, Verdict::Gone { why: Gone::Ended }));
}

/// What a container puts in the way is not followed to the host, and not waited for.
#[test]
fn no_link_of_a_container_leads_a_proof_to_the_host() {
    let dir = tempfile::tempdir().expect("a directory");
    let upper = dir.path().join("containers/x/upper");
    fs::create_dir_all(upper.join("etc")).expect("made");
    fs::write(upper.join("etc/passwd"), "root").expect("written");
    fs::create_dir(dir.path().join("host")).expect("made");
    fs::write(dir.path().join("host/passwd"), "root").expect("written");
    let path = upper.join("etc/passwd").to_string_lossy().into_owned();
    let judged = |argv: &[&str]| {
        let stat = Expect::Contains("4".into());
        one(vec![event(Some(receipt(argv, stat, Holds::Forever)))], &[], true, true)
    };
    let proofs: [&[&str]; 2] = [&["stat", "-c", "%s", &path], &["du", "-b", &path]];
    for argv in proofs {
        assert_eq!(judged(argv), TRUE);
    }
    fs::rename(upper.join("etc"), upper.join("old")).expect("moved");
    std::os::unix::fs::symlink(dir.path().join("host"), upper.join("etc")).expect("made");
    for argv in proofs {
        assert_eq!(by(&judged(argv)), Some(By::Unknown), "{argv:?}");
    }
    fs::remove_file(upper.join("etc")).expect("removed");
    fs::create_dir(upper.join("etc")).expect("made");
    assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
    let began = Instant::now();
    assert_eq!(by(&judged(&["cat", &path])), Some(By::Unknown));
    assert!(began.elapsed() < LIMIT, "it was not waited for");
    // A symlink at the end is looked at by who does not follow it, and by nobody else.
    fs::remove_file(&path).expect("removed");
    std::os::unix::fs::symlink("/etc/hostname", &path).expect("made");
    let target = Expect::Equals("/etc/hostname".into());
    let looked = receipt(&["readlink", &path], target, Holds::Forever);
    assert_eq!(one(vec![event(Some(looked))], &[], true, true), TRUE);
    assert_eq!(by(&judged(&["sha256sum", &path])), Some(By::Unknown));
}

#[test]
fn only_what_is_claimed_is_checked() {
    let claim = || Some(receipt(&["stat", "/"], Expect::Status(0), Holds::Forever));
    let events = vec![
        event(None),
        Event { outcome: Outcome::Failed { error: SysError::new("mount", "/x", libc::EPERM) }, ..event(claim()) },
        Event { outcome: Outcome::Planned, ..event(claim()) },
        event(claim()),
    ];
    let now = Now { is_running: &|_| true, exists: &|_| true, boot_id: "this".into() };
    let checked = verify(&record(events), &[], &now);
    assert_eq!(checked.iter().map(|c| (c.event, c.verdict == TRUE)).collect::<Vec<_>>(), [(3, true)]);
    let now = receipt(&["stat", "/"], Expect::Status(0), Holds::Now);
    assert_eq!(one(vec![event(Some(now))], &[], true, true), Verdict::Gone { why: Gone::Moment });
}

#[test]
fn answers_are_compared_as_they_were_promised() {
    let run = |proof: &[&str], expect: Expect| {
        one(vec![event(Some(receipt(proof, expect, Holds::Forever)))], &[], true, true)
    };
    assert_eq!(run(&["grep", "-c", "", "/dev/null"], Expect::Equals("0".into())), TRUE);
    assert_eq!(run(&["readlink", "/proc/self/ns/pid"], Expect::Contains("pid:[".into())), TRUE);
    assert_eq!(run(&["stat", "/nothing"], Expect::absent()), TRUE);
    // Of several, none may be there; and another reason is not absence.
    assert!(by(&run(&["stat", "/nothing", "/"], Expect::absent())).is_some());
    assert!(by(&run(&["stat", "/proc/version/x"], Expect::absent())).is_some());
    assert!(by(&run(&["stat", "/nothing"], Expect::Status(0))).is_some());
    let (lines, columns) = (["/", "/proc"].map(String::from), "a  b\tc\n");
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("file").to_string_lossy().into_owned();
    fs::write(&file, columns).expect("written");
    assert_eq!(run(&["stat", "-c", "%n", "/", "/proc"], Expect::Whole(lines.clone().into())), TRUE);
    assert_eq!(run(&["stat", "-c", "%n", "/", "/sys", "/proc"], Expect::Lines(lines.clone().into())), TRUE);
    assert!(by(&run(&["stat", "-c", "%n", "/", "/sys", "/proc"], Expect::Whole(lines.into()))).is_some());
    assert_eq!(run(&["cat", &file], Expect::Contains("a b c ".into())), TRUE);
    assert!(by(&run(&["cat", &file], Expect::Contains("b c d".into()))).is_some());
    // No shell: what looks like one is a name.
    assert_eq!(run(&["stat", "/; touch /tmp/docent-evil"], Expect::absent()), TRUE);
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
        &["test", "-e", "/"],
        &["uname", "--", "x"],
        &["tar", "-xf", "/x", "-C", "/"],
        &["tar", "-dvf", "/x", "-C", "/y", "--to-command=sh"],
        &["tar", "-dvf", "/x", "-C", "/y", "--exclude=.wh.*", "--checkpoint-action=exec=sh"],
        &["tar", "-dvf", "host:/x", "-C", "/y", "--exclude=.wh.*"],
        &["du", "--files0-from=/x"],
        &[],
    ] {
        let verdict = one(vec![event(Some(receipt(proof, Expect::Status(0), Holds::Forever)))], &[], true, true);
        assert!(matches!(verdict, Verdict::NotChecked { needs: Missing::Refused(_) }), "{proof:?}: {verdict:?}");
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
    assert!(
        argv.first().and_then(|p| p.to_str()).is_some_and(|p| p.ends_with("/cat") && p.starts_with('/')),
        "{argv:?}"
    );
    let answer =
        run(&receipt(&["cat", "/proc/self/environ"], Expect::Status(0), Holds::Forever).first, &[]).expect("an answer");
    let names: Vec<&str> =
        answer.out.split('\0').filter_map(|v| v.split('=').next()).filter(|n| !n.is_empty()).collect();
    assert_eq!(names, ["LC_ALL", "PATH"]);
    let missing = receipt(&["getfattr", "/"], Expect::Status(0), Holds::Forever);
    if find("getfattr").is_none() {
        assert_eq!(run(&missing.first, &[]), Err(Missing::Tool("getfattr".into())));
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
    assert_eq!(run(&proof.first, &[]), Err(Missing::Timeout));
    assert!(began.elapsed() >= LIMIT && began.elapsed() < LIMIT * 3);
    let endless = receipt(&["cat", "/dev/zero"], Expect::Status(0), Holds::Forever);
    assert!(matches!(run(&endless.first, &[]), Err(Missing::Failed(e)) if e.errno == libc::EFBIG));
}
