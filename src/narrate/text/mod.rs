//! The catalogue: every sentence that docent can say, by family, in both languages.

pub(in crate::narrate) mod concept;
pub(in crate::narrate) mod cow;
pub(in crate::narrate) mod doctor;
pub mod frame;
pub(in crate::narrate) mod head;
pub(in crate::narrate) mod lab;
pub mod session;
pub(in crate::narrate) mod verdict;

/// Every row of every table.
#[cfg(test)]
pub(in crate::narrate) fn all() -> Vec<(&'static str, &'static [crate::event::Row])> {
    vec![
        ("concept", concept::ROWS),
        ("cow", cow::ROWS),
        ("doctor", doctor::ROWS),
        ("frame", frame::ROWS),
        ("head", head::ROWS),
        ("lab", lab::ROWS),
        ("session", session::ROWS),
        ("verdict", verdict::ROWS),
    ]
}
