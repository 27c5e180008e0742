//! Whether every key is known where it stands, and every value has its key's shape.

use super::keys::{ACCOUNT, EXTEND, Section, Shape, shape};
use super::locate::{Path, Step};
use super::node::Node;
use super::{FILE, ProfileFile, accepted_names, below, dotted, inside, keys};
use crate::inputs::{INPUTS, Input, InputError};
use crate::values::account::AccountId;
use crate::values::list::closest;

/// The keys of the file itself.
pub(super) const ROOT: [&str; 4] = ["defaults", "runners", "aws", "github"];
/// So many errors are told; more help nobody.
const TOLD: usize = 20;
const LONGEST_NAME: usize = 64;

/// Everything that is wrong with the file's structure but circles.
pub(super) fn structure(file: &ProfileFile) -> Vec<InputError> {
    let mut wrong = Vec::new();
    match &file.root {
        Node::Map(entries) => {
            for (key, _) in entries {
                root_key(file, key, &mut wrong);
            }
        }
        _ => {
            wrong.push(InputError::new(FILE, "a mapping with `runners`").at(Some(file.place(None))))
        }
    }
    if wrong.is_empty() && file.runners().next().is_none() {
        let path = keys(&["runners"]);
        let accepted = "at least one named runner, such as `small: { instance-type: m7i.large }`";
        wrong.push(match file.at(&path) {
            Some(_) => file.wrong_value(&path, accepted),
            None => InputError::new(FILE, "it has no `runners`").at(Some(file.place(None))),
        });
    }
    wrong.truncate(TOLD);
    wrong
}

fn root_key(file: &ProfileFile, key: &str, wrong: &mut Vec<InputError>) {
    let path = keys(&[key]);
    match key {
        "defaults" => section(file, Section::Runner, &path, wrong),
        "aws" => section(file, Section::Aws, &path, wrong),
        "github" => section(file, Section::Github, &path, wrong),
        "runners" => {
            if !matches!(file.at(&path), Some(Node::Map(_) | Node::Null)) {
                let accepted =
                    "a mapping of names to runners, such as `small: { instance-type: m7i.large }`";
                wrong.push(file.wrong_value(&path, accepted));
            }
            for (name, _) in file.runners() {
                let path = below(&path, name);
                runner_name(file, name, &path, wrong);
                section(file, Section::Runner, &path, wrong);
            }
        }
        other => {
            let listed = "`defaults`, `runners`, `aws` or `github`";
            let accepted = match (closest(other, &ROOT), place_of(other)) {
                (Some(near), _) => format!("{listed}; did you mean `{near}`?"),
                (None, Some(place)) => format!("{listed}; it belongs below {place}"),
                (None, None) => format!("{listed}; runners have their names below `runners`"),
            };
            wrong.push(file.wrong_key(&path, &accepted));
        }
    }
}

fn runner_name(file: &ProfileFile, name: &str, path: &Path, wrong: &mut Vec<InputError>) {
    let fits = (1..=LONGEST_NAME).contains(&name.len())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        && name != crate::runner::label::PREFIX;
    if !fits {
        let accepted = format!(
            "names of letters, digits, `.`, `_` and `-`, at most {LONGEST_NAME}, and not `sprinters`, with which labels begin"
        );
        wrong.push(file.wrong_key(path, &accepted));
    }
}

fn section(file: &ProfileFile, section: Section, path: &Path, wrong: &mut Vec<InputError>) {
    let entries = match file.at(path) {
        Some(Node::Map(entries)) => entries,
        // A runner that is nothing but the defaults.
        Some(Node::Null) | None => return,
        Some(_) => {
            wrong.push(file.wrong_value(
                path,
                "a mapping of keys to values, such as `instance-type: m7i.large`",
            ));
            return;
        }
    };
    let is_runner = path.len() == 2;
    for (key, node) in entries {
        let path = below(path, key);
        if let Some(input) = secret(section, key) {
            wrong.push(file.secret(&path, input));
            continue;
        }
        match (section, key.as_str()) {
            (Section::Runner, EXTEND) if is_runner => extend(file, node, &path, wrong),
            (Section::Aws, ACCOUNT) => account(file, node, &path, wrong),
            _ => match section.inputs().find(|(known, _)| known == key) {
                Some((_, input)) => {
                    if let Some(accepted) = misshapen(node, shape(input)) {
                        wrong.push(file.wrong_value(&path, accepted));
                    }
                }
                None => wrong.push(file.wrong_key(&path, &known_keys(section, &path, is_runner))),
            },
        }
    }
}

