//! Names of images, by Docker's grammar: `[domain/]path[:tag][@digest]`.
//!
//! A parsed reference is always complete (`docker.io/library/nginx:latest`); the short form is for people. What parses
//! here contains no `..`, no blank and no upper-case path, so it may be shown and compared as it is.

use super::digest::BlobDigest;
use crate::event::{Fault, ReferenceFlaw};

const DOCKER: &str = "docker.io";
/// Docker's limit for domain and path together.
const MAX_NAME: usize = 255;

/// A complete image name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    domain: String,
    path: String,
    tag: Option<String>,
    digest: Option<BlobDigest>,
}

impl Reference {
    /// Parses what a person typed or an archive holds. Without tag and digest the tag is `latest`.
    ///
    /// # Errors
    /// [`Fault::BadReference`] with the first flaw found.
    pub fn parse(text: &str) -> Result<Reference, Fault> {
        parts(text).map_err(|flaw| Fault::BadReference { text: text.into(), flaw })
    }

    /// Whether two texts are names of one image, as `nginx`, `nginx:latest` and `docker.io/library/nginx:latest` are.
    pub fn same(a: &str, b: &str) -> bool {
        a == b || Reference::parse(a).is_ok_and(|a| Reference::parse(b).is_ok_and(|b| a == b))
    }

    /// `docker.io/library/nginx`.
    pub fn repository(&self) -> String {
        format!("{}/{}", self.domain, self.path)
    }

    /// `nginx`, `someone/app`, `localhost/nginx`: what `images` shows as REPOSITORY.
    pub fn familiar_repository(&self) -> String {
        if self.domain != DOCKER {
            return self.repository();
        }
        match self.path.strip_prefix("library/") {
            Some(rest) if !rest.contains('/') => rest.to_string(),
            _ => self.path.clone(),
        }
    }

    /// None only for a name that has a digest and no tag.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// `sha256:…` after an `@`.
    pub fn digest(&self) -> Option<&BlobDigest> {
        self.digest.as_ref()
    }

    /// `docker.io/library/nginx:latest`.
    pub fn canonical(&self) -> String {
        self.with(self.repository())
    }

    /// `nginx:latest`.
    pub fn familiar(&self) -> String {
        self.with(self.familiar_repository())
    }

    fn with(&self, mut name: String) -> String {
        if let Some(tag) = &self.tag {
            name.push(':');
            name.push_str(tag);
        }
        if let Some(digest) = &self.digest {
            name.push('@');
            name.push_str(digest.as_str());
        }
        name
    }
}

fn parts(text: &str) -> Result<Reference, ReferenceFlaw> {
    if text.is_empty() {
        return Err(ReferenceFlaw::Empty);
    }
    // 64 hex digits are an id: as a name they could never be told apart from one.
    if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(ReferenceFlaw::Characters);
    }
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(BlobDigest::parse(digest).ok_or(ReferenceFlaw::Digest)?)),
        None => (text, None),
    };
    let (domain, rest) = split_domain(rest);
    let (path, tag) = match rest.split_once(':') {
        Some((_, "")) => return Err(ReferenceFlaw::Colon),
        Some((_, tag)) if tag.contains(':') || tag.contains('/') => return Err(ReferenceFlaw::Colon),
        Some((_, tag)) if !valid_tag(tag) => return Err(ReferenceFlaw::Tag),
        Some((path, tag)) => (path, Some(tag.to_string())),
        None => (rest, None),
    };
    if path.is_empty() {
        return Err(ReferenceFlaw::Empty);
    }
    if path.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(ReferenceFlaw::Uppercase);
    }
    if !valid_domain(domain) || !path.split('/').all(valid_component) {
        return Err(ReferenceFlaw::Characters);
    }
    let path = if domain == DOCKER && !path.contains('/') { format!("library/{path}") } else { path.to_string() };
    if domain.len() + 1 + path.len() > MAX_NAME {
        return Err(ReferenceFlaw::Characters);
    }
    let tag = if tag.is_none() && digest.is_none() { Some("latest".to_string()) } else { tag };
    Ok(Reference { domain: domain.to_string(), path, tag, digest })
}

/// The first part is a domain if it looks like one: a dot, a colon, `localhost`, or upper case, which no path may have.
fn split_domain(text: &str) -> (&str, &str) {
    match text.split_once('/') {
        Some(("index.docker.io", rest)) => (DOCKER, rest),
        Some((first, rest))
            if first.contains(['.', ':']) || first == "localhost" || first.bytes().any(|b| b.is_ascii_uppercase()) =>
        {
            (first, rest)
        }
        _ => (DOCKER, text),
    }
}

