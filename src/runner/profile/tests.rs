//! The same documents that the JSON Schema is held against (`tests/contract/test_profiles.py`): good ones, bad ones, and bad ones
//! that no schema can find.

use std::path::Path;

use super::*;
use crate::inputs::{Inputs, Problems};
use crate::launch::spec::StartSpec;
use crate::values::per_region::regions;

fn messages(errors: &[InputError]) -> String {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// The inputs that a runner of the file stands for, or what is wrong.
fn resolved(text: &str, name: &str) -> Result<Inputs, String> {
    let file = ProfileFile::parse(text).map_err(|errors| messages(&errors))?;
    let layer = file.layer(name).map_err(|error| error.to_string())?;
    let inputs = Inputs::default().with(layer);
    let mut problems = Problems::default();
    let region = problems.optional(&inputs, "aws-region", regions);
    match StartSpec::parse(&inputs, region.as_ref(), &mut problems) {
        Some(_) => Ok(inputs),
        None => Err(messages(&problems.located(&inputs))),
    }
}

/// Everything that is wrong with a file, its runners' values included.
fn verdict(text: &str) -> Result<(), String> {
    let file = ProfileFile::parse(text).map_err(|errors| messages(&errors))?;
    let names: Vec<String> = file.runners().map(|(name, _)| name.to_owned()).collect();
    let wrong = names.iter().filter_map(|name| resolved(text, name).err());
    match wrong.collect::<Vec<_>>().join("\n") {
        none if none.is_empty() => Ok(()),
        wrong => Err(wrong),
    }
}

fn documents(kind: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/profiles")
        .join(kind);
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = path.file_stem()?.to_string_lossy().into_owned();
            Some((name, std::fs::read_to_string(path).ok()?))
        })
        .collect();
    found.sort();
    assert!(
        found.len() >= 4,
        "tests/profiles/{kind} has {} files",
        found.len()
    );
    found
}

#[test]
fn good_files_are_good() {
    for (name, text) in documents("good") {
        assert_eq!(verdict(&text), Ok(()), "{name}");
    }
}

#[test]
fn bad_files_are_shown_what_is_wrong() {
    for kind in ["bad", "beyond-the-schema"] {
        for (name, text) in documents(kind) {
            insta::assert_snapshot!(name, verdict(&text).err().unwrap_or_default());
        }
    }
}

const FILE_OF_A_TEAM: &str = r#"
defaults: { spot: auto, tags: { team: ci, version: 1.10 } }
aws:
  region: eu-central-1
  account: "012345678901"
runners:
  small:
    instance-type: m7i.large
    root-size: 40
  arm:
    extend: small
    image: ubuntu-24.04-arm
    instance-type: [m7g.large, m8g.large]
  fallback: { spot: false, labels: "a, b" }
  mixed:
    extend: [arm, fallback]
    setup: |
      echo one
      echo two
"#;

