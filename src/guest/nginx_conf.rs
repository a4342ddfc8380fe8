//! The part of nginx's configuration that the stand-in understands: one server with `listen`, `root`, `index` and
//! `error_page`, and `include`.
//!
//! What never breaks: nothing is accepted and quietly ignored. A directive that would change what clients get, and is not
//! understood, is listed, and the server names it when it starts.

use std::path::{Path, PathBuf};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conf {
    /// Addresses as `listen` names them.
    pub listen: Vec<(String, u16)>,
    pub root: PathBuf,
    pub index: Vec<String>,
    /// Status and the path that is served with it.
    pub error_pages: Vec<(u16, String)>,
    /// Directives that are not understood, with their lines.
    pub unknown: Vec<String>,
}

impl Default for Conf {
    fn default() -> Self {
        Conf {
            listen: vec![("0.0.0.0".into(), 80), ("::".into(), 80)],
            root: "/usr/share/nginx/html".into(),
            index: vec!["index.html".into(), "index.htm".into()],
            error_pages: [500, 502, 503, 504].map(|status| (status, "/50x.html".to_string())).into(),
            unknown: Vec::new(),
        }
    }
}

/// What is wrong, where: `unexpected end of file in /etc/nginx/nginx.conf:12`.
pub type Flaw = String;

/// Directives that change nothing a client of static files would notice.
#[rustfmt::skip] // one name per line would be a screen
const HARMLESS: &[&str] = &[
    "access_log", "accept_mutex", "charset", "client_max_body_size", "daemon", "default_type", "error_log", "etag",
    "keepalive_timeout", "log_format", "multi_accept", "pid", "sendfile", "server_name", "server_tokens", "tcp_nodelay",
    "tcp_nopush", "types_hash_max_size", "use", "user", "worker_connections", "worker_processes", "worker_rlimit_nofile",
];

const LARGEST_FILE: u64 = 1 << 20;
const DEEPEST: usize = 8;

/// One directive: its words, the line it starts on, and its block.
struct Directive {
    words: Vec<String>,
    line: usize,
    block: Option<Vec<Directive>>,
}

/// Reads a configuration file with its includes.
pub fn load(file: &Path) -> Result<Conf, Flaw> {
    let mut reader = Reader { found: None, unknown: Vec::new(), servers: 0 };
    reader.file(file, 0)?;
    let mut conf = reader.found.unwrap_or_default();
    conf.unknown = reader.unknown;
    Ok(conf)
}

struct Reader {
    found: Option<Conf>,
    unknown: Vec<String>,
    servers: usize,
}

impl Reader {
    fn file(&mut self, file: &Path, depth: usize) -> Result<(), Flaw> {
        let directives = read(file)?;
        self.outside(&directives, file, depth)
    }

    /// What stands around servers: main, events, http.
    fn outside(&mut self, directives: &[Directive], file: &Path, depth: usize) -> Result<(), Flaw> {
        if depth > DEEPEST {
            return Err(format!("includes or blocks too deep in {}", file.display()));
        }
        for directive in directives {
            match (directive.name(), &directive.block) {
                ("http" | "events", Some(inner)) => self.outside(inner, file, depth + 1)?,
                ("types", Some(_)) => {}
                ("server", Some(inner)) => {
                    self.servers += 1;
                    if self.servers == 1 {
                        let mut conf = Conf { listen: Vec::new(), error_pages: Vec::new(), ..Conf::default() };
                        self.server(&mut conf, inner, file)?;
                        if conf.listen.is_empty() {
                            conf.listen.push(("0.0.0.0".into(), 80));
                        }
                        self.found = Some(conf);
                    } else {
                        self.note(directive, file);
                    }
                }
                ("include", None) => {
                    for path in included(directive.argument(file)?, file) {
                        // mime.types holds what is built in here.
                        if path.file_name().is_none_or(|name| name != "mime.types") {
                            self.file(&path, depth + 1)?;
                        }
                    }
                }
                _ => self.note(directive, file),
            }
        }
        Ok(())
    }

