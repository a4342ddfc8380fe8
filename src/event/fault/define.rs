//! The macros by which errors are defined.

macro_rules! errors {
    ($(
        $(#[doc = $doc:literal])*
        $variant:ident $({ $($field:ident: $type:ty),* $(,)? })? => {
            $(when ($wc:expr) $(($($wp:tt)*))? {$($wt:tt)*})*
            $(($($p:tt)*))? {$($t:tt)*}
            $(cause $(if ($cc:expr))? $(($($cp:tt)*))? {$($ct:tt)*})*
            $(fix $(if ($fc:expr))? $(($($fp:tt)*))? {$($ft:tt)*})*
            $(exit $exit:expr;)?
            $(#[cfg(test)] sample {$($sample:tt)*})+
        }
    )*) => {
        /// Everything that can keep a command from doing what was asked.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case", tag = "fault")]
        pub enum Fault {
            $($(#[doc = $doc])* $variant $({ $($field: $type),* })?,)*
        }

        #[allow(unused_variables)]
        impl Fault {
            /// What failed, why, and what to do now.
            pub fn sentence(&self, lang: Lang) -> Sentence {
                match self {
                    $(Fault::$variant { $($($field),*)? } => Sentence {
                        error: $(if $wc { say!(lang, (), [] ($($($wp)*)?) {$($wt)*}) } else)* {
                            say!(lang, (), [] ($($($p)*)?) {$($t)*})
                        },
                        cause: $(if true $(&& $cc)? { Some(say!(lang, (), [] ($($($cp)*)?) {$($ct)*})) } else)* { None },
                        // The type for an error without a way out.
                        fix: Vec::<Option<String>>::from([
                            $((true $(&& $fc)?).then(|| say!(lang, (), [] ($($($fp)*)?) {$($ft)*})),)*
                        ])
                            .into_iter()
                            .flatten()
                            .collect(),
                    },)*
                }
            }

            /// The exit code of a container whose program never ran, as Docker sets it. None: Docker's 128.
            pub fn exit_code(&self) -> Option<i32> {
                match self {
                    $(Fault::$variant { $($($field),*)? } => None$(.or($exit))?,)*
                }
            }
        }

        /// One or more of every error.
        #[cfg(test)]
        pub fn faults() -> Vec<Fault> {
            vec![$($($($sample)*),+),*]
        }

        /// Every sentence, for the tests that read them.
        #[cfg(test)]
        pub(crate) fn rows() -> Vec<super::Row> {
            vec![$(
                $(rows!("fault" {$($wt)*}),)*
                rows!("fault" {$($t)*}),
                $(rows!("fault" {$($ct)*}),)*
                $(rows!("fault" {$($ft)*}),)*
            )*]
        }
    };
}
