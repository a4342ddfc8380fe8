//! One of every fact and every fault, and the first `run -d` of a learner, for the tests of this room.

use crate::fact::*;

pub const ID: &str = "3f2a9c0d1b2c3d4e5f60718293a4b5c6d7e8f90112233445566778899aabbccd";
pub const LAYER: &str = "sha256:9d1cba0987654321fedcba0987654321fedcba0987654321fedcba0987654321";
const ROOT: &str = "/var/lib/docent";

fn s(text: &str) -> String {
    text.to_string()
}

pub fn namespaces() -> Vec<Namespace> {
    let kinds = ["pid", "mnt", "uts", "ipc", "net", "cgroup"];
    let one = |(i, k): (usize, &&str)| Namespace {
        kind: s(k),
        inode: Some(4026532567 + i as u64),
        host: Some(4026531836 + i as u64),
        shared: false,
    };
    kinds.iter().enumerate().map(one).collect()
}

pub fn lower() -> Vec<String> {
    vec![LAYER.into(), LAYER.replace('9', "7"), LAYER.replace('9', "e"), s("mount-points")]
}

fn upper() -> String {
    format!("{ROOT}/containers/{ID}/upper")
}

pub fn changed(change: Change) -> Fact {
    let path = s("/usr/share/nginx/html/index.html");
    let below = !matches!(change, Change::Added | Change::Gone);
    Fact::Changed {
        path,
        change,
        layer: below.then(|| s(LAYER)),
        number: below.then_some(3),
        image: below.then(|| s("nginx")),
        was: below.then_some(615),
        now: Some(640),
    }
}

