//! From words to deeds: one command from its parsed line to its exit code.
//!
//! stdout is data; what people read about it goes to stderr. Around an attached program narration comes before its first
//! byte and after its last (design, promise 4).

mod image;
mod look;
mod ours;
mod planned;
mod run;
mod several;

use super::context::{self, Context};
use super::{Cli, Verb};
use crate::fact::Fault;
use std::ffi::OsString;

/// Exit code of the engine's own failures for `run`, of usage errors, and of everything else.
const ENGINE: i32 = 125;
const FAILED: i32 = 1;

/// One command line that could not be understood: says why, and gives the exit code.
pub fn refuse(argv: &[OsString], fault: &Fault, code: i32) -> i32 {
    let lang = super::language(argv, &super::process_environ);
    eprint!("{}", context::narrator(lang, crate::narrate::Level::Off).print_fault(fault));
    code
}

/// Carries out a command that is Docker's or about stories; the other entry points have theirs. Gives the exit code.
pub fn act(cli: Cli, argv: &[OsString]) -> i32 {
    match &cli.verb {
        Verb::Help(path) => {
            print!("{}", super::help(path, cli.globals.lang, context::width()));
            return 0;
        }
        Verb::VersionLine => {
            println!("{}", super::version_line());
            return 0;
        }
        Verb::Version(a) => return ours::version(&cli.globals, a),
        Verb::Doctor => return ours::doctor(&cli.globals),
        _ => {}
    }
    crate::kernel::process::usual_umask();
    let mut context = match Context::open(&cli.globals, argv) {
        Ok(context) => context,
        Err(fault) => {
            let narrator = context::narrator(cli.globals.lang, crate::narrate::Level::Off);
            eprint!("{}", narrator.print_fault(&fault));
            return if matches!(cli.verb, Verb::Run(_)) { ENGINE } else { FAILED };
        }
    };
    let code = match dispatch(&mut context, &cli.verb) {
        Ok(code) => code,
        Err(fault) => {
            context.narrate();
            context.complain(&fault);
            exit_code(&fault, &cli.verb)
        }
    };
    context.finish(code);
    code
}

fn dispatch(context: &mut Context, verb: &Verb) -> Result<i32, Fault> {
    match verb {
        Verb::Run(a) => run::run(context, a),
        Verb::Create(a) => run::create(context, a),
        Verb::Start(a) => run::start(context, a),
        Verb::Exec(a) => run::exec(context, a),
        Verb::Stop(a) => several::stop(context, a),
        Verb::Kill(a) => several::kill(context, a),
        Verb::Rm(a) => several::rm(context, a),
        Verb::Pause(a) => several::pause(context, a),
        Verb::Unpause(a) => several::unpause(context, a),
        Verb::Cp(a) => several::cp(context, a),
        Verb::Ps(a) => look::ps(context, a),
        Verb::Logs(a) => look::logs(context, a),
        Verb::Inspect(a) => look::inspect(context, a),
        Verb::Diff(a) => look::diff(context, a),
        Verb::Images(a) => image::images(context, a),
        Verb::Load(a) => image::load(context, a),
        Verb::Explain(a) => ours::explain(context, a),
        Verb::Verify(a) => ours::verify(context, a),
        Verb::Journal(v) => ours::journal(context, v),
        Verb::Lab(_)
        | Verb::Help(_)
        | Verb::VersionLine
        | Verb::Version(_)
        | Verb::Doctor
        | Verb::Book(_)
        | Verb::Grade(_)
        | Verb::Session => Ok(0),
    }
}

/// Docker's codes: 127 and 126 for a program that is not there or cannot run, 125 for `run`'s own failures, else 1.
fn exit_code(fault: &Fault, verb: &Verb) -> i32 {
    match (fault, verb) {
        (Fault::CommandNotFound { .. }, Verb::Run(_) | Verb::Exec(_)) => 127,
        (Fault::NotExecutable { .. } | Fault::BadWorkdir { .. }, Verb::Run(_) | Verb::Exec(_)) => 126,
        // Docker's client asks this before it asks its engine for anything.
        (Fault::NotATerminal, _) => FAILED,
        // As Docker: the template of `inspect` is read by its client's own parser.
        (Fault::BadTemplate { .. }, Verb::Inspect(_)) => 64,
        (_, Verb::Run(_)) => ENGINE,
        (Fault::Usage { .. } | Fault::Unsupported { .. }, _) => ENGINE,
        _ => FAILED,
    }
}
