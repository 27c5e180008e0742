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

/// Running text from elsewhere, outside of tables: what stands in backticks stays code, and nothing else of it is taken for
/// Markdown or HTML.
pub(crate) fn text(text: &str) -> String {
    let mut escaped = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('`') {
        escaped.push_str(&literal(before));
        // Only what stands between single ones is code: a run of several begins a code of another kind.
        match after.split_once('`') {
            Some((inside, behind)) if !inside.is_empty() && !behind.starts_with('`') => {
                escaped.push_str(&format!("`{}`", one_line(inside)));
                rest = behind;
            }
            _ => {
                let behind = after.trim_start_matches('`');
                let run = after.len() - behind.len() + 1;
                escaped.push_str(&"\\`".repeat(run));
                rest = behind;
            }
        }
    }
    escaped.push_str(&literal(rest));
    escaped
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

/// Every sign that Markdown has a meaning for, escaped.
fn literal(text: &str) -> String {
    let mut escaped = String::new();
    for character in one_line(text).chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            // A name after it would become a link to a stranger.
            '@' => escaped.push_str("@\u{200b}"),
            '\\' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '$' | '`' | '!' => {
                escaped.push('\\');
                escaped.push(character);
            }
            other => escaped.push(other),
        }
    }
    escaped
}

/// Lines from elsewhere as they are: no number of backticks in them ends the block.
pub(crate) fn block<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    let lines: Vec<&str> = lines.into_iter().collect();
    let longest = lines
        .iter()
        .flat_map(|line| line.split(|c| c != '`'))
        .map(str::len)
        .max();
    let fence = "`".repeat(longest.unwrap_or_default().max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n", lines.join("\n"))
}

/// Text from elsewhere inside of HTML, where backticks mean nothing.
pub(crate) fn html(text: &str) -> String {
    one_line(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('`', "")
}

/// What folds away under a title.
pub(crate) fn folded(title: &str, content: &str) -> String {
    // Without the blank line, GitHub shows the content as it stands.
    format!("<details><summary>{title}</summary>\n\n{content}\n</details>\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_elsewhere_is_only_text() {
        assert_eq!(
            text("`i-0a` of <b> @octo [x](y) | *a* #1"),
            "`i-0a` of &lt;b> @\u{200b}octo \\[x\\](y) \\| \\*a\\* \\#1"
        );
        assert_eq!(text("an odd ` and `` two"), "an odd \\` and \\`\\` two");
        assert_eq!(text("``` <b> ``` `c`"), "\\`\\`\\` &lt;b> \\`\\`\\` `c`");
        assert_eq!(text("a`"), "a\\`");
        assert_eq!(text("a\nb `c\nd`"), "a b `c d`");
    }

    #[test]
    fn no_line_ends_its_block() {
        assert_eq!(
            block(["a", "````", "</details>"]),
            "`````text\na\n````\n</details>\n`````\n"
        );
        assert_eq!(block(["a"]), "```text\na\n```\n");
    }
}
