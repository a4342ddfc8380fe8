//! Values of a student's own: HMAC-SHA256 under the course's secret, so that a page handed on does not pass.
//!
//! Without a course the secret is the public one below: whoever reads this can compute everybody's practice values. They
//! keep nobody from cheating and need not; a grade is given with `--secret`.

use crate::event::Fault;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::path::Path;

const PRACTICE: &[u8] = b"docent practice";

/// Who the values are for, and under which secret.
pub struct Seeds {
    student: String,
    secret: Vec<u8>,
    practice: bool,
}

impl Seeds {
    /// `student` defaults to the user's login name, `secret` (a file) to the public practice one.
    ///
    /// # Errors
    /// `LocalFile` for a secret that cannot be read, `BadValue` for an empty one or an empty student.
    pub fn new(student: Option<&str>, secret: Option<&Path>) -> Result<Seeds, Fault> {
        let student = student.map_or_else(default_student, str::to_string);
        if student.is_empty() {
            return Err(bad("--student", &student));
        }
        let Some(path) = secret else { return Ok(Seeds { student, secret: PRACTICE.to_vec(), practice: true }) };
        let shown = path.to_string_lossy();
        let text = std::fs::read(path).map_err(|e| Fault::LocalFile {
            path: shown.clone().into_owned(),
            call: "open".into(),
            errno: e.raw_os_error().unwrap_or(5),
        })?;
        // A secret written by an editor ends with a newline; one made by `printf` does not. Both are the same secret.
        let secret = text.trim_ascii().to_vec();
        if secret.is_empty() {
            return Err(bad("--secret", &shown));
        }
        Ok(Seeds { student, secret, practice: false })
    }

    /// The value of this name in this lab: 12 hex digits.
    pub fn value(&self, lab: &str, name: &str) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.secret) else { return String::new() };
        for part in [&self.student, lab, name] {
            // With the length before each part no two triples give the same bytes.
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part.as_bytes());
        }
        mac.finalize().into_bytes().iter().take(6).map(|b| format!("{b:02x}")).collect()
    }

    /// All values of a lab by name.
    pub fn of(&self, lab: &super::Lab) -> BTreeMap<String, String> {
        lab.seeds.iter().map(|name| (name.clone(), self.value(&lab.id, name))).collect()
    }

    pub fn student(&self) -> &str {
        &self.student
    }

    /// Made with the public secret: fit for practice only.
    pub fn practice(&self) -> bool {
        self.practice
    }
}

fn bad(flag: &str, value: &str) -> Fault {
    Fault::BadValue { flag: flag.into(), value: value.into(), expected: "not empty".into() }
}

/// The login name, else the number.
fn default_student() -> String {
    let name = |k: &str| std::env::var(k).ok().filter(|v| !v.is_empty());
    // Under sudo the learner is who called it.
    name("SUDO_USER").or_else(|| name("USER")).unwrap_or_else(|| rustix::process::getuid().as_raw().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_depends_on_student_lab_name_and_secret_alone() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("secret");
        std::fs::write(&file, "s3\n").unwrap();
        let of =
            |student, secret: Option<&Path>, lab, name| Seeds::new(Some(student), secret).unwrap().value(lab, name);
        let one = of("kim", None, "a", "LAB_TOKEN");
        assert_eq!(one, of("kim", None, "a", "LAB_TOKEN"));
        assert!(one.len() == 12 && one.bytes().all(|b| b.is_ascii_hexdigit()));
        let others = [
            of("lee", None, "a", "LAB_TOKEN"),
            of("kim", None, "b", "LAB_TOKEN"),
            of("kim", None, "a", "LAB_PORT"),
            of("kim", Some(&file), "a", "LAB_TOKEN"),
            of("kima", None, "", "LAB_TOKEN"),
        ];
        assert!(others.iter().all(|o| *o != one));
    }

    #[test]
    fn the_practice_secret_stays_what_it_is() {
        // Progress of learners hangs on it.
        let seeds = Seeds::new(Some("kim"), None).unwrap();
        assert!(seeds.practice());
        assert_eq!(seeds.value("03-nginx-cp-edit", "LAB_TOKEN"), "fd0253de7496");
    }

    #[test]
    fn an_empty_secret_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(Seeds::new(Some("kim"), Some(file.path())), Err(Fault::BadValue { .. })));
    }
}
