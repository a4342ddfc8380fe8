//! `docker load`: images from an archive.

use super::*;
use crate::cli::parsers;
use crate::engine::{forecast, load};
use crate::kernel::terminal;
use crate::kernel::userfiles::UserFiles;
use std::fs::File;
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
        let loaded = match &self.input {
            Some(path) => {
                let shown = path.to_string_lossy().into_owned();
                let local = |errno| Fault::LocalFile { path: shown.clone(), errno };
                let files = UserFiles::here().map_err(|e| local(e.errno))?;
                let mut file: File = files.open_read(path).map_err(|e| local(e.errno))?;
                load::load(&context.store, &mut context.story, &mut file, &shown)?
            }
            None => {
                let stdin = std::io::stdin();
                if terminal::is_terminal(&stdin) {
                    return Err(parsers::bad("--input", "-", "docker load -i FILE, docker load < FILE"));
                }
                load::load(&context.store, &mut context.story, &mut stdin.lock(), "-")?
            }
        };
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

    fn forecast(&self, _: &Store) -> Result<Vec<Fact>, Fault> {
        Ok(forecast::load(self.input.as_ref().map_or("-".into(), |p| p.to_string_lossy().into_owned())))
    }
}
