//! A proof can fail. For each kind of event that has proofs: its effect is made, and its proofs are true; then just that fact is
//! broken behind docent's back, and they must see it. What the kernel lets nobody change (the namespaces of a process, its
//! session) is broken where the proof looks: by a /proc/PID that says otherwise.

mod common;

use common::{DOCENT, Machine, archive, say, skip};
use docent::inside::{DEFINITIONS, Event, Journal, Provable, verify};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

/// One way to break one fact.
struct Falsifier {
    /// The kind of event.
    event: &'static str,
    /// Makes it. `$0` is docent.
    make: &'static str,
    /// Breaks it. `$EVENT` is the event in JSON, `$ROOT` the store, and `pid`, `id`, `up` are those of the container box.
    breaks: &'static str,
    /// What the proofs must say then.
    verdict: &'static str,
    /// Mends what the next one needs.
    mend: &'static str,
}

const CHANGED: &str = "changed";

const fn by(event: &'static str, make: &'static str, breaks: &'static str) -> Falsifier {
    Falsifier { event, make, breaks, verdict: CHANGED, mend: "" }
}

const fn mended(event: &'static str, make: &'static str, breaks: &'static str, mend: &'static str) -> Falsifier {
    Falsifier { mend, ..by(event, make, breaks) }
}

const SLEEP: &str = "$0 run -d --name box --network none tiny sleep 1000";
const BRIDGED: &str = "$0 run -d --name box tiny sleep 1000";
const LIMITED: &str = "$0 run -d --name box --network none -m 64m --cpus 0.5 --pids-limit 50 tiny sleep 1000";

/// What helps to break things: the container box, its process, its mounts, a /proc/PID of our own.
const HELP: &str = r#"
field() { printf '%s' "$EVENT" | jq -r "$1"; }
id() { $0 ps -aq --no-trunc --filter name=box; }
pid() { $0 inspect -f '{{.State.Pid}}' box; }
up() { echo "$ROOT/containers/$(id)/upper"; }
inside() { nsenter --target "$(pid)" --mount --pid -- /usr/bin/busybox "$@"; }
net() { nsenter --target "$(pid)" --net -- "$@"; }
# /proc/PID as it is, but for what stands in $2 (a sed script) of file $1; and its namespaces as links.
disguised() {
    pid=$1 file=$2 change=$3
    mkdir -p disguise/ns
    for one in stat status mountinfo cgroup; do cat "/proc/$pid/$one" >"disguise/$one"; done
    for one in pid mnt uts ipc net cgroup; do ln -sfn "$(readlink "/proc/$pid/ns/$one")" "disguise/ns/$one"; done
    case $file in
        ns/*) ln -sfn "$change" "disguise/$file" ;;
        *) sed -i "$change" "disguise/$file" ;;
    esac
    mount --bind disguise "/proc/$pid"
}
undisguised() { umount /proc/[0-9]* 2>/dev/null || true; rm -rf disguise; }
# Writes into a file without changing its size, and gives it its old time.
rewritten() { touch -r "$1" stamp; printf X | dd of="$1" conv=notrunc bs=1 seek=2 status=none; touch -r stamp "$1"; }
"#;

const STORE: &[Falsifier] = &[
    mended(
        "store.made",
        SLEEP,
        "echo '{\"imageLayoutVersion\":\"2.0.0\"}' >$ROOT/oci/oci-layout",
        "printf '{\"imageLayoutVersion\":\"1.0.0\"}' >$ROOT/oci/oci-layout",
    ),
    mended(
        "image.blob-written",
        "$0 load -i hello.tar",
        "b=$ROOT/oci/blobs/sha256/$(field .digest | cut -d: -f2); cp -p $b kept; echo $b >where; rewritten $b",
        "cp -p kept $(cat where)",
    ),
    mended(
        "image.layer-unpacked",
        "$0 load -i hello.tar",
        "f=$(field .path)/hello; cp -p $f kept; echo $f >where; rewritten $f",
        "cp -p kept $(cat where)",
    ),
    mended(
        "image.layer-unpacked",
        "$0 load -i hello.tar",
        "touch $(field .path)/one-more",
        "rm $(field .path)/one-more",
    ),
    mended(
        "image.layer-unpacked",
        "$0 load -i hello.tar",
        "mv $(field .path) emptied; mkdir $(field .path)",
        "rmdir $(field .path); mv emptied $(field .path)",
    ),
    mended(
        "image.tagged",
        "$0 load -i hello.tar",
        "cp -p $ROOT/oci/index.json kept; sed -i 's/sha256:/&0/g' $ROOT/oci/index.json",
        "cp kept $ROOT/oci/index.json",
    ),
    mended(
        "image.tagged",
        "$0 load -i hello.tar",
        "cp -p $ROOT/oci/index.json kept; sed -i 's/hello:latest/hullo:latest/g' $ROOT/oci/index.json",
        "cp kept $ROOT/oci/index.json",
    ),
    mended(
        "container.created",
        "$0 create --name box tiny true",
        "sed -i 's/\"name\":\"box\"/\"name\":\"d\"/' $ROOT/containers/$(id)/config.json",
        "sed -i 's/\"name\":\"d\"/\"name\":\"box\"/' $ROOT/containers/*/config.json",
    ),
    mended("container.created", "$0 create --name box tiny true", "up >where; mv $(up) away", "mv away $(cat where)"),
    mended(
        "container.renamed",
        "$0 create --name old tiny true; $0 rename old box",
        "sed -i 's/\"name\":\"box\"/\"name\":\"d\"/' $ROOT/containers/$(id)/config.json",
        "sed -i 's/\"name\":\"d\"/\"name\":\"box\"/' $ROOT/containers/*/config.json",
    ),
    mended(
        "container.started",
        SLEEP,
        "sed -i 's/\"status\":\"running\"/\"status\":\"starting\"/' $ROOT/containers/$(id)/state.json",
        "sed -i 's/\"status\":\"starting\"/\"status\":\"running\"/' $ROOT/containers/$(id)/state.json",
    ),
    by(
        "container.exited",
        "$0 run --name box --network none tiny sh -c 'exit 3' || true",
        "sed -i 's/\"code\":3/\"code\":0/' $ROOT/containers/$(id)/state.json",
    ),
    mended(
        "container.removed",
        "$0 create --name box tiny true; $0 rm box",
        "mkdir $ROOT/containers/$(field .container_id)",
        "rmdir $ROOT/containers/$(field .container_id)",
    ),
    by(
        "container.lost",
        "$0 run -d --name box --network none tiny sleep 1000; kill -9 $(jq .monitor $ROOT/containers/*/state.json); while $0 ps -q | grep -q .; do :; done",
        "sed -i 's/\"status\":\"exited\"/\"status\":\"created\"/' $ROOT/containers/$(id)/state.json",
    ),
];

