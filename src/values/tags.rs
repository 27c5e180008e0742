//! Extra tags, as YAML or JSON.

use crate::yaml::{Node, Rules, Value};

/// EC2's bounds: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions>.
const MOST_ON_A_RESOURCE: usize = 50;
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 256;
/// How many of the 50 are Sprinters' own, where every one of them applies (`ec2::tags::for_launch`).
const OURS: usize = 15;

const RULES: Rules = Rules {
    deepest: 4,
    most: 500,
    is_data: true,
};

/// The user's own tags, in the order they were written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tags(Vec<(String, String)>);

impl Tags {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Parses a mapping (`team: ci`), or the list that the AWS CLI takes (`[{Key: team, Value: ci}]`).
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let document = Node::parse(text, RULES).map_err(|unreadable| {
            let why = unreadable.why;
            format!("tags as YAML or JSON, such as `team: ci`; it does not parse: {why}")
        })?;
        let pairs: Option<Vec<_>> = match document.as_ref().map(Node::value) {
            Some(Value::Mapping(entries)) => entries
                .iter()
                .map(|(key, value)| Some((scalar(key)?, scalar(value)?)))
                .collect(),
            Some(Value::Sequence(list)) => list.iter().map(listed).collect(),
            _ => None,
        };
        let tags = Self(pairs.ok_or("a mapping of tag keys to plain values, such as `team: ci`")?);
        let entries = document.as_ref().map_or(&[][..], Node::entries);
        let lost = entries
            .iter()
            .find(|(key, value)| is_comment(text, key, value));
        if let Some(key) = lost.and_then(|(key, _)| key.scalar()) {
            return Err(format!(
                "a value for `{key}`: YAML takes `#` after a blank for the beginning of a comment, so put such a value in quotes"
            ));
        }
        tags.check()?;
        Ok(tags)
    }

    fn check(&self) -> Result<(), String> {
        let room = MOST_ON_A_RESOURCE - OURS;
        if self.0.len() > room {
            return Err(format!(
                "at most {room} tags (EC2 allows {MOST_ON_A_RESOURCE}, Sprinters needs {OURS}); there are {}",
                self.0.len()
            ));
        }
        let mut seen = Vec::new();
        for (key, value) in self.iter() {
            check_key(key)?;
            if value.chars().count() > LONGEST_VALUE {
                return Err(format!(
                    "tag values of at most {LONGEST_VALUE} characters (the value of `{key}` is longer)"
                ));
            }
            if seen.contains(&key) {
                return Err(format!("each tag key once (`{key}` appears twice)"));
            }
            seen.push(key);
        }
        Ok(())
    }
}

fn check_key(key: &str) -> Result<(), String> {
    if key.is_empty() || key.chars().count() > LONGEST_KEY {
        return Err(format!(
            "tag keys of 1 to {LONGEST_KEY} characters (`{key}` is not)"
        ));
    }
    let lower = key.to_ascii_lowercase();
    if lower.starts_with("aws:") {
        return Err(format!(
            "tag keys without the prefix `aws:`, which AWS keeps for itself (`{key}` has it)"
        ));
    }
    if lower.starts_with("sprinters:") {
        return Err(format!(
            "tag keys without the prefix `sprinters:`, which stop and sweep rely on (`{key}` has it)"
        ));
    }
    Ok(())
}

/// Whether what was meant to be a value is a comment: `channel: #builds`.
fn is_comment(text: &str, key: &Node, value: &Node) -> bool {
    let rest = text.get(key.span.end..).unwrap_or_default();
    let line = rest.lines().next().unwrap_or_default();
    let after = line.trim_start_matches(['"', '\'']).trim_start();
    let after = after.strip_prefix(':').unwrap_or_default();
    value.is_null() && after.trim_start().starts_with('#')
}

/// A YAML scalar as the text that becomes the tag: `1.10` stays as it is written.
fn scalar(node: &Node) -> Option<String> {
    match node.value() {
        Value::Scalar(text) => Some(text.into_owned()),
        Value::Null => Some(String::new()),
        Value::Sequence(_) | Value::Mapping(_) => None,
    }
}

/// One `{Key: …, Value: …}` of the AWS CLI's form.
fn listed(entry: &Node) -> Option<(String, String)> {
    if entry.mapping()?.len() > 2 {
        return None;
    }
    let key = scalar(entry.get("Key")?)?;
    let value = entry
        .get("Value")
        .map_or_else(|| Some(String::new()), scalar)?;
    Some((key, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
        Tags::parse(text).map(|tags| tags.0)
    }

    #[test]
    fn yaml_json_and_the_cli_form() {
        let expected = Ok(vec![
            ("team".to_owned(), "ci".to_owned()),
            ("cost-center".to_owned(), "42".to_owned()),
        ]);
        assert_eq!(pairs("team: ci\ncost-center: 42"), expected);
        assert_eq!(pairs(r#"{"team": "ci", "cost-center": "42"}"#), expected);
        assert_eq!(
            pairs("version: 1.10"),
            Ok(vec![("version".to_owned(), "1.10".to_owned())])
        );
        assert_eq!(
            pairs("[{Key: team, Value: ci}, {Key: cost-center, Value: 42}]"),
            expected
        );
    }

    #[test]
    fn what_aws_refuses() {
        for (text, why) in [
            ("aws:team: ci", "prefix `aws:`"),
            ("AWS:team: ci", "prefix `aws:`"),
            ("sprinters:job: x", "prefix `sprinters:`"),
            ("team: [a]", "plain values"),
            ("channel: #builds", "beginning of a comment"),
            ("just text", "plain values"),
            ("a: b: c", "does not parse"),
            ("a: 1\na: 2", "does not parse"),
            ("[{Key: a}, {Key: a}]", "appears twice"),
            ("'': x", "1 to 128"),
        ] {
            assert!(
                pairs(text).is_err_and(|e| e.contains(why)),
                "{text}: {:?}",
                pairs(text)
            );
        }
        let long_key = format!("{}: x", "k".repeat(129));
        let long_value = format!("k: {}", "v".repeat(257));
        let many = (0..42)
            .map(|n| format!("k{n}: v"))
            .collect::<Vec<_>>()
            .join("\n");
        for text in [long_key, long_value, many] {
            assert!(pairs(&text).is_err());
        }
    }

    #[test]
    fn the_longest_that_ec2_takes_are_taken() {
        let tag = |key: usize, value: usize| {
            pairs(&format!("{}: {}", "k".repeat(key), "v".repeat(value)))
        };
        assert!(tag(128, 256).is_ok());
        assert!(tag(129, 256).is_err_and(|why| why.contains("1 to 128")));
        assert!(tag(128, 257).is_err_and(|why| why.contains("at most 256")));
    }
}
