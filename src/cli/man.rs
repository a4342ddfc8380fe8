//! Manual pages, derived from the registry: one for each command in either language, with the usage and the texts of `--help`.
//!
//! Behind the feature `book`, as the pages of the books: the program itself prints help and has no use for roff.

use super::commands::find;
use super::help::{COMMANDS, GLOBAL, pick, text, usage_of};
use super::lang::Lang;
use clap::Command;
use clap_mangen::Man;
use std::io;

/// The headings of clap_mangen, and what they are in a page.
const HEADINGS: [(&str, &str); 5] = [
    ("NAME", "이름 | NAME"),
    ("SYNOPSIS", "사용법 | SYNOPSIS"),
    ("DESCRIPTION", "설명 | DESCRIPTION"),
    ("OPTIONS", "옵션 | OPTIONS"),
    ("EXTRA", "예 | EXAMPLE"),
];

/// Each page's file name (`docent-run.1`) and its roff, sorted by name.
///
/// # Errors
/// Writing into memory has none of its own.
pub fn man_pages(lang: Lang) -> io::Result<Vec<(String, String)>> {
    let mut tree = page(super::parse::tree(), &[], lang);
    tree.build();
    let (mut pages, mut left) = (Vec::new(), vec![&tree]);
    while let Some(command) = left.pop() {
        left.extend(command.get_subcommands());
        let man = Man::new(command.clone()).source(super::version_line());
        let mut roff = Vec::new();
        man.render(&mut roff)?;
        let lines = String::from_utf8_lossy(&roff).lines().map(|line| heading(line, lang) + "\n").collect();
        pages.push((man.get_filename(), lines));
    }
    pages.sort();
    Ok(pages)
}

fn heading(line: &str, lang: Lang) -> String {
    let name = line.strip_prefix(".SH ");
    let known = HEADINGS.iter().find(|(name_of_clap, _)| Some(*name_of_clap) == name);
    known.map_or(line.to_string(), |(_, both)| format!(".SH {}", pick(both, lang)))
}

/// The command and all below it, with its texts in one language.
fn page(command: Command, path: &[String], lang: Lang) -> Command {
    let title = |both| pick(both, lang).trim_end_matches(':').to_uppercase();
    let (usage, about) = (usage_of(&command, path), text(command.get_about(), lang));
    let example = find(path).map(|entry| entry.example);
    let command = example.into_iter().fold(command, Command::after_help);
    command
        .about(about)
        .override_usage(usage)
        .subcommand_help_heading(title(COMMANDS))
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .mut_args(|arg| {
            let help = arg.get_help().is_some().then(|| text(arg.get_help(), lang));
            let heading = arg.is_global_set().then(|| title(GLOBAL));
            // What is positional stands in the usage.
            let positional = arg.is_positional();
            let arg = help.into_iter().fold(arg, clap::Arg::help).hide(positional);
            heading.into_iter().fold(arg, clap::Arg::help_heading)
        })
        .mut_subcommands(|sub| {
            let path = [path, &[sub.get_name().to_string()]].concat();
            page(sub, &path, lang)
        })
}
