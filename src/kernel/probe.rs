//! What this host allows, found by attempting it.
//!
//! Settings lie: a sysctl says that user namespaces are on and a security module refuses them; on Ubuntu clone succeeds and
//! the new namespace has no rights. So a disposable process makes the same calls as a launch: all namespaces at once, id
//! maps, an overlay where the store is, a bridge, a NAT table, a cgroup.
//!
//! What never breaks: nothing is left behind. What lies in the new namespaces goes with the process; the directory and
//! the cgroup have names that the caller knows, and it removes them even if the process is killed. The attempt runs in
//! a program started anew (`docent __probe DIRECTORY`), so the caller may have threads.

use super::cgroup::Tree;
use super::files;
use super::host::Host;
use super::netlink::Netlink;
use super::nftables::{Nftables, Table};
use super::sys::{self, Calls, Cloned};
use crate::event::{Call, Deed, Event, Fact, Probe, Shown, SysError, Tier};
use nix::mount::MsFlags;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The hidden argument under which the program is started again.
pub const ARGUMENT: &str = "__probe";

/// One line on standard output of the probing process.
#[derive(Serialize, Deserialize)]
struct Line {
    shown: Option<Shown>,
    calls: Vec<Call>,
    cgroup: Option<(u8, Vec<String>)>,
}

/// Attempts everything at `store_root`, or the nearest directory above it that exists. What it found is told by the deed.
pub fn probe(store_root: &Path, host: &Host) -> Deed<Probe> {
    let place = store_root.ancestors().find(|p| p.is_dir()).unwrap_or(Path::new("/"));
    let mut shown = Vec::new();
    let mut calls = Vec::new();
    let (mut version, mut controllers) = (0, Vec::new());
    let child = Command::new("/proc/self/exe")
        .arg(ARGUMENT)
        .arg(place)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    match child {
        Ok(mut child) => {
            for line in child.stdout.take().into_iter().flat_map(|out| BufReader::new(out).lines()) {
                let Ok(line) = line.map_err(drop).and_then(|l| serde_json::from_str::<Line>(&l).map_err(drop)) else {
                    break;
                };
                shown.extend(line.shown);
                calls.extend(line.calls);
                if let Some(found) = line.cgroup {
                    (version, controllers) = found;
                }
            }
            let name = name_of(child.id());
            let ended = child.wait();
            if !ended.is_ok_and(|status| status.success()) {
                shown.push(failed("probe", true, SysError::new("execve", ARGUMENT, libc::EIO)));
                clean_up(&place.join(&name), &groups(host, &name));
            }
        }
        Err(e) => shown.push(failed("probe", true, SysError::io("execve", ARGUMENT, &e))),
    }
    let probe = Probe {
        tier: tier(&shown),
        kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
        uid: rustix::process::geteuid().as_raw(),
        cgroup: version,
        controllers,
        shown,
    };
    Deed::new(probe.clone(), Event::of(Fact::Probed { probe }, calls))
}

fn tier(shown: &[Shown]) -> Tier {
    let ok = |what: &str| shown.iter().any(|s| s.what == what && s.ok);
    match (ok("namespaces"), ok("user-namespace"), ok("id-ranges")) {
        (true, false, _) => Tier::T0,
        (true, true, true) => Tier::T1,
        (true, true, false) => Tier::T2,
        (false, ..) => Tier::T3,
    }
}

fn failed(what: &str, required: bool, error: SysError) -> Shown {
    Shown { what: what.into(), ok: false, required, error: Some(error), detail: String::new() }
}

fn name_of(pid: u32) -> String {
    format!(".docent-probe-{pid}")
}

/// Runs one attempt and says how it went. `detail` is free of any language: names and numbers.
fn attempt(what: &str, required: bool, f: impl FnOnce(&mut Calls) -> Result<String, SysError>) -> Line {
    let mut calls = Calls::default();
    let shown = match f(&mut calls) {
        Ok(detail) => Shown { what: what.into(), ok: true, required, error: None, detail },
        Err(mut error) => {
            // A step of its own brings its calls with its failure.
            calls.add(std::mem::take(&mut error.calls));
            failed(what, required, error)
        }
    };
    Line { shown: Some(shown), calls: calls.take(), cgroup: None }
}

