//! Markdown as GitHub shows it in a job summary.

use std::fmt::Write;

/// A job's summaries may have 1 MiB: of a thousand rows, the first ones have to do.
pub(crate) const MOST_ROWS: usize = 100;

pub(crate) fn table(text: &mut String, head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
    let _ = writeln!(
        text,
        "| {} |\n|{}",
        head.join(" | "),
        " --- |".repeat(head.len())
    );
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
}

pub(crate) fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'").replace('|', "\\|"))
}

/// Text from elsewhere must neither end the cell nor the row.
pub(crate) fn cell(text: &str) -> String {
    text.replace('|', "\\|")
        .replace(['\n', '\r'], " ")
        .replace('<', "&lt;")
}
