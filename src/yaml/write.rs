//! YAML as `serde_yaml` writes it: it knows which texts must be quoted, so that nobody reads `1e3`, `~` or `a: b` for something else.

use serde::{Serialize, Serializer};

/// A text as the value of an input: GitHub and the profile file take a bare number for its text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<'t>(pub &'t str);

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.parse::<u64>() {
            Ok(number) if number.to_string() == self.0 => serializer.serialize_u64(number),
            _ => serializer.serialize_str(self.0),
        }
    }
}

/// A mapping whose entries stay in order.
#[derive(Clone, Debug)]
pub(crate) struct InOrder<E>(pub Vec<E>);

impl<K: Serialize, V: Serialize> Serialize for InOrder<(K, V)> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

/// A text as it can stand on one line of a block mapping.
pub(crate) fn scalar(text: &str) -> String {
    let written = serde_yaml::to_string(&Text(text)).unwrap_or_default();
    match written.strip_suffix('\n') {
        Some(line) if !line.is_empty() && !text.contains(is_escaped) => line.to_owned(),
        _ => flow_scalar(text),
    }
}

/// A text as it can stand in braces or brackets: a string of JSON is one of YAML.
pub(crate) fn flow_scalar(text: &str) -> String {
    let mut written = String::with_capacity(text.len() + 2);
    for character in serde_json::Value::from(text).to_string().chars() {
        if is_escaped(character) {
            written.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            written.push(character);
        }
    }
    written
}

/// What a reader may take for a line break, may not see, or must not meet. Serde's JSON leaves some of them as they are.
fn is_escaped(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use fastrand::Rng;

    use super::*;
    use crate::yaml::{Node, Rules};

    const DATA: Rules = Rules {
        deepest: 4,
        most: 20,
        is_data: true,
    };
    /// What other kinds of values look like, and what begins or ends them.
    const WORDS: &str = r#"~ null Null true True FALSE yes off y 1e3 0x1F 0o17 0b1 1_000 007 1.10 -1 +1 .5 .inf -.INF .nan NaN
        2026-11-23 12:30:45 18446744073709551616 = << - -- --- ... ? : , [ ] { } # &a *a ! !!str | > % @ ` ' '' " \ \n ${{ é 🏃 a 0"#;
    /// What no reader may lose.
    const OTHERS: [&str; 13] = [
        "", " ", "- ", ": ", " #", "\t", "\n", "\r", "\u{0}", "\u{7f}", "\u{85}", "\u{2028}",
        "\u{feff}",
    ];

    fn pieces() -> Vec<&'static str> {
        WORDS.split_whitespace().chain(OTHERS).collect()
    }

    /// What both readers make of the only value of a mapping.
    fn read(text: &str) -> Result<[String; 2], String> {
        let node = Node::parse(text, DATA).map_err(|unreadable| unreadable.why)?;
        let node = node.and_then(|node| node.get("key").and_then(Node::text).map(Into::into));
        let mut map: BTreeMap<String, String> =
            serde_yaml::from_str(text).map_err(|error| error.to_string())?;
        Ok([node.ok_or("no text")?, map.remove("key").ok_or("no key")?])
    }

    fn awkward(pieces: &[&str], rng: &mut Rng) -> String {
        let count = rng.usize(0..5);
        let any = |_| pieces[rng.usize(..pieces.len())];
        (0..count).map(any).collect()
    }

    #[test]
    fn what_is_written_is_read_again_by_both_readers() {
        let mut rng = Rng::with_seed(20_261_127);
        let pieces = pieces();
        let texts = pieces.iter().map(|&piece| piece.to_owned());
        let texts = texts.chain(std::iter::repeat_with(|| awkward(&pieces, &mut rng)).take(5_000));
        for text in texts {
            let both = Ok([text.clone(), text.clone()]);
            for written in [
                format!("key: {}\n", scalar(&text)),
                format!("{{key: {}}}\n", flow_scalar(&text)),
            ] {
                assert_eq!(written.lines().count(), 1, "{text:?}: {written}");
                assert_eq!(read(&written), both, "{written}");
            }
            if text.chars().any(|c| c != '\n' && is_escaped(c)) {
                continue;
            }
            let entries = InOrder(vec![("key", Text(&text))]);
            let document = serde_yaml::to_string(&entries).map_err(|error| error.to_string());
            assert_eq!(
                document.as_deref().map_err(Clone::clone).and_then(read),
                both,
                "{document:?}"
            );
        }
    }

    #[test]
    fn what_needs_no_quotes_has_none() {
        for text in ["m7i.large", "a, b", "80", "${{ inputs.x }}", "it's", "a:b"] {
            assert_eq!(scalar(text), text);
        }
        for text in [
            "true", "~", "1e3", "0x1F", "007", "1.10", "- a", "a: b", "a #b", "",
        ] {
            assert_eq!(scalar(text), format!("'{text}'"));
        }
    }
}
