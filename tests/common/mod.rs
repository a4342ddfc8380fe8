//! A bench for tests that need a machine: every [`Machine`] is a network, mount and pid namespace of its own with a cgroup
//! subtree of its own, so that nothing a test does can be seen outside, and nothing of it outlives it.
//!
//! What a test needs and does not find is not passed over in silence: [`skip`] says so on the real standard error (print
//! macros are captured by the test harness) and writes it down for `zz_skipped`, which counts.

#![allow(dead_code, reason = "each test target uses its own part of the bench")]

pub mod records;
pub mod scenario;
pub mod tracer;

use docent::inside::ContainerId;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// The program under test.
pub const DOCENT: &str = env!("CARGO_BIN_EXE_docent");

/// Where skipped tests are written down, one line each. Named after cargo's own process: a run of `cargo test` starts all its
/// test targets itself, so a list of an earlier run is never taken for this one's.
pub fn skipped_list() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("skipped-{}.txt", rustix::process::getppid().map_or(0, |p| p.as_raw_nonzero().get())))
}

/// Says that a test could not run here, and why.
pub fn skip(test: &str, why: &str) {
    let line = format!("SKIPPED {test}: {why}\n");
    rustix::io::write(rustix::stdio::stderr(), line.as_bytes()).expect("standard error");
    let list = std::fs::File::options().create(true).append(true).open(skipped_list());
    list.and_then(|mut f| f.write_all(line.as_bytes())).expect("the list of skipped tests");
}

/// Whether these programs are here and we are root; otherwise the test is skipped, aloud.
pub fn need(test: &str, programs: &[&str]) -> bool {
    if !rustix::process::geteuid().is_root() {
        skip(test, "a machine of its own (namespaces, cgroups) needs root");
        return false;
    }
    let found = |name: &str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).chain(["/sbin".into(), "/usr/sbin".into()]).any(|dir| dir.join(name).is_file())
    };
    match ["unshare", "nsenter", "ip", "mount"].iter().chain(programs).find(|name| !found(name)) {
        None => true,
        Some(missing) => {
            skip(test, &format!("there is no program `{missing}`"));
            false
        }
    }
}

/// A small machine: `init` is its pid 1, and everything in it dies with it.
pub struct Machine {
    unshare: Child,
    init: i32,
    dir: tempfile::TempDir,
    /// The machine's own group in each tree of the host.
    groups: Vec<PathBuf>,
    /// Version 2, mounted for this machine alone and attached nowhere.
    unified: Option<std::os::fd::OwnedFd>,
}

/// Which cgroups a machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cgroups {
    AsHere,
    /// Version 2 alone, whatever the host has. Its controllers are few where version 1 has them.
    Unified,
}

/// A moment, as stories know it.
pub struct Mark {
    command: u64,
    at_us: u64,
    at: std::time::SystemTime,
}

impl Mark {
    /// The last command that was told by then.
    pub fn number(&self) -> u64 {
        self.command
    }
}

/// What a command came to.
#[derive(Debug, Clone)]
pub struct Ran {
    pub what: String,
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    #[track_caller]
    pub fn ok(self) -> Ran {
        assert_eq!(self.code, 0, "{}\n{}\n{}", self.what, self.stdout, self.stderr);
        self
    }

