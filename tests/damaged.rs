//! A container whose files are damaged is reported, can be removed, and keeps no command from the others.

mod common;

use common::Machine;

/// What can become of a file, as a script.
const DAMAGE: [(&str, &str); 9] = [
    ("empty", ": >$f"),
    ("cut off", "head -c 30 $f >t; cat t >$f"),
    ("garbage", "head -c 3000 /dev/urandom >$f"),
    ("other JSON", "echo '[1]' >$f"),
    ("huge", "truncate -s 1T $f"),
    ("missing", "rm $f"),
    ("a directory", "rm $f; mkdir $f"),
    ("a FIFO", "rm $f; mkfifo $f"),
    ("a link", "ln -sf /dev/zero $f"),
];

fn damaged(file: &str) {
    let Some(m) = Machine::new(&format!("damaged::{file}"), &[]) else { return };
    m.docent(&["run", "-d", "--name", "good", "tiny", "sleep", "1000"]).ok();
    for (kind, script) in DAMAGE {
        let id = m.docent(&["run", "-d", "--name", "bad", "tiny", "sleep", "1000"]).ok().stdout;
        let (id, short) = (id.trim(), &id[..12]);
        let inside = m.docent(&["exec", "bad", "hostname", "-i"]).ok().stdout;
        m.sh(&format!("f={}/containers/{id}/{file}; {script}", m.root().display())).ok();
        let run = |words: &[&str]| m.run(&[&["timeout", "20", common::DOCENT], words].concat());

        for (lang, said) in [("en", "is damaged"), ("ko", "손상")] {
            let ps = run(&["--lang", lang, "ps", "--format", "{{.Names}}"]).ok();
            assert_eq!(ps.stdout, "good\n", "{kind}");
            assert_eq!(ps.stderr.matches(said).count(), 1, "{kind}: {}", ps.stderr);
            assert!(ps.stderr.contains(&format!("docent rm -f {short}")), "{kind}: {}", ps.stderr);
        }
        let other = run(&["run", "--rm", "tiny", "hostname", "-i"]).ok().stdout;
        assert_ne!(other, inside, "{kind}: an address for two");
        run(&["inspect", "good"]).ok();
        run(&["create", "--name", "third", "tiny", "sleep", "1000"]).ok();
        for words in
            [&["start", "third"][..], &["stop", "-t", "0", "third"], &["rename", "third", "3rd"], &["rm", "3rd"]]
        {
            run(words).ok();
        }
        if file == "state.json" {
            let again = run(&["run", "-d", "--name", "bad", "tiny", "true"]);
            assert!(again.code == 125 && again.stderr.contains(id), "{kind}: {again:?}");
        }
        for words in [&["inspect", short][..], &["start", id], &["rm", short], &["exec", id, "true"]] {
            let refused = run(words);
            assert_eq!(refused.code, 1, "{kind}: {refused:?}");
            assert_eq!(refused.stderr.matches("is damaged").count(), 1, "{kind}: {refused:?}");
        }
        let removed = run(&["rm", "-f", short]).ok();
        assert_eq!((removed.stdout.trim(), removed.stderr.as_str()), (short, ""), "{kind}");
        assert_eq!(run(&["ps", "-aq"]).ok().stderr, "", "{kind}");
        assert_eq!(m.leftovers(1), Vec::<String>::new(), "{kind}");
    }
    m.docent(&["exec", "good", "true"]).ok();
}

#[test]
fn a_damaged_state_keeps_nobody_from_the_other_containers() {
    damaged("state.json");
}

#[test]
fn a_damaged_configuration_keeps_nobody_from_the_other_containers() {
    damaged("config.json");
}

#[test]
fn what_stands_in_the_place_of_a_lock_holds_nobody_up() {
    let Some(m) = Machine::new("damaged::lock", &[]) else { return };
    let id = m.docent(&["create", "tiny", "true"]).ok().stdout;
    let dir = m.root().join("containers").join(id.trim());
    m.sh(&format!("cd {}; rm lock state.json; mkfifo lock state.json", dir.display())).ok();
    m.run(&["timeout", "20", common::DOCENT, "run", "--rm", "tiny", "true"]).ok();
    m.run(&["timeout", "20", common::DOCENT, "rm", "-f", id.trim()]).ok();
    assert!(!dir.exists());
}

#[test]
fn what_has_no_id_for_a_name_is_no_container() {
    let Some(m) = Machine::new("damaged::stray", &[]) else { return };
    m.docent(&["create", "--name", "one", "tiny", "true"]).ok();
    m.sh(&format!("cd {}/containers; mkdir stray; : >file; cp -r stray $(ls | head -n 1)X", m.root().display())).ok();
    let ps = m.docent(&["ps", "-a", "--format", "{{.Names}}"]).ok();
    assert_eq!((ps.stdout.as_str(), ps.stderr.as_str()), ("one\n", ""));
    for name in ["stray", "../containers", "../../work"] {
        assert!(m.docent(&["rm", name]).stderr.contains("No such container"), "{name}");
    }
}
