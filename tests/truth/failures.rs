//! Failures tell: over all verbs, made by the world and by a witness that lets one call fail. The exit code, the error on standard
//! error, the end record and the events must name one cause, in both languages; and what the witness saw is what was told.
//!
//! Usually a part of the calls is made to fail, chosen by a seed (`DOCENT_TEST_SEED`) that is printed; `DOCENT_TEST_LONG=1` takes
//! all of them.

use super::claims::by_process;
use super::common::{self, DOCENT, Machine, Ran, archive, say};
use super::table::{self, Class, Table};
use super::{Report, witness};
use docent::inside::{Event, Journal, Outcome, Store};
use serde_json::Value;
use std::collections::BTreeSet;

/// What a command must be able to count on: it is run before it, by `sh -e`, once.
struct World {
    verb: &'static str,
    /// Lines for `sh -e`; `$0` is docent.
    before: &'static str,
    words: &'static str,
    code: i32,
    fault: &'static str,
    /// Put right again.
    after: &'static str,
}

const fn world(verb: &'static str, before: &'static str, words: &'static str, code: i32, fault: &'static str) -> World {
    World { verb, before, words, code, fault, after: "" }
}

/// A store that is full, and one that is read-only: both lie on file systems of their own.
const FULL: &str = "mkdir -p full; mount -t tmpfs -o size=32m none full; DOCENT_ROOT=$PWD/full $0 run --rm --network none tiny true; \
     DOCENT_ROOT=$PWD/full $0 run -d --name web --network none tiny sleep 1000; dd if=/dev/zero of=full/fill bs=4k 2> /dev/null || :";
const FULL_END: &str = "rm -f full/fill; DOCENT_ROOT=$PWD/full $0 rm -f web; umount -l full";
const READ_ONLY: &str = "mkdir -p ro; mount -t tmpfs none ro; DOCENT_ROOT=$PWD/ro $0 run --rm --network none tiny true; mount -o remount,ro ro";
const READ_ONLY_END: &str = "umount -l ro";
const NO_GROUPS: &str =
    "for t in /sys/fs/cgroup/* /sys/fs/cgroup; do mountpoint -q $t && mount -o remount,bind,ro $t; done; :";
const GROUPS: &str =
    "for t in /sys/fs/cgroup/* /sys/fs/cgroup; do mountpoint -q $t && mount -o remount,bind,rw $t; done; :";

