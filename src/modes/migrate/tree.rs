//! A YAML document as a tree whose every node knows its place in the text, so that an edit can touch it alone.

use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle};

/// A node, with the bytes that it covers.
///
/// Of block mappings and sequences only the start is exact: where one ends is a matter of lines (`lines::Lines`).
#[derive(Debug)]
pub(super) struct Node {
    pub span: Range<usize>,
    /// From 1.
    pub line: usize,
    pub kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Scalar {
        value: String,
        style: ScalarStyle,
    },
    Sequence(Vec<Node>),
    Mapping(Vec<(Node, Node)>),
    /// Refers to another node; nothing here follows it.
    Alias,
}

/// What a document is that cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub line: usize,
    pub why: String,
}

/// No workflow is nested deeper, and what is would exhaust the stack.
const DEEPEST: usize = 64;

impl Node {
    /// The document; `None` where there is nothing in it.
    pub(super) fn parse(text: &str) -> Result<Option<Self>, Unreadable> {
        let mut builder = Builder::new(text);
        for event in Parser::new_from_str(text) {
            let (event, span) = event.map_err(|error| Unreadable {
                line: error.marker().line(),
                why: error.info().to_owned(),
            })?;
            let line = span.start.line();
            let unreadable = |why: &str| Unreadable {
                line,
                why: why.to_owned(),
            };
            if matches!(event, Event::DocumentStart(_)) && builder.root.is_some() {
                return Err(unreadable("there are several documents in it"));
            }
            let mut span = builder.bytes(span.start.index(), span.end.index());
            // The parser counts the comment in that is behind a quote or a bracket.
            match &event {
                Event::Scalar(_, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted, ..) => {
                    span.end = quoted_end(text, &span);
                }
                Event::SequenceEnd | Event::MappingEnd
                    if text[span.start..].starts_with([']', '}']) =>
                {
                    span.end = span.start + 1;
                }
                _ => {}
            }
            builder.take(event, span, line).map_err(unreadable)?;
        }
        Ok(builder.root)
    }

    pub(super) fn scalar(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { value, .. } => Some(value),
            _ => None,
        }
    }

    pub(super) fn sequence(&self) -> Option<&[Self]> {
        match &self.kind {
            Kind::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The entries of a mapping; none of anything else.
    pub(super) fn entries(&self) -> &[(Self, Self)] {
        match &self.kind {
            Kind::Mapping(entries) => entries,
            _ => &[],
        }
    }

    pub(super) fn entry(&self, key: &str) -> Option<&(Self, Self)> {
        self.entries()
            .iter()
            .find(|(name, _)| name.scalar() == Some(key))
    }

    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|(_, value)| value)
    }

    /// Whether it is a scalar on one line, plain or quoted: such a one can be replaced as it stands.
    pub(super) fn is_simple(&self, text: &str) -> bool {
        let Some(source) = text.get(self.span.clone()) else {
            return false;
        };
        match &self.kind {
            Kind::Scalar { value, style } => match style {
                ScalarStyle::Plain => source == value && !value.is_empty(),
                ScalarStyle::SingleQuoted => is_quoted(source, '\''),
                ScalarStyle::DoubleQuoted => is_quoted(source, '"'),
                ScalarStyle::Literal | ScalarStyle::Folded => false,
            },
            _ => false,
        }
    }

    /// Whether it is a mapping or sequence in braces or brackets.
    pub(super) fn is_flow(&self, text: &str) -> bool {
        let source = text.get(self.span.clone()).unwrap_or_default();
        match self.kind {
            Kind::Mapping(_) => source.starts_with('{') && source.ends_with('}'),
            Kind::Sequence(_) => source.starts_with('[') && source.ends_with(']'),
            _ => false,
        }
    }
}

/// Where a quoted scalar ends.
fn quoted_end(text: &str, span: &Range<usize>) -> usize {
    let source = text.get(span.clone()).unwrap_or_default();
    let quote = if source.starts_with('"') { '"' } else { '\'' };
    let mut characters = source.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        let is_escape = match quote {
            '"' => character == '\\',
            _ => character == quote && characters.peek().is_some_and(|(_, next)| *next == quote),
        };
        if is_escape {
            characters.next();
        } else if character == quote {
            return span.start + at + quote.len_utf8();
        }
    }
    span.end
}

fn is_quoted(source: &str, quote: char) -> bool {
    source.len() >= 2
        && source.starts_with(quote)
        && source.ends_with(quote)
        && !source.contains('\n')
}

/// Puts events together without recursion.
struct Builder {
    /// The byte at which each character begins: the parser counts characters.
    starts: Vec<usize>,
    open: Vec<Open>,
    root: Option<Node>,
}

struct Open {
    start: usize,
    line: usize,
    children: Vec<Node>,
}

impl Builder {
    fn new(text: &str) -> Self {
        let ends = std::iter::once(text.len());
        Self {
            starts: text.char_indices().map(|(at, _)| at).chain(ends).collect(),
            open: Vec::new(),
            root: None,
        }
    }

    fn bytes(&self, start: usize, end: usize) -> Range<usize> {
        let last = self.starts.len() - 1;
        let at = |index: usize| {
            self.starts
                .get(index.min(last))
                .copied()
                .unwrap_or_default()
        };
        at(start)..at(end).max(at(start))
    }

    fn take(
        &mut self,
        event: Event<'_>,
        span: Range<usize>,
        line: usize,
    ) -> Result<(), &'static str> {
        let kind = match event {
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                if self.open.len() >= DEEPEST {
                    return Err("it is nested too deep");
                }
                self.open.push(Open {
                    start: span.start,
                    line,
                    children: Vec::new(),
                });
                return Ok(());
            }
            Event::Scalar(value, style, ..) => Kind::Scalar {
                value: value.into_owned(),
                style,
            },
            Event::Alias(_) => Kind::Alias,
            end @ (Event::SequenceEnd | Event::MappingEnd) => {
                let Some(Open {
                    start,
                    line,
                    children,
                }) = self.open.pop()
                else {
                    return Ok(());
                };
                let kind = if end == Event::SequenceEnd {
                    Kind::Sequence(children)
                } else {
                    Kind::Mapping(pairs(children))
                };
                self.add(Node {
                    span: start..span.end.max(start),
                    line,
                    kind,
                });
                return Ok(());
            }
            _ => return Ok(()),
        };
        self.add(Node { span, line, kind });
        Ok(())
    }

    fn add(&mut self, node: Node) {
        match self.open.last_mut() {
            Some(open) => open.children.push(node),
            None => self.root = Some(node),
        }
    }
}

fn pairs(children: Vec<Node>) -> Vec<(Node, Node)> {
    let mut pairs = Vec::with_capacity(children.len() / 2);
    let mut children = children.into_iter();
    while let (Some(key), Some(value)) = (children.next(), children.next()) {
        pairs.push((key, value));
    }
    pairs
}
