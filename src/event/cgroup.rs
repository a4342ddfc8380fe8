//! cgroups: made, limited, joined, frozen.

use super::{Lang, Word, words::memory};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    Memory,
    Swap,
    Cpu,
    Pids,
}

impl Word for Limit {
    fn word(&self, lang: Lang) -> String {
        let (ko, en) = match self {
            Limit::Memory => ("메모리", "memory"),
            Limit::Swap => ("메모리+스왑", "memory+swap"),
            Limit::Cpu => ("CPU", "CPU"),
            Limit::Pids => ("프로세스 수", "processes"),
        };
        (if lang == Lang::Ko { ko } else { en }).into()
    }
}

impl Limit {
    /// What the kernel's file holds, in the units in which it is asked for: a CPU's file has microseconds of each 100,000
    /// (`50000`, or `50000 100000` in version 2).
    pub fn shown(self, value: &str) -> String {
        let mut numbers = value.split_whitespace().map_while(|w| w.parse::<u64>().ok());
        let (first, period) = (numbers.next(), numbers.next());
        match (self, first) {
            (Limit::Memory | Limit::Swap, Some(bytes)) => memory(bytes),
            (Limit::Cpu, Some(quota)) => format!("{}", quota as f64 / period.unwrap_or(100_000).max(1) as f64),
            _ => value.trim().to_string(),
        }
    }
}

