//! The attacks by which a container could reach the host, each tried: what an image may bring, what a program may ask for.
//!
//! core_pattern stands for "root on the host": it is opened for appending, and nothing is ever written.

mod common;

use common::{Machine, Ran};
use sha2::{Digest, Sha256};

/// Something in the top layer of a hostile image.
enum Entry<'a> {
    Directory,
    File(&'a str),
    Link(&'a str),
}
use Entry::{Directory, File, Link};

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
