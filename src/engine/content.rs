//! What lies at a path, as a receipt: the content of a file, where a symlink leads, what a directory or a device is.

use super::upper_diff::relative;
use crate::container::ContainerId;
use crate::event::{Bytes, Expect, Holds, Proof, Receipt, Stamp};
use crate::kernel::resolve::{self, Seen};
use chrono::{DateTime, TimeDelta, Utc};
use rustix::fs::{FileType, OFlags, Stat};
use sha2::{Digest, Sha256};
use std::io::{BufRead, BufReader};
use std::os::fd::{AsFd, AsRawFd};
use std::path::Path;

/// So many bytes of files are read for the receipts of one look: a story must not take longer than what it tells.
pub const READ: u64 = 16 << 20;

/// The clock of file times goes in ticks, of 10 ms at the longest (CONFIG_HZ=100).
const TICK: TimeDelta = TimeDelta::milliseconds(20);

/// Of what lies at `path` beneath the directory `top`, which is not followed through a symlink. `left`: of [`READ`]. None when it
/// cannot be looked at.
pub fn receipt(top: &Path, path: &Path, subject: String, holds: Holds, left: &mut u64) -> Option<Receipt> {
    let shown = top.join(path);
    let seen = Seen::beneath(resolve::directory(top).ok()?.as_fd(), path).ok()?;
    let name = Bytes::from(shown.as_path());
    let stat = &seen.stat;
    let (seconds, nanoseconds) = (stat.st_ctime, stat.st_ctime_nsec as i64);
    let stamp = Stamp::with(name.clone(), (stat.st_dev, stat.st_ino), (seconds, nanoseconds));
    let age = Utc::now() - DateTime::from_timestamp(seconds, u32::try_from(nanoseconds).ok()?)?;
    let stamp = if age < TICK { stamp.unsettled() } else { stamp };
    let receipt = |evidence: &str| Receipt::about(subject, holds, format!("{}: {evidence}", name.shown()));
    let size = u64::try_from(seen.stat.st_size).unwrap_or(0);
    let receipt = match seen.kind() {
        FileType::RegularFile if size <= *left => {
            *left -= size;
            let mut hash = Sha256::new();
            let mut content = BufReader::with_capacity(64 << 10, seen.content().ok()?);
            while let Some(piece) = content.fill_buf().ok().filter(|piece| !piece.is_empty()) {
                hash.update(piece);
                let n = piece.len();
                content.consume(n);
            }
            let hash: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
            let proof = ["sha256sum".into(), name.clone()];
            // A name with a backslash in it comes with another before the sum.
            receipt(&format!("{size}, sha256 {hash}")).by(proof, Expect::Contains(format!("{hash} ")))
        }
        FileType::Symlink => {
            let to = Bytes::from(seen.target().ok()?);
            receipt(&to.shown()).by(["readlink".into(), name.clone()], Expect::Equals(to.lossy()))
        }
        kind => {
            let (format, says) = described(kind, &seen.stat);
            receipt(&says).by(["stat".into(), "-c".into(), format.into(), name.clone()], Expect::Equals(says.clone()))
        }
    };
    Some(receipt.stamped(Some(stamp)))
}

/// The same of a path of a container's write layer.
pub fn in_upper(id: &ContainerId, upper: &Path, path: &Path, left: &mut u64) -> Option<Receipt> {
    let (subject, holds) = about(id, path);
    receipt(upper, relative(path), subject, holds, left).map(Receipt::as_root)
}

/// With the kernel's mark on it, as it is now.
pub fn marked(receipt: Receipt, upper: &Path, path: &Path, mark: &str) -> Receipt {
    let value = || {
        let how = OFlags::PATH | OFlags::NOFOLLOW;
        let file = resolve::beneath(resolve::directory(upper).ok()?.as_fd(), relative(path), how).ok()?;
        let mut value = [0u8; 256];
        let link = format!("/proc/self/fd/{}", file.as_raw_fd());
        let length = rustix::fs::getxattr(&link, mark, &mut value[..]).ok()?;
        Some(value.get(..length)?.iter().map(|b| format!("{b:02x}")).collect::<String>())
    };
    let Some(value) = value() else { return receipt };
    let options = ["getfattr", "-h", "--absolute-names", "-e", "hex", "-n", mark].map(Bytes::from);
    let name = Bytes::from(upper.join(relative(path)).as_path());
    let argv = options.into_iter().chain([name]);
    receipt.by(argv, Expect::Contains(format!("{mark}=0x{value}"))).with("getfattr")
}

/// What a layer of an image has at this path.
pub fn in_layer(layer: &Path, path: &Path, left: &mut u64) -> Option<Proof> {
    receipt(layer, relative(path), String::new(), Holds::Forever, left).map(|receipt| receipt.first)
}

