//! The Linux kernel's facilities, one file each. Nobody else makes system calls on kernel objects.

pub mod caps;
pub mod cgroup;
pub mod files;
pub mod host;
pub mod ids;
pub mod mounts;
pub mod netlink;
mod netlink_wire;
pub mod nft_rule;
pub mod nftables;
pub mod open;
pub mod overlay;
pub mod packet;
pub mod pen;
pub mod ports;
pub mod probe;
pub mod process;
pub mod seccomp;
pub mod signals;
pub mod sys;
pub mod terminal;
pub mod tree;
pub mod userfiles;
pub mod walk;
pub mod watch;
