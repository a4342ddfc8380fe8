//! `docent system reset`: the store ends, and the host is as it was before it.

use super::*;
use crate::engine::reset;
use crate::event::Event;
use crate::narrate::frame;

/// 이 저장소의 컨테이너와 이미지를 모두 지우고, 호스트에서 바꾼 것을 되돌립니다 |
/// Remove every container and image of this store, and put back what was changed on the host
#[derive(Debug, Args)]
pub struct Reset {
    /// 묻지 않고 지웁니다 | Do not prompt for confirmation
    #[arg(short, long)]
    force: bool,
}

impl Command for Reset {
    const PATHS: &'static [&'static str] = &["system reset"];
    const EXAMPLE: &'static str = "docent system reset";

    fn run(self, context: &mut Context) -> Result<i32, Fault> {
        let forecast = reset::plan().forecast(&context.store, &mut Foreseen::default());
        if let Some(fault) = forecast.fault {
            return Err(fault);
        }
        if !self.force {
            context.json_needs_a_file()?;
            let events: Vec<Event> = forecast.facts.into_iter().map(Event::planned).collect();
            let plan = context.narrator.as_plan(&events);
            context.ask(&format!("{plan}{}", context.narrator.reset_question(context.store.root())));
            let mut answer = String::new();
            // What cannot be read is no consent.
            std::io::stdin().read_line(&mut answer).unwrap_or(0);
            if !matches!(answer.trim(), "y" | "Y" | "yes" | "예" | "네") {
                context.ask(&(frame::reset_refused(context.narrator.lang) + "\n"));
                return Ok(1);
            }
        }
        drop(context.carry_out(reset::plan())?);
        context.narrate();
        Ok(0)
    }

    fn plans(&self, _: &Store) -> Result<Vec<Plan>, Fault> {
        Ok(vec![reset::plan()])
    }
}
