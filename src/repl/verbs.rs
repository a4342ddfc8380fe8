//! Which words are ours: the one table of bare verbs, and slips of the finger.
//!
//! A bare verb is ours when no Unix tool and no shell builtin has that name, so a learner's habits keep working; `exec` is
//! the one builtin that is ours when it can only be meant for a container.

use std::collections::{BTreeMap, BTreeSet};

/// Docker's verbs that may stand alone.
const OURS: &[&str] = &[
    "attach",
    "build",
    "commit",
    "container",
    "create",
    "events",
    "image",
    "images",
    "inspect",
    "load",
    "logs",
    "network",
    "pause",
    "port",
    "pull",
    "push",
    "restart",
    "rmi",
    "run",
    "save",
    "start",
    "stats",
    "stop",
    "system",
    "tag",
    "unpause",
    "version",
    "volume",
];

/// docent's own verbs that may stand alone.
const DOCENTS: &[&str] =
    &["book", "course", "doctor", "explain", "grade", "journal", "lab", "map", "registry", "verify"];

/// Verbs of Docker whose names belong to the shell or to a Unix tool.
const SHELLS: &[&str] = &[
    "cp", "diff", "exec", "export", "history", "import", "info", "kill", "login", "logout", "ps", "rename", "rm",
    "top", "update", "wait",
];

/// Known to Docker and not to docent: docent's own answer to them is better than a guess.
const FOREIGN: &[&str] = &[
    "builder",
    "buildx",
    "checkpoint",
    "compose",
    "config",
    "context",
    "debug",
    "init",
    "manifest",
    "model",
    "node",
    "plugin",
    "scout",
    "search",
    "secret",
    "service",
    "stack",
    "swarm",
    "trust",
];

/// The words of the command line, taken from its definition.
#[derive(Debug, Default, Clone)]
pub struct Words {
    verbs: BTreeSet<String>,
    /// Subcommands of `image`, `container`, …
    groups: BTreeMap<String, BTreeSet<String>>,
    long: BTreeSet<String>,
}

impl Words {
    pub fn of(command: &clap::Command) -> Words {
        let names = |c: &clap::Command| {
            let aliases: Vec<String> = c.get_all_aliases().map(String::from).collect();
            std::iter::once(c.get_name().to_string()).chain(aliases)
        };
        let mut words = Words::default();
        for table in [OURS, DOCENTS, SHELLS, FOREIGN] {
            words.verbs.extend(table.iter().map(|w| w.to_string()));
        }
        words.verbs.insert("help".into());
        words.take_flags(command);
        for verb in command.get_subcommands() {
            words.take_flags(verb);
            let mut below = BTreeSet::new();
            for sub in verb.get_subcommands() {
                words.take_flags(sub);
                below.extend(names(sub));
            }
            for name in names(verb) {
                if !below.is_empty() {
                    words.groups.insert(name.clone(), below.clone());
                }
                words.verbs.insert(name);
            }
        }
        words
    }

    fn take_flags(&mut self, command: &clap::Command) {
        self.long.extend(command.get_arguments().filter_map(|a| a.get_long()).map(String::from));
    }

    /// Whether some command has `--NAME`.
    pub fn has_long(&self, name: &str) -> bool {
        self.long.contains(name)
    }

    pub fn has_verb(&self, name: &str) -> bool {
        self.verbs.contains(name)
    }

    /// A verb, or a slip of one.
    pub fn near_or_known(&self, name: &str) -> bool {
        self.has_verb(name) || self.near_verb(name).is_some()
    }

    /// What was meant by an unknown word after `docker`.
    pub fn near_verb(&self, typed: &str) -> Option<&str> {
        nearest(typed, self.verbs.iter().map(String::as_str))
    }

    /// What was meant by an unknown word after `docker GROUP`; nothing when the group is not one, or knows the word.
    pub fn near_in_group(&self, group: &str, typed: &str) -> Option<&str> {
        let below = self.groups.get(group)?;
        if below.contains(typed) || typed == "help" {
            return None;
        }
        nearest(typed, below.iter().map(String::as_str))
    }
}

