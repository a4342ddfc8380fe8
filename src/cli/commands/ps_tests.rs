//! The columns of `ps`, with a clock that stands still.

use super::*;
use crate::cli::inspect::sample;
use crate::container::End;
use chrono::{TimeDelta, TimeZone};

fn now() -> DateTime<Utc> {
    Utc.timestamp_opt(1_772_604_367, 0).single().expect("a time")
}

fn utc() -> FixedOffset {
    FixedOffset::east_opt(0).expect("an offset")
}

fn before(seconds: i64) -> DateTime<Utc> {
    now() - TimeDelta::seconds(seconds)
}

/// What a sample has while it runs, begun so many seconds ago.
fn life(container: &Container, started: i64) -> Life {
    let mut life = container.state.life().cloned().expect("a sample runs");
    life.init.as_mut().expect("PID 1").at = before(started);
    life
}

fn exited(code: i32, started: i64, finished: i64) -> State {
    let (started, finished) = (before(started), before(finished));
    State::Exited(End { code, oom_killed: false, started, finished, error: None, cgroups: Vec::new() })
}

fn three() -> Vec<Container> {
    let mut web = sample("3f2a9c0d1e4b", "web");
    (web.created, web.state) = (before(42), State::Paused(life(&web, 41)));
    let mut old = sample("0123456789ab", "old");
    (old.created, old.state) = (before(90000), exited(137, 90000, 1));
    old.config.cmd = Some(vec!["sh".into(), "-c".into(), "echo \"a\"\n".into()]);
    let mut made = sample("aaaaaaaaaaaa", "made");
    (made.created, made.state) = (before(7), State::default());
    made.host_config.network_mode = NetworkMode::None;
    made.config.image = "tiny".into();
    vec![web, old, made]
}

#[track_caller]
fn lines(args: Ps) -> String {
    ps(&three(), &Ps { last: -1, ..args }, now(), utc()).expect("a list")
}

#[test]
fn the_table_is_dockers() {
    assert_eq!(
        lines(Ps { all: true, ..Ps::default() }),
        "CONTAINER ID   IMAGE     COMMAND                  CREATED          STATUS                      PORTS                                     NAMES\n\
         aaaaaaaaaaaa   tiny      \"nginx -g 'daemon of…\"   7 seconds ago    Created                                                               made\n\
         3f2a9c0d1e4b   nginx     \"nginx -g 'daemon of…\"   42 seconds ago   Up 41 seconds (Paused)      0.0.0.0:8080->80/tcp, [::]:8080->80/tcp   web\n\
         0123456789ab   nginx     \"sh -c 'echo \\\"a\\\"\\n'\"   25 hours ago     Exited (137) 1 second ago                                             old\n"
    );
}

