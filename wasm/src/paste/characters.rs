//! Characters that a word processor, a chat or an input method put into the policy.

use super::{Pasted, What, is_policy};
use crate::json::{self, Value};

/// The kinds; the first one that a policy has names it.
const KINDS: [What; 4] = [
    What::FullWidth,
    What::TypographicQuotes,
    What::Invisible,
    What::Dashes,
];

// The kind of a character that is not meant, and what is.
fn meant(c: char) -> Option<(usize, Option<char>)> {
    Some(match c {
        // What an input method for Chinese, Japanese or Korean writes for ASCII's signs.
        '\u{ff01}'..='\u{ff5e}' => (0, char::from_u32(u32::from(c) - 0xfee0)),
        '“' | '”' | '„' | '‟' | '″' | '«' | '»' => (1, Some('"')),
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}' | '\u{feff}' | '\u{ad}' => {
            (2, None)
        }
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{3000}' => (2, Some(' ')),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => (3, Some('-')),
        _ => return None,
    })
}

/// The policy with the characters that are meant.
pub(super) fn characters(text: &str) -> Option<Pasted> {
    let mut first = KINDS.len();
    let mut policy = String::with_capacity(text.len());
    // A byte order mark alone has words of its own.
    for c in text.trim_start_matches('\u{feff}').chars() {
        let plain = match meant(c) {
            Some((kind, plain)) => {
                first = first.min(kind);
                plain
            }
            None => Some(c),
        };
        policy.extend(plain);
    }
    let what = *KINDS.get(first)?;
    let parsed = json::parse(&policy);
    (parsed.errors.is_empty() && is_policy(&parsed.root)).then_some(Pasted {
        what,
        policy,
        is_json: false,
    })
}

/// The same for valid JSON, where such characters stand in elements that never have any.
pub(super) fn in_elements(text: &str, root: &Value<'_>) -> Option<Pasted> {
    if text.is_ascii() {
        return None;
    }
    let statements = root.get("Statement")?.elements().iter();
    let free = statements.flat_map(|s| [s.get("Sid"), s.get("Condition")]);
    let is_strange =
        |value: &Value<'_>| value.span().text(text).chars().any(|c| meant(c).is_some());
    // There somebody may mean what stands there.
    if free.flatten().any(is_strange) {
        return None;
    }
    characters(text)
}
