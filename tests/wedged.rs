//! A monitor goes on whatever becomes of one of its children or clients.

mod common;

use common::tracer::NextChild;
use common::{DOCENT, Machine};
use std::process::{Child, Stdio};

/// An exec whose child is stopped before its first instruction: the command waits, and the child's pid.
fn stopped_exec(m: &Machine, program: &str) -> (Child, i32) {
    let monitors = m.monitors();
    let [monitor] = monitors.as_slice() else { panic!("one monitor: {monitors:?}") };
    let monitor = monitor.split(' ').next().and_then(|pid| pid.parse().ok()).expect("its pid");
    let next = NextChild::of(monitor);
    let mut command = m.limited(180, &[DOCENT, "exec", "web", "sh", "-c", program]);
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("nsenter");
    (command, next.stopped())
}

fn send(pid: i32, signal: rustix::process::Signal) {
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).expect("a pid"), signal).expect("kill");
}

/// The docent among the descendants of what a test started.
fn docent_below(pid: i32) -> Option<i32> {
    let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    if line.split('\0').next() == Some(DOCENT) {
        return Some(pid);
    }
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    children.split_whitespace().filter_map(|child| child.parse().ok()).find_map(docent_below)
}

#[test]
fn a_stopped_child_stops_nothing_else() {
    let Some(m) = Machine::new("wedged::child", &["timeout"]) else { return };
    m.docent(&["run", "-d", "--name", "web", "-p", "127.0.0.1:8080:80", "nginx"]).ok();
    let (mut first, child) = stopped_exec(&m, "echo first; exit 3");
    let get = "exec 3<>/dev/tcp/127.0.0.1/8080; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3";
    let page = m.within(20, &["bash", "-c", get]).ok().stdout;
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    let ran = m.within(20, &[DOCENT, "exec", "web", "sh", "-c", "echo second; echo oops >&2; exit 4"]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (4, "second\n", "oops\n"));
    // The container's own output, which nginx has written for that request, has come to its log.
    let logs = m.within(20, &["sh", "-c", "until \"$0\" logs web 2>&1 | grep -q 'GET /'; do :; done", DOCENT]);
    logs.ok();
    assert!(first.try_wait().expect("wait").is_none(), "it waits for its child");
    send(child, rustix::process::Signal::CONT);
    let done = first.wait_with_output().expect("its end");
    assert_eq!((done.status.code(), done.stdout.as_slice()), (Some(3), b"first\n".as_slice()));
    m.within(20, &[DOCENT, "rm", "-f", "web"]).ok();
}

#[test]
fn a_child_that_nobody_waits_for_any_more_ends() {
    let Some(m) = Machine::new("wedged::client", &["timeout"]) else { return };
    m.docent(&["run", "-d", "--name", "web", "--network", "none", "tiny", "sleep", "1000"]).ok();
    let (mut first, child) = stopped_exec(&m, "echo never");
    send(docent_below(first.id() as i32).expect("the command"), rustix::process::Signal::KILL);
    first.wait().expect("its end");
    let until = std::time::Instant::now() + common::seconds(20);
    while std::path::Path::new(&format!("/proc/{child}")).exists() {
        assert!(std::time::Instant::now() < until, "{child} is still there");
        std::thread::yield_now();
    }
    assert_eq!(m.within(20, &[DOCENT, "exec", "web", "echo", "hi"]).ok().stdout, "hi\n");
    m.within(20, &[DOCENT, "rm", "-f", "web"]).ok();
}

#[test]
fn a_container_ends_with_a_stopped_child_in_it() {
    let Some(m) = Machine::new("wedged::end", &["timeout"]) else { return };
    m.docent(&["run", "-d", "--name", "web", "--network", "none", "tiny", "sleep", "1000"]).ok();
    let (first, _) = stopped_exec(&m, "echo never");
    m.within(20, &[DOCENT, "rm", "-f", "web"]).ok();
    let done = first.wait_with_output().expect("its end");
    assert_ne!(done.status.code(), Some(0), "{done:?}");
    assert_eq!(m.docent(&["ps", "-aq"]).ok().stdout, "");
}

#[test]
fn a_monitor_whose_first_child_is_stopped_can_be_told_to_end() {
    let Some(m) = Machine::new("wedged::launch", &["timeout"]) else { return };
    m.docent(&["create", "--name", "web", "nginx"]).ok();
    // The monitor takes an address under the store's lock, and waits for it here.
    let lock = std::fs::File::open(m.root().join("lock")).expect("the lock");
    lock.lock().expect("flock");
    let mut command = m.limited(60, &[DOCENT, "start", "web"]);
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("nsenter");
    let until = std::time::Instant::now() + common::seconds(20);
    let monitor = loop {
        assert!(std::time::Instant::now() < until, "no monitor");
        let state = m.docent(&["inspect", "-f", "{{.State.Status}}", "web"]);
        let monitors = m.monitors();
        if let (0, [one]) = (state.code, monitors.as_slice()) {
            break one.split(' ').next().and_then(|pid| pid.parse().ok()).expect("its pid");
        }
    };
    let next = NextChild::of(monitor);
    lock.unlock().expect("flock");
    next.stopped();
    send(monitor, rustix::process::Signal::TERM);
    let done = command.wait_with_output().expect("its end");
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    assert_eq!(
        m.docent(&["inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "web"]).ok().stdout,
        "created 128\n"
    );
    m.docent(&["rm", "web"]).ok();
    assert_eq!(m.leftovers(0), Vec::<String>::new());
}