const KERNEL: &[Falsifier] = &[
    mended("namespace.made", SLEEP, "disguised $(pid) ns/uts 'uts:[1]'", "undisguised"),
    mended("namespace.made", SLEEP, "disguised $(pid) ns/pid 'pid:[1]'", "undisguised"),
    mended("namespace.made", SLEEP, "disguised $(pid) ns/cgroup 'cgroup:[1]'", "undisguised"),
    mended("namespace.cgroup", SLEEP, "disguised $(pid) ns/cgroup 'cgroup:[1]'", "undisguised"),
    mended(
        "namespace.joined",
        "$0 run -d --name box --network none tiny sleep 1000; $0 exec box sleep 1001 >/dev/null 2>&1 & until [ -n \"$(pgrep -x -f 'sleep 1001')\" ]; do :; done; until grep -qs process.exec $(ls $ROOT/journal/*.jsonl | tail -1); do :; done",
        "disguised $(field .pid) ns/mnt 'mnt:[1]'",
        "undisguised; pkill -x -f 'sleep 1001'",
    ),
    by("namespace.hostname", SLEEP, "nsenter --target $(pid) --uts hostname other"),
    by(
        "cgroup.made",
        SLEEP,
        "d=$(field '.paths[]' | grep -m1 pids || field '.paths[0]'); p=$(cat $d/cgroup.procs); mkdir -p $d/../aside; echo $p >$d/../aside/cgroup.procs; rmdir $d; mkdir $d; echo $p >$d/cgroup.procs",
    ),
    by("cgroup.limit", LIMITED, "echo 40 >$(field .path)"),
    by("cgroup.devices", SLEEP, "echo 'c 10:200 rwm' >$(field .path)/devices.allow"),
    by(
        "cgroup.joined",
        SLEEP,
        "d=$(field '.paths[]' | grep -m1 memory || field '.paths[0]'); mkdir -p $d/../aside; echo $(pid) >$d/../aside/cgroup.procs",
    ),
    by(
        "cgroup.joined",
        SLEEP,
        "d=$(field '.paths[]' | grep -m1 pids || field '.paths[0]'); mkdir -p $d/../aside; echo $(pid) >$d/../aside/cgroup.procs",
    ),
    by(
        "cgroup.frozen",
        "$0 run -d --name box --network none tiny sleep 1000; $0 pause box",
        "echo $(field .state | sed 's/FROZEN/THAWED/; s/^1$/0/') >$(field .path)",
    ),
    mended(
        "cgroup.thawed",
        "$0 run -d --name box --network none tiny sleep 1000; $0 pause box; $0 unpause box",
        "echo $(field .state | sed 's/THAWED/FROZEN/; s/^0$/1/') >$(field .path)",
        "echo $(field .state) >$(field .path)",
    ),
    mended(
        "cgroup.removed",
        "$0 run --name box --network none tiny true",
        "mkdir -p $(field '.paths[0]')",
        "rmdir $(field '.paths[0]')",
    ),
    by("mount.propagation", SLEEP, "inside mount --make-shared /dev"),
    by("mount.overlay", SLEEP, "inside mount -o remount,bind,nosuid /"),
    by("mount.made", SLEEP, "inside umount -l $(field .path_inside)"),
    by("mount.bind", SLEEP, "inside umount -l $(field .path_inside)"),
    by("mount.devices", SLEEP, "rm /proc/$(pid)/root/dev/null; mknod -m 666 /proc/$(pid)/root/dev/null c 1 5"),
    by("mount.devices", SLEEP, "ln -sfn /proc/1/root /proc/$(pid)/root/dev/core"),
    by("mount.masked", SLEEP, "inside umount $(field '.paths_inside[1]')"),
    by("mount.read-only", SLEEP, "inside mount -o remount,bind,rw $(field '.paths_inside[0]')"),
    by(
        "mount.root-read-only",
        "$0 run -d --name box --network none --read-only tiny sleep 1000",
        "inside mount -o remount,bind,rw /",
    ),
    by("mount.pivot-root", SLEEP, "inside mount -t tmpfs none /"),
    by(
        "mount.point",
        "$0 run -d --name box --network none -w /new/place tiny sleep 1000",
        "rmdir $(up)$(field .path_inside)",
    ),
    by("security.capabilities", ACT_BOUNDING, "kill -USR1 $(pid)"),
    by("security.capability-sets", ACT_CAPS, "kill -USR1 $(pid)"),
    by("security.user", ACT_USER, "kill -USR1 $(pid)"),
    by("security.seccomp", ACT_SECCOMP, "kill -USR1 $(pid)"),
    mended("security.session", SLEEP, "disguised $(field .by_pid) status 's/^NSsid:.*/NSsid:\\t1\\t1/'", "undisguised"),
    by("process.exec", ACT_EXEC, "kill -USR1 $(pid)"),
    by(
        "process.terminal",
        "$0 run -dt --name box --network none tiny sleep 1000",
        "inside umount -l $(field .path_inside)",
    ),
];