fn say(out: &mut impl Write, line: &Line) -> bool {
    let ok = line.shown.as_ref().is_none_or(|s| s.ok);
    let mut text = serde_json::to_vec(line).unwrap_or_default();
    text.push(b'\n');
    // A reader that is gone gets nothing; the attempts and the cleaning up go on.
    ok & out.write_all(&text).and_then(|()| out.flush()).is_ok()
}

// ---- the probing process -------------------------------------------------------------------------------------------

/// What `docent __probe DIRECTORY` does: attempts everything there and reports on standard output. Gives the exit status.
pub fn child_main(args: &[OsString]) -> i32 {
    let [place] = args else { return 125 };
    attempt_all(Path::new(place), &Host::look(), &mut std::io::stdout().lock());
    0
}

fn attempt_all(place: &Path, host: &Host, out: &mut impl Write) {
    let name = name_of(std::process::id());
    let groups = groups(host, &name);
    let dir = place.join(&name);
    for line in try_cgroup(host.cgroups.version, &groups) {
        say(out, &line);
    }
    let prepared = say(out, &attempt("directory", true, |calls| prepare(calls, &dir)));
    let overlay_at = prepared.then_some(dir.as_path());
    // Root may lack CAP_SYS_ADMIN, inside another container; then a user namespace may still give it.
    if !(host.root && try_namespaces(out, overlay_at, false)) {
        try_namespaces(out, overlay_at, true);
    }
    let cleaned = clean_up(&dir, &groups);
    say(out, &Line { shown: None, calls: cleaned, cgroup: None });
}

const PARTS: [&str; 4] = ["lower", "upper", "work", "merged"];

fn prepare(calls: &mut Calls, dir: &Path) -> Result<String, SysError> {
    files::mkdir(calls, dir, 0o700)?;
    for part in PARTS {
        files::mkdir(calls, &dir.join(part), 0o755)?;
    }
    for file in ["lower/kept", "lower/gone"] {
        let path = dir.join(file);
        fs::write(&path, b"below").map_err(|e| SysError::io("write", path.to_string_lossy(), &e))?;
    }
    Ok(dir.parent().unwrap_or(dir).to_string_lossy().into_owned())
}

/// Removes directory and cgroup, whatever of them there is.
fn clean_up(dir: &Path, groups: &[Tree]) -> Vec<Call> {
    let mut calls = Calls::default();
    // The kernel's own directory below `work` has mode 0 and keeps a whiteout: only root could walk it as it is.
    fs::set_permissions(dir.join("work/work"), fs::Permissions::from_mode(0o700)).unwrap_or(());
    for part in PARTS {
        super::walk::remove_path(&dir.join(part)).unwrap_or(());
    }
    if dir.exists() {
        files::rmdir(&mut calls, dir).unwrap_or(());
    }
    for group in groups.iter().filter(|group| group.path.is_dir()) {
        files::rmdir(&mut calls, &group.path).unwrap_or(());
    }
    calls.take()
}

// ---- cgroup --------------------------------------------------------------------------------------------------------

/// The probe's group in each tree with the tree's controllers. In version 2 an ordinary user's groups lie below the one
/// it is in, if that was delegated.
fn groups(host: &Host, name: &str) -> Vec<Tree> {
    let mut trees = host.cgroups.trees.clone();
    if let (2, false, [tree]) = (host.cgroups.version, host.root, trees.as_mut_slice()) {
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        tree.path.push(own.lines().find_map(|l| l.strip_prefix("0::/")).unwrap_or(""));
        tree.controllers = words(&tree.path.join("cgroup.controllers"));
    }
    trees.iter_mut().for_each(|tree| tree.path.push(name));
    trees
}

fn words(file: &Path) -> Vec<String> {
    fs::read_to_string(file).unwrap_or_default().split_whitespace().map(str::to_string).collect()
}

/// Makes the group in each tree, freezes and thaws it, and removes it. Two lines: the controllers, and the freezer.
fn try_cgroup(version: u8, groups: &[Tree]) -> [Line; 2] {
    let missing = || SysError::new("open", "/sys/fs/cgroup", libc::ENOENT);
    let (mut controllers, mut refused) = (Vec::<String>::new(), None);
    let mut line = attempt("cgroup", false, |calls| {
        for group in groups {
            match try_group(calls, &group.path, &group.controllers, version) {
                Ok(usable) => controllers.extend(usable),
                Err(e) => refused = refused.take().or(Some(e)),
            }
        }
        if controllers.is_empty() { Err(refused.clone().unwrap_or_else(missing)) } else { Ok(controllers.join(" ")) }
    });
    let freezer = attempt("freezer", false, |_| match controllers.iter().any(|c| c == "freezer") {
        true => Ok(String::new()),
        false => Err(refused.unwrap_or_else(missing)),
    });
    line.cgroup = Some((version, controllers));
    [line, freezer]
}

