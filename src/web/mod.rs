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
use conf::{Conf, Flaw};
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use rustix::process::{Pid, Signal, kill_process};
use server::Server;
use std::ffi::OsString;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd;

const CONF: &str = "/etc/nginx/nginx.conf";
const PID_FILE: &str = "/run/nginx.pid";
/// The largest configuration file, in bytes.
const LARGEST: u64 = 1 << 20;
const NAME: &str = concat!("docent/", env!("CARGO_PKG_VERSION"), " (docent's own small web server in place of nginx)");

const USAGE: &str = "\nusage: nginx [-?hvVtTq] [-s stop|quit|reload|reopen] [-c FILE] [-g 'daemon off;']";

#[derive(Debug, PartialEq, Eq)]
struct Options {
    /// What is to be done instead of serving: the letter that says so.
    task: Option<char>,
    signal: Option<Signal>,
    quiet: bool,
    conf: String,
    /// Of `-g`.
    directives: String,
}

/// Runs the server; `args` are the arguments after the program's name. Gives the exit status.
pub fn run(args: &[OsString]) -> i32 {
    let done = options(args).and_then(|options| match (options.signal, options.task) {
        (_, Some('t')) => test(&options),
        (_, Some(task)) => {
            eprintln!("nginx version: {NAME}{}", if task == 'h' { USAGE } else { "" });
            Ok(())
        }
        (Some(signal), None) => send(signal),
        (None, None) => serve(&options),
    });
    done.map_err(|flaw| eprintln!("nginx: {flaw}")).map_or(1, |()| 0)
}

fn options(args: &[OsString]) -> Result<Options, Flaw> {
    let mut found = Options { task: None, signal: None, quiet: false, conf: CONF.into(), directives: String::new() };
    let mut args = args.iter().map(|a| a.to_string_lossy().into_owned());
    while let Some(arg) = args.next() {
        let invalid = || format!("invalid option: \"{arg}\"");
        let mut letters = arg.strip_prefix('-').ok_or_else(invalid)?.chars();
        while let Some(letter) = letters.next() {
            // A value is the rest of the word, or the next word.
            let mut value = || {
                let rest: String = letters.by_ref().collect();
                let value = if rest.is_empty() { args.next() } else { Some(rest) };
                value.ok_or_else(|| format!("option \"-{letter}\" requires parameter"))
            };
            match letter {
                '?' => found.task = Some('h'),
                'h' | 'v' | 't' | 'V' | 'T' => found.task = Some(letter.to_ascii_lowercase()),
                'q' => found.quiet = true,
                'c' => found.conf = value()?,
                'g' => found.directives = value()?,
                's' => {
                    found.signal = Some(match value()?.as_str() {
                        "stop" => Signal::TERM,
                        "quit" => Signal::QUIT,
                        "reload" => Signal::HUP,
                        "reopen" => Signal::USR1,
                        word => return Err(format!("invalid option: \"-s {word}\"")),
                    });
                }
                _ => return Err(invalid()),
            }
        }
    }
    Ok(found)
}

/// Sends a signal to the server that runs.
fn send(signal: Signal) -> Result<(), Flaw> {
    let text = std::fs::read_to_string(PID_FILE).map_err(|e| format!("[error] open() \"{PID_FILE}\" failed ({e})"))?;
    let pid = text.trim().parse().ok().filter(|pid| *pid > 0).and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| format!("[error] invalid PID number \"{}\" in \"{PID_FILE}\"", text.trim()))?;
    kill_process(pid, signal).map_err(|e| format!("[error] kill({pid}, {}) failed ({e})", signal.as_raw()))
}

/// The configuration. Where nothing is in nginx's own place: the defaults.
fn conf(options: &Options) -> Result<Conf, Flaw> {
    let (mut text, file) = (String::new(), &options.conf);
    let read = File::open(file).and_then(|opened| opened.take(LARGEST).read_to_string(&mut text));
    match read {
        Err(e) if e.kind() != ErrorKind::NotFound || file != CONF => Err(format!("open() \"{file}\" failed ({e})")),
        _ => Conf::read(&options.directives, file, &text),
    }
    .map_err(|flaw| format!("[emerg] {flaw}"))
}

