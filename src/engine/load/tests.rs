//! Archives as `docker save` and `podman save` write them, and as they should not be.

use super::*;
use crate::engine::{builtin, resolve};
use crate::event::{ArchiveFlaw, Event, Resolved};
use crate::image::Reference;
use crate::image::digest::{BlobDigest, ChainId, DiffId, ImageId, chain_ids};
use crate::kernel::host::Host;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let (store, made) = Store::open(&dir.path().join("root"), Host::look()).unwrap();
    made.unwrap().tell(&mut Story::new());
    (dir, store)
}

fn tarball(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o644);
        header.set_uid(u64::from(rustix::process::geteuid().as_raw()));
        header.set_gid(u64::from(rustix::process::getegid().as_raw()));
        header.set_size(content.len() as u64);
        match content.strip_prefix(b"-> ") {
            Some(target) => {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_size(0);
                tar.append_link(&mut header, name, std::str::from_utf8(target).unwrap()).unwrap();
            }
            None => tar.append_data(&mut header, name, *content).unwrap(),
        }
    }
    tar.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

fn digest_of(bytes: &[u8]) -> String {
    BlobDigest::of_bytes(bytes).to_string()
}

/// An archive in parts, each of which a test may spoil.
struct Archive {
    layers: Vec<Vec<u8>>,
    config: Value,
    manifest: Value,
    members: BTreeMap<String, Vec<u8>>,
}

impl Archive {
    fn new(layers: &[&[(&str, &[u8])]]) -> Archive {
        let layers: Vec<Vec<u8>> = layers.iter().map(|l| tarball(l)).collect();
        let diff_ids: Vec<String> = layers.iter().map(|l| digest_of(l)).collect();
        let config = json!({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["sh"], "Env": null},
            "rootfs": {"type": "layers", "diff_ids": diff_ids}});
        let names: Vec<String> = (0..layers.len()).map(|i| format!("l{i}/layer.tar")).collect();
        let manifest = json!([{"Config": "config.json", "RepoTags": ["docker.io/library/app:1"], "Layers": names}]);
        let members = names.iter().cloned().zip(layers.iter().cloned()).collect();
        Archive { layers, config, manifest, members }
    }
    fn two() -> Archive {
        Archive::new(&[&[("etc/a", b"a"), ("b", b"bb")], &[("etc/a", b"new"), ("c/d", b"dddd")]])
    }
    fn id(&self) -> ImageId {
        ImageId::of_config(&BlobDigest::of_bytes(&serde_json::to_vec(&self.config).unwrap()))
    }
    /// The manifest last, as podman has it, or first.
    fn bytes(&self, manifest_first: bool) -> Vec<u8> {
        let (config, manifest) =
            (serde_json::to_vec(&self.config).unwrap(), serde_json::to_vec(&self.manifest).unwrap());
        let mut members: Vec<(&str, &[u8])> = self.members.iter().map(|(n, c)| (n.as_str(), c.as_slice())).collect();
        members.push(("config.json", &config));
        members.insert(if manifest_first { 0 } else { members.len() }, ("manifest.json", &manifest));
        tarball(&members)
    }
}

fn load_bytes(store: &Store, bytes: &[u8]) -> (Result<Vec<String>, Fault>, Vec<Event>) {
    let mut story = Story::new();
    let loaded = load(store, &mut story, &mut &bytes[..], "app.tar");
    (loaded, story.events().to_vec())
}

/// Every path of the store with its size, tmp/ and the lock apart.
fn picture(root: &Path) -> BTreeSet<String> {
    fn walk(dir: &Path, out: &mut BTreeSet<String>) {
        for entry in fs::read_dir(dir).unwrap().flatten() {
            let meta = fs::symlink_metadata(entry.path()).unwrap();
            out.insert(format!("{} {}", entry.path().display(), if meta.is_file() { meta.len() } else { 0 }));
            if meta.is_dir() {
                walk(&entry.path(), out);
            }
        }
    }
    let mut out = BTreeSet::new();
    walk(root, &mut out);
    out.retain(|line| !line.contains("/lock "));
    out
}

fn words(events: &[Event]) -> Vec<String> {
    let name = |e: &Event| serde_json::to_value(e).unwrap()["event"].as_str().unwrap().to_string();
    events.iter().map(name).collect()
}

