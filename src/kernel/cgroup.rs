//! Control groups: what a container may use, and the handle by which all its processes can be frozen.
//!
//! Version 1 has one tree per controller, mounted apart; version 2 has a single tree. docent makes `/docent/<id>` in each
//! tree it needs, writes limits *before* the container's process exists, reads them back, and removes the directories
//! when the last process is gone.
//!
//! Joining, and why it is fast: moving a process by writing its pid to `cgroup.procs` takes a kernel-wide semaphore, and
//! the first writer after some rest waits for an RCU grace period, 5 to 18 ms. A thread that moves *itself*, by writing
//! `0` to version 1's `tasks`, needs no lock (cgroup_procs_write_start in kernel/cgroup/cgroup.c): 0.05 ms. Our process
//! has one thread at that point, so the thread is the process. In version 2 it is born in the group (CLONE_INTO_CGROUP),
//! which takes the read side only.

use super::files;
use super::sys::{self, Calls};
use crate::event::{Deed, Expect, Fact, Holds, Limit, Receipt, SysError};
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Controllers of version 1 whose trees docent joins.
const WANTED: [&str; 6] = ["memory", "cpu", "cpuacct", "pids", "freezer", "devices"];

/// One mounted version 1 tree with its controllers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    pub path: PathBuf,
    pub controllers: Vec<String>,
}

/// What this host offers: several trees of version 1, the single one of version 2, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// 0: no cgroup is mounted.
    pub version: u8,
    pub trees: Vec<Tree>,
}

impl Layout {
    /// The layout by the mounts this process sees. A hybrid host counts as version 1 when a limit can be set there: somebody
    /// may have mounted version 1's devices or freezer beside version 2's controllers.
    pub fn of(mountinfo: &str) -> Layout {
        let (mut trees, mut unified) = (Vec::<Tree>::new(), None);
        for line in mountinfo.lines() {
            let Some((left, right)) = line.split_once(" - ") else { continue };
            let (Some(point), mut right) = (left.split(' ').nth(4), right.split(' ')) else { continue };
            let (kind, options) = (right.next().unwrap_or(""), right.nth(1).unwrap_or(""));
            match kind {
                "cgroup" => {
                    let controllers: Vec<String> =
                        options.split(',').filter(|o| WANTED.contains(o)).map(str::to_string).collect();
                    let known = trees.iter().any(|t| t.controllers == controllers);
                    if !controllers.is_empty() && !known {
                        trees.push(Tree { path: PathBuf::from(point), controllers });
                    }
                }
                "cgroup2" if unified.is_none() => unified = Some(PathBuf::from(point)),
                _ => {}
            }
        }
        let limits = |tree: &Tree| tree.controllers.iter().any(|c| ["memory", "cpu", "pids"].contains(&c.as_str()));
        match unified {
            Some(path) if !trees.iter().any(limits) => {
                let text = fs::read_to_string(path.join("cgroup.controllers")).unwrap_or_default();
                let controllers = text.split_whitespace().map(str::to_string).collect();
                Layout { version: 2, trees: vec![Tree { path, controllers }] }
            }
            _ => Layout { version: u8::from(!trees.is_empty()), trees },
        }
    }

    /// The group of this container, whether it exists or not.
    pub fn group(&self, id: &str) -> Option<Group> {
        let below = |t: &Tree| Tree { path: t.path.join("docent").join(id), controllers: t.controllers.clone() };
        let dirs: Vec<Tree> = self.trees.iter().map(below).collect();
        let (name, id) = (format!("/docent/{id}"), id.to_string());
        (!dirs.is_empty()).then_some(Group { version: self.version, name, id, dirs })
    }
}

/// A container's group in every tree.
#[derive(Debug, Clone)]
pub struct Group {
    pub version: u8,
    /// The path below each tree's root: `/docent/<id>`.
    pub name: String,
    pub id: String,
    pub dirs: Vec<Tree>,
}

