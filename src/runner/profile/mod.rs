//! `.github/sprinters.yml`: named runners, so that workflows need not repeat what they are made of.
//!
//! ```yaml
//! defaults: { spot: auto }
//! aws: { region: eu-central-1, account: "123456789012" }
//! runners:
//!   small: { instance-type: m7i.large }
//!   big: { extend: small, instance-type: [m7i.4xlarge, m7a.4xlarge] }
//! ```
//!
//! The keys are those of the inputs, and so are the values' parsers: a runner becomes values of inputs, below those that were
//! given.

mod check;
mod extend;
mod keys;
mod locate;
mod node;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::inputs::{Input, InputError, Layer, Placed, Source, SourceSpan};
use crate::values::account::AccountId;
use crate::values::list::closest;
use keys::{ACCOUNT, Section};
use locate::{Path, Step};
use node::Node;

/// Where the file is in a repository.
pub(crate) const FILE: &str = ".github/sprinters.yml";

/// A profile file whose structure is sound: known keys, values of the right shape, no circles. What the values say is for the
/// inputs' parsers.
#[derive(Debug)]
pub(crate) struct ProfileFile {
    source: Arc<Source>,
    root: Node,
}

impl ProfileFile {
    /// Reads the whole file; each error points to its place.
    pub(crate) fn parse(text: &str) -> Result<Self, Vec<InputError>> {
        let source = Arc::new(Source {
            name: FILE.to_owned(),
            text: text.to_owned(),
        });
        let root = Node::read(text).map_err(|unreadable| {
            let accepted = format!("it cannot be read as YAML: {}", unreadable.why);
            let place = unreadable.at.map(|(line, column)| {
                let start = locate::offset(text, line, column);
                SourceSpan::new(&source, start..start + 1)
            });
            vec![InputError::new(FILE, &accepted).at(place)]
        })?;
        let file = Self { source, root };
        let mut wrong = check::structure(&file);
        wrong.extend(extend::circles(&file));
        if wrong.is_empty() {
            Ok(file)
        } else {
            Err(wrong)
        }
    }

    /// The runner of that name as values of inputs.
    pub(crate) fn layer(&self, name: &str) -> Result<Layer, InputError> {
        if self.runner(name).is_none() {
            let names: Vec<&str> = self.runners().map(|(name, _)| name).collect();
            let hint = match closest(name, &["sprinters"]) {
                Some(_) => "; a label begins with `sprinters:aws:`",
                None => "",
            };
            let accepted = format!("{}{hint}", accepted_names(name, &names));
            return Err(InputError::wrong("runner", name, &accepted));
        }
        Ok(self.layer_of(extend::resolved(self, name)))
    }

