//! The properties of `fuzz/` without a fuzzer: its kept corpus, and small changes of it that are the same in each run.
//! `SPRINTERS_FUZZ=100000 cargo test -p sprinters-policy --test fuzzed` makes so many of each.

#![expect(
    clippy::print_stderr,
    unreachable_pub,
    reason = "a test that cannot go on may stop where it stands; the properties belong to another crate as well"
)]

use std::fs;
use std::path::Path;

#[path = "../fuzz/properties.rs"]
mod properties;

/// What policies are made of.
const PIECES: [&str; 24] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\n",
    "*",
    "?",
    "${",
    "}",
    "\u{feff}",
    "é",
    "😀",
    "\\ud83d",
    "null",
    "\"Action\":",
    "\"Effect\":\"Deny\"",
    "\"NotResource\"",
    "${aws:username, 'x'}",
    "arn:aws:ec2:",
    "ForAllValues:",
];

// A generator that gives the same numbers everywhere.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % end.max(1)
    }
}

fn changed(seeds: &[Vec<u8>], numbers: &mut Numbers) -> Vec<u8> {
    let mut data = seeds[numbers.below(seeds.len())].clone();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(data.len() + 1);
        let end = (at + numbers.below(24)).min(data.len());
        match numbers.below(5) {
            0 => drop(data.drain(at..end)),
            1 => drop(data.splice(at..at, PIECES[numbers.below(PIECES.len())].bytes())),
            2 => {
                let again = data[at..end].to_vec();
                drop(data.splice(at..at, again));
            }
            3 => {
                let other = &seeds[numbers.below(seeds.len())];
                let from = numbers.below(other.len());
                let some = other[from..(from + numbers.below(80)).min(other.len())].to_vec();
                drop(data.splice(at..end, some));
            }
            _ => {
                if let Some(byte) = data.get_mut(at) {
                    *byte = numbers.below(256).to_le_bytes()[0];
                }
            }
        }
    }
    data
}

#[test]
fn the_corpus_and_what_is_near_it() {
    let wanted = std::env::var("SPRINTERS_FUZZ")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(1_000);
    for (name, property) in properties::ALL {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fuzz/corpus")
            .join(name);
        let mut files: Vec<_> = fs::read_dir(&folder)
            .expect("the property's corpus")
            .map(|entry| entry.expect("a folder entry").path())
            .collect();
        files.sort();
        let seeds: Vec<Vec<u8>> = files
            .iter()
            .map(|file| fs::read(file).expect("a readable file"))
            .collect();
        assert!(seeds.len() >= 10, "{name} has a corpus");
        for seed in &seeds {
            property(seed);
        }
        let mut numbers = Numbers(0x5eed_5eed_5eed_5eed);
        for _ in 0..wanted {
            let data = changed(&seeds, &mut numbers);
            let shown = String::from_utf8_lossy(&data).into_owned();
            let held = std::panic::catch_unwind(|| property(&data)).is_ok();
            assert!(held, "{name} does not hold for {shown:?}");
        }
        eprintln!("{name}: {} of the corpus, {wanted} near it", seeds.len());
    }
}
