//! `docent journal`: the commands so far, and the record of one.

use super::*;
use crate::cli::parsers::parse_number;
use crate::engine::explain;
use crate::event::Line;
use crate::store::Journal as Records;
use clap::Subcommand;

/// 지금까지 실행한 명령의 기록을 보여 줍니다 | Show the record of the commands so far
#[derive(Debug, Args)]
pub struct Journal {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// 기록된 명령의 목록을 보여 줍니다 | List the recorded commands
    List,
    /// 명령 하나의 기록을 보여 줍니다 | Show the record of one command
    Show {
        // None is the last command.
        #[arg(value_name = "N", value_parser = parse_number)]
        number: Option<u64>,
    },
}

impl Command for Journal {
    const PATHS: &'static [&'static str] = &["journal"];
    const EXAMPLE: &'static str = "docent journal list";

    fn run(self, context: &mut Context) -> Result<i32, Fault> {
        let mut text = String::new();
        match self.verb.unwrap_or(Verb::List) {
            Verb::List => {
                for number in Records::numbers(&context.store) {
                    let Ok(record) = Records::read(&context.store, number) else { continue };
                    text += &context.narrator.record_head(&record);
                }
            }
            Verb::Show { number } => {
                let record = explain::pick(&context.store, number)?;
                text.extend(record.lines().iter().map(Line::json));
            }
        }
        context.print(&text);
        Ok(0)
    }
}
