//! Text around the policy: a block, a command, quotes, words.

use super::coded::{entities_decoded, unescaped};
use super::{Pasted, What, is_policy};
use crate::json;
use crate::text::{self, Append, Own};

// The first fenced block that has a brace in it.
pub(super) fn fenced(text: &str) -> Option<String> {
    let mut rest = text;
    loop {
        let (_, block) = text::cut_at(rest, "```")?;
        let (block, after) = text::cut_at(block, "```").unwrap_or((block, ""));
        if let Some(at) = text::find(block, b'{') {
            return Some(block[at..].trim().own());
        }
        rest = after;
    }
}

// The first object that is a policy, whatever stands around it.
pub(super) fn embedded(text: &str) -> Option<String> {
    text.match_indices('{').take(8).find_map(|(at, _)| {
        let rest = &text[at..];
        let inner = rest.get(..json::parse(rest).root.span().end as usize)?;
        let parsed = json::parse(inner);
        (parsed.errors.is_empty() && is_policy(&parsed.root)).then(|| inner.own())
    })
}

// What stands in quotes behind an option, or in a file's heredoc.
pub(super) fn command(text: &str) -> Option<String> {
    let start = text.trim_start_matches(['$', ' ']);
    let begins = ["aws ", "cat ", "echo ", "terraform ", "curl ", "export "];
    if !begins.iter().any(|begin| start.starts_with(begin))
        && !text::contains(text, "--policy-document")
    {
        return None;
    }
    braced(text).map(|inner| unescaped(&inner))
}

// What a diff, a reply or a listing puts before each line.
pub(super) fn unmarked(text: &str) -> Option<String> {
    let mut out = String::new();
    for line in text.split('\n') {
        let marks = line
            .bytes()
            .take_while(|b| b" \t+>|:#0123456789".contains(b));
        let marks = marks.count();
        if line[..marks].trim().is_empty() && !line.trim().is_empty() {
            return None;
        }
        out.append(&line[marks..]);
        out.append("\n");
    }
    json::format(&out)
}

pub(super) fn unquoted(text: &str) -> Option<String> {
    let quote = text
        .chars()
        .next()
        .filter(|c| matches!(c, '\'' | '"' | '`'))?;
    let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
    Some(unescaped(inner))
}

// From the first brace to the last.
pub(super) fn braced(text: &str) -> Option<String> {
    let (start, end) = (text::find(text, b'{')?, text.rfind('}')?);
    (start < end).then(|| text[start..=end].own())
}

// The policy itself, and then words of somebody's.
pub(super) fn followed(text: &str) -> Option<Pasted> {
    let policy = braced(text)?;
    let rest = &text[text.rfind('}')? + 1..];
    let words = rest
        .chars()
        .filter(|c| c.is_ascii_alphabetic() || !c.is_ascii())
        .count()
        > 1;
    let parsed = json::parse(&policy);
    (words && parsed.errors.is_empty() && is_policy(&parsed.root)).then_some(Pasted {
        what: What::Other,
        policy,
        is_json: false,
    })
}

// A web page's text, with its tags perhaps.
pub(super) fn entities(text: &str) -> Option<String> {
    let plain = entities_decoded(text)?;
    braced(&plain)
}
