//! One plan, not two stories: what `explain -- COMMAND` says is what the command then does, and what can be known to fail is
//! foreseen.

mod common;

use common::scenario::VERBS;
use common::{DOCENT, Machine, archive, say};
use serde_json::Value;

/// What only the doing shows, with the reason. A kind that the scenario never tells unforeseen has no place here.
const UNFORESEEN: &[(&str, &str)] = &[
    ("image.layer-unpacked", "what an archive holds, or the host's programs come to, is known when it has been read"),
    ("image.blob-written", "the same"),
    ("image.layer-reused", "the same"),
    ("image.tagged", "the same"),
    ("cow.change", "what a program writes; and of a tree what its copy covers is seen in the write layer afterwards"),
];

/// Two sides of every verb of the truth test's scenario.
#[test]
fn what_is_told_was_foreseen_and_what_is_foreseen_is_told() {
    let Some(m) = Machine::new("forecast", &["script"]) else { return };
    archive(&m.work().join("hello.tar"), "hello:latest");
    let (mut wrong, mut matched, mut unforeseen) = (Vec::new(), 0, std::collections::BTreeSet::new());
    let lines = VERBS.lines().filter(|line| !line.is_empty() && !line.starts_with("trap"));
    for line in lines {
        let Some(words) = words(line) else {
            m.run(&["sh", "-ec", line]).ok();
            continue;
        };
        let mut explain = format!("'{DOCENT}' --lang en explain --level json -- {words}");
        if line.starts_with("script") {
            explain = format!("script -qec \"{explain} > foreseen\" /dev/null < /dev/null && cat foreseen");
        }
        let explained = m.run(&["sh", "-c", &explain]);
        let foreseen = events(&explained.stdout);
        m.run(&["rm", "-f", "told"]).ok();
        let docent = format!("'{DOCENT}' --lang en --narrate json --narrate-to told");
        let ran = m.run(&["sh", "-c", &line.replace("\"$0\"", &docent).replace("'$0'", &docent)]);
        let mut told = events(&m.run(&["sh", "-c", "cat told 2>/dev/null || :"]).ok().stdout);
        for event in &foreseen {
            match told.iter().position(|other| fits(event, other)) {
                Some(n) => drop(told.remove(n)),
                None => wrong.push(format!("{line}: foreseen, not told: {event}")),
            }
        }
        matched += foreseen.len();
        if ran.code != 0 && explained.code == 0 {
            wrong.push(format!("{line}: {}", ran.stderr));
        }
        if explained.code != 0 {
            // What is undone then follows from where it failed.
            if !line.starts_with('!') || sentence(&explained.stderr) != sentence(&ran.stderr) {
                wrong.push(format!("{line}: foreseen to fail: {}\nbut {}", explained.stderr, ran.stderr));
            }
            continue;
        }
        if line.starts_with('!') {
            wrong.push(format!("{line}: its failure was not foreseen"));
        }
        for event in told {
            let kind = event["event"].as_str().unwrap_or_default().to_string();
            match UNFORESEEN.iter().any(|(known, _)| *known == kind) {
                true => drop(unforeseen.insert(kind)),
                false => wrong.push(format!("{line}: told, not foreseen: {event}")),
            }
        }
    }
    say(&format!("forecast: {matched} events foreseen and told"));
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
    assert!(matched > 400, "the forecasts were made: {matched}");
    let idle: Vec<_> = UNFORESEEN.iter().filter(|(kind, _)| !unforeseen.contains(*kind)).collect();
    assert!(idle.is_empty(), "always foreseen, or never told: {idle:?}");
}

/// The words of docent's command in a line of the scenario.
fn words(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("\"$0\" ").or_else(|| line.split_once("'$0' "))?;
    let end = [" < ", " || ", "\" /dev/null"].iter().filter_map(|mark| rest.find(mark)).min().unwrap_or(rest.len());
    Some(rest[..end].to_string())
}

/// Facts alone, without who did it and when.
fn events(lines: &str) -> Vec<Value> {
    let own = ["record", "id", "command", "at_us", "took_us", "by_pid", "container", "outcome", "calls", "receipt"];
    lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect(line))
        .filter(|line| line["record"] == "event")
        .map(|mut event| {
            own.iter().for_each(|key| drop(event.as_object_mut().expect("an object").remove(*key)));
            event
        })
        .collect()
}