/// `web` runs with port 8080, `made` is created, `gone` has ended.
const WORLD: &[World] = &[
    world("run", "", "run --rm no-such-image:1", 125, "no-such-image"),
    world("run", "", "run -d --name web tiny true", 125, "name-taken"),
    world("run", "", "run -d -p 8080:80 tiny sleep 9", 125, "port-taken"),
    world("run", "", "run -d -p 127.0.0.1:8080:80 tiny sleep 9", 125, "port-taken"),
    world("run", "", "run -d -p 8090:80 -p 8090:81 tiny sleep 9", 125, "port-taken"),
    world("run", "", "run -d -p 192.0.2.1:8090:80 tiny sleep 9", 125, "step"),
    world("run", "", "run --rm --network none tiny no-such-program", 127, "command-not-found"),
    world("run", "", "run --rm tiny /no/such/program", 127, "command-not-found"),
    world("run", "", "run --rm --network none tiny /etc/passwd", 126, "not-executable"),
    world("run", "", "run --rm --network none tiny /etc", 126, "not-executable"),
    world("run", "", "run --rm --network none tiny /srv/noexec", 127, "command-not-found"),
    world("run", "", "run --rm --network none -u nobody-here tiny true", 125, "no-such-user"),
    world("run", "", "run --rm --network none -u 0:nogroup-here tiny true", 125, "no-such-group"),
    world("run", "", "run --rm --network none -w /etc/passwd tiny true", 126, "bad-workdir"),
    world("run", "", "run --rm -w /etc/passwd/x tiny true", 126, "bad-workdir"),
    world("run", "", "run -it --rm --network none tiny true", 1, "not-a-terminal"),
    World { after: GROUPS, ..world("run", NO_GROUPS, "run --rm tiny true", 125, "step") },
    World { after: GROUPS, ..world("run -m", NO_GROUPS, "run --rm -m 64m --network none tiny true", 125, "step") },
    World { after: GROUPS, ..world("start", NO_GROUPS, "start made", 1, "step") },
    World { after: FULL_END, ..world("run", FULL, "--root full run -d --network none tiny true", 125, "step") },
    World { after: FULL_END, ..world("create", FULL, "--root full create --network none tiny true", 1, "step") },
    World { after: FULL_END, ..world("load", FULL, "--root full load -i hello.tar", 1, "step") },
    World { after: FULL_END, ..world("cp", FULL, "--root full cp big web:/srv/big", 1, "step") },
    World { after: FULL_END, ..world("cp", FULL, "--root full cp tree web:/srv", 1, "step") },
    World { after: FULL_END, ..world("rename", FULL, "--root full rename web other", 1, "step") },
    World { after: READ_ONLY_END, ..world("run", READ_ONLY, "--root ro run --rm tiny true", 125, "store-refused") },
    World { after: READ_ONLY_END, ..world("load", READ_ONLY, "--root ro load -i hello.tar", 1, "store-refused") },
    world("create", "", "create no-such-image:1", 1, "no-such-image"),
    world("create", "", "create --name web tiny true", 1, "name-taken"),
    world("start", "", "start no-such", 1, "no-such-container"),
    world("start", "$0 create --name port -p 8080:80 tiny sleep 9", "start port", 1, "port-taken"),
    world("start", "$0 create --name bad --network none tiny no-such-program", "start bad", 1, "command-not-found"),
    world("exec", "", "exec no-such true", 1, "no-such-container"),
    world("exec", "", "exec gone true", 1, "not-running"),
    world("exec", "", "exec web no-such-program", 127, "command-not-found"),
    world("exec", "", "exec web /etc/passwd", 126, "not-executable"),
    world("exec", "", "exec -w /etc/passwd web true", 126, "bad-workdir"),
    world("exec", "", "exec -u nobody-here web true", 1, "no-such-user"),
    World { after: "$0 unpause web", ..world("exec", "$0 pause web", "exec web true", 1, "is-paused") },
    world("stop", "", "stop no-such", 1, "no-such-container"),
    world("kill", "", "kill gone", 1, "not-running"),
    world("pause", "", "pause gone", 1, "not-running"),
    World { after: "$0 unpause web", ..world("pause", "$0 pause web", "pause web", 1, "already-paused") },
    world("unpause", "", "unpause web", 1, "not-paused"),
    world("wait", "", "wait no-such", 1, "no-such-container"),
    world("rm", "", "rm web", 1, "still-running"),
    world("rm", "", "rm no-such", 1, "no-such-container"),
    world("rename", "", "rename web made", 1, "name-taken"),
    world("rename", "", "rename no-such other", 1, "no-such-container"),
    world("cp", "", "cp no-such-file web:/srv", 1, "local-file"),
    world("cp", "", "cp web:/no/such out", 1, "no-such-path"),
    world("cp", "", "cp web:/etc/passwd no/such/dir", 1, "local-file"),
    world("cp", "", "cp tree web:/etc/passwd", 1, "not-a-directory"),
    world("cp", "", "cp file web:/no/such/dir/x", 1, "no-such-path"),
    world("cp", "", "cp web:/etc file", 1, "not-a-directory"),
    world("load", "", "load -i no-such.tar", 1, "local-file"),
    world("load", "", "load -i tree", 1, "local-file"),
    world("load", "", "load -i file", 1, "archive"),
    world("load", "head -c 3000 hello.tar > cut.tar", "load -i cut.tar", 1, "archive"),
    world("load", "sed s/hello/jello/ hello.tar > other.tar", "load -i other.tar", 1, "archive"),
    world("logs", "", "logs no-such", 1, "no-such-container"),
    world("diff", "", "diff no-such", 1, "no-such-container"),
    world("inspect", "", "inspect no-such", 1, "no-such-object"),
];

const BEFORE: &str = "echo text > file; head -c 300000 /dev/zero > big; mkdir -p tree/deep; echo one > tree/a; echo two > tree/deep/b; \
     $0 run -d --name web -p 8080:80 tiny sleep 1000; $0 create --name made --network none tiny sleep 1000; \
     $0 run --name gone --network none tiny true; $0 exec web mkdir -p /srv/tree";

