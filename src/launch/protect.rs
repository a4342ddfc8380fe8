//! Hides and protects what Docker 28.5 hides and protects in /proc and /sys (MaskedPaths and ReadonlyPaths of its default
//! specification): what tells of the host, or changes it.
//!
//! Everything is found beneath the descriptors that the mounts of proc and sysfs gave, in which no symlink is followed, so
//! it cannot be had past by what the image has at these paths. Only what this kernel lacks is left out, and that is told.

use crate::event::{Deed, Fact, Story, SysError};
use crate::kernel::mounts::{self, Setting};
use crate::kernel::resolve;
use crate::kernel::sys::{self, Calls};
use rustix::fs::{AtFlags, FileType, OFlags};
use rustix::mount::MountAttrFlags as Attr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// Hidden, below /proc.
const MASKED: [&str; 10] = [
    "acpi",
    "asound",
    "interrupts",
    "kcore",
    "keys",
    "latency_stats",
    "sched_debug",
    "scsi",
    "timer_list",
    "timer_stats",
];
/// Hidden, below /sys.
const MASKED_SYS: [&str; 2] = ["devices/virtual/powercap", "firmware"];
/// Hidden below each CPU that has it: its counters tell one container how hard the others work.
const THERMAL: &str = "/sys/devices/system/cpu/cpu*/thermal_throttle";
/// Paths of /proc through which a root user could change the host.
const READ_ONLY: [&str; 5] = ["bus", "fs", "irq", "sys", "sysrq-trigger"];

/// The mounts of a container in which something is hidden.
pub struct Mounts<'a> {
    pub proc: BorrowedFd<'a>,
    /// None where no sysfs is mounted (the grader's sandbox).
    pub sys: Option<BorrowedFd<'a>>,
    pub dev: BorrowedFd<'a>,
}

/// What will be told, as far as this kernel has it.
pub fn forecast() -> [Fact; 2] {
    let split = |paths: Vec<String>| paths.into_iter().partition(|p| Path::new(p).exists());
    let below = |top: &str, names: &[&str]| names.iter().map(|n| format!("/{top}/{n}")).collect::<Vec<_>>();
    let (paths, absent) = split([below("proc", &MASKED), below("sys", &MASKED_SYS)].concat());
    let (mut paths, mut absent): (Vec<_>, Vec<_>) = (paths, absent);
    let cpus = std::fs::read_dir("/sys/devices/system/cpu").into_iter().flatten().flatten();
    let thermal = cpus.into_iter().any(|cpu| cpu.path().join("thermal_throttle").is_dir());
    if thermal { &mut paths } else { &mut absent }.push(THERMAL.into());
    let masked = Fact::Masked { paths, absent };
    let (paths, absent) = split(below("proc", &READ_ONLY));
    [masked, Fact::ReadOnly { paths, absent }]
}

/// Hides, then protects. /dev/null is the node just made, and proved to be it (CVE-2025-31133).
pub fn protect(mounts: &Mounts<'_>, story: &mut Story) -> Result<(), SysError> {
    let [hidden, kept] = forecast();
    let masked = sys::deed(|calls| {
        let mut masks = Masks::new(mounts.dev)?;
        let (mut paths, mut absent) = (Vec::new(), Vec::new());
        let in_proc = MASKED.iter().map(|name| (mounts.proc, "proc", *name));
        let in_sys = mounts.sys.into_iter().flat_map(|fd| MASKED_SYS.iter().map(move |name| (fd, "sys", *name)));
        for (base, top, name) in in_proc.chain(in_sys) {
            let shown = format!("/{top}/{name}");
            match present(base, name)? {
                Some(target) => {
                    masks.cover(calls, target.as_fd(), &shown)?;
                    paths.push(shown);
                }
                None => absent.push(shown),
            }
        }
        if let Some(sys_mount) = mounts.sys {
            let found = thermal(sys_mount)?;
            for (name, target) in &found {
                masks.cover(calls, target.as_fd(), &format!("/sys/{name}"))?;
            }
            if found.is_empty() { &mut absent } else { &mut paths }.push(THERMAL.into());
        }
        Ok(((), Fact::Masked { paths, absent }))
    });
    Deed::tell_either(masked, hidden, story)?;
    let read_only = sys::deed(|calls| {
        let (mut paths, mut absent) = (Vec::new(), Vec::new());
        for name in READ_ONLY {
            let shown = format!("/proc/{name}");
            let Some(target) = present(mounts.proc, name)? else {
                absent.push(shown);
                continue;
            };
            let copy = mounts::copy_of(calls, target.as_fd(), Path::new(""))?;
            mounts::set_read_only(calls, copy.as_fd(), true)?;
            mounts::attach(calls, copy.as_fd(), target.as_fd(), &shown)?;
            paths.push(shown);
        }
        Ok(((), Fact::ReadOnly { paths, absent }))
    });
    Deed::tell_either(read_only, kept, story)
}