/// Rules of version 1's devices controller: what may be opened, as with Docker.
const DEVICES: [&str; 11] = [
    "c *:* m",
    "b *:* m",
    "c 1:3 rwm",
    "c 1:5 rwm",
    "c 1:7 rwm",
    "c 1:8 rwm",
    "c 1:9 rwm",
    "c 5:0 rwm",
    "c 5:1 rwm",
    "c 5:2 rwm",
    "c 136:* rwm",
];

/// Why nothing is limited where there is no cgroup.
pub const NONE: &str = "no cgroup is mounted";

/// A limit as this host takes it: the file of its controller, and what is written there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    pub limit: Limit,
    pub file: PathBuf,
    pub value: String,
}

impl Setting {
    pub fn fact(&self, read_back: Option<String>) -> Fact {
        let file = Some(self.file.to_string_lossy().into_owned());
        Fact::CgroupLimit { limit: self.limit, file, value: self.value.clone(), read_back }
    }
}

impl Group {
    /// Makes the directories. In version 2 the controllers are handed down to them first. `owner` is written to the one
    /// that goes last, for whoever finds it later ([`owner`]); where it cannot be written, nobody will know.
    pub fn make(&self, owner: &str) -> Result<Deed<()>, SysError> {
        let deed = sys::deed(|calls| {
            for tree in &self.dirs {
                let parent = tree.path.parent().unwrap_or(Path::new("/"));
                if !parent.is_dir() {
                    match files::mkdir(calls, parent, 0o755) {
                        Err(e) if e.errno == libc::EEXIST => {}
                        other => other?,
                    }
                }
                if self.version == 2 {
                    hand_down(calls, parent)?;
                }
                files::mkdir(calls, &tree.path, 0o755)?;
            }
            if let Some(tree) = self.dirs.last().filter(|_| !owner.is_empty()) {
                drop(files::setxattr(calls, &tree.path, OWNER, owner));
            }
            Ok(((), Fact::CgroupMade { version: self.version, name: self.name.clone(), paths: self.paths() }))
        })?;
        // By its number a group is told from one that was made anew in its place.
        let line = |tree: &Tree| Some(format!("{} {}", fs::metadata(&tree.path).ok()?.ino(), tree.path.display()));
        let lines: Vec<String> = self.dirs.iter().filter_map(line).collect();
        let look = ["stat", "-c", "%i %n"].map(String::from).into_iter().chain(self.paths());
        let receipt = self.receipt(format!("cgroup:{}", self.id), &lines.join("\n"));
        Ok(deed.with_receipt(receipt.by(look, Expect::Evidence)))
    }

    pub fn paths(&self) -> Vec<String> {
        self.dirs.iter().map(|t| t.path.to_string_lossy().into_owned()).collect()
    }

    /// Version 1: each group's directory with the name of its tree, as under /sys/fs/cgroup (`cpu,cpuacct`).
    pub fn trees(&self) -> Vec<(&Path, String)> {
        let name =
            |t: &Tree| t.path.ancestors().nth(2).and_then(Path::file_name).map(|n| n.to_string_lossy().into_owned());
        self.dirs.iter().map(|t| (t.path.as_path(), name(t).unwrap_or_else(|| t.controllers.join(",")))).collect()
    }

    /// The directory of a controller, if it can be used here.
    fn dir(&self, controller: &str) -> Option<&Path> {
        self.dirs.iter().find(|t| t.controllers.iter().any(|c| c == controller)).map(|t| t.path.as_path())
    }

