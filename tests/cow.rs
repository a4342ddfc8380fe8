//! The exam of copy-on-write: programs inside change files in every way, and each change that is told is judged by what the
//! kernel left in the upper directory. The judge shares nothing with the engine: it reads the layers from the lowest up, knows
//! every file of every layer by its handle, and each single case has its answer written by hand besides.

mod common;

use common::{Choice, Machine, say};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// What is done first (and looked at), what is done, and what must be told of it, one word group for each path: the change,
/// the path, `@` the number of the layer, `<` the path there, `+` what is covered besides, `~` another name in the write layer.
const CASES: &[(&str, &str, &str)] = &[
    // Writing.
    ("", "echo more >>a", "copied-up a @1"),
    ("", "echo new >a", "copied-up a @1"),
    ("", ": >big", "copied-up big @1"),
    ("", "echo more >>b", "copied-up b @2"),
    ("", "echo more >>sub/y", "copied-up sub/y @3"),
    ("", "echo more >>sub/deep/z", "copied-up sub/deep/z @1"),
    ("", "dd if=/dev/zero of=big bs=1 count=1 conv=notrunc 2>/dev/null", "copied-up big @1"),
    ("", "truncate -s 10 big", "copied-up big @1"),
    ("", "sed -i s/a/b/ a", "covered a @1"),
    ("", "cp b t; mv t a", "covered a @1"),
    ("", "rm a; echo again >a", "covered a @1"),
    ("", "echo x >new", "added new"),
    ("", "echo x >sub/new", "added sub/new"),
    ("", "echo x >g", "added g"),
    ("", "echo x >op/q", "added op/q"),
    ("", "echo more >>op/r", "copied-up op/r @3"),
    // Attributes.
    ("", "chmod 600 a", "copied-up a @1"),
    ("", "chown 5:6 a", "copied-up a @1"),
    ("", "chgrp 7 b", "copied-up b @2"),
    ("", "touch a", "copied-up a @1"),
    ("", "chmod 644 a", "copied-up a @1"),
    ("", "chmod 700 sub", "attributes sub @3"),
    ("", "chown 5 em", "attributes em @1"),
    ("", "touch em", "attributes em @1"),
    ("", "chmod 700 sub; echo more >>sub/x", "attributes sub @3; copied-up sub/x @1"),
    ("", "touch sub; echo more >>sub/x", "attributes sub @3; copied-up sub/x @1"),
    ("", "chown -h 5 s", "copied-up s @1"),
    ("", "chmod 600 p", "copied-up p @1"),
    // Removing.
    ("", "rm a", "deleted a @1"),
    ("", "rm a b", "deleted a @1; deleted b @2"),
    ("", "rm s p", "deleted s @1; deleted p @1"),
    ("", "rm -r sub", "deleted sub @3"),
    ("", "rmdir em", "deleted em @1"),
    ("", "rm -r op", "deleted op @3"),
    ("", "echo x >>a; rm a", "deleted a @1"),
    // A trace is left all the same: the time of the directory.
    ("", "echo x >new; rm new", "attributes . @3"),
    ("rm a", "rm b", "deleted b @2"),
    ("rm a", "rm b c", "deleted b @2; deleted c @1"),
    ("rm -r dd; rm a", "echo x >new", "added new"),
    ("echo x >>a", "rm a", "deleted a @1"),
    ("echo x >new", "rm new", "gone new"),
    ("echo x >>sub/x; echo y >sub/new", "rm -r sub", "deleted sub @3; gone sub/new; gone sub/x @1"),
    ("mkdir d; echo x >d/e", "rm -r d", "gone d; gone d/e"),
    // Other names.
    ("", "mv a new", "copied-up new @1 <a; deleted a @1"),
    ("", "mv a b", "copied-up b @1 <a +2; deleted a @1"),
    ("", "mv sub/y t3", "copied-up t3 @3 <sub/y +3; deleted sub/y @3"),
    ("", "mv a sub/new", "copied-up sub/new @1 <a; deleted a @1"),
    ("", "mv s new", "copied-up new @1 <s; deleted s @1"),
    ("", "mv a t; mv b a; mv t b", "copied-up a @2 <b +1; copied-up b @1 <a +2"),
    ("", "mv a t; mv b a; mv c b; mv t c", "copied-up a @2 <b +1; copied-up b @1 <c +2; copied-up c @1 <a +1"),
    ("", "mv a new; echo again >a", "copied-up new @1 <a; covered a @1"),
    ("", "mv dd/f1 new; rm -r dd", "copied-up new @1 <dd/f1; deleted dd @1"),
    ("", "ln a new", "copied-up a @1; copied-up new @1 <a"),
    ("", "ln -f a b", "copied-up a @1; copied-up b @1 <a +2"),
    ("", "ln a new; rm a", "copied-up new @1 <a; deleted a @1"),
    ("", "mv a new; mv new a", "attributes . @3; copied-up a @1"),
    ("", "mv a big; echo x >>big", "copied-up big @1 <a +1; deleted a @1"),
    ("echo x >>a", "mv a new", "deleted a @1; moved new ~a"),
    ("echo x >>a", "mv a b", "deleted a @1; moved b +2 ~a"),
    ("mv a b", "mv b new", "deleted b @2; moved new ~b"),
    ("echo x >new", "mv new new2", "moved new2 ~new"),
    ("echo x >new", "ln new new2", "rewritten new; linked new2 ~new"),
    ("echo x >new; ln new new2", "rm new2", "rewritten new; gone new2 ~new"),
    ("", "echo x >new; ln new new2", "added new; linked new2 ~new"),
    ("mkdir d; echo x >d/e", "mv d d2", "moved d2 ~d"),
    ("mkdir d; echo x >d/e", "mv d d2; echo y >>d2/e", "moved d2 ~d; moved d2/e ~d/e"),
    // Files with several names in the image.
    ("", "echo x >>h1", "unmarked h1 @1"),
    ("", "chmod 600 h2", "unmarked h2 @1"),
    ("", "rm h1", "deleted h1 @1"),
    ("rm h1", "echo x >h1", "covered h1 @1"),
    ("", "mv h1 new", "added new; deleted h1 @1"),
    // Of another kind.
    ("", "rm a; mkdir a", "covered a @1"),
    ("", "rm a; mkdir a; echo x >a/in", "covered a @1; added a/in"),
    ("", "rm -r sub; echo x >sub", "covered sub @3"),
    ("", "rm -r dd; ln -s /etc dd", "covered dd @1"),
    ("", "rm -r dd; mkdir dd", "opaque dd @1"),
    ("", "rm -r dd; mkdir dd; echo x >dd/f1", "opaque dd @1; added dd/f1"),
    ("echo x >>dd/f1", "rm -r dd; mkdir dd", "opaque dd @1; gone dd/f1 @1"),
    ("", "rm -r em; mkdir em", "opaque em @1"),
    ("", "ln -sfn elsewhere s", "covered s @1"),
    ("", "rm s; echo x >s", "covered s @1"),
    ("", "ln -sf b a", "covered a @1"),
    ("", "ln -s a new", "added new"),
    ("", "mkfifo new", "added new"),
    ("", "mknod new c 1 3", "added new"),
    ("", "mkdir -p d/e; echo x >d/e/f", "added d; added d/e; added d/e/f"),
    // What was in the write layer already.
    ("echo x >new", "echo y >>new", "rewritten new"),
    ("echo x >>a", "echo y >>a", "rewritten a"),
    ("echo x >>a", "chmod 600 a", "rewritten a"),
    ("echo x >new", "rm new; mkdir new", "replaced new"),
    ("echo x >new", "echo y >t; mv t new", "replaced new"),
    ("echo x >>a", "sed -i s/x/y/ a", "covered a @1"),
    ("mkdir d", "chmod 700 d", "attributes d"),
    ("mkdir d", "echo x >d/e", "added d/e"),
    ("mkdir d; echo x >d/e", "echo y >t; rm t; rm d/e", "attributes . @3; gone d/e"),
    ("chmod 700 sub", "echo x >>sub/x", "copied-up sub/x @1"),
    ("rm -r dd; mkdir dd", "echo x >dd/f1", "added dd/f1"),
    // Nothing.
    ("", "cat a b >/dev/null; ls -lR . >/dev/null", ""),
    ("rm a; echo x >>b", "cat c >/dev/null", ""),
    // Names that are no text, or that a terminal would obey.
    ("", "echo x >\"$(printf 'n\\377')\"", "added n\\xff"),
    ("", "mv a \"$(printf 'n\\377')\"", "copied-up n\\xff @1 <a; deleted a @1"),
    ("", "echo x >\"$(printf 'n\\nm')\"", "added n\nm"),
];

