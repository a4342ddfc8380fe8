//! What Docker 28 has and docent does not, so that it is never taken for a typing error, and what serves instead.
//!
//! The lists are Docker's own, whole, as its `--help` and its sources (hidden flags) have them. They are only asked about what
//! the registry does not have, so a command or a flag that docent learns is taken off nowhere.

use super::commands::{self, IsName, names_one};
use super::is_one;

/// Flags of `create`, all of which `run` has too. `c|cpu-shares` has a short form.
const CREATE: &str = "add-host annotation a|attach blkio-weight blkio-weight-device cap-add cap-drop cgroup-parent cgroupns \
    cidfile cpu-count cpu-percent cpu-period cpu-quota cpu-rt-period cpu-rt-runtime c|cpu-shares cpus cpuset-cpus \
    cpuset-mems device device-cgroup-rule device-read-bps device-read-iops device-write-bps device-write-iops \
    disable-content-trust dns dns-opt dns-option dns-search domainname entrypoint e|env env-file expose gpus group-add \
    health-cmd health-interval health-retries health-start-interval health-start-period health-timeout h|hostname init \
    i|interactive io-maxbandwidth io-maxiops ip ip6 ipc isolation kernel-memory l|label label-file link link-local-ip \
    log-driver log-opt mac-address m|memory memory-reservation memory-swap memory-swappiness mount name net net-alias \
    network network-alias no-healthcheck oom-kill-disable oom-score-adj pid pids-limit platform privileged p|publish \
    P|publish-all pull q|quiet read-only restart rm runtime security-opt shm-size stop-signal stop-timeout storage-opt \
    sysctl tmpfs t|tty ulimit use-api-socket u|user userns uts v|volume volume-driver volumes-from w|workdir";

/// Flags by command; "" is docker itself.
const FLAGS: &[(&str, &str)] = &[
    ("", "config c|context D|debug H|host l|log-level tls tlscacert tlscert tlskey tlsverify v|version"),
    ("create", CREATE),
    ("run", "d|detach detach-keys sig-proxy"),
    ("start", "a|attach checkpoint checkpoint-dir detach-keys i|interactive"),
    ("stop", "s|signal t|timeout time"),
    ("kill", "s|signal"),
    ("rm", "f|force l|link v|volumes"),
    ("ps", "a|all f|filter format n|last l|latest no-trunc q|quiet s|size"),
    ("logs", "details f|follow since n|tail t|timestamps until"),
    ("exec", "d|detach detach-keys e|env env-file i|interactive privileged t|tty u|user w|workdir"),
    ("cp", "a|archive L|follow-link q|quiet"),
    ("inspect", "f|format s|size type"),
    ("container inspect", "f|format s|size"),
    ("image inspect", "f|format platform"),
    ("images", "a|all digests f|filter format no-trunc q|quiet tree"),
    ("load", "i|input platform q|quiet"),
    ("version", "f|format"),
];

/// Docker's commands that may stand alone in a session, were docent to have them.
const OURS: &str = "attach build commit container create events image images inspect load logs network pause port pull push \
    restart rmi run save start stats stop system tag unpause version volume";
/// Those whose names belong to the shell or to a Unix tool.
const SHELLS: &str = "cp diff exec export history import info kill login logout ps rename rm top update wait";
/// Those for administrators, among them the plugins that Docker brings along: alone they may be any program.
const OTHERS: &str = "builder buildx checkpoint compose config context debug init manifest model node plugin scout search \
    secret service stack swarm trust";
/// Below a group.
const GROUPS: &[(&str, &str)] = &[
    (
        "container",
        "attach commit cp create diff exec export inspect kill list logs ls pause port prune ps rename restart rm run \
         start stats stop top unpause update wait",
    ),
    ("image", "build history import inspect list load ls prune pull push remove rm save tag"),
    ("system", "df events info prune"),
];

