//! `docent grade LAB FILE`: executes a submission again, and scores what is then there.

use super::*;
use crate::cli::parsers::bad;
use crate::cli::unsupported;
use crate::lab::{self, Source};
use std::ffi::OsString;
use std::path::PathBuf;

/// 제출한 스크립트를 다시 실행하여 채점합니다 | Grade a submission by executing it again
#[derive(Debug, Args)]
pub struct Grade {
    /// 결과의 형식: human, json | Form of the result: human, json
    #[arg(long, value_name = "human|json", default_value = "human", value_parser = parse_report)]
    pub format: Format,
    /// 학생마다 다른 값을 정하는 학번 | Student whose seeded values are used
    #[arg(long, value_name = "ID")]
    pub student: Option<String>,
    /// 강좌의 비밀이 든 파일 | File with the course's secret
    #[arg(long, value_name = "FILE")]
    secret: Option<PathBuf>,
    /// 내장된 실습 대신 쓸 실습 디렉터리 | Directory of labs to use instead of the built-in ones
    #[arg(long, value_name = "DIR")]
    labs: Option<PathBuf>,
    #[arg(value_name = "LAB")]
    lab: String,
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Human,
    Json,
}

pub fn parse_report(text: &str) -> Result<Format, Fault> {
    match text {
        "human" => Ok(Format::Human),
        "json" => Ok(Format::Json),
        _ => Err(bad("--format", text, "human|json")),
    }
}

impl Command for Grade {
    const PATHS: &'static [&'static str] = &["grade"];
    const EXAMPLE: &'static str = "docent grade 03-nginx-cp-edit solution.sh";
    /// No verdict.
    const EXIT: fn(&Fault) -> i32 = |_| 2;

    /// Full marks are 0, less is 1.
    fn start(self, globals: &Globals) -> Result<i32, Fault> {
        let options = lab::grade::Options {
            labs: self.labs.map_or(Source::Embedded, Source::Directory),
            lab: self.lab,
            file: self.file,
            student: self.student,
            secret: self.secret,
            lang: globals.lang.code().into(),
            serves,
        };
        let result = lab::grade(&options)?;
        let exercise = options.labs.lab(&options.lab)?;
        match self.format {
            Format::Json => println!("{}", serde_json::to_string_pretty(&result).unwrap_or_default()),
            Format::Human => {
                let lines = exercise.lines(&result.score);
                print!("{}", narrator(globals.lang, Level::Full).grade(&result, &exercise.title, &lines));
            }
        }
        Ok(i32::from(!result.score.full()))
    }
}

/// Whether a submission may give this command: it begins with one that is registered as such, and no word names a place of
/// the engine's own.
pub fn serves(argv: &[OsString], asked_for: &[String]) -> Result<(), Fault> {
    let words: Vec<_> = argv.iter().map(|w| w.to_string_lossy()).collect();
    let first = words.first().map(|w| w.as_ref()).unwrap_or_default();
    let served = find(&words).is_some_and(|command| match command.graded {
        Graded::Never => false,
        Graded::Always => true,
        Graded::Asked => command.spellings().any(|spelling| asked_for.contains(&spelling)),
    });
    if !served {
        let (group, second) = (GROUPS.iter().any(|(name, _)| *name == first), words.get(1));
        let what = second.filter(|_| group).map_or(first.to_string(), |second| format!("{first} {second}"));
        let instead = unsupported::instead_of(&what).map(str::to_string);
        return Err(Fault::Unsupported { what: format!("docker {what}"), instead });
    }
    let is = |word: &str, flag: &str| word.strip_prefix(flag).is_some_and(|r| r.is_empty() || r.starts_with('='));
    match ["--root", "--narrate-to"].iter().find(|flag| words.iter().any(|word| is(word, flag))) {
        Some(flag) => Err(Fault::Unsupported { what: format!("docker {first} {flag}"), instead: None }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_registered_for_submissions_is_served() {
        let words = |line: &str| line.split(' ').filter(|w| !w.is_empty()).map(OsString::from).collect::<Vec<_>>();
        let asked = |line: &str| serves(&words(line), &[]);
        for line in ["load -i x", "image load -i x", "image load"] {
            assert!(asked(line).is_err(), "{line}");
            assert!(serves(&words(line), &["load".into()]).is_ok(), "{line}");
        }
        for good in [
            "run -d --name web -p 8080:80 nginx",
            "cp a web:/b",
            "exec web sh -c true",
            "container ls -a",
            "container ps",
            "image ls",
            "image inspect x",
        ] {
            assert!(asked(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "--root /x ps",
            "ps --root /x",
            "ps --root=/x",
            "grade 3 f",
            "lab check",
            "explain -- ps",
            "verify",
            "__monitor 3",
            "image from-host /etc/shadow",
            "image",
            "container",
            "ps --narrate-to /etc/x",
            "doctor",
            "journal",
            "book",
            "help",
            "--lang ko ps",
            "container --lang ko ps",
        ] {
            assert!(asked(bad).is_err(), "{bad}");
        }
    }
}