// ---- the image -----------------------------------------------------------------------------------------------------

struct Tar(Vec<u8>);

impl Tar {
    fn add(&mut self, kind: u8, mode: u32, name: &str, link: &str, content: &[u8]) {
        let mut header = [0u8; 512];
        let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
        put(0, name);
        put(100, &format!("{mode:07o}\0"));
        put(108, "0000000\0");
        put(116, "0000000\0");
        put(124, &format!("{:011o}\0", content.len()));
        put(136, "00000001750\0");
        put(148, "        ");
        put(157, link);
        put(257, "ustar\x0000");
        header[156] = kind;
        let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.0.extend_from_slice(&header);
        self.0.extend_from_slice(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
    }

    fn file(&mut self, name: &str, content: &str) {
        self.add(b'0', 0o644, name, "", content.as_bytes());
    }

    fn dir(&mut self, name: &str) {
        self.add(b'5', 0o755, name, "", b"");
    }

    fn end(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }
}

const PLACES: usize = 400;

/// An image of three layers with the same tree at `/k/0`, `/k/1`, …: a place of its own for each case.
fn image(path: &Path) {
    let (mut one, mut two, mut three) = (Tar(Vec::new()), Tar(Vec::new()), Tar(Vec::new()));
    one.dir("bin");
    one.add(
        b'0',
        0o755,
        "bin/busybox",
        "",
        &std::fs::read("/usr/bin/busybox").or_else(|_| std::fs::read("/bin/busybox")).expect("busybox"),
    );
    for name in "sh cat cp chgrp chmod chown dd echo ln ls mkdir mkfifo mknod mv printf rm rmdir sed seq sleep touch truncate xargs true".split(' ') {
        one.add(b'2', 0o777, &format!("bin/{name}"), "busybox", b"");
    }
    for layer in [&mut one, &mut two, &mut three] {
        layer.dir("k");
    }
    for n in 0..PLACES {
        let at = |name: &str| format!("k/{n}/{name}");
        for layer in [&mut one, &mut two, &mut three] {
            layer.dir(&format!("k/{n}"));
        }
        for dir in ["sub", "sub/deep", "em", "dd", "op"] {
            one.dir(&at(dir));
        }
        for (name, content) in [
            ("a", "a a a\n"),
            ("b", "b\n"),
            ("c", "ccc\n"),
            ("g", "gone\n"),
            ("sub/x", "x\n"),
            ("sub/y", "y\n"),
            ("sub/deep/z", "z\n"),
            ("dd/f1", "1\n"),
            ("dd/f2", "2\n"),
            ("op/q", "q\n"),
            ("h1", "hard\n"),
        ] {
            one.file(&at(name), &format!("{n} {content}"));
        }
        one.file(&at("big"), &"0123456789".repeat(500));
        one.add(b'1', 0o644, &at("h2"), &at("h1"), b"");
        one.add(b'2', 0o777, &at("s"), "a", b"");
        one.add(b'6', 0o644, &at("p"), "", b"");
        two.file(&at("b"), "b of the second\n");
        two.file(&at(".wh.g"), "");
        two.file(&at("t2"), "t2\n");
        three.dir(&at("sub"));
        three.file(&at("sub/y"), "y of the third\n");
        three.dir(&at("op"));
        three.file(&at("op/.wh..wh..opq"), "");
        three.file(&at("op/r"), "r\n");
        three.file(&at("t3"), "t3\n");
    }
    let hex = |bytes: &[u8]| Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect::<String>();
    let layers = [one.end(), two.end(), three.end()];
    let diffs: Vec<String> = layers.iter().map(|layer| format!("sha256:{}", hex(layer))).collect();
    let config = format!(
        "{{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{{\"Cmd\":[\"/bin/sleep\",\"10000\"]}},\
         \"rootfs\":{{\"type\":\"layers\",\"diff_ids\":{diffs:?}}}}}"
    );
    let mut all = Tar(Vec::new());
    for (n, layer) in layers.iter().enumerate() {
        all.add(b'0', 0o644, &format!("{n}.tar"), "", layer);
    }
    all.file("config.json", &config);
    let manifest =
        "[{\"Config\":\"config.json\",\"RepoTags\":[\"exam:1\"],\"Layers\":[\"0.tar\",\"1.tar\",\"2.tar\"]}]";
    all.file("manifest.json", manifest);
    std::fs::write(path, all.end()).expect("the archive");
}

// ---- the judge -----------------------------------------------------------------------------------------------------

/// An entry as lstat(2) and lgetxattr(2) have it.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    inode: (u64, Option<std::time::SystemTime>),
    kind: char,
    opaque: bool,
    mode: u32,
    uid: u32,
    gid: u32,
    size: u64,
    mtime: (i64, i64),
    ctime: (i64, i64),
    links: u64,
    origin: Option<Vec<u8>>,
}

