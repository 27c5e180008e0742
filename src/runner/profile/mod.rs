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
mod path;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::inputs::{Input, InputError, Layer, Placed, Source, SourceSpan};
use crate::values::account::AccountId;
use crate::values::list::closest;
use crate::yaml::{self, Node, Rules, Unreadable, Value};
use keys::{ACCOUNT, Section};
use path::{Step, dotted, keys};

/// Where the file is in a repository.
pub(crate) const FILE: &str = ".github/sprinters.yml";

/// No profile file of people is larger; generated ones have no business here.
const LARGEST: usize = 64 * 1024;
const RULES: Rules = Rules {
    deepest: 6,
    most: 5_000,
    is_data: true,
};

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
        if text.len() > LARGEST {
            let accepted = format!("at most {} KiB", LARGEST / 1024);
            return Err(vec![InputError::new(FILE, &accepted)]);
        }
        let root = match Node::parse(text, RULES) {
            Ok(Some(root)) => root,
            Ok(None) => {
                let place = SourceSpan::new(&source, 0..0);
                let accepted = check::A_MAPPING;
                return Err(vec![InputError::new(FILE, accepted).at(Some(place))]);
            }
            Err(unreadable) => return Err(vec![cannot_be_read(&source, &unreadable)]),
        };
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
        for (input, node) in values {
            let placed = Placed {
                text: text(node),
                place: self.place(self.span(node)),
                entries: self.entries(node),
            };
            layer.values.insert(input, placed);
        }
        layer.account = self.account();
        layer
    }

    /// A list's entries, each with its own place.
    fn entries(&self, node: &Node) -> Vec<(String, SourceSpan)> {
        let nodes = node.sequence().unwrap_or_default();
        let entry = |node: &Node| (text(node), self.place(self.span(node)));
        nodes.iter().map(entry).collect()
    }

    fn account(&self) -> Option<AccountId> {
        let node = self.at(&keys(&["aws", ACCOUNT]))?;
        text(node).parse().ok()
    }

    /// The section's keys that are inputs, with their values.
    fn values(&self, section: Section, path: &[Step]) -> Values<'_> {
        let entries = self.at(path).map_or(&[][..], Node::entries);
        let known = |key: &str| section.inputs().find(|(known, _)| *known == key);
        entries
            .iter()
            .filter_map(|(key, node)| {
                let (_, input) = known(key.scalar()?)?;
                Some((input.name, node))
            })
            .collect()
    }

    fn runners(&self) -> impl Iterator<Item = (&str, &Node)> {
        let runners = self.at(&keys(&["runners"]));
        let entries = runners.map_or(&[][..], Node::entries);
        entries
            .iter()
            .filter_map(|(name, node)| Some((name.scalar()?, node)))
    }

    fn runner(&self, name: &str) -> Option<&Node> {
        Some(self.runners().find(|(known, _)| *known == name)?.1)
    }

    fn at(&self, path: &[Step]) -> Option<&Node> {
        path.iter().try_fold(&self.root, |node, step| match step {
            Step::Key(key) => node.get(key),
            Step::Index(index) => node.sequence()?.get(*index),
        })
    }

    /// The last key of a path.
    fn key_at(&self, path: &[Step]) -> Option<&Node> {
        match path.split_last()? {
            (Step::Key(key), parent) => Some(&self.at(parent)?.entry(key)?.0),
            (Step::Index(_), _) => None,
        }
    }

    /// What a message shows of a value: a block sequence from its first item to its last, of anything else at most a line.
    fn span(&self, node: &Node) -> Range<usize> {
        let text = &self.source.text;
        match node.sequence() {
            Some([first, .., last]) if !node.is_flow(text) => first.span.start..last.span.end,
            _ => {
                let shown = text.get(node.span.clone()).unwrap_or_default();
                let line = shown.lines().next().unwrap_or_default();
                node.span.start..node.span.start + line.trim_end().len().max(1)
            }
        }
    }

    fn place(&self, span: Range<usize>) -> SourceSpan {
        SourceSpan::new(&self.source, span)
    }

    /// The beginning of the file, for what is missing in it.
    fn beginning(&self) -> SourceSpan {
        self.place(0..0)
    }

    /// A value that does not fit its key.
    fn wrong_value(&self, path: &[Step], accepted: &str) -> InputError {
        let Some(node) = self.at(path) else {
            return InputError::wrong(&dotted(path), "", accepted).at(Some(self.beginning()));
        };
        let span = self.span(node);
        let shown = match node.value() {
            Value::Null => "",
            Value::Sequence(_) => "[…]",
            Value::Mapping(_) => "{…}",
            Value::Scalar(_) => self.source.text.get(span.clone()).unwrap_or_default(),
        };
        InputError::wrong(&dotted(path), shown, accepted).at(Some(self.place(span)))
    }

    /// A secret that does not belong into the file: its line is named, and not shown.
    fn secret(&self, path: &[Step], input: &Input) -> InputError {
        let place = self.key_place(path);
        let why = format!(
            "no secrets, because everyone who reads the repository sees them; take this one out, make it invalid where it came \
             from, and pass a new one as the input `{}`",
            input.name
        );
        InputError::new(&place.to_string(), &why)
    }

    fn key_place(&self, path: &[Step]) -> SourceSpan {
        let key = self.key_at(path);
        self.place(key.map_or(0..0, |key| self.span(key)))
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
        InputError::wrong(&parent, &last, accepted).at(Some(self.key_place(path)))
    }
}

fn cannot_be_read(source: &Arc<Source>, unreadable: &Unreadable) -> InputError {
    let hint = match unreadable.why.as_str() {
        yaml::MERGE_KEY => "; `extend` takes what another runner says",
        _ => "",
    };
    let accepted = format!("it cannot be read as YAML: {}{hint}", unreadable.why);
    let place = SourceSpan::new(source, unreadable.at..unreadable.at + 1);
    InputError::new(FILE, &accepted).at(Some(place))
}

/// A value as its input writes it.
fn text(node: &Node) -> String {
    match node.value() {
        Value::Null => String::new(),
        Value::Scalar(text) => text.into_owned(),
        Value::Sequence(nodes) if nodes.iter().all(|node| node.mapping().is_none()) => {
            nodes.iter().map(text).collect::<Vec<_>>().join("\n")
        }
        Value::Sequence(_) | Value::Mapping(_) => json(node).to_string(),
    }
}

fn json(node: &Node) -> serde_json::Value {
    match node.value() {
        Value::Mapping(entries) => entries
            .iter()
            .map(|(key, node)| (text(key), json(node)))
            .collect(),
        Value::Sequence(nodes) => nodes.iter().map(json).collect(),
        Value::Null | Value::Scalar(_) => text(node).into(),
    }
}

/// Values by the input that they are of.
type Values<'a> = BTreeMap<&'static str, &'a Node>;

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
