//! Namespaces.

use serde::{Deserialize, Serialize};

/// A namespace of the new process beside the one docent runs in: `pid:[4026531836]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Namespace {
    #[serde(rename = "namespace", alias = "kind")]
    pub kind: String,
    /// The new one's inode; None in a forecast.
    pub inode: Option<u64>,
    #[serde(rename = "host_inode", alias = "host")]
    pub host: Option<u64>,
    /// The old one is kept (`--network host`).
    #[serde(default)]
    pub shared: bool,
}

/// The kinds that are new.
pub fn new_kinds(namespaces: &[Namespace]) -> Vec<&str> {
    namespaces.iter().filter(|n| !n.shared).map(|n| n.kind.as_str()).collect()
}

/// As unshare(1) and nsenter(1) name them, which differs for one.
fn flag(kind: &str) -> String {
    format!("--{}", if kind == "mnt" { "mount" } else { kind })
}

pub fn flags(kinds: &[&str]) -> Vec<String> {
    kinds.iter().map(|kind| flag(kind)).collect()
}

macro_rules! namespace {
    ($($so_far:tt)*) => { families! { $($so_far)*

    /// One clone made the process and its namespaces. `inside` is its pid as it sees itself.
    NamespacesMade {
        pid: Option<i32>,
        #[serde(rename = "pid_inside", alias = "inside")]
        inside: i32,
        namespaces: Vec<Namespace>,
    } = "namespace.made" {
        in Block::Namespaces; calls [clone3];
        proof [readlink] broken "its program enters another namespace"; man "clone(2), namespaces(7), pid_namespaces(7)";
        [MAKE] (n = new_kinds(namespaces).len(), kinds = new_kinds(namespaces).join(" ")) {
            ko: "새 네임스페이스 {n}개를 {v}: {kinds}",
            en: "{v} new namespaces ({n}): {kinds}",
        }
        hand (flags = flags(&new_kinds(namespaces))) { "unshare --fork {flags} PROGRAM" }
        #[cfg(test)]
        sample { pid: Some(48213), inside: 1, namespaces: namespaces() }
    }

    /// A process of ours entered namespaces that exist (exec, cp, diff).
    NamespacesJoined {
        pid: Option<i32>,
        kinds: Vec<String>,
        #[serde(rename = "of_pid", alias = "of")]
        of: Option<i32>,
    } = "namespace.joined" {
        in Block::Namespaces; calls [setns];
        proof [readlink] broken "it enters another namespace"; man "setns(2), nsenter(1)";
        plan (kinds = kinds.join(" ")) { ko: "{kinds} 네임스페이스에 들어갑니다", en: "will enter its namespaces: {kinds}" }
        [ENTER] (pid, kinds = kinds.join(" "), of) {
            ko: "{pid}번 프로세스가 {of}번 프로세스의 {kinds} 네임스페이스에 {v}",
            en: "process {pid} {v} the namespaces of process {of}: {kinds}",
        }
        short (n = kinds.len()) { ko: "네임스페이스 {n}개에 들어감", en: "entered {n} namespaces" }
        hand (of, flags = flags(&kinds.iter().map(String::as_str).collect::<Vec<_>>())) { "nsenter --target {of} {flags}" }
        #[cfg(test)]
        sample { pid: Some(48300), kinds: vec![s("pid"), s("mnt")], of: Some(48213) }
    }

    /// setns changes the pid namespace of the children alone (setns(2)): the caller stays where it is.
    ChildrenPlaced {
        pid: Option<i32>,
        /// Whose pid namespace.
        #[serde(rename = "of_pid")]
        of: Option<i32>,
    } = "namespace.children" {
        in Block::Namespaces; calls [setns]; man "setns(2), pid_namespaces(7)";
        unproven "a link that only root may read; readlink /proc/PID/ns/pid_for_children shows it while the process lives";
        [PLACE] (pid, of) {
            ko: "앞으로 {pid}번 프로세스가 만드는 자식 프로세스를 {of}번 프로세스의 pid 네임스페이스에 {v}",
            en: "{v} the coming children of process {pid} in the pid namespace of process {of}",
        }
        hand (of) { "nsenter --target {of} --pid PROGRAM" }
        #[cfg(test)]
        sample { pid: Some(48200), of: Some(48213) }
    }

    /// The new process made its cgroup namespace once it sat in its cgroup, so that this is what it sees as `/`.
    CgroupNamespace = "namespace.cgroup" {
        in Block::Namespaces; calls [unshare];
        proof [readlink] broken "its program enters another namespace"; man "unshare(2), cgroup_namespaces(7)";
        [MAKE] { ko: "컨테이너의 cgroup 네임스페이스를 {v}", en: "{v} the container's own cgroup namespace" }
        hand { "unshare --cgroup PROGRAM" }
        #[cfg(test)]
        sample {}
    }

    HostnameSet {
        #[serde(rename = "hostname", alias = "name")]
        name: String,
    } = "namespace.hostname" {
        in Block::Namespaces; calls [sethostname];
        proof [nsenter] broken "the host name is set anew"; man "sethostname(2), uts_namespaces(7)";
        [SET] (name) { ko: "컨테이너의 호스트 이름을 {name} 값으로 {v}", en: "{v} the container's host name: {name}" }
        hand (name) { "hostname {name}" }
        #[cfg(test)]
        sample { name: s("3f2a9c0d1b2c") }
    }
    } };
}
