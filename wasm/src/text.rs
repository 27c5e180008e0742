//! Text operations that stand in very many places. The standard library's are written anew into each of them, which would be
//! an eighth of the page's download; these are called.

use std::fmt::{Arguments, Write as _};

use crate::swar;

/// What [`format!`] makes.
#[inline(never)]
pub(crate) fn formatted(arguments: Arguments<'_>) -> String {
    // A sentence, which would else grow there in four steps.
    let mut out = String::with_capacity(96);
    // Writing to a string cannot fail.
    let _ = out.write_fmt(arguments);
    out
}

/// Lists that are made step by step.
pub(crate) trait IntoList: Iterator + Sized {
    /// As `collect`, which asks for the first entry in other code than for the rest.
    fn list(self) -> Vec<Self::Item> {
        let mut all = Vec::new();
        for one in self {
            all.push(one);
        }
        all
    }
}

impl<I: Iterator> IntoList for I {}

/// Text that is copied.
pub(crate) trait Own {
    /// As `to_owned`.
    fn own(&self) -> String;
}

impl Own for str {
    #[inline(never)]
    fn own(&self) -> String {
        self.into()
    }
}

/// Text that grows.
pub(crate) trait Append {
    /// As `push_str`.
    fn append(&mut self, more: &str);
}

impl Append for String {
    #[inline(never)]
    fn append(&mut self, more: &str) {
        self.push_str(more);
    }
}

/// Texts that are put together.
pub(crate) trait Join {
    /// As `join`.
    fn joined(&self, between: &str) -> String;
}

impl<T: AsRef<str>> Join for [T] {
    #[inline(never)]
    fn joined(&self, between: &str) -> String {
        let mut out = String::new();
        for (at, one) in self.iter().enumerate() {
            if at > 0 {
                out.append(between);
            }
            out.append(one.as_ref());
        }
        out
    }
}

/// Whether it is one digit or more, and nothing else.
#[inline(never)]
pub(crate) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// As [`cut`], at the first of several such bytes.
#[inline(never)]
pub(crate) fn cut_at_any<'t>(text: &'t str, any: &[u8]) -> Option<(&'t str, &'t str)> {
    let place = text.bytes().position(|b| any.contains(&b))?;
    Some((text.get(..place)?, text.get(place + 1..)?))
}

/// What stands before and behind the first such byte, which is ASCII.
#[inline(never)]
pub(crate) fn cut(text: &str, at: u8) -> Option<(&str, &str)> {
    let place = find(text, at)?;
    Some((text.get(..place)?, text.get(place + 1..)?))
}

/// What stands before and behind the first such part.
#[inline(never)]
pub(crate) fn cut_at<'t>(text: &'t str, part: &str) -> Option<(&'t str, &'t str)> {
    let place = place_of(text, part)?;
    Some((text.get(..place)?, text.get(place + part.len()..)?))
}

/// Whether there is such a part.
#[inline(never)]
pub(crate) fn contains(text: &str, part: &str) -> bool {
    place_of(text, part).is_some()
}

/// Where the first such part stands. The standard library's search is quicker in long parts alone, and long itself.
#[inline(never)]
pub(crate) fn place_of(text: &str, part: &str) -> Option<usize> {
    let (text, part) = (text.as_bytes(), part.as_bytes());
    let first = part.first()?;
    let mut from = 0;
    loop {
        from += swar::find(text.get(from..)?, *first)?;
        if text.get(from..)?.starts_with(part) {
            return Some(from);
        }
        from += 1;
    }
}

/// Where such parts stand, up to so many.
pub(crate) fn places_of(text: &str, part: &str, most: usize) -> Vec<usize> {
    let (mut all, mut from) = (Vec::new(), 0);
    while all.len() < most
        && let Some(at) = place_of(text.get(from..).unwrap_or_default(), part)
    {
        all.push(from + at);
        from += at + part.len();
    }
    all
}

/// The text with `new` in place of each such part.
pub(crate) fn replaced(text: &str, part: &str, new: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = cut_at(rest, part) {
        out.append(before);
        out.append(new);
        rest = after;
    }
    out.append(rest);
    out
}

/// Where the first such byte, which is ASCII, stands.
pub(crate) fn find(text: &str, wanted: u8) -> Option<usize> {
    swar::find(text.as_bytes(), wanted)
}

/// Whether there is such a byte, which is ASCII.
pub(crate) fn has(text: &str, wanted: u8) -> bool {
    find(text, wanted).is_some()
}

/// Where the first wildcard stands, or else the end.
#[inline(never)]
pub(crate) fn literal_length(text: &str) -> usize {
    let wild = text.bytes().position(|byte| matches!(byte, b'*' | b'?'));
    wild.unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_as_the_standard_library_cuts_them() {
        for text in ["", ":", "a:b:c", "é:ü", "abc", "a:"] {
            assert_eq!(cut(text, b':'), text.split_once(':'), "{text}");
            assert_eq!(find(text, b':'), text.find(':'), "{text}");
            assert_eq!(has(text, b':'), text.contains(':'), "{text}");
        }
        for (text, part) in [
            ("", "a"),
            ("aab", "ab"),
            ("ababa", "aba"),
            ("é-é", "-é"),
            ("aa", "aaa"),
            ("a.b.c", "."),
        ] {
            assert_eq!(place_of(text, part), text.find(part), "{text} {part}");
            assert_eq!(contains(text, part), text.contains(part), "{text} {part}");
            assert_eq!(cut_at(text, part), text.split_once(part), "{text} {part}");
            assert_eq!(
                replaced(text, part, "<>"),
                text.replace(part, "<>"),
                "{text} {part}"
            );
            let places: Vec<usize> = text.match_indices(part).map(|(at, _)| at).collect();
            assert_eq!(places_of(text, part, 9), places, "{text} {part}");
        }
        assert_eq!(places_of("aaaa", "a", 2), [0, 1]);
        assert_eq!(literal_length("ab?c*"), 2);
        assert_eq!(literal_length("é"), 2);
    }

    #[test]
    fn formatted_texts_are_whole() {
        assert_eq!(format!("plain"), "plain");
        assert_eq!(format!("{}-{:04X}", "a", 0x2f), "a-002F");
    }
}
