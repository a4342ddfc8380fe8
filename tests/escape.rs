//! The attacks by which a container could reach the host, each tried: what an image may bring, what a program may ask for.
//!
//! core_pattern stands for "root on the host": it is opened for appending, and nothing is ever written.

mod common;

use common::tracer::{self, Act};
use common::{Cgroups, DOCENT, Machine, Ran};
use sha2::{Digest, Sha256};

/// Something in the top layer of a hostile image.
enum Entry<'a> {
    Directory,
    File(&'a str),
    Link(&'a str),
    Fifo,
    /// A character device.
    Device(u32, u32),
}
use Entry::{Device, Directory, Fifo, File, Link};

/// Whether core_pattern can be opened for writing: exit code 0 is the escape.
const REACHES_HOST: &str = "exec 3>>/proc/sys/kernel/core_pattern";

/// Loads `evil:NAME`: the programs of `tiny`, and above them these entries.
fn image(m: &Machine, name: &str, config: &str, entries: &[(&str, Entry)]) -> String {
    if !m.work().join("base.tar").is_file() {
        m.docent(&["run", "--rm", "--network", "none", "tiny", "true"]).ok();
        let mut base = tar::Builder::new(std::fs::File::create(m.work().join("base.tar")).expect("base.tar"));
        base.follow_symlinks(false);
        for layer in std::fs::read_dir(m.root().join("layers")).expect("layers").flatten() {
            if layer.file_name() != "mount-points" && layer.path().join("diff").is_dir() {
                base.append_dir_all("", layer.path().join("diff")).expect("a layer");
            }
        }
        base.finish().expect("base.tar");
    }
    let mut top = tar::Builder::new(Vec::new());
    for (path, entry) in entries {
        let mut header = tar::Header::new_ustar();
        let (kind, mode, content) = match entry {
            Directory => (tar::EntryType::Directory, 0o755, ""),
            File(content) => (tar::EntryType::Regular, 0o755, *content),
            Link(_) => (tar::EntryType::Symlink, 0o777, ""),
            Fifo => (tar::EntryType::Fifo, 0o666, ""),
            Device(major, minor) => {
                header.set_device_major(*major).expect(path);
                header.set_device_minor(*minor).expect(path);
                (tar::EntryType::Char, 0o666, "")
            }
        };
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(content.len() as u64);
        match entry {
            Link(to) => top.append_link(&mut header, path, to).expect(path),
            _ => top.append_data(&mut header, path, content.as_bytes()).expect(path),
        }
    }
    let (base, top) = (std::fs::read(m.work().join("base.tar")).expect("base"), top.into_inner().expect("top"));
    let id = |bytes: &[u8]| Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect::<String>();
    let config = format!(
        "{{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{{{config}}},\
         \"rootfs\":{{\"type\":\"layers\",\"diff_ids\":[\"sha256:{}\",\"sha256:{}\"]}}}}",
        id(&base),
        id(&top)
    );
    let tag = format!("evil:{name}");
    let manifest =
        format!("[{{\"Config\":\"config.json\",\"RepoTags\":[\"{tag}\"],\"Layers\":[\"base.tar\",\"top.tar\"]}}]");
    let mut archive = tar::Builder::new(std::fs::File::create(m.work().join("evil.tar")).expect("evil.tar"));
    for (name, content) in [
        ("base.tar", base.as_slice()),
        ("top.tar", &top),
        ("config.json", config.as_bytes()),
        ("manifest.json", manifest.as_bytes()),
    ] {
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, name, content).expect(name);
    }
    archive.finish().expect("evil.tar");
    m.docent(&["load", "-i", "evil.tar"]).ok();
    tag
}

fn run(m: &Machine, image: &str, script: &str) -> Ran {
    m.docent(&["run", "--rm", "--network", "none", image, "sh", "-c", script])
}

