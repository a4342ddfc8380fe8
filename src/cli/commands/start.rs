//! `docker start`: start containers that have stopped.

use super::*;
use crate::cli::attached;
use crate::engine::attach::{Ends, attach};
use crate::engine::start::{self, Join, Started};
use crate::engine::upper_diff;

/// 멈춘 컨테이너를 시작합니다 | Start one or more stopped containers
#[derive(Debug, Args)]
pub struct Start {
    /// 출력을 보여 주고 시그널을 전달합니다 | Attach STDOUT/STDERR and forward signals
    #[arg(short, long)]
    attach: bool,
    /// 컨테이너의 표준 입력에 붙습니다 | Attach container's STDIN
    #[arg(short, long)]
    interactive: bool,
    #[arg(required = true, value_name = "CONTAINER")]
    names: Vec<String>,
}

impl Command for Start {
    const PATHS: &'static [&'static str] = &["container start", "start"];
    const EXAMPLE: &'static str = "docker start container-test1";
    const GRADED: Graded = Graded::Always;

    fn run(self, context: &mut Context) -> Result<i32, Fault> {
        self.attaches_one()?;
        let mut failed = 0;
        for name in &self.names {
            match self.one(context, name) {
                Ok(Some(code)) => return Ok(code),
                Ok(None) => context.print(&format!("{name}\n")),
                Err(fault) => {
                    context.narrate();
                    context.complain(&fault);
                    failed += 1;
                }
            }
        }
        Ok(i32::from(failed > 0))
    }

    fn plans(&self, store: &Store) -> Result<Vec<Plan>, Fault> {
        self.attaches_one()?;
        for_each(store, &self.names, |container| self.plan(container))
    }
}

impl Start {
    fn attaches_one(&self) -> Result<(), Fault> {
        let several = self.names.len() > 1 && (self.attach || self.interactive);
        if several { Err(Fault::AttachesOne) } else { Ok(()) }
    }

    fn plan(&self, container: &Container) -> Plan {
        let output = self.attach || self.interactive;
        let join = Join { output, input: self.interactive && container.config.open_stdin };
        start::plan(container, join, attached::size(container.config.tty))
    }

    /// Some: it was attached and has ended with this code.
    fn one(&self, context: &mut Context, name: &str) -> Result<Option<i32>, Fault> {
        let attached = self.attach || self.interactive;
        let container = context.store.find_container(name)?;
        if container.state.live() {
            // Starting what runs is no error; Docker does nothing, and says the name.
            return Ok(None);
        }
        if attached {
            context.json_needs_a_file()?;
            attached::before(context, &container);
        } else {
            upper_diff::since_last_look(&context.store, &container, &mut context.story);
        }
        let started = context.carry_out(self.plan(&container))?.take::<Started>();
        let Some(started) = started.filter(|_| attached) else {
            context.narrate_last();
            return Ok(None);
        };
        context.narrate();
        let ends = Ends::new(container.config.tty, started.input, [None, None]);
        let outcome = attach(&started.client, ends, &mut context.story)?;
        attached::finish(context, &container, outcome, !container.host_config.auto_remove).map(Some)
    }
}
