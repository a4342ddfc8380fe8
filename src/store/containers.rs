//! `containers/<id>/`: made as a whole by one rename, found by name or id, and taken away by one rename.
//!
//! `config.json` is fixed; `state.json` belongs to the monitor while it lives (it holds `lock`), else to whoever holds the
//! store lock. Whether a container is paused is not written anywhere: the freezer says it.

use super::{Store, Temp};
use crate::container::{Container, ContainerId, State};
use crate::event::{Deed, Expect, Fact, Fault, Holds, Receipt, SysError};
use crate::kernel::cgroup::Group;
use crate::kernel::{files, process, sys};
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Held by a container's monitor for as long as it lives.
#[derive(Debug)]
pub struct ContainerLock {
    _file: File,
}

/// A container whose files cannot be read.
#[derive(Debug)]
pub struct Damaged {
    pub id: ContainerId,
    /// What `config.json` says, if it is the state that is lost.
    pub config: Option<Container>,
    pub fault: Fault,
}

/// Paths of one container.
#[derive(Debug, Clone)]
pub struct ContainerDir {
    dir: PathBuf,
}

impl ContainerDir {
    pub fn path(&self) -> &Path {
        &self.dir
    }
    pub fn config(&self) -> PathBuf {
        self.dir.join("config.json")
    }
    pub fn state(&self) -> PathBuf {
        self.dir.join("state.json")
    }
    pub fn lock(&self) -> PathBuf {
        self.dir.join("lock")
    }
    pub fn upper(&self) -> PathBuf {
        self.dir.join("upper")
    }
    pub fn work(&self) -> PathBuf {
        self.dir.join("work")
    }
    pub fn merged(&self) -> PathBuf {
        self.dir.join("merged")
    }
    pub fn log(&self) -> PathBuf {
        self.dir.join("container.log")
    }
    pub fn hosts(&self) -> PathBuf {
        self.dir.join("hosts")
    }
    pub fn hostname(&self) -> PathBuf {
        self.dir.join("hostname")
    }
    pub fn resolv(&self) -> PathBuf {
        self.dir.join("resolv.conf")
    }
    /// The upper directory's entries when its differences were told last.
    pub fn last_snapshot(&self) -> PathBuf {
        self.dir.join("snapshot.json")
    }
}

/// The control socket's name in the container's directory.
pub const SOCKET: &str = "control";

/// On a full disk there is no room for a new file, but the old one's blocks are there. What is shorter is filled up with
/// blanks, which JSON allows, so that no reader sees an old end behind a new beginning.
fn overwrite(path: &Path, state: &State) -> std::io::Result<()> {
    use std::io::Write;
    let mut content = serde_json::to_vec(state)?;
    let mut file = File::options().write(true).open(path)?;
    let old = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX).min(1 << 20);
    content.resize(content.len().max(old), b' ');
    file.write_all(&content)
}

impl Store {
    /// The container's cgroup, whether it exists or not; None where no cgroup is mounted.
    pub fn group(&self, id: &ContainerId) -> Option<Group> {
        self.host.cgroups.group(id)
    }

    pub fn container_dir(&self, id: &ContainerId) -> ContainerDir {
        ContainerDir { dir: self.container(id) }
    }

