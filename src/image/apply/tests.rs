//! Layers with everything awkward or hostile in them, built in memory.

use super::*;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use tar::{EntryType, Header};

/// A tar stream, header by header, so that nothing is too bad to be written.
#[derive(Default)]
struct Tarball(Vec<u8>);

impl Tarball {
    fn raw(mut self, kind: u8, name: &[u8], link: &[u8], content: &[u8], change: impl FnOnce(&mut Header)) -> Self {
        let mut header = Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link);
        header.set_entry_type(EntryType::new(kind));
        header.set_mode(0o644);
        header.set_uid(u64::from(rustix::process::geteuid().as_raw()));
        header.set_gid(u64::from(rustix::process::getegid().as_raw()));
        header.set_mtime(1_000_000_000);
        header.set_size(content.len() as u64);
        change(&mut header);
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }
    fn file(self, name: &str, content: &str) -> Self {
        self.raw(b'0', name.as_bytes(), b"", content.as_bytes(), |_| {})
    }
    fn dir(self, name: &str, mode: u32) -> Self {
        self.raw(b'5', name.as_bytes(), b"", b"", |h| h.set_mode(mode))
    }
    fn link(self, name: &str, target: &str) -> Self {
        self.raw(b'2', name.as_bytes(), target.as_bytes(), b"", |_| {})
    }
    fn hard(self, name: &str, target: &str) -> Self {
        self.raw(b'1', name.as_bytes(), target.as_bytes(), b"", |_| {})
    }
    fn pax(self, records: &[(&str, &[u8])]) -> Self {
        let mut data = Vec::new();
        for (key, value) in records {
            let rest = key.len() + value.len() + 3;
            let length = (1..6).map(|digits| rest + digits).find(|n| n.to_string().len() + rest == *n).unwrap();
            data.extend_from_slice(format!("{length} {key}=").as_bytes());
            data.extend_from_slice(value);
            data.push(b'\n');
        }
        self.raw(b'x', b"pax", b"", &data, |_| {})
    }
    fn end(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }
}

struct Unpacked {
    dir: tempfile::TempDir,
    result: Result<Applied, LayerError>,
}

impl Unpacked {
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("layer").join(name)
    }
    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|e| format!("{name}: {e}"))
    }
    fn meta(&self, name: &str) -> std::fs::Metadata {
        std::fs::symlink_metadata(self.path(name)).unwrap()
    }
    /// Nothing was made beside the layer.
    #[track_caller]
    fn nothing_escaped(&self) {
        let beside: Vec<_> = std::fs::read_dir(self.dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(beside, ["layer"]);
    }
    #[track_caller]
    fn flaw(self) -> ArchiveFlaw {
        self.nothing_escaped();
        match self.result {
            Err(LayerError::Flaw(flaw)) => flaw,
            other => panic!("{other:?}"),
        }
    }
}

fn unpack_on(tar: Tarball, lowers: &[PathBuf]) -> Unpacked {
    unpack_bytes(&tar.end(), lowers)
}

fn unpack_bytes(bytes: &[u8], lowers: &[PathBuf]) -> Unpacked {
    let dir = tempfile::tempdir().unwrap();
    let layer = dir.path().join("layer");
    std::fs::create_dir(&layer).unwrap();
    let root = rustix::fs::open(&layer, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap();
    let result = apply(bytes, root, lowers, &Host::look());
    Unpacked { dir, result }
}

#[track_caller]
fn good(tar: Tarball) -> Unpacked {
    let unpacked = unpack_on(tar, &[]);
    assert!(unpacked.result.is_ok(), "{:?}", unpacked.result);
    unpacked.nothing_escaped();
    unpacked
}

/// Some things only root may make; the test then says that it saw less.
fn root(what: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("SKIPPED (needs root): {what}");
    }
    root
}

fn has_xattr(path: &Path, name: &str) -> bool {
    rustix::fs::lgetxattr(path, name, &mut [0u8; 64][..]).is_ok()
}

#[test]
fn names_that_lead_out_are_refused() {
    for name in ["../x", "a/../../x", "/../x", "a/b/../../../x"] {
        assert!(
            matches!(unpack_on(Tarball::default().file(name, "x"), &[]).flaw(), ArchiveFlaw::Escape { .. }),
            "{name}"
        );
    }
    for link in ["../layer2", "../../etc/passwd"] {
        let tar = Tarball::default().file("a", "x").hard("b", link);
        assert!(matches!(unpack_on(tar, &[]).flaw(), ArchiveFlaw::Escape { .. }), "{link}");
    }
}

