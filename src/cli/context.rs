//! What every command carries with it: the store, the story and its journal, and the narrator.

use super::Globals;
use crate::container::Container;
use crate::engine::plan::{Plan, Scene};
use crate::engine::{doctor, recover};
use crate::event::{Asked, Failure, Fault, Line, Story};
use crate::kernel::host::Host;
use crate::kernel::terminal;
use crate::narrate::{Lang, Level, Narrator, paint};
use crate::store::{self, Journal, Store, default_root};
use std::cell::RefCell;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::rc::Rc;

/// The journal, shared with the story that writes to it as it is told.
type Shared = Rc<RefCell<Option<Journal>>>;

pub struct Context {
    pub store: Store,
    pub story: Story,
    pub narrator: Narrator,
    journal: Shared,
    /// What is wrong with containers that this command has nothing to do with; said at its end.
    damaged: Vec<Fault>,
    /// What has been said of errors.
    faults: Vec<Failure>,
    /// Lines of JSON are what was asked for, whatever a command shows on standard output.
    json: bool,
    /// What it fails with is foreseen and has not been tried.
    only_looks: bool,
    /// Events that have been shown already.
    shown: usize,
    to: Option<File>,
}

/// A voice for this terminal.
pub fn narrator(lang: Lang, level: Level) -> Narrator {
    let mut narrator = Narrator::new(lang, level);
    narrator.color = paint::wanted(terminal::is_terminal(std::io::stderr()));
    narrator.width = width();
    narrator
}

pub fn width() -> usize {
    terminal_size::terminal_size_of(std::io::stderr()).map_or(100, |(w, _)| usize::from(w.0).clamp(40, 120))
}

pub fn root_of(globals: &Globals) -> PathBuf {
    let root = globals.root.clone().unwrap_or_else(default_root);
    std::path::absolute(&root).unwrap_or(root)
}

/// Says why a command line cannot be served. Gives the exit code.
pub fn refuse(lang: Lang, fault: &Fault, code: i32) -> i32 {
    eprint!("{}", narrator(lang, Level::Off).print_fault(fault));
    code
}

/// The same for a command that could not begin. Who reads lines of JSON learns it from them.
pub fn fail(globals: &Globals, fault: &Fault, code: i32) -> i32 {
    let json = globals.narrate == Some(Level::Json);
    if json {
        let faults = vec![Failure::of(fault, globals.lang)];
        let begin = Line::Begin { command: None, asked: asked(globals) };
        let end = Line::End { command: None, exit_code: code, took_us: 0, faults };
        write(&mut told_to(globals).ok().flatten(), &(begin.json() + &end.json()));
    }
    if json && globals.narrate_to.is_none() { code } else { refuse(globals.lang, fault, code) }
}

/// The file that the narration goes to, if not to standard error.
fn told_to(globals: &Globals) -> Result<Option<File>, Fault> {
    let open = |path: &PathBuf| {
        File::options().create(true).append(true).open(path).map_err(|e| {
            let path = path.to_string_lossy().into_owned();
            Fault::LocalFile { path, call: "open".into(), errno: e.raw_os_error().unwrap_or(libc::EIO) }
        })
    };
    globals.narrate_to.as_ref().map(open).transpose()
}

fn write(to: &mut Option<File>, text: &str) {
    let written = match to {
        Some(file) => file.write_all(text.as_bytes()),
        None => std::io::stderr().lock().write_all(text.as_bytes()),
    };
    // Nobody listens any more: the command goes on.
    written.unwrap_or(());
}

fn asked(globals: &Globals) -> Asked {
    let words: Vec<String> = globals.argv.iter().map(|a| a.to_string_lossy().into_owned()).collect();
    let cwd = std::env::current_dir().unwrap_or_default().to_string_lossy().into_owned();
    store::asked(&words, &cwd, uid(), globals.lang)
}

fn uid() -> u32 {
    rustix::process::getuid().as_raw()
}

impl Context {
    /// Does a command's work between the beginning of its record and the end; says what went wrong. Gives the exit code.
    ///
    /// # Errors
    /// What kept it from beginning.
    pub fn with(
        globals: &Globals,
        exit: fn(&Fault) -> i32,
        work: impl FnOnce(&mut Context) -> Result<i32, Fault>,
    ) -> Result<i32, Fault> {
        crate::kernel::process::usual_umask();
        let mut context = Context::open(globals)?;
        let code = work(&mut context).unwrap_or_else(|fault| {
            if !context.only_looks {
                context.story.tell_failure(&fault);
            }
            context.narrate();
            context.complain(&fault);
            exit(&fault)
        });
        context.finish(code);
        Ok(code)
    }

    /// Opens the store, recovers it from killed commands, and begins the story.
    fn open(globals: &Globals) -> Result<Context, Fault> {
        let root = root_of(globals);
        let host = Host::look();
        if !host.root {
            let probe = doctor::examine(&root, &host, &mut Story::new());
            return Err(Fault::NotRoot { probe: Some(Box::new(probe)) });
        }
        let level = globals
            .narrate
            .unwrap_or_else(|| if terminal::is_terminal(std::io::stderr()) { Level::Learn } else { Level::Off });
        let to = told_to(globals);
        let (store, made) = Store::open(&root, host)?;
        let to = to?;
        let journal: Shared = Rc::new(RefCell::new(Some(Journal::begin(&store, asked(globals)))));
        let writes = journal.clone();
        let story = Story::new().listening(move |events| {
            if let Some(journal) = writes.borrow_mut().as_mut() {
                // A journal that cannot be written costs `explain`, never the command.
                drop(journal.events(events));
            }
        });
        let numbers = journal.clone();
        let story = story.heard(level != Level::Off).numbered(move || numbers.borrow_mut().as_mut()?.take_number());
        let mut narrator = narrator(globals.lang, level);
        if level == Level::Learn {
            narrator.learned = store.learned(uid());
        }
        let (json, faults) = (level == Level::Json, Vec::new());
        let mut context = Context {
            store,
            story,
            narrator,
            journal,
            damaged: Vec::new(),
            faults,
            json,
            only_looks: false,
            shown: 0,
            to,
        };
        let begin = context.journal.borrow_mut().as_mut().filter(|_| json).map(Journal::announce);
        context.say(&begin.map(|line| line.json()).unwrap_or_default());
        if let Some(made) = made {
            made.tell(&mut context.story);
        }
        context.damaged = recover::recover(&context.store, &mut context.story)?;
        Ok(context)
    }

