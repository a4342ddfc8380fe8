//! The vocabulary of the project: everything that docent can say it did.
//!
//! One variant is one thing a learner can be told. `tests/truth.rs` holds the published table that maps every changing
//! system call to one of these and back, so a new variant needs a row there and sentences in `narrate/` in both languages.

use super::{Call, Receipt, SysError};
use serde::{Deserialize, Serialize};

/// One told event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Microseconds of the monotonic clock at the end of the deed (CLOCK_MONOTONIC, the same in every process).
    pub at_us: u64,
    /// How long it took, in microseconds.
    #[serde(default)]
    pub took_us: u64,
    /// The process that did it. Facts have a `pid` of their own, and both lie side by side in one JSON object.
    #[serde(rename = "by_pid")]
    pub pid: i32,
    #[serde(flatten)]
    pub fact: Fact,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    #[serde(default)]
    pub outcome: Outcome,
    /// The changing calls that did it, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<Call>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
}

/// Did it happen?
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Outcome {
    #[default]
    Done,
    /// Tried; the kernel said no. The fact is what was meant.
    Failed { error: SysError },
    /// Undone after a later step failed. The fact is what had been done.
    Undone,
    /// Only planned (`explain -- COMMAND`).
    Planned,
}

impl Event {
    /// A deed's event, stamped now.
    pub fn of(fact: Fact, calls: Vec<Call>) -> Self {
        Event {
            at_us: now_us(),
            took_us: 0,
            pid: std::process::id() as i32,
            fact,
            container: None,
            outcome: Outcome::Done,
            calls,
            receipt: None,
        }
    }

    pub fn failed(fact: Fact, mut error: SysError) -> Self {
        let calls = std::mem::take(&mut error.calls);
        Event { outcome: Outcome::Failed { error }, ..Event::of(fact, calls) }
    }

    pub fn planned(fact: Fact) -> Self {
        Event { outcome: Outcome::Planned, ..Event::of(fact, Vec::new()) }
    }

    pub fn undone(mut self) -> Self {
        self.outcome = Outcome::Undone;
        self
    }
}

/// CLOCK_MONOTONIC in microseconds.
pub fn now_us() -> u64 {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    t.tv_sec as u64 * 1_000_000 + t.tv_nsec as u64 / 1000
}

/// What was done, learned or decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event")]
pub enum Fact {
    // ---- image -------------------------------------------------------------------------------------------------
    /// A reference led to an image that is here.
    #[serde(rename = "image.resolved")]
    ImageResolved {
        reference: String,
        #[serde(rename = "image_id")]
        id: String,
        by: Resolved,
        layers: Vec<String>,
        bytes: u64,
    },
    /// A built-in image is being made from programs of this machine.
    #[serde(rename = "image.from-host")]
    ImageFromHost { reference: String, programs: Vec<String>, server: Option<String> },
    /// An archive was read.
    #[serde(rename = "image.archive-read")]
    ArchiveRead { path: String, images: usize, layers: usize },
    /// A blob was written to `oci/blobs`.
    #[serde(rename = "image.blob-written")]
    BlobWritten { digest: String, bytes: u64 },
    /// A layer was unpacked and verified; `path` is its directory in the store.
    #[serde(rename = "image.layer-unpacked")]
    LayerUnpacked { diff_id: String, chain_id: String, entries: u64, bytes: u64, path: String },
    /// A layer was here already.
    #[serde(rename = "image.layer-reused")]
    LayerReused { diff_id: String, chain_id: String },
    /// A name now leads to this image (`oci/index.json` replaced).
    #[serde(rename = "image.tagged")]
    Tagged {
        reference: String,
        #[serde(rename = "image_id")]
        id: String,
        was: Option<String>,
    },
    /// The store's first use: its directories and `oci-layout`.
    #[serde(rename = "store.made")]
    StoreMade { path: String },
    /// Everything below it that is docent's.
    #[serde(rename = "store.removed")]
    StoreRemoved { path: String },

