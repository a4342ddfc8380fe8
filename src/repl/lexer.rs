//! A lexer of shell text: where its commands begin, and whether it is complete.
//!
//! Not a shell: it knows quotes, substitutions, comments, here-documents and separators, which is what is needed to take
//! a paste apart and to find the word that names a command. It never fails and never panics: text that it does not
//! understand is left to the shell, which decides.

/// What is missing at the end of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// A quote of this kind: `'`, `"` or a backtick.
    Quote(char),
    /// `$(`, `${`, `$((` or `(`.
    Bracket,
    Heredoc,
    /// A backslash at the end of the line.
    Backslash,
    /// `|`, `&&` or `||` at the end of the line.
    Operator,
}

/// A word, as byte offsets into the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    pub start: usize,
    pub end: usize,
}

/// A simple command: its words without assignments before it and without redirections.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Simple {
    pub words: Vec<Word>,
}

impl Simple {
    /// The word at `n` as it stands in the text, quotes and all.
    pub fn word<'a>(&self, text: &'a str, n: usize) -> Option<&'a str> {
        self.words.get(n).and_then(|w| text.get(w.start..w.end))
    }
}

/// What [`lex`] saw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lexed {
    pub open: Option<Open>,
    /// In the order in which they begin, those inside `$(…)` too.
    pub commands: Vec<Simple>,
    /// A keyword such as `for` or `{`: only the shell can tell whether its end is there.
    pub compound: bool,
}

const KEYWORDS: [&str; 12] =
    ["for", "while", "until", "if", "case", "select", "function", "{", "(", "((", "[[", "time"];
/// After these a command begins.
const OPENERS: [&str; 10] = ["do", "then", "else", "elif", "!", "{", "time", "if", "while", "until"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Plain text: the top, `(…)`, `$(…)`, backticks.
    Plain {
        closer: Option<u8>,
    },
    Double,
    Brace,
    Arithmetic,
}

struct Frame {
    kind: Kind,
    /// Index of the simple command being read.
    simple: Option<usize>,
    word: Option<usize>,
    /// The next word is the target of a redirection.
    target: bool,
    /// Brackets within arithmetic.
    depth: usize,
}

impl Frame {
    fn new(kind: Kind) -> Frame {
        Frame { kind, simple: None, word: None, target: false, depth: 0 }
    }
}

struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    frames: Vec<Frame>,
    heredocs: Vec<(String, bool)>,
    out: Lexed,
    /// The last thing was an operator that wants more.
    dangling: bool,
}

