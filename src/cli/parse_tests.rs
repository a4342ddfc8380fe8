//! Command lines as learners type them, compared with what Docker 28's client answers.

#![expect(clippy::result_large_err, reason = "a test's own results")]

use super::*;
use crate::cli::commands::create::Flags;
use crate::cli::commands::exec::Exec;
use crate::cli::commands::explain::Explain;
use crate::cli::commands::grade::{Format, Grade};
use crate::cli::commands::run::Run;
use crate::cli::environment::gather;
use crate::container::{CreateRequest, NetworkMode};

fn read(line: &str) -> Result<Cli, (Fault, i32)> {
    let argv = std::iter::once("docent".to_string()).chain(shlex::split(line).expect("a shell line"));
    parse_with(argv.map(OsString::from).collect(), &|_| None)
}

/// The command, as its own type.
#[track_caller]
fn parsed<C: commands::Command>(line: &str) -> C {
    let argv = std::iter::once("docent".to_string()).chain(shlex::split(line).expect("a shell line"));
    let words = command().try_get_matches_from(argv).unwrap_or_else(|e| panic!("{line}: {e}"));
    let mut inner = &words;
    while let Some((_, below)) = inner.subcommand() {
        inner = below;
    }
    C::from_arg_matches(inner).unwrap_or_else(|e| panic!("{line}: {e}"))
}

/// What was asked, spelled out.
#[track_caller]
fn shown(line: &str) -> String {
    format!("{:?}", read(line).unwrap_or_else(|e| panic!("{line}: {e:?}")).asked)
}

#[track_caller]
fn run(line: &str) -> Run {
    assert!(shown(line).starts_with("Command(Run {"), "{line}");
    parsed(line)
}

#[track_caller]
fn usage(line: &str) -> (String, i32, Option<String>, Option<String>) {
    match read(line) {
        Err((Fault::Usage { kind, word, suggestion, .. }, code)) => (kind, code, word, suggestion),
        other => panic!("{line}: {other:?}"),
    }
}

fn ask(flags: &Flags) -> CreateRequest {
    flags.request(false).expect("flags that fit together")
}

fn command_of(asked: &CreateRequest) -> Vec<&str> {
    asked.config.cmd.iter().flatten().map(String::as_str).collect()
}

#[test]
fn the_tree_is_sound() {
    command().debug_assert();
}

#[test]
fn flags_after_the_image_are_the_containers() {
    let args = run("run -d --name web -p 8080:80 nginx -d --name x -- --lang ko --help -h");
    assert!(args.detach);
    let asked = ask(&args.flags);
    let config = &asked.config;
    let ports = asked.host_config.port_bindings.len();
    assert_eq!((asked.name.as_deref(), config.image.as_str(), ports), (Some("web"), "nginx", 1));
    assert_eq!(command_of(&asked), ["-d", "--name", "x", "--", "--lang", "ko", "--help", "-h"]);
    let asked = ask(&run("run -- nginx -x").flags);
    assert_eq!((asked.config.image.as_str(), command_of(&asked)), ("nginx", vec!["-x"]));
    let a: Exec = parsed("exec -it web sh -c 'ls -la' -i");
    assert!(a.interactive && a.tty && !a.detach);
    assert_eq!(a.line.join("|"), "web|sh|-c|ls -la|-i");
}

#[test]
fn switches_join_and_take_a_value_as_dockers_do() {
    for line in
        ["run -itd x", "run -dit x", "run -i -t -d x", "run -it -d=true x", "run -itd=1 x", "container run -itd x"]
    {
        let args = run(line);
        assert!(args.detach && args.flags.interactive && args.flags.tty, "{line}");
    }
    let args = run("run -dit=false --rm=false --rm=true x");
    assert!(args.detach && args.flags.interactive && !args.flags.tty && args.flags.rm);
    // A switch does not take the next word.
    let args = run("run --rm true");
    assert_eq!((args.flags.rm, ask(&args.flags).config.image.as_str()), (true, "true"));
}

#[test]
fn a_flag_takes_the_next_word_whatever_it_is_and_the_last_counts() {
    let args = run("run -e -X=1 --entrypoint --name --user a --user=b --name=web -m=64m x").flags;
    assert_eq!((args.env.as_slice(), args.entrypoint.as_deref()), (&["-X=1".to_string()][..], Some("--name")));
    assert_eq!(args.user.as_deref(), Some("b"));
}

