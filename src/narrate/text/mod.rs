//! The catalogue: every sentence that docent can say, by family, in both languages.

pub(in crate::narrate) mod cgroup;
pub(in crate::narrate) mod concept;
pub(in crate::narrate) mod container;
pub(in crate::narrate) mod count;
pub(in crate::narrate) mod cow;
pub(in crate::narrate) mod doctor;
pub(in crate::narrate) mod fallback;
pub(in crate::narrate) mod fault_archive;
pub(in crate::narrate) mod fault_asked;
pub(in crate::narrate) mod fault_host;
pub(in crate::narrate) mod fault_running;
pub(in crate::narrate) mod frame;
pub(in crate::narrate) mod host;
pub(in crate::narrate) mod image;
pub(in crate::narrate) mod lab;
pub(in crate::narrate) mod mount;
pub(in crate::narrate) mod namespace;
pub(in crate::narrate) mod network;
pub(in crate::narrate) mod process;
pub(in crate::narrate) mod security;
pub(in crate::narrate) mod verb;
pub(in crate::narrate) mod verdict;

/// Every row of every table.
#[cfg(test)]
pub(in crate::narrate) fn all() -> Vec<(&'static str, &'static [super::messages::Row])> {
    vec![
        ("cgroup", cgroup::ROWS),
        ("concept", concept::ROWS),
        ("container", container::ROWS),
        ("count", count::ROWS),
        ("cow", cow::ROWS),
        ("doctor", doctor::ROWS),
        ("fallback", fallback::ROWS),
        ("fault_archive", fault_archive::ROWS),
        ("fault_asked", fault_asked::ROWS),
        ("fault_host", fault_host::ROWS),
        ("fault_running", fault_running::ROWS),
        ("frame", frame::ROWS),
        ("host", host::ROWS),
        ("image", image::ROWS),
        ("lab", lab::ROWS),
        ("mount", mount::ROWS),
        ("namespace", namespace::ROWS),
        ("network", network::ROWS),
        ("process", process::ROWS),
        ("security", security::ROWS),
        ("verdict", verdict::ROWS),
    ]
}
