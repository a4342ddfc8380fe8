//! Every command is one file here: its flags, its help in both languages, an example, its exit codes, whether it stands alone
//! in the session, whether a submission may use it, what it does and what it would do. One line in [`COMMANDS`] registers it.
//!
//! The tree that clap parses, `--help`, the manual pages, completion, the session's table of bare verbs and the grader's list all
//! come from here. The help of a command and of a flag is its doc comment, `한국어 | English`.

pub mod book;
pub mod cp;
pub mod create;
pub mod diff;
pub mod doctor;
pub mod exec;
pub mod explain;
pub mod grade;
pub mod help;
pub mod images;
pub mod inspect;
pub mod journal;
pub mod kill;
pub mod lab;
pub mod load;
pub mod logs;
pub mod pause;
pub mod port;
pub mod ps;
pub mod rename;
pub mod reset;
pub mod rm;
pub mod run;
pub mod start;
pub mod stop;
pub mod unpause;
pub mod verify;
pub mod version;
pub mod wait;

// What a command's file has by `use super::*`.
use super::{Context, Globals, fail, narrator};
use crate::container::Container;
use crate::engine::plan::{Forecast, Foreseen, Plan};
use crate::event::{Fact, Fault};
use crate::narrate::Level;
use crate::store::Store;
use clap::{ArgMatches, Args};
use std::fmt::Debug;

/// The order is that of `docent --help`.
pub static COMMANDS: &[Entry] = &[
    Entry::of::<run::Run>(),
    Entry::of::<create::Create>(),
    Entry::of::<start::Start>(),
    Entry::of::<stop::Stop>(),
    Entry::of::<kill::Kill>(),
    Entry::of::<rm::Rm>(),
    Entry::of::<logs::Logs>(),
    Entry::of::<exec::Exec>(),
    Entry::of::<cp::Cp>(),
    Entry::of::<pause::Pause>(),
    Entry::of::<unpause::Unpause>(),
    Entry::of::<wait::Wait>(),
    Entry::of::<diff::Diff>(),
    Entry::of::<port::Port>(),
    Entry::of::<rename::Rename>(),
    Entry::of::<reset::Reset>(),
    Entry::of::<ps::Ps>(),
    Entry::of::<inspect::Inspect>(),
    Entry::of::<inspect::InspectContainer>(),
    Entry::of::<inspect::InspectImage>(),
    Entry::of::<images::Images>(),
    Entry::of::<load::Load>(),
    Entry::of::<version::Version>(),
    Entry::of::<explain::Explain>(),
    Entry::of::<verify::Verify>(),
    Entry::of::<doctor::Doctor>(),
    Entry::of::<lab::Lab>(),
    Entry::of::<grade::Grade>(),
    Entry::of::<book::Book>(),
    Entry::of::<journal::Journal>(),
    Entry::of::<help::Help>(),
];

/// Groups that stand before a command.
const GROUPS: &[(&str, &str)] = &[
    ("container", "컨테이너를 다룹니다 | Manage containers"),
    ("image", "이미지를 다룹니다 | Manage images"),
    ("system", "docent의 저장소를 다룹니다 | Manage docent's store"),
];

pub trait Command: Args + Debug + 'static {
    /// Its spellings. Other names of a last word stand behind it: `container ls|list|ps`.
    const PATHS: &'static [&'static str];
    /// A line of the course notes, or in their manner. Its first word says whose command this is.
    const EXAMPLE: &'static str;
    /// What follows the name in `Usage:`, where the arguments alone do not say it.
    const USAGE: &'static [&'static str] = &[];
    const BARE: Bare = Bare::Ours;
    const GRADED: Graded = Graded::Never;
    /// Its exit code for what went wrong.
    const EXIT: fn(&Fault) -> i32 = |fault| match fault {
        Fault::Usage { .. } | Fault::Unsupported { .. } => 125,
        _ => 1,
    };

    /// The command, from its words to its exit code. What needs no store or journal begins here.
    fn start(self, globals: &Globals) -> Result<i32, Fault> {
        Context::with(globals, Self::EXIT, |context| self.run(context))
    }

    fn run(self, _: &mut Context) -> Result<i32, Fault> {
        Ok(0)
    }

    /// What it does, one plan for each thing that it is about; none for a command that only looks.
    fn plans(&self, _: &Store) -> Result<Vec<Plan>, Fault> {
        Ok(Vec::new())
    }
}

/// Whether a submission may use it: it touches nothing but the store, and files on the submission's behalf.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Graded {
    Never,
    Always,
    /// Where the lab asks for it.
    Asked,
}

/// Whether a name is a container's.
pub type IsName<'a> = &'a dyn Fn(&str) -> bool;

/// What the verb means in a session without `docker` before it. No shell builtin and no Unix tool is ours.
#[derive(Clone, Copy)]
pub enum Bare {
    Ours,
    /// The shell's, but where these arguments can only be meant for a container.
    When(fn(&[&str], IsName) -> bool),
    /// The shell's. With such arguments it was probably meant for a container, and a hint is due.
    Shells(fn(&[&str], IsName) -> bool),
}