/// A program that does something to itself when it is told to.
const ACT_BOUNDING: &str = "$0 create --name box --network none tiny /act bounding; $0 cp act box:/act; $0 start box";
const ACT_CAPS: &str = "$0 create --name box --network none tiny /act caps; $0 cp act box:/act; $0 start box";
const ACT_USER: &str = "$0 create --name box --network none tiny /act user; $0 cp act box:/act; $0 start box";
const ACT_SECCOMP: &str = "$0 create --name box --network none tiny /act seccomp; $0 cp act box:/act; $0 start box";
const ACT_EXEC: &str = "$0 create --name box --network none tiny /act exec; $0 cp act box:/act; $0 start box";
const ACT: &str = r#"
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv) {
    sigset_t set;
    int signal;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, 0);
    sigwait(&set, &signal);
    if (!strcmp(argv[1], "bounding")) {
        prctl(PR_CAPBSET_DROP, CAP_CHOWN, 0, 0, 0);
    } else if (!strcmp(argv[1], "caps")) {
        struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
        struct __user_cap_data_struct data[2];
        syscall(SYS_capget, &head, data);
        data[0].effective &= ~(1u << CAP_CHOWN);
        syscall(SYS_capset, &head, data);
    } else if (!strcmp(argv[1], "user")) {
        syscall(SYS_setresuid, 65534, 65534, 65534);
    } else if (!strcmp(argv[1], "seccomp")) {
        struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
        struct sock_fprog program = {1, &allow};
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
    } else {
        execl("/usr/bin/busybox", "sleep", "1000", (char *)0);
    }
    for (;;) {
        pause();
    }
}
"#;

