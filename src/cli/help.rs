//! `--help`, laid out as Docker lays it out, in either language.

use super::commands::{Entry, find};
use super::lang::Lang;
use clap::builder::StyledStr;
use clap::{Arg, ArgAction, Command};
use unicode_width::UnicodeWidthStr;

const USAGE: &str = "사용법: | Usage:";
const ALIASES: &str = "같은 명령: | Aliases:";
const OPTIONS: &str = "옵션: | Options:";
pub(super) const GLOBAL: &str = "모든 명령에 쓰는 옵션: | Options of every command:";
pub(super) const COMMANDS: &str = "명령: | Commands:";
const DEFAULT: &str = "기본값 | default";
const MORE: &str = "명령 하나의 설명은 'docent COMMAND --help'로 볼 수 있습니다. | \
                    Run 'docent COMMAND --help' for more information on a command.";

/// A text of `한국어 | English`.
pub(super) fn pick(both: &str, lang: Lang) -> &str {
    let (ko, en) = both.split_once(" | ").unwrap_or((both, both));
    if lang == Lang::Ko { ko } else { en }
}

pub(super) fn text(both: Option<&StyledStr>, lang: Lang) -> String {
    both.map(|both| pick(&both.to_string(), lang).to_string()).unwrap_or_default()
}

/// The help of the command that `path` leads to (empty: docent itself), for stdout; `width` is the terminal's.
pub fn help(path: &[String], lang: Lang, width: usize) -> String {
    let tree = super::command();
    let command = path.iter().try_fold(&tree, |c, word| c.find_subcommand(word)).unwrap_or(&tree);
    let mut out = format!("{}  {}\n", pick(USAGE, lang), usage_of(command, path).replace('\n', "\n        "));
    out.push_str(&format!("\n{}\n", text(command.get_about(), lang)));
    let aliases = aliases(path);
    if aliases.len() > 1 {
        out.push_str(&format!("\n{}\n  {}\n", pick(ALIASES, lang), aliases.join(", ")));
    }
    section(&mut out, pick(COMMANDS, lang), commands(command, lang), width);
    let (global, own): (Vec<&Arg>, Vec<&Arg>) =
        tree_args(command).partition(|a| a.is_global_set() && a.get_id() != "help");
    let rows = |args: Vec<&Arg>| {
        let mut rows: Vec<_> = args.into_iter().map(|a| (flag_name(a), flag_words(a, lang))).collect();
        rows.sort_by(|a, b| a.0.trim_start_matches([' ', '-']).cmp(b.0.trim_start_matches([' ', '-'])));
        rows
    };
    section(&mut out, pick(OPTIONS, lang), rows(own), width);
    if path.is_empty() {
        section(&mut out, pick(GLOBAL, lang), rows(global), width);
    }
    if command.has_subcommands() {
        out.push_str(&format!("\n{}\n", pick(MORE, lang)));
    }
    out
}

/// `docent run [OPTIONS] IMAGE [COMMAND] [ARG...]`, for help and below a usage error.
pub(super) fn usage_of(command: &Command, path: &[String]) -> String {
    let name = std::iter::once("docent").chain(path.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
    if path.is_empty() {
        return format!("{name} [OPTIONS] [COMMAND]");
    }
    if let Some(entry) = find(path).filter(|entry| !entry.usage.is_empty()) {
        return entry.usage.iter().map(|usage| format!("{name} {usage}")).collect::<Vec<_>>().join("\n");
    }
    let mut words = vec![name];
    if command.has_subcommands() {
        words.push("COMMAND".into());
    }
    if command.get_arguments().any(|a| !a.is_positional() && !a.is_global_set()) {
        words.push("[OPTIONS]".into());
    }
    for arg in command.get_positionals() {
        let value = value_name(arg);
        words.push(match (arg.is_required_set(), arg.get_action()) {
            (true, ArgAction::Append) if !value.contains(' ') => format!("{value} [{value}...]"),
            (true, _) => value,
            (false, ArgAction::Append) => format!("[{value}...]"),
            (false, _) => format!("[{value}]"),
        });
    }
    words.join(" ")
}

/// Every spelling of the command, this one among them.
fn aliases(path: &[String]) -> Vec<String> {
    let spellings = find(path).into_iter().flat_map(Entry::spellings).map(|name| format!("docent {name}"));
    spellings.filter(|_| path.len() < 3).collect()
}

fn commands(command: &Command, lang: Lang) -> Vec<(String, String)> {
    command.get_subcommands().map(|sub| (sub.get_name().to_string(), text(sub.get_about(), lang))).collect()
}

/// Flags of a command; docent's own of every command are listed once, at the top.
fn tree_args(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|a| !a.is_positional() && !a.is_hide_set())
}

fn value_name(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    names.iter().map(|n| n.as_str()).collect::<Vec<_>>().join(" ")
}

/// `  -e, --env list`, with room where there is no short form. A switch has no value to name.
fn flag_name(arg: &Arg) -> String {
    let short = arg.get_short().map_or("    ".to_string(), |s| format!("-{s}, "));
    let long = arg.get_long().unwrap_or_default();
    let switch = !arg.get_action().takes_values() || arg.get_num_args().is_some_and(|n| n.min_values() == 0);
    if switch { format!("{short}--{long}") } else { format!("{short}--{long} {}", value_name(arg)) }
}

