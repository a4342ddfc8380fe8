//! What an event is about: its place in a story, the label on the left, and the concept that a learner meets in it.

use super::Lang;
use super::text::frame;
use crate::fact::{Event, Fact, FaultPoint};

/// The order of this list is the order of the blocks in a story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    Host,
    Store,
    Image,
    Layer,
    Namespaces,
    Cgroup,
    Network,
    Isolation,
    Start,
    Copy,
    Changes,
    Pause,
    Unpause,
    Signal,
    Exit,
    Cleanup,
}

impl Topic {
    pub fn of(event: &Event) -> Topic {
        match &event.fact {
            Fact::StoreMade { .. } => Topic::Store,
            Fact::ImageResolved { .. }
            | Fact::ImageFromHost { .. }
            | Fact::ArchiveRead { .. }
            | Fact::BlobWritten { .. }
            | Fact::LayerUnpacked { .. }
            | Fact::LayerReused { .. }
            | Fact::Tagged { .. } => Topic::Image,
            Fact::Overlay { .. } => Topic::Layer,
            Fact::NamespacesMade { .. }
            | Fact::NamespacesJoined { .. }
            | Fact::PrivateMounts { .. }
            | Fact::HostnameSet { .. } => Topic::Namespaces,
            Fact::CgroupMade { .. }
            | Fact::CgroupLimit { .. }
            | Fact::CgroupDevices { .. }
            | Fact::CgroupJoined { .. }
            | Fact::CgroupNone { .. } => Topic::Cgroup,
            Fact::Loopback
            | Fact::Bridge { .. }
            | Fact::BridgeReused { .. }
            | Fact::Veth { .. }
            | Fact::Address { .. }
            | Fact::Route { .. }
            | Fact::Nat { .. }
            | Fact::ForwardGuard { .. }
            | Fact::Sysctl { .. }
            | Fact::Published { .. }
            | Fact::NetworkFiles { .. } => Topic::Network,
            Fact::MountsPrivate
            | Fact::Mounted { .. }
            | Fact::Bound { .. }
            | Fact::DeviceNodes { .. }
            | Fact::Masked { .. }
            | Fact::ReadOnly { .. }
            | Fact::RootPivoted { .. }
            | Fact::MountPoint { .. }
            | Fact::Capabilities { .. }
            | Fact::CapabilitySets { .. }
            | Fact::Seccomp { .. }
            | Fact::NoNewPrivileges
            | Fact::UserSet { .. }
            | Fact::SessionMade { .. }
            | Fact::Guarded { .. }
            | Fact::Sealed { .. } => Topic::Isolation,
            Fact::ContainerCreated { .. }
            | Fact::ContainerStarted { .. }
            | Fact::HelperStarted { .. }
            | Fact::Exec { .. }
            | Fact::Terminal { .. } => Topic::Start,
            Fact::Copied { .. } | Fact::FileWritten { .. } => Topic::Copy,
            Fact::Changed { .. } => Topic::Changes,
            Fact::CgroupFrozen { .. } => Topic::Pause,
            Fact::CgroupThawed { .. } => Topic::Unpause,
            Fact::Signalled { .. } => Topic::Signal,
            Fact::ContainerExited { .. } | Fact::Reaped { .. } => Topic::Exit,
            Fact::ContainerRemoved { .. }
            | Fact::CgroupRemoved { .. }
            | Fact::VethRemoved { .. }
            | Fact::BridgeRemoved { .. }
            | Fact::TableRemoved { .. }
            | Fact::StoreRemoved { .. }
            | Fact::Unmounted { .. } => Topic::Cleanup,
            Fact::ContainerLost { .. } | Fact::Cleaned { .. } | Fact::Left { .. } | Fact::Probed(_) => Topic::Host,
            Fact::Fallback { point, .. } => match point {
                FaultPoint::OldOverlayApi => Topic::Layer,
                FaultPoint::NoDeviceControl => Topic::Cgroup,
                FaultPoint::NoFreezer => Topic::Pause,
                FaultPoint::NoNat | FaultPoint::NoIpv6 | FaultPoint::NoNameserver => Topic::Network,
                FaultPoint::BuiltIn => Topic::Image,
                FaultPoint::Optional => Topic::Isolation,
            },
        }
    }

    pub fn label(self, lang: Lang) -> String {
        match self {
            Topic::Host => frame::label_host(lang),
            Topic::Store => frame::label_store(lang),
            Topic::Image => frame::label_image(lang),
            Topic::Layer => frame::label_layer(lang),
            Topic::Namespaces => frame::label_namespaces(lang),
            Topic::Cgroup => frame::label_cgroup(lang),
            Topic::Network => frame::label_network(lang),
            Topic::Isolation => frame::label_isolation(lang),
            Topic::Start => frame::label_start(lang),
            Topic::Copy => frame::label_copy(lang),
            Topic::Changes => frame::label_changes(lang),
            Topic::Pause => frame::label_pause(lang),
            Topic::Unpause => frame::label_unpause(lang),
            Topic::Signal => frame::label_signal(lang),
            Topic::Exit => frame::label_exit(lang),
            Topic::Cleanup => frame::label_cleanup(lang),
        }
    }
}

macro_rules! concepts {
    ($($name:ident $key:literal)*) => {
        /// Something that a learner meets for the first time once; the key stands in the learner's record.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Concept { $($name),* }

        impl Concept {
            pub const ALL: &[Concept] = &[$(Concept::$name),*];

            /// Stable: it is stored.
            pub fn key(self) -> &'static str {
                match self { $(Concept::$name => $key),* }
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
    PrivateLook "namespaces.private"
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
    OldOverlay "fallback.overlay"
    NoDevices "fallback.devices"
    NoFreezer "fallback.freezer"
    NoNat "fallback.nat"
    NoIpv6 "fallback.ipv6"
    NoNameserver "fallback.nameserver"
    Optional "fallback.optional"
    BuiltIn "fallback.built-in"
}

/// The concept of a fallback: its reason and fix are told in full once, and named ever after.
pub fn fallback_concept(point: FaultPoint) -> Concept {
    match point {
        FaultPoint::OldOverlayApi => Concept::OldOverlay,
        FaultPoint::NoDeviceControl => Concept::NoDevices,
        FaultPoint::NoFreezer => Concept::NoFreezer,
        FaultPoint::NoNat => Concept::NoNat,
        FaultPoint::NoIpv6 => Concept::NoIpv6,
        FaultPoint::NoNameserver => Concept::NoNameserver,
        FaultPoint::Optional => Concept::Optional,
        FaultPoint::BuiltIn => Concept::BuiltIn,
    }
}
