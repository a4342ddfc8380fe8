//! The two choices that every command line carries: the language, and how much is told.

use super::environment::Environ;
use crate::event::Fault;
use std::ffi::OsString;

pub use crate::narrate::{Lang, Level};

pub(super) fn parse_lang(text: &str) -> Result<Lang, Fault> {
    text.parse().map_err(|()| super::parsers::bad("", text, "ko|en"))
}

pub(super) fn parse_level(text: &str) -> Result<Level, Fault> {
    Level::ALL
        .into_iter()
        .find(|l| l.word() == text)
        .ok_or_else(|| super::parsers::bad("", text, "off|brief|learn|full|deep|json"))
}

/// The language for a command line, even one that cannot be parsed: `--lang`, else `DOCENT_LANG`, else the locale's
/// (`LC_ALL`, `LC_MESSAGES`, `LANG` in the order of locale(7)), else English.
pub fn language(argv: &[OsString], environ: Environ) -> Lang {
    flag(argv).and_then(|v| parse_lang(&v).ok()).unwrap_or_else(|| from_environ(environ))
}

pub(super) fn from_environ(environ: Environ) -> Lang {
    let set = |name: &str| environ(name).filter(|v| !v.is_empty());
    if let Some(lang) = set("DOCENT_LANG").and_then(|v| parse_lang(&v).ok()) {
        return lang;
    }
    match set("LC_ALL").or_else(|| set("LC_MESSAGES")).or_else(|| set("LANG")) {
        Some(locale) if locale == "ko" || locale.starts_with("ko_") || locale.starts_with("ko.") => Lang::Ko,
        _ => Lang::En,
    }
}

/// The value of the first `--lang` before `--`.
fn flag(argv: &[OsString]) -> Option<String> {
    let mut words = argv.iter().skip(1).map_while(|w| w.to_str()).take_while(|w| *w != "--");
    let flag = words.find(|w| *w == "--lang" || w.starts_with("--lang="))?;
    flag.strip_prefix("--lang=").or_else(|| words.next()).map(str::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[test]
    fn flag_then_variable_then_locale() {
        let none = |_: &str| None;
        let korean = |name: &str| (name == "LANG").then(|| "ko_KR.UTF-8".to_string());
        let both = |name: &str| match name {
            "DOCENT_LANG" => Some("en".to_string()),
            "LANG" => Some("ko_KR.UTF-8".to_string()),
            _ => None,
        };
        assert_eq!(language(&argv(&["docent", "ps"]), &none), Lang::En);
        assert_eq!(language(&argv(&["docent", "ps"]), &korean), Lang::Ko);
        assert_eq!(language(&argv(&["docent", "ps"]), &both), Lang::En);
        assert_eq!(language(&argv(&["docent", "--lang", "ko", "ps", "--foo"]), &both), Lang::Ko);
        assert_eq!(language(&argv(&["docent", "ps", "--lang=ko"]), &none), Lang::Ko);
        assert_eq!(language(&argv(&["docent", "explain", "--", "run", "--lang=ko"]), &none), Lang::En);
        // A language that is not there falls back; the parser then says what is wrong with it.
        assert_eq!(language(&argv(&["docent", "--lang=fr"]), &korean), Lang::Ko);
        // LC_ALL is stronger than LANG, and Konkani (kok) is not Korean.
        let konkani = |name: &str| (name == "LC_ALL").then(|| "kok_IN".to_string()).or_else(|| korean(name));
        assert_eq!(language(&argv(&["docent"]), &konkani), Lang::En);
    }
}
