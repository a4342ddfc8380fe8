//! The house stands as it was drawn: every arrow between rooms points down, only `kernel/` is unsafe, nothing panics.
//!
//! ```text
//! main.rs, lib.rs, dispatch.rs
//! repl
//! cli
//! lab   book
//! narrate
//! engine
//! monitor
//! launch
//! image   container   registry
//! store
//! kernel
//! event
//! ```
//! `web`, the server that runs inside containers, stands beside: it uses the kernel's room and the events, nothing else.
//!
//! Read are the sources themselves, without comments, strings and what is compiled for tests only.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Rooms by floor, the lowest first.
const FLOORS: [&[&str]; 11] = [
    &["event"],
    &["kernel"],
    &["store"],
    &["image", "container", "registry"],
    &["launch"],
    &["monitor"],
    &["engine"],
    &["narrate"],
    &["lab", "book"],
    &["cli"],
    &["repl"],
];

/// Arrows that do not point down, each with its reason. An exception that nothing uses any more fails the test.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("container", "image", "a container names its image and its layers by their digests, which are plain data"),
    ("store", "container", "a container's configuration and state are plain data, which the store keeps as files"),
    ("store", "image", "references, digests and manifests are plain data, by which the store names its files"),
];

struct Source {
    path: PathBuf,
    room: String,
    /// How deep the file's module lies below the crate.
    depth: usize,
    text: String,
}

fn sources() -> Vec<Source> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut found, mut for_tests) = (Vec::new(), Vec::new());
    let mut dirs = vec![src.clone()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(&dir).expect("src").map(|e| e.expect("dispatch")) {
            let path = entry.path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let below = path.strip_prefix(&src).expect("below src").to_path_buf();
                let mut parts: Vec<String> =
                    below.with_extension("").iter().map(|p| p.to_string_lossy().into_owned()).collect();
                if parts.last().is_some_and(|p| p == "mod") {
                    parts.pop();
                }
                let room = parts.first().cloned().unwrap_or_default();
                let text = std::fs::read_to_string(&path).expect("a source");
                for_tests.extend(test_modules(&path, &text));
                let text = plain(&text);
                found.push(Source { path: below, room, depth: parts.len(), text });
            }
        }
    }
    found.retain(|s| !for_tests.contains(&src.join(&s.path)));
    assert!(found.len() > 50, "the sources were found");
    found
}

/// Files of modules that this source declares for tests only.
fn test_modules(path: &Path, text: &str) -> Vec<PathBuf> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let dir = path.parent().unwrap_or(Path::new("")).to_path_buf();
    let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let own = if matches!(stem.as_str(), "mod" | "lib" | "main") { dir.clone() } else { dir.join(stem) };
    let mut found = Vec::new();
    for (i, _) in words.iter().enumerate().filter(|(_, word)| **word == "#[cfg(test)]") {
        let rest = &words[i + 1..];
        match rest {
            ["#[path", "=", file, ..] => found.push(dir.join(file.trim_matches(|c| "\"]".contains(c)))),
            ["mod", name, ..] | ["pub", "mod", name, ..] if name.ends_with(';') => {
                let name = name.trim_end_matches(';');
                found.extend([own.join(format!("{name}.rs")), own.join(name).join("mod.rs")]);
            }
            _ => {}
        }
    }
    found
}

/// A source without comments, string and character literals, and items for tests only.
fn plain(text: &str) -> String {
    let bytes: Vec<char> = text.chars().collect();
    let mut out = String::new();
    let mut i = 0;
    let at = |i: usize| bytes.get(i).copied().unwrap_or('\0');
    while i < bytes.len() {
        let before = if i == 0 { ' ' } else { bytes[i - 1] };
        let in_word = before.is_alphanumeric() || before == '_';
        match at(i) {
            '/' if at(i + 1) == '/' => {
                while i < bytes.len() && bytes[i] != '\n' {
                    i += 1;
                }
            }
            '/' if at(i + 1) == '*' => {
                let mut depth = 0;
                loop {
                    match (at(i), at(i + 1)) {
                        ('/', '*') => (depth, i) = (depth + 1, i + 2),
                        ('*', '/') => (depth, i) = (depth - 1, i + 2),
                        _ => i += 1,
                    }
                    if depth == 0 || i >= bytes.len() {
                        break;
                    }
                }
            }
            'r' if !in_word && (at(i + 1) == '"' || (at(i + 1) == '#' && (at(i + 2) == '"' || at(i + 2) == '#'))) => {
                let hashes = (i + 1..).take_while(|j| at(*j) == '#').count();
                i += hashes + 2;
                while i < bytes.len() && !(at(i) == '"' && (1..=hashes).all(|h| at(i + h) == '#')) {
                    i += 1;
                }
                i += hashes + 1;
                out.push_str("\"\"");
            }
            '"' => {
                i += 1;
                while i < bytes.len() && at(i) != '"' {
                    i += if at(i) == '\\' { 2 } else { 1 };
                }
                i += 1;
                out.push_str("\"\"");
            }
            // A lifetime is a quote and a name; a literal ends with another quote.
            '\'' if at(i + 1) == '\\' || at(i + 2) == '\'' => {
                i += if at(i + 1) == '\\' { 3 } else { 2 };
                while i < bytes.len() && at(i) != '\'' {
                    i += 1;
                }
                i += 1;
            }
            c => {
                out.push(c);
                i += 1;
            }
        }
    }
    without_tests(&out)
}

