//! The Linux kernel's facilities, one file each. Nobody else makes system calls on kernel objects.

pub mod bounded;
pub mod callers_files;
pub mod caps;
pub mod cgroup;
pub mod copy_tree;
pub mod files;
pub mod grader_cgroup;
pub mod handle;
pub mod host;
pub mod ids;
pub mod mounts;
pub mod netlink;
mod netlink_wire;
pub mod nft_rule;
pub mod nftables;
pub mod overlay;
pub mod packet;
pub mod ports;
pub mod probe;
pub mod process;
pub mod resolve;
pub mod seccomp;
pub mod signals;
pub mod sys;
pub mod terminal;
pub mod walk;
pub mod watch;
