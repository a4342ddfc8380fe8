//! The command tree, and the way from words to a [`Cli`].
//!
//! clap parses; Docker's habits are put over the tree in one place ([`habits`]): a flag that needs a value takes the next
//! word whatever it looks like, a repeated flag's last value counts, and every switch takes `=true` and `=false`.
//! Everything after the image of `run` and the container of `exec` belongs to the program inside.

use super::commands::{self, Parsed};
use super::environment::{Environ, process_environ};
use super::lang::{Lang, Level, from_environ, parse_lang, parse_level};
use super::{parsers, usage_errors};
use crate::event::Fault;
use clap::{Arg, ArgAction, Args, Command, FromArgMatches};
use std::ffi::OsString;
use std::path::PathBuf;

/// One command line, understood.
#[derive(Debug)]
pub struct Cli {
    pub globals: Globals,
    pub asked: Asked,
}

/// What holds for every command.
#[derive(Debug, Clone, PartialEq)]
pub struct Globals {
    /// `--root`, else `DOCENT_ROOT`; None is the default of this user.
    pub root: Option<PathBuf>,
    pub lang: Lang,
    /// `--narrate`, else `DOCENT_NARRATE`; None is `learn` at a terminal, and otherwise `off`.
    pub narrate: Option<Level>,
    pub narrate_to: Option<PathBuf>,
    /// The words as they were typed, `argv[0]` first.
    pub argv: Vec<OsString>,
}

#[derive(Debug)]
pub enum Asked {
    /// No command: the interactive session.
    Session,
    /// `--help`: the words of the command to describe (empty: docent itself); [`super::help`] has the text, exit 0.
    Help(Vec<String>),
    /// `--version`.
    VersionLine,
    Command(Box<dyn Parsed>),
}

#[derive(Debug, Args)]
struct GlobalArgs {
    /// 모든 것을 두는 디렉터리 (DOCENT_ROOT) | Directory that holds everything (DOCENT_ROOT)
    #[arg(long, global = true, value_name = "DIR")]
    root: Option<PathBuf>,
    /// 언어 (DOCENT_LANG) | Language (DOCENT_LANG)
    #[arg(long, global = true, value_name = "ko|en", value_parser = parse_lang)]
    lang: Option<Lang>,
    /// 얼마나 설명할지: off, brief, learn, full, deep. json은 프로그램이 읽는 줄 (DOCENT_NARRATE) |
    /// How much is told: off, brief, learn, full, deep; json is lines for programs (DOCENT_NARRATE)
    #[arg(long, global = true, value_name = "LEVEL", value_parser = parse_level)]
    narrate: Option<Level>,
    /// 설명을 끝에 덧붙일 파일 | File at whose end the narration is written
    #[arg(long, global = true, value_name = "FILE")]
    narrate_to: Option<PathBuf>,
    /// 버전을 보여 주고 끝냅니다 | Print version information and quit
    #[arg(short = 'v', long)]
    version: bool,
}

const ABOUT: &str = "스스로 설명하는 컨테이너 엔진입니다. 명령 없이 실행하면 대화형 세션이 열립니다. | \
                     A container engine that explains itself. Without a command it opens an interactive session.";

/// The whole tree, for help, completion and usage errors.
pub fn command() -> Command {
    habits(tree())
}

/// The tree as the registry defines it.
pub(super) fn tree() -> Command {
    commands::tree(root(), |_| true)
}

/// What can be meant by these words: of the tree, the commands that one of them names. To make the others took each line longer
/// than to parse it.
fn meant_by(argv: &[OsString]) -> Command {
    habits(commands::tree(root(), |name| argv.iter().any(|word| word == name)))
}

fn root() -> Command {
    let help = Arg::new("help").long("help").action(ArgAction::Help).global(true);
    let help = help.help("사용법을 보여 줍니다 | Print usage");
    GlobalArgs::augment_args(Command::new("docent")).arg(help).about(ABOUT).disable_version_flag(true)
}

/// Docker's habits, on a command and all below it.
fn habits(command: Command) -> Command {
    command
        .args_override_self(true)
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .mut_args(|arg| match arg.get_action() {
            ArgAction::SetTrue => arg
                .action(ArgAction::Set)
                .num_args(0..=1)
                .require_equals(true)
                .default_value("false")
                .default_missing_value("true")
                .value_parser(parsers::boolean),
            ArgAction::Set | ArgAction::Append if !arg.is_positional() => arg.allow_hyphen_values(true),
            _ => arg,
        })
        .mut_subcommands(habits)
}

/// Reads a command line, `argv[0]` first. On failure the fault and the exit code that Docker answers with.
#[expect(clippy::result_large_err, reason = "once in a process: nothing is won by a box")]
pub fn parse(argv: Vec<OsString>) -> Result<Cli, (Fault, i32)> {
    parse_with(argv, &process_environ)
}

/// [`parse`], with the environment given.
#[expect(clippy::result_large_err, reason = "once in a process: nothing is won by a box")]
pub fn parse_with(argv: Vec<OsString>, environ: Environ) -> Result<Cli, (Fault, i32)> {
    let read = |tree: Command| {
        let words = tree.try_get_matches_from(&argv)?;
        Ok((GlobalArgs::from_arg_matches(&words)?, commands::read(&words).transpose()?))
    };
    // What is wrong with a line, and what was probably meant, only the whole tree can say.
    match read(meant_by(&argv)).or_else(|_: clap::Error| read(command())) {
        Ok((globals, command)) => {
            let version = globals.version;
            let globals = globals.with(environ, argv).map_err(|fault| (fault, usage_errors::ENGINE))?;
            let asked = match command {
                _ if version => Asked::VersionLine,
                None => Asked::Session,
                Some(command) => Asked::Command(command),
            };
            Ok(Cli { globals, asked })
        }
        Err(error) => match usage_errors::refuse(&command(), &argv, &error) {
            usage_errors::Answer::Help(path) => {
                let lang = super::lang::language(&argv, environ);
                let globals = Globals { root: None, lang, narrate: None, narrate_to: None, argv };
                Ok(Cli { globals, asked: Asked::Help(path) })
            }
            usage_errors::Answer::Fault(fault, code) => Err((fault, code)),
        },
    }
}

impl GlobalArgs {
    fn with(self, environ: Environ, argv: Vec<OsString>) -> Result<Globals, Fault> {
        let set = |name: &str| environ(name).filter(|v| !v.is_empty());
        let of = |name: &str, fault: Fault| match fault {
            Fault::BadValue { value, expected, .. } => parsers::bad(name, &value, &expected),
            other => other,
        };
        let lang = match (self.lang, set("DOCENT_LANG")) {
            (None, Some(text)) => parse_lang(&text).map_err(|fault| of("DOCENT_LANG", fault))?,
            (lang, _) => lang.unwrap_or_else(|| from_environ(environ)),
        };
        let narrate = match (self.narrate, set("DOCENT_NARRATE")) {
            (None, Some(text)) => Some(parse_level(&text).map_err(|fault| of("DOCENT_NARRATE", fault))?),
            (level, _) => level,
        };
        let root = self.root.or_else(|| set("DOCENT_ROOT").map(PathBuf::from));
        Ok(Globals { root, lang, narrate, narrate_to: self.narrate_to, argv })
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
