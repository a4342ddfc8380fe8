//! The grader's cgroup: one around everything that a grade starts.
//!
//! `/docent-grade/<pid>-<start>` in each tree holds the grader's engine, the submission's sandbox and, below it, the
//! containers' own groups, so that memory and number of processes have a limit as a whole and nothing is left afterwards.
//! Inside the grade its directories are bound over the mount points of the trees: what docent makes there as
//! `/docent/<id>` lies in it. Processes sit in leaves only, as version 2 demands.
//!
//! Who kills a grader leaves empty directories behind; the next one removes them. An owner is known by pid and start time,
//! and a group that still has processes refuses to go.

use super::cgroup::{Group, Layout, Tree};
use super::{files, mounts, process, sys};
use crate::event::{Deed, Fact, Limit, Story, SysError};
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

const PARENT: &str = "docent-grade";

/// The cgroup of this grader; to be removed by [`GraderCgroup::remove`].
#[derive(Debug)]
pub struct GraderCgroup {
    whole: Group,
    engine: Group,
    sandbox: Group,
    trees: Vec<PathBuf>,
}

/// What all of its processes together, and those of the sandbox alone, may use.
#[derive(Debug, Clone, Copy)]
pub struct GraderLimits {
    pub memory: u64,
    pub pids: u64,
    pub sandbox_memory: u64,
    pub sandbox_pids: u64,
}

impl GraderCgroup {
    /// None where no cgroup is mounted: then only resource limits hold the submission.
    pub fn make(cgroups: &Layout, limits: GraderLimits, story: &mut Story) -> Result<Option<GraderCgroup>, SysError> {
        let pid = std::process::id() as i32;
        let id = format!("{pid}-{}", process::start_time(pid).unwrap_or(0));
        let Layout { version, trees } = cgroups;
        if trees.is_empty() {
            return Ok(None);
        }
        let group = |name: String| Group {
            version: *version,
            id: id.clone(),
            dirs: trees.iter().map(|t| Tree { path: t.path.join(&name), controllers: t.controllers.clone() }).collect(),
            name: format!("/{name}"),
        };
        let cgroup = GraderCgroup {
            whole: group(format!("{PARENT}/{id}")),
            engine: group(format!("{PARENT}/{id}/engine")),
            sandbox: group(format!("{PARENT}/{id}/sandbox")),
            trees: trees.iter().map(|t| t.path.clone()).collect(),
        };
        let made = cgroup.fill(limits, story);
        if let Err(e) = made {
            cgroup.remove(story);
            return Err(e);
        }
        Ok(Some(cgroup))
    }

    fn fill(&self, limits: GraderLimits, story: &mut Story) -> Result<(), SysError> {
        for (group, memory, pids) in [
            (&self.whole, Some(limits.memory), Some(limits.pids)),
            (&self.engine, None, None),
            (&self.sandbox, Some(limits.sandbox_memory), Some(limits.sandbox_pids)),
        ] {
            made(group)?.tell(story);
            let memory = memory.and_then(|m| group.setting(Limit::Memory, m));
            let pids = pids.and_then(|p| group.setting(Limit::Pids, p));
            // A controller that this host lacks limits nothing; resource limits stay.
            for setting in [memory, pids].into_iter().flatten() {
                group.set(&setting)?.tell(story);
            }
        }
        // Should a node of a device ever come into the sandbox, it cannot be opened there.
        if let Some(devices) = self.sandbox.allow_devices() {
            devices?.tell(story);
        }
        Ok(())
    }

    /// The descriptors in which version 2 lets a process be born: the engine's and the sandbox's.
    pub fn births(&self) -> Result<(Option<OwnedFd>, Option<OwnedFd>), SysError> {
        Ok((self.engine.open_v2()?, self.sandbox.open_v2()?))
    }

    /// Moves the calling process, which has one thread, to the engine's place (version 1).
    pub fn join_engine(&self, story: &mut Story) -> Result<(), SysError> {
        self.join(&self.engine, story)
    }

