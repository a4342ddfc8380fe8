//! Which entry point a command belongs to, and what each is given of the rooms below.

use crate::book;
use crate::cli::{self, Globals, GradeArgs, GradeFormat, LabVerb, Verb};
use crate::engine::doctor;
use crate::engine::news::News;
use crate::fact::{Fault, Story, Text};
use crate::image::Reference;
use crate::kernel::terminal;
use crate::lab::seed::Seeds;
use crate::lab::{self, Source, client, progress};
use crate::narrate::{Lang, Level, Narrator};
use crate::repl::{self, Kind, Setup};
use crate::store::Store;
use std::ffi::OsString;
use std::io::Write;
use std::path::Path;

/// Exit codes of `grade`: full marks, less, and no verdict.
const CANNOT_GRADE: i32 = 2;

/// A command line, `argv[0]` first. Gives the exit code.
pub fn command(argv: Vec<OsString>) -> i32 {
    // In a grader's sandbox this program only carries words to the engine outside.
    if let Some(engine) = client::engine() {
        return match client::run(&engine, argv.get(1..).unwrap_or_default()) {
            Ok(code) => i32::from(code),
            Err(fault) => cli::refuse(&argv, &fault, 125),
        };
    }
    let cli = match cli::parse(argv.clone()) {
        Ok(cli) => cli,
        Err((fault, code)) => return cli::refuse(&argv, &fault, code),
    };
    match &cli.verb {
        Verb::Session => session(&cli.globals),
        Verb::Lab(verb) => lab_verb(&cli.globals, verb).unwrap_or_else(|fault| cli::refuse(&argv, &fault, 1)),
        Verb::Grade(a) => grade(&cli.globals, a).unwrap_or_else(|fault| cli::refuse(&argv, &fault, CANNOT_GRADE)),
        Verb::Book(a) => read_book(&cli.globals, a.chapter.as_deref()),
        _ => cli::act(cli, &argv),
    }
}

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

fn grade(globals: &Globals, a: &GradeArgs) -> Result<i32, Fault> {
    let labs = a.labs.clone().map_or(Source::Embedded, Source::Directory);
    let options = lab::grade::Options {
        labs,
        lab: a.lab.clone(),
        file: a.file.clone(),
        student: a.student.clone(),
        secret: a.secret.clone(),
        time_limit: None,
        lang: globals.lang.code().into(),
    };
    let result = lab::grade(&options)?;
    let exercise = options.labs.lab(&a.lab)?;
    match a.format {
        GradeFormat::Json => {
            let json = serde_json::to_string_pretty(&result).unwrap_or_default();
            println!("{json}");
        }
        GradeFormat::Human => {
            let lines = exercise.lines(&result.score);
            print!("{}", cli::narrator(globals.lang, Level::Full).grade(&result, &exercise.title, &lines));
        }
    }
    Ok(i32::from(!result.score.full()))
}

/// `docent lab …`: the learner's own way through an exercise.
fn lab_verb(globals: &Globals, verb: &LabVerb) -> Result<i32, Fault> {
    let narrator = cli::narrator(globals.lang, Level::Full);
    let (store, made) = Store::open(&cli::root_of(globals))?;
    if let Some(made) = made {
        let mut story = Story::new();
        made.tell(&mut story);
        eprint!("{}", narrator.story(story.events()));
    }
    let source = Source::Embedded;
    let text = match verb {
        LabVerb::List => narrator.lab_list(&progress::list(&store, &source)?),
        LabVerb::Start { lab } => {
            let started = progress::start(&store, &source, lab, &Seeds::new(None, None)?)?;
            let l = &started.lab;
            narrator.lab_started(&l.title, &l.goal, &started.student, started.practice, &started.values)
        }
        LabVerb::Status | LabVerb::Check => {
            let check = matches!(verb, LabVerb::Check);
            let status = if check { progress::check(&store)? } else { progress::status(&store)? };
            narrator.lab_tasks(&status.lines, &status.score)
        }
        LabVerb::Hint { task } => narrator.lab_hint(&progress::hint(&store, task.as_deref())?),
        LabVerb::Reset => narrator.lab_reset(&progress::reset(&store)?),
        LabVerb::Guide { lab } => {
            let guide = match lab {
                Some(name) => source.guide(name)?,
                None => progress::started(&store)?.1,
            };
            guide_text(&guide, &narrator)
        }
    };
    print!("{text}");
    Ok(0)
}

fn guide_text(guide: &Text, narrator: &Narrator) -> String {
    crate::narrate::markdown::render(crate::narrate::lab::of(guide, narrator.lang), narrator.width, narrator.color)
}

fn session(globals: &Globals) -> i32 {
    let root = cli::root_of(globals);
    let (names_root, news_root, verdict_root) = (root.clone(), root.clone(), root.clone());
    let (check_root, env_root) = (root.clone(), root.clone());
    let mut news = News::default();
    repl::run(Setup {
        store: Store::existing(&root),
        root,
        lang: globals.lang,
        narrate: globals.narrate.map(|level| level.word().to_string()),
        command: cli::command(),
        names: Box::new(move |kind| names(&names_root, kind)),
        news: Box::new(move |lang| tell_news(&news_root, &mut news, lang)),
        lab_check: Box::new(move |lang| lab_changes(&check_root, lang)),
        lab_env: Box::new(move || lab_values(&env_root)),
        verdict: Box::new(move |lang| verdict(&verdict_root, lang)),
        help: Box::new(|path, lang| cli::help(path, lang, cli::width())),
    })
}

/// Names for completion.
fn names(root: &Path, kind: Kind) -> Vec<String> {
    let Some(store) = Store::existing(root) else { return Vec::new() };
    match kind {
        Kind::Container => store.list_containers().unwrap_or_default().into_iter().map(|c| c.name).collect(),
        Kind::Id => store.list_containers().unwrap_or_default().into_iter().map(|c| c.id).collect(),
        Kind::Image => {
            let images = store.images().unwrap_or_default();
            let names = images.iter().flat_map(|i| &i.names).filter_map(|n| Reference::parse(n).ok());
            names.map(|r| r.familiar()).chain(["tiny".into(), "nginx".into()]).collect()
        }
        Kind::Lab => lab::names().map(str::to_string).collect(),
    }
}

/// Tasks of the started lab that a command has just passed or lost.
fn lab_changes(root: &Path, lang: Lang) -> Vec<String> {
    let Some(store) = Store::existing(root) else { return Vec::new() };
    match progress::live(&store) {
        Ok(Some(changes)) => {
            cli::narrator(lang, Level::Full).lab_changes(&changes).lines().map(str::to_string).collect()
        }
        // No lab, nothing new, or one that cannot be read: `lab status` says why.
        _ => Vec::new(),
    }
}

fn lab_values(root: &Path) -> Vec<(String, String)> {
    let Some(store) = Store::existing(root) else { return Vec::new() };
    progress::values(&store).unwrap_or_default().into_iter().collect()
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