/// Commands of which each changing call is made to fail; what is there before each, and what is taken away after.
const INJECTED: &[(&str, &str)] = &[
    ("run --rm --network none tiny true", ""),
    ("run -d -p 8085:80 -m 64m --name new tiny sleep 1000", ""),
    ("create --name new tiny true", ""),
    ("start made", ""),
    ("stop -t 0 made", "$0 start made"),
    ("kill web", ""),
    ("pause web", ""),
    ("unpause web", "$0 pause web"),
    ("cp file web:/srv/file", ""),
    ("cp tree web:/srv", ""),
    ("cp web:/etc/passwd out", ""),
    ("rm -f web", ""),
    ("rm gone", ""),
    ("rename made new", ""),
    ("load -i new.tar", ""),
];

/// What a failure came to: its error, as the end record has it, and the events.
struct Told {
    fault: Value,
    events: Vec<Value>,
}

/// The records of one command in a file.
fn told(text: &str) -> Result<Told, String> {
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let end = lines.iter().find(|line| line["record"] == "end").ok_or("no end record")?;
    let fault = end["faults"].as_array().and_then(|all| all.last()).cloned().unwrap_or(Value::Null);
    Ok(Told { fault, events: lines.into_iter().filter(|line| line["record"] == "event").collect() })
}

/// Whether the events have the failure that the error speaks of, and tell nothing as done whose last call failed.
fn one_cause(told: &Told, early: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    let failed: Vec<&Value> = told.events.iter().filter(|e| e["outcome"]["is"] == "failed").collect();
    let fault = &told.fault;
    if let Some(errno) = fault["errno"].as_i64().filter(|_| !early) {
        let same = |event: &&&Value| {
            let error = &event["outcome"]["error"];
            error["errno"] == errno
                && (fault["fault"] != "step" || error["call"] == fault["call"] && error["object"] == fault["object"])
        };
        if !failed.iter().any(|event| same(&event)) {
            wrong.push(format!("no failed event for {fault}: {failed:?}"));
        }
    }
    wrong
}