    /// What this limit is here; None where this host has no such controller. The amount is in bytes, thousandths of a CPU, or
    /// processes. Of swap it is the memory's: as Docker sets it when only `-m` is given, as much again; None where the kernel
    /// does not count it.
    pub fn setting(&self, limit: Limit, amount: u64) -> Option<Setting> {
        let quota = amount.saturating_mul(100);
        let (controller, file, value) = match (limit, self.version) {
            (Limit::Memory, 1) => ("memory", "memory.limit_in_bytes", amount.to_string()),
            (Limit::Memory, _) => ("memory", "memory.max", amount.to_string()),
            (Limit::Swap, 1) => ("memory", "memory.memsw.limit_in_bytes", amount.saturating_mul(2).to_string()),
            (Limit::Swap, _) => ("memory", "memory.swap.max", amount.to_string()),
            // Microseconds in each period of 100 ms.
            (Limit::Cpu, 1) => ("cpu", "cpu.cfs_quota_us", quota.to_string()),
            (Limit::Cpu, _) => ("cpu", "cpu.max", format!("{quota} 100000")),
            (Limit::Pids, _) => ("pids", "pids.max", amount.to_string()),
        };
        let dir = self.dir(controller)?;
        // The group may not be there yet. Version 1 has the file in its root too, version 2 with any kernel that swaps.
        let counted = match self.version {
            1 => dir.ancestors().nth(2).is_some_and(|root| root.join(file).exists()),
            _ => Path::new("/proc/swaps").exists(),
        };
        (limit != Limit::Swap || counted).then(|| Setting { limit, file: dir.join(file), value })
    }

    /// Writes one limit and reads it back.
    pub fn set(&self, setting: &Setting) -> Result<Deed<()>, SysError> {
        let (path, file) = (&setting.file, setting.file.to_string_lossy().into_owned());
        let mut read_back = String::new();
        let deed = sys::deed(|calls| {
            files::put(calls, path, &setting.value)?;
            let now = fs::read_to_string(path).map_err(|e| SysError::io("read", &file, &e))?;
            read_back = now.trim().to_string();
            Ok(((), setting.fact(Some(read_back.clone()))))
        })?;
        // Version 1 has the period of a quota in a file of its own, and half the period is twice the limit.
        let period = file.strip_suffix("cpu.cfs_quota_us").map(|dir| format!("{dir}cpu.cfs_period_us"));
        let also = period.as_ref().and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
        let lines = [read_back.as_str(), also.trim()].into_iter().filter(|line| !line.is_empty());
        let lines: Vec<String> = lines.map(String::from).collect();
        let receipt = self.receipt(format!("limit:{}:{file}", self.id), &format!("{file}: {}", lines.join(" of ")));
        let look = ["cat".to_string(), file].into_iter().chain(period);
        Ok(deed.with_receipt(receipt.by(look, Expect::Whole(lines))))
    }

    /// Whether [`Group::allow_devices`] can hold devices in check. Version 2 has no such controller: it would need a BPF
    /// program, and there docent drops CAP_MKNOD instead.
    pub fn controls_devices(&self) -> bool {
        self.dir("devices").is_some()
    }

    /// Docker's device rules: anyone may make nodes (CAP_MKNOD), but only [`DEVICES`] can be opened.
    pub fn allow_devices(&self) -> Option<Result<Deed<()>, SysError>> {
        let fact = self.devices_fact()?;
        let dir = self.dir("devices")?;
        let done = sys::deed(|calls| {
            files::put(calls, &dir.join("devices.deny"), "a")?;
            for rule in DEVICES {
                files::put(calls, &dir.join("devices.allow"), rule)?;
            }
            Ok(((), fact))
        });
        let list = dir.join("devices.list");
        let now = super::process::proc_file(&list.to_string_lossy()).unwrap_or_default();
        let list = list.to_string_lossy().into_owned();
        // These rules and no other: in whatever order the kernel keeps them, as it does.
        let receipt = self.receipt(format!("devices:{}", self.id), now.trim()).by(["cat", &list], Expect::Evidence);
        Some(done.map(|deed| deed.with_receipt(receipt)))
    }

    pub fn devices_fact(&self) -> Option<Fact> {
        let dir = self.dir("devices")?;
        let allowed = DEVICES.iter().map(|rule| rule.to_string()).collect();
        Some(Fact::CgroupDevices { path: dir.to_string_lossy().into_owned(), allowed })
    }

