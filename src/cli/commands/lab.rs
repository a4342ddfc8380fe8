//! `docent lab …`: the learner's own way through an exercise.

use super::*;
use crate::cli::root_of;
use crate::event::Story;
use crate::kernel::host::Host;
use crate::lab::seed::Seeds;
use crate::lab::{Source, progress};
use crate::narrate;
use clap::Subcommand;

/// 실습을 합니다 | Work on the guided labs
#[derive(Debug, Args)]
pub struct Lab {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// 실습 목록과 진행 상황을 보여 줍니다 | List the labs and how far you are
    List,
    /// 실습을 시작합니다 | Start a lab
    Start {
        #[arg(value_name = "LAB")]
        lab: String,
    },
    /// 시작한 실습의 과제와 점수를 보여 줍니다 | Show the tasks and points of the lab you are in
    Status,
    /// 지금 과제의 힌트를 보여 줍니다 | Give a hint for the task at hand
    Hint {
        // None is the first task that is not done.
        #[arg(value_name = "TASK")]
        task: Option<String>,
    },
    /// 시작한 실습의 과제를 지금 검사합니다 | Check the tasks of the lab now
    Check,
    /// 시작한 실습을 처음으로 되돌립니다 | Start the lab over
    Reset,
    /// 실습 안내를 보여 줍니다 | Show the guide of a lab
    Guide {
        // None is the lab that is started.
        #[arg(value_name = "LAB")]
        lab: Option<String>,
    },
}

impl Command for Lab {
    const PATHS: &'static [&'static str] = &["lab"];
    const EXAMPLE: &'static str = "docent lab start 03-nginx-cp-edit";

    fn start(self, globals: &Globals) -> Result<i32, Fault> {
        let narrator = narrator(globals.lang, Level::Full);
        let (store, made) = Store::open(&root_of(globals), Host::look())?;
        if let Some(made) = made {
            let mut story = Story::new();
            made.tell(&mut story);
            eprint!("{}", narrator.story(story.events()));
        }
        let tasks = |s: progress::Status| narrator.lab_tasks(&s.lines, &s.score);
        let text = match self.verb {
            Verb::List => narrator.lab_list(&progress::list(&store)?),
            Verb::Start { lab } => {
                let started = progress::start(&store, &lab, &Seeds::new(None, None)?)?;
                let l = &started.lab;
                narrator.lab_started(&l.title, &l.goal, &started.student, started.practice, &started.values)
            }
            Verb::Status => tasks(progress::status(&store)?),
            Verb::Check => tasks(progress::check(&store)?),
            Verb::Hint { task } => narrator.lab_hint(&progress::hint(&store, task.as_deref())?),
            Verb::Reset => narrate::lab::reset(narrator.lang, progress::reset(&store)?) + "\n",
            Verb::Guide { lab } => {
                let guide = match lab {
                    Some(name) => Source::Embedded.guide(&name)?,
                    None => progress::started(&store)?.1,
                };
                let guide = narrate::lab::of(&guide, narrator.lang);
                narrate::markdown::render(guide, narrator.width, narrator.color)
            }
        };
        print!("{text}");
        Ok(0)
    }
}