/// The secret input that a key is meant as, by its own name or by the section's.
fn secret(section: Section, key: &str) -> Option<&'static Input> {
    let is_meant = |input: &&Input| {
        input.secret
            && (input.name == key
                || (Section::of(input) == Some(section) && section.key(input) == key))
    };
    INPUTS.iter().find(is_meant)
}

/// What would fit, where the value's shape does not.
fn misshapen(node: &Node, shape: Shape) -> Option<&'static str> {
    let is_scalar = |node: &Node| node.scalar().is_some_and(|text| !text.trim().is_empty());
    let pairs = |node: &Node| matches!(node, Node::Map(entries) if !entries.is_empty() && entries.iter().all(|(_, node)| node.scalar().is_some()));
    match (node, shape) {
        (Node::Null, _) => Some("a value; without one, leave the key out to get the default"),
        (node, Shape::Scalar) => (!is_scalar(node)).then_some("one value, no list and no mapping"),
        (Node::List(nodes), Shape::List) => {
            (nodes.is_empty() || !nodes.iter().all(is_scalar)).then_some("a list of plain values")
        }
        (node, Shape::List) => (!is_scalar(node)).then_some("one value or a list of them"),
        (Node::List(nodes), Shape::Tags) => {
            (nodes.is_empty() || !nodes.iter().all(pairs)).then_some("tags such as `team: ci`")
        }
        (node, Shape::Tags) => {
            (!pairs(node) && !is_scalar(node)).then_some("tags such as `team: ci`")
        }
    }
}

fn extend(file: &ProfileFile, node: &Node, path: &Path, wrong: &mut Vec<InputError>) {
    let names: Vec<&str> = file.runners().map(|(name, _)| name).collect();
    let mut one = |node: &Node, path: &[Step]| {
        let known = node
            .scalar()
            .is_some_and(|name| names.contains(&name.as_str()));
        if !known {
            let name = node.scalar().unwrap_or_default();
            wrong.push(file.wrong_value(path, &accepted_names(&name, &names)));
        }
    };
    match node {
        Node::List(nodes) if !nodes.is_empty() => {
            for (index, node) in nodes.iter().enumerate() {
                one(node, &inside(path, index));
            }
        }
        node => one(node, path),
    }
}

fn account(file: &ProfileFile, node: &Node, path: &Path, wrong: &mut Vec<InputError>) {
    let read = file.text(node, path).parse::<AccountId>();
    let accepted = match node {
        Node::Text(_) | Node::Number(_) => read.err(),
        _ => Some("an AWS account id: 12 digits, such as `\"123456789012\"`".to_owned()),
    };
    if let Some(accepted) = accepted {
        wrong.push(file.wrong_value(path, &accepted));
    }
}

/// The keys that a section has, the nearest to a misspelt one, or where it belongs.
fn known_keys(section: Section, path: &[Step], is_runner: bool) -> String {
    let (parent, key) = match path {
        [parent @ .., Step::Key(key)] => (dotted(parent), key.as_str()),
        _ => return String::new(),
    };
    let inputs = section.inputs().filter(|(_, input)| !input.secret);
    let mut known: Vec<&str> = inputs.map(|(key, _)| key).collect();
    match section {
        Section::Runner if is_runner => known.push(EXTEND),
        Section::Aws => known.push(ACCOUNT),
        _ => {}
    }
    let base = format!("the keys of `{parent}`");
    if let Some(place) = place_of(key) {
        return format!("{base}; `{key}` belongs below {place}");
    }
    if let Some(near) = closest(key, &known) {
        return format!("{base}; did you mean `{near}`?");
    }
    let listed: Vec<String> = known.iter().map(|key| format!("`{key}`")).collect();
    format!("{base}: {}", listed.join(", "))
}

/// Where something that has the name of an input belongs.
fn place_of(key: &str) -> Option<String> {
    if key == ACCOUNT || key == EXTEND {
        let section = if key == ACCOUNT {
            Section::Aws
        } else {
            Section::Runner
        };
        return Some(format!("`{}`", section.name()));
    }
    let input = INPUTS.iter().find(|input| input.name == key)?;
    let section = Section::of(input)?;
    let own = section.key(input);
    Some(if own == key {
        format!("`{}`", section.name())
    } else {
        format!("`{}` as `{own}`", section.name())
    })
}
