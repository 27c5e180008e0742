//! One workflow file: its text, its tree, and what both migrations need of it.

use std::ops::Range;

use super::edits::Edits;
use super::lines::Lines;
use crate::yaml::{Node, Rules, Unreadable, write};

/// The tree is what is written, so that edits fit. No workflow is nested deeper.
pub(super) const AS_WRITTEN: Rules = Rules {
    deepest: 64,
    most: usize::MAX,
    is_data: false,
};

/// A workflow under migration.
#[derive(Debug)]
pub(super) struct Workflow<'t> {
    pub text: &'t str,
    pub lines: Lines<'t>,
    pub root: Node,
}

/// One job of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job<'w> {
    pub key: &'w Node,
    pub id: &'w str,
    pub body: &'w Node,
}

impl<'t> Workflow<'t> {
    /// `None` where the text is neither a workflow nor a composite action.
    pub(super) fn parse(text: &'t str) -> Result<Option<Self>, Unreadable> {
        let is_one = |root: &Node| root.get("jobs").is_some() || composite(root).is_some();
        let root = Node::parse(text, AS_WRITTEN)?.filter(is_one);
        Ok(root.map(|root| Self {
            text,
            lines: Lines::of(text),
            root,
        }))
    }

    pub(super) fn jobs(&self) -> impl Iterator<Item = Job<'_>> {
        let jobs = self.root.get("jobs").map_or(&[][..], Node::entries);
        jobs.iter().filter_map(|(key, body)| {
            Some(Job {
                key,
                id: key.scalar()?,
                body,
            })
        })
    }

    /// The jobs that a job needs, directly or not.
    pub(super) fn all_needs(&self, job: Job<'_>) -> Vec<&str> {
        let mut found: Vec<&str> = Vec::new();
        let mut open = vec![job.id];
        while let Some(id) = open.pop() {
            let body = self.jobs().find(|job| job.id == id).map(|job| job.body);
            let Some(needs) = body.and_then(|body| body.get("needs")) else {
                continue;
            };
            let items = needs.sequence().unwrap_or(std::slice::from_ref(needs));
            for need in items.iter().filter_map(Node::scalar) {
                if !found.contains(&need) {
                    found.push(need);
                    open.push(need);
                }
            }
        }
        found
    }

    /// Where a value ends that is simple, or a list of simple ones.
    pub(super) fn end_of(&self, value: &Node) -> usize {
        match value.sequence() {
            Some(items) if !value.is_flow(self.text) => {
                items.last().map_or(value.span.end, |item| item.span.end)
            }
            _ => value.span.end,
        }
    }

    /// The steps of a composite action.
    pub(super) fn composite_steps(&self) -> Option<&[Node]> {
        composite(&self.root)?.get("steps")?.sequence()
    }

    /// Puts other entries in the place of one.
    pub(super) fn replace_entry(
        &self,
        mapping: &Node,
        index: usize,
        with: &[(&'static str, String)],
        edits: &mut Edits,
    ) {
        let Some((key, value)) = mapping.entries().get(index) else {
            return;
        };
        let entries: Vec<String> = with
            .iter()
            .map(|(name, value)| self.entry(mapping, name, value))
            .collect();
        if entries.is_empty() {
            self.remove(mapping, index, edits);
        } else if mapping.is_flow(self.text) {
            edits.replace(key.span.start..value.span.end, entries.join(", "));
        } else if let Some(indent) = self.lines.indent(key.span.start) {
            let range = self
                .lines
                .of_entry(key.span.start, value.sequence().is_some());
            let end = self.lines.end();
            let lines: String = entries
                .iter()
                .map(|entry| format!("{indent}{entry}{end}"))
                .collect();
            edits.replace(range, lines);
        }
    }

    /// Puts an entry behind one whose value is simple.
    pub(super) fn add_entry(
        &self,
        mapping: &Node,
        after: &(Node, Node),
        name: &str,
        value: &str,
        edits: &mut Edits,
    ) {
        let (key, before) = after;
        let entry = self.entry(mapping, name, value);
        if mapping.is_flow(self.text) {
            edits.insert(before.span.end, format!(", {entry}"));
        } else {
            let column = " ".repeat(self.lines.column(key.span.start));
            let line = format!("{}{column}{entry}", self.lines.end());
            edits.insert(self.lines.content_end(before.span.end), line);
        }
    }

    fn entry(&self, mapping: &Node, name: &str, value: &str) -> String {
        format!("{name}: {}", self.scalar_in(mapping, value))
    }

    /// A text as it can stand for a value of that mapping.
    pub(super) fn scalar_in(&self, mapping: &Node, text: &str) -> String {
        if mapping.is_flow(self.text) {
            write::flow_scalar(text)
        } else {
            write::scalar(text)
        }
    }

    /// Takes an entry out of a mapping, with its line breaks or its comma.
    pub(super) fn remove(&self, mapping: &Node, index: usize, edits: &mut Edits) {
        let entries = mapping.entries();
        let Some((key, value)) = entries.get(index) else {
            return;
        };
        let range = if mapping.is_flow(self.text) {
            flow_entry(entries, index)
        } else if self.lines.indent(key.span.start).is_some() {
            self.lines
                .of_entry(key.span.start, value.sequence().is_some())
        } else {
            // The first of a list's item: `- key: value`. What is after the dash stays a mapping if another entry follows.
            let Some((next, _)) = entries.get(index + 1) else {
                return;
            };
            key.span.start..next.span.start
        };
        edits.replace(range, "");
    }
}

fn composite(root: &Node) -> Option<&Node> {
    let runs = root.get("runs")?;
    let is_composite = runs.get("using").and_then(Node::scalar) == Some("composite");
    is_composite.then_some(runs)
}

/// One of several in braces, with the comma that goes with it.
fn flow_entry(entries: &[(Node, Node)], index: usize) -> Range<usize> {
    let start = |index: usize| entries.get(index).map(|(key, _)| key.span.start);
    let end = |index: usize| entries.get(index).map(|(_, value)| value.span.end);
    match (start(index), start(index + 1)) {
        (Some(from), Some(to)) => from..to,
        (Some(from), None) => {
            let from = index.checked_sub(1).and_then(end).unwrap_or(from);
            from..end(index).unwrap_or(from)
        }
        (None, _) => 0..0,
    }
}
