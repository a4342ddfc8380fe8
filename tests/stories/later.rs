//! Stories stay true. Each verb, then each of the things that happen later: what `verify` says then is what happened. The
//! rules here are written from what a learner knows of containers, and share nothing with the engine: what belongs to a run
//! ends with it, what belongs to a container goes with it, what belongs to the machine lasts until it is started anew.

use crate::common::{Choice, DOCENT, Machine, Member, Ran, archive_of, long, say};
use docent::inside::{Host, Journal, Store};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;

/// What a container comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Paused,
    Stopped,
    /// It runs in another run than the story's.
    Anew,
    Removed,
}

/// A verb that leaves receipts. `$0` is docent; box is the container in question, and `/f` the file that changes in it.
struct Verb {
    name: &'static str,
    before: &'static str,
    /// Its last command tells the story.
    verb: &'static str,
    /// What the container has come to by then.
    state: State,
}

const fn verb(name: &'static str, before: &'static str, verb: &'static str, state: State) -> Verb {
    Verb { name, before, verb, state }
}

const RUN: &str = "$0 run -d --name box --network none tiny sh -c \"$program\"; hears";
const PAUSED: &str = "$0 run -d --name box --network none tiny sh -c \"$program\"; hears; $0 pause box";

const VERBS: &[Verb] = &[
    verb(
        "run -d -p",
        "",
        "$0 run -d --name box -p 127.0.0.1:8080:80 -m 64m --cpus 0.5 -w /new/place tiny sh -c \"$program\"; hears",
        State::Running,
    ),
    verb(
        "run",
        "",
        "$0 run --name box --network none tiny sh -c '[ ! -e /up ] || sleep 1000; echo >/up; exit 3' || true",
        State::Stopped,
    ),
    verb("run --rm", "", "$0 run --rm --name box tiny true", State::Removed),
    verb("create", "", "$0 create --name box tiny sleep 1000", State::Stopped),
    verb("start", "$0 create --name box -w /new/place tiny sh -c \"$program\"", "$0 start box; hears", State::Running),
    verb("exec", RUN, "$0 exec box sh -c 'echo exec >>/f'", State::Running),
    verb("cp in", RUN, "$0 cp in box:/f", State::Running),
    verb("cp in, when stopped", "$0 create --name box tiny sleep 1000", "$0 cp in box:/f", State::Stopped),
    verb("cp a directory in", RUN, "$0 cp tree box:/", State::Running),
    verb("cp out", RUN, "rm -f out; $0 cp box:/etc/passwd out", State::Running),
    verb("stop", RUN, "$0 stop -t 0 box", State::Stopped),
    verb("kill", RUN, "$0 kill box; ended", State::Stopped),
    verb("pause", RUN, "$0 pause box", State::Paused),
    verb("unpause", PAUSED, "$0 unpause box", State::Running),
    verb(
        "rename",
        "$0 run -d --name old --network none tiny sh -c \"$program\"; hears",
        "$0 rename old box",
        State::Running,
    ),
    verb("rm -f", RUN, "$0 rm -f box", State::Removed),
    verb("load", RUN, "$0 load -i one.tar", State::Running),
    verb(
        "the recovery of a lost one",
        "$0 run -d --name box tiny sh -c \"$program\"; hears; lose",
        "$0 ps",
        State::Stopped,
    ),
];

/// Something that happens later.
struct Later {
    name: &'static str,
    /// Its last command is the one that tells, where one does.
    happens: &'static str,
    /// In which states of the container it can happen.
    can: &'static [State],
    then: Then,
    /// Mends what the next pair needs.
    mend: &'static str,
}

/// What it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Nothing,
    /// The file in the container, and whether somebody told so.
    File {
        told: bool,
    },
    Directory,
    Paused,
    Resumed,
    Stopped,
    Started,
    /// Started, and ended: by itself, or by the last command.
    Died,
    Again,
    Removed,
    Rebooted,
    Local,
    Moved,
    Tag,
    Renamed,
}

const RUNS: &[State] = &[State::Running];
const LIVE: &[State] = &[State::Running, State::Paused];
const HERE: &[State] = &[State::Running, State::Paused, State::Stopped];
const ALL: &[State] = &[State::Running, State::Paused, State::Stopped, State::Removed];

