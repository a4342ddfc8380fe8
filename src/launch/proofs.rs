//! What shows afterwards what a process has done to itself on its way to its program.
//!
//! It cannot be looked at while it does it, and has no time to look at itself. So its parent looks once, when only execve is left
//! to do: what /proc says of it then is the evidence for all of its events, and each has the command that prints it again.

use super::init_process::Ready;
use super::spec::Spec;
use crate::event::{Bytes, Event, Expect, Fact, Holds, Outcome, Receipt};
use crate::kernel::{process, resolve};
use rustix::fs::FileType;
use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What /proc says of a process.
pub struct Seen {
    proc: String,
    holds: Holds,
    container: String,
    mounts: String,
    status: String,
    upper: PathBuf,
}

impl Seen {
    /// `is_exec`: it is not the container's PID 1, and ends before it.
    pub fn look(pid: i32, spec: &Spec, is_exec: bool) -> Seen {
        let container = spec.id.to_string();
        let proc = format!("/proc/{pid}");
        let read = |name: &str| process::proc_file(&format!("{proc}/{name}")).unwrap_or_default();
        let holds = match is_exec {
            true => lasting(pid),
            false => Holds::WhileRunning(container.clone()),
        };
        let mounts = if is_exec { String::new() } else { read("mountinfo") };
        Seen { holds, container, mounts, status: read("status"), proc, upper: spec.root.upper.clone() }
    }

    /// Gives the events of the process their receipts. The namespaces that its clone made are joined by the one that it has made
    /// itself.
    pub fn prove(&self, pid: i32, events: &mut [Event]) {
        let unshared = events.iter().any(|event| event.fact == Fact::CgroupNamespace && event.outcome == Outcome::Done);
        for event in events.iter_mut().filter(|event| event.outcome == Outcome::Done && event.receipt.is_none()) {
            let of_clone = match &mut event.fact {
                Fact::NamespacesMade { namespaces, .. } => {
                    let own = unshared.then(|| process::namespaces(pid, process::KINDS.get(5..).unwrap_or_default()));
                    namespaces.extend(own.into_iter().flatten());
                    true
                }
                _ => false,
            };
            if event.pid == pid || of_clone {
                event.receipt = self.receipt(&event.fact).filter(|receipt| !receipt.evidence.is_empty());
            }
        }
    }

    fn receipt(&self, fact: &Fact) -> Option<Receipt> {
        Some(match fact {
            Fact::NamespacesMade { namespaces, .. } => {
                let kinds = namespaces.iter().filter(|n| !n.shared).map(|n| n.kind.as_str());
                self.namespaces("namespaces", &kinds.collect::<Vec<_>>())
            }
            Fact::CgroupNamespace => self.namespaces("cgroup namespace", &["cgroup"]),
            Fact::NamespacesJoined { kinds, .. } => {
                self.namespaces("joined", &kinds.iter().map(String::as_str).collect::<Vec<_>>())
            }
            Fact::HostnameSet { name } => {
                let pid = self.proc.trim_start_matches("/proc/");
                let receipt = self.about("hostname", name.clone()).with("nsenter");
                receipt.by(["nsenter", "--target", pid, "--uts", "uname", "-n"], Expect::Evidence)
            }
            Fact::MountsKept { .. } => {
                let shared = self.mounts.lines().filter(|line| line.contains("shared:")).count();
                let file = format!("{}/mountinfo", self.proc);
                self.about("propagation", shared.to_string()).by(["grep", "-c", "shared:", &file], Expect::Evidence)
            }
            Fact::Overlay { .. } | Fact::RootPivoted { .. } => self.mounted(fact, &[" / / "]),
            Fact::RootReadOnly => self.mounted(fact, &[" / / ro,"]),
            Fact::Mounted { target, .. } | Fact::Bound { target, .. } => self.mounted(fact, &[&at(target)]),
            Fact::Terminal { path } => self.mounted(fact, &[&at(path)]),
            Fact::Masked { paths, .. } | Fact::ReadOnly { paths, .. } => {
                // One stands for all CPUs.
                let places = paths.iter().map(|path| match path.split_once('*') {
                    Some((before, _)) => format!(" {before}"),
                    None => at(path),
                });
                let places: Vec<String> = places.collect();
                self.mounted(fact, &places.iter().map(String::as_str).collect::<Vec<_>>())
            }
            Fact::DeviceNodes { devices, links } => {
                let path = |name: &str| format!("{}/root{name}", self.proc);
                let nodes: Vec<String> = devices.iter().map(|d| path(&d.path)).collect();
                let links = links.iter().filter_map(|link| link.split_once(" -> "));
                let (links, to): (Vec<String>, Vec<String>) =
                    links.map(|(name, to)| (path(name), to.to_string())).unzip();
                let line = |node: &String| {
                    let number = fs::symlink_metadata(node).ok()?.rdev();
                    Some(format!("{:x}:{:x} {node}", rustix::fs::major(number), rustix::fs::minor(number)))
                };
                let evidence = nodes.iter().filter_map(line).collect::<Vec<_>>().join("\n");
                let look = ["stat", "-c", "%t:%T %n"].map(String::from).into_iter().chain(nodes);
                let receipt = self.about("device nodes", evidence).by(look, Expect::Evidence);
                receipt.by(["readlink".to_string()].into_iter().chain(links), Expect::Whole(to))
            }
            Fact::MountPoint { path } => {
                let inside = Path::new(path.trim_start_matches('/'));
                let top = resolve::directory(&self.upper).ok()?;
                let seen = resolve::Seen::beneath(top.as_fd(), inside).ok()?;
                let kind = if seen.kind() == FileType::Directory { "directory" } else { "regular empty file" };
                let name = Bytes::from(self.upper.join(inside).as_path());
                let holds = Holds::WhileExists(self.container.clone());
                let receipt = Receipt::about(format!("upper:{}:{path}", self.container), holds, kind).as_root();
                receipt.by(["stat".into(), "-c".into(), "%F".into(), name], Expect::Evidence)
            }
            Fact::Capabilities { .. } => self.status("bounding set", &["CapBnd"]),
            Fact::CapabilitySets { .. } => self.status("capabilities", &["CapInh", "CapPrm", "CapEff", "CapAmb"]),
            Fact::Seccomp { .. } => self.status("seccomp", &["Seccomp", "Seccomp_filters"]),
            Fact::UserSet { .. } => self.status("user", &["Uid", "Gid", "Groups"]),
            Fact::SessionMade { .. } => self.status("session", &["NSsid"]),
            _ => return None,
        })
    }

