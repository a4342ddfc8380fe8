//! The end of a store, and what is left on the host of one that was deleted by hand. Each test is a machine of its own.

mod common;

use common::{DOCENT, Machine};
use docent::inside::{Event, Fact, Kept};
use std::path::Path;

/// Resets a store of the machine; gives what was foreseen, what was told, and how it ended.
fn reset(machine: &Machine, root: &str) -> (Vec<Fact>, Vec<Fact>, String) {
    let facts = |lines: &str| -> Vec<Fact> {
        let told = lines.lines().filter(|line| line.contains("\"record\":\"event\""));
        told.map(|line| serde_json::from_str::<Event>(line).expect(line).fact).collect()
    };
    let foreseen = machine.sh(&format!("DOCENT_ROOT={root} $0 explain --level json -- system reset"));
    let told = "--narrate json --narrate-to told";
    let ran = machine.sh(&format!("rm -f told; DOCENT_ROOT={root} $0 --lang en {told} system reset --force"));
    let error = ran.stderr.lines().collect::<Vec<_>>().join(" ");
    (facts(&foreseen.stdout), facts(&machine.sh("cat told").stdout), format!("{} {error}", ran.code))
}

#[test]
fn nothing_is_removed_without_a_yes() {
    let Some(machine) = Machine::new("reset", &[]) else { return };
    machine.docent(&["run", "-d", "--name", "web", "--network", "none", "tiny", "sleep", "1000"]).ok();
    for (lang, answer, kept) in
        [("en", "n", "Nothing was removed."), ("ko", "", "아무것도 지우지 않았습니다."), ("en", "yess", "Nothing")]
    {
        let ran = machine.sh(&format!("printf '{answer}\\n' | $0 --lang {lang} system reset"));
        assert!(ran.code == 1 && ran.stdout.is_empty() && ran.stderr.contains(kept), "{ran:?}");
        assert!(ran.stderr.contains("web"), "what would go is said: {}", ran.stderr);
    }
    assert_eq!(machine.sh("$0 system reset < /dev/null").code, 1);
    assert_eq!(machine.docent(&["ps", "--format", "{{.Names}}"]).ok().stdout, "web\n");
    machine.sh("echo 예 | $0 --lang ko system reset").ok();
    assert!(!machine.root().exists());
}

/// Everything of the host that docent can touch, as text.
fn host(machine: &Machine) -> String {
    let look = "cat /proc/sys/net/ipv4/ip_forward; ip -br link | cut -d@ -f1 | sort; nft list tables | sort; \
                for tree in $(awk '$(NF-2) ~ /^cgroup/ {print $5}' /proc/mounts /proc/self/mountinfo); do \
                find $tree -name 'docent*'; done; cat /proc/self/mountinfo | wc -l; ps -e -o args= | grep -c __monitor || true";
    machine.sh(look).ok().stdout
}

fn forwarding(machine: &Machine) -> String {
    machine.sh("cat /proc/sys/net/ipv4/ip_forward").ok().stdout.trim().to_string()
}

#[test]
fn a_reset_leaves_nothing_on_the_host() {
    let Some(machine) = Machine::new("reset", &["nft", "ip", "ps"]) else { return };
    let before = host(&machine);
    machine.docent(&["run", "-d", "--name", "web", "-p", "8080:80", "nginx"]).ok();
    machine.docent(&["run", "-d", "--network", "none", "tiny", "sleep", "1000"]).ok();
    machine.docent(&["run", "--name", "ended", "tiny", "true"]).ok();
    machine.docent(&["create", "tiny"]).ok();
    machine.docent(&["pause", "web"]).ok();
    assert_ne!(host(&machine), before);
    let root = machine.root().to_string_lossy().into_owned();
    let (plan, told, outcome) = reset(&machine, &root);
    assert_eq!(outcome, "0 ");
    assert!(!machine.root().exists(), "the store itself");
    assert_eq!(host(&machine), before);
    assert_eq!(machine.leftovers(0), Vec::<String>::new());
    // What was foreseen came true, in this order; and of what was told all but a container's own end, and what its programs had
    // changed, was foreseen.
    let kind =
        |fact: &Fact| serde_json::to_value(fact).expect("json")["event"].as_str().unwrap_or_default().to_string();
    let ended = ["cow.change", "process.reaped", "container.exited", "network.veth-removed", "cgroup.thawed"];
    let list = |facts: &[Fact]| -> Vec<String> {
        let mut kinds: Vec<String> = facts.iter().map(kind).filter(|kind| !ended.contains(&kind.as_str())).collect();
        kinds.retain(|kind| !kind.starts_with("process.signal") && kind != "cgroup.removed");
        kinds
    };
    assert_eq!(list(&plan), list(&told));
    assert!(told.iter().any(|f| matches!(f, Fact::Sysctl { value, .. } if value == "0")), "{told:?}");
    // And the next command begins anew.
    machine.docent(&["run", "--rm", "tiny", "true"]).ok();
}

