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

/// Escaped as the toolkit does it; and the old form of a command, which the runner would find in this line, too, is broken up.
fn escape_data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
        .replace("##[", "##\u{200b}[")
}

/// Text from elsewhere (EC2's messages, names) that must not become a command. The runner knows two forms: `::command::` at the
/// start of a line, and the old `##[command]` anywhere in one.
/// <https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs>
pub(super) fn harmless(text: &str) -> String {
    let safe = |line: &str| {
        let body = line.trim_start();
        let indent = &line[..line.len() - body.len()];
        let guard = if body.starts_with("::") {
            "\u{200b}"
        } else {
            ""
        };
        format!("{indent}{guard}{}", body.replace("##[", "##\u{200b}["))
    };
    text.split(['\n', '\r'])
        .map(safe)
        .collect::<Vec<_>>()
        .join("\n")
}

/// JSON that says the same, and in which the runner finds no old command.
pub(super) fn harmless_json(json: &str) -> String {
    // Outside of a text JSON has none of these.
    json.replace("##[", "#\\u0023[")
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
        assert_eq!(
            harmless("the Sid `##[set-output name=x]y` ##[stop-commands]z"),
            "the Sid `##\u{200b}[set-output name=x]y` ##\u{200b}[stop-commands]z"
        );
        let warning = line(
            "warning",
            &[("title", "a##[error]")],
            "job `##[add-path]/tmp`",
        );
        assert!(!warning.contains("##["), "{warning}");
    }

    #[test]
    fn json_is_no_command_and_says_the_same() {
        let value = serde_json::json!({"message": "a ##[add-path]/tmp ###[b"});
        let json = harmless_json(&value.to_string());
        assert!(!json.contains("##["), "{json}");
        assert_eq!(serde_json::from_str(&json).ok(), Some(value));
    }

    #[test]
    fn outputs_cannot_inject_others() {
        assert_eq!(output("label", "a"), "label=a\n");
        let two = output("label", "a\nevil=1\nSPRINTERS");
        assert_eq!(two, "label<<SPRINTERS_\na\nevil=1\nSPRINTERS\nSPRINTERS_\n");
    }
}
