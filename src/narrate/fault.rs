//! Faults: what failed, on what, why, and what to do now. The errno's name stays the kernel's.

use super::layout::{clean, wrap};
use super::paint::{Colorize, paint};
use super::text::{fault_asked as asked, fault_host as host, fault_running as running};
use super::{Narrator, fault_kinds};
use crate::event::words::{errno, short};
use crate::event::{Fault, Lang, ReferenceFlaw, Word, shown_ip};

/// A fault in words. All lines are one-liners without line breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    pub error: String,
    pub cause: Option<String>,
    /// Each a thing that can be done, mostly a command.
    pub fix: Vec<String>,
}

impl Sentence {
    pub(in crate::narrate) fn new(error: String, cause: Option<String>, fix: Vec<String>) -> Self {
        Sentence { error, cause, fix }
    }
}

impl Narrator {
    /// As it is printed on stderr: `docent: error`, the cause, and the ways out.
    pub fn print_fault(&self, fault: &Fault) -> String {
        let told = sentence(self.lang, fault);
        let mut out = format!("docent: {}\n", paint(self.color, &clean(&told.error), Colorize::red));
        if let Some(cause) = &told.cause {
            for line in wrap(&clean(cause), self.width.saturating_sub(2).max(20)) {
                out.push_str(&format!("  {line}\n"));
            }
        }
        for fix in &told.fix {
            out.push_str(&format!("  → {}\n", clean(fix)));
        }
        out
    }

    pub fn fault(&self, fault: &Fault) -> Sentence {
        sentence(self.lang, fault)
    }
}

/// What to try, for an errno that says enough by itself.
pub fn errno_fix(lang: Lang, n: i32) -> Option<String> {
    Some(match n {
        libc::EPERM | libc::EACCES => host::eperm(lang),
        libc::ENOSPC | libc::EDQUOT => host::enospc(lang),
        libc::ENOMEM => host::enomem(lang),
        libc::EMFILE | libc::ENFILE => host::emfile(lang),
        libc::ENOSYS | libc::ENODEV | libc::EOPNOTSUPP | libc::EPROTONOSUPPORT => host::enosys(lang),
        libc::EBUSY | libc::ETXTBSY => host::ebusy(lang),
        libc::EROFS => host::erofs(lang),
        _ => return None,
    })
}

