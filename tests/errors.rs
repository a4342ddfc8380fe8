//! Wrong input: a sentence with the cause and the way out, in both languages, Docker's exit code, and nothing lost.

mod common;

use common::Machine;

/// A command that must fail: its words, its code, and what the English and the Korean sentence must name.
struct Wrong {
    words: &'static [&'static str],
    code: i32,
    names: &'static str,
}

const WRONG: &[Wrong] = &[
    Wrong { words: &["run", "--nope", "tiny"], code: 125, names: "--nope" },
    Wrong { words: &["ps", "--nope"], code: 125, names: "--nope" },
    Wrong { words: &["run", "--privileged", "tiny"], code: 125, names: "--privileged" },
    Wrong { words: &["nonsense"], code: 1, names: "nonsense" },
    Wrong { words: &["run", "--rm", "nginx:1.18"], code: 125, names: "nginx:1.18" },
    Wrong { words: &["create", "missing"], code: 1, names: "missing" },
    Wrong { words: &["create", "--name", "a b", "nginx"], code: 1, names: "a b" },
    Wrong { words: &["run", "Bad:Ref:"], code: 125, names: "Bad:Ref:" },
    Wrong { words: &["run", "--name", "taken", "tiny", "true"], code: 125, names: "taken" },
    Wrong { words: &["run", "--name", "-bad", "tiny", "true"], code: 125, names: "-bad" },
    Wrong { words: &["run", "-d", "-p", "127.0.0.1:8080:80", "tiny", "sleep", "9"], code: 125, names: "8080" },
    Wrong { words: &["run", "-p", "80:80:80:80", "tiny"], code: 125, names: "80:80:80:80" },
    Wrong { words: &["run", "--rm", "tiny", "no-such-command"], code: 127, names: "no-such-command" },
    Wrong { words: &["run", "--rm", "tiny", "/etc/passwd"], code: 126, names: "/etc/passwd" },
    Wrong { words: &["run", "--rm", "tiny", "/etc"], code: 126, names: "/etc" },
    Wrong { words: &["run", "--rm", "-u", "nobody-here", "tiny", "true"], code: 125, names: "nobody-here" },
    Wrong { words: &["run", "--rm", "-m", "1k", "tiny", "true"], code: 125, names: "1k" },
    Wrong { words: &["exec", "no-such", "true"], code: 1, names: "no-such" },
    Wrong { words: &["start", "no-such"], code: 1, names: "no-such" },
    Wrong { words: &["port", "taken", "81"], code: 1, names: "81" },
    Wrong { words: &["inspect", "no-such"], code: 1, names: "no-such" },
    Wrong { words: &["cp", "taken:/no/such", "x"], code: 1, names: "/no/such" },
    Wrong { words: &["load", "-i", "damaged.tar"], code: 1, names: "damaged.tar" },
    Wrong { words: &["load", "-i", "no-such.tar"], code: 1, names: "no-such.tar" },
    Wrong { words: &["load", "-i", "text.tar"], code: 1, names: "text.tar" },
    Wrong { words: &["logs", "no-such"], code: 1, names: "no-such" },
    Wrong { words: &["ps", "--format", "{{.Nope}}"], code: 1, names: "Nope" },
    Wrong { words: &["verify", "9999"], code: 1, names: "9999" },
    Wrong { words: &["lab", "start", "no-lab"], code: 1, names: "no-lab" },
    Wrong { words: &["grade", "03-nginx-cp-edit", "no-such.sh"], code: 2, names: "no-such.sh" },
];

fn prepared() -> Option<Machine> {
    let m = Machine::new("errors", &["python3"])?;
    m.docent(&["run", "-d", "--name", "taken", "-p", "127.0.0.1:8080:80", "nginx"]).ok();
    m.docent(&["run", "--rm", "tiny", "true"]).ok();
    common::archive(&m.work().join("good.tar"), "good:1");
    m.sh("head -c 700 good.tar >damaged.tar; echo hello >text.tar").ok();
    Some(m)
}

#[test]
fn every_wrong_input_has_its_code_and_a_sentence_in_both_languages() {
    let Some(m) = prepared() else { return };
    let state = "\"$0\" ps -a --format '{{.Names}} {{.State}}'; \"$0\" images --format '{{.Repository}}'";
    let before = m.sh(state).ok().stdout;
    for wrong in WRONG {
        let answers: Vec<String> = ["en", "ko"]
            .iter()
            .map(|lang| {
                let ran = m.docent(&[&["--lang", lang], wrong.words].concat());
                assert_eq!(ran.code, wrong.code, "{:?}: {}{}", wrong.words, ran.stdout, ran.stderr);
                assert!(ran.stderr.contains(wrong.names), "{:?} names {}: {}", wrong.words, wrong.names, ran.stderr);
                assert!(!ran.stderr.contains("panicked") && !ran.stderr.contains("{}"), "{}", ran.stderr);
                ran.stderr
            })
            .collect();
        assert_ne!(answers[0], answers[1], "{:?}", wrong.words);
        assert!(answers[1].chars().any(|c| ('가'..='힣').contains(&c)), "{}", answers[1]);
        assert!(answers.iter().all(|a| a.lines().count() > 1), "a way out: {answers:?}");
        // A container that could not start stays `Created`, as Docker leaves it.
        m.sh("\"$0\" ps -aq --filter status=created | xargs -r \"$0\" rm >/dev/null").ok();
    }
    assert_eq!(m.sh(state).ok().stdout, before, "nothing lost, nothing added");
    assert_eq!(m.leftovers(1), Vec::<String>::new());
}

