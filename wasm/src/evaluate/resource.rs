//! What a request touches: one ARN, or an ARN with parts that nobody knows yet.

use super::Tri;
use super::fact::{Expanded, Facts, expand};
use crate::arn::fields;
use crate::pattern::{DIGITS, has_variable, has_wildcard, matches, overlaps};
use crate::policy::Version;
use crate::text::{self, Append};

/// Stands for one character of an unknown part; no policy that IAM accepts has it.
const HOLE: char = '\u{3}';
/// Stands for a `*` of the target's own, where other stars are wildcards.
const STAR: char = '\u{4}';
/// An id, long enough that no pattern of single `?` takes it by accident; an account is half of it.
const HOLES: &str = "\u{3}\u{3}\u{3}\u{3}\u{3}\u{3}\u{3}\u{3}\u{3}\u{3}\u{3}\u{3}\u{3}\u{3}\u{3}\u{3}\u{3}\u{3}\u{3}\u{3}\u{3}\u{3}\u{3}\u{3}";

/// The target of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The ARN or `*`; unknown parts are runs of [`HOLE`].
    text: String,
    /// Whether there are unknown parts.
    is_open: bool,
}

impl Target {
    /// A target that is known.
    #[must_use]
    pub fn known(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            is_open: false,
        }
    }

    /// A target with unknown parts, each written `{}` or, for an account, `{account}`.
    #[must_use]
    pub fn open(template: &str) -> Self {
        let mut text = String::with_capacity(template.len() + 36);
        let (mut rest, mut is_open) = (template, false);
        while let Some((before, name)) = text::cut(rest, b'{') {
            text.append(before);
            let (name, after) = text::cut(name, b'}').unwrap_or((name, ""));
            text.append(if name == "account" {
                &HOLES[..12]
            } else {
                HOLES
            });
            (rest, is_open) = (after, true);
        }
        text.append(rest);
        Self { text, is_open }
    }

    /// Whether the pattern covers the target.
    #[must_use]
    pub fn matched(&self, pattern: &str, version: Version, facts: &dyn Facts) -> Tri {
        if pattern == "*" {
            return Tri::True;
        }
        if version == Version::V2012 && has_variable(pattern) {
            return match expand(pattern, facts) {
                Expanded::Pattern(pattern) if self.is_open => self.covered(&pattern),
                Expanded::Pattern(pattern) => marked_match(&pattern, &self.text, false).into(),
                Expanded::Unresolved => Tri::False,
                // What the variable stands for may be anything.
                Expanded::Unknown => match self.covered(&crate::lint::opened(pattern)) {
                    Tri::False => Tri::False,
                    _ => Tri::Unknown,
                },
            };
        }
        self.covered(pattern)
    }

    fn covered(&self, pattern: &str) -> Tri {
        // Most pairs differ before anything in them is open.
        let Some((theirs, own)) = behind_shared(pattern, &self.text) else {
            return Tri::False;
        };
        if matches(theirs, own) {
            return Tri::True;
        }
        if !self.is_open || !self.may_match(pattern) {
            return Tri::False;
        }
        Tri::Unknown
    }

    // Field by field: an unknown region is not a place for a whole other ARN.
    fn may_match(&self, pattern: &str) -> bool {
        let (theirs, own) = (fields(pattern), fields(&self.text));
        if theirs.len() != own.len() {
            return has_wildcard(pattern) && overlaps(pattern, &wild(&self.text), false);
        }
        theirs
            .iter()
            .zip(own.iter())
            .all(|(p, t)| may_overlap(p, t))
    }
}

fn may_overlap(pattern: &str, field: &str) -> bool {
    behind_shared(pattern, field)
        .is_some_and(|(theirs, own)| theirs == own || overlaps(pattern, &wild(field), false))
}

// What is left of both behind the part that has nothing open in either, `None` if they differ in it.
fn behind_shared<'p, 't>(pattern: &'p str, text: &'t str) -> Option<(&'p str, &'t str)> {
    let is_open = |byte: u8| matches!(byte, b'*' | b'?') || char::from(byte) == HOLE;
    let both = pattern.bytes().zip(text.bytes());
    let mut shared = 0;
    for (theirs, own) in both {
        if is_open(theirs) || is_open(own) {
            break;
        }
        if theirs != own {
            return None;
        }
        shared += 1;
    }
    pattern.get(shared..).zip(text.get(shared..))
}

