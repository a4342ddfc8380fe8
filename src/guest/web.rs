//! The server itself: one thread, one poll, many clients, files below one directory.
//!
//! What never breaks: a client costs at most one socket, one file and a head's bytes, for a limited time; a file goes out
//! by sendfile, never through memory.

use super::files::{Found, find, open};
use super::http::{self, Parsed, Request};
use super::nginx_conf::Conf;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

/// Clients at a time: each holds two descriptors at most, of the usual 1024.
const MOST_CLIENTS: usize = 500;
/// From a head's first byte to its last, and between two requests.
const HEAD_TIME: Duration = Duration::from_secs(60);
/// Without a byte taken by the client.
const SEND_TIME: Duration = Duration::from_secs(60);
/// For a client to take notice that the connection closes.
const CLOSE_TIME: Duration = Duration::from_secs(5);
/// Bytes sent to one client before others have their turn.
const TURN: usize = 1 << 20;

/// What the access log tells of one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Served {
    pub peer: String,
    pub line: String,
    pub status: u16,
    /// Bytes of the body.
    pub bytes: u64,
    pub referer: Option<String>,
    pub agent: Option<String>,
}

pub struct Server<'a> {
    pub conf: Conf,
    listeners: Vec<TcpListener>,
    clients: Vec<Client>,
    log: Box<dyn FnMut(&Served) + 'a>,
    /// accept found no descriptor left: wait until one is free.
    full: bool,
}

enum State {
    /// Collecting a head.
    Reading,
    /// Sending an answer.
    Writing,
    /// The answer is out and our side closed; what still comes is thrown away, since closing over unread bytes resets
    /// the connection and can take the answer with it.
    Closing,
    Gone,
}

struct Client {
    stream: TcpStream,
    peer: SocketAddr,
    state: State,
    input: Vec<u8>,
    answer: Answer,
    deadline: Instant,
}

/// An answer on its way out.
#[derive(Default)]
struct Answer {
    head: Vec<u8>,
    /// Bytes of `head` that are out.
    sent: usize,
    file: Option<Part>,
    keep_alive: bool,
    served: Served,
}

struct Part {
    file: File,
    from: u64,
    left: u64,
}

impl<'a> Server<'a> {
    pub fn new(conf: Conf, listeners: Vec<TcpListener>, log: impl FnMut(&Served) + 'a) -> Self {
        Server { conf, listeners, clients: Vec::new(), log: Box::new(log), full: false }
    }

    /// No new clients; those without a request under way are let go.
    pub fn stop_listening(&mut self) {
        self.listeners.clear();
        self.clients.retain(|c| !c.idle());
        for client in &mut self.clients {
            client.answer.keep_alive = false;
        }
    }

    /// All requests are answered.
    pub fn finished(&self) -> bool {
        self.listeners.is_empty() && self.clients.is_empty()
    }

    /// Waits for something to do, at most `wait`, and does it. `other` wakes it too.
    pub fn turn(&mut self, other: Option<BorrowedFd<'_>>, wait: Option<Duration>) {
        let (heard, ready) = self.wait(other, wait);
        let now = Instant::now();
        for (client, ready) in self.clients.iter_mut().zip(ready) {
            if ready {
                client.go_on(&self.conf, self.listeners.is_empty(), &mut self.log);
            } else if client.deadline <= now {
                client.state = State::Gone;
            }
        }
        let before = self.clients.len();
        self.clients.retain(|c| !matches!(c.state, State::Gone));
        self.full &= self.clients.len() == before;
        for number in heard {
            self.accept(number);
        }
    }

