//! Colour, painted by `colored`. Whether to paint is decided by who calls, once: see [`wanted`].

pub use colored::{ColoredString, Colorize};

/// Colour for what goes to a terminal, unless NO_COLOR says no (no-color.org: present and not empty).
pub fn wanted(terminal: bool) -> bool {
    terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

/// `text`, painted if `color`. Its width stays the same.
pub fn paint(color: bool, text: &str, how: impl FnOnce(ColoredString) -> ColoredString) -> String {
    if !color || text.is_empty() {
        return text.to_string();
    }
    // Of itself the library looks at standard output; stories go to standard error. Only ever this value, so that threads
    // cannot see it change.
    colored::control::set_override(true);
    how(text.into()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caller_decides() {
        assert_eq!(paint(true, "a", Colorize::red), "\x1b[31ma\x1b[0m");
        assert_eq!(paint(true, "a", |text| text.bold().cyan()), "\x1b[1;36ma\x1b[0m");
        assert_eq!(paint(false, "a", Colorize::red), "a");
        assert_eq!(paint(true, "", Colorize::red), "");
        assert!(!wanted(false));
    }
}