type Tree = BTreeMap<PathBuf, Seen>;

fn xattr(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = [0u8; 256];
    let length = rustix::fs::lgetxattr(path, format!("trusted.overlay.{name}"), &mut value[..]).ok()?;
    Some(value[..length].to_vec())
}

fn seen(path: &Path) -> Seen {
    let meta = path.symlink_metadata().expect("lstat");
    let kind = match meta.file_type() {
        t if t.is_dir() => 'd',
        t if t.is_symlink() => 'l',
        t if t.is_fifo() => 'p',
        t if t.is_char_device() && meta.rdev() == 0 => 'w',
        t if t.is_char_device() => 'c',
        _ => 'f',
    };
    Seen {
        inode: (meta.ino(), meta.created().ok()),
        kind,
        opaque: kind == 'd' && xattr(path, "opaque").as_deref() == Some(b"y"),
        mode: meta.mode() & 0o7777,
        uid: meta.uid(),
        gid: meta.gid(),
        size: meta.size(),
        mtime: (meta.mtime(), meta.mtime_nsec()),
        ctime: (meta.ctime(), meta.ctime_nsec()),
        links: meta.nlink(),
        origin: xattr(path, "origin"),
    }
}

fn tree(top: &Path) -> Tree {
    fn fill(top: &Path, path: &Path, tree: &mut Tree) {
        for entry in std::fs::read_dir(top.join(path.strip_prefix("/").expect("absolute"))).expect("a directory") {
            let entry = entry.expect("an entry");
            let path = path.join(entry.file_name());
            let seen = seen(&entry.path());
            let dir = seen.kind == 'd';
            tree.insert(path.clone(), seen);
            if dir {
                fill(top, &path, tree);
            }
        }
    }
    let mut found = Tree::new();
    fill(top, Path::new("/"), &mut found);
    found
}

/// The type and the bytes of a file's handle, as overlayfs writes them down.
fn handle(path: &Path) -> Option<Vec<u8>> {
    #[repr(C)]
    struct Handle {
        size: u32,
        kind: i32,
        bytes: [u8; 128],
    }
    let (mut handle, mut mount) = (Handle { size: 128, kind: 0, bytes: [0; 128] }, 0i32);
    let name = CString::new(path.as_os_str().as_bytes()).expect("no NUL");
    // SAFETY: a path that ends with a NUL, and room for the largest handle.
    let ret = unsafe {
        libc::syscall(libc::SYS_name_to_handle_at, libc::AT_FDCWD, name.as_ptr(), &raw mut handle, &raw mut mount, 0)
    };
    (ret == 0).then(|| [&[handle.kind as u8], &handle.bytes[..handle.size as usize]].concat())
}

/// What the image shows, built from the lowest layer up; and every file of every layer by its handle.
struct Image {
    diff_ids: Vec<String>,
    merged: BTreeMap<PathBuf, (usize, Seen)>,
    by_handle: HashMap<Vec<u8>, (usize, PathBuf, Seen)>,
}

