//! A program's streams: every byte, in order per stream, however slow the reader; input to its end.

mod common;

use common::{DOCENT, Machine};
use std::io::Read;
use std::process::{ChildStderr, ChildStdout, Command, Stdio};

/// Lines of each stream in the tests of throughput.
const LINES: usize = 60_000;

/// What both streams get at full speed, at once. The alphabets differ, so that they can be told apart where a terminal makes
/// one stream of both.
fn flood() -> String {
    let lines = "while read o <&3 && read e <&4; do echo $o; echo $e >&2; done 3</o 4</e";
    format!("seq 1 {LINES} >/o; tr 0-9 a-j </o >/e; cat /o & cat /e >&2; wait; {lines}")
}

/// Each stream's bytes: in large pieces, then line by line.
fn expected() -> (String, String) {
    let out: String = (1..=LINES).map(|n| format!("{n}\n")).collect();
    let err: String = out.bytes().map(|b| if b == b'\n' { '\n' } else { char::from(b'a' + (b - b'0')) }).collect();
    (out.repeat(2), err.repeat(2))
}

/// A reader that takes little at a time: whoever writes is always ahead of it.
fn slowly(mut from: impl Read + Send + 'static) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let (mut all, mut some) = (Vec::new(), [0u8; 61]);
        loop {
            match from.read(&mut some) {
                Ok(0) => return all,
                Ok(n) => all.extend_from_slice(&some[..n]),
                Err(e) => panic!("read: {e}"),
            }
            std::thread::yield_now();
        }
    })
}

/// The command's code and both streams, read slowly.
fn read_slowly(mut command: Command) -> (i32, Vec<u8>, Vec<u8>) {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("nsenter");
    let out: ChildStdout = child.stdout.take().expect("stdout");
    let err: ChildStderr = child.stderr.take().expect("stderr");
    let (out, err) = (slowly(out), slowly(err));
    let (out, err) = (out.join().expect("stdout"), err.join().expect("stderr"));
    (child.wait().expect("its end").code().unwrap_or(-1), out, err)
}

/// Equal, or where they begin to differ: two megabytes are not for a message.
#[track_caller]
fn same(what: &str, found: &[u8], expected: &str) {
    let expected = expected.as_bytes();
    if found == expected {
        return;
    }
    let at = found.iter().zip(expected).take_while(|(a, b)| a == b).count();
    let near = |all: &[u8]| String::from_utf8_lossy(&all[at.min(all.len())..(at + 40).min(all.len())]).into_owned();
    panic!("{what}: {} of {} bytes, at {at}: {:?}, not {:?}", found.len(), expected.len(), near(found), near(expected));
}

fn docent(m: &Machine, args: &[&str]) -> Command {
    m.limited(180, &[&[DOCENT], args].concat())
}

#[test]
fn every_byte_of_both_streams_reaches_a_slow_reader() {
    let Some(m) = Machine::new("streams::attached", &["timeout"]) else { return };
    let (flood, (out, err)) = (flood(), expected());
    let run = ["run", "--name", "att", "--network", "none", "tiny", "sh", "-c", &flood];
    let (code, found, complaints) = read_slowly(docent(&m, &run));
    assert_eq!(code, 0);
    same("stdout, attached", &found, &out);
    same("stderr, attached", &complaints, &err);
    let (code, found, complaints) = read_slowly(docent(&m, &["start", "-a", "att"]));
    assert_eq!(code, 0);
    same("stdout, start -a", &found, &out);
    same("stderr, start -a", &complaints, &err);
    // The log has both runs.
    let (code, found, complaints) = read_slowly(docent(&m, &["logs", "att"]));
    assert_eq!(code, 0);
    same("stdout, log", &found, &out.repeat(2));
    same("stderr, log", &complaints, &err.repeat(2));
}

#[test]
fn every_byte_of_a_detached_container_is_in_its_log() {
    let Some(m) = Machine::new("streams::detached", &["timeout"]) else { return };
    let (flood, (out, err)) = (flood(), expected());
    m.docent(&["run", "-d", "--name", "det", "--network", "none", "tiny", "sh", "-c", &flood]).ok();
    let (code, found, complaints) = read_slowly(docent(&m, &["logs", "-f", "det"]));
    assert_eq!(code, 0);
    same("stdout, followed", &found, &out);
    same("stderr, followed", &complaints, &err);
}

#[test]
fn every_byte_of_an_exec_reaches_a_slow_reader() {
    let Some(m) = Machine::new("streams::exec", &["timeout"]) else { return };
    let (flood, (out, err)) = (flood(), expected());
    m.docent(&["run", "-d", "--name", "exe", "--network", "none", "tiny", "sleep", "1000"]).ok();
    let (code, found, complaints) = read_slowly(docent(&m, &["exec", "exe", "sh", "-c", &flood]));
    assert_eq!(code, 0);
    same("stdout, exec", &found, &out);
    same("stderr, exec", &complaints, &err);
    let (code, found, _) = read_slowly(docent(&m, &["exec", "-t", "exe", "sh", "-c", &flood]));
    assert_eq!(code, 0);
    of_a_terminal("exec -t", &found, &out, &err);
}

