//! The host, the store, labs and the journal.

use crate::event::{Argument, Lang, SysError, Word};

/// What to try, for a failed call that says enough by itself.
pub enum Remedy<'a> {
    Permission,
    Space,
    Memory,
    Files,
    Kernel,
    Busy,
    /// The store, or the learner's own place, by its path.
    ReadOnly(&'a str),
    ReadOnlyCgroup,
    ReadOnlySysctl,
    /// Of the kernel's objects there may be only so many.
    TooMany,
    Groups,
}

impl Remedy<'_> {
    pub fn of<'a>(call: &str, object: &'a str, errno: i32) -> Option<Remedy<'a>> {
        let cgroup = object.starts_with("/sys/fs/cgroup");
        let counted = call.contains("mount") || call.starts_with("clone") || call.starts_with("inotify");
        Some(match errno {
            libc::EPERM | libc::EACCES => Remedy::Permission,
            libc::ENOSPC if cgroup => Remedy::Groups,
            // Namespaces, mounts, watches: limits of their own (namespaces(7), inotify(7)).
            libc::ENOSPC if counted || call == "unshare" => Remedy::TooMany,
            libc::ENOSPC | libc::EDQUOT => Remedy::Space,
            libc::ENOMEM => Remedy::Memory,
            libc::EMFILE | libc::ENFILE => Remedy::Files,
            libc::ENOSYS | libc::ENODEV | libc::EOPNOTSUPP | libc::EPROTONOSUPPORT => Remedy::Kernel,
            libc::EBUSY | libc::ETXTBSY => Remedy::Busy,
            libc::EROFS if cgroup => Remedy::ReadOnlyCgroup,
            libc::EROFS if object.starts_with("/proc/") => Remedy::ReadOnlySysctl,
            libc::EROFS => Remedy::ReadOnly(object.split(" -> ").next().unwrap_or(object)),
            _ => return None,
        })
    }

    pub fn for_error(error: &SysError) -> Option<Remedy<'_>> {
        Remedy::of(&error.call, &error.object, error.errno)
    }
}

impl Word for Remedy<'_> {
    fn word(&self, lang: Lang) -> String {
        let (ko, en) = match self {
            Remedy::Permission => (
                "권한이 없습니다: docent doctor 명령으로 확인합니다",
                "not permitted: docent doctor says what is missing",
            ),
            Remedy::Space => {
                ("디스크가 가득 찼습니다: df -h, docent rm NAME", "the disk is full: df -h, docent rm NAME")
            }
            Remedy::Memory => ("메모리가 모자랍니다: free -h", "out of memory: free -h"),
            Remedy::Files => ("열린 파일이 너무 많습니다: ulimit -n", "too many open files: ulimit -n"),
            Remedy::Kernel => ("이 커널에 없는 기능입니다: docent doctor", "this kernel lacks it: docent doctor"),
            Remedy::Busy => ("다른 것이 쓰는 중입니다: docent ps -a", "something still uses it: docent ps -a"),
            Remedy::ReadOnly(path) => {
                let path = path.argument();
                return match lang {
                    Lang::Ko => {
                        format!("읽기 전용 파일 시스템입니다: findmnt -T {path} (docent의 저장소라면 DOCENT_ROOT=DIR)")
                    }
                    Lang::En => {
                        format!("a read-only file system: findmnt -T {path} (if it is docent's store: DOCENT_ROOT=DIR)")
                    }
                };
            }
            Remedy::ReadOnlyCgroup => (
                "cgroup 파일 시스템이 읽기 전용입니다: mount | grep cgroup, 그다음 mount -o remount,rw DIR",
                "the cgroup file system is mounted read-only: mount | grep cgroup, then mount -o remount,rw DIR",
            ),
            Remedy::ReadOnlySysctl => (
                "커널 설정(/proc/sys)이 읽기 전용입니다: mount -o remount,rw /proc/sys",
                "the kernel's settings (/proc/sys) are mounted read-only: mount -o remount,rw /proc/sys",
            ),
            Remedy::TooMany => (
                "커널이 정한 개수에 닿았습니다: sysctl user fs.mount-max fs.inotify",
                "a limit of the kernel is reached: sysctl user fs.mount-max fs.inotify",
            ),
            Remedy::Groups => (
                "cgroup이 너무 많습니다: find /sys/fs/cgroup -type d | wc -l",
                "there are too many cgroups: find /sys/fs/cgroup -type d | wc -l",
            ),
        };
        (if lang == Lang::Ko { ko } else { en }).into()
    }
}

