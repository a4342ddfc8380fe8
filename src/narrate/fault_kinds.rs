//! The faults that fan out: command lines that clap refused, programs that do not start, files and archives.

use super::fault::{Sentence, errno_fix};
use super::text::{fault_archive as archive, fault_asked as asked, fault_running as running};
use crate::event::words::{errno, memory, short};
use crate::event::{ArchiveFlaw, Fault, Lang, MountFlaw};

/// A command line that was not understood. `kind` is one of those that `cli` makes; `text` is Docker's own wording.
pub fn usage(
    lang: Lang,
    command: &str,
    kind: &str,
    word: Option<&str>,
    suggestion: Option<&str>,
    text: &str,
) -> Sentence {
    let command = format!("docent {command}");
    let command = command.trim_end();
    let error = match (kind, word) {
        ("unknown-flag", Some(w)) => asked::unknown_flag(lang, w),
        ("unknown-shorthand", Some(w)) => {
            asked::unknown_shorthand(lang, w.chars().nth(1).map(String::from).unwrap_or_default(), w)
        }
        ("unknown-command", Some(w)) => asked::unknown_command(lang, w),
        ("flag-needs-value", Some(w)) => asked::value_missing(lang, w),
        ("missing-arguments", _) => asked::missing_arguments(lang, command, text),
        ("too-many-arguments", Some(w)) => asked::too_many(lang, command, w),
        ("not-together", Some(w)) => asked::conflict(lang, w),
        ("not-utf8", _) => asked::not_utf8(lang),
        _ => asked::usage_other(lang, text.lines().next().unwrap_or_default()),
    };
    let mut fix: Vec<String> = suggestion.map(|s| asked::did_you_mean(lang, s)).into_iter().collect();
    fix.push(asked::see_help(lang, command));
    Sentence::new(error, None, fix)
}

pub fn not_executable(lang: Lang, command: &str, container: &str, n: i32) -> Sentence {
    let (cause, fix) = match n {
        libc::EACCES | libc::EISDIR => {
            (running::not_executable_eacces(lang, container), vec![running::chmod_it(lang), running::by_sh(lang)])
        }
        libc::ENOEXEC => (running::not_executable_format(lang, container), vec![running::by_sh(lang)]),
        libc::ENOENT => (running::not_executable_noent(lang, container), vec![running::list_programs(lang)]),
        other => (running::not_executable_other(lang, container), errno_fix(lang, other).into_iter().collect()),
    };
    Sentence::new(running::not_executable(lang, command, errno(n)), Some(cause), fix)
}

pub fn mount_target(lang: Lang, target: &str, flaw: &MountFlaw) -> Sentence {
    let (error, cause) = match flaw {
        MountFlaw::NotOrdinary { kind } => {
            (running::not_ordinary(lang, kind, target), Some(running::not_ordinary_cause(lang)))
        }
        MountFlaw::OtherType { source } => (running::mount_type(lang, source, target), None),
        MountFlaw::InsideProc => (running::inside_proc(lang, target), None),
    };
    Sentence::new(error, cause, vec![running::mount_target_fix(lang)])
}

pub fn files(lang: Lang, fault: &Fault) -> Sentence {
    match fault {
        Fault::NoSuchPath { container, path } => Sentence::new(
            archive::no_such_path(lang, container, path),
            None,
            vec![archive::no_such_path_fix(lang, container)],
        ),
        Fault::NotADirectory { path } => {
            Sentence::new(archive::not_a_directory(lang, path), Some(archive::not_a_directory_cause(lang)), Vec::new())
        }
        Fault::LocalFile { path, errno: n } => {
            Sentence::new(archive::local_file(lang, path, errno(*n)), None, vec![archive::local_file_fix(lang, path)])
        }
        Fault::Archive { path, flaw } => damaged(lang, path, flaw),
        // `files` is called for these five alone.
        _ => Sentence::new(
            archive::cp_direction(lang),
            None,
            vec![archive::cp_direction_fix_in(lang), archive::cp_direction_fix_out(lang)],
        ),
    }
}

fn damaged(lang: Lang, path: &str, flaw: &ArchiveFlaw) -> Sentence {
    let again = || vec![archive::archive_fix_again(lang), archive::archive_fix_check(lang, path)];
    let trust = || vec![archive::archive_fix_trust(lang), archive::archive_fix_check(lang, path)];
    let (cause, fix) = match flaw {
        ArchiveFlaw::NotAnArchive { what } => (archive::not_an_archive(lang, what), again()),
        ArchiveFlaw::Truncated => (archive::truncated(lang), again()),
        ArchiveFlaw::NoManifest => (archive::no_manifest(lang), again()),
        ArchiveFlaw::BadJson { member, why } => (archive::bad_json(lang, member, why), again()),
        ArchiveFlaw::MissingMember { member } => (archive::missing_member(lang, member), again()),
        ArchiveFlaw::DigestMismatch { what, expected, found } => {
            (archive::digest_mismatch(lang, short(what), short(expected), short(found)), again())
        }
        ArchiveFlaw::Escape { member } => (archive::escape(lang, member), trust()),
        ArchiveFlaw::BadMember { member, why } => (archive::bad_member(lang, member, why), trust()),
        ArchiveFlaw::TooManyNames { found, limit } => (archive::too_many_names(lang, *found, *limit), trust()),
        ArchiveFlaw::TooLarge { what, limit } => (archive::too_large(lang, what, memory(*limit)), trust()),
        ArchiveFlaw::Write { member, errno: n } => {
            let fix = errno_fix(lang, *n).unwrap_or_else(|| archive::archive_fix_space(lang));
            (archive::write(lang, member, errno(*n)), vec![fix])
        }
        ArchiveFlaw::Empty => (archive::empty(lang), again()),
    };
    let between = if cause.ends_with('.') { " " } else { " · " };
    Sentence::new(archive::archive(lang, path), Some(cause + between + &archive::nothing_kept(lang)), fix)
}