// Unknown parts as wildcards: at least one character each. The ids of EC2's have digits alone.
fn wild(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            HOLE if out.ends_with(['*', DIGITS]) => {}
            HOLE if out.ends_with('-') => out.extend(['?', DIGITS]),
            HOLE => out.append("?*"),
            '*' => out.push(STAR),
            c => out.push(c),
        }
    }
    out
}

/// Matches a pattern whose literal wildcards are marked, see [`Expanded`].
#[must_use]
pub(super) fn marked_match(pattern: &str, text: &str, arn: bool) -> bool {
    let mut bytes = pattern.bytes();
    let Some(at) = bytes.position(|byte| matches!(byte, 1 | 2)) else {
        return if arn {
            crate::values::arn_like(pattern, text)
        } else {
            matches(pattern, text)
        };
    };
    // Split at the first mark: the text must have that very character there.
    let c = if pattern.as_bytes()[at] == 1 {
        '*'
    } else {
        '?'
    };
    if arn {
        let (p, t) = (fields(pattern), fields(text));
        return p.len() == t.len()
            && p.iter()
                .zip(t.iter())
                .all(|(p, t)| marked_match(p, t, false));
    }
    let (head, tail) = (&pattern[..at], &pattern[at + 1..]);
    text.match_indices(c)
        .any(|(at, _)| matches(head, &text[..at]) && marked_match(tail, &text[at + 1..], false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::Fact;

    struct Nothing;
    impl Facts for Nothing {
        fn fact(&self, _: &str) -> Fact<'_> {
            Fact::Unknown
        }
    }

    fn covers(target: &Target, pattern: &str) -> Tri {
        target.matched(pattern, Version::V2012, &Nothing)
    }

    #[test]
    fn open_targets_have_three_answers() {
        let target = Target::open("arn:aws:ec2:us-east-1:{account}:instance/{}");
        assert_eq!(covers(&target, "arn:aws:ec2:*:*:instance/*"), Tri::True);
        assert_eq!(covers(&target, "*"), Tri::True);
        assert_eq!(
            covers(&target, "arn:aws:ec2:*:????????????:instance/*"),
            Tri::True
        );
        assert_eq!(
            covers(&target, "arn:aws:ec2:us-east-1:111122223333:instance/*"),
            Tri::Unknown
        );
        assert_eq!(
            covers(&target, "arn:aws:ec2:*:*:instance/i-0123"),
            Tri::Unknown
        );
        assert_eq!(
            covers(&target, "arn:aws:ec2:eu-west-1:*:instance/*"),
            Tri::False
        );
        assert_eq!(covers(&target, "arn:aws:ec2:*:*:volume/*"), Tri::False);
        assert_eq!(
            covers(&target, "arn:aws:ec2:*:*:*/${aws:userid}"),
            Tri::Unknown
        );
    }

    #[test]
    fn what_has_no_id_yet_is_asked_for_as_a_star() {
        for target in [
            Target::open("arn:aws:ec2:us-east-1:{account}:instance/*"),
            Target::open("arn:aws:ec2:us-east-1:111122223333:instance/*"),
        ] {
            for (pattern, expected) in [
                ("arn:aws:ec2:*:*:instance/*", Tri::True),
                ("arn:aws:ec2:*:*:instance/?", Tri::True),
                ("arn:aws:ec2:*:*:instance/i-*", Tri::False),
                ("arn:aws:ec2:*:*:*/i-0123", Tri::False),
            ] {
                assert_eq!(covers(&target, pattern), expected, "{pattern}");
            }
        }
        let id = Target::open("arn:aws:ec2:us-east-1:{account}:instance/i-{}");
        assert_eq!(covers(&id, "arn:aws:ec2:*:*:instance/i-*"), Tri::True);
        assert_eq!(covers(&id, "arn:aws:ec2:*:*:instance/j-*"), Tri::False);
        assert_eq!(covers(&id, "arn:aws:ec2:*:*:*/vol-*"), Tri::False);
        assert_eq!(covers(&id, "arn:aws:ec2:*:*:*/i-0a*"), Tri::Unknown);
    }

    #[test]
    fn only_the_star_covers_no_resource() {
        let target = Target::known("*");
        assert_eq!(covers(&target, "*"), Tri::True);
        assert_eq!(covers(&target, "arn:aws:ec2:*:*:*"), Tri::False);
    }

    #[test]
    fn marked_wildcards_are_text() {
        assert!(marked_match("a\u{1}b*", "a*bcd", false));
        assert!(!marked_match("a\u{1}b", "axb", false));
        assert!(marked_match("\u{2}", "?", false));
    }
}
