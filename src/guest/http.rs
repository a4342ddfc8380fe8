//! HTTP/1.1 as far as a server of static files needs it: a request's head read, a response's head written.
//!
//! What never breaks: bytes from the network are only ever compared and copied. A head that could be read in two ways
//! (two lengths, folded lines, spaces before a colon) is refused rather than guessed, since a proxy may have guessed
//! otherwise; a decoded path never leads above the root.

/// The longest request line, in bytes.
pub const LONGEST_LINE: usize = 8 << 10;
/// The longest head, in bytes.
pub const LONGEST_HEAD: usize = 32 << 10;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The first line as it came, for the log.
    pub line: String,
    pub method: String,
    /// Decoded and without dots, relative to the root; empty is the root.
    pub path: Vec<u8>,
    /// The path named a directory: it ended with a slash.
    pub directory: bool,
    /// With its question mark, as it came.
    pub query: String,
    pub keep_alive: bool,
    /// A body follows.
    pub body: bool,
    pub if_none_match: Option<String>,
    pub if_modified_since: Option<String>,
    pub range: Option<String>,
    pub if_range: Option<String>,
    pub referer: Option<String>,
    pub agent: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// More bytes are needed.
    Incomplete,
    /// Not to be answered with a file: the status, and the first line for the log.
    Bad(u16, String),
    /// A request, and how many bytes its head had.
    Complete(Box<Request>, usize),
}

/// Reads one head from the start of `input`.
pub fn parse(input: &[u8]) -> Parsed {
    // Some clients send an empty line after a body.
    let skipped = input.iter().take_while(|b| **b == b'\r' || **b == b'\n').count();
    let text = &input[skipped..];
    let first_end = text.iter().position(|b| *b == b'\n');
    if first_end.unwrap_or(text.len()) > LONGEST_LINE {
        return Parsed::Bad(414, String::new());
    }
    let Some(length) = head_length(text) else {
        let first = first_end.map(|end| shown(line_of(&text[..end]))).unwrap_or_default();
        return if input.len() > LONGEST_HEAD { Parsed::Bad(400, first) } else { Parsed::Incomplete };
    };
    let mut lines = text[..length].split(|b| *b == b'\n').map(line_of);
    let first = lines.next().unwrap_or_default();
    let line = shown(first);
    if length > LONGEST_HEAD {
        return Parsed::Bad(400, line);
    }
    match read_head(first, lines) {
        Ok(request) => Parsed::Complete(Box::new(Request { line, ..request }), skipped + length),
        Err(status) => Parsed::Bad(status, line),
    }
}

/// The bytes up to and with the empty line.
fn head_length(text: &[u8]) -> Option<usize> {
    let mut rest = 0;
    while let Some(end) = text[rest..].iter().position(|b| *b == b'\n') {
        if line_of(&text[rest..rest + end]).is_empty() {
            return Some(rest + end + 1);
        }
        rest += end + 1;
    }
    None
}

fn line_of(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn read_head<'a>(first: &[u8], lines: impl Iterator<Item = &'a [u8]>) -> Result<Request, u16> {
    let mut words = first.split(|b| *b == b' ');
    let (Some(method), Some(target), Some(version), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(400);
    };
    if method.is_empty() || !method.iter().all(|b| b.is_ascii_uppercase() || b"-_".contains(b)) {
        return Err(400);
    }
    let modern = match version {
        b"HTTP/1.1" => true,
        b"HTTP/1.0" => false,
        v if v.starts_with(b"HTTP/") => return Err(505),
        _ => return Err(400),
    };
    let mut request = Request { method: shown(method), keep_alive: modern, ..Request::default() };
    let (path, query) = split_target(target)?;
    (request.path, request.directory) = resolve(path)?;
    request.query = shown(query);

    let (mut host, mut length, mut chunked) = (false, None, false);
    for line in lines.take_while(|line| !line.is_empty()) {
        let colon = line.iter().position(|b| *b == b':').ok_or(400u16)?;
        let (name, value) = (&line[..colon], shown(line[colon + 1..].trim_ascii()));
        let token = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b);
        if name.is_empty() || !name.iter().all(token) || value.contains('\0') {
            return Err(400);
        }
        match name.to_ascii_lowercase().as_slice() {
            b"host" if host => return Err(400),
            b"host" => host = true,
            b"connection" => {
                let has = |word: &str| value.split(',').any(|v| v.trim().eq_ignore_ascii_case(word));
                request.keep_alive = (modern || has("keep-alive")) && !has("close");
            }
            b"content-length" => {
                let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
                let bytes = value.parse::<u64>().ok().filter(|_| digits).ok_or(400u16)?;
                if length.is_some_and(|l| l != bytes) {
                    return Err(400);
                }
                length = Some(bytes);
            }
            b"transfer-encoding" => chunked = true,
            b"if-none-match" => request.if_none_match = Some(value),
            b"if-modified-since" => request.if_modified_since = Some(value),
            b"range" => request.range = Some(value),
            b"if-range" => request.if_range = Some(value),
            b"referer" => request.referer = Some(value),
            b"user-agent" => request.agent = Some(value),
            _ => {}
        }
    }
    if (modern && !host) || (chunked && length.is_some()) {
        return Err(400);
    }
    request.body = chunked || length.is_some_and(|l| l > 0);
    Ok(request)
}

