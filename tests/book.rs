//! The book is true, and so are the READMEs: every command of every chapter is executed, on a small machine of its own, and
//! what the chapter shows is what comes out. The Korean and the English texts have one structure.
//!
//! A block fenced as `docent` is a transcript: `$ COMMAND`, then what the terminal shows (both streams), until the next
//! command. The commands of a chapter run one after the other, in one directory, beginning with an empty store. What a
//! chapter shows was recorded; what differs from one run to the next is made equal on both sides before they are compared
//! ([`plain`]): ids, numbers (but for ports, layers and exit codes), times, and how lines were wrapped. `⋮` alone on a line
//! stands for lines that the chapter leaves out.
//!
//! `DOCENT_BOOK_RECORD=1 cargo test --release --test book` writes the transcripts of this run into the chapters.

mod common;

use common::{DOCENT, Machine, say};
use std::path::{Path, PathBuf};

const LANGUAGES: [&str; 2] = ["ko", "en"];

fn src(lang: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("book").join(lang).join("src")
}

/// What is read in a language: the README, then the chapters in their order.
fn texts(lang: &str) -> Vec<PathBuf> {
    let readme = if lang == "en" { "README.md" } else { "README.ko.md" };
    let chapters = chapters(lang).into_iter().map(|name| src(lang).join(name));
    std::iter::once(Path::new(env!("CARGO_MANIFEST_DIR")).join(readme)).chain(chapters).collect()
}

/// The files of a book's chapters, sorted.
fn chapters(lang: &str) -> Vec<String> {
    let entries = std::fs::read_dir(src(lang)).expect("the book");
    let mut names: Vec<String> =
        entries.map(|e| e.expect("entry").file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name.ends_with(".md") && name != "SUMMARY.md");
    names.sort();
    names
}

/// A piece of a chapter: its prose as it is, its transcripts taken apart.
#[derive(Debug, PartialEq)]
enum Piece {
    Prose(String),
    /// The opening fence.
    Fence,
    Step {
        command: String,
        shown: Vec<String>,
    },
}

fn pieces(text: &str) -> Vec<Piece> {
    let (mut pieces, mut inside) = (Vec::new(), false);
    for line in text.lines() {
        if line == "```docent" {
            inside = true;
            pieces.push(Piece::Fence);
        } else if inside && line == "```" {
            inside = false;
            pieces.push(Piece::Prose(line.into()));
        } else if !inside {
            pieces.push(Piece::Prose(line.into()));
        } else if let Some(command) = line.strip_prefix("$ ") {
            pieces.push(Piece::Step { command: command.into(), shown: Vec::new() });
        } else {
            match pieces.last_mut() {
                Some(Piece::Step { shown, .. }) => shown.push(line.into()),
                _ => panic!("a transcript begins with a command, not with: {line}"),
            }
        }
    }
    assert!(!inside, "a transcript has no end");
    pieces
}

fn written(pieces: &[Piece]) -> String {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Prose(line) => text += line,
            Piece::Fence => text += "```docent",
            Piece::Step { command, shown } => {
                text += &format!("$ {command}");
                shown.iter().for_each(|line| text += &format!("\n{line}"));
            }
        }
        text.push('\n');
    }
    text
}

/// Lines in the form in which they are compared.
fn plain(lines: &[String]) -> Vec<String> {
    let mut whole: Vec<String> = Vec::new();
    for line in lines {
        // A story is wrapped by its width in columns, which a longer number changes.
        match whole.last_mut() {
            Some(last) if line.starts_with("  ") && last.starts_with(['●', '✓', '-', '✗']) => *last += line,
            _ => whole.push(line.clone()),
        }
    }
    whole.iter().map(|line| plain_line(line)).collect()
}

fn plain_line(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let mut line = numbers(&words.join(" "));
    for (from, to) in [
        // Docker's human durations.
        ("Less than a second", "‹time›"),
        ("About a minute", "‹time›"),
        ("‹n› seconds", "‹time›"),
        ("1 seconds", "‹time›"),
        ("3 seconds", "‹time›"),
        ("‹n› second", "‹time›"),
        ("1 second", "‹time›"),
        // Which namespaces one clone makes goes by the version of cgroups.
        ("ipc net cgroup", "ipc net"),
        // What a version of cgroups has is said in brackets.
        ("(v1)", "(‹v›)"),
        ("(v2)", "(‹v›)"),
    ] {
        line = line.replace(from, to);
    }
    line
}