    /// What this command fails with is only foreseen.
    pub fn only_looks(&mut self) {
        self.only_looks = true;
    }

    /// Shows what has been told since the last time.
    pub fn narrate(&mut self) {
        let events = self.story.events();
        let new = events.get(self.shown..).unwrap_or_default();
        self.narrator.command = self.journal.borrow().as_ref().and_then(Journal::number);
        let text = self.narrator.story_from(self.shown + 1, new);
        let concepts = self.narrator.teaches(new);
        self.shown = events.len();
        self.say(&text);
        let keys: Vec<&str> = concepts.iter().map(|c| c.key()).collect();
        if self.narrator.level == Level::Learn && !keys.is_empty() {
            self.store.learn(uid(), keys.iter().copied());
            self.narrator.learned.extend(keys.iter().map(|k| k.to_string()));
        }
    }

    /// Shows the rest, and how to check it.
    pub fn narrate_last(&mut self) {
        let hint = self.hint();
        self.narrate();
        self.say(&hint.unwrap_or_default());
    }

    /// The hint for what is not yet shown, to be said after the id on standard output.
    pub fn hint(&self) -> Option<String> {
        self.narrator.hint(self.story.events().get(self.shown..).unwrap_or_default())
    }

    /// A text of the narration.
    pub fn say(&mut self, text: &str) {
        if !text.is_empty() {
            write(&mut self.to, text);
        }
    }

    /// Standard error is lines of JSON and nothing else.
    fn only_json(&self) -> bool {
        self.json && self.to.is_none()
    }

    /// A program's bytes, or a question, and lines of JSON must not share one stream.
    pub fn json_needs_a_file(&self) -> Result<(), Fault> {
        if self.only_json() {
            return Err(Fault::JsonNeedsAFile);
        }
        Ok(())
    }

    /// All containers; at the end the learner hears of those that cannot be read.
    pub fn list_containers(&mut self) -> Result<Vec<Container>, Fault> {
        let (whole, damaged) = self.store.all_containers()?;
        self.damaged = damaged.into_iter().map(|one| one.fault).collect();
        Ok(whole)
    }

    pub fn complain(&mut self, fault: &Fault) {
        self.damaged.retain(|other| other != fault);
        self.faults.push(Failure::of(fault, self.narrator.lang));
        self.ask(&self.narrator.print_fault(fault));
    }

    /// An error, a question, and what follows from its answer: shown whatever is narrated, but as JSON, which has it at the end.
    pub fn ask(&self, text: &str) {
        if self.only_json() {
            return;
        }
        std::io::stderr().lock().write_all(text.as_bytes()).unwrap_or(());
    }

    /// Names and values that images and containers chose. To a terminal they are shown with what it would obey as escapes;
    /// to anything else they are data, byte for byte.
    pub fn print_foreign(&self, text: &str) {
        match terminal::is_terminal(std::io::stdout()) {
            true => self.print(&crate::narrate::clean_lines(text)),
            false => self.print(text),
        }
    }

    /// Data, on standard output. A reader that has gone away is no error of ours.
    pub fn print(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).unwrap_or(());
    }

    /// Applies a plan. Gives what its steps have left.
    pub fn carry_out(&mut self, plan: Plan) -> Result<Scene<'_>, Fault> {
        plan.apply(&self.store, &mut self.story)
    }

    /// Does it for each container, prints the names that worked, complains about the others, and goes on.
    pub fn each(&mut self, names: &[String], plan: impl Fn(&Container) -> Plan) -> Result<i32, Fault> {
        let mut failed = 0;
        for name in names {
            let plan = self.store.find_container(name).map(|container| plan(&container));
            match self.one_of_several(plan) {
                true => self.print(&format!("{name}\n")),
                false => failed += 1,
            }
        }
        Ok(i32::from(failed > 0))
    }

    /// Does it, narrates it, complains if it failed, and says whether it worked.
    pub fn one_of_several(&mut self, plan: Result<Plan, Fault>) -> bool {
        let done = plan.and_then(|plan| self.carry_out(plan).map(drop));
        self.narrate();
        done.inspect_err(|fault| self.complain(fault)).is_ok()
    }

    fn finish(&mut self, code: i32) {
        self.narrate();
        for fault in std::mem::take(&mut self.damaged) {
            if matches!(&fault, Fault::ContainerDamaged { id, .. } if self.store.container_by_id(id).is_err()) {
                self.complain(&fault);
            }
        }
        let journal = self.journal.borrow_mut().take();
        let faults = std::mem::take(&mut self.faults);
        if let Some(end) = journal.map(|journal| journal.end(code, faults)).filter(|_| self.json) {
            self.say(&end.json());
        }
    }
}
