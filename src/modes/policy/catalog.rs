//! The action names and condition keys of all AWS services, compressed inside this program.

use std::io::Read;

use flate2::read::GzDecoder;
use sprinters_policy::Catalog;

static ACTIONS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/actions.txt.gz"));

/// Services whose actions and condition keys the engine knows without the catalog.
const EMBEDDED: [&str; 4] = ["\"ec2:", "\"iam:", "\"ssm:", "\"sts:"];

/// Whether the text names an action or a condition key of another service: most policies for Sprinters do not, and unpacking costs milliseconds.
pub(super) fn is_needed(text: &str) -> bool {
    let is_action = |(at, _): &(usize, &str)| {
        let quoted = &text[..*at];
        let word = quoted.rfind('"').map_or("", |quote| &text[quote..=*at]);
        let prefix = word.trim_start_matches('"').trim_end_matches(':');
        !prefix.is_empty()
            && prefix
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !matches!(prefix, "arn" | "aws")
            && !EMBEDDED
                .iter()
                .any(|known| word.eq_ignore_ascii_case(known))
    };
    text.match_indices(':').any(|found| is_action(&found))
}

/// Unpacks the names.
pub(super) fn load() -> Catalog {
    let mut text = String::new();
    // The bytes are our own, made by build.rs; were they broken, no name would be known, and nothing be called wrong.
    let _ = GzDecoder::new(ACTIONS).read_to_string(&mut text);
    Catalog::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_other_services_need_the_catalog() {
        assert!(!is_needed(
            r#"{"Action": ["ec2:RunInstances", "iam:PassRole"], "Resource": "arn:aws:s3:::b"}"#
        ));
        assert!(!is_needed(
            r#"{"Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}}"#
        ));
        assert!(is_needed(r#"{"Action": "s3:GetObject"}"#));
        assert!(is_needed(r#"{"StringEquals": {"s3:prefix": "a"}}"#));
    }
}
