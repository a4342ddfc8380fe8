//! Graders are tested too: every solution gets full marks, every script in `wrong/` loses exactly the tasks that its head
//! names, and a submission that means harm leaves no trace. Each runs for real, in its throw-away root.

mod common;

use docent::inside::{Ended, GradeResult, Verdict};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const LAB: &str = "03-nginx-cp-edit";

fn root(test: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        common::skip(test, "grading makes containers, which needs root");
    }
    root
}

fn lab_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("labs").join(LAB)
}

fn grade(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_docent")).arg("grade").args(args).stdin(Stdio::null()).output().expect("docent")
}

fn result(output: &Output) -> GradeResult {
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}{}", String::from_utf8_lossy(&output.stderr)))
}

/// Grades a file as JSON; gives the exit code too.
fn graded(file: &Path, more: &[&str]) -> (i32, GradeResult) {
    let mut args = vec!["--format", "json", "--student", "kim"];
    args.extend(more);
    let file = file.to_string_lossy();
    args.extend([LAB, &file]);
    let output = grade(&args);
    (output.status.code().expect("an exit code"), result(&output))
}

/// The lab with another time limit, as a directory for `--labs`.
fn with_time_limit(seconds: u64) -> tempfile::TempDir {
    changed("time_limit = 120", &format!("time_limit = {seconds}"))
}

/// The lab with a change, as a directory for `--labs`.
fn changed(from: &str, to_be: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("tempdir");
    let to = dir.path().join(LAB);
    std::fs::create_dir(&to).expect("mkdir");
    for name in ["lab.toml", "guide.ko.md", "guide.en.md"] {
        let text = std::fs::read_to_string(lab_dir().join(name)).expect(name);
        let changed = text.replace(from, to_be);
        std::fs::write(to.join(name), changed).expect(name);
    }
    dir
}

/// A word list from a script's head: `# fails: in page`.
fn named(script: &str, what: &str) -> Vec<String> {
    let line = script.lines().find_map(|l| l.strip_prefix(&format!("# {what}: ")));
    line.unwrap_or("").split_whitespace().map(str::to_string).collect()
}

/// Cgroup directories of graders that are no more.
fn left_behind() -> Vec<PathBuf> {
    let trees = std::fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten().map(|e| e.path());
    let trees = trees.chain([PathBuf::from("/sys/fs/cgroup")]).map(|t| t.join("docent-grade"));
    let pens = trees.filter_map(|dir| std::fs::read_dir(dir).ok()).flatten().flatten();
    let owner = |p: &PathBuf| p.file_name().and_then(|n| n.to_str()?.split('-').next()?.parse::<i32>().ok());
    pens.map(|e| e.path())
        .filter(|p| owner(p).is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()))
        .collect()
}

#[test]
fn the_solution_gets_full_marks() {
    if !root("the_solution_gets_full_marks") {
        return;
    }
    let (code, result) = graded(&lab_dir().join("solution.sh"), &[]);
    assert_eq!(code, 0, "{result:#?}");
    assert_eq!((result.score.points, result.score.max, result.ended), (100, 100, Ended::Exited { code: 0 }));
    assert!(result.practice && result.student == "kim");
    assert_eq!(left_behind(), Vec::<PathBuf>::new());
}