#[test]
fn run_reads_all_its_flags() {
    let args = run("run -i -t --rm --name web -e A=1 -e B -w /srv -u 1000:1000 --net none -p 80 -p 8080:80 -m 64m \
                    --cpus 1.5 --pids-limit 20 --entrypoint '' -h box -l a=b --label c --stop-signal QUIT \
                    --stop-timeout 3 x sh");
    let asked = ask(&args.flags);
    let (c, h) = (asked.config, asked.host_config);
    assert_eq!((h.memory, h.nano_cpus, h.pids_limit), (Some(64 << 20), Some(1_500_000_000), Some(20)));
    let ports: usize = h.port_bindings.values().map(Vec::len).sum();
    assert_eq!((h.network_mode, ports, c.hostname.as_deref()), (NetworkMode::None, 2, Some("box")));
    assert_eq!(
        (c.entrypoint, c.stop_signal.as_deref(), c.stop_timeout),
        (Some(vec![String::new()]), Some("SIGQUIT"), Some(3))
    );
    assert_eq!(c.labels.into_iter().collect::<Vec<_>>(), [("a".into(), "b".into()), ("c".into(), String::new())]);
    let env = gather(&args.flags.env_file, &args.flags.env, &|name| (name == "B").then(|| "2".into()));
    assert_eq!(env, Ok(vec!["A=1".into(), "B=2".into()]));
    assert_eq!(ask(&run("run x").flags).host_config.network_mode, NetworkMode::Bridge);
}

#[test]
fn both_spellings_lead_to_the_same_verb() {
    for (one, other) in [
        ("ps -a -q", "container ls -aq"),
        ("ps -a", "container list --all"),
        ("ps", "container ps"),
        ("images", "image ls"),
        ("images -q", "image list -q"),
        ("load -i x.tar", "image load --input=x.tar"),
        ("rm -f web", "container rm web -f"),
        ("stop -t 3 web", "container stop --time=3 web"),
        ("ps -h", "ps --help"),
        ("container", "container --help"),
    ] {
        assert_eq!(shown(one), shown(other), "{one} | {other}");
    }
    for (line, path) in [("run --help", "run"), ("container ps --help", "container ls"), ("lab", "lab")] {
        let path: Vec<&str> = path.split(' ').collect();
        assert_eq!(shown(line), format!("Help({path:?})"), "{line}");
        assert_eq!(
            usage_errors::described(&command(), &path.iter().map(|w| w.to_string()).collect::<Vec<_>>()),
            Ok(path.iter().map(|w| w.to_string()).collect())
        );
    }
    assert_eq!(shown("container inspect x"), "Command(InspectContainer { format: None, names: [\"x\"] })");
    assert_eq!(shown("image inspect x"), "Command(InspectImage { format: None, names: [\"x\"] })");
    // The note's line: `-all` is `-a -l -l`.
    assert_eq!(shown("container ls -all --quiet"), shown("ps -a -l -q"));
}

#[test]
fn docents_own_verbs() {
    let explain = |line: &str| {
        let a: Explain = parsed(line);
        (a.number, a.level, a.forecast.join(" "))
    };
    assert_eq!(explain("explain"), (None, None, String::new()));
    assert_eq!(explain("explain 3 --level deep"), (Some(3), Some(Level::Deep), String::new()));
    assert_eq!(explain("explain -- run -d --foo nginx"), (None, None, "run -d --foo nginx".into()));
    let g: Grade = parsed("grade 03 sub.sh --format json --student kim --secret s --labs d");
    assert_eq!((g.format, g.student.as_deref()), (Format::Json, Some("kim")));
    for (line, is) in [
        ("verify 2", "Command(Verify { format: Human, number: Some(2) })"),
        ("doctor", "Command(Doctor)"),
        ("lab start 03-nginx-cp-edit", "Command(Lab { verb: Start { lab: \"03-nginx-cp-edit\" } })"),
        ("journal", "Command(Journal { verb: None })"),
        ("journal show 4", "Command(Journal { verb: Some(Show { number: Some(4) }) })"),
        ("", "Session"),
        ("-v", "VersionLine"),
        ("--version", "VersionLine"),
    ] {
        assert_eq!(shown(line), is, "{line}");
    }
}