#[test]
fn absolute_names_and_inner_dots_stay_inside() {
    let u = good(Tarball::default().file("/etc/x", "x").file("./a/../b", "b").file("//c//d", "d"));
    assert_eq!((u.read("etc/x"), u.read("b"), u.read("c/d")), ("x".into(), "b".into(), "d".into()));
    assert!(!u.path("a").exists());
}

#[test]
fn links_on_the_way_are_followed_inside_only() {
    let u = good(Tarball::default().dir("real", 0o755).link("to", "/real").file("to/x", "x"));
    assert_eq!(u.read("real/x"), "x");
    let u = good(Tarball::default().dir("real", 0o755).link("to", "../../../../real").file("to/sub/x", "x"));
    assert_eq!(u.read("real/sub/x"), "x");
    // Out of the layer in the host's eyes; inside there is nothing of that name.
    let outside = tempfile::tempdir().unwrap();
    for target in [outside.path().to_str().unwrap(), "../outside", "/proc/self/cwd", "nowhere", "loop"] {
        let tar = Tarball::default().link("loop", target).file("loop/x", "x");
        assert!(matches!(unpack_on(tar, &[]).flaw(), ArchiveFlaw::Escape { .. }), "{target}");
    }
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn a_link_is_replaced_and_never_written_through() {
    let outside = tempfile::NamedTempFile::new().unwrap();
    let target = outside.path().to_str().unwrap();
    let u = good(Tarball::default().link("x", target).file("x", "new"));
    assert_eq!(u.read("x"), "new");
    assert!(u.meta("x").is_file());
    let u = good(Tarball::default().dir("d", 0o755).link("x", "d").dir("x", 0o700).file("x/in", "in"));
    assert!(u.meta("x").is_dir() && !u.path("d/in").exists());
    // A hard link to a link is the link, and an open of it would follow: so it is made by name.
    let u = good(Tarball::default().link("l", target).hard("h", "l").file("h", "new"));
    assert!(u.meta("l").is_symlink());
    assert_eq!(std::fs::metadata(target).unwrap().len(), 0);
}

#[test]
fn what_comes_last_wins() {
    let u = good(
        Tarball::default()
            .dir("d", 0o755)
            .file("d/in", "1")
            .file("d", "file now")
            .dir("d", 0o711)
            .file("d/again", "2")
            .file("f", "1")
            .hard("f2", "f")
            .file("f", "22"),
    );
    assert!(!u.path("d/in").exists());
    assert_eq!((u.read("d/again"), u.read("f"), u.read("f2")), ("2".into(), "22".into(), "1".into()));
    assert_eq!(u.meta("d").mode() & 0o7777, 0o711);
    // A hard link to itself changes nothing.
    let u = good(Tarball::default().file("f", "1").hard("f", "f"));
    assert_eq!(u.read("f"), "1");
}

#[test]
fn hard_links_must_lead_to_a_file_of_this_layer() {
    for (tar, what) in [
        (Tarball::default().hard("a", "nothing"), "nothing"),
        (Tarball::default().hard("a", "/etc/passwd"), "the host's"),
        (Tarball::default().dir("d", 0o755).hard("a", "d"), "a directory"),
        (Tarball::default().link("l", "/etc").hard("a", "l/passwd"), "through a link"),
        (Tarball::default().hard("a", ""), "no name"),
    ] {
        assert!(matches!(unpack_on(tar, &[]).flaw(), ArchiveFlaw::BadMember { .. }), "{what}");
    }
}

#[test]
fn modes_times_and_names() {
    let long = "n".repeat(200);
    let before = Tarball::default()
        .raw(b'0', b"suid", b"", b"x", |h| h.set_mode(0o6755))
        .pax(&[("mtime", b"-315360000.5")])
        .file("old", "x")
        .pax(&[("path", long.as_bytes()), ("mtime", b"1234567890.123456789")])
        .file("short", "x")
        .raw(b'5', b"d", b"", b"", |h| {
            h.set_mode(0o1777);
            h.set_mtime(5);
        })
        .file("d/in", "x")
        .raw(b'0', b"base256", b"", b"", |h| h.as_old_mut().mtime = [0xff; 12])
        .raw(b'L', b"././@LongLink", b"", [&b"g".repeat(150)[..], b"\0"].concat().as_slice(), |_| {})
        .file("cut", "gnu");
    let u = good(before);
    assert_eq!(u.meta("suid").mode() & 0o7777, 0o6755);
    assert_eq!((u.meta("old").mtime(), u.meta("old").mtime_nsec()), (-315360001, 500_000_000));
    assert_eq!((u.meta(&long).mtime(), u.meta(&long).mtime_nsec()), (1234567890, 123456789));
    assert_eq!((u.meta("d").mtime(), u.meta("d").mode() & 0o7777), (5, 0o1777));
    assert_eq!(u.meta("base256").mtime(), -1);
    assert_eq!(u.read(&"g".repeat(150)), "gnu");
}

#[test]
fn sparse_files_in_three_dialects() {
    let map = b"2\n0\n3\n6\n2\n";
    let mut content = map.to_vec();
    content.resize(512, 0);
    content.extend_from_slice(b"abcde");
    let old = |h: &mut Header| {
        let gnu = &mut h.as_mut_bytes()[..];
        gnu[386..398].copy_from_slice(b"00000000000\0");
        gnu[398..410].copy_from_slice(b"00000000003\0");
        gnu[410..422].copy_from_slice(b"00000000006\0");
        gnu[422..434].copy_from_slice(b"00000000002\0");
        gnu[434..482].fill(0);
        gnu[482] = 0;
        gnu[483..495].copy_from_slice(b"00000000012\0");
    };
    let u = good(
        Tarball::default()
            .pax(&[
                ("GNU.sparse.major", b"1"),
                ("GNU.sparse.minor", b"0"),
                ("GNU.sparse.name", b"one"),
                ("GNU.sparse.realsize", b"10"),
            ])
            .raw(b'0', b"GNUSparseFile.0/one", b"", &content, |_| {})
            .pax(&[("GNU.sparse.size", b"10"), ("GNU.sparse.map", b"0,3,6,2"), ("GNU.sparse.numblocks", b"2")])
            .file("two", "abcde")
            .raw(b'S', b"three", b"", b"abcde", old),
    );
    for name in ["one", "two", "three"] {
        assert_eq!(u.read(name), "abc\0\0\0de\0\0", "{name}");
    }
    for map in [&b"0,3,2,2"[..], b"0,3,6,9", b"0,3", b"18446744073709551615,5", b"0,5,x,y"] {
        let tar = Tarball::default().pax(&[("GNU.sparse.size", b"10"), ("GNU.sparse.map", map)]).file("s", "abcde");
        assert!(matches!(unpack_on(tar, &[]).flaw(), ArchiveFlaw::NotAnArchive { .. }), "{map:?}");
    }
}

#[test]
fn whiteouts_become_overlays_own() {
    if !root("whiteouts") {
        return;
    }
    let u = good(
        Tarball::default()
            .file("a/.wh.gone", "")
            .file("a/.wh..wh..opq", "")
            .file(".wh.redone", "")
            .dir("redone", 0o755)
            .dir("first", 0o755)
            .file("first/x", "x")
            .file(".wh.first", "")
            .file("kept", "kept")
            .file(".wh.kept", "")
            .file(".wh.parent", "")
            .file("parent/x", "x")
            .file(".wh..wh.plnk", "x")
            .file("x.wh.y", "no whiteout"),
    );
    assert!(is_whiteout(&rustix::fs::lstat(u.path("a/gone")).unwrap()));
    for opaque in ["a", "redone", "first", "parent"] {
        assert!(has_xattr(&u.path(opaque), "trusted.overlay.opaque"), "{opaque}");
    }
    assert_eq!(
        (u.read("kept"), u.read("first/x"), u.read("x.wh.y")),
        ("kept".into(), "x".into(), "no whiteout".into())
    );
    assert!(!u.path(".wh.plnk").exists());
    for name in [".wh.", ".wh..", ".wh...", "a/.wh..."] {
        let flaw = unpack_on(Tarball::default().file(name, ""), &[]).flaw();
        assert!(matches!(flaw, ArchiveFlaw::BadMember { .. }), "{name}: {flaw:?}");
    }
}

#[test]
fn an_image_cannot_speak_to_overlayfs() {
    if !root("trusted xattrs") {
        return;
    }
    let records: &[(&str, &[u8])] = &[
        ("SCHILY.xattr.trusted.overlay.redirect", b"/etc"),
        ("SCHILY.xattr.trusted.overlay.opaque", b"y"),
        ("SCHILY.xattr.user.overlay.opaque", b"y"),
        ("SCHILY.xattr.user.note", b"a\n30 path=x\0"),
    ];
    let u = good(Tarball::default().pax(records).dir("d", 0o755).pax(records).file("f", "x"));
    for name in ["d", "f"] {
        let path = u.path(name);
        assert!(!has_xattr(&path, "trusted.overlay.redirect") && !has_xattr(&path, "trusted.overlay.opaque"), "{name}");
        assert!(!has_xattr(&path, "user.overlay.opaque"), "{name}");
        assert!(has_xattr(&path, "trusted.overlay.overlay.redirect"), "{name}");
        let mut value = [0u8; 64];
        let n = rustix::fs::lgetxattr(&path, "user.note", &mut value[..]).unwrap();
        assert_eq!(&value[..n], b"a\n30 path=x\0");
    }
}

#[test]
fn devices_fifos_and_capabilities() {
    if !root("devices") {
        return;
    }
    let device = |h: &mut Header| {
        h.set_mode(0o666);
        h.set_device_major(1).unwrap();
        h.set_device_minor(3).unwrap();
    };
    let cap: &[u8] = b"\x01\0\0\x02\0\x04\x24\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let u = good(
        Tarball::default()
            .raw(b'3', b"null", b"", b"", device)
            .raw(b'6', b"fifo", b"", b"", |h| h.set_mode(0o622))
            .pax(&[("SCHILY.xattr.security.capability", cap)])
            .file("ping", "x")
            .pax(&[("uid", b"3000000"), ("gid", b"4294967294")])
            .file("owned", "x"),
    );
    assert_eq!((u.meta("null").rdev(), u.meta("null").mode() & 0o777), (rustix::fs::makedev(1, 3), 0o666));
    assert_eq!(u.meta("fifo").mode() & 0o777, 0o622);
    assert!(has_xattr(&u.path("ping"), "security.capability"));
    assert_eq!((u.meta("owned").uid(), u.meta("owned").gid()), (3_000_000, 4_294_967_294));
}

