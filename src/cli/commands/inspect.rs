//! `docker inspect`, `container inspect`, `image inspect`: everything about an object, as JSON.

use super::*;
use crate::cli::inspect::{ImageNames, Paths, inspect_container, inspect_image, pretty};
use crate::cli::parsers::bad;
use crate::cli::{check, render};
use crate::container::Container;
use crate::image::{Image, Reference};
use crate::launch::spec::overlay_of;
use serde_json::Value;
use std::path::PathBuf;

/// 컨테이너나 이미지의 자세한 정보를 JSON으로 보여 줍니다 | Return low-level information on Docker objects
#[derive(Debug, Args)]
pub struct Inspect {
    /// 출력 형식: 'json', 'TEMPLATE' (Go 템플릿) | Format output: 'json', 'TEMPLATE' (a Go template)
    #[arg(short, long, value_name = "string")]
    format: Option<String>,
    // None: a container of that name, else an image.
    /// 찾을 종류: container, image | Only inspect objects of the given type: container, image
    #[arg(long = "type", value_name = "string", value_parser = parse_kind)]
    pub kind: Option<Kind>,
    #[arg(required = true, value_name = "NAME|ID")]
    pub names: Vec<String>,
}

/// 컨테이너의 자세한 정보를 JSON으로 보여 줍니다 | Display detailed information on one or more containers
#[derive(Debug, Args)]
pub struct InspectContainer {
    /// 출력 형식: 'json', 'TEMPLATE' (Go 템플릿) | Format output: 'json', 'TEMPLATE' (a Go template)
    #[arg(short, long, value_name = "string")]
    format: Option<String>,
    #[arg(required = true, value_name = "CONTAINER")]
    names: Vec<String>,
}

/// 이미지의 자세한 정보를 JSON으로 보여 줍니다 | Display detailed information on one or more images
#[derive(Debug, Args)]
pub struct InspectImage {
    /// 출력 형식: 'json', 'TEMPLATE' (Go 템플릿) | Format output: 'json', 'TEMPLATE' (a Go template)
    #[arg(short, long, value_name = "string")]
    format: Option<String>,
    #[arg(required = true, value_name = "IMAGE")]
    names: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Container,
    Image,
}

fn parse_kind(text: &str) -> Result<Kind, Fault> {
    let others = ["config", "network", "node", "plugin", "secret", "service", "task", "volume"];
    match text {
        "container" => Ok(Kind::Container),
        "image" => Ok(Kind::Image),
        _ if others.contains(&text) => {
            Err(Fault::Unsupported { what: format!("--type {text}"), instead: Some("--type container|image".into()) })
        }
        _ => Err(bad("--type", text, "container|image")),
    }
}

impl Command for Inspect {
    const PATHS: &'static [&'static str] = &["inspect"];
    const EXAMPLE: &'static str = "docker container inspect web";
    const GRADED: Graded = Graded::Always;
    const EXIT: fn(&Fault) -> i32 = exit;

    fn run(self, context: &mut Context) -> Result<i32, Fault> {
        inspect(context, &self.names, self.format.as_deref(), self.kind)
    }
}

impl Command for InspectContainer {
    const PATHS: &'static [&'static str] = &["container inspect"];
    const EXAMPLE: &'static str = "docker container inspect web";
    const GRADED: Graded = Graded::Always;
    const EXIT: fn(&Fault) -> i32 = exit;

    fn run(self, context: &mut Context) -> Result<i32, Fault> {
        inspect(context, &self.names, self.format.as_deref(), Some(Kind::Container))
    }
}

impl Command for InspectImage {
    const PATHS: &'static [&'static str] = &["image inspect"];
    const EXAMPLE: &'static str = "docker image inspect --format=\"{{ .RootFS.Layers }}\" nginx";
    const GRADED: Graded = Graded::Always;
    const EXIT: fn(&Fault) -> i32 = exit;

    fn run(self, context: &mut Context) -> Result<i32, Fault> {
        inspect(context, &self.names, self.format.as_deref(), Some(Kind::Image))
    }
}

/// As Docker: the template of `inspect` is read by its client's own parser.
fn exit(fault: &Fault) -> i32 {
    if matches!(fault, Fault::BadTemplate { .. }) { 64 } else { 1 }
}

/// Docker prints what it found, then complains about the rest.
fn inspect(context: &mut Context, names: &[String], format: Option<&str>, kind: Option<Kind>) -> Result<i32, Fault> {
    if let Some(template) = format {
        check(template)?;
    }
    let (mut found, mut faults) = (Vec::new(), Vec::new());
    for name in names {
        match object(&context.store, name, kind) {
            Ok(json) => found.push(json),
            Err(fault) => faults.push(fault),
        }
    }
    match format {
        Some(template) => {
            for json in &found {
                context.print_foreign(&(render(template, json)? + "\n"));
            }
        }
        None => context.print_foreign(&pretty(&found)),
    }
    faults.iter().for_each(|fault| context.complain(fault));
    Ok(i32::from(!faults.is_empty()))
}

fn object(store: &Store, name: &str, kind: Option<Kind>) -> Result<Value, Fault> {
    if kind != Some(Kind::Image) {
        match store.find_container(name) {
            Ok(container) => return Ok(inspect_container(&container, &paths(store, &container))),
            Err(Fault::NoSuchContainer { .. }) if kind.is_none() => {}
            Err(fault) => return Err(fault),
        }
    }
    let none = || Fault::NoSuchObject { name: name.into() };
    let (image, _) = match store.image(name) {
        // A word that can be no image's name names nothing.
        Err(Fault::BadReference { .. }) if kind.is_none() => return Err(none()),
        other => other?.ok_or_else(none)?,
    };
    of_image(store, &image)
}

/// The image's configuration as the store has it, with its names.
fn of_image(store: &Store, image: &Image) -> Result<Value, Fault> {
    let path = store.blob(&image.id.config());
    let damaged = |why: String| Fault::StoreDamaged { path: path.to_string_lossy().into_owned(), why };
    let bytes = std::fs::read(&path).map_err(|e| damaged(e.to_string()))?;
    let config: Value = serde_json::from_slice(&bytes).map_err(|e| damaged(e.to_string()))?;
    let references: Vec<Reference> = image.names.iter().filter_map(|n| Reference::parse(n).ok()).collect();
    let names = ImageNames {
        id: image.id.to_string(),
        tags: references.iter().map(Reference::familiar).collect(),
        digests: references.iter().map(|r| format!("{}@{}", r.familiar_repository(), image.manifest_digest)).collect(),
        size: image.bytes,
    };
    Ok(inspect_image(&config, &names))
}

fn paths(store: &Store, container: &Container) -> Paths {
    let dir = store.container_dir(&container.id);
    let overlay = overlay_of(store, container);
    let text = |p: PathBuf| p.to_string_lossy().into_owned();
    Paths {
        resolv_conf: text(dir.resolv()),
        hostname: text(dir.hostname()),
        hosts: text(dir.hosts()),
        log: text(dir.log()),
        lower: overlay.lower.into_iter().map(text).collect::<Vec<_>>().join(":"),
        upper: text(dir.upper()),
        work: text(dir.work()),
        merged: text(dir.merged()),
    }
}
