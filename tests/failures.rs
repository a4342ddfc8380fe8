//! Failures that were once told as something else, each with the cause that is now named.

mod common;

use common::{DOCENT, Machine, Ran};
use serde_json::Value;

/// A command with its records: the kinds of its events with their outcome, and its last error.
struct Recorded {
    ran: Ran,
    events: Vec<Value>,
    fault: Value,
}

fn record(m: &Machine, command: &str) -> Recorded {
    m.sh("rm -f told").ok();
    let ran = m.run(&[
        "sh",
        "-c",
        &command.replace("docent", &format!("'{DOCENT}' --lang en --narrate json --narrate-to told")),
    ]);
    let text = m.sh("cat told").ok().stdout;
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let fault =
        lines.iter().filter_map(|line| line["faults"].as_array()?.last()).next_back().cloned().unwrap_or_default();
    Recorded { ran, events: lines.into_iter().filter(|line| line["record"] == "event").collect(), fault }
}

impl Recorded {
    fn find(&self, event: &str) -> &Value {
        self.events.iter().find(|line| line["event"] == event).unwrap_or(&Value::Null)
    }
}

#[test]
fn a_failed_copy_names_what_stays() {
    let Some(m) = Machine::new("failures::copy", &[]) else { return };
    let full = "mkdir -p full/root tree; mount -t tmpfs -o size=40m none full; echo small > tree/a; head -c 60000000 /dev/zero > tree/z; \
                $0 --root full/root run -d --name web --network none tiny sleep 1000";
    m.sh(full).ok();
    let copied = record(&m, "docent --root full/root cp tree/. web:/srv");
    assert_eq!(
        (copied.ran.code, &copied.find("cow.copied")["outcome"]["is"]),
        (1, &"failed".into()),
        "{:?}",
        copied.events
    );
    assert_eq!(copied.find("cow.copied")["outcome"]["error"]["errno"], libc::ENOSPC);
    let stays = copied.find("cow.copied-partly");
    assert_eq!((stays["entries"].as_u64(), &stays["placed"][0]), (Some(1), &"/srv/a".into()), "{stays}");
    let there = m.sh("$0 --root full/root exec web ls -A /srv").ok().stdout;
    assert_eq!(there, "a\n", "what is named is there, and nothing else");
    m.sh("$0 --root full/root rm -f web; umount -l full").ok();
}

#[test]
fn a_process_that_dies_before_its_program_was_not_executed() {
    let Some(m) = Machine::new("failures::killed", &["strace"]) else { return };
    m.docent(&["run", "--rm", "tiny", "true"]).ok();
    let kill = "strace -qq -f -o trace -P /bin/true -e trace=execve -e inject=execve:signal=KILL docent run --rm --network none tiny /bin/true";
    let killed = record(&m, kill);
    assert_eq!((killed.ran.code, &killed.fault["fault"]), (125, &"killed-early".into()), "{:?}", killed.ran);
    assert_eq!(killed.find("process.exec")["outcome"]["is"], "failed");
    assert!(killed.find("container.started").is_null(), "{:?}", killed.events);
    // A program that ends at once was executed.
    let done = record(&m, "docent run --rm --network none tiny /bin/true");
    assert_eq!((done.ran.code, &done.find("process.exec")["outcome"]["is"]), (0, &"done".into()));
}

/// The child dies while its monitor reaches into its network namespace.
#[test]
fn a_step_before_the_network_names_its_own_cause() {
    let Some(m) = Machine::new("failures::before", &["strace"]) else { return };
    m.docent(&["run", "--rm", "tiny", "true"]).ok();
    for (inject, key, step) in [("setns:error=EPERM", "step", "mounts"), ("setns:signal=KILL", "killed-early", "")] {
        let call = inject.split(':').next().unwrap_or_default();
        for _ in 0..10 {
            let strace = format!("strace -qq -f -o trace -e trace={call} -e inject={inject} docent run --rm tiny true");
            let failed = record(&m, &strace);
            assert_eq!((failed.ran.code, &failed.fault["fault"]), (125, &key.into()), "{:?}", failed.ran);
            assert!(failed.ran.stderr.contains(step), "{}", failed.ran.stderr);
        }
    }
}

