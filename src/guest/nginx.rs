//! A small web server that stands in for nginx in the built-in image, when this machine has none to take.
//!
//! It answers to nginx's usual options, signals, paths and log format, so that what the notes do with nginx works: run it
//! in the foreground, change a page, read the log, stop it. It says that it is a stand-in wherever nginx would say its
//! version. As process 1 of a container it also reaps children that were left behind.

use super::nginx_conf::{self, Conf};
use super::web::{Served, Server};
use crate::kernel::signals::Signals;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use std::ffi::OsString;
use std::io::Write;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

const CONF: &str = "/etc/nginx/nginx.conf";
const PID_FILES: [&str; 2] = ["/run/nginx.pid", "/var/run/nginx.pid"];

#[derive(Debug, PartialEq, Eq)]
enum Task {
    Serve,
    Version,
    Test,
    Signal(i32),
    Help,
}

#[derive(Debug, PartialEq, Eq)]
struct Options {
    task: Task,
    /// None: nginx's own place, and the defaults where nothing is there.
    conf: Option<PathBuf>,
    quiet: bool,
    /// `-g 'daemon off;'` was given.
    foreground: bool,
}

/// Runs the server; `args` are the arguments after the program's name. Gives the exit status.
pub fn run(args: Vec<OsString>) -> i32 {
    let options = match options(&args) {
        Ok(options) => options,
        Err(flaw) => {
            eprintln!("nginx: {flaw}");
            return 1;
        }
    };
    match options.task {
        Task::Help => {
            eprintln!("{}", version());
            eprintln!("usage: nginx [-?hvVtTq] [-s stop|quit|reload] [-c FILE] [-g 'daemon off;']");
            0
        }
        Task::Version => {
            eprintln!("{}", version());
            0
        }
        Task::Signal(signal) => send(signal),
        Task::Test => match conf(&options) {
            Ok(conf) => {
                let file = options.conf.as_deref().unwrap_or(Path::new(CONF)).display();
                if !options.quiet {
                    warn_of(&conf);
                    eprintln!("nginx: the configuration file {file} syntax is ok");
                    eprintln!("nginx: configuration file {file} test is successful");
                }
                0
            }
            Err(flaw) => {
                eprintln!("nginx: [emerg] {flaw}");
                1
            }
        },
        Task::Serve => match serve(&options) {
            Ok(()) => 0,
            Err(flaw) => {
                eprintln!("nginx: [emerg] {flaw}");
                1
            }
        },
    }
}

fn version() -> String {
    format!("nginx version: docent/{} (docent's own small web server in place of nginx)", env!("CARGO_PKG_VERSION"))
}

fn options(args: &[OsString]) -> Result<Options, String> {
    let mut found = Options { task: Task::Serve, conf: None, quiet: false, foreground: false };
    let mut args = args.iter().map(|a| a.to_string_lossy().into_owned());
    while let Some(arg) = args.next() {
        let letters = arg.strip_prefix('-').ok_or_else(|| format!("invalid option: \"{arg}\""))?.to_string();
        let mut rest = letters.chars();
        while let Some(letter) = rest.next() {
            match letter {
                '?' | 'h' => found.task = Task::Help,
                'v' | 'V' => found.task = Task::Version,
                't' | 'T' => found.task = Task::Test,
                'q' => found.quiet = true,
                'c' | 'g' | 's' | 'p' | 'e' => {
                    // The value is the rest of the word, or the next word.
                    let glued: String = rest.by_ref().collect();
                    let value = if glued.is_empty() { args.next() } else { Some(glued) };
                    let value = value.ok_or_else(|| format!("option \"-{letter}\" requires parameter"))?;
                    match letter {
                        'c' => found.conf = Some(PathBuf::from(value)),
                        'g' => found.foreground |= value.split(';').any(|d| d.split_whitespace().eq(["daemon", "off"])),
                        's' => found.task = Task::Signal(signal(&value)?),
                        _ => return Err(format!("docent's stand-in has no option \"-{letter}\"")),
                    }
                }
                _ => return Err(format!("invalid option: \"{arg}\"")),
            }
        }
    }
    Ok(found)
}

