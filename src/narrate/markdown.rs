//! Markdown for the terminal: the course's chapters and the guides of the labs, as they are read with `book` and `lab guide`.
//!
//! A Korean letter takes two columns, so nothing here counts characters. Without colour the marks that carry meaning stay
//! (backticks, asterisks, the lines under headings); with it they become colour and weight. A guide may come from anybody:
//! control characters are shown, never sent, and quotes in quotes in quotes cost no more than a page.

use super::layout::{clean, wrap};
use super::paint::{ColoredString, Colorize, paint};
use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};
use unicode_width::UnicodeWidthStr;

/// Containers deeper than this (lists in lists, quotes) are set no further in.
const DEEPEST: usize = 8;

/// Text narrower than this is not worth wrapping.
const NARROWEST: usize = 20;

/// A text of Markdown as lines of at most `width` columns; only blocks of code and long words may be wider.
pub fn render(markdown: &str, width: usize, color: bool) -> String {
    let mut page = Page { width, color, ..Page::default() };
    for event in Parser::new(markdown) {
        page.event(event);
    }
    page.flush();
    page.out
}

#[derive(Default)]
struct Page {
    width: usize,
    color: bool,
    out: String,
    /// Words of the paragraph that is being read, with their colours.
    inline: String,
    strong: usize,
    emphasis: usize,
    /// What stands to the left, by container, outermost first.
    margins: Vec<Margin>,
    /// The next number of each open list; None for one with bullets.
    lists: Vec<Option<u64>>,
    /// The text of the open block of code.
    code: Option<String>,
    /// Where the open links lead, and where the text of each begins in `inline`.
    links: Vec<(String, usize)>,
    /// An empty line is due before the next block.
    gap: bool,
}

#[derive(Default)]
struct Margin {
    /// Before the first line: a bullet, a number.
    first: Option<String>,
    /// Before the others.
    rest: String,
}