pub fn facts() -> Vec<Fact> {
    let c = |cgroup: &str| format!("/sys/fs/cgroup/memory/docent/{ID}/{cgroup}");
    let mut all = vec![
        Fact::ImageResolved {
            reference: s("nginx:latest"),
            id: s(LAYER),
            by: Resolved::Local,
            layers: lower(),
            bytes: 14_200_000,
        },
        Fact::ImageFromHost {
            reference: s("nginx:latest"),
            programs: vec![s("/bin/sh"), s("/usr/bin/ls")],
            server: None,
        },
        Fact::ArchiveRead { path: s("nginx.tar"), images: 1, layers: 3 },
        Fact::BlobWritten { digest: s(LAYER), bytes: 512 },
        Fact::LayerUnpacked { diff_id: s(LAYER), chain_id: s(LAYER), entries: 12, bytes: 5_000_000, path: s("/p") },
        Fact::LayerReused { diff_id: s(LAYER), chain_id: s(LAYER) },
        Fact::Tagged { reference: s("me/web:v2"), id: s(LAYER), was: Some(s(LAYER)) },
        Fact::StoreMade { path: s(ROOT) },
        Fact::ContainerCreated { id: s(ID), name: s("web"), image: s("nginx"), path: upper() },
        Fact::ContainerStarted { id: s(ID), name: s("web"), pid: 48213 },
        Fact::ContainerExited { id: s(ID), name: s("web"), code: 137, signal: Some(9), oom: true },
        Fact::ContainerRemoved { id: s(ID), name: s("web") },
        Fact::ContainerLost { id: s(ID), name: s("web") },
        Fact::NamespacesMade { pid: 48213, inside: 1, namespaces: namespaces() },
        Fact::NamespacesJoined { pid: 48300, kinds: vec![s("pid"), s("mnt")], of: 48213 },
        Fact::PrivateMounts { kinds: vec![s("mnt")] },
        Fact::HostnameSet { name: s("3f2a9c0d1b2c") },
        Fact::CgroupMade { version: 1, name: format!("/docent/{ID}"), paths: vec![c("")] },
        Fact::CgroupLimit {
            limit: Limit::Memory,
            file: c("memory.limit"),
            value: s("67108864"),
            read_back: s("67108864"),
        },
        Fact::CgroupLimit { limit: Limit::Cpu, file: c("cpu.max"), value: s("50000 100000"), read_back: s("50000") },
        Fact::CgroupDevices { path: c("devices.allow"), allowed: vec![s("c 1:3 rwm")] },
        Fact::CgroupJoined { pid: 48213, name: format!("/docent/{ID}"), paths: vec![c("")] },
        Fact::CgroupFrozen { file: c("freezer.state"), state: s("FROZEN") },
        Fact::CgroupThawed { file: c("freezer.state"), state: s("THAWED") },
        Fact::CgroupRemoved { name: format!("/docent/{ID}"), paths: vec![c("")] },
        Fact::CgroupNone { why: s("no cgroup is mounted") },
        Fact::MountsPrivate,
        Fact::Overlay { lower: lower(), upper: upper(), work: s("/w"), target: s("/merged") },
        Fact::Mounted { kind: s("proc"), target: s("/proc"), options: s("nosuid") },
        Fact::Bound { source: s("/home/me"), target: s("/data"), read_only: true },
        Fact::DeviceNodes {
            devices: vec![Device { path: s("/dev/null"), major: 1, minor: 3 }],
            links: vec![s("/dev/fd")],
        },
        Fact::Masked { paths: vec![s("/proc/kcore")], absent: vec![s("/proc/scsi")] },
        Fact::ReadOnly { paths: vec![s("/proc/sys")], absent: vec![s("/proc/irq")] },
        Fact::RootPivoted { to: s("/merged") },
        Fact::MountPoint { path: s("/data") },
        Fact::Unmounted { target: s("/data") },
        Fact::Copied {
            from: s("index.html"),
            to: s("web:/srv/index.html"),
            bytes: 640,
            entries: 1,
            into_container: true,
        },
        Fact::Loopback,
        Fact::Bridge { name: s("docent0"), address: s("172.30.0.1/16"), ipv6_off: true },
        Fact::BridgeReused { name: s("docent0"), address: s("172.30.0.1/16") },
        Fact::Veth { host: s("veth3f2a9c"), inside: s("eth0"), bridge: s("docent0") },
        Fact::Address { device: s("eth0"), address: s("172.30.0.2/16") },
        Fact::Route { gateway: s("172.30.0.1"), device: s("eth0") },
        Fact::Nat { table: s("inet docent0"), subnet: s("172.30.0.0/16") },
        Fact::ForwardGuard { table: s("inet docent") },
        Fact::Sysctl { name: s("net.ipv4.ip_forward"), value: s("1"), was: s("0") },
        Fact::Published { host_ip: s(""), host_port: 8080, address: s("172.30.0.2"), port: 80, proto: s("tcp") },
        Fact::NetworkFiles { files: vec![s("/etc/hosts")] },
        Fact::BridgeRemoved { name: s("docent0") },
        Fact::TableRemoved { table: s("inet docent0") },
        Fact::StoreRemoved { path: s(ROOT) },
        Fact::Left { what: s("dcnt0a1b2c3d"), why: Kept::Unsure, by: s("mnt:[4026531841] /srv/docent") },
        Fact::Left { what: s("dcnt0a1b2c3d"), why: Kept::Unsure, by: s("") },
        Fact::Left { what: s("net.ipv4.ip_forward"), why: Kept::Needed, by: s("docker0") },
        Fact::Left { what: s("/srv/docent"), why: Kept::Shared, by: s("notes.txt") },
        Fact::VethRemoved { host: s("veth3f2a9c") },
        Fact::Capabilities { kept: vec![s("CAP_CHOWN"); 14], dropped: 27 },
        Fact::Seccomp { allowed: 350, filters: 2 },
        Fact::NoNewPrivileges,
        Fact::UserSet { uid: 1000, gid: 1000, groups: vec![] },
        Fact::SessionMade { tty: true },
        Fact::SessionMade { tty: false },
        Fact::Guarded { parent_death: true, not_dumpable: true },
        Fact::Sealed { program: s("/usr/bin/docent") },
        Fact::CapabilitySets { held: vec![s("CAP_CHOWN")] },
        Fact::HelperStarted { pid: 48200, role: s("monitor") },
        Fact::Exec {
            path: s("/usr/sbin/nginx"),
            argv: vec![s("nginx"), s("-g"), s("daemon off;")],
            cwd: s("/"),
            user: s(""),
        },
        Fact::Signalled { pid: 48213, signal: 15, name: s("SIGTERM"), all: false },
        Fact::Signalled { pid: 48213, signal: 9, name: s("SIGKILL"), all: true },
        Fact::Terminal { path: s("/dev/console") },
        Fact::Reaped { pid: 48213, code: 0, signal: None },
        Fact::Reaped { pid: 48213, code: 137, signal: Some(9) },
        Fact::Cleaned { what: s("veth3f2a9c") },
        Fact::FileWritten { path: s("/home/me/index.html"), bytes: 615 },
        Fact::Probed(probe()),
    ];
    use Change::*;
    all.extend([CopiedUp, Covered, Added, Rewritten, Deleted, Opaque, Gone].map(changed));
    use FaultPoint::*;
    let points = [OldOverlayApi, NoDeviceControl, NoFreezer, NoNat, NoIpv6, BuiltIn, NoNameserver, Optional];
    all.extend(points.map(|point| Fact::Fallback { what: s("x"), point }));
    all
}