/// Everything that is known beforehand is so; `…` stands for what a new container's id will be.
fn fits(foreseen: &Value, told: &Value) -> bool {
    match (foreseen, told) {
        (Value::Null, _) => true,
        (Value::String(f), Value::String(t)) => match f.split_once('…') {
            Some((before, after)) => {
                t.len() >= before.len() + after.len() && t.starts_with(before) && t.ends_with(after)
            }
            None => f == t,
        },
        (Value::Array(f), Value::Array(t)) => f.len() == t.len() && f.iter().zip(t).all(|(f, t)| fits(f, t)),
        (Value::Object(f), Value::Object(t)) => f.iter().all(|(key, f)| fits(f, t.get(key).unwrap_or(&Value::Null))),
        (f, t) => f == t,
    }
}

/// An error without the id that only a container which is made has.
fn sentence(text: &str) -> String {
    let hex = |word: &str| word.len() >= 12 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let word = |word: &str| {
        if hex(word.trim_end_matches([';', '.', ','])) || word.starts_with('…') {
            "ID".into()
        } else {
            word.to_string()
        }
    };
    text.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

/// What a look can know: words, and what their error names.
const FAILURES: &[(&str, &str)] = &[
    ("run --rm missing", "missing"),
    ("run --name taken tiny true", "already in use"),
    ("run -d -p 127.0.0.1:8080:80 tiny sleep 9", "port is already allocated"),
    ("run -d -p 8090:80 -p 8090:81 tiny sleep 9", "port is already allocated"),
    ("run -d -p 127.0.0.1:8090:80 -p 8090:80 tiny sleep 9", "port is already allocated"),
    ("run --rm tiny no-such-program", "executable file not found"),
    ("run --rm tiny ./no-such-program", "executable file not found"),
    ("run --rm tiny /etc/passwd", "EACCES"),
    ("run --rm tiny /etc", "EISDIR"),
    ("run --rm -u 1000 tiny /srv-only", "executable file not found"),
    ("run --rm -u nobody-here tiny true", "unable to find user nobody-here"),
    ("run --rm -u 0:nogroup-here tiny true", "unable to find group nogroup-here"),
    ("run --rm -w /etc/passwd tiny true", "working directory"),
    ("run --rm -w /etc/passwd/x tiny true", "working directory"),
    ("run --rm tiny /bin/true/", "executable file not found"),
    ("run --rm linked true", "/proc"),
    ("run --rm etc-is-a-file true", "ENOTDIR"),
    ("run --rm hosts-is-a-loop true", "ELOOP"),
    ("run --rm hosts-in-proc true", "inside /proc"),
    ("run --rm hosts-new-in-proc true", "inside /proc"),
    ("exec taken /odd/lost", "ENOENT"),
    ("exec taken /odd/unloadable", "ENOENT"),
    ("exec taken /odd/script-of-it", "ENOENT"),
    ("exec taken /odd/empty", "ENOEXEC"),
    ("exec taken /odd/text", "ENOEXEC"),
    ("exec taken /odd/fifo", "EACCES"),
    ("exec -u 1000 taken /odd/mine/sh", "executable file not found"),
    ("create --name taken tiny", "already in use"),
    ("start no-such", "No such container"),
    ("start unstartable", "executable file not found"),
    ("stop no-such", "No such container"),
    ("kill stopped", "is not running"),
    ("rm taken", "container is running"),
    ("rm no-such", "No such container"),
    ("start -a stopped paused", "multiple containers"),
    ("pause stopped", "is not running"),
    ("pause paused", "is already paused"),
    ("unpause taken", "is not paused"),
    ("unpause stopped", "is not running"),
    ("exec stopped true", "is not running"),
    ("exec paused true", "is paused"),
    ("exec taken no-such-program", "executable file not found"),
    ("exec -u nobody-here taken true", "unable to find user"),
    ("exec -w /etc/passwd taken true", "working directory"),
    ("rename taken stopped", "already in use"),
    ("rename taken taken", "same name"),
    ("cp no-such-file taken:/", "no-such-file"),
    ("cp good.tar taken:/no/such/", "/no"),
    ("cp good.tar stopped:/no/such/", "/no"),
    ("cp taken:/no/such .", "/no/such"),
    ("cp stopped:/no/such .", "/no/such"),
    ("cp taken:/etc/passwd no/such/", "no/such"),
    ("cp good.tar no-such:/", "No such container"),
    ("load -i no-such.tar", "no-such.tar"),
    ("load -i .", "EISDIR"),
    ("start no-such stopped", "No such container"),
    ("exec -d taken true", "not supported"),
    ("run -it --rm tiny sh", "not a TTY"),
    ("exec -it taken sh", "not a TTY"),
    ("exec -it no-such sh", "No such container"),
];

/// A program of this machine that the kernel hands to a dynamic loader.
fn with_loader(loader: &[u8]) -> Vec<u8> {
    let own = std::fs::read("/proc/self/exe").expect("this program");
    let mut elf = own[..64].to_vec();
    // e_phoff; e_phentsize and e_phnum.
    elf[32..40].copy_from_slice(&64u64.to_ne_bytes());
    elf[54..58].copy_from_slice(&[56u16.to_ne_bytes(), 1u16.to_ne_bytes()].concat());
    let (kind, flags) = (3u32.to_ne_bytes(), 4u32.to_ne_bytes());
    // PT_INTERP: p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align.
    let words = [120, 0, 0, loader.len() as u64, loader.len() as u64, 1].map(u64::to_ne_bytes);
    [elf, kind.to_vec(), flags.to_vec(), words.concat(), loader.to_vec()].concat()
}

#[test]
fn what_a_look_can_know_to_fail_is_foreseen_in_the_same_words() {
    let Some(m) = Machine::new("forecast::failures", &["python3"]) else { return };
    m.docent(&["run", "-d", "--name", "taken", "-p", "127.0.0.1:8080:80", "nginx"]).ok();
    m.docent(&["run", "-d", "--name", "paused", "--network", "none", "tiny", "sleep", "1000"]).ok();
    m.docent(&["pause", "paused"]).ok();
    m.docent(&["run", "--name", "stopped", "--network", "none", "tiny", "true"]).ok();
    m.docent(&["create", "--name", "unstartable", "--network", "none", "tiny", "no-such-program"]).ok();
    archive(&m.work().join("good.tar"), "good:1");
    let link = common::Member { kind: b'2', link: "/etc", ..common::Member::file("proc", b"") };
    common::archive_of(&m.work().join("linked.tar"), &["linked"], &[&[link]]);
    m.docent(&["load", "-i", "linked.tar"]).ok();
    let hosts = |link| common::Member { kind: b'2', link, ..common::Member::file("etc/hosts", b"") };
    for (name, member) in [
        ("etc-is-a-file", common::Member::file("etc", b"")),
        ("hosts-is-a-loop", hosts("hosts")),
        ("hosts-in-proc", hosts("/proc/meminfo")),
        ("hosts-new-in-proc", hosts("/proc/self/x")),
    ] {
        common::archive_of(&m.work().join("odd.tar"), &[name], &[&[member]]);
        m.docent(&["load", "-i", "odd.tar"]).ok();
    }
    let odd = "mkdir -p /odd/mine; cd /odd; printf '#!/no/such\\n' > lost; : > empty; echo text > text; mkfifo fifo; \
               printf '#!/odd/unloadable\\n' > script-of-it; cp /bin/sh mine/sh; \
               chmod 755 lost empty text fifo script-of-it mine/sh; chmod 700 mine";
    m.docent(&["exec", "taken", "sh", "-ec", odd]).ok();
    let unloadable = m.work().join("unloadable");
    std::fs::write(&unloadable, with_loader(b"/no/such/loader\0")).expect("unloadable");
    std::fs::set_permissions(&unloadable, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("chmod");
    m.docent(&["cp", "unloadable", "taken:/odd/unloadable"]).ok();
    let state = "\"$0\" ps -a --format '{{.ID}} {{.Names}} {{.State}}'; find \"$DOCENT_ROOT\" \\( -path '*/journal' -o -path '*/work' \\) -prune -o -print | sort";
    let before = m.sh(state).ok().stdout;
    for lang in ["en", "ko"] {
        for (line, names) in FAILURES {
            let words: Vec<&str> = line.split(' ').collect();
            let foreseen = m.docent(&[&["--lang", lang, "explain", "--"][..], &words].concat());
            assert_ne!(foreseen.code, 0, "{line}: not foreseen\n{}", foreseen.stdout);
            let ran = m.docent(&[&["--lang", lang][..], &words].concat());
            assert_ne!(ran.code, 0, "{line}: did not fail");
            assert!(
                sentence(&foreseen.stderr).ends_with(&sentence(&ran.stderr)),
                "{line}: {}\n{}",
                foreseen.stderr,
                ran.stderr
            );
            assert!(lang == "ko" || foreseen.stderr.contains(names), "{line}: {}", foreseen.stderr);
            // A start that fails leaves a new container, as with Docker.
            m.sh("\"$0\" ps -aq --filter status=created | grep -vF \"$(\"$0\" ps -aq --filter name=unstartable)\" | xargs -r \"$0\" rm").ok();
        }
    }
    let after = m.sh(state).ok().stdout;
    let one_of =
        |line: &&str| before.lines().filter(|l| l == line).count() != after.lines().filter(|l| l == line).count();
    let changed: Vec<&str> = before.lines().chain(after.lines()).filter(one_of).collect();
    assert!(changed.is_empty(), "and nothing is changed by it: {changed:?}");
}

/// What fails because of what the same command has done before; each line leaves what the next one needs.
const SEVERAL: &[(&str, &str)] = &[
    ("pause web web", "is already paused"),
    ("unpause web web", "is not paused"),
    ("kill web web", "is not running"),
    ("start web same-port", "port is already allocated"),
    ("rm -f web web", "No such container: web"),
    ("rm same-port same-port", "No such container: same-port"),
    ("stop gone gone", "No such container: gone"),
];

#[test]
fn what_an_earlier_name_of_a_command_changes_is_foreseen_for_the_later_ones() {
    let Some(m) = Machine::new("forecast::several", &[]) else { return };
    for lang in ["en", "ko"] {
        m.docent(&["run", "-d", "--name", "web", "-p", "8080:80", "tiny", "sleep", "1000"]).ok();
        m.docent(&["create", "--name", "same-port", "-p", "8080:81", "tiny", "sleep", "1000"]).ok();
        m.docent(&["run", "-d", "--rm", "--name", "gone", "--network", "none", "tiny", "sleep", "1000"]).ok();
        for (line, names) in SEVERAL {
            let words: Vec<&str> = line.split(' ').collect();
            let foreseen = m.docent(&[&["--lang", lang, "explain", "--"][..], &words].concat());
            assert_ne!(foreseen.code, 0, "{line}: not foreseen\n{}", foreseen.stdout);
            let ran = m.docent(&[&["--lang", lang][..], &words].concat());
            assert_eq!((ran.code, ran.stdout.lines().count()), (1, 1), "{line}: the second fails: {ran:?}");
            let (said, told) = (sentence(&foreseen.stderr), sentence(&ran.stderr));
            assert!(said.ends_with(&told), "{line}: {}\n{}", foreseen.stderr, ran.stderr);
            assert!(lang == "ko" || foreseen.stderr.contains(names), "{line}: {}", foreseen.stderr);
        }
        let id = m.docent(&["create", "--network", "none", "tiny", "true"]).ok().stdout.trim().to_string();
        std::fs::write(m.root().join("containers").join(&id).join("config.json"), "{").expect("damaged");
        let rm = ["rm", "-f", &id, &id];
        let foreseen = m.docent(&[&["--lang", lang, "explain", "--"][..], &rm].concat());
        let ran = m.docent(&[&["--lang", lang][..], &rm].concat());
        assert_eq!((ran.code, ran.stdout.lines().count()), (1, 1), "{ran:?}");
        // That it is damaged is said there too.
        assert!(sentence(&foreseen.stderr).contains(&sentence(&ran.stderr)), "{}\n{}", foreseen.stderr, ran.stderr);
    }
}

/// Its root is its own; who enters the container's namespaces begins at the top of its mounts (setns(2)).
#[test]
fn exec_is_foreseen_where_it_goes_whatever_root_the_first_program_has_chosen() {
    let Some(m) = Machine::new("forecast::chroot", &["chroot"]) else { return };
    let jail = "mkdir -p /outside /jail/inside; cp -a /bin /lib* /usr /etc /jail; cp -L /bin/true /outside/true; \
                cp -L /bin/true /jail/inside/true; \
                exec /chroot /jail sleep 1000";
    m.docent(&["create", "--name", "jailed", "--network", "none", "tiny", "sh", "-ec", jail]).ok();
    m.sh("PATH=$PATH:/usr/sbin:/sbin; \"$0\" cp -L \"$(command -v chroot)\" jailed:/chroot; \"$0\" start jailed").ok();
    m.docent(&["exec", "jailed", "sh", "-c", "until [ -e /proc/1/root/inside/true ]; do :; done"]).ok();
    let both = |words: &[&str]| (m.docent(&[&["explain", "--"], words].concat()), m.docent(words));
    let (foreseen, ran) = both(&["exec", "jailed", "/outside/true"]);
    assert_eq!((foreseen.code, ran.code), (0, 0), "{}\n{}", foreseen.stderr, ran.stderr);
    let (foreseen, ran) = both(&["exec", "jailed", "/inside/true"]);
    assert!(ran.code == 127 && foreseen.stderr.ends_with(&ran.stderr), "{}\n{}", foreseen.stderr, ran.stderr);
}

/// Copies in and out by links of the container's; `@` is the container.
const COPIES: &[&str] = &[
    "f @:/to-dir",
    "f @:/to-file",
    "f @:/to-file/",
    "f @:/to-nothing",
    "f @:/to-no-directory",
    "f @:/loop",
    "f @:/loop/x",
    "f @:/to-dir/../up",
    "f @:/taken-by-dir",
    "f @:/taken-by-link",
    "f @:/odd/file/x",
    "d @:/to-dir",
    "d/. @:/to-dir",
    "d @:/to-file",
    "d @:/to-nothing-2",
    "@:/to-dir out-link",
    "@:/to-dir/ out-dir",
    "@:/to-dir/. out-contents",
    "@:/to-dir d",
    "@:/to-dir f",
    "@:/srv f",
    "@:/to-file/ out",
    "@:/dangling out-dangling",
    "@:/dangling/ out",
    "@:/loop out-loop",
    "@:/odd/file/x out",
    "-L @:/to-dir out-followed",
    "-L @:/to-file d",
    "-L @:/to-dir d",
    "-L @:/dangling out",
    "-L @:/loop out",
];

#[test]
fn a_copy_goes_by_links_as_it_is_foreseen_to() {
    let Some(m) = Machine::new("forecast::copies", &[]) else { return };
    let setup = "mkdir -p /odd /taken-by-dir/f /taken-by-link; echo x > /odd/file; ln -s /srv /to-dir; ln -s odd/file /to-file; \
                 ln -s /odd/new /to-nothing; ln -s odd/new-2 /to-nothing-2; ln -s /no/such /to-no-directory; ln -s loop /loop; \
                 ln -s /nowhere /taken-by-link/f; ln -s nowhere /dangling";
    m.docent(&["run", "-d", "--name", "running", "--network", "none", "tiny", "sleep", "1000"]).ok();
    m.docent(&["exec", "running", "sh", "-ec", setup]).ok();
    m.docent(&["run", "--name", "stopped", "--network", "none", "tiny", "sh", "-ec", setup]).ok();
    let (mut wrong, mut failed) = (Vec::new(), 0);
    for name in ["running", "stopped"] {
        m.sh("rm -rf f d out*; echo f > f; mkdir d; echo g > d/g").ok();
        for line in COPIES {
            let line = line.replace('@', name);
            let words: Vec<&str> = line.split(' ').collect();
            let foreseen =
                m.docent(&[&["--lang", "en", "explain", "--level", "json", "--", "cp"][..], &words].concat());
            m.run(&["rm", "-f", "told"]).ok();
            let json = ["--lang", "en", "--narrate", "json", "--narrate-to", "told", "cp"];
            let ran = m.docent(&[&json[..], &words].concat());
            let told = events(&m.run(&["sh", "-c", "cat told 2>/dev/null || :"]).ok().stdout);
            let missing: Vec<Value> = match ran.code {
                0 => events(&foreseen.stdout).into_iter().filter(|f| !told.iter().any(|t| fits(f, t))).collect(),
                _ => Vec::new(),
            };
            if (foreseen.code, sentence(&foreseen.stderr)) != (ran.code, sentence(&ran.stderr)) || !missing.is_empty() {
                wrong.push(format!("{line}: {}\nbut {}\nnot told: {missing:?}", foreseen.stderr, ran.stderr));
            }
            failed += usize::from(ran.code != 0);
        }
        // By the name that was asked for, and a slash is only for a directory.
        m.sh("test -f d/to-file; test ! -L d/to-file; test -d out-dir; test ! -L out-dir; test -L out-link; test -L f")
            .ok();
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
    // Both kinds are there.
    assert!(failed > 20 && failed < 2 * COPIES.len() - 20, "{failed} failed");
}