    /// Moves the calling process, which must have one thread, into every version 1 tree.
    pub fn join_self(&self, pid: i32) -> Result<Deed<()>, SysError> {
        let deed = sys::deed(|calls| {
            for tree in &self.dirs {
                files::put(calls, &tree.path.join("tasks"), "0")?;
            }
            Ok(((), Fact::CgroupJoined { pid: Some(pid), name: self.name.clone(), paths: self.paths() }))
        })?;
        Ok(deed.with_receipt(self.joined_receipt(pid)))
    }

    /// In every hierarchy, as the kernel says of the process: one that is moved out of a single one is under that one's limits
    /// no more.
    pub fn joined_receipt(&self, pid: i32) -> Receipt {
        let file = format!("/proc/{pid}/cgroup");
        let now = super::process::proc_file(&file).unwrap_or_default();
        let lines: Vec<String> = now.lines().filter(|line| line.ends_with(&self.name)).map(String::from).collect();
        let argv = ["grep", "-F", &self.name, &file].map(String::from);
        self.receipt(format!("member:{}:{pid}", self.id), &lines.join("\n")).by(argv, Expect::Evidence)
    }

    fn receipt(&self, subject: String, evidence: &str) -> Receipt {
        Receipt::about(subject, Holds::WhileRunning(self.id.clone()), evidence)
    }

    /// The version 2 directory, for CLONE_INTO_CGROUP.
    pub fn open_v2(&self) -> Result<Option<OwnedFd>, SysError> {
        if self.version != 2 {
            return Ok(None);
        }
        self.dirs.first().map(|tree| super::resolve::directory(&tree.path)).transpose()
    }

    /// The file that freezes, and the words for on and off.
    fn freezer(&self) -> Option<(PathBuf, &'static str, &'static str)> {
        if self.version == 1 {
            Some((self.dir("freezer")?.join("freezer.state"), "FROZEN", "THAWED"))
        } else {
            Some((self.dirs.first()?.path.join("cgroup.freeze"), "1", "0"))
        }
    }

    pub fn can_freeze(&self) -> bool {
        self.freezer().is_some_and(|(file, ..)| file.exists())
    }

    /// Whether the group is frozen now, as the kernel says.
    pub fn frozen(&self) -> bool {
        self.freezer().is_some_and(|(file, on, _)| {
            fs::read_to_string(file).is_ok_and(|s| s.trim() == on || s.trim() == "FREEZING")
        })
    }

    /// What [`Group::freeze`] tells, with the word that the file will have.
    pub fn freezing(&self, freeze: bool) -> Option<Fact> {
        let (file, on, off) = self.freezer()?;
        Some(frozen(freeze, &file, if freeze { on } else { off }.into()))
    }

    /// Freezes or thaws, and waits until the kernel says that every process has stopped where it was.
    pub fn freeze(&self, freeze: bool) -> Result<Deed<()>, SysError> {
        let missing = || SysError::new("open", "freezer.state", libc::ENOENT);
        let (file, on, off) = self.freezer().ok_or_else(missing)?;
        let word = if freeze { on } else { off };
        let name = file.to_string_lossy().into_owned();
        let deed = sys::deed(|calls| {
            files::put(calls, &file, word)?;
            let now = match self.settled(&file, word) {
                // What was killed while it was frozen ended with the thaw, and the monitor has removed the group.
                Err(e) if !freeze && matches!(e.errno, libc::ENOENT | libc::ENODEV) => word.to_string(),
                now => now?,
            };
            Ok(((), frozen(freeze, &file, now)))
        })?;
        let receipt = self.receipt(format!("freezer:{}", self.id), &format!("{name}: {word}"));
        Ok(deed.with_receipt(match self.version {
            1 => receipt.by(["cat", &name], Expect::Equals(word.into())),
            // What was asked for, and what the kernel has come to.
            _ => {
                let events = file.with_file_name("cgroup.events").to_string_lossy().into_owned();
                let lines = vec![word.to_string(), format!("frozen {word}")];
                receipt.by(["cat", &name, &events], Expect::Lines(lines))
            }
        }))
    }

