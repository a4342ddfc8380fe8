//! The verbs as a learner uses them: what comes on which stream, which code, which state.

mod common;

use common::Machine;
use docent::inside::Host;

/// Whether this host has cgroups at all; the same tests run where none is mounted.
fn cgroups_here() -> bool {
    std::fs::read_to_string("/proc/self/mountinfo").is_ok_and(|t| t.contains(" - cgroup"))
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim_end).collect()
}

#[test]
fn a_program_runs_with_its_own_streams_and_code() {
    let Some(m) = Machine::new("verbs::streams", &[]) else { return };
    let ran = m.docent(&["run", "--rm", "tiny", "sh", "-c", "echo out; echo err >&2; exit 42"]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (42, "out\n", "err\n"));
    let ran = m.docent(&["run", "--rm", "tiny", "sh", "-c", "sh -c 'kill -9 $$'; exit $?"]);
    assert_eq!(ran.code, 137);
    assert_eq!(m.docent(&["ps", "-aq"]).ok().stdout, "");
    assert_eq!(m.leftovers(0), Vec::<String>::new());
}

#[test]
fn standard_input_reaches_the_program_only_with_i() {
    let Some(m) = Machine::new("verbs::stdin", &[]) else { return };
    let with = m.sh("printf 'a\\nb\\n' | \"$0\" run --rm -i --network none tiny cat");
    assert_eq!(with.ok().stdout, "a\nb\n");
    let without = m.sh("printf 'a\\nb\\n' | \"$0\" run --rm --network none tiny cat");
    assert_eq!(without.ok().stdout, "");
    // A megabyte through both directions, whole.
    let big = m.sh("head -c 1000000 /dev/zero | \"$0\" run --rm -i --network none tiny cat | wc -c");
    assert_eq!(big.ok().stdout.trim(), "1000000");
}

#[test]
fn what_a_container_is_given() {
    let Some(m) = Machine::new("verbs::given", &[]) else { return };
    let ran = m.docent(&[
        "run",
        "--rm",
        "--network",
        "none",
        "--hostname",
        "box",
        "-e",
        "A=1",
        "-e",
        "A=2",
        "-w",
        "/made/here",
        "tiny",
        "sh",
        "-c",
        "hostname; echo $A; pwd; echo $$; id -u; cat /proc/1/comm",
    ]);
    assert_eq!(lines(&ran.ok().stdout)[..5], ["box", "2", "/made/here", "1", "0"]);
    let ran = m.docent(&["run", "--rm", "--network", "none", "-u", "1000:1000", "tiny", "sh", "-c", "id -u; id -g"]);
    assert_eq!(ran.ok().stdout, "1000\n1000\n");
    let ran = m.docent(&["run", "--rm", "--network", "none", "--entrypoint", "echo", "tiny", "hi"]);
    assert_eq!(ran.ok().stdout, "hi\n");
    let caps = m.docent(&[
        "run",
        "--rm",
        "--network",
        "none",
        "tiny",
        "sh",
        "-c",
        "grep -E 'CapEff|Seccomp:' /proc/self/status",
    ]);
    assert!(caps.stdout.contains("Seccomp:\t2"), "{}", caps.stdout);
    assert!(caps.stdout.contains("a80425fb") || caps.stdout.contains("a00425fb"), "{}", caps.stdout);
}

#[test]
fn what_a_container_cannot_do() {
    let Some(m) = Machine::new("verbs::cannot", &[]) else { return };
    let refused = [
        "mount -t tmpfs none /tmp",
        "echo 1 > /proc/sys/kernel/panic",
        "echo c > /proc/sysrq-trigger",
        "hostname other",
        "unshare -U true",
        "cat /proc/kcore | head -c 1 | grep .",
        "dd if=/dev/sda of=/dev/null count=1",
        "mknod /tmp/disk b 8 0 && head -c 1 /tmp/disk",
        "kill -0 2",
        "ls /proc/acpi/*",
    ];
    for attempt in refused {
        let ran = m.docent(&["run", "--rm", "--network", "none", "tiny", "sh", "-c", attempt]);
        assert_ne!(ran.code, 0, "{attempt}: {}", ran.stdout);
    }
}

#[test]
fn a_life_from_create_to_rm() {
    let Some(m) = Machine::new("verbs::life", &[]) else { return };
    let id =
        m.docent(&["create", "--name", "cc", "tiny", "sh", "-c", "trap 'exit 3' TERM; while :; do sleep 1; done"]).ok();
    assert_eq!(id.stdout.trim().len(), 64);
    assert_eq!(m.docent(&["ps", "-q"]).ok().stdout, "");
    assert_eq!(m.docent(&["ps", "-a", "--format", "{{.Names}} {{.Status}}"]).ok().stdout, "cc Created\n");
    assert_eq!(m.docent(&["start", "cc"]).ok().stdout, "cc\n");
    let status = m.docent(&["inspect", "-f", "{{.State.Status}} {{.State.Running}}", "cc"]).ok().stdout;
    assert_eq!(status, "running true\n");
    let refused = m.docent(&["rm", "cc"]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("container"), "{}", refused.stderr);
    assert_eq!(m.docent(&["stop", "cc"]).ok().stdout, "cc\n");
    let state = m.docent(&["ps", "-a", "--format", "{{.Status}}"]).ok().stdout;
    assert!(state.starts_with("Exited (3)"), "{state}");
    m.docent(&["start", "cc"]).ok();
    m.docent(&["kill", "cc"]).ok();
    let state = m.docent(&["inspect", "--format", "{{.State.ExitCode}}", "cc"]).ok().stdout;
    assert_eq!(state, "137\n");
    assert_eq!(m.docent(&["rm", "cc"]).ok().stdout, "cc\n");
    assert_eq!(m.docent(&["ps", "-aq"]).ok().stdout, "");
    assert_eq!(m.leftovers(0), Vec::<String>::new());
}

