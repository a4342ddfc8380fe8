//! `--narrate json`: a beginning, what was told, an end, and no line of text between them.

mod common;

use common::{Machine, Ran};
use serde_json::Value;

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

/// The records of one command, from its standard error.
#[track_caller]
fn records(ran: &Ran) -> (Value, Vec<Value>, Value) {
    let all = lines(&ran.stderr);
    let [begin, events @ .., end] = all.as_slice() else { panic!("{ran:?}") };
    assert_eq!((&begin["record"], &end["record"]), (&"begin".into(), &"end".into()), "{ran:?}");
    assert!(events.iter().all(|line| line["record"] == "event"), "{ran:?}");
    assert_eq!(end["exit_code"], ran.code, "{ran:?}");
    assert!(begin["command"].is_null() || all.iter().all(|line| line["command"] == begin["command"]), "{ran:?}");
    (begin.clone(), events.to_vec(), end.clone())
}

fn faults(end: &Value) -> Vec<&str> {
    end["faults"].as_array().expect("an array").iter().filter_map(|fault| fault["fault"].as_str()).collect()
}

#[test]
fn a_command_on_standard_error_is_lines_of_json_alone() {
    let Some(m) = Machine::new("records", &[]) else { return };
    let json = |words: &[&str]| m.docent(&[&["--lang", "en", "--narrate", "json"][..], words].concat());
    let ran =
        json(&["run", "-d", "--name", "web", "-e", "API_TOKEN=hunter2", "--network", "none", "tiny", "sleep", "99"]);
    let (begin, events, end) = records(&ran);
    assert_eq!((begin["command"].as_u64(), &begin["lang"], begin["format"].as_u64()), (Some(1), &"en".into(), Some(1)));
    assert_eq!(begin["docent"], env!("CARGO_PKG_VERSION"));
    assert!(begin["argv"].to_string().contains("API_TOKEN=***") && !ran.stderr.contains("hunter2"), "{}", ran.stderr);
    assert!(begin["time"].as_str().is_some_and(|time| time.ends_with('Z')), "{begin}");
    let ids: Vec<u64> = events.iter().filter_map(|event| event["id"].as_u64()).collect();
    assert_eq!(ids, (1..=ids.len() as u64).collect::<Vec<_>>());
    assert!(events.iter().any(|event| event["event"] == "container.started"), "{}", ran.stderr);
    assert!(end["took_us"].as_u64().is_some_and(|time| time > 0) && faults(&end).is_empty(), "{end}");
    assert_eq!(ran.stdout.trim().len(), 64, "the id is where Docker prints it: {}", ran.stdout);
    // What only looks has a beginning and an end.
    let ran = json(&["ps", "-q"]);
    assert!(records(&ran).1.is_empty() && ran.stdout.lines().count() == 1, "{ran:?}");
    // The journal has the same.
    let show = m.docent(&["journal", "show", "1"]).ok();
    assert_eq!(lines(&show.stdout), lines(&m.docent(&["explain", "--level", "json", "1"]).ok().stdout));
    let shown = lines(&show.stdout);
    assert_eq!(shown.first(), Some(&begin));
    assert_eq!(shown.last(), Some(&end));
    assert_eq!(shown[1..shown.len() - 1], events);
}

