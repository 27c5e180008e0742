//! From the parser's events to the tree, without recursion.

use std::collections::HashMap;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::{Entry, Kind, MERGE_KEY, Node, Rules, Unreadable};

/// Reads the only document of a text.
pub(super) fn document(text: &str, rules: Rules) -> Result<Option<Node>, Unreadable> {
    let mut builder = Builder::new(text, rules);
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let marker = error.marker();
            Unreadable {
                why: error.info().to_owned(),
                at: builder.byte(marker.index()),
                line: marker.line(),
            }
        })?;
        let place = builder.place(&event, span);
        let (at, line) = (place.span.start, place.line);
        builder.take(event, place).map_err(|wrong| Unreadable {
            at: wrong.at.unwrap_or(at),
            line,
            why: wrong.why,
        })?;
    }
    Ok(builder.root)
}

/// Where an event stands.
struct Place {
    span: Range<usize>,
    line: usize,
}

struct Wrong {
    why: String,
    /// Where else than at the event.
    at: Option<usize>,
}

fn wrong<T>(why: impl Into<String>) -> Result<T, Wrong> {
    let why = why.into();
    Err(Wrong { why, at: None })
}

struct Builder<'t> {
    text: &'t str,
    rules: Rules,
    /// The byte at which each character begins: the parser counts characters.
    starts: Vec<usize>,
    open: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    count: usize,
    root: Option<Node>,
}

/// A collection whose end is not read yet.
struct Open {
    place: Place,
    anchor: usize,
    children: Vec<Node>,
    /// How many collections are nested in it, itself included.
    height: usize,
    /// How many nodes there were before it.
    before: usize,
}

/// What an alias may refer to.
struct Anchored {
    node: Node,
    height: usize,
    size: usize,
}

impl<'t> Builder<'t> {
    fn new(text: &'t str, rules: Rules) -> Self {
        let ends = std::iter::once(text.len());
        Self {
            text,
            rules,
            starts: text.char_indices().map(|(at, _)| at).chain(ends).collect(),
            open: Vec::new(),
            anchors: HashMap::new(),
            count: 0,
            root: None,
        }
    }

    fn byte(&self, character: usize) -> usize {
        let byte = self.starts.get(character).copied();
        byte.unwrap_or(self.text.len())
    }

    fn is_bracket(&self, at: usize) -> bool {
        let rest = self.text.get(at..).unwrap_or_default();
        rest.starts_with([']', '}'])
    }

    fn place(&self, event: &Event<'_>, span: Span) -> Place {
        let start = self.byte(span.start.index());
        let mut found = start..self.byte(span.end.index()).max(start);
        // The parser counts the comment in that is behind a quote or a bracket.
        match event {
            Event::Scalar(_, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted, ..) => {
                found.end = quoted_end(self.text, &found);
            }
            Event::SequenceEnd | Event::MappingEnd if self.is_bracket(start) => {
                found.end = start + 1;
            }
            _ => {}
        }
        Place {
            span: found,
            line: span.start.line(),
        }
    }