const fn later(name: &'static str, happens: &'static str, can: &'static [State], then: Then) -> Later {
    Later { name, happens, can, then, mend: "" }
}

const LATER: &[Later] = &[
    later("a copy onto the file", "$0 cp in2 box:/f", HERE, Then::File { told: true }),
    later("a narrated command writes the file", "$0 exec box sh -c 'echo more >>/f'", RUNS, Then::File { told: true }),
    later(
        "an unnarrated command writes the file",
        "DOCENT_NARRATE=off $0 exec box sh -c 'echo more >>/f'",
        RUNS,
        Then::File { told: false },
    ),
    later("PID 1 writes on", "write_on", RUNS, Then::File { told: false }),
    later(
        "PID 1 writes on, and a later command tells what it saw",
        "write_on; $0 exec box sh -c 'echo x >/other'",
        RUNS,
        Then::File { told: false },
    ),
    later("the file is removed by a narrated command", "$0 exec box rm -f /f", RUNS, Then::File { told: true }),
    later(
        "PID 1 writes between two narrated commands that leave the file as it was",
        "$0 exec box sh -c 'cp /f /kept || true'; $0 exec box sh -c 'echo more >>/f'; $0 exec box sh -c 'cat /kept >/f || true'; write_on",
        RUNS,
        Then::File { told: false },
    ),
    later("pause", "$0 pause box", RUNS, Then::Paused),
    later("unpause", "$0 pause box || true; $0 unpause box", LIVE, Then::Resumed),
    later("stop", "$0 stop -t 0 box", HERE, Then::Stopped),
    later("its program is killed by somebody", "kill -9 $(pid); ended", RUNS, Then::Stopped),
    later("start, and the program is killed", "$0 start box; kill -9 $(pid); ended", &[State::Stopped], Then::Died),
    later("start and stop", "$0 start box; $0 stop -t 0 box", &[State::Stopped], Then::Again),
    later("start", "$0 stop -t 0 box; $0 start box", HERE, Then::Started),
    later("rm -f", "$0 rm -f box", HERE, Then::Removed),
    later(
        "rm -f, and another of the same name",
        "$0 rm -f box 2>/dev/null || true; $0 run -d --name box --network none tiny sleep 1000",
        ALL,
        Then::Removed,
    ),
    Later {
        name: "the machine is started anew",
        happens: "for s in $DOCENT_ROOT/containers/*/state.json; do [ ! -e $s ] || { cp -p $s $s.kept; sed -i \"s/$boot/$other_boot/\" $s; }; done; sed -i \"s/$boot/$other_boot/\" $STORY",
        can: ALL,
        then: Then::Rebooted,
        mend: "for s in $DOCENT_ROOT/containers/*/state.json; do [ ! -e $s.kept ] || mv $s.kept $s; done",
    },
    later(
        "another store's container comes and goes",
        "export DOCENT_ROOT=$PWD/other; $0 run -d --name box2 -p 127.0.0.1:8090:80 tiny sleep 1000; $0 rm -f box2; $0 system reset -f",
        ALL,
        Then::Nothing,
    ),
    later("the local file is edited", "echo edited >>out; echo edited >>in", ALL, Then::Local),
    Later {
        name: "a process is moved out of one cgroup",
        happens: "d=$(group); echo $(pid) >$d/../cgroup.procs",
        can: RUNS,
        then: Then::Moved,
        mend: "echo $(pid) >$(group)/cgroup.procs",
    },
    later("the monitor is killed, and the next command finds it", "lose; $0 ps", LIVE, Then::Stopped),
    later("the tag is moved", "$0 load -i two.tar", ALL, Then::Tag),
    later("rename", "$0 rename box renamed", HERE, Then::Renamed),
    later(
        "another container lives and dies",
        "$0 run -d --name by tiny sleep 1000; $0 exec by sh -c 'echo x >/f'; $0 rename by bystander; $0 stop -t 0 bystander; $0 rm bystander",
        ALL,
        Then::Nothing,
    ),
    later(
        "a command that fails",
        "$0 run --rm tiny no-such-program || true; $0 rm no-such || true",
        ALL,
        Then::Nothing,
    ),
    later(
        "commands that only look",
        "$0 ps -a; $0 images; $0 verify; $0 explain; $0 logs box || true; $0 diff box || true",
        ALL,
        Then::Nothing,
    ),
    later("the file becomes a link to the host", "swap ln -s /etc/shadow", HERE, Then::File { told: false }),
    later("the file becomes a FIFO", "swap mkfifo", HERE, Then::File { told: false }),
    later("the file becomes huge", "rm -rf $up/f; truncate -s 1T $up/f", HERE, Then::File { told: false }),
    later("a directory becomes a link to the host", "rm -rf $up/tree; ln -s $PWD/tree $up/tree", HERE, Then::Directory),
];

