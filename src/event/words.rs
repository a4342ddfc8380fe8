//! Small things in the form in which people read them: sizes, ids, command lines, error names; and what may stand in an
//! event's sentence.

use super::{Lang, counts};
use std::path::Path;

/// What may stand in a sentence.
pub trait Word {
    fn word(&self, lang: Lang) -> String;
}

/// What may stand in a command line, quoted as a shell reads it.
pub trait Argument {
    fn argument(&self) -> String;
}

macro_rules! plain {
    ($($type:ty)*) => { $(
        impl Word for $type {
            fn word(&self, _: Lang) -> String {
                readable(self.to_string())
            }
        }
        impl Argument for $type {
            fn argument(&self) -> String {
                readable(command_line(&[self.to_string()]))
            }
        }
    )* };
}
plain! { str String u8 u16 u32 i32 u64 usize }

impl<T: Word + ?Sized> Word for &T {
    fn word(&self, lang: Lang) -> String {
        (**self).word(lang)
    }
}

/// What a forecast cannot know.
const UNKNOWN: &str = "…";

impl<T: Word> Word for Option<T> {
    fn word(&self, lang: Lang) -> String {
        self.as_ref().map_or_else(|| UNKNOWN.into(), |known| known.word(lang))
    }
}

impl Word for Vec<String> {
    fn word(&self, _: Lang) -> String {
        self.join(", ")
    }
}

impl<T: Argument + ?Sized> Argument for &T {
    fn argument(&self) -> String {
        (**self).argument()
    }
}

impl<T: Argument> Argument for Option<T> {
    fn argument(&self) -> String {
        self.as_ref().map_or_else(|| UNKNOWN.into(), Argument::argument)
    }
}

impl Argument for Vec<String> {
    fn argument(&self) -> String {
        readable(command_line(self))
    }
}

/// Bytes of one parameter that are shown: a command line can have megabytes, and a story is read.
const READABLE: usize = 2000;

/// A text as people are shown it: its beginning and its size when it is long.
pub fn readable(mut text: String) -> String {
    let size = text.len();
    if size > READABLE {
        text.truncate(text.floor_char_boundary(READABLE));
        text.push_str(&format!("… ({})", memory(size as u64)));
    }
    text
}

/// What a terminal does not show but obeys: control characters, and those that turn the direction of writing.
pub fn unseen(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A size in bytes ([`size`]).
pub struct Size(pub u64);

impl Word for Size {
    fn word(&self, lang: Lang) -> String {
        size(lang, self.0)
    }
}

/// Memory in Docker's binary units ([`memory`]).
pub struct Memory(pub u64);

impl Word for Memory {
    fn word(&self, _: Lang) -> String {
        memory(self.0)
    }
}

/// As the kernel's manual and strace name it ([`errno`]).
pub struct Errno(pub i32);

impl Word for Errno {
    fn word(&self, _: Lang) -> String {
        errno(self.0)
    }
}

/// A noun with its number.
pub struct Count(pub fn(Lang, usize) -> String, pub usize);

impl Word for Count {
    fn word(&self, lang: Lang) -> String {
        (self.0)(lang, self.1)
    }
}

/// A file's size in prose: `640바이트`, `640 bytes`, `14.2 MB`.
pub fn size(lang: Lang, bytes: u64) -> String {
    if bytes < 1000 {
        return counts::bytes(lang, bytes as usize);
    }
    let (number, unit) = scaled(bytes, 1000.0, &["B", "kB", "MB", "GB", "TB", "PB", "EB"]);
    format!("{number} {unit}")
}

/// Memory, in Docker's binary units: `64 MiB`.
pub fn memory(bytes: u64) -> String {
    let (number, unit) = scaled(bytes, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]);
    format!("{number} {unit}")
}

/// Three significant digits, without zeros at the end (Docker's `%.3g`).
fn scaled(bytes: u64, base: f64, units: &[&'static str]) -> (String, &'static str) {
    let mut value = bytes as f64;
    let mut unit = 0;
    // 999.5 would round up to four digits.
    while value >= 999.5 && unit + 1 < units.len() {
        value /= base;
        unit += 1;
    }
    let digits = if value >= 100.0 || unit == 0 { 0 } else { 1 + usize::from(value < 10.0) };
    let mut number = format!("{value:.digits$}");
    if number.contains('.') {
        number.truncate(number.trim_end_matches('0').trim_end_matches('.').len());
    }
    (number, units.get(unit).copied().unwrap_or("B"))
}

/// The first 12 hex digits of an id or digest; what is none stays as it is.
pub fn short(id: &str) -> String {
    let hex = id.strip_prefix("sha256:").unwrap_or(id);
    if hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return hex.chars().take(12).collect();
    }
    id.to_string()
}

/// A text with every 64-digit id in it cut to 12, and what lies before the store's own directories left out (`…/`).
pub fn brief(text: &str) -> String {
    let words: Vec<String> = text.split(' ').map(brief_word).collect();
    words.join(" ")
}

fn brief_word(word: &str) -> String {
    let mut out = String::new();
    let mut hex = String::new();
    for c in word.chars().chain(std::iter::once('\0')) {
        if c.is_ascii_hexdigit() {
            hex.push(c);
            continue;
        }
        out.push_str(&short(&hex));
        hex.clear();
        if c != '\0' {
            out.push(c);
        }
    }
    let out = out.replace("sha256:", "");
    // The path may stand behind a key: `upperdir=/var/lib/docent/containers/…`.
    let Some(start) = out.find('/') else { return out };
    let (key, path) = out.split_at(start);
    for part in ["/containers/", "/layers/", "/oci/"] {
        if let Some(at) = path.find(part).filter(|at| *at > 0) {
            return format!("{key}…{}", path.get(at..).unwrap_or(path));
        }
    }
    out
}

/// A command line that a shell reads back as this argv.
pub fn command_line(argv: &[String]) -> String {
    argv.iter()
        .map(|word| shlex::try_quote(word).map_or_else(|_| word.clone(), |q| q.into_owned()))
        .collect::<Vec<_>>()
        .join(" ")
}

/// The last part of a path.
pub fn file_name(path: &str) -> String {
    Path::new(path).file_name().map_or_else(|| path.to_string(), |n| n.to_string_lossy().into_owned())
}

/// As the kernel's manual and strace name it: `EPERM (Operation not permitted)`.
pub fn errno(n: i32) -> String {
    let text = std::io::Error::from_raw_os_error(n).to_string();
    let text = text.rsplit_once(" (os error").map_or(text.as_str(), |(t, _)| t);
    match errno_name(n) {
        Some(name) => format!("{name} ({text})"),
        None => format!("errno {n} ({text})"),
    }
}

/// The name of an errno, for those that docent's calls can give.
pub fn errno_name(n: i32) -> Option<&'static str> {
    ERRNO.iter().find(|(number, _)| *number == n).map(|(_, name)| *name)
}

macro_rules! errnos {
    ($($name:ident)*) => { &[$((libc::$name, stringify!($name))),*] };
}

const ERRNO: &[(i32, &str)] = errnos! {
    EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST EXDEV
    ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE EDEADLK
    ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP ENODATA EPROTO EBADMSG EOVERFLOW EUSERS ENOTSOCK EMSGSIZE EPROTONOSUPPORT
    EOPNOTSUPP EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN
    ETIMEDOUT ECONNREFUSED EHOSTUNREACH EALREADY EINPROGRESS ESTALE EDQUOT ECANCELED EKEYREJECTED
};
