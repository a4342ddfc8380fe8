//! The journal under kills, edits and concurrent writers.

use super::*;
use crate::event::{Fact, Resolved};
use crate::kernel::host::Host;
use std::process::Command;

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().expect("a directory");
    let (store, made) = Store::open(&dir.path().join("root"), Host::look()).expect("a store");
    if let Some(made) = made {
        made.tell(&mut crate::event::Story::new());
    }
    (dir, store)
}

fn begin(store: &Store) -> Journal {
    let argv: Vec<String> = ["docent", "run", "-e", "API_TOKEN=hunter2", "nginx"].map(String::from).into();
    Journal::begin(store, asked(&argv, "/home/me", 0, Lang::Ko))
}

/// Every event has its own time: two equal ones would hide a mix-up.
fn event(n: u64) -> Event {
    let (id, by) = ("sha256:0".to_string(), Resolved::Local);
    let fact = Fact::ImageResolved { reference: format!("image:{n}"), id: Some(id), by, layers: None, bytes: Some(n) };
    Event { at_us: n, ..Event::of(fact, Vec::new()) }
}

fn file(store: &Store, number: u64) -> PathBuf {
    path(store, number)
}

fn list(store: &Store) -> Vec<Record> {
    Journal::numbers(store).into_iter().filter_map(|n| Journal::read(store, n).ok()).collect()
}

#[test]
fn what_was_told_is_read_back() {
    let (_dir, store) = store();
    let mut journal = begin(&store);
    assert_eq!(journal.number(), None);
    assert_eq!(Journal::numbers(&store), Vec::<u64>::new(), "nothing is written before the first event");
    journal.events(&[event(1)]).expect("written");
    journal.events(&[event(2)]).expect("written");
    assert_eq!(journal.number(), Some(1));
    journal.end(125, Vec::new());
    let record = Journal::read(&store, 1).expect("a record");
    assert_eq!(record.events, [event(1), event(2)]);
    assert_eq!((record.exit, record.torn, record.broken), (Some(125), false, None));
    assert_eq!(record.header.asked.argv.join(" "), "docent run -e API_TOKEN=*** nginx");
    assert!(!fs::read_to_string(file(&store, 1)).expect("text").contains("hunter2"));
    begin(&store).end(0, Vec::new());
    assert_eq!(list(&store).pop().map(|r| (r.header.number, r.events.len(), r.exit)), Some((2, 0, Some(0))));
    assert_eq!(list(&store).len(), 2);
    assert_eq!(Journal::read(&store, 3), Err(Fault::NoSuchCommand { number: Some(3), last: Some(2) }));
}

