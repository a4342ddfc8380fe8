//! A small web server that stands in for nginx in the built-in image, when this machine has none to take.
//!
//! It answers to nginx's usual options, signals, paths and log format, so that what the notes do with nginx works: run it
//! in the foreground, change a page, read the log, stop it. It says that it is a stand-in wherever nginx would say its
//! version. As process 1 of a container it also reaps children that were left behind. Of the engine it uses system calls
//! alone.

mod answer;
mod conf;
mod request;
mod server;

use crate::kernel::process;
use crate::kernel::signals::Signals;
use conf::{Conf, FILE};
use rustix::process::{Pid, Signal, kill_process};
use server::Server;
use std::ffi::OsString;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::AsFd;

const PID_FILE: &str = "/run/nginx.pid";
const NAME: &str = concat!("docent/", env!("CARGO_PKG_VERSION"), " (docent's own small web server in place of nginx)");

const USAGE: &str = "usage: nginx [-v | -t | -s stop|quit|reload | -g 'daemon off;']";

/// Runs the server; `args` are the arguments after the program's name. Gives the exit status.
pub fn run(args: &[OsString]) -> i32 {
    let words: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
    let words: Vec<&str> = words.iter().map(|word| word.as_ref()).collect();
    let done = match words.as_slice() {
        [] => serve(""),
        ["-g", directives] => serve(directives),
        ["-t"] => test(),
        ["-v" | "-V"] => {
            eprintln!("nginx version: {NAME}");
            Ok(())
        }
        ["-s", "stop"] => send(Signal::TERM),
        ["-s", "quit"] => send(Signal::QUIT),
        ["-s", "reload"] => send(Signal::HUP),
        _ => Err(format!("invalid option: \"{}\"\n{USAGE}", words.join(" "))),
    };
    done.map_err(|flaw| eprintln!("nginx: {flaw}")).map_or(1, |()| 0)
}

/// Sends a signal to the server that runs.
fn send(signal: Signal) -> Result<(), String> {
    let text = std::fs::read_to_string(PID_FILE).map_err(|e| format!("[error] open() \"{PID_FILE}\" failed ({e})"))?;
    let pid = text.trim().parse().ok().filter(|pid| *pid > 0).and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| format!("[error] invalid PID number \"{}\" in \"{PID_FILE}\"", text.trim()))?;
    kill_process(pid, signal).map_err(|e| format!("[error] kill({pid}, {}) failed ({e})", signal.as_raw()))
}

/// The configuration; what of it is not followed is told.
fn conf() -> Result<Conf, String> {
    let text = std::fs::read_to_string(FILE).map_err(|e| format!("[emerg] open() \"{FILE}\" failed ({e})"))?;
    let conf = Conf::read(&text).map_err(|flaw| format!("[emerg] {flaw}"))?;
    for directive in &conf.unknown {
        notice("warn", &format!("docent's stand-in does not follow {directive}"));
    }
    Ok(conf)
}

fn test() -> Result<(), String> {
    conf()?;
    eprintln!("nginx: the configuration file {FILE} syntax is ok");
    eprintln!("nginx: configuration file {FILE} test is successful");
    Ok(())
}

fn notice(level: &str, text: &str) {
    let time = chrono::Local::now().format("%Y/%m/%d %H:%M:%S");
    eprintln!("{time} [{level}] {}#0: {text}", std::process::id());
}

