//! `docker run`: make a container, start it, and stay with it until it ends.

use super::create::Flags;
use super::*;
use crate::cli::attached;
use crate::engine::attach::{Ends, attach};
use crate::engine::create;
use crate::engine::start::{Join, Start, Started};

/// 이미지로 새 컨테이너를 만들어 실행합니다 | Create and run a new container from an image
#[derive(Debug, Args)]
pub struct Run {
    /// 배경에서 실행하고 컨테이너 ID를 출력합니다 | Run container in background and print container ID
    #[arg(short, long)]
    pub detach: bool,
    #[command(flatten)]
    pub flags: Flags,
}

impl Command for Run {
    const PATHS: &'static [&'static str] = &["container run", "run"];
    const EXAMPLE: &'static str = "docker run -d --name web -p 8080:80 nginx";
    const GRADED: Graded = Graded::Always;
    const EXIT: fn(&Fault) -> i32 = |fault| attached::exit(fault).unwrap_or(125);

    fn run(self, context: &mut Context) -> Result<i32, Fault> {
        let plan = self.plan()?;
        if !self.detach {
            context.json_needs_a_file()?;
        }
        let mut scene = context.carry_out(plan)?;
        let (container, started) = (scene.container()?.clone(), scene.take::<Started>());
        // Nobody else knows of it yet, unless somebody guessed its id.
        let started = started.ok_or_else(|| Fault::MonitorDied { id: container.id.to_string() })?;
        if self.detach {
            let hint = context.hint();
            context.narrate();
            context.print(&format!("{}\n", container.id));
            context.say(&hint.unwrap_or_default());
            return Ok(0);
        }
        context.narrate();
        let ends = Ends::new(container.config.tty, started.input, [None, None]);
        let outcome = attach(&started.client, ends, &mut context.story)?;
        attached::finish(context, &container, outcome, !container.host_config.auto_remove)
    }

    fn plans(&self, _: &Store) -> Result<Vec<Plan>, Fault> {
        Ok(vec![self.plan()?])
    }
}

impl Run {
    fn plan(&self) -> Result<Plan, Fault> {
        let request = self.flags.request(self.detach)?;
        if !self.detach {
            attached::terminal_for(self.flags.tty, self.flags.interactive)?;
        }
        let join = Join { output: !self.detach, input: request.config.attach_stdin };
        let size = attached::size(request.config.tty);
        Ok(create::plan(request).then(Start { join, size }))
    }
}