#[test]
fn a_missing_parent_is_like_the_one_below() {
    let lower = tempfile::tempdir().unwrap();
    let deep = lower.path().join("a/b");
    std::fs::create_dir_all(&deep).unwrap();
    std::fs::set_permissions(lower.path(), std::fs::Permissions::from_mode(0o751)).unwrap();
    std::fs::set_permissions(lower.path().join("a"), std::fs::Permissions::from_mode(0o1711)).unwrap();
    std::fs::set_permissions(&deep, std::fs::Permissions::from_mode(0o700)).unwrap();
    let hidden = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(hidden.path().join("a/b/c")).unwrap();
    std::fs::set_permissions(hidden.path().join("a/b"), std::fs::Permissions::from_mode(0o777)).unwrap();
    let lowers = [lower.path().to_path_buf(), hidden.path().to_path_buf()];
    let u = unpack_on(Tarball::default().file("a/b/x", "x").file("new/x", "x"), &lowers);
    assert!(u.result.is_ok());
    let mode = |name: &str| u.meta(name).mode() & 0o7777;
    assert_eq!((mode(""), mode("a"), mode("a/b"), mode("new")), (0o751, 0o1711, 0o700, 0o755));
    // A file in a layer between covers what lies further down.
    let between = tempfile::tempdir().unwrap();
    std::fs::write(between.path().join("a"), "file").unwrap();
    let lowers = [between.path().to_path_buf(), lower.path().to_path_buf()];
    let u = unpack_on(Tarball::default().file("a/b/x", "x"), &lowers);
    assert_eq!(u.meta("a").mode() & 0o7777, 0o755);
}

