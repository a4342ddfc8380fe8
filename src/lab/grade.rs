//! `docent grade LAB FILE`: runs a submission again from nothing, and scores what is then there.
//!
//! ```text
//! grade            reads lab and script, makes its cgroup, waits                 (this file)
//!  └ engine        process 1 of new pid, mount, network namespaces            (engine.rs)
//!     ├ docent …   a command for each `docker …` in the sandbox, and the containers
//!     └ sandbox    process 1 of the submission's own namespaces               (sandbox.rs)
//!        └ bash submission.sh ── docker … ── client.rs ── engine
//! ```
//!
//! Proof for a grade is re-execution: nothing that the submission says about itself is believed. The throw-away root is a
//! tmpfs that only the engine's mount namespace has, so it is gone with the engine, however that ends; the engine is killed
//! when this process dies. Only cgroup directories can stay behind a kill, and the next grade removes them.

use super::seed::Seeds;
use super::{Lab, Source};
use crate::event::{Ended, Event, Fault, GradeResult, Output, Score, Story, SysError};
use crate::kernel::grader_cgroup::{GraderCgroup, GraderLimits};
use crate::kernel::host::Host;
use crate::kernel::packet::Packets;
use crate::kernel::process;
use crate::kernel::sys::{self, Calls, Cloned};
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

/// Seconds that the scoring may take beyond the submission's own time.
const SCORING: u64 = 120;
const SCRIPT_LIMIT: u64 = 1 << 20;
const LIMITS: GraderLimits = GraderLimits { memory: 2 << 30, pids: 2048, sandbox_memory: 512 << 20, sandbox_pids: 256 };

pub type Serves = fn(&[OsString], &[String]) -> Result<(), Fault>;

/// What to grade, and for whom.
#[derive(Debug)]
pub struct Options {
    pub labs: Source,
    pub lab: String,
    pub file: PathBuf,
    pub student: Option<String>,
    pub secret: Option<PathBuf>,
    /// `ko` or `en`, for what the commands print into the submission's output.
    pub lang: String,
    /// Refuses words after `docker` that no submission may give; with the verbs that its lab asks for.
    pub serves: Serves,
}

/// Everything that the engine and the sandbox need to know.
pub(super) struct Plan {
    pub lab: Lab,
    pub values: BTreeMap<String, String>,
    pub script: String,
    pub lang: String,
    pub serves: Serves,
    /// docent's own file.
    pub program: PathBuf,
    /// A number of this grader's own.
    pub grader: u32,
    pub cgroup: Option<GraderCgroup>,
    pub sandbox_birth: Option<OwnedFd>,
}

/// What the engine answers.
#[derive(Serialize, Deserialize)]
pub(super) struct Report {
    pub ended: Ended,
    pub score: Score,
    pub output: Output,
    pub events: Vec<Event>,
}

/// Grades one submission. The caller has one thread and is root.
///
/// # Errors
/// `LocalFile` for a submission that cannot be read, `NoSuchLab`, `LabDamaged`, `NotRoot`, `CannotGrade`: exit 2, no verdict.
pub fn grade(options: &Options) -> Result<GradeResult, Fault> {
    let lab = options.labs.lab(&options.lab)?;
    let script = read_script(&options.file)?;
    let host = Host::look();
    if !host.root {
        return Err(Fault::NotRoot { probe: None });
    }
    let seeds = Seeds::new(options.student.as_deref(), options.secret.as_deref())?;
    let step = |e: SysError| Fault::step("grade", e);
    let program = std::env::current_exe().map_err(|e| step(SysError::io("readlink", "/proc/self/exe", &e)))?;
    let mut story = Story::new();
    GraderCgroup::sweep(&host.cgroups, &mut story);
    let cgroup = GraderCgroup::make(&host.cgroups, LIMITS, &mut story).map_err(step)?;
    let births = cgroup.as_ref().map(GraderCgroup::births).transpose().map_err(step)?.unwrap_or((None, None));
    let mut plan = Plan {
        values: seeds.of(&lab),
        lang: options.lang.clone(),
        serves: options.serves,
        grader: std::process::id(),
        lab,
        script,
        program,
        cgroup,
        sandbox_birth: births.1,
    };
    let report = run(&plan, births.0);
    if let Some(cgroup) = plan.cgroup.take() {
        cgroup.remove(&mut story);
    }
    let mut report = report?;
    let mut events = story.events().to_vec();
    events.append(&mut report.events);
    events.sort_by_key(|e| e.at_us);
    Ok(GradeResult {
        version: 1,
        docent: env!("CARGO_PKG_VERSION").into(),
        lab: plan.lab.id,
        student: seeds.student().into(),
        practice: seeds.practice(),
        ended: report.ended,
        score: report.score,
        output: report.output,
        events,
    })
}

