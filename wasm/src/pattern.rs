//! IAM's wildcards: `*` is any run of characters, `?` exactly one. Both cross `/` and `:`.

use crate::swar;

/// Whether `pattern` matches all of `text`.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    glob(pattern, text, Glob::default())
}

/// As [`matches`], ignoring ASCII case, as actions and key names do.
#[must_use]
pub fn matches_ignoring_case(pattern: &str, text: &str) -> bool {
    let ignoring_case = Glob {
        ignores_case: true,
        ..Glob::default()
    };
    glob(pattern, text, ignoring_case)
}

/// Whether two names are the same, ignoring ASCII case. One function for all: unrolled at
/// each of the hundred places that compare with a known name, it would be half the program.
#[inline(never)]
#[must_use]
pub fn same_name(a: &str, b: &str) -> bool {
    // Nearly all that are the same are spelled the same.
    a == b || a.eq_ignore_ascii_case(b)
}

/// The same number for all spellings of a name that [`same_name`] takes for one. Eight letters at a time.
#[must_use]
pub(crate) fn name_hash(name: &str) -> u64 {
    // Bit 5 is what sets small letters apart; other characters that it merges only share a number.
    const SMALL: u64 = 0x2020_2020_2020_2020;
    const SCATTER: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |hash: u64, letters: u64| {
        let mixed = (hash ^ (letters | SMALL)).wrapping_mul(SCATTER);
        mixed ^ (mixed >> 29)
    };
    let (eights, rest) = name.as_bytes().as_chunks::<8>();
    let start = (name.len() as u64).wrapping_mul(SCATTER);
    let hash = eights
        .iter()
        .fold(start, |hash, eight| mix(hash, u64::from_le_bytes(*eight)));
    // What is left behind the eights, with letters before it, is read at once.
    let last = match name.as_bytes().last_chunk::<8>() {
        Some(eight) => u64::from_le_bytes(*eight),
        None => rest
            .iter()
            .fold(0, |letters, b| letters << 8 | u64::from(*b)),
    };
    mix(hash, last)
}

/// Whether the text has a wildcard.
#[must_use]
pub fn has_wildcard(text: &str) -> bool {
    swar::has(text.as_bytes(), [b'*', b'?'])
}

/// Where the text's first variable, `${`, begins.
#[must_use]
pub fn find_variable(text: &str) -> Option<usize> {
    // A search for two letters would first be prepared, which takes longer than most texts.
    let bytes = text.as_bytes();
    (1..bytes.len())
        .find(|&at| bytes[at] == b'{' && bytes[at - 1] == b'$')
        .map(|at| at - 1)
}

/// Whether the text has a variable.
#[inline(never)]
#[must_use]
pub fn has_variable(text: &str) -> bool {
    // Most texts have none of its first letter, for which there is a quick search.
    swar::has(text.as_bytes(), [b'$']) && find_variable(text).is_some()
}

// How a pattern is compared: one function for all.
#[derive(Clone, Copy, Default)]
struct Glob {
    ignores_case: bool,
    text_is_pattern: bool,
}

// One backtracking point is enough: a later `*` subsumes an earlier one. `?` is one
// character, so a match never stops inside a UTF-8 sequence.
#[inline(never)]
fn glob(pattern: &str, text: &str, how: Glob) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let same = |p: u8, t: u8| p == t || (how.ignores_case && p.eq_ignore_ascii_case(&t));
    // Read as text, an inner `*` can only be taken by an outer `*`.
    let any = |t: u8| !how.text_is_pattern || t != b'*';
    // Up to the first wildcard both must agree; most pairs end here.
    let wild = |c: u8| c == b'*' || c == b'?';
    let mut p = 0;
    while let (Some(&c), Some(&other)) = (pattern.get(p), text.get(p)) {
        if wild(c) {
            break;
        }
        if !same(c, other) {
            return false;
        }
        p += 1;
    }
    let mut t = p;
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p + 1, t));
                p += 1;
            }
            Some(b'?') if any(text[t]) => {
                t += char_length(text, t);
                p += 1;
            }
            Some(&c) if c != b'?' && same(c, text[t]) => {
                t += 1;
                p += 1;
            }
            _ => match star {
                Some((after, from)) => {
                    let next = from + char_length(text, from);
                    star = Some((after, next));
                    (p, t) = (after, next);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|b| *b == b'*')
}

