//! Which entry point a command belongs to, and what each is given of the rooms below.

use crate::book;
use crate::cli::{self, Cli, Globals, Verb};
use crate::engine::doctor;
use crate::engine::news::News;
use crate::fact::Story;
use crate::image::Reference;
use crate::kernel::terminal;
use crate::narrate::{Lang, Level, Narrator};
use crate::repl::{self, Kind, Setup};
use crate::store::Store;
use std::ffi::OsString;
use std::io::Write;
use std::path::Path;

/// Gives the exit code.
pub fn command(cli: Cli, argv: &[OsString]) -> i32 {
    match &cli.verb {
        Verb::Session => session(&cli.globals),
        Verb::Book(a) => read_book(&cli.globals, a.chapter.as_deref()),
        _ => cli::act(cli, argv),
    }
}

/// A chapter, or their list.
fn read_book(globals: &Globals, chapter: Option<&str>) -> i32 {
    let narrator = cli::narrator(globals.lang, Level::Off);
    let color = narrator.color && terminal::is_terminal(std::io::stdout());
    match book::read(globals.lang, chapter, narrator.width, color) {
        Ok(text) => {
            // A reader that has gone away (`book 1 | head`) is no error.
            std::io::stdout().lock().write_all(text.as_bytes()).unwrap_or(());
            0
        }
        Err(fault) => {
            eprint!("{}", narrator.print_fault(&fault));
            1
        }
    }
}

fn session(globals: &Globals) -> i32 {
    let root = cli::root_of(globals);
    let (names_root, news_root, verdict_root) = (root.clone(), root.clone(), root.clone());
    let mut news = News::default();
    repl::run(Setup {
        store: Store::existing(&root),
        root,
        lang: globals.lang,
        narrate: globals.narrate.map(|level| level.word().to_string()),
        command: cli::command(),
        names: Box::new(move |kind| names(&names_root, kind)),
        news: Box::new(move |lang| tell_news(&news_root, &mut news, lang)),
        lab_check: Box::new(|_| Vec::new()),
        lab_env: Box::new(Vec::new),
        verdict: Box::new(move |lang| verdict(&verdict_root, lang)),
        help: Box::new(|path, lang| cli::help(path, lang, cli::width())),
    })
}

/// Names for completion.
fn names(root: &Path, kind: Kind) -> Vec<String> {
    let Some(store) = Store::existing(root) else { return Vec::new() };
    match kind {
        Kind::Container => store.list_containers().unwrap_or_default().into_iter().map(|c| c.config.name).collect(),
        Kind::Image => {
            let images = store.images().unwrap_or_default();
            let names = images.iter().flat_map(|i| &i.names).filter_map(|n| Reference::parse(n).ok());
            names.map(|r| r.familiar()).chain(["tiny".into(), "nginx".into()]).collect()
        }
        Kind::Lab => Vec::new(),
    }
}

/// Containers that ended by themselves since the last prompt, a line each.
fn tell_news(root: &Path, news: &mut News, lang: Lang) -> Vec<String> {
    let Some(store) = Store::existing(root) else { return Vec::new() };
    let narrator = Narrator::new(lang, Level::Brief);
    let events = news.next(&store);
    events
        .iter()
        .flat_map(|e| narrator.story(std::slice::from_ref(e)).lines().map(str::to_string).collect::<Vec<_>>())
        .collect()
}

fn verdict(root: &Path, lang: Lang) -> String {
    let probe = doctor::examine(root, &mut Story::new());
    cli::narrator(lang, Level::Off).verdict_line(&probe)
}
