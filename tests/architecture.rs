//! The architecture holds: arrows between modules point down, only `kernel/` is unsafe or changes kernel objects, nothing
//! panics.
//!
//! Read are the sources as tokens (proc-macro2), without what is compiled for tests only. Tokens and not a syntax tree: a tree
//! ends at each macro, and much is written within `format!`, `matches!` and the definitions of the events.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Modules by layer, the lowest first. `web`, the server that runs inside containers, stands beside: it uses the kernel module
/// and the events, nothing else.
const LAYERS: [&[&str]; 11] = [
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
const UPWARD: &[(&str, &str, &str)] = &[
    ("container", "image", "a container names its image and its layers by their digests, which are plain data"),
    ("store", "container", "a container's configuration and state are plain data, which the store keeps as files"),
    ("store", "image", "references, digests and manifests are plain data, by which the store names its files"),
];

/// Functions that change what others see: kernel objects, files, other processes. Of nix nothing is called outside kernel/.
const CHANGING: &[(&str, &str)] = &[
    (
        "rustix::fs",
        "chmod chmodat chown chownat copy_file_range fallocate fchmod fchown fremovexattr fsetxattr ftruncate futimens link \
         linkat lremovexattr lsetxattr mkdir mkdirat mkfifoat mknodat removexattr rename renameat renameat_with rmdir setxattr \
         symlink symlinkat unlink unlinkat utimensat OFlags::CREATE OFlags::TMPFILE OFlags::TRUNC",
    ),
    (
        "rustix::mount",
        "fsconfig_create fsconfig_set_flag fsconfig_set_string fsmount fsopen mount mount_bind mount_change mount_move \
         mount_remount mount_setattr move_mount open_tree unmount",
    ),
    ("rustix::net", "bind listen"),
    (
        "rustix::process",
        "chroot ioctl_tiocsctty kill_current_process_group kill_process kill_process_group pidfd_send_signal pivot_root prlimit \
         setpgid setpriority_process setrlimit setsid umask wait waitid waitpid",
    ),
    ("rustix::system", "reboot setdomainname sethostname"),
    ("rustix::termios", "tcflush tcsetattr tcsetpgrp tcsetwinsize"),
    (
        "rustix::thread",
        "move_into_link_name_space move_into_thread_name_spaces set_capabilities set_thread_gid set_thread_groups \
         set_thread_res_gid set_thread_res_uid set_thread_uid unshare unshare_unsafe",
    ),
    (
        "std::fs",
        "DirBuilder File::create File::create_new File::options OpenOptions copy create_dir create_dir_all hard_link remove_dir \
         remove_dir_all remove_file rename set_permissions write",
    ),
    ("std::os::unix::fs", "DirBuilderExt chown chroot fchown lchown symlink"),
    (
        "nix",
        "mount::mount mount::umount mount::umount2 sched::setns sched::unshare sys::signal::kill unistd::chroot unistd::dup2 \
         unistd::execve unistd::fork unistd::mkdir unistd::pivot_root unistd::sethostname unistd::setgroups unistd::setresgid \
         unistd::setresuid unistd::setsid unistd::unlink",
    ),
];

/// Where such functions may be called outside kernel/: a module, what of, and why.
const CHANGES: &[(&str, &str, &str)] = &[
    ("store", "std::fs", "bookkeeping: the lock, the journal, tmp/; what is told goes through kernel::files"),
    (
        "image::apply",
        "rustix::fs",
        "a layer unpacked in tmp/ by the thousand; its place in the store is one told rename",
    ),
    ("monitor::log", "std::fs", "what the program wrote"),
    ("monitor::log", "rustix::fs::fallocate", "the log gives its oldest lines back"),
    ("engine::logs", "std::fs::File::options", "whoever follows may be there before the first line"),
    ("cli::context", "std::fs::File::options", "--narrate-to names a file of the user's"),
    ("web", "", "it runs inside a container, as the container's program"),
];

struct Source {
    file: PathBuf,
    /// Names of the modules that lead to it.
    module: Vec<String>,
    /// Identifiers and punctuation; literals and comments are gone.
    words: Vec<String>,
    /// Every path, from its crate on (`crate::kernel::sys`, `std::fs::write`).
    paths: BTreeSet<String>,
}

impl Source {
    fn top(&self) -> &str {
        self.module.first().map_or("", String::as_str)
    }

    fn read(file: &Path, module: Vec<String>, text: &str) -> Source {
        let mut words = Vec::new();
        flatten(text.parse().unwrap_or_else(|e| panic!("{}: {e}", file.display())), &mut words);
        let mut named = Vec::new();
        let mut at = 0;
        while at < words.len() {
            let before = at.checked_sub(1).map_or("", |i| words[i].as_str());
            if begins_name(&words[at]) && !matches!(before, "::" | "$" | "." | "'") {
                at = tree(&words, at, &[], &mut named);
            } else {
                at += 1;
            }
        }
        // What `use` brought in by one name.
        let mut brought: BTreeMap<&str, BTreeSet<&[String]>> = BTreeMap::new();
        for (name, path) in &named {
            if path.len() > 1 {
                brought.entry(name).or_default().insert(path);
            }
        }
        let from_crate = |path: &[String]| -> String {
            let up = path.iter().take_while(|p| *p == "super").count();
            let home = &module[..module.len() - up.min(module.len())];
            match up {
                0 => path.join("::"),
                _ => [&["crate".to_string()], home, &path[up..]].concat().join("::"),
            }
        };
        let mut paths = BTreeSet::new();
        for (_, path) in &named {
            paths.insert(from_crate(path));
            for whole in brought.get(path[0].as_str()).into_iter().flatten() {
                paths.insert(from_crate(&[whole, &path[1..]].concat()));
            }
        }
        Source { file: file.to_path_buf(), module, words, paths }
    }
}

fn begins_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The tokens without what is for tests only, which `#[cfg(test)]` says of the next item.
fn flatten(tokens: TokenStream, words: &mut Vec<String>) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Literal(_) => words.push("\"\"".into()),
            TokenTree::Ident(name) => words.push(name.to_string()),
            TokenTree::Punct(p) if p.as_char() == '#' => {
                let for_tests = tokens.peek().is_some_and(|t| t.to_string().replace(' ', "") == "[cfg(test)]");
                if for_tests {
                    let ends = |t: &TokenTree| match t {
                        TokenTree::Group(g) => g.delimiter() == Delimiter::Brace,
                        TokenTree::Punct(p) => p.as_char() == ';',
                        _ => false,
                    };
                    drop(tokens.by_ref().find(ends));
                }
            }
            TokenTree::Punct(p) => match (p.as_char(), words.last_mut()) {
                (':', Some(last)) if last == ":" => last.push(':'),
                (c, _) => words.push(c.to_string()),
            },
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    _ => ("(", ")"),
                };
                words.push(open.into());
                flatten(group.stream(), words);
                words.push(close.into());
            }
        }
    }
}