    /// Version 1 passes through FREEZING without an event to wait for, so the file is read until it says the word (reading
    /// it makes the kernel look again). Version 2 says `frozen 1` in cgroup.events and wakes a poll.
    fn settled(&self, file: &Path, word: &str) -> Result<String, SysError> {
        let read = |p: &Path| {
            fs::read_to_string(p)
                .map(|s| s.trim().to_string())
                .map_err(|e| SysError::io("read", p.to_string_lossy(), &e))
        };
        let until = crate::event::now_us() + 10_000_000;
        if self.version == 2 {
            let events = file.with_file_name("cgroup.events");
            let open = fs::File::open(&events).map_err(|e| SysError::io("open", events.to_string_lossy(), &e))?;
            while !read(&events)?.lines().any(|l| l == format!("frozen {word}")) && crate::event::now_us() < until {
                let mut fds = [rustix::event::PollFd::new(&open, rustix::event::PollFlags::PRI)];
                let limit = rustix::time::Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
                if rustix::event::poll(&mut fds, Some(&limit)).is_err() {
                    break;
                }
            }
            return read(file);
        }
        loop {
            let state = read(file)?;
            if state == word || crate::event::now_us() > until {
                return Ok(state);
            }
            std::thread::yield_now();
        }
    }

    /// How often the kernel killed for lack of memory in this group.
    pub fn oom_kills(&self) -> u64 {
        let file = if self.version == 1 { "memory.oom_control" } else { "memory.events" };
        let Some(dir) = self.dir("memory") else { return 0 };
        let text = fs::read_to_string(dir.join(file)).unwrap_or_default();
        text.lines().find_map(|l| l.strip_prefix("oom_kill ")).and_then(|n| n.trim().parse().ok()).unwrap_or(0)
    }

    /// Host pids of the processes in it.
    pub fn processes(&self) -> Vec<i32> {
        let Some(tree) = self.dirs.first() else { return Vec::new() };
        processes_in(&tree.path)
    }

    /// Whether no process is in it in any tree.
    pub fn is_empty(&self) -> bool {
        self.dirs.iter().all(|tree| processes_in(&tree.path).is_empty())
    }

    pub fn exists(&self) -> bool {
        self.dirs.iter().any(|t| t.path.is_dir())
    }

    /// Removes the directories. A process that has just been reaped may still be on its way out (EBUSY): it is gone
    /// within a moment, and the kernel has no event for that in version 1. One that cannot be removed does not keep the
    /// others: the error is the first one's, with all calls.
    pub fn remove(&self) -> Result<Deed<()>, SysError> {
        let deed = sys::deed(|calls| {
            let (mut removed, mut failed) = (Vec::new(), None);
            for tree in &self.dirs {
                let until = crate::event::now_us() + 5_000_000;
                loop {
                    let mut attempt = Calls::default();
                    match files::rmdir(&mut attempt, &tree.path) {
                        Err(e) if e.errno == libc::EBUSY && crate::event::now_us() < until => std::thread::yield_now(),
                        Err(e) if e.errno == libc::ENOENT => break,
                        outcome => {
                            calls.add(attempt.take());
                            match outcome {
                                Ok(()) => removed.push(tree.path.to_string_lossy().into_owned()),
                                Err(e) => failed = failed.or(Some(e)),
                            }
                            break;
                        }
                    }
                }
            }
            match failed {
                Some(error) => Err(error),
                None => Ok(((), Fact::CgroupRemoved { name: self.name.clone(), paths: removed })),
            }
        })?;
        let look = ["stat", "-c", "%n"].map(String::from).into_iter().chain(self.paths());
        let receipt =
            Receipt::about(format!("cgroup:{}", self.id), Holds::UntilReboot, format!("{}: ENOENT", self.name));
        Ok(deed.with_receipt(receipt.by(look, Expect::absent())))
    }
}

fn frozen(freeze: bool, file: &Path, state: String) -> Fact {
    let file = Some(file.to_string_lossy().into_owned());
    if freeze { Fact::CgroupFrozen { file, state } } else { Fact::CgroupThawed { file, state } }
}

fn processes_in(dir: &Path) -> Vec<i32> {
    let text = fs::read_to_string(dir.join("cgroup.procs")).unwrap_or_default();
    text.lines().filter_map(|l| l.parse().ok()).collect()
}

