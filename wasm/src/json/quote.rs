//! JSON strings, escaped as `serde_json` escapes them.

use crate::text::Append;

/// A JSON string.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    quote(&mut out, text);
    out
}

/// Appends a JSON string.
pub(crate) fn quote(out: &mut String, text: &str) {
    out.push('"');
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x08 => "\\b",
            0x0c => "\\f",
            0..0x20 => "",
            _ => continue,
        };
        out.append(&text[from..at]);
        if escape.is_empty() {
            out.append(if byte < 0x10 { "\\u000" } else { "\\u001" });
            out.push(char::from_digit(u32::from(byte & 0xF), 16).unwrap_or('0'));
        } else {
            out.append(escape);
        }
        from = at + 1;
    }
    out.append(&text[from..]);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped_as_serde_escapes_them() {
        let all: String = (0..0x250)
            .filter_map(char::from_u32)
            .chain("\u{2028}😀".chars())
            .collect();
        assert_eq!(quoted(&all), serde_json::to_string(&all).unwrap());
    }
}
