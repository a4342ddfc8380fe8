//! What Docker 28 has and docent does not: every flag and command of its `--help`, so that none is ever taken for a typing
//! error, and what to use instead where there is something.

/// Flags of `create`, all of which `run` has too. `c|cpu-shares` has a short form.
const CREATE: &[&str] = &[
    "add-host",
    "annotation",
    "a|attach",
    "blkio-weight",
    "blkio-weight-device",
    "cap-add",
    "cap-drop",
    "cgroup-parent",
    "cgroupns",
    "cidfile",
    "cpu-count",
    "cpu-percent",
    "cpu-period",
    "cpu-quota",
    "cpu-rt-period",
    "cpu-rt-runtime",
    "c|cpu-shares",
    "cpuset-cpus",
    "cpuset-mems",
    "device",
    "device-cgroup-rule",
    "device-read-bps",
    "device-read-iops",
    "device-write-bps",
    "device-write-iops",
    "disable-content-trust",
    "dns",
    "dns-opt",
    "dns-option",
    "dns-search",
    "domainname",
    "expose",
    "gpus",
    "group-add",
    "health-cmd",
    "health-interval",
    "health-retries",
    "health-start-interval",
    "health-start-period",
    "health-timeout",
    "init",
    "io-maxbandwidth",
    "io-maxiops",
    "ip",
    "ip6",
    "ipc",
    "isolation",
    "kernel-memory",
    "label-file",
    "link",
    "link-local-ip",
    "log-driver",
    "log-opt",
    "mac-address",
    "memory-reservation",
    "memory-swap",
    "memory-swappiness",
    "mount",
    "net-alias",
    "network-alias",
    "no-healthcheck",
    "oom-kill-disable",
    "oom-score-adj",
    "pid",
    "platform",
    "privileged",
    "P|publish-all",
    "pull",
    "q|quiet",
    "read-only",
    "restart",
    "runtime",
    "security-opt",
    "shm-size",
    "storage-opt",
    "sysctl",
    "tmpfs",
    "ulimit",
    "use-api-socket",
    "userns",
    "uts",
    "v|volume",
    "volume-driver",
    "volumes-from",
];

/// Flags that only some command has, by the last word of its name.
const FLAGS: &[(&str, &[&str])] = &[
    ("run", &["detach-keys", "sig-proxy"]),
    ("start", &["checkpoint", "checkpoint-dir", "detach-keys"]),
    ("rm", &["l|link"]),
    ("ps", &["s|size"]),
    ("ls", &["s|size"]),
    ("logs", &["details", "since", "until"]),
    ("exec", &["detach-keys", "privileged"]),
    ("inspect", &["s|size"]),
    ("images", &["tree"]),
    ("load", &["platform"]),
];

/// docker's own, before the command.
const GLOBAL: &[&str] =
    &["config", "c|context", "D|debug", "H|host", "l|log-level", "tls", "tlscacert", "tlscert", "tlskey", "tlsverify"];

/// Commands by their group ("" is the top). The plugins that Docker brings along are commands to their users.
const COMMANDS: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "attach",
            "build",
            "builder",
            "buildx",
            "checkpoint",
            "commit",
            "compose",
            "config",
            "context",
            "events",
            "export",
            "history",
            "import",
            "info",
            "login",
            "logout",
            "manifest",
            "network",
            "node",
            "plugin",
            "port",
            "pull",
            "push",
            "rename",
            "restart",
            "rmi",
            "save",
            "scout",
            "search",
            "secret",
            "service",
            "stack",
            "stats",
            "swarm",
            "system",
            "tag",
            "top",
            "trust",
            "update",
            "volume",
            "wait",
        ],
    ),
    (
        "container",
        &["attach", "commit", "export", "port", "prune", "rename", "restart", "stats", "top", "update", "wait"],
    ),
    ("image", &["build", "history", "import", "prune", "pull", "push", "remove", "rm", "save", "tag"]),
];

/// What serves instead. Command lines, which need no translation.
const INSTEAD: &[(&str, &str)] = &[
    ("attach", "docker logs -f NAME"),
    ("build", "docker load -i FILE"),
    ("container prune", "docker rm $(docker ps -aq --filter status=exited)"),
    ("export", "docker cp NAME:/ DIRECTORY"),
    ("history", "docker image inspect IMAGE"),
    ("info", "docent doctor"),
    ("port", "docker ps"),
    ("pull", "docker load -i FILE"),
    ("restart", "docker stop NAME && docker start NAME"),
    ("system", "docent doctor"),
    ("top", "docker exec NAME ps"),
    ("--attach", "-i"),
    ("--context", "--root DIR"),
    ("--cidfile", "docker run -d … > FILE"),
    ("--cpu-period", "--cpus NUMBER"),
    ("--cpu-quota", "--cpus NUMBER"),
    ("--host", "--root DIR"),
    ("--ipc", "--network host"),
    ("--label-file", "--label KEY=VALUE"),
    ("--log-driver", "docker logs NAME"),
    ("--memory-reservation", "--memory BYTES"),
    ("--memory-swap", "--memory BYTES"),
    ("--mount", "docker cp SRC_PATH NAME:DEST_PATH"),
    ("--publish-all", "--publish PORT"),
    ("--restart", "docker start NAME"),
    ("--since", "--tail NUMBER --timestamps"),
    ("--until", "--tail NUMBER --timestamps"),
    ("--volume", "docker cp SRC_PATH NAME:DEST_PATH"),
    ("--volumes-from", "docker cp NAME:SRC_PATH DIRECTORY"),
];