/// Who made a group: kept by the kernel with the directory, and for root alone.
const OWNER: &str = "trusted.docent.store";

/// The groups of containers that are here, by id, with what [`Group::make`] wrote to them.
pub fn all(layout: &Layout) -> Vec<(Group, Option<String>)> {
    let mut ids = std::collections::BTreeSet::new();
    for entry in layout.trees.iter().flat_map(|tree| fs::read_dir(tree.path.join("docent"))).flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            ids.insert(entry.file_name().to_string_lossy().into_owned());
        }
    }
    let owner = |group: &Group| {
        let mut text = [0; 512];
        let length = rustix::fs::getxattr(&group.dirs.last()?.path, OWNER, &mut text[..]).ok()?;
        Some(String::from_utf8_lossy(text.get(..length)?).into_owned())
    };
    ids.iter().filter_map(|id| layout.group(id)).map(|group| (group.clone(), owner(&group))).collect()
}

/// Removes `/docent` where no group is left in it.
pub fn remove_parents(layout: &Layout) -> Result<Option<Deed<()>>, SysError> {
    let Some(group) = layout.group("any") else { return Ok(None) };
    let parents: Vec<PathBuf> =
        group.dirs.iter().filter_map(|tree| tree.path.parent().map(Path::to_path_buf)).collect();
    let parents: Vec<PathBuf> = parents.into_iter().filter(|path| path.is_dir()).collect();
    if parents.is_empty() {
        return Ok(None);
    }
    sys::deed(|calls| {
        let mut paths = Vec::new();
        for path in parents {
            match files::rmdir(calls, &path) {
                Ok(()) => paths.push(path.to_string_lossy().into_owned()),
                // Another store has its groups there, or is just making one.
                Err(e) if matches!(e.errno, libc::EBUSY | libc::ENOTEMPTY | libc::ENOENT) => {}
                Err(e) => return Err(e),
            }
        }
        Ok(((), Fact::CgroupRemoved { name: "/docent".into(), paths }))
    })
    .map(Some)
}

/// Version 2: a group's children get only the controllers that its `cgroup.subtree_control` names, from the root down.
fn hand_down(calls: &mut Calls, docent: &Path) -> Result<(), SysError> {
    for dir in [docent.parent().unwrap_or(docent), docent] {
        let have = fs::read_to_string(dir.join("cgroup.subtree_control")).unwrap_or_default();
        let offered = fs::read_to_string(dir.join("cgroup.controllers")).unwrap_or_default();
        for want in ["cpu", "memory", "pids"] {
            let named = |text: &str| text.split_whitespace().any(|c| c == want);
            if named(&offered) && !named(&have) {
                // Refused where processes sit in this group (inside another container): then there is no limit to be
                // had from this controller, and a limit that was asked for is refused by name.
                match files::put(calls, &dir.join("cgroup.subtree_control"), &format!("+{want}")) {
                    Err(e) if e.errno == libc::EBUSY || e.errno == libc::ENOTSUP => {}
                    other => other?,
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hybrid_host_counts_as_version_1() {
        let text = "30 29 0:26 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
                    31 29 0:27 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer\n\
                    32 29 0:28 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n\
                    33 29 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
        let Layout { version: 1, trees } = Layout::of(text) else { panic!("version 1 expected") };
        assert_eq!(trees.len(), 2);
        assert_eq!(trees[0].controllers, ["cpu", "cpuacct"]);
        let unified = "33 29 0:29 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        assert_eq!(Layout::of(unified).version, 2);
        let devices = "34 33 0:30 / /sys/fs/cgroup/devices rw - cgroup cgroup rw,devices\n";
        assert_eq!(Layout::of(&format!("{devices}{unified}")).version, 2, "no limit can be set on version 1");
        assert_eq!(Layout::of(devices).version, 1);
        assert_eq!(Layout::of("33 29 0:29 / / rw - ext4 /dev/a rw\n").version, 0);
    }
}