    /// Makes the directory of a new container: complete in `tmp/`, then real by one rename. The caller holds the store lock
    /// and has made sure that the name is free.
    pub fn create_container(&self, container: &Container, files: &[(PathBuf, String)]) -> Result<Deed<()>, Fault> {
        let step = |e: SysError| Fault::step("create", e);
        let temp: Temp = self.temporary_dir().map_err(step)?;
        let io = |e: std::io::Error| step(SysError::io("write", temp.path().to_string_lossy(), &e));
        for name in ["upper", "work", "merged"] {
            fs::create_dir(temp.path().join(name)).map_err(io)?;
        }
        // The upper directory becomes `/` of the container: its mode is seen inside.
        fs::set_permissions(temp.path().join("upper"), std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .map_err(io)?;
        let json = |v: serde_json::Result<Vec<u8>>| v.map_err(|e| io(std::io::Error::other(e)));
        let config = json(serde_json::to_vec(container))?;
        if config.len() as u64 > super::LARGEST {
            return Err(container.process().too_long());
        }
        fs::write(temp.path().join("config.json"), config).map_err(io)?;
        fs::write(temp.path().join("state.json"), json(serde_json::to_vec(&State::default()))?).map_err(io)?;
        File::create(temp.path().join("lock")).map_err(io)?;
        for (name, content) in files {
            fs::write(temp.path().join(name), content).map_err(io)?;
        }
        let target = self.container(&container.id);
        let deed = sys::deed(|calls| {
            files::rename(calls, temp.path(), &target)?;
            let path = target.to_string_lossy().into_owned();
            let (id, name, image) = (container.id.clone(), container.name.clone(), container.config.image.clone());
            Ok(((), Fact::ContainerCreated { id: Some(id.to_string()), name: Some(name), image, path: Some(path) }))
        })
        .map_err(step)?;
        temp.keep();
        let upper = target.join("upper").to_string_lossy().into_owned();
        let receipt = self.named_receipt(&container.id, &container.name);
        let receipt = receipt.by(["stat", "-c", "%F", &upper], Expect::Equals("directory".into()));
        Ok(deed.of_container(&container.id).with_receipt(receipt))
    }

    /// Takes a container away: one rename into `tmp/`, after which it does not exist; then its files. Who reports it calls
    /// [`Store::sync_containers`] first.
    pub fn remove_container(&self, container: &Container) -> Result<Deed<()>, SysError> {
        self.discard_container(&container.id, &container.name)
    }

    /// Whatever was removed stays so, also when the power fails.
    pub fn sync_containers(&self) -> Result<(), SysError> {
        super::sync_dir(&self.containers())
    }

    /// The same for one whose files cannot be read.
    pub fn discard_container(&self, id: &ContainerId, name: &str) -> Result<Deed<()>, SysError> {
        let from = self.container(id);
        // A place under our own lock, so that the recovery of another command leaves it to us.
        let temp = self.temporary_dir()?;
        let to = temp.path().join("removed");
        let deed = sys::deed(|calls| {
            files::rename(calls, &from, &to)?;
            Ok(((), Fact::ContainerRemoved { id: id.into(), name: name.into() }))
        })?;
        drop(temp);
        let from = from.to_string_lossy();
        let receipt = Receipt::about(format!("container:{id}"), Holds::Forever, format!("{from}: ENOENT")).as_root();
        Ok(deed.of_container(id).with_receipt(receipt.by(["stat", &from], Expect::absent())))
    }

    /// Gives a container another name. The caller holds the store lock and has made sure that the name is free.
    pub fn rename_container(&self, container: &Container, name: &str) -> Result<Deed<()>, SysError> {
        let path = self.container_dir(&container.id).config();
        let shown = path.to_string_lossy().into_owned();
        let (id, was) = (container.id.clone(), container.name.clone());
        let renamed = Container { name: name.into(), ..container.clone() };
        let content = serde_json::to_vec(&renamed).map_err(|e| SysError::io("write", &shown, &e.into()))?;
        let deed = sys::deed(|calls| {
            self.replace_file(calls, &path, &content, true)?;
            Ok(((), Fact::ContainerRenamed { id: id.to_string(), name: name.into(), was }))
        })?;
        Ok(deed.of_container(&container.id).with_receipt(self.named_receipt(&container.id, name)))
    }

    /// That the container is there and has this name.
    fn named_receipt(&self, id: &ContainerId, name: &str) -> Receipt {
        let path = self.container_dir(id).config();
        let shown = path.to_string_lossy().into_owned();
        let line = format!("\"id\":\"{id}\",\"name\":\"{name}\"");
        Receipt::about(format!("container:{id}"), Holds::WhileExists(id.into()), format!("{shown}: {line}"))
            .by(["grep", "-oF", &line, &shown], Expect::Equals(line.clone()))
            .stamped(files::stamp(&path))
            .as_root()
    }

    /// That this state is written down, by the pieces of it that say so. None when the file does not have them.
    pub fn state_receipt(&self, id: &ContainerId, state: &State) -> Option<Receipt> {
        let status = |word: &str| format!("\"status\":\"{word}\"");
        let pieces = match state {
            State::Created { .. } => vec![status("created")],
            State::Exited(end) => vec![format!("{},\"code\":{}", status("exited"), end.code)],
            State::Starting(life) | State::Running(life) | State::Paused(life) => {
                vec![status("running"), format!("\"init\":{{\"pid\":{},", life.init?.pid)]
            }
        };
        let path = self.container_dir(id).state();
        let written = fs::read_to_string(&path).ok()?;
        let shown = path.to_string_lossy().into_owned();
        let holds = if state.live() { Holds::WhileRunning(id.to_string()) } else { Holds::WhileExists(id.to_string()) };
        let patterns = pieces.iter().flat_map(|piece| ["-e", piece]);
        let argv = ["grep", "-oF"].into_iter().chain(patterns).chain([shown.as_str()]);
        let receipt = Receipt::about(format!("state:{id}"), holds, pieces.join("\n"));
        let receipt = receipt.by(argv, Expect::Evidence).as_root();
        pieces.iter().all(|piece| written.contains(piece.as_str())).then_some(receipt)
    }

    pub fn write_state(&self, id: &ContainerId, state: &State) -> Result<(), SysError> {
        let path = self.container_dir(id).state();
        match self.note(&path, state) {
            Err(e) if matches!(e.errno, libc::ENOSPC | libc::EDQUOT) => overwrite(&path, state).map_err(|_| e),
            other => other,
        }
    }

    /// One container, as its files say; None when there is none of that id, or it is no id.
    ///
    /// Errors: [`Fault::ContainerDamaged`].
    pub fn container_by_id(&self, id: &str) -> Result<Option<Container>, Fault> {
        let Some(id) = ContainerId::parse(id) else { return Ok(None) };
        self.examine(&id).map_err(|damaged| damaged.fault)
    }

    fn examine(&self, id: &ContainerId) -> Result<Option<Container>, Box<Damaged>> {
        let dir = self.container_dir(id);
        // Nothing at all is there: it was removed meanwhile, or is a stray file.
        let none = |e: &std::io::Error| {
            matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) && !dir.path().is_dir()
        };
        let damaged = |path: PathBuf, e: std::io::Error| {
            let path = path.to_string_lossy().into_owned();
            match e.raw_os_error() {
                Some(libc::EACCES | libc::EPERM | libc::EMFILE | libc::ENFILE | libc::ENOMEM) => {
                    Fault::step("read", SysError::io("open", path, &e))
                }
                _ => Fault::ContainerDamaged { id: id.into(), path, why: e.to_string() },
            }
        };
        let own = |container: Container| {
            if container.id == *id { Ok(container) } else { Err(std::io::Error::other("another container's id")) }
        };
        let container = match super::read_json(&dir.config()).and_then(own) {
            Ok(container) => container,
            Err(e) if none(&e) => return Ok(None),
            Err(e) => return Err(Box::new(Damaged { id: id.clone(), config: None, fault: damaged(dir.config(), e) })),
        };
        let state = match super::read_json(&dir.state()) {
            Ok(State::Running(life)) if self.group(id).is_some_and(|g| g.frozen()) => State::Paused(life),
            Ok(state) => state,
            Err(e) if none(&e) => return Ok(None),
            Err(e) => {
                let fault = damaged(dir.state(), e);
                return Err(Box::new(Damaged { id: id.clone(), config: Some(container), fault }));
            }
        };
        Ok(Some(Container { state, ..container }))
    }

