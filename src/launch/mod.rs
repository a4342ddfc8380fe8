//! What makes a container.
//!
//! ```text
//! sequence.rs        the whole launch, top to bottom: whose each step is, what it will tell, why it could fail
//! parent.rs          the monitor's half, and the undoing             init.rs       the new process's half, up to execve
//! init_process.rs    the conversation between the two                ahead.rs      what can be known before
//! spec.rs            what is to be launched                          program.rs, user.rs, target.rs, root.rs, protect.rs, network.rs …
//! ```

pub mod ahead;
mod elf;
pub mod firewall;
pub mod init;
pub mod init_process;
pub mod netfiles;
pub mod network;
pub mod ownership;
pub mod parent;
pub mod program;
mod proofs;
pub mod protect;
pub mod root;
pub mod sequence;
pub mod spec;
pub mod subnet;
pub mod target;
pub mod user;

pub use init_process::InitProcess;
pub use spec::Spec;
