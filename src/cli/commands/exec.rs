//! `docker exec`: another program in a container that runs.

use super::*;
use crate::cli::environment::{gather, parse_entry, process_environ};
use crate::cli::parsers::parse_workdir;
use crate::cli::{attached, unsupported};
use crate::engine::exec::{self, Begun};
use std::path::PathBuf;

/// 실행 중인 컨테이너 안에서 명령을 실행합니다 | Execute a command in a running container
#[derive(Debug, Args)]
pub struct Exec {
    /// 명령을 배경에서 실행합니다 | Detached mode: run command in the background
    #[arg(short, long)]
    pub detach: bool,
    /// 환경 변수를 정합니다 | Set environment variables
    #[arg(short, long, value_name = "list", value_parser = parse_entry)]
    env: Vec<String>,
    /// 환경 변수를 파일에서 읽습니다 | Read in a file of environment variables
    #[arg(long, value_name = "list")]
    env_file: Vec<PathBuf>,
    /// 붙어 있지 않아도 표준 입력을 열어 둡니다 | Keep STDIN open even if not attached
    #[arg(short, long)]
    pub interactive: bool,
    /// 가상 터미널을 만듭니다 | Allocate a pseudo-TTY
    #[arg(short, long)]
    pub tty: bool,
    /// 사용자 이름이나 UID | Username or UID (format: <name|uid>[:<group|gid>])
    #[arg(short, long, value_name = "string")]
    user: Option<String>,
    /// 컨테이너 안의 작업 디렉터리 | Working directory inside the container
    #[arg(short, long, value_name = "string", value_parser = parse_workdir)]
    workdir: Option<String>,
    // From the container on, nothing is a flag of docent's.
    #[arg(required = true, num_args = 2.., trailing_var_arg = true, value_name = "CONTAINER COMMAND [ARG...]")]
    pub line: Vec<String>,
}

impl Command for Exec {
    const PATHS: &'static [&'static str] = &["container exec", "exec"];
    const EXAMPLE: &'static str = "docker exec -it web /bin/sh";
    const BARE: Bare = Bare::When(is_meant);
    const GRADED: Graded = Graded::Always;
    const EXIT: fn(&Fault) -> i32 =
        |fault| attached::exit(fault).unwrap_or(if matches!(fault, Fault::Unsupported { .. }) { 125 } else { 1 });

    fn run(self, context: &mut Context) -> Result<i32, Fault> {
        let Some((name, command)) = self.line.split_first() else { return Ok(1) };
        let container = context.store.find_container(name)?;
        let plan = self.plan(&container, command)?;
        context.json_needs_a_file()?;
        attached::before(context, &container);
        let begun = context.carry_out(plan)?.take::<Begun>();
        context.narrate();
        let begun = begun.ok_or_else(|| Fault::MonitorDied { id: container.id.to_string() })?;
        let outcome = begun.attach(&mut context.story)?;
        attached::finish(context, &container, outcome, true)
    }

    fn plans(&self, store: &Store) -> Result<Vec<Plan>, Fault> {
        let Some((name, command)) = self.line.split_first() else { return Ok(Vec::new()) };
        Ok(vec![self.plan(&store.find_container(name)?, command)?])
    }
}

impl Exec {
    fn plan(&self, container: &Container, command: &[String]) -> Result<Plan, Fault> {
        if self.detach {
            let instead = Some("docker exec NAME sh -c 'COMMAND &'".into());
            return Err(Fault::Unsupported { what: "exec -d".into(), instead });
        }
        // As Docker: what is not there is said first.
        attached::terminal_for(self.tty, self.interactive)?;
        let ask = exec::Ask {
            command: command.to_vec(),
            env: gather(&self.env_file, &self.env, &process_environ)?,
            workdir: self.workdir.clone(),
            user: self.user.clone(),
            tty: self.tty,
            stdin: self.interactive,
        };
        Ok(exec::Exec { ask, size: attached::size(self.tty) }.plan(container))
    }
}

/// The shell's `exec` replaces the shell; flags of Docker's, or a container's name with a command, say what is meant.
fn is_meant(args: &[&str], is_name: IsName) -> bool {
    let Some(first) = args.first() else { return false };
    let Some(flag) = first.strip_prefix('-') else { return args.len() > 1 && is_name(first) };
    let ours = Exec::augment_args(clap::Command::new("exec"));
    let word = match flag.strip_prefix('-') {
        Some(long) => format!("--{}", long.split('=').next().unwrap_or_default()),
        None => format!("-{}", flag.chars().next().unwrap_or_default()),
    };
    unsupported::flag(&["exec"], &word).is_some()
        || ours.get_arguments().any(|a| {
            a.get_long().is_some_and(|l| word == format!("--{l}"))
                || a.get_short().is_some_and(|s| word == format!("-{s}"))
        })
}