#[test]
fn proc_sys_and_dev_are_ordinary_directories() {
    let Some(m) = Machine::new("escape::ordinary", &[]) else { return };
    for name in ["proc", "sys", "dev"] {
        for (kind, entry) in [("link", Link("tmp")), ("absolute", Link("/tmp")), ("file", File("x"))] {
            let tag = image(&m, &format!("{name}-{kind}"), "", &[(name, entry)]);
            let ran = run(&m, &tag, REACHES_HOST);
            assert_eq!(ran.code, 125, "{tag}: {ran:?}");
            assert!(ran.stderr.contains("must be mounted on ordinary directory"), "{tag}: {}", ran.stderr);
            let korean = m.sh(&format!("DOCENT_LANG=ko \"$0\" run --rm --network none {tag} true"));
            assert!(korean.stderr.contains("일반 디렉터리가 아닙니다"), "{tag}: {}", korean.stderr);
        }
    }
    // A container whose /proc was made a link while it was stopped is no different.
    m.docent(&["create", "--name", "later", "--network", "none", "tiny", "sh", "-c", REACHES_HOST]).ok();
    m.sh("cd $DOCENT_ROOT/containers/*/upper && ln -s tmp proc").ok();
    let ran = m.docent(&["start", "-a", "later"]);
    assert!(ran.code != 0 && ran.stderr.contains("ordinary directory"), "{ran:?}");
}

#[test]
fn links_below_proc_and_sys_are_covered_by_the_mount() {
    let Some(m) = Machine::new("escape::below", &[]) else { return };
    let links = [
        ("proc/sys", Link("/tmp")),
        ("proc/kcore", Link("/etc/passwd")),
        ("sys/firmware", Link("/tmp")),
        ("dev/null", Link("/etc/passwd")),
        ("dev/pts", Link("/etc")),
        ("dev/shm", Link("/proc")),
    ];
    let tag = image(&m, "below", "", &links);
    assert_ne!(run(&m, &tag, REACHES_HOST).code, 0, "core_pattern can be written");
    let ran = run(&m, &tag, "test -c /dev/null && test -c /dev/pts/ptmx && test -d /dev/shm && ls -A /sys/firmware");
    assert_eq!(ran.ok().stdout, "");
    // An image that hides the mount points has them made.
    let bare = [(".wh.proc", File("")), (".wh.sys", File("")), (".wh.dev", File(""))];
    let tag = image(&m, "bare", "", &bare);
    assert_eq!(
        run(&m, &tag, "test -d /proc/1 && test -d /sys/kernel && test -c /dev/null; echo $?").ok().stdout,
        "0\n"
    );
}

#[test]
fn files_are_mounted_inside_the_root_and_on_files() {
    let Some(m) = Machine::new("escape::files", &[]) else { return };
    // As images of distributions with systemd-resolved have it: the target is made where the link leads.
    let dangling = [("etc/resolv.conf", Link("../run/systemd/resolve/stub-resolv.conf"))];
    let tag = image(&m, "dangling", "", &dangling);
    let ran = run(&m, &tag, "grep -c nameserver /run/systemd/resolve/stub-resolv.conf; readlink /etc/resolv.conf");
    let said = ran.ok().stdout;
    assert!(said.ends_with("../run/systemd/resolve/stub-resolv.conf\n") && !said.starts_with('0'), "{said}");
    // Out of the root means the root.
    let secret = m.work().join("secret");
    std::fs::write(&secret, "host\n").expect("secret");
    let up = format!("../../../../../../../..{}", secret.display());
    let tag = image(&m, "up", "", &[("etc/hosts", Link(&up))]);
    assert!(run(&m, &tag, &format!("cat {}", secret.display())).ok().stdout.contains("localhost"));
    assert_eq!(std::fs::read_to_string(&secret).expect("secret"), "host\n");
    let tag = image(&m, "directory", "", &[("etc/hostname", Directory)]);
    let ran = run(&m, &tag, "true");
    assert!(ran.code == 125 && ran.stderr.contains("mount a directory onto a file"), "{ran:?}");
    for (name, to) in [("kernel", "/proc/sys/kernel"), ("fd", "/proc/self/fd"), ("cwd", "/proc/self/cwd/etc")] {
        let tag = image(&m, name, "", &[("etc", Link(to))]);
        let ran = run(&m, &tag, "true");
        assert_eq!(ran.code, 125, "{ran:?}");
    }
    let tag = image(&m, "in-proc", "", &[("etc/hosts", Link("/proc/version"))]);
    let ran = run(&m, &tag, "true");
    assert!(ran.code == 125 && ran.stderr.contains("because it is inside /proc"), "{ran:?}");
    let loops = [("etc/hosts", Link("/etc/host2")), ("etc/host2", Link("/etc/hosts"))];
    assert_eq!(run(&m, &image(&m, "loop", "", &loops), "true").code, 125);
}