/// Ids and numbers as placeholders. What a lesson is about stays: ports, the number of a layer, PID 1, exit codes.
fn numbers(line: &str) -> String {
    const KEPT: [&str; 7] = ["0", "1", "3", "7", "80", "8080", "8081"];
    const BEFORE: [&str; 9] =
        ["process ", "monitor ", "PID ", "/proc/", "--target ", "프로세스 ", "command ", "_us\":", "_us\": "];
    const AFTER: [&str; 3] = ["번 프로세스", "번째 명령", " µs"];
    let (mut out, mut rest) = (String::new(), line);
    while let Some(start) = rest.find(|c: char| c.is_ascii_hexdigit()) {
        let (head, tail) = rest.split_at(start);
        out += head;
        let end = tail.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(tail.len());
        let (run, after) = tail.split_at(end);
        // A number is read as far as its decimals and thousands go: `48.4`.
        // The clock of a machine that has been up for three hours has as many digits as an id.
        let is_time = ["_us\":", "_us\": "].iter().any(|before| out.ends_with(before));
        let is_id = run.len() >= 11 && run.bytes().any(|b| b.is_ascii_digit()) && !is_time;
        if is_id {
            out += "‹id›";
        } else if run.bytes().all(|b| b.is_ascii_digit()) {
            let decimals = after.strip_prefix('.').map_or(0, |d| d.bytes().take_while(u8::is_ascii_digit).count());
            let (_, beyond) = after.split_at(if decimals > 0 { decimals + 1 } else { 0 });
            let of_a_process = BEFORE.iter().any(|b| out.ends_with(b)) || AFTER.iter().any(|a| beyond.starts_with(a));
            let kept = decimals == 0 && (run == "1" || KEPT.contains(&run) && !of_a_process);
            out += if kept { run } else { "‹n›" };
            rest = beyond;
            continue;
        } else {
            out += run;
        }
        rest = after;
    }
    out + rest
}

/// Whether the lines that came are those shown, of which `⋮` stands for any.
fn agree(shown: &[String], came: &[String]) -> bool {
    match shown.split_first() {
        None => came.is_empty(),
        Some((first, rest)) if first == "⋮" => (0..=came.len()).any(|n| agree(rest, &came[n..])),
        Some((first, rest)) => came.first() == Some(first) && agree(rest, &came[1..]),
    }
}

fn is_story(line: &str) -> bool {
    line.starts_with(['●', '✗', '↶', '✓', '-']) || line.starts_with("  ") || line.starts_with("cgroup · ")
}

/// A shell line on the machine, with both streams in the order in which a terminal shows them.
fn typed(machine: &Machine, lang: &str, line: &str) -> Vec<String> {
    // Who reads the story gives nginx the moment it needs to open its port and write its number down.
    let then = if line.starts_with("docker run -d") {
        "for c in /var/lib/docent/containers/*/; do timeout 20 sh -c \"until [ -s $c/upper/run/nginx.pid ]; do :; done\"; done"
    } else {
        ":"
    };
    let script = format!("PATH=\"$PWD/../bin:$PATH\"; {{ {line}\n}} 2>&1; {then}");
    let output = machine
        .command(&["sh", "-c", &script])
        .env_remove("DOCENT_ROOT")
        .env("DOCENT_LANG", lang)
        .env("DOCENT_NARRATE", "learn")
        .stdin(std::process::Stdio::null())
        .output()
        .expect("nsenter");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_string).collect()
}

/// A machine as a learner's: the store where it is by default, `docker` on the path, no nginx of its own, numbers of
/// processes as on a machine that has been up for a while.
fn learners(test: &str) -> Option<Machine> {
    let machine = Machine::new(test, &["curl", "sed", "grep", "jq"])?;
    let bin = machine.work().parent().expect("its directory").join("bin");
    std::fs::create_dir(&bin).expect("bin");
    for name in ["docker", "docent"] {
        std::os::unix::fs::symlink(DOCENT, bin.join(name)).expect("a link");
    }
    let script = "mount -t tmpfs none /var/lib\n\
                  for p in /usr/sbin/nginx /usr/bin/nginx /sbin/nginx /bin/nginx; do\n\
                      if [ -e $p ]; then mount --bind /dev/null $p; fi\n\
                  done\n\
                  echo 48200 > /proc/sys/kernel/ns_last_pid || true\n";
    machine.sh(script).ok();
    Some(machine)
}

