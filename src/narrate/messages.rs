//! The `messages!` table: Korean and English side by side, and verbs in the four tenses of a story.
//!
//! ```text
//! messages! {
//!     cgroup_made[MAKE](name) { ko: "{name} cgroup을 {v}", en: "{v} the cgroup {name}" }
//! }
//! ```
//!
//! makes `fn cgroup_made(lang, tense, name) -> String`. A row without a language does not match the macro; a parameter
//! that one language forgets, or invents, is an error of `format!`: neither compiles. The verb in brackets fills `{v}`.

use super::Lang;

/// How far a deed has come: the verb of its sentence says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tense {
    Done,
    Planned,
    Failed,
    Undone,
}

/// A verb: Korean past, present, negated past; English past and infinitive. The rest is formed from these.
pub(in crate::narrate) struct Verb {
    pub ko: [&'static str; 3],
    pub en: [&'static str; 2],
}

impl Verb {
    pub(in crate::narrate) fn form(&self, lang: Lang, tense: Tense) -> String {
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

/// One row, for the tests that read every sentence.
#[cfg(test)]
pub(in crate::narrate) struct Row {
    pub name: &'static str,
    pub ko: &'static str,
    pub en: &'static str,
}

macro_rules! messages {
    ($($name:ident $([$verb:ident])? ($($arg:ident),* $(,)?) { ko: $ko:literal, en: $en:literal $(,)? })*) => {
        $(messages!(@fn $name [$($verb)?] ($($arg),*) $ko, $en);)*

        #[cfg(test)]
        pub(in crate::narrate) const ROWS: &[$crate::narrate::messages::Row] =
            &[$($crate::narrate::messages::Row { name: stringify!($name), ko: $ko, en: $en }),*];
    };
    (@fn $name:ident [] ($($arg:ident),*) $ko:literal, $en:literal) => {
        pub(in crate::narrate) fn $name(lang: $crate::narrate::Lang $(, $arg: impl std::fmt::Display)*) -> String {
            match lang {
                $crate::narrate::Lang::Ko => format!($ko $(, $arg = $arg)*),
                $crate::narrate::Lang::En => format!($en $(, $arg = $arg)*),
            }
        }
    };
    (@fn $name:ident [$verb:ident] ($($arg:ident),*) $ko:literal, $en:literal) => {
        pub(in crate::narrate) fn $name(
            lang: $crate::narrate::Lang,
            tense: $crate::narrate::messages::Tense,
            $($arg: impl std::fmt::Display),*
        ) -> String {
            let v = $crate::narrate::text::verb::$verb.form(lang, tense);
            match lang {
                $crate::narrate::Lang::Ko => format!($ko, v = v $(, $arg = $arg)*),
                $crate::narrate::Lang::En => format!($en, v = v $(, $arg = $arg)*),
            }
        }
    };
}

/// Nouns with a number: `레이어 {n}개`, `{n} layer`, `{n} layers`.
macro_rules! counts {
    ($($name:ident { ko: $ko:literal, one: $one:literal, en: $en:literal })*) => {
        $(pub(in crate::narrate) fn $name(lang: $crate::narrate::Lang, n: usize) -> String {
            match (lang, n) {
                ($crate::narrate::Lang::Ko, _) => format!($ko, n = n),
                ($crate::narrate::Lang::En, 1) => format!($one, n = n),
                ($crate::narrate::Lang::En, _) => format!($en, n = n),
            }
        })*

        #[cfg(test)]
        pub(in crate::narrate) const ROWS: &[$crate::narrate::messages::Row] =
            &[$($crate::narrate::messages::Row { name: stringify!($name), ko: $ko, en: $en }),*];
    };
}

pub(in crate::narrate) use {counts, messages};