/// The controllers that a group made here really has.
fn try_group(calls: &mut Calls, path: &Path, offered: &[String], version: u8) -> Result<Vec<String>, SysError> {
    files::mkdir(calls, path, 0o755)?;
    let usable = if version == 1 { Ok(offered.to_vec()) } else { try_handing_down(calls, path, offered) };
    let mut usable = usable.unwrap_or_default();
    let (file, on, off) =
        if version == 1 { ("freezer.state", "FROZEN", "THAWED") } else { ("cgroup.freeze", "1", "0") };
    let file = path.join(file);
    if file.exists() {
        let froze = files::put(calls, &file, on).and_then(|()| files::put(calls, &file, off)).is_ok();
        usable.retain(|c| froze || c != "freezer");
        if froze && version == 2 {
            usable.push("freezer".into());
        }
    }
    files::rmdir(calls, path)?;
    Ok(usable)
}

/// Version 2: a group has a controller only when its parent hands it down. What is switched on here is switched off
/// again. EBUSY: the parent has processes of its own (the rule of cgroups(7) against inner processes).
fn try_handing_down(calls: &mut Calls, path: &Path, offered: &[String]) -> Result<Vec<String>, SysError> {
    let Some(parent) = path.parent() else { return Ok(Vec::new()) };
    let control = parent.join("cgroup.subtree_control");
    let before = words(&control);
    let mut added = Vec::new();
    for want in ["memory", "cpu", "pids"] {
        let missing = offered.iter().any(|c| c == want) && !before.iter().any(|c| c == want);
        if missing && files::put(calls, &control, &format!("+{want}")).is_ok() {
            added.push(want);
        }
    }
    let usable = words(&path.join("cgroup.controllers"));
    for name in added {
        files::put(calls, &control, &format!("-{name}"))?;
    }
    Ok(usable)
}

// ---- namespaces ----------------------------------------------------------------------------------------------------

const ALL: i32 = libc::CLONE_NEWNS
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWCGROUP;

/// One clone with everything, as a launch makes it, and the attempts inside. True: the namespaces give what they promise.
fn try_namespaces(out: &mut impl Write, overlay_at: Option<&Path>, user: bool) -> bool {
    let what = if user { ALL | libc::CLONE_NEWUSER } else { ALL } as u64;
    let kind = if user { "user-namespace" } else { "namespaces" };
    let mut calls = Calls::default();
    let cloned = std::io::pipe()
        .and_then(|report| Ok((report, std::io::pipe()?)))
        .map_err(|e| SysError::io("pipe2", "", &e))
        .and_then(|pipes| Ok((sys::clone3(&mut calls, what, None)?, pipes)));
    let (pid, (mut report, written), (waits, mut go)) = match cloned {
        Ok((Cloned::Child, ((unread, mut report), (mut waits, unwritten)))) => {
            drop((unread, unwritten));
            // Nothing to read: the other side died.
            if waits.read_exact(&mut [0]).is_ok() {
                inside(&mut report, overlay_at, user);
            }
            sys::exit_now(0);
        }
        Ok((Cloned::Parent { pid, .. }, (report, go))) => (pid, report, go),
        Err(e) => {
            // The first refusal of root's own way is no verdict yet; the one that counts is the last.
            say(out, &Line { shown: user.then(|| failed("namespaces", true, e)), calls: calls.take(), cgroup: None });
            return false;
        }
    };
    drop((written, waits));
    say(out, &Line { shown: None, calls: calls.take(), cgroup: None });
    let mut mapped = true;
    if user {
        say(out, &attempt("id-ranges", false, |calls| map_ranges(calls, pid)));
        mapped = say(out, &attempt(kind, true, |calls| map_one(calls, pid)));
    }
    if mapped {
        go.write_all(b"g").unwrap_or(());
    }
    drop(go);
    let mut told = String::new();
    report.read_to_string(&mut told).map(drop).unwrap_or(());
    super::process::reap_waiting(pid);
    let works = told.lines().any(|l| {
        serde_json::from_str::<Line>(l).is_ok_and(|l| l.shown.is_some_and(|s| s.what == "namespaces" && s.ok))
    });
    if works || user {
        out.write_all(told.as_bytes()).unwrap_or(());
        if !told.contains("\"namespaces\"") {
            say(out, &attempt("namespaces", true, |_| Err(SysError::new("clone3", kind, libc::EIO))));
        }
    }
    works
}

