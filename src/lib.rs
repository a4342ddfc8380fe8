//! docent: a container engine that explains itself.
//!
//! The rooms, from the ground up; every arrow points down (a test reads the `use` lines):
//! [`fact`] plain data, [`kernel`] the system calls, `store` the disk, `image` and `container` the models, `launch` what
//! makes a container, `monitor` the process beside each, `engine` the verbs, `narrate` the only place with sentences, and
//! on top the entry points `cli`, `repl`, `lab` and `book`. [`guest`] holds the programs that run inside containers.

pub mod cli;
pub mod container;
pub mod engine;
mod entry;
pub mod fact;
pub mod guest;
pub mod image;
pub mod kernel;
pub mod lab;
pub mod launch;
pub mod monitor;
pub mod narrate;
pub mod repl;
pub mod store;

use std::ffi::OsString;

/// Runs as what the arguments say, `args[0]` first, and gives the exit code.
pub fn start(args: Vec<OsString>) -> i32 {
    let name = args.first().and_then(|a| std::path::Path::new(a).file_name());
    if name.is_some_and(|n| n == "nginx") {
        return guest::nginx::run(args.into_iter().skip(1).collect());
    }
    if let Some(engine) = lab::client::engine() {
        return ask_engine(&engine, &args);
    }
    if let Ok(cli::Cli { globals, verb: cli::Verb::Grade(a) }) = cli::parse(args.clone()) {
        return grade(&globals, a);
    }
    let hidden = args.get(1).and_then(|a| a.to_str()).unwrap_or_default();
    let rest = || args.iter().skip(2).map(|a| a.to_string_lossy().into_owned()).collect::<Vec<_>>();
    match hidden {
        monitor::COMMAND => monitor::main(&rest()),
        kernel::probe::ARGUMENT => kernel::probe::child_main(args.get(2..).unwrap_or_default()),
        _ => entry::command(args),
    }
}

/// In a grader's sandbox: the engine outside answers.
fn ask_engine(engine: &std::path::Path, args: &[OsString]) -> i32 {
    match lab::client::run(engine, args.get(1..).unwrap_or_default()) {
        Ok(code) => code.into(),
        Err(fault) => {
            let lang = cli::language(args, &cli::process_environ);
            eprint!("{}", narrate::Narrator::new(lang, narrate::Level::Off).print_fault(&fault));
            125
        }
    }
}

/// `docent grade`: 0 for full marks, 1 for less, 2 when there is no verdict.
fn grade(globals: &cli::Globals, a: cli::GradeArgs) -> i32 {
    let narrator = narrate::Narrator::new(globals.lang, narrate::Level::Off);
    let options = lab::grade::Options {
        labs: a.labs.map_or(lab::Source::Embedded, lab::Source::Directory),
        lab: a.lab,
        file: a.file,
        student: a.student,
        secret: a.secret,
        time_limit: None,
        lang: globals.lang.code().into(),
    };
    let graded = options.labs.lab(&options.lab).and_then(|lab| Ok((lab::grade(&options)?, lab)));
    match graded {
        Err(fault) => {
            eprint!("{}", narrator.print_fault(&fault));
            2
        }
        Ok((result, lab)) => {
            match a.format {
                cli::GradeFormat::Json => println!("{}", serde_json::to_string_pretty(&result).unwrap_or_default()),
                cli::GradeFormat::Human => print!("{}", narrator.grade(&result, &lab.title, &lab.lines(&result.score))),
            }
            i32::from(!result.score.full())
        }
    }
}
