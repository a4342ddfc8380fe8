//! The Linux kernel's facilities, one file each. Nobody else makes system calls on kernel objects.

pub mod cgroup;
pub mod mounts;
pub mod netlink;
mod netlink_wire;
pub mod nftables;
pub mod open;
pub mod overlay;
pub mod packet;
pub mod ports;
pub mod process;
pub mod signals;
pub mod sys;
pub mod terminal;