impl Image {
    fn of(m: &Machine) -> Image {
        let inspected = m.docent(&["image", "inspect", "exam:1"]).ok().stdout;
        let json: Value = serde_json::from_str(&inspected).expect("json");
        let ids = json[0]["RootFS"]["Layers"].as_array().expect("layers");
        let diff_ids: Vec<String> = ids.iter().map(|id| id.as_str().expect("text").to_string()).collect();
        let mut image = Image { diff_ids, merged: BTreeMap::new(), by_handle: HashMap::new() };
        let mut chain = String::new();
        for (n, diff) in image.diff_ids.clone().iter().enumerate() {
            let next =
                || Sha256::digest(format!("{chain} {diff}")).iter().map(|b| format!("{b:02x}")).collect::<String>();
            chain = if n == 0 { diff.clone() } else { format!("sha256:{}", next()) };
            let dir = m.root().join("layers").join(chain.trim_start_matches("sha256:")).join("diff");
            for (path, seen) in tree(&dir) {
                let below = |old: &PathBuf| old.starts_with(&path) && *old != path;
                if seen.kind != 'd' || seen.opaque {
                    image.merged.retain(|old, _| !below(old));
                }
                if seen.kind == 'w' {
                    image.merged.remove(&path);
                    continue;
                }
                if seen.kind != 'd' {
                    let handle = handle(&dir.join(path.strip_prefix("/").expect("absolute"))).expect("a handle");
                    image.by_handle.insert(handle, (n + 1, path.clone(), seen.clone()));
                }
                image.merged.insert(path, (n + 1, seen));
            }
        }
        image
    }

    /// Where the kernel's mark says that a file came from.
    fn source(&self, mark: &[u8]) -> Option<&(usize, PathBuf, Seen)> {
        // struct ovl_fb: version, magic, length, flags, type, 16 bytes of uuid, the handle.
        self.by_handle.get(&[&mark[4..5], &mark[21..]].concat())
    }
}

/// What must be told, by path: `change @layer <source +covers ~other bytes→bytes differs`.
fn verdicts(image: &Image, before: &Tree, after: &Tree) -> BTreeMap<PathBuf, String> {
    let mut told = BTreeMap::new();
    let pure =
        |path: &Path| path.ancestors().skip(1).any(|above| after.get(above).is_some_and(|s| s.kind != 'd' || s.opaque));
    let below = |path: &Path| image.merged.get(path).filter(|_| !pure(path));
    let names_of = |tree: &Tree, inode| -> Vec<PathBuf> {
        tree.iter().filter(|(_, s)| s.inode == inode && s.kind != 'w').map(|(path, _)| path.clone()).collect()
    };
    let name = |path: &Path| path.to_path_buf();
    let mut left: BTreeSet<PathBuf> = BTreeSet::new();
    let mut names_changed: BTreeSet<PathBuf> = BTreeSet::new();
    for (path, now) in after {
        let was = before.get(path);
        let under = below(path);
        let layer = |n: &usize| format!(" @{n}");
        let covers = under.map(|(n, _)| format!(" +{n}")).unwrap_or_default();
        let mut all_names_new = true;
        let say = if now.kind == 'w' {
            if was.is_some_and(|w| w.kind == 'w') || under.is_none() {
                continue;
            }
            let (n, old) = under.expect("below");
            format!("deleted{}{}", layer(n), compared(Some(old), None))
        } else if was.is_some_and(|w| w.inode == now.inode) {
            let was = was.expect("before");
            let unchanged = Seen { origin: was.origin.clone(), ..now.clone() } == *was;
            if now.kind == 'd' || unchanged {
                continue;
            }
            all_names_new = false;
            format!("rewritten{}", compared_to(Some(was), Some(now), false))
        } else {
            let had: Vec<PathBuf> = names_of(before, now.inode).into_iter().filter(|p| p != path).collect();
            let lost = had.iter().find(|p| after.get(*p).is_none_or(|s| s.inode != now.inode) && !left.contains(*p));
            let first = names_of(after, now.inode).into_iter().next().expect("itself");
            if let Some(from) = lost {
                left.insert(from.clone());
                let was = before.get(from).expect("before");
                // What is in a directory moves with it.
                let above = |p: &Path| p.parent().map(Path::to_path_buf).expect("a parent");
                let along = told.get(&above(path)).is_some_and(|t: &String| {
                    t.starts_with("moved") && t.contains(&format!(" ~{} ", above(from).display()))
                });
                names_changed.insert(above(from));
                let same = compared_to(Some(was), Some(now), false) == compared_to(Some(now), Some(now), false);
                if along && same && from.file_name() == path.file_name() {
                    names_changed.insert(above(path));
                    continue;
                }
                format!("moved{covers} ~{} {}", name(from).display(), compared_to(Some(was), Some(now), false))
            } else if let Some(other) = had.iter().find(|p| after.get(*p).is_some_and(|s| s.inode == now.inode)) {
                format!("linked{covers} ~{} {}", other.display(), compared_to(None, Some(now), false))
            } else if let Some(mark) = &now.origin
                && now.kind != 'd'
            {
                let (n, from, old) = image.source(mark).expect("a source");
                all_names_new = from != path;
                let (from, covers) = if from == path {
                    (String::new(), String::new())
                } else {
                    (format!(" <{}", from.display()), covers)
                };
                format!("copied-up{}{from}{covers}{}", layer(n), compared(Some(old), Some(now)))
            } else if first != *path && now.kind != 'd' {
                format!("linked{covers} ~{} {}", first.display(), compared_to(None, Some(now), false))
            } else {
                match under {
                    Some((_, old)) if old.kind == 'd' && now.kind == 'd' && !now.opaque => continue,
                    Some((n, old)) if old.kind == 'd' && now.kind == 'd' => {
                        format!("opaque{}{} ", layer(n), sizes(None, Some(now)))
                    }
                    Some((n, old)) if old.kind == 'f' && now.kind == 'f' && old.links > 1 && was.is_none() => {
                        format!("unmarked{}{}", layer(n), compared(Some(old), Some(now)))
                    }
                    Some((n, old)) => format!("covered{}{}", layer(n), sizes(Some(old), Some(now))),
                    None if was.is_some_and(|w| w.kind != 'w') => format!("replaced{}", sizes(None, Some(now))),
                    None => format!("added{}", sizes(None, Some(now))),
                }
            }
        };
        if all_names_new {
            names_changed.insert(path.parent().expect("a parent").to_path_buf());
        }
        told.insert(path.clone(), say);
    }
    for (path, was) in before.iter().filter(|(path, was)| !after.contains_key(*path) && was.kind != 'w') {
        names_changed.insert(path.parent().expect("a parent").to_path_buf());
        if left.contains(path) {
            continue;
        }
        let old = image.merged.get(path);
        if was.kind == 'd' && !was.opaque && old.is_some_and(|(_, old)| old.kind == 'd') {
            continue;
        }
        let other =
            names_of(after, was.inode).into_iter().find(|p| before.get(p).is_some_and(|s| s.inode == was.inode));
        let other = other.map(|p| format!(" ~{} ", p.display())).unwrap_or_default();
        let layer = old.map(|(n, _)| format!(" @{n}")).unwrap_or_default();
        told.insert(path.clone(), format!("gone{layer}{other}{}", sizes(old.map(|o| &o.1), None)));
    }
    // Directories that were there, or are copies made on the way to a change.
    for (path, now) in after.iter().filter(|(_, now)| now.kind == 'd') {
        let was = before.get(path).filter(|w| w.kind == 'd').or(below(path).map(|(_, old)| old));
        let Some(was) = was.filter(|_| !told.contains_key(path)) else { continue };
        let mut differs = differs(was, now);
        differs.remove("link_counts");
        if names_changed.contains(path) {
            differs.remove("mtime_differs");
        }
        if !differs.is_empty() {
            // Where the image has a file, a directory over it is none of its layer's.
            let lower = below(path).filter(|(_, old)| old.kind == 'd');
            let layer = lower.map(|(n, _)| format!(" @{n}")).unwrap_or_default();
            told.insert(path.clone(), format!("attributes{layer} {}", words(&differs)));
        }
    }
    told
}

