//! Policies that are written in another code than JSON's: decoded.

use crate::json::{self, Value};
use crate::text::{self, Append};

pub(super) fn percent_decoded(text: &str) -> Option<String> {
    if !text.get(..3)?.eq_ignore_ascii_case("%7b") {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        let byte = match first {
            b'%' => {
                let (digits, after) = rest.split_at_checked(2)?;
                rest = after;
                u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?
            }
            b'+' => b' ',
            other => other,
        };
        bytes.push(byte);
    }
    String::from_utf8(bytes).ok()
}

// The value of a field in a link or a form.
pub(super) fn percent_coded(text: &str) -> Option<String> {
    let start = text::place_of(text, "%7B").or_else(|| text::place_of(text, "%7b"))?;
    let ends = ['&', '"', '\'', ' ', '\n'];
    percent_decoded(text[start..].split(ends).next()?)
}

pub(super) fn entities_decoded(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut found = false;
    while let Some((before, after)) = text::cut(rest, b'&') {
        out.append(before);
        let end = after.bytes().take(9).position(|b| b == b';');
        let coded = end.and_then(|end| entity(&after[..end]).zip(after.get(end + 1..)));
        if let Some((c, tail)) = coded {
            out.push(c);
            (rest, found) = (tail, true);
        } else {
            out.append("&");
            rest = after;
        }
    }
    out.append(rest);
    found.then_some(out)
}

fn entity(name: &str) -> Option<char> {
    const NAMED: [(&str, char); 6] = [
        ("quot", '"'),
        ("apos", '\''),
        ("nbsp", ' '),
        ("lt", '<'),
        ("gt", '>'),
        ("amp", '&'),
    ];
    let Some(number) = name.strip_prefix('#') else {
        return NAMED.iter().find(|(n, _)| *n == name).map(|(_, c)| *c);
    };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => number.parse(),
    };
    let c = char::from_u32(code.ok()?)?;
    Some(if c == '\u{a0}' { ' ' } else { c })
}

/// What the text is in base64, with the letters for links or without.
pub(super) fn base64(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' | b' ' | b'\t' | b'\r' | b'\n' => continue,
            _ => return None,
        };
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count).to_le_bytes()[0]);
        }
    }
    String::from_utf8(bytes).ok()
}

// Quotes as a spreadsheet or a string in a program writes them.
pub(super) fn requoted(text: &str) -> Option<String> {
    if text::contains(text, "\"\"Statement\"\"") {
        Some(text::replaced(text.trim_matches('"'), "\"\"", "\""))
    } else if text::contains(text, "\\\"Statement\\\"") {
        Some(unescaped(text))
    } else {
        None
    }
}

// `\"` and `\n` of a string in a program, `'\''` and line ends of a shell.
pub(super) fn unescaped(text: &str) -> String {
    let plain = text::replaced(&text::replaced(text, "'\\''", "'"), "\\\n", "\n");
    if json::parse(&plain).errors.is_empty() {
        return plain;
    }
    let string = format!("\"{}\"", text::replaced(&plain, "\n", "\\n"));
    match json::parse(&string).root {
        Value::String(text) if text::has(&text.value, b'{') => text.value.into_owned(),
        _ => plain,
    }
}
