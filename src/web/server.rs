//! The connections: one thread, one poll, one request for each.
//!
//! What never breaks: a client costs at most one socket, one file and a head's bytes, for a limited time; a file goes out by
//! sendfile, never through memory. When all places are taken, the oldest connection is closed: nobody can occupy
//! them all.

use super::answer::{Answer, Body, answer};
use super::conf::Conf;
use super::request::{Request, first_line, parse};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::time::Timespec;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, TcpListener, TcpStream};
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

/// Each holds two descriptors at most, of the usual 1024.
const MOST_CLIENTS: usize = 480;
/// For a whole head.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// Without a byte taken by the client.
const SEND_TIME: Duration = Duration::from_secs(30);
/// For a client to take notice that the connection closes.
const CLOSE_TIME: Duration = Duration::from_secs(1);
/// Bytes sent to one client before others have their turn.
const TURN: u64 = 1 << 20;

pub struct Server<'a> {
    pub conf: Conf,
    pub listeners: Vec<TcpListener>,
    /// The oldest first.
    clients: VecDeque<Client>,
    /// Takes a line for the access log.
    log: Box<dyn FnMut(&str) + 'a>,
}

struct Client {
    stream: TcpStream,
    peer: IpAddr,
    input: Vec<u8>,
    until: Instant,
    /// What is on its way out.
    answer: Option<Sending>,
    /// The answer is out and our side closed; what still comes is thrown away, since closing over unread bytes resets the
    /// connection and can take the answer with it.
    closing: bool,
}

struct Sending {
    request: Option<Request>,
    answer: Answer,
    /// Bytes of the head and of the body that are out.
    head: usize,
    body: u64,
}

impl<'a> Server<'a> {
    pub fn new(conf: Conf, listeners: Vec<TcpListener>, log: impl FnMut(&str) + 'a) -> Self {
        Server { conf, listeners, clients: VecDeque::new(), log: Box::new(log) }
    }

    /// No more clients; those that have asked get their answers.
    pub fn finish(&mut self) {
        self.listeners.clear();
        self.clients.retain(|c| c.answer.is_some() || c.closing);
    }

    pub fn finished(&self) -> bool {
        self.listeners.is_empty() && self.clients.is_empty()
    }

    /// Waits for clients, or until `signals` is readable, and serves them.
    ///
    /// Errors: those of poll.
    pub fn turn(&mut self, signals: BorrowedFd<'_>) -> io::Result<()> {
        let mut fds = vec![PollFd::new(&signals, PollFlags::IN)];
        fds.extend(self.listeners.iter().map(|l| PollFd::new(l, PollFlags::IN)));
        fds.extend(
            self.clients
                .iter()
                .map(|c| PollFd::new(&c.stream, if c.answer.is_some() { PollFlags::OUT } else { PollFlags::IN })),
        );
        let now = Instant::now();
        let left = self.clients.iter().map(|c| c.until.saturating_duration_since(now)).min();
        // One millisecond more: the kernel counts whole ones, and a deadline must have passed when it wakes.
        let limit = left.and_then(|left| Timespec::try_from(left + Duration::from_millis(1)).ok());
        poll(&mut fds, limit.as_ref())?;
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        let (heard, moving) = ready[1..].split_at(self.listeners.len());

        let (now, mut moving) = (Instant::now(), moving.iter());
        self.clients.retain_mut(|client| {
            let ready = moving.next().is_some_and(|ready| *ready);
            let stays = if ready { client.go_on(&self.conf).unwrap_or(false) } else { now < client.until };
            if (!stays || client.closing)
                && let Some(sending) = client.answer.take()
            {
                (self.log)(&client.entry(&sending));
            }
            stays
        });
        for (number, _) in heard.iter().enumerate().filter(|(_, heard)| **heard) {
            if self.clients.len() >= MOST_CLIENTS {
                self.make_room();
            }
            match self.listeners[number].accept().and_then(|(s, peer)| s.set_nonblocking(true).map(|()| (s, peer))) {
                Ok((stream, peer)) => self.clients.push_back(Client {
                    stream,
                    peer: peer.ip().to_canonical(),
                    input: Vec::new(),
                    until: now + HEAD_TIME,
                    answer: None,
                    closing: false,
                }),
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::ConnectionAborted) => {}
                // No descriptor or no memory left.
                Err(_) => self.make_room(),
            }
        }
        Ok(())
    }

    /// Ends whoever has been here longest.
    fn make_room(&mut self) {
        if let Some(client) = self.clients.pop_front()
            && let Some(sending) = &client.answer
        {
            (self.log)(&client.entry(sending));
        }
    }
}