/// A plan for each container of these names.
fn for_each(store: &Store, names: &[String], plan: impl Fn(&Container) -> Plan) -> Result<Vec<Plan>, Fault> {
    let of = |name: &String| store.find_container(name).map(|container| plan(&container).named(name));
    Ok(names.iter().map(|name| of(name).unwrap_or_else(Plan::failing)).collect())
}

/// A container's name among the arguments.
pub fn names_one(args: &[&str], is_name: IsName) -> bool {
    args.iter().any(|a| !a.starts_with('-') && is_name(a))
}

/// A command of the registry.
pub struct Entry {
    pub paths: &'static [&'static str],
    pub example: &'static str,
    pub usage: &'static [&'static str],
    pub bare: Bare,
    pub graded: Graded,
    arguments: fn(clap::Command) -> clap::Command,
    pub read: fn(&ArgMatches) -> Result<Box<dyn Parsed>, clap::Error>,
}

/// A command whose words are understood.
pub trait Parsed: Debug {
    /// Carries it out, and says what went wrong. Gives the exit code.
    fn execute(self: Box<Self>, globals: &Globals) -> i32;
    fn forecast(&self, store: &Store) -> Result<Forecast, Fault>;
}

impl<C: Command> Parsed for C {
    fn execute(self: Box<Self>, globals: &Globals) -> i32 {
        self.start(globals).unwrap_or_else(|fault| fail(globals, &fault, C::EXIT(&fault)))
    }

    /// A plan that would fail keeps the others from nothing, as the command itself goes on.
    fn forecast(&self, store: &Store) -> Result<Forecast, Fault> {
        let (mut all, mut foreseen) = (Forecast::default(), Foreseen::default());
        for plan in self.plans(store)? {
            let next = plan.forecast(store, &mut foreseen);
            all.facts.extend(next.facts);
            all.fault = all.fault.or(next.fault);
        }
        Ok(all)
    }
}

impl Entry {
    const fn of<C: Command>() -> Entry {
        Entry {
            paths: C::PATHS,
            example: C::EXAMPLE,
            usage: C::USAGE,
            bare: C::BARE,
            graded: C::GRADED,
            arguments: C::augment_args,
            read: |words| Ok(Box::new(C::from_arg_matches(words)?)),
        }
    }

    /// Every spelling in full: `container ls`, `container list`, `container ps`, `ps`.
    pub fn spellings(&self) -> impl Iterator<Item = String> {
        self.paths.iter().flat_map(|path| {
            let (group, names) = split(path);
            names.split('|').map(move |name| format!("{group} {name}").trim_start().to_string())
        })
    }

    /// `docker` or `docent`.
    pub fn program(&self) -> &'static str {
        self.example.split_once("docent ").map_or("docker", |_| "docent")
    }
}

/// The group of a spelling ("" for none), and its own names.
fn split(path: &'static str) -> (&'static str, &'static str) {
    path.split_once(' ').unwrap_or(("", path))
}

/// The command that these words are, or begin with.
pub fn find<S: AsRef<str>>(words: &[S]) -> Option<&'static Entry> {
    let first = |n: usize| words.iter().take(n).map(S::as_ref).collect::<Vec<_>>().join(" ");
    let (one, two) = (first(1), first(2));
    COMMANDS.iter().find(|entry| entry.spellings().any(|s| s == two || s == one))
}

/// Words that may stand alone in a session, commands and groups.
pub fn bare() -> impl Iterator<Item = String> {
    let ours = COMMANDS.iter().filter(|c| matches!(c.bare, Bare::Ours));
    let names = ours.flat_map(|c| c.spellings().filter(|s| !s.contains(' ') && s != "help"));
    names.chain(GROUPS.iter().map(|(name, _)| name.to_string()))
}

/// Puts the commands of these names below the root, under each of their spellings.
pub fn tree(root: clap::Command, named: impl Fn(&str) -> bool) -> clap::Command {
    let mut groups: Vec<clap::Command> = Vec::new();
    for (name, about) in GROUPS {
        let group = clap::Command::new(*name).about(*about).subcommand_required(true).arg_required_else_help(true);
        groups.push(group);
    }
    let mut root = root;
    for (entry, path) in COMMANDS.iter().flat_map(|entry| entry.paths.iter().map(move |path| (entry, path))) {
        let (group, names) = split(path);
        if !names.split('|').any(&named) {
            continue;
        }
        let mut names = names.split('|');
        let command = clap::Command::new(names.next().unwrap_or_default());
        let command = (entry.arguments)(command).visible_aliases(names);
        match groups.iter_mut().find(|g| g.get_name() == group) {
            Some(found) => *found = std::mem::take(found).subcommand(command),
            None => root = root.subcommand(command),
        }
    }
    root.subcommands(groups)
}

/// Reads what clap has parsed below the root.
pub fn read(words: &ArgMatches) -> Option<Result<Box<dyn Parsed>, clap::Error>> {
    let (first, inner) = words.subcommand()?;
    let (path, matches) = match inner.subcommand() {
        Some((second, innermost)) if GROUPS.iter().any(|(name, _)| *name == first) => (vec![first, second], innermost),
        _ => (vec![first], inner),
    };
    Some((find(&path)?.read)(matches))
}