/// What the scripts need. `$ID` is the container's.
const HELP: &str = r#"
program='trap "echo x >>/f" USR1; echo up >/up; while :; do sleep 1000 & wait $!; done'
boot=$(cat /proc/sys/kernel/random/boot_id)
other_boot=00000000-0000-4000-8000-000000000000
id() { if [ -n "$ID" ]; then echo "$ID"; else ls $DOCENT_ROOT/containers; fi; }
state() { echo $DOCENT_ROOT/containers/$(id)/state.json; }
pid() { jq .init.pid $(state); }
group() { d=/sys/fs/cgroup; [ ! -d $d/pids ] || d=$d/pids; find $d -type d -path "*docent*$(id | cut -c1-12)*" | head -1; }
up=$DOCENT_ROOT/containers/$ID/upper
# Its program has come so far that it hears a signal.
hears() { until [ -s $DOCENT_ROOT/containers/$(id)/upper/up ]; do :; done; }
ended() { until grep -q '"status":"exited"' $(state); do :; done; }
write_on() {
    before=$(stat -c %s $up/f 2>/dev/null || echo 0)
    kill -USR1 $(pid)
    until [ "$(stat -c %s $up/f 2>/dev/null || echo 0)" != $before ]; do :; done
}
lose() { monitor=$(jq .monitor $(state)); kill -9 $monitor; while [ -e /proc/$monitor ]; do :; done; }
swap() { rm -rf $up/f; "$@" $up/f; }
"#;

/// What a receipt is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Run,
    Monitor,
    /// Of a process that had ended when its story did.
    Ended,
    Container,
    Machine,
    Store,
}

fn of(verb: &Verb, kind: &str, event: &Value, init: Option<u64>) -> Of {
    let into = event["into_container"] != false;
    match kind {
        "security.session" if verb.name != "exec" && event["by_pid"].as_u64() != init => Of::Monitor,
        "cow.copied" if !into => Of::Store,
        "cow.change" | "cow.copied" | "mount.point" | "network.files" => Of::Container,
        "container.created" | "container.renamed" | "container.exited" | "container.lost" => Of::Container,
        "store.made" | "container.removed" => Of::Store,
        "network.bridge" | "network.bridge-reused" | "network.nat" | "network.forward-guard" => Of::Machine,
        "network.sysctl" | "network.veth-removed" | "cgroup.removed" => Of::Machine,
        _ => match kind.split('.').next() {
            Some("image") => Of::Store,
            Some("mount" | "namespace" | "security" | "process" | "cgroup") if verb.name == "exec" => Of::Ended,
            Some("mount" | "namespace" | "security" | "process" | "cgroup" | "network" | "container") => Of::Run,
            _ => panic!("{kind}: whose is it?"),
        },
    }
}

