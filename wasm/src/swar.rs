//! Eight bytes of a text at a time, in one word.

const ONES: u64 = 0x0101_0101_0101_0101;
const TOPS: u64 = 0x8080_8080_8080_8080;

/// The top bit of the first byte that is smaller than `limit`, which is at most 128; bits above it may be wrong.
pub(crate) fn below(eight: [u8; 8], limit: u8) -> u64 {
    less(u64::from_le_bytes(eight), limit)
}

/// As [`below`], of the first byte that is the wanted one.
pub(crate) fn equal(eight: [u8; 8], wanted: u8) -> u64 {
    less(u64::from_le_bytes(eight) ^ (ONES * u64::from(wanted)), 1)
}

fn less(eight: u64, limit: u8) -> u64 {
    eight.wrapping_sub(ONES * u64::from(limit)) & !eight & TOPS
}

/// Which of the eight the lowest of the bits belongs to.
pub(crate) fn place(bits: u64) -> usize {
    bits.trailing_zeros() as usize / 8
}

/// Where the first such byte stands.
#[inline(never)]
pub(crate) fn find(bytes: &[u8], wanted: u8) -> Option<usize> {
    let (eights, rest) = bytes.as_chunks::<8>();
    for (at, eight) in eights.iter().enumerate() {
        let bits = equal(*eight, wanted);
        if bits != 0 {
            return Some(at * 8 + place(bits));
        }
    }
    let in_rest = rest.iter().position(|byte| *byte == wanted)?;
    Some(eights.len() * 8 + in_rest)
}

/// How many blanks the bytes begin with.
pub(crate) fn blanks(bytes: &[u8]) -> usize {
    let (eights, rest) = bytes.as_chunks::<8>();
    for (at, eight) in eights.iter().enumerate() {
        let other = u64::from_le_bytes(*eight) ^ (ONES * u64::from(b' '));
        if other != 0 {
            return at * 8 + place(other);
        }
    }
    eights.len() * 8 + rest.iter().take_while(|byte| **byte == b' ').count()
}

/// Whether one of the wanted bytes is among all of them.
pub(crate) fn has<const N: usize>(bytes: &[u8], wanted: [u8; N]) -> bool {
    let is = |eight: &[u8; 8]| wanted.iter().any(|byte| equal(*eight, *byte) != 0);
    let (eights, rest) = bytes.as_chunks::<8>();
    if eights.iter().any(is) {
        return true;
    }
    // The rest, with bytes before it that were looked at already.
    match bytes.last_chunk::<8>() {
        Some(last) => !rest.is_empty() && is(last),
        None => rest.iter().any(|byte| wanted.contains(byte)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_found_where_it_stands() {
        for length in 0..30 {
            for at in 0..length {
                for byte in [0, b'*', b'?', 0x7f, 0x80, 0xaa, 0xff] {
                    let mut bytes = vec![b'x'; length];
                    bytes[at] = byte;
                    assert_eq!((find(&bytes, byte), find(&bytes, 1)), (Some(at), None));
                    assert!(has(&bytes, [byte]) && has(&bytes, [1, byte]));
                    assert!(!has(&bytes, [1]) && !has(&bytes, [byte ^ 1, byte ^ 0x80]));
                }
            }
        }
    }

    #[test]
    fn blanks_are_counted_up_to_anything_else() {
        for length in 0..30 {
            for end in ["", "x", "\n  ", "!", "\u{a0}"] {
                let text = " ".repeat(length) + end;
                assert_eq!(blanks(text.as_bytes()), length, "{text:?}");
            }
        }
    }

    #[test]
    fn the_first_byte_is_the_one_that_is_told() {
        for at in 0..8 {
            for byte in 0..=0xff {
                let mut eight = [b'x'; 8];
                eight[at] = byte;
                let first = |found: bool| if found { at } else { 8 };
                assert_eq!(place(below(eight, 0x20)), first(byte < 0x20), "{byte} {at}");
                if byte != b'x' {
                    assert_eq!(place(equal(eight, byte)), at, "{byte} {at}");
                }
            }
        }
        assert_eq!(place(below(*b"ab\x01\x00cdef", 0x20)), 2);
        assert_eq!(place(equal(*b"abcabcab", b'b')), 1);
    }
}
