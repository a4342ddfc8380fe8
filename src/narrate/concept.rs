//! Concepts: what a learner meets for the first time once. Each is told in full then, and folded ever after.

use crate::event::FaultPoint;

macro_rules! concepts {
    ($($name:ident $key:literal)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Concept {
            $($name,)*
            /// The reason and fix of another way than the usual one.
            Fallback(FaultPoint),
        }

        impl Concept {
            /// Stable: it stands in the learner's record.
            pub fn key(self) -> &'static str {
                match self {
                    $(Concept::$name => $key,)*
                    Concept::Fallback(point) => point.key(),
                }
            }
        }
    };
}

concepts! {
    Store "store"
    Image "image"
    FromHost "image.from-host"
    Archive "image.archive"
    WriteLayer "write-layer"
    Namespaces "namespaces"
    Join "namespaces.join"
    Cgroup "cgroup"
    Limit "cgroup.limit"
    Bridge "network.bridge"
    Forwarding "network.forwarding"
    Publish "network.publish"
    NoNetwork "network.none"
    Isolation "isolation"
    Start "start"
    CopyIn "copy.in"
    CopyOut "copy.out"
    Covered "cow.covered"
    CopiedUp "cow.copied-up"
    Whiteout "cow.whiteout"
    Added "cow.added"
    Pause "pause"
    Unpause "unpause"
    Signal "signal"
    Exit "exit"
    ExitSignal "exit.signal"
    Remove "remove"
}
