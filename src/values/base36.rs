//! Numbers and random names in lower-case letters and digits.

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

/// Random lower-case letters and digits.
pub(crate) fn letters(count: usize) -> String {
    (0..count)
        .filter_map(|_| fastrand::choice(ALPHABET).map(|byte| char::from(*byte)))
        .collect()
}