/// What `docker diff` of Docker 28 prints: the image's tree and the container's, whole, compared by what stat(2) says. What is in
/// a directory that is gone, or is none any more, is not listed.
fn docker_diff(image: &Image, upper: &Tree) -> BTreeMap<PathBuf, char> {
    let old: BTreeMap<&Path, &Seen> = image.merged.iter().map(|(path, (_, seen))| (path.as_path(), seen)).collect();
    let mut new = old.clone();
    for (path, seen) in upper {
        if seen.kind != 'd' || seen.opaque {
            new.retain(|old, _| !old.starts_with(path));
        }
        if seen.kind != 'w' {
            new.insert(path, seen);
        }
    }
    let mut lines = BTreeMap::new();
    for (path, seen) in &new {
        let stat = |s: &Seen| (s.kind, s.mode, s.uid, s.gid, (s.kind != 'd').then_some((s.size, s.mtime)));
        match old.get(path) {
            None => drop(lines.insert(path.to_path_buf(), 'A')),
            Some(old) if stat(old) != stat(seen) => drop(lines.insert(path.to_path_buf(), 'C')),
            Some(_) => {}
        }
    }
    for path in old.keys().filter(|path| !new.contains_key(**path)) {
        if path.parent().and_then(|above| new.get(above)).is_some_and(|above| above.kind == 'd') {
            lines.insert(path.to_path_buf(), 'D');
        }
    }
    for path in lines.keys().cloned().collect::<Vec<_>>() {
        for above in path.ancestors().skip(1).filter(|above| *above != Path::new("/")) {
            lines.entry(above.to_path_buf()).or_insert('C');
        }
    }
    lines
}

fn differs(was: &Seen, now: &Seen) -> BTreeSet<&'static str> {
    let all = [
        ("modes", was.mode != now.mode && was.kind != 'l'),
        ("uids", was.uid != now.uid),
        ("gids", was.gid != now.gid),
        ("mtime_differs", was.mtime != now.mtime),
        ("link_counts", was.links != now.links),
    ];
    all.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

fn words(differs: &BTreeSet<&str>) -> String {
    differs.iter().copied().collect::<Vec<_>>().join(",")
}

fn sizes(was: Option<&Seen>, now: Option<&Seen>) -> String {
    let size = |s: Option<&Seen>| s.filter(|s| s.kind == 'f').map_or("-".to_string(), |s| s.size.to_string());
    format!(" {}→{}", size(was), size(now))
}

fn compared(was: Option<&Seen>, now: Option<&Seen>) -> String {
    compared_to(was, now, true)
}

fn compared_to(was: Option<&Seen>, now: Option<&Seen>, size_was: bool) -> String {
    let differs = was.zip(now).map(|(was, now)| differs(was, now)).unwrap_or_default();
    format!("{} {}", sizes(was.filter(|_| size_was), now), words(&differs))
}

// ---- what was told ---------------------------------------------------------------------------------------------------

fn path_of(value: &Value) -> Option<PathBuf> {
    use base64::Engine as _;
    match value {
        Value::String(text) => Some(text.into()),
        Value::Object(coded) => {
            let bytes = base64::engine::general_purpose::STANDARD.decode(coded["bytes"].as_str()?).expect("base64");
            Some(std::ffi::OsStr::from_bytes(&bytes).into())
        }
        _ => None,
    }
}

