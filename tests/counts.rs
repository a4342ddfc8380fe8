//! What the verbs cost, in counts that do not depend on the machine's speed: system calls, processes, syncs.
//!
//! Bounds are a little above what was measured when they were written; a change that needs more has to say so here.

mod common;

use common::Machine;

struct Cost {
    calls: u64,
    clones: u64,
    execs: u64,
    syncs: u64,
}

/// Counts of one docent command with all its processes; the container's own program (`true`) is in it.
fn cost(m: &Machine, args: &[&str]) -> Cost {
    let mut argv = vec!["strace", "-f", "-c", "-U", "calls,name", "-o", "counts", common::DOCENT];
    argv.extend(args);
    m.run(&argv).ok();
    let text = m.sh("cat counts").ok().stdout;
    let count = |names: &[&str]| -> u64 {
        text.lines()
            .filter_map(|l| {
                let mut fields = l.split_whitespace();
                let (calls, name) = (fields.next()?.parse::<u64>().ok()?, fields.next()?);
                names.contains(&name).then_some(calls)
            })
            .sum()
    };
    Cost {
        calls: count(&["total"]),
        clones: count(&["clone", "clone3", "fork", "vfork"]),
        execs: count(&["execve"]),
        syncs: count(&["fsync", "fdatasync", "sync", "syncfs"]),
    }
}

fn check(what: &str, cost: &Cost, most: &Cost) {
    common::say(&format!(
        "{what}: {} calls, {} clones, {} execs, {} syncs",
        cost.calls, cost.clones, cost.execs, cost.syncs
    ));
    assert!(cost.calls <= most.calls, "{what}: {} system calls, at most {}", cost.calls, most.calls);
    assert!(cost.clones <= most.clones, "{what}: {} processes", cost.clones);
    assert!(cost.execs <= most.execs, "{what}: {} execs", cost.execs);
    assert!(cost.syncs <= most.syncs, "{what}: {} syncs", cost.syncs);
}

#[test]
fn verbs_cost_what_they_cost() {
    let Some(m) = Machine::new("counts", &["strace"]) else { return };
    m.docent(&["create", "--name", "made", "tiny", "true"]).ok();
    let most = |calls, clones, execs, syncs| Cost { calls, clones, execs, syncs };
    // The command line, its monitor, the container.
    let run = cost(&m, &["run", "--rm", "--network", "none", "tiny", "true"]);
    check("run --rm", &run, &most(2600, 2, 3, 0));
    let told =
        cost(&m, &["--narrate", "learn", "--narrate-to", "told", "run", "--rm", "--network", "none", "tiny", "true"]);
    check("run --rm, narrated", &told, &most(2700, 2, 3, 0));
    // Three in a hundred at most; it is 2.6.
    assert!(told.calls * 100 <= run.calls * 103, "narration costs {} of {} calls", told.calls - run.calls, run.calls);
    check("create", &cost(&m, &["create", "tiny", "true"]), &most(700, 0, 1, 0));
    // The template library lexes in a thread of its own; nothing is forked afterwards.
    check("ps -a", &cost(&m, &["ps", "-a"]), &most(600, 3, 1, 0));
    check("images", &cost(&m, &["images"]), &most(600, 3, 1, 0));
    check("rm", &cost(&m, &["rm", "made"]), &most(700, 0, 1, 1));
    m.docent(&["run", "-d", "--name", "up", "--network", "none", "tiny", "sleep", "1000"]).ok();
    // The monitor, which starts the program, is not a child of this strace: its share is not counted here.
    check("exec", &cost(&m, &["exec", "up", "true"]), &most(500, 0, 1, 0));
    check("rm -f", &cost(&m, &["rm", "-f", "up"]), &most(700, 0, 1, 1));
    for name in ["one", "two", "three"] {
        m.docent(&["run", "-d", "--name", name, "--network", "none", "tiny", "sleep", "1000"]).ok();
    }
    check("rm -f of three", &cost(&m, &["rm", "-f", "one", "two", "three"]), &most(1500, 0, 1, 1));
    assert_eq!(cost(&m, &["version"]).clones, 0);
}

/// How often /proc/self/mountinfo is opened, by a command with all its processes.
fn looks_at_mounts(m: &Machine, args: &[&str]) -> usize {
    let mut argv = vec!["strace", "-f", "-e", "trace=open,openat", "-o", "opens", common::DOCENT];
    argv.extend(args);
    m.run(&argv).ok();
    m.sh("cat opens").ok().stdout.matches("\"/proc/self/mountinfo\"").count()
}

/// The layout of the cgroups is looked at once in each process and passed down; what is launched needs no look.
#[test]
fn the_host_is_looked_at_once() {
    let Some(m) = Machine::new("counts::host", &["strace"]) else { return };
    for name in ["one", "two"] {
        m.docent(&["run", "-d", "--name", name, "--network", "none", "tiny", "sleep", "1000"]).ok();
    }
    assert_eq!(looks_at_mounts(&m, &["run", "--rm", "--network", "none", "tiny", "true"]), 2, "command and monitor");
    for args in
        [&["ps"][..], &["explain", "--", "run", "tiny"], &["pause", "one"], &["stop", "one"], &["rm", "-f", "two"]]
    {
        assert_eq!(looks_at_mounts(&m, args), 1, "{args:?}");
    }
}