#[test]
fn an_ordinary_user_gets_a_verdict_and_the_way_out() {
    let Some(m) = Machine::new("errors::user", &["setpriv"]) else { return };
    m.sh("cp \"$0\" ./docent; chmod 755 . ./docent; chmod 755 $(dirname \"$PWD\")").ok();
    for (lang, root) in [("en", "root"), ("ko", "root")] {
        let script = format!(
            "unset DOCENT_ROOT; HOME=/tmp setpriv --reuid 65534 --regid 65534 --clear-groups ./docent --lang {lang} run --rm tiny true"
        );
        let ran = m.sh(&script);
        assert_eq!(ran.code, 125, "{ran:?}");
        assert!(ran.stderr.contains(root) && ran.stderr.contains("doctor"), "{}", ran.stderr);
        let script = format!(
            "unset DOCENT_ROOT; HOME=/tmp setpriv --reuid 65534 --regid 65534 --clear-groups ./docent --lang {lang} doctor"
        );
        let ran = m.sh(&script);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.stdout.contains("T1") || ran.stdout.contains("T2") || ran.stdout.contains("T3"), "{}", ran.stdout);
    }
}

/// As many as a command line of this host may have, and more than a packet between docent's processes holds.
#[test]
fn a_long_command_line_arrives_whole() {
    let Some(m) = Machine::new("errors::long", &[]) else { return };
    m.docent(&["run", "-d", "--name", "web", "--network", "none", "tiny", "sleep", "1000"]).ok();
    let (long, small) = (vec!["x".repeat(127 << 10); 8], vec!["a".to_string(); 100_000]);
    let count = ["sh", "-c", "echo $#:$(printf %s \"$@\" | wc -c)", "sh"];
    for (words, said) in [(&long, "8:1040384\n"), (&small, "100000:100000\n")] {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        for begin in [&["run", "--rm", "--network", "none", "tiny"][..], &["exec", "web"]] {
            let ran = m.docent(&[&["--narrate", "full"], begin, &count, &words].concat()).ok();
            assert_eq!(ran.stdout, said, "{begin:?}");
            assert!(ran.stderr.contains("echo $#"), "{}", ran.stderr);
            assert!(ran.stderr.len() < 20_000, "a story is read: {} bytes", ran.stderr.len());
            for level in ["full", "deep"] {
                let told = m.docent(&["explain", "--level", level]).ok().stdout;
                assert!(told.contains("echo $#") && told.len() < 100_000, "{level}: {} bytes", told.len());
            }
        }
    }
    let id = m
        .docent(
            &[
                &["create", "--network", "none", "tiny", "true"],
                &long.iter().map(String::as_str).collect::<Vec<_>>()[..],
            ]
            .concat(),
        )
        .ok()
        .stdout;
    assert!(m.docent(&["inspect", id.trim()]).ok().stdout.len() > 1 << 20);
    assert!(m.docent(&["ps", "-a", "--no-trunc"]).ok().stdout.len() > 1 << 20);
    assert!(m.docent(&["ps", "-a"]).ok().stdout.len() < 1000);
    assert!(m.docent(&["journal", "list"]).ok().stdout.len() < 100_000);
    assert!(m.docent(&["run", "--rm", "tiny", &"y".repeat(100 << 10)]).stderr.len() < 10_000);
}

/// What the kernel refuses (execve(2): E2BIG) is said as that, with Docker's words and code.
#[test]
fn arguments_that_the_kernel_refuses_are_named() {
    let Some(m) = Machine::new("errors::refused", &[]) else { return };
    m.docent(&["run", "-d", "--name", "web", "--network", "none", "tiny", "sleep", "1000"]).ok();
    m.sh("{ printf LONG=; head -c 132000 /dev/zero | tr '\\0' x; echo; } >one").ok();
    m.sh("for n in $(seq 70); do printf LONG$n=; head -c 100000 /dev/zero | tr '\\0' x; echo; done >many").ok();
    for (file, ko) in [("one", "128 KiB"), ("many", "ulimit -s")] {
        for (lang, named) in [("en", "argument list too long"), ("ko", ko)] {
            let run: &[&str] = &["--lang", lang, "run", "--env-file", file, "--network", "none", "tiny", "true"];
            let exec: &[&str] = &["--lang", lang, "exec", "--env-file", file, "web", "true"];
            for words in [run, exec] {
                let ran = m.docent(words);
                assert_eq!(ran.code, 126, "{words:?}: {}", ran.stderr);
                assert!(ran.stderr.contains(named) && ran.stderr.contains(ko), "{words:?}: {}", ran.stderr);
                assert!(ran.stderr.contains("→") && ran.stderr.len() < 2000, "{words:?}: {}", ran.stderr);
                let told = m.docent(&["explain", "--level", "json"]).ok().stdout;
                assert!(told.contains("process.exec") && told.contains("\"errno\":7"), "{words:?}: {told}");
            }
        }
    }
    let left = m.docent(&["ps", "-a", "--format", "{{.Status}}", "--filter", "name=_"]).ok().stdout;
    assert_eq!(left, "Created\n".repeat(4));
    let code = m.sh("\"$0\" inspect -f '{{.State.ExitCode}}' $(\"$0\" ps -aq --filter status=created)").ok().stdout;
    assert_eq!(code, "126\n".repeat(4));
    m.docent(&["rm", "-f", "web"]).ok();
    m.sh("\"$0\" rm $(\"$0\" ps -aq)").ok();
    assert_eq!(m.leftovers(0), Vec::<String>::new());
}