#[test]
fn every_byte_of_a_terminal_reaches_a_slow_reader() {
    let Some(m) = Machine::new("streams::terminal", &["timeout"]) else { return };
    let (flood, (out, err)) = (flood(), expected());
    let run = ["run", "-t", "--name", "tty", "--network", "none", "tiny", "sh", "-c", &flood];
    let (code, found, _) = read_slowly(docent(&m, &run));
    assert_eq!(code, 0);
    of_a_terminal("run -t", &found, &out, &err);
    let (code, found, _) = read_slowly(docent(&m, &["logs", "tty"]));
    assert_eq!(code, 0);
    of_a_terminal("log of -t", &found, &out, &err);
}

#[test]
fn start_joins_whatever_create_made() {
    let Some(m) = Machine::new("streams::start", &["timeout"]) else { return };
    let create = |name: &str, flags: &[&str], program: &str| {
        let given = [&["create", "--name", name, "--network", "none"], flags, &["tiny", "sh", "-c", program]].concat();
        m.docent(&given).ok();
    };
    let start = |input: &str, flags: &str, name: &str| {
        m.sh(&format!("printf '{input}' | timeout -k 5 $((60 * SLOW)) \"$0\" start {flags} {name}"))
    };
    let reads = "cat; echo oops >&2; exit 5";
    create("ii", &["-i"], reads);
    for flags in ["-i", "-ai"] {
        let ran = start("a\\nb", flags, "ii");
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (5, "a\nb", "oops\n"), "{flags}");
    }
    // Without -i of its own it reads nothing, whatever `start` is given.
    create("no", &[], reads);
    for flags in ["-a", "-i", "-ai"] {
        let ran = start("a\\nb\\n", flags, "no");
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (5, "", "oops\n"), "{flags}");
    }
    create("aa", &["-i"], "echo hello; exit 6");
    assert_eq!(start("", "-a", "aa").code, 6);
    create("tt", &["-t"], "[ -t 0 ] && echo terminal; echo oops >&2; exit 7");
    for flags in ["-a", "-i"] {
        let ran = start("", flags, "tt");
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (7, "terminal\r\noops\r\n", ""), "{flags}");
    }
    // The end of piped input is the end of a terminal's input too, after a whole line and in the middle of one.
    create("it", &["-it"], "stty -echo; echo ready; cat; exit 8");
    for input in ["one\\ntwo\\n", "one\\ntwo"] {
        let ran = start(input, "-i", "it");
        assert_eq!(ran.code, 8, "{ran:?}");
        assert!(ran.stdout.contains("one\r\ntwo"), "{ran:?}");
    }
    let big = m.sh("\"$0\" create -i --name big --network none tiny cat >/dev/null;
        head -c 1000000 /dev/zero | timeout -k 5 $((60 * SLOW)) \"$0\" start -i big | wc -c");
    assert_eq!(big.ok().stdout.trim(), "1000000");
}

#[test]
fn a_program_that_says_more_than_it_reads_is_no_deadlock() {
    let Some(m) = Machine::new("streams::more", &["timeout"]) else { return };
    let more = "tiny sh -c 'yes | head -c 300000 | sed s/y/yyyyyyyyyyyyyyyyyyyy/ >/in; cat /in; sed \"s/y/&&&&&&&&&&&&&&&&/\"'";
    let lines = "yes | head -n 100000";
    let run =
        m.sh(&format!("{lines} | timeout -k 5 $((60 * SLOW)) \"$0\" run -i --rm --network none {} | wc -c", &more));
    assert_eq!(run.ok().stdout.trim(), (150_000 * 21 + 100_000 * 17).to_string());
    m.docent(&["run", "-d", "--name", "box", "--network", "none", "tiny", "sleep", "1000"]).ok();
    let more = more.replacen("tiny", "box", 1);
    let exec = m.sh(&format!("{lines} | timeout -k 5 $((60 * SLOW)) \"$0\" exec -i {more} | wc -c"));
    assert_eq!(exec.ok().stdout.trim(), (150_000 * 21 + 100_000 * 17).to_string());
}

#[test]
fn a_signal_passes_input_that_nobody_reads() {
    let Some(m) = Machine::new("streams::signal", &["timeout"]) else { return };
    let program = "trap \"exit 9\" TERM; echo up; while :; do sleep 0.05; done";
    let ran = m.sh(&format!(
        "mkfifo in; head -c 1000000 /dev/zero >in & feeder=$!
        timeout -k 5 $((60 * SLOW)) \"$0\" run -i --rm --network none tiny sh -c '{program}' <in >out & pid=$!
        timeout $((60 * SLOW)) sh -c 'until grep -q up out; do :; done'
        kill -TERM $pid; wait $pid || code=$?; kill $feeder 2>/dev/null || true; exit $code"
    ));
    assert_eq!(ran.code, 9, "{ran:?}");
}

/// One stream that has both, each in order; which of the two a line's end belongs to cannot be told.
#[track_caller]
fn of_a_terminal(what: &str, found: &[u8], out: &str, err: &str) {
    let of = |wanted: fn(&u8) -> bool| found.iter().copied().filter(wanted).collect::<Vec<u8>>();
    same(&format!("stdout, {what}"), &of(u8::is_ascii_digit), &out.replace('\n', ""));
    same(&format!("stderr, {what}"), &of(u8::is_ascii_lowercase), &err.replace('\n', ""));
}
