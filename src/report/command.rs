//! GitHub's workflow commands, escaped as the toolkit does it.
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>

use std::fmt::Write;

/// `::name key=value::data`.
pub(super) fn line(name: &str, properties: &[(&str, &str)], data: &str) -> String {
    let mut line = format!("::{name}");
    for (index, (key, value)) in properties.iter().enumerate() {
        let separator = if index == 0 { ' ' } else { ',' };
        let value = escape_data(value).replace(':', "%3A").replace(',', "%2C");
        // Writing to a String cannot fail.
        let _ = write!(line, "{separator}{key}={value}");
    }
    line.push_str("::");
    line.push_str(&escape_data(data));
    line
}

fn escape_data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Text from elsewhere (EC2's messages, names) that must not become a command: GitHub reads one only at the start of a line.
pub(super) fn harmless(text: &str) -> String {
    let safe = |line: &str| {
        let body = line.trim_start();
        if body.starts_with("::") || body.starts_with("##[") {
            let indent = &line[..line.len() - body.len()];
            format!("{indent}\u{200b}{body}")
        } else {
            line.to_owned()
        }
    };
    text.split(['\n', '\r'])
        .map(safe)
        .collect::<Vec<_>>()
        .join("\n")
}

/// A line of the `GITHUB_OUTPUT` file; several lines where the value has several.
pub(super) fn output(name: &str, value: &str) -> String {
    if value.contains(['\n', '\r']) {
        // A delimiter that the value does not contain, so that no value can end itself.
        let mut delimiter = "SPRINTERS".to_owned();
        while value.contains(&delimiter) {
            delimiter.push('_');
        }
        format!("{name}<<{delimiter}\n{value}\n{delimiter}\n")
    } else {
        format!("{name}={value}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_as_the_toolkit() {
        assert_eq!(
            line("error", &[("title", "a:b,c%")], "50% of\r\nit: all"),
            "::error title=a%3Ab%2Cc%25::50%25 of%0D%0Ait: all"
        );
        assert_eq!(line("endgroup", &[], ""), "::endgroup::");
    }

    #[test]
    fn foreign_text_is_no_command() {
        assert_eq!(
            harmless("ok\n  ::set-output name=x::y"),
            "ok\n  \u{200b}::set-output name=x::y"
        );
        assert_eq!(harmless("std::fmt"), "std::fmt");
    }

    #[test]
    fn outputs_cannot_inject_others() {
        assert_eq!(output("label", "a"), "label=a\n");
        let two = output("label", "a\nevil=1\nSPRINTERS");
        assert_eq!(two, "label<<SPRINTERS_\na\nevil=1\nSPRINTERS\nSPRINTERS_\n");
    }
}
