//! The command tree, and the way from words to a [`Cli`].
//!
//! clap parses; Docker's habits are put over the derived tree in one place ([`habits`]): a flag that needs a value takes the
//! next word whatever it looks like, a repeated flag's last value counts, and every switch takes `=true` and `=false`.
//! Everything after the image of `run` and the container of `exec` belongs to the program inside.
//! The sentences of `--help` stand in `words.rs`, in both languages.

mod container;
mod image;
mod learn;
mod run;

pub use container::{
    CpArgs, DiffArgs, ExecArgs, InspectArgs, KillArgs, LogsArgs, NamesArgs, ObjectKind, PsArgs, RmArgs, StartArgs,
    StopArgs, Tail,
};
pub use image::{ImagesArgs, LoadArgs, VersionArgs};
pub use learn::{BookArgs, ExplainArgs, GradeArgs, GradeFormat, JournalVerb, LabVerb, VerifyArgs};
pub use run::{CreateArgs, RunArgs};

use super::environment::{Environ, process_environ};
use super::lang::{Lang, Level, from_environ, parse_lang, parse_level};
use super::{parsers, usage_errors};
use crate::fact::Fault;
use clap::{Arg, ArgAction, Args, Command, CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;

/// One command line, understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Cli {
    pub globals: Globals,
    pub verb: Verb,
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
}

/// What to do. Both of Docker's spellings (`ps`, `container ls`) lead to the same verb.
#[derive(Debug, Clone, PartialEq)]
pub enum Verb {
    /// No command: the interactive session.
    Session,
    /// `--help`: the words of the command to describe (empty: docent itself); [`super::help`] has the text, exit 0.
    Help(Vec<String>),
    /// `--version`.
    VersionLine,
    Run(Box<RunArgs>),
    Create(Box<CreateArgs>),
    Start(StartArgs),
    Stop(StopArgs),
    Kill(KillArgs),
    Rm(RmArgs),
    Ps(PsArgs),
    Logs(LogsArgs),
    Exec(ExecArgs),
    Cp(CpArgs),
    Pause(NamesArgs),
    Unpause(NamesArgs),
    Inspect(InspectArgs),
    Diff(DiffArgs),
    Images(ImagesArgs),
    Load(LoadArgs),
    Version(VersionArgs),
    Explain(ExplainArgs),
    Verify(VerifyArgs),
    Doctor,
    Lab(LabVerb),
    Grade(GradeArgs),
    Book(BookArgs),
    Journal(JournalVerb),
}

#[derive(Debug, Parser)]
#[command(name = "docent")]
struct Root {
    #[command(flatten)]
    globals: GlobalArgs,
    #[arg(short = 'v', long)]
    version: bool,
    #[command(subcommand)]
    command: Option<Top>,
}