/// Every way to start a program in a container; `$0` is docent.
const STARTS: &str = r#"
$0 run --rm --network none tiny true
echo x | $0 run --rm -i -w /new/place -u 1000 tiny cat
script -qec "$0 run --rm -it --network none tiny true" /dev/null </dev/null
$0 run -d --name web tiny sleep 1000
$0 run -d --name term -t --network none tiny sleep 1000
$0 exec web true
echo x | $0 exec -i web cat
script -qec "$0 exec -it web true" /dev/null </dev/null
$0 rm -f web term
"#;

#[test]
fn nothing_of_the_host_is_open_when_a_program_starts() {
    if !tracer::SUPPORTED {
        return common::skip("escape::descriptors", "calls can be stopped at on x86_64 only");
    }
    use std::os::unix::fs::MetadataExt;
    let of_host = |path: &str| std::fs::metadata(path).expect(path).dev();
    let host = [of_host("/dev"), of_host("/"), of_host("/sys"), of_host("/proc"), of_host("/tmp")];
    for cgroups in [Cgroups::AsHere, Cgroups::Unified] {
        let Some(m) = Machine::with(cgroups, "escape::descriptors", &["script"]) else { return };
        let traced = tracer::trace(m.command(&["sh", "-ec", STARTS, DOCENT]), DOCENT, Act::Watch);
        let said = Ran::of(format!("{cgroups:?}"), &traced.output).ok();
        let paths: Vec<&String> = traced.started.iter().map(|s| &s.path).collect();
        assert_eq!(paths.len(), 8, "{paths:?} {said:?}");
        for started in &traced.started {
            let told = format!("{cgroups:?} {}: {:#?}", started.path, started.descriptors);
            assert!(started.inside, "{told}");
            let numbers: Vec<i32> = started.descriptors.iter().map(|d| d.number).collect();
            assert_eq!(numbers, [0, 1, 2, 3], "{told}");
            let (streams, own) = started.descriptors.split_at(3);
            // The socket on which a failed execve is reported leads to a process, not to a file.
            assert!(own[0].link.starts_with("socket:") && own[0].close_on_exec, "{told}");
            for stream in streams {
                let of_container = stream.link.starts_with('/') && !host.contains(&stream.device);
                assert!(stream.link.starts_with("pipe:") || of_container, "{told}");
            }
        }
        assert_eq!(m.leftovers(0), Vec::<String>::new());
    }
}

#[test]
fn no_program_and_no_directory_of_the_host_is_entered_by_a_descriptor() {
    for cgroups in [Cgroups::Unified, Cgroups::AsHere] {
        let Some(m) = Machine::with(cgroups, "escape::enter", &[]) else { return };
        std::fs::write(m.work().join("escaped"), "#!/bin/sh\nexit 77\n").expect("a program of the host");
        m.sh("chmod 755 escaped").ok();
        let work = m.work().display().to_string();
        let flips = "i=3; while [ $i -lt 16 ]; do ln -s /tmp /flip$i; i=$((i+1)); done; \
            while :; do i=3; while [ $i -lt 16 ]; do ln -sfn /proc/self/fd/$i /flip$i; ln -sfn /tmp /flip$i; i=$((i+1)); \
            done; done";
        m.docent(&["run", "-d", "--name", "web", "--network", "none", "tiny", "sh", "-c", flips]).ok();
        for number in 3..16 {
            let out = format!("/proc/self/fd/{number}/../../../../../../../../..{work}/escaped");
            for way in [vec!["run", "--rm", "--network", "none", "tiny"], vec!["exec", "web"]] {
                let ran = m.docent(&[way.as_slice(), &[&out]].concat());
                assert!([126, 127].contains(&ran.code), "{cgroups:?}: {ran:?}");
            }
            let file = format!("../../../../../../../../..{work}/escaped");
            let ran = m.docent(&["exec", "-w", &format!("/flip{number}"), "web", "test", "-e", &file]);
            assert_ne!(ran.code, 0, "{cgroups:?}: {ran:?}");
        }
        for (path, code) in [("/proc/self/exe", 126), ("/proc/self/cwd/bin/sh", 126), ("/proc/1/root/bin/sh", 126)] {
            let ran = m.docent(&["run", "--rm", "--network", "none", "tiny", path, "--version"]);
            assert_eq!(ran.code, code, "{ran:?}");
        }
    }
}