const NETWORK: &[Falsifier] = &[
    by("network.loopback", SLEEP, "net ip link set lo down"),
    mended(
        "network.bridge",
        BRIDGED,
        "ip addr del $(field .address) dev $(field .bridge)",
        "ip addr add $(field .address) dev $(field .bridge)",
    ),
    mended(
        "network.bridge-reused",
        BRIDGED,
        "echo 0 >/proc/sys/net/ipv6/conf/$(field .bridge)/disable_ipv6",
        "echo 1 >/proc/sys/net/ipv6/conf/$(field .bridge)/disable_ipv6",
    ),
    mended(
        "network.bridge-reused",
        BRIDGED,
        "ip link set $(field .bridge) address 02:42:00:00:00:99",
        "ip link del $(field .bridge)",
    ),
    by("network.veth", BRIDGED, "ip link set $(field .device) nomaster"),
    by("network.address", BRIDGED, "net ip addr del $(field .address) dev eth0"),
    by("network.route", BRIDGED, "net ip route del default"),
    mended(
        "network.nat",
        "nft flush ruleset; echo 0 >/proc/sys/net/ipv4/ip_forward; $0 run -d --name box tiny sleep 1000",
        "nft insert rule $(field .table) forward accept",
        "nft delete table $(field .table)",
    ),
    mended(
        "network.forward-guard",
        "nft flush ruleset; echo 0 >/proc/sys/net/ipv4/ip_forward; $0 run -d --name box tiny sleep 1000",
        "nft insert rule $(field .table) forward accept",
        "nft delete table $(field .table)",
    ),
    mended(
        "network.sysctl",
        "nft flush ruleset; echo 0 >/proc/sys/net/ipv4/ip_forward; $0 run -d --name box tiny sleep 1000",
        "echo 0 >/proc/sys/net/ipv4/ip_forward",
        "echo 1 >/proc/sys/net/ipv4/ip_forward",
    ),
    by(
        "network.published",
        "$0 run -d --name box -p 127.0.0.1:8080:80 tiny sleep 1000",
        "python3 ../close.py $(field .by_pid) 8080",
    ),
    // Somebody else who listens at the same number of another address is not ours.
    by(
        "network.published",
        "$0 run -d --name box -p 127.0.0.1:8081:80 tiny sleep 1000",
        "python3 ../close.py $(field .by_pid) 8081 && (python3 ../listen.py 8081 >/dev/null 2>&1 & echo $! >listener) && until ss -Hltn | grep -q 8081; do :; done",
    ),
    by("network.files", BRIDGED, "echo 1.2.3.4 other >>$(field '.paths[0]')"),
    mended(
        "network.veth-removed",
        "$0 run -d --name box tiny sleep 1000; nsenter --target $(jq .init.pid $ROOT/containers/*/state.json) --net -- sleep 1000 >/dev/null 2>&1 & holder=$!; p=$(jq .init.pid $ROOT/containers/*/state.json); until [ \"$(readlink /proc/$holder/ns/net)\" = \"$(readlink /proc/$p/ns/net)\" ]; do :; done; kill -9 $(jq .monitor $ROOT/containers/*/state.json); while $0 ps -q | grep -q .; do :; done; kill $holder",
        "ip link add $(field .device) type bridge",
        "ip link del $(field .device)",
    ),
];

/// Closes a listening socket of another process: its own descriptor stays, and listens no more.
const CLOSE: &str = r#"
import ctypes, os, socket, sys
pid, port = int(sys.argv[1]), int(sys.argv[2])
libc = ctypes.CDLL(None, use_errno=True)
handle = os.pidfd_open(pid)
for name in os.listdir(f"/proc/{pid}/fd"):
    fd = libc.syscall(438, handle, int(name), 0)
    if fd < 0:
        continue
    try:
        one = socket.socket(fileno=fd)
        if one.getsockname()[1] == port:
            one.shutdown(socket.SHUT_RDWR)
    except (OSError, TypeError, IndexError):
        pass
