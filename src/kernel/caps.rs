//! Capabilities: the pieces that root's power is made of.
//!
//! A process carries five sets of them (capabilities(7)). docent narrows two: the *bounding* set, beyond which neither
//! execve nor a setuid program ever leads, and *permitted* with *effective*, what the process holds now. *Inheritable*
//! and *ambient* stay empty: with them, an ordinary user in a container could get capabilities back through file
//! capabilities (CVE-2022-24769).
//!
//! What never breaks: the bounding set only shrinks, and it must shrink first, since shrinking it needs CAP_SETPCAP.
//! The order of a launch is [`bounding`], the seccomp filter (which needs CAP_SYS_ADMIN), the user, then [`sets`].

use super::sys::{self, Calls, Prctl};
use crate::event::{Deed, Fact, SysError};
use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};

/// The 14 that Docker leaves to a container.
pub const DEFAULT: [&str; 14] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FSETID",
    "CAP_FOWNER",
    "CAP_MKNOD",
    "CAP_NET_RAW",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETFCAP",
    "CAP_SETPCAP",
    "CAP_NET_BIND_SERVICE",
    "CAP_SYS_CHROOT",
    "CAP_KILL",
    "CAP_AUDIT_WRITE",
];

/// `CAP_SYS_ADMIN` for 21; one that is newer than the library as its number.
pub(super) fn name(number: u32) -> String {
    let known = CapabilitySet::from_bits_retain(1 << number).iter_names().next();
    known.map_or_else(|| number.to_string(), |(name, _)| format!("CAP_{name}"))
}

/// The bits of these names. A name that there is not is an error (EINVAL), not a capability less.
fn mask(names: &[&str]) -> Result<u64, SysError> {
    names.iter().try_fold(0, |bits, wanted| {
        let known = wanted.strip_prefix("CAP_").and_then(CapabilitySet::from_name);
        known.map(|one| bits | one.bits()).ok_or_else(|| SysError::new("capset", *wanted, libc::EINVAL))
    })
}

/// The names in a set as /proc/PID/status shows it (`CapBnd`, `CapEff`), for receipts.
pub fn names(bits: u64) -> Vec<String> {
    (0..u64::BITS).filter(|n| bits >> n & 1 == 1).map(name).collect()
}

/// What is both in `keep` and in the calling process's bounding set: nobody can be left more than docent has.
fn kept(keep: u64, bounding: u64) -> Vec<String> {
    names(keep & bounding)
}

/// Of these what a process started by this one can be left, as [`bounding`] will tell it, and how many it loses.
pub fn left(keep: &[&str]) -> Result<(Vec<String>, usize), SysError> {
    let (bits, keep) = (read_bounding().0, mask(keep)?);
    Ok((kept(keep, bits), (bits & !keep).count_ones() as usize))
}

/// Narrows the bounding set to `keep`. Needs CAP_SETPCAP.
pub fn bounding(keep: &[&str]) -> Result<Deed<()>, SysError> {
    sys::deed(|calls| {
        let (kept, dropped) = drop_bounding(calls, mask(keep)?)?;
        Ok(((), Fact::Capabilities { kept, dropped: Some(dropped) }))
    })
}

/// Sets permitted and effective to `keep` (empty for an ordinary user), inheritable and ambient to nothing.
pub fn sets(keep: &[&str]) -> Result<Deed<()>, SysError> {
    sys::deed(|calls| {
        let bits = narrow_sets(calls, mask(keep)?)?;
        Ok(((), Fact::CapabilitySets { held: Some(names(bits)) }))
    })
}

/// From now on execve gives no rights that the process does not have: setuid programs run as the caller.
pub fn no_new_privs() -> Result<Deed<()>, SysError> {
    sys::deed(|calls| {
        sys::prctl(calls, Prctl::NoNewPrivs)?;
        Ok(((), Fact::NoNewPrivileges))
    })
}

