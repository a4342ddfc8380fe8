//! The blocks of a story, in their order, each with its label: the column on the left.

use super::Lang;

macro_rules! blocks {
    ($($name:ident { ko: $ko:literal, en: $en:literal })*) => {
        /// What an event is about. The order is the order of the blocks in a story.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Block { $($name),* }

        impl Block {
            pub fn label(self, lang: Lang) -> String {
                match (self, lang) { $(
                    (Block::$name, Lang::Ko) => $ko,
                    (Block::$name, Lang::En) => $en,
                )* }.into()
            }
        }
    };
}

blocks! {
    Host { ko: "호스트", en: "host" }
    Store { ko: "저장소", en: "store" }
    Image { ko: "이미지", en: "image" }
    Layer { ko: "쓰기 레이어", en: "write layer" }
    Namespaces { ko: "네임스페이스", en: "namespaces" }
    Cgroup { ko: "cgroup", en: "cgroup" }
    Network { ko: "네트워크", en: "network" }
    Isolation { ko: "격리", en: "isolation" }
    Start { ko: "시작", en: "start" }
    Copy { ko: "복사", en: "copy" }
    Changes { ko: "변경", en: "changes" }
    Pause { ko: "일시정지", en: "pause" }
    Unpause { ko: "재개", en: "unpause" }
    Signal { ko: "신호", en: "signal" }
    Exit { ko: "종료", en: "exit" }
    Cleanup { ko: "정리", en: "cleanup" }
}
