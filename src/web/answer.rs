//! What a request is answered with: a file below the root, or a small page that says why not.
//!
//! What never breaks: the kernel resolves names inside the root (openat2 RESOLVE_IN_ROOT: neither `..` nor a symlink leads
//! out), and only regular files are read (a FIFO would hang). They are opened without waiting, and looked at when open.

use super::conf::Conf;
use super::request::{Request, Status};
use crate::event::SysError;
use crate::kernel::resolve;
use rustix::fs::OFlags;
use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

const MOVED: Status = "301 Moved Permanently";
const FORBIDDEN: Status = "403 Forbidden";
const NOT_FOUND: Status = "404 Not Found";

/// Bytes sent to one client before others have their turn.
const TURN: u64 = 1 << 20;

pub struct Answer {
    pub asked: Result<Request, Status>,
    pub status: Status,
    head: String,
    body: Body,
    /// Bytes of the head and of the body that are out.
    head_sent: usize,
    pub body_sent: u64,
}

enum Body {
    Page(String),
    /// With the size that the head promises.
    File(File, u64),
}

/// The answer to what was asked, or to what could not be read.
pub fn answer(conf: &Conf, asked: Result<Request, Status>) -> Answer {
    let found = asked.as_ref().map_err(|status| *status).and_then(|request| find(conf, request));
    let (status, kind, size, body) = match found {
        Ok((kind, file, size)) => ("200 OK", kind, size, Body::File(file, size)),
        Err(status) => {
            let page = page(status);
            (status, "text/html", page.len() as u64, Body::Page(page))
        }
    };
    // Relative: whatever the path, it cannot lead to another host.
    let location = match &asked {
        Ok(Request { target, .. }) if status == MOVED => {
            format!("Location: ./{}/\r\n", target.rsplit('/').next().unwrap_or_default())
        }
        _ => String::new(),
    };
    // As HTTP writes a time (RFC 9110, 5.6.7).
    let date = chrono::Utc::now().format("%a, %d %b %Y %H:%M:%S GMT");
    let head = format!(
        "HTTP/1.1 {status}\r\nServer: docent\r\nDate: {date}\r\nContent-Type: {kind}\r\nContent-Length: {size}\r\n\
         {location}Connection: close\r\n\r\n"
    );
    let without_body = asked.as_ref().is_ok_and(|request| request.method == "HEAD");
    let body = if without_body { Body::Page(String::new()) } else { body };
    Answer { asked, status, head, body, head_sent: 0, body_sent: 0 }
}

impl Answer {
    /// Sends what the socket takes, up to a turn. True: everything is out.
    ///
    /// Errors: the client is gone or takes no more, or the file became shorter than was promised.
    pub fn send(&mut self, stream: &mut TcpStream) -> io::Result<bool> {
        while self.head_sent < self.head.len() {
            self.head_sent += stream.write(&self.head.as_bytes()[self.head_sent..])?;
        }
        match &self.body {
            Body::Page(text) => {
                self.body_sent += stream.write(&text.as_bytes()[self.body_sent as usize..])? as u64;
                Ok(self.body_sent == text.len() as u64)
            }
            Body::File(file, size) => {
                let left = size - self.body_sent;
                let sent = rustix::fs::sendfile(stream, file, Some(&mut self.body_sent), left.min(TURN) as usize)?;
                if sent == 0 && left > 0 { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(self.body_sent == *size) }
            }
        }
    }
}

/// A page with nginx's look.
fn page(status: Status) -> String {
    format!(
        "<html>\n<head><title>{status}</title></head>\n<body>\n<center><h1>{status}</h1></center>\n\
         <hr><center>docent</center>\n</body>\n</html>\n"
    )
}

/// The file that is asked for, with its type and size; or why not.
fn find<'a>(conf: &'a Conf, request: &Request) -> Result<(&'a str, File, u64), Status> {
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        return Err("405 Not Allowed");
    }
    let path = Path::new(OsStr::from_bytes(&request.path));
    let (file, meta) = open(conf, path)?;
    match (meta.is_dir(), request.directory) {
        (false, false) => return Ok((media_type(conf, path), file, meta.len())),
        (false, true) => return Err(NOT_FOUND),
        (true, false) => return Err(MOVED),
        (true, true) => {}
    }
    // Its first index file. Without one, that it is there is all that is told.
    for path in conf.index.iter().map(|name| path.join(name)) {
        match open(conf, &path) {
            Ok((file, meta)) if meta.is_file() => return Ok((media_type(conf, &path), file, meta.len())),
            Ok(_) | Err(NOT_FOUND) => {}
            Err(status) => return Err(status),
        }
    }
    Err(FORBIDDEN)
}

/// Opens a regular file or a directory.
fn open(conf: &Conf, path: &Path) -> Result<(File, Metadata), Status> {
    let status = |e: SysError| match e.errno {
        libc::ENOENT | libc::ENOTDIR | libc::ENAMETOOLONG => NOT_FOUND,
        libc::EACCES | libc::EPERM | libc::ELOOP | libc::ENXIO => FORBIDDEN,
        _ => "500 Internal Server Error",
    };
    let root = resolve::directory(&conf.root).map_err(status)?;
    let how = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = resolve::in_root(root.as_fd(), &Path::new("/").join(path), how).map_err(status)?;
    let file = File::from(file);
    let meta = file.metadata().map_err(|_| FORBIDDEN)?;
    if meta.is_file() || meta.is_dir() { Ok((file, meta)) } else { Err(FORBIDDEN) }
}

fn media_type<'a>(conf: &'a Conf, path: &Path) -> &'a str {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    conf.types.get(&ending).map_or("application/octet-stream", String::as_str)
}