#[test]
fn an_archive_is_loaded_told_and_found() {
    let (_dir, store) = store();
    let archive = Archive::two();
    let (loaded, events) = load_bytes(&store, &archive.bytes(false));
    assert_eq!(loaded.unwrap(), ["app:1"]);
    assert_eq!(
        words(&events),
        [
            "image.archive-read",
            "image.layer-unpacked",
            "image.layer-unpacked",
            "image.blob-written",
            "image.blob-written",
            "image.blob-written",
            "image.blob-written",
            "image.tagged"
        ]
    );
    for event in events.iter().skip(1) {
        let receipt = event.receipt.as_ref().unwrap();
        for proof in receipt.proofs() {
            let answer = crate::engine::verify::run(proof, &[]).unwrap();
            assert!(crate::engine::verify::agrees(receipt, &proof.expect, &answer), "{receipt:?}: {answer:?}");
        }
        assert!(
            event.calls.iter().all(|c| !c.failed() && matches!(c.name.as_str(), "rename" | "symlink")),
            "{event:?}"
        );
    }
    let (image, by) = store.image("app:1").unwrap().unwrap();
    assert_eq!((image.id.as_str(), by), (archive.id().as_str(), Resolved::Local));
    assert_eq!(image.names, ["docker.io/library/app:1"]);
    assert_eq!((image.bytes, image.layers[1].bytes), (10, 7));
    assert_eq!(image.config.config.cmd, ["sh"]);
    for layer in &image.layers {
        let short = store.layer_short(&layer.chain_id).unwrap();
        assert!(store.layers().join(short).is_dir());
    }
    assert_eq!(fs::read(store.layer_diff(&image.layers[1].chain_id).join("c/d")).unwrap(), b"dddd");
    let id = archive.id();
    for text in [id.short(), id.hex(), &id.as_str()[..20]] {
        assert_eq!(store.image(text).unwrap().unwrap().1, Resolved::Id, "{text}");
    }
    for text in ["app", "app:2", "deadbeef0000", "", "sha256:", "UPPER", "../x"] {
        assert!(store.image(text).unwrap().is_none(), "{text}");
    }
    let by_digest = format!("app@{}", image.manifest_digest);
    assert_eq!(store.image(&by_digest).unwrap().unwrap().0, image);
    assert_eq!(store.images().unwrap(), [image]);
    assert!(fs::read_dir(store.tmp()).unwrap().next().is_none(), "tmp/ is not empty");
    assert!(store.remove_unreferenced(BTreeSet::new()).unwrap().is_empty());
}

#[test]
fn the_same_image_in_any_dress_is_the_same() {
    let (_dir, store) = store();
    let mut archive = Archive::two();
    load_bytes(&store, &archive.bytes(true)).0.unwrap();
    let before = picture(store.root());
    let plain = archive.bytes(false);
    archive.members = archive.members.into_iter().map(|(n, c)| (n, gzip(&c))).collect();
    for bytes in [plain.clone(), gzip(&plain), archive.bytes(true), gzip(&archive.bytes(false))] {
        let (loaded, events) = load_bytes(&store, &bytes);
        assert_eq!(loaded.unwrap(), ["app:1"]);
        assert_eq!(words(&events), ["image.archive-read", "image.layer-reused", "image.layer-reused"]);
        assert_eq!(picture(store.root()), before);
    }
}

#[test]
fn gzip_layers_links_and_blobs() {
    let (_dir, store) = store();
    let mut archive = Archive::two();
    // The newer layout, compressed, with a layer twice: the second time by an older archive's link.
    let blob = gzip(&archive.layers[0]);
    let name = digest_of(&blob).replace("sha256:", "blobs/sha256/");
    let diff = archive.config["rootfs"]["diff_ids"][0].clone();
    archive.config["rootfs"]["diff_ids"] = json!([diff, diff]);
    archive.manifest[0]["Layers"] = json!([name, "x/layer.tar"]);
    archive.manifest[0]["RepoTags"] = Value::Null;
    archive.members =
        BTreeMap::from([(name.clone(), blob), ("x/layer.tar".into(), format!("-> ../{name}").into_bytes())]);
    let (loaded, _) = load_bytes(&store, &archive.bytes(false));
    assert_eq!(loaded.unwrap(), [archive.id().to_string()]);
    let images = store.images().unwrap();
    assert_eq!((images.len(), images[0].names.len(), images[0].layers.len()), (1, 0, 2));
    assert_ne!(images[0].layers[0].chain_id, images[0].layers[1].chain_id);
    for layer in &images[0].layers {
        assert_eq!(fs::read(store.layer_diff(&layer.chain_id).join("etc/a")).unwrap(), b"a");
    }
    // A name for the nameless one.
    archive.manifest[0]["RepoTags"] = json!(["app", "localhost/app:x"]);
    assert_eq!(load_bytes(&store, &archive.bytes(false)).0.unwrap(), ["app:latest", "localhost/app:x"]);
    let images = store.images().unwrap();
    assert_eq!((images.len(), images[0].names.len()), (1, 2));
}

