//! `docker rm`: containers go, with everything that was written in them.

use super::*;
use crate::container::ContainerId;
use crate::engine::remove::{self, Discard, Remove};
use std::collections::BTreeMap;

/// 컨테이너를 지웁니다 | Remove one or more containers
#[derive(Debug, Args)]
pub struct Rm {
    /// 실행 중이어도 강제로 지웁니다 (SIGKILL) | Force the removal of a running container (uses SIGKILL)
    #[arg(short, long)]
    force: bool,
    // There are none yet, so nothing is left out.
    /// 컨테이너의 익명 볼륨도 지웁니다 | Remove anonymous volumes associated with the container
    #[arg(short, long)]
    volumes: bool,
    #[arg(required = true, value_name = "CONTAINER")]
    names: Vec<String>,
}

impl Command for Rm {
    const PATHS: &'static [&'static str] = &["container rm", "rm"];
    const EXAMPLE: &'static str = "docker rm -f web";
    const BARE: Bare = Bare::Shells(names_one);
    const GRADED: Graded = Graded::Always;

    fn run(self, context: &mut Context) -> Result<i32, Fault> {
        // With -f all are killed before the first is waited for, and what is not there is not missed, as with Docker 28: said, and
        // no failure.
        let mut killed = BTreeMap::new();
        let there = |name: &String| match context.store.find_container(name) {
            Err(Fault::NoSuchContainer { .. }) => !self.force,
            Ok(container) if self.force && !killed.values().any(|k: &remove::Killed| k.is(&container)) => {
                match remove::kill(&container) {
                    Ok(Some(kill)) => drop(killed.insert(name.clone(), kill)),
                    Ok(None) => {}
                    // It is tried again in its turn.
                    Err(fault) => remove::tell_not_killed(&container, &fault, &mut context.story),
                }
                true
            }
            _ => true,
        };
        let (names, missing): (Vec<String>, Vec<String>) = self.names.into_iter().partition(there);
        for name in missing {
            context.complain(&Fault::NoSuchContainer { name });
        }
        let mut removed = Vec::new();
        for name in &names {
            let plan = match killed.remove(name) {
                Some(killed) => Ok(Remove::killed(killed)),
                None => plan(&context.store, name, self.force),
            };
            if context.one_of_several(plan) {
                removed.push(name);
            }
        }
        // Removed once reported, whatever happens then. One sync for all: each costs milliseconds.
        if !removed.is_empty() {
            context.store.sync_containers().map_err(|e| Fault::step("remove", e))?;
        }
        removed.iter().for_each(|name| context.print(&format!("{name}\n")));
        Ok(i32::from(removed.len() < names.len()))
    }

    fn plans(&self, store: &Store) -> Result<Vec<Plan>, Fault> {
        let missed = |plan: &Result<Plan, Fault>| !self.force || !matches!(plan, Err(Fault::NoSuchContainer { .. }));
        let plans = self.names.iter().map(|name| plan(store, name, self.force)).filter(missed);
        Ok(plans.map(|plan| plan.unwrap_or_else(Plan::failing)).collect())
    }
}

fn plan(store: &Store, name: &str, force: bool) -> Result<Plan, Fault> {
    let found = store.find_container(name);
    if let Err(Fault::ContainerDamaged { id, .. }) = &found
        && let Some(id) = ContainerId::parse(id).filter(|_| force)
    {
        return Ok(Plan::about_damaged(&id).named(name).then(Discard(id)));
    }
    Ok(Remove::plan(&found?, force).named(name))
}