fn read_script(path: &std::path::Path) -> Result<String, Fault> {
    let local = |errno: i32| Fault::LocalFile { path: path.to_string_lossy().into_owned(), call: "open".into(), errno };
    let io = |e: std::io::Error| local(e.raw_os_error().unwrap_or(libc::EIO));
    // NONBLOCK: a FIFO under this name must not hold a whole class up.
    let how = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = rustix::fs::open(path, how, rustix::fs::Mode::empty());
    let file = std::fs::File::from(opened.map_err(|e| local(e.raw_os_error()))?);
    let about = file.metadata().map_err(io)?;
    if !about.is_file() {
        return Err(local(if about.is_dir() { libc::EISDIR } else { libc::EINVAL }));
    }
    let mut bytes = Vec::new();
    file.take(SCRIPT_LIMIT + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > SCRIPT_LIMIT {
        return Err(local(libc::EFBIG));
    }
    let text = String::from_utf8(bytes).map_err(|_| local(libc::EILSEQ))?;
    // Written on Windows, perhaps with a byte order mark: bash would take the carriage returns for part of each word.
    Ok(text.trim_start_matches('\u{feff}').replace("\r\n", "\n"))
}

/// Clones the engine, and waits for its report or its end.
fn run(plan: &Plan, born_in: Option<OwnedFd>) -> Result<Report, Fault> {
    let step = |e: SysError| Fault::step("grade", e);
    let (ours, theirs) = Packets::pair().map_err(step)?;
    let what =
        (libc::CLONE_NEWPID | libc::CLONE_NEWNS | libc::CLONE_NEWNET | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS) as u64;
    // The engine's own memory: what it reports goes over a file, since a message has a limit and a report has none.
    let report = rustix::fs::memfd_create("report", rustix::fs::MemfdFlags::CLOEXEC)
        .map_err(|e| step(SysError::new("memfd_create", "report", e.raw_os_error())))?;
    let mut calls = Calls::default();
    match sys::clone3(&mut calls, what, born_in.as_ref().map(AsFd::as_fd)).map_err(step)? {
        Cloned::Child => {
            drop(ours);
            never_returns(|| {
                let result = super::engine::run(plan, &theirs);
                let text = serde_json::to_vec(&result).unwrap_or_default();
                let written = std::io::Write::write_all(&mut std::fs::File::from(report), &text);
                i32::from(written.is_err())
            })
        }
        Cloned::Parent { pid, pidfd } => {
            drop(theirs);
            let ended = process::wait_gone(pidfd.as_fd(), Some((plan.lab.time_limit + SCORING) * 1000));
            if !ended {
                sys::pidfd_signal(&mut Calls::default(), pidfd.as_fd(), pid, libc::SIGKILL).unwrap_or(());
            }
            // Reaped only when every process of its pid namespace is gone.
            let status = process::reap_waiting(pid);
            drop(ours);
            let mut text = Vec::new();
            let mut file = std::fs::File::from(report);
            let read = std::io::Seek::rewind(&mut file).and_then(|()| file.read_to_end(&mut text));
            let result: Option<Result<Report, Fault>> = read.ok().and_then(|_| serde_json::from_slice(&text).ok());
            let why =
                || if ended { format!("the engine ended: {status:?}") } else { "the engine took too long".into() };
            result.unwrap_or_else(|| Err(Fault::CannotGrade { why: why() }))
        }
    }
}

/// For cloned children: runs `f` and leaves with its code, whatever happens, without the parent's destructors and buffers.
pub(super) fn never_returns(f: impl FnOnce() -> i32) -> ! {
    let code = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).unwrap_or(125);
    sys::exit_now(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_submission_from_windows_is_read_as_meant() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.sh");
        std::fs::write(&file, "\u{feff}docker ps\r\necho 1\r\n").unwrap();
        assert_eq!(read_script(&file).unwrap(), "docker ps\necho 1\n");
    }

    #[test]
    fn what_is_no_script_is_said_so() {
        let dir = tempfile::tempdir().unwrap();
        let at = |n: &str| dir.path().join(n);
        std::fs::write(at("binary"), [0xff, 0xfe, 0]).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            at("fifo"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        std::fs::write(at("big"), vec![b' '; SCRIPT_LIMIT as usize + 1]).unwrap();
        for (name, errno) in [
            ("missing", libc::ENOENT),
            ("", libc::EISDIR),
            ("binary", libc::EILSEQ),
            ("fifo", libc::EINVAL),
            ("big", libc::EFBIG),
        ] {
            match read_script(&at(name)) {
                Err(Fault::LocalFile { errno: e, .. }) => assert_eq!(e, errno, "{name}"),
                other => panic!("{name}: {other:?}"),
            }
        }
    }
}