/// That nothing of this name is in the write layer.
pub fn not_in_upper(id: &ContainerId, upper: &Path, path: &Path) -> Option<Receipt> {
    let (subject, holds) = about(id, path);
    let path = upper.join(relative(path));
    let name = Bytes::from(path.as_path());
    // A directory above it may be a whiteout now.
    let (says, expect) = match path.symlink_metadata().err()?.raw_os_error()? {
        libc::ENOTDIR => ("ENOTDIR", Expect::Fails { status: 1, says: "Not a directory".into() }),
        _ => ("ENOENT", Expect::absent()),
    };
    let receipt = Receipt::about(subject, holds, format!("{}: {says}", name.shown())).as_root();
    Some(receipt.by(["stat".into(), name], expect))
}

fn about(id: &ContainerId, path: &Path) -> (String, Holds) {
    (format!("upper:{id}:{}", Bytes::from(path).shown()), Holds::WhileExists(id.to_string()))
}

/// A format for stat(1), and what it prints.
fn described(kind: FileType, stat: &Stat) -> (&'static str, String) {
    let (mode, owner) = (stat.st_mode & 0o7777, format!("{}:{}", stat.st_uid, stat.st_gid));
    let device = || {
        let (major, minor) = (rustix::fs::major(stat.st_rdev), rustix::fs::minor(stat.st_rdev));
        ("%F %a %u:%g %t:%T", format!(" {mode:o} {owner} {major:x}:{minor:x}"))
    };
    let plain = || ("%F %a %u:%g", format!(" {mode:o} {owner}"));
    let (name, (format, rest)) = match kind {
        FileType::RegularFile => {
            // Too much to read: whoever writes to it changes its time.
            let times =
                format!("{}.{:09} {}.{:09}", stat.st_mtime, stat.st_mtime_nsec, stat.st_ctime, stat.st_ctime_nsec);
            let size = stat.st_size;
            ("regular file", ("%F %a %u:%g %s %.9Y %.9Z", format!(" {mode:o} {owner} {size} {times}")))
        }
        FileType::Directory => ("directory", plain()),
        FileType::CharacterDevice => ("character special file", device()),
        FileType::BlockDevice => ("block special file", device()),
        FileType::Fifo => ("fifo", plain()),
        FileType::Socket => ("socket", plain()),
        FileType::Symlink | FileType::Unknown => ("weird file", plain()),
    };
    (format, format!("{name}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::verify::{agrees, run};
    use std::fs;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn each_kind_of_thing_is_shown_by_its_proof_and_another_in_its_place_is_not() {
        let dir = tempfile::tempdir().expect("a directory");
        let at = |name: &[u8]| dir.path().join(std::ffi::OsStr::from_bytes(name));
        for name in [&b"plain"[..], b"back\\slash", b"not text \xff", b"new\nline"] {
            fs::write(at(name), "one").expect("written");
        }
        fs::create_dir(at(b"directory")).expect("made");
        std::os::unix::fs::symlink("over/there", at(b"link")).expect("made");
        assert!(std::process::Command::new("mkfifo").arg(at(b"fifo")).status().expect("mkfifo").success());
        for name in fs::read_dir(dir.path()).expect("read").map(|entry| entry.expect("entry").file_name()) {
            for left in [READ, 0] {
                let mut left = left;
                let receipt =
                    receipt(dir.path(), Path::new(&name), "it".into(), Holds::Forever, &mut left).expect("seen");
                let holds = || {
                    receipt.proofs().all(|proof| agrees(&receipt, &proof.expect, &run(proof, &[]).expect("an answer")))
                };
                assert!(holds(), "{receipt:?}");
                let (here, away) = (at(name.as_bytes()), at(b"away"));
                fs::rename(&here, &away).expect("moved");
                fs::write(&here, "two").expect("written");
                assert!(!holds(), "{receipt:?}");
                fs::remove_file(&here).expect("removed");
                fs::rename(&away, &here).expect("moved back");
            }
        }
    }

    #[test]
    fn what_changed_a_moment_ago_is_never_taken_for_untouched() {
        let dir = tempfile::tempdir().expect("a directory");
        fs::write(dir.path().join("new"), "one").expect("written");
        let untouched = |dir: &Path, name: &str| {
            let seen = receipt(dir, Path::new(name), "it".into(), Holds::Forever, &mut READ.clone());
            let stamp = seen.and_then(|receipt| receipt.stamp).expect("a stamp");
            stamp == Stamp::of(stamp.path.as_path(), &fs::symlink_metadata(stamp.path.as_path()).expect("its metadata"))
        };
        assert!(!untouched(dir.path(), "new"), "another change in the same tick would have the same time");
        assert!(untouched(Path::new(env!("CARGO_MANIFEST_DIR")), "Cargo.toml"));
    }
}
