//! What a template would fill in.

use crate::position::Span;
use crate::text::{self, IntoList};

/// The places of what a template would fill in: the words of `CloudFormation` and Terraform that IAM does not know.
pub(crate) fn placeholders(text: &str) -> Vec<Span> {
    const BEGINNINGS: [&str; 9] = [
        "${AWS::",
        "${var.",
        "${local.",
        "${data.",
        "${aws_",
        "${module.",
        "\"Fn::",
        "{{",
        "<%",
    ];
    let mut all = Vec::new();
    for beginning in BEGINNINGS {
        for at in text::places_of(text, beginning, 50) {
            let rest = &text[at..];
            let close = if beginning == "{{" { "}}" } else { "}" };
            let line = text::find(rest, b'\n').unwrap_or(rest.len());
            let end = text::place_of(&rest[..line], close).map_or(line, |end| end + close.len());
            all.push(Span::new(at, at + end));
        }
    }
    all.sort_by_key(|span| span.start);
    all
}

/// The places of `&{…}`, as Terraform's policy documents write IAM's variables.
pub(crate) fn escaped_variables(text: &str) -> Vec<Span> {
    let places = text::places_of(text, "&{", 50).into_iter().map(|at| {
        let line = text[at..].lines().next().unwrap_or_default();
        Span::new(at, at + text::find(line, b'}').map_or(2, |end| end + 1))
    });
    places.list()
}