fn without_tests(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("#[cfg(test)]") {
        out.push_str(&rest[..start]);
        let item = &rest[start + "#[cfg(test)]".len()..];
        let open = item.find('{').unwrap_or(item.len());
        let end = item.find(';').unwrap_or(item.len());
        if end < open {
            rest = &item[end + 1..];
            continue;
        }
        let mut depth = 0;
        let close = item.char_indices().find(|(_, c)| {
            depth += i32::from(*c == '{') - i32::from(*c == '}');
            *c == '}' && depth == 0
        });
        rest = close.map_or("", |(n, _)| &item[n + 1..]);
    }
    out.push_str(rest);
    out
}

/// Rooms that a source names: `crate::room::…`, `use crate::{room::…, other}`, and `super::` where that is the crate.
fn rooms_named(source: &Source) -> Vec<String> {
    let mut named = Vec::new();
    let outward = "super::".repeat(source.depth.max(1));
    let starts = ["crate::", outward.as_str()];
    for start in starts {
        for (at, _) in source.text.match_indices(start) {
            let before = source.text[..at].chars().next_back().unwrap_or(' ');
            if before.is_alphanumeric() || before == '_' || before == ':' || before == '$' {
                continue;
            }
            let rest = source.text[at + start.len()..].trim_start();
            let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
            match rest.strip_prefix('{') {
                None => named.push(word(rest)),
                Some(list) => {
                    let (mut depth, mut item) = (0, String::new());
                    for c in list.chars() {
                        depth += i32::from(c == '{') - i32::from(c == '}');
                        match c {
                            _ if depth < 0 => break,
                            ',' if depth == 0 => named.push(word(std::mem::take(&mut item).trim())),
                            _ => item.push(c),
                        }
                    }
                    named.push(word(item.trim()));
                }
            }
        }
    }
    named
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

#[test]
fn every_arrow_points_down() {
    let mut wrong = Vec::new();
    let mut used: BTreeMap<(String, String), usize> =
        EXCEPTIONS.iter().map(|(from, to, _)| ((from.to_string(), to.to_string()), 0)).collect();
    let mut arrows = 0;
    for source in sources().into_iter().filter(|s| !matches!(s.room.as_str(), "lib" | "main" | "dispatch")) {
        assert!(floor(&source.room).is_some() || source.room == "web", "{} has no place in the house", source.room);
        for to in rooms_named(&source) {
            let Some(below) = floor(&to).or((to == "web").then_some(FLOORS.len())) else { continue };
            if to == source.room {
                continue;
            }
            arrows += 1;
            let fits = match source.room.as_str() {
                "web" => matches!(to.as_str(), "kernel" | "event"),
                room => floor(room).is_some_and(|floor| floor > below),
            };
            if fits {
                continue;
            }
            match used.get_mut(&(source.room.clone(), to.clone())) {
                Some(n) => *n += 1,
                None => wrong.push(format!("{}: {} -> {to}", source.path.display(), source.room)),
            }
        }
    }
    assert!(arrows > 100, "the reader of `use` lines finds arrows");
    let exists = |room: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room).is_dir();
    for ((from, to), n) in used {
        if n == 0 && exists(&from) && exists(&to) {
            wrong.push(format!("the exception {from} -> {to} is not needed any more"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_kernels_room_is_unsafe() {
    let word = |text: &str| {
        text.match_indices("unsafe").any(|(at, _)| {
            let before = text[..at].chars().next_back().unwrap_or(' ');
            let after = text[at + 6..].chars().next().unwrap_or(' ');
            !before.is_alphanumeric() && before != '_' && !after.is_alphanumeric() && after != '_'
        })
    };
    let all = sources();
    let wrong: Vec<_> = all.iter().filter(|s| s.room != "kernel" && word(&s.text)).map(|s| &s.path).collect();
    assert!(all.iter().any(|s| s.room == "kernel" && word(&s.text)), "the word is found where it is");
    assert!(wrong.is_empty(), "unsafe outside kernel/: {wrong:?}");
}

#[test]
fn nothing_panics_on_what_comes_from_outside() {
    let mut wrong = Vec::new();
    for source in sources() {
        for needle in [".unwrap()", ".expect(", "panic!(", "todo!(", "unimplemented!(", "unreachable!("] {
            for (at, _) in source.text.match_indices(needle) {
                let line: String = source.text[at..].chars().take(60).take_while(|c| *c != '\n').collect();
                wrong.push(format!("{}: {line}", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_reader_reads_what_is_code() {
    let text = "use crate::{event::Event, kernel};\n// crate::cli\nlet s = \"crate::repl\"; 'a'; &'a crate::store::X\n\
                #[cfg(test)]\nmod tests { use crate::book; fn f() { x.unwrap() } }\nsuper::super::lab::x";
    let source = Source { path: "x".into(), room: "x".into(), depth: 2, text: plain(text) };
    assert_eq!(rooms_named(&source), ["event", "kernel", "store", "lab"]);
    assert!(!source.text.contains("unwrap"));
}
