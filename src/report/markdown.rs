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

/// Text from elsewhere as code, in a cell or a paragraph. What a code span in a cell cannot hold is written as HTML.
pub(crate) fn code(text: &str) -> String {
    let text = one_line(text);
    let fits = !text.contains(['`', '|', '\\', '[']) && !text.trim().is_empty();
    if fits {
        format!("`{text}`")
    } else {
        format!("<code>{}</code>", escaped(&text))
    }
}

/// Without line breaks, other control characters, and what changes the direction of the text.
fn one_line(text: &str) -> String {
    let is_layout = |c| matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
    text.replace(|c: char| c.is_control() || is_layout(c), " ")
}

/// Numeric references, which are characters and never syntax, for all that has a meaning in Markdown or HTML.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if "&<>|\\`*_[]~$@".contains(c) {
            let _ = write!(escaped, "&#{};", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Text from elsewhere, in a cell or a paragraph: what stands in backticks stays code; nothing in it ends the cell, the row or
/// the paragraph, and nothing else of it is taken for Markdown or HTML.
pub(crate) fn text(text: &str) -> String {
    let mut escaped = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('`') {
        escaped.push_str(&literal(before));
        // Only what stands between single ones is code: a run of several begins a code of another kind.
        match after.split_once('`') {
            Some((inside, behind)) if !inside.is_empty() && !behind.starts_with('`') => {
                escaped.push_str(&code(inside));
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

    const HOSTILE: [&str; 11] = [
        "a|b",
        r"a\|b",
        "`|`",
        "a\n\n# b",
        "a\r| b |\r",
        "<details><summary>x</summary>",
        "</td></table><img src=x onerror=y>",
        "![x](https://example.com/x.png) **b** @octo",
        "##[add-path]/tmp",
        "::set-output name=x::y\n::stop-commands::z",
        "``` mermaid \u{202e} x",
    ];

    /// What is left for GitHub's table parser once escaped signs and our own tags are taken away.
    fn syntax(cell: &str) -> String {
        let mut left = String::new();
        let mut signs = cell.chars();
        while let Some(sign) = signs.next() {
            match sign {
                '\\' => drop(signs.next()),
                _ => left.push(sign),
            }
        }
        left.replace("<code>", "").replace("</code>", "")
    }

    #[test]
    fn names_of_others_break_nothing() {
        for name in HOSTILE {
            let message = format!("job `{name}` and {name} | wait");
            for cell in [code(name), text(name), text(&message)] {
                let left = syntax(&cell);
                assert!(
                    !left.contains(|c: char| c == '|' || c.is_control()),
                    "{cell}"
                );
                assert!(left.matches('`').count().is_multiple_of(2), "{cell}");
                let outside: String = left.split('`').step_by(2).collect();
                assert!(!outside.contains(['<', '[', '*']), "{cell}");
            }
        }
    }

    #[test]
    fn ordinary_text_stays_readable() {
        assert_eq!(code("m7i.large"), "`m7i.large`");
        assert_eq!(code("build (1)"), "`build (1)`");
        assert_eq!(
            text("add `{\"Action\": \"ec2:RunInstances\"}`, then run it again"),
            "add `{\"Action\": \"ec2:RunInstances\"}`, then run it again"
        );
        assert_eq!(text("half a ` span"), "half a \\` span");
    }

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
