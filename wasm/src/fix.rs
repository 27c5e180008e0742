//! Changes of the text that remove a finding.

use crate::json::{Member, Value, quoted};
use crate::position::Span;
use crate::text::{Append, IntoList, Own};

/// A change, in bytes of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) title: String,
    pub(crate) edits: Vec<(Span, String)>,
    /// Whether it cannot do harm, so that it need not be tried.
    pub(crate) proven: bool,
}

impl Change {
    pub(crate) fn made_of(title: impl AsRef<str>, edits: Vec<(Span, String)>) -> Self {
        Self {
            title: title.as_ref().own(),
            edits,
            proven: false,
        }
    }

    pub(crate) fn proven(mut self) -> Self {
        self.proven = true;
        self
    }

    pub(crate) fn new(title: impl AsRef<str>, span: Span, text: impl AsRef<str>) -> Self {
        Self::made(title.as_ref(), span, text.as_ref())
    }

    #[inline(never)]
    fn made(title: &str, span: Span, text: &str) -> Self {
        Self::made_of(title, vec![(span, text.own())])
    }

    /// Writes a JSON string: `meant`, or a longer text around it.
    #[inline(never)]
    pub(crate) fn write(meant: &str, span: Span, whole: &str) -> Self {
        Self::made(&["Write ", meant].concat(), span, &quoted(whole))
    }

    /// Removes the element or member at `target`.
    #[inline(never)]
    pub(crate) fn remove(title: &str, root: &Value<'_>, target: Span) -> Option<Self> {
        removal(root, target).map(|span| Self::made(title, span, ""))
    }

    pub(crate) fn also(mut self, span: Span, text: &str) -> Self {
        self.edits.push((span, text.own()));
        self
    }
}

/// The bytes to delete so that the element or member at `target` goes, its comma too.
pub(crate) fn removal(root: &Value<'_>, target: Span) -> Option<Span> {
    let (at, inner, hit) = match root {
        Value::Array(elements, _) => {
            let at = elements.partition_point(|e| e.span().end < target.end);
            let inner = elements.get(at)?;
            (at, inner, inner.span() == target)
        }
        Value::Object(members, _) => {
            let at = members.partition_point(|m| whole(m).end < target.end);
            let member = members.get(at)?;
            let hit = member.key.span == target || member.value.span() == target;
            (at, &member.value, hit)
        }
        _ => return None,
    };
    if !hit {
        return removal(inner, target);
    }
    let span = |at: usize| match root {
        Value::Array(elements, _) => elements.get(at).map(Value::span),
        Value::Object(members, _) => members.get(at).map(whole),
        _ => None,
    };
    let own = span(at)?;
    Some(match (at.checked_sub(1).and_then(span), span(at + 1)) {
        (_, Some(next)) => Span {
            start: own.start,
            end: next.start,
        },
        (Some(before), None) => Span {
            start: before.end,
            end: own.end,
        },
        (None, None) => own,
    })
}

fn whole(member: &Member<'_>) -> Span {
    Span {
        start: member.key.span.start,
        end: member.value.span().end.max(member.key.span.end),
    }
}
/// Adds what was probably meant to a message.
pub(crate) fn suggest(message: &mut String, meant: &str) {
    message.append("; did you mean `");
    message.append(meant);
    message.append("`?");
}

/// The name of `candidates` that was probably meant, ignoring case.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        // No name is nearer than its length.
        .filter(|candidate| candidate.len().abs_diff(name.len()) * 3 <= candidate.len())
        .map(|candidate| (distance(candidate, name), candidate))
        .min()
        .filter(|(distance, candidate)| *distance * 3 <= candidate.len())
        .map(|(_, candidate)| candidate)
}

/// Edits between two names, ignoring case; a swap of neighbours is one edit.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    // Long text is never a typo, and the table below is quadratic.
    if a.len() > 80 || b.len() > 80 || a.len().abs_diff(b.len()) > 8 {
        return usize::MAX / 8;
    }
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let same = |x: u8, y: u8| x.eq_ignore_ascii_case(&y);
    // Three rows of the table: the two last ones, and the one that is made from them.
    let (mut before, mut last, mut row) = ([0_u8; 81], [0_u8; 81], [0_u8; 81]);
    for (cell, edits) in last.iter_mut().zip(0..) {
        *cell = edits;
    }
    for (i, edits) in (0..a.len()).zip(1..) {
        row[0] = edits;
        for j in 0..b.len() {
            let change = last[j] + u8::from(!same(a[i], b[j]));
            let mut best = change.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && same(a[i], b[j - 1]) && same(a[i - 1], b[j]) {
                best = best.min(before[j - 1] + 1);
            }
            row[j + 1] = best;
        }
        std::mem::swap(&mut before, &mut last);
        std::mem::swap(&mut last, &mut row);
    }
    usize::from(last[b.len()])
}

