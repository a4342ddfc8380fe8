//! Mounts: the root, and what the container sees in it.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Device {
    #[serde(rename = "path_inside", alias = "path")]
    pub path: String,
    pub major: u32,
    pub minor: u32,
}

/// Everything that is made in /dev, by its path.
pub fn names(devices: &[Device], links: &[String]) -> Vec<String> {
    devices.iter().map(|d| d.path.clone()).chain(links.iter().cloned()).collect()
}

/// As mknod(1) takes them.
pub fn nodes(devices: &[Device]) -> Vec<String> {
    devices.iter().map(|d| format!("{} c {} {}", d.path, d.major, d.minor)).collect()
}

pub fn depth(lower: &Option<Vec<String>>) -> usize {
    lower.as_ref().map_or(0, Vec::len)
}

macro_rules! mount {
    ($($so_far:tt)*) => { families! { $($so_far)*

    /// Mounts made from now on stay in this mount namespace. Those of the host still come in (slave), unless they are
    /// `private`.
    MountsKept {
        #[serde(default)]
        private: bool,
    } = "mount.propagation" {
        in Block::Isolation; calls [setns mount];
        proof [grep] broken "a mount is made shared"; man "mount(8), mount_namespaces(7)";
        when (*private) [CONFINE] {
            ko: "이 네임스페이스의 마운트는 밖으로, 밖의 마운트는 이 안으로 전파되지 {v} (rprivate)",
            en: "{v} mounts from going out of this namespace, or into it (rprivate)",
        }
        [CONFINE] {
            ko: "이 네임스페이스의 마운트가 호스트로 전파되지 {v}. 호스트의 마운트는 들어옵니다 (rslave)",
            en: "{v} the mounts of this namespace from going out to the host; the host's still come in (rslave)",
        }
        short if (!*private) { ko: "호스트로 전파되지 않는 마운트", en: "mounts that do not reach the host" }
        hand if (*private) { "mount --make-rprivate /" }
        hand { "mount --make-rslave /" }
        #[cfg(test)]
        sample { private: false }
        #[cfg(test)]
        sample { private: true }
    }

    /// The root: the image's layers `lower` (diff IDs, top first) below one upper.
    Overlay {
        /// None: of an image that is yet to be made.
        #[serde(rename = "lower_diff_ids", default)]
        lower: Option<Vec<String>>,
        /// What the kernel was given: the layers' directories, top first, and docent's own at the end.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lower_dirs: Vec<String>,
        upper: String,
        work: String,
        target: String,
        /// At the very bottom lies a layer of docent's own, nothing but places to mount on.
        #[serde(default)]
        mount_points: bool,
        /// The write layer is not empty: an earlier run or a `cp` left something in it.
        #[serde(default, rename = "upper_kept", alias = "kept")]
        kept: bool,
    } = "mount.overlay" {
        in Block::Layer; calls [mount fsopen fsconfig fsmount move_mount];
        proof [grep] broken "the root is mounted anew with other options";
        man "mount(2), fsopen(2); kernel: Documentation/filesystems/overlayfs.rst";
        plan if (lower.is_none()) {
            ko: "이미지의 레이어 위에 쓰기 레이어를 얹습니다 (overlay)",
            en: "will put a write layer on top of the image's layers (overlay)",
        }
        plan if (*kept) (layers = Count(counts::layers, depth(lower))) {
            ko: "{layers} 위에 이 컨테이너의 쓰기 레이어를 다시 얹습니다. 그 안에 있던 것은 그대로입니다 (overlay)",
            en: "will put this container's write layer, with what is in it, on top of the image's {layers} again (overlay)",
        }
        plan (layers = Count(counts::layers, depth(lower))) {
            ko: "{layers} 위에 빈 쓰기 레이어를 얹습니다 (overlay)",
            en: "will put an empty write layer on top of the image's {layers} (overlay)",
        }
        when (*kept) [STACK] (layers = Count(counts::layers, depth(lower)), target) {
            ko: "{layers} 위에 이 컨테이너의 쓰기 레이어를 그 안에 있던 것과 함께 다시 {v} (overlay, {target})",
            en: "{v} this container's write layer, with what is in it, on top of {layers} again (overlay on {target})",
        }
        [STACK] (layers = Count(counts::layers, depth(lower)), target) {
            ko: "{layers} 위에 쓰기 레이어를 {v} (overlay, {target})",
            en: "{v} a write layer on top of {layers} (overlay on {target})",
        }
        also if (*mount_points) {
            ko: "맨 아래에는 마운트할 자리만 있는 레이어 하나",
            en: "at the very bottom a layer of nothing but places to mount on",
        }
        hand (lower = (!lower_dirs.is_empty()).then(|| lower_dirs.join(":")), upper, work, target) {
            "mount -t overlay overlay -o lowerdir={lower},upperdir={upper},workdir={work} {target}"
        }
        #[cfg(test)]
        sample {
            lower: Some(lower()),
            lower_dirs: vec![s("/var/lib/docent/layers/77ab/diff"), s("/var/lib/docent/layers/mount-points/diff")],
            upper: upper(),
            work: s("/w"),
            target: s("/merged"),
            mount_points: true,
            kept: false,
        }
        #[cfg(test)]
        sample { lower: Some(lower()), lower_dirs: vec![], upper: upper(), work: s("/w"), target: s("/merged"), mount_points: true, kept: true }
    }

    /// A file system mounted at `target`, a path as the container sees it.
    Mounted {
        #[serde(rename = "fs_type", alias = "kind")]
        kind: String,
        #[serde(rename = "path_inside", alias = "target")]
        target: String,
        options: String,
    } = "mount.made" {
        in Block::Isolation; calls [fsopen fsconfig fsmount move_mount open_tree mount_setattr mkdirat symlinkat];
        proof [grep] broken "it is unmounted";
        man "mount(2), mount_setattr(2)";
        [MOUNT] (kind, target) { ko: "{kind} 파일 시스템을 {target} 위치에 {v}", en: "{v} {kind} on {target}" }
        also if (target == "/dev/shm") { ko: "쓰기 레이어 밖의 메모리", en: "memory, no part of the write layer" }
        hand if (options.is_empty()) (kind, target) { "mount -t {kind} {kind} {target}" }
        hand (kind, target, options) { "mount -t {kind} -o {options} {kind} {target}" }
        #[cfg(test)]
        sample { kind: s("proc"), target: s("/proc"), options: s("nosuid") }
    }

    /// One path of the host is also seen at `target`.
    Bound {
        #[serde(rename = "path", alias = "source")]
        source: String,
        #[serde(rename = "path_inside", alias = "target")]
        target: String,
        read_only: bool,
        /// A file that docent made for the container (its hosts, hostname, resolv.conf), nothing that the learner named.
        #[serde(default)]
        own: bool,
    } = "mount.bind" {
        in Block::Isolation; calls [move_mount open_tree mount_setattr];
        proof [grep] broken "it is unmounted"; man "mount(2), mount_setattr(2)";
        [SHOW] (source, target) {
            ko: "호스트의 {source} 경로를 안에서 {target} 위치로 {v}",
            en: "{v} the host's {source} at {target}",
        }
        also if (*read_only) { ko: "읽기 전용", en: "read-only" }
        also if (*own) { ko: "쓰기 레이어 밖에 있는 파일", en: "no part of the write layer" }
        short if (!own && *read_only) (source, target) { ko: "{source} → {target} (읽기 전용)", en: "{source} → {target} (read-only)" }
        short if (!own) (source, target) { "{source} → {target}" }
        hand if (*read_only) (source, target) { "mount --bind -o ro {source} {target}" }
        hand (source, target) { "mount --bind {source} {target}" }
        #[cfg(test)]
        sample { source: s("/home/me"), target: s("/data"), read_only: true, own: false }
    }

    DeviceNodes { devices: Vec<Device>, links: Vec<String> } = "mount.devices" {
        in Block::Isolation; calls [mkdirat mknodat symlinkat];
        proof [stat readlink] broken "a node is made anew with another number"; man "mknod(2), null(4)";
        [MAKE] (n = devices.len(), links = links.len(), names = names(devices, links)) {
            ko: "장치 {n}개와 링크 {links}개를 {v}: {names}",
            en: "{v} devices ({n}) and links ({links}): {names}",
        }
        hand (nodes = nodes(devices)) { "for node in {nodes}; do mknod -m 666 $node; done" }
        #[cfg(test)]
        sample { devices: vec![Device { path: s("/dev/null"), major: 1, minor: 3 }], links: vec![s("/dev/fd")] }
    }

    /// `absent` are those that this kernel does not have.
    Masked {
        #[serde(rename = "paths_inside", alias = "paths")]
        paths: Vec<String>,
        #[serde(default, rename = "absent_inside", alias = "absent")]
        absent: Vec<String>,
    } = "mount.masked" {
        in Block::Isolation; calls [fsopen fsconfig fsmount move_mount open_tree];
        proof [grep] broken "one of the covers is unmounted"; man "mount(2), mount_setattr(2)";
        [HIDE] (names = paths) { ko: "안에서 보이지 않게 {v}: {names}", en: "{v} from the container: {names}" }
        also if (!absent.is_empty()) (absent) { ko: "이 커널에 없음: {absent}", en: "not in this kernel: {absent}" }
        short (n = paths.len()) { ko: "가린 경로 {n}개", en: "{n} hidden" }
        hand (paths) { "for path in {paths}; do mount --bind /dev/null $path; done" }
        #[cfg(test)]
        sample { paths: vec![s("/proc/kcore")], absent: vec![s("/proc/scsi")] }
    }

    ReadOnly {
        #[serde(rename = "paths_inside", alias = "paths")]
        paths: Vec<String>,
        #[serde(default, rename = "absent_inside", alias = "absent")]
        absent: Vec<String>,
    } = "mount.read-only" {
        in Block::Isolation; calls [move_mount open_tree mount_setattr];
        proof [grep] broken "one of the mounts is made writable"; man "mount(2), mount_setattr(2)";
        [CHANGE] (names = paths) { ko: "읽기 전용으로 {v}: {names}", en: "{v} to read-only: {names}" }
        also if (!absent.is_empty()) (absent) { ko: "이 커널에 없음: {absent}", en: "not in this kernel: {absent}" }
        hand (paths) { "for path in {paths}; do mount --bind -o ro $path $path; done" }
        #[cfg(test)]
        sample { paths: vec![s("/proc/sys")], absent: vec![s("/proc/irq")] }
    }

    /// `--read-only`: the write layer is there, and nothing can be written to it.
    RootReadOnly = "mount.root-read-only" {
        in Block::Isolation; calls [mount_setattr];
        proof [grep] broken "the root is made writable"; man "mount_setattr(2)";
        [CHANGE] {
            ko: "컨테이너의 루트 파일 시스템을 읽기 전용으로 {v}",
            en: "{v} the container's root file system to read-only",
        }
        short { ko: "루트 읽기 전용", en: "root read-only" }
        hand { "mount -o remount,bind,ro /" }
        #[cfg(test)]
        sample {}
    }

    /// The overlay became `/`, and the old root is gone from sight.
    RootPivoted {
        #[serde(rename = "target", alias = "to")]
        to: String,
    } = "mount.pivot-root" {
        in Block::Isolation; calls [umount2 pivot_root];
        proof [grep] broken "something is mounted on the root"; man "pivot_root(2)";
        plan {
            ko: "루트 디렉터리를 컨테이너의 것으로 바꿉니다 (pivot_root)",
            en: "will change the root to the container's (pivot_root)",
        }
        [CHANGE] (to) {
            ko: "루트 디렉터리를 {to} 위치로 {v} (pivot_root). 호스트의 루트는 이제 보이지 않습니다",
            en: "{v} the root to {to} (pivot_root); the host's root is out of sight",
        }
        hand (to) { "cd {to} && pivot_root . . && umount -l ." }
        #[cfg(test)]
        sample { to: s("/merged") }
    }

    /// A mount point that the image lacked was made in the write layer, as Docker does.
    MountPoint {
        #[serde(rename = "path_inside", alias = "path")]
        path: String,
    } = "mount.point" {
        in Block::Isolation; calls [mkdirat mknodat];
        proof [stat] broken "it is removed";
        [MAKE] (path) {
            ko: "이미지에 없는 {path} 마운트 지점을 쓰기 레이어에 {v}",
            en: "{v} the mount point {path}, which the image lacks, in the write layer",
        }
        short (path) { ko: "{path} 마운트 지점을 만듦", en: "mount point {path} made" }
        hand (path) { "mkdir -p {path}" }
        #[cfg(test)]
        sample { path: s("/data") }
    }
    } };
}