#[test]
fn a_child_killed_for_memory_is_not_the_containers_end() {
    let Some(m) = Machine::new("failures::memory", &[]) else { return };
    let eats = "x=$(head -c 60000000 /dev/zero | tr '\\0' a)";
    std::fs::write(m.work().join("child"), format!("sh -c \"{}\"; exit 3", eats.replace('$', "\\$"))).expect("child");
    let run = "docent run --name NAME -m 20m --network none tiny sh -c \"$(cat child)\"";
    let child = record(&m, &run.replace("NAME", "one"));
    if child.fault["fault"] == "limit-refused" {
        return common::skip("failures::memory", "no memory controller here");
    }
    let end = child.find("container.exited");
    assert_eq!(
        (child.ran.code, end["oom"].as_bool(), end["signal"].is_null()),
        (3, Some(false), true),
        "{end} {:?}",
        child.ran
    );
    assert!(end["oom_kills"].as_u64() >= Some(1), "{end}");
    let inspected = m.docent(&["inspect", "one", "-f", "{{.State.OOMKilled}}"]).ok().stdout;
    assert_eq!(inspected, "true\n", "Docker's word is about any process");
    // The program itself, which the kernel must choose since it is the largest; its end is the container's.
    let own = record(
        &m,
        &run.replace("NAME", "two").replace("sh -c \"$(cat child)\"", "awk 'BEGIN { for (s = \"x\"; ; ) s = s s }'"),
    );
    let end = own.find("container.exited");
    assert_eq!((own.ran.code, end["oom"].as_bool()), (137, Some(true)), "{end} {:?}", own.ran);
}

#[test]
fn memory_that_does_not_suffice_for_the_launch_is_named() {
    let Some(m) = Machine::new("failures::too-small", &[]) else { return };
    m.sh("$0 create --name web --network none -m 6m tiny true").ok();
    let limit = "for f in memory/memory.limit_in_bytes memory.max; do f=/sys/fs/cgroup/$f; test -w $f && echo 200000 > $f && exit; done; exit 3";
    if m.sh(limit).code != 0 {
        return common::skip("failures::too-small", "no memory controller here");
    }
    let started = record(&m, "docent start web");
    assert_eq!((started.ran.code, &started.fault["fault"]), (1, &"memory-too-small".into()), "{:?}", started.ran);
    assert!(
        started.ran.stderr.contains("OOM-killed") && started.ran.stderr.contains("6 MiB"),
        "{}",
        started.ran.stderr
    );
    let code = m.docent(&["inspect", "web", "-f", "{{.State.ExitCode}}"]).ok().stdout;
    assert_eq!(code, "128\n");
}

#[test]
fn who_has_a_port_is_named() {
    let Some(m) = Machine::new("failures::port", &[]) else { return };
    m.sh("$0 run -d --name web -p 8080:80 tiny sleep 1000").ok();
    for (command, who) in [
        ("docent run -d -p 8080:80 tiny sleep 9", "The container web has it."),
        ("docent run -d -p 127.0.0.1:8080:80 tiny sleep 9", "The container web has it."),
        ("docent run -d -p 8090:80 -p 8090:81 tiny sleep 9", "An earlier -p of this very container has it."),
        ("docent --root other run -d -p 8080:80 tiny sleep 9", "(docent-monitor) has it."),
    ] {
        let taken = record(&m, command);
        assert_eq!((taken.ran.code, &taken.fault["fault"]), (125, &"port-taken".into()), "{:?}", taken.ran);
        assert!(taken.ran.stderr.contains(who), "{command}: {}", taken.ran.stderr);
        let published = taken.events.iter().rfind(|e| e["event"] == "network.published").expect("told");
        assert_eq!(published["outcome"]["error"]["errno"], libc::EADDRINUSE, "{published}");
    }
}

#[test]
fn explain_tells_what_the_last_command_failed_with() {
    let Some(m) = Machine::new("failures::explain", &[]) else { return };
    m.docent(&["run", "--rm", "--network", "none", "tiny", "true"]).ok();
    for (command, says) in [
        (&["run", "no-such-image:1"][..], "exit code 125"),
        (&["run", "--rm", "--network", "none", "tiny", "no-such-program"], "exit code 127"),
        (&["rm", "no-such"], "exit code 1"),
    ] {
        let ran = m.docent(&[&["--lang", "en"][..], command].concat());
        let told = m.docent(&["--lang", "en", "explain"]).ok().stdout;
        // However its lines are broken.
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let (told, said) = (words(&told), words(&ran.stderr));
        assert!(told.contains(says) && told.contains(&said), "{command:?}: {told}\n{said}");
    }
}
