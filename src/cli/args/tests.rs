//! Command lines as learners type them, compared with what Docker 28's client answers.

#![expect(clippy::result_large_err, reason = "a test's own results")]

use super::*;
use crate::container::NetworkMode;

fn read(line: &str) -> Result<Cli, (Fault, i32)> {
    let argv = std::iter::once("docent".to_string()).chain(shlex::split(line).expect("a shell line"));
    parse_with(argv.map(OsString::from).collect(), &|_| None)
}

#[track_caller]
fn verb(line: &str) -> Verb {
    read(line).unwrap_or_else(|e| panic!("{line}: {e:?}")).verb
}

#[track_caller]
fn run(line: &str) -> RunArgs {
    match verb(line) {
        Verb::Run(args) => *args,
        other => panic!("{line}: {other:?}"),
    }
}

#[track_caller]
fn usage(line: &str) -> (String, i32, Option<String>, Option<String>) {
    match read(line) {
        Err((Fault::Usage { kind, word, suggestion, .. }, code)) => (kind, code, word, suggestion),
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn the_tree_is_sound() {
    command().debug_assert();
}

#[test]
fn flags_after_the_image_are_the_containers() {
    let args = run("run -d --name web -p 8080:80 nginx -d --name x -- --lang ko --help -h");
    assert!(args.detach);
    assert_eq!((args.create.name.as_deref(), args.create.image()), (Some("web"), "nginx"));
    assert_eq!(args.create.command(), ["-d", "--name", "x", "--", "--lang", "ko", "--help", "-h"]);
    assert_eq!(args.create.port_bindings().len(), 1);
    let args = run("run -- nginx -x");
    assert_eq!((args.create.image(), args.create.command()), ("nginx", &["-x".to_string()][..]));
    match verb("exec -it web sh -c 'ls -la' -i") {
        Verb::Exec(a) => {
            assert!(a.interactive && a.tty && !a.detach);
            assert_eq!((a.name(), a.command().join("|")), ("web", "sh|-c|ls -la|-i".into()));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn switches_join_and_take_a_value_as_dockers_do() {
    for line in
        ["run -itd x", "run -dit x", "run -i -t -d x", "run -it -d=true x", "run -itd=1 x", "container run -itd x"]
    {
        let args = run(line);
        assert!(args.detach && args.create.interactive && args.create.tty, "{line}");
    }
    let args = run("run -dit=false --rm=false --rm=true x");
    assert!(args.detach && args.create.interactive && !args.create.tty && args.create.rm);
    // A switch does not take the next word.
    let args = run("run --rm true");
    assert_eq!((args.create.rm, args.create.image()), (true, "true"));
}

#[test]
fn a_flag_takes_the_next_word_whatever_it_is_and_the_last_counts() {
    let args = run("run -e -X=1 --entrypoint --name --user a --user=b --name=web -m=64m x").create;
    assert_eq!((args.env.as_slice(), args.entrypoint.as_deref()), (&["-X=1".to_string()][..], Some("--name")));
    assert_eq!(args.user.as_deref(), Some("b"));
}

#[test]
fn run_reads_all_its_flags() {
    let args = run("run -i -t --rm --name web -e A=1 -e B -w /srv -u 1000:1000 --net none -p 80 -p 8080:80 -m 64m \
                    --cpus 1.5 --pids-limit 20 --entrypoint '' -h box -l a=b --label c --stop-signal QUIT \
                    --stop-timeout 3 x sh");
    let c = &args.create;
    assert_eq!(c.limits(), crate::container::Limits { memory: Some(64 << 20), cpu_milli: Some(1500), pids: Some(20) });
    assert_eq!(
        (c.network(), c.port_bindings().values().map(Vec::len).sum::<usize>(), c.hostname.as_deref()),
        (NetworkMode::None, 2, Some("box"))
    );
    assert_eq!((c.entrypoint.as_deref(), c.stop_signal, c.stop_timeout), (Some(""), Some(3), Some(3)));
    assert_eq!(c.labels().into_iter().collect::<Vec<_>>(), [("a".into(), "b".into()), ("c".into(), String::new())]);
    let env = c.environment(&|name| (name == "B").then(|| "2".into()));
    assert_eq!(env, Ok(vec!["A=1".into(), "B=2".into()]));
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
        ("inspect --type image x", "image inspect x"),
        ("inspect --type container x", "container inspect x"),
        ("help run", "run --help"),
        ("ps -h", "ps --help"),
        ("help container ls", "container ps --help"),
        ("container", "container --help"),
        ("journal", "journal list"),
    ] {
        assert_eq!(verb(one), verb(other), "{one} | {other}");
    }
    // The note's line: `-all` is `-a -l -l`.
    assert_eq!(verb("container ls -all --quiet"), verb("ps -a -l -q"));
}

#[test]
fn docents_own_verbs() {
    let explain = |number, level, forecast: &[&str]| {
        let forecast = forecast.iter().map(|w| w.to_string()).collect();
        Verb::Explain(ExplainArgs { number, level, forecast })
    };
    assert_eq!(verb("explain"), explain(None, None, &[]));
    assert_eq!(verb("explain 3 --level deep"), explain(Some(3), Some(Level::Deep), &[]));
    assert_eq!(verb("explain -- run -d --foo nginx"), explain(None, None, &["run", "-d", "--foo", "nginx"]));
    assert_eq!(verb("verify 2"), Verb::Verify(VerifyArgs { number: Some(2) }));
    assert_eq!(verb("doctor"), Verb::Doctor);
    assert_eq!(verb("lab start 03-nginx-cp-edit"), Verb::Lab(LabVerb::Start { lab: "03-nginx-cp-edit".into() }));
    assert_eq!(verb("lab"), Verb::Help(vec!["lab".into()]));
    assert_eq!(verb("journal show 4"), Verb::Journal(JournalVerb::Show { number: Some(4) }));
    match verb("grade 03 sub.sh --format json --student kim --secret s --labs d") {
        Verb::Grade(g) => assert_eq!((g.format, g.student.as_deref()), (GradeFormat::Json, Some("kim"))),
        other => panic!("{other:?}"),
    }
    assert_eq!((verb(""), verb("-v"), verb("--version")), (Verb::Session, Verb::VersionLine, Verb::VersionLine));
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
        parse_with(argv, environ).map(|cli| cli.globals)
    };
    let given = with(&["--lang", "en", "ps", "--root=/r", "--narrate", "off", "--narrate-to", "f"], &environ);
    let globals =
        Globals { root: Some("/r".into()), lang: Lang::En, narrate: Some(Level::Off), narrate_to: Some("f".into()) };
    assert_eq!(given, Ok(globals));
    let globals = Globals { root: Some("/env".into()), lang: Lang::Ko, narrate: Some(Level::Deep), narrate_to: None };
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
        ("help foo", "unknown-command", 1, s("foo"), None),
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
        ("help build", "build"),
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
