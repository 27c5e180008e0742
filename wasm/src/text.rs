//! Text operations that stand in very many places. The standard library's are written anew into each of them, which would be
//! an eighth of the page's download; these are called.

use std::fmt::{Arguments, Write as _};

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
    text.split_once(part)
}

/// Whether there is such a part.
#[inline(never)]
pub(crate) fn contains(text: &str, part: &str) -> bool {
    text.contains(part)
}

/// Where the first such byte, which is ASCII, stands.
#[inline(never)]
pub(crate) fn find(text: &str, wanted: u8) -> Option<usize> {
    text.bytes().position(|byte| byte == wanted)
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
        assert_eq!(literal_length("ab?c*"), 2);
        assert_eq!(literal_length("é"), 2);
    }

    #[test]
    fn formatted_texts_are_whole() {
        assert_eq!(format!("plain"), "plain");
        assert_eq!(format!("{}-{:04X}", "a", 0x2f), "a-002F");
    }
}