    /// Which listeners have a client, and which clients can go on.
    fn wait(&self, other: Option<BorrowedFd<'_>>, wait: Option<Duration>) -> (Vec<usize>, Vec<bool>) {
        let room = !self.full && (self.clients.len() < MOST_CLIENTS || self.clients.iter().any(Client::idle));
        let listening: &[TcpListener] = if room { &self.listeners } else { &[] };
        let mut fds: Vec<PollFd<'_>> = Vec::with_capacity(self.clients.len() + listening.len() + 1);
        fds.extend(self.clients.iter().map(|c| {
            let what = if matches!(c.state, State::Writing) { PollFlags::OUT } else { PollFlags::IN };
            PollFd::new(&c.stream, what)
        }));
        fds.extend(listening.iter().map(|l| PollFd::new(l, PollFlags::IN)));
        fds.extend(other.as_ref().map(|fd| PollFd::new(fd, PollFlags::IN)));
        let now = Instant::now();
        let deadline = self.clients.iter().map(|c| c.deadline.saturating_duration_since(now)).chain(wait).min();
        // One millisecond more: the kernel counts whole ones, and a deadline must have passed when it wakes.
        let limit = deadline.and_then(|d| rustix::time::Timespec::try_from(d + Duration::from_millis(1)).ok());
        if poll(&mut fds, limit.as_ref()).is_err() {
            return (Vec::new(), vec![false; self.clients.len()]);
        }
        let ready = |fd: &PollFd<'_>| !fd.revents().is_empty();
        let (clients, rest) = fds.split_at(self.clients.len());
        let heard = rest.iter().take(listening.len()).enumerate().filter(|(_, fd)| ready(fd)).map(|(n, _)| n).collect();
        (heard, clients.iter().map(ready).collect())
    }

    fn accept(&mut self, number: usize) {
        let Some(listener) = self.listeners.get(number) else { return };
        match listener.accept() {
            Ok((stream, peer)) => {
                if self.clients.len() >= MOST_CLIENTS {
                    // Whoever has waited longest between two requests makes room.
                    let idle =
                        self.clients.iter().enumerate().filter(|(_, c)| c.idle()).min_by_key(|(_, c)| c.deadline);
                    match idle.map(|(n, _)| n) {
                        Some(n) => drop(self.clients.swap_remove(n)),
                        None => return,
                    }
                }
                if stream.set_nonblocking(true).and_then(|()| stream.set_nodelay(true)).is_ok() {
                    self.clients.push(Client {
                        stream,
                        peer,
                        state: State::Reading,
                        input: Vec::new(),
                        answer: Answer::default(),
                        deadline: Instant::now() + HEAD_TIME,
                    });
                }
            }
            Err(e) => {
                let none_left = [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM];
                self.full = e.raw_os_error().is_some_and(|e| none_left.contains(&e)) && !self.clients.is_empty();
            }
        }
    }
}

impl Client {
    /// Between two requests.
    fn idle(&self) -> bool {
        matches!(self.state, State::Reading) && self.input.is_empty()
    }

    fn go_on(&mut self, conf: &Conf, last: bool, log: &mut dyn FnMut(&Served)) {
        match self.state {
            State::Reading => self.read(conf, last, log),
            State::Writing => {
                if self.write(log) {
                    self.answer_next(conf, last, log);
                }
            }
            State::Closing => self.throw_away(),
            State::Gone => {}
        }
    }

    fn read(&mut self, conf: &Conf, last: bool, log: &mut dyn FnMut(&Served)) {
        let mut bytes = [0; 4096];
        match self.stream.read(&mut bytes) {
            Ok(0) => self.state = State::Gone,
            Ok(count) => {
                if self.input.is_empty() {
                    self.deadline = Instant::now() + HEAD_TIME;
                }
                self.input.extend_from_slice(&bytes[..count]);
                self.answer_next(conf, last, log);
            }
            Err(e) if again(e.kind()) => {}
            Err(_) => self.state = State::Gone,
        }
    }

