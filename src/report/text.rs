//! Texts of a length that people read: lines, lists, durations.

use std::time::Duration;

/// What is longer than a terminal's line could not be written over.
pub(super) fn one_line(text: &str) -> String {
    const COLUMNS: usize = 79;
    if text.chars().count() <= COLUMNS {
        return text.to_owned();
    }
    let begin = text.chars().take(COLUMNS - 1);
    begin.chain(['…']).collect()
}

/// The first of many, and how many more there are: a thousand would hide what else a message says.
pub(crate) fn first_of(parts: &[String], separator: &str) -> String {
    const MOST: usize = 10;
    let shown = parts.get(..MOST).unwrap_or(parts).join(separator);
    match parts.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown}{separator}and {more} more"),
    }
}

/// A duration as people read it: `0.34 s`, `12.3 s`, `2 min 05 s`.
pub(crate) fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 9.995 {
        format!("{seconds:.2} s")
    } else if seconds < 119.95 {
        format!("{seconds:.1} s")
    } else {
        format!(
            "{} min {:02} s",
            duration.as_secs() / 60,
            duration.as_secs() % 60
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_fits_a_terminal_s_line() {
        let short = "0 of 1000 online · GitHub: not seen yet · EC2: not seen yet · 12 min 05 s";
        assert_eq!(one_line(short), short);
        let cut = one_line(&"é".repeat(80));
        assert_eq!(cut.chars().count(), 79);
        assert!(cut.ends_with('…'));
    }

    #[test]
    fn of_very_many_the_first_are_shown() {
        let parts: Vec<String> = (1..=12).map(|n| n.to_string()).collect();
        assert_eq!(first_of(&parts[..2], ", "), "1, 2");
        assert_eq!(first_of(&parts[..10], ", ").split(", ").count(), 10);
        assert!(first_of(&parts, "; ").ends_with("10; and 2 more"));
        assert_eq!(first_of(&[], ", "), "");
    }

    #[test]
    fn durations_are_readable() {
        assert_eq!(seconds(Duration::from_millis(342)), "0.34 s");
        assert_eq!(seconds(Duration::from_millis(12_340)), "12.3 s");
        assert_eq!(seconds(Duration::from_secs(125)), "2 min 05 s");
    }
}