    /// Ids of all containers, whatever their files say.
    pub fn container_ids(&self) -> Vec<ContainerId> {
        let entries = fs::read_dir(self.containers()).into_iter().flatten().flatten();
        let dirs = entries.filter(|e| e.file_type().is_ok_and(|kind| kind.is_dir()));
        dirs.filter_map(|e| ContainerId::parse(e.file_name().to_str()?)).collect()
    }

    /// All containers that can be read, the newest first.
    pub fn list_containers(&self) -> Result<Vec<Container>, Fault> {
        self.all_containers().map(|(whole, _)| whole)
    }

    /// What all containers are called, those too whose state cannot be read. Fifty commands that start at once ask this under the
    /// store lock: no more is read than it takes.
    pub fn names(&self) -> Vec<(ContainerId, String)> {
        #[derive(serde::Deserialize)]
        struct Named {
            name: String,
        }
        let name = |id: &ContainerId| super::read_json(&self.container_dir(id).config()).ok().map(|c: Named| c.name);
        self.container_ids().into_iter().filter_map(|id| name(&id).map(|name| (id, name))).collect()
    }

    /// Whether its monitor lives: it holds the lock of a container whose state says that it lives.
    pub fn has_monitor(&self, id: &ContainerId) -> bool {
        super::read_json(&self.container_dir(id).state()).is_ok_and(|state: State| state.live())
            && matches!(self.try_lock_container(id), Ok(None))
    }

