//! Runners that take what others say: in the order in which `extend` lists them, then their own.

use std::collections::BTreeMap;

use super::keys::{EXTEND, Section};
use super::path::{Path, Step, below, inside, keys};
use super::{ProfileFile, Values};
use crate::inputs::InputError;

/// Longer chains nobody follows, and none must follow us down the stack.
const LONGEST_CHAIN: usize = 32;

/// The names that a runner extends, and where each stands.
fn parents<'a>(file: &'a ProfileFile, name: &str) -> Vec<(&'a str, Path)> {
    let path = keys(&["runners", name, EXTEND]);
    let Some(node) = file.at(&path) else {
        return Vec::new();
    };
    match node.sequence() {
        Some(nodes) => {
            let entries = nodes.iter().enumerate();
            entries
                .filter_map(|(index, node)| Some((node.scalar()?, inside(&path, index))))
                .collect()
        }
        None => node.scalar().map(|name| (name, path)).into_iter().collect(),
    }
}

/// Every circle once, at the `extend` that closes it; and chains that are too long.
pub(super) fn circles(file: &ProfileFile) -> Vec<InputError> {
    let mut walk = Walk {
        file,
        chain: Vec::new(),
        depths: BTreeMap::new(),
        wrong: Vec::new(),
    };
    for (name, _) in file.runners() {
        walk.depth(name);
    }
    walk.wrong
}

struct Walk<'a> {
    file: &'a ProfileFile,
    /// Who extends whom, on the way to where the walk is.
    chain: Vec<&'a str>,
    /// How many runners each leads to, itself included.
    depths: BTreeMap<&'a str, usize>,
    wrong: Vec<InputError>,
}

impl<'a> Walk<'a> {
    fn depth(&mut self, name: &'a str) -> usize {
        if let Some(depth) = self.depths.get(name) {
            return *depth;
        }
        let mut deepest = 0;
        self.chain.push(name);
        for (parent, path) in parents(self.file, name) {
            deepest = deepest.max(self.depth_of_parent(parent, &path));
        }
        self.chain.pop();
        self.depths.insert(name, deepest + 1);
        deepest + 1
    }

    fn depth_of_parent(&mut self, parent: &'a str, path: &[Step]) -> usize {
        let accepted = if let Some(at) = self.chain.iter().position(|known| *known == parent) {
            let names = self.chain.iter().skip(at).chain([&parent]);
            let circle: Vec<String> = names.map(|name| format!("`{name}`")).collect();
            format!("runners that do not lead back here: {}", circle.join(" → "))
        } else {
            let is_short = self.chain.len() < LONGEST_CHAIN;
            let depth = if is_short {
                self.depth(parent)
            } else {
                LONGEST_CHAIN
            };
            if depth < LONGEST_CHAIN {
                return depth;
            }
            format!("at most {LONGEST_CHAIN} runners, one extending the other")
        };
        self.wrong.push(self.file.wrong_value(path, &accepted));
        0
    }
}

/// What the runner says with all that it extends, above the defaults.
pub(super) fn resolved<'a>(file: &'a ProfileFile, name: &str) -> Values<'a> {
    let mut known = BTreeMap::new();
    let mut values = file.values(Section::Runner, &keys(&["defaults"]));
    values.extend(merged(file, name, &mut known));
    values
}

/// Each runner is put together once, however many extend it.
fn merged<'a>(
    file: &'a ProfileFile,
    name: &str,
    known: &mut BTreeMap<String, Values<'a>>,
) -> Values<'a> {
    if let Some(values) = known.get(name) {
        return values.clone();
    }
    let mut values = Values::new();
    for (parent, _) in parents(file, name) {
        values.extend(merged(file, parent, known));
    }
    values.extend(file.values(Section::Runner, &below(&keys(&["runners"]), name)));
    known.insert(name.to_owned(), values.clone());
    values
}