#[test]
fn a_runner_is_its_own_keys_above_what_it_extends_above_the_defaults() {
    let get = |runner: &str, name: &str| {
        resolved(FILE_OF_A_TEAM, runner).map(|inputs| inputs.get(name).map(str::to_owned))
    };
    let some = |text: &str| Ok(Some(text.to_owned()));
    assert_eq!(get("small", "spot"), some("auto"));
    assert_eq!(get("small", "aws-region"), some("eu-central-1"));
    assert_eq!(get("arm", "instance-type"), some("m7g.large\nm8g.large"));
    assert_eq!(get("arm", "root-size"), some("40"));
    assert_eq!(get("mixed", "image"), some("ubuntu-24.04-arm"));
    assert_eq!(get("mixed", "spot"), some("false"));
    assert_eq!(get("mixed", "labels"), some("a, b"));
    assert_eq!(get("mixed", "setup"), some("echo one\necho two"));
    // As it is written, and not as a number.
    assert_eq!(
        get("small", "tags"),
        some(r#"{"team":"ci","version":"1.10"}"#)
    );
    assert_eq!(get("fallback", "instance-type"), Ok(None));
    let account = resolved(FILE_OF_A_TEAM, "arm").map(|inputs| inputs.account().cloned());
    assert_eq!(account, Ok("012345678901".parse().ok()));
    insta::assert_snapshot!(
        "an_unknown_runner",
        get("smal", "spot").err().unwrap_or_default()
    );
}

#[test]
fn every_place_is_found() -> Result<(), String> {
    let text = FILE_OF_A_TEAM;
    let file = ProfileFile::parse(text).map_err(|errors| messages(&errors))?;
    for (path, shown) in [
        (&["aws", "region"][..], "eu-central-1"),
        (&["aws", "account"], "\"012345678901\""),
        (&["defaults", "spot"], "auto"),
        (&["defaults", "tags", "version"], "1.10"),
        (&["runners", "small", "root-size"], "40"),
        (&["runners", "fallback", "labels"], "\"a, b\""),
        (&["runners", "mixed", "setup"], "echo one"),
    ] {
        let path = keys(path);
        let found = file.at(&path).map(|node| file.span(node));
        let found = found.and_then(|span| text.get(span));
        assert_eq!(found, Some(shown), "{path:?}");
        let Some(Step::Key(last)) = path.last() else {
            unreachable!("every path here ends in a key")
        };
        let key = file
            .key_at(&path)
            .and_then(|key| text.get(key.span.clone()));
        assert_eq!(key, Some(last.as_str()), "{path:?}");
    }
    assert!(file.at(&keys(&["runners", "huge"])).is_none());
    Ok(())
}

#[test]
fn bombs_do_not_go_off() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let before = format!("*a{}, ", level - 1).repeat(10);
        bomb.push_str(&format!("a{level}: &a{level} [{before}]\n"));
    }
    assert!(verdict(&bomb).is_err_and(|e| e.contains("YAML")));
    let mut wide = format!("runners:\n  a: &a {{ labels: [{}] }}\n", "x, ".repeat(900));
    for n in 0..900 {
        wide.push_str(&format!("  b{n}: *a\n"));
    }
    assert!(verdict(&wide).is_err_and(|e| e.contains("at most 5000 values")));
    let deep = format!("runners: {}x", "[".repeat(10_000));
    assert!(verdict(&deep).is_err());
    let large = format!("runners: {{ a: {{ setup: {} }} }}", "x".repeat(70_000));
    assert!(verdict(&large).is_err_and(|e| e.contains("at most 64 KiB")));
}

#[test]
fn long_chains_end() {
    let chain = |links: usize, is_forward: bool| {
        let mut names: Vec<String> = (0..links)
            .map(|n| format!("  r{n}: {{ extend: r{} }}\n", n + 1))
            .collect();
        names.push(format!("  r{links}: {{ spot: auto }}\n"));
        if !is_forward {
            names.reverse();
        }
        verdict(&format!("runners:\n{}", names.concat()))
    };
    for is_forward in [true, false] {
        assert_eq!(chain(20, is_forward), Ok(()));
        assert!(chain(800, is_forward).is_err_and(|e| e.contains("at most 32 runners")));
    }
    // Each runner extends the next one twice: put together once each, and not 2^20 times.
    let mut twice = String::new();
    for n in 0..20 {
        twice.push_str(&format!("  r{n}: {{ extend: [r{0}, r{0}] }}\n", n + 1));
    }
    assert_eq!(
        verdict(&format!("runners:\n{twice}  r20: {{ spot: auto }}\n")),
        Ok(())
    );
}

/// Every file in the book's page is a good one.
#[test]
fn the_books_examples_are_good() {
    let page = include_str!("../../../docs/src/profiles.md");
    let blocks = page.split("```yaml\n").skip(1);
    let files: Vec<&str> = blocks
        .filter_map(|block| block.split("```").next())
        .filter(|block| block.contains("\nrunners:"))
        .collect();
    assert!(!files.is_empty());
    for file in files {
        assert_eq!(verdict(file), Ok(()), "{file}");
    }
}