macro_rules! cgroup {
    ($($so_far:tt)*) => { families! { $($so_far)*

    CgroupMade {
        #[serde(rename = "cgroup_version", alias = "version")]
        version: u8,
        #[serde(rename = "cgroup", alias = "name")]
        name: String,
        paths: Vec<String>,
    } = "cgroup.made" {
        in Block::Cgroup; calls [mkdir setxattr write];
        proof [stat] broken "one of its directories is made anew"; man "cgroups(7)";
        [MAKE] (name, version) { ko: "{name} cgroup을 {v} (v{version})", en: "{v} the cgroup {name} (v{version})" }
        hand (paths) { "mkdir {paths}" }
        #[cfg(test)]
        sample { version: 1, name: group(), paths: vec![group_file("")] }
    }

    CgroupLimit {
        limit: Limit,
        #[serde(rename = "path", alias = "file")]
        file: Option<String>,
        value: String,
        read_back: Option<String>,
    } = "cgroup.limit" {
        in Block::Cgroup; calls [write];
        proof [cat] broken "another value is written";
        man "cgroups(7); kernel: Documentation/admin-guide/cgroup-v2.rst";
        plan [SET] (limit, value = limit.shown(value)) {
            ko: "{limit} 제한을 {value} 값으로 {v}",
            en: "{v} a limit: {limit} {value}",
        }
        [SET] (limit, value = limit.shown(value), file) {
            ko: "{limit} 제한을 {value} 값으로 {v} · {file}",
            en: "{v} a limit: {limit} {value} · {file}",
        }
        short (limit, value = limit.shown(value)) { "{limit} {value}" }
        hand (value, file) { "echo {value} > {file}" }
        #[cfg(test)]
        sample { limit: Limit::Memory, file: Some(group_file("memory.limit")), value: s("67108864"), read_back: Some(s("67108864")) }
        #[cfg(test)]
        sample { limit: Limit::Cpu, file: Some(group_file("cpu.max")), value: s("50000 100000"), read_back: Some(s("50000")) }
    }

    /// Which devices may be opened (v1 devices controller).
    CgroupDevices {
        path: String,
        #[serde(rename = "device_rules", alias = "allowed")]
        allowed: Vec<String>,
    } = "cgroup.devices" {
        in Block::Cgroup; calls [write];
        proof [cat] broken "another device is allowed"; man "kernel: Documentation/admin-guide/cgroup-v1/devices.rst";
        [ALLOW] (n = allowed.len(), path) {
            ko: "장치 {n}종류만 열도록 {v} · {path}",
            en: "{v} only these kinds of device to be opened ({n}) · {path}",
        }
        hand (path, allowed) { "cd {path} && echo a > devices.deny && for rule in {allowed}; do echo $rule > devices.allow; done" }
        #[cfg(test)]
        sample { path: group_file("devices.allow"), allowed: vec![s("c 1:3 rwm")] }
    }

    CgroupJoined {
        pid: Option<i32>,
        #[serde(rename = "cgroup", alias = "name")]
        name: String,
        paths: Vec<String>,
    } = "cgroup.joined" {
        in Block::Cgroup; calls [write];
        proof [grep] broken "the process is moved out of one hierarchy"; man "cgroups(7)";
        plan (name) { ko: "프로세스를 {name} cgroup으로 옮깁니다", en: "will move the process into the cgroup {name}" }
        [MOVE] (pid, name) { ko: "{pid}번 프로세스를 {name} cgroup으로 {v}", en: "{v} process {pid} into the cgroup {name}" }
        hand (pid, paths = paths.iter().map(|p| format!("{p}/cgroup.procs")).collect::<Vec<_>>()) { "echo {pid} | tee {paths}" }
        #[cfg(test)]
        sample { pid: Some(48213), name: group(), paths: vec![group_file("")] }
    }

    CgroupFrozen {
        #[serde(rename = "path", alias = "file")]
        file: Option<String>,
        state: String,
    } = "cgroup.frozen" {
        in Block::Pause; calls [write];
        proof [cat] broken "the other word is written";
        man "kernel: Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst";
        plan [FREEZE] { ko: "컨테이너의 모든 프로세스를 {v}", en: "{v} every process of the container" }
        [FREEZE] (file) { ko: "컨테이너의 모든 프로세스를 {v} · {file}", en: "{v} every process of the container · {file}" }
        short { ko: "모든 프로세스를 멈췄습니다 (freezer)", en: "every process is frozen (freezer)" }
        hand (state, file) { "echo {state} > {file}" }
        #[cfg(test)]
        sample { file: Some(group_file("freezer.state")), state: s("FROZEN") }
    }

    CgroupThawed {
        #[serde(rename = "path", alias = "file")]
        file: Option<String>,
        state: String,
    } = "cgroup.thawed" {
        in Block::Unpause; calls [write];
        proof [cat] broken "the other word is written";
        man "kernel: Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst";
        plan [THAW] { ko: "컨테이너의 모든 프로세스를 {v}", en: "{v} every process of the container" }
        [THAW] (file) { ko: "컨테이너의 모든 프로세스를 {v} · {file}", en: "{v} every process of the container · {file}" }
        short { ko: "모든 프로세스가 다시 움직입니다", en: "every process runs again" }
        hand (state, file) { "echo {state} > {file}" }
        #[cfg(test)]
        sample { file: Some(group_file("freezer.state")), state: s("THAWED") }
    }

    CgroupRemoved {
        #[serde(rename = "cgroup", alias = "name")]
        name: String,
        paths: Vec<String>,
    } = "cgroup.removed" {
        in Block::Cleanup; calls [rmdir];
        proof [stat] broken "a directory stands in its place"; man "cgroups(7)";
        [REMOVE] (name) { ko: "{name} cgroup을 {v}", en: "{v} the cgroup {name}" }
        short (name = brief(name)) { "cgroup {name}" }
        hand (paths) { "rmdir {paths}" }
        #[cfg(test)]
        sample { name: group(), paths: vec![group_file("")] }
    }

    /// No cgroup on this host; nothing was limited.
    CgroupNone {
        #[serde(rename = "detail", alias = "why")]
        why: String,
    } = "cgroup.none" {
        in Block::Cgroup; man "cgroups(7)"; unproven "nothing was done";
        plan { ko: "cgroup 없음. 아무것도 제한하지 않습니다", en: "no cgroup here; nothing is limited" }
        (why) { ko: "cgroup 없음: {why}. 아무것도 제한하지 않았습니다", en: "no cgroup: {why}; nothing was limited" }
        #[cfg(test)]
        sample { why: s("no cgroup is mounted") }
    }
    } };
}