/// The program that a bare verb belongs to: `docker` or `docent`. `args` are the words after it.
pub fn owner(verb: &str, args: &[&str], is_name: &dyn Fn(&str) -> bool) -> Option<&'static str> {
    if OURS.contains(&verb) || (verb == "exec" && exec_is_ours(args, is_name)) {
        return Some("docker");
    }
    DOCENTS.contains(&verb).then_some("docent")
}

/// `exec` replaces the shell unless flags of Docker's or a container's name show what is meant.
fn exec_is_ours(args: &[&str], is_name: &dyn Fn(&str) -> bool) -> bool {
    let Some(first) = args.first() else { return false };
    if let Some(long) = first.strip_prefix("--") {
        let known = ["interactive", "tty", "detach", "env", "env-file", "workdir", "user", "privileged"];
        return known.contains(&long.split('=').next().unwrap_or_default());
    }
    if let Some(short) = first.strip_prefix('-') {
        return short.starts_with(['i', 't', 'd', 'e', 'w', 'u']);
    }
    args.len() > 1 && is_name(first)
}

/// Whether a shell's command was probably meant for a container: then a hint is due.
pub fn looks_like_ours(verb: &str, args: &[&str], is_name: &dyn Fn(&str) -> bool) -> bool {
    let named = || args.iter().any(|a| !a.starts_with('-') && is_name(a));
    match verb {
        "ps" => args.iter().all(|a| ["-a", "-q", "-aq", "-qa", "-l", "--all", "--no-trunc"].contains(a)),
        "cp" => args.iter().any(|a| a.split_once(":/").is_some_and(|(name, _)| is_name(name))),
        "rm" | "kill" | "top" | "diff" | "export" | "history" | "rename" | "wait" | "update" => named(),
        "login" | "logout" | "info" => args.iter().all(|a| a.starts_with('-')),
        _ => false,
    }
}

/// The container that an argument of the host's `rm`, `kill` or `cp` names: exactly, or as `NAME:PATH` of cp.
pub fn container_of<'a>(verb: &str, args: &[&'a str], is_name: &dyn Fn(&str) -> bool) -> Option<&'a str> {
    if !["rm", "kill", "cp"].contains(&verb) {
        return None;
    }
    let name = |word: &'a str| {
        let word = word.trim_matches(['"', '\'']);
        if verb == "cp" { word.split_once(':').map_or(word, |(name, _)| name) } else { word }
    };
    args.iter().filter(|a| !a.starts_with('-')).map(|a| name(a)).find(|n| is_name(n))
}

/// Bare verbs near a word that nothing has as its name.
pub fn near_bare(typed: &str) -> Option<(&'static str, &'static str)> {
    if typed.chars().count() < 4 {
        return None;
    }
    let verb = nearest(typed, OURS.iter().chain(DOCENTS).copied())?;
    Some((if OURS.contains(&verb) { "docker" } else { "docent" }, verb))
}

/// All bare verbs, for completion.
pub fn bare() -> impl Iterator<Item = &'static str> {
    OURS.iter().chain(DOCENTS).copied()
}

/// The nearest candidate: one slip in a short word, two in a longer one. An anagram wins a tie.
pub fn nearest<'a>(typed: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // A longer word is no slip of any of ours, and the distance is quadratic.
    if typed.len() > 32 {
        return None;
    }
    let sorted = |w: &str| {
        let mut letters: Vec<char> = w.chars().collect();
        letters.sort_unstable();
        letters
    };
    let reach = if typed.chars().count() <= 4 { 1 } else { 2 };
    let letters = sorted(typed);
    candidates
        .map(|c| (distance(typed, c), sorted(c) != letters, c))
        .filter(|(d, other, _)| *d > 0 && (*d <= reach || (!other && *d <= 2)))
        .min()
        .map(|(_, _, c)| c)
}