/// What there is to say of a receipt when that has happened. `number` is the command that told it.
fn want(verb: &Verb, kind: &str, receipt: &str, of: Of, then: Then, number: u64) -> String {
    let told = format!("changed by {number}");
    let untold = "changed by nobody".to_string();
    let now = match then {
        Then::Stopped => State::Stopped,
        Then::Started => State::Anew,
        Then::Removed => State::Removed,
        _ => verb.state,
    };
    let now = if verb.state == State::Removed { State::Removed } else { now };
    let rebooted = then == Then::Rebooted;
    let gone = match (of, now) {
        (Of::Store, _) => "",
        (Of::Container | Of::Run, State::Removed) => "removed",
        (Of::Run | Of::Monitor | Of::Ended | Of::Machine, _) if rebooted => "rebooted",
        (Of::Run, State::Stopped) => "stopped",
        (Of::Run, State::Anew) => "restarted",
        (Of::Ended, _) | (Of::Monitor, State::Stopped | State::Anew | State::Removed) => "ended",
        _ => "",
    };
    if !gone.is_empty() {
        return format!("gone {gone}");
    }
    match (then, kind) {
        (Then::File { told: true }, "cow.change" | "cow.copied") if receipt.contains("/upper/f\"") => told,
        (Then::File { told: false }, "cow.change" | "cow.copied") if receipt.contains("/upper/f\"") => untold,
        (Then::Directory, "cow.change" | "cow.copied") if receipt.contains("/upper/tree") => untold,
        (Then::Paused, "cgroup.thawed") | (Then::Resumed, "cgroup.frozen") => told,
        (Then::Started, "container.exited" | "container.lost" | "cgroup.removed") if now == State::Anew => told,
        // All others ended by SIGKILL before, too.
        (Then::Again, "container.exited") if verb.name == "run" => told,
        (Then::Died, "container.exited") if verb.name == "run" => "changed by monitor".into(),
        (Then::Renamed, "container.created" | "container.renamed") | (Then::Tag, "image.tagged") => told,
        (Then::Moved, "cgroup.joined") => untold,
        (Then::Local, "cow.copied") if of == Of::Store => untold,
        _ => "true".into(),
    }
}

/// A verdict in the same words.
fn said(line: &Value) -> String {
    match line["verdict"].as_str().unwrap_or_default() {
        "gone" => format!("gone {}", line["why"].as_str().unwrap_or_default()),
        "changed" => match (&line["by"]["command"], line["by"].as_str()) {
            (Value::Number(n), _) => format!("changed by {n}"),
            (_, Some("unknown")) => "changed by nobody".into(),
            (_, by) => format!("changed by {}", by.unwrap_or_default()),
        },
        other => other.into(),
    }
}

struct Bench {
    machine: Machine,
    verdicts: BTreeMap<String, usize>,
    wrong: Vec<String>,
    slowest: (std::time::Duration, String),
}

impl Bench {
    fn script(&self, env: &[(&str, &str)], text: &str) -> Ran {
        let whole = format!("{HELP}\n{text}");
        let mut command = self.machine.limited(60, &["bash", "-ec", &whole, DOCENT]);
        command.env("DOCENT_NARRATE", "brief").env("ID", "").envs(env.iter().copied()).stdin(Stdio::null());
        Ran::of(text.into(), &command.output().expect("bash"))
    }

    /// The number of the last command.
    fn last(&self) -> u64 {
        let (store, _) = Store::open(&self.machine.root(), Host::look()).expect("the store");
        Journal::numbers(&store).last().copied().unwrap_or(0)
    }

    fn pair(&mut self, n: usize, verb: &Verb, later: &Later) {
        let what = format!("{}, then {}", verb.name, later.name);
        for (file, text) in [("one.tar", "one"), ("two.tar", "two")] {
            let text = format!("{text} {n}");
            let layer = [Member::file("text", text.as_bytes())];
            archive_of(&self.machine.work().join(file), &[&format!("hello{n}:latest")], &[&layer]);
        }
        let files =
            "echo in >in; echo in2 >in2; mkdir -p tree/deep; echo a >tree/a; echo b >tree/deep/b; ln -sfn a tree/link";
        self.script(&[], &format!("{files}; {}", verb.before)).ok();
        self.script(&[], verb.verb).ok();
        let number = self.last();
        let story = self.machine.root().join(format!("journal/{number:08}.jsonl"));
        let containers = std::fs::read_dir(self.machine.root().join("containers")).into_iter().flatten().flatten();
        let ids: Vec<String> = containers.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        let id = ids.first().cloned().unwrap_or_default();
        let lines = std::fs::read_to_string(&story).expect("the story");
        let events: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let init = events.iter().rfind(|e| e["event"] == "container.started").and_then(|e| e["pid"].as_u64());
        let env = [("ID", id.as_str()), ("STORY", story.to_str().expect("a path"))];
        self.script(&env, later.happens).ok();
        let told = self.last();
        let start = std::time::Instant::now();
        let ran = self.machine.docent(&["verify", "--format", "json", &number.to_string()]);
        let took = start.elapsed();
        if took > self.slowest.0 {
            self.slowest = (took, what.clone());
        }
        for line in ran.stdout.lines() {
            let line: Value = serde_json::from_str(line).expect("a line of JSON");
            let (kind, receipt) = (line["event"].as_str().expect("a kind"), line["receipt"].to_string());
            let event = events.iter().find(|e| e["receipt"] == line["receipt"]);
            let event = event.unwrap_or(&Value::Null);
            let of = of(verb, kind, event, init);
            let want = want(verb, kind, &receipt, of, later.then, told);
            let said = said(&line);
            let class = said.trim_end_matches(|c: char| c.is_ascii_digit());
            *self
                .verdicts
                .entry(if class == said { said.clone() } else { format!("{class}a command") })
                .or_default() += 1;
            if said != want {
                self.wrong.push(format!("{what}: {kind} is {want}, and verify said {said}: {}", short(&line)));
            }
        }
        if ran.code != 0 {
            self.wrong.push(format!("{what}: verify ended with {}: {}", ran.code, ran.stderr));
        }
        self.script(&env, later.mend).ok();
        self.script(&[], "$0 rm -f box renamed old by bystander 2>/dev/null || true; rm -rf out in in2 tree").ok();
    }
}