#[test]
fn failures_that_the_world_makes_have_one_cause_everywhere() {
    let Some(machine) = Machine::new("failures::world", &[]) else { return };
    archive(&machine.work().join("hello.tar"), "hello:1");
    machine.sh(BEFORE).ok();
    let (mut tried, mut wrong, mut verbs) = (0, Vec::new(), BTreeSet::new());
    for world in WORLD {
        if !world.before.is_empty() {
            machine.sh(world.before).ok();
        }
        let mut keys = Vec::new();
        for lang in ["en", "ko"] {
            tried += 1;
            machine.sh("rm -f told").ok();
            let line = format!("'{DOCENT}' --lang {lang} --narrate json --narrate-to told {}", world.words);
            let ran = machine.run(&["sh", "-c", &line]);
            let text = std::fs::read_to_string(machine.work().join("told")).unwrap_or_default();
            let mut found = match told(&text) {
                Err(why) => vec![why.to_string()],
                Ok(told) => {
                    keys.push(["fault", "call", "object", "errno"].map(|key| told.fault[key].clone()));
                    let mut found = one_cause(&told, told.fault["fault"] == "store-refused");
                    if told.fault["fault"] != world.fault {
                        found.push(format!("{} was to come, not {}", world.fault, told.fault));
                    }
                    let message = told.fault["message"].as_str().unwrap_or("\0");
                    if !ran.stderr.contains(message) {
                        found.push(format!("standard error does not say {message:?}: {}", ran.stderr));
                    }
                    found
                }
            };
            if ran.code != world.code {
                found.push(format!("exit code {}, not {}: {}", ran.code, world.code, ran.stderr));
            }
            wrong.extend(found.into_iter().map(|what| format!("{} ({lang}): {what}", world.words)));
        }
        // An id or an address is another each time.
        let kind = |key: &[Value; 4]| (key[0].clone(), key[1].clone(), key[3].clone());
        if keys.len() == 2 && kind(&keys[0]) != kind(&keys[1]) {
            wrong.push(format!("{}: one cause in English, another in Korean: {keys:?}", world.words));
        }
        verbs.insert(world.verb);
        if !world.after.is_empty() {
            machine.sh(world.after).ok();
        }
    }
    say(&format!("failures: {tried} made by the world, {} verbs and flags, {} wrong", verbs.len(), wrong.len()));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A call that can be made to fail: its name, and the how manieth of that name it is in its process.
type Point = (String, usize);

struct Witness {
    machine: Machine,
    table: Table,
    images: usize,
}

impl Witness {
    fn new() -> Option<Witness> {
        let machine = Machine::new("failures::calls", &["strace"])?;
        Some(Witness { machine, table: table::read(), images: 0 })
    }

    /// Everything as at the first time.
    fn begin(&mut self, before: &str) {
        self.machine.sh("$0 ps -aq | xargs -r $0 rm -f").ok();
        self.images += 1;
        archive(&self.machine.work().join("new.tar"), &format!("new:{}", self.images));
        self.machine.sh(&format!("rm -rf out; {BEFORE}; {before}")).ok();
    }

    /// The witness stays with the monitor that the command leaves; then the containers go, and it sees their end too.
    fn run(&self, words: &str, inject: Option<&Point>) -> (Ran, Vec<witness::Seen>, Vec<Event>, common::Mark) {
        let mark = self.machine.mark();
        let trace = self.machine.work().join("trace");
        let unseen = self.table.unseen.calls.join(",");
        let inject = inject.map_or(String::new(), |(name, nth)| format!("-e inject={name}:error=EIO:when={nth}"));
        // In files, since the witness holds them as long as it lives.
        let script = format!(
            "strace -D -f -yy -s 600 -e 'trace=!{unseen}' {inject} -o trace '{DOCENT}' {words} > out 2> err < /dev/null"
        );
        let Ran { code, .. } = self.machine.within(60, &["sh", "-c", &script]);
        let said = |name: &str| std::fs::read_to_string(self.machine.work().join(name)).unwrap_or_default();
        let ran = Ran { what: words.into(), code, stdout: said("out"), stderr: said("err") };
        self.machine.sh("$0 ps -aq | xargs -r $0 rm -f").ok();
        let until = std::time::Instant::now() + common::seconds(20);
        let text = loop {
            let bytes = std::fs::read(&trace).expect("the trace");
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if over(&text) || std::time::Instant::now() > until {
                break text;
            }
            std::thread::yield_now();
        };
        let events = self.machine.events_since(&mark);
        (ran, witness::read(&text, DOCENT), events, mark)
    }

    /// Its changing calls when nothing fails.
    fn points(&self, words: &str) -> Vec<Point> {
        let (ran, seen, ..) = self.run(words, None);
        ran.ok();
        let mut nth: std::collections::HashMap<(i32, &str), usize> = Default::default();
        let mut points = BTreeSet::new();
        for call in &seen {
            let n = nth.entry((call.pid, &call.name)).or_default();
            *n += 1;
            // The first of each process is docent's own beginning; what failed already cannot be made to.
            if self.table.class(call, &self.machine.root()) == Class::Changing
                && call.name != "execve"
                && !call.failed()
            {
                points.insert((call.name.clone(), *n));
            }
        }
        points.into_iter().collect()
    }

    fn judge(&self, words: &str, point: &Point) -> Vec<String> {
        let (ran, seen, events, mark) = self.run(words, Some(point));
        let mut wrong = Vec::new();
        let injected: Vec<_> = seen.iter().filter(|call| call.ret.contains("INJECTED")).collect();
        // Of a monitor that was there before, and of what it starts, the witness has seen nothing.
        let mut claims = by_process(&events);
        claims.retain(|pid, _| seen.iter().any(|call| call.pid == *pid));
        let report = Report::of(&self.table, &seen, &claims, &self.machine.root());
        wrong.extend(report.wrong);
        let failed: Vec<_> = events
            .iter()
            .filter_map(|e| if let Outcome::Failed { error } = &e.outcome { Some(error) } else { None })
            .collect();
        for event in events.iter().filter(|e| e.outcome == Outcome::Done) {
            // The mark of a cgroup's owner is optional: not every kernel takes one. Its call is told as it was answered.
            let failed = |call: &&docent::inside::Call| call.ret == -i64::from(libc::EIO) && call.name != "setxattr";
            if let Some(call) = event.calls.iter().find(failed) {
                wrong.push(format!("told as done: {:?} though {}({}) failed", event.fact, call.name, call.args));
            }
        }
        // The story that cannot be written is told all the same, and that is not seen here.
        if injected.iter().any(|call| call.shown().contains("/journal/")) {
            return Vec::new();
        }
        // The number of a call in its process is another call in another process: maybe one that only looks.
        let looks = |call: &&&witness::Seen| call.name == "openat" && !call.shown().contains("O_CREAT");
        if injected.iter().all(|call| looks(&call) || call.name == "setxattr") {
            return wrong;
        }
        if ran.code == 0 {
            if !failed.iter().any(|error| error.errno == libc::EIO) {
                wrong.push(format!("exit code 0, and nothing is told as failed: {}", injected[0].shown()));
            }
            return wrong;
        }
        let expected = if words.starts_with("run") { 125 } else { 1 };
        if ran.code != expected {
            wrong.push(format!("exit code {}, not {expected}: {}", ran.code, ran.stderr));
        }
        let (store, _) = Store::open(&self.machine.root(), docent::inside::Host::look()).expect("the store");
        let record = Journal::numbers(&store)
            .into_iter()
            .filter(|n| *n > mark.number())
            .find_map(|n| Journal::read(&store, n).ok());
        let Some(fault) = record.and_then(|record| record.faults.into_iter().last()) else {
            wrong.push(format!("no error in the end record: {}", ran.stderr));
            return wrong;
        };
        // What could not be written there cannot be read there.
        let unheard = injected.iter().any(|call| call.name == "write" && call.shown().contains("/work/err>"));
        if !unheard && !ran.stderr.contains(&fault.message) {
            wrong.push(format!("standard error does not say {:?}: {}", fault.message, ran.stderr));
        }
        let text = format!("{} {}", fault.message, fault.cause.unwrap_or_default());
        // A limit that is refused says the call in its words.
        let same = |error: &&&docent::inside::SysError| match &fault.errno {
            Some(errno) if fault.fault == "step" => {
                (Some(&error.call), Some(&error.object), error.errno)
                    == (fault.call.as_ref(), fault.object.as_ref(), *errno)
            }
            Some(errno) => error.errno == *errno,
            None => text.contains(&error.call),
        };
        match failed.iter().find(|error| same(error)) {
            None => wrong.push(format!("no failed event for {text}: {failed:?}")),
            Some(error) if error.errno != libc::EIO => {
                wrong.push(format!("another cause: {error:?}, {}", injected[0].shown()))
            }
            Some(_) => {}
        }
        wrong
    }
}

/// Whether every process of a trace has ended.
fn over(trace: &str) -> bool {
    let (mut all, mut ended) = (BTreeSet::new(), BTreeSet::new());
    for (pid, rest) in trace.lines().filter_map(|line| line.split_once(' ')) {
        all.insert(pid);
        if rest.trim_start().starts_with("+++ ") {
            ended.insert(pid);
        }
    }
    !all.is_empty() && all == ended
}

#[test]
fn a_call_that_fails_is_the_cause_that_is_told() {
    let Some(mut witness) = Witness::new() else { return };
    let (mut choice, seed) = common::Choice::seeded();
    let (mut tried, mut possible, mut wrong) = (0, 0, Vec::new());
    for (words, before) in INJECTED {
        witness.begin(before);
        let all = witness.points(words);
        assert!(!all.is_empty(), "{words}: it changes something");
        possible += all.len();
        let chosen: Vec<&Point> = match common::long() {
            true => all.iter().collect(),
            false => (0..2.min(all.len())).map(|_| &all[choice.below(all.len())]).collect(),
        };
        for point in chosen {
            witness.begin(before);
            tried += 1;
            let found = witness.judge(words, point);
            if !found.is_empty() {
                let line = format!("{words}, {} {}:\n    {}", point.0, point.1, found.join("\n    "));
                say(&line);
                wrong.push(line);
                let Some(fresh) = Witness::new() else { return };
                witness = fresh;
            }
        }
    }
    say(&format!("failures: {tried} of {possible} calls made to fail, seed {seed} (DOCENT_TEST_SEED={seed})"));
    assert!(wrong.is_empty(), "{} of {tried}, seed {seed}:\n{}", wrong.len(), wrong.join("\n"));
}
