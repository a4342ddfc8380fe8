//! One check: it holds, or it fails with what was expected, what is, and the nearest miss.
//!
//! A miss is the most probable reason, found by looking for what would explain it: the same copy into another container,
//! another path, a port that belongs to a neighbour. It is data; the sentence is `narrate::lab`'s.

use super::model::{Check, Way};
use super::world::{World, container_of};
use crate::container::{Container, Status};
use crate::event::{Cause, Event, Fact, Fault, Miss, Outcome};
use crate::image::{ImageId, Reference};
use std::collections::BTreeMap;

/// Checks a world: what all checks of a lab share is read once.
pub struct Checker<'a> {
    world: &'a dyn World,
    values: &'a BTreeMap<String, String>,
    containers: Vec<Container>,
    events: Vec<Event>,
}

type Found<T> = Result<T, Stop>;

/// A check ends early by a miss, or because something could not be read.
enum Stop {
    Miss(Miss),
    Fault(Fault),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Stop::Fault(fault)
    }
}

fn miss<T>(cause: Cause, expected: impl Into<String>, actual: impl Into<String>) -> Found<T> {
    Err(Stop::Miss(Miss { cause, expected: expected.into(), actual: actual.into() }))
}

impl<'a> Checker<'a> {
    pub fn new(world: &'a dyn World, values: &'a BTreeMap<String, String>) -> Result<Checker<'a>, Fault> {
        let events = world.events()?.into_iter().filter(|e| e.outcome == Outcome::Done).collect();
        Ok(Checker { world, values, containers: world.containers()?, events })
    }

    /// None: the check holds.
    ///
    /// # Errors
    /// When it could not be looked at; that is no verdict on the learner.
    pub fn check(&self, check: &Check) -> Result<Option<Miss>, Fault> {
        match self.decide(check) {
            Ok(()) => Ok(None),
            Err(Stop::Miss(miss)) => Ok(Some(miss)),
            Err(Stop::Fault(fault)) => Err(fault),
        }
    }

    fn decide(&self, check: &Check) -> Found<()> {
        match check {
            Check::ContainerExists { container } => self.container(container).map(drop),
            Check::ContainerState { container, state } => self.state(self.container(container)?, state),
            Check::ContainerImage { container, image } => {
                let c = self.container(container)?;
                let (name, is) = (container.clone(), c.config.image.clone());
                match self.world.own_image(image) {
                    Some(own) if Some(own) == c.image_id.as_ref() => Ok(()),
                    // Another image by that name: told by what it is.
                    Some(own) if Reference::same(&is, image) => {
                        let image = c.image_id.as_ref().map(ImageId::to_string).unwrap_or_default();
                        miss(Cause::WrongImage { name, image: image.clone() }, own.to_string(), image)
                    }
                    None if Reference::same(&is, image) => Ok(()),
                    _ => miss(Cause::WrongImage { name, image: is.clone() }, image, is),
                }
            }
            Check::PortPublished { container, port, host_port } => {
                self.published(container, Some(*port), *host_port).map(drop)
            }
            Check::HttpAnswers { container, host_port, path } => self.page(container, *host_port, path).map(drop),
            Check::HttpContains { container, host_port, path, contains } => {
                let (body, wanted) = (self.page(container, *host_port, path)?, self.value(contains));
                if body.contains(&wanted) {
                    return Ok(());
                }
                miss(Cause::PageLacksIt { port: *host_port }, wanted, summary(&body))
            }
            Check::Copied { direction, container, path } => {
                let c = self.container(container)?;
                match direction {
                    Way::Out => self.copied_out(c, path),
                    Way::In => self.copied_in(c, path),
                }
            }
            Check::FileInUpper { container, path, contains } => {
                self.in_upper(self.container(container)?, path, &self.value(contains))
            }
            Check::ImageUnchanged { container, path, lacks } => {
                self.original(self.container(container)?, path, &self.value(lacks)).map(drop)
            }
            Check::FreshContainerServesOriginal { container, port, path, file, lacks } => {
                let c = self.container(container)?;
                let original = self.original(c, file, &self.value(lacks))?;
                let (image, port) = (c.config.image.clone(), *port);
                match self.world.fresh_page(c, port, path)? {
                    Ok(page) if page.body.as_bytes() == original => Ok(()),
                    Ok(page) => miss(
                        Cause::FreshDiffers { image },
                        summary(&String::from_utf8_lossy(&original)),
                        summary(&page.body),
                    ),
                    Err(e) => miss(Cause::NoAnswer { port, errno: e.errno }, "200", "-"),
                }
            }
            Check::Event { event, container, fields } => self.event(event, container.as_deref(), fields),
            Check::Shell { script } => match self.world.shell(script)? {
                0 => Ok(()),
                code => miss(Cause::ShellFailed { code }, "0", code.to_string()),
            },
        }
    }

    /// A value of the lab with its seeds filled in.
    fn value(&self, text: &str) -> String {
        // The longest name first: $LAB_TOKEN_B is not $LAB_TOKEN with something after it.
        let mut names: Vec<_> = self.values.iter().collect();
        names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        names.into_iter().fold(text.to_string(), |t, (name, value)| t.replace(&format!("${name}"), value))
    }

    fn container(&self, name: &str) -> Found<&Container> {
        if let Some(c) = self.containers.iter().find(|c| c.name == name) {
            return Ok(c);
        }
        let removed = |e: &Event| matches!(&e.fact, Fact::ContainerRemoved { name: n, .. } if n == name);
        let name = name.to_string();
        if self.events.iter().any(removed) {
            return miss(Cause::Removed { name: name.clone() }, name, "-");
        }
        match self.containers.as_slice() {
            [only] => miss(Cause::WrongName { name: name.clone(), is: only.name.clone() }, name, only.name.clone()),
            _ => miss(Cause::NoContainer { name: name.clone() }, name, "-"),
        }
    }

    fn state(&self, c: &Container, wanted: &str) -> Found<()> {
        let status = c.state.status().word();
        if status == wanted {
            return Ok(());
        }
        let (name, said) = (c.name.clone(), status.to_string());
        if wanted == "running" && c.state.status() == Status::Exited {
            let exit_code = c.state.exit_code();
            return miss(Cause::NotRunning { name, exit_code }, wanted, format!("{said} ({exit_code})"));
        }
        miss(Cause::WrongState { name, status: said.clone() }, wanted, said)
    }

    fn published(&self, name: &str, port: Option<u16>, host_port: u16) -> Found<()> {
        let c = self.container(name)?;
        let ports = c.state.life().map_or_else(|| c.ports(), |life| life.ports.clone());
        if ports
            .iter()
            .any(|p| p.proto == "tcp" && p.host_port == Some(host_port) && port.is_none_or(|port| p.port == port))
        {
            return Ok(());
        }
        let wanted = port.map_or(host_port.to_string(), |port| format!("{host_port}:{port}"));
        let owner = |c: &&Container| {
            c.name != name && c.state.life().is_some_and(|l| l.ports.iter().any(|p| p.host_port == Some(host_port)))
        };
        if let Some(other) = self.containers.iter().find(owner) {
            return miss(Cause::PortOfAnother { host_port, by: other.name.clone() }, wanted, other.name.clone());
        }
        let name = name.to_string();
        match ports.first() {
            Some(p) => {
                let (host_port, port) = (p.host_port.unwrap_or(0), p.port);
                miss(Cause::PortElsewhere { name, host_port, port }, wanted, format!("{host_port}:{port}"))
            }
            None => miss(Cause::PortNotPublished { name, port: port.unwrap_or(host_port) }, wanted, "-"),
        }
    }

    /// The body of the page that the container's published port answers.
    fn page(&self, name: &str, host_port: u16, path: &str) -> Found<String> {
        self.published(name, None, host_port)?;
        match self.world.published_page(host_port, path) {
            Ok(page) if (200..300).contains(&page.status) => Ok(page.body),
            Ok(page) => {
                miss(Cause::HttpStatus { port: host_port, status: page.status }, "200", page.status.to_string())
            }
            Err(e) => miss(
                Cause::NoAnswer { port: host_port, errno: e.errno },
                "200",
                std::io::Error::from_raw_os_error(e.errno).to_string(),
            ),
        }
    }

    /// Copies by `docker cp`: container id, path inside, and the way.
    fn copies(&self, way: Way) -> impl Iterator<Item = (&str, String)> {
        self.events.iter().filter_map(move |e| match &e.fact {
            Fact::Copied { from, to, into_container, .. } if *into_container == (way == Way::In) => {
                let inside = if *into_container { to } else { from };
                Some((container_of(e)?, path_inside(&inside.shown()).to_string()))
            }
            _ => None,
        })
    }

    fn copied_out(&self, c: &Container, path: &str) -> Found<()> {
        let mut nearest = Cause::NotCopiedOut { name: c.name.clone() };
        for (id, from) in self.copies(Way::Out) {
            match (id == c.id.as_str(), covers(&from, path)) {
                (true, true) => return Ok(()),
                (true, false) => nearest = Cause::WrongPath { name: c.name.clone(), path: from.to_string() },
                (false, true) if matches!(nearest, Cause::NotCopiedOut { .. }) => nearest = self.elsewhere(c, id),
                _ => {}
            }
        }
        miss(nearest, format!("{}:{path}", c.name), "-")
    }

    fn copied_in(&self, c: &Container, path: &str) -> Found<()> {
        if self.copies(Way::In).any(|(id, to)| id == c.id.as_str() && covers(&to, path)) {
            return Ok(());
        }
        let nearest = self.nearest_copy(c, path)?;
        miss(nearest, format!("{}:{path}", c.name), "-")
    }

    /// What comes nearest to a copy to this path of this container.
    fn nearest_copy(&self, c: &Container, path: &str) -> Found<Cause> {
        let name = c.name.clone();
        if let Some((_, to)) = self.copies(Way::In).filter(|(id, to)| *id == c.id.as_str() && !same(to, path)).last() {
            return Ok(Cause::WrongPath { name, path: to.to_string() });
        }
        if let Some((id, _)) = self.copies(Way::In).filter(|(id, _)| *id != c.id.as_str()).last() {
            return Ok(self.elsewhere(c, id));
        }
        if self.world.upper_file(&c.id, path)?.is_some() {
            return Ok(Cause::EditedInside { name, path: path.into() });
        }
        Ok(Cause::NotCopiedIn { name })
    }

    fn elsewhere(&self, c: &Container, id: &str) -> Cause {
        let is = self
            .containers
            .iter()
            .find(|o| o.id.as_str() == id)
            .map_or_else(|| id.chars().take(12).collect(), |o| o.name.clone());
        Cause::WrongContainer { name: c.name.clone(), is }
    }

    fn in_upper(&self, c: &Container, path: &str, wanted: &str) -> Found<()> {
        let name = c.name.clone();
        let Some(content) = self.world.upper_file(&c.id, path)? else {
            let nearest = self.nearest_copy(c, path)?;
            return miss(nearest, format!("{name}:{path}"), "-");
        };
        let text = String::from_utf8_lossy(&content);
        if text.contains(wanted) {
            return Ok(());
        }
        let original = self.world.image_file(c, path)?;
        let (path, known) = (path.to_string(), original.as_deref().map(String::from_utf8_lossy).unwrap_or_default());
        let cause = if original.as_deref() == Some(&content) {
            Cause::Unedited { name, path }
        } else if tokens(&text, wanted.len()).any(|t| !known.contains(t)) {
            Cause::WrongToken { name, path }
        } else {
            Cause::TokenMissing { name, path }
        };
        miss(cause, wanted, summary(&text))
    }

    /// The image's own file: it has to be there before the absence of something in it means anything.
    fn original(&self, c: &Container, path: &str, lacks: &str) -> Found<Vec<u8>> {
        match self.world.image_file(c, path)? {
            None => miss(Cause::NotInImage { path: path.into() }, path, "-"),
            Some(content) if String::from_utf8_lossy(&content).contains(lacks) => {
                miss(Cause::ImageHasIt { path: path.into() }, "-", lacks)
            }
            Some(content) => Ok(content),
        }
    }

    fn event(&self, kind: &str, container: Option<&str>, fields: &BTreeMap<String, toml::Value>) -> Found<()> {
        let id = container.map(|name| self.container(name)).transpose()?.map(|c| c.id.as_str());
        let fits = |e: &&Event| {
            let Ok(json) = serde_json::to_value(&e.fact) else { return false };
            json.get("event").and_then(|k| k.as_str()) == Some(kind)
                && id.is_none_or(|id| container_of(e) == Some(id))
                && fields.iter().all(|(key, value)| json.get(key) == serde_json::to_value(value).ok().as_ref())
        };
        if self.events.iter().any(|e| fits(&e)) {
            return Ok(());
        }
        miss(Cause::NoEvent { event: kind.into() }, kind, "-")
    }
}

/// A path as `cp` was given it, without the container's name.
fn path_inside(text: &str) -> &str {
    match text.split_once(':') {
        Some((name, path)) if !name.contains('/') => path,
        _ => text,
    }
}

fn trimmed(path: &str) -> &str {
    path.strip_suffix("/.").unwrap_or(path).trim_end_matches('/')
}

fn same(a: &str, b: &str) -> bool {
    trimmed(a) == trimmed(b)
}

/// Whether a copy of `place` brings `path` along: the same, or a directory above it. What really arrived is another check's.
fn covers(place: &str, path: &str) -> bool {
    let place = trimmed(place);
    same(place, path) || path.strip_prefix(place).is_some_and(|rest| rest.starts_with('/'))
}

/// Words that look like a seeded value of this length.
fn tokens(text: &str, length: usize) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(move |w| w.len() == length && w.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// The beginning of a text, on one line.
fn summary(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut short: String = line.chars().map(|c| if c.is_control() { '?' } else { c }).take(120).collect();
    if line.chars().count() > 120 {
        short.push('…');
    }
    short
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
