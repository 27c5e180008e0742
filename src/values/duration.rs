//! Durations as people write them: `90s`, `5m`, `1h30m`.

use std::fmt;
use std::time::Duration;

/// What a duration may look like, for messages.
pub(crate) const ACCEPTED: &str = "a duration such as `90s`, `5m` or `1h30m`";

/// A duration in whole seconds that keeps within the bounds of its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seconds(u32);

impl Seconds {
    pub(crate) fn as_duration(self) -> Duration {
        Duration::from_secs(self.0.into())
    }

    /// Parses a duration between one second and `most`.
    pub(crate) fn parse(text: &str, most: Seconds) -> Result<Self, String> {
        let bounds = || format!("{ACCEPTED}, from `1s` to `{most}`");
        match total(text) {
            Some(seconds) if seconds >= 1 && seconds <= u64::from(most.0) => {
                u32::try_from(seconds).map(Self).map_err(|_| bounds())
            }
            _ => Err(bounds()),
        }
    }

    pub(crate) const fn from_minutes(minutes: u32) -> Self {
        Self(minutes * 60)
    }
}

/// Adds up `<number><unit>` pairs; `None` where the text is anything else.
fn total(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    let mut sum: u64 = 0;
    let mut last_unit = u64::MAX;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let unit = match tail.chars().next()? {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return None,
        };
        // `30m1h` is more likely a slip than a meaning: larger units come first, each once.
        if unit >= last_unit {
            return None;
        }
        last_unit = unit;
        sum = sum.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
        rest = tail.get(1..)?;
    }
    Some(sum)
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        for (unit, size) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
            if rest >= size {
                write!(f, "{}{unit}", rest / size)?;
                rest %= size;
            }
        }
        if self.0 == 0 {
            f.write_str("0s")
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Seconds = Seconds::from_minutes(60);

    #[test]
    fn what_people_write() {
        for (text, seconds) in [
            ("90s", 90),
            ("5m", 300),
            ("1h", 3_600),
            ("10m30s", 630),
            (" 5m ", 300),
        ] {
            assert_eq!(Seconds::parse(text, HOUR), Ok(Seconds(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration() {
        for text in [
            "",
            "5",
            "m",
            "5 m",
            "-5m",
            "1.5h",
            "5min",
            "30s1m",
            "1m1m",
            "0s",
            "61m",
            "99999999999999999999h",
        ] {
            let accepted = Seconds::parse(text, HOUR);
            assert!(
                accepted.is_err_and(|e| e.ends_with("from `1s` to `1h`")),
                "{text}"
            );
        }
    }

    #[test]
    fn prints_as_written() {
        for text in ["1s", "59s", "5m", "1h30m", "6h", "5d"] {
            assert_eq!(
                Seconds::parse(text, Seconds(u32::MAX)).map(|d| d.to_string()),
                Ok(text.to_owned())
            );
        }
    }
}
