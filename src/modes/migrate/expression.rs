//! What an expression refers to: `needs.start.outputs.label`, with dots or with brackets.

use std::ops::Range;

/// A chain of names, each with the bytes that it covers, without dot, brackets and quotes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub names: Vec<(String, Range<usize>)>,
    pub range: Range<usize>,
}

impl Reference {
    /// Its names, if there are so many.
    pub(super) fn names<const N: usize>(&self) -> Option<[&str; N]> {
        let names: Vec<&str> = self.names.iter().map(|(name, _)| name.as_str()).collect();
        names.try_into().ok()
    }
}

/// Every reference in a text that begins with that context.
pub(super) fn references(text: &str, context: &str) -> Vec<Reference> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let mut found = Vec::new();
    for (at, _) in text.match_indices(context) {
        let before = text[..at].chars().next_back();
        if before.is_some_and(|c| is_word(c) || c == '.') {
            continue;
        }
        let mut names = vec![(context.to_owned(), at..at + context.len())];
        let mut end = at + context.len();
        while let Some((name, next)) = accessor(text, end) {
            names.push((text[name.clone()].to_owned(), name));
            end = next;
        }
        if names.len() > 1 {
            let range = at..end;
            found.push(Reference { names, range });
        }
    }
    found
}

/// `.name` or `['name']` at that place: where the name is, and where it all ends.
fn accessor(text: &str, at: usize) -> Option<(Range<usize>, usize)> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let rest = text.get(at..)?;
    let after = |start: usize, is_in: &dyn Fn(char) -> bool| {
        let length = text[start..]
            .find(|c| !is_in(c))
            .unwrap_or(text.len() - start);
        (length > 0).then_some(start + length)
    };
    if rest.starts_with('.') {
        let end = after(at + 1, &is_word)?;
        return Some((at + 1..end, end));
    }
    let start = at + rest.strip_prefix("['").map(|_| 2)?;
    let end = after(start, &is_word)?;
    text[end..]
        .starts_with("']")
        .then_some((start..end, end + 2))
}

/// The one reference that a value is, and nothing else: `${{ needs.start.outputs.label }}`.
pub(super) fn sole(value: &str, context: &str) -> Option<Reference> {
    let inside = value.trim().strip_prefix("${{")?.strip_suffix("}}")?.trim();
    let mut all = references(inside, context);
    let whole = all.pop().filter(|one| one.range == (0..inside.len()))?;
    all.is_empty().then_some(whole)
}

/// Whether a value is known only when the workflow runs.
pub(super) fn is_in(value: &str) -> bool {
    value.contains("${{")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_and_brackets_are_the_same() {
        for text in [
            "${{ steps.ec2.outputs.id }}",
            "${{steps['ec2'].outputs['id']}}",
            "${{ steps.ec2['outputs'].id }}",
        ] {
            let one = sole(text, "steps");
            let names = one.as_ref().and_then(Reference::names::<4>);
            assert_eq!(names, Some(["steps", "ec2", "outputs", "id"]), "{text}");
        }
    }

    #[test]
    fn others_are_not_taken_for_it() {
        assert!(references("my.steps.a mysteps.b steps", "steps").is_empty());
        assert_eq!(sole("${{ needs.a.outputs.b || 'x' }}", "needs"), None);
        assert_eq!(sole("needs.a.outputs.b", "needs"), None);
    }
}