/// One path, or the tree of a `use`: each with the name by which it is known. Gives where it ends.
fn tree(words: &[String], mut at: usize, above: &[String], named: &mut Vec<(String, Vec<String>)>) -> usize {
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    let mut path = above.to_vec();
    while begins_name(word(at)) {
        path.push(word(at).to_string());
        at += 1;
        if word(at) != "::" {
            break;
        }
        match word(at + 1) {
            "{" => {
                at += 2;
                while !matches!(word(at), "}" | "") {
                    at = if begins_name(word(at)) { tree(words, at, &path, named) } else { at + 1 };
                }
                return at + 1;
            }
            "*" => {
                path.push("*".into());
                at += 2;
                break;
            }
            next if begins_name(next) => at += 1,
            _ => break,
        }
    }
    path.pop_if(|last| last == "self" && !above.is_empty());
    let mut name = path.last().cloned().unwrap_or_default();
    if word(at) == "as" && begins_name(word(at + 1)) && path.len() > 1 {
        name = word(at + 1).to_string();
        at += 2;
    }
    named.push((name, path));
    at
}

/// Every source that the crate is made of, by its modules.
fn sources() -> &'static [Source] {
    static READ: LazyLock<Vec<Source>> = LazyLock::new(read_sources);
    &READ
}

fn read_sources() -> Vec<Source> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut left = vec![(src.join("lib.rs"), Vec::new()), (src.join("main.rs"), Vec::new())];
    while let Some((file, module)) = left.pop() {
        let text = std::fs::read_to_string(&file).expect("a source");
        let source = Source::read(file.strip_prefix(&src).expect("below src"), module.clone(), &text);
        let dir = src.join(module.join("/"));
        for declared in source.words.windows(3).filter(|w| w[0] == "mod" && w[2] == ";") {
            let name = &declared[1];
            let beside = [dir.join(format!("{name}.rs")), dir.join(name).join("mod.rs")];
            let file = beside.into_iter().find(|f| f.exists()).unwrap_or_else(|| panic!("{}: {name}", file.display()));
            left.push((file, [module.as_slice(), std::slice::from_ref(name)].concat()));
        }
        found.push(source);
    }
    assert!(found.len() > 150, "the sources were found");
    found
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&module))
}