/// What serves instead. Command lines, which need no translation.
const INSTEAD: &[(&str, &str)] = &[
    ("attach", "docker logs -f NAME"),
    ("build", "docker load -i FILE"),
    ("container prune", "docker rm $(docker ps -aq --filter status=exited)"),
    ("export", "docker cp NAME:/ DIRECTORY"),
    ("history", "docker image inspect IMAGE"),
    ("info", "docent doctor"),
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

/// Flags of Docker's command `path`, as `(short, long)`.
pub fn flags<S: AsRef<str>>(path: &[S]) -> impl Iterator<Item = (Option<&'static str>, &'static str)> + use<S> {
    let is = |name: &str| match commands::find(path) {
        Some(command) => command.spellings().any(|s| s == name),
        None => path.is_empty() && name.is_empty(),
    };
    let own = FLAGS.iter().find(|(name, _)| is(name)).map_or("", |(_, flags)| flags);
    let more = if is("run") { CREATE } else { "" };
    own.split_whitespace().chain(more.split_whitespace()).map(|flag| match flag.split_once('|') {
        Some((short, long)) => (Some(short), long),
        None => (None, flag),
    })
}

/// The long name of a flag of Docker's (`-v`, `--volume`).
pub fn flag<S: AsRef<str>>(path: &[S], word: &str) -> Option<&'static str> {
    let is = |(short, long): &(Option<&str>, &str)| match word.strip_prefix("--") {
        Some(name) => name == *long,
        None => word.strip_prefix('-').is_some_and(|name| Some(name) == *short),
    };
    flags(path).find(is).map(|(_, long)| long)
}

/// Commands of Docker's at `path`: none, or a group.
pub fn commands<S: AsRef<str>>(path: &[S]) -> impl Iterator<Item = &'static str> + use<S> {
    let lists = match path {
        [] => [OURS, SHELLS, OTHERS],
        [group] => [GROUPS.iter().find(|(name, _)| *name == group.as_ref()).map_or("", |(_, list)| *list), "", ""],
        _ => [""; 3],
    };
    lists.into_iter().flat_map(str::split_whitespace)
}

/// Those that may stand alone.
pub fn bare() -> impl Iterator<Item = &'static str> {
    OURS.split_whitespace()
}

/// Whether a verb of the shell's that Docker has too was probably meant for a container, or for a registry.
pub fn hinted(verb: &str, args: &[&str], is_name: IsName) -> bool {
    match verb {
        "login" | "logout" | "info" => args.iter().all(|a| a.starts_with('-')),
        _ => is_one(SHELLS, verb) && names_one(args, is_name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::commands::COMMANDS;

    fn path(text: &str) -> Vec<&str> {
        text.split_whitespace().collect()
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

    /// Nothing that Docker has is taken for a typing error: it is understood, or refused by its name. And no flag of a
    /// command of Docker's is docent's invention.
    #[test]
    #[expect(clippy::result_large_err, reason = "a test")]
    fn nothing_of_dockers_is_forgotten() {
        let read = |line: &str| crate::cli::parse(line.split_whitespace().map(Into::into).collect());
        let unknown = |line: &str| match read(line) {
            Err((crate::event::Fault::Usage { kind, .. }, _)) => kind.starts_with("unknown"),
            _ => false,
        };
        for name in commands(&path("")).chain(["ps", "images"]) {
            assert!(!unknown(&format!("docker {name}")), "{name}");
            for below in commands(&[name]) {
                assert!(!unknown(&format!("docker {name} {below}")), "{name} {below}");
            }
        }
        for entry in COMMANDS.iter().filter(|c| c.program() == "docker") {
            for spelling in entry.spellings() {
                for (short, long) in flags(&path(&spelling)) {
                    assert!(!unknown(&format!("docker {spelling} --{long}")), "{spelling} --{long}");
                    assert!(short.is_none_or(|s| !unknown(&format!("docker {spelling} -{s}"))), "{spelling} {short:?}");
                }
                let tree = crate::cli::command();
                let command = path(&spelling).iter().try_fold(&tree, |c, w| c.find_subcommand(w)).expect("it is there");
                for arg in command.get_arguments().filter(|a| !a.is_positional()) {
                    let long = format!("--{}", arg.get_long().expect("a long name"));
                    assert!(flag(&path(&spelling), &long).is_some(), "{spelling} {long}");
                }
            }
        }
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