#[test]
fn a_name_moves_and_the_old_image_stays() {
    let (_dir, store) = store();
    let first = Archive::two();
    let mut second = Archive::two();
    second.config["config"]["Cmd"] = json!(["other"]);
    load_bytes(&store, &first.bytes(false)).0.unwrap();
    let (_, events) = load_bytes(&store, &second.bytes(false));
    let last = events.last().unwrap();
    assert_eq!(
        last.fact,
        Fact::Tagged { reference: "app:1".into(), id: second.id().to_string(), was: Some(first.id().to_string()) }
    );
    let images = store.images().unwrap();
    assert_eq!(
        images.iter().map(|i| (i.id.clone(), i.names.len())).collect::<Vec<_>>(),
        [(first.id(), 0), (second.id(), 1)]
    );
    assert_eq!(store.image("app:1").unwrap().unwrap().0.id, second.id());
    assert!(store.remove_unreferenced(BTreeSet::new()).unwrap().is_empty());
}

#[test]
fn a_thousand_names_are_one_change_of_the_index_and_one_more_is_refused() {
    let (_dir, store) = store();
    let mut archive = Archive::two();
    let names = |n: usize| json!((0..n).map(|i| format!("app{i}:1")).collect::<Vec<_>>());
    archive.manifest[0]["RepoTags"] = names(1001);
    let before = picture(store.root());
    let flaw = ArchiveFlaw::TooManyNames { found: 1001, limit: 1000 };
    assert_eq!(load_bytes(&store, &archive.bytes(false)).0, Err(Fault::Archive { path: "app.tar".into(), flaw }));
    assert_eq!(picture(store.root()), before);
    archive.manifest[0]["RepoTags"] = names(1000);
    let (loaded, events) = load_bytes(&store, &archive.bytes(false));
    assert_eq!(loaded.unwrap().len(), 1000);
    let tagged: Vec<&Event> = events.iter().filter(|e| matches!(e.fact, Fact::Tagged { .. })).collect();
    assert_eq!((tagged.len(), tagged.iter().map(|e| e.calls.len()).sum::<usize>()), (1000, 1));
    assert!(tagged.iter().all(|e| e.receipt.is_some()));
    assert_eq!(store.images().unwrap()[0].names.len(), 1000);
}

#[test]
fn only_the_owner_of_a_store_reads_its_images_and_takes_its_lock() {
    let (_dir, store) = store();
    drop(store.lock().unwrap());
    let mode = |name: &str| fs::metadata(store.root().join(name)).unwrap().mode() & 0o7777;
    assert_eq!((mode("lock"), mode("oci")), (0o600, 0o700));
}

