//! `docker cp`: files between a container and this machine.

use super::*;
use crate::engine::copy::{self, Options};

/// 컨테이너와 이 컴퓨터 사이에서 파일을 복사합니다 | Copy files/folders between a container and the local filesystem
#[derive(Debug, Args)]
pub struct Cp {
    /// 소유자(uid/gid)까지 그대로 복사합니다 | Archive mode (copy all uid/gid information)
    #[arg(short, long)]
    archive: bool,
    /// SRC_PATH의 심볼릭 링크를 따라갑니다 | Always follow symbol link in SRC_PATH
    #[arg(short = 'L', long)]
    follow_link: bool,
    // docent shows no progress of a copy, so there is nothing to keep quiet.
    /// 진행 상황을 보여 주지 않습니다 | Suppress progress output during copy
    #[arg(short, long)]
    quiet: bool,
    #[arg(value_name = "SRC_PATH")]
    from: String,
    #[arg(value_name = "DEST_PATH")]
    to: String,
}

impl Command for Cp {
    const PATHS: &'static [&'static str] = &["container cp", "cp"];
    const EXAMPLE: &'static str = "docker cp web:/usr/share/nginx/html/index.html index.html";
    const USAGE: &'static [&'static str] =
        &["[OPTIONS] CONTAINER:SRC_PATH DEST_PATH", "[OPTIONS] SRC_PATH CONTAINER:DEST_PATH"];
    const BARE: Bare =
        Bare::Shells(|args, is_name| args.iter().any(|a| a.split_once(":/").is_some_and(|(name, _)| is_name(name))));
    const GRADED: Graded = Graded::Always;

    fn run(self, context: &mut Context) -> Result<i32, Fault> {
        for plan in self.plans(&context.store)? {
            drop(context.carry_out(plan)?);
        }
        context.narrate_last();
        Ok(0)
    }

    fn plans(&self, store: &Store) -> Result<Vec<Plan>, Fault> {
        let options = Options { archive: self.archive, follow: self.follow_link };
        if self.from == "-" || self.to == "-" {
            let instead = Some("docker cp NAME:PATH DIRECTORY".to_string());
            return Err(Fault::Unsupported { what: "cp -".into(), instead });
        }
        Ok(vec![copy::plan(store, &self.from, &self.to, options)?])
    }
}