/// The directories that THERMAL names, by their paths below /sys.
fn thermal(sys_mount: BorrowedFd<'_>) -> Result<Vec<(String, OwnedFd)>, SysError> {
    const CPUS: &str = "devices/system/cpu";
    let failed = |e: rustix::io::Errno| SysError::new("getdents64", CPUS, e.raw_os_error());
    let cpus = match resolve::beneath(sys_mount, Path::new(CPUS), OFlags::RDONLY | OFlags::DIRECTORY) {
        Err(e) if e.errno == libc::ENOENT => return Ok(Vec::new()),
        cpus => cpus?,
    };
    let mut found = Vec::new();
    for entry in rustix::fs::Dir::read_from(&cpus).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
        let number = name.strip_prefix("cpu").unwrap_or_default();
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            continue;
        }
        let path = format!("{CPUS}/{name}/thermal_throttle");
        found.extend(present(sys_mount, &path)?.map(|target| (path, target)));
    }
    Ok(found)
}

/// None: this kernel has no such file. Anything else that keeps it from being opened is an error.
fn present(base: BorrowedFd<'_>, name: &str) -> Result<Option<OwnedFd>, SysError> {
    match mounts::beneath(base, name) {
        Err(e) if e.errno == libc::ENOENT => Ok(None),
        found => found.map(Some),
    }
}

/// What is put over things: /dev/null over files, an empty read-only tmpfs over directories.
struct Masks {
    null: OwnedFd,
    /// The first tmpfs, once it is attached: a detached mount can be copied only since kernel 6.15.
    empty: Option<OwnedFd>,
}

impl Masks {
    fn new(dev: BorrowedFd<'_>) -> Result<Masks, SysError> {
        let null = mounts::beneath(dev, "null")?;
        let stat = rustix::fs::fstat(&null).map_err(|e| SysError::new("fstat", "/dev/null", e.raw_os_error()))?;
        if stat.st_rdev != rustix::fs::makedev(1, 3) {
            return Err(SysError::new("fstat", "/dev/null", libc::ENODEV));
        }
        Ok(Masks { null, empty: None })
    }

    fn cover(&mut self, calls: &mut Calls, target: BorrowedFd<'_>, shown: &str) -> Result<(), SysError> {
        let stat = rustix::fs::statat(target, "", AtFlags::EMPTY_PATH)
            .map_err(|e| SysError::new("fstat", shown, e.raw_os_error()))?;
        let over = match (FileType::from_raw_mode(stat.st_mode), &self.empty) {
            (FileType::Directory, None) => {
                let settings = [Setting::Value("size", "0k"), Setting::Value("mode", "755")];
                let first = mounts::detached(calls, "tmpfs", &settings, Attr::MOUNT_ATTR_RDONLY)?;
                mounts::attach(calls, first.as_fd(), target, shown)?;
                self.empty = Some(first);
                return Ok(());
            }
            (FileType::Directory, Some(first)) => first,
            _ => &self.null,
        };
        let cover = mounts::copy_of(calls, over.as_fd(), Path::new(""))?;
        mounts::attach(calls, cover.as_fd(), target, shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counters_of_every_cpu_that_has_them() {
        let dir = tempfile::tempdir().expect("tempdir");
        let sys_mount = resolve::directory(dir.path()).expect("sys");
        let found = || {
            let mut names: Vec<String> =
                thermal(sys_mount.as_fd()).expect("found").into_iter().map(|(name, _)| name).collect();
            names.sort();
            names
        };
        assert_eq!(found(), Vec::<String>::new());
        for cpu in ["cpu0/thermal_throttle", "cpu1", "cpu12/thermal_throttle", "cpufreq/thermal_throttle", "cpu"] {
            std::fs::create_dir_all(dir.path().join("devices/system/cpu").join(cpu)).expect("cpu");
        }
        std::fs::write(dir.path().join("devices/system/cpu/uevent"), "").expect("a file");
        let path = |cpu: &str| format!("devices/system/cpu/{cpu}/thermal_throttle");
        assert_eq!(found(), [path("cpu0"), path("cpu12")]);
    }
}
