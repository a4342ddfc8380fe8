//! What a session shows of the store between its lines: names for completion, containers that ended, the started lab.
//!
//! A store that is not there yet, or cannot be read, has nothing to show; the commands themselves say why.

use super::complete::Kind;
use crate::cli;
use crate::engine::doctor;
use crate::engine::news::News;
use crate::event::Story;
use crate::image::Reference;
use crate::kernel::host::Host;
use crate::lab::{self, progress};
use crate::narrate::{Lang, Level, Narrator};
use crate::store::Store;
use std::path::Path;

/// Names for completion.
pub fn names(root: &Path, host: &Host, kind: Kind) -> Vec<String> {
    let Some(store) = Store::existing(root, host) else { return Vec::new() };
    match kind {
        Kind::Container => store.list_containers().unwrap_or_default().into_iter().map(|c| c.name).collect(),
        Kind::Id => store.list_containers().unwrap_or_default().into_iter().map(|c| c.id.to_string()).collect(),
        Kind::Image => {
            let images = store.images().unwrap_or_default();
            let names = images.iter().flat_map(|i| &i.names).filter_map(|n| Reference::parse(n).ok());
            names.map(|r| r.familiar()).chain(["tiny".into(), "nginx".into()]).collect()
        }
        Kind::Lab => lab::names().map(str::to_string).collect(),
    }
}

/// Tasks of the started lab that a command has just passed or lost, a line each.
pub fn lab_changes(root: &Path, host: &Host, lang: Lang) -> String {
    let changes = Store::existing(root, host).and_then(|store| progress::live(&store).ok().flatten());
    cli::narrator(lang, Level::Full).lab_changes(&changes.unwrap_or_default())
}

/// Variables that the started lab gives to the learner's shell (`LAB_TOKEN`).
pub fn lab_values(root: &Path, host: &Host) -> Vec<(String, String)> {
    let Some(store) = Store::existing(root, host) else { return Vec::new() };
    progress::values(&store).unwrap_or_default().into_iter().collect()
}

/// Containers that ended by themselves since the last prompt, a line each.
pub fn news(root: &Path, host: &Host, news: &mut News, lang: Lang) -> String {
    let events = Store::existing(root, host).map(|store| news.next(&store)).unwrap_or_default();
    let narrator = Narrator::new(lang, Level::Brief);
    events.into_iter().map(|event| narrator.story(&[event])).collect()
}

/// One line on what this host can do.
pub fn verdict(root: &Path, host: &Host, lang: Lang) -> String {
    let probe = doctor::examine(root, host, &mut Story::new());
    cli::narrator(lang, Level::Off).verdict_line(&probe)
}
