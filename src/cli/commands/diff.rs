//! `docker diff`: what stands in a container's write layer.

use super::*;
use crate::engine::upper_diff;
use std::path::PathBuf;

/// 컨테이너의 쓰기 레이어에서 바뀐 파일을 보여 줍니다 | Inspect changes to files or directories on a container's filesystem
#[derive(Debug, Args)]
pub struct Diff {
    #[arg(value_name = "CONTAINER")]
    name: String,
}

impl Command for Diff {
    const PATHS: &'static [&'static str] = &["container diff", "diff"];
    const EXAMPLE: &'static str = "docker diff web";
    const BARE: Bare = Bare::Shells(names_one);
    const GRADED: Graded = Graded::Always;

    fn run(self, context: &mut Context) -> Result<i32, Fault> {
        let container = context.store.find_container(&self.name)?;
        upper_diff::since_last_look(&context.store, &container, &mut context.story);
        context.narrate();
        let changes = upper_diff::diff(&context.store, &container)?;
        let line = |(letter, path): &(char, PathBuf)| format!("{letter} {}\n", path.to_string_lossy());
        context.print_foreign(&changes.iter().map(line).collect::<String>());
        Ok(0)
    }
}