/// Path and query of `/path?query` or `http://host/path?query`.
fn split_target(target: &[u8]) -> Result<(&[u8], &[u8]), u16> {
    if target.iter().any(|b| b.is_ascii_control()) {
        return Err(400);
    }
    let path = match target.strip_prefix(b"http://") {
        Some(rest) => rest.iter().position(|b| *b == b'/').map_or(&b"/"[..], |slash| &rest[slash..]),
        None => target,
    };
    if path.first() != Some(&b'/') {
        return Err(400);
    }
    let path = path.split(|b| *b == b'#').next().unwrap_or(path);
    Ok(path.split_at(path.iter().position(|b| *b == b'?').unwrap_or(path.len())))
}

/// Decodes a path and takes the dots out. Gives the path relative to the root, and whether it names a directory.
pub fn resolve(path: &[u8]) -> Result<(Vec<u8>, bool), u16> {
    let decoded = decode(path).filter(|p| !p.contains(&0)).ok_or(400u16)?;
    let mut parts: Vec<&[u8]> = Vec::new();
    let mut directory = false;
    for part in decoded.split(|b| *b == b'/') {
        directory = matches!(part, b"" | b"." | b"..");
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop().ok_or(400u16)?),
            _ => parts.push(part),
        }
    }
    Ok((parts.join(&b'/'), directory))
}

fn decode(path: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(path.len());
    let mut bytes = path.iter();
    while let Some(&byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digit = |b: Option<&u8>| (*b? as char).to_digit(16);
        let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
        out.push((high * 16 + low) as u8);
    }
    Some(out)
}