#[test]
fn which_are_shown() {
    let names = |args: Ps| {
        let args = Ps { format: Some("{{.Names}}".into()), ..args };
        lines(args).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let base = Ps::default;
    let filtered = |text: &str| Ps { filter: vec![crate::cli::parsers::parse_filter(text).expect("ok")], ..base() };
    assert_eq!(names(base()), "web");
    assert_eq!(names(Ps { all: true, ..base() }), "made web old");
    assert_eq!(names(Ps { latest: true, ..base() }), "made");
    assert_eq!(names(filtered("status=exited")), "old");
    assert_eq!(names(filtered("exited=137")), "old");
    assert_eq!(names(filtered("exited=0")), "");
    assert_eq!(names(Ps { all: true, ..filtered("name=^made$") }), "made");
    assert_eq!(names(filtered("name=made")), "");
    assert_eq!(names(Ps { all: true, ..filtered("ancestor=tiny") }), "made");
    assert_eq!(names(Ps { all: true, ..filtered("label=tier=one") }), "made web old");
    assert_eq!(names(Ps { all: true, ..filtered("label=tier=two") }), "");
    assert_eq!(names(Ps { all: true, ..filtered("id=0123") }), "old");
    let two = ps(&three(), &Ps { last: 2, quiet: true, ..base() }, now(), utc());
    assert_eq!(two.as_deref(), Ok("aaaaaaaaaaaa\n3f2a9c0d1e4b\n"));
    let none = ps(&three(), &Ps { last: 0, ..base() }, now(), utc()).expect("a list");
    assert_eq!(none.lines().count(), 2);
}

#[test]
fn forms() {
    assert_eq!(lines(Ps { quiet: true, ..Ps::default() }), "3f2a9c0d1e4b\n");
    let whole = lines(Ps { no_trunc: true, quiet: true, ..Ps::default() });
    assert_eq!(whole.trim().len(), 64);
    let format = |f: &str| lines(Ps { format: Some(f.into()), ..Ps::default() });
    assert_eq!(
        format("json"),
        "{\"Command\":\"\\\"nginx -g 'daemon of…\\\"\",\"CreatedAt\":\"2026-03-04 06:05:25 +0000 UTC\",\
         \"ID\":\"3f2a9c0d1e4b\",\"Image\":\"nginx\",\"Labels\":\"tier=one\",\"LocalVolumes\":\"0\",\"Mounts\":\"\",\
         \"Names\":\"web\",\"Networks\":\"bridge\",\"Ports\":\"0.0.0.0:8080->80/tcp, [::]:8080->80/tcp\",\
         \"RunningFor\":\"42 seconds ago\",\"State\":\"paused\",\"Status\":\"Up 41 seconds (Paused)\"}\n"
    );
    assert_eq!(format("{{json .}}"), format("json"));
    assert_eq!(format("{{.Names}}: {{.Label \"tier\"}}"), "web: one\n");
    assert_eq!(format("table {{.Names}}\\t{{.Status}}"), "NAMES     STATUS\nweb       Up 41 seconds (Paused)\n");
    let bad = ps(&three(), &Ps { format: Some("{{.Size}}".into()), ..Ps::default() }, now(), utc());
    assert!(matches!(bad, Err(Fault::BadTemplate { .. })));
}

#[test]
fn ports_in_all_their_forms() {
    let port = |host_ip: &str, host_port: u16, port: u16| Port {
        host_ip: host_ip.parse().ok(),
        host_port: Some(host_port),
        port,
        proto: "tcp".into(),
    };
    let mut c = sample("3f2a9c0d1e4b", "web");
    for (published, exposed, text) in [
        (vec![], vec![], ""),
        (vec![], vec!["80/tcp", "443/tcp"], "80/tcp, 443/tcp"),
        (vec![], vec!["80/tcp", "81/tcp", "53/udp"], "53/udp, 80-81/tcp"),
        (vec![port("127.0.0.1", 8080, 80)], vec!["80/tcp", "443/tcp"], "443/tcp, 127.0.0.1:8080->80/tcp"),
        (vec![port("::1", 80, 80), port("0.0.0.0", 9, 80)], vec![], "[::1]:80->80/tcp, 0.0.0.0:9->80/tcp"),
        (vec![port("", 80, 80), port("", 81, 81)], vec![], "0.0.0.0:80-81->80-81/tcp, [::]:80-81->80-81/tcp"),
        (vec![port("", 65535, 65535)], vec!["x"], "0.0.0.0:65535->65535/tcp, [::]:65535->65535/tcp"),
    ] {
        c.state = State::Running(Life { ports: published, ..life(&c, 1) });
        c.config.exposed_ports = exposed.into_iter().map(|p| (p.to_string(), crate::container::Empty {})).collect();
        assert_eq!(ports(&c), text);
    }
    c.state = exited(0, 2, 1);
    assert_eq!(ports(&c), "");
}

#[test]
fn what_a_container_writes_cannot_move_the_cursor() {
    assert_eq!(quote("a\u{1b}[2J\u{202e}\u{e0001}\t\u{85}"), "\"a\\x1b[2J\\u202e\u{e0001}\\t\\u0085\"");
    assert_eq!(quote("한글 \"x\" \\"), "\"한글 \\\"x\\\" \\\\\"");
}
