//! YAML as a small tree, read with care: bounded in size and depth, each key once.

use std::cell::Cell;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, EnumAccess, Error, MapAccess, SeqAccess, Visitor};

/// No profile file of people is larger; generated ones have no business here.
const LARGEST: usize = 64 * 1024;
/// How many values aliases may make of so little text.
const MOST_VALUES: u32 = 5_000;
const DEEPEST: u8 = 6;

/// A YAML value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    /// As YAML understands it; how it is written is told by its place.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// What keeps the file from being read, and where where that is known: line and column, counted from 1.
#[derive(Debug)]
pub(super) struct Unreadable {
    pub why: String,
    pub at: Option<(usize, usize)>,
}

impl Node {
    pub(super) fn read(text: &str) -> Result<Self, Unreadable> {
        if text.len() > LARGEST {
            let why = format!("at most {} KiB", LARGEST / 1024);
            return Err(Unreadable { why, at: None });
        }
        let left = Cell::new(MOST_VALUES);
        let seed = Seed {
            left: &left,
            depth: DEEPEST,
        };
        seed.deserialize(serde_yaml::Deserializer::from_str(text))
            .map_err(|error| Unreadable::from_yaml(&error))
    }

    /// A scalar as the text of an input.
    pub(super) fn scalar(&self) -> Option<String> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text.clone()),
            Self::Bool(flag) => Some(flag.to_string()),
            Self::Null | Self::List(_) | Self::Map(_) => None,
        }
    }
}

impl Unreadable {
    fn from_yaml(error: &serde_yaml::Error) -> Self {
        let text = error.to_string();
        // The place is shown, not told.
        let why = text.split(" at line ").next().unwrap_or(&text).to_owned();
        let at = error.location().map(|at| (at.line(), at.column()));
        Self { why, at }
    }
}

#[derive(Clone, Copy)]
struct Seed<'a> {
    left: &'a Cell<u32>,
    depth: u8,
}

impl<'a> Seed<'a> {
    fn inside<E: Error>(self) -> Result<Seed<'a>, E> {
        let depth = self.depth.checked_sub(1);
        let depth = depth.ok_or_else(|| E::custom("nothing here is nested that deep"))?;
        Ok(Seed { depth, ..self })
    }

    fn count<E: Error>(self) -> Result<(), E> {
        let left = self.left.get().checked_sub(1);
        let left = left.ok_or_else(|| E::custom(format!("at most {MOST_VALUES} values")))?;
        self.left.set(left);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        self.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, a flag, a list or a mapping")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Node, E> {
        Ok(Node::Bool(flag))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Number(number.to_string()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Number(number.to_string()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Node, E> {
        Ok(Node::Number(number.to_string()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _: A) -> Result<Node, A::Error> {
        Err(A::Error::custom("values have no tags such as `!x` here"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let inside = self.inside()?;
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element_seed(inside)? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let inside = self.inside()?;
        let mut nodes: Vec<(String, Node)> = Vec::new();
        while let Some(key) = map.next_key_seed(Key { before: &nodes })? {
            self.count()?;
            let node = map.next_value_seed(inside)?;
            nodes.push((key, node));
        }
        Ok(Node::Map(nodes))
    }
}

/// A key that does not stand in the mapping yet.
struct Key<'a> {
    before: &'a [(String, Node)],
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        if text == "<<" {
            return Err(E::custom(
                "no merge keys: `extend` takes what another runner says",
            ));
        }
        if self.before.iter().any(|(key, _)| key == text) {
            return Err(E::custom(format!("each key once; `{text}` stands twice")));
        }
        Ok(text.to_owned())
    }
}
