//! Text as one word of a POSIX shell.

/// Quotes any text but NUL so that a shell reads it back unchanged, whatever it contains.
///
/// Between single quotes nothing is special but the single quote itself.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    quoted.push_str(&text.replace('\'', r"'\''"));
    quoted.push('\'');
    quoted
}
