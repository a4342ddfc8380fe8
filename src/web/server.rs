//! The connections: one thread, one poll, one request for each.
//!
//! What never breaks: a client costs at most one socket, one file and a head's bytes, for a limited time; a file goes out by
//! sendfile, never through memory. When all places are taken, the oldest connection is closed: nobody can occupy
//! them all.

use super::answer::{Answer, answer};
use super::conf::Conf;
use super::request::{first_line, parse};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::time::Timespec;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read};
use std::net::{IpAddr, Shutdown, TcpListener, TcpStream};
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

/// Each holds two descriptors at most, of the usual 1024.
pub const MOST_CLIENTS: usize = 480;
/// For a whole head, and without a byte taken by the client.
const PATIENCE: Duration = Duration::from_secs(30);
/// For a client to take notice that the connection closes.
const CLOSE_TIME: Duration = Duration::from_secs(1);

pub struct Server {
    pub conf: Conf,
    listener: TcpListener,
    /// The oldest first.
    clients: VecDeque<Client>,
}

struct Client {
    stream: TcpStream,
    peer: IpAddr,
    input: Vec<u8>,
    until: Instant,
    /// What is on its way out.
    answer: Option<Answer>,
    /// The answer is out and our side closed; what still comes is thrown away, since closing over unread bytes resets the
    /// connection and can take the answer with it.
    closing: bool,
}

impl Server {
    #[cfg(test)]
    pub fn clients(&self) -> usize {
        self.clients.len()
    }

    pub fn new(conf: Conf, listener: TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        // As many may wait as with nginx; std has told the kernel 128, and whoever comes then tries again after a second.
        rustix::net::listen(&listener, 511)?;
        Ok(Server { conf, listener, clients: VecDeque::new() })
    }

    /// Waits for clients, or until `signals` is readable, and serves them. Gives lines for the access log.
    ///
    /// Errors: those of poll.
    pub fn turn(&mut self, signals: BorrowedFd<'_>) -> io::Result<Vec<String>> {
        let mut fds = vec![PollFd::new(&signals, PollFlags::IN), PollFd::new(&self.listener, PollFlags::IN)];
        for client in &self.clients {
            let awaited = if client.answer.is_some() { PollFlags::OUT } else { PollFlags::IN };
            fds.push(PollFd::new(&client.stream, awaited));
        }
        // Deadlines are looked at once a second.
        let limit = (!self.clients.is_empty()).then_some(Timespec { tv_sec: 1, tv_nsec: 0 });
        poll(&mut fds, limit.as_ref())?;
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();

        let (now, mut moving, mut log) = (Instant::now(), ready[2..].iter(), Vec::new());
        self.clients.retain_mut(|client| {
            let ready = moving.next().is_some_and(|ready| *ready);
            let mut stays = now < client.until;
            if stays && ready {
                stays = client.go_on(&self.conf).unwrap_or_else(|e| e.kind() == ErrorKind::WouldBlock);
            }
            if (!stays || client.closing)
                && let Some(answer) = client.answer.take()
            {
                log.push(client.entry(&answer));
            }
            stays
        });
        if ready[1] {
            self.accept(now);
        }
        Ok(log)
    }

    fn accept(&mut self, now: Instant) {
        let accepted = self.listener.accept().and_then(|(s, peer)| s.set_nonblocking(true).map(|()| (s, peer.ip())));
        let full = match accepted {
            Ok((stream, peer)) => {
                let (peer, until) = (peer.to_canonical(), now + PATIENCE);
                self.clients.push_back(Client { stream, peer, input: Vec::new(), until, answer: None, closing: false });
                self.clients.len() >= MOST_CLIENTS
            }
            // Otherwise no descriptor or no memory is left.
            Err(e) => !matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::ConnectionAborted),
        };
        // Before the next comes, whoever has been here longest makes room.
        if full && let Some(oldest) = self.clients.front_mut() {
            oldest.until = now;
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
            let Some(asked) = parse(&self.input).transpose() else { return Ok(true) };
            self.answer = Some(answer(conf, asked));
        }
        let Some(answer) = &mut self.answer else { return Ok(false) };
        self.until = Instant::now() + PATIENCE;
        if !answer.send(&mut self.stream)? {
            return Ok(true);
        }
        self.stream.shutdown(Shutdown::Write)?;
        (self.closing, self.until) = (true, Instant::now() + CLOSE_TIME);
        Ok(true)
    }

    /// A line of the access log, in nginx's format `combined`.
    fn entry(&self, answer: &Answer) -> String {
        let time = chrono::Local::now().format("%d/%b/%Y:%H:%M:%S %z");
        let code = answer.status.split(' ').next().unwrap_or_default();
        let (peer, line, sent) = (self.peer, escaped(first_line(&self.input)), answer.body_sent);
        let (referer, agent) = match &answer.asked {
            Ok(request) => (escaped(request.referer.as_bytes()), escaped(request.agent.as_bytes())),
            Err(_) => ("-".into(), "-".into()),
        };
        format!("{peer} - - [{time}] \"{line}\" {code} {sent} \"{referer}\" \"{agent}\"\n")
    }
}

/// What a client sent cannot end the line, close a quote or speak to a terminal.
fn escaped(text: &[u8]) -> String {
    let plain = |b: u8| matches!(b, 32..=126) && !b"\"\\".contains(&b);
    text.iter().map(|&b| if plain(b) { char::from(b).to_string() } else { format!("\\x{b:02X}") }).collect()
}
