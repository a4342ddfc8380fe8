//! Commands that are made to fail or are killed at each of their changing calls: what must be there before, and what must
//! hold after.

use super::tracer::{self, Act, Point};
use super::{DOCENT, Machine, archive};

pub struct Scenario {
    pub name: &'static str,
    /// Lines for `sh -e`; `$0` is docent.
    script: &'static str,
    /// Brings the machine into the state in which the command has its work to do.
    pub before: fn(&Machine),
    /// Given whether it reported success and what it said: what is wrong now.
    pub after: fn(&Machine, bool, &str) -> Vec<String>,
}

impl Scenario {
    pub fn argv<'a>(&self, docent: &'a str) -> [&'a str; 4] {
        ["sh", "-ec", self.script, docent]
    }
}

pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "run --rm",
        script: "$0 run --rm --network none tiny true",
        before: clear,
        after: |_, _, _| Vec::new(),
    },
    Scenario {
        name: "run -d -p",
        script: "$0 run -d --name web -p 8080:80 tiny sleep 1000",
        before: clear,
        after: |machine, ok, said| {
            let id = said.trim();
            let listed = machine.docent(&["ps", "-aq", "--no-trunc"]).stdout;
            match (ok, id.is_empty()) {
                (true, true) => vec!["success without an id".into()],
                (_, false) if !listed.contains(id) => vec![format!("{id} was reported and is not there")],
                _ => Vec::new(),
            }
        },
    },
    Scenario {
        name: "rm -f",
        script: "$0 rm -f web",
        before: |machine| {
            clear(machine);
            machine.docent(&["run", "-d", "--name", "web", "--network", "none", "tiny", "sleep", "1000"]).ok();
        },
        after: |machine, ok, said| {
            let there = machine.docent(&["ps", "-a", "--format", "{{.Names}}"]).stdout.contains("web");
            if there && (ok || said.contains("web")) {
                vec!["removed, it was said, and it is there".into()]
            } else {
                Vec::new()
            }
        },
    },
    // The monitor's part in an end: reaping, the cgroup, the state.
    Scenario {
        name: "run, kill, start, stop, rm",
        script: "$0 run -d --name web --network none tiny sleep 1000; $0 kill web; $0 start web; $0 stop -t 0 web; $0 rm web",
        before: clear,
        after: |machine, ok, _| {
            let there = machine.docent(&["ps", "-a", "--format", "{{.Names}}"]).stdout.contains("web");
            if there && ok { vec!["removed, it was said, and it is there".into()] } else { Vec::new() }
        },
    },
    Scenario {
        name: "cp in",
        script: "$0 cp tree web:/srv",
        before: with_container,
        after: |machine, ok, _| {
            let got = machine.docent(&["exec", "web", "cat", "/srv/tree/a", "/srv/tree/deep/b"]).stdout;
            if ok && got != "one\ntwo\n" { vec![format!("copied, it was said: {got:?}")] } else { Vec::new() }
        },
    },
    Scenario {
        name: "cp out",
        script: "$0 cp web:/etc/passwd out",
        before: with_container,
        after: |machine, ok, _| {
            let got = std::fs::read_to_string(machine.work().join("out")).unwrap_or_default();
            if (ok || !got.is_empty()) && !got.ends_with('\n') {
                vec![format!("half a copy: {got:?}")]
            } else {
                Vec::new()
            }
        },
    },
    Scenario {
        name: "load",
        script: "$0 load -i hello.tar",
        before: |machine| {
            clear(machine);
            // A new image each time: its layer is not here yet.
            let n = std::fs::read_dir(machine.root().join("journal")).map_or(0, |d| d.count());
            archive(&machine.work().join("hello.tar"), &format!("hello:{n}"));
            std::fs::write(machine.work().join("tag"), format!("hello:{n}")).expect("tag");
        },
        after: |machine, ok, said| {
            let tag = std::fs::read_to_string(machine.work().join("tag")).unwrap_or_default();
            if !ok && !said.contains("Loaded image") {
                return Vec::new();
            }
            let name = format!("c{}", tag.replace(':', "-"));
            let ran = machine.docent(&["create", "--name", &name, &tag]);
            if ran.code == 0 { Vec::new() } else { vec![format!("loaded, it was said: {}", ran.stderr)] }
        },
    },
];