    /// Answers what has been read, request after request (they may come together), until one is incomplete or its
    /// answer does not fit into the socket.
    fn answer_next(&mut self, conf: &Conf, last: bool, log: &mut dyn FnMut(&Served)) {
        while matches!(self.state, State::Reading) {
            self.answer = match http::parse(&self.input) {
                Parsed::Incomplete => return,
                Parsed::Bad(status, line) => {
                    self.input.clear();
                    answer(conf, &Request { line, ..Request::default() }, Err(status))
                }
                Parsed::Complete(request, length) => {
                    self.input.drain(..length);
                    let found = find(conf, &request);
                    let mut answer = answer(conf, &request, found);
                    if request.body {
                        self.input.clear();
                    }
                    answer.keep_alive &= !last;
                    answer
                }
            };
            self.answer.finish_head();
            self.answer.served.peer = self.peer.ip().to_canonical().to_string();
            self.state = State::Writing;
            self.deadline = Instant::now() + SEND_TIME;
            if !self.write(log) {
                return;
            }
        }
    }

    /// Sends what the socket takes. True: the answer is out.
    fn write(&mut self, log: &mut dyn FnMut(&Served)) -> bool {
        match self.answer.send(&mut self.stream) {
            Ok(false) => {
                self.deadline = Instant::now() + SEND_TIME;
                return false;
            }
            Ok(true) if self.answer.keep_alive => {
                self.state = State::Reading;
                self.deadline = Instant::now() + HEAD_TIME;
            }
            Ok(true) => {
                self.state = if self.stream.shutdown(Shutdown::Write).is_ok() { State::Closing } else { State::Gone };
                self.deadline = Instant::now() + CLOSE_TIME;
            }
            Err(_) => self.state = State::Gone,
        }
        log(&self.answer.served);
        self.answer.file = None;
        true
    }

    fn throw_away(&mut self) {
        let mut bytes = [0; 4096];
        match self.stream.read(&mut bytes) {
            Ok(count) if count > 0 => {}
            Err(e) if again(e.kind()) => {}
            _ => self.state = State::Gone,
        }
    }
}

fn again(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

impl Answer {
    fn header(&mut self, name: &str, value: &str) {
        self.head.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }

    /// The last header; a built-in page that was put behind the head stays behind it.
    fn finish_head(&mut self) {
        let body = self.head.split_off(self.sent);
        self.sent = 0;
        self.header("Connection", if self.keep_alive { "keep-alive" } else { "close" });
        self.head.extend_from_slice(b"\r\n");
        self.head.extend(body);
    }

    /// True: everything is out. An error: the client is gone, or the file became shorter than was promised.
    fn send(&mut self, stream: &mut TcpStream) -> std::io::Result<bool> {
        let mut turn = TURN;
        while self.sent < self.head.len() {
            match stream.write(&self.head[self.sent..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => self.sent += count,
                Err(e) if again(e.kind()) => return Ok(false),
                Err(e) => return Err(e),
            }
        }
        let Some(part) = &mut self.file else { return Ok(true) };
        while part.left > 0 {
            if turn == 0 {
                return Ok(false);
            }
            let count = turn.min(usize::try_from(part.left).unwrap_or(turn));
            match rustix::fs::sendfile(&*stream, &part.file, Some(&mut part.from), count) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    turn -= count;
                    part.left -= count as u64;
                    self.served.bytes += count as u64;
                }
                Err(Errno::AGAIN | Errno::INTR) => return Ok(false),
                Err(e) => return Err(e.into()),
            }
        }
        Ok(true)
    }
}

// ---- answers -------------------------------------------------------------------------------------------------------

