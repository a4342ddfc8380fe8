//! What the samples of events and faults are made of.

use super::*;

pub const ID: &str = "3f2a9c0d1b2c3d4e5f60718293a4b5c6d7e8f90112233445566778899aabbccd";
pub const LAYER: &str = "sha256:9d1cba0987654321fedcba0987654321fedcba0987654321fedcba0987654321";
pub const ROOT: &str = "/var/lib/docent";

pub fn s(text: &str) -> String {
    text.to_string()
}

pub fn id() -> Option<String> {
    Some(s(LAYER))
}

pub fn namespaces() -> Vec<Namespace> {
    let kinds = ["pid", "mnt", "uts", "ipc", "net"];
    let one = |(i, k): (usize, &&str)| Namespace {
        kind: s(k),
        inode: Some(4026532567 + i as u64),
        host: Some(4026531836 + i as u64),
        shared: false,
    };
    kinds.iter().enumerate().map(one).collect()
}

pub fn lower() -> Vec<String> {
    vec![LAYER.into(), LAYER.replace('9', "7"), LAYER.replace('9', "e")]
}

pub fn upper() -> String {
    format!("{ROOT}/containers/{ID}/upper")
}

pub fn page() -> String {
    s("/usr/share/nginx/html/index.html")
}

pub fn group() -> String {
    format!("/docent/{ID}")
}

pub fn group_file(name: &str) -> String {
    format!("/sys/fs/cgroup/memory/docent/{ID}/{name}")
}

pub fn changed(change: Change) -> Fact {
    let below = !matches!(change, Change::Added | Change::Gone);
    Fact::Changed {
        path: page(),
        change,
        layer: below.then(|| s(LAYER)),
        number: below.then_some(3),
        image: below.then(|| s("nginx")),
        was: below.then_some(615),
        now: Some(640),
    }
}

/// One or more of every event, and of the kinds within them.
pub fn all_facts() -> Vec<Fact> {
    use Change::*;
    let changes = [Covered, Added, Rewritten, Deleted, Opaque, Gone].map(changed);
    let fallbacks = FaultPoint::ALL.iter().map(|point| Fact::Fallback { what: s("x"), point: *point });
    facts().into_iter().chain(changes).chain(fallbacks).collect()
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
        Fault::SameName { name: name.clone() },
        Fault::NameTaken { name: name.clone(), by: id.clone() },
        Fault::NoSuchContainer { name: name.clone() },
        Fault::AmbiguousId { prefix: s("3f") },
        Fault::NoSuchImage { reference: s("ngnix"), similar: vec![s("nginx")] },
        Fault::NotPublished { port: s("81/tcp"), container: name.clone() },
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
