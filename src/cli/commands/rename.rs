//! `docker rename`: another name for a container.

use super::*;
use crate::cli::parsers::parse_name;
use crate::engine::rename;

/// 컨테이너의 이름을 바꿉니다 | Rename a container
#[derive(Debug, Args)]
pub struct Rename {
    #[arg(value_name = "CONTAINER")]
    name: String,
    #[arg(value_name = "NEW_NAME", value_parser = parse_name)]
    new: String,
}

impl Command for Rename {
    const PATHS: &'static [&'static str] = &["container rename", "rename"];
    const EXAMPLE: &'static str = "docker rename web web-old";
    const BARE: Bare = Bare::Shells(names_one);
    const GRADED: Graded = Graded::Always;

    fn run(self, context: &mut Context) -> Result<i32, Fault> {
        let container = context.store.find_container(&self.name)?;
        drop(context.carry_out(rename::plan(&container, &self.new))?);
        context.narrate_last();
        Ok(0)
    }

    fn plans(&self, store: &Store) -> Result<Vec<Plan>, Fault> {
        for_each(store, std::slice::from_ref(&self.name), |container| rename::plan(container, &self.new))
    }
}
