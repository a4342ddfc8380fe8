//! Both books are plain sources of mdbook: it builds them, each chapter is in SUMMARY.md, and no link leads nowhere. Every
//! command has a manual page in both languages, which has what its `--help` has.
//!
//! `cargo test --features book --test pages`: mdbook and clap_mangen are libraries here, and needed for nothing else. The manual
//! pages stay in `target/man/ko` and `target/man/en`.

use docent::inside::Lang;
use mdbook_driver::MDBook;
use mdbook_driver::config::Config;
use pulldown_cmark::{Event, Options, Parser, Tag};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds the book of `root` into `to`; gives the sources of its chapters.
fn build(root: &Path, to: &Path) -> Result<Vec<PathBuf>, String> {
    let mut config = Config::from_disk(root.join("book.toml")).map_err(|e| format!("{e:#}"))?;
    // Otherwise a chapter that SUMMARY.md names and nobody wrote would be made, empty.
    config.build.create_missing = false;
    config.build.build_dir = to.to_path_buf();
    let src = root.join(&config.book.src);
    let book = MDBook::load_with_config(root, config).map_err(|e| format!("{e:#}"))?;
    book.build().map_err(|e| format!("{e:#}"))?;
    let mut chapters = Vec::new();
    for item in book.iter() {
        if let mdbook_driver::book::BookItem::Chapter(chapter) = item {
            let path = chapter.source_path.clone().ok_or_else(|| format!("{} is a draft", chapter.name))?;
            links(&src, &path)?;
            chapters.push(path);
        }
    }
    let mut unnamed: Vec<_> =
        std::fs::read_dir(&src).expect("src").map(|e| PathBuf::from(e.expect("entry").file_name())).collect();
    unnamed.retain(|path| {
        path.extension().is_some_and(|e| e == "md") && path != Path::new("SUMMARY.md") && !chapters.contains(path)
    });
    if unnamed.is_empty() { Ok(chapters) } else { Err(format!("not in SUMMARY.md: {unnamed:?}")) }
}

/// Every link to a file of the book finds it.
fn links(src: &Path, chapter: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(src.join(chapter)).map_err(|e| e.to_string())?;
    for event in Parser::new_ext(&text, Options::all()) {
        let Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) = event else { continue };
        let path = dest_url.split('#').next().unwrap_or_default();
        let there = src.join(chapter.parent().unwrap_or(Path::new(""))).join(path).exists();
        if !there && !dest_url.contains("://") && !dest_url.starts_with("mailto:") {
            return Err(format!("{}: a link to {dest_url}", chapter.display()));
        }
    }
    Ok(())
}

#[test]
fn mdbook_builds_both_books() {
    let books = Path::new(env!("CARGO_MANIFEST_DIR")).join("book");
    let built = ["ko", "en"].map(|lang| {
        let to = tempfile::tempdir().expect("tempdir");
        let chapters = build(&books.join(lang), to.path()).unwrap_or_else(|why| panic!("{lang}: {why}"));
        for chapter in &chapters {
            let page = std::fs::read_to_string(to.path().join(chapter.with_extension("html"))).expect("its page");
            assert!(page.contains(&format!("<html lang=\"{lang}\"")), "{lang}: {}", chapter.display());
            assert!(page.contains("docker "), "{lang}: {}", chapter.display());
        }
        // The schema can be fetched where the chapter is read.
        let schema = std::fs::read(to.path().join("records.schema.json")).expect("the schema");
        assert!(serde_json::from_slice::<serde_json::Value>(&schema).is_ok_and(|schema| schema["$defs"].is_object()));
        chapters
    });
    assert!(!built[0].is_empty());
    assert_eq!(built[0], built[1], "the same chapters in both languages");
}