fn valid_domain(domain: &str) -> bool {
    let (host, port) = match domain.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((v6, port)) => {
                let ok = !v6.is_empty() && v6.bytes().all(|b| b.is_ascii_hexdigit() || b == b':');
                return ok && (port.is_empty() || port.strip_prefix(':').is_some_and(valid_port));
            }
            None => return false,
        },
        None => match domain.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (domain, None),
        },
    };
    let label = |l: &str| {
        !l.is_empty()
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    host.split('.').all(label) && port.is_none_or(valid_port)
}

fn valid_port(port: &str) -> bool {
    !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit())
}

/// Runs of `[a-z0-9]` with one `.`, one or two `_`, or any number of `-` between them.
fn valid_component(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    if !bytes.first().copied().is_some_and(word) || !bytes.last().copied().is_some_and(word) {
        return false;
    }
    bytes
        .split(|&b| word(b))
        .filter(|separator| !separator.is_empty())
        .all(|s| matches!(s, b"." | b"_" | b"__") || s.iter().all(|&b| b == b'-'))
}

fn valid_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    tag.len() <= 128 && tag.bytes().next().is_some_and(word) && tag.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is(text: &str, canonical: &str, familiar: &str) {
        let r = Reference::parse(text).unwrap();
        assert_eq!((r.canonical().as_str(), r.familiar().as_str()), (canonical, familiar), "{text}");
        assert_eq!(Reference::parse(&r.canonical()).unwrap(), r, "the canonical form of {text} is not stable");
        assert_eq!(Reference::parse(&r.familiar()).unwrap(), r, "the familiar form of {text} is another name");
    }

    #[test]
    fn names_are_completed_as_docker_does() {
        is("nginx", "docker.io/library/nginx:latest", "nginx:latest");
        is("nginx:1.18", "docker.io/library/nginx:1.18", "nginx:1.18");
        is("docker.io/library/nginx:latest", "docker.io/library/nginx:latest", "nginx:latest");
        is("index.docker.io/nginx", "docker.io/library/nginx:latest", "nginx:latest");
        is("docker.io/nginx", "docker.io/library/nginx:latest", "nginx:latest");
        is("someone/app", "docker.io/someone/app:latest", "someone/app:latest");
        is("localhost/nginx", "localhost/nginx:latest", "localhost/nginx:latest");
        is("localhost:5000/my-app:v1.0_b", "localhost:5000/my-app:v1.0_b", "localhost:5000/my-app:v1.0_b");
        is("Host/app", "Host/app:latest", "Host/app:latest");
        is("[::1]:5000/app", "[::1]:5000/app:latest", "[::1]:5000/app:latest");
        is("a__b/c.d/e---f", "docker.io/a__b/c.d/e---f:latest", "a__b/c.d/e---f:latest");
        let d = format!("sha256:{}", "ab".repeat(32));
        is(&format!("nginx@{d}"), &format!("docker.io/library/nginx@{d}"), &format!("nginx@{d}"));
        is(&format!("nginx:1@{d}"), &format!("docker.io/library/nginx:1@{d}"), &format!("nginx:1@{d}"));
    }

    #[test]
    fn bad_names_say_what_is_wrong() {
        use ReferenceFlaw::*;
        let long = "a".repeat(256);
        for (text, flaw) in [
            ("", Empty),
            (":latest", Empty),
            ("localhost/", Empty),
            ("Nginx", Uppercase),
            ("someone/App", Uppercase),
            ("nginx:", Colon),
            ("a:b:c", Colon),
            ("a:b/c:d", Characters),
            ("nginx:.hidden", Tag),
            ("nginx:a b", Tag),
            ("nginx@sha256:12", Digest),
            ("nginx@", Digest),
            ("../etc", Characters),
            ("a//b", Characters),
            ("/a", Characters),
            ("a/", Characters),
            ("a..b", Characters),
            ("a___b", Characters),
            ("-a", Characters),
            ("nginx latest", Characters),
            ("한글", Characters),
            ("a.-b/c", Characters),
            (&long, Characters),
            (&"f".repeat(64), Characters),
        ] {
            match Reference::parse(text) {
                Err(Fault::BadReference { flaw: found, .. }) => assert_eq!(found, flaw, "{text:?}"),
                other => panic!("{text:?}: {other:?}"),
            }
        }
    }
}
