//! Links the program at a fixed address.
//!
//! Each container has a monitor, and each monitor is this program. Position-independent, the loader would rewrite all its
//! tables of pointers (250 KB) at every start, in memory that no two processes share: that was a third of what a container
//! cost. Go's engines are linked this way too. Stack, heap, libraries and mappings stay where the kernel puts them at random.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-link-arg-bins=-no-pie");
}
