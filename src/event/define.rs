//! How an event is defined: once, with everything that can be said of it.
//!
//! ```text
//! /// What it means.
//! CgroupMade { version: u8, name: String, paths: Vec<String> } = "cgroup.made" {
//!     in Block::Cgroup;                            // its place in a story
//!     calls [mkdir write];                         // the changing calls that it may claim (optional)
//!     proof [stat] broken "its directory goes";    // programs of its proofs, and what a test breaks so that they fail
//!     man "cgroups(7)";                            // where the kernel's own words are (optional)
//!     unproven "why there is no proof";            // instead of a proof
//!     plan (name) { ko: "…", en: "…" }             // a forecast's sentence, where it differs (optional; `plan if (…)`)
//!     when (*version == 0) { ko: "…", en: "…" }    // another sentence for some (optional, several)
//!     [MAKE] (name, version) { ko: "{name} cgroup을 {v} (v{version})", en: "{v} the cgroup {name} (v{version})" }
//!     also if (*version == 1) { ko: "…", en: "…" } // said after it, for some (optional, several)
//!     short (name) { ko: "…", en: "…" }            // folded; `short if (…)` for some only (optional)
//!     hand (paths) { "mkdir {paths}" }             // the ordinary command that does the same (optional)
//!     #[cfg(test)]
//!     sample { version: 1, name: s("x"), paths: vec![] }   // one or more
//! }
//! ```
//!
//! In round brackets stand the parameters of a sentence: fields, or `name = expression of fields`; any [`Word`]. A language,
//! a parameter or a last sentence that is missing does not compile, and neither does a parameter that a language forgets.
//! The verb in square brackets ([`verbs`](super::verbs)) fills `{v}` in the tense of the outcome.
//!
//! Each family's file hands its definitions on to `families!`, which makes one `enum Fact` of all of them.

#[cfg(doc)]
use super::words::Word;

/// What can be said of an event's kind, whatever its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    pub name: &'static str,
    /// Manual pages and kernel documents.
    pub man: Option<&'static str>,
    /// The changing calls that it may claim.
    pub calls: &'static [&'static str],
    pub bulk: Option<Bulk>,
    pub proof: Provable,
}

/// Work in bulk, told by its sum: with more than `after` entries, calls of these names in the process that tells the event,
/// right after the calls that it claims, are covered by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bulk {
    pub after: u64,
    pub calls: &'static [&'static str],
}

/// Whether an outsider can see afterwards that it is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provable {
    /// By these programs; `falsifier` is what a test breaks behind docent's back, so that the proof must fail.
    By {
        programs: &'static [&'static str],
        falsifier: &'static str,
    },
    Not {
        why: &'static str,
    },
}

/// The sentence for a language and tense; parameters are words ([`super::words::Word`]).
macro_rules! say {
    ($lang:expr, $tense:expr, [$($verb:ident)?] ($($p:ident $(= $e:expr)?),* $(,)?) { ko: $ko:literal, en: $en:literal $(,)? }) => {
        match $lang {
            Lang::Ko => format!($ko $(, v = $crate::event::verbs::$verb.form(Lang::Ko, $tense))? $(, $p = say!(@ $lang, $p $(= $e)?))*),
            Lang::En => format!($en $(, v = $crate::event::verbs::$verb.form(Lang::En, $tense))? $(, $p = say!(@ $lang, $p $(= $e)?))*),
        }
    };
    // The same in both languages.
    ($lang:expr, $tense:expr, [] ($($p:ident $(= $e:expr)?),* $(,)?) { $both:literal }) => {
        format!($both $(, $p = say!(@ $lang, $p $(= $e)?))*)
    };
    (@ $lang:expr, $p:ident = $e:expr) => { Word::word(&$e, $lang) };
    (@ $lang:expr, $p:ident) => { Word::word(&$p, $lang) };
}

/// A command line: every parameter is quoted as a shell reads it.
macro_rules! by_hand {
    (($($p:ident $(= $e:expr)?),* $(,)?) { $text:literal }) => { format!($text $(, $p = by_hand!(@ $p $(= $e)?))*) };
    (@ $p:ident = $e:expr) => { Argument::argument(&$e) };
    (@ $p:ident) => { Argument::argument(&$p) };
}

#[cfg(test)]
macro_rules! rows {
    ($name:literal { ko: $ko:literal, en: $en:literal $(,)? }) => {
        $crate::event::Row { name: $name, ko: $ko, en: $en }
    };
    ($name:literal { $both:literal }) => {
        $crate::event::Row { name: $name, ko: $both, en: $both }
    };
}