/// Enough of a verdict to see why.
fn short(line: &Value) -> String {
    let mut line = line.clone();
    let fields = ["evidence", "stamp", "needs", "holds", "also"];
    if let Some(receipt) = line["receipt"].as_object_mut() {
        receipt.retain(|name, _| !fields.contains(&name.as_str()));
    }
    line.to_string().chars().take(900).collect()
}

#[test]
fn whatever_happens_later_a_story_stays_true() {
    let Some(machine) = Machine::new("stories", &["bash", "jq", "nft", "ss", "tar", "du"]) else { return };
    machine.docent(&["run", "--rm", "--network", "none", "tiny", "true"]).ok();
    let mut bench = Bench { machine, verdicts: BTreeMap::new(), wrong: Vec::new(), slowest: Default::default() };
    let can =
        |v: usize| -> Vec<usize> { (0..LATER.len()).filter(|l| LATER[*l].can.contains(&VERBS[v].state)).collect() };
    let all: BTreeSet<(usize, usize)> =
        (0..VERBS.len()).flat_map(|v| can(v).into_iter().map(move |l| (v, l))).collect();
    assert!((0..VERBS.len()).all(|v| can(v).len() >= 10 || VERBS[v].state == State::Removed), "ten for each");
    let (mut choice, seed) = Choice::seeded();
    let mut chosen = all.clone();
    let only = std::env::var("DOCENT_TEST_ONLY").ok();
    if let Some(only) = &only {
        chosen.retain(|(v, l)| format!("{}, then {}", VERBS[*v].name, LATER[*l].name).contains(only.as_str()));
    } else if !long() {
        // Of each verb some, and each that can happen later.
        chosen = (0..VERBS.len()).flat_map(|v| [v; 3]).map(|v| (v, can(v)[choice.below(can(v).len())])).collect();
        for l in 0..LATER.len() {
            let verbs: Vec<usize> = (0..VERBS.len()).filter(|v| can(*v).contains(&l)).collect();
            chosen.insert((verbs[choice.below(verbs.len())], l));
        }
    }
    for (n, (v, l)) in chosen.iter().enumerate() {
        bench.pair(n, &VERBS[*v], &LATER[*l]);
    }
    let counts: Vec<String> = bench.verdicts.iter().map(|(said, n)| format!("{n} {said}")).collect();
    say(&format!(
        "stories: {} of {} pairs of {} verbs and {} later events (seed {seed}): {}; false: {}; slowest {:?} ({})",
        chosen.len(),
        all.len(),
        VERBS.len(),
        LATER.len(),
        counts.join(", "),
        bench.verdicts.get("false").unwrap_or(&0),
        bench.slowest.0,
        bench.slowest.1
    ));
    assert!(bench.wrong.is_empty(), "{} wrong:\n{}", bench.wrong.len(), bench.wrong.join("\n"));
}
