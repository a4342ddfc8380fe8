//! `docker logs`: what a container's programs have printed.

use super::*;
use crate::cli::parsers::bad;
use crate::engine::logs;
use std::io::Write;

/// 컨테이너가 출력한 로그를 보여 줍니다 | Fetch the logs of a container
#[derive(Debug, Args)]
pub struct Logs {
    /// 새로 나오는 로그를 계속 보여 줍니다 | Follow log output
    #[arg(short, long)]
    follow: bool,
    /// 끝에서부터 보여 줄 줄 수 | Number of lines to show from the end of the logs
    #[arg(short = 'n', long, value_name = "string", default_value = "all", value_parser = parse_tail)]
    tail: i64,
    /// 시각을 함께 보여 줍니다 | Show timestamps
    #[arg(short, long)]
    timestamps: bool,
    #[arg(value_name = "CONTAINER")]
    name: String,
}

/// How many of the last lines; negative numbers are all, as with Docker, which takes whatever is no number for `all` too: a
/// typing error is told here instead.
fn parse_tail(text: &str) -> Result<i64, Fault> {
    match text {
        "all" | "" => Ok(-1),
        _ => text.parse().map_err(|_| bad("--tail", text, "NUMBER|all")),
    }
}

impl Command for Logs {
    const PATHS: &'static [&'static str] = &["container logs", "logs"];
    const EXAMPLE: &'static str = "docker logs -f web";
    const GRADED: Graded = Graded::Always;

    fn run(self, context: &mut Context) -> Result<i32, Fault> {
        let container = context.store.find_container(&self.name)?;
        context.json_needs_a_file()?;
        logs::logs(&context.store, &container, usize::try_from(self.tail).ok(), self.follow, |line| {
            let text = if self.timestamps { format!("{} {}", line.time, line.log) } else { line.log.clone() };
            let written = if line.stream == "stderr" {
                std::io::stderr().lock().write_all(text.as_bytes())
            } else {
                let mut out = std::io::stdout().lock();
                out.write_all(text.as_bytes()).and_then(|()| out.flush())
            };
            written.is_ok()
        })?;
        Ok(0)
    }
}
