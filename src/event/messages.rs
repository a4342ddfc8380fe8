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

/// One row, for the tests that read every sentence.
#[cfg(test)]
#[derive(Clone)]
pub(crate) struct Row {
    pub name: &'static str,
    pub ko: &'static str,
    pub en: &'static str,
}

macro_rules! messages {
    ($($name:ident $([$verb:ident])? ($($arg:ident),* $(,)?) { ko: $ko:literal, en: $en:literal $(,)? })*) => {
        $(messages!(@fn $name [$($verb)?] ($($arg),*) $ko, $en);)*

        #[cfg(test)]
        pub(crate) const ROWS: &[$crate::event::Row] =
            &[$($crate::event::Row { name: stringify!($name), ko: $ko, en: $en }),*];
    };
    (@fn $name:ident [] ($($arg:ident),*) $ko:literal, $en:literal) => {
        pub(crate) fn $name(lang: $crate::event::Lang $(, $arg: impl std::fmt::Display)*) -> String {
            match lang {
                $crate::event::Lang::Ko => format!($ko $(, $arg = $arg)*),
                $crate::event::Lang::En => format!($en $(, $arg = $arg)*),
            }
        }
    };
    (@fn $name:ident [$verb:ident] ($($arg:ident),*) $ko:literal, $en:literal) => {
        pub(crate) fn $name(
            lang: $crate::event::Lang,
            tense: $crate::event::Tense,
            $($arg: impl std::fmt::Display),*
        ) -> String {
            let v = $crate::event::verbs::$verb.form(lang, tense);
            match lang {
                $crate::event::Lang::Ko => format!($ko, v = v $(, $arg = $arg)*),
                $crate::event::Lang::En => format!($en, v = v $(, $arg = $arg)*),
            }
        }
    };
}

/// Nouns with a number: `레이어 {n}개`, `{n} layer`, `{n} layers`.
macro_rules! counts {
    ($($name:ident { ko: $ko:literal, one: $one:literal, en: $en:literal })*) => {
        $(pub(crate) fn $name(lang: $crate::event::Lang, n: usize) -> String {
            match (lang, n) {
                ($crate::event::Lang::Ko, _) => format!($ko, n = n),
                ($crate::event::Lang::En, 1) => format!($one, n = n),
                ($crate::event::Lang::En, _) => format!($en, n = n),
            }
        })*

        #[cfg(test)]
        pub(crate) const ROWS: &[$crate::event::Row] =
            &[$($crate::event::Row { name: stringify!($name), ko: $ko, en: $en }),*];
    };
}

pub(crate) use messages;