fn sentence(lang: Lang, fault: &Fault) -> Sentence {
    let told = Sentence::new;
    match fault {
        Fault::Usage { command, kind, word, suggestion, text } => {
            fault_kinds::usage(lang, command, kind, word.as_deref(), suggestion.as_deref(), text)
        }
        Fault::Unsupported { what, instead } => told(
            asked::unsupported(lang, what),
            Some(asked::unsupported_cause(lang)),
            instead.iter().map(|i| asked::instead(lang, i)).collect(),
        ),
        Fault::BadValue { flag, value, expected } => {
            told(asked::bad_value(lang, flag, value), Some(asked::bad_value_cause(lang, expected)), Vec::new())
        }
        Fault::BadSignal { signal } => {
            told(asked::bad_signal(lang, signal), Some(asked::bad_signal_cause(lang)), Vec::new())
        }
        Fault::MemoryTooLow { value } => {
            told(asked::memory_too_low(lang), Some(asked::memory_too_low_cause(lang, value)), Vec::new())
        }
        Fault::BadReference { text, .. } if text.starts_with(['\u{2013}', '\u{2014}']) => {
            told(asked::bad_reference(lang, text), Some(asked::reference_dash(lang)), Vec::new())
        }
        Fault::BadReference { text, flaw } => {
            told(asked::bad_reference(lang, text), Some(reference_flaw(lang, flaw)), vec![asked::reference_fix(lang)])
        }
        Fault::BadName { name } => told(asked::bad_name(lang, name), Some(asked::bad_name_cause(lang)), Vec::new()),
        Fault::BadTemplate { template, why } => {
            told(asked::bad_template(lang, template), Some(why.clone()), vec![asked::bad_template_fix(lang)])
        }
        Fault::StillRunning { name, id, paused } => {
            let error = if *paused {
                asked::still_paused(lang, name, short(id))
            } else {
                asked::still_running(lang, name, short(id))
            };
            told(error, Some(asked::still_running_cause(lang)), vec![asked::still_running_fix(lang, name)])
        }
        Fault::NotRunning { name, id } => {
            told(asked::not_running(lang, name, short(id)), None, vec![asked::start_it(lang, name)])
        }
        Fault::IsPaused { name, id } => {
            told(asked::is_paused(lang, name, short(id)), None, vec![asked::unpause_it(lang, name)])
        }
        Fault::NotPaused { name, id } => {
            told(asked::not_paused(lang, name, short(id)), None, vec![asked::see_ps(lang)])
        }
        Fault::SameName { name } => told(asked::same_name(lang, name), None, vec![asked::see_ps(lang)]),
        Fault::NameTaken { name, by } => told(
            asked::name_taken(lang, name, by),
            Some(asked::name_taken_cause(lang)),
            vec![asked::name_taken_fix(lang, name)],
        ),
        Fault::NoSuchContainer { name } => told(asked::no_such_container(lang, name), None, vec![asked::see_ps(lang)]),
        Fault::AmbiguousId { prefix } => told(asked::ambiguous(lang, prefix), None, vec![asked::ambiguous_fix(lang)]),
        Fault::NoSuchImage { reference, similar } => {
            let mut fix: Vec<String> = Vec::new();
            if !similar.is_empty() {
                fix.push(asked::similar(lang, similar.join(", ")));
            }
            fix.extend([asked::load_it(lang), asked::use_built_in(lang)]);
            told(asked::no_such_image(lang, reference), Some(asked::no_such_image_cause(lang)), fix)
        }
        Fault::NotPublished { port, container } => {
            told(asked::not_published(lang, port, container), None, vec![asked::not_published_fix(lang, container)])
        }
        Fault::NoSuchObject { name } => told(asked::no_such_object(lang, name), None, vec![asked::see_both(lang)]),
        Fault::NoCommand { image } => told(
            asked::no_command(lang, image),
            Some(asked::no_command_cause(lang)),
            vec![asked::no_command_fix(lang, image)],
        ),
        Fault::CommandNotFound { command, container } => {
            let fix =
                if command.starts_with('-') { running::options_first(lang) } else { running::list_programs(lang) };
            let mut fix = vec![fix];
            if command.ends_with("bash") {
                fix.insert(0, running::try_sh(lang));
            }
            let cause = running::command_not_found_cause(lang, short(container));
            told(running::command_not_found(lang, command), Some(cause), fix)
        }
        Fault::NotExecutable { command, container, errno } => {
            fault_kinds::not_executable(lang, command, &short(container), *errno)
        }
        Fault::NoSuchUser { user } => told(
            running::no_such_user(lang, user),
            Some(running::no_such_user_cause(lang)),
            vec![running::no_such_user_fix(lang)],
        ),
        Fault::NoSuchGroup { group } => told(
            running::no_such_group(lang, group),
            Some(running::no_such_user_cause(lang)),
            vec![running::no_such_user_fix(lang)],
        ),
        Fault::NotRegular { path, kind } => told(
            running::not_regular(lang, path, kind),
            Some(running::not_regular_cause(lang)),
            vec![running::not_regular_fix(lang, path)],
        ),
        Fault::BadWorkdir { path, errno: e } => {
            told(running::bad_workdir(lang, path, errno(*e)), None, vec![running::bad_workdir_fix(lang)])
        }
        Fault::MountTarget { target, flaw } => fault_kinds::mount_target(lang, target, flaw),
        Fault::PortTaken { ip, port, proto } => told(
            running::port_taken(lang, shown_ip(ip), port, proto),
            Some(running::port_taken_cause(lang)),
            vec![running::port_taken_see(lang, port), running::port_taken_other(lang, other_port(*port))],
        ),
        Fault::LimitRefused { limit, why } => told(
            running::limit_refused(lang, limit),
            Some(running::limit_refused_cause(lang, why)),
            vec![running::see_doctor(lang)],
        ),
        Fault::NotATerminal => told(running::not_a_terminal(lang), None, vec![running::not_a_terminal_fix(lang)]),
        Fault::NoFreeAddress { subnet } => {
            told(running::no_free_address(lang, subnet), None, vec![running::no_free_address_fix(lang)])
        }
        Fault::MonitorDied { id } => told(
            running::monitor_died(lang, short(id)),
            Some(running::monitor_died_cause(lang)),
            vec![running::monitor_died_fix(lang, short(id))],
        ),
        Fault::NoSuchPath { .. }
        | Fault::NotADirectory { .. }
        | Fault::LocalFile { .. }
        | Fault::CpDirection
        | Fault::Archive { .. } => fault_kinds::files(lang, fault),
        Fault::StoreDamaged { path, why } => {
            told(host::damaged(lang, path), Some(why.clone()), vec![host::damaged_fix(lang, path)])
        }
        Fault::NotRoot { probe } => {
            let mut cause = host::not_root_cause(lang);
            if let Some(probe) = probe {
                cause = format!("{cause} {}", host::not_root_possible(lang, probe.tier.word(lang)));
            }
            told(host::not_root(lang), Some(cause), vec![host::sudo_it(lang), running::see_doctor(lang)])
        }
        Fault::StoreRefused { path, errno: e } => told(
            host::store_refused(lang, path, errno(*e)),
            Some(host::store_refused_cause(lang)),
            vec![host::store_refused_fix(lang)],
        ),
        Fault::Step { step, error } => {
            let call = format!("{}({})", error.call, error.object);
            let fix = errno_fix(lang, error.errno).into_iter().chain([host::step_report(lang)]).collect();
            told(host::step(lang, step, errno(error.errno)), Some(host::step_cause(lang, call)), fix)
        }
        Fault::NoSuchChapter { name, chapters } => {
            told(host::no_such_chapter(lang, name), None, vec![host::chapters(lang, chapters.join(", "))])
        }
        Fault::NoSuchLab { name, labs } => {
            let known = (!labs.is_empty()).then(|| host::labs(lang, labs.join(", ")));
            told(host::no_such_lab(lang, name), known, vec![host::lab_list(lang)])
        }
        Fault::NoLabStarted => {
            told(host::no_lab_started(lang), None, vec![host::lab_list(lang), host::lab_start(lang)])
        }
        Fault::LabDamaged { path, why } => {
            told(host::lab_damaged(lang, path), Some(why.clone()), vec![host::lab_damaged_fix(lang)])
        }
        Fault::NoSuchCommand { number, last } => {
            let cause = if *last == 0 { host::no_commands(lang) } else { host::last_command(lang, last) };
            told(host::no_such_command(lang, number), Some(cause), vec![host::see_journal(lang)])
        }
        Fault::CannotGrade { why } => {
            told(host::cannot_grade(lang), Some(why.clone()), vec![host::cannot_grade_fix(lang)])
        }
        Fault::Several { failed } => told(host::several(lang, failed), None, Vec::new()),
    }
}

/// A port that is likely free, to show the form of the flag.
fn other_port(port: u16) -> u16 {
    if port < 1024 { port.saturating_add(8000) } else { port.checked_add(1).unwrap_or(8080) }
}

fn reference_flaw(lang: Lang, flaw: &ReferenceFlaw) -> String {
    match flaw {
        ReferenceFlaw::Empty => asked::reference_empty(lang),
        ReferenceFlaw::Uppercase => asked::reference_uppercase(lang),
        ReferenceFlaw::Characters => asked::reference_characters(lang),
        ReferenceFlaw::Tag => asked::reference_tag(lang),
        ReferenceFlaw::Digest => asked::reference_digest(lang),
        ReferenceFlaw::Colon => asked::reference_colon(lang),
    }
}
