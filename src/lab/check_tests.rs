//! Checks on worlds that are written down: each near miss of the page exercise by itself.

use super::*;
use crate::container::{Config, ContainerId, HostConfig, Init, Life, Port, PortBinding, State};
use crate::event::Verdict;
use crate::image::ImageId;
use crate::lab::http::{NoAnswer, Response};
use crate::lab::world::Page;
use crate::lab::{Lab, score};

const LAB: &str = include_str!("../../labs/03-nginx-cp-edit/lab.toml");
const PAGE: &str = "/usr/share/nginx/html/index.html";
const TOKEN: &str = "aabbccddeeff";
const ORIGINAL: &str = "<body>Welcome</body>";

#[derive(Default)]
struct Written {
    containers: Vec<Container>,
    events: Vec<Event>,
    upper: BTreeMap<(String, String), String>,
    image: Option<&'static str>,
    fresh: Option<&'static str>,
}

impl World for Written {
    fn containers(&self) -> Result<Vec<Container>, Fault> {
        Ok(self.containers.clone())
    }
    fn events(&self) -> Result<Vec<Event>, Fault> {
        Ok(self.events.clone())
    }
    fn upper_file(&self, id: &ContainerId, path: &str) -> Result<Option<Vec<u8>>, Fault> {
        Ok(self.upper.get(&(id.into(), path.into())).map(|s| s.clone().into_bytes()))
    }
    fn image_file(&self, _: &Container, path: &str) -> Result<Option<Vec<u8>>, Fault> {
        Ok(self.image.filter(|_| path == PAGE).map(|s| s.as_bytes().to_vec()))
    }
    /// What the owner of the port shows: its write layer, else its image.
    fn published_page(&self, host_port: u16, _: &str) -> Page {
        let owner = self
            .containers
            .iter()
            .find(|c| c.state.life().is_some_and(|l| l.ports.iter().any(|p| p.host_port == Some(host_port))));
        let owner = owner.ok_or(NoAnswer { errno: libc::ECONNREFUSED })?;
        let covered = self.upper.get(&(owner.id.to_string(), PAGE.into()));
        let body = covered.cloned().or(self.image.map(str::to_string)).ok_or(NoAnswer { errno: libc::ECONNREFUSED })?;
        Ok(Response { status: 200, body })
    }
    fn fresh_page(&self, _: &Container, _: u16, _: &str) -> Result<Page, Fault> {
        Ok(self.fresh.map(|b| Response { status: 200, body: b.into() }).ok_or(NoAnswer { errno: libc::ECONNREFUSED }))
    }
    fn own_image(&self, _: &str) -> Option<&ImageId> {
        None
    }
    fn shell(&self, _: &str) -> Result<i32, Fault> {
        Ok(0)
    }
}

fn container(name: &str, status: Status, port: Option<u16>) -> Container {
    let ports: Vec<Port> = port
        .map(|host_port| Port { host_ip: None, host_port: Some(host_port), port: 80, proto: "tcp".into() })
        .into_iter()
        .collect();
    let binding = |p: &Port| (format!("{}/tcp", p.port), vec![PortBinding { host_ip: None, host_port: p.host_port }]);
    let port_bindings = ports.iter().map(binding).collect();
    let life = Life {
        boot_id: String::new(),
        monitor: 1,
        init: Some(Init { pid: 2, start_time: 1, at: chrono::Utc::now() }),
        endpoint: None,
        ports,
        cgroups: Vec::new(),
    };
    let state = match status {
        Status::Running => State::Running(life),
        Status::Exited => life.lost(Vec::new()),
        _ => State::default(),
    };
    Container {
        id: ContainerId::sample(name),
        name: name.into(),
        created: chrono::Utc::now(),
        image_id: ImageId::of_hex(&"1".repeat(64)),
        layers: Vec::new(),
        config: Config { image: "nginx".into(), ..Config::default() },
        host_config: HostConfig { port_bindings, ..HostConfig::default() },
        networking_config: Default::default(),
        origin: None,
        state,
    }
}

fn copied(name: &str, path: &str, into_container: bool) -> Event {
    let inside = format!("{name}:{path}");
    let (from, to) =
        if into_container { ("index.html".to_string(), inside) } else { (inside, "index.html".to_string()) };
    let (from, to) = (from.into(), to.into());
    let fact = Fact::Copied { from, to, bytes: Some(1), entries: Some(1), into_container };
    Event { container: Some(ContainerId::sample(name).to_string()), ..Event::of(fact, Vec::new()) }
}

/// The exercise done right.
fn done() -> Written {
    let edited = ORIGINAL.replace("</body>", &format!("<p>{TOKEN}</p></body>"));
    Written {
        containers: vec![container("web", Status::Running, Some(8080))],
        events: vec![copied("web", PAGE, false), copied("web", PAGE, true)],
        upper: BTreeMap::from([(((&ContainerId::sample("web")).into(), PAGE.into()), edited)]),
        image: Some(ORIGINAL),
        fresh: Some(ORIGINAL),
    }
}

fn cover(world: &mut Written, text: Option<&str>) {
    world.upper.clear();
    if let Some(text) = text {
        world.upper.insert(((&ContainerId::sample("web")).into(), PAGE.into()), text.into());
    }
}

/// Failed tasks with their causes, and skipped tasks.
fn verdicts(world: &Written) -> (Vec<String>, Vec<String>) {
    let lab = Lab::parse("lab.toml", LAB).unwrap();
    let values = BTreeMap::from([("LAB_TOKEN".to_string(), TOKEN.to_string())]);
    let score = score(&lab, &values, world, true).unwrap();
    let (mut failed, mut skipped) = (Vec::new(), Vec::new());
    for task in &score.tasks {
        match &task.verdict {
            Verdict::Failed { miss } => failed.push(format!("{}={}", task.id, miss.cause.code())),
            Verdict::Skipped { .. } => skipped.push(task.id.clone()),
            Verdict::Passed => assert_eq!(task.points, task.max),
            Verdict::Unlooked => panic!("a thorough look left {} out", task.id),
        }
    }
    (failed, skipped)
}