#[test]
fn a_book_with_a_hole_is_not_built() {
    let summary = "# Contents\n\n- [One](one.md)\n";
    for (files, why) in [
        (&[("SUMMARY.md", summary), ("one.md", "# One\n[two](one.md#x) [web](https://example.org)\n")][..], None),
        (&[("SUMMARY.md", summary)], Some("one.md")),
        (&[("SUMMARY.md", summary), ("one.md", "# One\n"), ("two.md", "# Two\n")], Some("two.md")),
        (&[("SUMMARY.md", summary), ("one.md", "# One\n[two](gone.md)\n")], Some("gone.md")),
        (&[("one.md", "# One\n")], Some("SUMMARY.md")),
    ] {
        let dir = tempfile::tempdir().expect("tempdir");
        std::fs::create_dir(dir.path().join("src")).expect("src");
        std::fs::write(dir.path().join("book.toml"), "[book]\ntitle = \"x\"\n").expect("book.toml");
        for (name, text) in files {
            std::fs::write(dir.path().join("src").join(name), text).expect("write");
        }
        let built = build(dir.path(), &dir.path().join("to"));
        match why {
            None => assert!(built.is_ok(), "{built:?}"),
            Some(why) => assert!(built.as_ref().is_err_and(|e| e.contains(why)), "{why}: {built:?}"),
        }
    }
}

/// What `docent PATH --help` lists in a section: the names of the commands, or the flags.
fn listed(path: &[&str], heading: &str) -> Vec<String> {
    let help = Command::new(env!("CARGO_BIN_EXE_docent")).args(path).args(["--help", "--lang", "en"]).output();
    let help = String::from_utf8(help.expect("docent").stdout).expect("text");
    let rows = help.lines().skip_while(|line| *line != heading).skip(1).take_while(|line| !line.is_empty());
    let words = |line: &str| line.split_whitespace().map(str::to_string).collect::<Vec<_>>();
    match heading {
        "Commands:" => rows.filter_map(|row| words(row).into_iter().next()).collect(),
        // Not those of the second column.
        _ => rows.flat_map(|row| words(row).into_iter().take(2)).filter(|word| word.starts_with('-')).collect(),
    }
}

/// The path of every command, from the program's own help.
fn commands() -> Vec<Vec<String>> {
    let mut found = vec![Vec::<String>::new()];
    let mut at = 0;
    while let Some(path) = found.get(at).cloned() {
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        let below = listed(&words, "Commands:").into_iter();
        found.extend(below.map(|name| [path.as_slice(), &[name]].concat()));
        at += 1;
    }
    found
}

#[test]
fn every_command_has_a_manual_page_in_both_languages() {
    let commands = commands();
    assert!(commands.len() > 50, "{commands:?}");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("target");
    for (lang, name, synopsis, korean) in [(Lang::Ko, "이름", "사용법", true), (Lang::En, "NAME", "SYNOPSIS", false)]
    {
        let dir = target.join("man").join(lang.code());
        std::fs::create_dir_all(&dir).expect("target/man");
        let pages = docent::man_pages(lang).expect("pages");
        let mut expected: Vec<String> =
            commands.iter().map(|path| [&["docent".to_string()], path.as_slice()].concat().join("-") + ".1").collect();
        expected.sort();
        assert_eq!(pages.iter().map(|(file, _)| file.clone()).collect::<Vec<_>>(), expected);
        for path in &commands {
            let words: Vec<&str> = path.iter().map(String::as_str).collect();
            let whole = [&["docent"], words.as_slice()].concat();
            let (file, roff) =
                pages.iter().find(|(file, _)| *file == whole.join("-") + ".1").expect("found among them before");
            std::fs::write(dir.join(file), roff).expect("write");
            let plain = roff.replace("\\-", "-");
            let section = |name: &str| plain.split(".SH ").find_map(|s| s.strip_prefix(&format!("{name}\n")));
            let about = section(name).unwrap_or_else(|| panic!("{file}: no {name}\n{plain}"));
            assert!(about.starts_with(&format!("{} - ", whole.join("-"))), "{file}: {about}");
            assert_eq!(about.chars().any(|c| ('가'..='힣').contains(&c)), korean, "{file}: {about}");
            let usage = section(synopsis).unwrap_or_else(|| panic!("{file}: no {synopsis}\n{plain}"));
            assert!(usage.starts_with(&format!("\\fB{}\\fR", whole.join(" "))), "{file}: {usage}");
            for flag in listed(&words, "Options:").iter().chain(&listed(&[], "Options of every command:")) {
                let flag = flag.trim_end_matches(',');
                assert!(plain.contains(&format!("\\fB{flag}\\fR")), "{file}: no {flag}\n{plain}");
            }
            assert!(!plain.contains(" | "), "{file}: both languages\n{plain}");
        }
    }
}