/// A path as it may stand in a header: what is not plain is a percent sign and two digits again.
pub fn encode(path: &[u8]) -> String {
    let mut out = String::with_capacity(path.len());
    for &byte in path {
        if byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte) {
            out.push(byte as char);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// `Range: bytes=…` over `size` bytes: the first byte and the length. None: not a range that is served (several, another
/// unit), so the whole is. An error is 416.
pub fn range(text: &str, size: u64) -> Result<Option<(u64, u64)>, u16> {
    let Some((from, to)) = text.strip_prefix("bytes=").and_then(|r| r.split_once('-')) else { return Ok(None) };
    let number = |s: &str| s.trim().parse::<u64>().ok();
    match (number(from), number(to)) {
        (Some(from), _) if from >= size && (to.trim().is_empty() || number(to).is_some()) => Err(416),
        (Some(from), Some(to)) if from <= to => Ok(Some((from, to.min(size - 1) - from + 1))),
        (Some(from), None) if to.trim().is_empty() => Ok(Some((from, size - from))),
        (None, Some(0)) if from.trim().is_empty() => Err(416),
        (None, Some(last)) if from.trim().is_empty() && size > 0 => Ok(Some((size - last.min(size), last.min(size)))),
        _ => Ok(None),
    }
}

/// Does `If-None-Match` name this tag? Weak tags count as their strong ones (RFC 9110, 13.1.2).
pub fn names_tag(list: &str, tag: &str) -> bool {
    list.trim() == "*" || list.split(',').any(|t| t.trim().trim_start_matches("W/") == tag)
}

pub fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        206 => "Partial Content",
        301 => "Moved Permanently",
        304 => "Not Modified",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Not Allowed",
        408 => "Request Time-out",
        414 => "Request-URI Too Large",
        416 => "Requested Range Not Satisfiable",
        500 => "Internal Server Error",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

/// The media type by the name's ending.
pub fn media_type(path: &[u8]) -> &'static str {
    let name = path.rsplit(|b| *b == b'/').next().unwrap_or(path);
    let ending = name.iter().rposition(|b| *b == b'.').map_or(&b""[..], |dot| &name[dot + 1..]);
    match ending.to_ascii_lowercase().as_slice() {
        b"html" | b"htm" | b"shtml" => "text/html",
        b"css" => "text/css",
        b"js" | b"mjs" => "application/javascript",
        b"json" => "application/json",
        b"xml" => "text/xml",
        b"txt" | b"md" => "text/plain",
        b"svg" => "image/svg+xml",
        b"png" => "image/png",
        b"jpg" | b"jpeg" => "image/jpeg",
        b"gif" => "image/gif",
        b"webp" => "image/webp",
        b"ico" => "image/x-icon",
        b"woff" => "font/woff",
        b"woff2" => "font/woff2",
        b"wasm" => "application/wasm",
        b"pdf" => "application/pdf",
        b"zip" => "application/zip",
        b"mp3" => "audio/mpeg",
        b"mp4" => "video/mp4",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(text: &str) -> Request {
        match parse(text.as_bytes()) {
            Parsed::Complete(request, length) if length == text.len() => *request,
            other => panic!("{text:?}: {other:?}"),
        }
    }

    fn status(text: &str) -> u16 {
        match parse(text.as_bytes()) {
            Parsed::Bad(status, _) => status,
            other => panic!("{text:?}: {other:?}"),
        }
    }

    #[test]
    fn reads_what_browsers_send() {
        let r = complete("GET /a%20b/./c/../d.html?x=1 HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: curl/8\r\n\r\n");
        assert_eq!((r.path.as_slice(), r.directory, r.query.as_str()), (&b"a b/d.html"[..], false, "?x=1"));
        assert!(r.keep_alive && !r.body);
        assert_eq!(r.agent.as_deref(), Some("curl/8"));
        assert!(!complete("GET / HTTP/1.0\r\n\r\n").keep_alive);
        assert!(complete("GET / HTTP/1.0\nConnection: Keep-Alive\n\n").keep_alive);
        assert!(!complete("\r\nGET // HTTP/1.1\r\nHost: a\r\nConnection: foo, close\r\n\r\n").keep_alive);
        assert_eq!(complete("GET http://web/x HTTP/1.1\r\nHost: web\r\n\r\n").path, b"x");
        assert!(complete("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n").body);
        assert_eq!(parse(b"GET / HTTP/1.1\r\nHost: a\r\n"), Parsed::Incomplete);
        assert_eq!(parse(b""), Parsed::Incomplete);
    }

    #[test]
    fn refuses_what_could_be_read_two_ways() {
        for text in [
            "GET /\r\n\r\n",
            "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
            "get / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "GET /../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /%2e%2e%2fetc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /a/..%2f../x HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /% HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET etc HTTP/1.1\r\nHost: a\r\n\r\n",
        ] {
            assert_eq!(status(text), 400, "{text:?}");
        }
        assert_eq!(status("GET / HTTP/2.0\r\n\r\n"), 505);
        assert_eq!(status(&format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(LONGEST_LINE))), 414);
        assert_eq!(status(&format!("GET /{}", "x".repeat(LONGEST_LINE))), 414);
        assert_eq!(status(&format!("GET / HTTP/1.1\r\nHost: {}", "x".repeat(LONGEST_HEAD))), 400);
    }

    #[test]
    fn names_survive_a_header() {
        assert_eq!(encode("/한 글\r\nX: y".as_bytes()), "/%ED%95%9C%20%EA%B8%80%0D%0AX:%20y");
        assert_eq!(media_type(b"a.b/Index.HTML"), "text/html");
        assert_eq!(media_type(b"a.html/readme"), "application/octet-stream");
        assert!(names_tag("W/\"1-2\", \"3\"", "\"1-2\"") && names_tag("*", "x") && !names_tag("\"1\"", "\"2\""));
    }

    #[test]
    fn ranges() {
        assert_eq!(range("bytes=0-3", 10), Ok(Some((0, 4))));
        assert_eq!(range("bytes=4-", 10), Ok(Some((4, 6))));
        assert_eq!(range("bytes=-3", 10), Ok(Some((7, 3))));
        assert_eq!(range("bytes=-30", 10), Ok(Some((0, 10))));
        assert_eq!(range("bytes=5-99", 10), Ok(Some((5, 5))));
        assert_eq!(range("bytes=10-", 10), Err(416));
        assert_eq!(range("bytes=-0", 10), Err(416));
        assert_eq!(range("bytes=0-", 0), Err(416));
        for whole in ["bytes=1-2,4-5", "lines=1-2", "bytes=5-1", "bytes=x-1", "bytes=-", "bytes=1-18446744073709551616"]
        {
            assert_eq!(range(whole, 10), Ok(None), "{whole}");
        }
    }
}