#[derive(Debug, Args)]
struct GlobalArgs {
    #[arg(long, global = true, value_name = "DIR")]
    root: Option<PathBuf>,
    #[arg(long, global = true, value_name = "ko|en", value_parser = parse_lang)]
    lang: Option<Lang>,
    #[arg(long, global = true, value_name = "LEVEL", value_parser = parse_level)]
    narrate: Option<Level>,
    #[arg(long, global = true, value_name = "FILE")]
    narrate_to: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Top {
    #[command(flatten)]
    Both(OnContainers),
    Ps(PsArgs),
    Inspect(InspectArgs),
    Images(ImagesArgs),
    Load(LoadArgs),
    Version(VersionArgs),
    #[command(subcommand)]
    Container(ContainerGroup),
    #[command(subcommand)]
    Image(ImageGroup),
    Explain(ExplainArgs),
    Verify(VerifyArgs),
    Doctor,
    #[command(subcommand)]
    Lab(LabVerb),
    Grade(GradeArgs),
    Book(BookArgs),
    Journal(JournalArgs),
    Help(HelpArgs),
}

/// Verbs that read the same with and without `container` before them.
#[derive(Debug, Subcommand)]
enum OnContainers {
    Run(Box<RunArgs>),
    Create(Box<CreateArgs>),
    Start(StartArgs),
    Stop(StopArgs),
    Kill(KillArgs),
    Rm(RmArgs),
    Logs(LogsArgs),
    Exec(ExecArgs),
    Cp(CpArgs),
    Pause(NamesArgs),
    Unpause(NamesArgs),
    Diff(DiffArgs),
}

#[derive(Debug, Subcommand)]
enum ContainerGroup {
    #[command(flatten)]
    Both(OnContainers),
    #[command(visible_aliases = ["list", "ps"])]
    Ls(PsArgs),
    Inspect(InspectArgs),
}

#[derive(Debug, Subcommand)]
enum ImageGroup {
    #[command(visible_alias = "list")]
    Ls(ImagesArgs),
    Load(LoadArgs),
    Inspect(InspectArgs),
}

#[derive(Debug, Args)]
struct JournalArgs {
    #[command(subcommand)]
    verb: Option<JournalVerb>,
}

#[derive(Debug, Args)]
struct HelpArgs {
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
}

impl OnContainers {
    fn verb(self) -> Verb {
        match self {
            OnContainers::Run(a) => Verb::Run(a),
            OnContainers::Create(a) => Verb::Create(a),
            OnContainers::Start(a) => Verb::Start(a),
            OnContainers::Stop(a) => Verb::Stop(a),
            OnContainers::Kill(a) => Verb::Kill(a),
            OnContainers::Rm(a) => Verb::Rm(a),
            OnContainers::Logs(a) => Verb::Logs(a),
            OnContainers::Exec(a) => Verb::Exec(a),
            OnContainers::Cp(a) => Verb::Cp(a),
            OnContainers::Pause(a) => Verb::Pause(a),
            OnContainers::Unpause(a) => Verb::Unpause(a),
            OnContainers::Diff(a) => Verb::Diff(a),
        }
    }
}

impl Top {
    fn verb(self) -> Verb {
        match self {
            Top::Both(both) | Top::Container(ContainerGroup::Both(both)) => both.verb(),
            Top::Ps(a) | Top::Container(ContainerGroup::Ls(a)) => Verb::Ps(a),
            Top::Inspect(a) => Verb::Inspect(a),
            Top::Container(ContainerGroup::Inspect(a)) => Verb::Inspect(a.only(ObjectKind::Container)),
            Top::Image(ImageGroup::Inspect(a)) => Verb::Inspect(a.only(ObjectKind::Image)),
            Top::Images(a) | Top::Image(ImageGroup::Ls(a)) => Verb::Images(a),
            Top::Load(a) | Top::Image(ImageGroup::Load(a)) => Verb::Load(a),
            Top::Version(a) => Verb::Version(a),
            Top::Explain(a) => Verb::Explain(a),
            Top::Verify(a) => Verb::Verify(a),
            Top::Doctor => Verb::Doctor,
            Top::Lab(verb) => Verb::Lab(verb),
            Top::Grade(a) => Verb::Grade(a),
            Top::Book(a) => Verb::Book(a),
            Top::Journal(a) => Verb::Journal(a.verb.unwrap_or(JournalVerb::List)),
            Top::Help(a) => Verb::Help(a.command),
        }
    }
}

/// The whole tree, for parsing and for completion. The help texts of an argument are in [`super::help`].
pub fn command() -> Command {
    let help = Arg::new("help").long("help").action(ArgAction::Help).global(true);
    let root = Root::command()
        .arg(help)
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .disable_version_flag(true)
        .subcommand_required(false)
        .arg_required_else_help(false);
    habits(root)
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
    let tree = command();
    let root = match tree.clone().try_get_matches_from(&argv).and_then(|m| Root::from_arg_matches(&m)) {
        Ok(root) => root,
        Err(error) => match usage_errors::refuse(&tree, &argv, &error) {
            usage_errors::Answer::Help(path) => {
                let lang = super::lang::language(&argv, environ);
                let globals = Globals { root: None, lang, narrate: None, narrate_to: None };
                return Ok(Cli { globals, verb: Verb::Help(path) });
            }
            usage_errors::Answer::Fault(fault, code) => return Err((fault, code)),
        },
    };
    let usage = |fault: Fault| (fault, usage_errors::ENGINE);
    let globals = root.globals.with(environ).map_err(usage)?;
    let verb = match root.command {
        _ if root.version => Verb::VersionLine,
        None => Verb::Session,
        Some(top) => top.verb(),
    };
    let verb = match verb {
        Verb::Help(words) => Verb::Help(usage_errors::described(&tree, words)?),
        verb => verb,
    };
    Ok(Cli { globals, verb })
}

impl GlobalArgs {
    fn with(self, environ: Environ) -> Result<Globals, Fault> {
        let set = |name: &str| environ(name).filter(|v| !v.is_empty());
        let lang = match (self.lang, set("DOCENT_LANG")) {
            (Some(lang), _) => lang,
            (None, Some(text)) => parse_lang(&text).map_err(|_| parsers::bad("DOCENT_LANG", &text, "ko|en"))?,
            (None, None) => from_environ(environ),
        };
        let narrate = match (self.narrate, set("DOCENT_NARRATE")) {
            (Some(level), _) => Some(level),
            (None, Some(text)) => Some(parse_level(&text).map_err(|fault| match fault {
                Fault::BadValue { value, expected, .. } => parsers::bad("DOCENT_NARRATE", &value, &expected),
                other => other,
            })?),
            (None, None) => None,
        };
        let root = self.root.or_else(|| set("DOCENT_ROOT").map(PathBuf::from));
        Ok(Globals { root, lang, narrate, narrate_to: self.narrate_to })
    }
}

#[cfg(test)]
mod tests;
