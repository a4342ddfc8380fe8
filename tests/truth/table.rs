//! The published table, read from `table.toml`, and the classes of calls that it draws.

use super::claims::{descriptor, is_look};
use super::witness::Seen;
use docent::inside::DEFINITIONS;
use serde::Deserialize;
use std::path::{Component, Path, PathBuf};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    pub bookkeeping: Bookkeeping,
    pub own: Own,
    pub no_change: Names,
    pub unseen: Names,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bookkeeping {
    pub paths: Vec<String>,
    pub sockets: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Own {
    pub calls: Vec<String>,
    pub sockets: Vec<String>,
    pub prctl: Vec<String>,
    pub ioctl: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    pub calls: Vec<String>,
}

/// What a seen call is.
#[derive(Debug, PartialEq, Eq)]
pub enum Class {
    /// To be told.
    Changing,
    Bookkeeping,
    NoChange,
    /// Not in the table: somebody must decide.
    Unknown,
}

pub fn read() -> Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/truth/table.toml");
    toml::from_str(&std::fs::read_to_string(path).expect("the table")).expect("a sound table")
}

/// `*` is one name, `**` any number.
fn path_fits(pattern: &str, path: &Path) -> bool {
    let parts: Vec<String> = path
        .components()
        .filter(|c| matches!(c, Component::Normal(_)))
        .map(|c| c.as_os_str().to_string_lossy().into_owned())
        .collect();
    let wanted: Vec<&str> = pattern.split('/').collect();
    match wanted.strip_suffix(&["**"]) {
        Some(start) => parts.len() > start.len() && fits_all(start, &parts[..start.len()]),
        None => fits_all(&wanted, &parts),
    }
}

fn fits_all(wanted: &[&str], parts: &[String]) -> bool {
    wanted.len() == parts.len() && wanted.iter().zip(parts).all(|(w, p)| *w == "*" || w == p)
}

impl Table {
    pub fn class(&self, seen: &Seen, root: &Path) -> Class {
        let has = |list: &[String], what: &str| list.iter().any(|l| l == what);
        let first = seen.args.first().map(String::as_str).unwrap_or("");
        let second = seen.args.get(1).map(String::as_str).unwrap_or("");
        let name = seen.name.as_str();
        if seen.is_spawn() {
            return Class::Changing;
        }
        if name.starts_with("clone") && seen.args.iter().any(|a| a.contains("CLONE_THREAD")) {
            return Class::NoChange;
        }
        if has(&self.no_change.calls, name) || has(&self.own.calls, name) {
            return Class::NoChange;
        }
        match name {
            "prctl" if !self.own.prctl.iter().all(|p| !first.starts_with(p.as_str())) => return Class::NoChange,
            "ioctl" if has(&self.own.ioctl, second) => return Class::NoChange,
            "sendto" if is_look(seen) => return Class::NoChange,
            "bind" | "listen" => {
                let socket = descriptor(first).unwrap_or("");
                if self.own.sockets.iter().any(|s| socket.starts_with(s.as_str())) {
                    return Class::NoChange;
                }
                let path = if name == "bind" { second } else { socket };
                let path = path.split('"').nth(1).unwrap_or("");
                if self.bookkeeping.sockets.iter().any(|s| path_fits(s.trim_start_matches('/'), Path::new(path))) {
                    return Class::Bookkeeping;
                }
            }
            "open" | "openat" if !seen.args.iter().any(|a| a.contains("O_CREAT") || a.contains("O_TRUNC")) => {
                return Class::NoChange;
            }
            "write" | "pwrite64" | "writev" => {
                let path = descriptor(first).unwrap_or("");
                let kernels = ["/sys/", "/proc/"].iter().any(|p| path.starts_with(p));
                // The content of an ordinary file goes with the call that made it; streams are the program's.
                if !kernels {
                    return Class::NoChange;
                }
            }
            _ => {}
        }
        if !DEFINITIONS.iter().any(|d| d.calls.contains(&name)) && !FILE_CALLS.contains(&name) {
            return Class::Unknown;
        }
        let paths = changed_paths(seen);
        let kept = |path: &PathBuf| {
            path.strip_prefix(root).is_ok_and(|p| self.bookkeeping.paths.iter().any(|pattern| path_fits(pattern, p)))
        };
        if !paths.is_empty() && paths.iter().all(kept) {
            return Class::Bookkeeping;
        }
        // What failed has changed nothing. (A failure that is claimed is matched all the same.)
        if seen.failed() { Class::NoChange } else { Class::Changing }
    }
}

/// Calls that change a file or a directory, whether or not any event claims such a one.
const FILE_CALLS: [&str; 34] = [
    "open",
    "openat",
    "creat",
    "mkdir",
    "mkdirat",
    "rmdir",
    "unlink",
    "unlinkat",
    "rename",
    "renameat",
    "renameat2",
    "symlink",
    "symlinkat",
    "link",
    "linkat",
    "mknod",
    "mknodat",
    "chmod",
    "fchmod",
    "fchmodat",
    "chown",
    "fchown",
    "lchown",
    "fchownat",
    "utimensat",
    "setxattr",
    "lsetxattr",
    "fsetxattr",
    "removexattr",
    "lremovexattr",
    "fremovexattr",
    "truncate",
    "write",
    "fallocate",
];

/// The paths that a call on files changes.
fn changed_paths(seen: &Seen) -> Vec<PathBuf> {
    let quoted = |arg: &str| arg.strip_prefix('"').and_then(|a| a.strip_suffix('"')).map(PathBuf::from);
    let arg = |n: usize| seen.args.get(n).map(String::as_str).unwrap_or("");
    // `DIR, "name"`, from argument n on.
    let at = |n: usize| {
        let dir = descriptor(arg(n)).map(|d| PathBuf::from(d.trim_end_matches(" (deleted)"))).unwrap_or_default();
        match quoted(arg(n + 1)) {
            Some(name) if name.as_os_str().is_empty() => dir,
            Some(name) => dir.join(name),
            None => dir,
        }
    };
    match seen.name.as_str() {
        "mkdir" | "rmdir" | "unlink" | "chmod" | "chown" | "lchown" | "mknod" | "creat" | "truncate" | "setxattr"
        | "lsetxattr" | "removexattr" | "lremovexattr" | "open" => quoted(arg(0)).into_iter().collect(),
        "rename" => [quoted(arg(0)), quoted(arg(1))].into_iter().flatten().collect(),
        "symlink" | "link" => quoted(arg(1)).into_iter().collect(),
        "symlinkat" => vec![at(1)],
        "renameat" | "renameat2" => vec![at(0), at(2)],
        "linkat" => vec![at(2)],
        "mkdirat" | "unlinkat" | "mknodat" | "fchmodat" | "fchownat" | "utimensat" | "openat" => vec![at(0)],
        "fchmod" | "fchown" | "fsetxattr" | "fremovexattr" | "write" | "fallocate" => vec![at(0)],
        _ => Vec::new(),
    }
}
