//! What holds for every definition.

use super::*;
use std::collections::BTreeSet;

/// The published table: what each event may claim, and how it is proven. The truth test holds docent to it.
#[test]
fn the_table_of_events_is_as_published() {
    let mut table = String::new();
    for d in DEFINITIONS {
        table += &format!("{}\n", d.name);
        let mut row = |head: &str, text: &str| {
            if !text.is_empty() {
                table += &format!("    {head:<8}{text}\n");
            }
        };
        row("calls", &d.calls.join(" "));
        if let Some(bulk) = d.bulk {
            row("bulk", &format!("with more than {} entries: {}", bulk.after, bulk.calls.join(" ")));
        }
        match d.proof {
            Provable::By { programs, falsifier } => {
                row("proof", &programs.join(" "));
                row("broken", falsifier);
            }
            Provable::Not { why } => row("none", why),
        }
        row("man", d.man.unwrap_or_default());
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../tests/truth");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!("events", table));
}

#[test]
fn names_are_unique_and_stand_in_json() {
    let names: BTreeSet<&str> = DEFINITIONS.iter().map(|d| d.name).collect();
    assert_eq!(names.len(), DEFINITIONS.len());
    for fact in samples::all_facts() {
        let json = serde_json::to_value(&fact).expect("JSON");
        assert_eq!(json["event"], fact.definition().name);
    }
}

#[test]
fn codes_of_causes_are_unique_and_stand_in_results() {
    let codes: BTreeSet<&str> = Cause::CODES.iter().copied().collect();
    assert_eq!(codes.len(), Cause::CODES.len());
    for cause in causes() {
        let miss = Miss { cause, expected: s("a"), actual: s("b") };
        let json = serde_json::to_value(&miss).expect("JSON");
        assert_eq!(json["cause"], miss.cause.code());
        assert_eq!(serde_json::from_value::<Miss>(json).expect("a miss"), miss);
    }
}

#[test]
fn every_word_of_a_command_by_hand_is_quoted() {
    let evil = Fact::MountPoint { path: "/a b;rm -rf $HOME".into() };
    assert_eq!(evil.by_hand().as_deref(), Some("mkdir -p '/a b;rm -rf $HOME'"));
    let forecast = Fact::Veth { host: None, inside: "eth0".into(), bridge: None };
    assert_eq!(forecast.by_hand().as_deref(), Some("ip link add … master … up type veth peer name eth0 netns PID"));
}

/// Journals of before the fields had one meaning each. A layer had its chain ID there, which is no diff ID: it is left out.
#[test]
fn older_names_of_fields_are_still_read() {
    let namespaces = r#"[{"kind":"pid","inode":2,"host":1}]"#;
    for old in [
        r#"{"event":"container.exited","container_id":"0","name":"web","code":1,"signal":null,"oom":false}"#
            .to_string(),
        r#"{"event":"cow.change","path":"/a","change":"copied-up","number":3,"image":"c","was":1,"now":2}"#.into(),
        r#"{"event":"image.resolved","reference":"a","image_id":"b","by":"local","layers":["c"],"bytes":1}"#.into(),
        r#"{"event":"mount.bind","source":"/a","target":"/b","read_only":true}"#.into(),
        format!(r#"{{"event":"namespace.made","pid":7,"inside":1,"namespaces":{namespaces}}}"#),
        r#"{"event":"process.signal","pid":7,"signal":9,"name":"SIGKILL","all":false}"#.into(),
    ] {
        let fact: Fact = serde_json::from_str(&old).expect(&old);
        let new = serde_json::to_value(&fact).expect("JSON");
        let values = |json: &serde_json::Value| -> Vec<String> {
            let fields = json.as_object().expect("an object").values();
            fields.filter(|v| !v.is_array()).map(ToString::to_string).collect()
        };
        let (was, is) = (values(&serde_json::from_str(&old).expect("JSON")), values(&new));
        assert!(was.iter().all(|value| is.contains(value)), "{old}\n{new}");
    }
}

/// Sentences that once claimed more than was done.
#[test]
fn a_sentence_claims_only_what_the_call_did() {
    let said = |fact: &Fact| [Lang::Ko, Lang::En].map(|lang| fact.sentence(lang, Tense::Done)).join("\n");
    let lacks = |fact: Fact, words: &[&str]| {
        let text = said(&fact);
        assert!(words.iter().all(|word| !text.contains(word)), "{text}");
    };
    // Neither of the two prctl calls does what the other one does.
    lacks(Fact::Guarded { parent_death: false, not_dumpable: true }, &["life", "수명"]);
    lacks(Fact::Guarded { parent_death: true, not_dumpable: false }, &["trace", "추적"]);
    // MS_SLAVE lets the host's mounts in.
    lacks(Fact::MountsKept { private: false }, &["private", "cut off", "떼어"]);
    assert_eq!(Fact::MountsKept { private: false }.by_hand().as_deref(), Some("mount --make-rslave /"));
    assert_eq!(Fact::MountsKept { private: true }.by_hand().as_deref(), Some("mount --make-rprivate /"));
    // setns(CLONE_NEWPID) moves nobody.
    lacks(Fact::ChildrenPlaced { pid: Some(1), of: Some(2) }, &["entered", "들어갔"]);
}

/// DOCENT_ROOT moves the store, and nothing else.
#[test]
fn the_way_out_is_of_the_object_that_failed() {
    let fix = |object: &str, errno| {
        let error = SysError::new("mkdir", object, errno);
        [Lang::Ko, Lang::En].map(|lang| Fault::step("x", error.clone()).sentence(lang).fix.join(" ")).join(" ")
    };
    assert!(fix("/var/lib/docent/tmp/1", libc::EROFS).contains("DOCENT_ROOT"));
    for object in ["/sys/fs/cgroup/memory/docent", "/proc/sys/net/ipv4/ip_forward"] {
        assert!(!fix(object, libc::EROFS).contains("DOCENT_ROOT"), "{}", fix(object, libc::EROFS));
    }
    assert!(!fix("/sys/fs/cgroup/memory/docent", libc::ENOSPC).contains("df -h"));
    assert!(fix("/var/lib/docent/tmp/1", libc::ENOSPC).contains("df -h"));
}
