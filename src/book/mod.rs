//! The course book in the terminal: the chapters of `book/`, in both languages, are part of the program.
//!
//! The sources are plain mdbook; `tests/book.rs` executes every transcript in them, and holds the languages to one structure.

use crate::event::Fault;
use crate::narrate::{Lang, markdown};

/// One chapter in one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chapter {
    /// Its file's name without the ending: `01-one-page`.
    pub name: &'static str,
    /// Markdown.
    pub text: &'static str,
}

impl Chapter {
    /// What stands in its first heading.
    pub fn title(&self) -> &'static str {
        self.text.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or(self.name)
    }

    /// `01-one-page` answers to its name, to `1`, `01` and `one-page`.
    fn answers_to(&self, name: &str) -> bool {
        let Some((number, word)) = self.name.split_once('-') else { return self.name == name };
        let same_number = matches!((number.parse::<u32>(), name.parse::<u32>()), (Ok(a), Ok(b)) if a == b);
        self.name == name || word == name || same_number
    }
}

macro_rules! chapters {
    ($lang:literal: $($name:literal),* $(,)?) => {
        &[$(Chapter { name: $name, text: include_str!(concat!("../../book/", $lang, "/src/", $name, ".md")) }),*]
    };
}

const KO: &[Chapter] = chapters!("ko": "01-one-page", "02-story-as-data");
const EN: &[Chapter] = chapters!("en": "01-one-page", "02-story-as-data");

/// The chapters, in their order.
pub fn list(lang: Lang) -> &'static [Chapter] {
    match lang {
        Lang::Ko => KO,
        Lang::En => EN,
    }
}

/// The chapter of this name or number.
pub fn chapter(lang: Lang, name: &str) -> Option<&'static Chapter> {
    list(lang).iter().find(|chapter| chapter.answers_to(name))
}

/// A chapter as it is read in a terminal of so many columns; without a name the contents, a line each.
pub fn read(lang: Lang, name: Option<&str>, width: usize, color: bool) -> Result<String, Fault> {
    match name {
        None => Ok(list(lang).iter().map(|c| format!("{}  {}\n", c.name, c.title())).collect()),
        Some(name) => match chapter(lang, name) {
            Some(chapter) => Ok(markdown::render(chapter.text, width, color)),
            None => {
                let chapters = list(lang).iter().map(|c| c.name.to_string()).collect();
                Err(Fault::NoSuchChapter { name: name.to_string(), chapters })
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn a_chapter_answers_to_its_name_and_number() {
        for name in ["01-one-page", "one-page", "1", "01"] {
            assert_eq!(chapter(Lang::Ko, name).map(|c| c.name), Some("01-one-page"), "{name}");
        }
        assert_eq!(chapter(Lang::En, "2").map(|c| c.name), Some("02-story-as-data"));
        for name in ["9", "", "page", "01-"] {
            assert_eq!(chapter(Lang::En, name), None, "{name}");
        }
        let error = read(Lang::En, Some("9"), 80, false);
        let chapters = vec!["01-one-page".into(), "02-story-as-data".into()];
        assert_eq!(error, Err(Fault::NoSuchChapter { name: "9".into(), chapters }));
    }

    #[test]
    fn chapters_fit_the_terminal() {
        for lang in [Lang::Ko, Lang::En] {
            for chapter in list(lang) {
                let text = read(lang, Some(chapter.name), 60, false).expect("a chapter of the list");
                assert!(text.starts_with(chapter.title()), "{text}");
                // Transcripts stay as they are: their lines stand four columns in.
                for line in text.lines().filter(|l| !l.starts_with("    ")) {
                    assert!(line.width() <= 60, "{line}");
                }
            }
        }
    }

    #[test]
    fn the_contents_and_the_index_name_the_same_chapters() {
        for (lang, summary) in [
            (Lang::Ko, include_str!("../../book/ko/src/SUMMARY.md")),
            (Lang::En, include_str!("../../book/en/src/SUMMARY.md")),
        ] {
            let entries: Vec<String> = list(lang).iter().map(|c| format!("- [{}]({}.md)", c.title(), c.name)).collect();
            let lines: Vec<&str> = summary.lines().filter(|l| l.starts_with("- ")).collect();
            assert_eq!(lines, entries);
        }
    }
}