/// A store with `tiny`, made once for a machine.
pub fn base(machine: &Machine) {
    machine.docent(&["run", "--rm", "tiny", "true"]).ok();
    std::fs::create_dir_all(machine.work().join("tree/deep")).expect("tree");
    std::fs::write(machine.work().join("tree/a"), "one\n").expect("a");
    std::fs::write(machine.work().join("tree/deep/b"), "two\n").expect("b");
}

fn clear(machine: &Machine) {
    machine.sh("$0 ps -aq | xargs -r $0 rm -f").ok();
}

fn with_container(machine: &Machine) {
    clear(machine);
    drop(std::fs::remove_file(machine.work().join("out")));
    machine.docent(&["run", "-d", "--name", "web", "--network", "none", "tiny", "sleep", "1000"]).ok();
}

/// The changing calls of the command when nothing disturbs it.
pub fn points_of(machine: &Machine, scenario: &Scenario) -> Vec<Point> {
    (scenario.before)(machine);
    let traced = tracer::trace(machine.command(&scenario.argv(DOCENT)), DOCENT, Act::Watch);
    let said = String::from_utf8_lossy(&traced.output.stderr).into_owned();
    assert!(traced.output.status.success(), "{}: {said}", scenario.name);
    assert!(traced.points.len() > 5, "{}: the points are found", scenario.name);
    traced.points
}

/// The next command puts in order what the last one left: afterwards only what runs has processes, groups and devices.
pub fn settle(machine: &Machine) -> Vec<String> {
    let next = machine.docent(&["ps", "-a"]);
    if next.code != 0 {
        return vec![format!("the next command fails: {}", next.stderr)];
    }
    // A monitor that has just ended may still be on its way out.
    let until = std::time::Instant::now() + super::seconds(2);
    loop {
        let left = machine.leftovers_now(machine.running());
        if left.is_empty() || std::time::Instant::now() > until {
            return left;
        }
    }
}

/// Every verb of the engine; `$0` is docent. A line that should fail is written `! …`.
pub const VERBS: &str = r#"
trap '"$0" ps -aq | xargs -r "$0" rm -f' EXIT
"$0" version
"$0" load -i hello.tar
"$0" images
"$0" run --rm --network none tiny true
"$0" run --rm --read-only --network none tiny true
"$0" run --rm -m 64m --cpus 0.5 --pids-limit 50 -e A=b -w /srv/new -u 1000:1000 --network none tiny sh -c 'echo $A'
"$0" create --name made --network none tiny true
"$0" rename made remade
"$0" start -a remade
"$0" rm remade
"$0" run -d --name web -p 127.0.0.1:8080:80 nginx
"$0" run -d --name two -p 8081:80 nginx
"$0" ps
"$0" inspect web
"$0" inspect tiny
echo edited > index.html
mkdir -p tree/deep
for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do echo $n > tree/deep/$n; done
ln -s deep/1 tree/link
"$0" cp index.html web:/usr/share/nginx/html/index.html
"$0" cp web:/usr/share/nginx/html/index.html out.html
"$0" cp -a tree web:/srv
"$0" cp web:/srv/tree back
"$0" exec web sh -c 'echo more >> /usr/share/nginx/html/index.html; rm /etc/motd; true'
"$0" exec -u 1000 -w /tmp web true
"$0" diff web
"$0" logs web
"$0" pause web
"$0" unpause web
"$0" kill -s HUP two || true
"$0" stop web web
"$0" diff web
"$0" cp index.html web:/late
"$0" cp web:/late late
"$0" start web web
"$0" rm -f two
"$0" pause web
"$0" rm -f web
"$0" run -i --rm --network none tiny cat < index.html
script -qec "'$0' run -it --rm --network none tiny sh -c 'tty; stty size'" /dev/null < /dev/null
"$0" run -d --name term -t --network none tiny sleep 100
script -qec "'$0' exec -it term true" /dev/null < /dev/null
"$0" kill term
"$0" rm term
! "$0" run --rm --network none tiny no-such-program
! "$0" run --name broken --network none tiny /etc/passwd
"$0" rm broken
"$0" ps -a
"#;