"#;
const LISTEN: &str = r#"
import signal, socket, sys
one = socket.create_server(("127.0.0.2", int(sys.argv[1])))
signal.pause()
"#;

const FILES: &[Falsifier] = &[
    // A change of the content alone: the same size, the same time.
    by(
        "cow.change",
        "$0 run -d --name box --network none tiny sleep 1000; $0 --narrate brief exec box sh -c 'echo hello >/new'",
        "rewritten $(up)/new",
    ),
    by(
        "cow.change",
        "$0 run -d --name box --network none tiny sleep 1000; $0 --narrate brief exec box sh -c 'echo more >>/etc/passwd'",
        "rewritten $(up)/etc/passwd",
    ),
    by(
        "cow.change",
        "$0 run -d --name box --network none tiny sleep 1000; $0 --narrate brief exec box sh -c 'echo more >>/etc/passwd'",
        "setfattr -x trusted.overlay.origin $(up)/etc/passwd",
    ),
    mended(
        "cow.change",
        "$0 run -d --name box --network none tiny sleep 1000; $0 --narrate brief exec box sh -c 'echo more >>/etc/passwd'",
        "f=$(echo $ROOT/layers/*/diff/etc/passwd); cp -p $f kept; echo $f >where; rewritten $f",
        "cp -p kept $(cat where)",
    ),
    mended(
        "cow.change",
        "$0 run -d --name box --network none tiny sleep 1000; echo mine >in; $0 --narrate brief cp in box:/etc/group",
        "f=$(echo $ROOT/layers/*/diff/etc/group); cp -p $f kept; echo $f >where; rewritten $f",
        "cp -p kept $(cat where)",
    ),
    by(
        "cow.change",
        "$0 run -d --name box --network none tiny sleep 1000; $0 --narrate brief exec box sh -c 'rm -r /usr/share && mkdir /usr/share'",
        "setfattr -x trusted.overlay.opaque $(up)$(field .path_inside)",
    ),
    by(
        "cow.change",
        "$0 run -d --name box --network none tiny sleep 1000; $0 --narrate brief exec box rm /etc/passwd",
        "rm $(up)/etc/passwd",
    ),
    by(
        "cow.change",
        "$0 run -d --name box --network none tiny sleep 1000; $0 --narrate brief exec box sh -c 'ln -s a /link'",
        "ln -sfn b $(up)/link",
    ),
    by(
        "cow.change",
        "$0 run -d --name box --network none tiny sleep 1000; $0 --narrate brief exec box mkdir /dir",
        "rmdir $(up)/dir; ln -s /etc $(up)/dir",
    ),
    by(
        "cow.change",
        "$0 run -d --name box --network none tiny sleep 1000; $0 --narrate brief exec box sh -c 'echo a >/gone'; $0 --narrate brief exec box rm /gone",
        "echo b >$(up)/gone",
    ),
    by("cow.copied", "$0 create --name box tiny true; rm -f out; $0 cp box:/etc/passwd out", "rewritten out"),
    by("cow.copied", "$0 create --name box tiny true; echo text >in; $0 cp in box:/copied", "rewritten $(up)/copied"),
];

/// Where a test's events lie: the newest of this kind with a receipt, by its command and its number in it.
fn newest(machine: &Machine, kind: &str) -> Option<(u64, usize, Event)> {
    let (store, _) = docent::inside::Store::open(&machine.root(), docent::inside::Host::look()).expect("the store");
    Journal::numbers(&store).into_iter().rev().find_map(|number| {
        let events = Journal::read(&store, number).ok()?.events;
        let at = events.iter().rposition(|e| e.fact.definition().name == kind && e.receipt.is_some())?;
        Some((number, at + 1, events[at].clone()))
    })
}

/// What `verify` says of one event.
fn verdict(machine: &Machine, command: u64, id: usize) -> serde_json::Value {
    let ran = machine.docent(&["verify", "--format", "json", &command.to_string()]);
    let lines = ran.stdout.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a line of JSON"));
    let one = lines.into_iter().find(|line| line["id"] == id);
    one.unwrap_or_else(|| panic!("no verdict of {command}, {id}: {}{}", ran.stdout, ran.stderr))
}