/// What to use instead of a flag (`--volume`) or a command (`pull`, `container prune`) that docent does not have.
pub fn instead_of(what: &str) -> Option<&'static str> {
    let find = |name: &str| INSTEAD.iter().find(|(n, _)| *n == name).map(|(_, instead)| *instead);
    find(what).or_else(|| find(what.rsplit(' ').next()?))
}

/// Flags of Docker's command `path` that docent lacks, as `(short, long)`.
pub(super) fn flags(path: &[String]) -> impl Iterator<Item = (Option<&'static str>, &'static str)> {
    let last = path.last().map(String::as_str).unwrap_or_default();
    let of = |name: &str| FLAGS.iter().find(|(n, _)| *n == name).map_or(&[][..], |(_, flags)| flags);
    let (own, more) = match last {
        "" => (GLOBAL, &[][..]),
        // `image ls` is `images`, not `ps`.
        "ls" if path.first().is_some_and(|group| group == "image") => (of("images"), &[][..]),
        "run" => (of("run"), CREATE),
        "create" => (CREATE, &[][..]),
        "inspect" if path.first().is_some_and(|group| group == "image") => (&["platform"][..], &[][..]),
        name => (of(name), &[][..]),
    };
    own.iter().chain(more).map(|flag| match flag.split_once('|') {
        Some((short, long)) => (Some(short), long),
        None => (None, *flag),
    })
}

/// The long name of a flag of Docker's (`-v`, `--volume`) that docent lacks.
pub(super) fn flag(path: &[String], word: &str) -> Option<&'static str> {
    flags(path)
        .find(|(short, long)| match word.strip_prefix("--") {
            Some(name) => name == *long,
            None => word.strip_prefix('-').is_some_and(|name| Some(name) == *short),
        })
        .map(|(_, long)| long)
}

/// Commands of Docker's group `path` that docent lacks.
pub(super) fn commands(path: &[String]) -> &'static [&'static str] {
    let group = path.first().map(String::as_str).unwrap_or_default();
    COMMANDS.iter().find(|(name, _)| *name == group).map_or(&[], |(_, commands)| commands)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_string).collect()
    }

    #[test]
    fn flags_by_command() {
        assert_eq!(flag(&path("run"), "-v"), Some("volume"));
        assert_eq!(flag(&path("container run"), "--volume"), Some("volume"));
        assert_eq!(flag(&path("create"), "--sig-proxy"), None);
        assert_eq!(flag(&path("run"), "--sig-proxy"), Some("sig-proxy"));
        assert_eq!(flag(&path("image ls"), "--tree"), Some("tree"));
        assert_eq!(flag(&path("container ls"), "-s"), Some("size"));
        assert_eq!(flag(&path(""), "-H"), Some("host"));
        assert_eq!(flag(&path("ps"), "--foo"), None);
    }

    /// What is refused as Docker's must not be something that docent has.
    #[test]
    fn nothing_stands_on_both_sides() {
        fn walk(command: &clap::Command, at: &[String]) {
            for arg in command.get_arguments() {
                if let Some(long) = arg.get_long() {
                    assert_eq!(flag(at, &format!("--{long}")), None, "{at:?} --{long}");
                }
                if let Some(short) = arg.get_short() {
                    assert_eq!(flag(at, &format!("-{short}")), None, "{at:?} -{short}");
                }
            }
            for sub in command.get_subcommands() {
                assert!(at.len() > 1 || !commands(at).contains(&sub.get_name()), "{at:?} {}", sub.get_name());
                let mut deeper = at.to_vec();
                deeper.push(sub.get_name().to_string());
                walk(sub, &deeper);
            }
        }
        walk(&crate::cli::command(), &[]);
    }

    #[test]
    fn what_serves_instead_is_something_that_is_here() {
        for (what, instead) in INSTEAD {
            let words: Vec<&str> = instead.split_whitespace().collect();
            if let [program @ ("docker" | "docent"), verb, ..] = words[..] {
                let tree = crate::cli::command();
                assert!(tree.find_subcommand(verb).is_some(), "{what}: {program} {verb}");
            }
        }
        assert_eq!(instead_of("container restart"), instead_of("restart"));
        assert_eq!(instead_of("volume"), None);
        assert!(instead_of("--volume").is_some());
    }
}
