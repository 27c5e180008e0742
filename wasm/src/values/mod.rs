//! Reading and comparing the values of conditions.
use crate::pattern::same_name;

pub mod address;
pub mod date;
mod decimal;

pub use decimal::Decimal;

/// Whether `text` is base64 with its padding.
#[must_use]
pub fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let letter = |b: u8| b.is_ascii_alphanumeric() || b == b'+' || b == b'/';
    text.len().is_multiple_of(4) && text.len() - body.len() <= 2 && body.bytes().all(letter)
}

/// The Boolean in `text`, in any case.
#[must_use]
pub fn boolean(text: &str) -> Option<bool> {
    if same_name(text, "true") {
        Some(true)
    } else if same_name(text, "false") {
        Some(false)
    } else {
        None
    }
}

/// Whether an ARN matches a pattern, each of the six segments by itself: `*` does not cross
/// the colons before the resource.
#[must_use]
pub fn arn_like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (crate::arn::fields(pattern), crate::arn::fields(text));
    pattern.len() == text.len()
        && pattern
            .iter()
            .zip(text.iter())
            .all(|(p, t)| crate::pattern::matches(p, t))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_needs_its_padding() {
        assert!(is_base64("QmluYXJ5VmFsdWVJbkJhc2U2NA=="));
        assert!(is_base64("") && is_base64("A+/9") && is_base64("+A==") && is_base64("////"));
        assert!(
            !is_base64("QUI") && !is_base64("Q===") && !is_base64("QQ==QQ==") && !is_base64("Q-_D")
        );
        assert!(!is_base64("QmluYXJ5="));
        assert!(!is_base64("a b="));
    }

    #[test]
    fn arns_match_segment_by_segment() {
        assert!(arn_like(
            "arn:aws:sns:*:123:t*",
            "arn:aws:sns:us-east-1:123:topic"
        ));
        assert!(!arn_like(
            "arn:aws:sns:*:topic",
            "arn:aws:sns:us-east-1:123:topic"
        ));
        assert!(arn_like("arn:aws:iam::1:role/*", "arn:aws:iam::1:role/a:b"));
        assert!(!arn_like("*", "arn:aws:iam::1:role/a"));
    }
}
