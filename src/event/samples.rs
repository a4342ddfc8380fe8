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
    let below = !matches!(change, Change::Added | Change::Gone | Change::Moved | Change::Linked | Change::Replaced);
    let differs = Differs { mode: Some([0o644, 0o600]), owner: Some([0, 1000]), ..Differs::default() };
    Fact::Changed {
        path: page().into(),
        change,
        node: (change != Change::Deleted && change != Change::Gone).then_some(Node::File),
        layer: below.then(|| s(LAYER)),
        number: below.then_some(3),
        image: below.then(|| s("nginx")),
        source: None,
        node_was: below.then_some(Node::File),
        was: below.then_some(615),
        now: Some(640),
        names_was: (change == Change::Unmarked).then_some(2),
        covers: None,
        other: matches!(change, Change::Moved | Change::Linked).then(|| "/old".into()),
        differs: if change == Change::Attributes { differs } else { Differs::default() },
        since: None,
    }
}

/// One or more of every event, and of the kinds within them.
pub fn all_facts() -> Vec<Fact> {
    use Change::*;
    let all = [Covered, Unmarked, Added, Moved, Linked, Rewritten, Replaced, Attributes, Deleted, Opaque, Gone];
    let changes = all.map(changed);
    let renamed = match changed(CopiedUp) {
        Fact::Changed {
            path,
            change,
            node,
            layer,
            number,
            image,
            node_was,
            was,
            now,
            names_was,
            other,
            differs,
            ..
        } => {
            let covers = Some(Covers { diff_id: LAYER.replace('9', "7"), number: 1, node: Node::File, bytes: Some(9) });
            let since = Some(Since { after: Some(3), before: Some(7) });
            let source = Some("/etc/motd".into());
            Fact::Changed {
                path,
                change,
                node,
                layer,
                number,
                image,
                source,
                node_was,
                was,
                now,
                names_was,
                covers,
                other,
                differs,
                since,
            }
        }
        other => other,
    };
    let fallbacks = FaultPoint::ALL.iter().map(|point| Fact::Fallback { what: s("x"), point: *point });
    facts().into_iter().chain(changes).chain([renamed]).chain(fallbacks).collect()
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

pub fn usage(kind: &str, word: Option<&str>) -> Fault {
    Fault::Usage {
        command: s("run"),
        kind: s(kind),
        word: word.map(s),
        suggestion: Some(s("--rm")),
        text: s("requires at least 1 argument"),
    }
}

/// One or more of every error, and of the flaws within them.
pub fn all_faults() -> Vec<Fault> {
    use ReferenceFlaw::*;
    let references = [Empty, Uppercase, Characters, Tag, Digest, Colon];
    let references = references.map(|flaw| Fault::BadReference { text: s("A:"), flaw });
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
    let flaws = flaws.into_iter().map(|flaw| Fault::Archive { path: s("/etc/x"), flaw });
    fault::faults().into_iter().chain(references).chain(flaws).collect()
}
