//! What a request is answered with: a file below the root, or a small page that says why not.
//!
//! What never breaks: the kernel resolves names inside the root (openat2 RESOLVE_IN_ROOT: neither `..` nor a symlink leads
//! out), and only regular files are read (a FIFO would hang). They are opened without waiting, and looked at when open.

use super::conf::Conf;
use super::request::{Request, Status, resolve};
use crate::event::SysError;
use crate::kernel::resolve;
use rustix::fs::{Mode, OFlags};
use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

const FORBIDDEN: Status = "403 Forbidden";
const NOT_FOUND: Status = "404 Not Found";

pub struct Answer {
    pub status: Status,
    pub head: String,
    pub body: Body,
}

pub enum Body {
    Page(String),
    File(File, u64),
}

impl Body {
    pub fn size(&self) -> u64 {
        match self {
            Body::Page(text) => text.len() as u64,
            Body::File(_, size) => *size,
        }
    }
}

/// What a path leads to.
enum Found {
    File(File, u64),
    Directory,
}

/// The answer to what was asked, or to what could not be read.
pub fn answer(conf: &Conf, asked: Result<&Request, Status>) -> Answer {
    let mut header = String::new();
    let (status, kind, body) = match asked.and_then(|request| find(conf, request, &mut header)) {
        Ok((kind, file, size)) => ("200 OK", kind, Body::File(file, size)),
        Err(status) => {
            let named = conf.error_pages.iter().find(|(code, _)| status.starts_with(code.as_str()));
            let path = named.and_then(|(_, page)| resolve(page).ok()).map(|(path, _)| path).unwrap_or_default();
            match regular(conf, &path) {
                Ok(Found::File(file, size)) => (status, media_type(&path), Body::File(file, size)),
                _ => (status, "text/html", Body::Page(page(status))),
            }
        }
    };
    let size = body.size();
    // As HTTP writes a time (RFC 9110, 5.6.7).
    let date = chrono::Utc::now().format("%a, %d %b %Y %H:%M:%S GMT");
    let head = format!(
        "HTTP/1.1 {status}\r\nServer: docent\r\nDate: {date}\r\nContent-Type: {kind}\r\nContent-Length: {size}\r\n\
         {header}Connection: close\r\n\r\n"
    );
    let without_body = asked.is_ok_and(|request| request.method == "HEAD");
    Answer { status, head, body: if without_body { Body::Page(String::new()) } else { body } }
}

fn page(status: Status) -> String {
    format!(
        "<!doctype html>\n<html><head><title>{status}</title></head>\n<body><h1>{status}</h1>\n<hr>docent</body></html>\n"
    )
}

/// The file that is asked for, with its type and size; or why not, and what the head says besides.
fn find(conf: &Conf, request: &Request, header: &mut String) -> Result<(&'static str, File, u64), Status> {
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        header.push_str("Allow: GET, HEAD\r\n");
        return Err("405 Not Allowed");
    }
    match regular(conf, &request.path)? {
        Found::File(..) if request.directory => return Err(NOT_FOUND),
        Found::File(file, size) => return Ok((media_type(&request.path), file, size)),
        Found::Directory if !request.directory => {
            header.push_str(&format!("Location: /{}/{}\r\n", encode(&request.path), request.query));
            return Err("301 Moved Permanently");
        }
        Found::Directory => {}
    }
    // Its first index file. Without one, that it is there is all that is told.
    for index in &conf.index {
        let path = Path::new(OsStr::from_bytes(&request.path)).join(index);
        match regular(conf, path.as_os_str().as_bytes()) {
            Ok(Found::File(file, size)) => return Ok((media_type(index.as_bytes()), file, size)),
            Ok(Found::Directory) | Err(NOT_FOUND) => {}
            Err(status) => return Err(status),
        }
    }
    Err(FORBIDDEN)
}

fn regular(conf: &Conf, path: &[u8]) -> Result<Found, Status> {
    let status = |e: SysError| match e.errno {
        libc::ENOENT | libc::ENOTDIR | libc::ENAMETOOLONG => NOT_FOUND,
        libc::EACCES | libc::EPERM | libc::ELOOP | libc::ENXIO => FORBIDDEN,
        _ => "500 Internal Server Error",
    };
    let root = resolve::directory(&conf.root).map_err(status)?;
    let how = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let path = Path::new("/").join(OsStr::from_bytes(path));
    let file = File::from(resolve::in_root(root.as_fd(), &path, how, Mode::empty()).map_err(status)?);
    let meta = file.metadata().map_err(|_| FORBIDDEN)?;
    match () {
        () if meta.is_dir() => Ok(Found::Directory),
        () if meta.is_file() => Ok(Found::File(file, meta.len())),
        () => Err(FORBIDDEN),
    }
}

/// A path as it may stand in a header: what is not plain is a percent sign and two digits again.
fn encode(path: &[u8]) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&b);
    path.iter().map(|&b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// The media type by the name's ending.
fn media_type(path: &[u8]) -> &'static str {
    let ending = Path::new(OsStr::from_bytes(path)).extension().unwrap_or_default().to_ascii_lowercase();
    match ending.as_bytes() {
        b"html" | b"htm" => "text/html",
        b"css" => "text/css",
        b"txt" | b"md" => "text/plain",
        b"js" | b"mjs" => "application/javascript",
        b"json" => "application/json",
        b"xml" => "text/xml",
        b"png" => "image/png",
        b"jpg" | b"jpeg" => "image/jpeg",
        b"gif" => "image/gif",
        b"svg" => "image/svg+xml",
        b"ico" => "image/x-icon",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_a_header() {
        assert_eq!(encode("/한 글\r\nX: y".as_bytes()), "/%ED%95%9C%20%EA%B8%80%0D%0AX:%20y");
        assert_eq!(media_type(b"a.b/Index.HTML"), "text/html");
        assert_eq!(media_type(b"a.html/readme"), "application/octet-stream");
    }
}