/// Inside the new namespaces, as their process 1.
fn inside(out: &mut impl Write, overlay_at: Option<&Path>, user: bool) {
    // Where a security module takes the rights away from a new user namespace, clone succeeds and these fail.
    let usable = attempt("namespaces", true, |calls| {
        super::mounts::keep_mounts_inside(calls)?;
        sys::sethostname(calls, "probe")?;
        Ok(if user { "pid mnt uts ipc net cgroup user" } else { "pid mnt uts ipc net cgroup" }.into())
    });
    if !say(out, &usable) {
        return;
    }
    if let Some(dir) = overlay_at {
        say(out, &attempt("overlay", true, |calls| try_overlay(calls, dir, user)));
    }
    let proc = |calls: &mut Calls| {
        sys::mount(calls, Some(Path::new("proc")), Path::new("/proc"), Some("proc"), MsFlags::empty(), None)?;
        Ok("/proc".into())
    };
    say(out, &attempt("proc", true, proc));
    say(out, &attempt("bridge", false, try_bridge));
    say(out, &attempt("nat", false, try_nat));
}

/// Mounts, changes a lower file and deletes another: a file system can take the mount and refuse what copy-up or a
/// whiteout needs. Names are relative, so no character of the store's path can be taken for an option.
fn try_overlay(calls: &mut Calls, dir: &Path, user: bool) -> Result<String, SysError> {
    std::env::set_current_dir(dir).map_err(|e| SysError::io("chdir", dir.to_string_lossy(), &e))?;
    let data = format!("lowerdir=lower,upperdir=upper,workdir=work{}", if user { ",userxattr" } else { "" });
    sys::mount(calls, Some(Path::new("overlay")), Path::new("merged"), Some("overlay"), MsFlags::empty(), Some(&data))?;
    fs::write("merged/kept", b"changed").map_err(|e| SysError::io("open", "merged/kept", &e))?;
    fs::remove_file("merged/gone").map_err(|e| SysError::io("unlink", "merged/gone", &e))?;
    Ok(dir.parent().unwrap_or(dir).to_string_lossy().into_owned())
}

const BRIDGE: &str = "docent-probe";

fn try_bridge(calls: &mut Calls) -> Result<String, SysError> {
    Netlink::open()?.add_bridge(calls, BRIDGE, [0x02, 0, 0, 0, 0, 0x01])?;
    Ok(BRIDGE.into())
}

fn try_nat(calls: &mut Calls) -> Result<String, SysError> {
    let subnet = (std::net::Ipv4Addr::new(192, 0, 2, 0), 24);
    Nftables::open()?.put(calls, &Table::of_bridge(BRIDGE, subnet, ""))?;
    Ok("masquerade".into())
}

// ---- id maps -------------------------------------------------------------------------------------------------------

