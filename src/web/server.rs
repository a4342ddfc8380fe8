//! The connections: a thread for each, for one request.
//!
//! What never breaks: a client costs at most one thread, a head's bytes and three descriptors, for a limited time; a file
//! goes out by sendfile, never through memory. When all places are taken, whoever has been here longest makes room: nobody
//! can take them all to sit on them.

use super::answer::{Answer, Body, answer};
use super::conf::Conf;
use super::request::{Request, first_line, parse};
use rustix::event::{PollFd, PollFlags, poll};
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::BorrowedFd;
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

const MOST_CLIENTS: usize = 64;
/// For a whole head.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// Without a byte taken by the client.
const SEND_TIME: Duration = Duration::from_secs(30);
/// For a client to take notice that the connection closes.
const CLOSE_TIME: Duration = Duration::from_secs(1);
/// Of a thread: it holds no more than a few buffers.
const STACK: usize = 256 << 10;

pub struct Server {
    pub shared: Arc<Shared>,
    pub listeners: Vec<TcpListener>,
    /// The oldest first. A thread owns its connection.
    pub clients: VecDeque<(Weak<TcpStream>, JoinHandle<()>)>,
}

pub struct Shared {
    pub conf: RwLock<Conf>,
    /// Takes a line for the access log.
    pub log: Box<dyn Fn(&str) + Send + Sync>,
}

impl Server {
    /// Waits for clients, or until `signals` is readable, and lets the clients in.
    ///
    /// Errors: those of poll.
    pub fn turn(&mut self, signals: BorrowedFd<'_>) -> io::Result<()> {
        let mut fds = vec![PollFd::new(&signals, PollFlags::IN)];
        fds.extend(self.listeners.iter().map(|l| PollFd::new(l, PollFlags::IN)));
        poll(&mut fds, None)?;
        let ready: Vec<bool> = fds.iter().skip(1).map(|fd| !fd.revents().is_empty()).collect();
        for number in (0..ready.len()).filter(|number| ready[*number]) {
            self.clients.retain(|(_, thread)| !thread.is_finished());
            if self.clients.len() >= MOST_CLIENTS {
                self.make_room();
            }
            match self.listeners[number].accept().and_then(|(stream, _)| self.client(stream)) {
                Ok(client) => self.clients.push_back(client),
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::ConnectionAborted) => {}
                // No descriptor, no memory or no thread left.
                Err(_) => self.make_room(),
            }
        }
        Ok(())
    }

    /// No more clients; those that have asked get their answers.
    pub fn finish(mut self) {
        self.listeners.clear();
        for stream in self.clients.iter().filter_map(|(stream, _)| stream.upgrade()) {
            // Its reader sees the end; if it is gone, that is as good.
            stream.shutdown(Shutdown::Read).unwrap_or(());
        }
        for (_, thread) in self.clients {
            thread.join().unwrap_or(());
        }
    }

    /// Ends the oldest client. Its thread waits for nothing but its connection and the log.
    fn make_room(&mut self) {
        let Some((stream, thread)) = self.clients.pop_front() else { return };
        if let Some(stream) = stream.upgrade() {
            stream.shutdown(Shutdown::Both).unwrap_or(());
        }
        thread.join().unwrap_or(());
    }

    fn client(&self, stream: TcpStream) -> io::Result<(Weak<TcpStream>, JoinHandle<()>)> {
        let (shared, stream) = (self.shared.clone(), Arc::new(stream));
        let weak = Arc::downgrade(&stream);
        // A client that goes away, or is too slow, is no error of the server.
        let thread = Builder::new().stack_size(STACK).spawn(move || shared.serve(&stream).unwrap_or(()))?;
        Ok((weak, thread))
    }
}

impl Shared {
    fn serve(&self, stream: &TcpStream) -> io::Result<()> {
        let (mut input, until) = (Vec::new(), Instant::now() + HEAD_TIME);
        let asked = loop {
            if read(stream, &mut input, until)? == 0 {
                return Ok(());
            }
            match parse(&input) {
                Ok(None) => {}
                Ok(Some(request)) => break Ok(request),
                Err(status) => break Err(status),
            }
        };
        let asked = asked.as_ref().map_err(|status| *status);
        let answer = answer(&self.conf.read().unwrap_or_else(PoisonError::into_inner), asked);
        let peer = stream.peer_addr()?.ip().to_canonical();
        let mut sent = 0;
        let done = send(stream, &answer, &mut sent);
        let time = chrono::Local::now().format("%d/%b/%Y:%H:%M:%S %z");
        (self.log)(&format!("{peer} - - [{time}] {}\n", entry(first_line(&input), asked.ok(), answer.status, sent)));
        done?;
        // Closing over unread bytes resets the connection, and can take the answer with it.
        stream.shutdown(Shutdown::Write)?;
        let until = Instant::now() + CLOSE_TIME;
        while read(stream, &mut input, until)? > 0 {
            input.clear();
        }
        Ok(())
    }
}

/// Takes what has come. 0: there will be no more.
fn read(mut stream: &TcpStream, input: &mut Vec<u8>, until: Instant) -> io::Result<usize> {
    let left = until.checked_duration_since(Instant::now()).ok_or(ErrorKind::TimedOut)?;
    stream.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
    let mut bytes = [0; 4096];
    let count = stream.read(&mut bytes)?;
    input.extend_from_slice(&bytes[..count]);
    Ok(count)
}

/// Sends an answer; `sent` counts the bytes of its body.
fn send(mut stream: &TcpStream, answer: &Answer, sent: &mut u64) -> io::Result<()> {
    stream.set_write_timeout(Some(SEND_TIME))?;
    stream.write_all(answer.head.as_bytes())?;
    match &answer.body {
        Body::Page(text) => {
            stream.write_all(text.as_bytes())?;
            *sent = text.len() as u64;
        }
        Body::File(file, size) => {
            while *sent < *size {
                let left = usize::try_from(*size - *sent).unwrap_or(usize::MAX);
                if rustix::fs::sendfile(stream, file, Some(sent), left)? == 0 {
                    // It became shorter than was promised.
                    return Err(ErrorKind::UnexpectedEof.into());
                }
            }
        }
    }
    Ok(())
}

/// What the access log says after the time, in nginx's format `combined`.
fn entry(line: &[u8], asked: Option<&Request>, status: &str, sent: u64) -> String {
    let field = |text: Option<&String>| text.map_or("-".to_string(), |text| escaped(text.as_bytes()));
    let (referer, agent) = (asked.and_then(|r| r.referer.as_ref()), asked.and_then(|r| r.agent.as_ref()));
    let code = status.split(' ').next().unwrap_or_default();
    format!("\"{}\" {code} {sent} \"{}\" \"{}\"", escaped(line), field(referer), field(agent))
}

/// What a client sent cannot end the line, close a quote or speak to a terminal.
fn escaped(text: &[u8]) -> String {
    let plain = |b: u8| matches!(b, 32..=126) && !b"\"\\".contains(&b);
    text.iter().map(|&b| if plain(b) { char::from(b).to_string() } else { format!("\\x{b:02X}") }).collect()
}