    fn take(&mut self, event: Event<'_>, place: Place) -> Result<(), Wrong> {
        match event {
            Event::DocumentStart(_) if self.root.is_some() => {
                wrong("there are several documents in it")
            }
            Event::Scalar(value, style, anchor, tag) => {
                self.refuse_tag(tag.is_some())?;
                // An empty value comes as `~`.
                let is_empty = place.span.is_empty() && style == ScalarStyle::Plain;
                let value = if is_empty {
                    String::new()
                } else {
                    value.into_owned()
                };
                let kind = Kind::Scalar { value, style };
                self.grow(1)?;
                self.finish(place, kind, anchor, 0, self.count - 1);
                Ok(())
            }
            Event::SequenceStart(anchor, tag) | Event::MappingStart(anchor, tag) => {
                self.refuse_tag(tag.is_some())?;
                self.grow(1)?;
                if self.open.len() >= self.rules.deepest {
                    return wrong("it is nested too deeply");
                }
                self.open.push(Open {
                    place,
                    anchor,
                    children: Vec::new(),
                    height: 1,
                    before: self.count - 1,
                });
                Ok(())
            }
            Event::SequenceEnd => self.close(&place, |children| Ok(Kind::Sequence(children))),
            Event::MappingEnd => {
                let is_data = self.rules.is_data;
                self.close(&place, |children| {
                    let entries = pairs(children);
                    if is_data {
                        check_keys(&entries)?;
                    }
                    Ok(Kind::Mapping(entries))
                })
            }
            Event::Alias(anchor) if self.rules.is_data => self.follow(anchor),
            Event::Alias(_) => {
                self.grow(1)?;
                self.finish(place, Kind::Alias, 0, 0, self.count - 1);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn refuse_tag(&self, is_tagged: bool) -> Result<(), Wrong> {
        if is_tagged && self.rules.is_data {
            return wrong("values have no tags such as `!x` here");
        }
        Ok(())
    }

    fn grow(&mut self, by: usize) -> Result<(), Wrong> {
        self.count += by;
        if self.count > self.rules.most {
            return wrong(format!("at most {} values", self.rules.most));
        }
        Ok(())
    }

    fn close(
        &mut self,
        end: &Place,
        kind: impl FnOnce(Vec<Node>) -> Result<Kind, Wrong>,
    ) -> Result<(), Wrong> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let mut place = open.place;
        place.span.end = end.span.end.max(place.span.start);
        let kind = kind(open.children)?;
        self.finish(place, kind, open.anchor, open.height, open.before);
        Ok(())
    }

    /// Puts a copy of what an alias refers to in its place; it keeps the place where it is written.
    fn follow(&mut self, anchor: usize) -> Result<(), Wrong> {
        let Some(Anchored { node, height, size }) = self.anchors.get(&anchor) else {
            return wrong("an alias to something that contains it");
        };
        let (height, size) = (*height, *size);
        if self.count + size > self.rules.most {
            return wrong(format!("at most {} values", self.rules.most));
        }
        if self.open.len() + height > self.rules.deepest {
            return wrong("it is nested too deeply");
        }
        let node = node.clone();
        self.count += size;
        self.add(node, height);
        Ok(())
    }

    fn finish(&mut self, place: Place, kind: Kind, anchor: usize, height: usize, before: usize) {
        let node = Node {
            span: place.span,
            line: place.line,
            kind,
        };
        if anchor > 0 && self.rules.is_data {
            let size = self.count - before;
            let node = node.clone();
            self.anchors.insert(anchor, Anchored { node, height, size });
        }
        self.add(node, height);
    }

    fn add(&mut self, node: Node, height: usize) {
        match self.open.last_mut() {
            Some(open) => {
                open.height = open.height.max(height + 1);
                open.children.push(node);
            }
            None => self.root = Some(node),
        }
    }
}

fn pairs(children: Vec<Node>) -> Vec<Entry> {
    let mut pairs = Vec::with_capacity(children.len() / 2);
    let mut children = children.into_iter();
    while let (Some(key), Some(value)) = (children.next(), children.next()) {
        pairs.push((key, value));
    }
    pairs
}

/// Keys are names, and each stands once.
fn check_keys(entries: &[Entry]) -> Result<(), Wrong> {
    for (index, (key, _)) in entries.iter().enumerate() {
        let why = match key.scalar() {
            None => "a key is a name, and neither a list nor a mapping".to_owned(),
            Some("<<") => MERGE_KEY.to_owned(),
            Some(name) => {
                let mut before = entries.iter().take(index);
                if !before.any(|(known, _)| known.scalar() == Some(name)) {
                    continue;
                }
                format!("each key once; `{name}` appears twice")
            }
        };
        return Err(Wrong {
            why,
            at: Some(key.span.start),
        });
    }
    Ok(())
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
