//! `--help`, laid out as Docker lays it out, in either language.

use super::lang::Lang;
use super::words::{self, about, flag};
use clap::{Arg, ArgAction, Command};
use unicode_width::UnicodeWidthStr;

/// The help of the command that `path` leads to (empty: docent itself), for stdout; `width` is the terminal's.
pub fn help(path: &[String], lang: Lang, width: usize) -> String {
    let tree = super::command();
    let command = path.iter().try_fold(&tree, |c, word| c.find_subcommand(word)).unwrap_or(&tree);
    let mut out = format!("{}  {}\n", words::USAGE.of(lang), usage_of(command, path).replace('\n', "\n        "));
    out.push_str(&format!("\n{}\n", about(path, lang).unwrap_or_default()));
    let aliases = aliases(path);
    if aliases.len() > 1 {
        out.push_str(&format!("\n{}\n  {}\n", words::ALIASES.of(lang), aliases.join(", ")));
    }
    section(&mut out, words::COMMANDS.of(lang), commands(command, path, lang), width);
    let (global, own): (Vec<&Arg>, Vec<&Arg>) =
        tree_args(command).partition(|a| a.is_global_set() && a.get_id() != "help");
    let rows = |args: Vec<&Arg>| {
        let mut rows: Vec<_> = args.into_iter().map(|a| (flag_name(a), flag_words(a, path, lang))).collect();
        rows.sort_by(|a, b| a.0.trim_start_matches([' ', '-']).cmp(b.0.trim_start_matches([' ', '-'])));
        rows
    };
    section(&mut out, words::OPTIONS.of(lang), rows(own), width);
    if path.is_empty() {
        section(&mut out, words::GLOBAL.of(lang), rows(global), width);
    }
    if command.has_subcommands() {
        out.push_str(&format!("\n{}\n", words::MORE.of(lang)));
    }
    out
}

/// `docent run [OPTIONS] IMAGE [COMMAND] [ARG...]`, for help and below a usage error.
pub fn usage(path: &[String]) -> String {
    let tree = super::command();
    let command = path.iter().try_fold(&tree, |c, word| c.find_subcommand(word)).unwrap_or(&tree);
    usage_of(command, path)
}

fn usage_of(command: &Command, path: &[String]) -> String {
    let name = std::iter::once("docent").chain(path.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
    match path.last().map(String::as_str) {
        None => return format!("{name} [OPTIONS] [COMMAND]"),
        Some("cp") => {
            return format!(
                "{name} [OPTIONS] CONTAINER:SRC_PATH DEST_PATH\n{name} [OPTIONS] SRC_PATH CONTAINER:DEST_PATH"
            );
        }
        Some("explain") => return format!("{name} [--level LEVEL] [N]\n{name} -- COMMAND [ARG...]"),
        Some(_) => {}
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
    let path = path.join(" ");
    let listed: &[&str] = match path.as_str() {
        "ps" | "container ls" => &["container ls", "container list", "container ps", "ps"],
        "images" | "image ls" => &["image ls", "image list", "images"],
        "load" | "image load" => &["image load", "load"],
        _ => &[],
    };
    let bare = path.strip_prefix("container ").unwrap_or(&path);
    let both = ["run", "create", "start", "stop", "kill", "rm", "logs", "exec", "cp", "pause", "unpause", "diff"];
    let spelled = |name: &str| format!("docent {name}");
    if both.contains(&bare) {
        return vec![spelled(&format!("container {bare}")), spelled(bare)];
    }
    listed.iter().map(|name| spelled(name)).collect()
}

fn commands(command: &Command, path: &[String], lang: Lang) -> Vec<(String, &'static str)> {
    command
        .get_subcommands()
        .map(|sub| {
            let mut deeper = path.to_vec();
            deeper.push(sub.get_name().to_string());
            (sub.get_name().to_string(), about(&deeper, lang).unwrap_or_default())
        })
        .collect::<Vec<_>>()
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

fn flag_words(arg: &Arg, path: &[String], lang: Lang) -> String {
    let text = flag(path, arg.get_long().unwrap_or_default(), lang).unwrap_or_default();
    let default = arg.get_default_values().first().and_then(|v| v.to_str()).filter(|v| *v != "false");
    match default {
        Some(default) => format!("{text} ({} {default})", words::DEFAULT.of(lang)),
        None => text.to_string(),
    }
}

/// Two columns; the second is wrapped below itself. Korean letters are two columns wide.
fn section(out: &mut String, heading: &str, rows: Vec<(String, impl AsRef<str>)>, width: usize) {
    if rows.is_empty() {
        return;
    }
    out.push_str(&format!("\n{heading}\n"));
    let left = rows.iter().map(|(name, _)| name.width()).max().unwrap_or_default();
    let room = width.saturating_sub(left + 5).max(24);
    for (name, text) in rows {
        let pad = " ".repeat(left - name.width());
        let lines = textwrap::wrap(text.as_ref(), room);
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
        walk(&crate::cli::command(), &[], &mut |command, at| {
            for lang in [Lang::Ko, Lang::En] {
                assert!(about(at, lang).is_some_and(|t| !t.is_empty()), "{at:?}");
                for arg in tree_args(command) {
                    let long = arg.get_long().expect("every flag has a long name");
                    assert!(flag(at, long, lang).is_some_and(|t| !t.is_empty()), "{at:?} --{long}");
                }
            }
        });
        let is_korean = |text: &str| text.chars().any(|c| ('가'..='힣').contains(&c));
        for words in words::ABOUT.iter().map(|(_, w)| w).chain(words::FLAGS.iter().map(|(_, _, w)| w)) {
            assert!(is_korean(words.of(Lang::Ko)), "{}", words.of(Lang::Ko));
            assert!(!is_korean(words.of(Lang::En)), "{}", words.of(Lang::En));
        }
    }

    #[test]
    fn nothing_is_described_that_is_not_there() {
        let (mut commands, mut flags) = (Vec::new(), Vec::new());
        walk(&crate::cli::command(), &[], &mut |command, at| {
            commands.push(at.join(" "));
            flags.extend(tree_args(command).filter_map(|a| a.get_long()).map(str::to_string));
        });
        for (name, _) in words::ABOUT {
            assert!(commands.iter().any(|c| c == name), "{name}");
        }
        for (_, long, _) in words::FLAGS {
            assert!(flags.iter().any(|f| f == long), "--{long}");
        }
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