#[test]
fn bad_members_are_refused() {
    let huge = |h: &mut Header| h.set_size(1 << 40);
    let cases: Vec<(Tarball, &str)> = vec![
        (Tarball::default().raw(b'?', b"x", b"", b"", |_| {}), "an unknown type"),
        (Tarball::default().raw(b'V', b"x", b"", b"", |_| {}), "a volume header"),
        (Tarball::default().link("x", ""), "a link to nothing"),
        (Tarball::default().file(".", "x"), "a file in place of the root"),
        (Tarball::default().file("f", "x").file("f/x", "x"), "a file as parent"),
        (Tarball::default().raw(b'0', b"x", b"", b"", huge), "a huge size"),
        (Tarball::default().raw(b'x', b"x", b"", b"", huge), "a huge PAX header"),
        (Tarball::default().raw(b'L', b"x", b"", b"", huge), "a huge long name"),
        (Tarball::default().pax(&[("size", b"1099511627776")]).file("x", ""), "a huge size in PAX"),
        (Tarball::default().pax(&[("size", b"-1")]).file("x", ""), "a negative size"),
        (Tarball::default().pax(&[("uid", b"4294967295")]).file("x", ""), "the owner -1"),
        (Tarball::default().pax(&[("path", b"a\0b")]).file("x", ""), "a zero byte in a name"),
        (Tarball::default().pax(&[("path", "d/".repeat(300).as_bytes())]).file("x", ""), "a deep tree"),
        (
            Tarball::default().file(&"n".repeat(100), "x").pax(&[("path", "n".repeat(300).as_bytes())]).file("x", ""),
            "a long name",
        ),
        (Tarball::default().raw(b'x', b"x", b"", b"7 nonsense", |_| {}).file("x", ""), "broken PAX"),
        (Tarball::default().pax(&[("path", b"x")]), "PAX for nothing"),
    ];
    for (tar, what) in cases {
        let unpacked = unpack_on(tar, &[]);
        assert!(unpacked.result.is_err(), "{what}");
        unpacked.flaw();
    }
}