#[test]
fn bad_archives_leave_the_store_as_it_was() {
    let (_dir, store) = store();
    load_bytes(&store, &Archive::two().bytes(false)).0.unwrap();
    let before = picture(store.root());
    let spoiled = |change: &dyn Fn(&mut Archive)| {
        let mut archive = Archive::new(&[&[("other", b"1")], &[("more", b"2")]]);
        change(&mut archive);
        archive.bytes(false)
    };
    let whole = spoiled(&|_| {});
    let other = tarball(&[("x", b"x")]);
    let evil = |member: &'static str| {
        move |a: &mut Archive| {
            let mut tar = tarball(&[("a", b"x")]);
            tar[..100].fill(0);
            tar[..member.len()].copy_from_slice(member.as_bytes());
            tar[148..156].fill(b' ');
            let sum: u32 = tar[..512].iter().map(|&b| u32::from(b)).sum();
            tar[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            a.config["rootfs"]["diff_ids"][1] = json!(digest_of(&tar));
            a.members.insert("l1/layer.tar".into(), tar);
        }
    };
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("text", b"this is no archive, and it goes on for a while".repeat(40)),
        ("an empty tar", vec![0; 1024]),
        ("zstd", b"\x28\xb5\x2f\xfd and so on".to_vec()),
        ("xz", b"\xfd7zXZ\0 and so on".to_vec()),
        ("cut", whole[..whole.len() / 2].to_vec()),
        ("gzip cut", gzip(&whole)[..300].to_vec()),
        ("gzip broken", {
            let mut g = gzip(&whole);
            let n = g.len();
            g[n - 6] ^= 1;
            g
        }),
        ("no manifest", tarball(&[("x", b"x")])),
        ("manifest no JSON", tarball(&[("manifest.json", b"{")])),
        ("manifest empty", tarball(&[("manifest.json", b"[]")])),
        ("manifest a link", tarball(&[("manifest.json", b"-> /etc/passwd")])),
        ("config missing", spoiled(&|a| a.manifest[0]["Config"] = json!("../../etc/passwd"))),
        ("config no JSON", spoiled(&|a| a.manifest[0]["Config"] = json!("l0/layer.tar"))),
        ("layer missing", spoiled(&|a| drop(a.members.remove("l1/layer.tar")))),
        ("layer swapped", spoiled(&|a| drop(a.members.insert("l1/layer.tar".into(), other.clone())))),
        ("gzip layer swapped", spoiled(&|a| drop(a.members.insert("l1/layer.tar".into(), gzip(&other))))),
        (
            "known layer swapped",
            spoiled(&|a| {
                *a = Archive::two();
                a.config["x"] = json!(1);
                a.members.insert("l1/layer.tar".into(), gzip(&other));
            }),
        ),
        ("too few layers", spoiled(&|a| a.manifest[0]["Layers"] = json!(["l0/layer.tar"]))),
        ("diff id a path", spoiled(&|a| a.config["rootfs"]["diff_ids"][0] = json!("sha256:../../../../tmp/x"))),
        (
            "name of another digest",
            spoiled(&|a| {
                let name = format!("blobs/sha256/{}", "0".repeat(64));
                a.members.insert(name, b"x".to_vec());
            }),
        ),
        ("bad tag", spoiled(&|a| a.manifest[0]["RepoTags"] = json!(["../x"]))),
        (
            "tag with a digest",
            spoiled(&|a| a.manifest[0]["RepoTags"] = json!([format!("x@sha256:{}", "a".repeat(64))])),
        ),
        (
            "links in a ring",
            spoiled(&|a| {
                a.members.insert("l1/layer.tar".into(), b"-> ../l2/layer.tar".to_vec());
                a.members.insert("l2/layer.tar".into(), b"-> ../l1/layer.tar".to_vec());
            }),
        ),
        ("escape", spoiled(&evil("../../../x"))),
        ("whiteout of ..", spoiled(&evil(".wh..."))),
        (
            "second image bad",
            spoiled(&|a| {
                let first = a.manifest[0].clone();
                a.manifest = json!([first, {"Config": "nothing.json", "RepoTags": ["y"], "Layers": []}]);
            }),
        ),
    ];
    for (what, bytes) in cases {
        let (loaded, events) = load_bytes(&store, &bytes);
        assert!(matches!(loaded, Err(Fault::Archive { .. })), "{what}: {loaded:?}");
        assert_eq!(picture(store.root()), before, "{what}");
        assert!(events.iter().all(|e| e.calls.is_empty()), "{what}: {events:?}");
    }
    let (loaded, _) = load_bytes(&store, &whole[..whole.len() - 1024]);
    assert!(loaded.is_ok(), "without its trailer an archive is still whole: {loaded:?}");
    let (loaded, _) = load_bytes(&store, b"");
    assert_eq!(loaded, Err(Fault::Archive { path: "app.tar".into(), flaw: ArchiveFlaw::Empty }));
    let mut story = Story::new();
    let loaded = load(&store, &mut story, &mut fs::File::open("/").unwrap(), "/");
    assert_eq!(loaded, Err(Fault::LocalFile { path: "/".into(), call: "read".into(), errno: libc::EISDIR }));
}

