//! Who a process is: user, group and supplementary groups.
//!
//! What never breaks: groups go first, the user last, since each needs rights that the next takes away; and all three
//! ids (real, effective, saved) change together, so there is no way back. The calls are made directly: the C library's
//! versions would also signal every thread, and docent has none.

use super::sys;
use crate::event::{Deed, Fact, SysError};

/// Becomes this user for good. Coming from root, the effective capabilities are gone afterwards unless `uid` is 0.
pub fn become_user(uid: u32, gid: u32, groups: &[u32]) -> Result<Deed<()>, SysError> {
    sys::deed(|calls| {
        let list = groups.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
        // SAFETY: pointer and length are the slice's; gid_t is a 32-bit number.
        let ret = unsafe { libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) };
        calls.raw("setgroups", format!("{}, [{list}]", groups.len()), list, ret)?;
        // SAFETY: plain numbers.
        let ret = unsafe { libc::syscall(libc::SYS_setresgid, gid, gid, gid) };
        calls.raw("setresgid", format!("{gid}, {gid}, {gid}"), gid.to_string(), ret)?;
        // SAFETY: plain numbers.
        let ret = unsafe { libc::syscall(libc::SYS_setresuid, uid, uid, uid) };
        calls.raw("setresuid", format!("{uid}, {uid}, {uid}"), uid.to_string(), ret)?;
        Ok(((), Fact::UserSet { uid: Some(uid), gid: Some(gid), groups: Some(groups.to_vec()) }))
    })
}
