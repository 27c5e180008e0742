//! The policies that are checked: files, patterns of files, or standard input.

use std::fs::File;
use std::io;

use sprinters_policy::READ_AS_UTF_16;

use crate::inputs::InputError;
use crate::platform::files::read_bounded;

/// A policy's text, and what to call it.
pub(super) struct PolicyFile {
    pub name: String,
    pub text: String,
}

/// What standard input is called.
pub(super) const STDIN: &str = "stdin";

/// Reads what the names mean: `-` is standard input, `*` and `?` match as in a shell. What cannot be read does not hide the others:
/// it comes beside them.
pub(super) fn read_all(names: &[String]) -> (Vec<PolicyFile>, Vec<InputError>) {
    let (mut files, mut wrong) = (Vec::new(), Vec::new());
    let mut keep = |file: Result<PolicyFile, InputError>| match file {
        Ok(file) => files.push(file),
        Err(error) => wrong.push(error),
    };
    for name in names {
        if name == "-" {
            keep(read(STDIN, || read_bounded(io::stdin().lock())));
            continue;
        }
        match matching(name) {
            Ok(mut paths) => {
                paths.sort();
                for path in paths {
                    // Also what is not a regular file: a shell's `<(…)`.
                    keep(read(&path, || read_bounded(File::open(&path)?)));
                }
            }
            Err(error) => keep(Err(error)),
        }
    }
    (files, wrong)
}

fn matching(pattern: &str) -> Result<Vec<String>, InputError> {
    if !pattern.contains(['*', '?', '[']) {
        return Ok(vec![pattern.to_owned()]);
    }
    let unreadable = |why: String| InputError::wrong("policy", pattern, &why);
    let found: Vec<String> = glob::glob(pattern)
        .map_err(|error| {
            unreadable(format!(
                "file names or a pattern such as `iam/*.json` ({error})"
            ))
        })?
        .filter_map(Result::ok)
        .map(|path| path.to_string_lossy().into_owned())
        .collect();
    if found.is_empty() {
        return Err(unreadable(
            "a pattern that fits at least one file".to_owned(),
        ));
    }
    Ok(found)
}

fn read(name: &str, bytes: impl FnOnce() -> io::Result<Vec<u8>>) -> Result<PolicyFile, InputError> {
    let wrong = |why: String| InputError::wrong("policy", name, &why);
    let bytes = bytes().map_err(|error| wrong(format!("a file that can be read ({error})")))?;
    let text =
        decode(bytes).map_err(|byte| wrong(format!("a JSON file in UTF-8; byte {byte} is not")))?;
    Ok(PolicyFile {
        name: name.to_owned(),
        text,
    })
}

/// The text of a file in UTF-8, or where its first byte is not that; or in UTF-16, which begins with a byte order mark and of
/// which the checker says what it is.
fn decode(bytes: Vec<u8>) -> Result<String, usize> {
    let unit: fn([u8; 2]) -> u16 = match bytes.get(..2) {
        Some([0xff, 0xfe]) => u16::from_le_bytes,
        Some([0xfe, 0xff]) => u16::from_be_bytes,
        _ => return String::from_utf8(bytes).map_err(|error| error.utf8_error().valid_up_to()),
    };
    let (pairs, _) = bytes[2..].as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
    Ok(format!(
        "{READ_AS_UTF_16}{}",
        String::from_utf16_lossy(&units)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_in_utf_16_are_read_as_what_they_are() {
        let text = "{\"é\": 1}";
        let units: Vec<u16> = std::iter::once(0xfeff).chain(text.encode_utf16()).collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        for bytes in [little, big] {
            assert_eq!(decode(bytes), Ok(format!("{READ_AS_UTF_16}{text}")));
        }
        assert_eq!(decode(text.as_bytes().to_vec()), Ok(text.to_owned()));
        assert_eq!(decode(vec![b'{', 0xff]), Err(1));
    }
}