    // ---- container ---------------------------------------------------------------------------------------------
    #[serde(rename = "container.created")]
    ContainerCreated {
        #[serde(rename = "container_id")]
        id: String,
        name: String,
        image: String,
        path: String,
    },
    #[serde(rename = "container.started")]
    ContainerStarted {
        #[serde(rename = "container_id")]
        id: String,
        name: String,
        pid: i32,
    },
    #[serde(rename = "container.exited")]
    ContainerExited {
        #[serde(rename = "container_id")]
        id: String,
        name: String,
        code: i32,
        signal: Option<i32>,
        oom: bool,
    },
    #[serde(rename = "container.removed")]
    ContainerRemoved {
        #[serde(rename = "container_id")]
        id: String,
        name: String,
    },
    /// Its monitor died without a word; found and put in order by a later command.
    #[serde(rename = "container.lost")]
    ContainerLost {
        #[serde(rename = "container_id")]
        id: String,
        name: String,
    },

    // ---- namespaces --------------------------------------------------------------------------------------------
    /// One clone made the process and its namespaces. `inside` is its pid as it sees itself.
    #[serde(rename = "namespace.made")]
    NamespacesMade { pid: i32, inside: i32, namespaces: Vec<Namespace> },
    /// A process of ours entered namespaces that exist (exec, cp, diff).
    #[serde(rename = "namespace.joined")]
    NamespacesJoined { pid: i32, kinds: Vec<String>, of: i32 },
    /// A mount namespace of our own, for a private look at a stopped container's files.
    #[serde(rename = "namespace.private")]
    PrivateMounts { kinds: Vec<String> },
    #[serde(rename = "namespace.hostname")]
    HostnameSet { name: String },

    // ---- cgroup ------------------------------------------------------------------------------------------------
    #[serde(rename = "cgroup.made")]
    CgroupMade { version: u8, name: String, paths: Vec<String> },
    #[serde(rename = "cgroup.limit")]
    CgroupLimit { limit: Limit, file: String, value: String, read_back: String },
    /// Which devices may be opened (v1 devices controller).
    #[serde(rename = "cgroup.devices")]
    CgroupDevices { path: String, allowed: Vec<String> },
    #[serde(rename = "cgroup.joined")]
    CgroupJoined { pid: i32, name: String, paths: Vec<String> },
    #[serde(rename = "cgroup.frozen")]
    CgroupFrozen { file: String, state: String },
    #[serde(rename = "cgroup.thawed")]
    CgroupThawed { file: String, state: String },
    #[serde(rename = "cgroup.removed")]
    CgroupRemoved { name: String, paths: Vec<String> },
    /// No cgroup on this host; nothing was limited.
    #[serde(rename = "cgroup.none")]
    CgroupNone { why: String },

    // ---- mounts ------------------------------------------------------------------------------------------------
    /// Mounts made from now on stay in this mount namespace.
    #[serde(rename = "mount.private")]
    MountsPrivate,
    /// The root: `lower` (chain IDs, top first) below one empty upper. `line` is mountinfo's own.
    #[serde(rename = "mount.overlay")]
    Overlay { lower: Vec<String>, upper: String, work: String, target: String },
    /// A file system mounted at `target`, a path as the container sees it.
    #[serde(rename = "mount.made")]
    Mounted { kind: String, target: String, options: String },
    /// One path of the host is also seen at `target`.
    #[serde(rename = "mount.bind")]
    Bound { source: String, target: String, read_only: bool },
    #[serde(rename = "mount.devices")]
    DeviceNodes { devices: Vec<Device>, links: Vec<String> },
    /// `absent` are those that this kernel does not have.
    #[serde(rename = "mount.masked")]
    Masked {
        paths: Vec<String>,
        #[serde(default)]
        absent: Vec<String>,
    },
    #[serde(rename = "mount.read-only")]
    ReadOnly {
        paths: Vec<String>,
        #[serde(default)]
        absent: Vec<String>,
    },
    /// The overlay became `/`, and the old root is gone from sight.
    #[serde(rename = "mount.pivot-root")]
    RootPivoted { to: String },
    /// A mount point that the image lacked was made in the write layer, as Docker does.
    #[serde(rename = "mount.point")]
    MountPoint { path: String },
    #[serde(rename = "mount.removed")]
    Unmounted { target: String },