#[track_caller]
fn expect(change: impl FnOnce(&mut Written), failed: &str, skipped: &str) {
    let mut world = done();
    change(&mut world);
    let words = |text: &str| text.split_whitespace().map(str::to_string).collect::<Vec<_>>();
    assert_eq!(verdicts(&world), (words(failed), words(skipped)));
}

#[test]
fn done_right_is_full_marks() {
    expect(|_| {}, "", "");
}

#[test]
fn the_way_in_and_its_misses() {
    let no_in = |w: &mut Written| w.events.truncate(1);
    expect(|w| (no_in(w), cover(w, None)).1, "in=not-copied-in", "page image");
    expect(no_in, "in=edited-inside", "page image");
    expect(
        |w| {
            no_in(w);
            cover(w, None);
            w.events.push(copied("web", "/usr/share/nginx/index.html", true))
        },
        "in=wrong-path",
        "page image",
    );
    expect(
        |w| {
            no_in(w);
            cover(w, None);
            w.containers.push(container("web2", Status::Running, None));
            w.events.push(copied("web2", PAGE, true))
        },
        "in=wrong-container",
        "page image",
    );
    // A directory above it is as good a target, when the file is what arrives.
    expect(
        |w| {
            no_in(w);
            w.events.push(copied("web", "/usr/share/nginx/html/", true))
        },
        "",
        "",
    );
}

#[test]
fn what_is_in_the_page() {
    expect(|w| cover(w, Some(ORIGINAL)), "in=unedited", "page image");
    expect(|w| cover(w, Some("<body>0123456789ab</body>")), "in=wrong-token", "page image");
    expect(|w| cover(w, Some("<body>hello</body>")), "in=token-missing", "page image");
    expect(|w| cover(w, None), "in=not-copied-in", "page image");
}

#[test]
fn the_container_itself() {
    expect(
        |w| w.containers[0] = container("web", Status::Exited, Some(8080)),
        "run=not-running",
        "port out in page image",
    );
    expect(
        |w| w.containers[0] = container("web", Status::Paused, Some(8080)),
        "run=wrong-state",
        "port out in page image",
    );
    expect(|w| w.containers[0].config.image = "tiny".into(), "run=wrong-image", "port out in page image");
    expect(|w| w.containers[0].config.image = "docker.io/library/nginx:latest".into(), "", "");
    expect(|w| w.containers[0].name = "wbe".into(), "run=wrong-name", "port out in page image");
    expect(|w| w.containers.clear(), "run=no-container", "port out in page image");
    expect(
        |w| {
            w.containers.clear();
            w.events.push(Event::of(
                Fact::ContainerRemoved { id: (&ContainerId::sample("web")).into(), name: "web".into() },
                Vec::new(),
            ));
        },
        "run=removed",
        "port out in page image",
    );
}

#[test]
fn copies_of_a_container_that_is_gone_do_not_count() {
    expect(
        |w| {
            w.containers[0].id = ContainerId::sample("new");
            w.upper.clear();
        },
        "out=wrong-container in=wrong-container",
        "page image",
    );
}

#[test]
fn the_port_and_its_misses() {
    let no_port = |w: &mut Written| w.containers[0] = container("web", Status::Running, None);
    expect(no_port, "port=port-not-published", "page");
    expect(|w| w.containers[0] = container("web", Status::Running, Some(80)), "port=port-elsewhere", "page");
    expect(
        |w| {
            no_port(w);
            w.containers.push(container("front", Status::Running, Some(8080)))
        },
        "port=port-of-another",
        "page",
    );
}

#[test]
fn the_image_must_be_seen_before_its_lack_counts() {
    expect(|w| w.image = None, "image=not-in-image", "");
    expect(|w| w.image = Some("<body>aabbccddeeff</body>"), "image=image-has-it", "");
    expect(|w| w.fresh = Some("other"), "image=fresh-differs", "");
    expect(|w| w.fresh = None, "image=no-answer", "");
}

#[test]
fn what_failed_did_not_happen() {
    expect(
        |w| {
            let event = w.events.pop().unwrap();
            let error = crate::event::SysError::new("openat", "x", libc::EACCES);
            w.events.push(Event { outcome: Outcome::Failed { error }, ..event });
        },
        "in=edited-inside",
        "page image",
    );
}

#[test]
fn events_are_matched_by_kind_container_and_fields() {
    let world = done();
    let values = BTreeMap::new();
    let checker = Checker::new(&world, &values).unwrap();
    let check = |entries: u32| Check::Event {
        event: "cow.copied".into(),
        container: Some("web".into()),
        fields: BTreeMap::from([("entries".to_string(), toml::Value::Integer(entries.into()))]),
    };
    assert_eq!(checker.check(&check(1)).unwrap(), None);
    assert_eq!(checker.check(&check(2)).unwrap().unwrap().cause.code(), "no-event");
}

#[test]
fn a_cheap_look_starts_nothing_and_hides_nothing() {
    let lab = Lab::parse("lab.toml", LAB).unwrap();
    let values = BTreeMap::from([("LAB_TOKEN".to_string(), TOKEN.to_string())]);
    let score = score(&lab, &values, &Written { fresh: None, ..done() }, false).unwrap();
    assert_eq!(score.tasks.last().unwrap().verdict, Verdict::Unlooked);
    assert_eq!(score.points, 90);
}
