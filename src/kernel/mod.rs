//! The Linux kernel's facilities, one file each. Nobody else makes system calls on kernel objects.

pub mod caps;
pub mod ids;
pub mod seccomp;
pub mod sys;