/// The told changes in the judge's words; each path once.
fn told(image: &Image, events: &[Value]) -> Result<BTreeMap<PathBuf, String>, String> {
    let mut told = BTreeMap::new();
    for event in events.iter().filter(|e| e["event"] == "cow.change") {
        let path = path_of(&event["path_inside"]).expect("a path");
        let change = event["change"].as_str().expect("a change");
        let layer = event["layer_number"].as_u64();
        if let Some(n) = layer
            && event["diff_id"] != image.diff_ids[n as usize - 1].as_str()
        {
            return Err(format!("{}: layer {n} is not {}", path.display(), event["diff_id"]));
        }
        let layer = layer.map(|n| format!(" @{n}")).unwrap_or_default();
        let source = path_of(&event["source_inside"]).map(|p| format!(" <{}", p.display())).unwrap_or_default();
        let covers = event["covers"]["layer_number"].as_u64().map(|n| format!(" +{n}")).unwrap_or_default();
        let other = path_of(&event["other_inside"]).map(|p| format!(" ~{} ", p.display())).unwrap_or_default();
        let size = |name: &str| event[name].as_u64().map_or("-".to_string(), |n| n.to_string());
        let keys = event["differs"].as_object().into_iter().flat_map(|o| o.keys().map(String::as_str));
        let differs = words(&keys.collect());
        let rest = match change {
            "attributes" => format!(" {differs}"),
            "covered" | "added" | "replaced" | "gone" => format!(" {}→{}", size("bytes_was"), size("bytes")),
            _ => format!(" {}→{} {differs}", size("bytes_was"), size("bytes")),
        };
        if told.insert(path.clone(), format!("{change}{layer}{source}{covers}{other}{rest}")).is_some() {
            return Err(format!("{} is told twice", path.display()));
        }
    }
    Ok(told)
}

/// A verdict without sizes and attributes, with paths as the cases have them.
fn brief(place: &str, told: &BTreeMap<PathBuf, String>) -> String {
    let inside = |text: &str| if text == place { ".".into() } else { text.replace(&format!("{place}/"), "") };
    let name = |path: &Path| {
        let bytes = path.as_os_str().as_bytes();
        bytes
            .utf8_chunks()
            .map(|c| c.valid().to_string() + &c.invalid().iter().map(|b| format!("\\x{b:02x}")).collect::<String>())
            .collect::<String>()
    };
    let one = |(path, text): (&PathBuf, &String)| {
        let words: Vec<&str> = text.split(' ').collect();
        let marks = words[1..].iter().filter(|w| w.starts_with(['@', '<', '+', '~']));
        let marks: Vec<String> = marks.map(|w| inside(w)).collect();
        [vec![words[0].to_string(), inside(&name(path))], marks].concat().join(" ")
    };
    sorted(&told.iter().map(one).collect::<Vec<_>>().join("; "))
}

fn sorted(answer: &str) -> String {
    let mut parts: Vec<&str> = answer.split("; ").collect();
    parts.sort_unstable();
    parts.join("; ")
}

// ---- the exam --------------------------------------------------------------------------------------------------------

struct Exam {
    m: Machine,
    image: Image,
    upper: PathBuf,
    name: &'static str,
    files: std::cell::Cell<usize>,
}

impl Exam {
    fn new(test: &str, name: &'static str) -> Option<Exam> {
        let m = Machine::new(test, &["busybox"])?;
        let archive = m.work().join("exam.tar");
        image(&archive);
        m.docent(&["load", "-i", "exam.tar"]).ok();
        let id = m.docent(&["run", "-d", "--name", name, "--network", "none", "exam:1"]).ok().stdout;
        let upper = m.root().join("containers").join(id.trim()).join("upper");
        let image = Image::of(&m);
        Some(Exam { m, image, upper, name, files: Default::default() })
    }

    /// A command with its story; gives the events.
    fn narrated(&self, args: &[&str]) -> Vec<Value> {
        self.files.set(self.files.get() + 1);
        let file = format!("told{}", self.files.get());
        let all = [&["--narrate", "json", "--narrate-to", &file], args].concat();
        let ran = self.m.docent(&all);
        assert_ne!(ran.code, 125, "{ran:?}");
        let text = std::fs::read_to_string(self.m.work().join(file)).expect("the story");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    fn exec(&self, place: &str, line: &str) -> Vec<Value> {
        self.narrated(&["exec", "-w", place, self.name, "sh", "-c", line])
    }

    /// On a machine that is too slow for the look's budget the rest is told by later looks.
    fn with_the_rest(&self, mut events: Vec<Value>) -> (Vec<Value>, bool) {
        let cut = |events: &[Value]| events.iter().any(|e| e["event"] == "cow.more");
        let slow = cut(&events);
        while cut(&events) {
            events.retain(|e| e["event"] != "cow.more");
            events.extend(self.narrated(&["diff", self.name]));
        }
        (events, slow)
    }

    /// The same for nobody to hear.
    fn in_silence(&self, place: &str, line: &str) {
        let ran = self.m.docent(&["exec", "-w", place, self.name, "sh", "-c", line]);
        assert_ne!(ran.code, 125, "{ran:?}");
    }

    fn tree(&self) -> Tree {
        tree(&self.upper)
    }
}

#[derive(Default)]
struct Figures {
    changes: usize,
    wrong: Vec<String>,
}

impl Figures {
    fn judge(
        &mut self,
        exam: &Exam,
        what: &str,
        events: &[Value],
        before: &Tree,
        after: &Tree,
    ) -> BTreeMap<PathBuf, String> {
        let wanted = verdicts(&exam.image, before, after);
        self.changes += wanted.len();
        let told = told(&exam.image, events).unwrap_or_else(|why| {
            self.wrong.push(format!("{what}: {why}"));
            BTreeMap::new()
        });
        for path in wanted.keys().chain(told.keys()).collect::<BTreeSet<_>>() {
            let (wanted, told) = (wanted.get(path), told.get(path));
            if wanted != told {
                self.wrong.push(format!("{what}: {} is {wanted:?}, told {told:?}", path.display()));
            }
        }
        told
    }

