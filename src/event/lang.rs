//! The two languages, and the tenses of a story.

use std::str::FromStr;

/// The language of everything that people read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    Ko,
    En,
}

impl Lang {
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
            (Lang::En, Tense::Done) => past.into(),
            (Lang::En, Tense::Planned) => format!("will {base}"),
            (Lang::En, Tense::Failed) => format!("could not {base}"),
        }
    }
}
