//! What went wrong, as data. The sentence, the cause and the way out are `narrate/`'s, in both languages.

use super::{Probe, SysError};
use serde::{Deserialize, Serialize};

/// Everything that can keep a command from doing what was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "fault")]
pub enum Fault {
    // ---- what was asked ----------------------------------------------------------------------------------------
    /// A command line that was not understood: `kind` is one of those that `cli` makes, `word` the argument it stumbled over.
    Usage {
        command: String,
        kind: String,
        word: Option<String>,
        suggestion: Option<String>,
        text: String,
    },
    /// A flag or a command of Docker that docent does not have.
    Unsupported {
        what: String,
        instead: Option<String>,
    },
    BadValue {
        flag: String,
        value: String,
        expected: String,
    },
    BadSignal {
        signal: String,
    },
    /// A memory limit that no program could start in.
    MemoryTooLow {
        value: String,
    },
    BadReference {
        text: String,
        flaw: ReferenceFlaw,
    },
    BadName {
        name: String,
    },
    BadTemplate {
        template: String,
        why: String,
    },
    /// `docker rm` of a container that runs, without -f.
    StillRunning {
        name: String,
        id: String,
        paused: bool,
    },
    NotRunning {
        name: String,
        id: String,
    },
    IsPaused {
        name: String,
        id: String,
    },
    NotPaused {
        name: String,
        id: String,
    },
    /// `rename` to what it is called already.
    SameName {
        name: String,
    },
    NameTaken {
        name: String,
        by: String,
    },
    NoSuchContainer {
        name: String,
    },
    AmbiguousId {
        prefix: String,
    },
    /// No image of that name is here; `tried` says why no other source was asked. `similar` are names that are here.
    NoSuchImage {
        reference: String,
        similar: Vec<String>,
    },
    /// `port`: as it was asked for.
    NotPublished {
        port: String,
        container: String,
    },
    NoSuchObject {
        name: String,
    },
    /// Neither the image nor the command line says what to run.
    NoCommand {
        image: String,
    },

    // ---- running -----------------------------------------------------------------------------------------------
    CommandNotFound {
        command: String,
        container: String,
    },
    NotExecutable {
        command: String,
        container: String,
        errno: i32,
    },
    NoSuchUser {
        user: String,
    },
    /// A file of the container that docent would have to read is something else: `kind` is FIFO, socket, directory or device.
    NotRegular {
        path: String,
        kind: String,
    },
    BadWorkdir {
        path: String,
        errno: i32,
    },
    /// The image has something at `target` on which nothing is mounted.
    MountTarget {
        target: String,
        flaw: MountFlaw,
    },
    PortTaken {
        ip: String,
        port: u16,
        proto: String,
    },
    /// A limit was asked for that this host cannot keep.
    LimitRefused {
        limit: String,
        why: String,
    },
    /// -it without a terminal on standard input.
    NotATerminal,
    NoFreeAddress {
        subnet: String,
    },
    NoSuchGroup {
        group: String,
    },
    /// The process that looks after the container died before it said that the container runs.
    MonitorDied {
        id: String,
    },

    // ---- files -------------------------------------------------------------------------------------------------
    NoSuchPath {
        container: String,
        path: String,
    },
    NotADirectory {
        path: String,
    },
    LocalFile {
        path: String,
        errno: i32,
    },
    /// `cp` between two containers, or between no container.
    CpDirection,
    Archive {
        path: String,
        flaw: ArchiveFlaw,
    },
    /// The store says something that it cannot have been told by docent.
    StoreDamaged {
        path: String,
        why: String,
    },

    // ---- the host ----------------------------------------------------------------------------------------------
    /// Containers need root here; the probe says what else this host would allow.
    NotRoot {
        probe: Option<Box<Probe>>,
    },
    /// The store belongs to somebody else.
    StoreRefused {
        path: String,
        errno: i32,
    },
    /// A step failed that should not: what docent was doing, and the call.
    Step {
        step: String,
        error: SysError,
    },

    // ---- labs and journal --------------------------------------------------------------------------------------
    NoSuchLab {
        name: String,
        labs: Vec<String>,
    },
    NoLabStarted,
    NoSuchChapter {
        name: String,
        chapters: Vec<String>,
    },
    LabDamaged {
        path: String,
        why: String,
    },
    NoSuchCommand {
        number: u64,
        last: u64,
    },
    /// The grader could not do its work (exit 2).
    CannotGrade {
        why: String,
    },
    /// Several containers were named; some could not be served. Each has been told.
    Several {
        failed: usize,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReferenceFlaw {
    Empty,
    Uppercase,
    Characters,
    Tag,
    Digest,
    Colon,
}

/// Why a place in an image cannot be mounted on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "flaw")]
pub enum MountFlaw {
    /// A symlink or a file where a file system of this kind belongs.
    NotOrdinary {
        kind: String,
    },
    /// A directory where `source` is a file, or the other way round.
    OtherType {
        source: String,
    },
    InsideProc,
}

/// What is wrong with an archive or a layer in it. Archives are untrusted: each of these is an attack or an accident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "flaw")]
pub enum ArchiveFlaw {
    /// Not a tar at all (or one in a compression that is not read).
    NotAnArchive {
        what: String,
    },
    Truncated,
    NoManifest,
    BadJson {
        member: String,
        why: String,
    },
    MissingMember {
        member: String,
    },
    DigestMismatch {
        what: String,
        expected: String,
        found: String,
    },
    /// A name that leads out of the layer: `..`, an absolute path, a link.
    Escape {
        member: String,
    },
    /// A member type that no layer may hold.
    BadMember {
        member: String,
        why: String,
    },
    TooLarge {
        what: String,
        limit: u64,
    },
    /// More names than one load gives.
    TooManyNames {
        found: usize,
        limit: usize,
    },
    /// Unpacking failed on the file system.
    Write {
        member: String,
        errno: i32,
    },
    Empty,
}

impl Fault {
    pub fn step(step: &str, error: SysError) -> Self {
        Fault::Step { step: step.into(), error }
    }

    /// The exit code of a container whose program never ran, as Docker sets it: 127 for a program that is not there, 126 for
    /// one that may not run. None: no such reason (Docker's 128).
    pub fn exit_code(&self) -> Option<i32> {
        match self {
            Fault::CommandNotFound { .. } | Fault::NotExecutable { errno: libc::ENOENT, .. } => Some(127),
            Fault::NotExecutable { errno: libc::EACCES | libc::EISDIR | libc::ENOTDIR, .. } => Some(126),
            Fault::BadWorkdir { errno: libc::ENOENT, .. } => Some(127),
            Fault::BadWorkdir { .. } => Some(126),
            _ => None,
        }
    }
}

/// Language-free, for logs and tests; people read the catalogue's sentence.
impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match serde_json::to_string(self) {
            Ok(json) => f.write_str(&json),
            Err(_) => f.write_str("fault"),
        }
    }
}

impl std::error::Error for Fault {}