fn test(options: &Options) -> Result<(), Flaw> {
    let (conf, file) = (conf(options)?, &options.conf);
    if !options.quiet {
        warn_of(&conf);
        eprintln!("nginx: the configuration file {file} syntax is ok");
        eprintln!("nginx: configuration file {file} test is successful");
    }
    Ok(())
}

fn notice(level: &str, text: &str) {
    let time = chrono::Local::now().format("%Y/%m/%d %H:%M:%S");
    eprintln!("{time} [{level}] {}#0: {text}", std::process::id());
}

fn warn_of(conf: &Conf) {
    for directive in &conf.unknown {
        notice("warn", &format!("docent's stand-in does not follow {directive}"));
    }
}

fn serve(options: &Options) -> Result<(), Flaw> {
    let emerg = |e: &dyn std::fmt::Display| format!("[emerg] {e}");
    let caught = [libc::SIGTERM, libc::SIGINT, libc::SIGQUIT, libc::SIGHUP, libc::SIGUSR1, libc::SIGCHLD];
    let signals = Signals::catch(&caught).map_err(|e| emerg(&e))?;
    let conf = conf(options)?;
    let mut listeners = Vec::new();
    for address in &conf.listen {
        listeners.push(listen(*address).map_err(|e| emerg(&format!("bind() to {address} failed ({e})")))?);
        notice("notice", &format!("listening on {address}, serving {}", conf.root.display()));
    }
    let written = std::fs::write(PID_FILE, format!("{}\n", std::process::id()));
    notice("notice", NAME);
    if !options.directives.contains("daemon off") {
        notice("notice", "it stays in the foreground");
    }
    warn_of(&conf);
    let mut server = Server::new(conf, listeners, log);
    let mut served = Ok(());
    while served.is_ok() && !server.finished() {
        served = server.turn(signals.as_fd()).map_err(|e| emerg(&e));
        match signals.next() {
            Some(libc::SIGTERM | libc::SIGINT) => break,
            Some(libc::SIGQUIT) => {
                notice("notice", "finishing open requests");
                server.finish();
            }
            Some(libc::SIGHUP) => reload(options, &mut server.conf),
            // Process 1 inherits every orphan of its container.
            Some(libc::SIGCHLD) => while process::reap_any(false).is_some() {},
            _ => {}
        }
    }
    notice("notice", "exit");
    if written.is_ok() {
        // It may lie in a directory that is read-only by now.
        std::fs::remove_file(PID_FILE).unwrap_or(());
    }
    served
}

