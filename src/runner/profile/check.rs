//! Whether every key is known where it stands, and every value has its key's shape.

use super::keys::{ACCOUNT, EXTEND, Section, Shape, shape};
use super::path::{Path, Step, below, dotted, inside, keys};
use super::{FILE, ProfileFile, accepted_names};
use crate::inputs::{INPUTS, Input, InputError};
use crate::values::account::AccountId;
use crate::values::list::closest;
use crate::yaml::{Node, Value};

/// The keys of the file itself.
pub(super) const ROOT: [&str; 4] = ["defaults", "runners", "aws", "github"];
/// What the file is.
pub(super) const A_MAPPING: &str = "a mapping with `runners`";
/// So many errors are reported; more help nobody.
const TOLD: usize = 20;
const LONGEST_NAME: usize = 64;

/// Everything that is wrong with the file's structure but circles.
pub(super) fn structure(file: &ProfileFile) -> Vec<InputError> {
    let mut wrong = Vec::new();
    match file.root.mapping() {
        Some(entries) => {
            for key in entries.iter().filter_map(|(key, _)| key.scalar()) {
                root_key(file, key, &mut wrong);
            }
        }
        None => wrong.push(InputError::new(FILE, A_MAPPING).at(Some(file.beginning()))),
    }
    if wrong.is_empty() && file.runners().next().is_none() {
        let path = keys(&["runners"]);
        let accepted = "at least one named runner, such as `small: { instance-type: m7i.large }`";
        wrong.push(match file.at(&path) {
            Some(_) => file.wrong_value(&path, accepted),
            None => InputError::new(FILE, "it has no `runners`").at(Some(file.beginning())),
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
            if !is_mapping_or_null(file.at(&path)) {
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

fn is_mapping_or_null(node: Option<&Node>) -> bool {
    node.is_some_and(|node| node.is_null() || node.mapping().is_some())
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
    let Some(node) = file.at(path) else { return };
    // A runner of null is nothing but the defaults.
    if !is_mapping_or_null(Some(node)) {
        let accepted = "a mapping of keys to values, such as `instance-type: m7i.large`";
        wrong.push(file.wrong_value(path, accepted));
    }
    let is_runner = path.len() == 2;
    for (key, node) in node.entries() {
        let key = key.scalar().unwrap_or_default();
        let path = below(path, key);
        if let Some(input) = secret(section, key) {
            wrong.push(file.secret(&path, input));
            continue;
        }
        match (section, key) {
            (Section::Runner, EXTEND) if is_runner => extend(file, node, &path, wrong),
            (Section::Aws, ACCOUNT) => account(file, node, &path, wrong),
            _ => match section.inputs().find(|(known, _)| *known == key) {
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
    let is_scalar = |node: &Node| node.text().is_some_and(|text| !text.trim().is_empty());
    let is_pairs = |node: &Node| {
        let entries = node.entries();
        !entries.is_empty() && entries.iter().all(|(_, node)| node.text().is_some())
    };
    let all =
        |nodes: &[Node], fits: &dyn Fn(&Node) -> bool| !nodes.is_empty() && nodes.iter().all(fits);
    let (fits, accepted) = match (node.value(), shape) {
        (Value::Null, _) => {
            let accepted = "a value; without one, leave the key out to get the default";
            (false, accepted)
        }
        (_, Shape::Scalar) => (is_scalar(node), "a single value, not a list or a mapping"),
        (Value::Sequence(nodes), Shape::List) => (all(nodes, &is_scalar), "a list of plain values"),
        (_, Shape::List) => (is_scalar(node), "one value or a list of them"),
        (Value::Sequence(nodes), Shape::Tags) => (all(nodes, &is_pairs), "tags such as `team: ci`"),
        (_, Shape::Tags) => (is_pairs(node) || is_scalar(node), "tags such as `team: ci`"),
    };
    (!fits).then_some(accepted)
}

fn extend(file: &ProfileFile, node: &Node, path: &Path, wrong: &mut Vec<InputError>) {
    let names: Vec<&str> = file.runners().map(|(name, _)| name).collect();
    let mut one = |node: &Node, path: &[Step]| {
        let name = node.text().unwrap_or_default();
        if !names.contains(&name.as_ref()) {
            wrong.push(file.wrong_value(path, &accepted_names(&name, &names)));
        }
    };
    match node.sequence() {
        Some(nodes) if !nodes.is_empty() => {
            for (index, node) in nodes.iter().enumerate() {
                one(node, &inside(path, index));
            }
        }
        _ => one(node, path),
    }
}

fn account(file: &ProfileFile, node: &Node, path: &Path, wrong: &mut Vec<InputError>) {
    let accepted = match node.text() {
        Some(text) => text.parse::<AccountId>().err(),
        None => Some("an AWS account id: 12 digits, such as `\"123456789012\"`".to_owned()),
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