    /// All containers, the newest first, and those whose files cannot be read.
    pub fn all_containers(&self) -> Result<(Vec<Container>, Vec<Damaged>), Fault> {
        let entries = fs::read_dir(self.containers())
            .map_err(|e| Fault::step("read", SysError::io("open", self.containers().to_string_lossy(), &e)))?;
        let (mut all, mut damaged) = (Vec::new(), Vec::new());
        for id in entries.flatten().filter_map(|entry| ContainerId::parse(entry.file_name().to_str()?)) {
            match self.examine(&id) {
                Ok(container) => all.extend(container),
                Err(one) if matches!(one.fault, Fault::ContainerDamaged { .. }) => damaged.push(*one),
                Err(one) => return Err(one.fault),
            }
        }
        all.sort_by(|a, b| b.created.cmp(&a.created).then(a.id.cmp(&b.id)));
        Ok((all, damaged))
    }

    /// By full id, then by name, then by an unambiguous prefix of the id: Docker's order.
    ///
    /// Errors: [`Fault::NoSuchContainer`], [`Fault::AmbiguousId`], [`Fault::ContainerDamaged`].
    pub fn find_container(&self, text: &str) -> Result<Container, Fault> {
        let text = text.strip_prefix('/').unwrap_or(text);
        if let Some(container) = self.container_by_id(text)? {
            return Ok(container);
        }
        let missing = || Fault::NoSuchContainer { name: text.into() };
        let named = self.names().into_iter().find(|(_, name)| name == text);
        let id = match named {
            Some((id, _)) => id,
            None => {
                let mut found = self.container_ids().into_iter().filter(|id| !text.is_empty() && id.starts_with(text));
                match (found.next(), found.next()) {
                    (Some(_), Some(_)) => return Err(Fault::AmbiguousId { prefix: text.into() }),
                    (one, _) => one.ok_or_else(missing)?,
                }
            }
        };
        self.container_by_id(&id)?.ok_or_else(missing)
    }

    /// Takes a container's lock without waiting; None: its monitor lives.
    pub fn try_lock_container(&self, id: &ContainerId) -> Result<Option<ContainerLock>, SysError> {
        let path = self.container_dir(id).lock();
        let file = super::open_own(&path).map_err(|e| SysError::io("open", path.to_string_lossy(), &e))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(ContainerLock { _file: file })),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(e)) => Err(SysError::io("flock", path.to_string_lossy(), &e)),
        }
    }

    /// Waits until the container's monitor is gone, and keeps the lock. None: so is the container.
    pub fn lock_container(&self, id: &ContainerId) -> Result<Option<ContainerLock>, SysError> {
        let path = self.container_dir(id).lock();
        let file = match super::open_own(&path) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            other => other.map_err(|e| SysError::io("open", path.to_string_lossy(), &e))?,
        };
        file.lock().map_err(|e| SysError::io("flock", path.to_string_lossy(), &e))?;
        Ok(path.exists().then_some(ContainerLock { _file: file }))
    }

    /// Whether the container's program runs, by its identity and not by what the state file claims.
    pub fn is_running(&self, container: &Container) -> bool {
        container.state.life().is_some_and(|life| life.boot_id == process::boot_id())
            && container.state.init().is_some_and(|init| process::start_time(init.pid) == Some(init.start_time))
    }

    /// What a monitor saw when no command listened any more, in a file of the container's own that outlives it.
    pub fn append_monitor_events(&self, id: &ContainerId, events: &[crate::event::Event]) {
        let mut events = events.to_vec();
        for event in &mut events {
            event.container.get_or_insert_with(|| id.to_string());
        }
        // A story that cannot be written is still told to whoever listens.
        drop(super::ContainerJournal::open(self, id).and_then(|mut journal| journal.events(&events)));
    }

    /// Where a container's monitors write what nobody waited for.
    pub fn monitor_journal(&self, id: &ContainerId) -> PathBuf {
        self.monitor_journals().join(format!("{id}.jsonl"))
    }

    /// Ids of containers whose monitors have written since that moment of the monotonic clock.
    pub fn monitor_journals_since(&self, at_us: u64) -> Vec<ContainerId> {
        let ago = std::time::Duration::from_micros(crate::event::now_us().saturating_sub(at_us));
        // A second more: file times are coarse, and a file looked at twice is only read twice.
        let from = std::time::SystemTime::now() - ago - std::time::Duration::from_secs(1);
        let entries = fs::read_dir(self.monitor_journals()).into_iter().flatten().flatten();
        entries
            .filter(|e| e.metadata().and_then(|m| m.modified()).is_ok_and(|t| t >= from))
            .filter_map(|e| ContainerId::parse(e.file_name().to_str()?.strip_suffix(".jsonl")?))
            .collect()
    }

    pub fn monitor_journals(&self) -> PathBuf {
        self.journal().join("containers")
    }
}