    /// What the file says of whom to ask, without a runner.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn shared(&self) -> Layer {
        self.layer_of(Values::new())
    }

    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn has(&self, name: &str) -> bool {
        self.runner(name).is_some()
    }

    /// The runners for which this input has a value.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn names_with(&self, input: &str) -> Vec<String> {
        self.runners()
            .filter(|(name, _)| extend::resolved(self, name).contains_key(input))
            .map(|(name, _)| name.to_owned())
            .collect()
    }

    fn layer_of<'a>(&'a self, mut values: Values<'a>) -> Layer {
        let mut layer = Layer::default();
        for section in [Section::Aws, Section::Github] {
            values.extend(self.values(section, &[Step::Key(section.name().to_owned())]));
        }
        for (input, (node, path)) in values {
            let text = self.text(node, &path);
            let place = self.place(self.span(node, &path));
            let entries = self.entries(node, &path);
            let placed = Placed {
                text,
                place,
                entries,
            };
            layer.values.insert(input, placed);
        }
        layer.account = self.account();
        layer
    }

    /// A list's entries, each with its own place.
    fn entries(&self, node: &Node, path: &[Step]) -> Vec<(String, SourceSpan)> {
        let Node::List(nodes) = node else {
            return Vec::new();
        };
        let paths = (0..nodes.len()).map(|index| inside(path, index));
        let entry = |(node, path): (&Node, Path)| {
            let place = self.place(locate::value(&self.source.text, &path));
            (self.text(node, &path), place)
        };
        nodes.iter().zip(paths).map(entry).collect()
    }

    fn account(&self) -> Option<AccountId> {
        let path = keys(&["aws", ACCOUNT]);
        let node = self.at(&path)?;
        self.text(node, &path).parse().ok()
    }

    /// The section's keys that are inputs, with their values.
    fn values(&self, section: Section, path: &[Step]) -> Values<'_> {
        let entries = self.at(path).map_or(&[][..], Node::entries);
        let known = |key: &str| section.inputs().find(|(known, _)| *known == key);
        entries
            .iter()
            .filter_map(|(key, node)| {
                let (_, input) = known(key)?;
                Some((input.name, (node, below(path, key))))
            })
            .collect()
    }

    fn runners(&self) -> impl Iterator<Item = (&str, &Node)> {
        let runners = self.at(&keys(&["runners"]));
        let entries = runners.map_or(&[][..], Node::entries);
        entries.iter().map(|(name, node)| (name.as_str(), node))
    }

    fn runner(&self, name: &str) -> Option<&Node> {
        Some(self.runners().find(|(known, _)| *known == name)?.1)
    }

    fn at(&self, path: &[Step]) -> Option<&Node> {
        path.iter().try_fold(&self.root, |node, step| match step {
            Step::Key(key) => node.get(key),
            Step::Index(index) => match node {
                Node::List(nodes) => nodes.get(*index),
                _ => None,
            },
        })
    }

    /// The value as its input writes it.
    fn text(&self, node: &Node, path: &[Step]) -> String {
        match node {
            Node::Map(_) => self.json(node, path).to_string(),
            Node::List(nodes) if nodes.iter().any(|node| matches!(node, Node::Map(_))) => {
                self.json(node, path).to_string()
            }
            Node::List(nodes) => {
                let texts = nodes.iter().enumerate();
                let texts = texts.map(|(index, node)| self.text(node, &inside(path, index)));
                texts.collect::<Vec<_>>().join("\n")
            }
            // `1.10` is not 1.1: as it is written.
            Node::Number(number) => {
                let written = locate::value(&self.source.text, path);
                let written = written.and_then(|span| self.source.text.get(span));
                written.unwrap_or(number).to_owned()
            }
            other => other.scalar().unwrap_or_default(),
        }
    }

    fn json(&self, node: &Node, path: &[Step]) -> serde_json::Value {
        match node {
            Node::Map(entries) => entries
                .iter()
                .map(|(key, node)| (key.clone(), self.json(node, &below(path, key))))
                .collect(),
            Node::List(nodes) => {
                let nodes = nodes.iter().enumerate();
                nodes
                    .map(|(index, node)| self.json(node, &inside(path, index)))
                    .collect()
            }
            other => self.text(other, path).into(),
        }
    }

    /// Where a value stands: a list from its first entry to its last.
    fn span(&self, node: &Node, path: &[Step]) -> Option<std::ops::Range<usize>> {
        let text = &self.source.text;
        match node {
            Node::List(nodes) if !nodes.is_empty() => {
                locate::between(text, &inside(path, 0), &inside(path, nodes.len() - 1))
            }
            _ => locate::value(text, path),
        }
    }

    fn place(&self, span: Option<std::ops::Range<usize>>) -> SourceSpan {
        SourceSpan::new(&self.source, span.unwrap_or(0..0))
    }

    /// A value that does not fit its key.
    fn wrong_value(&self, path: &[Step], accepted: &str) -> InputError {
        let node = self.at(path).unwrap_or(&Node::Null);
        let span = self.span(node, path);
        let shown = match node {
            Node::Null => Some(""),
            Node::List(_) => Some("[…]"),
            Node::Map(_) => Some("{…}"),
            _ => span.clone().and_then(|span| self.source.text.get(span)),
        };
        InputError::wrong(&dotted(path), shown.unwrap_or_default(), accepted)
            .at(Some(self.place(span)))
    }

    /// A secret that does not belong into the file: its line is named, and not shown.
    fn secret(&self, path: &[Step], input: &Input) -> InputError {
        let place = self.place(locate::key(&self.source.text, path));
        let why = format!(
            "no secrets, because everyone who reads the repository sees them; take this one out, make it invalid where it came \
             from, and pass a new one as the input `{}`",
            input.name
        );
        InputError::new(&place.to_string(), &why)
    }

    /// A key that does not belong where it stands.
    fn wrong_key(&self, path: &[Step], accepted: &str) -> InputError {
        let (last, parent) = path
            .split_last()
            .map_or((String::new(), &[][..]), |(last, parent)| {
                (dotted(std::slice::from_ref(last)), parent)
            });
        let parent = if parent.is_empty() {
            FILE.to_owned()
        } else {
            dotted(parent)
        };
        let span = locate::key(&self.source.text, path);
        InputError::wrong(&parent, &last, accepted).at(Some(self.place(span)))
    }
}

impl Node {
    fn entries(&self) -> &[(String, Node)] {
        match self {
            Self::Map(entries) => entries,
            _ => &[],
        }
    }

    fn get(&self, key: &str) -> Option<&Node> {
        let mut entries = self.entries().iter();
        entries
            .find(|(known, _)| known == key)
            .map(|(_, node)| node)
    }
}

/// Values by the input that they are of, and where they stand.
type Values<'a> = BTreeMap<&'static str, (&'a Node, Path)>;

fn keys(names: &[&str]) -> Path {
    names
        .iter()
        .map(|name| Step::Key((*name).to_owned()))
        .collect()
}

fn below(path: &[Step], key: &str) -> Path {
    [path, &[Step::Key(key.to_owned())]].concat()
}

fn inside(path: &[Step], index: usize) -> Path {
    [path, &[Step::Index(index)]].concat()
}

/// `runners.big.spot`, for messages; an entry of a list goes by the list's name.
fn dotted(path: &[Step]) -> String {
    let names = path.iter().filter_map(|step| match step {
        Step::Key(key) => Some(key.as_str()),
        Step::Index(_) => None,
    });
    names.collect::<Vec<_>>().join(".")
}

fn accepted_names(name: &str, names: &[&str]) -> String {
    const LISTED: usize = 12;
    let mut listed: Vec<String> = names
        .iter()
        .take(LISTED)
        .map(|name| format!("`{name}`"))
        .collect();
    if names.len() > LISTED {
        listed.push("…".to_owned());
    }
    let hint = match closest(name, names) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => String::new(),
    };
    format!("a runner of `{FILE}`: {}{hint}", listed.join(", "))
}
