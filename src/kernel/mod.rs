//! The Linux kernel's facilities, one file each. Nobody else makes system calls on kernel objects.

pub mod sys;
pub mod terminal;
