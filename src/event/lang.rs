//! The two languages, and the tenses of a story.

use std::str::FromStr;

/// The language of everything that people read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    Ko,
    En,
}

impl Lang {
    /// By `--lang`, then DOCENT_LANG, then LC_ALL and LANG: `ko…` is Korean, all else English. `get` reads the environment.
    pub fn choose(flag: Option<Lang>, get: impl Fn(&str) -> Option<String>) -> Lang {
        let by_name = |name: &str| get(name).filter(|v| !v.is_empty()).map(|v| Lang::of(&v));
        flag.or_else(|| by_name("DOCENT_LANG"))
            .or_else(|| by_name("LC_ALL"))
            .or_else(|| by_name("LANG"))
            .unwrap_or(Lang::En)
    }

    fn of(locale: &str) -> Lang {
        // ko, ko_KR.UTF-8, ko.utf8; Konkani (kok) is another language.
        let name = locale.to_ascii_lowercase();
        let language = name.split(['_', '.', '@', '-']).next();
        if language == Some("ko") { Lang::Ko } else { Lang::En }
    }

    pub fn code(self) -> &'static str {
        match self {
            Lang::Ko => "ko",
            Lang::En => "en",
        }
    }
}

/// For `--lang`: unlike a locale of the environment, a wrong word is an error.
impl FromStr for Lang {
    type Err = ();
    fn from_str(s: &str) -> Result<Lang, ()> {
        match s {
            "ko" => Ok(Lang::Ko),
            "en" => Ok(Lang::En),
            _ => Err(()),
        }
    }
}

/// How far a deed has come: the verb of its sentence says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tense {
    Done,
    Planned,
    Failed,
    Undone,
}

/// A verb: Korean past, present, negated past; English past and infinitive. The rest is formed from these.
pub(crate) struct Verb {
    pub ko: [&'static str; 3],
    pub en: [&'static str; 2],
}

impl Verb {
    pub(crate) fn form(&self, lang: Lang, tense: Tense) -> String {
        let ([past_ko, present, not], [past, base]) = (self.ko, self.en);
        match (lang, tense) {
            (Lang::Ko, Tense::Done) => past_ko.into(),
            (Lang::Ko, Tense::Planned) => present.into(),
            (Lang::Ko, Tense::Failed) => not.into(),
            // 만들었습니다 -> 만들었다가 되돌렸습니다
            (Lang::Ko, Tense::Undone) => format!("{}다가 되돌렸습니다", past_ko.trim_end_matches("습니다")),
            (Lang::En, Tense::Done) => past.into(),
            (Lang::En, Tense::Planned) => format!("will {base}"),
            (Lang::En, Tense::Failed) => format!("could not {base}"),
            (Lang::En, Tense::Undone) => format!("{past} and then undid:"),
        }
    }
}
