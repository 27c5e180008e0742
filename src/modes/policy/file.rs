//! The policies that are checked: files, patterns of files, or standard input.

use std::fs;
use std::io::{self, Read};

use crate::error::Failure;
use crate::inputs::InputError;

/// A policy's text, and what to call it.
pub(super) struct PolicyFile {
    pub name: String,
    pub text: String,
}

/// What standard input is called.
pub(super) const STDIN: &str = "stdin";

/// Reads what the names mean: `-` is standard input, `*` and `?` match as in a shell.
pub(super) fn read_all(names: &[String]) -> Result<Vec<PolicyFile>, Failure> {
    let mut files = Vec::new();
    for name in names {
        if name == "-" {
            files.push(read(STDIN, || {
                let mut bytes = Vec::new();
                io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
            })?);
            continue;
        }
        let mut paths = matching(name)?;
        paths.sort();
        for path in paths {
            files.push(read(&path, || fs::read(&path))?);
        }
    }
    Ok(files)
}

fn matching(pattern: &str) -> Result<Vec<String>, Failure> {
    if !pattern.contains(['*', '?', '[']) {
        return Ok(vec![pattern.to_owned()]);
    }
    let unreadable = |why: String| Failure::inputs(&[InputError::wrong("policy", pattern, &why)]);
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

fn read(name: &str, bytes: impl FnOnce() -> io::Result<Vec<u8>>) -> Result<PolicyFile, Failure> {
    let wrong = |why: String| Failure::inputs(&[InputError::wrong("policy", name, &why)]);
    let bytes = bytes().map_err(|error| wrong(format!("a file that can be read ({error})")))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        wrong(format!(
            "a JSON file in UTF-8; byte {} is not",
            error.utf8_error().valid_up_to()
        ))
    })?;
    Ok(PolicyFile {
        name: name.to_owned(),
        text,
    })
}
