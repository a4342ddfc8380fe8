//! Signals by name and number.

/// signal(7), on x86 and ARM; of two names the first is the one that is shown.
const NAMES: [(&str, i32); 34] = [
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("ILL", 4),
    ("TRAP", 5),
    ("ABRT", 6),
    ("IOT", 6),
    ("BUS", 7),
    ("FPE", 8),
    ("KILL", 9),
    ("USR1", 10),
    ("SEGV", 11),
    ("USR2", 12),
    ("PIPE", 13),
    ("ALRM", 14),
    ("TERM", 15),
    ("STKFLT", 16),
    ("CHLD", 17),
    ("CLD", 17),
    ("CONT", 18),
    ("STOP", 19),
    ("TSTP", 20),
    ("TTIN", 21),
    ("TTOU", 22),
    ("URG", 23),
    ("XCPU", 24),
    ("XFSZ", 25),
    ("VTALRM", 26),
    ("PROF", 27),
    ("WINCH", 28),
    ("IO", 29),
    ("POLL", 29),
    ("PWR", 30),
    ("SYS", 31),
];
/// The real-time signals that programs may use: 32 and 33 are the C library's own (nptl(7)).
const RTMIN: i32 = 34;
const RTMAX: i32 = 64;
/// From here on they are counted down from the last, as kill(1) lists them and Docker accepts them.
const UPPER: i32 = 50;

/// `SIGKILL` for 9, `SIGRTMIN+3` for 37, and the bare number for one without a name.
pub fn name(signal: i32) -> String {
    match NAMES.iter().find(|(_, n)| *n == signal) {
        Some((name, _)) => format!("SIG{name}"),
        None if signal == RTMIN => "SIGRTMIN".into(),
        None if signal == RTMAX => "SIGRTMAX".into(),
        None if (RTMIN..UPPER).contains(&signal) => format!("SIGRTMIN+{}", signal - RTMIN),
        None if (UPPER..RTMAX).contains(&signal) => format!("SIGRTMAX-{}", RTMAX - signal),
        None => signal.to_string(),
    }
}

/// A signal as Docker accepts it: `9`, `KILL`, `SIGKILL`, `sigkill`, `RTMIN+3`, `RTMAX-1`.
pub fn number(text: &str) -> Option<i32> {
    let upper = text.to_ascii_uppercase();
    let plain = upper.strip_prefix("SIG").unwrap_or(&upper);
    if let Some((_, number)) = NAMES.iter().find(|(name, _)| *name == plain) {
        return Some(*number);
    }
    (1..=RTMAX).find(|n| {
        let name = name(*n);
        name.strip_prefix("SIG").is_some_and(|name| name == plain || text.parse() == Ok(*n))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers() {
        for (text, expected) in [
            ("TERM", Some(15)),
            ("SIGTERM", Some(15)),
            ("sigterm", Some(15)),
            ("CLD", Some(17)),
            ("9", Some(9)),
            ("37", Some(37)),
            ("RTMIN", Some(34)),
            ("SIGRTMIN+3", Some(37)),
            ("sigrtmin+15", Some(49)),
            ("RTMAX-14", Some(50)),
            ("RTMAX-1", Some(63)),
            ("RTMAX", Some(64)),
            ("0", None),
            ("32", None),
            ("65", None),
            ("-9", None),
            ("RTMIN+16", None),
            ("RTMIN-1", None),
            ("RTMAX-2147483648", None),
            ("RTMIN+x", None),
            ("FOO", None),
            ("SIG", None),
            ("", None),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
        for n in (1..=31).chain(34..=64) {
            assert_eq!(number(&name(n)), Some(n));
        }
    }
}