#[test]
fn a_script_is_started_by_its_path() {
    let Some(m) = Machine::new("escape::script", &[]) else { return };
    let script = "#!/bin/sh\necho \"$0 $1\"\n";
    let entries =
        [("start.sh", File(script)), ("opt/here.sh", File(script)), ("usr/bin/called", Link("../../start.sh"))];
    let tag = image(&m, "script", "\"Entrypoint\":[\"/start.sh\"],\"Cmd\":[\"x\"]", &entries);
    let ran = m.docent(&["run", "--rm", "--network", "none", &tag]);
    assert_eq!(ran.ok().stdout, "/start.sh x\n");
    for (argv, said) in [("called", "/usr/bin/called y\n"), ("./here.sh", "./here.sh y\n")] {
        let ran = m.docent(&["run", "--rm", "--network", "none", "-w", "/opt", "--entrypoint", argv, &tag, "y"]);
        assert_eq!(ran.ok().stdout, said);
    }
}

#[test]
fn the_host_s_null_is_not_a_container_s_input() {
    let Some(m) = Machine::new("escape::null", &[]) else { return };
    use std::os::unix::fs::PermissionsExt;
    let mode = || std::fs::metadata("/dev/null").expect("/dev/null").permissions().mode();
    let before = mode();
    run(&m, "tiny", "chmod 0666 /proc/self/fd/0 && test -c /proc/self/fd/0").ok();
    // Which file it is can be seen without changing one: the container's /dev is a file system of its own.
    run(&m, "tiny", "test \"$(stat -Lc %d /proc/self/fd/0)\" = \"$(stat -c %d /dev/null)\"").ok();
    assert_eq!(mode(), before);
}

#[test]
fn a_fifo_for_passwd_is_named() {
    let Some(m) = Machine::new("escape::fifo", &[]) else { return };
    for name in ["etc/passwd", "etc/group"] {
        let tag = image(&m, &name.replace('/', "-"), "", &[(name, Fifo)]);
        let ran = m.docent(&["run", "--rm", "--network", "none", "-u", "web", &tag, "true"]);
        assert_eq!(ran.code, 125, "{ran:?}");
        assert!(ran.stderr.contains(&format!("/{name} of the container is not a regular file (FIFO)")), "{ran:?}");
    }
}

#[test]
fn a_container_sees_its_own_cgroups_and_cannot_change_them() {
    for cgroups in [Cgroups::AsHere, Cgroups::Unified] {
        let Some(m) = Machine::with(cgroups, "escape::cgroup", &[]) else { return };
        if cgroups == Cgroups::Unified || docent::inside::Host::look().cgroups.version == 2 {
            run(&m, "tiny", "grep -qx 1 /sys/fs/cgroup/cgroup.procs && ! mkdir /sys/fs/cgroup/x").ok();
            continue;
        }
        let limited = ["run", "--rm", "--network", "none", "-m", "64m", "--pids-limit", "50", "tiny", "sh", "-c"];
        let ran = m
            .docent(&[&limited[..], &["cd /sys/fs/cgroup && cat memory/memory.limit_in_bytes pids/pids.max"]].concat());
        assert_eq!(ran.ok().stdout, "67108864\n50\n");
        let own = "cd /sys/fs/cgroup && grep -x 1 memory/cgroup.procs && test ! -e memory/docent && cat freezer/freezer.state";
        assert_eq!(run(&m, "tiny", own).ok().stdout, "1\nTHAWED\n");
        for change in [
            "mkdir /sys/fs/cgroup/x",
            "mkdir /sys/fs/cgroup/memory/x",
            "echo 1 >/sys/fs/cgroup/memory/memory.limit_in_bytes",
            "echo a >/sys/fs/cgroup/devices/devices.allow",
            "echo 0 >/sys/fs/cgroup/pids/tasks",
        ] {
            assert_ne!(run(&m, "tiny", change).code, 0, "{change}");
        }
    }
}

