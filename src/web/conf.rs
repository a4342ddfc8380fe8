//! The part of nginx's configuration that this server follows: one server with `listen`, `root`, `index` and `error_page`,
//! also inside `location /`.
//!
//! What never breaks: nothing is accepted and quietly ignored. A directive that would change what clients get, and is not
//! followed, is listed, and the server names it when it starts.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conf {
    pub listen: Vec<SocketAddr>,
    pub root: PathBuf,
    pub index: Vec<String>,
    /// Status and the path that is served with it.
    pub error_pages: Vec<(String, String)>,
    /// Directives that are not followed, with their lines.
    pub unknown: Vec<String>,
    /// A server has been read: the others are not followed.
    served: bool,
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

const DEEPEST: usize = 8;

/// What a block's directives are about.
#[derive(Clone, Copy, PartialEq)]
enum Block {
    /// main, events, http.
    Around,
    Server,
    Ignored,
}

impl Conf {
    /// The directives of the command line, then those of the configuration file.
    pub fn read(directives: &str, file: &str, text: &str) -> Result<Conf, Flaw> {
        let index = vec!["index.html".into(), "index.htm".into()];
        let mut conf = Conf { root: "/usr/share/nginx/html".into(), index, ..Conf::default() };
        conf.add("command line", directives)?;
        conf.add(file, text)?;
        if conf.listen.is_empty() {
            conf.listen.push((Ipv4Addr::UNSPECIFIED, 80).into());
        }
        Ok(conf)
    }

    fn add(&mut self, file: &str, text: &str) -> Result<(), Flaw> {
        let (mut blocks, mut words, mut line) = (Vec::new(), Vec::new(), 1);
        let mut chars = text.trim_end().chars().peekable();
        while let Some(c) = chars.next() {
            let at = format!("{file}:{line}");
            match c {
                '\n' => line += 1,
                c if c.is_whitespace() => {}
                '#' => while chars.next_if(|c| *c != '\n').is_some() {},
                '}' if words.is_empty() && !blocks.is_empty() => drop(blocks.pop()),
                '{' if !words.is_empty() && blocks.len() < DEEPEST => {
                    blocks.push(self.block(&std::mem::take(&mut words), blocks.last().copied(), &at));
                }
                ';' if !words.is_empty() => self.line(&std::mem::take(&mut words), blocks.last().copied(), &at)?,
                ';' | '{' | '}' => return Err(format!("unexpected \"{c}\" in {at}")),
                '"' | '\'' => {
                    let word: String = std::iter::from_fn(|| chars.next_if(|next| *next != c)).collect();
                    chars.next().ok_or_else(|| format!("unexpected end of file in {at}"))?;
                    line += word.matches('\n').count();
                    words.push(word);
                }
                c => {
                    let more = std::iter::from_fn(|| chars.next_if(|c| !c.is_whitespace() && !";{}".contains(*c)));
                    words.push(std::iter::once(c).chain(more).collect());
                }
            }
        }
        if words.is_empty() && blocks.is_empty() {
            Ok(())
        } else {
            Err(format!("unexpected end of file in {file}:{line}"))
        }
    }

    /// What the block is about that these words open.
    fn block(&mut self, words: &[String], outer: Option<Block>, at: &str) -> Block {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match (outer.unwrap_or(Block::Around), words.as_slice()) {
            (Block::Ignored, _) | (Block::Around, ["types"]) => Block::Ignored,
            (Block::Around, ["http" | "events"]) => Block::Around,
            (Block::Around, ["server"]) if !self.served => {
                self.served = true;
                Block::Server
            }
            (Block::Server, ["location", "/"]) => Block::Server,
            _ => {
                self.unknown.push(format!("\"{}\" in {at}", words.join(" ")));
                Block::Ignored
            }
        }
    }