#[test]
fn what_a_killed_load_leaves_is_removed_by_the_next_command() {
    let (_dir, store) = store();
    load_bytes(&store, &Archive::two().bytes(false)).0.unwrap();
    let before = picture(store.root());
    let index = fs::read(store.index()).unwrap();
    load_bytes(&store, &Archive::new(&[&[("other", b"1")]]).bytes(false)).0.unwrap();
    // As after a kill before the last rename: all is there, and nothing leads to it.
    fs::write(store.index(), index).unwrap();
    let orphan = picture(store.root());
    assert_ne!(orphan, before);
    let mut story = Story::new();
    for deed in store.remove_unreferenced(BTreeSet::new()).unwrap() {
        deed.tell(&mut story);
    }
    assert_eq!(story.events().len(), 4, "three blobs, and a layer with its short name");
    assert_eq!(picture(store.root()), before);
}

#[test]
fn what_cannot_be_finished_is_taken_back() {
    let (_dir, store) = store();
    let archive = Archive::two();
    let diff_ids = serde_json::from_value::<Vec<DiffId>>(archive.config["rootfs"]["diff_ids"].clone()).unwrap();
    let chain = chain_ids(&diff_ids);
    // Something that cannot be there is in the way of the second layer.
    fs::write(store.layers().join(chain[1].hex()), "in the way").unwrap();
    let before = picture(store.root());
    let (loaded, events) = load_bytes(&store, &archive.bytes(false));
    match loaded {
        Err(Fault::Step { error, .. }) => {
            let calls: Vec<(&str, bool)> = error.calls.iter().map(|c| (c.name.as_str(), c.failed())).collect();
            assert_eq!(calls, [("symlink", false), ("rename", true), ("rename", false)]);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(words(&events), ["image.archive-read", "image.layer-unpacked", "host.step", "host.cleaned"]);
    assert_eq!(picture(store.root()), before);
    fs::remove_file(store.layers().join(chain[1].hex())).unwrap();
    assert_eq!(load_bytes(&store, &archive.bytes(false)).0.unwrap(), ["app:1"]);
}

#[test]
fn short_names_that_meet_are_told_apart() {
    let (_dir, store) = store();
    let archive = Archive::two();
    let chain = ChainId::parse(archive.config["rootfs"]["diff_ids"][0].as_str().unwrap()).unwrap();
    let short = store.layer_links().join(chain.short());
    std::os::unix::fs::symlink(format!("../{}/diff", "0".repeat(64)), &short).unwrap();
    load_bytes(&store, &archive.bytes(false)).0.unwrap();
    assert!(store.has_layer(&chain));
    assert_eq!(store.layer_short(&chain), None);
}

#[test]
fn a_hundred_images_are_listed_quickly() {
    let (_dir, store) = store();
    let mut archive = Archive::two();
    for i in 0..100 {
        archive.config["n"] = json!(i);
        archive.manifest[0]["RepoTags"] = json!([format!("app:{i}")]);
        load_bytes(&store, &archive.bytes(true)).0.unwrap();
    }
    let start = std::time::Instant::now();
    assert_eq!(store.images().unwrap().len(), 100);
    eprintln!("100 images listed in {:?}", start.elapsed());
    let start = std::time::Instant::now();
    assert!(store.image("app:77").unwrap().is_some());
    eprintln!("one found in {:?}", start.elapsed());
    assert!(matches!(store.image("a").map(drop), Ok(()) | Err(Fault::AmbiguousId { .. })));
}

#[test]
fn built_in_images_are_the_same_each_time() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED (needs root): built-in images");
        return;
    }
    let mut ids = Vec::new();
    for _ in 0..2 {
        let (_dir, store) = store();
        let mut story = Story::new();
        let start = std::time::Instant::now();
        let nginx = resolve::image(&store, &mut story, "nginx").unwrap();
        let tiny = resolve::image(&store, &mut story, "tiny:latest").unwrap();
        eprintln!("both made in {:?}: {} and {} bytes", start.elapsed(), nginx.bytes, tiny.bytes);
        let told = words(story.events());
        assert_eq!(&told[..2], ["host.fallback", "image.from-host"]);
        assert_eq!(told.last().unwrap(), "image.resolved");
        assert_eq!((nginx.origin(), nginx.layers.len()), (Some("built-in"), 3));
        assert_eq!(nginx.layers[..2], tiny.layers[..], "the images share their base");
        assert_eq!(nginx.config.config.cmd, ["nginx", "-g", "daemon off;"]);
        let top = store.layer_diff(&nginx.layers[2].chain_id);
        for file in [
            "usr/sbin/nginx",
            "usr/share/nginx/html/index.html",
            "usr/share/nginx/html/50x.html",
            "etc/nginx/nginx.conf",
        ] {
            assert!(top.join(file).is_file(), "{file}");
        }
        assert!(store.layer_diff(&nginx.layers[1].chain_id).join("usr/bin/sh").symlink_metadata().is_ok());
        let mut again = Story::new();
        resolve::image(&store, &mut again, "docker.io/library/nginx").unwrap();
        assert_eq!(words(again.events()), ["image.resolved"]);
        ids.push((nginx.id, nginx.manifest_digest, tiny.id));
        let missing = resolve::image(&store, &mut again, "ngnix:1.18");
        let similar = vec!["nginx:latest".to_string()];
        assert_eq!(missing, Err(Fault::NoSuchImage { reference: "ngnix:1.18".into(), similar }));
        assert!(matches!(resolve::image(&store, &mut again, "nginx:1.18"), Err(Fault::NoSuchImage { .. })));
        assert!(matches!(resolve::image(&store, &mut again, "Nginx"), Err(Fault::BadReference { .. })));
    }
    assert_eq!(ids[0], ids[1]);
    assert!(builtin::which(&Reference::parse("localhost/nginx").unwrap()).is_none());
}

