//! An input that is on or off.

/// Parses `true` or `false`, as YAML spells them.
pub(crate) fn parse(text: &str) -> Result<bool, String> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("`true` or `false`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches() {
        assert_eq!((parse("true"), parse("false")), (Ok(true), Ok(false)));
        for text in ["", "yes", "TRUE", "1"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