/// What a sentence is about, when that has words of its own; `by` the name under which JSON says which it is.
macro_rules! pieces {
    ($(#[$doc:meta])* pub enum $name:ident by $tag:literal { $(
        $(#[$variant_doc:meta])*
        $variant:ident $({ $($field:ident: $type:ty),* })? => $(($($p:tt)*))? {$($t:tt)*}
    )* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "kebab-case", tag = $tag)]
        pub enum $name { $($(#[$variant_doc])* $variant $({ $($field: $type),* })?),* }

        impl Word for $name {
            fn word(&self, lang: Lang) -> String {
                match self { $($name::$variant { $($($field),*)? } => say!(lang, (), [] ($($($p)*)?) {$($t)*})),* }
            }
        }

        #[cfg(test)]
        impl $name {
            pub(crate) fn rows() -> Vec<$crate::event::Row> {
                vec![$(rows!($tag {$($t)*})),*]
            }
        }
    };
}

macro_rules! definition {
    ($name:literal, [$($man:literal)?], [$($call:ident)*], [$($after:literal; $($bulk:ident)*)?], $($proof:tt)+) => {
        Definition {
            name: $name,
            man: optional!($($man)?),
            calls: &[$(stringify!($call)),*],
            bulk: optional!($(Bulk { after: $after, calls: &[$(stringify!($bulk)),*] })?),
            proof: proof!($($proof)+),
        }
    };
}

/// Either programs or a reason; anything else does not match.
macro_rules! proof {
    (by $($program:ident)+, $how:literal) => {
        Provable::By { programs: &[$(stringify!($program)),+], falsifier: $how }
    };
    (none $why:literal) => { Provable::Not { why: $why } };
}

macro_rules! optional {
    () => {
        None
    };
    ($value:expr) => {
        Some($value)
    };
}

macro_rules! define {
    ($(
        $(#[doc = $doc:literal])*
        $variant:ident $({ $($(#[$meta:meta])* $field:ident: $type:ty),* $(,)? })? = $name:literal {
            in $block:expr;
            $(calls [$($call:ident)*];)? $(proof [$($program:ident)+] broken $how:literal;)? $(man $man:literal;)?
            $(bulk after $after:literal [$($bulk:ident)*];)? $(unproven $why:literal;)?
            $(plan $(if ($pc:expr))? $([$pv:ident])? $(($($pp:tt)*))? {$($pt:tt)*})*
            $(when ($wc:expr) $([$wv:ident])? $(($($wp:tt)*))? {$($wt:tt)*})*
            $([$v:ident])? $(($($p:tt)*))? {$($t:tt)*}
            $(also if ($ac:expr) $(($($ap:tt)*))? {$($at:tt)*})*
            $(short $(if ($sc:expr))? $(($($sp:tt)*))? {$($st:tt)*})*
            $(hand $(if ($hc:expr))? $(($($hp:tt)*))? {$($ht:tt)*})*
            $(#[cfg(test)] sample $sample:tt)+
        }
    )*) => {
        /// What was done, learned or decided.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(tag = "event")]
        pub enum Fact {
            $($(#[doc = $doc])* #[serde(rename = $name)] $variant $({ $($(#[$meta])* $field: $type),* })?,)*
        }

        /// Every definition, in the order of the families.
        pub const DEFINITIONS: &[Definition] = &[$(definition! {
            $name, [$($man)?], [$($($call)*)?], [$($after; $($bulk)*)?], $(by $($program)+, $how)? $(none $why)?
        }),*];

        #[allow(unused_variables)]
        impl Fact {
            /// What can be said of its kind.
            pub fn definition(&self) -> &'static Definition {
                match self { $(Fact::$variant { .. } => &definition! {
                    $name, [$($man)?], [$($($call)*)?], [$($after; $($bulk)*)?], $(by $($program)+, $how)? $(none $why)?
                }),* }
            }

            /// Its place in a story.
            pub fn block(&self) -> Block {
                match self { $(Fact::$variant { $($($field),*)? } => $block),* }
            }

            /// What happened (or was meant to), in one sentence without its full stop.
            pub fn sentence(&self, lang: Lang, tense: Tense) -> String {
                match self {
                    $(Fact::$variant { $($($field),*)? } => {
                        $(if tense == Tense::Planned $(&& $pc)? {
                            return say!(lang, tense, [$($pv)?] ($($($pp)*)?) {$($pt)*});
                        })*
                        let parts = [
                            $(if $wc { Some(say!(lang, tense, [$($wv)?] ($($($wp)*)?) {$($wt)*})) } else)* {
                                Some(say!(lang, tense, [$($v)?] ($($($p)*)?) {$($t)*}))
                            },
                            $(($ac).then(|| say!(lang, tense, [] ($($($ap)*)?) {$($at)*})),)*
                        ];
                        parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
                    })*
                }
            }

            /// Its words in a folded line, where the definition has any for this one.
            pub fn short(&self, lang: Lang) -> Option<String> {
                match self {
                    $(Fact::$variant { $($($field),*)? } => {
                        $(if true $(&& $sc)? { return Some(say!(lang, tense, [] ($($($sp)*)?) {$($st)*})); })*
                    })*
                }
                None
            }

            /// The ordinary command that does the same; `…` stands for what is not known.
            pub fn by_hand(&self) -> Option<String> {
                match self {
                    $(Fact::$variant { $($($field),*)? } => {
                        $(if true $(&& $hc)? { return Some(by_hand!(($($($hp)*)?) {$($ht)*})); })*
                    })*
                }
                None
            }
        }

        /// One or more of every event.
        #[cfg(test)]
        pub fn facts() -> Vec<Fact> {
            vec![$($(Fact::$variant $sample),+),*]
        }

        /// Every sentence, for the tests that read them.
        #[cfg(test)]
        pub(crate) fn rows() -> Vec<Row> {
            vec![$(
                $(rows!($name {$($pt)*}),)*
                $(rows!($name {$($wt)*}),)*
                rows!($name {$($t)*}),
                $(rows!($name {$($at)*}),)*
                $(rows!($name {$($st)*}),)*
            )*]
        }
    };
}

/// Hands the definitions of one family after the other on, and all of them to the macro `$then`.
macro_rules! families {
    ([] $then:ident! $($all:tt)*) => { $then! { $($all)* } };
    ([$family:ident $($rest:ident)*] $then:ident! $($so_far:tt)*) => { $family! { [$($rest)*] $then! $($so_far)* } };
}
