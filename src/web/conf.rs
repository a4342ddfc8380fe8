//! The part of nginx's configuration that this server follows: one server with `listen`, `root` and `index`, also inside
//! `location /`, and `types`.
//!
//! What never breaks: nothing is accepted and quietly ignored. A directive that would change what clients get, and is not
//! followed, is listed, and the server names it when it starts.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

pub const FILE: &str = "/etc/nginx/nginx.conf";

/// Directives that change nothing a client of static files would notice.
#[rustfmt::skip] // one name per line would be a screen
const HARMLESS: &[&str] = &[
    "access_log", "error_log", "keepalive_timeout", "log_format", "pid", "sendfile", "server_name", "tcp_nopush", "user",
    "worker_connections", "worker_processes",
];

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Conf {
    /// Without: port 80 of every address.
    pub listen: Option<SocketAddr>,
    pub root: PathBuf,
    pub index: Vec<String>,
    /// Media types, by the ending of a file's name.
    pub types: HashMap<String, String>,
    /// Directives that are not followed, with their lines.
    pub unknown: Vec<String>,
    /// A server has been read: the others are not followed.
    served: bool,
}

impl Conf {
    /// Errors: what is wrong and where, `unexpected end of file in /etc/nginx/nginx.conf:12`.
    pub fn read(text: &str) -> Result<Conf, String> {
        let types = HashMap::from([("html".into(), "text/html".into())]);
        let (root, index) = ("/usr/share/nginx/html".into(), vec!["index.html".into()]);
        let mut conf = Conf { root, index, types, ..Conf::default() };
        // nginx quotes and comments as a shell does, but needs no space around these.
        let spaced = text.replace('\r', " ").replace(';', " ; ").replace('{', " { ").replace('}', " } ");
        let mut tokens = shlex::Shlex::new(&spaced);
        // The directive so far, and for each open block whether it is followed.
        let (mut words, mut blocks) = (Vec::new(), Vec::new());
        while let Some(token) = tokens.next() {
            match token.as_str() {
                "}" if words.is_empty() && !blocks.is_empty() => drop(blocks.pop()),
                ";" | "{" if !words.is_empty() => {
                    let directive = std::mem::take(&mut words);
                    let around = *blocks.last().unwrap_or(&true);
                    let followed = around && conf.follow(&directive, &token);
                    if around && !followed {
                        conf.unknown.push(format!("\"{}\" in {FILE}:{}", directive.join(" "), tokens.line_no));
                    }
                    if token == "{" {
                        blocks.push(followed);
                    }
                }
                ";" | "{" | "}" => return Err(format!("unexpected \"{token}\" in {FILE}:{}", tokens.line_no)),
                _ => words.push(token),
            }
        }
        if tokens.had_error || !words.is_empty() || !blocks.is_empty() {
            return Err(format!("unexpected end of file in {FILE}:{}", tokens.line_no));
        }
        Ok(conf)
    }

    /// Follows a directive, which `end` ends or begins a block with. False: that cannot be.
    fn follow(&mut self, words: &[String], end: &str) -> bool {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match (words.as_slice(), end) {
            (["events" | "http" | "types"] | ["location", "/"], "{") => {}
            (["server"], "{") => return !std::mem::replace(&mut self.served, true),
            (["listen", address], ";") if self.listen.is_none() => {
                let port = address.parse::<u16>().map(|port| (Ipv4Addr::UNSPECIFIED, port).into());
                self.listen = port.ok().or_else(|| address.parse().ok());
                return self.listen.is_some();
            }
            (["root", root], ";") => self.root = root.into(),
            (["index", names @ ..], ";") => self.index = names.iter().map(|name| name.to_string()).collect(),
            (["default_type", "application/octet-stream"], ";") => {}
            // Pages for 5xx: nothing stands behind this server that could fail.
            (["error_page", codes @ .., _], ";") => return codes.iter().all(|code| code.starts_with('5')),
            ([kind, endings @ ..], ";") if kind.contains('/') => {
                self.types.extend(endings.iter().map(|ending| (ending.to_string(), kind.to_string())));
            }
            ([name, ..], ";") => return HARMLESS.contains(name),
            _ => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_files() {
        let found = Conf::read(
            "user nginx;\nevents { worker_connections 1024; }\nhttp {\n  types { text/html html htm;\n text/css css; }\n server {\n listen 8080; # all\r\n \
             server_name localhost;\n location / {\n root '/srv/a b';\n index home.html first.html;\n }\n \
             error_page 500 502 /50x.html;\n }\n}\n",
        )
        .expect("conf");
        assert_eq!(found.listen.map(|at| at.to_string()).as_deref(), Some("0.0.0.0:8080"));
        assert_eq!((found.root.to_str(), found.index.join(" ")), (Some("/srv/a b"), "home.html first.html".into()));
        assert_eq!(found.types.get("htm").map(String::as_str), Some("text/html"));
        assert_eq!(found.types.get("css").map(String::as_str), Some("text/css"));
        assert_eq!(found.unknown, [""; 0]);
        let listen = |text: &str| Conf::read(text).map(|conf| conf.listen.map(|at| at.to_string()));
        assert_eq!(listen(""), Ok(None));
        assert_eq!(listen("server{listen 127.0.0.1:81;}"), Ok(Some("127.0.0.1:81".into())));
        assert_eq!(listen("server { listen [::]:82; }"), Ok(Some("[::]:82".into())));
    }

    #[test]
    fn follows_the_built_in_image_s_own_file_to_the_last_word() {
        let found = Conf::read(crate::image::host::NGINX_CONF).expect("conf");
        assert_eq!(found.unknown, [""; 0]);
        assert_eq!(found.types.get("svg").map(String::as_str), Some("image/svg+xml"));
    }

    #[test]
    fn says_what_it_does_not_follow() {
        let text = "http { include x/*.conf;\nserver { listen 81 ssl; listen 82; listen 83; location /api { proxy_pass \
                    http://x; }\n error_page 404 /404.html; autoindex on; default_type text/plain; }\n server { listen 9; } }";
        let found = Conf::read(text).expect("conf");
        assert_eq!(
            found.unknown,
            [
                "\"include x/*.conf\" in /etc/nginx/nginx.conf:1",
                "\"listen 81 ssl\" in /etc/nginx/nginx.conf:2",
                "\"listen 83\" in /etc/nginx/nginx.conf:2",
                "\"location /api\" in /etc/nginx/nginx.conf:2",
                "\"error_page 404 /404.html\" in /etc/nginx/nginx.conf:3",
                "\"autoindex on\" in /etc/nginx/nginx.conf:3",
                "\"default_type text/plain\" in /etc/nginx/nginx.conf:3",
                "\"server\" in /etc/nginx/nginx.conf:4",
            ]
        );
    }

    #[test]
    fn flaws_name_their_line() {
        let flaw = |text: &str| Conf::read(text).expect_err(text);
        assert_eq!(flaw("http {\n server {\n"), "unexpected end of file in /etc/nginx/nginx.conf:3");
        assert_eq!(flaw("}\n"), "unexpected \"}\" in /etc/nginx/nginx.conf:1");
        assert_eq!(flaw("\nlisten { ;"), "unexpected \";\" in /etc/nginx/nginx.conf:2");
        assert_eq!(flaw("root \"x"), "unexpected end of file in /etc/nginx/nginx.conf:1");
        assert_eq!(flaw("root x\n}"), "unexpected \"}\" in /etc/nginx/nginx.conf:2");
        assert!(Conf::read(&"a {".repeat(10_000)).is_err());
    }
}