    pub fn of(what: String, output: &Output) -> Ran {
        use std::os::unix::process::ExitStatusExt;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let code = output.status.code().or(output.status.signal().map(|s| 128 + s)).unwrap_or(-1);
        Ran { what, code, stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

impl Machine {
    /// A machine with an empty store; None (told) where there can be none.
    pub fn new(test: &str, programs: &[&str]) -> Option<Machine> {
        Machine::with(Cgroups::AsHere, test, programs)
    }

    pub fn with(cgroups: Cgroups, test: &str, programs: &[&str]) -> Option<Machine> {
        Machine::below(cgroups, test, programs, &std::env::temp_dir())
    }

    /// The same with its store and its files below a directory of the caller's choice.
    pub fn below(cgroups: Cgroups, test: &str, programs: &[&str], place: &Path) -> Option<Machine> {
        if !need(test, programs) {
            return None;
        }
        let dir = tempfile::Builder::new().prefix("docent-test-").tempdir_in(place).expect("a temporary directory");
        std::fs::create_dir(dir.path().join("work")).expect("work");
        let name = dir.path().file_name().expect("a name").to_owned();
        // Its own group in every tree stands for the tree's root inside: `docent/<id>` of one machine is nobody else's.
        // Forwarding is off at first, whatever the real host has: a new namespace starts with that one's setting.
        let begin = "ip link set lo up && echo 0 >/proc/sys/net/ipv4/ip_forward || exit 1\n";
        let (mut groups, mut script) = (Vec::new(), String::from(begin));
        let unified = if cgroups == Cgroups::Unified { unified() } else { None };
        if let Some(fd) = &unified {
            let name = name.to_string_lossy();
            groups.push(format!("/proc/self/fd/{}/{name}", std::os::fd::AsRawFd::as_raw_fd(fd)).into());
            std::fs::create_dir(&groups[0]).expect("its group");
            let old =
                "for p in $(grep ' - cgroup' /proc/self/mountinfo | cut -d' ' -f5); do umount -l $p || exit 1; done";
            let top = "/sys/fs/cgroup";
            script.push_str(&format!(
                "{old}\nmount -t cgroup2 cgroup2 {top} && mount --bind {top}/{name} {top} || exit 1\n"
            ));
        } else if cgroups == Cgroups::Unified {
            skip(test, "cgroup2 cannot be mounted here");
            return None;
        }
        for tree in if unified.is_some() { Vec::new() } else { trees() } {
            let group = tree.join(&name);
            if std::fs::create_dir(&group).is_ok() {
                script.push_str(&format!("mount --bind '{}' '{}' || exit 1\n", group.display(), tree.display()));
                groups.push(group);
            }
        }
        // The shell stays and reaps what is orphaned, as a machine's init does.
        script.push_str("echo up\ncat\n");
        let mut unshare = Command::new("unshare")
            .args(["-n", "-m", "-p", "--fork", "--kill-child", "--mount-proc", "sh", "-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare");
        let mut line = String::new();
        BufReader::new(unshare.stdout.take().expect("stdout")).read_line(&mut line).expect("its word");
        let id = unshare.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        let init = children.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0);
        let machine = Machine { unshare, init, dir, groups, unified };
        if line != "up\n" || init == 0 {
            skip(test, "no namespaces of its own can be made here");
            return None;
        }
        Some(machine)
    }

    pub fn root(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    /// The directory in which commands run.
    pub fn work(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    /// A command that will run in the machine.
    pub fn command(&self, argv: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["-t", &self.init.to_string(), "-n", "-m", "-p", "--", "sh", "-c", "cd \"$0\" && exec \"$@\""])
            .arg(self.work())
            .args(argv)
            .env("DOCENT_ROOT", self.root())
            .env("LC_ALL", "C.UTF-8")
            .env("SLOW", slow().to_string())
            .env_remove("DOCENT_LANG")
            .env_remove("DOCENT_NARRATE");
        command
    }

    /// What hangs is a failure too, and must not hold up the others.
    pub fn run(&self, argv: &[&str]) -> Ran {
        self.within(180, argv)
    }

    /// At most so many seconds; past them the code is 124.
    pub fn within(&self, limit: u64, argv: &[&str]) -> Ran {
        Ran::of(argv.join(" "), &self.limited(limit, argv).stdin(Stdio::null()).output().expect("nsenter"))
    }

    /// A command that will run in the machine for at most so many seconds.
    pub fn limited(&self, limit: u64, argv: &[&str]) -> Command {
        let limit = seconds(limit).as_secs().to_string();
        self.command(&[&["timeout", "-k", "5", &limit], argv].concat())
    }

    /// One docent command, to its end.
    pub fn docent(&self, args: &[&str]) -> Ran {
        self.run(&[&[DOCENT], args].concat())
    }

    pub fn sh(&self, script: &str) -> Ran {
        self.run(&["sh", "-ec", script, DOCENT])
    }

    /// What is left of docent in this machine that no container accounts for: monitors, cgroups, mounts, devices of
    /// containers, unfinished entries of `tmp/`. `live` containers are allowed to have theirs. The kernel takes a veth pair down
    /// some time after its namespace, and what is there for ten seconds stays.
    pub fn leftovers(&self, live: usize) -> Vec<String> {
        let until = std::time::Instant::now() + seconds(10);
        loop {
            let found = self.leftovers_now(live);
            if found.is_empty() || std::time::Instant::now() > until {
                return found;
            }
            std::thread::yield_now();
        }
    }

    /// The same at this moment, for who looks again by itself.
    pub fn leftovers_now(&self, live: usize) -> Vec<String> {
        let mut found = Vec::new();
        let monitors = self.monitors();
        if monitors.len() > live {
            found.extend(monitors.into_iter().map(|p| format!("process: {p}")));
        }
        for group in &self.groups {
            let below = std::fs::read_dir(group.join("docent")).into_iter().flatten().flatten();
            let dirs: Vec<_> = below.filter(|e| e.path().is_dir()).map(|e| e.path()).collect();
            if dirs.len() > live {
                found.extend(dirs.iter().map(|d| format!("cgroup: {}", d.display())));
            }
        }
        let mounts = std::fs::read_to_string(format!("/proc/{}/mountinfo", self.init)).unwrap_or_default();
        let root = self.root().to_string_lossy().into_owned();
        found.extend(mounts.lines().filter(|l| l.contains(&root)).map(|l| format!("mount: {l}")));
        let links = self.run(&["ip", "-o", "link", "show", "type", "veth"]).stdout;
        if links.lines().count() > live {
            found.extend(links.lines().map(|l| format!("veth: {l}")));
        }
        for entry in std::fs::read_dir(self.root().join("tmp")).into_iter().flatten().flatten() {
            found.push(format!("tmp: {}", entry.file_name().to_string_lossy()));
        }
        found.extend(unfinished(&self.work()));
        for entry in std::fs::read_dir(self.root().join("containers")).into_iter().flatten().flatten() {
            if !entry.path().join("config.json").is_file() || !entry.path().join("state.json").is_file() {
                found.push(format!("partial container: {}", entry.path().display()));
            }
            found.extend(unfinished(&entry.path().join("upper")));
        }
        found
    }

    /// Monitors and other processes in the machine, but for its init; zombies are not counted: init reaps them.
    pub fn monitors(&self) -> Vec<String> {
        let ns = |pid: &str| std::fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
        let ours = ns(&self.init.to_string());
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let pid = entry.file_name().to_string_lossy().into_owned();
            if !pid.bytes().all(|b| b.is_ascii_digit()) || pid == self.init.to_string() || ns(&pid) != ours {
                continue;
            }
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            if line.contains("__monitor") {
                found.push(format!("{pid} {line}"));
            }
        }
        found
    }

    /// Ids of containers whose program runs, as the command line says.
    pub fn running(&self) -> usize {
        self.docent(&["ps", "-q"]).stdout.lines().count()
    }

    /// Every event that was told so far: each command's, then each monitor's, each once.
    pub fn events(&self) -> Vec<docent::inside::Event> {
        self.events_since(&Mark { command: 0, at_us: 0, at: std::time::SystemTime::UNIX_EPOCH })
    }

    /// Now, for [`Machine::events_since`].
    pub fn mark(&self) -> Mark {
        let (store, _) = docent::inside::Store::open(&self.root(), docent::inside::Host::look()).expect("the store");
        let command = docent::inside::Journal::numbers(&store).last().copied().unwrap_or(0);
        Mark { command, at_us: docent::inside::now_us(), at: std::time::SystemTime::now() }
    }

    /// What was told from then on. A store forgets its oldest stories, so a count of them would not do.
    pub fn events_since(&self, mark: &Mark) -> Vec<docent::inside::Event> {
        let (store, made) = docent::inside::Store::open(&self.root(), docent::inside::Host::look()).expect("the store");
        assert!(made.is_none(), "the store is there");
        let mut all = Vec::new();
        for number in docent::inside::Journal::numbers(&store).into_iter().filter(|n| *n > mark.command) {
            // A story that could not be written may be there without a beginning.
            all.extend(docent::inside::Journal::read(&store, number).map(|r| r.events).unwrap_or_default());
        }
        for entry in std::fs::read_dir(store.monitor_journals()).into_iter().flatten().flatten() {
            // A file's time lags behind the clock by a tick at most.
            let written =
                entry.metadata().and_then(|m| m.modified()).expect("its time") + std::time::Duration::from_secs(1);
            if written < mark.at {
                continue;
            }
            let name = entry.file_name();
            if let Some(id) = name.to_str().and_then(|n| n.strip_suffix(".jsonl")).and_then(ContainerId::parse) {
                all.extend(docent::inside::Journal::of_container(&store, &id));
            }
        }
        // What a monitor told is also part of the command's story that waited for it.
        let mut seen = std::collections::HashSet::new();
        all.retain(|e| e.at_us >= mark.at_us);
        all.retain(|e| seen.insert((e.pid, e.at_us, serde_json::to_string(&e.fact).expect("json"))));
        all
    }
}

/// Names of a copy that has not taken its place.
fn unfinished(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(".docent-") {
            found.push(format!("half a copy: {}", entry.path().display()));
        }
        if entry.file_type().is_ok_and(|t| t.is_dir()) {
            found.extend(unfinished(&entry.path()));
        }
    }
    found
}

/// The tree of version 2, mounted but attached nowhere.
fn unified() -> Option<std::os::fd::OwnedFd> {
    use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};
    let fs = fsopen("cgroup2", FsOpenFlags::FSOPEN_CLOEXEC).ok()?;
    fsconfig_create(&fs).ok()?;
    fsmount(&fs, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty()).ok()
}

/// Mount points of the host's cgroup trees that have controllers (or of the one tree of version 2).
fn trees() -> Vec<PathBuf> {
    let text = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mut trees: Vec<PathBuf> = Vec::new();
    for line in text.lines() {
        let Some((left, right)) = line.split_once(" - ") else { continue };
        let (point, kind) = (left.split(' ').nth(4).unwrap_or(""), right.split(' ').next().unwrap_or(""));
        if kind.starts_with("cgroup") && !trees.contains(&point.into()) {
            trees.push(point.into());
        }
    }
    trees
}

impl Drop for Machine {
    fn drop(&mut self) {
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.check_records()));
        // `--kill-child`: the kernel kills init with it, and with init everything in its pid namespace.
        drop(self.unshare.kill());
        drop(self.unshare.wait());
        for group in &self.groups {
            remove_group(group);
        }
        checked.unwrap_or_else(|why| std::panic::resume_unwind(why));
    }
}

