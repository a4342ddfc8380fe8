//! Lists: plain columns with headings, `--format` templates, JSON lines. One place for `ps` and `images`.

use super::format::{Json, render_headings, render_row};
use crate::event::Fault;
use crate::narrate::padded;
use std::collections::BTreeMap;
use unicode_width::UnicodeWidthStr;

/// One row: what a template sees, its keys sorted as in Docker's JSON, and its labels.
pub(super) struct Row {
    pub(super) fields: Json,
    pub(super) labels: BTreeMap<String, String>,
}

/// Lines for stdout. `template` is the default table's, `headings` has a heading for every field.
pub(super) fn list(
    format: Option<&str>,
    template: &str,
    headings: &[(&str, &str)],
    rows: &[Row],
) -> Result<String, Fault> {
    let format = format.filter(|f| !f.is_empty()).unwrap_or("table");
    if format == "raw" {
        return Err(Fault::Unsupported { what: "--format raw".into(), instead: Some("--format json".into()) });
    }
    if format == "json" {
        return Ok(rows.iter().map(|row| format!("{}\n", row.fields)).collect());
    }
    let table = format.strip_prefix("table").map(|rest| rest.trim_matches(' '));
    let line = match table {
        Some("") => template.to_string(),
        Some(given) => unescape(given),
        None => unescape(format),
    };
    let mut lines = Vec::with_capacity(rows.len() + 1);
    if table.is_some() {
        let headings: serde_json::Map<String, Json> =
            headings.iter().map(|(field, heading)| (field.to_string(), Json::from(*heading))).collect();
        lines.push(render_headings(&line, &Json::Object(headings))?);
    } else {
        // Docker reads a template even where there is nothing to show by it.
        super::format::check(&line)?;
    }
    for row in rows {
        lines.push(render_row(&line, &row.fields, &row.labels)?);
    }
    let lines = if table.is_some() { columns(&lines) } else { lines };
    Ok(lines.into_iter().map(|line| line + "\n").collect())
}

/// A template is typed in a shell, where `\t` stays two letters.
fn unescape(template: &str) -> String {
    template.replace("\\t", "\t").replace("\\n", "\n")
}

/// Cells end at a tab; a column is as wide as its widest cell and three spaces, and never narrower than ten (the settings
/// of Docker's tabwriter). What follows the last tab is no cell and takes no padding.
fn columns(lines: &[String]) -> Vec<String> {
    let rows: Vec<Vec<&str>> = lines.iter().flat_map(|l| l.split('\n')).map(|l| l.split('\t').collect()).collect();
    let rows: Vec<(&&str, &[&str])> = rows.iter().filter_map(|row| row.split_last()).collect();
    let most = rows.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0);
    let width = |at: usize| rows.iter().filter_map(|(_, cells)| Some(cells.get(at)?.width() + 3)).fold(10, usize::max);
    let widths: Vec<usize> = (0..most).map(width).collect();
    let line = |(last, cells): &(&&str, &[&str])| {
        let cells: String = cells.iter().zip(&widths).map(|(cell, width)| padded(cell, *width)).collect();
        cells + last
    };
    rows.iter().map(line).collect()
}

/// At most `width` columns, the last one `…` where something was cut.
pub(super) fn ellipsis(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_string();
    }
    let mut out = String::new();
    for c in text.chars() {
        if out.width() + unicode_width::UnicodeWidthChar::width(c).unwrap_or(0) + 1 > width {
            break;
        }
        out.push(c);
    }
    out + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_what_is_seen() {
        let lines = ["A\tB\tC".to_string(), "long cell here\t웹\tx".into(), "\t\t".into()];
        assert_eq!(
            columns(&lines),
            ["A                B         C", "long cell here   웹        x", "                           "]
        );
    }

    #[test]
    fn cut_text_never_exceeds_its_width() {
        assert_eq!(ellipsis("nginx -g 'daemon off;'", 20), "nginx -g 'daemon of…");
        assert_eq!(ellipsis("exactly twenty chars", 20), "exactly twenty chars");
        assert_eq!(ellipsis("가나다라마", 6), "가나…");
    }

    #[test]
    fn forms() {
        let row = |name: &str| Row { fields: serde_json::json!({"A": name, "B": "b"}), labels: BTreeMap::new() };
        let rows = [row("one"), row("two")];
        let list = |format: Option<&str>| list(format, "{{.A}}\t{{.B}}", &[("A", "ALPHA"), ("B", "BETA")], &rows);
        let plain = "ALPHA     BETA\none       b\ntwo       b\n";
        assert_eq!(list(None).as_deref(), Ok(plain));
        assert_eq!(list(Some("table")).as_deref(), Ok(plain));
        assert_eq!(
            list(Some("table {{.B}}\\t{{.A}}")).as_deref(),
            Ok("BETA      ALPHA\nb         one\nb         two\n")
        );
        assert_eq!(list(Some("{{.A}}\\t{{.B}}")).as_deref(), Ok("one\tb\ntwo\tb\n"));
        assert_eq!(list(Some("json")).as_deref(), Ok("{\"A\":\"one\",\"B\":\"b\"}\n{\"A\":\"two\",\"B\":\"b\"}\n"));
        assert!(matches!(list(Some("{{.C}}")), Err(Fault::BadTemplate { .. })));
        assert!(matches!(list(Some("raw")), Err(Fault::Unsupported { .. })));
        assert!(matches!(super::list(Some("{{.A"), "", &[], &[]), Err(Fault::BadTemplate { .. })));
    }
}
