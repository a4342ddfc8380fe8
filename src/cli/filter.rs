//! `--filter`, for `ps` and `images`. Filters of one name are alternatives, those of different names must all hold; several
//! labels must all be there. A filter that is not honoured is refused: a list that is too long would be acted on.

use super::commands::images::ImageRow;
use super::parsers::bad;
use crate::container::{Container, Status};
use crate::event::Fault;
use crate::image::{ImageId, Reference};

/// One `--filter KEY=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    pub key: String,
    pub value: String,
}

fn refused(term: &Term, known: &[&str], expected: &str) -> Fault {
    let text = format!("{}={}", term.key, term.value);
    if known.contains(&term.key.as_str()) {
        Fault::Unsupported { what: format!("--filter {text}"), instead: Some(format!("--filter {expected}")) }
    } else {
        bad("--filter", &text, expected)
    }
}

fn values<'a>(terms: &'a [Term], key: &str) -> Vec<&'a str> {
    terms.iter().filter(|t| t.key == key).map(|t| t.value.as_str()).collect()
}

/// Whether the labels have all that is asked for: a key, or a key with its value.
fn has_labels<'a>(terms: &[Term], label: impl Fn(&str) -> Option<&'a str>) -> bool {
    values(terms, "label").iter().all(|want| match want.split_once('=') {
        Some((key, value)) => label(key) == Some(value),
        None => label(want).is_some(),
    })
}

/// What `ps` shows.
#[derive(Debug, Clone, Default)]
pub struct ContainerFilter {
    terms: Vec<Term>,
}

const STATES: [&str; 7] = ["created", "dead", "exited", "paused", "removing", "restarting", "running"];

impl ContainerFilter {
    pub fn new(terms: &[Term]) -> Result<Self, Fault> {
        let here = "name|status|id|ancestor|label|exited";
        let docker = ["before", "since", "publish", "expose", "network", "volume", "health", "isolation", "is-task"];
        for term in terms {
            match term.key.as_str() {
                "id" | "ancestor" | "label" => {}
                "name" if literal(&term.value).is_some() => {}
                "name" => {
                    let what = format!("--filter name={}", term.value);
                    return Err(Fault::Unsupported { what, instead: Some("--filter name=[^]NAME[$]".into()) });
                }
                "status" if STATES.contains(&term.value.as_str()) => {}
                "status" => return Err(bad("--filter", &format!("status={}", term.value), &STATES.join("|"))),
                "exited" if term.value.parse::<i32>().is_ok() => {}
                "exited" => return Err(bad("--filter", &format!("exited={}", term.value), "NUMBER")),
                _ => return Err(refused(term, &docker, here)),
            }
        }
        Ok(ContainerFilter { terms: terms.to_vec() })
    }

    /// A question about the state looks at containers in every state, without `-a`.
    pub fn asks_for_state(&self) -> bool {
        self.terms.iter().any(|t| t.key == "status" || t.key == "exited")
    }

    pub fn shows(&self, container: &Container) -> bool {
        let state = &container.state;
        let any = |key: &str, test: &dyn Fn(&str) -> bool| {
            let values = values(&self.terms, key);
            values.is_empty() || values.into_iter().any(test)
        };
        any("name", &|v| name_matches(v, &container.name))
            && any("id", &|v| container.id.starts_with(v))
            && any("status", &|v| state.status().word() == v)
            && any("exited", &|v| {
                state.status() == Status::Exited && v.parse::<i32>().is_ok_and(|code| code == state.exit_code())
            })
            && any("ancestor", &|v| is_ancestor(v, &container.config.image, container.image_id.as_ref()))
            && has_labels(&self.terms, |key| container.config.labels.get(key).map(String::as_str))
    }
}

/// Docker reads a name filter as a regular expression. A part of the name, anchored or not, is what people write; a
/// filter that uses more of the language is refused rather than misread. A dot is taken for itself.
fn literal(pattern: &str) -> Option<(bool, &str, bool)> {
    let (start, rest) = pattern.strip_prefix('^').map_or((false, pattern), |rest| (true, rest));
    let (end, rest) = rest.strip_suffix('$').map_or((false, rest), |rest| (true, rest));
    let plain = rest.strip_prefix('/').map_or(rest, |name| name);
    let start = start || plain.len() < rest.len();
    (!plain.contains(['^', '$', '*', '+', '?', '(', ')', '[', ']', '{', '}', '|', '\\'])).then_some((start, plain, end))
}

fn name_matches(pattern: &str, name: &str) -> bool {
    match literal(pattern) {
        Some((true, text, true)) => name == text,
        Some((true, text, false)) => name.starts_with(text),
        Some((false, text, true)) => name.ends_with(text),
        Some((false, text, false)) => name.contains(text),
        None => false,
    }
}

