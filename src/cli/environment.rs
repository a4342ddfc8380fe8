//! Environment variables for a container: `-e`, `--env-file`, and docent's own look at its environment.
//!
//! Everything that reads the environment is handed an [`Environ`], so that a test can say what is in it.

use super::parsers::bad;
use crate::event::Fault;
use std::path::{Path, PathBuf};

/// Looks a variable up; one that is not UTF-8 counts as absent.
pub type Environ<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The environment of this process.
pub fn process_environ(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// `--env-file` files first, then `-e`, in the order in which they were given, as `KEY=value`.
/// A `KEY` alone is taken from the environment, and left out where it is not set there.
pub(super) fn gather(files: &[PathBuf], given: &[String], environ: Environ) -> Result<Vec<String>, Fault> {
    let mut env = Vec::new();
    for file in files {
        read_file(file, environ, &mut env)?;
    }
    for entry in given {
        env.extend(from_environ(entry, environ));
    }
    Ok(env)
}

/// Checks one `-e`: it must have a name.
pub(super) fn parse_entry(text: &str) -> Result<String, Fault> {
    if text.is_empty() || text.starts_with('=') || text.contains('\0') {
        return Err(bad("--env", text, "KEY=VALUE"));
    }
    Ok(text.to_string())
}

fn from_environ(entry: &str, environ: Environ) -> Option<String> {
    if entry.contains('=') {
        return Some(entry.to_string());
    }
    environ(entry).map(|value| format!("{entry}={value}"))
}

/// More than execve takes on any host (6 MiB): a file beyond this is not one of variables.
const FILE_LIMIT: u64 = 8 << 20;

fn read_file(path: &Path, environ: Environ, env: &mut Vec<String>) -> Result<(), Fault> {
    let name = path.display().to_string();
    let local = |e: std::io::Error| Fault::LocalFile {
        path: name.clone(),
        call: "open".into(),
        errno: e.raw_os_error().unwrap_or(libc::EIO),
    };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(local)?;
    std::io::Read::read_to_end(&mut std::io::Read::take(file, FILE_LIMIT + 1), &mut bytes).map_err(local)?;
    if bytes.len() as u64 > FILE_LIMIT {
        return Err(bad("--env-file", &name, "<= 8 MiB"));
    }
    let text = String::from_utf8(bytes).map_err(|_| bad("--env-file", &name, "UTF-8"))?;
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let key = line.split_once('=').map_or(line, |(key, _)| key);
        if key.is_empty() || key.contains(char::is_whitespace) || line.contains('\0') {
            return Err(bad("--env-file", &format!("{name}:{}: {line}", number + 1), "KEY=VALUE"));
        }
        env.extend(from_environ(line, environ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn home(name: &str) -> Option<String> {
        (name == "HOME").then(|| "/root".to_string())
    }

    fn file(text: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.write_all(text).expect("written");
        file
    }

    #[test]
    fn a_bare_key_is_taken_from_the_environment_or_left_out() {
        let given = ["A=1".to_string(), "HOME".into(), "NOT_SET".into(), "EMPTY=".into()];
        assert_eq!(gather(&[], &given, &home), Ok(vec!["A=1".into(), "HOME=/root".into(), "EMPTY=".into()]));
    }

    #[test]
    fn files_come_first_and_keep_values_as_they_are() {
        let f = file("\u{feff}# a comment\n\n  A=1\nB= \"two words\" \nHOME\nNOT_SET\nC=a=b\n".as_bytes());
        let env = gather(&[f.path().into()], &["A=2".into()], &home).expect("good file");
        assert_eq!(env, ["A=1", "B= \"two words\" ", "HOME=/root", "C=a=b", "A=2"]);
    }

    #[test]
    fn bad_files_are_refused_with_the_line() {
        for (text, shown) in [(&b"A=1\nB C=2\n"[..], ":2: B C=2"), (b"=x\n", ":1: =x"), (b"A\xff=1\n", "")] {
            let f = file(text);
            match gather(&[f.path().into()], &[], &home) {
                Err(Fault::BadValue { flag, value, .. }) => {
                    assert_eq!(flag, "--env-file");
                    assert!(value.ends_with(shown), "{value}");
                }
                other => panic!("{other:?}"),
            }
        }
        let missing = gather(&[PathBuf::from("/does/not/exist")], &[], &home);
        assert_eq!(
            missing,
            Err(Fault::LocalFile { path: "/does/not/exist".into(), call: "open".into(), errno: libc::ENOENT })
        );
        // Endless input is not read to its end.
        let endless = gather(&[PathBuf::from("/dev/zero")], &[], &home);
        assert_eq!(endless, Err(bad("--env-file", "/dev/zero", "<= 8 MiB")));
    }

    #[test]
    fn an_entry_needs_a_name() {
        assert!(parse_entry("A").is_ok() && parse_entry("A=").is_ok());
        assert!(parse_entry("=x").is_err() && parse_entry("").is_err());
    }
}