    fn answer(&mut self, place: &str, what: &str, told: &BTreeMap<PathBuf, String>, wanted: &str) {
        let (told, wanted) = (brief(place, told), sorted(wanted));
        if told != wanted {
            self.wrong.push(format!("{what}: by hand {wanted:?}, told {told:?}"));
        }
    }
}

fn since(events: &[Value]) -> Vec<&Value> {
    events.iter().filter(|e| e["event"] == "cow.change").map(|e| &e["since"]).collect()
}

/// Without a device controller of version 1 a container may make no devices.
fn can(case: &(&str, &str, &str)) -> bool {
    !case.1.starts_with("mknod new c") || std::path::Path::new("/sys/fs/cgroup/devices").is_dir()
}

#[test]
fn every_change_from_inside_is_told_as_the_kernel_has_it() {
    let Some(exam) = Exam::new("cow::exam", "exam") else { return };
    let mut figures = Figures::default();
    let mut before = exam.tree();
    for (n, (first, line, answer)) in CASES.iter().enumerate().filter(|(_, case)| can(case)) {
        let place = format!("/k/{n}");
        for (line, answer) in [(first, None), (line, Some(answer))].into_iter().filter(|(line, _)| !line.is_empty()) {
            let (events, slow) = exam.with_the_rest(exam.exec(&place, line));
            let after = exam.tree();
            let told = figures.judge(&exam, line, &events, &before, &after);
            if let Some(answer) = answer {
                figures.answer(&place, line, &told, answer);
            }
            assert!(slow || since(&events).iter().all(|since| since.is_null()), "{line}: blamed on others");
            before = after;
        }
    }
    let single = figures.changes;
    let (mut choice, seed) = Choice::seeded();
    let pairs = if common::long() { PLACES - CASES.len() } else { 30 };
    for n in CASES.len()..CASES.len() + pairs {
        let place = format!("/k/{n}");
        let mut any = || CASES[choice.below(CASES.len())];
        let (one, two) = (any(), any());
        let lines = match n % 2 {
            0 => vec![format!("({}) 2>/dev/null; {}", one.1, two.1)],
            _ => vec![one.1.to_string(), two.1.to_string()],
        };
        for line in lines {
            let (events, _) = exam.with_the_rest(exam.exec(&place, &line));
            let after = exam.tree();
            figures.judge(&exam, &format!("{line} (seed {seed})"), &events, &before, &after);
            before = after;
        }
    }
    let wanted = docker_diff(&exam.image, &before);
    let text = |(path, letter): (&PathBuf, &char)| format!("{letter} {}\n", path.to_string_lossy());
    let (wanted, came) = (wanted.iter().map(text).collect::<String>(), exam.m.docent(&["diff", "exam"]).ok().stdout);
    for (lines, others, what) in [(&wanted, &came, "is missing"), (&came, &wanted, "is too much")] {
        let others: BTreeSet<&str> = others.lines().collect();
        figures
            .wrong
            .extend(lines.lines().filter(|l| !others.contains(l)).map(|l| format!("docker diff: {l:?} {what}")));
    }
    say(&format!("docker diff: {} lines, as Docker compares", wanted.lines().count()));
    let wrong = figures.wrong.len();
    say(&format!(
        "copy-on-write: {} cases and {pairs} random pairs (seed {seed}), {single} and {} changes; wrong, untold or too many: {wrong}",
        CASES.len(),
        figures.changes - single,
    ));
    assert!(figures.wrong.is_empty(), "{}", figures.wrong.join("\n"));
}

#[test]
fn what_was_done_in_silence_is_told_by_the_next_look_and_blamed_on_nobody() {
    let Some(exam) = Exam::new("cow::since", "since") else { return };
    let mut figures = Figures::default();
    let mut before = exam.tree();
    let mut last = None;
    // Ten cases at a time: what they need, and then what they do, each told by a command that does nothing.
    let all: Vec<(String, &(&str, &str, &str))> =
        (0..).map(|n| format!("/k/{n}")).zip(CASES).filter(|(_, case)| can(case)).collect();
    for some in all.chunks(10) {
        for first in [true, false] {
            let done = |case: &(&'static str, &'static str, &'static str)| if first { case.0 } else { case.1 };
            let lines: Vec<String> = some.iter().map(|(place, case)| format!("cd {place}; {}", done(case))).collect();
            exam.in_silence("/", &lines.join("\n"));
            let after = exam.tree();
            let (events, slow) = exam.with_the_rest(exam.narrated(&["exec", exam.name, "true"]));
            let told = figures.judge(&exam, &lines.join("; "), &events, &before, &after);
            for (place, case) in some.iter().filter(|_| !first) {
                let of_place = told.iter().filter(|(path, _)| path.starts_with(place));
                let of_place = of_place.map(|(path, told)| (path.clone(), told.clone())).collect();
                figures.answer(place, case.1, &of_place, case.2);
            }
            let number = this_command(&exam.m);
            for since in since(&events) {
                let between = (since["after_command"].as_u64(), since["before_command"].as_u64());
                assert!(slow || between == (last, Some(number)), "{lines:?}: {since}, not {last:?} and {number}");
            }
            last = Some(number);
            before = after;
        }
    }
    let wrong = figures.wrong.len();
    say(&format!(
        "since the last look: {} cases, {} changes; wrong, untold or too many: {wrong}",
        CASES.len(),
        figures.changes
    ));
    assert!(figures.wrong.is_empty(), "{}", figures.wrong.join("\n"));
}

fn this_command(m: &Machine) -> u64 {
    let numbers = std::fs::read_dir(m.root().join("journal")).expect("the journal").flatten();
    numbers.filter_map(|e| e.file_name().to_str()?.strip_suffix(".jsonl")?.parse().ok()).max().unwrap_or(0)
}

#[test]
fn what_the_first_process_did_is_told_by_each_command_that_looks() {
    let Some(exam) = Exam::new("cow::detached", "other") else { return };
    let m = &exam.m;
    std::fs::write(m.work().join("here"), "here\n").expect("write");
    let commands: [&[&str]; 7] = [
        &["exec", "NAME", "true"],
        &["diff", "NAME"],
        &["cp", "here", "NAME:/here"],
        &["cp", "NAME:/k/1/a", "there"],
        &["stop", "-t", "0", "NAME"],
        &["rm", "-f", "NAME"],
        &["start", "NAME"],
    ];
    for (n, command) in commands.iter().enumerate() {
        let name = format!("c{n}");
        let line = "rm /k/0/a; echo x >>/k/0/b; mv /k/0/c /k/0/new; exec sleep 1000";
        m.docent(&["run", "-d", "--name", &name, "--network", "none", "exam:1", "sh", "-c", line]).ok();
        m.sh(&format!("until \"$0\" exec {name} cat /k/0/new >/dev/null 2>&1; do :; done")).ok();
        if command[0] == "start" {
            m.docent(&["kill", &name]).ok();
        }
        let words: Vec<String> = command.iter().map(|word| word.replace("NAME", &name)).collect();
        let events = exam.narrated(&words.iter().map(String::as_str).collect::<Vec<_>>());
        let (earlier, own): (Vec<Value>, Vec<Value>) = events.into_iter().partition(|e| !e["since"].is_null());
        let told = told(&exam.image, &earlier).expect("each once");
        let wanted = "deleted a @1; copied-up b @2; deleted c @1; copied-up new @1 <c";
        assert_eq!(brief("/k/0", &told), sorted(wanted), "{command:?}");
        let own: Vec<&Value> = own.iter().filter(|e| e["event"] == "cow.change").map(|e| &e["path_inside"]).collect();
        assert_eq!(own, if n == 2 { vec!["/here"] } else { vec![] }, "{command:?}");
        if n == 1 {
            let again = exam.narrated(&["diff", &name]);
            assert!(again.iter().all(|e| e["event"] != "cow.change"), "told twice: {again:?}");
        }
        m.docent(&["rm", "-f", &name]);
    }
}

#[test]
fn more_than_a_look_can_take_is_told_as_such() {
    let Some(exam) = Exam::new("cow::many", "many") else { return };
    let looks =
        |events: &[Value]| -> Vec<Value> { events.iter().filter(|e| e["event"] == "cow.more").cloned().collect() };
    let changes = |events: &[Value]| events.iter().filter(|e| e["event"] == "cow.change").count();
    let events = exam.exec("/", "mkdir /many && cd /many && seq 1 100000 | xargs touch");
    let (more, told) = (looks(&events), changes(&events));
    assert_eq!(more.len(), 1, "{more:?}");
    let (found, micros) =
        (more[0]["changes_seen"].as_u64().unwrap_or(0), more[0]["look_us"].as_u64().unwrap_or(u64::MAX));
    assert_eq!(
        (&more[0]["looked_at_all"], told as u64),
        (&Value::Bool(false), more[0]["changes_told"].as_u64().unwrap_or(0))
    );
    say(&format!("100,000 new files: {told} told, more than {found} seen, not all looked at, in {} ms", micros / 1000));
    // A look that began within its budget ends a little after it: what it has found is judged.
    assert!(micros < 400_000 * common::slow(), "{micros}");
    // The next command is not mute, and not blamed for what it did not do.
    let events = exam.exec("/", "echo x >/aaa; rm /k/0/a");
    let paths: Vec<&Value> = events.iter().filter(|e| e["event"] == "cow.change").map(|e| &e["path_inside"]).collect();
    assert_eq!(paths, ["/aaa", "/k/0/a"]);
    assert_eq!(looks(&events).len(), 1, "{events:?}");
    // Once they are gone a look comes to the end again.
    exam.exec("/", "rm -r /many");
    let events = exam.exec("/", "echo x >/zzz");
    let paths: Vec<&Value> = events
        .iter()
        .filter(|e| e["event"] == "cow.change" && e["since"].is_null())
        .map(|e| &e["path_inside"])
        .collect();
    assert_eq!((paths, looks(&events).len()), (vec![&Value::from("/zzz")], 0));
    // So many that all are looked at and not all told: in the time of a look, on a machine that is not emulated.
    if common::slow() > 1 {
        return;
    }
    let events = exam.exec("/", "mkdir /some && cd /some && seq 1 3000 | xargs touch");
    let more = looks(&events);
    assert_eq!((changes(&events), more.len(), &more[0]["looked_at_all"]), (1000, 1, &Value::Bool(true)));
    let events = exam.exec("/", "true");
    assert_eq!((changes(&events), looks(&events).len()), (0, 0), "{events:?}");
}