/// A group can be removed when its last process is out, which the kernel takes a moment for.
fn remove_group(group: &Path) {
    for entry in std::fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            remove_group(&entry.path());
        }
    }
    for _ in 0..100_000 {
        match std::fs::remove_dir(group) {
            Err(e) if e.raw_os_error() == Some(libc::EBUSY) => std::thread::yield_now(),
            _ => return,
        }
    }
}

/// A docker-archive with one image of one layer, made here: `name`, a file and a directory.
pub fn archive(path: &Path, name: &str) {
    let hello = format!("hello from {name}\n");
    let layer = [Member::file("hello", hello.as_bytes()), Member::file("etc/motd", b"made by a test\n")];
    archive_of(path, &[name], &[&layer]);
}

/// One member of a tar: its kind as tar has it, its name, what it links to, its content.
pub struct Member<'a> {
    pub kind: u8,
    pub name: &'a str,
    pub link: &'a str,
    pub content: &'a [u8],
}

impl<'a> Member<'a> {
    pub fn file(name: &'a str, content: &'a [u8]) -> Member<'a> {
        Member { kind: b'0', name, link: "", content }
    }
}

/// A record of a PAX header, whose length counts itself.
pub fn pax(key: &str, value: &str) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let length = (1..9).map(|digits| rest + digits).find(|n| n.to_string().len() + rest == *n).expect("a length");
    format!("{length} {key}={value}\n").into_bytes()
}