#[test]
fn every_wrong_script_loses_exactly_what_it_names() {
    if !root("every_wrong_script_loses_exactly_what_it_names") {
        return;
    }
    let short = with_time_limit(8);
    let mut scripts: Vec<PathBuf> =
        std::fs::read_dir(lab_dir().join("wrong")).expect("wrong/").map(|e| e.expect("an entry").path()).collect();
    scripts.sort();
    assert!(scripts.len() >= 7, "only {} wrong scripts", scripts.len());
    for path in scripts {
        let text = std::fs::read_to_string(&path).expect("a script");
        let name = path.file_stem().and_then(|n| n.to_str()).expect("a name");
        let labs = short.path().to_string_lossy().into_owned();
        let more = if name == "loops-forever" { vec!["--labs", &labs] } else { Vec::new() };
        let (code, result) = graded(&path, &more);
        assert_eq!(code, 1, "{name}: {result:#?}");
        let (mut fails, mut skips, mut causes) = (Vec::new(), Vec::new(), Vec::new());
        for task in &result.score.tasks {
            match &task.verdict {
                Verdict::Passed => assert_eq!(task.points, task.max),
                Verdict::Skipped { .. } => skips.push(task.id.clone()),
                Verdict::Failed { miss } => {
                    fails.push(task.id.clone());
                    causes.push(miss.cause.code().to_string());
                }
                Verdict::Unlooked => panic!("{name}: {} was not looked at", task.id),
            }
        }
        assert_eq!((&fails, &skips), (&named(&text, "fails"), &named(&text, "skips")), "{name}: {result:#?}");
        assert!(!fails.is_empty(), "{name} names nothing that it fails");
        for cause in named(&text, "cause") {
            assert!(causes.contains(&cause), "{name}: {causes:?}");
        }
        let timed_out = matches!(result.ended, Ended::TimedOut { .. });
        assert_eq!(timed_out, name == "loops-forever", "{name}: {:?}", result.ended);
    }
    for place in ["/usr/bin", "/etc", "/var/lib", "/root", "/dev", "/sys", "/tmp", "/run"] {
        assert!(!Path::new(place).join("docent-was-here").exists(), "a submission wrote to {place}");
    }
    assert_eq!(left_behind(), Vec::<PathBuf>::new());
}

/// Each line is something a submission must not get.
const HOSTILE: &str = r#"
probe() { if eval "$2" >/dev/null 2>&1; then echo "GOT $1"; else echo "refused $1"; fi; }
probe root       'test "$(id -u)" = 0'
probe caps       'grep -qE "^Cap(Prm|Eff|Bnd|Inh|Amb):.*[1-9a-f]" /proc/self/status'
probe newprivs   'grep -q "^NoNewPrivs:.0" /proc/self/status'
probe noseccomp  'grep -q "^Seccomp:.0" /proc/self/status'
probe userns     'unshare -U true'
probe mount      'mount -t tmpfs none /tmp'
probe engine-mem 'head -c 1 /proc/1/environ'
probe engine-fds 'ls /proc/1/fd'
probe engine-argv 'tr -d "\\0" < /proc/1/cmdline | grep -q .'
probe home       'ls /root /home'
probe var        'ls /var'
probe store      'ls /run'
probe sysfs      'ls /sys/fs'
probe shadow     'cat /etc/shadow'
probe usr        'touch /usr/docent-was-here'
probe self       'echo x >> /docent/bin/docker'
probe sysctl     'echo 1 > /proc/sys/kernel/panic'
probe outside    'ip route get 192.0.2.1'
docker create --name box tiny true
probe deputy-environ 'docker cp /proc/1/environ box:/environ'
probe deputy-all     'docker cp /proc/1/. box:/all'
probe deputy-shadow  'docker cp /etc/shadow box:/shadow'
probe deputy-magic   'docker cp /proc/2/root/etc/passwd box:/passwd'
probe deputy-up      'docker cp ../../../../etc/shadow box:/shadow'
probe deputy-write   'docker cp box:/etc/hostname /etc/docent-was-here'
probe deputy-owner   'docker cp -a box:/bin /work/bin; find /work/bin ! -user student | grep -q .'
probe deputy-host    'docker image from-host --name x /etc/shadow'
probe deputy-root    'docker --root /tmp/x ps'
probe deputy-shell   'echo "touch /tmp/docent-was-here" | docker'
probe deputy-hidden  'docker __monitor 3'
docker run -d --name ww tiny sleep 100
docker exec ww mknod /disk b 7 0 && docker exec ww test -b /disk && echo "a node is there"
probe deputy-device  'docker cp ww:/disk /work/disk'
probe deputy-devices 'docker cp ww:/. /work/all; find /work/all -type b -o -type c | grep -q .'
probe deputy-dev     'docker cp ww:/etc/hostname /dev/docent-was-here'
probe deputy-set-id  'docker cp ww:/etc/hostname /docent/docent-was-here'
env -u DOCENT_ENGINE docker ps > /dev/null 2>&1 && echo "GOT own-engine" || echo "refused own-engine"
yes | head -c 3000000
"#;