fn execute(lang: &str) {
    let record = std::env::var_os("DOCENT_BOOK_RECORD").is_some_and(|v| v == "1");
    let controlled = std::fs::read_to_string("/proc/self/mounts").is_ok_and(|m| m.contains(" cgroup"));
    let mut wrong = Vec::new();
    for path in texts(lang) {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let Some(machine) = learners(&format!("book: {lang} {name}")) else { return };
        let text = std::fs::read_to_string(&path).expect("a chapter");
        let mut pieces = pieces(&text);
        let mut steps = 0;
        for piece in &mut pieces {
            let Piece::Step { command, shown } = piece else { continue };
            steps += 1;
            let came = typed(&machine, lang, command);
            let (mut expected, mut found) = (plain(shown), plain(&came));
            if !controlled {
                // Without cgroups other things are told. What the commands print is the same.
                expected.retain(|line| !is_story(line));
                found.retain(|line| !is_story(line));
            }
            if record && !shown.iter().any(|line| line == "⋮") {
                *shown = came;
            } else if !agree(&expected, &found) {
                wrong.push(format!(
                    "{name}: $ {command}\nshown:\n{}\n\ncame:\n{}\n",
                    shown.join("\n"),
                    came.join("\n")
                ));
            }
        }
        assert!(steps > 0, "{name} has no commands");
        if record {
            std::fs::write(&path, written(&pieces)).expect("the chapter");
            say(&format!("recorded {}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_korean_book_is_true() {
    execute("ko");
}

#[test]
fn the_english_book_is_true() {
    execute("en");
}

#[test]
fn both_books_have_one_structure() {
    let names = LANGUAGES.map(chapters);
    assert_eq!(names[0], names[1]);
    assert!(!names[0].is_empty());
    let [ko, en] = LANGUAGES.map(texts);
    for (ko, en) in ko.iter().zip(&en) {
        let [left, right] = [ko, en].map(|path| outline(&std::fs::read_to_string(path).expect("a text")));
        assert_eq!(left, right, "{} and {}", ko.display(), en.display());
    }
}

/// What has to be equal in both languages: the levels of headings, the commands, the number of questions.
fn outline(text: &str) -> Vec<String> {
    let mut outline = Vec::new();
    for piece in pieces(text) {
        match piece {
            Piece::Step { command, .. } => outline.push(format!("$ {command}")),
            Piece::Prose(line) if line.starts_with('#') => {
                outline.push(line.chars().take_while(|c| *c == '#').collect());
            }
            Piece::Prose(line) => {
                let number = line.split_once(". ").map(|(n, _)| n).filter(|n| n.parse::<u8>().is_ok());
                outline.extend(number.map(str::to_string));
            }
            _ => {}
        }
    }
    outline
}

#[test]
fn what_differs_from_run_to_run_is_made_equal() {
    let same = |a: &str, b: &str| assert_eq!(plain_line(a), plain_line(b));
    same("3f2a9c0d1b2c is web, veth3f2a9c0d1b2", "0123456789ab is web, veth0123456789a");
    same("호스트의 48213번 프로세스가 안에서는 1번", "호스트의 8080번 프로세스가 안에서는 1번");
    same("process 80 of the host, 48.4 MB", "process 48213 of the host, 6.1 MB");
    same("Up Less than a second", "Up 12 seconds");
    same("Up 1 second", "Up 3 seconds");
    same("\"took_us\": 80,", "\"took_us\": 67,");
    same("\"at_us\": 5747820603,", "\"at_us\": 10707406398,");
    same("network · 80 µs", "network · 5280 µs");
    let differ = |a: &str, b: &str| assert_ne!(plain_line(a), plain_line(b));
    differ("0.0.0.0:8080->80/tcp", "0.0.0.0:8081->80/tcp");
    differ("layer 3 of the image", "layer 1 of the image");
    differ("<h1>My own page</h1>", "<h1>Hello from nginx!</h1>");
    differ("curl exit code 7", "curl exit code 0");
}

#[test]
fn a_difference_is_seen_and_lines_may_be_left_out() {
    let lines = |text: &str| plain(&text.lines().map(str::to_string).collect::<Vec<_>>());
    assert!(agree(&lines("a\n⋮\nd"), &lines("a\nb\nc\nd")));
    assert!(agree(&lines("a\n⋮"), &lines("a")));
    assert!(!agree(&lines("a\n⋮\nd"), &lines("a\nb\nc")));
    assert!(!agree(&lines("a"), &lines("a\nb")));
    // However the story is wrapped, it is the same.
    assert!(agree(&lines("● image  a b\n         c"), &lines("● image  a\n         b c")));
    let text = "# t\n\n```docent\n$ a\nb\n\nc\n$ d\n```\nend\n";
    assert_eq!(written(&pieces(text)), text);
}
