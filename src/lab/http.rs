//! One HTTP GET, just enough to look at a learner's page: over std's TCP, with a time limit on the whole and a limit on the
//! size. What answers is untrusted.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

const LIMIT: u64 = 1 << 20;

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// At most 1 MiB; anything that is no UTF-8 is replaced.
    pub body: String,
}

/// Why nothing did; the errno of the connection, or EPROTO for an answer that is no HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoAnswer {
    pub errno: i32,
}

/// Fetches `path` from `to`. `limit` bounds connecting and reading together.
pub fn get(to: SocketAddr, path: &str, limit: Duration) -> Result<Response, NoAnswer> {
    let until = Instant::now() + limit;
    let failed = |e: std::io::Error| NoAnswer {
        errno: match e.kind() {
            // A read that ran out of time says EAGAIN; people know it as a timeout.
            ErrorKind::WouldBlock | ErrorKind::TimedOut => libc::ETIMEDOUT,
            _ => e.raw_os_error().unwrap_or(libc::EIO),
        },
    };
    let left = || until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
    let mut stream = TcpStream::connect_timeout(&to, left()).map_err(failed)?;
    stream.set_write_timeout(Some(left())).map_err(failed)?;
    let target = path.replace(|c: char| c.is_whitespace() || c.is_control(), "");
    stream
        .write_all(
            format!("GET {target} HTTP/1.0\r\nHost: localhost\r\nUser-Agent: docent-lab\r\nConnection: close\r\n\r\n")
                .as_bytes(),
        )
        .map_err(failed)?;
    let mut answer = Vec::new();
    let mut chunk = [0u8; 8192];
    loop {
        if Instant::now() >= until {
            return Err(NoAnswer { errno: libc::ETIMEDOUT });
        }
        stream.set_read_timeout(Some(left())).map_err(failed)?;
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(n) => answer.extend_from_slice(chunk.get(..n).unwrap_or_default()),
            // A server that closes with data unread resets the connection after its answer has come.
            Err(e) if e.kind() == ErrorKind::ConnectionReset && !answer.is_empty() => break,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(failed(e)),
        }
        if answer.len() as u64 >= LIMIT {
            break;
        }
    }
    parse(&answer).ok_or(NoAnswer { errno: libc::EPROTO })
}

fn parse(answer: &[u8]) -> Option<Response> {
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = std::str::from_utf8(answer.get(..end)?).ok()?;
    let mut words = head.lines().next()?.split(' ');
    words.next().filter(|v| v.starts_with("HTTP/1."))?;
    let status = words.next()?.parse().ok()?;
    Some(Response { status, body: String::from_utf8_lossy(answer.get(end + 4..)?).into_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// Answers one connection with these bytes, and keeps it open when `hold` says so.
    fn server(answer: &'static [u8], hold: bool) -> (SocketAddr, std::thread::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0u8; 1024];
            let n = stream.read(&mut request).unwrap();
            assert!(request[..n].starts_with(b"GET /a HTTP/1.0\r\n"));
            stream.write_all(answer).unwrap();
            if hold {
                // Until the client gives up.
                assert_eq!(stream.read(&mut request).unwrap_or(0), 0);
            }
        });
        (at, thread)
    }

    #[test]
    fn status_and_body_are_read() {
        let (at, thread) = server(b"HTTP/1.1 404 Not Found\r\nA: b\r\n\r\nno", false);
        assert_eq!(get(at, "/a", Duration::from_secs(5)), Ok(Response { status: 404, body: "no".into() }));
        thread.join().unwrap();
    }

    #[test]
    fn a_server_that_never_ends_is_left() {
        let (at, thread) = server(b"HTTP/1.1 200 OK\r\n\r\nhalf", true);
        assert_eq!(get(at, "/a", Duration::from_millis(200)), Err(NoAnswer { errno: libc::ETIMEDOUT }));
        thread.join().unwrap();
    }

    #[test]
    fn what_is_no_http_is_no_answer() {
        let (at, thread) = server(b"SSH-2.0-x\r\n\r\n", false);
        assert_eq!(get(at, "/a", Duration::from_secs(5)), Err(NoAnswer { errno: libc::EPROTO }));
        thread.join().unwrap();
    }

    #[test]
    fn nobody_there() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        drop(listener);
        assert_eq!(get(at, "/", Duration::from_secs(5)), Err(NoAnswer { errno: libc::ECONNREFUSED }));
    }
}