    fn about(&self, what: &str, evidence: String) -> Receipt {
        let subject = match &self.holds {
            Holds::WhileRunning(_) => format!("{what}:{}", self.container),
            _ => format!("{what}:{}:{}", self.container, self.proc),
        };
        Receipt::about(subject, self.holds.clone(), evidence).as_root()
    }

    /// Each namespace by its inode.
    fn namespaces(&self, what: &str, kinds: &[&str]) -> Receipt {
        let links = kinds.iter().map(|kind| format!("{}/ns/{kind}", self.proc));
        let inodes = links.clone().filter_map(|link| fs::read_link(link).ok());
        let inodes: Vec<String> = inodes.map(|inode| inode.to_string_lossy().into_owned()).collect();
        let look = ["readlink".to_string()].into_iter().chain(links);
        self.about(what, inodes.join("\n")).by(look, Expect::Evidence)
    }

    /// The lines of mountinfo with one of these in them.
    fn mounted(&self, fact: &Fact, places: &[&str]) -> Receipt {
        let lines = self.mounts.lines().filter(|line| places.iter().any(|place| line.contains(place)));
        let evidence = lines.collect::<Vec<_>>().join("\n");
        let file = format!("{}/mountinfo", self.proc);
        let patterns = places.iter().flat_map(|place| ["-e", place]);
        let argv = ["grep", "-F"].into_iter().chain(patterns).chain([file.as_str()]);
        let subject = format!("{} {}", fact.definition().name, places.join(""));
        self.about(&subject, evidence).by(argv, Expect::Evidence)
    }

    /// The lines of status with these names.
    fn status(&self, what: &str, names: &[&str]) -> Receipt {
        let own = |line: &&str| line.split_once(':').is_some_and(|(name, _)| names.contains(&name));
        let lines = self.status.lines().filter(own);
        let evidence = lines.collect::<Vec<_>>().join("\n");
        let pattern = format!("^({}):", names.join("|"));
        let file = format!("{}/status", self.proc);
        self.about(what, evidence).by(["grep", "-E", &pattern, &file], Expect::Evidence)
    }
}

/// As mountinfo has a mount point, between spaces: some signs as octal numbers (proc_pid_mountinfo(5)).
fn at(path: &str) -> String {
    let escaped = path.replace('\\', "\\134").replace(' ', "\\040").replace('\t', "\\011").replace('\n', "\\012");
    format!(" {escaped} ")
}

/// As long as this very process lives.
pub fn lasting(pid: i32) -> Holds {
    process::start_time(pid).map_or(Holds::Now, |start| Holds::WhileProcess { pid, start })
}

/// That the monitor, which calls this, is in a session of its own.
pub fn own_session(container: &str) -> Option<Receipt> {
    let (pid, file) = (i32::try_from(std::process::id()).ok()?, "/proc/self/status");
    let status = process::proc_file(file).ok()?;
    let line = status.lines().find(|line| line.starts_with("NSsid:"))?;
    let receipt = Receipt::about(format!("session of the monitor:{container}"), lasting(pid), line).as_root();
    Some(receipt.by(["grep", "-E", "^(NSsid):", &format!("/proc/{pid}/status")], Expect::Evidence))
}

/// That the program has taken over: what the process runs from now. None when it has ended already.
pub fn executed(pid: i32, container: &str, is_exec: bool, ready: &Ready) -> Option<Receipt> {
    let link = format!("/proc/{pid}/exe");
    // Of a script it is the interpreter.
    let program = fs::read_link(&link).ok()?.to_string_lossy().into_owned();
    let holds = if is_exec { lasting(pid) } else { Holds::WhileRunning(container.into()) };
    let subject = format!("program:{container}:{pid}:{}", ready.path);
    Some(Receipt::about(subject, holds, program).as_root().by(["readlink", &link], Expect::Evidence))
}