impl Page {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => match &mut self.code {
                Some(code) => code.push_str(&text),
                None => self.words(&text),
            },
            Event::Code(text) => {
                let text = clean(&text);
                if self.color { self.tinted(&text, Colorize::cyan) } else { self.inline.push_str(&format!("`{text}`")) }
            }
            Event::SoftBreak => self.inline.push(' '),
            Event::HardBreak => self.inline.push('\n'),
            Event::Rule => {
                self.flush();
                self.block(&["─".repeat(self.room().min(40))]);
            }
            // Comments are for the authors; other HTML is shown as it was written.
            Event::Html(text) | Event::InlineHtml(text) if !text.trim_start().starts_with("<!--") => {
                self.words(text.trim_end());
            }
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph | Tag::Heading { .. } => self.flush(),
            Tag::BlockQuote(_) => {
                self.flush();
                // The empty line before a quotation is not part of it.
                if std::mem::take(&mut self.gap) {
                    self.out.push('\n');
                }
                self.push_margin(Margin { first: None, rest: "│ ".into() });
            }
            // A block's label, such as `docent`, says nothing to a reader.
            Tag::CodeBlock(_) => {
                self.flush();
                self.code = Some(String::new());
            }
            Tag::List(first) => {
                self.flush();
                self.lists.push(first);
            }
            Tag::Item => {
                self.flush();
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        let mark = format!("{number}. ");
                        *number = number.saturating_add(1);
                        mark
                    }
                    _ => "• ".into(),
                };
                let rest = " ".repeat(mark.width());
                self.push_margin(Margin { first: Some(mark), rest });
            }
            Tag::Strong => {
                self.strong += 1;
                self.mark("*");
            }
            Tag::Emphasis => {
                self.emphasis += 1;
                self.mark("_");
            }
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.links.push((clean(&dest_url), self.inline.len()));
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph => {
                self.flush();
                self.gap = true;
            }
            TagEnd::Heading(level) => self.heading(level),
            TagEnd::BlockQuote(_) | TagEnd::Item => {
                self.flush();
                // An empty item still shows its bullet.
                if self.margins.last().is_some_and(|m| m.first.is_some()) {
                    self.block(&[String::new()]);
                    self.gap = false;
                }
                self.margins.pop();
            }
            TagEnd::CodeBlock => {
                let code = self.code.take().unwrap_or_default();
                let lines: Vec<String> = code.lines().map(|line| self.code_line(line)).collect();
                self.block(&lines);
            }
            TagEnd::List(_) => {
                self.flush();
                self.lists.pop();
                self.gap = self.gap || self.lists.is_empty();
            }
            TagEnd::Strong => {
                self.mark("*");
                self.strong = self.strong.saturating_sub(1);
            }
            TagEnd::Emphasis => {
                self.mark("_");
                self.emphasis = self.emphasis.saturating_sub(1);
            }
            TagEnd::Link | TagEnd::Image => {
                if let Some((target, start)) = self.links.pop()
                    && !target.is_empty()
                    && !self.inline.get(start..).unwrap_or_default().contains(&target)
                {
                    self.inline.push_str(&format!(" ({target})"));
                }
            }
            _ => {}
        }
    }

    /// A mark of emphasis, where there is no colour to show it.
    fn mark(&mut self, mark: &str) {
        if !self.color {
            self.inline.push_str(mark);
        }
    }

    fn words(&mut self, text: &str) {
        let text = clean(&text.replace(['\t', '\n'], " "));
        match (self.color, self.strong > 0, self.emphasis > 0) {
            (true, true, _) => self.tinted(&text, Colorize::bold),
            (true, false, true) => self.tinted(&text, Colorize::italic),
            _ => self.inline.push_str(&text),
        }
    }

    /// Each word in its colour, so that a line can be broken anywhere without colour running into the margin.
    fn tinted(&mut self, text: &str, how: fn(ColoredString) -> ColoredString) {
        for (n, word) in text.split(' ').enumerate() {
            if n > 0 {
                self.inline.push(' ');
            }
            self.inline.push_str(&paint(true, word, how));
        }
    }

    fn code_line(&self, line: &str) -> String {
        let line = clean(&line.replace('\t', "    "));
        match line.strip_prefix("$ ") {
            Some(command) => format!("    $ {}", paint(self.color, command, Colorize::bold)),
            None => format!("    {line}"),
        }
    }

    fn heading(&mut self, level: HeadingLevel) {
        let text = std::mem::take(&mut self.inline);
        let mut lines = wrap(&text, self.room());
        let long = lines.iter().map(|l| textwrap::core::display_width(l)).max().unwrap_or(0);
        lines = lines.into_iter().map(|line| paint(self.color, &line, Colorize::bold)).collect();
        match level {
            HeadingLevel::H1 => lines.push("═".repeat(long)),
            HeadingLevel::H2 => lines.push("─".repeat(long)),
            _ => {}
        }
        self.block(&lines);
    }

    /// Columns that are left beside the margins.
    fn room(&self) -> usize {
        let margins: usize = self.margins.iter().map(|m| m.rest.width()).sum();
        self.width.saturating_sub(margins).max(NARROWEST)
    }

    fn push_margin(&mut self, margin: Margin) {
        self.margins.push(if self.margins.len() < DEEPEST { margin } else { Margin::default() });
    }

    /// Ends the paragraph that is being read.
    fn flush(&mut self) {
        let text = std::mem::take(&mut self.inline);
        if text.trim().is_empty() {
            return;
        }
        let lines: Vec<String> = text.split('\n').flat_map(|part| wrap(part.trim(), self.room())).collect();
        self.block(&lines);
        // The lines of a tight list stand together; the end of a paragraph asks for its gap itself.
        self.gap = self.lists.is_empty();
    }

    /// Lines, each with its margins; an empty line before them where one is due.
    fn block(&mut self, lines: &[String]) {
        if self.gap && !self.out.is_empty() {
            let margin: String = self.margins.iter().filter(|m| m.first.is_none()).map(|m| m.rest.as_str()).collect();
            self.out.push_str(margin.trim_end());
            self.out.push('\n');
        }
        for line in lines {
            let mut whole = String::new();
            for margin in &mut self.margins {
                whole.push_str(&margin.first.take().unwrap_or_else(|| margin.rest.clone()));
            }
            whole.push_str(line);
            self.out.push_str(whole.trim_end());
            self.out.push('\n');
        }
        self.gap = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_as_it_is_read() {
        let page = "# 컨테이너\n\n하나의 **프로세스**입니다. `docker ps`\n명령을 *보세요*.\n\n- 하나\n- 둘\n  1. 가\n  2. 나\n\n\
                    > 인용\n>\n> 둘째\n\n```docent\n$ docker ps\n\tID\n```\n[책](https://example.org)\n";
        let expected = "컨테이너\n════════\n\n하나의 *프로세스*입니다. `docker ps` 명령을 _보세요_.\n\n• 하나\n• 둘\n  1. 가\n  2. 나\n\n\
                        │ 인용\n│\n│ 둘째\n\n    $ docker ps\n        ID\n\n책 (https://example.org)\n";
        assert_eq!(render(page, 80, false), expected);
    }

    #[test]
    fn korean_is_two_columns_wide() {
        let page = "이미지는 읽기 전용이고 컨테이너가 바꾸는 것은 모두 쓰기 레이어에 남습니다. ".repeat(5);
        for color in [false, true] {
            let text = render(&format!("1. **{}**", page.trim()), 40, color);
            assert!(text.lines().count() > 5);
            for line in text.lines() {
                assert!(textwrap::core::display_width(line) <= 40, "{line}");
            }
            assert!(text.lines().skip(1).all(|l| l.starts_with("   ")), "{text}");
        }
    }

    #[test]
    fn colour_takes_the_place_of_marks_and_ends_with_each_word() {
        let text = render("a **b c** `d`", 80, true);
        assert_eq!(text, "a \x1b[1mb\x1b[0m \x1b[1mc\x1b[0m \x1b[36md\x1b[0m\n");
    }

    #[test]
    fn an_empty_item_has_its_bullet_and_a_loose_list_its_gaps() {
        assert_eq!(render("-\n- b\n\nc", 80, false), "•\n• b\n\nc\n");
        assert_eq!(render("1. a\n\n2. b\n", 80, false), "1. a\n\n2. b\n");
    }

    #[test]
    fn a_hostile_page_sends_nothing_to_the_terminal_and_stays_small() {
        let text = render("a\x1b[2Jb `\x1b]0;x\x07`\n\n```\n\x1b[31m\n```\n<b\x1bc>", 80, false);
        assert!(!text.contains(['\x1b', '\x07']), "{text:?}");
        let deep = render(&format!("{}x\n", "> ".repeat(20_000)), 80, false);
        assert!(deep.len() < 100, "{} bytes", deep.len());
    }

    #[test]
    fn comments_are_for_the_authors() {
        assert_eq!(render("<!-- a -->\n\nb <!-- c --> d\n", 80, false), "b  d\n");
    }
}