    /// The same for the sandbox, by the groups as they are seen after [`GraderCgroup::close`].
    pub fn join_sandbox(&self, story: &mut Story) -> Result<(), SysError> {
        let dirs = self.trees.iter().zip(&self.sandbox.dirs);
        let dirs =
            dirs.map(|(tree, d)| Tree { path: tree.join("sandbox"), controllers: d.controllers.clone() }).collect();
        self.join(&Group { dirs, ..self.sandbox.clone() }, story)
    }

    fn join(&self, group: &Group, story: &mut Story) -> Result<(), SysError> {
        if group.version == 1 {
            group.join_self(std::process::id() as i32)?.tell(story);
        }
        Ok(())
    }

    /// In a mount namespace of one's own: from here on nothing but it is seen of the trees.
    pub fn close(&self, story: &mut Story) -> Result<(), SysError> {
        for (tree, inside) in self.trees.iter().zip(&self.whole.dirs) {
            sys::deed(|calls| {
                let copy = mounts::copy_of(calls, rustix::fs::CWD, &inside.path)?;
                let target = super::resolve::directory(tree)?;
                mounts::attach(calls, copy.as_fd(), target.as_fd(), &tree.to_string_lossy())?;
                let shown = |p: &Path| p.to_string_lossy().into_owned();
                Ok(((), Fact::Bound { source: shown(&inside.path), target: shown(tree), read_only: false, own: false }))
            })?
            .tell(story);
        }
        Ok(())
    }

    /// Removes it and every group in it. Its processes have been reaped or are on their way out.
    pub fn remove(&self, story: &mut Story) {
        for dir in &self.whole.dirs {
            take_away(&dir.path, story);
            // The directory of all goes with its last one.
            take_away_one(dir.path.parent().unwrap_or(&dir.path), story);
        }
    }

    /// Removes what killed graders left behind.
    pub fn sweep(cgroups: &Layout, story: &mut Story) {
        for entry in cgroups.trees.iter().filter_map(|t| fs::read_dir(t.path.join(PARENT)).ok()).flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some((pid, start)) = name.split_once('-') else { continue };
            let (Ok(pid), Ok(start)) = (pid.parse::<i32>(), start.parse::<u64>()) else { continue };
            if process::start_time(pid) != Some(start) {
                // Its processes died with it (PR_SET_PDEATHSIG) and may still be on their way out.
                take_away(&entry.path(), story);
            }
        }
        for tree in &cgroups.trees {
            take_away_one(&tree.path.join(PARENT), story);
        }
    }
}

/// Another grader may take the empty directory away between our two mkdirs: then again.
fn made(group: &Group) -> Result<Deed<()>, SysError> {
    loop {
        match group.make("") {
            Err(e) if e.errno == libc::ENOENT && group.dirs.iter().all(|d| !d.path.exists()) => {}
            other => return other,
        }
    }
}

/// Groups from the leaves up. A process that has been killed may still be on its way out (EBUSY), for which the kernel has
/// no event in version 1: asked again for a moment. What will not go belongs to somebody who lives.
fn take_away(dir: &Path, story: &mut Story) {
    let mut groups = vec![dir.to_path_buf()];
    let mut looked_at = 0;
    while let Some(group) = groups.get(looked_at) {
        let below = fs::read_dir(group).into_iter().flatten().flatten();
        let below: Vec<_> = below.filter(|e| e.file_type().is_ok_and(|t| t.is_dir())).map(|e| e.path()).collect();
        groups.extend(below);
        looked_at += 1;
    }
    // Those below first.
    for group in groups.iter().rev() {
        let until = crate::event::now_us() + 5_000_000;
        while take_away_one(group, story) == Some(libc::EBUSY) && crate::event::now_us() < until {
            std::thread::yield_now();
        }
    }
}

/// One group; the errno when it stays.
fn take_away_one(dir: &Path, story: &mut Story) -> Option<i32> {
    let name = dir.to_string_lossy().into_owned();
    let gone = sys::deed(|calls| {
        files::rmdir(calls, dir)?;
        Ok(((), Fact::CgroupRemoved { name: name.clone(), paths: vec![name] }))
    });
    match gone {
        Ok(deed) => {
            deed.tell(story);
            None
        }
        Err(e) => Some(e.errno),
    }
}