    fn line(&mut self, words: &[String], block: Option<Block>, at: &str) -> Result<(), Flaw> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let flaw = |what: &str| format!("{what} in \"{}\" directive in {at}", words[0]);
        match (block.unwrap_or(Block::Around), words.as_slice()) {
            (Block::Ignored, _) => {}
            (Block::Server, ["listen", address] | ["listen", address, "default_server"]) => {
                self.listen.push(listen(address).ok_or_else(|| flaw("invalid listen"))?);
            }
            (Block::Server, ["root", root]) => self.root = root.into(),
            (Block::Server, ["index", names @ ..]) => self.index = names.iter().map(|n| n.to_string()).collect(),
            (Block::Server, ["error_page", codes @ .., page]) => {
                self.error_pages.extend(codes.iter().map(|code| (code.to_string(), page.to_string())));
            }
            (Block::Server, ["root" | "error_page", ..]) => return Err(flaw("invalid number of arguments")),
            (_, [name, ..]) if HARMLESS.contains(name) => {}
            _ => self.unknown.push(format!("\"{}\" in {at}", words.join(" "))),
        }
        Ok(())
    }
}

/// `80`, `127.0.0.1:8080`, `[::]:80`, `*:80`, `localhost`.
fn listen(text: &str) -> Option<SocketAddr> {
    let text = text.replace('*', "0.0.0.0").replace("localhost", "127.0.0.1");
    let port = text.parse::<u16>().ok().map(|port| (Ipv4Addr::UNSPECIFIED, port).into());
    let address = || text.trim_matches(['[', ']']).parse::<IpAddr>().ok().map(|ip| (ip, 80).into());
    port.or_else(|| text.parse().ok()).or_else(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conf(text: &str) -> Result<Conf, Flaw> {
        Conf::read("daemon off;", "nginx.conf", text)
    }

    #[test]
    fn the_usual_files() {
        let found = conf(
            "user nginx;\nevents { worker_connections 1024; }\nhttp {\n  types { text/html html; }\n server {\n listen 80; # both\n listen [::]:8080;\n server_name localhost;\n location / {\n root '/srv/a b';\n \
             index home.html;\n }\n error_page 500 502 /50x.html;\n }\n}\n",
        )
        .expect("conf");
        assert_eq!(found.listen.iter().map(ToString::to_string).collect::<Vec<_>>(), ["0.0.0.0:80", "[::]:8080"]);
        assert_eq!((found.root.to_str(), found.index.as_slice()), (Some("/srv/a b"), &["home.html".to_string()][..]));
        assert_eq!(found.error_pages, ["500", "502"].map(|code| (code.to_string(), "/50x.html".to_string())));
        assert_eq!(found.unknown, [""; 0]);
        let listen = |text: &str| conf(text).map(|c| c.listen.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(listen(""), Ok(vec!["0.0.0.0:80".to_string()]));
        for (text, address) in [
            ("*:81", "0.0.0.0:81"),
            ("localhost", "127.0.0.1:80"),
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("[::1]", "[::1]:80"),
            ("82 default_server", "0.0.0.0:82"),
        ] {
            assert_eq!(listen(&format!("server {{ listen {text}; }}")), Ok(vec![address.to_string()]));
        }
    }

    #[test]
    fn says_what_it_does_not_follow() {
        let text = "http { include x/*.conf;\nserver { listen 81 ssl; location /api { proxy_pass http://x; } gzip on; } server { listen 9; } }";
        let found = conf(text).expect("conf");
        assert_eq!(
            found.unknown,
            [
                "\"include x/*.conf\" in nginx.conf:1",
                "\"listen 81 ssl\" in nginx.conf:2",
                "\"location /api\" in nginx.conf:2",
                "\"gzip on\" in nginx.conf:2",
                "\"server\" in nginx.conf:2",
            ]
        );
        assert_eq!(Conf::read("autoindex on;", "x", "").expect("conf").unknown, ["\"autoindex on\" in command line:1"]);
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
        assert_eq!(
            conf("server {\n\nroot; }"),
            Err("invalid number of arguments in \"root\" directive in nginx.conf:3".into())
        );
        assert_eq!(conf(";"), Err("unexpected \";\" in nginx.conf:1".into()));
        assert!(conf(&"a {".repeat(10_000)).is_err());
    }
}