/// The calling process's bounding set, asked one by one: the first number that the kernel does not know ends it, and no
/// /proc is needed.
fn read_bounding() -> (u64, u32) {
    let (mut bits, mut number) = (0, 0);
    while number < u64::BITS {
        // SAFETY: only plain numbers.
        match unsafe { libc::prctl(libc::PR_CAPBSET_READ, number as libc::c_ulong, 0, 0, 0) } {
            0 => {}
            1 => bits |= 1 << number,
            _ => break,
        }
        number += 1;
    }
    (bits, number)
}

fn drop_bounding(calls: &mut Calls, keep: u64) -> Result<(Vec<String>, usize), SysError> {
    let (had, known) = read_bounding();
    let mut dropped = 0;
    for number in (0..known).filter(|n| had & !keep & (1 << n) != 0) {
        sys::prctl(calls, Prctl::DropBounding(number))?;
        dropped += 1;
    }
    Ok((kept(keep, had), dropped))
}

fn narrow_sets(calls: &mut Calls, keep: u64) -> Result<u64, SysError> {
    sys::prctl(calls, Prctl::ClearAmbient)?;
    let had = capabilities(None).map_err(|e| SysError::new("capget", "self", e.raw_os_error()))?;
    // capset refuses what is not permitted already; after becoming an ordinary user that is nothing.
    let kept = had.permitted & CapabilitySet::from_bits_retain(keep);
    let inheritable = CapabilitySet::empty();
    let done = set_capabilities(None, CapabilitySets { effective: kept, permitted: kept, inheritable });
    let bits = kept.bits();
    let set = shown(bits);
    let (header, data) =
        ("version=_LINUX_CAPABILITY_VERSION_3, pid=0", format!("effective={set}, permitted={set}, inheritable=0"));
    calls.saw("capset", format_args!("{{{header}}}, {{{data}}}"), "self", done)?;
    Ok(bits)
}

/// As strace prints a set: `1<<CAP_CHOWN|1<<CAP_KILL`, `0` for none.
fn shown(bits: u64) -> String {
    if bits == 0 {
        return "0".into();
    }
    names(bits).iter().map(|name| format!("1<<{name}")).collect::<Vec<_>>().join("|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dockers_set_is_the_known_number() {
        // As /proc/PID/status of a container of Docker shows it.
        assert_eq!(mask(&DEFAULT), Ok(0xa804_25fb));
        assert_eq!(names(1 << 21 | 1 << 40 | 1 << 50), ["CAP_SYS_ADMIN", "CAP_CHECKPOINT_RESTORE", "50"]);
        assert_eq!(shown(1 | 1 << 5), "1<<CAP_CHOWN|1<<CAP_KILL");
        assert!(mask(&["CAP_NONSENSE"]).is_err());
    }

    /// In a child, since what is dropped does not come back: narrowed as told, the calls written down.
    #[test]
    fn narrows_as_told() {
        if !rustix::process::geteuid().is_root() {
            eprintln!("missed: only root has capabilities to narrow");
            return;
        }
        // SAFETY: the child makes only system calls and leaves by _exit; the test's other threads do not exist in it.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            let fine = bounding(&DEFAULT).is_ok_and(|deed| {
                let event = deed.event();
                let drops = event.calls.iter().filter(|c| c.args.starts_with("PR_CAPBSET_DROP")).count();
                let (now, _) = read_bounding();
                let told =
                    matches!(&event.fact, Fact::Capabilities { dropped, .. } if *dropped == Some(drops) && drops > 0);
                told && now & !0xa804_25fb == 0
            });
            let calls = sets(&DEFAULT).map(|deed| deed.event().calls.clone()).unwrap_or_default();
            let fine = fine && calls.last().is_some_and(|c| c.name == "capset" && c.ret == 0);
            let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
            let empty = |set: &str| status.contains(&format!("{set}:\t0000000000000000"));
            let effective = status.lines().find_map(|l| l.strip_prefix("CapEff:\t")).unwrap_or("");
            let narrowed = u64::from_str_radix(effective, 16).is_ok_and(|bits| bits != 0 && bits & !0xa804_25fb == 0);
            sys::exit_now(if fine && empty("CapInh") && empty("CapAmb") && narrowed { 0 } else { 1 });
        }
        let mut status = 0;
        // SAFETY: our own child.
        assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
        assert_eq!(status, 0);
    }
}