#[test]
fn stop_kills_what_will_not_hear() {
    let Some(m) = Machine::new("verbs::stop", &[]) else { return };
    m.docent(&["run", "-d", "--name", "deaf", "--network", "none", "tiny", "sleep", "1000"]).ok();
    m.docent(&["stop", "-t", "1", "deaf"]).ok();
    let state = m.docent(&["inspect", "-f", "{{.State.ExitCode}}", "deaf"]).ok().stdout;
    assert_eq!(state, "137\n", "PID 1 has no handler for SIGTERM, so the kernel does not deliver it");
}

#[test]
fn wait_lasts_as_long_as_the_container_and_says_its_code() {
    let Some(m) = Machine::new("verbs::wait", &[]) else { return };
    // Each waits for a code in its fifo, and nothing else ends it. Its end may take along who wrote the code.
    for name in ["one", "two"] {
        let until_told = "mkfifo /go; read code </go; exit $code";
        m.docent(&["run", "-d", "--network", "none", "--name", name, "tiny", "sh", "-c", until_told]).ok();
    }
    m.docent(&["create", "--network", "none", "--name", "never", "tiny", "true"]).ok();
    let ran = m.sh(r#"end() { "$0" exec $1 sh -c "until [ -p /go ]; do :; done; echo $2 >/go" || [ $? = 137 ]; }
        "$0" wait one two >both & both=$!
        "$0" container wait two >second & second=$!
        end one 3
        "$0" pause two >/dev/null; kill -0 $both $second || exit 9; "$0" unpause two >/dev/null
        end two 5
        wait $both && wait $second && cat both second"#);
    assert_eq!(ran.ok().stdout, "3\n5\n5\n");
    assert_eq!(m.docent(&["wait", "one", "never", "two"]).ok().stdout, "3\n0\n5\n");
    let ran = m.docent(&["wait", "no-such", "one"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, "3\n"));
    assert!(ran.stderr.contains("no-such"), "{}", ran.stderr);
}

#[test]
fn a_container_that_goes_with_its_end_still_says_its_code() {
    let Some(m) = Machine::new("verbs::wait-rm", &[]) else { return };
    let until_told = "mkfifo /go; read code </go; exit $code";
    m.docent(&["run", "-d", "--rm", "--network", "none", "--name", "bb", "tiny", "sh", "-c", until_told]).ok();
    // Its end comes only once the waiter is connected to the monitor.
    let ran = m.sh(r#""$0" wait bb >code & pid=$!
        until ls -l /proc/$pid/fd | grep -q socket; do :; done
        "$0" exec bb sh -c 'until [ -p /go ]; do :; done; echo 7 >/go' || [ $? = 137 ]
        wait $pid && cat code"#);
    assert_eq!(ran.ok().stdout, "7\n");
    // A monitor that was killed says nothing: its container died with it.
    m.docent(&["run", "-d", "--network", "none", "--name", "kk", "tiny", "sleep", "1000"]).ok();
    let ran = m.sh(r#""$0" wait kk >code & pid=$!
        until ls -l /proc/$pid/fd | grep -q socket; do :; done
        kill -9 $(sed 's/.*"monitor":\([0-9]*\).*/\1/' "$DOCENT_ROOT"/containers/*/state.json)
        wait $pid && cat code"#);
    assert_eq!(ran.ok().stdout, "137\n");
}

#[test]
fn pause_stops_time_for_a_container() {
    let Some(m) = Machine::new("verbs::pause", &[]) else { return };
    m.docent(&[
        "run",
        "-d",
        "--name",
        "pp",
        "--network",
        "none",
        "tiny",
        "sh",
        "-c",
        "i=0; while :; do i=$((i+1)); done",
    ])
    .ok();
    let paused = m.docent(&["pause", "pp"]);
    if !cgroups_here() {
        assert_eq!(paused.code, 1, "without a freezer it is refused, by name: {paused:?}");
        m.docent(&["rm", "-f", "pp"]).ok();
        assert_eq!(m.leftovers(0), Vec::<String>::new());
        return;
    }
    paused.ok();
    let cpu = |m: &Machine| {
        let pid = m.docent(&["inspect", "-f", "{{.State.Pid}}", "pp"]).ok().stdout;
        m.sh(&format!("cut -d' ' -f14 /proc/{}/stat", pid.trim())).ok().stdout
    };
    assert!(m.docent(&["ps", "--format", "{{.Status}}"]).ok().stdout.contains("(Paused)"));
    let before = cpu(&m);
    for _ in 0..20 {
        m.docent(&["ps", "-q"]).ok();
    }
    assert_eq!(cpu(&m), before, "no CPU time passes for a frozen process");
    assert_eq!(m.docent(&["pause", "pp"]).code, 1);
    assert_eq!(m.docent(&["exec", "pp", "true"]).code, 1);
    m.docent(&["unpause", "pp"]).ok();
    assert_eq!(m.docent(&["unpause", "pp"]).code, 1);
    m.docent(&["exec", "pp", "true"]).ok();
    m.docent(&["pause", "pp"]).ok();
    m.docent(&["rm", "-f", "pp"]).ok();
    assert_eq!(m.leftovers(0), Vec::<String>::new());
}

#[test]
fn exec_joins_and_gives_its_own_code() {
    let Some(m) = Machine::new("verbs::exec", &[]) else { return };
    m.docent(&["run", "-d", "--name", "ee", "--network", "none", "tiny", "sleep", "1000"]).ok();
    let ran = m.docent(&["exec", "-e", "X=y", "-w", "/tmp", "ee", "sh", "-c", "echo $X; pwd; echo oops >&2; exit 7"]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (7, "y\n/tmp\n", "oops\n"));
    assert_eq!(m.docent(&["exec", "ee", "cat", "/proc/1/comm"]).ok().stdout, "sleep\n");
    let input = m.sh("printf abc | \"$0\" exec -i ee cat");
    assert_eq!(input.ok().stdout, "abc");
    assert_eq!(m.docent(&["exec", "ee", "nothing-here"]).code, 127);
    assert_eq!(m.docent(&["exec", "ee", "/etc/passwd"]).code, 126);
    assert_eq!(m.docent(&["exec", "none", "true"]).code, 1);
    // Nothing of docent's own is open in the new process.
    let fds = m.docent(&["exec", "ee", "sh", "-c", "ls /proc/self/fd | wc -l"]).ok().stdout;
    assert!(fds.trim().parse::<u32>().is_ok_and(|n| n <= 4), "{fds}");
}

#[test]
fn a_page_over_a_published_port() {
    let Some(m) = Machine::new("verbs::port", &["curl"]) else { return };
    m.docent(&["run", "-d", "--name", "web", "-p", "127.0.0.1:8080:80", "nginx"]).ok();
    let page = m.sh("curl -sf http://127.0.0.1:8080/").ok().stdout;
    assert!(page.contains("<html"), "{page}");
    m.docent(&["cp", "web:/usr/share/nginx/html/index.html", "index.html"]).ok();
    m.sh("sed -i 's/<h1>.*<.h1>/<h1>edited<\\/h1>/' index.html").ok();
    m.docent(&["cp", "index.html", "web:/usr/share/nginx/html/index.html"]).ok();
    assert!(m.sh("curl -sf http://127.0.0.1:8080/").ok().stdout.contains("<h1>edited</h1>"));
    // The image is as it was: another container shows the first page.
    m.docent(&["run", "-d", "--name", "two", "-p", "127.0.0.1:8081:80", "nginx"]).ok();
    let other = m.sh("curl -sf http://127.0.0.1:8081/").ok().stdout;
    assert_eq!(other, page);
    // Both reach each other by address, and a big answer comes whole.
    let address = m.docent(&["inspect", "-f", "{{.NetworkSettings.IPAddress}}", "two"]).ok().stdout;
    let inside = format!("wget -q -O - http://{}/ | wc -c", address.trim());
    assert_eq!(m.docent(&["exec", "web", "sh", "-c", &inside]).ok().stdout.trim(), page.len().to_string());
    m.docent(&["rm", "-f", "web", "two"]).ok();
    assert_eq!(m.leftovers(0), Vec::<String>::new());
}

#[test]
fn port_lists_what_of_the_host_leads_to_a_container() {
    let Some(m) = Machine::new("verbs::port-list", &[]) else { return };
    let ports = ["-p", "8443:443", "-p", "127.0.0.1:8081:80", "-p", "8080:80", "-p", "[::1]:8082:80"];
    m.docent(&[&["run", "-d", "--name", "web"][..], &ports, &["nginx"]].concat()).ok();
    let of_80 = "0.0.0.0:8080\n127.0.0.1:8081\n[::]:8080\n[::1]:8082\n";
    let all: String = of_80.lines().map(|line| format!("80/tcp -> {line}\n")).collect();
    let all = all + "443/tcp -> 0.0.0.0:8443\n443/tcp -> [::]:8443\n";
    assert_eq!(m.docent(&["port", "web"]).ok().stdout, all);
    assert_eq!(m.docent(&["container", "port", "web", "80"]).ok().stdout, of_80);
    assert_eq!(m.docent(&["port", "web", "80/tcp"]).ok().stdout, of_80);
    for port in ["81", "80/udp", "x"] {
        let ran = m.docent(&["--lang", "en", "port", "web", port]);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{port}");
        assert!(ran.stderr.contains(&format!("No public port '{port}' published for web")), "{}", ran.stderr);
    }
    assert_eq!(m.docent(&["port", "no-such"]).code, 1);
    // What has stopped is reachable nowhere.
    m.docent(&["kill", "web"]).ok();
    assert_eq!(m.docent(&["port", "web"]).ok().stdout, "");
}

#[test]
fn rename_changes_the_name_and_nothing_else() {
    let Some(m) = Machine::new("verbs::rename", &[]) else { return };
    let until_told = "mkfifo /go; read code </go; exit $code";
    m.docent(&["run", "-d", "--network", "none", "--name", "old", "tiny", "sh", "-c", until_told]).ok();
    m.docent(&["create", "--network", "none", "--name", "other", "tiny", "true"]).ok();
    let seen = "{{.Id}} {{.State.Pid}} {{.Config.Hostname}}";
    let before = m.docent(&["inspect", "-f", seen, "old"]).ok().stdout;
    // What is told is what was foreseen.
    let plan = m.docent(&["--lang", "en", "explain", "--", "rename", "old", "new"]).ok().stdout;
    assert!(plan.contains("old → new"), "{plan}");
    let ran = m.docent(&["--lang", "en", "--narrate", "full", "rename", "old", "new"]);
    assert!(ran.code == 0 && ran.stdout.is_empty() && ran.stderr.contains("old → new"), "{ran:?}");
    assert_eq!(m.docent(&["verify"]).ok().code, 0);
    assert_eq!(m.docent(&["inspect", "-f", seen, "new"]).ok().stdout, before);
    assert_eq!(m.docent(&["inspect", "old"]).code, 1);
    for (wrong, says) in [
        (["rename", "new", "other"], "is already in use by container"),
        (["rename", "new", "new"], "the same name as its current name"),
        (["rename", "new", "a b"], "Invalid container name (a b)"),
        (["rename", "old", "two"], "No such container: old"),
    ] {
        for words in [wrong.to_vec(), [&["explain", "--"][..], &wrong].concat()] {
            let ran = m.docent(&[&["--lang", "en"][..], &words].concat());
            assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{words:?}: {}", ran.stderr);
            assert!(ran.stderr.contains(says), "{words:?}: {}", ran.stderr);
        }
    }
    // Its monitor ends it under the name that it has, and the old one is free.
    m.sh(
        r#""$0" exec new sh -c 'until [ -p /go ]; do :; done; echo 3 >/go' || [ $? = 137 ]; "$0" wait new >/dev/null"#,
    )
    .ok();
    let (store, _) = docent::inside::Store::open(&m.root(), Host::look()).expect("the store");
    let id = before.split(' ').next().and_then(docent::inside::ContainerId::parse).expect("an id");
    let ended = docent::inside::Journal::of_container(&store, &id).into_iter().find_map(|event| match event.fact {
        docent::inside::Fact::ContainerExited { name, .. } => Some(name),
        _ => None,
    });
    assert_eq!(ended.as_deref(), Some("new"));
    m.docent(&["container", "rename", "other", "/old"]).ok();
    assert_eq!(m.docent(&["ps", "-a", "--format", "{{.Names}}"]).ok().stdout, "old\nnew\n");
}

#[test]
fn the_first_connection_waits_for_a_server_that_is_not_up_yet() {
    let Some(m) = Machine::new("verbs::first-connection", &["curl", "ss", "timeout"]) else { return };
    // A connection is kept for two seconds, within which an emulated machine starts no exec.
    if common::slow() > 1 {
        common::skip("verbs::first-connection", "this machine is said to be too slow for it");
    } else {
        let slow = "while [ ! -e /go ]; do :; done; exec nginx -g 'daemon off;'";
        m.docent(&["run", "-d", "--name", "slow", "-p", "127.0.0.1:8080:80", "nginx", "sh", "-c", slow]).ok();
        // curl knocks first, and only then may the server come.
        let page = m.sh("curl -sf --max-time 20 http://127.0.0.1:8080/ >page & pid=$!
            timeout 60 sh -c 'until ss -Htn state established dst 127.0.0.1:8080 | grep -q .; do :; done'
            \"$0\" exec slow touch /go && wait $pid && cat page");
        assert!(page.ok().stdout.contains("<html"));
    }
    // Where nothing ever listens the connection is turned away, as with Docker, and not kept.
    m.docent(&["run", "-d", "--name", "deaf", "-p", "127.0.0.1:8081:81", "nginx"]).ok();
    let refused = m.sh("curl -s --max-time $((20 * SLOW)) http://127.0.0.1:8081/");
    assert!(matches!(refused.code, 52 | 56), "{}", refused.code);
}

#[test]
fn copies_both_ways_by_dockers_rules() {
    let Some(m) = Machine::new("verbs::cp", &[]) else { return };
    m.docent(&["create", "--name", "cc", "tiny", "true"]).ok();
    m.sh("mkdir -p tree/sub; echo one >tree/one; echo two >tree/sub/two; ln -s one tree/link; chmod 600 tree/one").ok();
    m.docent(&["cp", "tree", "cc:/new"]).ok();
    m.docent(&["cp", "tree", "cc:/tmp"]).ok();
    m.docent(&["cp", "tree/.", "cc:/srv"]).ok();
    m.docent(&["cp", "cc:/new", "back"]).ok();
    m.docent(&["cp", "cc:/tmp/tree/sub/two", "."]).ok();
    assert_eq!(
        m.sh("cat back/one back/sub/two two; readlink back/link; stat -c %a back/one").ok().stdout,
        "one\ntwo\ntwo\none\n600\n"
    );
    assert_eq!(m.docent(&["cp", "cc:/nowhere", "x"]).code, 1);
    assert_eq!(m.docent(&["cp", "nowhere", "cc:/x"]).code, 1);
    assert_eq!(m.docent(&["cp", "two", "cc:/no/such/dir/x"]).code, 1);
    // A link in the container leads nowhere but into the container.
    m.docent(&[
        "run",
        "--name",
        "evil",
        "--network",
        "none",
        "tiny",
        "sh",
        "-c",
        "ln -s / /out; ln -s /etc/hostname /h; ln -s ../../../../.. /up",
    ])
    .ok();
    m.sh("echo mine >mine").ok();
    m.docent(&["cp", "mine", "evil:/out/put"]).ok();
    m.docent(&["cp", "mine", "evil:/up/put2"]).ok();
    assert_eq!(m.sh("ls /put /put2 2>&1 | grep -c 'No such'").stdout.trim(), "2");
    let changes = m.docent(&["diff", "evil"]).ok().stdout;
    assert!(changes.contains("A /put\n") && changes.contains("A /put2\n"), "{changes}");
    assert_eq!(m.leftovers(0), Vec::<String>::new());
}

#[test]
fn diff_and_copy_on_write_name_what_happened() {
    let Some(m) = Machine::new("verbs::cow", &[]) else { return };
    m.docent(&["run", "-d", "--name", "cc", "--network", "none", "nginx"]).ok();
    let deep = m.docent(&[
        "--narrate",
        "json",
        "--narrate-to",
        "told",
        "exec",
        "cc",
        "sh",
        "-c",
        "echo x >>/usr/share/nginx/html/50x.html; rm /usr/share/nginx/html/index.html; echo n >/new",
    ]);
    deep.ok();
    let told = m.sh("cat told").ok().stdout;
    let change = |path: &str| {
        told.lines()
            .filter_map(|l| serde_json::from_str::<serde_json::Value>(l).ok())
            .find(|e| e["event"] == "cow.change" && e["path_inside"] == path)
            .map(|e| e["change"].as_str().unwrap_or_default().to_string())
    };
    assert_eq!(change("/usr/share/nginx/html/50x.html").as_deref(), Some("copied-up"));
    assert_eq!(change("/usr/share/nginx/html/index.html").as_deref(), Some("deleted"));
    assert_eq!(change("/new").as_deref(), Some("added"));
    let diff = m.docent(&["diff", "cc"]).ok().stdout;
    for line in ["C /usr/share/nginx/html/50x.html", "D /usr/share/nginx/html/index.html", "A /new"] {
        assert!(diff.lines().any(|l| l == line), "{line}: {diff}");
    }
    m.sh("echo c >c.html").ok();
    m.docent(&["--narrate", "json", "--narrate-to", "told2", "cp", "c.html", "cc:/usr/share/nginx/html/50x.html"]).ok();
    let told = m.sh("cat told2").ok().stdout;
    assert!(told.contains("\"covered\""), "{told}");
}

#[test]
fn limits_are_kept_or_refused() {
    let Some(m) = Machine::new("verbs::limits", &[]) else { return };
    let limits = ["-m", "64m", "--pids-limit", "5", "--cpus", "0.5"];
    let ran = m.docent(
        &[&["run", "-d", "--name", "ll", "--network", "none"][..], &limits, &["tiny", "sleep", "1000"]].concat(),
    );
    if !cgroups_here() {
        // A host without cgroups refuses, by name, and runs nothing.
        assert_eq!(ran.code, 125, "{}", ran.stderr);
        assert_eq!(m.docent(&["ps", "-q"]).ok().stdout, "");
        return;
    }
    ran.ok();
    let forks = m.docent(&["exec", "ll", "sh", "-c", "for i in 1 2 3 4 5 6 7 8; do sleep 5 & done"]);
    assert!(forks.code != 0 || forks.stderr.contains("fork"), "{forks:?}");
    let told = m.events();
    let told: Vec<_> = told
        .iter()
        .filter_map(|e| match &e.fact {
            docent::inside::Fact::CgroupLimit { value, read_back, .. } => Some((value.clone(), read_back.clone())),
            _ => None,
        })
        .collect();
    assert!(told.len() >= 3 && told.iter().all(|(w, r)| Some(w) == r.as_ref()), "{told:?}");
    // The kernel's own files, found by what it says of the process; the container reads the same.
    let (files, values) = if Host::look().cgroups.version == 2 {
        ("memory.max memory.swap.max pids.max cpu.max", "67108864\n67108864\n5\n50000 100000\n")
    } else {
        ("memory/memory.limit_in_bytes pids/pids.max cpu/cpu.cfs_quota_us", "67108864\n5\n50000\n")
    };
    let id = m.docent(&["inspect", "-f", "{{.Id}}", "ll"]).ok().stdout;
    let of_host: Vec<String> = files
        .split(' ')
        .map(|file| match file.split_once('/') {
            Some((tree, file)) => format!("/sys/fs/cgroup/{tree}/docent/{}/{file}", id.trim()),
            None => format!("/sys/fs/cgroup/docent/{}/{file}", id.trim()),
        })
        .collect();
    assert_eq!(m.sh(&format!("cat {}", of_host.join(" "))).ok().stdout, values);
    let inside = ["run", "--rm", "--network", "none"].into_iter().chain(limits);
    let read = format!("cd /sys/fs/cgroup && cat {files}");
    let inside: Vec<&str> = inside.chain(["tiny", "sh", "-c", &read]).collect();
    assert_eq!(m.docent(&inside).ok().stdout, values);
    m.docent(&["rm", "-f", "ll"]).ok();
    let grows = "x=a; while :; do x=$x$x; done";
    let oom = m.docent(&["run", "--name", "oo", "--network", "none", "-m", "16m", "tiny", "sh", "-c", grows]);
    assert_eq!(oom.code, 137, "{oom:?}");
    assert_eq!(m.docent(&["inspect", "-f", "{{.State.OOMKilled}}", "oo"]).ok().stdout, "true\n");
}

#[test]
fn logs_are_kept_and_followed() {
    let Some(m) = Machine::new("verbs::logs", &[]) else { return };
    m.docent(&[
        "run",
        "-d",
        "--name",
        "ll",
        "--network",
        "none",
        "tiny",
        "sh",
        "-c",
        "echo a; echo b >&2; echo c; printf end",
    ])
    .ok();
    let followed = m.docent(&["logs", "-f", "ll"]).ok();
    assert_eq!((followed.stdout.as_str(), followed.stderr.as_str()), ("a\nc\nend", "b\n"));
    assert_eq!(m.docent(&["logs", "--tail", "1", "ll"]).ok().stdout, "end");
    let stamped = m.docent(&["logs", "-t", "--tail", "1", "ll"]).ok().stdout;
    assert!(stamped.starts_with("20") && stamped.ends_with("Z end"), "{stamped}");
}

#[test]
fn every_proof_of_every_command_holds() {
    let Some(m) = Machine::new("verbs::verify", &["ip", "nft", "ss"]) else { return };
    let verified = |m: &Machine, args: &[&str]| {
        m.docent(args).ok();
        let verdict = m.docent(&["verify"]);
        assert_eq!(verdict.code, 0, "{args:?}\n{}", verdict.stdout);
    };
    verified(&m, &["run", "-d", "--name", "web", "-p", "127.0.0.1:8080:80", "nginx"]);
    verified(&m, &["cp", "web:/usr/share/nginx/html/index.html", "index.html"]);
    assert!(m.docent(&["verify"]).ok().stdout.contains("sha256sum"), "a copy on the host has a proof");
    m.sh("echo more >>index.html").ok();
    let edited = m.docent(&["--lang", "en", "verify"]);
    assert!(edited.code == 0 && edited.stdout.contains("changed by something after this command"), "{}", edited.stdout);
    verified(&m, &["cp", "index.html", "web:/usr/share/nginx/html/index.html"]);
    verified(&m, &["exec", "web", "sh", "-c", "echo x >>/usr/share/nginx/html/50x.html"]);
    if m.docent(&["pause", "web"]).code == 0 {
        m.docent(&["verify"]).ok();
        verified(&m, &["unpause", "web"]);
        let frozen: Vec<u64> =
            docent::inside::Journal::numbers(&docent::inside::Store::open(&m.root(), Host::look()).expect("store").0);
        // The freeze no longer holds, and verify says since when.
        let pause = frozen.len() as u64 - 3;
        let since = m.docent(&["--lang", "en", "verify", &pause.to_string()]);
        assert!(since.code == 0 && since.stdout.contains("changed since"), "{}", since.stdout);
    }
    let limited: &[&str] = if cgroups_here() { &["-m", "64m"] } else { &[] };
    verified(&m, &[&["run", "-d", "--name", "two", "--network", "none"], limited, &["nginx"]].concat());
    verified(&m, &["stop", "web"]);
    verified(&m, &["rm", "-f", "web", "two"]);
}

#[test]
fn a_forecast_does_nothing() {
    let Some(m) = Machine::new("verbs::forecast", &[]) else { return };
    m.docent(&["ps"]).ok();
    let before = m.sh("find \"$DOCENT_ROOT\" -not -path '*/journal*' | sort | sha256sum").ok().stdout;
    for lang in ["ko", "en"] {
        let plan = m
            .docent(&["--lang", lang, "explain", "--", "run", "-d", "--name", "web", "-p", "8080:80", "nginx"])
            .ok()
            .stdout;
        assert!(plan.lines().count() > 5 && !plan.contains("pid:["), "{plan}");
    }
    assert_eq!(m.sh("find \"$DOCENT_ROOT\" -not -path '*/journal*' | sort | sha256sum").ok().stdout, before);
}

#[test]
fn images_are_listed_loaded_and_named() {
    let Some(m) = Machine::new("verbs::images", &[]) else { return };
    common::archive(&m.work().join("a.tar"), "mine:1");
    assert_eq!(m.docent(&["load", "-i", "a.tar"]).ok().stdout, "Loaded image: mine:1\n");
    assert_eq!(m.sh("\"$0\" load <a.tar").ok().stdout, "Loaded image: mine:1\n");
    assert_eq!(m.docent(&["images", "--format", "{{.Repository}}:{{.Tag}}"]).ok().stdout, "mine:1\n");
    assert_eq!(m.docent(&["images", "-q"]).ok().stdout.trim().len(), 12);
    let layers = m.docent(&["image", "inspect", "--format", "{{len .RootFS.Layers}}", "mine:1"]).ok().stdout;
    assert_eq!(layers, "1\n");
    // The built-in ones have the same digests wherever they are made on this machine.
    m.docent(&["create", "nginx"]).ok();
    let other = Machine::new("verbs::images", &[]).expect("a second machine");
    other.docent(&["create", "nginx"]).ok();
    let id = |m: &Machine| m.docent(&["images", "-q", "--no-trunc", "nginx"]).ok().stdout;
    assert_eq!(id(&m), id(&other));
}

#[test]
fn fifty_at_once_start_and_stop() {
    let Some(m) = Machine::new("verbs::fifty", &["xargs"]) else { return };
    m.docent(&["create", "--name", "first", "tiny", "true"]).ok();
    let up = m.sh("seq 50 | xargs -P 50 -I{} \"$0\" run -d --name n{} tiny sleep 1000 | sort -u | wc -l");
    assert_eq!(up.ok().stdout.trim(), "50");
    assert_eq!(m.running(), 50);
    // Fifty addresses, each once.
    let addresses = m.sh("\"$0\" inspect -f '{{.NetworkSettings.IPAddress}}' $(\"$0\" ps -q) | sort -u | wc -l");
    assert_eq!(addresses.ok().stdout.trim(), "50");
    let down = m.sh("seq 50 | xargs -P 50 -I{} \"$0\" rm -f n{} | wc -l");
    assert_eq!(down.ok().stdout.trim(), "50");
    assert_eq!(m.docent(&["ps", "-a", "--format", "{{.Names}}"]).ok().stdout, "first\n");
    assert_eq!(m.leftovers(0), Vec::<String>::new());
}

#[test]
fn a_host_with_a_default_route_has_room_for_a_bridge() {
    let Some(m) = Machine::new("verbs::default_route", &[]) else { return };
    m.sh("ip link add wan type bridge; ip addr add 10.0.2.15/24 dev wan; ip link set wan up; ip route add default via 10.0.2.2").ok();
    m.docent(&["run", "--rm", "tiny", "ip", "route"]).ok();
}

#[test]
fn without_any_cgroup_containers_run_and_limits_are_refused() {
    let Some(m) = Machine::new("verbs::no_cgroup", &[]) else { return };
    m.sh("mount | grep -E ' type cgroup2? ' | cut -d' ' -f3 | sort -r | xargs -r -n1 umount -l").ok();
    assert_eq!(m.sh("mount | grep -c ' type cgroup' || true").stdout.trim(), "0");
    assert_eq!(m.docent(&["run", "--rm", "--network", "none", "tiny", "echo", "hi"]).ok().stdout, "hi\n");
    let refused = m.docent(&["--lang", "en", "run", "--rm", "-m", "64m", "tiny", "true"]);
    assert_eq!(refused.code, 125, "{refused:?}");
    m.docent(&["run", "-d", "--name", "nn", "nginx"]).ok();
    assert_eq!(m.docent(&["pause", "nn"]).code, 1);
    m.docent(&["exec", "nn", "true"]).ok();
    // Without a device controller no device can be made at all.
    assert_ne!(m.docent(&["exec", "nn", "sh", "-c", "mknod /tmp/d c 1 3"]).code, 0);
    m.docent(&["stop", "nn"]).ok();
    m.docent(&["rm", "nn"]).ok();
    assert_eq!(m.leftovers(0), Vec::<String>::new());
}

#[test]
fn a_container_inherits_nothing_of_its_callers_shell() {
    let Some(m) = Machine::new("verbs::inherit", &["flock", "timeout"]) else { return };
    // A lock of the caller's goes with the caller, not with the container.
    m.sh("exec 9>l; flock 9; \"$0\" run -d --name bg --network none tiny sleep 1000 >/dev/null; exec 9>&-; flock -n l true")
        .ok();
    // Nor is a pipe kept open.
    m.sh("(timeout $((20 * SLOW)) \"$0\" run -d --name piped --network none tiny sleep 1000 8>&1 | cat) >/dev/null")
        .ok();
    // A strict umask is the caller's own.
    let seen =
        m.sh("umask 077; \"$0\" run --rm -u 1000 --network none tiny sh -c 'umask; cat /etc/hostname'").ok().stdout;
    assert!(seen.starts_with("0022\n") && seen.lines().count() == 2, "{seen}");
    // With SIGCHLD ignored the kernel would reap the program before its monitor knows how it ended.
    let ran =
        m.sh("trap '' CHLD; timeout $((20 * SLOW)) \"$0\" run --rm --network none tiny sh -c 'echo hello; exit 3'");
    assert_eq!((ran.code, ran.stdout.as_str()), (3, "hello\n"));
    m.docent(&["rm", "-f", "bg", "piped"]).ok();
    assert_eq!(m.leftovers(0), Vec::<String>::new());
}

#[test]
fn a_reader_that_has_enough_ends_docent_and_not_the_container() {
    let Some(m) = Machine::new("verbs::head", &["timeout"]) else { return };
    let head =
        m.sh("timeout $((20 * SLOW)) \"$0\" run --name yes --network none tiny yes | head -1; \"$0\" ps -q | wc -l");
    assert_eq!(head.ok().stdout, "y\n1\n");
    let head = m.sh("timeout $((20 * SLOW)) \"$0\" exec yes yes | head -1").ok().stdout;
    assert_eq!(head, "y\n");
    m.docent(&["rm", "-f", "yes"]).ok();
    assert_eq!(m.leftovers(0), Vec::<String>::new());
}

#[test]
fn two_commands_at_once_on_one_container() {
    let Some(m) = Machine::new("verbs::at-once", &["timeout"]) else { return };
    m.docent(&["create", "--name", "both", "--network", "none", "tiny", "sleep", "1000"]).ok();
    for _ in 0..8 {
        // Docker too takes the second start for done already.
        m.sh("timeout $((20 * SLOW)) \"$0\" start both >a & one=$!; timeout $((20 * SLOW)) \"$0\" start both >b; wait $one; cat a b").ok();
        assert_eq!(m.docent(&["ps", "-q"]).ok().stdout.lines().count(), 1);
        m.docent(&["stop", "-t", "0", "both"]).ok();
        assert_eq!(m.docent(&["ps", "-q"]).ok().stdout, "");
    }
    for n in 0..8 {
        let name = format!("gone{n}");
        m.docent(&["create", "--name", &name, "--network", "none", "tiny", "sleep", "1000"]).ok();
        // Whoever comes first: afterwards the container is not there, or it is there and runs.
        m.sh(&format!("timeout $((20 * SLOW)) \"$0\" start {name} >/dev/null 2>&1 & timeout $((20 * SLOW)) \"$0\" rm -f {name}; code=$?; wait; [ $code != 124 ]"))
            .ok();
        m.docent(&["rm", "-f", &name]).ok();
    }
    m.docent(&["rm", "-f", "both"]).ok();
    assert_eq!(m.leftovers(0), Vec::<String>::new());
}

#[test]
fn input_that_nobody_reads_does_not_make_a_container_deaf() {
    let Some(m) = Machine::new("verbs::deaf", &["timeout"]) else { return };
    let script = "head -c 400000 /dev/zero | \"$0\" run -i --name deaf --network none tiny sleep 1000 & pid=$!
        timeout $((60 * SLOW)) sh -c 'until [ \"$(\"$0\" ps -q | wc -l)\" = 1 ]; do :; done' \"$0\"
        timeout $((20 * SLOW)) \"$0\" exec deaf echo hi; \"$0\" rm -f deaf >/dev/null; wait $pid || true";
    assert_eq!(m.sh(script).ok().stdout, "hi\n");
    assert_eq!(m.leftovers(0), Vec::<String>::new());
}

#[test]
fn on_a_full_disk_it_is_still_known_how_a_container_ended() {
    let Some(m) = Machine::new("verbs::full-disk", &["timeout"]) else { return };
    m.sh("mkdir -p \"$DOCENT_ROOT\" && mount -t tmpfs -o size=256m,mode=711 none \"$DOCENT_ROOT\"").ok();
    let script = "trap 'exit 7' USR1; while :; do sleep 0.01; done";
    m.docent(&["run", "-d", "--name", "full", "--network", "none", "tiny", "sh", "-c", script]).ok();
    m.sh("cat /dev/zero >\"$DOCENT_ROOT/ballast\" 2>/dev/null || true; [ \"$(df --output=avail \"$DOCENT_ROOT\" | tail -1)\" -eq 0 ]")
        .ok();
    m.docent(&["kill", "-s", "USR1", "full"]).ok();
    m.sh("timeout $((60 * SLOW)) sh -c 'until \"$0\" ps -aq --filter status=exited | grep -q .; do :; done' \"$0\"")
        .ok();
    m.sh("rm \"$DOCENT_ROOT/ballast\"").ok();
    let ended = m.docent(&["inspect", "-f", "{{.State.ExitCode}} {{.State.Status}}", "full"]).ok().stdout;
    assert_eq!(ended.trim(), "7 exited");
    m.docent(&["rm", "full"]).ok();
    m.sh("umount \"$DOCENT_ROOT\"").ok();
}

#[test]
fn a_container_that_could_not_start_says_with_which_code() {
    let Some(m) = Machine::new("verbs::never", &[]) else { return };
    let state =
        |m: &Machine| m.docent(&["inspect", "-f", "{{.State.Status}} {{.State.ExitCode}} {{.State.Error}}", "no"]);
    assert_eq!(m.docent(&["run", "--name", "no", "--network", "none", "tiny", "nothing-here"]).code, 127);
    assert_eq!(state(&m).ok().stdout, "created 127 exec: \"nothing-here\": executable file not found in $PATH\n");
    let taken = m.docent(&["--lang", "en", "create", "--name", "no", "tiny"]);
    let id = m.docent(&["ps", "-aq", "--no-trunc"]).ok().stdout;
    assert!(taken.stderr.contains(&format!("is already in use by container \"{}\"", id.trim())), "{}", taken.stderr);
    m.docent(&["rm", "no"]).ok();
    assert_eq!(m.docent(&["run", "--name", "no", "--network", "none", "tiny", "/etc"]).code, 126);
    assert!(state(&m).ok().stdout.starts_with("created 126 "));
    m.docent(&["run", "-d", "--name", "first", "-p", "127.0.0.1:8080:80", "nginx"]).ok();
    let id = m.docent(&["inspect", "-f", "{{.NetworkSettings.Networks.bridge.NetworkID}}", "first"]).ok().stdout;
    assert_eq!(id.trim().len(), 64);
    m.docent(&["rm", "no"]).ok();
    assert_eq!(m.docent(&["run", "--name", "no", "-p", "127.0.0.1:8080:80", "nginx"]).code, 125);
    assert!(state(&m).ok().stdout.starts_with("created 128 "));
}

#[test]
fn version_has_dockers_lines() {
    let Some(m) = Machine::new("verbs::version", &[]) else { return };
    let text = m.docent(&["version"]).ok().stdout;
    let own = env!("CARGO_PKG_VERSION");
    assert!(text.starts_with("Client:") && text.contains("\nServer:"), "{text}");
    assert!(text.contains(&format!("\n Version:           {own}\n")), "{text}");
    assert!(text.contains(&format!("\n  Version:          {own}\n")), "{text}");
    assert_eq!(
        m.docent(&["version", "-f", "{{.Client.Version}} {{.Server.Version}}"]).ok().stdout,
        format!("{own} {own}\n")
    );
}

#[test]
fn nobody_writes_to_a_read_only_root() {
    let Some(m) = Machine::new("verbs::read-only", &[]) else { return };
    let script =
        "touch /x /etc/x /srv/new/x || echo >/etc/hosts || echo EROFS; pwd; touch /dev/shm/x /dev/x && ls /dev/shm";
    let words = ["--narrate", "full", "--lang", "en", "run", "--name", "ro", "--read-only", "--network", "none"];
    let ran = m.docent(&[&words[..], &["-w", "/srv/new", "tiny", "sh", "-c", script]].concat()).ok();
    assert_eq!(ran.stdout, "EROFS\n/srv/new\nx\n", "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("Read-only file system").count(), 4, "{}", ran.stderr);
    assert!(m.events().iter().any(|e| matches!(e.fact, docent::inside::Fact::RootReadOnly)), "told");
    assert_eq!(m.docent(&["inspect", "-f", "{{.HostConfig.ReadonlyRootfs}}", "ro"]).ok().stdout, "true\n");
    for words in [&["cp", "/etc/hostname", "ro:/"][..], &["explain", "--", "cp", "/etc/hostname", "ro:/"]] {
        let ran = m.docent(&[&["--lang", "en"][..], words].concat());
        assert!(ran.code == 1 && ran.stderr.contains("container rootfs is marked read-only"), "{ran:?}");
    }
    m.docent(&["cp", "ro:/etc/passwd", "passwd"]).ok();
    // The same without it writes all of them.
    let ran = m.docent(&["run", "--rm", "--network", "none", "-w", "/srv/new", "tiny", "sh", "-c", script]).ok();
    assert_eq!(ran.stdout, "/srv/new\nx\n");
}

#[test]
fn what_is_started_again_while_it_is_removed_is_removed_too() {
    let Some(m) = Machine::new("verbs::rm-restarted", &[]) else { return };
    for name in ["first", "second"] {
        m.docent(&["run", "-d", "--name", name, "--network", "none", "tiny", "sleep", "1000"]).ok();
    }
    // The first one's monitor holds up its removal until the second, dead by then, has been started anew.
    let script = "monitor=$(ps -e -o pid=,args= | awk -v id=$(\"$0\" inspect -f '{{.Id}}' first) '$0 ~ \"__monitor\" && $0 ~ id {print $1}'); \
                  kill -STOP $monitor; \"$0\" rm -f first second & \
                  until [ \"$(\"$0\" ps -q --filter name=second)\" = '' ]; do :; done; \"$0\" start second; kill -CONT $monitor; wait";
    m.within(60, &["sh", "-c", script, common::DOCENT]).ok();
    assert_eq!(m.docent(&["ps", "-aq"]).ok().stdout, "");
}

#[test]
fn a_forecast_opens_no_archive() {
    let Some(m) = Machine::new("verbs::load-fifo", &[]) else { return };
    m.sh("mkfifo fifo").ok();
    m.within(20, &["sh", "-c", "\"$0\" explain -- load -i fifo", common::DOCENT]).ok();
}

#[test]
fn a_forecast_knows_what_force_forgives() {
    let Some(m) = Machine::new("verbs::rm-missing", &[]) else { return };
    let ran = m.docent(&["explain", "--", "rm", "-f", "no-such"]);
    assert_eq!((ran.code, m.docent(&["rm", "-f", "no-such"]).code), (0, 0), "{}", ran.stderr);
}
