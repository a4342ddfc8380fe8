//! Trees that a container or a user made too deep for any recursion, any number of descriptors and any path: every command
//! that goes through them ends, and so does the next one.

mod common;

use common::{Cgroups, Machine, Member, archive_of, pax};
use rustix::fs::{CWD, Mode, OFlags};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// More levels than a stack of 8 MB has room for, than there are descriptors, and than a path has bytes.
const LEVELS: usize = 60_000;

fn open(dir: impl std::os::fd::AsFd, name: impl rustix::path::Arg) -> rustix::io::Result<OwnedFd> {
    rustix::fs::openat(dir, name, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW, Mode::empty())
}

/// `dir/deep/d/d/d/…`, with a file at the bottom.
fn make_deep(dir: &Path) {
    std::fs::create_dir(dir.join("deep")).expect("deep");
    let mut here = open(CWD, dir.join("deep")).expect("deep");
    for _ in 1..LEVELS {
        rustix::fs::mkdirat(&here, "d", Mode::from_raw_mode(0o755)).expect("mkdirat");
        here = open(&here, "d").expect("d");
    }
    let how = OFlags::WRONLY | OFlags::CREATE;
    let file = rustix::fs::openat(&here, "bottom", how, Mode::from_raw_mode(0o644)).expect("bottom");
    rustix::io::write(file, b"reached").expect("write");
}

/// How many levels there are, and whether the file is at the bottom.
fn depth(top: &Path) -> (usize, bool) {
    let Ok(mut here) = open(CWD, top) else { return (0, false) };
    let mut levels = 1;
    while let Ok(below) = open(&here, "d") {
        (here, levels) = (below, levels + 1);
    }
    (levels, rustix::fs::statat(&here, "bottom", rustix::fs::AtFlags::SYMLINK_NOFOLLOW).is_ok_and(|s| s.st_size == 7))
}

fn upper(m: &Machine, id: &str) -> PathBuf {
    m.root().join("containers").join(id.trim()).join("upper")
}

/// The next commands work, and what they remove is all that was left.
#[track_caller]
fn goes_on(m: &Machine) {
    m.docent(&["ps", "-a"]).ok();
    m.docent(&["run", "--rm", "--network", "none", "tiny", "true"]).ok();
    let left: Vec<_> = std::fs::read_dir(m.root().join("tmp")).expect("tmp").flatten().map(|e| e.path()).collect();
    assert_eq!(left, Vec::<PathBuf>::new());
}

/// A machine whose directories are emptied by a program that can: the library's own removal recurses.
struct Deep(Machine);

impl Deep {
    fn new(test: &str) -> Option<Deep> {
        // In memory where that is to be had: a disk would be waited for at half a million directories.
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
        Machine::below(Cgroups::AsHere, test, &[], &place).map(Deep)
    }

    fn clear(&self, dir: &Path) {
        docent::inside::remove_path(dir).unwrap_or(());
    }
}

impl std::ops::Deref for Deep {
    type Target = Machine;
    fn deref(&self) -> &Machine {
        &self.0
    }
}

impl Drop for Deep {
    fn drop(&mut self) {
        self.clear(&self.root());
        self.clear(&self.work());
    }
}

#[test]
fn a_tree_of_60_000_levels_is_copied_both_ways_looked_at_and_removed() {
    let Some(m) = Deep::new("trees::deep") else { return };
    let id = m.docent(&["create", "--name", "cc", "--network", "none", "tiny", "sleep", "1000"]).ok().stdout;
    let upper = upper(&m, &id);
    make_deep(&upper);
    m.docent(&["cp", "cc:/deep", "out"]).ok();
    goes_on(&m);
    assert_eq!(depth(&m.work().join("out")), (LEVELS, true));
    // Into a running one, and once more over what is there.
    m.docent(&["start", "cc"]).ok();
    m.docent(&["cp", "out", "cc:/in"]).ok();
    goes_on(&m);
    m.docent(&["cp", "out/.", "cc:/in"]).ok();
    goes_on(&m);
    assert_eq!(depth(&upper.join("in")), (LEVELS, true));
    // What has no path that could be named is no silence: Docker says the same.
    let diff = m.docent(&["diff", "cc"]);
    assert_eq!(diff.code, 1, "{}", diff.stdout);
    assert!(diff.stderr.to_lowercase().contains("name too long"), "{}", diff.stderr);
    m.docent(&["exec", "cc", "true"]).ok();
    goes_on(&m);
    m.docent(&["rm", "-f", "cc"]).ok();
    assert!(!upper.exists());
    goes_on(&m);
}