#[test]
fn forwarding_stays_on_while_somebody_needs_it() {
    let Some(machine) = Machine::new("reset", &["nft", "ip"]) else { return };
    let work = machine.work().to_string_lossy().into_owned();
    let (one, two) = (format!("{work}/one"), format!("{work}/two"));
    for root in [&one, &two] {
        machine.sh(&format!("DOCENT_ROOT={root} $0 run --rm tiny true")).ok();
    }
    let needed = |told: &[Fact]| {
        told.iter().find_map(|fact| match fact {
            Fact::Left { why: Kept::Needed, by, .. } => Some(by.clone()),
            _ => None,
        })
    };
    let (plan, told, _) = reset(&machine, &one);
    assert!(needed(&told).is_some_and(|by| by.starts_with("dcnt")) && needed(&plan) == needed(&told), "{told:?}");
    assert_eq!(forwarding(&machine), "1");
    machine.sh("nft list table inet docent").ok();
    // A foreign bridge: forwarding is theirs, and the guard must not stand in its way.
    machine.sh("ip link add br-lan type bridge").ok();
    let (plan, told, outcome) = reset(&machine, &two);
    assert_eq!((needed(&told).as_deref(), needed(&plan), outcome.as_str()), (Some("br-lan"), needed(&told), "0 "));
    assert_eq!((forwarding(&machine).as_str(), machine.sh("nft list tables").ok().stdout.as_str()), ("1", ""));
    // Forwarding that somebody else has switched on is not looked at.
    machine.sh("ip link del br-lan").ok();
    machine.sh(&format!("DOCENT_ROOT={one} $0 run --rm tiny true")).ok();
    let (_, told, _) = reset(&machine, &one);
    assert!(needed(&told).is_none() && forwarding(&machine) == "1", "{told:?}");
}

#[test]
fn what_is_not_docents_stays() {
    let Some(machine) = Machine::new("reset", &["nft", "ip"]) else { return };
    machine.docent(&["run", "--rm", "--network", "none", "tiny", "true"]).ok();
    let root = machine.root().to_string_lossy().into_owned();
    std::fs::write(machine.root().join("notes.txt"), "mine").expect("a file");
    machine.sh("mkdir -p $DOCENT_ROOT/lab/disk && mount -t tmpfs tmpfs $DOCENT_ROOT/lab/disk").ok();
    let (_, told, outcome) = reset(&machine, &root);
    assert!(
        outcome.starts_with("1 ") && outcome.contains("EBUSY") && outcome.contains("lab/disk") && told.is_empty(),
        "{outcome} {told:?}"
    );
    machine.sh("umount $DOCENT_ROOT/lab/disk").ok();
    let (_, told, outcome) = reset(&machine, &root);
    assert_eq!(outcome, "0 ");
    assert!(
        told.iter().any(|f| matches!(f, Fact::Left { why: Kept::Shared, by, .. } if by == "notes.txt")),
        "{told:?}"
    );
    let left: Vec<_> = std::fs::read_dir(machine.root()).expect("root").flatten().map(|e| e.file_name()).collect();
    assert_eq!(left, ["notes.txt"]);
}

/// The kernel takes a veth pair down some time after its namespace, and a bridge with ports is in use.
fn until_unused(machine: &Machine, bridge: &str) {
    let script = format!("while [ -n \"$(ip -o link show master {bridge})\" ]; do :; done");
    machine.within(30, &["sh", "-c", &script]).ok();
}

#[test]
fn what_a_store_that_is_gone_owned_is_removed_by_the_next_command() {
    let Some(machine) = Machine::new("reset", &["nft", "ip", "setfattr"]) else { return };
    let before = host(&machine);
    let work = machine.work().to_string_lossy().into_owned();
    let (one, two) = (format!("{work}/one"), format!("{work}/two"));
    machine.sh(&format!("DOCENT_ROOT={two} $0 images")).ok();
    let next = || machine.sh(&format!("DOCENT_ROOT={two} $0 --narrate full ps"));
    let id = machine.sh(&format!("DOCENT_ROOT={one} $0 run -d tiny sleep 1000")).ok().stdout;
    machine.sh(&format!("mv {one} {one}.away")).ok();
    let bridge = docent::inside::bridge_name(Path::new(&one));
    // A container of it still runs.
    let ran = next().ok();
    machine.sh(&format!("ip link show {bridge} && nft list table inet {bridge}")).ok();
    assert!(!ran.stderr.contains(&bridge), "used, and nothing to tell: {}", ran.stderr);
    machine.sh(&format!("mv {one}.away {one}; DOCENT_ROOT={one} $0 rm -f {id}")).ok();
    until_unused(&machine, &bridge);
    // A group that was left, as when the machine's docent was killed between the two.
    let id = "ab".repeat(32);
    let mark = format!("docent $(readlink /proc/self/ns/mnt) {one}");
    let groups = "for d in $(find /sys/fs/cgroup -maxdepth 2 -name docent); do";
    let made = format!("{groups} mkdir $d/{id}; setfattr -n trusted.docent.store -v \"{mark}\" $d/{id}; done");
    machine.sh(&made).ok();
    next().ok();
    machine.sh(&format!("ip link show {bridge}")).ok();
    machine.sh(&format!("rm -rf {one}")).ok();
    let ran = next().ok();
    assert!(ran.stderr.contains(&bridge), "told: {}", ran.stderr);
    machine.sh(&format!("{groups} rmdir $d; done")).ok();
    assert_eq!(host(&machine), before);
}

#[test]
fn a_store_of_another_mount_namespace_is_not_judged() {
    let Some(machine) = Machine::new("reset", &["nft", "ip", "unshare"]) else { return };
    let work = machine.work().to_string_lossy().into_owned();
    let (one, two) = (format!("{work}/one"), format!("{work}/two"));
    machine
        .sh(&format!(
            "mkdir {one}; unshare -m sh -ec 'mount -t tmpfs t {one}; DOCENT_ROOT={one}/r {DOCENT} run --rm tiny true'"
        ))
        .ok();
    let bridge = docent::inside::bridge_name(Path::new(&format!("{one}/r")));
    until_unused(&machine, &bridge);
    let next = || machine.sh(&format!("DOCENT_ROOT={two} $0 --narrate full ps"));
    let (first, second) = (next().ok().stderr, next().ok().stderr);
    machine.sh(&format!("ip link show {bridge} && nft list table inet {bridge}")).ok();
    assert!(first.contains(&bridge) && !second.contains(&bridge), "told once: {first}\n{second}");
}