pub fn probe() -> Probe {
    let bad = SysError::new("mount", "/x", libc::EPERM);
    let kinds = ["namespaces", "overlay", "cgroup", "bridge", "nat", "id-ranges", "freezer", "seccomp", "devices"];
    let more = ["directory", "proc", "user-namespace", "probe", "other"];
    let shown = |(i, what): (usize, &str)| Shown {
        what: s(what),
        ok: i == 1,
        required: i < 2,
        error: (i != 1).then(|| bad.clone()),
        detail: s("detail"),
    };
    Probe {
        tier: Tier::T2,
        kernel: s("6.18"),
        uid: 1000,
        cgroup: 1,
        controllers: vec![s("memory")],
        shown: kinds.into_iter().chain(more).enumerate().map(shown).collect(),
    }
}

pub fn faults() -> Vec<Fault> {
    let (name, id, path) = (s("web"), s(ID), s("/etc/x"));
    let usage = |kind: &str, word: Option<&str>| Fault::Usage {
        command: s("run"),
        kind: s(kind),
        word: word.map(s),
        suggestion: Some(s("--rm")),
        text: s("requires at least 1 argument"),
    };
    let mut all = vec![
        usage("unknown-flag", Some("--x")),
        usage("unknown-shorthand", Some("-zq")),
        usage("unknown-command", Some("rnu")),
        usage("missing-arguments", None),
        usage("too-many-arguments", Some("extra")),
        usage("flag-needs-value", Some("--cpus")),
        usage("not-together", Some("-d")),
        usage("not-utf8", None),
        usage("other", None),
        Fault::Unsupported { what: s("--link"), instead: Some(s("--network")) },
        Fault::BadValue { flag: s("-m"), value: s("x"), expected: s("64m") },
        Fault::BadSignal { signal: s("NOPE") },
        Fault::MemoryTooLow { value: s("4k") },
        Fault::BadName { name: s("_") },
        Fault::BadTemplate { template: s("{{"), why: s("unclosed") },
        Fault::StillRunning { name: name.clone(), id: id.clone(), paused: false },
        Fault::StillRunning { name: name.clone(), id: id.clone(), paused: true },
        Fault::NotRunning { name: name.clone(), id: id.clone() },
        Fault::IsPaused { name: name.clone(), id: id.clone() },
        Fault::NotPaused { name: name.clone(), id: id.clone() },
        Fault::NameTaken { name: name.clone(), by: id.clone() },
        Fault::NoSuchContainer { name: name.clone() },
        Fault::AmbiguousId { prefix: s("3f") },
        Fault::NoSuchImage { reference: s("ngnix"), similar: vec![s("nginx")] },
        Fault::NoSuchObject { name: name.clone() },
        Fault::NoCommand { image: s("nginx") },
        Fault::CommandNotFound { command: s("bash"), container: id.clone() },
        Fault::NoSuchUser { user: s("me") },
        Fault::NotRegular { path: s("/etc/passwd"), kind: s("FIFO") },
        Fault::BadWorkdir { path: path.clone(), errno: libc::ENOENT },
        Fault::MountTarget { target: s("/proc"), flaw: MountFlaw::NotOrdinary { kind: s("proc") } },
        Fault::MountTarget { target: s("/etc/hosts"), flaw: MountFlaw::OtherType { source: s("/hosts") } },
        Fault::MountTarget { target: s("/etc/hosts"), flaw: MountFlaw::InsideProc },
        Fault::PortTaken { ip: s(""), port: 8080, proto: s("tcp") },
        Fault::LimitRefused { limit: s("--memory"), why: s("no memory controller") },
        Fault::NotATerminal,
        Fault::NoFreeAddress { subnet: s("172.30.0.0/16") },
        Fault::NoSuchGroup { group: s("me") },
        Fault::MonitorDied { id },
        Fault::NoSuchPath { container: name.clone(), path: path.clone() },
        Fault::NotADirectory { path: path.clone() },
        Fault::LocalFile { path: path.clone(), errno: libc::EACCES },
        Fault::CpDirection,
        Fault::StoreDamaged { path: path.clone(), why: s("JSON") },
        Fault::NotRoot { probe: Some(Box::new(probe())) },
        Fault::StoreRefused { path: path.clone(), errno: libc::EACCES },
        Fault::step("mount", SysError::new("mount", "/x", libc::ENOSPC)),
        Fault::NoSuchChapter { name: s("9"), chapters: vec![s("01-one-page")] },
        Fault::NoSuchLab { name: s("x"), labs: vec![s("03-nginx-cp-edit")] },
        Fault::NoLabStarted,
        Fault::LabDamaged { path: path.clone(), why: s("line 3") },
        Fault::NoSuchCommand { number: 9, last: 4 },
        Fault::CannotGrade { why: s("no root") },
        Fault::Several { failed: 2 },
    ];
    for errno in [libc::EACCES, libc::ENOEXEC, libc::ENOENT, libc::ENOMEM] {
        all.push(Fault::NotExecutable { command: s("/x"), container: s("web"), errno });
    }
    use ReferenceFlaw::*;
    all.extend(
        [Empty, Uppercase, Characters, Tag, Digest, Colon].map(|f| Fault::BadReference { text: s("A:"), flaw: f }),
    );
    let member = s("a/b");
    let flaws = vec![
        ArchiveFlaw::NotAnArchive { what: s("xz") },
        ArchiveFlaw::Truncated,
        ArchiveFlaw::NoManifest,
        ArchiveFlaw::BadJson { member: member.clone(), why: s("line 1") },
        ArchiveFlaw::MissingMember { member: member.clone() },
        ArchiveFlaw::DigestMismatch { what: s("layer"), expected: s(LAYER), found: s(LAYER) },
        ArchiveFlaw::Escape { member: member.clone() },
        ArchiveFlaw::BadMember { member: member.clone(), why: s("device") },
        ArchiveFlaw::TooLarge { what: member.clone(), limit: 1 << 30 },
        ArchiveFlaw::TooManyNames { found: 5000, limit: 1000 },
        ArchiveFlaw::Write { member, errno: libc::ENOSPC },
        ArchiveFlaw::Empty,
    ];
    all.extend(flaws.into_iter().map(|flaw| Fault::Archive { path: path.clone(), flaw }));
    all
}

