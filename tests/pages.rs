//! Both books are plain sources of mdbook: it builds them, each chapter is in SUMMARY.md, and no link leads nowhere.
//!
//! `cargo test --features book --test pages`: mdbook is a library here, and needed for nothing else.

use mdbook_driver::MDBook;
use mdbook_driver::config::Config;
use pulldown_cmark::{Event, Options, Parser, Tag};
use std::path::{Path, PathBuf};

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
            assert!(page.contains("docent run") || page.contains("docker run"), "{lang}: {}", chapter.display());
        }
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