macro_rules! host_faults {
    ($($so_far:tt)*) => { families! { $($so_far)*

    /// The store says something that it cannot have been told by docent.
    StoreDamaged { path: String, why: String } => {
        (path) { ko: "저장소의 파일이 손상되었습니다: {path}", en: "the store is damaged: {path}" }
        cause (why) { "{why}" }
        fix (path) {
            ko: "백업에서 되살리거나, 다른 저장소를 씁니다: DOCENT_ROOT=DIR (손상된 파일: {path})",
            en: "restore {path} from a backup, or use another store: DOCENT_ROOT=DIR",
        }
        #[cfg(test)]
        sample { Fault::StoreDamaged { path: s("/etc/x"), why: s("JSON") } }
    }

    ContainerDamaged { id: String, path: String, why: String } => {
        (id = short(id), path) { ko: "{id} 컨테이너의 파일이 손상되었습니다: {path}", en: "the container {id} is damaged: {path}" }
        cause (why) {
            ko: "읽을 수 없어서 이 컨테이너만 빼고 계속합니다. 다른 컨테이너에는 영향이 없습니다. ({why})",
            en: "It cannot be read ({why}). Only this container is left out; the others are not affected.",
        }
        fix (id = short(id)) {
            ko: "남아 있는 프로세스와 파일을 모두 지웁니다: docent rm -f {id}",
            en: "remove what is left of it, processes and files: docent rm -f {id}",
        }
        #[cfg(test)]
        sample { Fault::ContainerDamaged { id: s(ID), path: s("/etc/x"), why: s("JSON") } }
    }

    /// Containers need root here; the probe says what else this host would allow.
    NotRoot { probe: Option<Box<Probe>> } => {
        { ko: "컨테이너를 실행하려면 root 권한이 필요합니다", en: "running containers needs root here" }
        cause if (probe.is_some()) (tier = probe.as_ref().map(|p| p.tier)) {
            ko: "네임스페이스와 마운트를 만드는 시스템 콜을 커널이 root에게만 허락합니다. 이 호스트의 등급: {tier}",
            en: "The kernel lets only root make these namespaces and mounts. This host's tier: {tier}",
        }
        cause {
            ko: "네임스페이스와 마운트를 만드는 시스템 콜을 커널이 root에게만 허락합니다.",
            en: "The kernel lets only root make these namespaces and mounts.",
        }
        fix { "sudo docent" }
        fix { "docent doctor" }
        #[cfg(test)]
        sample { Fault::NotRoot { probe: Some(Box::new(probe())) } }
    }

    /// The store belongs to somebody else.
    StoreRefused { path: String, errno: i32 } => {
        (path, errno = Errno(*errno)) { ko: "저장소를 열 수 없습니다: {path} · {errno}", en: "cannot open the store {path}: {errno}" }
        cause {
            ko: "다른 사용자의 저장소이거나, 쓸 수 없는 파일 시스템에 있습니다.",
            en: "It belongs to another user, or lies on a file system that cannot be written.",
        }
        fix {
            ko: "sudo docent  또는 내 저장소: DOCENT_ROOT=$HOME/docent",
            en: "sudo docent  or a store of your own: DOCENT_ROOT=$HOME/docent",
        }
        #[cfg(test)]
        sample { Fault::StoreRefused { path: s("/etc/x"), errno: libc::EACCES } }
    }

    /// A step failed that should not: what docent was doing, and the call.
    Step { step: String, error: SysError } => {
        (step, errno = Errno(error.errno)) { ko: "{step} 단계에서 실패했습니다: {errno}", en: "{step} failed: {errno}" }
        cause (call = format!("{}({})", error.call, error.object)) {
            ko: "커널이 거부한 시스템 콜: {call}",
            en: "The system call that the kernel refused: {call}",
        }
        fix if (Remedy::for_error(error).is_some()) (remedy = Remedy::for_error(error)) { "{remedy}" }
        fix {
            ko: "docent explain 명령에 그때까지 한 일과 되돌린 일이 남아 있습니다",
            en: "docent explain shows what had been done until then, and undone",
        }
        #[cfg(test)]
        sample { Fault::step("tag", SysError::new("write", "/x", libc::ENOSPC)) }
        #[cfg(test)]
        sample { Fault::step("cgroup", SysError::new("mkdir", "/sys/fs/cgroup/memory/docent", libc::EROFS)) }
        #[cfg(test)]
        sample { Fault::step("tag", SysError::new("write", "/x y", libc::EROFS)) }
    }

    NoSuchChapter { name: String, chapters: Vec<String> } => {
        (name) { ko: "교재에 없는 장입니다: {name}", en: "no such chapter: {name}" }
        fix (chapters) { ko: "있는 장: {chapters}", en: "chapters: {chapters}" }
        #[cfg(test)]
        sample { Fault::NoSuchChapter { name: s("9"), chapters: vec![s("01-one-page")] } }
    }

    NoSuchLab { name: String, labs: Vec<String> } => {
        (name) { ko: "없는 실습입니다: {name}", en: "no such lab: {name}" }
        cause if (!labs.is_empty()) (labs) { ko: "있는 실습: {labs}", en: "labs: {labs}" }
        fix { "docent lab list" }
        #[cfg(test)]
        sample { Fault::NoSuchLab { name: s("x"), labs: vec![s("03-nginx-cp-edit")] } }
    }

    NoLabStarted => {
        { ko: "시작한 실습이 없습니다", en: "no lab has been started" }
        fix { "docent lab list" }
        fix { "docent lab start NAME" }
        #[cfg(test)]
        sample { Fault::NoLabStarted }
    }

    LabDamaged { path: String, why: String } => {
        (path) { ko: "실습 파일을 읽지 못했습니다: {path}", en: "cannot read the lab: {path}" }
        cause (why) { "{why}" }
        fix { ko: "--labs DIR 옵션을 썼다면 그 디렉터리의 lab.toml을 고칩니다", en: "with --labs DIR: put its lab.toml right" }
        #[cfg(test)]
        sample { Fault::LabDamaged { path: s("/etc/x"), why: s("line 3") } }
    }

    /// Its mounts would be among the container's.
    InChroot => {
        { ko: "docent를 chroot 안에서 실행했습니다", en: "docent runs in a chroot" }
        cause {
            ko: "pivot_root는 이 chroot의 루트만 바꾸므로, 그 밖의 마운트가 모두 컨테이너의 마운트 네임스페이스에 남습니다.",
            en: "pivot_root would change the root of this chroot alone: all mounts around it would stay in the container's mount namespace.",
        }
        fix {
            ko: "chroot 밖에서, 또는 pivot_root(8)로 만든 루트에서 실행합니다",
            en: "run it outside of the chroot, or in a root made with pivot_root(8)",
        }
        #[cfg(test)]
        sample { Fault::InChroot }
    }

    NoSuchCommand { number: Option<u64>, last: Option<u64> } => {
        when (number.is_none()) () { ko: "아직 기록된 명령이 없습니다", en: "no command has been recorded yet" }
        (number) { ko: "기록에 없는 명령 번호입니다: {number}", en: "no such command in the journal: {number}" }
        cause if (number.is_some() && last.is_none()) { ko: "아직 기록된 명령이 없습니다.", en: "No command has been recorded yet." }
        cause (last) { ko: "마지막 번호는 {last}번입니다.", en: "The last one is {last}." }
        fix { ko: "docent explain  (번호 없이: 마지막 명령)", en: "docent explain  (without a number: the last command)" }
        #[cfg(test)]
        sample { Fault::NoSuchCommand { number: Some(9), last: Some(4) } }
    }

    /// The grader could not do its work (exit 2).
    CannotGrade { why: String } => {
        { ko: "채점을 하지 못했습니다", en: "could not grade" }
        cause (why) { "{why}" }
        fix {
            ko: "제출물의 문제가 아닐 수 있습니다. docent doctor 명령으로 호스트를 확인합니다",
            en: "the submission may not be at fault: docent doctor looks at the host",
        }
        #[cfg(test)]
        sample { Fault::CannotGrade { why: s("no root") } }
    }
    } };
}