fn receipt(evidence: &str, proof: &[&str], subject: &str) -> Receipt {
    Receipt {
        evidence: s(evidence),
        proof: proof.iter().map(|w| s(w)).collect(),
        expect: Expect::Status(0),
        holds: Holds::WhileRunning(s(ID)),
        needs: vec![Needs::Root],
        subject: s(subject),
    }
}

/// An event with calls and a receipt, of container `ID`.
pub fn event(fact: Fact) -> Event {
    let calls = vec![Call { name: s("mount"), args: s("\"overlay\", \"/merged\", \"overlay\", 0, NULL"), ret: 0 }; 2];
    let evidence = match &fact {
        Fact::Overlay { .. } => format!("1021 980 0:54 / / rw - overlay overlay rw,upperdir={},workdir=/w", upper()),
        Fact::Changed { .. } => format!("{}/index.html: 640", upper()),
        _ => s("read back"),
    };
    Event {
        pid: 48200,
        container: Some(s(ID)),
        receipt: Some(receipt(&evidence, &["grep", " / / ", "/proc/48213/mountinfo"], "root")),
        ..Event::of(fact, calls)
    }
}

/// What `docker run -d --name web nginx` tells on a fresh root.
pub fn first_run() -> Vec<Event> {
    let mount = |kind: &str, target: &str| Fact::Mounted { kind: s(kind), target: s(target), options: s("") };
    let bound = |target: &str| Fact::Bound {
        source: format!("{ROOT}/containers/{ID}{target}"),
        target: s(target),
        read_only: false,
    };
    let image = lower().into_iter().take(3).collect::<Vec<_>>();
    let mut early = vec![
        Fact::StoreMade { path: s(ROOT) },
        Fact::Fallback { what: s("nginx"), point: FaultPoint::BuiltIn },
        Fact::ImageFromHost { reference: s("nginx:latest"), programs: vec![s("/bin/sh"); 12], server: None },
    ];
    early.extend((0..3).map(|_| Fact::BlobWritten { digest: s(LAYER), bytes: 1000 }));
    early.extend((0..3).map(|_| facts().swap_remove(4)));
    early.push(Fact::Tagged { reference: s("nginx:latest"), id: s(LAYER), was: None });
    early.push(Fact::ImageResolved {
        reference: s("nginx:latest"),
        id: s(LAYER),
        by: Resolved::BuiltIn,
        layers: image,
        bytes: 14_200_000,
    });
    let late = vec![
        Fact::ContainerCreated { id: s(ID), name: s("web"), image: s("nginx"), path: upper() },
        Fact::Sealed { program: s("/usr/bin/docent") },
        Fact::HelperStarted { pid: 48200, role: s("monitor") },
        Fact::CgroupMade { version: 1, name: format!("/docent/{ID}"), paths: vec![] },
        Fact::CgroupDevices { path: s("/d"), allowed: vec![] },
        Fact::Bridge { name: s("docent0"), address: s("172.30.0.1/16"), ipv6_off: true },
        Fact::Nat { table: s("docent"), subnet: s("172.30.0.0/16") },
        Fact::NamespacesMade { pid: 48213, inside: 1, namespaces: namespaces() },
        Fact::Guarded { parent_death: true, not_dumpable: true },
        Fact::CgroupJoined { pid: 48213, name: format!("/docent/{ID}"), paths: vec![] },
        Fact::PrivateMounts { kinds: vec![s("cgroup")] },
        Fact::MountsPrivate,
        Fact::Overlay { lower: lower(), upper: upper(), work: s("/w"), target: s("/merged") },
        mount("proc", "/proc"),
        mount("tmpfs", "/dev"),
        facts().swap_remove(30),
        mount("devpts", "/dev/pts"),
        mount("tmpfs", "/dev/shm"),
        mount("mqueue", "/dev/mqueue"),
        mount("sysfs", "/sys"),
        bound("/etc/hosts"),
        bound("/etc/hostname"),
        bound("/etc/resolv.conf"),
        Fact::Masked { paths: vec![s("/proc/kcore"); 9], absent: Vec::new() },
        Fact::ReadOnly { paths: vec![s("/proc/sys"); 5], absent: Vec::new() },
        Fact::Veth { host: s("veth3f2a9c"), inside: s("eth0"), bridge: s("docent0") },
        Fact::Loopback,
        Fact::Address { device: s("eth0"), address: s("172.30.0.2/16") },
        Fact::Route { gateway: s("172.30.0.1"), device: s("eth0") },
        Fact::HostnameSet { name: s("3f2a9c0d1b2c") },
        Fact::RootPivoted { to: s("/merged") },
        Fact::SessionMade { tty: false },
        Fact::Seccomp { allowed: 350, filters: 2 },
        Fact::UserSet { uid: 0, gid: 0, groups: vec![] },
        Fact::Capabilities { kept: vec![s("CAP_CHOWN"); 14], dropped: 27 },
        Fact::Exec { path: s("/nginx"), argv: vec![s("nginx"), s("-g"), s("daemon off;")], cwd: s("/"), user: s("") },
        Fact::ContainerStarted { id: s(ID), name: s("web"), pid: 48213 },
    ];
    let early = early.into_iter().map(|f| Event { container: None, ..event(f) });
    early.chain(late.into_iter().map(event)).collect()
}