/// Where no controller holds devices in check (version 2) a container cannot even make a node.
fn nodes_are_made() -> bool {
    docent::inside::Host::look().cgroups.group("any").is_some_and(|group| group.controls_devices())
}

#[test]
fn a_hostile_submission_gets_nothing() {
    if !root("a_hostile_submission_gets_nothing") {
        return;
    }
    let dir = tempfile::tempdir().expect("tempdir");
    let file = dir.path().join("hostile.sh");
    std::fs::write(&file, HOSTILE).expect("write");
    let (code, result) = graded(&file, &[]);
    let text = &result.output.text;
    assert_eq!((code, result.score.points), (1, 0));
    assert_eq!(text.contains("a node is there"), nodes_are_made(), "{text:.4000}");
    assert!(!text.contains("GOT"), "{}", text.lines().filter(|l| l.contains("GOT")).collect::<Vec<_>>().join("\n"));
    let asked = HOSTILE.lines().filter(|l| l.starts_with("probe ")).count() + 1;
    assert_eq!(text.matches("refused ").count(), asked, "{text:.4000}");
    assert!(result.output.truncated && text.len() < 1 << 20, "{} bytes of output", text.len());
    assert!(!Path::new("/tmp/docent-was-here").exists());
}

/// An archive of the submission's own, in which nginx:latest is something else.
const OWN_IMAGE: &str = r#"
docker create --name base tiny true && docker cp base:/. rootfs && tar cf layer.tar -C rootfs .
sum=$(sha256sum layer.tar | cut -d' ' -f1)
echo '{"architecture":"amd64","os":"linux","config":{"Cmd":["/bin/sh","-c","sleep 600"]},"rootfs":{"type":"layers","diff_ids":["sha256:'$sum'"]}}' > config.json
echo '[{"Config":"config.json","RepoTags":["nginx:latest"],"Layers":["layer.tar"]}]' > manifest.json
tar cf own.tar manifest.json config.json layer.tar
docker load -i own.tar
docker run -d --name web -p 8080:80 nginx
docker ps
"#;

fn failed(result: &GradeResult, task: &str) -> Option<String> {
    match &result.score.tasks.iter().find(|t| t.id == task).expect(task).verdict {
        Verdict::Failed { miss } => Some(miss.cause.code().to_string()),
        _ => None,
    }
}

#[test]
fn an_image_is_known_by_what_it_is_and_not_by_its_name() {
    if !root("an_image_is_known_by_what_it_is_and_not_by_its_name") {
        return;
    }
    let labs = changed("seeds =", "verbs = [\"load\"]\nseeds =");
    let file = labs.path().join("own.sh");
    std::fs::write(&file, OWN_IMAGE).expect("write");
    let (code, result) = graded(&file, &["--labs", &labs.path().to_string_lossy()]);
    assert!(result.output.text.contains("Loaded image"), "{}", result.output.text);
    assert_eq!((code, failed(&result, "run").as_deref()), (1, Some("wrong-image")), "{result:#?}");
    // Where the lab does not ask for it, there is no load at all.
    let (code, result) = graded(&file, &[]);
    assert!(!result.output.text.contains("Loaded image"), "{}", result.output.text);
    assert_eq!(code, 1);
}

