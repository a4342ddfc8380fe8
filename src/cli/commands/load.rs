//! `docker load`: images from an archive.

use super::*;
use crate::cli::parsers;
use crate::engine::load::{self, Loaded};
use crate::kernel::terminal;
use std::path::PathBuf;

/// tar 아카이브나 표준 입력에서 이미지를 읽어 들입니다 | Load an image from a tar archive or STDIN
#[derive(Debug, Args)]
pub struct Load {
    // None is standard input.
    /// 표준 입력 대신 읽을 tar 아카이브 | Read from tar archive file, instead of STDIN
    #[arg(short, long, value_name = "string")]
    input: Option<PathBuf>,
    /// 진행 상황을 보여 주지 않습니다 | Suppress the load output
    #[arg(short, long)]
    quiet: bool,
}

impl Command for Load {
    const PATHS: &'static [&'static str] = &["image load", "load"];
    const EXAMPLE: &'static str = "docker image load < test-mysql57.tar";
    const GRADED: Graded = Graded::Asked;

    fn run(self, context: &mut Context) -> Result<i32, Fault> {
        if self.input.is_none() && terminal::is_terminal(std::io::stdin()) {
            return Err(parsers::bad("--input", "-", "docker load -i FILE, docker load < FILE"));
        }
        let Loaded(loaded) =
            context.carry_out(load::Load(self.input.clone()).plan())?.take().unwrap_or(Loaded(Vec::new()));
        context.narrate();
        for event in context.story.events() {
            // Docker's words: a name that led to another image no longer does, and that one is nameless now.
            if let Fact::Tagged { reference, was: Some(was), .. } = &event.fact {
                context.print(&format!(
                    "The image {reference} already exists, renaming the old one with ID {was} to empty string\n"
                ));
            }
        }
        for name in loaded {
            let line = if name.starts_with("sha256:") { "Loaded image ID" } else { "Loaded image" };
            context.print(&format!("{line}: {name}\n"));
        }
        Ok(0)
    }

    fn plans(&self, _: &Store) -> Result<Vec<Plan>, Fault> {
        Ok(vec![load::Load(self.input.clone()).plan()])
    }
}
