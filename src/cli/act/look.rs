//! Verbs that only look: `ps`, `logs`, `inspect`, `diff`.

use crate::cli::context::Context;
use crate::cli::{
    DiffArgs, ImageNames, InspectArgs, LogsArgs, ObjectKind, Paths, PsArgs, Tail, check, inspect_container,
    inspect_image, pretty, render,
};
use crate::container::Container;
use crate::engine::{cow, logs as log};
use crate::fact::Fault;
use crate::launch::spec::overlay_of;
use crate::store::Store;
use chrono::{Local, Offset, Utc};
use std::io::Write;

/// The learner's own time zone.
pub fn zone() -> chrono::FixedOffset {
    Local::now().offset().fix()
}

pub fn ps(context: &mut Context, a: &PsArgs) -> Result<i32, Fault> {
    let text = crate::cli::ps(&context.store.list_containers()?, a, Utc::now(), zone())?;
    context.print(&text);
    Ok(0)
}

pub fn logs(context: &mut Context, a: &LogsArgs) -> Result<i32, Fault> {
    let container = context.store.find_container(&a.name)?;
    let tail = match a.tail {
        Tail::All => None,
        Tail::Last(n) => Some(usize::try_from(n).unwrap_or(usize::MAX)),
    };
    log::logs(&context.store, &container, tail, a.follow, |line| {
        let text = if a.timestamps { format!("{} {}", line.time, line.log) } else { line.log.clone() };
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

pub fn diff(context: &mut Context, a: &DiffArgs) -> Result<i32, Fault> {
    let container = context.store.find_container(&a.name)?;
    let lines: String =
        cow::diff(&context.store, &container)?.iter().map(|(letter, path)| format!("{letter} {path}\n")).collect();
    context.print(&lines);
    Ok(0)
}

/// Docker prints what it found, then complains about the rest.
pub fn inspect(context: &mut Context, a: &InspectArgs) -> Result<i32, Fault> {
    if let Some(template) = &a.format {
        check(template)?;
    }
    let (mut found, mut faults) = (Vec::new(), Vec::new());
    for name in &a.names {
        match object(context, name, a.kind) {
            Ok(json) => found.push(json),
            Err(fault) => faults.push(fault),
        }
    }
    match &a.format {
        Some(template) => {
            for json in &found {
                let line = render(template, json)?;
                context.print(&format!("{line}\n"));
            }
        }
        None => context.print(&pretty(&found)),
    }
    for fault in &faults {
        context.complain(fault);
    }
    Ok(i32::from(!faults.is_empty()))
}

fn object(context: &Context, name: &str, kind: Option<ObjectKind>) -> Result<serde_json::Value, Fault> {
    if kind != Some(ObjectKind::Image) {
        match context.store.find_container(name) {
            Ok(container) => return Ok(inspect_container(&container, &paths(&context.store, &container))),
            Err(fault @ Fault::NoSuchContainer { .. }) if kind == Some(ObjectKind::Container) => return Err(fault),
            Err(Fault::NoSuchContainer { .. }) => {}
            Err(fault) => return Err(fault),
        }
    }
    let none = || Fault::NoSuchObject { name: name.into() };
    let (image, _) = match context.store.image(name) {
        // A word that can be no image's name names nothing.
        Err(Fault::BadReference { .. }) if kind.is_none() => return Err(none()),
        other => other?.ok_or_else(none)?,
    };
    super::image::inspected(&context.store, &image, |config: &_, names: &ImageNames| inspect_image(config, names))
}

fn paths(store: &Store, container: &Container) -> Paths {
    let dir = store.container_dir(&container.id);
    let overlay = overlay_of(store, &container);
    let text = |p: std::path::PathBuf| p.to_string_lossy().into_owned();
    Paths {
        resolv_conf: text(dir.resolv()),
        hostname: text(dir.hostname()),
        hosts: text(dir.hosts()),
        log: text(dir.log()),
        lower: overlay.lower.iter().map(|p| p.to_string_lossy().into_owned()).collect::<Vec<_>>().join(":"),
        upper: text(dir.upper()),
        work: text(dir.work()),
        merged: text(dir.merged()),
    }
}