fn script(machine: &Machine, event: Option<&Event>, text: &str) -> Result<(), String> {
    let json = event.map(|event| serde_json::to_string(event).expect("json")).unwrap_or_default();
    let whole = format!("{HELP}\n{text}");
    let mut command = machine.limited(60, &["sh", "-ec", &whole, DOCENT]);
    let ran = command.env("EVENT", json).env("ROOT", machine.root()).stdin(Stdio::null()).output().expect("sh");
    if ran.status.success() { Ok(()) } else { Err(format!("{text}: {}", String::from_utf8_lossy(&ran.stderr))) }
}

/// The program that does something to itself, made once; on a machine without a compiler one that was made before and brought
/// along (tests/guest.sh).
fn act() -> Option<PathBuf> {
    static MADE: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let (source, made) = (dir.join("act.c"), dir.join("act"));
        std::fs::write(&source, ACT).expect("act.c");
        match Command::new("gcc").arg("-static").arg("-o").args([&made, &source]).output() {
            Ok(ran) => assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr)),
            Err(_) if made.is_file() => {}
            Err(why) => {
                skip("falsify", &format!("there is no program `gcc`: {why}"));
                return None;
            }
        }
        Some(made)
    });
    MADE.clone()
}

fn prepared(name: &str) -> Option<Machine> {
    let machine = Machine::new(name, &["jq", "nft", "python3", "ss", "tar", "du", "pgrep", "setfattr", "getfattr"])?;
    archive(&machine.work().join("hello.tar"), "hello:latest");
    for (file, text) in [("close.py", CLOSE), ("listen.py", LISTEN)] {
        std::fs::write(machine.work().with_file_name(file), text).expect(file);
    }
    std::fs::copy(act()?, machine.work().join("act")).expect("act");
    machine.docent(&["run", "--rm", "--network", "none", "tiny", "true"]).ok();
    Some(machine)
}

/// Makes, checks, breaks, checks.
fn falsified(machine: &Machine, one: &Falsifier) -> Result<(), String> {
    script(machine, None, one.make)?;
    let (command, id, event) = newest(machine, one.event).ok_or("it was not told")?;
    let before = verdict(machine, command, id);
    if before["verdict"] != "true" {
        return Err(format!("before: {before}"));
    }
    script(machine, Some(&event), one.breaks)?;
    let after = verdict(machine, command, id);
    script(machine, Some(&event), one.mend)?;
    let said = &after["verdict"];
    let by_whom = said != "changed" || after["by"] == "unknown";
    if said != one.verdict || !by_whom {
        return Err(format!("after: {} by {}, why {}: {after}", after["verdict"], after["by"], after["why"]));
    }
    Ok(())
}