fn flag_words(arg: &Arg, lang: Lang) -> String {
    let text = text(arg.get_help(), lang);
    let default = arg.get_default_values().first().and_then(|v| v.to_str()).filter(|v| *v != "false");
    match default {
        Some(default) => format!("{text} ({} {default})", pick(DEFAULT, lang)),
        None => text,
    }
}

/// Two columns; the second is wrapped below itself. Korean letters are two columns wide.
fn section(out: &mut String, heading: &str, rows: Vec<(String, String)>, width: usize) {
    if rows.is_empty() {
        return;
    }
    out.push_str(&format!("\n{heading}\n"));
    let left = rows.iter().map(|(name, _)| name.width()).max().unwrap_or_default();
    let room = width.saturating_sub(left + 5).max(24);
    for (name, text) in rows {
        let pad = " ".repeat(left - name.width());
        let lines = textwrap::wrap(&text, room);
        for (n, line) in lines.iter().enumerate() {
            let row = if n == 0 { format!("  {name}{pad}   {line}") } else { format!("{:1$}{line}", "", left + 5) };
            out.push_str(row.trim_end());
            out.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(path: &[String]) -> String {
        let tree = super::super::command();
        let command = path.iter().try_fold(&tree, |c, word| c.find_subcommand(word)).unwrap_or(&tree);
        usage_of(command, path)
    }

    fn path(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_string).collect()
    }

    fn walk(command: &Command, at: &[String], look: &mut dyn FnMut(&Command, &[String])) {
        look(command, at);
        for sub in command.get_subcommands() {
            let mut deeper = at.to_vec();
            deeper.push(sub.get_name().to_string());
            walk(sub, &deeper, look);
        }
    }

    #[test]
    fn every_command_and_flag_is_described_in_both_languages() {
        let is_korean = |text: &str| text.chars().any(|c| ('가'..='힣').contains(&c));
        let described = |both: Option<&StyledStr>, what: &str| {
            let both = both.map(|b| b.to_string()).unwrap_or_default();
            assert_eq!(both.matches(" | ").count(), 1, "{what}: {both}");
            assert!(is_korean(pick(&both, Lang::Ko)) && pick(&both, Lang::Ko).len() > 3, "{what}: {both}");
            assert!(!is_korean(pick(&both, Lang::En)) && pick(&both, Lang::En).len() > 3, "{what}: {both}");
        };
        let mut count = 0;
        walk(&crate::cli::command(), &[], &mut |command, at| {
            described(command.get_about(), &at.join(" "));
            for arg in tree_args(command) {
                described(arg.get_help(), &format!("{at:?} --{}", arg.get_long().expect("every flag has a long name")));
            }
            count += 1;
        });
        assert!(count > 50, "the tree was walked");
    }

    #[test]
    fn usage_lines_are_dockers() {
        for (name, line) in [
            ("run", "docent run [OPTIONS] IMAGE [COMMAND] [ARG...]"),
            ("container run", "docent container run [OPTIONS] IMAGE [COMMAND] [ARG...]"),
            ("exec", "docent exec [OPTIONS] CONTAINER COMMAND [ARG...]"),
            ("rm", "docent rm [OPTIONS] CONTAINER [CONTAINER...]"),
            ("pause", "docent pause CONTAINER [CONTAINER...]"),
            ("logs", "docent logs [OPTIONS] CONTAINER"),
            ("diff", "docent diff CONTAINER"),
            ("ps", "docent ps [OPTIONS]"),
            ("images", "docent images [OPTIONS] [REPOSITORY[:TAG]]"),
            ("inspect", "docent inspect [OPTIONS] NAME|ID [NAME|ID...]"),
            ("container", "docent container COMMAND"),
            ("lab start", "docent lab start LAB"),
            ("grade", "docent grade [OPTIONS] LAB FILE"),
            ("doctor", "docent doctor"),
        ] {
            assert_eq!(usage(&path(name)), line);
        }
    }

    #[test]
    fn pages_fit_their_width_and_name_every_flag() {
        walk(&crate::cli::command(), &[], &mut |_, at| {
            for lang in [Lang::Ko, Lang::En] {
                for line in help(at, lang, 80).lines() {
                    // A sentence of its own is the terminal's to wrap; a table is ours.
                    assert!(line.width() <= 80 || !line.starts_with("  "), "{at:?}: {line}");
                }
            }
        });
        let run = help(&path("run"), Lang::Ko, 80);
        assert!(run.starts_with("사용법:  docent run [OPTIONS] IMAGE"), "{run}");
        assert!(run.contains("\n  -p, --publish list"), "{run}");
        assert!(run.contains("\n      --cpus decimal"), "{run}");
        let ps = help(&path("container ls"), Lang::En, 80);
        assert!(ps.contains("docent container ls, docent container list, docent container ps, docent ps"), "{ps}");
        assert!(ps.contains("(default -1)") && !ps.contains("default false"), "{ps}");
    }
}
