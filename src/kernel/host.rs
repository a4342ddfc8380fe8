//! This host, as a command finds it: looked at once, when the process begins, and passed down with the store.
//!
//! This is the seam for containers without root. What differs there is asked of [`Host`] and nowhere else; what nothing reads
//! yet is left out: the map of ids (root's is the identity) and the tier, which only attempts can tell ([`super::probe`]).

use super::cgroup::Layout;
use std::fs;

/// Where overlayfs keeps its marks: as root of the host, and as anybody else, by its option `userxattr` (overlayfs.rst).
pub const OVERLAY_XATTRS: [&str; 2] = ["trusted.overlay.", "user.overlay."];

/// The user namespace that the kernel begins with (PROC_USER_INIT_INO). A map of ids does not tell: that of another namespace
/// can be the identity too.
const FIRST_USER_NAMESPACE: &str = "user:[4026531837]";

#[derive(Debug, Clone)]
pub struct Host {
    /// Whether this process has root's user id, in whatever user namespace.
    pub root: bool,
    pub cgroups: Layout,
    /// One of [`OVERLAY_XATTRS`]: `trusted.*` takes CAP_SYS_ADMIN in the first user namespace (xattr(7)).
    pub overlay_xattr: &'static str,
}

impl Host {
    /// Cheap: one file and one link are read, nothing is attempted.
    pub fn look() -> Host {
        let root = rustix::process::geteuid().is_root();
        let first = fs::read_link("/proc/self/ns/user").is_ok_and(|name| name.as_os_str() == FIRST_USER_NAMESPACE);
        // What cannot be read has no cgroups.
        let mounts = super::process::proc_file("/proc/self/mountinfo").unwrap_or_default();
        let [trusted, user] = OVERLAY_XATTRS;
        Host { root, cgroups: Layout::of(&mounts), overlay_xattr: if root && first { trusted } else { user } }
    }

    /// The full name of a mark of overlayfs: `opaque`, `origin`.
    pub fn overlay_mark(&self, name: &str) -> String {
        [self.overlay_xattr, name].concat()
    }

    /// Whether overlayfs has to be told to keep its marks where an ordinary user may write.
    pub fn needs_userxattr(&self) -> bool {
        self.overlay_xattr == OVERLAY_XATTRS[1]
    }
}