fn signal(word: &str) -> Result<i32, String> {
    match word {
        "stop" => Ok(libc::SIGTERM),
        "quit" => Ok(libc::SIGQUIT),
        "reload" => Ok(libc::SIGHUP),
        "reopen" => Ok(libc::SIGUSR1),
        _ => Err(format!("invalid option: \"-s {word}\"")),
    }
}

/// Sends a signal to the server that runs.
fn send(signal: i32) -> i32 {
    let read = PID_FILES.iter().find_map(|file| std::fs::read_to_string(file).ok());
    let Some(text) = read else {
        eprintln!("nginx: [error] open() \"{}\" failed (2: No such file or directory)", PID_FILES[0]);
        return 1;
    };
    let pid = text.trim().parse().ok().filter(|pid| *pid > 0).and_then(rustix::process::Pid::from_raw);
    let sent = match (pid, rustix::process::Signal::from_named_raw(signal)) {
        (Some(pid), Some(signal)) => rustix::process::kill_process(pid, signal).map_err(|e| e.to_string()),
        _ => Err(format!("invalid PID number \"{}\"", text.trim())),
    };
    match sent {
        Ok(()) => 0,
        Err(why) => {
            eprintln!("nginx: [error] kill({}, {signal}) failed ({why})", text.trim());
            1
        }
    }
}

