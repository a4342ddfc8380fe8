//! What holds for every sentence, and what the stories look like.

use super::samples::{event, first_run, sample};
use super::*;
use crate::event::samples::{ID, all_facts, all_faults, changed, probe};
use crate::event::{
    ArchiveFlaw, Cause, Change, Event, Fact, FaultPoint, Outcome, ReferenceFlaw, Row, SysError, Word, causes, rows,
};
use unicode_width::UnicodeWidthStr;

const LANGS: [Lang; 2] = [Lang::Ko, Lang::En];

fn narrator(lang: Lang, level: Level) -> Narrator {
    Narrator::new(lang, level)
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

/// Nothing wider than this may be in a story, but for lines that are there to be copied.
#[track_caller]
fn within(text: &str, width: usize) {
    for line in text.lines() {
        assert!(line.width() <= width, "{} columns: {line}", line.width());
        assert_eq!(line.trim_end(), line, "space at the end: {line:?}");
    }
}

/// Every sentence there is: of events, of reasons, and of what is said beside them.
fn all_rows() -> Vec<(&'static str, Vec<Row>)> {
    let events = [
        ("event", rows()),
        ("fallback", FaultPoint::rows()),
        ("error", crate::event::fault::rows()),
        ("cause", Cause::rows()),
        ("flaw", ArchiveFlaw::rows()),
        ("flaw", ReferenceFlaw::rows()),
        ("holder", crate::event::Holder::rows()),
        ("count", crate::event::counts::ROWS.to_vec()),
    ];
    let beside = text::all().into_iter().map(|(family, rows)| (family, rows.to_vec()));
    events.into_iter().chain(beside).collect()
}

fn is_korean(text: &str) -> bool {
    text.chars().any(|c| ('가'..='힣').contains(&c))
}

#[test]
fn no_particle_follows_a_parameter() {
    let particles = [
        "은",
        "는",
        "이 ",
        "가 ",
        "을",
        "를",
        "와",
        "과",
        "로",
        "으로",
        "에게",
        "에서",
        "의",
        "에 ",
        "도 ",
        "이다",
        "입니다",
    ];
    for (family, rows) in all_rows() {
        for row in rows {
            for (at, _) in row.ko.match_indices('}') {
                let after = row.ko.get(at + 1..).unwrap_or_default();
                let ended = format!("{after} ");
                let bad = particles.iter().any(|p| ended.starts_with(p));
                assert!(!bad, "{family}::{}: {}", row.name, row.ko);
            }
        }
    }
}

#[test]
fn korean_is_formal_and_english_is_english() {
    for (family, rows) in all_rows() {
        for row in rows {
            assert!(!is_korean(row.en), "{family}::{}: {}", row.name, row.en);
            let informal = ["해요", "세요?", "이다.", "한다.", "된다."].iter().any(|w| row.ko.contains(w));
            assert!(!informal, "{family}::{}: {}", row.name, row.ko);
            for sentence in row.ko.split(". ").filter(|_| row.ko.ends_with('.')) {
                let end = sentence.trim_end_matches(['.', ')']);
                let formal = ["니다", "십시오", "세요", "까요", "}"].iter().any(|w| end.ends_with(w));
                assert!(formal, "{family}::{}: {sentence}", row.name);
            }
            // A sentence of its own is one in the other language too.
            assert_eq!(row.ko.is_empty(), row.en.is_empty(), "{family}::{}", row.name);
        }
    }
}

#[test]
fn every_sample_has_a_sentence_in_every_tense() {
    let error = SysError::new("mount", "/x", libc::EPERM);
    for lang in LANGS {
        for fact in all_facts() {
            for outcome in [Outcome::Done, Outcome::Failed { error: error.clone() }, Outcome::Planned] {
                let e = Event { outcome, ..event(fact.clone()) };
                let told = e.sentence(lang);
                assert!(!told.is_empty() && !told.contains(['{', '}']), "{told:?} of {fact:?}");
                assert!(lang == Lang::En || is_korean(&told) || told.contains('·'), "{told}");
                assert!(lang == Lang::Ko || !is_korean(&told), "{told}");
                for level in [Level::Brief, Level::Learn, Level::Full] {
                    for width in [60, 100] {
                        let n = Narrator { width, ..narrator(lang, level) };
                        let story = n.story(std::slice::from_ref(&e));
                        within(&story, width);
                        assert!(!story.contains(['{', '}']), "{story}");
                        let silent = e.outcome == Outcome::Planned && !matches!(e.fact, Fact::Fallback { .. });
                        assert_eq!(story.is_empty(), silent, "{fact:?} at {level:?}: {story}");
                    }
                }
                assert!(!narrator(lang, Level::Deep).story(std::slice::from_ref(&e)).is_empty());
            }
        }
    }
}

#[test]
fn every_error_has_a_sentence_in_both_languages() {
    for lang in LANGS {
        for fault in all_faults() {
            let n = narrator(lang, Level::Learn);
            let told = fault.sentence(lang);
            let all = [vec![told.error.clone()], told.cause.clone().into_iter().collect(), told.fix.clone()].concat();
            assert!(all.iter().all(|l| !l.is_empty() && !l.contains('\n')), "{all:?}");
            assert!(all.join(" ").matches('{').count() < 5 && !all.join("").contains("{}"), "{all:?}");
            if lang == Lang::En {
                assert!(!all.iter().any(|l| is_korean(l)), "{all:?}");
            } else {
                assert!(all.iter().any(|l| is_korean(l)), "{all:?}");
            }
            let printed = n.print_fault(&fault);
            assert!(printed.starts_with("docent: "), "{printed}");
            // The cause may take several lines; what is to be copied, the error and the fix, takes one each.
            let wrapped = told.cause.iter().map(|c| c.width().div_ceil(60)).sum::<usize>();
            assert!((all.len()..=all.len() + wrapped).contains(&printed.lines().count()), "{printed}");
            assert!(printed.lines().skip(1).all(|l| l.starts_with("  ")), "{printed}");
            assert!(told.fix.iter().all(|f| printed.contains(&format!("  → {f}\n"))), "{printed}");
        }
    }
}

#[test]
fn english_keeps_dockers_wording() {
    let told = |f: Fault| f.sentence(Lang::En).error;
    use crate::event::Fault;
    assert_eq!(told(Fault::NoSuchContainer { name: "x".into() }), "No such container: x");
    let taken = told(Fault::NameTaken { name: "web".into(), by: ID.into() });
    assert_eq!(taken, format!("Conflict. The container name \"/web\" is already in use by container \"{ID}\"."));
    assert_eq!(told(Fault::BadSignal { signal: "NOPE".into() }), "invalid signal: NOPE");
    assert_eq!(told(Fault::MemoryTooLow { value: "4k".into() }), "Minimum memory limit allowed is 6MB");
    let flag = |kind: &str, word: &str| Fault::Usage {
        command: "docent run".into(),
        kind: kind.into(),
        word: Some(word.into()),
        suggestion: None,
        text: String::new(),
    };
    assert_eq!(told(flag("unknown-flag", "--x")), "unknown flag: --x");
    assert_eq!(told(flag("unknown-shorthand", "-zq")), "unknown shorthand flag: 'z' in -zq");
    let missing = told(Fault::CommandNotFound { command: "foo".into(), container: "web".into() });
    assert_eq!(missing, "exec: \"foo\": executable file not found in $PATH");
}

#[test]
fn the_first_run_fits_on_a_screen_and_has_its_parts() {
    for (lang, width) in [(Lang::Ko, 100), (Lang::Ko, 80), (Lang::En, 100), (Lang::En, 80)] {
        let n = Narrator { width, ..narrator(lang, Level::Learn) };
        let story = n.story(&first_run());
        let hint = n.hint(&first_run()).expect("something new was told");
        within(&story, width);
        let all = story.clone() + &hint;
        assert!(lines(&all).len() <= 15, "{} lines:\n{all}", lines(&all).len());
        let labels: Vec<&str> =
            story.lines().filter_map(|l| l.strip_prefix("● ")).filter_map(|l| l.split("  ").next()).collect();
        let wanted = match lang {
            Lang::Ko => ["저장소", "이미지", "쓰기 레이어", "네임스페이스", "cgroup", "네트워크", "격리", "시작"],
            Lang::En => ["store", "image", "write layer", "namespaces", "cgroup", "network", "isolation", "start"],
        };
        assert_eq!(labels, wanted, "{story}");
        for part in [
            "nginx:latest",
            "14.2 MB",
            "pid mnt uts ipc net cgroup",
            "pid:[4026532567]",
            "upperdir=…/containers/3f2a9c0d1b2c/upper",
            "docent0",
            "172.30.0.2",
            "/proc, /sys, /dev, …",
            "14",
            "seccomp",
            "nginx -g 'daemon off;'",
            "48213",
        ] {
            assert!(story.contains(part), "no {part} in\n{story}");
        }
        assert!(!story.contains(ID), "a full id in\n{story}");
        // The layer with the mount points is docent's own, none of the image's.
        assert!(
            story.contains(if lang == Lang::Ko { "레이어 3개 위에" } else { "on top of the image's 3 layers" }),
            "{story}"
        );
    }
}

#[test]
fn labels_stand_in_a_column() {
    let story = narrator(Lang::Ko, Level::Learn).story(&first_run());
    for line in story.lines() {
        let column: String = line
            .chars()
            .scan(0, |w, c| {
                *w += unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
                (*w <= layout::COLUMN).then_some(c)
            })
            .collect();
        assert_eq!(column.width(), layout::COLUMN, "{line}");
        assert!(column.ends_with("  "), "{line}");
    }
}

#[test]
fn what_was_met_is_folded_and_what_found_no_room_is_told_next_time() {
    for lang in LANGS {
        let mut n = narrator(lang, Level::Learn);
        let run = first_run();
        for _ in 0..4 {
            let new = n.teaches(&run);
            n.learned.extend(new.iter().map(|c| c.key().to_string()));
        }
        assert_eq!(n.teaches(&run), Vec::new());
        assert_eq!(n.hint(&run), None);
        let story = n.story(&run);
        assert!(lines(&story).len() <= 2, "{story}");
        assert_eq!(story.matches('●').count(), 1, "{story}");
        for part in ["nginx:latest", "48213 → 1", "cgroup", "172.30.0.2", "nginx -g 'daemon off;'"] {
            assert!(story.contains(part), "no {part} in {story}");
        }
        // A limit is new, so its block is told and the rest stays folded.
        let limit = event(sample("cgroup.limit"));
        let with = [run, vec![limit]].concat();
        let story = n.story(&with);
        assert!(story.contains("64 MiB") && n.teaches(&with) == [Concept::Limit], "{story}");
        // Full folds nothing, whatever was met.
        let full = Narrator { level: Level::Full, ..n.clone() };
        assert!(lines(&full.story(&with)).len() > 15);
        assert_eq!(lines(&Narrator { level: Level::Brief, ..n }.story(&with)).len(), 8);
    }
}

#[test]
fn covered_and_copied_up_are_told_apart_with_the_layer() {
    let copied = sample("cow.copied");
    let ko = narrator(Lang::Ko, Level::Learn);
    let story = ko.story(&[event(copied), event(changed(Change::Covered))]);
    for part in [
        "● 복사 ",
        "● 덮음 ",
        "web 컨테이너의 쓰기 레이어",
        "nginx 이미지의 3번째 레이어(9d1cba098765)",
        "615바이트",
        "다른 컨테이너",
        "증거  …/containers/",
    ] {
        assert!(story.contains(part), "no {part} in\n{story}");
    }
    let story = ko.story(&[event(changed(Change::CopiedUp))]);
    assert!(story.contains("● 쓰기 시 복사") && story.contains("커널이") && !story.contains("덮음"), "{story}");
    let en = narrator(Lang::En, Level::Learn).story(&[event(changed(Change::Covered))]);
    assert!(en.contains("layer 3 (9d1cba098765) of the image nginx") && en.contains("still see the original"), "{en}");
}

#[test]
fn failures_are_told_as_such() {
    let error = SysError::new("mkdir", "/sys/fs/cgroup/docent", libc::EACCES);
    let made = sample("cgroup.made");
    let events = [Event { outcome: Outcome::Failed { error }, ..event(made) }];
    for level in [Level::Brief, Level::Learn, Level::Full] {
        let ko = narrator(Lang::Ko, level).story(&events);
        assert!(ko.contains("✗ cgroup") && ko.contains("만들지 못했습니다") && ko.contains("EACCES"), "{ko}");
        assert!(!ko.contains('●'), "{ko}");
        let en = narrator(Lang::En, level).story(&events);
        assert!(en.contains("could not make"), "{en}");
    }
}

/// A launch that failed after the bridge was made has left nothing plugged into it.
#[test]
fn a_lesson_waits_for_what_it_tells_of() {
    let bridge = Fact::Bridge { name: Some("docent0".into()), address: None, ipv6_off: true };
    let veth = Fact::Veth { host: None, inside: "eth0".into(), bridge: None };
    let failed = Event::failed(veth.clone(), SysError::new("sendto", "RTM_NEWLINK", libc::EPERM));
    let said = |last: Event| narrator(Lang::En, Level::Full).story(&[Event::of(bridge.clone(), vec![]), last]);
    assert!(!said(failed.clone()).contains("is plugged into this bridge"), "{}", said(failed));
    assert!(said(Event::of(veth, vec![])).contains("is plugged into this bridge"));
}

#[test]
fn a_forecast_speaks_of_the_future_and_of_no_inode() {
    let run: Vec<Event> = first_run().into_iter().map(|e| Event::planned(e.fact)).collect();
    let ko = narrator(Lang::Ko, Level::Learn).as_plan(&run);
    let en = narrator(Lang::En, Level::Learn).as_plan(&run);
    assert!(ko.contains("새 네임스페이스 6개를 만듭니다") && !ko.contains("만들었습니다"), "{ko}");
    assert!(en.contains("will make new namespaces (6)") && !en.contains("made new"), "{en}");
    assert!(!ko.contains("4026532567") && !en.contains("4026532567"));
    within(&ko, 100);
    within(&en, 100);
}

#[test]
fn deep_shows_calls_proofs_and_how_long_they_hold() {
    let overlay = sample("mount.overlay");
    let en = narrator(Lang::En, Level::Deep).story(&[event(overlay)]);
    for part in [
        "mount(\"overlay\"",
        "= 0   (2 times)",
        "read back",
        "proof  grep ' / / ' /proc/48213/mountinfo",
        "holds while 3f2a9c0d1b2c runs; needs root",
        "overlayfs.rst",
    ] {
        assert!(en.contains(part), "no {part} in\n{en}");
    }
}

#[test]
fn json_lines_are_read_back_as_the_same_events() {
    let n = Narrator { command: Some(4), ..narrator(Lang::En, Level::Json) };
    let events: Vec<Event> = all_facts().into_iter().map(event).collect();
    let text = n.story(&events);
    for (i, (line, event)) in text.lines().zip(&events).enumerate() {
        let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert_eq!((value["id"].as_u64(), value["command"].as_u64()), (Some(i as u64 + 1), Some(4)), "{line}");
        assert_eq!(value["record"], "event");
        let back: Event = serde_json::from_str(line).expect("an event");
        assert_eq!(&back, event);
    }
    assert_eq!(text.lines().count(), events.len());
}

#[test]
fn names_from_containers_cannot_write_control_sequences() {
    let path = "/tmp/\x1b[2J\u{202e}evil\nnext".to_string();
    let fact = Fact::MountPoint { path: path.clone() };
    for level in [Level::Brief, Level::Learn, Level::Full, Level::Deep] {
        let story = narrator(Lang::Ko, level).story(&[event(fact.clone())]);
        assert!(!story.contains(['\x1b', '\u{202e}']) && story.contains("\\u{1b}[2J"), "{story:?}");
    }
    let fault = crate::event::Fault::NotADirectory { path };
    assert!(!narrator(Lang::En, Level::Learn).print_fault(&fault).contains('\x1b'));
}

#[test]
fn colour_adds_nothing_but_colour() {
    let plain = narrator(Lang::Ko, Level::Learn);
    let tinted = Narrator { color: true, ..plain.clone() };
    let story = tinted.story(&first_run());
    let mut bare = String::new();
    let mut rest = story.as_str();
    while let Some((before, after)) = rest.split_once("\x1b[") {
        bare.push_str(before);
        rest = after.split_once('m').map_or("", |(_, r)| r);
    }
    bare.push_str(rest);
    assert!(story.contains("\x1b["));
    assert_eq!(bare, plain.story(&first_run()));
}

#[test]
fn the_doctor_names_each_check_and_its_fix() {
    for lang in LANGS {
        let text = narrator(lang, Level::Learn).doctor(&probe());
        assert!(text.contains("T2") && text.contains("6.18") && text.contains("usermod"), "{text}");
        assert_eq!(text.matches('✗').count(), 13, "{text}");
        assert_eq!(text.matches('✓').count(), 1, "{text}");
    }
}

#[test]
fn sizes_and_ids_are_docker_s() {
    use crate::event::words::{brief, memory, short, size};
    assert_eq!(size(Lang::Ko, 640), "640바이트");
    assert_eq!(size(Lang::En, 1), "1 byte");
    assert_eq!(size(Lang::En, 14_200_000), "14.2 MB");
    assert_eq!(size(Lang::En, 999_999), "1 MB");
    assert_eq!(size(Lang::En, 1_234), "1.23 kB");
    assert_eq!(memory(64 << 20), "64 MiB");
    assert_eq!(short(ID), "3f2a9c0d1b2c");
    assert_eq!(short("web"), "web");
    assert_eq!(
        brief(&format!("upperdir=/var/lib/docent/containers/{ID}/upper")),
        "upperdir=…/containers/3f2a9c0d1b2c/upper"
    );
}

/// Every story to the letter, in both languages: what a change of wording changes is seen in the difference of a snapshot.
#[test]
fn stories_are_as_recorded() {
    for lang in LANGS {
        let error = SysError::new("mount", "/x", libc::EPERM);
        let outcomes = [Outcome::Done, Outcome::Failed { error }, Outcome::Planned];
        let mut sentences = String::new();
        for fact in all_facts() {
            for outcome in &outcomes {
                let told = Event { outcome: outcome.clone(), ..event(fact.clone()) }.sentence(lang);
                sentences += &format!("{}\n", layout::clean(&told));
            }
        }
        insta::assert_snapshot!(format!("sentences.{}", lang.code()), sentences);
        let told = |level: Level| {
            let n = narrator(lang, level);
            let each = |f: &Fact| n.story(&[event(f.clone())]);
            n.story(&first_run()) + "\n" + &all_facts().iter().map(each).collect::<Vec<_>>().join("\n")
        };
        for level in [Level::Brief, Level::Learn, Level::Full, Level::Deep] {
            insta::assert_snapshot!(format!("{}.{}", level.word(), lang.code()), told(level));
        }
        let run: Vec<Event> = first_run().into_iter().map(|e| Event::planned(e.fact)).collect();
        let all: Vec<Event> = all_facts().into_iter().map(Event::planned).collect();
        let n = narrator(lang, Level::Learn);
        insta::assert_snapshot!(format!("plan.{}", lang.code()), n.as_plan(&run) + "\n" + &n.as_plan(&all));
        let faults: Vec<String> = all_faults().iter().map(|f| n.print_fault(f)).collect();
        insta::assert_snapshot!(format!("faults.{}", lang.code()), faults.join("\n"));
        let causes: Vec<String> = causes().iter().map(|c| c.word(lang)).collect();
        insta::assert_snapshot!(format!("causes.{}", lang.code()), causes.join("\n"));
    }
}