/// Hides what lies below a path, and the path itself if asked to.
fn hide(names: &mut BTreeMap<Vec<u8>, PathBuf>, path: &[u8], itself: bool) {
    let inside = if path.is_empty() { Vec::new() } else { [path, b"/"].concat() };
    let below: Vec<Vec<u8>> =
        names.range(inside.clone()..).map(|(k, _)| k.clone()).take_while(|k| k.starts_with(&inside)).collect();
    for name in below {
        names.remove(&name);
    }
    if itself {
        names.remove(path);
    }
}

/// The layers put together as overlayfs does, one line a path: type, mode, uid, gid, size, time, device, first name of a
/// file with several, xattrs, digest or target, path.
fn merged(layers: &[PathBuf]) -> Vec<String> {
    let mut names: BTreeMap<Vec<u8>, PathBuf> = BTreeMap::new();
    for layer in layers {
        let mut dirs = vec![Vec::new()];
        while let Some(dir) = dirs.pop() {
            let here = layer.join(std::ffi::OsStr::from_bytes(&dir));
            let below = |path: &[u8]| [&dir[..], if dir.is_empty() { b"" } else { b"/" }, path].concat();
            if rustix::fs::lgetxattr(&here, "trusted.overlay.opaque", &mut [0u8; 1][..]).is_ok() {
                hide(&mut names, &dir, false);
            }
            for entry in fs::read_dir(&here).unwrap().flatten() {
                let (path, meta) = (below(entry.file_name().as_bytes()), fs::symlink_metadata(entry.path()).unwrap());
                if meta.file_type().is_char_device() && meta.rdev() == 0 {
                    hide(&mut names, &path, true);
                    continue;
                }
                if meta.is_dir() {
                    dirs.push(path.clone());
                } else {
                    hide(&mut names, &path, true);
                }
                names.insert(path, entry.path());
            }
        }
    }
    let quote = |bytes: &[u8]| -> String {
        let shown = |b: &u8| match b {
            33..=126 if *b != b'\\' => char::from(*b).to_string(),
            _ => format!("\\x{b:02x}"),
        };
        bytes.iter().map(shown).collect()
    };
    let mut first: BTreeMap<(u64, u64), String> = BTreeMap::new();
    // In the order of a walk: a directory's entries by name, each followed by what it holds.
    let mut ordered: Vec<_> = names.into_iter().collect();
    ordered.sort_by(|a, b| a.0.split(|&c| c == b'/').cmp(b.0.split(|&c| c == b'/')));
    ordered
        .iter()
        .map(|(path, real)| {
            let meta = fs::symlink_metadata(real).unwrap();
            let kind = meta.file_type();
            let node = kind.is_char_device() || kind.is_block_device();
            let letter = match () {
                _ if kind.is_dir() => 'd',
                _ if kind.is_symlink() => 'l',
                _ if kind.is_char_device() => 'c',
                _ if kind.is_block_device() => 'b',
                _ if kind.is_fifo() => 'p',
                _ => 'f',
            };
            let mut list = vec![0u8; 65536];
            let n = rustix::fs::llistxattr(real, &mut list[..]).unwrap();
            let mut xattrs: Vec<String> = list[..n]
                .split(|&b| b == 0)
                .filter(|x| !x.is_empty() && !x.starts_with(b"trusted.overlay"))
                .map(|x| {
                    let mut value = vec![0u8; 65536];
                    let n = rustix::fs::lgetxattr(real, x, &mut value[..]).unwrap();
                    let hex: String = value[..n].iter().map(|b| format!("{b:02x}")).collect();
                    format!("{}={hex}", String::from_utf8_lossy(x))
                })
                .collect();
            xattrs.sort();
            let shared = if !kind.is_dir() && meta.nlink() > 1 {
                first.entry((meta.dev(), meta.ino())).or_insert_with(|| quote(path)).clone()
            } else {
                "-".into()
            };
            let content = match letter {
                'f' => digest_of(&fs::read(real).unwrap()).replace("sha256:", ""),
                'l' => quote(fs::read_link(real).unwrap().as_os_str().as_bytes()),
                _ => "-".into(),
            };
            let or = |yes: bool, text: String| if yes { text } else { "-".to_string() };
            [
                letter.to_string(),
                format!("{:04o}", meta.mode() & 0o7777),
                meta.uid().to_string(),
                meta.gid().to_string(),
                or(letter == 'f', meta.len().to_string()),
                meta.mtime().to_string(),
                or(node, format!("{}:{}", rustix::fs::major(meta.rdev()), rustix::fs::minor(meta.rdev()))),
                shared,
                or(!xattrs.is_empty(), xattrs.join(",")),
                content,
                quote(path),
            ]
            .join("\t")
        })
        .collect()
}

