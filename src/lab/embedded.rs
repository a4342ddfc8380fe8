//! Where labs come from: the binary itself, in student form (no solutions), or a directory of an instructor's.

use super::Lab;
use crate::event::{Fault, Text};
use std::path::PathBuf;

struct Embedded {
    id: &'static str,
    toml: &'static str,
    guide_ko: &'static str,
    guide_en: &'static str,
}

macro_rules! embed {
    ($($id:literal),+ $(,)?) => {
        &[$(Embedded {
            id: $id,
            toml: include_str!(concat!("../../labs/", $id, "/lab.toml")),
            guide_ko: include_str!(concat!("../../labs/", $id, "/guide.ko.md")),
            guide_en: include_str!(concat!("../../labs/", $id, "/guide.en.md")),
        }),+]
    };
}

const LABS: &[Embedded] = embed!["03-nginx-cp-edit"];

/// Where to look for labs.
#[derive(Debug, Clone, Default)]
pub enum Source {
    #[default]
    Embedded,
    /// `--labs DIR`: each lab a directory in it.
    Directory(PathBuf),
}

impl Source {
    /// The labs by their ids, in order.
    ///
    /// # Errors
    /// `LocalFile` when the directory cannot be read.
    pub fn names(&self) -> Result<Vec<String>, Fault> {
        let mut names: Vec<String> = match self {
            Source::Embedded => LABS.iter().map(|l| l.id.to_string()).collect(),
            Source::Directory(dir) => std::fs::read_dir(dir)
                .map_err(|e| local(dir, &e))?
                .flatten()
                .filter(|e| e.path().join("lab.toml").is_file())
                .filter_map(|e| e.file_name().into_string().ok())
                .collect(),
        };
        names.sort();
        Ok(names)
    }

    /// The lab of this name. Its number (`03`, `3`) or any unambiguous beginning will do.
    ///
    /// # Errors
    /// `NoSuchLab` with those that there are; `LabDamaged`.
    pub fn lab(&self, name: &str) -> Result<Lab, Fault> {
        let id = self.find(name)?;
        let lab = match self {
            Source::Embedded => {
                let toml = LABS.iter().find(|l| l.id == id).map_or("", |l| l.toml);
                Lab::parse(&format!("labs/{id}/lab.toml"), toml)?
            }
            Source::Directory(dir) => {
                let path = dir.join(&id).join("lab.toml");
                let text = std::fs::read_to_string(&path).map_err(|e| local(&path, &e))?;
                Lab::parse(&path.to_string_lossy(), &text)?
            }
        };
        if lab.id != id {
            let why = format!("id is {}, its directory {id}", lab.id);
            return Err(Fault::LabDamaged { path: format!("{id}/lab.toml:1"), why });
        }
        Ok(lab)
    }

    /// The guide as Markdown: Korean and English.
    ///
    /// # Errors
    /// As [`Source::lab`].
    pub fn guide(&self, name: &str) -> Result<Text, Fault> {
        let id = self.find(name)?;
        match self {
            Source::Embedded => Ok(LABS.iter().find(|l| l.id == id).map_or_else(
                || Text { ko: String::new(), en: String::new() },
                |l| Text { ko: l.guide_ko.into(), en: l.guide_en.into() },
            )),
            Source::Directory(dir) => {
                let read = |lang: &str| {
                    let path = dir.join(&id).join(format!("guide.{lang}.md"));
                    std::fs::read_to_string(&path).map_err(|e| local(&path, &e))
                };
                Ok(Text { ko: read("ko")?, en: read("en")? })
            }
        }
    }

    fn find(&self, name: &str) -> Result<String, Fault> {
        let labs = self.names()?;
        if let Some(exact) = labs.iter().find(|l| *l == name) {
            return Ok(exact.clone());
        }
        let number = |text: &str| text.split('-').next().and_then(|n| n.parse::<u32>().ok());
        let fits = |l: &&String| match name.parse::<u32>() {
            Ok(n) => number(l) == Some(n),
            Err(_) => !name.is_empty() && l.starts_with(name),
        };
        match labs.iter().filter(fits).collect::<Vec<_>>().as_slice() {
            [one] => Ok((*one).clone()),
            _ => Err(Fault::NoSuchLab { name: name.to_string(), labs }),
        }
    }
}

/// The labs that this program carries.
pub fn names() -> impl Iterator<Item = &'static str> {
    LABS.iter().map(|l| l.id)
}

fn local(path: &std::path::Path, e: &std::io::Error) -> Fault {
    Fault::LocalFile {
        path: path.to_string_lossy().into_owned(),
        call: "open".into(),
        errno: e.raw_os_error().unwrap_or(5),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lab_of_the_tree_is_embedded_and_sound() {
        let tree = Source::Directory(concat!(env!("CARGO_MANIFEST_DIR"), "/labs").into());
        assert_eq!(tree.names().unwrap(), Source::Embedded.names().unwrap());
        for id in names() {
            Source::Embedded.lab(id).unwrap();
            let guide = Source::Embedded.guide(id).unwrap();
            let shape = |t: &str| t.lines().filter(|l| l.starts_with('#') || l.starts_with("```")).count();
            assert_eq!(shape(&guide.ko), shape(&guide.en), "{id}: the guides differ in structure");
        }
    }

    #[test]
    fn a_number_or_a_beginning_is_enough() {
        for name in ["03-nginx-cp-edit", "3", "03", "03-ng"] {
            assert_eq!(Source::Embedded.lab(name).unwrap().id, "03-nginx-cp-edit");
        }
        for name in ["", "4", "nginx", "../03-nginx-cp-edit"] {
            assert!(matches!(Source::Embedded.lab(name), Err(Fault::NoSuchLab { .. })), "{name}");
        }
    }
}
