//! Characters that a word processor, a chat or an input method put into the policy.

use super::{Pasted, is_policy};
use crate::json;

// The policy itself, with characters in it that a word processor or a chat put there.
pub(super) fn characters(text: &str) -> Option<Pasted> {
    let quotes = |c: char| matches!(c, '“' | '”' | '„' | '‟' | '″' | '«' | '»');
    let unseen = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}' | '\u{feff}' | '\u{ad}');
    let spaces = |c: char| {
        matches!(
            c,
            '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{3000}'
        )
    };
    let dashes = |c: char| matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}');
    // A byte order mark alone has words of its own.
    let body = text.trim_start_matches('\u{feff}');
    let strange = |c: char| quotes(c) || unseen(c) || spaces(c) || dashes(c);
    if !body.contains(strange) {
        return None;
    }
    let policy: String = body
        .chars()
        .filter(|c| !unseen(*c))
        .map(|c| match c {
            c if quotes(c) => '"',
            c if spaces(c) => ' ',
            c if dashes(c) => '-',
            c => c,
        })
        .collect();
    let what = match () {
        () if body.contains(quotes) => "a policy with typographic quotes",
        () if body.contains(|c: char| unseen(c) || spaces(c)) => {
            "a policy with invisible characters in it"
        }
        () => "a policy with typographic dashes",
    };
    let parsed = json::parse(&policy);
    (parsed.errors.is_empty() && is_policy(&parsed.root)).then_some(Pasted {
        what,
        policy,
        is_json: false,
    })
}
