//! Every proof as a learner runs it: the text that `verify` and `explain` print, given to a shell in a directory of the
//! learner's own. What it prints is what the event claims, and it prints something.

use crate::common::scenario::VERBS;
use crate::common::{DOCENT, Machine, archive, say};
use docent::inside::verify::{Answer, agrees};
use docent::inside::{DEFINITIONS, Event, Journal, Outcome, Provable, Store};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;
use std::process::Stdio;

/// What the verbs' scenario does not tell; each line is a command by itself, like those.
const MORE: &str = r#"
"$0" run -d --name web -p 127.0.0.1:8080:80 -m 64m --cpus 0.5 --pids-limit 50 --read-only tiny sleep 1000
"$0" run -d --name box --network none -w "/new place/\$(touch w)" -h 'a-b' tiny sleep 1000
"$0" exec box sleep 1001 >/dev/null 2>&1 & until grep -qs process.exec "$(ls $DOCENT_ROOT/journal/*.jsonl | tail -1)"; do :; done
pkill -x -f 'sleep 1001'
"$0" exec box sh -c 'rm -rf /etc/nginx; rm -f /etc/motd; mkdir /etc/motd; mkdir -p /a/b; echo x >/a/b/c; mkfifo /fifo; ln -s /etc/shadow /link; chmod 700 /etc'
"$0" exec box sh -c 'rm -r /a; echo y >/a; rm /link; mkdir /link'
"$0" create --name other tiny true
"$0" cp "names/." other:/
"$0" cp names other:'/the "copies"; $(touch c)'
"$0" cp "other:/it's" 'local $(touch l)'
"$0" cp -a other:/ 'back '"'"'x'
"$0" rm other
"$0" pause box
"$0" unpause box
kill -9 $(jq .monitor $DOCENT_ROOT/containers/*/state.json); while "$0" ps -q | grep -q .; do :; done
"$0" start box
"$0" rm -f box web
"$0" run -d --name gone tiny sleep 1000; nsenter --target $(jq .init.pid $DOCENT_ROOT/containers/*/state.json) --net -- sleep 1002 >/dev/null 2>&1 & until [ -n "$(pgrep -x -f 'sleep 1002')" ]; do :; done
kill -9 $(jq .monitor $DOCENT_ROOT/containers/*/state.json); while "$0" ps -q | grep -q .; do :; done
pkill -x -f 'sleep 1002'
DOCENT_ROOT="$PWD/it's \$(touch s) \"a root\"" "$0" run --rm tiny true
nft flush ruleset; ip link del "$(ip -o link show type bridge | cut -d' ' -f2 | tr -d : | head -1)" || true
"$0" run --rm tiny true
"$0" rm -f gone
"#;

/// Names that a shell, a terminal or an encoding could take for something else.
const NAMES: &[&[u8]] = &[
    b"plain",
    b"with  spaces ",
    b"it's",
    b"a \"quote\"",
    b"$(touch d)",
    b"`touch b`",
    b"a;touch e",
    b"back\\slash\\n",
    b"new\nline",
    b"tab\tand\rreturn",
    b"not text \xff\xfe",
    b"\xff'$(touch f)",
    b"-rf",
    b"~",
    b"#no comment",
    b"*",
    b"!!",
    b"\xea\xb0\x80\xeb\x82\x98",
    // RIGHT-TO-LEFT OVERRIDE, and the escape that clears a screen.
    b"\xe2\x80\xaegnp.exe",
    b"\x1b[2J",
    b"end\\",
];

/// Prints nothing when what it claims is so, with the reason.
const SILENT: &[(&str, &str)] = &[];

#[derive(Default)]
struct Told {
    proofs: usize,
    kinds: BTreeMap<&'static str, usize>,
    programs: BTreeSet<String>,
    /// Of which the time was over at once.
    past: BTreeSet<&'static str>,
    wrong: Vec<String>,
}

#[test]
fn every_proof_run_by_hand_prints_what_is_claimed() {
    let needs = ["bash", "script", "jq", "nft", "ss", "tar", "du", "pgrep", "pkill"];
    let Some(machine) = Machine::new("by_hand", &needs) else { return };
    archive(&machine.work().join("hello.tar"), "hello:latest");
    names(&machine.work().join("names"));
    let mut told = Told::default();
    let mut last = 0;
    for line in VERBS.lines().filter(|line| !line.starts_with("trap ")).chain(MORE.lines()) {
        let ran = machine
            .command(&["bash", "-ec", line, DOCENT])
            .env("DOCENT_NARRATE", "brief")
            .stdin(Stdio::null())
            .output();
        let ran = ran.expect("bash");
        assert!(ran.status.success(), "{line}: {}", String::from_utf8_lossy(&ran.stderr));
        last = by_hand(&machine, &machine.root(), last, &mut told);
    }
    let odd = machine.work().join("it's $(touch s) \"a root\"");
    by_hand(&machine, &odd, 0, &mut told);
    // As long as another store of the machine is there, it may need the kernel's setting.
    machine.command(&[DOCENT, "system", "reset", "-f"]).env("DOCENT_ROOT", &odd).output().expect("docent");
    reset(&machine, &mut told);
    // No name was taken for a command.
    for made in ["b", "c", "d", "e", "f", "l", "s", "w"] {
        assert!(!machine.work().join(made).exists(), "{made} was made");
    }
    let proven = DEFINITIONS.iter().filter(|d| matches!(d.proof, Provable::By { .. })).map(|d| d.name);
    let proven: BTreeSet<&str> = proven.collect();
    let seen: BTreeSet<&str> = told.kinds.keys().copied().collect();
    say(&format!(
        "by hand: {} proofs of {} kinds of events by {} programs, {} not as claimed",
        told.proofs,
        seen.len(),
        told.programs.len(),
        told.wrong.len()
    ));
    assert!(told.wrong.is_empty(), "{}", told.wrong.join("\n"));
    assert_eq!(proven.difference(&seen).collect::<Vec<_>>(), Vec::<&&str>::new(), "never run by hand");
}

/// Files, directories and links of such names.
fn names(dir: &std::path::Path) {
    use std::os::unix::ffi::OsStrExt;
    for (n, name) in NAMES.iter().enumerate() {
        for (below, kind) in ["", "dirs", "links"].iter().enumerate() {
            let dir = dir.join(kind);
            std::fs::create_dir_all(&dir).expect("a directory");
            let path = dir.join(std::ffi::OsStr::from_bytes(name));
            let made = match below {
                0 => std::fs::write(&path, format!("{n}\n")),
                1 => std::fs::create_dir(&path),
                _ => std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(NAMES[(n + 1) % NAMES.len()]), &path),
            };
            made.expect("made");
        }
    }
}

/// Runs by hand what commands after `last` told and `verify` finds true; what it finds false is wrong anyway. Gives the newest.
fn by_hand(machine: &Machine, root: &PathBuf, last: u64, told: &mut Told) -> u64 {
    let (store, _) = Store::open(root, docent::inside::Host::look()).expect("the store");
    let numbers: Vec<u64> = Journal::numbers(&store).into_iter().filter(|n| *n > last).collect();
    for number in &numbers {
        let Ok(record) = Journal::read(&store, *number) else { continue };
        let docent = |args: &[&str]| {
            let ran = machine.command(&[&[DOCENT], args].concat()).env("DOCENT_ROOT", root).output().expect("docent");
            String::from_utf8_lossy(&ran.stdout).into_owned()
        };
        let n = number.to_string();
        if !record.events.iter().any(|event| event.receipt.is_some() && event.outcome == Outcome::Done) {
            continue;
        }
        let printed = [docent(&["explain", "--level", "deep", &n]), docent(&["verify", "--narrate", "full", &n])];
        let verdicts = docent(&["verify", "--format", "json", &n]);
        for line in verdicts.lines() {
            let said: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
            let id = said["id"].as_u64().expect("an id") as usize;
            let event = &record.events[id - 1];
            match said["verdict"].as_str() {
                Some("true") => run(machine, event, &printed, told),
                Some("gone" | "changed") => drop(told.past.insert(event.fact.definition().name)),
                _ => told.wrong.push(format!("verify says of command {n}: {line}")),
            }
        }
    }
    // Records in the making, as of a command in the background, are looked at with the next.
    numbers.last().copied().unwrap_or(last)
}

/// What `printed` says, too, is the same text.
fn run(machine: &Machine, event: &Event, printed: &[String], told: &mut Told) {
    let kind = event.fact.definition().name;
    let receipt = event.receipt.as_ref().expect("a receipt");
    for proof in receipt.proofs() {
        let text = proof.quoted();
        let shows = |printed: &&String| printed.lines().any(|line| line.ends_with(&format!(" {text}")));
        if let Some(other) = printed.iter().find(|printed| !shows(printed)) {
            told.wrong.push(format!("{kind}: {text} is not printed in {other}"));
        }
        let mut command = machine.command(&["bash", "-c", &text]);
        let ran = command.env_remove("LC_ALL").env("LANG", "C").stdin(Stdio::null()).output().expect("bash");
        let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let answer = Answer { out: lossy(&ran.stdout), err: lossy(&ran.stderr), status: ran.status.code() };
        told.proofs += 1;
        *told.kinds.entry(kind).or_default() += 1;
        told.programs.insert(text.split(' ').next().unwrap_or_default().into());
        if !agrees(receipt, &proof.expect, &answer) {
            told.wrong.push(format!("{kind}: {text}\n  {:?}\n  {}\n  {answer:?}", proof.expect, receipt.evidence));
        }
        let silent = SILENT.iter().any(|(name, _)| *name == kind);
        if silent != (answer.out.is_empty() && answer.err.is_empty()) {
            told.wrong.push(format!("{kind}: {text} prints {answer:?}"));
        }
    }
}

/// What is told when the store goes is in no journal.
fn reset(machine: &Machine, told: &mut Told) {
    machine.docent(&["run", "--rm", "tiny", "true"]).ok();
    machine.docent(&["--narrate", "json", "--narrate-to", "told", "system", "reset", "-f"]).ok();
    let lines = std::fs::read_to_string(machine.work().join("told")).expect("told");
    let events = lines.lines().filter_map(|line| serde_json::from_str::<Event>(line).ok());
    let mut seen = HashSet::new();
    for event in events.filter(|event| event.receipt.is_some() && event.outcome == Outcome::Done) {
        // What was there before the reset is gone now.
        let kind = event.fact.definition().name;
        if kind.ends_with("-removed") || kind == "network.sysctl" {
            seen.insert(kind);
            run(machine, &event, &[], told);
        }
    }
    assert!(seen.len() >= 2, "{seen:?}");
}