    // ---- copy-on-write -----------------------------------------------------------------------------------------
    /// Something in the write layer that was not there at the last look.
    #[serde(rename = "cow.change")]
    Changed {
        path: String,
        change: Change,
        layer: Option<String>,
        /// Which layer of the image that is, counted from 1, the lowest.
        #[serde(default)]
        number: Option<usize>,
        image: Option<String>,
        was: Option<u64>,
        now: Option<u64>,
    },
    /// A copy by `docker cp`; `bytes` is the sum of the files' sizes.
    #[serde(rename = "cow.copied")]
    Copied { from: String, to: String, bytes: u64, entries: u64, into_container: bool },

    // ---- network -----------------------------------------------------------------------------------------------
    #[serde(rename = "network.loopback")]
    Loopback,
    #[serde(rename = "network.bridge")]
    Bridge {
        name: String,
        address: String,
        /// The host takes no router advertisements from containers (CVE-2020-13401).
        #[serde(default)]
        ipv6_off: bool,
    },
    #[serde(rename = "network.bridge-reused")]
    BridgeReused { name: String, address: String },
    #[serde(rename = "network.veth")]
    Veth { host: String, inside: String, bridge: String },
    #[serde(rename = "network.address")]
    Address { device: String, address: String },
    #[serde(rename = "network.route")]
    Route { gateway: String, device: String },
    /// The bridge's table: NAT on the way out, and a filter that lets nobody in but replies.
    #[serde(rename = "network.nat")]
    Nat { table: String, subnet: String },
    /// Forwarding was off before: what concerns no bridge of docent is still not forwarded.
    #[serde(rename = "network.forward-guard")]
    ForwardGuard { table: String },
    #[serde(rename = "network.sysctl")]
    Sysctl { name: String, value: String, was: String },
    #[serde(rename = "network.published")]
    Published { host_ip: String, host_port: u16, address: String, port: u16, proto: String },
    /// hosts, hostname and resolv.conf of the container, written in its directory.
    #[serde(rename = "network.files")]
    NetworkFiles { files: Vec<String> },
    #[serde(rename = "network.veth-removed")]
    VethRemoved { host: String },
    #[serde(rename = "network.bridge-removed")]
    BridgeRemoved { name: String },
    /// A table of nf_tables, with all its rules.
    #[serde(rename = "network.table-removed")]
    TableRemoved { table: String },

    // ---- security ----------------------------------------------------------------------------------------------
    #[serde(rename = "security.capabilities")]
    Capabilities { kept: Vec<String>, dropped: usize },
    #[serde(rename = "security.seccomp")]
    Seccomp { allowed: usize, filters: usize },
    #[serde(rename = "security.no-new-privileges")]
    NoNewPrivileges,
    #[serde(rename = "security.user")]
    UserSet { uid: u32, gid: u32, groups: Vec<u32> },
    #[serde(rename = "security.session")]
    SessionMade { tty: bool },
    /// The process dies with its monitor, and cannot be traced while it is still docent's own code.
    #[serde(rename = "security.guard")]
    Guarded { parent_death: bool, not_dumpable: bool },
    /// docent runs from a read-only mount of its own program: what runs in a container cannot overwrite it (CVE-2019-5736).
    #[serde(rename = "security.sealed")]
    Sealed { program: String },
    /// What the process itself holds from now on (permitted and effective); inheritable and ambient are empty.
    #[serde(rename = "security.capability-sets")]
    CapabilitySets { held: Vec<String> },

    // ---- processes ---------------------------------------------------------------------------------------------
    /// A helper process of docent was started (the monitor, the engine's copy for a private look).
    #[serde(rename = "process.helper")]
    HelperStarted { pid: i32, role: String },
    /// The container's program took the place of docent's code. `path` is what execve was given.
    #[serde(rename = "process.exec")]
    Exec { path: String, argv: Vec<String>, cwd: String, user: String },
    #[serde(rename = "process.signal")]
    Signalled { pid: i32, signal: i32, name: String, all: bool },
    #[serde(rename = "process.terminal")]
    Terminal { path: String },
    /// Data went to the program's standard input or the terminal's size changed: docent as a pipe.
    #[serde(rename = "process.reaped")]
    Reaped { pid: i32, code: i32, signal: Option<i32> },