#[test]
fn globals_come_from_flags_before_the_environment() {
    let environ = |name: &str| match name {
        "DOCENT_ROOT" => Some("/env".to_string()),
        "DOCENT_NARRATE" => Some("deep".to_string()),
        "DOCENT_LANG" => Some("ko".to_string()),
        _ => None,
    };
    let with = |words: &[&str], environ: Environ| {
        let argv = std::iter::once("docent").chain(words.iter().copied()).map(OsString::from).collect();
        parse_with(argv, environ).map(|cli| Globals { argv: Vec::new(), ..cli.globals })
    };
    let given = with(&["--lang", "en", "ps", "--root=/r", "--narrate", "off", "--narrate-to", "f"], &environ);
    let globals = Globals {
        root: Some("/r".into()),
        lang: Lang::En,
        narrate: Some(Level::Off),
        narrate_to: Some("f".into()),
        argv: Vec::new(),
    };
    assert_eq!(given, Ok(globals));
    let globals = Globals {
        root: Some("/env".into()),
        lang: Lang::Ko,
        narrate: Some(Level::Deep),
        narrate_to: None,
        argv: Vec::new(),
    };
    assert_eq!(with(&["ps"], &environ), Ok(globals));
    let bad = with(&["ps"], &|name| (name == "DOCENT_LANG").then(|| "fr".into()));
    assert_eq!(bad, Err((parsers::bad("DOCENT_LANG", "fr", "ko|en"), 125)));
}

#[test]
fn mistakes_have_dockers_exit_codes() {
    let s = |t: &str| Some(t.to_string());
    for (line, kind, code, word, suggestion) in [
        ("run", "missing-arguments", 1, None, None),
        ("run -d", "missing-arguments", 1, None, None),
        ("exec web", "missing-arguments", 1, None, None),
        ("exec -it", "missing-arguments", 1, None, None),
        ("cp a", "missing-arguments", 1, None, None),
        ("stop", "missing-arguments", 1, None, None),
        ("logs", "missing-arguments", 1, None, None),
        ("grade", "missing-arguments", 1, None, None),
        ("ps extra", "too-many-arguments", 1, s("extra"), None),
        ("logs a b", "too-many-arguments", 1, s("b"), None),
        ("images a b", "too-many-arguments", 1, s("b"), None),
        ("doctor now", "too-many-arguments", 1, s("now"), None),
        ("run --foo nginx", "unknown-flag", 125, s("--foo"), None),
        ("run --nam=web nginx", "unknown-flag", 125, s("--nam"), s("--name")),
        ("run --volme a:b nginx", "unknown-flag", 125, s("--volme"), s("--volume")),
        ("run -Z nginx", "unknown-shorthand", 125, s("-Z"), None),
        ("run -itdz nginx", "unknown-shorthand", 125, s("-z"), None),
        ("ps --foo", "unknown-flag", 125, s("--foo"), None),
        ("--foo", "unknown-flag", 125, s("--foo"), None),
        ("run -p", "flag-needs-value", 125, s("--publish"), None),
        ("run --network", "flag-needs-value", 125, s("--network"), None),
        ("ps -n", "flag-needs-value", 125, s("--last"), None),
        ("run -h", "flag-needs-value", 125, s("--hostname"), None),
        ("foo", "unknown-command", 1, s("foo"), None),
        ("rnu nginx", "unknown-command", 1, s("rnu"), s("run")),
        ("loing", "unknown-command", 1, s("loing"), s("login")),
        ("container foo", "unknown-command", 1, s("foo"), None),
        ("image lst", "unknown-command", 1, s("lst"), s("ls")),
    ] {
        assert_eq!(usage(line), (kind.into(), code, word, suggestion), "{line}");
    }
}

#[test]
fn dockers_own_sentence_is_kept_for_logs() {
    for (line, says) in [
        ("run", "requires at least 1 argument"),
        ("exec a", "requires at least 2 arguments"),
        ("cp a", "requires 2 arguments"),
        ("logs a b", "requires 1 argument"),
        ("images a b", "requires at most 1 argument"),
        ("ps a", "accepts no arguments"),
    ] {
        match read(line) {
            Err((Fault::Usage { text, .. }, 1)) => assert_eq!(text, says, "{line}"),
            other => panic!("{line}: {other:?}"),
        }
    }
}