/// A docker-archive with one image of these names and layers, the lowest first.
pub fn archive_of(path: &Path, names: &[&str], layers: &[&[Member<'_>]]) {
    use sha2::{Digest, Sha256};
    fn append(tar: &mut Vec<u8>, member: &Member<'_>) {
        let mut header = [0u8; 512];
        let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
        put(0, member.name);
        put(100, "0000644\0");
        put(108, "0000000\0");
        put(116, "0000000\0");
        put(124, &format!("{:011o}\0", member.content.len()));
        put(136, "00000000000\0");
        put(148, "        ");
        put(157, member.link);
        put(257, "ustar\x0000");
        header[156] = member.kind;
        let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        tar.extend_from_slice(&header);
        tar.extend_from_slice(member.content);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    let tar = |members: &[Member<'_>]| {
        let mut tar = Vec::new();
        members.iter().for_each(|m| append(&mut tar, m));
        tar.resize(tar.len() + 1024, 0);
        tar
    };
    let layers: Vec<(String, Vec<u8>)> =
        layers.iter().enumerate().map(|(n, members)| (format!("{n}.tar"), tar(members))).collect();
    let diff_ids: Vec<String> = layers
        .iter()
        .map(|(_, layer)| Sha256::digest(layer).iter().map(|b| format!("{b:02x}")).collect())
        .map(|hex: String| format!("sha256:{hex}"))
        .collect();
    let config = format!(
        "{{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{{\"Cmd\":[\"/hello\"]}},\
         \"rootfs\":{{\"type\":\"layers\",\"diff_ids\":{diff_ids:?}}}}}"
    );
    let files: Vec<&str> = layers.iter().map(|(name, _)| name.as_str()).collect();
    let manifest = format!("[{{\"Config\":\"config.json\",\"RepoTags\":{names:?},\"Layers\":{files:?}}}]");
    let mut members: Vec<Member<'_>> = layers.iter().map(|(name, layer)| Member::file(name, layer)).collect();
    members.push(Member::file("config.json", config.as_bytes()));
    members.push(Member::file("manifest.json", manifest.as_bytes()));
    std::fs::write(path, tar(&members)).expect("the archive");
}

/// A small generator of choices (xorshift): the seed is printed, so that a run can be repeated.
pub struct Choice(u64);

impl Choice {
    pub fn seeded() -> (Choice, u64) {
        let given = std::env::var("DOCENT_TEST_SEED").ok().and_then(|s| s.parse().ok());
        let now = || std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(1, |t| t.as_nanos() as u64);
        let seed = given.unwrap_or_else(now) | 1;
        (Choice(seed), seed)
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n.max(1) as u64) as usize
    }
}

/// Whether the long form was asked for.
pub fn long() -> bool {
    std::env::var_os("DOCENT_TEST_LONG").is_some_and(|v| v == "1")
}

/// How many times slower this machine is said to be: in an emulated one a program starts 25 times slower. Limits that are
/// there to end what hangs are multiplied by it; scripts find it as `$SLOW`.
pub fn slow() -> u64 {
    std::env::var("DOCENT_TESTS_SLOW").ok().and_then(|factor| factor.parse().ok()).unwrap_or(1)
}

pub fn seconds(limit: u64) -> std::time::Duration {
    std::time::Duration::from_secs(limit * slow())
}

/// A line that is seen even when the test passes.
pub fn say(line: &str) {
    rustix::io::write(rustix::stdio::stderr(), format!("{line}\n").as_bytes()).expect("standard error");
}
