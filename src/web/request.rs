//! One request: its head read, its path brought below the root.
//!
//! What never breaks: a connection carries one request, so no length that a client names is believed, and nothing can be
//! hidden behind it. A head that could be read in two ways (folded lines, spaces before a colon) is refused rather than
//! guessed, and a decoded path never leads above the root.

/// The longest head, in bytes.
pub const LONGEST_HEAD: usize = 16 << 10;
const MOST_HEADERS: usize = 64;

/// How a request is answered: the number and its words.
pub type Status = &'static str;
pub const BAD: Status = "400 Bad Request";

#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    /// The path as it came.
    pub target: String,
    /// Decoded and without dots, relative to the root; empty is the root.
    pub path: Vec<u8>,
    /// The path named a directory: it ended with a slash.
    pub directory: bool,
    /// Headers for the log; `-` where there is none.
    pub referer: String,
    pub agent: String,
}

/// The first line, for the log. Some clients send an empty line first.
pub fn first_line(input: &[u8]) -> &[u8] {
    input.trim_ascii_start().split(|b| *b == b'\n').next().unwrap_or_default().trim_ascii_end()
}

/// Reads the head that `input` starts with. None: more bytes are needed. Errors: the status that refuses it.
pub fn parse(input: &[u8]) -> Result<Option<Request>, Status> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut head = httparse::Request::new(&mut headers);
    match head.parse(input) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) if input.len() <= LONGEST_HEAD => return Ok(None),
        Ok(_) | Err(_) => return Err(BAD),
    }
    let target = head.path.unwrap_or_default().split('?').next().unwrap_or_default();
    let (path, directory) = resolve(target)?;
    let header = |name: &str| {
        let found = head.headers.iter().find(|h| h.name.eq_ignore_ascii_case(name));
        found.map_or("-".into(), |h| String::from_utf8_lossy(h.value).into_owned())
    };
    let (referer, agent) = (header("referer"), header("user-agent"));
    let method = head.method.unwrap_or_default().into();
    Ok(Some(Request { method, target: target.into(), path, directory, referer, agent }))
}

/// Decodes a path and takes the dots out. Gives the path relative to the root, and whether it names a directory.
fn resolve(path: &str) -> Result<(Vec<u8>, bool), Status> {
    let (mut decoded, mut bytes) = (Vec::with_capacity(path.len()), path.bytes());
    while let Some(byte) = bytes.next() {
        let mut digit = || bytes.next().and_then(|b| char::from(b).to_digit(16)).ok_or(BAD);
        decoded.push(if byte == b'%' { (digit()? * 16 + digit()?) as u8 } else { byte });
    }
    let (mut parts, mut directory) = (Vec::new(), false);
    for part in decoded.split(|b| *b == b'/') {
        directory = matches!(part, b"" | b"." | b"..");
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop().ok_or(BAD)?),
            _ => parts.push(part),
        }
    }
    if !path.starts_with('/') || decoded.contains(&0) { Err(BAD) } else { Ok((parts.join(&b'/'), directory)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(text: &str) -> Request {
        match parse(text.as_bytes()) {
            Ok(Some(request)) => request,
            other => panic!("{text:?}: {other:?}"),
        }
    }

    fn refused(text: &str) -> Status {
        match parse(text.as_bytes()) {
            Err(status) => status,
            other => panic!("{text:?}: {other:?}"),
        }
    }

    #[test]
    fn reads_what_browsers_send() {
        let r = complete("GET /a%20b/./c/../d.html?x=1 HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: curl/8\r\n\r\n");
        assert_eq!(
            (r.path.as_slice(), r.directory, r.target.as_str()),
            (&b"a b/d.html"[..], false, "/a%20b/./c/../d.html")
        );
        assert_eq!((r.method.as_str(), r.agent.as_str(), r.referer.as_str()), ("GET", "curl/8", "-"));
        assert!(complete("GET /a/ HTTP/1.0\n\n").directory);
        assert!(complete("\r\nGET // HTTP/1.1\r\nHost: a\r\nConnection: foo, close\r\n\r\n").path.is_empty());
        assert_eq!(parse(b"GET / HTTP/1.1\r\nHost: a\r\n"), Ok(None));
        assert_eq!(parse(b""), Ok(None));
    }

    #[test]
    fn refuses_what_could_be_read_two_ways() {
        for text in [
            "GET /\r\n\r\n",
            "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/2.0\r\n\r\n",
            "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nA: \0\r\n\r\n",
            "GET /../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /%2e%2e%2fetc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /a/..%2f../x HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /% HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET etc HTTP/1.1\r\nHost: a\r\n\r\n",
        ] {
            assert_eq!(refused(text), BAD, "{text:?}");
        }
        assert_eq!(refused(&format!("GET /{}", "x".repeat(LONGEST_HEAD))), BAD);
        assert_eq!(refused(&format!("GET / HTTP/1.1\r\nHost: {}", "x".repeat(LONGEST_HEAD))), BAD);
        assert_eq!(refused(&format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(MOST_HEADERS + 1))), BAD);
    }
}
