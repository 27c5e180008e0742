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
}