/// Reads `text`.
pub fn lex(text: &str) -> Lexed {
    let mut s = Lexer {
        text,
        bytes: text.as_bytes(),
        at: 0,
        frames: vec![Frame::new(Kind::Plain { closer: None })],
        heredocs: Vec::new(),
        out: Lexed::default(),
        dangling: false,
    };
    s.run();
    s.out
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn push(&mut self, kind: Kind, skip: usize) {
        self.frames.push(Frame::new(kind));
        self.at += skip;
    }

    fn run(&mut self) {
        while let Some(byte) = self.peek(0) {
            let Some(kind) = self.frames.last().map(|f| f.kind) else { return };
            match kind {
                Kind::Plain { closer } => self.plain(byte, closer),
                Kind::Double | Kind::Brace | Kind::Arithmetic => self.inside(byte, kind),
            }
            if self.out.open.is_some() {
                return;
            }
        }
        self.end_word();
        self.out.open = match self.frames.last().map(|f| f.kind) {
            Some(Kind::Double) => Some(Open::Quote('"')),
            Some(Kind::Plain { closer: Some(b'`') }) => Some(Open::Quote('`')),
            Some(Kind::Plain { closer: None }) if !self.heredocs.is_empty() => Some(Open::Heredoc),
            Some(Kind::Plain { closer: None }) if self.dangling => Some(Open::Operator),
            Some(Kind::Plain { closer: None }) | None => None,
            Some(_) => Some(Open::Bracket),
        };
    }

    /// Inside `"…"`, `${…}` and `$((…))`: only what opens or closes matters.
    fn inside(&mut self, byte: u8, kind: Kind) {
        match byte {
            b'\\' => self.backslash(),
            b'"' if kind == Kind::Double => self.pop(1),
            b'"' => self.push(Kind::Double, 1),
            b'\'' if kind == Kind::Brace => self.single(),
            b'}' if kind == Kind::Brace => self.pop(1),
            b'(' if kind == Kind::Arithmetic => self.deeper(1),
            b')' if kind == Kind::Arithmetic => {
                let depth = self.frames.last().map_or(0, |f| f.depth);
                if depth > 0 {
                    self.deeper(-1);
                } else if self.peek(1) == Some(b')') {
                    self.pop(2);
                } else {
                    self.pop(1);
                }
            }
            b'$' => self.dollar(),
            b'`' => self.push(Kind::Plain { closer: Some(b'`') }, 1),
            _ => self.at += 1,
        }
    }

    fn deeper(&mut self, by: isize) {
        if let Some(frame) = self.frames.last_mut() {
            frame.depth = frame.depth.saturating_add_signed(by);
        }
        self.at += 1;
    }

    fn pop(&mut self, skip: usize) {
        if self.frames.len() > 1 {
            self.frames.pop();
        }
        self.at += skip;
    }

    fn backslash(&mut self) {
        match self.text.get(self.at + 1..).and_then(|rest| rest.chars().next()) {
            Some(next) => self.at += 1 + next.len_utf8(),
            None => {
                self.at += 1;
                self.out.open = Some(Open::Backslash);
            }
        }
    }

    fn single(&mut self) {
        match self.text.get(self.at + 1..).and_then(|rest| rest.find('\'')) {
            Some(length) => self.at += length + 2,
            None => self.out.open = Some(Open::Quote('\'')),
        }
    }

    fn dollar(&mut self) {
        match (self.peek(1), self.peek(2)) {
            (Some(b'('), Some(b'(')) => self.push(Kind::Arithmetic, 3),
            (Some(b'('), _) => self.push(Kind::Plain { closer: Some(b')') }, 2),
            (Some(b'{'), _) => self.push(Kind::Brace, 2),
            _ => self.at += 1,
        }
    }

    fn plain(&mut self, byte: u8, closer: Option<u8>) {
        let in_word = self.frames.last().is_some_and(|f| f.word.is_some());
        if closer == Some(byte) {
            self.end_word();
            self.pop(1);
            return;
        }
        match byte {
            b' ' | b'\t' => {
                self.end_word();
                self.at += 1;
            }
            b'\n' => {
                self.end_word();
                self.end_command(false);
                self.at += 1;
                self.skip_heredocs();
            }
            b'#' if !in_word => {
                let rest = self.text.get(self.at..).unwrap_or_default();
                self.at += rest.find('\n').unwrap_or(rest.len());
            }
            b';' => {
                self.end_word();
                self.end_command(false);
                self.at += 1;
            }
            b'&' if self.peek(1) == Some(b'>') => self.redirect(),
            b'|' | b'&' => {
                self.end_word();
                let double = self.peek(1) == Some(byte);
                self.end_command(byte == b'|' || double);
                self.at += if double || self.peek(1) == Some(b'&') { 2 } else { 1 };
            }
            b'<' | b'>' => self.redirect(),
            b'(' => {
                if !in_word && self.peek(1) == Some(b'(') {
                    self.out.compound = true;
                    self.push(Kind::Arithmetic, 2);
                } else {
                    self.out.compound = true;
                    self.end_word();
                    self.push(Kind::Plain { closer: Some(b')') }, 1);
                }
                self.dangling = false;
            }
            // A pattern of `case`, or an error that the shell explains.
            b')' => {
                self.end_word();
                self.end_command(false);
                self.at += 1;
            }
            _ => {
                self.begin_word();
                match byte {
                    b'\\' if self.peek(1) == Some(b'\n') => {
                        self.at += 2;
                        if self.at == self.bytes.len() {
                            self.out.open = Some(Open::Backslash);
                        }
                    }
                    b'\\' => self.backslash(),
                    b'\'' => self.single(),
                    b'"' => self.push(Kind::Double, 1),
                    b'`' => self.push(Kind::Plain { closer: Some(b'`') }, 1),
                    b'$' => self.dollar(),
                    _ => self.at += self.text.get(self.at..).and_then(|r| r.chars().next()).map_or(1, char::len_utf8),
                }
            }
        }
    }

    fn begin_word(&mut self) {
        let at = self.at;
        self.dangling = false;
        if let Some(frame) = self.frames.last_mut()
            && frame.word.is_none()
        {
            frame.word = Some(at);
        }
    }

    fn end_word(&mut self) {
        let end = self.at;
        let Some(frame) = self.frames.last_mut() else { return };
        let Some(start) = frame.word.take() else { return };
        if std::mem::take(&mut frame.target) {
            return;
        }
        let word = self.text.get(start..end).unwrap_or_default();
        if frame.simple.is_none() {
            if assigns(word) {
                return;
            }
            if KEYWORDS.contains(&word) {
                self.out.compound = true;
            }
            if OPENERS.contains(&word) {
                return;
            }
            frame.simple = Some(self.out.commands.len());
            self.out.commands.push(Simple::default());
        }
        if let Some(simple) = frame.simple.and_then(|n| self.out.commands.get_mut(n)) {
            simple.words.push(Word { start, end });
        }
    }

    fn end_command(&mut self, wants_more: bool) {
        // A newline after `|` does not end what that operator waits for.
        if wants_more {
            self.dangling = true;
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.simple = None;
            frame.target = false;
        }
    }

    fn redirect(&mut self) {
        // `2>`: the number belongs to the redirection.
        let digits = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_digit());
        let (at, text) = (self.at, self.text);
        if let Some(frame) = self.frames.last_mut()
            && let Some(start) = frame.word
            && text.get(start..at).is_some_and(digits)
        {
            frame.word = None;
        }
        self.end_word();
        let rest = self.text.get(self.at..).unwrap_or_default();
        let here = rest.starts_with("<<") && !rest.starts_with("<<<");
        let operator = rest.bytes().take_while(|b| matches!(b, b'<' | b'>' | b'&' | b'|')).count().min(3);
        if rest.starts_with("<(") || rest.starts_with(">(") {
            self.begin_word();
            self.push(Kind::Plain { closer: Some(b')') }, 2);
            return;
        }
        if here {
            self.at += 2;
            self.heredoc_word();
            return;
        }
        self.at += operator.max(1);
        if let Some(frame) = self.frames.last_mut() {
            frame.target = true;
        }
    }

    fn heredoc_word(&mut self) {
        let tabs = self.peek(0) == Some(b'-');
        if tabs {
            self.at += 1;
        }
        while matches!(self.peek(0), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.find(|c: char| c.is_whitespace() || ";&|<>()".contains(c)).unwrap_or(rest.len());
        let word: String =
            rest.get(..length).unwrap_or_default().chars().filter(|c| !matches!(c, '\'' | '"' | '\\')).collect();
        self.at += length;
        if !word.is_empty() {
            self.heredocs.push((word, tabs));
        }
    }

    fn skip_heredocs(&mut self) {
        while let Some((word, tabs)) = self.heredocs.first().cloned() {
            loop {
                if self.at >= self.bytes.len() {
                    return;
                }
                let rest = self.text.get(self.at..).unwrap_or_default();
                let length = rest.find('\n').unwrap_or(rest.len());
                let line = rest.get(..length).unwrap_or_default();
                self.at = (self.at + length + 1).min(self.bytes.len());
                if (if tabs { line.trim_start_matches('\t') } else { line }) == word {
                    break;
                }
            }
            self.heredocs.remove(0);
        }
    }
}

/// `NAME=…` or `NAME+=…` before a command.
fn assigns(word: &str) -> bool {
    let Some((name, _)) = word.split_once('=') else { return false };
    is_variable(name.strip_suffix('+').unwrap_or(name))
}

/// What a shell takes for a variable's name.
pub fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
#[path = "lexer_tests.rs"]
mod tests;
