//! Lists in one input, and the nearest word to a misspelt one.

use std::str::FromStr;

/// The entries of a list input: separated by commas or line breaks, white space around them ignored.
pub(crate) fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', '\n'])
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
}

/// Parses each entry; a list without an entry is an error, because someone meant to write one.
pub(crate) fn parse<T: FromStr<Err = String>>(text: &str) -> Result<Vec<T>, String> {
    let parsed: Vec<T> = entries(text)
        .map(|entry| {
            entry
                .parse::<T>()
                .map_err(|accepted| wrong_entry(text, entry, &accepted))
        })
        .collect::<Result<_, _>>()?;
    if parsed.is_empty() {
        return Err("at least one entry; leave the input out to get its default".to_owned());
    }
    Ok(parsed)
}

/// Names the entry where the list has several, so that nobody has to search for it.
fn wrong_entry(text: &str, entry: &str, accepted: &str) -> String {
    if text.trim() == entry {
        accepted.to_owned()
    } else {
        format!("{accepted} (the entry `{entry}` is not one)")
    }
}

/// The candidate that differs from `text` in the fewest letters, if it is near enough to be meant.
pub(crate) fn closest<'a>(text: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let text = text.to_ascii_lowercase();
    let (distance, best) = candidates
        .iter()
        .map(|candidate| (strsim::levenshtein(&text, candidate), *candidate))
        .min_by_key(|(distance, _)| *distance)?;
    (distance <= 2.max(best.len() / 4) && distance < best.len()).then_some(best)
}

/// A word of a fixed set, or what is accepted.
pub(crate) fn word<T: Copy>(text: &str, known: &[(&str, T)]) -> Result<T, String> {
    if let Some((_, value)) = known.iter().find(|(name, _)| *name == text) {
        return Ok(*value);
    }
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    let accepted = format!("`{}`", names.join("`, `"));
    Err(match closest(text, &names) {
        Some(near) => format!("{accepted}; did you mean `{near}`?"),
        None => accepted,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_and_blanks() {
        let all: Vec<_> = entries(" m7i.large, m7a.large\n\n c7i.large ,").collect();
        assert_eq!(all, ["m7i.large", "m7a.large", "c7i.large"]);
    }

    #[test]
    fn only_near_words_are_suggested() {
        assert_eq!(closest("strat", &["start", "stop"]), Some("start"));
        assert_eq!(closest("launch", &["start", "stop"]), None);
    }

    #[test]
    fn an_entry_that_does_not_fit_is_named_where_there_are_several() {
        type Types = Result<Vec<crate::values::instance_type::InstanceType>, String>;
        let read = |text: &str| -> Types { parse(text) };
        assert_eq!(read("m7i.large, m7a.large").map(|all| all.len()), Ok(2));
        assert!(read(" , ").is_err_and(|why| why.contains("at least one entry")));
        assert!(read("m7i").is_err_and(|why| !why.contains("the entry")));
        assert!(
            read("m7i.large, m7i").is_err_and(|why| why.ends_with("(the entry `m7i` is not one)"))
        );
    }

    #[test]
    fn a_word_is_suggested_where_few_letters_differ() {
        let known = [("start", 1), ("stop", 2)];
        assert_eq!(word("stop", &known), Ok(2));
        assert_eq!(word("x", &known), Err("`start`, `stop`".to_owned()));
        // Two letters in a short word, a quarter of a long one, and never all of it.
        for (text, near) in [
            ("stpo", Some("stop")),
            ("abcdefghij--", Some("abcdefghijkl")),
            ("abcdefghi---", Some("abcdefghijkl")),
            ("abcdefgh----", None),
            ("xy", None),
        ] {
            assert_eq!(
                closest(text, &["stop", "abcdefghijkl", "ab"]),
                near,
                "{text}"
            );
        }
    }
}