#[test]
fn what_a_submission_breaks_fails_its_own_task() {
    if !root("what_a_submission_breaks_fails_its_own_task") {
        return;
    }
    let dir = tempfile::tempdir().expect("tempdir");
    let file = dir.path().join("breaks.sh");
    let solution = std::fs::read_to_string(lab_dir().join("solution.sh")).expect("the solution");
    let page = "/usr/share/nginx/html/index.html";
    for (what, more, task) in [
        ("a full disk", "docker exec web sh -c 'cat /dev/zero > /full' 2>/dev/null".to_string(), "image"),
        ("a device", format!("docker exec web sh -c 'rm {page} && mknod {page} b 7 0 && echo a node'"), "in"),
        ("no image", "docker rm -f web; docker rmi -f nginx".to_string(), "run"),
    ] {
        std::fs::write(&file, format!("{solution}\n{more}\n")).expect("write");
        let output = grade(&["--format", "json", "--student", "kim", LAB, &file.to_string_lossy()]);
        assert_eq!(output.status.code(), Some(1), "{what}: {}", String::from_utf8_lossy(&output.stderr));
        let result = result(&output);
        assert!(failed(&result, task).is_some(), "{what}: {result:#?}");
        let node = result.output.text.contains("a node");
        assert_eq!(node, what == "a device" && nodes_are_made(), "{}", result.output.text);
    }
    assert_eq!(left_behind(), Vec::<PathBuf>::new());
}

#[test]
fn a_fork_bomb_and_a_hog_end_with_the_time_limit() {
    if !root("a_fork_bomb_and_a_hog_end_with_the_time_limit") {
        return;
    }
    let short = with_time_limit(5);
    let labs = short.path().to_string_lossy().into_owned();
    let file = short.path().join("bomb.sh");
    for script in [":() { : | : & }; : & while sleep 1; do :; done\n", "x=x; while :; do x=$x$x; done\n"] {
        std::fs::write(&file, script).expect("write");
        let (code, result) = graded(&file, &["--labs", &labs]);
        assert_eq!((code, result.score.points), (1, 0), "{result:#?}");
    }
    assert_eq!(left_behind(), Vec::<PathBuf>::new());
}

#[test]
fn what_cannot_be_graded_is_no_verdict() {
    let solution = lab_dir().join("solution.sh");
    let solution = solution.to_string_lossy();
    for args in [[LAB, "/no/such/file"], ["no-such-lab", &*solution], [LAB, "/dev/null/x"], [LAB, "/"]] {
        let output = grade(&args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn a_killed_grader_takes_everything_along() {
    if !root("a_killed_grader_takes_everything_along") {
        return;
    }
    let dir = tempfile::tempdir().expect("tempdir");
    let file = dir.path().join("wait.sh");
    std::fs::write(&file, "docker run -d --name web nginx; sleep 987654\n").expect("write");
    let mut child = Command::new(env!("CARGO_BIN_EXE_docent"))
        .args(["grade", LAB])
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("docent");
    let ours = |text: &str| running().iter().any(|line| line.contains(text));
    wait_until("the script waits", || ours("sleep\u{0}987654"));
    let pid = child.id();
    child.kill().expect("kill");
    child.wait().expect("wait");
    wait_until("all is gone", || !ours("sleep\u{0}987654"));
    let members = |p: &PathBuf| std::fs::read_to_string(p.join("engine/cgroup.procs")).unwrap_or_default();
    let pens =
        || left_behind().into_iter().filter(|p| p.to_string_lossy().contains(&format!("/{pid}-"))).collect::<Vec<_>>();
    wait_until("its processes are gone", || pens().iter().all(|p| members(p).is_empty()));
    // Its cgroups are removed by the next.
    let empty = dir.path().join("empty.sh");
    std::fs::write(&empty, "true\n").expect("write");
    graded(&empty, &[]);
    assert_eq!(pens(), Vec::<PathBuf>::new());
}

/// Command lines of all processes, words ended by NUL.
fn running() -> Vec<String> {
    let entries = std::fs::read_dir("/proc").expect("/proc").flatten();
    entries.filter_map(|e| std::fs::read_to_string(e.path().join("cmdline")).ok()).collect()
}

#[track_caller]
fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let until = std::time::Instant::now() + common::seconds(30);
    while !holds() {
        assert!(std::time::Instant::now() < until, "waited too long: {what}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
