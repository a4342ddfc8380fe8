//! What makes a container: one plan, read from top to bottom.
//!
//! ```text
//! monitor (outside)                          the container's own process (inside)
//! ------------------------------------------------------------------------------------
//! network: bridge, address       plan.rs
//! cgroup: made, limits           outside.rs
//! clone with all namespaces  ───────────►    guard, join the cgroup (v1), cgroup namespace
//! read back the namespaces                   mounts private, overlay, proc, dev, sys, files   root.rs
//! plug the veth pair         ───────────►    network inside, host name
//!                                            pivot_root, masks, terminal, session
//!                                            capabilities, user, seccomp                      inside.rs
//! told by the story          ◄───────────    ready
//! "go"                       ───────────►    execve
//! ```
//!
//! The child sends every deed over a packet socket as it happens; that socket closes on a successful execve, and carries
//! the reason of a failed one. If either side dies, the other sees it and stops: nothing runs half made.

pub mod firewall;
pub mod inside;
pub mod netfiles;
pub mod network;
pub mod outside;
pub mod plan;
pub mod protect;
pub mod root;
pub mod spec;
pub mod subnet;
pub mod target;
pub mod traces;
pub mod user;

pub use outside::{Launched, launch};
pub use plan::Step;
pub use spec::Spec;