impl Client {
    /// Does what can be done without waiting. False: that was all.
    fn go_on(&mut self, conf: &Conf) -> io::Result<bool> {
        if self.answer.is_none() {
            let mut bytes = [0; 4096];
            let count = self.stream.read(&mut bytes)?;
            if self.closing || count == 0 {
                return Ok(count > 0);
            }
            self.input.extend_from_slice(&bytes[..count]);
            let asked = match parse(&self.input) {
                Ok(None) => return Ok(true),
                Ok(Some(request)) => Ok(request),
                Err(status) => Err(status),
            };
            let answer = answer(conf, asked.as_ref().map_err(|status| *status));
            self.answer = Some(Sending { request: asked.ok(), answer, head: 0, body: 0 });
        }
        let Some(sending) = &mut self.answer else { return Ok(false) };
        self.until = Instant::now() + SEND_TIME;
        match sending.send(&mut self.stream) {
            Ok(true) => {}
            Ok(false) => return Ok(true),
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(true),
            Err(e) => return Err(e),
        }
        self.stream.shutdown(Shutdown::Write)?;
        (self.closing, self.until) = (true, Instant::now() + CLOSE_TIME);
        Ok(true)
    }

    /// A line of the access log, in nginx's format `combined`.
    fn entry(&self, sending: &Sending) -> String {
        let time = chrono::Local::now().format("%d/%b/%Y:%H:%M:%S %z");
        let field = |text: Option<&String>| text.map_or("-".to_string(), |text| escaped(text.as_bytes()));
        let asked = sending.request.as_ref();
        let (referer, agent) = (asked.and_then(|r| r.referer.as_ref()), asked.and_then(|r| r.agent.as_ref()));
        let code = sending.answer.status.split(' ').next().unwrap_or_default();
        let (peer, line, sent) = (self.peer, escaped(first_line(&self.input)), sending.body);
        format!("{peer} - - [{time}] \"{line}\" {code} {sent} \"{}\" \"{}\"\n", field(referer), field(agent))
    }
}

impl Sending {
    /// Sends what the socket takes. True: everything is out.
    ///
    /// Errors: the client is gone, or the file became shorter than was promised.
    fn send(&mut self, stream: &mut TcpStream) -> io::Result<bool> {
        while self.head < self.answer.head.len() {
            self.head += stream.write(&self.answer.head.as_bytes()[self.head..])?;
        }
        let (size, end) = (self.answer.body.size(), self.body.saturating_add(TURN));
        while self.body < size.min(end) {
            let sent = match &self.answer.body {
                Body::Page(text) => {
                    let sent = stream.write(&text.as_bytes()[self.body as usize..])?;
                    self.body += sent as u64;
                    sent
                }
                Body::File(file, _) => {
                    let left = (size.min(end) - self.body) as usize;
                    rustix::fs::sendfile(&*stream, file, Some(&mut self.body), left)?
                }
            };
            if sent == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.body == size)
    }
}

/// What a client sent cannot end the line, close a quote or speak to a terminal.
fn escaped(text: &[u8]) -> String {
    let plain = |b: u8| matches!(b, 32..=126) && !b"\"\\".contains(&b);
    text.iter().map(|&b| if plain(b) { char::from(b).to_string() } else { format!("\\x{b:02X}") }).collect()
}