    fn server(&mut self, conf: &mut Conf, directives: &[Directive], file: &Path) -> Result<(), Flaw> {
        for directive in directives {
            match (directive.name(), &directive.block) {
                ("listen", None) => {
                    let address = directive.argument(file)?;
                    let parsed = listen(address).ok_or_else(|| directive.flaw("invalid listen", file))?;
                    if !conf.listen.contains(&parsed) {
                        conf.listen.push(parsed);
                    }
                }
                ("root", None) => conf.root = PathBuf::from(directive.argument(file)?),
                ("index", None) => conf.index = directive.words.iter().skip(1).cloned().collect(),
                ("error_page", None) => {
                    let (Some(page), 3..) = (directive.words.last(), directive.words.len()) else {
                        return Err(directive.flaw("invalid number of arguments", file));
                    };
                    for status in directive.words.iter().skip(1).rev().skip(1) {
                        let status = status.parse().map_err(|_| directive.flaw("invalid status", file))?;
                        conf.error_pages.push((status, page.clone()));
                    }
                }
                // Only `/` is a place of its own here; the page of `location = /50x.html` lies below the same root.
                ("location", Some(inner)) => match directive.words.get(1).map(String::as_str) {
                    Some("/") => self.server(conf, inner, file)?,
                    Some("=") if inner.iter().all(|d| d.name() == "root" || d.name() == "internal") => {
                        let same = |d: &Directive| d.words.get(1).is_none_or(|root| conf.root == Path::new(root));
                        if !inner.iter().all(same) {
                            self.note(directive, file);
                        }
                    }
                    _ => self.note(directive, file),
                },
                _ => self.note(directive, file),
            }
        }
        Ok(())
    }

    fn note(&mut self, directive: &Directive, file: &Path) {
        if !HARMLESS.contains(&directive.name()) {
            self.unknown.push(format!("\"{}\" in {}:{}", directive.words.join(" "), file.display(), directive.line));
        }
    }
}

impl Directive {
    fn name(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    fn argument(&self, file: &Path) -> Result<&str, Flaw> {
        self.words.get(1).map(String::as_str).ok_or_else(|| self.flaw("invalid number of arguments", file))
    }

    fn flaw(&self, what: &str, file: &Path) -> Flaw {
        format!("{what} in \"{}\" directive in {}:{}", self.name(), file.display(), self.line)
    }
}

/// `80`, `127.0.0.1:8080`, `[::]:80`, `*:80`, `localhost`.
fn listen(text: &str) -> Option<(String, u16)> {
    if let Ok(port) = text.parse() {
        return Some(("0.0.0.0".into(), port));
    }
    if let Some(rest) = text.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        address.parse::<std::net::Ipv6Addr>().ok()?;
        return Some((address.into(), if port.is_empty() { 80 } else { port.strip_prefix(':')?.parse().ok()? }));
    }
    let (address, port) = text.split_once(':').map_or((text, Some(80)), |(a, p)| (a, p.parse().ok()));
    let address = match address {
        "*" => "0.0.0.0",
        "localhost" => "127.0.0.1",
        other => other.parse::<std::net::Ipv4Addr>().ok().map(|_| other)?,
    };
    Some((address.into(), port?))
}

/// The files that an `include` names: one path, or one with a single `*` in its last part, in the order of their names.
fn included(pattern: &str, from: &Path) -> Vec<PathBuf> {
    let path = from.parent().unwrap_or(Path::new("/")).join(pattern);
    let (Some(dir), Some(name)) = (path.parent(), path.file_name().and_then(|n| n.to_str())) else { return Vec::new() };
    let Some((before, after)) = name.split_once('*') else { return vec![path] };
    let fits = |n: &str| n.len() >= before.len() + after.len() && n.starts_with(before) && n.ends_with(after);
    let mut found: Vec<PathBuf> = std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(fits))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

fn read(file: &Path) -> Result<Vec<Directive>, Flaw> {
    use std::io::Read;
    let failed = |e: std::io::Error| format!("open() \"{}\" failed ({e})", file.display());
    let mut text = String::new();
    std::fs::File::open(file).and_then(|opened| opened.take(LARGEST_FILE).read_to_string(&mut text)).map_err(failed)?;
    let at = |(what, line): (&str, usize)| format!("{what} in {}:{line}", file.display());
    let mut tokens = tokens(&text).map_err(at)?.into_iter();
    block(&mut tokens, 0, 1).map_err(at)
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Open,
    Close,
    End,
}

/// What is wrong, and on which line.
type Bad = (&'static str, usize);
type Tokens = std::vec::IntoIter<(Token, usize)>;

fn tokens(text: &str) -> Result<Vec<(Token, usize)>, Bad> {
    let (mut out, mut line) = (Vec::new(), 1);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => line += 1,
            c if c.is_whitespace() => {}
            '#' => while chars.next_if(|c| *c != '\n').is_some() {},
            '{' => out.push((Token::Open, line)),
            '}' => out.push((Token::Close, line)),
            ';' => out.push((Token::End, line)),
            '"' | '\'' => {
                let (start, mut word) = (line, String::new());
                loop {
                    match chars.next().ok_or(("unexpected end of file", start))? {
                        end if end == c => break,
                        '\\' => word.extend(chars.next()),
                        other => {
                            line += usize::from(other == '\n');
                            word.push(other);
                        }
                    }
                }
                out.push((Token::Word(word), start));
            }
            c => {
                let mut word = String::from(c);
                while let Some(c) = chars.next_if(|c| !c.is_whitespace() && !";{}".contains(*c)) {
                    word.push(c);
                }
                out.push((Token::Word(word), line));
            }
        }
    }
    Ok(out)
}

