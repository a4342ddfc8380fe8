//! What word processors, chats and web pages do to a command, undone: typographic dashes and quotes, odd spaces.
//!
//! Text that the learner quoted with plain quotes is data and stays as it is.

use super::verbs::Words;

/// A kind of repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Repair {
    Dash,
    Quotes,
    Space,
    /// `sudo` before docker, by one who is root already.
    Sudo,
}

const DASHES: [char; 8] = ['—', '–', '−', '‐', '‑', '‒', '―', '-'];
const DOUBLES: [char; 5] = ['“', '”', '„', '‟', '″'];
const SINGLES: [char; 5] = ['‘', '’', '‚', '‛', '′'];
const SPACES: [char; 5] = ['\u{a0}', '\u{2007}', '\u{202f}', '\u{3000}', '\u{2009}'];
const NOTHINGS: [char; 4] = ['\u{200b}', '\u{feff}', '\u{2060}', '\u{200e}'];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Nothing,
    /// A plain quote: data.
    Plain(char),
    /// A typographic quote: `true` for double.
    Curly(bool),
}

/// Repairs one line. `open` is the plain quote that a line before left open.
pub fn repair(line: &str, open: Option<char>, words: &Words) -> (String, Vec<Repair>) {
    let mut out = String::with_capacity(line.len());
    let mut done = Vec::new();
    let mut inside = open.map_or(Inside::Nothing, Inside::Plain);
    let mut before = ' ';
    let mut chars = line.char_indices();
    while let Some((at, c)) = chars.next() {
        let rest = line.get(at + c.len_utf8()..).unwrap_or_default();
        let last = std::mem::replace(&mut before, c);
        if let Inside::Plain(quote) = inside {
            out.push(c);
            if c == quote {
                inside = Inside::Nothing;
            } else if c == '\\' && quote == '"' {
                out.extend(chars.next().map(|(_, next)| next));
            }
            continue;
        }
        match c {
            '\\' => {
                out.push(c);
                out.extend(chars.next().map(|(_, next)| next));
            }
            '\'' | '"' if inside == Inside::Nothing => {
                out.push(c);
                inside = Inside::Plain(c);
            }
            '"' | '\'' => {
                out.push(c);
                if inside == Inside::Curly(c == '"') {
                    inside = Inside::Nothing;
                }
            }
            _ if DOUBLES.contains(&c) || SINGLES.contains(&c) => {
                let double = DOUBLES.contains(&c);
                let kind: &[char] = if double { &DOUBLES } else { &SINGLES };
                let plain = if double { '"' } else { '\'' };
                let closes = inside == Inside::Curly(double);
                // An apostrophe has no partner, and is left as it is.
                let opens = inside == Inside::Nothing && (rest.contains(kind) || rest.contains(plain));
                // Within typographic double quotes the single ones were typed plain as well.
                let within = inside == Inside::Curly(true) && !double;
                if closes || opens || within {
                    out.push(plain);
                    done.push(Repair::Quotes);
                } else {
                    out.push(c);
                }
                if closes {
                    inside = Inside::Nothing;
                } else if opens {
                    inside = Inside::Curly(double);
                }
            }
            _ if SPACES.contains(&c) => {
                out.push(' ');
                done.push(Repair::Space);
                before = ' ';
            }
            _ if NOTHINGS.contains(&c) => {
                done.push(Repair::Space);
                before = last;
            }
            _ if DASHES.contains(&c) && (last.is_whitespace() || out.is_empty()) => match dash(c, rest, words) {
                Some((dashes, skip)) => {
                    out.push_str(dashes);
                    chars.by_ref().take(skip).for_each(drop::<(usize, char)>);
                    done.push(Repair::Dash);
                }
                None => out.push(c),
            },
            _ => out.push(c),
        }
    }
    (out, done)
}

/// The plain dashes for a typographic one at a word's start, and how many characters after it belong to it.
fn dash(c: char, rest: &str, words: &Words) -> Option<(&'static str, usize)> {
    // `-—name` and `——name`: an editor got hold of only one of two, or of both.
    if let Some(next) = rest.chars().next().filter(|n| DASHES.contains(n)) {
        let odd = c != '-' || next != '-';
        let name = rest.get(next.len_utf8()..).is_some_and(|r| r.starts_with(|l: char| l.is_ascii_alphabetic()));
        return (odd && name).then_some(("--", 1));
    }
    if c == '-' {
        return None;
    }
    let end = rest.find(|l: char| !(l.is_ascii_alphanumeric() || l == '-')).unwrap_or(rest.len());
    let name = rest.get(..end).filter(|n| n.starts_with(|l: char| l.is_ascii_alphanumeric()))?;
    if name.chars().count() == 1 {
        return Some(("-", 0));
    }
    // Editors make an em dash of two hyphens; but `—it` is one, and a shorter dash may stand for either.
    let long = words.has_long(name) || (name.len() > 3 && matches!(c, '—' | '―'));
    Some((if long { "--" } else { "-" }, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> Words {
        Words::of(&crate::cli::command())
    }

    #[track_caller]
    fn becomes(line: &str, want: &str, done: &[Repair]) {
        let (text, mut repairs) = repair(line, None, &words());
        repairs.sort_unstable();
        repairs.dedup();
        assert_eq!((text.as_str(), repairs.as_slice()), (want, done), "{line}");
    }

    #[test]
    fn dashes_become_what_was_meant() {
        becomes("docker run -it —name a u bash", "docker run -it --name a u bash", &[Repair::Dash]);
        becomes("docker pull —platform linux/amd64 x", "docker pull --platform linux/amd64 x", &[Repair::Dash]);
        becomes("docker run –name a –rm −d –it x", "docker run --name a --rm -d -it x", &[Repair::Dash]);
        becomes("docker run -—name a ——rm x", "docker run --name a --rm x", &[Repair::Dash]);
        becomes("docker run --name=a-b x -d - --", "docker run --name=a-b x -d - --", &[]);
        becomes("echo a — b 10–20", "echo a — b 10–20", &[]);
    }

    #[test]
    fn quotes_are_mended_unless_they_are_data() {
        becomes("sh -c “echo ‘hi’ $A”", "sh -c \"echo 'hi' $A\"", &[Repair::Quotes]);
        becomes("echo ‘a b’", "echo 'a b'", &[Repair::Quotes]);
        becomes("echo it’s", "echo it’s", &[]);
        becomes("echo '“말” —name' \"“말” ’\"", "echo '“말” —name' \"“말” ’\"", &[]);
        becomes("echo “a\"", "echo \"a\"", &[Repair::Quotes]);
    }

    #[test]
    fn odd_spaces_become_plain_ones() {
        becomes("docker\u{a0}ps\u{3000}-a\u{200b}", "docker ps -a", &[Repair::Space]);
        becomes("docker run\u{a0}—name a", "docker run --name a", &[Repair::Dash, Repair::Space]);
        becomes("echo 'a\u{a0}b'", "echo 'a\u{a0}b'", &[]);
    }

    #[test]
    fn an_open_plain_quote_protects_the_next_line() {
        let (text, done) = repair("“x” —y' —z", Some('\''), &words());
        assert_eq!((text.as_str(), done), ("“x” —y' -z", vec![Repair::Dash]));
    }
}