/// Edit distance in which two swapped neighbours count once.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let get = |r: &[usize], n: usize| r.get(n).copied().unwrap_or(usize::MAX - 1);
            let mut best = (get(&above, j) + usize::from(x != y)).min(get(&above, j + 1) + 1).min(get(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                best = best.min(get(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// bash's builtins and keywords (`compgen -b`, `compgen -k` of 5.2).
    const BUILTINS: &str = ". : [ alias bg bind break builtin caller cd command compgen complete compopt continue \
        declare dirs disown echo enable eval exec exit export false fc fg getopts hash help history jobs kill let local \
        logout mapfile popd printf pushd pwd read readarray readonly return set shift shopt source suspend test times \
        trap true type typeset ulimit umask unalias unset wait if then else elif fi case esac for select while until do \
        done in function time coproc";

    #[test]
    fn no_bare_verb_has_a_builtins_name() {
        for verb in bare() {
            assert!(!BUILTINS.split_whitespace().any(|b| b == verb), "{verb}");
            assert!(!SHELLS.contains(&verb), "{verb} stands in both tables");
        }
    }

    #[test]
    fn exec_is_ours_only_where_a_container_is_meant() {
        let web = |n: &str| n == "web";
        for args in
            [&["-it", "web", "sh"][..], &["web", "ls"], &["--user", "1", "web", "id"], &["-u", "1", "web", "id"]]
        {
            assert_eq!(owner("exec", args, &web), Some("docker"), "{args:?}");
        }
        for args in [&["bash"][..], &["bash", "-l"], &["-a", "x", "sh"], &["web"], &[]] {
            assert_eq!(owner("exec", args, &web), None, "{args:?}");
        }
    }

    #[test]
    fn hints_only_where_a_container_is_likely() {
        let web = |n: &str| n == "web";
        assert!(looks_like_ours("ps", &["-a"], &web));
        assert!(!looks_like_ours("ps", &["aux"], &web));
        assert!(looks_like_ours("cp", &["web:/a", "."], &web));
        assert!(!looks_like_ours("cp", &["a", "b"], &web));
        assert!(looks_like_ours("rm", &["-f", "web"], &web));
        assert!(!looks_like_ours("rm", &["-f", "file"], &web));
        assert!(!looks_like_ours("kill", &["%1"], &web));
    }

    #[test]
    fn a_hosts_command_may_mean_a_container() {
        let web = |n: &str| n == "web";
        for (verb, args) in
            [("rm", &["-f", "web"][..]), ("kill", &["'web'"]), ("cp", &["web:x", "."]), ("cp", &["a", "web:/b"])]
        {
            assert_eq!(container_of(verb, args, &web), Some("web"), "{verb} {args:?}");
        }
        for (verb, args) in [
            ("rm", &["-f", "webs"][..]),
            ("rm", &["web/x"]),
            ("rm", &["web:/x"]),
            ("ls", &["web"]),
            ("cp", &["a", "b:"]),
        ] {
            assert_eq!(container_of(verb, args, &web), None, "{verb} {args:?}");
        }
    }

    #[test]
    fn slips_of_the_notes_are_recognised() {
        let words = Words::of(&clap::Command::new("docker"));
        assert_eq!(words.near_verb("loing"), Some("login"));
        assert_eq!(words.near_verb("rnu"), Some("run"));
        assert_eq!(words.near_verb("xyzzy"), None);
        for slip in ["docekr", "dokcer", "dcoker", "docke", "dockre", "Docker"] {
            assert_eq!(nearest(slip, ["docker", "docent"].into_iter()), Some("docker"), "{slip}");
        }
        assert_eq!(near_bare("imagse"), Some(("docker", "images")));
        assert_eq!(near_bare("explian"), Some(("docent", "explain")));
        assert_eq!(near_bare("python"), None);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("ab", "ba"), 1);
    }
}