#[test]
fn what_docker_has_and_docent_lacks_is_named() {
    for (line, what) in [
        ("run -v a:b nginx", "--volume"),
        ("run -itv a:b nginx", "--volume"),
        ("run --volume=a:b nginx", "--volume"),
        ("run --restart always nginx", "--restart"),
        ("run --init nginx", "--init"),
        ("create --privileged nginx", "--privileged"),
        ("container run --gpus all nginx", "--gpus"),
        ("ps -s", "--size"),
        ("container ls --size", "--size"),
        ("logs --since 1h web", "--since"),
        ("-H tcp://x ps", "--host"),
        ("pull nginx", "pull"),
        ("image pull nginx", "image pull"),
        ("compose up", "compose"),
        ("run --network lan nginx", "--network lan"),
        ("run -p 53:53/udp nginx", "--publish 53:53/udp"),
        ("inspect --type volume x", "--type volume"),
    ] {
        match read(line) {
            Err((Fault::Unsupported { what: named, .. }, 125)) => assert_eq!(named, what, "{line}"),
            other => panic!("{line}: {other:?}"),
        }
    }
}

#[test]
fn bad_values_name_their_flag() {
    for (line, flag, value) in [
        ("run -p abc nginx", "--publish", "abc"),
        ("run -m 5x nginx", "--memory", "5x"),
        ("run --rm=maybe nginx", "--rm", "maybe"),
        ("run -it=x nginx", "--tty", "x"),
        ("run --cpus abc nginx", "--cpus", "abc"),
        ("run --pids-limit abc nginx", "--pids-limit", "abc"),
        ("run -l =x nginx", "--label", "=x"),
        ("run -e =x nginx", "--env", "=x"),
        ("run -w srv nginx", "--workdir", "srv"),
        ("run --name= nginx", "", ""),
        ("ps -n abc", "--last", "abc"),
        ("ps --filter foo", "--filter", "foo"),
        ("stop -t abc x", "--timeout", "abc"),
        ("logs -n x web", "--tail", "x"),
        ("explain x", "N", "x"),
        ("--lang fr ps", "--lang", "fr"),
        ("--narrate loud ps", "--narrate", "loud"),
        ("explain --level loud", "--level", "loud"),
        ("run --stop-timeout abc nginx", "--stop-timeout", "abc"),
        ("grade a b --format xml", "--format", "xml"),
    ] {
        match read(line) {
            Err((Fault::BadValue { flag: f, value: v, expected }, code)) => {
                assert_eq!(code, 125, "{line}");
                assert_eq!((f.as_str(), v.as_str()), (flag, value), "{line}");
                assert!(!expected.is_empty() && expected.is_ascii(), "{line}");
            }
            Err((Fault::BadName { name }, 125)) => assert_eq!((name.as_str(), flag), ("", ""), "{line}"),
            other => panic!("{line}: {other:?}"),
        }
    }
}

#[test]
fn what_dockers_engine_refuses_has_its_words_and_codes() {
    for (line, fault, code) in [
        ("run --stop-signal FOO nginx", Fault::BadSignal { signal: "FOO".into() }, 125),
        ("create --stop-signal FOO nginx", Fault::BadSignal { signal: "FOO".into() }, 1),
        ("kill -s NOPE x", Fault::BadSignal { signal: "NOPE".into() }, 1),
        ("stop -s 0 x", Fault::BadSignal { signal: "0".into() }, 1),
        ("run -m 4k nginx", Fault::MemoryTooLow { value: "4k".into() }, 125),
        ("create -m 1m nginx", Fault::MemoryTooLow { value: "1m".into() }, 1),
    ] {
        assert_eq!(read(line).err(), Some((fault, code)), "{line}");
    }
}

#[test]
fn an_unknown_letter_is_shown_with_what_stands_behind_it() {
    for (line, shown) in [("run -z nginx", "-z"), ("ps -zq", "-zq"), ("run -iz x", "-z"), ("run -z=3 x", "-z=3")] {
        match read(line) {
            Err((Fault::Usage { kind, word, .. }, 125)) => {
                assert_eq!((kind.as_str(), word.as_deref()), ("unknown-shorthand", Some(shown)), "{line}");
            }
            other => panic!("{line}: {other:?}"),
        }
    }
}

#[test]
fn words_that_are_not_utf8_are_refused() {
    use std::os::unix::ffi::OsStringExt;
    let argv = vec!["docent".into(), "logs".into(), OsString::from_vec(vec![0xff])];
    match parse_with(argv, &|_| None) {
        Err((Fault::Usage { kind, .. }, 125)) => assert_eq!(kind, "not-utf8"),
        other => panic!("{other:?}"),
    }
}