    // ---- host --------------------------------------------------------------------------------------------------
    /// Another way was taken than the usual one.
    #[serde(rename = "host.fallback")]
    Fallback { what: String, point: FaultPoint },
    /// Something that a killed command had left behind was cleaned up.
    #[serde(rename = "host.cleaned")]
    Cleaned { what: String },
    /// Something was not taken away, and why.
    #[serde(rename = "host.left")]
    Left { what: String, why: Kept, by: String },
    /// A file outside the store, at a place the learner named, was written.
    #[serde(rename = "host.file-written")]
    FileWritten { path: String, bytes: u64 },
    /// What was found here, for `doctor`.
    #[serde(rename = "host.probed")]
    Probed(Probe),
}

/// Why something is left as it is; each goes with what stands in `by`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kept {
    /// The store that it belongs to lies in another mount namespace, or is not named: whether it is gone cannot be known.
    Unsure,
    /// Somebody else may need it.
    Needed,
    /// There is more in it than docent's.
    Shared,
}

/// Reasons for taking another way, each with its own sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultPoint {
    /// The kernel has no `lowerdir+` (before 6.5): mount(2) with short names.
    OldOverlayApi,
    /// No device controller here: CAP_MKNOD is dropped instead, so no device can be made.
    NoDeviceControl,
    /// No freezer: processes are stopped by SIGSTOP.
    NoFreezer,
    /// nf_tables is not to be had: containers reach each other and the host, not the outside.
    NoNat,
    /// IPv6 is off: ports are published on IPv4 alone.
    NoIpv6,
    /// The image is made from this machine because no registry can be asked.
    BuiltIn,
    /// resolv.conf of the host names only loopback servers, which a container cannot reach.
    NoNameserver,
    /// A mount option or object that this kernel refuses and Docker treats as optional.
    Optional,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resolved {
    Local,
    /// Made from this machine's own programs.
    BuiltIn,
    /// By (a prefix of) its id.
    Id,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    Memory,
    Swap,
    Cpu,
    Pids,
}

/// A namespace of the new process beside the one docent runs in: `pid:[4026531836]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespace {
    pub kind: String,
    /// The new one's inode; None in a forecast.
    pub inode: Option<u64>,
    pub host: Option<u64>,
    /// The old one is kept (`--network host`).
    #[serde(default)]
    pub shared: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    pub path: String,
    pub major: u32,
    pub minor: u32,
}

/// How a path of the write layer differs from the image below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// The kernel copied the lower file up before it was changed: the upper file carries overlay.origin.
    CopiedUp,
    /// A file made anew over a lower one of the same name (`cp`, an editor that renames).
    Covered,
    /// Nothing of that name lies below.
    Added,
    /// It was in the write layer at the last look and is different now.
    Rewritten,
    /// A whiteout hides the lower one.
    Deleted,
    /// A directory that hides everything below it.
    Opaque,
    /// It was in the write layer at the last look and is gone, and nothing lies below.
    Gone,
}

impl Change {
    /// The letter of `docker diff`.
    pub fn letter(self) -> char {
        match self {
            Change::CopiedUp | Change::Covered | Change::Rewritten | Change::Opaque => 'C',
            Change::Added => 'A',
            Change::Deleted | Change::Gone => 'D',
        }
    }
}

/// Which of the four worlds this host is (design: tiers).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Tier {
    /// root
    T0,
    /// rootless with id ranges
    T1,
    /// rootless, one id
    T2,
    /// no user namespaces: image work only
    T3,
}

/// What `doctor` found, by attempting the real thing in a disposable child.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    pub tier: Tier,
    pub kernel: String,
    pub uid: u32,
    /// 1, 2, or 0 for none.
    pub cgroup: u8,
    /// Controllers that can be used, by name.
    pub controllers: Vec<String>,
    pub shown: Vec<Shown>,
}

/// One line of the doctor's verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// `namespaces`, `overlay`, `cgroup`, `bridge`, `nat`, `id-ranges`, `freezer`, …
    pub what: String,
    pub ok: bool,
    /// Needed for containers to run at all; otherwise only something less is possible.
    pub required: bool,
    pub error: Option<SysError>,
    pub detail: String,
}

/// How a name was found, for stories that need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    Name,
    Id,
}