fn answer(conf: &Conf, request: &Request, found: Result<Found, u16>) -> Answer {
    let mut answer = Answer {
        keep_alive: request.keep_alive && !request.body && found.is_ok(),
        served: Served {
            line: request.line.clone(),
            referer: request.referer.clone(),
            agent: request.agent.clone(),
            ..Served::default()
        },
        ..Answer::default()
    };
    match found {
        Ok(Found::File { file, path, size, modified }) => answer.file(request, file, &path, size, modified),
        Ok(Found::Moved(to)) => {
            answer.start(301);
            answer.header("Location", &to);
            answer.built_in_page(request);
        }
        Err(status) => {
            answer.keep_alive = request.keep_alive && !request.body && matches!(status, 403..=405);
            answer.start(status);
            if status == 405 {
                answer.header("Allow", "GET, HEAD");
            }
            let page = conf.error_pages.iter().find(|(s, _)| *s == status).and_then(|(_, page)| {
                let (path, directory) = http::resolve(page.as_bytes()).ok()?;
                open(conf, &path, directory, "").ok()
            });
            match page {
                Some(Found::File { file, path, size, .. }) => {
                    answer.header("Content-Type", http::media_type(&path));
                    answer.header("Content-Length", &size.to_string());
                    answer.end(request, Some(Part { file, from: 0, left: size }), &[]);
                }
                _ => answer.built_in_page(request),
            }
        }
    }
    answer
}

/// As HTTP writes a time (RFC 9110, 5.6.7).
fn http_time(seconds: i64) -> String {
    let time = chrono::DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

impl Answer {
    fn start(&mut self, status: u16) {
        self.served.status = status;
        self.head = format!("HTTP/1.1 {status} {}\r\n", http::reason(status)).into_bytes();
        self.header("Server", "docent");
        self.header("Date", &http_time(chrono::Utc::now().timestamp()));
    }

    fn file(&mut self, request: &Request, file: File, path: &[u8], size: u64, modified: i64) {
        let (tag, time) = (format!("\"{modified:x}-{size:x}\""), http_time(modified));
        // If-Modified-Since counts only without the other (RFC 9110, 13.1.3), and exactly, as nginx takes it.
        let unchanged = match &request.if_none_match {
            Some(list) => http::names_tag(list, &tag),
            None => request.if_modified_since.as_ref() == Some(&time),
        };
        if unchanged {
            self.start(304);
            self.header("Last-Modified", &time);
            self.header("ETag", &tag);
            return self.end(request, None, &[]);
        }
        let still_the_same = request.if_range.as_ref().is_none_or(|r| *r == tag || *r == time);
        let wanted = request.range.as_ref().filter(|_| still_the_same && request.method == "GET");
        let (from, left) = match wanted.map_or(Ok(None), |text| http::range(text, size)) {
            Ok(None) => {
                self.start(200);
                (0, size)
            }
            Ok(Some((from, length))) => {
                self.start(206);
                self.header("Content-Range", &format!("bytes {from}-{}/{size}", from + length.saturating_sub(1)));
                (from, length)
            }
            Err(status) => {
                self.start(status);
                self.header("Content-Range", &format!("bytes */{size}"));
                return self.built_in_page(request);
            }
        };
        self.header("Content-Type", http::media_type(path));
        self.header("Content-Length", &left.to_string());
        self.header("Last-Modified", &time);
        self.header("ETag", &tag);
        self.header("Accept-Ranges", "bytes");
        self.end(request, Some(Part { file, from, left }), &[]);
    }

    fn built_in_page(&mut self, request: &Request) {
        let title = format!("{} {}", self.served.status, http::reason(self.served.status));
        let page = format!(
            "<!doctype html>\n<html><head><title>{title}</title></head>\n<body><h1>{title}</h1>\n<hr>docent</body></html>\n"
        );
        self.header("Content-Type", "text/html");
        self.header("Content-Length", &page.len().to_string());
        self.end(request, None, page.as_bytes());
    }

    /// The body, unless only the head was asked for. `sent` marks where the head ends until it is finished.
    fn end(&mut self, request: &Request, part: Option<Part>, page: &[u8]) {
        self.sent = self.head.len();
        if request.method != "HEAD" {
            self.head.extend_from_slice(page);
            self.served.bytes = page.len() as u64;
            self.file = part;
        }
    }
}
