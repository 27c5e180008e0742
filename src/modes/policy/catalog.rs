//! The action names and condition keys of the services that the engine does not embed: compressed inside the program, or beside the portable one.

use sprinters_policy::Catalog;

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

/// Reads the names.
pub(super) fn load() -> Catalog {
    // They are our own; were they broken, no name would be known, and nothing be called wrong.
    Catalog::new(names().unwrap_or_default())
}

#[cfg(not(target_family = "wasm"))]
fn names() -> std::io::Result<String> {
    // Made by build.rs.
    let packed = include_bytes!(concat!(env!("OUT_DIR"), "/actions.txt.gz"));
    std::io::read_to_string(flate2::read::GzDecoder::new(&packed[..]))
}

/// The engine in dist/policy needs them too: nobody has to download them twice. The host has seen that they are there.
#[cfg(target_family = "wasm")]
fn names() -> std::io::Result<String> {
    std::fs::read_to_string("/names/actions.txt")
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