fn serve(directives: &str) -> Result<(), String> {
    let caught = [libc::SIGTERM, libc::SIGINT, libc::SIGQUIT, libc::SIGHUP, libc::SIGCHLD];
    let signals = Signals::catch(&caught).map_err(|e| format!("[emerg] {e}"))?;
    if directives != "daemon off;" {
        notice("warn", "of -g it follows \"daemon off;\" alone, and stays in the foreground without it too");
    }
    let conf = conf()?;
    let address = conf.listen.unwrap_or((Ipv4Addr::UNSPECIFIED, 80).into());
    let mut server = TcpListener::bind(address)
        .and_then(|listener| Server::new(conf, listener))
        .map_err(|e| format!("[emerg] bind() to {address} failed ({e})"))?;
    notice("notice", &format!("listening on {address}, serving {}", server.conf.root.display()));
    notice("notice", NAME);
    // It may lie in a directory that is read-only.
    std::fs::write(PID_FILE, format!("{}\n", std::process::id())).unwrap_or(());
    loop {
        for line in server.turn(signals.as_fd()).map_err(|e| format!("[emerg] {e}"))? {
            // A log that nobody reads any more must not end the server.
            std::io::stdout().write_all(line.as_bytes()).unwrap_or(());
        }
        match signals.next() {
            Some(libc::SIGTERM | libc::SIGINT | libc::SIGQUIT) => break,
            Some(libc::SIGHUP) => reload(&mut server.conf),
            // Process 1 inherits every orphan of its container.
            Some(libc::SIGCHLD) => while process::reap_any(false).is_some() {},
            _ => {}
        }
    }
    notice("notice", "exit");
    std::fs::remove_file(PID_FILE).unwrap_or(());
    Ok(())
}

