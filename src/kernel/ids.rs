//! Who a process is: user, group and supplementary groups.
//!
//! What never breaks: groups go first, the user last, since each needs rights that the next takes away; and all three
//! ids (real, effective, saved) change together, so there is no way back. The C library
//! changes every thread, and docent has one.

use super::sys::{self, Calls};
use crate::event::{Deed, Fact, SysError};
use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid};

/// Becomes this user for good. Coming from root, the effective capabilities are gone afterwards unless `uid` is 0.
pub fn become_user(uid: u32, gid: u32, groups: &[u32]) -> Result<Deed<()>, SysError> {
    sys::deed(|calls| {
        set_groups(calls, groups)?;
        let (user, group) = (Uid::from_raw(uid), Gid::from_raw(gid));
        calls.saw("setresgid", format_args!("{gid}, {gid}, {gid}"), gid, setresgid(group, group, group))?;
        calls.saw("setresuid", format_args!("{uid}, {uid}, {uid}"), uid, setresuid(user, user, user))?;
        Ok(((), Fact::UserSet { uid: Some(uid), gid: Some(gid), groups: Some(groups.to_vec()) }))
    })
}

/// The supplementary groups alone.
pub fn set_groups(calls: &mut Calls, groups: &[u32]) -> Result<(), SysError> {
    let ids: Vec<Gid> = groups.iter().copied().map(Gid::from_raw).collect();
    let list = groups.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    calls.saw("setgroups", format_args!("{}, [{list}]", groups.len()), &list, setgroups(&ids))
}
