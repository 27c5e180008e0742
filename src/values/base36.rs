//! Numbers and random names in lower-case letters and digits.

use ring::rand::{SecureRandom, SystemRandom};

/// Unix seconds have six digits in base 36 until the year 2038 and beyond (36^6 is in 2039).
pub(crate) const DIGITS: usize = 6;
const ALPHABET: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// The last six digits of the number in base 36.
pub(crate) fn base36(mut number: u64) -> String {
    let mut digits = [b'0'; DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit = usize::try_from(number % 36)
            .ok()
            .and_then(|index| ALPHABET.get(index))
            .copied()
            .unwrap_or(b'0');
        number /= 36;
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

/// Random lower-case letters and digits: for names that must be new, not for secrets.
pub(crate) fn letters(count: usize) -> String {
    (0..count)
        .filter_map(|_| fastrand::choice(ALPHABET).map(|byte| char::from(*byte)))
        .collect()
}

/// Lower-case letters and digits from the system's random source, which nobody can guess.
pub(crate) fn secret_letters(count: usize) -> String {
    let random = SystemRandom::new();
    let mut text = String::with_capacity(count);
    while text.len() < count {
        let mut bytes = [0_u8; 64];
        if random.fill(&mut bytes).is_err() {
            // Without a random source nothing else works either: TLS needs it.
            return format!("{text}{}", letters(count - text.len()));
        }
        // Those above the last multiple of 36 would make some letters likelier than others.
        let fair = bytes.iter().filter(|byte| **byte < 252);
        let letters = fair.filter_map(|byte| ALPHABET.get(usize::from(byte % 36)));
        text.extend(
            letters
                .take(count - text.len())
                .map(|byte| char::from(*byte)),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_long_and_differ() {
        let secrets = [secret_letters(12), secret_letters(12)];
        assert!(secrets.iter().all(|secret| {
            secret.len() == 12 && secret.bytes().all(|byte| ALPHABET.contains(&byte))
        }));
        assert_ne!(secrets[0], secrets[1]);
    }

    #[test]
    fn six_digits_whatever_the_number() {
        for (number, digits) in [
            (0, "000000"),
            (35, "00000z"),
            (36, "000010"),
            (1_795_000_000, "top2v4"),
            // The last six.
            (36_u64.pow(6) + 1, "000001"),
        ] {
            assert_eq!(base36(number), digits);
        }
    }

    #[test]
    fn as_many_letters_as_were_asked_for() {
        for count in [0, 4, 200] {
            for text in [letters(count), secret_letters(count)] {
                assert_eq!(text.len(), count);
                assert!(text.bytes().all(|byte| ALPHABET.contains(&byte)), "{text}");
            }
        }
        // Two hundred letters have most of the alphabet.
        let mut seen: Vec<char> = secret_letters(200).chars().collect();
        seen.sort_unstable();
        seen.dedup();
        assert!(seen.len() > 25, "{seen:?}");
    }
}