/// Reads the configuration again. Addresses stay: they may need rights that are gone.
fn reload(options: &Options, now: &mut Conf) {
    match conf(options) {
        Ok(conf) => {
            warn_of(&conf);
            if conf.listen != now.listen {
                notice("warn", "listen has changed: that takes effect at the next start");
            }
            *now = conf;
            notice("notice", "configuration read again");
        }
        Err(flaw) => eprintln!("nginx: {flaw}"),
    }
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let family = if address.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    if address.is_ipv6() {
        // Otherwise [::] takes the IPv4 port as well, and 0.0.0.0 beside it is refused.
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    rustix::net::bind(&socket, &address)?;
    rustix::net::listen(&socket, 511)?;
    Ok(socket.into())
}

fn log(line: &str) {
    // A log that nobody reads any more must not end the server.
    std::io::stdout().write_all(line.as_bytes()).unwrap_or(());
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;
    use std::path::Path;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    #[test]
    fn options_as_nginx_takes_them() {
        let parsed = |words: &[&str]| options(&words.iter().map(OsString::from).collect::<Vec<_>>()).ok();
        let is = |words: &[&str], test: &dyn Fn(&Options) -> bool| {
            assert!(parsed(words).is_some_and(|o| test(&o)), "{words:?}: {:?}", parsed(words))
        };
        is(&[], &|o| o.task.is_none() && o.signal.is_none() && o.conf == CONF);
        is(&["-v"], &|o| o.task == Some('v'));
        is(&["-V"], &|o| o.task == Some('v'));
        is(&["-tq"], &|o| o.task == Some('t') && o.quiet);
        is(&["-s", "quit"], &|o| o.signal == Some(Signal::QUIT));
        is(&["-sreload"], &|o| o.signal == Some(Signal::HUP));
        is(&["-g", "daemon off;"], &|o| o.directives == "daemon off;");
        is(&["-c", "/x"], &|o| o.conf == "/x");
        for wrong in [&["-x"][..], &["start"], &["-s", "jump"], &["-c"], &["-g"], &["-p", "/"]] {
            assert_eq!(parsed(wrong), None);
        }
    }

    /// Serves `make`'s files on loopback while `ask` asks; gives the log.
    fn with_server(make: impl Fn(&Path), ask: impl Fn(SocketAddr) + Sync) -> Vec<String> {
        let dir = tempfile::tempdir().expect("tempdir");
        let root = dir.path().join("html");
        std::fs::create_dir(&root).expect("root");
        std::fs::write(dir.path().join("secret"), "secret").expect("secret");
        make(&root);
        let listener = listen("127.0.0.1:0".parse().expect("address")).expect("listen");
        let address = listener.local_addr().expect("address");
        let conf = Conf::read("", "", &format!("server {{ root {}; error_page 404 /404.html; }}", root.display()))
            .expect("conf");
        let mut log = Vec::new();
        let (signals, signal) = std::io::pipe().expect("pipe");
        let asked = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let mut server = Server::new(conf, vec![listener], |line: &str| log.push(line.to_string()));
            let asking = scope.spawn(|| {
                let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| ask(address)));
                asked.store(true, Ordering::SeqCst);
                drop(signal);
                outcome
            });
            while !asked.load(Ordering::SeqCst) {
                server.turn(signals.as_fd()).expect("turn");
            }
            let outcome = asking.join().expect("caught");
            outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            server.finish();
            while !server.finished() {
                server.turn(signals.as_fd()).expect("turn");
            }
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
                std::fs::write(root.join("404.html"), "not here").expect("page");
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
                assert!(moved.starts_with("HTTP/1.1 301") && moved.contains("\r\nLocation: /dir/?q=1\r\n"), "{moved}");
                is(get(at, "/empty/", ""), "403");
                is(get(at, "/fifo", ""), "403");
                for outside in ["/none", "/in.html/", "/out", "/far"] {
                    let page = get(at, outside, "");
                    assert!(page.starts_with("HTTP/1.1 404 ") && page.ends_with("\r\n\r\nnot here"), "{page}");
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
        assert_eq!(log.len(), 13);
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
        assert!(log[0].ends_with("403 118 \"\\xEA\\xB0\\x80\\x5C\" \"\\x22x\\x22\"\n"), "{log:?}");
        assert!(log[1].contains("] \"GET /\\x1B[2J\\x22 HTTP/1.1\" 400 "), "{log:?}");
    }

    #[test]
    fn slow_clients_keep_nobody_out_and_nothing_up() {
        let large = vec![b'x'; 8 << 20];
        let begin = std::time::Instant::now();
        let half = std::sync::Mutex::new(Vec::new());
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
                let mut kept = half.lock().expect("half");
                let never_read: Vec<_> = (0..300).map(|_| slow("GET /large HTTP/1.0\r\n\r\n")).collect();
                kept.extend((0..300).map(|_| slow("GET / HT")));
                assert!(get(at, "/", "").ends_with("\r\n\r\nhi"));
                drop(never_read);
            },
        );
        assert!(log.iter().any(|line| line.starts_with("127.0.0.1 ") && line.contains("/1.1\" 200 2 \"")), "{log:?}");
        assert_eq!(log.len(), 303, "who was cut off while answered is logged too");
        assert!(begin.elapsed() < Duration::from_secs(20), "who has not asked is not waited for at the end");
    }
}