/// Directives up to the block's end; `start` is the line that it starts on.
fn block(tokens: &mut Tokens, depth: usize, start: usize) -> Result<Vec<Directive>, Bad> {
    let (mut out, mut words, mut line) = (Vec::new(), Vec::new(), start);
    while let Some((token, at)) = tokens.next() {
        match token {
            Token::Word(word) => {
                line = if words.is_empty() { at } else { line };
                words.push(word);
            }
            Token::End if words.is_empty() => return Err(("unexpected \";\"", at)),
            Token::End => out.push(Directive { words: std::mem::take(&mut words), line, block: None }),
            Token::Open if words.is_empty() => return Err(("unexpected \"{\"", at)),
            Token::Open if depth == DEEPEST => return Err(("blocks too deep", at)),
            Token::Open => {
                let inner = Some(block(tokens, depth + 1, at)?);
                out.push(Directive { words: std::mem::take(&mut words), line, block: inner });
            }
            Token::Close if words.is_empty() && depth > 0 => return Ok(out),
            Token::Close => return Err(("unexpected \"}\"", at)),
        }
    }
    if depth == 0 && words.is_empty() { Ok(out) } else { Err(("unexpected end of file", line)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conf(text: &str) -> Result<Conf, Flaw> {
        let dir = tempfile::tempdir().expect("tempdir");
        let file = dir.path().join("nginx.conf");
        std::fs::write(&file, text).expect("write");
        load(&file).map_err(|flaw| flaw.replace(&format!("{}/", dir.path().display()), ""))
    }

    #[test]
    fn the_usual_files() {
        let dir = tempfile::tempdir().expect("tempdir");
        let file = dir.path().join("nginx.conf");
        std::fs::create_dir(dir.path().join("conf.d")).expect("conf.d");
        std::fs::write(
            &file,
            "user nginx;\nevents { worker_connections 1024; }\nhttp {\n  include mime.types;\n  include conf.d/*.conf;\n}\n",
        )
        .expect("write");
        std::fs::write(
            dir.path().join("conf.d/default.conf"),
            "server {\n listen 80; # both\n listen [::]:8080;\n server_name localhost;\n location / {\n root '/srv/a b';\n \
             index home.html;\n }\n error_page 500 502 /50x.html;\n location = /50x.html { root '/srv/a b'; }\n}\n",
        )
        .expect("write");
        let conf = load(&file).expect("conf");
        assert_eq!(conf.listen, [("0.0.0.0".to_string(), 80), ("::".to_string(), 8080)]);
        assert_eq!((conf.root.to_str(), conf.index.as_slice()), (Some("/srv/a b"), &["home.html".to_string()][..]));
        assert_eq!(conf.error_pages, [(502, "/50x.html".to_string()), (500, "/50x.html".to_string())]);
        assert_eq!(conf.unknown, [""; 0]);
    }

    #[test]
    fn says_what_it_does_not_understand() {
        let found = conf("http { server { listen 81; location /api { proxy_pass http://x; } gzip on; } server {} }");
        let unknown = found.expect("conf").unknown;
        assert_eq!(unknown.len(), 3, "{unknown:?}");
        assert!(unknown[0].starts_with("\"location /api\""));
    }

    #[test]
    fn flaws_name_their_line() {
        assert_eq!(conf("http {\n server {\n"), Err("unexpected end of file in nginx.conf:2".into()));
        assert_eq!(conf("}\n"), Err("unexpected \"}\" in nginx.conf:1".into()));
        assert_eq!(
            conf("server {\n listen x:y;\n}"),
            Err("invalid listen in \"listen\" directive in nginx.conf:2".into())
        );
        assert_eq!(conf("root \"x"), Err("unexpected end of file in nginx.conf:1".into()));
        assert_eq!(conf(";"), Err("unexpected \";\" in nginx.conf:1".into()));
        assert!(conf(&"a {".repeat(10_000)).is_err());
        assert!(conf("include nginx.conf;").is_err());
        assert_eq!(conf("").map(|c| c.listen), Ok(Conf::default().listen));
    }
}