/// Real images against what other engines make of them: `$DOCENT_TEST_IMAGES` holds NAME.docker.tar and NAME.tree.
#[test]
fn real_images_are_what_they_should_be() {
    let Some(dir) = std::env::var_os("DOCENT_TEST_IMAGES").map(PathBuf::from) else {
        eprintln!("SKIPPED (DOCENT_TEST_IMAGES is not set): real images");
        return;
    };
    let (_root, store) = store();
    for name in ["busybox", "deep", "nginx"] {
        let mut archive = fs::File::open(dir.join(format!("{name}.docker.tar"))).unwrap();
        let start = std::time::Instant::now();
        let loaded = load(&store, &mut Story::new(), &mut archive, name).unwrap();
        eprintln!("{name} loaded in {:?}", start.elapsed());
        assert_eq!(loaded, [format!("{name}:latest"), format!("localhost/{name}:latest")]);
        let (image, _) = store.image(name).unwrap().unwrap();
        let layers: Vec<PathBuf> = image.layers.iter().map(|l| store.layer_diff(&l.chain_id)).collect();
        let tree = fs::read_to_string(dir.join(format!("{name}.tree"))).unwrap();
        // The first line is the root, on which engines disagree.
        let expected: Vec<&str> = tree.lines().skip(1).collect();
        let found = merged(&layers);
        let mut differences = Vec::new();
        for (want, have) in expected.iter().zip(&found) {
            // A time before 1970: the others make it 0, docent keeps it.
            if want != have && !want.ends_with("\ttimes/before") {
                differences.push(format!("-{want}\n+{have}"));
            }
        }
        assert!(differences.is_empty(), "{name}: {}\n{}", differences.len(), differences.join("\n"));
        assert_eq!(expected.len(), found.len(), "{name}");
    }
}

/// Its rename alone would be a lie about what a layer costs. A thousand files are not made in a millisecond.
#[test]
fn a_layer_took_as_long_as_its_unpacking() {
    let names: Vec<String> = (0..1000).map(|n| format!("f{n}")).collect();
    let members: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"x"[..])).collect();
    let (_dir, store) = store();
    let mut story = Story::new();
    load(&store, &mut story, &mut Archive::new(&[&members]).bytes(true).as_slice(), "a.tar").expect("load");
    let took = |name: &str| {
        let of_kind = story.events().iter().filter(|e| e.fact.definition().name == name);
        of_kind.map(|e| e.took_us).max().expect(name)
    };
    assert!(took("image.layer-unpacked") > 1000, "{} us", took("image.layer-unpacked"));
    assert!(took("image.blob-written") > 100, "{} us", took("image.blob-written"));
}
