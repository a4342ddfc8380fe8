//! Which words are commands of docent's, from the registry, and which are typing errors for one.
//!
//! A bare verb is ours when no Unix tool and no shell builtin has that name, so a learner's habits keep working; `exec` is
//! the one builtin that is ours when it can only be meant for a container.

use crate::cli::commands::{self, Bare, IsName};
use crate::cli::{nearest, unsupported};
use std::collections::{BTreeMap, BTreeSet};

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
        let mut words = Words::default();
        // Known to Docker and not to docent: docent's own answer to them is better than a guess.
        words.verbs.extend(unsupported::commands::<&str>(&[]).map(str::to_string));
        words.take_flags(command);
        for verb in command.get_subcommands() {
            words.take_flags(verb);
            let mut below: BTreeSet<String> = BTreeSet::new();
            for sub in verb.get_subcommands() {
                words.take_flags(sub);
                below.extend(std::iter::once(sub.get_name()).chain(sub.get_all_aliases()).map(String::from));
            }
            if !below.is_empty() {
                below.extend(unsupported::commands(&[verb.get_name()]).map(str::to_string));
                words.groups.insert(verb.get_name().into(), below);
            }
            words.verbs.insert(verb.get_name().into());
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
pub fn owner(verb: &str, args: &[&str], is_name: IsName) -> Option<&'static str> {
    if let Some(command) = commands::find(&[verb]) {
        let ours = match command.bare {
            Bare::Ours => verb != "help",
            Bare::When(is_meant) => is_meant(args, is_name),
            Bare::Shells(_) => false,
        };
        return ours.then(|| command.program());
    }
    unsupported::bare().any(|v| v == verb).then_some("docker")
}

/// Whether a shell's command was probably meant for a container: then a hint is due.
pub fn looks_like_ours(verb: &str, args: &[&str], is_name: IsName) -> bool {
    match commands::find(&[verb]).map(|command| command.bare) {
        Some(Bare::Shells(is_meant)) => is_meant(args, is_name),
        Some(_) => false,
        None => unsupported::hinted(verb, args, is_name),
    }
}

/// The container that an argument of the host's `rm`, `kill` or `cp` names: exactly, or as `NAME:PATH` of cp.
pub fn container_of<'a>(verb: &str, args: &[&'a str], is_name: IsName) -> Option<&'a str> {
    if !["rm", "kill", "cp"].contains(&verb) {
        return None;
    }
    let name = |word: &'a str| {
        let word = word.trim_matches(['"', '\'']);
        if verb == "cp" { word.split_once(':').map_or(word, |(name, _)| name) } else { word }
    };
    args.iter().filter(|a| !a.starts_with('-')).map(|a| name(a)).find(|n| is_name(n))
}

/// The bare verb, with its program before it, near a word that nothing has as its name.
pub fn near_bare(typed: &str) -> Option<String> {
    if typed.chars().count() < 4 {
        return None;
    }
    let all: Vec<String> = commands::bare().chain(unsupported::bare().map(String::from)).collect();
    let verb = nearest(typed, all.iter().map(String::as_str))?;
    Some(format!("{} {verb}", owner(verb, &[], &|_| false)?))
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
        for verb in commands::bare().chain(unsupported::bare().map(String::from)) {
            assert!(!BUILTINS.split_whitespace().any(|b| b == verb), "{verb}");
            assert!(owner(&verb, &[], &|_| false).is_some(), "{verb}");
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
        let words = Words::of(&crate::cli::command());
        assert_eq!(words.near_verb("loing"), Some("login"));
        assert_eq!(words.near_verb("rnu"), Some("run"));
        assert_eq!(words.near_verb("xyzzy"), None);
        assert_eq!(near_bare("imagse").as_deref(), Some("docker images"));
        assert_eq!(near_bare("explian").as_deref(), Some("docent explain"));
        assert_eq!(near_bare("python"), None);
    }
}