#[test]
fn an_error_is_in_the_end_record() {
    let Some(m) = Machine::new("records::errors", &[]) else { return };
    let json = |words: &[&str]| m.docent(&[&["--lang", "en", "--narrate", "json"][..], words].concat());
    let ran = json(&["run", "-d", "--name", "web", "-p", "8080:80", "tiny", "sleep", "99"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for (words, code, keys) in [
        (&["run", "-d", "no-such-image:1"][..], 125, &["no-such-image"][..]),
        (&["run", "-d", "--name", "web", "tiny", "true"], 125, &["name-taken"]),
        (&["run", "-d", "tiny", "no-such-program"], 127, &["command-not-found"]),
        (&["run", "-d", "tiny", "/etc"], 126, &["not-executable"]),
        (&["rm", "one", "two"], 1, &["no-such-container", "no-such-container"]),
        (&["inspect", "one"], 1, &["no-such-object"]),
        (&["wait", "one"], 1, &["no-such-container"]),
        (&["load", "-i", "no-such.tar"], 1, &["local-file"]),
        (&["explain", "99"], 1, &["no-such-command"]),
        (&["explain", "--", "run", "no-such-image:1"], 1, &["no-such-image"]),
    ] {
        let ran = json(words);
        let (_, _, end) = records(&ran);
        assert_eq!((ran.code, faults(&end).as_slice()), (code, keys), "{words:?}");
    }
    let (_, _, end) = records(&json(&["run", "-d", "tiny", "/etc"]));
    let fault = &end["faults"][0];
    assert_eq!((&fault["call"], &fault["object"]), (&"execve".into(), &"/etc".into()));
    assert!(
        fault["errno"].is_i64() && fault["errno_name"].as_str().is_some_and(|name| name.starts_with('E')),
        "{fault}"
    );
    assert!(fault["message"].as_str().is_some_and(|text| text.starts_with("exec: \"/etc\"")), "{fault}");
    let (_, events, end) = records(&json(&["run", "-d", "-p", "8080:80", "tiny", "true"]));
    let failed: Vec<&Value> = events.iter().filter(|event| event["outcome"]["is"] == "failed").collect();
    let (fault, error) = (&end["faults"][0], &failed[0]["outcome"]["error"]);
    for (name, is) in [("call", "bind"), ("object", "0.0.0.0:8080"), ("errno_name", "EADDRINUSE")] {
        assert_eq!((&fault[name], &error[name]), (&is.into(), &is.into()), "{name}: {end}");
    }
    // In the language of the command; the key is the same.
    let (_, _, end) = records(&m.docent(&["--lang", "ko", "--narrate", "json", "rm", "one"]));
    assert!(end["faults"][0]["message"].as_str().is_some_and(|text| text.contains("컨테이너")), "{end}");
    assert_eq!(faults(&end), ["no-such-container"]);
}

#[test]
fn what_fails_before_there_is_a_journal_has_its_records_too() {
    let Some(m) = Machine::new("records::early", &[]) else { return };
    m.sh("echo x > file").ok();
    let ran = m.docent(&["--root", "file", "--lang", "en", "--narrate", "json", "ps"]);
    let (begin, events, end) = records(&ran);
    assert!(begin["command"].is_null() && events.is_empty() && ran.code != 0, "{ran:?}");
    assert_eq!(faults(&end).len(), 1, "{ran:?}");
    // Words that are not understood ask for nothing, not even for JSON: text, and Docker's exit code.
    let ran = m.docent(&["--narrate", "json", "--lang", "en", "ps", "--no-such-flag"]);
    assert!(ran.stderr.contains("unknown flag: --no-such-flag") && !ran.stderr.contains("record"), "{ran:?}");
    // Into a file go the records, and Docker's words stay where they are.
    let ran = m.docent(&["--root", "file", "--lang", "en", "--narrate", "json", "--narrate-to", "told", "ps"]);
    let told = m.sh("cat told").ok();
    assert_eq!(records(&Ran { stderr: told.stdout, ..ran.clone() }).2["faults"], end["faults"]);
    assert!(!ran.stderr.is_empty() && !ran.stderr.contains('{'), "{}", ran.stderr);
}

#[test]
fn json_is_refused_where_a_program_shares_the_stream() {
    let Some(m) = Machine::new("records::shared", &[]) else { return };
    let json = |words: &[&str]| m.docent(&[&["--lang", "en", "--narrate", "json"][..], words].concat());
    m.docent(&["run", "-d", "--name", "web", "--network", "none", "tiny", "sleep", "99"]).ok();
    m.docent(&["run", "--name", "ended", "--network", "none", "tiny", "true"]).ok();
    for words in [
        &["run", "--rm", "--network", "none", "tiny", "true"][..],
        &["exec", "web", "true"],
        &["start", "-a", "ended"],
        &["logs", "web"],
        &["system", "reset"],
    ] {
        let ran = json(words);
        let (_, _, end) = records(&ran);
        assert!(ran.code != 0 && faults(&end) == ["json-needs-a-file"], "{words:?}: {ran:?}");
        assert!(end["faults"][0]["fixes"].to_string().contains("--narrate-to FILE"), "{end}");
    }
    for words in
        [&["start", "ended"][..], &["create", "tiny"], &["stop", "web"], &["start", "web"], &["rm", "-f", "web"]]
    {
        let ran = json(words);
        assert!(ran.code == 0 && faults(&records(&ran).2).is_empty(), "{words:?}: {ran:?}");
    }
    let file = ["--narrate", "json", "--narrate-to", "told", "run", "--rm", "--network", "none", "tiny", "sh", "-c"];
    let ran = m.docent(&[&file[..], &["echo out; echo err >&2; exit 3"]].concat());
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (3, "out\n", "err\n"));
    let told = m.sh("cat told").ok();
    let (_, events, end) = records(&Ran { stderr: told.stdout, ..ran });
    assert!(events.iter().any(|event| event["event"] == "container.exited") && faults(&end).is_empty(), "{end}");
}

#[test]
fn the_schema_refuses_what_is_no_record() {
    let record = |text: &str| -> Value { serde_json::from_str(text).expect(text) };
    let event = |more: &str| {
        let own = r#""record":"event","command":1,"id":1,"at_us":7,"took_us":1,"by_pid":9,"outcome":{"is":"done"}"#;
        common::records::check(&record(&format!("{{{own},{more}}}")))
    };
    event(r#""event":"mount.point","path_inside":"/data""#).expect("a record");
    event(
        r#""event":"mount.point","path_inside":"/data","container":"0","calls":[{"call":"mkdirat","args":"","ret":0}]"#,
    )
    .expect("a record");
    for (wrong, why) in [
        (r#""event":"mount.point","path":"/data""#, "an older name"),
        (r#""event":"mount.point""#, "a field that is missing"),
        (r#""event":"mount.point","path_inside":"/data","color":"red""#, "an unknown field"),
        (r#""event":"mount.point","path_inside":"/data","bridge":"b""#, "another kind's field"),
        (r#""event":"mount.point","path_inside":7"#, "another type"),
        (r#""event":"mount.pint","path_inside":"/data""#, "an unknown kind"),
        (
            r#""event":"mount.point","path_inside":"/data","calls":[{"call":"mkdirat","args":"","ret":0,"x":1}]"#,
            "within",
        ),
        (r#""event":"mount.point","path_inside":"/data","calls":[{"call":"mkdirat","args":""}]"#, "missing within"),
    ] {
        assert!(event(wrong).is_err(), "{why}: {wrong}");
    }
    let end = r#"{"record":"end","exit_code":0,"took_us":1,"faults":[]}"#;
    common::records::check(&record(end)).expect("a record");
    for wrong in [
        end.replace("end", "ending"),
        end.replace("\"exit_code\":0,", ""),
        end.replace(":0", ":\"0\""),
        end.replace(":[]", ":[{\"fault\":\"no-such-image\"}]"),
        "7".into(),
        "{}".into(),
    ] {
        assert!(common::records::check(&record(&wrong)).is_err(), "{wrong}");
    }
    let begin = r#"{"record":"begin","command":1,"format":1,"docent":"0","argv":[],"time":"2026-01-02T03:04:05Z","cwd":"/","uid":0,"lang":"ko"}"#;
    common::records::check(&record(begin)).expect("a record");
    assert!(common::records::check(&record(&begin.replace("2026-01-02T", "today"))).is_err());
}