/// The text with edits in bytes applied.
pub(crate) fn apply_spans(text: &str, edits: &[(Span, String)]) -> String {
    let mut edits: Vec<&(Span, String)> = edits.iter().list();
    edits.sort_by_key(|(span, _)| span.start);
    let mut out = String::with_capacity(text.len() + 64);
    let mut from = 0;
    for (span, new) in edits {
        let before = text.get(from..span.start as usize);
        out.append(before.unwrap_or_default());
        out.append(new);
        from = span.end as usize;
    }
    out.append(text.get(from..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    fn without(text: &str, gone: &str) -> String {
        let root = parse(text).root;
        let start = text.find(gone).unwrap();
        let span = removal(&root, Span::new(start, start + gone.len())).unwrap();
        format!(
            "{}{}",
            &text[..span.start as usize],
            &text[span.end as usize..]
        )
    }

    #[test]
    fn removal_takes_the_comma_along() {
        assert_eq!(without("[1, 2, 3]", "1"), "[2, 3]");
        assert_eq!(without("[1, 2, 3]", "3"), "[1, 2]");
        assert_eq!(
            without(r#"{"a": [9], "b": 2}"#, "9"),
            r#"{"a": [], "b": 2}"#
        );
        assert_eq!(without(r#"{"a": 1, "b": 2}"#, r#""b""#), r#"{"a": 1}"#);
        assert_eq!(without(r#"{"a": 1, "b": 2}"#, r#""a""#), r#"{"b": 2}"#);
    }

    #[test]
    fn near_names_are_typos() {
        assert_eq!(
            nearest("Acton", ["Action", "Resource"].into_iter()),
            Some("Action")
        );
        assert_eq!(nearest("Zebra", ["Action", "Resource"].into_iter()), None);
        assert_eq!(distance("Recieve", "receive"), 1);
    }

    // The plainest reading: change, insert, delete or swap one letter after another.
    fn slowly(a: &[u8], b: &[u8]) -> usize {
        let (Some((x, more_a)), Some((y, more_b))) = (a.split_first(), b.split_first()) else {
            return a.len() + b.len();
        };
        let change = slowly(more_a, more_b) + usize::from(!x.eq_ignore_ascii_case(y));
        let best = change.min(slowly(more_a, b) + 1).min(slowly(a, more_b) + 1);
        match (more_a.split_first(), more_b.split_first()) {
            (Some((x2, rest_a)), Some((y2, rest_b)))
                if x.eq_ignore_ascii_case(y2) && x2.eq_ignore_ascii_case(y) =>
            {
                best.min(slowly(rest_a, rest_b) + 1)
            }
            _ => best,
        }
    }

    #[test]
    fn edits_are_counted_as_one_counts_them_by_hand() {
        let mut words = vec![String::new()];
        for at in 0..40 {
            let longer: Vec<String> = ["a", "b", "C"]
                .iter()
                .map(|c| format!("{}{c}", words[at]))
                .collect();
            words.extend(longer);
        }
        for a in &words {
            for b in &words {
                assert_eq!(
                    distance(a, b),
                    slowly(a.as_bytes(), b.as_bytes()),
                    "{a} {b}"
                );
            }
        }
        let long = |n: usize| "x".repeat(n);
        assert_eq!(distance(&long(80), &long(72)), 8);
        for (a, b) in [(80, 71), (81, 80), (80, 81), (0, 9)] {
            assert!(distance(&long(a), &long(b)) > 1_000, "{a} {b}");
        }
    }

    #[test]
    fn a_third_of_a_name_may_be_wrong() {
        let near = |name: &str| nearest(name, ["abcdef", "xyz"].into_iter());
        assert_eq!(near("abcdxx"), Some("abcdef"));
        assert_eq!(near("abcxxx"), None);
        assert_eq!(near("abcd"), Some("abcdef"));
        assert_eq!(near("abc"), None);
        assert_eq!(near("abcdefgh"), Some("abcdef"));
        assert_eq!(near("abcdefghi"), None);
        assert_eq!((near("xy"), near("x")), (Some("xyz"), None));
        // Of two that are as near, the first in the alphabet.
        assert_eq!(nearest("cat", ["hat", "bat"].into_iter()), Some("bat"));
    }

    #[test]
    fn edits_are_applied_in_the_order_of_the_text() {
        let edits = [
            (Span::new(4, 5), "E".to_owned()),
            (Span::new(0, 0), "<".to_owned()),
            (Span::new(1, 3), String::new()),
        ];
        assert_eq!(apply_spans("abcdef", &edits), "<adEf");
    }

    #[test]
    fn removal_finds_what_is_deep_inside() {
        let text = r#"{"a": {"b": [{"c": 1}, {"d": 2, "e": 3}], "f": 4}}"#;
        for (gone, left) in [
            (r#"{"c": 1}"#, r#"{"a": {"b": [{"d": 2, "e": 3}], "f": 4}}"#),
            (r#""d""#, r#"{"a": {"b": [{"c": 1}, {"e": 3}], "f": 4}}"#),
            ("3", r#"{"a": {"b": [{"c": 1}, {"d": 2}], "f": 4}}"#),
            (r#""f""#, r#"{"a": {"b": [{"c": 1}, {"d": 2, "e": 3}]}}"#),
        ] {
            assert_eq!(without(text, gone), left);
        }
        let root = parse(text).root;
        assert_eq!(removal(&root, Span::new(7, 9)), None);
        assert_eq!(removal(&root, Span::new(100, 101)), None);
    }
}