/// Docent's first journals had other names for some fields.
#[test]
fn an_older_journal_is_read() {
    let (_dir, store) = store();
    let begin = r#"{"line":"begin","number":1,"argv":["docent","rm"],"time":"2026-01-02T03:04:05Z","cwd":"/","uid":0,"lang":"ko","prev":""}"#;
    let chained = |line: &str, last: &str| line.replace("HASH", &hash(last.as_bytes()));
    let event = r#"{"line":"event","id":1,"at_us":7,"took_us":1,"by_pid":9,"event":"mount.point","path":"/data","outcome":{"is":"done"},"prev":"HASH"}"#;
    let event = chained(event, begin);
    let end = chained(r#"{"line":"end","exit":1,"took_us":5,"prev":"HASH"}"#, &event);
    fs::write(file(&store, 1), [begin, &event, &end].join("\n") + "\n").expect("written");
    let record = Journal::read(&store, 1).expect("a record");
    assert_eq!((record.header.asked.argv.len(), record.exit, record.took_us), (2, Some(1), Some(5)));
    assert_eq!((record.torn, record.broken), (false, None));
    assert_eq!(record.events[0].fact, Fact::MountPoint { path: "/data".into() });
}

#[test]
fn a_kill_at_any_byte_leaves_the_events_before_it() {
    let (_dir, store) = store();
    let mut journal = begin(&store);
    for n in 1..=3 {
        journal.events(&[event(n)]).expect("written");
    }
    journal.end(0, Vec::new());
    let whole = fs::read(file(&store, 1)).expect("bytes");
    let mut seen = std::collections::BTreeSet::new();
    for cut in 0..whole.len() {
        let head = &whole[..cut];
        fs::write(file(&store, 1), head).expect("cut");
        let complete = head.iter().filter(|b| **b == b'\n').count();
        // A line that lacks only its newline is complete.
        let last = head.rsplit(|b| *b == b'\n').next().unwrap_or_default();
        let usable = complete + usize::from(serde_json::from_slice::<serde_json::Value>(last).is_ok());
        match Journal::read(&store, 1) {
            Err(_) => assert_eq!(usable, 0, "cut at {cut}"),
            Ok(record) => {
                assert_eq!(record.events.len(), usable.saturating_sub(1).min(3), "cut at {cut}");
                assert_eq!(record.torn, !last.is_empty() && usable == complete, "cut at {cut}");
                assert_eq!((record.broken, record.exit), (None, (usable == 5).then_some(0)), "cut at {cut}");
                seen.insert(record.events.len());
            }
        }
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
}

#[test]
fn an_edit_breaks_the_chain_where_it_was_made() {
    let (_dir, store) = store();
    let mut journal = begin(&store);
    for n in 1..=3 {
        journal.events(&[event(n)]).expect("written");
    }
    journal.end(0, Vec::new());
    let text = fs::read_to_string(file(&store, 1)).expect("text");
    for (from, to, line) in
        [("image:1\"", "image:9\"", 3), ("image:2\"", "image:9\"", 4), ("\"uid\":0", "\"uid\":1", 2)]
    {
        assert!(text.contains(from));
        fs::write(file(&store, 1), text.replace(from, to)).expect("edited");
        assert_eq!(Journal::read(&store, 1).expect("a record").broken, Some(line), "{from}");
    }
    let without: Vec<&str> = text.lines().enumerate().filter(|(i, _)| *i != 2).map(|(_, l)| l).collect();
    fs::write(file(&store, 1), without.join("\n")).expect("edited");
    assert_eq!(Journal::read(&store, 1).expect("a record").broken, Some(3));
}

/// The body of a child of [`fifty_commands_at_once`]: one command in a process of its own.
#[test]
fn one_of_fifty() {
    let Some(root) = std::env::var_os("DOCENT_TEST_JOURNAL") else { return };
    let (store, _) = Store::open(Path::new(&root), Host::look()).expect("a store");
    let mut journal = begin(&store);
    journal.events(&[event(u64::from(std::process::id()))]).expect("written");
    journal.end(0, Vec::new());
}

#[test]
fn fifty_commands_at_once_get_fifty_numbers() {
    let (_dir, store) = store();
    let program = std::env::current_exe().expect("this test");
    let start = || {
        let mut command = Command::new(&program);
        command.args(["--exact", "store::journal::tests::one_of_fifty"]);
        command.env("DOCENT_TEST_JOURNAL", store.root()).stdout(std::process::Stdio::null());
        command.spawn().expect("a child")
    };
    let children: Vec<_> = (0..50).map(|_| start()).collect();
    let mut pids: Vec<u64> = children.iter().map(|c| u64::from(c.id())).collect();
    for mut child in children {
        assert!(child.wait().expect("its end").success());
    }
    assert_eq!(Journal::numbers(&store), (1..=50).collect::<Vec<u64>>());
    let records = list(&store);
    let mut told: Vec<u64> = records.iter().flat_map(|r| &r.events).map(|e| e.at_us).collect();
    told.sort_unstable();
    pids.sort_unstable();
    assert_eq!(told, pids, "each wrote into its own file");
    assert!(records.iter().all(|r| r.exit == Some(0) && r.broken.is_none() && !r.torn));
}

#[test]
fn a_lost_or_wrong_hint_gives_no_number_twice() {
    let (_dir, store) = store();
    for _ in 0..3 {
        begin(&store).end(0, Vec::new());
    }
    fs::remove_file(hint_path(&store)).expect("removed");
    begin(&store).end(0, Vec::new());
    File::options().write(true).open(hint_path(&store)).and_then(|f| f.set_len(1)).expect("set back");
    begin(&store).end(0, Vec::new());
    let hint = File::options().write(true).open(hint_path(&store)).expect("the hint");
    hint.set_len(LAST_NUMBER + 7).expect("far too high");
    begin(&store).end(0, Vec::new());
    assert_eq!(Journal::numbers(&store), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn the_oldest_go() {
    let (_dir, store) = store();
    begin(&store).end(0, Vec::new());
    let hint = File::options().write(true).open(hint_path(&store)).expect("the hint");
    hint.set_len(KEPT + PRUNE_EVERY - 1 - (KEPT + PRUNE_EVERY) % PRUNE_EVERY).expect("set");
    // By the clock, one told long before the oldest record that stays and one after it.
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(3600);
    let (old, new) = (&ContainerId::sample("old"), &ContainerId::sample("new"));
    for (id, at) in [(old, std::time::UNIX_EPOCH), (new, later)] {
        store.append_monitor_events(id, &[event(1)]);
        File::options().write(true).open(store.monitor_journal(id)).and_then(|f| f.set_modified(at)).expect("its time");
    }
    begin(&store).end(0, Vec::new());
    assert!(!store.monitor_journal(old).exists() && store.monitor_journal(new).exists());
    let numbers = Journal::numbers(&store);
    assert_eq!(numbers.len(), 1, "{numbers:?}");
    assert_eq!(numbers.iter().map(|n| n % PRUNE_EVERY).collect::<Vec<_>>(), [0]);
}

#[test]
fn a_later_monitor_goes_on_after_a_torn_line() {
    let (_dir, store) = store();
    let id = &ContainerId::sample("web");
    store.append_monitor_events(id, &[event(1)]);
    let mut file = File::options().append(true).open(store.monitor_journal(id)).expect("the file");
    file.write_all(b"{\"at_us\":2,\"torn").expect("torn");
    store.append_monitor_events(id, &[event(3)]);
    let read = read_lines(&store.monitor_journal(id)).expect("lines");
    assert_eq!((read.torn, read.broken), (true, None), "the chain goes over the torn line");
    let read = Journal::of_container(&store, id);
    let told: Vec<_> = read.iter().map(|e| (e.at_us, e.container.as_deref())).collect();
    assert_eq!(told, [(1, Some(id.as_str())), (3, Some(id.as_str()))]);
}

#[test]
fn concepts_are_learned_by_user() {
    let (_dir, store) = store();
    assert!(store.learned(0).is_empty());
    store.learn(0, ["namespaces", "cgroup"]);
    store.learn(1000, ["pause"]);
    store.learn(0, ["cgroup"]);
    assert_eq!(store.learned(0).into_iter().collect::<Vec<_>>(), ["cgroup", "namespaces"]);
    assert!(store.learned(1000).contains("pause"));
}

#[test]
fn a_containers_secrets_are_in_no_part_of_its_event() {
    let (_dir, store) = store();
    let mut journal = begin(&store);
    let argv: Vec<String> = ["curl", "-u", "me:hunter2", "--token", "hunter2", "h"].map(String::from).into();
    let call = crate::kernel::process::execve_call("/usr/bin/curl".as_ref(), &argv, 0);
    let fact = Fact::Exec { path: Some("/usr/bin/curl".into()), argv, cwd: "/".into(), user: Some("0:0".into()) };
    journal.events(&[Event::of(fact, vec![call])]).expect("written");
    let text = fs::read_to_string(file(&store, 1)).expect("text");
    assert!(!text.contains("hunter2") && text.contains("me:***"), "{text}");
}