fn char_length(text: &[u8], at: usize) -> usize {
    1 + text[at + 1..]
        .iter()
        .take_while(|b| (**b & 0xC0) == 0x80)
        .count()
}

/// Whether everything that `inner` matches, `outer` matches too. It may say no where the
/// answer is yes (`a?*` and `a*?`), never the other way round.
#[must_use]
pub fn covers(outer: &str, inner: &str) -> bool {
    let of_patterns = Glob {
        text_is_pattern: true,
        ..Glob::default()
    };
    glob(outer, inner, of_patterns)
}

/// As [`covers`], ignoring ASCII case.
#[must_use]
pub fn covers_ignoring_case(outer: &str, inner: &str) -> bool {
    let of_patterns = Glob {
        ignores_case: true,
        text_is_pattern: true,
    };
    glob(outer, inner, of_patterns)
}

/// Stands for any run of hexadecimal digits in the second pattern of [`overlaps`].
pub(crate) const DIGITS: char = '\u{5}';

/// Whether some text is matched by both patterns.
#[must_use]
pub fn overlaps(a: &str, b: &str, ignore_case: bool) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let same = |x: u8, y: u8| x == y || (ignore_case && x.eq_ignore_ascii_case(&y));
    let digits = |x: u8| char::from(x) == DIGITS;
    let literal = |x: u8| x != b'*' && x != b'?' && !digits(x);
    // Up to the first wildcard both must agree; most pairs end here.
    let mut shared = 0;
    while let (Some(&x), Some(&y)) = (a.get(shared), b.get(shared)) {
        match (literal(x) && literal(y), same(x, y)) {
            (true, true) => shared += 1,
            (true, false) => return false,
            _ => break,
        }
    }
    let (a, b) = (&a[shared..], &b[shared..]);
    if a == b || a == b"*" || b == b"*" {
        return true;
    }
    // reach[j]: the prefixes a[..i] and b[..j] can stand for the same text.
    let mut reach = vec![false; b.len() + 1];
    reach[0] = true;
    for j in 0..b.len() {
        reach[j + 1] = reach[j] && (b[j] == b'*' || digits(b[j]));
    }
    for &pa in a {
        let mut next = vec![false; b.len() + 1];
        next[0] = reach[0] && pa == b'*';
        for j in 0..b.len() {
            let pb = b[j];
            let either = pa == b'?' || pb == b'?';
            // A star stands for nothing or takes what the other side has there.
            next[j + 1] = if pa == b'*' || pb == b'*' {
                next[j] || reach[j + 1]
            } else if digits(pb) {
                next[j] || (reach[j + 1] && (pa == b'?' || pa.is_ascii_hexdigit()))
            } else {
                (either || same(pa, pb)) && reach[j]
            };
        }
        reach = next;
    }
    reach[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn star_and_question_cross_slashes() {
        assert!(matches("arn:aws:s3:::b/*", "arn:aws:s3:::b/c/d"));
        assert!(matches("a?c", "a/c"));
        assert!(!matches("a?c", "ac"));
        assert!(matches("a?", "aé"));
        assert!(matches("*", ""));
        assert!(!matches("", "x"));
        assert!(matches("a*b*c", "axxbxxbc"));
        assert!(!matches("EC2", "ec2"));
        assert!(matches_ignoring_case("EC2:run*", "ec2:RunInstances"));
    }

    // Every word of up to `longest` letters.
    fn words(letters: &str, longest: usize) -> Vec<String> {
        let mut all = vec![String::new()];
        let mut from = 0;
        for _ in 0..longest {
            let end = all.len();
            for at in from..end {
                all.extend(
                    letters
                        .chars()
                        .map(|c| format!("{}{c}", all[at]))
                        .collect::<Vec<_>>(),
                );
            }
            from = end;
        }
        all
    }

    // IAM's rule, one character after another.
    fn slowly(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), None) => slowly(rest, text),
            (Some((b'*', rest)), Some((_, behind))) => {
                slowly(rest, text) || slowly(pattern, behind)
            }
            (Some((p, rest)), Some((t, behind))) => (*p == b'?' || p == t) && slowly(rest, behind),
            _ => false,
        }
    }

    #[test]
    fn all_short_patterns_and_texts_agree_with_the_rule() {
        let (patterns, texts) = (words("aB*?", 4), words("aB", 5));
        for pattern in &patterns {
            for text in &texts {
                let expected = slowly(pattern.as_bytes(), text.as_bytes());
                assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
                let lower = text.to_ascii_lowercase();
                let any_case = slowly(pattern.to_ascii_lowercase().as_bytes(), lower.as_bytes());
                assert_eq!(
                    matches_ignoring_case(pattern, text),
                    any_case,
                    "{pattern} {text}"
                );
            }
        }
    }

    #[test]
    fn all_short_patterns_cover_and_overlap_as_their_texts_do() {
        // Long enough to tell any two patterns of three characters apart.
        let (patterns, texts) = (words("aB*?", 3), words("aBc", 6));
        let hits: Vec<Vec<bool>> = patterns
            .iter()
            .map(|p| {
                texts
                    .iter()
                    .map(|t| slowly(p.as_bytes(), t.as_bytes()))
                    .collect()
            })
            .collect();
        for (outer, outer_hits) in patterns.iter().zip(&hits) {
            for (inner, inner_hits) in patterns.iter().zip(&hits) {
                let both = || outer_hits.iter().zip(inner_hits);
                let shared = both().any(|(o, i)| *o && *i);
                assert_eq!(overlaps(outer, inner, false), shared, "{outer} {inner}");
                let contained = both().all(|(o, i)| *o || !*i);
                assert!(contained || !covers(outer, inner), "{outer} {inner}");
                // It may say no to `a?*` and `a*?`, never where one side has no wildcard, or a star has it all.
                if contained && (!has_wildcard(inner) || outer == "*" || outer == inner) {
                    assert!(covers(outer, inner), "{outer} {inner}");
                }
                let same = covers(&outer.to_ascii_lowercase(), &inner.to_ascii_lowercase());
                assert_eq!(covers_ignoring_case(outer, inner), same, "{outer} {inner}");
            }
        }
    }

    // Names that differ share a number so seldom that lists of thousands are compared in no time.
    #[test]
    fn a_name_has_a_number_of_its_own_in_whatever_case() {
        let mut numbers = Vec::new();
        for length in 0..20 {
            for letter in 'a'..='z' {
                for at in 0..length {
                    let mut name = "x".repeat(length);
                    name.replace_range(at..=at, &letter.to_string());
                    let number = name_hash(&name);
                    assert_eq!(name_hash(&name.to_ascii_uppercase()), number);
                    if letter != 'x' || at == 0 {
                        numbers.push(number);
                    }
                }
            }
        }
        let all = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), all);
    }

    #[test]
    fn coverage_is_containment() {
        assert!(covers("arn:*", "arn:aws:s3:::b"));
        assert!(covers("deeplens*", "deeplens*/*"));
        assert!(!covers("deeplens*/*", "deeplens*"));
        assert!(covers("a*", "a?"));
        assert!(covers("a?", "a?"));
        assert!(!covers("a?", "a*"));
        assert!(covers("a?*", "abc*"));
        assert!(!covers("a?*", "a*"));
    }

    #[test]
    fn overlap_finds_a_common_text() {
        assert!(overlaps("a*", "*b", false));
        assert!(!overlaps("a*", "b*", false));
        assert!(overlaps("a?c", "abc", false));
        assert!(overlaps("iam:*", "IAM:PassRole", true));
        assert!(overlaps("*", "", false));
        assert!(!overlaps("a", "", false));
        assert!(overlaps("a*b", "ab", false));
        assert!(!overlaps("ab?", "ab", false));
        assert!(overlaps("ab", "a?", false) && overlaps("a?", "ab", false));
        assert!(overlaps("ab", "a*", false) && overlaps("*b", "ab", false));
        assert!(!overlaps("ab", "a?b", false) && !overlaps("a?b", "ab", false));
        assert!(!overlaps("a", "A", false) && overlaps("*a", "B?A", true));
        assert!(!overlaps("*a", "B?A", false));
        let id = format!("i-{DIGITS}");
        for (pattern, expected) in [
            ("i-*", true),
            ("i-0?f", true),
            ("i-", true),
            ("*-0*", true),
            ("i-0g", false),
            ("*/i-*", false),
            ("i-0-*", false),
        ] {
            assert_eq!(overlaps(pattern, &id, false), expected, "{pattern}");
        }
    }
}
