//! An event with calls and a receipt, and the first `run -d` of a learner, for the tests of this module.

use crate::event::samples::*;
use crate::event::*;

/// The first sample of this name.
pub fn sample(name: &str) -> Fact {
    facts().into_iter().find(|f| f.definition().name == name).expect(name)
}

fn receipt(evidence: &str, proof: &[&str], subject: &str) -> Receipt {
    let receipt = Receipt::about(subject, Holds::WhileRunning(s(ID)), evidence).as_root();
    receipt.by(proof.iter().copied(), Expect::Status(0))
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
        own: true,
    };
    let mut early = vec![
        Fact::StoreMade { path: s(ROOT) },
        Fact::Fallback { what: s("nginx"), point: FaultPoint::BuiltIn },
        Fact::ImageFromHost { reference: s("nginx:latest"), programs: Some(vec![s("/bin/sh"); 12]), server: None },
    ];
    early.extend((0..3).map(|_| Fact::BlobWritten { digest: s(LAYER), bytes: 1000 }));
    early.extend((0..3).map(|_| sample("image.layer-unpacked")));
    early.push(Fact::Tagged { reference: s("nginx:latest"), id: s(LAYER), was: None });
    early.push(Fact::ImageResolved {
        reference: s("nginx:latest"),
        id: id(),
        by: Resolved::BuiltIn,
        layers: Some(lower()),
        bytes: Some(14_200_000),
    });
    let late = vec![
        sample("container.created"),
        Fact::Sealed { program: s("/usr/bin/docent") },
        sample("process.helper"),
        Fact::CgroupMade { version: 1, name: format!("/docent/{ID}"), paths: vec![] },
        Fact::CgroupDevices { path: s("/d"), allowed: vec![] },
        sample("network.bridge"),
        Fact::Nat { table: s("docent"), subnet: s("172.30.0.0/16") },
        sample("namespace.made"),
        Fact::Guarded { parent_death: true, not_dumpable: true },
        Fact::CgroupJoined { pid: Some(48213), name: format!("/docent/{ID}"), paths: vec![] },
        Fact::CgroupNamespace,
        Fact::MountsKept { private: false },
        sample("mount.overlay"),
        mount("proc", "/proc"),
        mount("tmpfs", "/dev"),
        sample("mount.devices"),
        mount("devpts", "/dev/pts"),
        mount("tmpfs", "/dev/shm"),
        mount("mqueue", "/dev/mqueue"),
        mount("sysfs", "/sys"),
        bound("/etc/hosts"),
        bound("/etc/hostname"),
        bound("/etc/resolv.conf"),
        Fact::Masked { paths: vec![s("/proc/kcore"); 9], absent: Vec::new() },
        Fact::ReadOnly { paths: vec![s("/proc/sys"); 5], absent: Vec::new() },
        sample("network.veth"),
        Fact::Loopback,
        Fact::Address { device: s("eth0"), address: Some(s("172.30.0.2/16")) },
        Fact::Route { gateway: Some(s("172.30.0.1")), device: s("eth0") },
        Fact::HostnameSet { name: s("3f2a9c0d1b2c") },
        Fact::RootPivoted { to: s("/merged") },
        Fact::SessionMade { tty: false },
        sample("security.seccomp"),
        Fact::UserSet { uid: Some(0), gid: Some(0), groups: Some(vec![]) },
        sample("security.capabilities"),
        sample("process.exec"),
        sample("container.started"),
    ];
    let early = early.into_iter().map(|f| Event { container: None, ..event(f) });
    early.chain(late.into_iter().map(event)).collect()
}
