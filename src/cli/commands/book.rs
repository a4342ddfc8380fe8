//! `docent book [CHAPTER]`: the course, chapter by chapter.

use super::*;
use crate::book;
use crate::kernel::terminal;
use std::io::Write;

/// 교재의 장을 읽습니다 | Read a chapter of the book
#[derive(Debug, Args)]
pub struct Book {
    // None lists the chapters.
    #[arg(value_name = "CHAPTER")]
    chapter: Option<String>,
}

impl Command for Book {
    const PATHS: &'static [&'static str] = &["book"];
    const EXAMPLE: &'static str = "docent book";

    fn start(self, globals: &Globals) -> Result<i32, Fault> {
        let narrator = narrator(globals.lang, Level::Off);
        let color = narrator.color && terminal::is_terminal(std::io::stdout());
        let text = book::read(globals.lang, self.chapter.as_deref(), narrator.width, color)?;
        // A reader that has gone away (`book 1 | head`) is no error.
        std::io::stdout().lock().write_all(text.as_bytes()).unwrap_or(());
        Ok(0)
    }
}