#[test]
fn a_deep_tree_by_way_of_links_is_refused() {
    let half = "d/".repeat(200);
    let tar = Tarball::default()
        .pax(&[("path", format!("{half}x").as_bytes())])
        .file("x", "")
        .pax(&[("linkpath", half.as_bytes())])
        .link("l", "x")
        .pax(&[("path", format!("l/{half}y").as_bytes())])
        .file("y", "");
    assert!(matches!(unpack_on(tar, &[]).flaw(), ArchiveFlaw::TooLarge { .. }));
}

/// xattr(7): only root-like names exist for what is no file and no directory; Docker passes over EPERM.
#[test]
fn an_xattr_that_a_link_cannot_have_is_left_out() {
    let tar = Tarball::default()
        .pax(&[("SCHILY.xattr.user.x", b"y")])
        .link("link", "file")
        .pax(&[("SCHILY.xattr.user.x", b"y")])
        .raw(b'6', b"fifo", b"", b"", |_| {})
        .pax(&[("SCHILY.xattr.user.x", b"y")])
        .file("file", "");
    let layer = good(tar);
    assert!(!has_xattr(&layer.path("link"), "user.x") && !has_xattr(&layer.path("fifo"), "user.x"));
    assert!(has_xattr(&layer.path("file"), "user.x"));
}

/// Whatever is cut or changed: an answer, no panic, and nothing outside.
#[test]
fn mutations_never_lead_out() {
    let whole = Tarball::default()
        .dir("d", 0o755)
        .file("d/f", "content")
        .link("l", "../../../../../../tmp")
        .hard("h", "d/f")
        .pax(&[("path", b"p/q"), ("mtime", b"1.5"), ("SCHILY.xattr.user.x", b"y")])
        .file("x", "pax")
        .file(".wh.gone", "")
        .file("l/escape", "x")
        .end();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below as u64) as usize
    };
    for round in 0..400 {
        let mut bytes = whole.clone();
        for _ in 0..1 + random(4) {
            let at = random(bytes.len());
            bytes[at] = random(256) as u8;
            // Correct the checksum, so that more than the first check is reached.
            let header = at / 512 * 512;
            if let Some(block) = bytes.get_mut(header..header + 512)
                && &block[257..262] == b"ustar"
            {
                block[148..156].fill(b' ');
                let sum: u32 = block.iter().map(|&b| u32::from(b)).sum();
                block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            }
        }
        if round % 5 == 0 {
            bytes.truncate(random(bytes.len()));
        }
        let unpacked = unpack_bytes(&bytes, &[]);
        unpacked.nothing_escaped();
        assert!(!Path::new("/tmp/escape").exists());
    }
}