/// Reads the configuration again. The address stays: it may need rights that are gone.
fn reload(now: &mut Conf) {
    match conf() {
        Ok(conf) => {
            if conf.listen != now.listen {
                notice("warn", "listen has changed: that takes effect at the next start");
            }
            *now = conf;
            notice("notice", "configuration read again");
        }
        Err(flaw) => eprintln!("nginx: {flaw}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::{SocketAddr, TcpStream};
    use std::path::Path;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    #[test]
    fn options_as_nginx_takes_them() {
        let status = |words: &[&str]| run(&words.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(status(&["-v"]), 0);
        for wrong in [&["-x"][..], &["start"], &["-s", "start"], &["-s"], &["-g"], &["-c", "/x"]] {
            assert_eq!(status(wrong), 1, "{wrong:?}");
        }
    }

    /// Serves `make`'s files on loopback while `ask` asks; gives the log.
    fn with_server(make: impl Fn(&Path), ask: impl Fn(SocketAddr) + Sync) -> Vec<String> {
        let dir = tempfile::tempdir().expect("tempdir");
        let root = dir.path().join("html");
        std::fs::create_dir(&root).expect("root");
        std::fs::write(dir.path().join("secret"), "secret").expect("secret");
        make(&root);
        let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
        let address = listener.local_addr().expect("address");
        let conf = Conf::read(&format!("server {{ root {}; }}", root.display())).expect("conf");
        let mut log = Vec::new();
        let (signals, signal) = std::io::pipe().expect("pipe");
        let asked = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let mut server = Server::new(conf, listener).expect("server");
            let asking = scope.spawn(|| {
                let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| ask(address)));
                asked.store(true, Ordering::SeqCst);
                drop(signal);
                outcome
            });
            // Whoever has been served or is gone is forgotten.
            while !asked.load(Ordering::SeqCst) || server.clients() > 0 {
                log.extend(server.turn(signals.as_fd()).expect("turn"));
                assert!(server.clients() <= server::MOST_CLIENTS, "the oldest has made room");
            }
            let outcome = asking.join().expect("caught");
            outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        });
        log
    }

    fn talk(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).expect("connect");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("timeout");
        stream.write_all(request.as_bytes()).expect("write");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("read");
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn get(address: SocketAddr, target: &str, more: &str) -> String {
        talk(address, &format!("GET {target} HTTP/1.1\r\nHost: web\r\nConnection: close\r\n{more}\r\n"))
    }

    #[test]
    fn serves_files_and_nothing_else() {
        let log = with_server(
            |root| {
                std::fs::write(root.join("index.html"), "<h1>hi</h1>").expect("index");
                std::fs::create_dir(root.join("dir")).expect("dir");
                std::fs::create_dir(root.join("empty")).expect("empty");
                std::fs::write(root.join("dir/index.html"), "inner").expect("inner");
                std::os::unix::fs::symlink("../secret", root.join("out")).expect("link");
                std::os::unix::fs::symlink("/etc/passwd", root.join("far")).expect("link");
                std::os::unix::fs::symlink("index.html", root.join("in.html")).expect("link");
                let mode = rustix::fs::Mode::RWXU;
                let fifo = rustix::fs::FileType::Fifo;
                rustix::fs::mknodat(rustix::fs::CWD, root.join("fifo"), fifo, mode, 0).expect("fifo");
            },
            |at| {
                let page = get(at, "/", "");
                assert!(page.starts_with("HTTP/1.1 200 OK\r\nServer: docent\r\n"), "{page}");
                assert!(page.contains("Content-Type: text/html\r\nContent-Length: 11\r\n"), "{page}");
                assert!(page.ends_with("Connection: close\r\n\r\n<h1>hi</h1>"), "{page}");
                let is = |answer: String, status: &str| {
                    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}")
                };
                assert!(get(at, "/in.html", "").ends_with("<h1>hi</h1>"));
                assert!(get(at, "/dir/", "").ends_with("inner"));
                let moved = get(at, "//dir?q=1", "");
                assert!(moved.starts_with("HTTP/1.1 301") && moved.contains("\r\nLocation: ./dir/\r\n"), "{moved}");
                // A browser takes a backslash for a slash.
                let aside = get(at, "/\\evil.example/../dir", "");
                assert!(aside.contains("\r\nLocation: ./dir/\r\n"), "{aside}");
                is(get(at, "/empty/", ""), "403");
                is(get(at, "/fifo", ""), "403");
                for outside in ["/none", "/in.html/", "/out", "/far"] {
                    let page = get(at, outside, "");
                    assert!(page.starts_with("HTTP/1.1 404 ") && page.contains("<h1>404 Not Found</h1>"), "{page}");
                }
                is(get(at, "/../secret", ""), "400");
                is(talk(at, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"), "405");
                let head = talk(at, "HEAD / HTTP/1.0\r\n\r\n");
                assert!(head.contains("Content-Length: 11") && head.ends_with("\r\n\r\n"), "{head}");
            },
        );
        let first = &log[0];
        assert!(first.starts_with("127.0.0.1 - - ["), "{first}");
        assert!(first.ends_with("] \"GET / HTTP/1.1\" 200 11 \"-\" \"-\"\n"), "{first}");
        assert_eq!(log.len(), 14);
    }

    #[test]
    fn a_log_line_cannot_be_forged() {
        let log = with_server(
            |_| {},
            |at| {
                get(at, "/", "Referer: 가\\\r\nUser-Agent: \"x\"\r\n");
                talk(at, "GET /\u{1b}[2J\" HTTP/1.1\r\n\r\n");
            },
        );
        assert!(log[0].ends_with("403 140 \"\\xEA\\xB0\\x80\\x5C\" \"\\x22x\\x22\"\n"), "{log:?}");
        assert!(log[1].contains("] \"GET /\\x1B[2J\\x22 HTTP/1.1\" 400 "), "{log:?}");
    }

    #[test]
    fn slow_clients_keep_nobody_out_and_nothing_up() {
        let large = vec![b'x'; 8 << 20];
        let begin = std::time::Instant::now();
        let log = with_server(
            |root| {
                std::fs::write(root.join("index.html"), "hi").expect("index");
                std::fs::write(root.join("large"), &large).expect("large");
            },
            |at| {
                let slow = |request: &str| {
                    let mut stream = TcpStream::connect(at).expect("connect");
                    stream.write_all(request.as_bytes()).expect("write");
                    stream
                };
                let mut late = slow("GET / HT");
                assert!(get(at, "/large", "").len() > large.len());
                late.write_all(b"TP/1.0\r\n\r\n").expect("write");
                let mut answer = String::new();
                late.read_to_string(&mut answer).expect("read");
                assert!(answer.ends_with("\r\n\r\nhi"), "{answer}");
                // More than there are places, of both kinds: half a head, and an answer that nobody takes.
                let _never_read: Vec<_> = (0..300).map(|_| slow("GET /large HTTP/1.0\r\n\r\n")).collect();
                let _half: Vec<_> = (0..300).map(|_| slow("GET / HT")).collect();
                assert!(get(at, "/", "").ends_with("\r\n\r\nhi"));
            },
        );
        assert!(log.iter().any(|line| line.starts_with("127.0.0.1 ") && line.contains("/1.1\" 200 2 \"")), "{log:?}");
        assert_eq!(log.len(), 303, "who was cut off while answered is logged too");
        assert!(begin.elapsed() < Duration::from_secs(20), "nobody's time has to run out");
    }
}