/// What is wrong, and the exceptions that nothing uses.
fn judge(wrong: Vec<String>, exceptions: &[(&str, &str, &str)], used: &BTreeSet<usize>) {
    let unused = exceptions.iter().enumerate().filter(|(n, _)| !used.contains(n));
    let unused = unused.map(|(_, (from, to, _))| format!("the exception {from} -> {to} is not needed any more"));
    let all: Vec<String> = wrong.into_iter().chain(unused).collect();
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[test]
fn every_arrow_points_down() {
    let (mut wrong, mut used, mut arrows) = (Vec::new(), BTreeSet::new(), 0);
    for source in sources().iter().filter(|s| !matches!(s.top(), "" | "dispatch")) {
        let from = source.top();
        assert!(layer(from).is_some() || from == "web", "{from} has no place in the architecture");
        for path in &source.paths {
            let to = path.strip_prefix("crate::").and_then(|p| p.split("::").next()).unwrap_or(from);
            let Some(below) = layer(to).or((to == "web").then_some(LAYERS.len())).filter(|_| to != from) else {
                continue;
            };
            arrows += 1;
            let fits = match from {
                "web" => matches!(to, "kernel" | "event"),
                _ => layer(from).is_some_and(|layer| layer > below),
            };
            match UPWARD.iter().position(|(a, b, _)| (*a, *b) == (from, to)).filter(|_| !fits) {
                Some(exception) => drop(used.insert(exception)),
                None if !fits => wrong.push(format!("{}: {path}", source.file.display())),
                None => {}
            }
        }
    }
    assert!(arrows > 100, "the reader of paths finds arrows");
    judge(wrong, UPWARD, &used);
}

#[test]
fn only_the_kernel_module_is_unsafe() {
    let all = sources();
    let is_unsafe = |s: &&Source| s.words.iter().any(|w| w == "unsafe");
    let wrong: Vec<_> = all.iter().filter(is_unsafe).filter(|s| s.top() != "kernel").map(|s| &s.file).collect();
    assert!(all.iter().filter(is_unsafe).count() > wrong.len(), "the word is found where it is");
    assert!(wrong.is_empty(), "unsafe outside kernel/: {wrong:?}");
}

#[test]
fn only_the_kernel_module_changes_kernel_objects_and_files() {
    // All of a module (`*`) has its changing functions among it.
    let names = |(of, names): &(&str, &'static str)| {
        let of = of.to_string();
        names.split(' ').chain(["*"]).map(move |name| format!("{of}::{name}"))
    };
    let changing: Vec<String> = CHANGING.iter().flat_map(names).collect();
    let below =
        |path: &str, top: &str| path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
    let (mut wrong, mut used, mut inside) = (Vec::new(), BTreeSet::new(), 0);
    for source in sources() {
        let module = source.module.join("::");
        for path in source.paths.iter().filter(|path| changing.iter().any(|changing| below(path, changing))) {
            if source.top() == "kernel" {
                inside += 1;
                continue;
            }
            let excused = |(at, of, _): &(&str, &str, &str)| below(&module, at) && (of.is_empty() || below(path, of));
            match CHANGES.iter().position(excused) {
                Some(exception) => drop(used.insert(exception)),
                None => wrong.push(format!("{}: {path}", source.file.display())),
            }
        }
    }
    assert!(inside > 30, "such calls are found where they are");
    judge(wrong, CHANGES, &used);
}

#[test]
fn nothing_panics_on_what_comes_from_outside() {
    let mut wrong = Vec::new();
    for source in sources() {
        for words in source.words.windows(3) {
            match [words[0].as_str(), words[1].as_str(), words[2].as_str()] {
                [".", name @ ("unwrap" | "expect"), "("]
                | [name @ ("panic" | "todo" | "unimplemented" | "unreachable"), "!", "("] => {
                    wrong.push(format!("{}: {name}", source.file.display()));
                }
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_reader_reads_what_is_code() {
    let text = "use crate::{event::Event, kernel}; use std::fs::{self, File as Opened};\n// crate::cli\n\
                fn f<'a>() { let s = \"crate::repl\"; 'a'; fs::write(Opened::create()); format!(\"{}\", super::super::lab::x) }\n\
                #[cfg(test)]\nmod tests { use crate::book; fn f() { x.unwrap() } }\nimpl X { #[cfg(test)] fn g() { fs::copy() } }";
    let source = Source::read(Path::new("x"), vec!["a".into(), "b".into()], text);
    let of = |top: &str| source.paths.iter().filter(|p| p.starts_with(top)).map(String::as_str).collect::<Vec<_>>();
    assert_eq!(of("crate::"), ["crate::event::Event", "crate::kernel", "crate::lab::x"]);
    assert_eq!(of("std::"), ["std::fs", "std::fs::File", "std::fs::File::create", "std::fs::write"]);
    assert!(!source.words.contains(&"unwrap".to_string()));
}
