//! Where a value stands, when it stands in a text of its own: a label, or a profile file. Messages point there.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// A text that values come from, and what to call it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub name: String,
    pub text: String,
}

/// A stretch of a source, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceSpan {
    source: Arc<Source>,
    span: Range<usize>,
    /// An earlier stretch that the message is about as well, and what it is.
    other: Option<(Range<usize>, &'static str)>,
}

impl SourceSpan {
    /// A stretch that does not lie between the source's characters is drawn in to where it does.
    pub(crate) fn new(source: &Arc<Source>, span: Range<usize>) -> Self {
        let inside = |at: usize| source.text.floor_char_boundary(at);
        let start = inside(span.start);
        Self {
            span: start..inside(span.end).max(start),
            source: source.clone(),
            other: None,
        }
    }

    pub(crate) fn and(mut self, other: Range<usize>, what: &'static str) -> Self {
        self.other = Some((other, what));
        self
    }

    /// Whether the source is a file of the repository, and not an input.
    pub(crate) fn is_in_repository(&self) -> bool {
        self.file().contains('/')
    }

    /// The source's name.
    pub(crate) fn file(&self) -> &str {
        &self.source.name
    }

    /// The line, counted from 1.
    pub(crate) fn line(&self) -> usize {
        self.before().split('\n').count()
    }

    /// The column in characters, counted from 1.
    pub(crate) fn column(&self) -> usize {
        let line = self.before().rsplit('\n').next().unwrap_or_default();
        line.chars().count() + 1
    }

    fn before(&self) -> &str {
        self.source.text.get(..self.span.start).unwrap_or_default()
    }

    /// The message with the line that it is about, a caret below it, and what is accepted there.
    pub(crate) fn show(&self, title: &str, accepted: Option<&str>) -> String {
        let mut snippet = Snippet::source(&self.source.text)
            .path(&self.source.name)
            .annotation(AnnotationKind::Primary.span(self.span.clone()));
        if let Some((span, what)) = &self.other {
            let first = AnnotationKind::Context.span(span.clone()).label(*what);
            snippet = snippet.annotation(first);
        }
        let mut group = Level::ERROR.no_name().primary_title(title).element(snippet);
        if let Some(accepted) = accepted {
            group = group.element(Level::HELP.with_name("accepted").message(accepted));
        }
        // As wide as the longest label.
        Renderer::plain().term_width(320).render(&[group])
    }
}

/// The place as compilers write it: `.github/sprinters.yml:3:5`.
impl fmt::Display for SourceSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file(), self.line(), self.column())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one() {
        let source = Arc::new(Source {
            name: "f".to_owned(),
            text: "é: 1\nünder: x".to_owned(),
        });
        let place = |span| SourceSpan::new(&source, span).to_string();
        assert_eq!(place(0..2), "f:1:1");
        assert_eq!(place(6..8), "f:2:1");
        assert_eq!(place(14..15), "f:2:8");
        // Inside of a character, and behind the end.
        assert_eq!(place(1..1), "f:1:1");
        assert_eq!(place(99..120), "f:2:9");
    }
}
