//! Dates as IAM takes them: W3C's profile of ISO 8601, or seconds since 1970.

use crate::text::{self, is_digits};

/// How a date is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// In a format with year, month and day.
    Calendar,
    /// As a bare number, which IAM reads as seconds since 1970.
    Epoch,
}

/// Milliseconds since 1970 and how they were written, `None` if it is not a date.
#[must_use]
pub fn parse(text: &str) -> Option<(i64, Written)> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if is_digits(digits) {
        let seconds: i64 = text.parse().ok()?;
        return Some((seconds.checked_mul(1000)?, Written::Epoch));
    }
    calendar(text).map(|time| (time, Written::Calendar))
}

fn calendar(text: &str) -> Option<i64> {
    let (date, time) = match text::cut_at_any(text, b"Tt ") {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let year: i64 = number(parts.next()?, 4)?;
    let month = parts.next().map_or(Some(1), |m| number(m, 2))?;
    let day = parts.next().map_or(Some(1), |d| number(d, 2))?;
    if parts.next().is_some() || !(1..=12).contains(&month) || day < 1 || day > length(year, month)
    {
        return None;
    }
    let time = time.map_or(Some(0), clock)?;
    Some(days(year, month, day) * 86_400_000 + time)
}

// hh:mm, hh:mm:ss, hh:mm:ss.s with an optional zone; milliseconds of UTC.
fn clock(text: &str) -> Option<i64> {
    let (time, zone) = match text::cut_at_any(text, b"Zz+-") {
        Some((time, _)) => text.split_at(time.len()),
        None => (text, "Z"),
    };
    let mut parts = time.split(':');
    let hour = number(parts.next()?, 2)?;
    let minute = parts.next().map_or(Some(0), |m| number(m, 2))?;
    let (second, milli) = match parts.next() {
        None => (0, 0),
        Some(text) => match text::cut(text, b'.') {
            None => (number(text, 2)?, 0),
            Some((second, fraction)) => (number(second, 2)?, millis(fraction)?),
        },
    };
    if parts.next().is_some() || hour > 24 || minute > 59 || second > 60 {
        return None;
    }
    let offset = match zone {
        "Z" | "z" => 0,
        zone => {
            let sign = if zone.starts_with('-') { -1 } else { 1 };
            let digits = zone[1..].replace(':', "");
            let (hours, minutes) = digits.split_at_checked(2)?;
            let minutes = if minutes.is_empty() {
                0
            } else {
                number(minutes, 2)?
            };
            sign * (number(hours, 2)? * 60 + minutes)
        }
    };
    Some(((hour * 60 + minute - offset) * 60 + second) * 1000 + milli)
}

fn millis(fraction: &str) -> Option<i64> {
    let thousandths = fraction.bytes().chain(*b"00").take(3);
    is_digits(fraction)
        .then(|| thousandths.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
}

#[inline(never)]
fn number(text: &str, digits: usize) -> Option<i64> {
    let plain = text.len() == digits && is_digits(text);
    plain.then(|| text.parse().ok()).flatten()
}

fn length(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

// Days since 1970-01-01 in the Gregorian calendar, counted in years that begin in March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<i64> {
        parse(text).map(|(ms, _)| ms / 1000)
    }

    #[test]
    fn reads_w3c_dates() {
        assert_eq!(seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(seconds("2000-03-01"), Some(951_868_800));
        assert_eq!(seconds("1997-07-16T19:20:30+01:00"), Some(869_077_230));
        assert_eq!(seconds("1997-07-16T19:20+0100"), Some(869_077_200));
        assert_eq!(
            parse("2015-08-16T12:00:00.25Z"),
            Some((1_439_726_400_250, Written::Calendar))
        );
        assert_eq!(parse("2021"), Some((2_021_000, Written::Epoch)));
        assert_eq!(parse("-1"), Some((-1_000, Written::Epoch)));
        assert_eq!(seconds("2024-02-29"), Some(1_709_164_800));
    }

    #[test]
    fn an_offset_is_taken_off() {
        let noon = seconds("2026-03-01T12:00:00Z");
        for same in [
            "2026-03-01T13:30:00+01:30",
            "2026-03-01T13:30+0130",
            "2026-03-01t13:00:00+01",
            "2026-03-01 10:15:00-01:45",
            "2026-02-28T23:00:00-13:00",
            "2026-03-02T02:00:00.999+14:00",
        ] {
            assert_eq!(seconds(same), noon, "{same}");
        }
        assert!(seconds("2026-03-01T12:00:00+1").is_none());
        assert!(seconds("2026-03-01T12:00:00+01:3").is_none());
        assert!(seconds("2026-03-01T12:00:00+x1:30").is_none());
    }

    #[test]
    fn every_day_of_four_centuries_follows_the_one_before() {
        let mut before = days(1899, 12, 31);
        for year in 1900..2301 {
            for month in 1..=12 {
                for day in 1..=length(year, month) {
                    let now = days(year, month, day);
                    assert_eq!(now, before + 1, "{year}-{month}-{day}");
                    before = now;
                }
            }
        }
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(
            (length(1900, 2), length(2000, 2), length(2023, 4)),
            (28, 29, 30)
        );
    }

    #[test]
    fn the_last_moments_of_a_day_are_times() {
        assert!(
            seconds("2026-01-01T24:00:00Z").is_some() && seconds("2026-01-01T23:59:60Z").is_some()
        );
        for text in [
            "2026-01-01T25:00Z",
            "2026-01-01T00:60Z",
            "2026-01-01T00:00:61Z",
            "2026-01-01T00:00:00:00Z",
            "2026-00-01",
            "2026-01-00",
            "2026-04-31",
            "2026-01-01-01",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00.xZ",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_date() {
        for text in [
            "",
            "tomorrow",
            "2021-13-01",
            "2023-02-29",
            "2021-1-1",
            "2021-01-01T99:00Z",
            "07/16/1997",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