fn conf(options: &Options) -> Result<Conf, String> {
    match &options.conf {
        Some(file) => nginx_conf::load(file),
        None if Path::new(CONF).exists() => nginx_conf::load(Path::new(CONF)),
        None => Ok(Conf::default()),
    }
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

fn serve(options: &Options) -> Result<(), String> {
    let caught = [libc::SIGTERM, libc::SIGINT, libc::SIGQUIT, libc::SIGHUP, libc::SIGUSR1, libc::SIGCHLD];
    let signals = Signals::catch(&caught).map_err(|e| e.to_string())?;
    let conf = conf(options)?;
    let listeners = listeners(&conf.listen)?;
    let pid_file = PID_FILES.iter().find(|file| std::fs::write(file, format!("{}\n", std::process::id())).is_ok());
    notice("notice", "docent's own small web server, in place of nginx");
    if !options.foreground {
        notice("notice", "it stays in the foreground");
    }
    warn_of(&conf);
    for listener in &listeners {
        if let Ok(address) = listener.local_addr() {
            notice("notice", &format!("listening on {address}, serving {}", conf.root.display()));
        }
    }

    let mut server = Server::new(conf, listeners, log);
    let mut stopping = false;
    while !stopping && !server.finished() {
        server.turn(Some(signals.as_fd()), None);
        while let Some(signal) = signals.next() {
            match signal {
                libc::SIGTERM | libc::SIGINT => stopping = true,
                libc::SIGQUIT => {
                    notice("notice", "finishing open requests");
                    server.stop_listening();
                }
                libc::SIGHUP => reload(options, &mut server),
                libc::SIGCHLD => reap(),
                _ => {}
            }
        }
    }
    notice("notice", "exit");
    if let Some(file) = pid_file {
        // It may lie in a directory that is read-only by now.
        std::fs::remove_file(file).unwrap_or(());
    }
    Ok(())
}

/// Reads the configuration again. Addresses stay: they may need rights that are gone.
fn reload(options: &Options, server: &mut Server<'_>) {
    match conf(options) {
        Ok(conf) => {
            warn_of(&conf);
            if conf.listen != server.conf.listen {
                notice("warn", "listen has changed: that takes effect at the next start");
            }
            server.conf = Conf { listen: server.conf.listen.clone(), ..conf };
            notice("notice", "configuration read again");
        }
        Err(flaw) => notice("emerg", &flaw),
    }
}

/// Process 1 inherits every orphan of its container.
fn reap() {
    use rustix::process::{WaitOptions, wait};
    while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
}

/// A socket for each address. IPv6 that this host does not have is no error: its IPv4 sockets do.
fn listeners(addresses: &[(String, u16)]) -> Result<Vec<TcpListener>, String> {
    let mut made = Vec::new();
    for (host, port) in addresses {
        let ip: IpAddr =
            host.parse().map_err(|_| format!("host not found in \"{host}\" of the \"listen\" directive"))?;
        let address = SocketAddr::new(ip, *port);
        match listen(address) {
            Ok(listener) => made.push(listener),
            Err(e) if ip.is_ipv6() && matches!(e.raw_os_error(), Some(libc::EAFNOSUPPORT | libc::EADDRNOTAVAIL)) => {
                notice("notice", &format!("no IPv6 here: not listening on {address}"));
            }
            Err(e) => return Err(format!("bind() to {address} failed ({e})")),
        }
    }
    if made.is_empty() { Err("no address to listen on".into()) } else { Ok(made) }
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

/// One line of the access log, in nginx's format `combined`.
fn log(served: &Served) {
    let time = chrono::Local::now().format("%d/%b/%Y:%H:%M:%S %z").to_string();
    // A log that nobody reads any more must not end the server.
    std::io::stdout().write_all(line(served, &time).as_bytes()).unwrap_or(());
}

fn line(served: &Served, time: &str) -> String {
    let Served { peer, line, status, bytes, .. } = served;
    let field = |text: &Option<String>| text.as_deref().map_or("-".into(), escaped);
    let (referer, agent) = (field(&served.referer), field(&served.agent));
    format!("{peer} - - [{time}] \"{}\" {status} {bytes} \"{referer}\" \"{agent}\"\n", escaped(line))
}

/// What a client sent cannot end the line, close a quote or speak to a terminal.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' | 0..=31 | 127.. => out.push_str(&format!("\\x{byte:02X}")),
            _ => out.push(byte as char),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::TcpStream;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    fn parsed(words: &[&str]) -> Result<Options, String> {
        options(&words.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn options_as_nginx_takes_them() {
        let task = |words: &[&str]| parsed(words).map(|o| o.task);
        assert_eq!(task(&[]), Ok(Task::Serve));
        assert_eq!(task(&["-v"]), Ok(Task::Version));
        assert_eq!(task(&["-tq"]), Ok(Task::Test));
        assert_eq!(task(&["-s", "quit"]), Ok(Task::Signal(libc::SIGQUIT)));
        assert_eq!(task(&["-sreload"]), Ok(Task::Signal(libc::SIGHUP)));
        assert!(parsed(&["-g", "daemon off;"]).is_ok_and(|o| o.foreground && o.task == Task::Serve));
        assert!(parsed(&["-g", "daemon on;"]).is_ok_and(|o| !o.foreground));
        assert_eq!(parsed(&["-c", "/x"]).map(|o| o.conf), Ok(Some("/x".into())));
        for wrong in [&["-x"][..], &["start"], &["-s", "jump"], &["-c"], &["-g"], &["-p", "/"]] {
            assert!(parsed(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_log_line_cannot_be_forged() {
        let served = Served {
            peer: "127.0.0.1".into(),
            line: "GET /\"\n\u{1b}[2J HTTP/1.1".into(),
            status: 200,
            bytes: 5,
            referer: None,
            agent: Some("가\\".into()),
        };
        let want = "127.0.0.1 - - [T] \"GET /\\x22\\x0A\\x1B[2J HTTP/1.1\" 200 5 \"-\" \"\\xEA\\xB0\\x80\\x5C\"\n";
        assert_eq!(line(&served, "T"), want);
    }

    /// Serves `make`'s files on loopback while `ask` asks; gives the log.
    fn with_server(make: impl Fn(&Path), ask: impl Fn(SocketAddr) + Sync) -> Vec<Served> {
        let dir = tempfile::tempdir().expect("tempdir");
        let root = dir.path().join("html");
        std::fs::create_dir(&root).expect("root");
        std::fs::write(dir.path().join("secret"), "secret").expect("secret");
        make(&root);
        let listener = listen("127.0.0.1:0".parse().expect("address")).expect("listen");
        let address = listener.local_addr().expect("address");
        let (asked, mut log) = (AtomicBool::new(false), Vec::new());
        std::thread::scope(|scope| {
            let mut server = Server::new(Conf { root, ..Conf::default() }, vec![listener], |s| log.push(s.clone()));
            let asking = scope.spawn(|| {
                let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| ask(address)));
                asked.store(true, Ordering::SeqCst);
                outcome
            });
            while !asked.load(Ordering::SeqCst) {
                server.turn(None, Some(Duration::from_millis(20)));
            }
            server.stop_listening();
            let until = std::time::Instant::now() + Duration::from_secs(10);
            while !server.finished() && std::time::Instant::now() < until {
                server.turn(None, Some(Duration::from_millis(20)));
            }
            assert!(server.finished());
            drop(server);
            if let Ok(Err(panic)) = asking.join() {
                std::panic::resume_unwind(panic);
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
                let header = |name: &str| {
                    let line = page.lines().find(|l| l.starts_with(name)).expect(name);
                    line.split_once(": ").expect(name).1.to_string()
                };
                let is = |answer: String, status: &str| {
                    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}")
                };
                is(get(at, "/", &format!("If-None-Match: {}\r\n", header("ETag"))), "304");
                is(get(at, "/", &format!("If-Modified-Since: {}\r\n", header("Last-Modified"))), "304");
                let part = get(at, "/", "Range: bytes=1-2\r\n");
                assert!(part.starts_with("HTTP/1.1 206") && part.ends_with("\r\n\r\nh1"), "{part}");
                is(get(at, "/", "Range: bytes=99-\r\n"), "416");
                assert!(get(at, "/in.html", "").ends_with("<h1>hi</h1>"));
                assert!(get(at, "/dir/", "").ends_with("inner"));
                let moved = get(at, "//dir?q=1", "");
                assert!(moved.starts_with("HTTP/1.1 301") && moved.contains("\r\nLocation: /dir/?q=1\r\n"), "{moved}");
                is(get(at, "/empty/", ""), "403");
                is(get(at, "/none", ""), "404");
                for outside in ["/out", "/far", "/fifo"] {
                    is(get(at, outside, ""), "403");
                }
                is(get(at, "/../secret", ""), "400");
                is(talk(at, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"), "405");
                let head = talk(at, "HEAD / HTTP/1.0\r\n\r\n");
                assert!(head.contains("Content-Length: 11") && head.ends_with("\r\n\r\n"), "{head}");
            },
        );
        assert_eq!((log[0].line.as_str(), log[0].status, log[0].bytes), ("GET / HTTP/1.1", 200, 11));
        assert_eq!(log.len(), 16);
    }

    #[test]
    fn one_connection_many_requests_and_a_slow_neighbour() {
        let large = vec![b'x'; 3 << 20];
        let log = with_server(
            |root| {
                std::fs::write(root.join("index.html"), "hi").expect("index");
                std::fs::write(root.join("large"), &large).expect("large");
            },
            |at| {
                // Half a head, for as long as the others are served.
                let mut slow = TcpStream::connect(at).expect("connect");
                slow.write_all(b"GET / HT").expect("write");
                let one = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
                let last = "GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
                let answers = talk(at, &format!("{one}{one}{last}"));
                assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 3);
                assert_eq!(answers.matches("Connection: keep-alive").count(), 2);
                assert!(answers.len() > large.len() && answers.ends_with("xxxx"));
                slow.write_all(b"TP/1.0\r\n\r\n").expect("write");
                let mut answer = String::new();
                slow.read_to_string(&mut answer).expect("read");
                assert!(answer.ends_with("\r\n\r\nhi"), "{answer}");
            },
        );
        assert_eq!(log.iter().map(|s| s.bytes).sum::<u64>(), (3 << 20) + 6);
    }
}