/// Root inside is the caller, and 1 and up are the ranges that /etc/subuid and /etc/subgid give the caller. Only the
/// set-uid programs of the uidmap package may write such a map. Gives the ranges.
fn map_ranges(calls: &mut Calls, pid: i32) -> Result<String, SysError> {
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let mut told = Vec::new();
    for (program, file, own) in [("newuidmap", "/etc/subuid", uid), ("newgidmap", "/etc/subgid", gid)] {
        let (first, count) = range_of(file, uid)?;
        let ended = Command::new(program)
            .args([pid.to_string(), "0".into(), own.to_string(), "1".into()])
            .args(["1".into(), first.to_string(), count.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        let ended = ended.map_err(|e| SysError::io("execve", program, &e))?;
        // It is set-uid root, or useless; its own message names no errno, and what it checks is permission.
        let errno = if ended.success() { 0 } else { libc::EPERM };
        calls.note("execve", format_args!("{program} {pid} 0 {own} 1 1 {first} {count}"), -i64::from(errno));
        if errno != 0 {
            return Err(SysError::new("write", format!("{program}: /proc/{pid}/{}_map", &program[3..6]), errno));
        }
        told.push(format!("{first}:{count}"));
    }
    Ok(told.join(" "))
}

/// The first range of at least one id that `file` gives this user, by name or number.
fn range_of(file: &str, uid: u32) -> Result<(u32, u32), SysError> {
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = passwd.lines().find_map(|l| {
        let mut fields = l.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then_some(name)
    });
    let text = fs::read_to_string(file).map_err(|e| SysError::io("open", file, &e))?;
    range_in(&text, name, uid).ok_or_else(|| SysError::new("read", file, libc::ENODATA))
}

fn range_in(text: &str, name: Option<&str>, uid: u32) -> Option<(u32, u32)> {
    text.lines().find_map(|line| {
        let mut fields = line.trim().split(':');
        let owner = fields.next()?;
        let (first, count) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        ((Some(owner) == name || owner.parse() == Ok(uid)) && count > 0).then_some((first, count))
    })
}

/// The map of one id, root inside for the caller outside, where no ranges were mapped. Everybody may write that of a child.
fn map_one(calls: &mut Calls, pid: i32) -> Result<String, SysError> {
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let proc = PathBuf::from(format!("/proc/{pid}"));
    let empty = |file: &str| fs::read_to_string(proc.join(file)).is_ok_and(|map| map.trim().is_empty());
    if empty("uid_map") {
        files::put(calls, &proc.join("uid_map"), &format!("0 {uid} 1"))?;
    }
    if empty("gid_map") {
        // user_namespaces(7): without it a process could leave a group that keeps it from a file.
        files::put(calls, &proc.join("setgroups"), "deny")?;
        files::put(calls, &proc.join("gid_map"), &format!("0 {gid} 1"))?;
    }
    Ok(format!("{uid}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiers_follow_what_worked() {
        let shown = |names: &[(&str, bool)]| -> Vec<Shown> {
            let error = SysError::new("x", "", 1);
            names.iter().map(|(n, ok)| Shown { ok: *ok, ..failed(n, true, error.clone()) }).collect()
        };
        assert_eq!(tier(&shown(&[("namespaces", true)])), Tier::T0);
        assert_eq!(tier(&shown(&[("id-ranges", true), ("user-namespace", true), ("namespaces", true)])), Tier::T1);
        assert_eq!(tier(&shown(&[("id-ranges", false), ("user-namespace", true), ("namespaces", true)])), Tier::T2);
        assert_eq!(tier(&shown(&[("user-namespace", true), ("namespaces", false)])), Tier::T3);
        assert_eq!(tier(&[]), Tier::T3);
    }

    /// The whole attempt in a child, as the caller of this test may do it: everything that failed says why, and nothing
    /// is left.
    #[test]
    fn says_why_and_leaves_nothing() {
        let dir = tempfile::tempdir().expect("tempdir");
        let (mut reader, mut writer) = std::io::pipe().expect("pipe");
        let host = Host::look();
        // SAFETY: the child is a copy with one thread, and leaves by _exit.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            attempt_all(dir.path(), &host, &mut writer);
            sys::exit_now(0);
        }
        drop(writer);
        let mut told = String::new();
        reader.read_to_string(&mut told).expect("read");
        crate::kernel::process::reap_waiting(pid);
        let lines: Vec<Line> = told.lines().map(|l| serde_json::from_str(l).expect(l)).collect();
        let shown: Vec<&Shown> = lines.iter().filter_map(|l| l.shown.as_ref()).collect();
        for what in ["cgroup", "directory", "namespaces"] {
            assert!(shown.iter().any(|s| s.what == what), "{what} in {told}");
        }
        assert!(shown.iter().all(|s| s.ok == s.error.is_none()), "{told}");
        assert_eq!(fs::read_dir(dir.path()).expect("dir").count(), 0);
        let name = name_of(pid as u32);
        assert!(groups(&host, &name).iter().all(|group| !group.path.exists()));
    }

    #[test]
    fn ranges_by_name_or_number() {
        let text = "# none\nkim:100000:65536\n1001:165536:65536\nempty:5:0\nbad:x:y\n";
        assert_eq!(range_in(text, Some("kim"), 1000), Some((100_000, 65_536)));
        assert_eq!(range_in(text, None, 1001), Some((165_536, 65_536)));
        assert_eq!(range_in(text, Some("empty"), 7), None);
        assert_eq!(range_in(text, Some("bad"), 8), None);
    }
}
