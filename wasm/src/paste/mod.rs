//! What people paste instead of the policy itself: recognized as one thing, named in one sentence, and, where the policy is
//! in it, taken out by one change.

mod around;
mod characters;
mod coded;
mod document;
mod notation;
mod placeholder;
mod several;
mod what;

use crate::json::{self, Parsed, Value};
use crate::text::{self, Own};

use around::{braced, command, embedded, entities, fenced, followed, unmarked, unquoted};
use characters::{characters, in_elements};
use coded::{base64, percent_coded, requoted};
use document::wrapped;

pub(crate) use placeholder::{escaped_variables, placeholders};
pub(crate) use what::What;

/// A text with a policy in it that is not the policy itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pasted {
    /// What the text is.
    pub(crate) what: What,
    /// The policy in it.
    pub(crate) policy: String,
    /// Whether the text is JSON all the same.
    pub(crate) is_json: bool,
}

/// Deeper nothing is unwrapped: a string of JSON in a string of JSON in an answer is deep enough.
const MOST_LAYERS: usize = 4;

/// Longer texts are not wrapped policies.
const LONGEST: usize = 200_000;

/// Recognizes the text, unless it is a policy already or nothing that has one in it.
pub(crate) fn recognize(text: &str, parsed: &Parsed<'_>) -> Option<Pasted> {
    if text.len() > LONGEST {
        return None;
    }
    if parsed.errors.is_empty() && parsed.root.get("Statement").is_some() {
        return in_elements(text, &parsed.root);
    }
    around(text, parsed)
}

// Whatever has a policy in it, and is none.
#[inline(never)]
fn around(text: &str, parsed: &Parsed<'_>) -> Option<Pasted> {
    let clean = parsed.errors.is_empty();
    if let Some(policy) = wide(text) {
        return Some(Pasted {
            what: What::Utf16,
            policy,
            is_json: false,
        });
    }
    let begins = begins_with_brace(text);
    if !clean && begins {
        let several = || {
            let policy = several::in_a_row(text)?;
            Some(Pasted {
                what: What::Several,
                policy,
                is_json: false,
            })
        };
        let pasted = characters(text)
            .or_else(|| notation::rewritten(text))
            .or_else(several);
        if pasted.is_some() {
            return pasted;
        }
    }
    if parsed.root.get("Statement").is_some() && begins {
        let requoted = || {
            let policy = policy_in(&requoted(text)?, 0)?;
            Some(Pasted {
                what: What::OtherQuotes,
                policy,
                is_json: false,
            })
        };
        return followed(text).or_else(requoted);
    }
    let (what, policy) = unwrap(text, parsed)?;
    Some(Pasted {
        what,
        policy,
        is_json: clean,
    })
}

/// Stands before a text that was read from a file in UTF-16: the byte order mark in the other order, which is no character.
pub const READ_AS_UTF_16: char = '\u{fffe}';

// A file in UTF-16, read as what it is, or as UTF-8 all the same: then every other byte is 0.
fn wide(text: &str) -> Option<String> {
    let marks = |c: char| matches!(c, READ_AS_UTF_16 | '\u{feff}' | '\u{fffd}');
    let body = text.trim_start_matches(marks);
    let policy = if body.bytes().take(2).any(|b| b == 0) {
        text::replaced(body, "\0", "")
    } else if text.starts_with(READ_AS_UTF_16) {
        body.own()
    } else {
        return None;
    };
    Some(policy.trim().own())
}

fn begins_with_brace(text: &str) -> bool {
    text.trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with(['{', '｛'])
}

type Found = (What, String);
/// Takes one layer off.
type Take = fn(&str) -> Option<String>;

fn unwrap(text: &str, parsed: &Parsed<'_>) -> Option<Found> {
    if parsed.errors.is_empty() {
        return wrapped(text, &parsed.root, 0);
    }
    let trimmed = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    let layers: [(What, Take); 11] = [
        (What::Markdown, fenced),
        (What::UrlEncoded, percent_coded),
        (What::Base64, base64),
        (What::Entities, entities),
        (What::Command, command),
        (What::OtherQuotes, requoted),
        (What::InQuotes, unquoted),
        (What::Marked, unmarked),
        (What::Program, notation::assigned),
        (What::Other, braced),
        (What::Other, embedded),
    ];
    for (what, take) in layers {
        let Some(inner) = take(trimmed).filter(|inner| inner != text) else {
            continue;
        };
        if let Some(policy) = policy_in(&inner, 0) {
            return Some((what, policy));
        }
    }
    None
}

// The text itself if it is a policy, else the policy in it.
fn policy_in(text: &str, layer: usize) -> Option<String> {
    let parsed = json::parse(text);
    if !parsed.errors.is_empty() || layer > MOST_LAYERS {
        return None;
    }
    if is_policy(&parsed.root) {
        return Some(text.trim().own());
    }
    wrapped(text, &parsed.root, layer + 1).map(|(_, policy)| policy)
}

fn is_policy(value: &Value<'_>) -> bool {
    let list = value.get("Statement").map(Value::elements);
    list.is_some_and(|all| all.iter().all(|s| s.members().is_some()))
}
