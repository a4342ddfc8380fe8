use super::*;

/// A shell of each family that this machine has, without a terminal.
fn each(test: impl Fn(&mut Shell, &Path)) {
    let mut tried = 0;
    for (program, family) in [
        ("/bin/bash", Family::Bash),
        ("/bin/dash", Family::Dash),
        ("/bin/sh", Family::Plain),
        ("/bin/zsh", Family::Zsh),
    ] {
        if !Path::new(program).exists() {
            continue;
        }
        let dir = tempfile::tempdir().expect("a directory");
        let start =
            Start { dir: dir.path(), program: Path::new("/bin/echo"), env: &[("LAB", "7".into())], terminal: false };
        let mut shell = Shell::start_as(&start, program.into(), family).expect(program);
        test(&mut shell, dir.path());
        tried += 1;
    }
    assert!(tried > 0);
}

#[track_caller]
fn gives(shell: &mut Shell, line: &str, want: i32) {
    assert_eq!(shell.run(line).expect("an answer"), Ended::Line(want), "{:?} {line}", shell.grammar);
}

#[test]
fn lines_share_directory_variables_functions_and_status() {
    each(|shell, _| {
        let before = std::env::current_dir().expect("a directory");
        gives(shell, "A='it'\\''s'; f() { return 7; }", 0);
        gives(shell, "f", 7);
        gives(shell, "test $? = 7", 0);
        gives(shell, "(exit 4)", 4);
        assert_eq!(shell.export("DOCENT_LANG", "en").expect("an answer"), Ended::Line(4));
        gives(shell, "test $? = 4 && test \"$A\" = \"it's\" && test $DOCENT_LANG = en && test $LAB = 7", 0);
        gives(shell, "cat > /dev/null; test \"$(cat <<E\n가 $LAB\nE\n)\" = '가 7'", 0);
        std::env::set_current_dir(before).expect("back");
    });
}

#[test]
fn docker_and_docent_are_this_program_and_get_no_descriptors_of_ours() {
    each(|shell, dir| {
        gives(shell, "test \"$(docker run x; docent y)\" = \"$(printf 'run x\\ny')\"", 0);
        let list = dir.join("fds");
        // ls opens one for the directory; the shell's own are not there.
        gives(shell, &format!("ls -l /proc/self/fd > '{}'", list.display()), 0);
        let fds = std::fs::read_to_string(&list).expect("a list");
        assert!(!fds.contains("answer"), "{fds}");
        let numbers =
            fds.lines().filter_map(|l| l.split(" -> ").next()?.split_whitespace().last()?.parse::<i32>().ok());
        for n in numbers {
            assert!(n <= 3 || !is_shells(&fds, n), "{:?}: {fds}", shell.grammar);
        }
        let stdin = fds.lines().find(|l| l.contains(" 0 -> ")).expect("stdin");
        assert!(stdin.ends_with("/dev/null"), "{stdin}");
    });
}

/// Descriptor `n` is a pipe that the test runner itself does not have.
fn is_shells(list: &str, n: i32) -> bool {
    let target = list.lines().find_map(|l| l.split_once(&format!(" {n} -> ")).map(|(_, t)| t.to_string()));
    let ours = std::fs::read_link(format!("/proc/self/fd/{n}")).map(|p| p.to_string_lossy().into_owned());
    target.is_some_and(|t| t.starts_with("pipe:") && ours.map_or(true, |o| o != t))
}

#[test]
fn an_error_does_not_end_the_shell_and_exit_does() {
    each(|shell, _| {
        gives(shell, "no-such-command-here 2>/dev/null", 127);
        for wrong in ["ls ) 2>/dev/null", "{ cd /nowhere; } 2>/dev/null", "shift 99 2>/dev/null"] {
            assert!(matches!(shell.run(wrong).expect("an answer"), Ended::Line(1..)), "{wrong}");
        }
        gives(shell, "true", 0);
        assert_eq!(shell.run("exit 3").expect("an answer"), Ended::Shell(3));
    });
    each(|shell, _| assert_eq!(shell.run("kill -9 $$").expect("an answer"), Ended::Shell(137)));
}

#[test]
fn the_shell_says_what_it_knows_and_what_is_unfinished() {
    each(|shell, _| {
        gives(shell, "mine() { :; }; (exit 3)", 3);
        for (name, known) in [("mine", true), ("cd", true), ("docker", true), ("docekr", false)] {
            assert_eq!(shell.knows(name).expect("an answer"), known, "{name}");
        }
        gives(shell, "test $? = 3", 0);
        let grammar = shell.grammar();
        for text in ["for i in 1", "for i in 1; do", "if true", "f() {", "echo \"a", "echo $(a", "case a in"] {
            assert!(grammar.incomplete(text), "{grammar:?} {text}");
        }
        for text in ["for i in 1; do echo; done", "ls | wc", "echo ${x}", "ls )", "done", "fi"] {
            assert!(!grammar.incomplete(text), "{grammar:?} {text}");
        }
    });
}
