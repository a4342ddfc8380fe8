use super::snapshot::entry;
use super::*;
use crate::kernel::host::Host;
use crate::kernel::resolve;
use std::os::fd::AsFd;

#[test]
fn no_symlink_of_a_layer_leads_out_of_it() {
    let (dir, host) = (tempfile::tempdir().expect("tempdir"), Host::look());
    std::fs::create_dir(dir.path().join("d")).expect("mkdir");
    std::fs::write(dir.path().join("d/file"), "four").expect("write");
    std::os::unix::fs::symlink("/etc", dir.path().join("out")).expect("symlink");
    std::os::unix::fs::symlink("d", dir.path().join("in")).expect("symlink");
    let found = look(&host, dir.path(), Path::new("/"), Budget::NONE).expect("in time");
    let names: Vec<(&str, Kind, u64)> =
        found.entries.iter().skip(1).filter_map(|(p, e)| Some((p.to_str()?, e.kind, e.size))).collect();
    let wanted = [("/d/file", Kind::File, 4), ("/in", Kind::Symlink, 1), ("/out", Kind::Symlink, 4)];
    assert_eq!(names[1..], wanted);
    assert_eq!((names[0].0, names[0].1), ("/d", Kind::Dir));
    let below = |start: &str| look(&host, dir.path(), Path::new(start), Budget::NONE).expect("in time").entries.len();
    assert_eq!((below("/out"), below("/d/file"), below("/in/file"), below("/out/passwd")), (2, 3, 0, 0));
    let layer = resolve::directory(dir.path()).expect("open");
    assert!(entry(layer.as_fd(), std::ffi::OsStr::new("out")).is_some_and(|e| e.kind == Kind::Symlink));
}

#[test]
fn a_look_says_how_far_it_came() {
    let (dir, host) = (tempfile::tempdir().expect("tempdir"), Host::look());
    std::fs::create_dir_all(dir.path().join("a/b")).expect("mkdir");
    for name in ["a-b", "a/b/c", "a/z", "b"] {
        std::fs::write(dir.path().join(name), "").expect("write");
    }
    let all = look(&host, dir.path(), Path::new("/"), Budget::NONE).expect("a look");
    let paths: Vec<&PathBuf> = all.entries.keys().collect();
    assert_eq!(
        paths.iter().map(|p| p.to_str().expect("text")).collect::<Vec<_>>(),
        ["/", "/a", "/a/b", "/a/b/c", "/a/z", "/a-b", "/b"]
    );
    for entries in 1..=paths.len() {
        let some = look(&host, dir.path(), Path::new("/"), Budget { entries, ..Budget::NONE }).expect("a look");
        assert_eq!(some.entries.keys().collect::<Vec<_>>(), paths[..entries]);
        assert_eq!(some.until.as_ref(), (entries < paths.len()).then_some(paths[entries - 1]));
        assert!(paths.iter().enumerate().all(|(n, path)| some.reaches(path) == (n < entries)));
    }
}

#[test]
fn a_snapshot_is_read_as_it_was_written_whatever_its_names_are() {
    use std::os::unix::ffi::OsStrExt;
    let (dir, host) = (tempfile::tempdir().expect("tempdir"), Host::look());
    std::fs::write(dir.path().join(std::ffi::OsStr::from_bytes(b"n\xff")), "").expect("write");
    let all = look(&host, dir.path(), Path::new("/"), Budget::NONE).expect("a look");
    let all = Snapshot { by: Some(7), until: Some("/x".into()), ..all };
    let text = serde_json::to_string(&Written::from(&all)).expect("json");
    assert_eq!(Snapshot::from(serde_json::from_str::<Written>(&text).expect("json")), all);
}