/// The kernel's log and the control of loop devices: opening one for reading needs no capability on most hosts, and does nothing.
const DEVICES: [(u32, u32); 2] = [(1, 11), (10, 237)];

#[test]
fn a_device_of_the_host_is_opened_in_no_way() {
    // The third: a host of version 1 on which the tree of the devices is not mounted.
    for (cgroups, device_tree) in [(Cgroups::AsHere, true), (Cgroups::Unified, true), (Cgroups::AsHere, false)] {
        let Some(m) = Machine::with(cgroups, "escape::devices", &["mknod"]) else { return };
        if !device_tree {
            m.sh("for p in $(grep ' - cgroup .*devices' /proc/self/mountinfo | cut -d' ' -f5); do umount -l $p; done")
                .ok();
        }
        let names: Vec<String> = DEVICES.iter().map(|(major, minor)| format!("dev-{major}-{minor}")).collect();
        let entries: Vec<(&str, Entry)> =
            names.iter().zip(DEVICES).map(|(name, (major, minor))| (name.as_str(), Device(major, minor))).collect();
        let tag = image(&m, "devices", "", &entries);
        m.docent(&["run", "-d", "--name", "web", "--network", "none", &tag, "sleep", "1000"]).ok();
        let mut opened_here = 0;
        for (name, (major, minor)) in names.iter().zip(DEVICES) {
            m.sh(&format!("mknod -m 666 {name} c {major} {minor} && mkdir in-{name} && cp -a {name} in-{name}")).ok();
            opened_here += usize::from(m.sh(&format!("exec 3<{name}")).code == 0);
            m.docent(&["cp", &format!("in-{name}"), "web:/"]).ok();
            for node in [format!("/{name}"), format!("/in-{name}/{name}")] {
                m.docent(&["exec", "web", "test", "-c", &node]).ok();
                let ran = m.docent(&["exec", "web", "sh", "-c", &format!("exec 3<{node}")]);
                assert_ne!(ran.code, 0, "{cgroups:?} {device_tree} {node}: {ran:?}");
            }
            // On version 1 the node can be made, as with Docker, and not be opened.
            for dir in ["/tmp", "/dev", "/dev/shm"] {
                let script = format!("mknod -m 666 {dir}/{name} c {major} {minor} && exec 3<{dir}/{name}");
                let ran = m.docent(&["exec", "web", "sh", "-c", &script]);
                assert_ne!(ran.code, 0, "{cgroups:?} {device_tree} {dir}: {ran:?}");
            }
        }
        assert_ne!(opened_here, 0, "none of these can be opened on this host, so nothing was shown");
        let own = "for d in null zero full random urandom tty; do test -c /dev/$d || exit 1; done; \
            head -c 1 /dev/zero >/dev/null && head -c 1 /dev/urandom >/dev/null";
        m.docent(&["exec", "web", "sh", "-c", own]).ok();
    }
}

/// pivot_root in a chroot leaves the mounts around it in the namespace: `exec`, which enters at the top, was among them.
#[test]
fn in_a_chroot_no_container_is_made() {
    let Some(m) = Machine::new("escape::chroot", &["unshare", "chroot", "mount"]) else { return };
    m.docent(&["run", "--rm", "--network", "none", "tiny", "true"]).ok();
    let script = "PATH=$PATH:/usr/sbin:/sbin; mkdir /root-of-it; mount --rbind / /root-of-it; \
                  exec chroot /root-of-it \"$0\" run --name jailed --network none tiny ls /";
    let work = m.work().to_string_lossy().into_owned();
    let ran = m.sh(&script.replace("/root-of-it", &format!("{work}/root-of-it")));
    assert!(ran.code == 125 && ran.stdout.is_empty() && ran.stderr.contains("chroot"), "{}: {}", ran.code, ran.stderr);
    m.sh(&format!("umount -l {work}/root-of-it; \"$0\" rm jailed")).ok();
}