fn all(name: &str, falsifiers: &[Falsifier]) {
    let Some(machine) = prepared(name) else { return };
    let mut wrong = Vec::new();
    // Version 2 has no files that control devices.
    let devices = Path::new("/sys/fs/cgroup/devices").is_dir();
    for one in falsifiers {
        if one.event == "cgroup.devices" && !devices {
            skip("falsify", "no device controller of version 1 here: its rules are told by nobody");
            continue;
        }
        if let Err(why) = falsified(&machine, one) {
            wrong.push(format!("{} by `{}`: {why}", one.event, one.breaks));
        }
        script(&machine, None, "$0 rm -f old box 2>/dev/null || true; rm -rf emptied away kept").expect("cleaned up");
        if one.event.starts_with("image.") {
            // The same archive is new again.
            std::fs::remove_dir_all(machine.root()).expect("the store");
            machine.docent(&["run", "--rm", "--network", "none", "tiny", "true"]).ok();
        }
    }
    say(&format!("falsify: {name}: {} of {}", falsifiers.len() - wrong.len(), falsifiers.len()));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_store() {
    all("the_store", STORE);
}

#[test]
fn the_kernel() {
    all("the_kernel", KERNEL);
}

#[test]
fn the_network() {
    all("the_network", NETWORK);
}

#[test]
fn the_files() {
    all("the_files", FILES);
}

/// What is told when a store is taken away is in no journal: its receipts are run by themselves.
const RESET: &[(&str, &str)] = &[
    ("network.bridge-removed", "ip link add $(field .bridge) type bridge"),
    ("network.table-removed", "nft add table $(field .table)"),
    ("network.sysctl", "echo 1 >/proc/sys/net/ipv4/ip_forward"),
];

#[test]
fn what_a_reset_takes_away() {
    let Some(machine) = prepared("what_a_reset_takes_away") else { return };
    script(&machine, None, "$0 run -d --name box tiny sleep 1000; $0 rm -f box").expect("a bridge");
    script(&machine, None, "$0 --narrate json --narrate-to told system reset -f").expect("reset");
    let told = std::fs::read_to_string(machine.work().join("told")).expect("told");
    let events: Vec<Event> = told.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    for (kind, breaks) in RESET {
        let event = events.iter().find(|e| e.fact.definition().name == *kind && e.receipt.is_some());
        let event = event.unwrap_or_else(|| panic!("{kind} was not told: {told}"));
        assert!(holds(&machine, event), "{event:?}");
        script(&machine, Some(event), breaks).expect("broken");
        assert!(!holds(&machine, event), "{event:?}");
    }
}

/// Whether an event's proofs hold in the machine: this very test goes there and says so.
fn holds(machine: &Machine, event: &Event) -> bool {
    let own = std::env::current_exe().expect("this program");
    let own = own.to_string_lossy();
    let mut command = machine.command(&[&own, "--exact", "a_receipt_that_another_test_asks_for", "--nocapture"]);
    let ran =
        command.env("RECEIPT", serde_json::to_string(&event.receipt).expect("json")).output().expect("this program");
    let text = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(text.contains("HOLDS") != text.contains("FAILS"), "{text}");
    text.contains("HOLDS")
}

#[test]
fn a_receipt_that_another_test_asks_for() {
    let Ok(receipt) = std::env::var("RECEIPT") else { return };
    let receipt: docent::inside::Receipt = serde_json::from_str(&receipt).expect("a receipt");
    let holds = receipt.proofs().all(|proof| {
        let answer = verify::run(proof, &receipt.needs).expect("an answer");
        verify::agrees(&receipt, &proof.expect, &answer)
    });
    println!("{}", if holds { "HOLDS" } else { "FAILS" });
}

/// What nobody has touched and shows otherwise was never so: a story that is changed afterwards.
#[test]
fn a_story_that_was_never_true_is_false() {
    let Some(machine) = prepared("a_story_that_was_never_true_is_false") else { return };
    script(&machine, None, "$0 load -i hello.tar").expect("loaded");
    let (command, id, event) = newest(&machine, "image.blob-written").expect("told");
    assert_eq!(verdict(&machine, command, id)["verdict"], "true");
    let digest =
        serde_json::to_value(&event.fact).expect("json")["digest"].as_str().expect("a digest").replace("sha256:", "");
    let other = digest.chars().rev().collect::<String>();
    let file: PathBuf = machine.root().join(Path::new(&format!("journal/{command:08}.jsonl")));
    let text = std::fs::read_to_string(&file).expect("the record");
    // What it was to answer, and not where it lies.
    std::fs::write(&file, text.replace(&format!("\"{digest}  "), &format!("\"{other}  "))).expect("written");
    let said = verdict(&machine, command, id);
    assert_eq!(said["verdict"], "false", "{said}");
    let ran = machine.docent(&["verify", &command.to_string()]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
}

/// As many falsifiers as kinds of event with proofs, each doing what its definition says.
#[test]
fn every_proof_has_a_falsifier() {
    let broken: BTreeSet<&str> = [STORE, KERNEL, NETWORK, FILES].concat_names();
    let proven = DEFINITIONS.iter().filter(|d| matches!(d.proof, Provable::By { .. })).map(|d| d.name);
    let proven: BTreeSet<&str> = proven.collect();
    let unproven = DEFINITIONS.len() - proven.len();
    let ways = STORE.len() + KERNEL.len() + NETWORK.len() + FILES.len() + RESET.len();
    say(&format!(
        "falsify: {} kinds of events, {} with proofs, {unproven} with a reason, {ways} falsifiers",
        DEFINITIONS.len(),
        proven.len()
    ));
    assert_eq!(broken.difference(&proven).collect::<Vec<_>>(), Vec::<&&str>::new(), "have no proof");
    assert_eq!(proven.difference(&broken).collect::<Vec<_>>(), Vec::<&&str>::new(), "have no falsifier");
}

trait Names {
    fn concat_names(&self) -> BTreeSet<&'static str>;
}

impl Names for [&[Falsifier]; 4] {
    fn concat_names(&self) -> BTreeSet<&'static str> {
        self.iter().flat_map(|all| all.iter().map(|one| one.event)).chain(RESET.iter().map(|(kind, _)| *kind)).collect()
    }
}
