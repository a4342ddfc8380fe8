//! What makes a container: the sequence from resources to execve, and what it needs to know about the root it enters.

pub mod user;