#[test]
fn what_a_killed_copy_left_is_found_by_its_own_name_alone() {
    let Some(m) = Deep::new("trees::killed") else { return };
    let id = m.docent(&["create", "--name", "cc", "--network", "none", "tiny", "true"]).ok().stdout;
    let upper = upper(&m, &id);
    make_deep(&upper);
    // A note of a copy whose command is gone, as a killed one leaves it, beside the deepest tree there can be.
    for (container, dir, left) in [
        (format!("\"{}\"", id.trim()), "/".to_string(), upper.join(".docent-1-1.1")),
        ("null".to_string(), m.work().to_string_lossy().into_owned(), m.work().join(".docent-1-1.1")),
    ] {
        std::fs::create_dir(&left).expect("left");
        make_deep(&left);
        let note = format!("{{\"copy\":\".docent-1-1\",\"container\":{container},\"dir\":\"{dir}\"}}");
        std::fs::write(m.root().join("tmp/1.1.1"), note).expect("note");
        goes_on(&m);
        assert!(!left.exists(), "{}", left.display());
    }
    assert_eq!(depth(&upper.join("deep")), (LEVELS, true));
    m.docent(&["rm", "cc"]).ok();
    goes_on(&m);
    // And what a killed command left in tmp/ itself.
    make_deep(&m.root().join("tmp"));
    goes_on(&m);
}

#[test]
fn a_layer_with_a_deep_path_is_refused_and_nothing_stays() {
    let Some(m) = Machine::new("trees::layer", &[]) else { return };
    let path = pax("path", &format!("{}x", "d/".repeat(LEVELS)));
    let layer = [Member { kind: b'x', name: "pax", link: "", content: &path }, Member::file("short", b"x")];
    archive_of(&m.work().join("deep.tar"), &["deep:latest"], &[&layer]);
    let refused = m.docent(&["load", "-i", "deep.tar"]);
    assert_eq!(refused.code, 1, "{}{}", refused.stdout, refused.stderr);
    goes_on(&m);
    assert_eq!(m.docent(&["images", "-q", "deep"]).ok().stdout, "");
}

#[test]
fn an_image_that_hides_what_is_mounted_on_runs_as_docker_runs_it() {
    let Some(m) = Machine::new("trees::whiteouts", &[]) else { return };
    let below =
        [Member::file("etc/motd", b"below\n"), Member::file("etc/gone", b"gone\n"), Member::file("proc/x", b"x")];
    // The lower files of /etc are hidden; /proc, /dev and /sys are deleted altogether.
    let opaque = [
        Member::file("etc/.wh..wh..opq", b""),
        Member::file("etc/motd", b"above\n"),
        Member::file(".wh.proc", b""),
        Member::file(".wh.dev", b""),
        Member::file(".wh.sys", b""),
    ];
    archive_of(&m.work().join("odd.tar"), &["odd:latest"], &[&below, &opaque]);
    m.docent(&["load", "-i", "odd.tar"]).ok();
    // The image has no program: one is copied in, and what it needs.
    let script =
        "cat /etc/motd; ls /etc; test ! -e /etc/gone -a -r /proc/self/status -a -c /dev/null -a -d /sys/kernel";
    m.docent(&["create", "--name", "odd", "--network", "none", "odd", "sh", "-c", script]).ok();
    m.docent(&["create", "--name", "tiny", "tiny", "true"]).ok();
    m.sh("\"$0\" cp tiny:/ all; rm -rf all/proc all/dev all/sys all/etc; \"$0\" cp all/. odd:/").ok();
    let ran = m.docent(&["start", "-a", "odd"]).ok();
    assert_eq!(ran.stdout, "above\nhostname\nhosts\nmotd\nresolv.conf\n", "{}", ran.stderr);
}

/// Root of a user namespace may not write `trusted.*` (xattr(7)): there overlayfs keeps its marks in `user.overlay.*`, in the
/// layers that docent unpacks, in what the kernel copies up, and in what a forecast looks through.
#[test]
fn in_a_user_namespace_overlayfs_keeps_its_marks_where_it_may() {
    let Some(m) = Machine::new("trees::user_namespace", &["getfattr"]) else { return };
    let unshare = ["unshare", "--user", "--map-root-user", "--mount"];
    if m.run(&[&unshare[..], &["true"]].concat()).code != 0 {
        return common::skip("trees::user_namespace", "no user namespace can be made here");
    }
    let docent = |args: &[&str]| m.run(&[&unshare[..], &[common::DOCENT], args].concat()).ok().stdout;
    let below = [Member::file("d/hidden", b"below"), Member::file("e/copied", b"below")];
    let above = [Member::file("d/.wh..wh..opq", b""), Member::file("d/seen", b"above")];
    archive_of(&m.work().join("opaque.tar"), &["opaque:1"], &[&below, &above]);
    docent(&["load", "-i", "opaque.tar"]);
    docent(&["create", "--name", "one", "opaque:1"]);
    m.sh("echo new >new").ok();
    docent(&["cp", "new", "one:/e/new"]);
    assert_eq!(docent(&["diff", "one"]), "C /e\nA /e/new\n");
    docent(&["cp", "one:/d", "out"]);
    assert_eq!(m.sh("ls out").ok().stdout, "seen\n");
    // What the opaque directory hides is not covered by a copy.
    let foreseen = |to: &str| docent(&["--narrate", "json", "explain", "--", "cp", "new", to]).contains("covered");
    assert_eq!((foreseen("one:/e/copied"), foreseen("one:/d/hidden")), (true, false));
    let marks = m.sh("getfattr -R -h -m overlay \"$DOCENT_ROOT\" | grep overlay | sort -u").ok().stdout;
    assert!(
        marks.lines().all(|mark| mark.starts_with("user.overlay.")) && marks.contains("user.overlay.opaque"),
        "{marks}"
    );
}