/// The image by name (`nginx` is `nginx:latest`) or by (a beginning of) its id.
fn is_ancestor(wanted: &str, reference: &str, id: Option<&ImageId>) -> bool {
    let wanted_digest = wanted.strip_prefix("sha256:").unwrap_or(wanted);
    let hex = wanted_digest.len() >= 4 && wanted_digest.bytes().all(|b| b.is_ascii_hexdigit());
    Reference::same(wanted, reference) || (hex && id.is_some_and(|id| id.hex().starts_with(wanted_digest)))
}

/// What `images` shows.
#[derive(Debug, Clone, Default)]
pub struct ImageFilter {
    terms: Vec<Term>,
}

impl ImageFilter {
    /// `reference` is the argument of `images`: one more reference that may match.
    pub fn new(terms: &[Term], reference: Option<&str>) -> Result<Self, Fault> {
        let mut all = terms.to_vec();
        for term in &all {
            match term.key.as_str() {
                "reference" | "label" => {}
                "dangling" if super::parsers::boolean(&term.value).is_ok() => {}
                "dangling" => return Err(bad("--filter", &format!("dangling={}", term.value), "true|false")),
                _ => return Err(refused(term, &["before", "since", "until"], "reference|dangling|label")),
            }
        }
        all.extend(reference.map(|r| Term { key: "reference".into(), value: r.to_string() }));
        Ok(ImageFilter { terms: all })
    }

    pub fn shows(&self, row: &ImageRow) -> bool {
        let references = values(&self.terms, "reference");
        let named = format!("{}:{}", row.repository, row.tag);
        (references.is_empty() || references.iter().any(|r| glob(r, &row.repository) || glob(r, &named)))
            && values(&self.terms, "dangling")
                .iter()
                .all(|v| super::parsers::boolean(v).is_ok_and(|want| want == row.dangling()))
            && has_labels(&self.terms, |key| row.labels.get(key).map(String::as_str))
    }
}

/// A shell pattern: `*` and `?` stop at `/`, as Go's path.Match has it; a bracket stands for itself.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where the last star stood, and how much it has taken so far.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match (pattern.get(p), text.get(t)) {
            (Some('*'), _) => {
                star = Some((p, t));
                p += 1;
            }
            (Some('?'), Some(c)) if *c != '/' => (p, t) = (p + 1, t + 1),
            (Some(want), Some(c)) if want == c && *want != '?' => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((at, taken)) if text.get(taken) != Some(&'/') => {
                    star = Some((at, taken + 1));
                    (p, t) = (at + 1, taken + 1);
                }
                _ => return false,
            },
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|c| *c == '*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(text: &str) -> Term {
        crate::cli::parsers::parse_filter(text).expect("a filter")
    }

    #[test]
    fn names_by_part_and_anchor() {
        for (pattern, name, yes) in [
            ("web", "web", true),
            ("web", "my-web-2", true),
            ("^web", "my-web", false),
            ("^web$", "web", true),
            ("^/web$", "web", true),
            ("^web$", "web2", false),
            ("2$", "web2", true),
            ("/web", "my-web", false),
            ("", "web", true),
        ] {
            assert_eq!(name_matches(pattern, name), yes, "{pattern} {name}");
        }
    }

    #[test]
    fn what_is_not_honoured_is_refused() {
        let new = |text: &str| ContainerFilter::new(&[term(text)]).err();
        for text in ["name=web", "STATUS=exited", "exited=137", "label=a=b", "id=3f", "ancestor=nginx"] {
            assert_eq!(new(text), None, "{text}");
        }
        for text in ["foo=1", "status=gone", "exited=x"] {
            assert!(matches!(new(text), Some(Fault::BadValue { .. })), "{text}");
        }
        for text in ["network=bridge", "name=we.*b", "before=x"] {
            assert!(matches!(new(text), Some(Fault::Unsupported { .. })), "{text}");
        }
        assert!(ImageFilter::new(&[term("dangling=x")], None).is_err());
        assert!(matches!(ImageFilter::new(&[term("before=x")], None), Err(Fault::Unsupported { .. })));
        assert!(matches!(ImageFilter::new(&[term("foo=x")], None), Err(Fault::BadValue { .. })));
    }

    #[test]
    fn ancestors() {
        let id = ImageId::of_hex(&"9d1c".repeat(16));
        for (wanted, yes) in [
            ("nginx", true),
            ("nginx:latest", true),
            ("nginx:1.18", false),
            ("9d1c", true),
            ("9d", false),
            ("ngin", false),
        ] {
            assert_eq!(is_ancestor(wanted, "nginx", id.as_ref()), yes, "{wanted}");
        }
        assert!(is_ancestor("localhost:5000/web", "localhost:5000/web:latest", id.as_ref()));
    }

    #[test]
    fn patterns() {
        for (pattern, text, yes) in [
            ("nginx", "nginx", true),
            ("ngin*", "nginx", true),
            ("*", "a/b", false),
            ("a/*", "a/b", true),
            ("*:1.?", "nginx:1.8", true),
            ("n?inx", "nginx", true),
            ("?", "/", false),
            ("", "", true),
            ("**", "ab", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b", "acd", false),
        ] {
            assert_eq!(glob(pattern, text), yes, "{pattern} {text}");
        }
    }
}
