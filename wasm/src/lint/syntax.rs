//! Broken JSON, and text that is no JSON at all.

use std::fmt::Write as _;

use super::Lint;
use crate::fix::Change;
use crate::issue_code::{JSON_SYNTAX_ERROR, MISSING_STATEMENT};
use crate::json::{MAX_DEPTH, Problem, SyntaxError};
use crate::position::Span;
use crate::text::{self, Append, IntoList};

/// Reports syntax errors. True if the text is something else than a policy, so that the other
/// checks would only make noise.
pub(super) fn check(lint: &mut Lint<'_, '_>, errors: &[SyntaxError]) -> bool {
    let prose = || is_prose(lint.text, errors).then_some(PROSE);
    if let Some((what, advice)) = foreign(lint.text).or_else(prose) {
        let start = lint.text.len() - lint.text.trim_start().len();
        let end = start
            + lint.text[start..]
                .lines()
                .next()
                .map_or(0, |l| l.trim_end().len());
        let message = format!("this is {what}, not an IAM policy in JSON; {advice}");
        lint.report(JSON_SYNTAX_ERROR, Span::new(start, end), message);
        return true;
    }
    if let Some(problem) = errors.first().filter(|e| e.problem == Problem::Empty) {
        let message = "there is no policy here; paste the JSON document of an IAM policy, \
                       beginning with `{`";
        lint.report(JSON_SYNTAX_ERROR, problem.span, message);
        return true;
    }
    // Where the meaning is lost nobody knows which brackets are missing.
    let may_close = !errors.iter().any(super::is_guesswork);
    // Behind such an error nobody knows either what belongs to which string: a change may land inside one.
    let mut lost = false;
    // At the end of the text, what is missing there is one finding.
    let (mut missing, mut end) = (String::new(), Span::default());
    for error in errors {
        let edit = error.edit.filter(|_| !lost);
        if error.problem == Problem::OpenBracket {
            missing.append(error.edit.map_or("", |(_, text)| text));
            end = error.span;
            continue;
        }
        let shown: String = error.span.text(lint.text).chars().take(40).collect();
        let message = explain(error.problem, &shown);
        lost |= super::is_guesswork(error);
        let change = edit.map(|(span, text)| Change::new("Fix the JSON", span, text));
        lint.add_at(JSON_SYNTAX_ERROR, error.span, message, change);
    }
    if !missing.is_empty() {
        let message = explain(Problem::OpenBracket, &missing);
        let change = may_close.then(|| Change::new("Fix the JSON", end, &missing));
        lint.add_at(JSON_SYNTAX_ERROR, end, message, change);
    }
    control_characters(lint);
    wrapped(lint)
}

/// The error in words.
#[inline(never)]
fn explain(problem: Problem, shown: &str) -> String {
    let what = match problem {
        Problem::Empty => "there is nothing to read; paste a policy",
        Problem::ByteOrderMark => {
            "the text begins with a byte order mark, which IAM refuses; save it as UTF-8 without one"
        }
        Problem::TrailingComma => "no value follows the comma before this; remove that comma",
        Problem::MissingComma => "a comma is missing before this; add it",
        Problem::Semicolon => "a comma separates two values, not a semicolon; replace it",
        Problem::MissingColon => "a colon is missing between the name and its value; add it",
        Problem::MissingValue => "a value is missing here; add it or remove the comma",
        Problem::Comment => "JSON has no comments; remove it",
        Problem::Quotes => "JSON strings stand in double quotes (\"); replace the quotes",
        Problem::BareWord => "JSON words stand in double quotes (\"); add them",
        Problem::OpenString => "this string has no closing quote; add it",
        Problem::OpenBracket => {
            return format!("JSON syntax error: the text ends too early; add `{shown}`");
        }
        Problem::UnopenedString => "this string has no opening quote; add it",
        Problem::UnopenedList => {
            "a list begins without its bracket; add `[` before its first value"
        }
        Problem::UnopenedObject => "an object begins without its brace; add `{` before this name",
        Problem::UnclosedList => "the list before this name is not closed; add `]`",
        Problem::UnclosedObject => "the object before this one is not closed; add `}`",
        Problem::Doubled => "this stands twice; remove one of the two",
        Problem::StrayBracket => "this bracket closes nothing; remove it or open one before",
        Problem::ControlCharacter => {
            "a control character stands inside the string; write it as an escape such as \\n"
        }
        Problem::Escape => {
            "this backslash begins no escape that JSON knows; write \\\\ for a backslash"
        }
        Problem::LoneSurrogate => "this escape is half a character; write both halves or neither",
        Problem::Number => "this is no JSON number; write digits, without leading zeros",
        Problem::Character => "this character has no place here; remove it",
        Problem::TooDeep => {
            return format!("nested deeper than {MAX_DEPTH} levels; a policy needs six");
        }
        Problem::DuplicateKey => "the same name stands twice in one object; merge the two",
        Problem::TrailingText => "the policy has ended before this; remove the rest",
    };
    if shown.trim().is_empty() {
        format!("JSON syntax error: {what}")
    } else {
        format!("JSON syntax error at `{shown}`: {what}")
    }
}

// IAM takes tab, line feed, carriage return and U+0020 to U+00FF, nothing else.
fn control_characters(lint: &mut Lint<'_, '_>) {
    if lint.text.is_ascii() {
        return;
    }
    let beyond = |c: &(usize, char)| c.1 > '\u{ff}' && c.1 != '\u{feff}';
    let Some((at, c)) = lint.text.char_indices().find(beyond) else {
        return;
    };
    let span = Span::new(at, at + c.len_utf8());
    let known = lint
        .out
        .iter()
        .any(|d| d.places.iter().any(|p| p.contains(span)));
    if !known {
        let message = format!(
            "the character `{c}` (U+{:04X}) is beyond U+00FF, the last one that IAM accepts; \
             replace it or write it as a \\u escape",
            u32::from(c)
        );
        // All of them: where one was pasted, others were.
        let all = lint.text.char_indices().filter(beyond);
        let edits = all
            .map(|(at, c)| (Span::new(at, at + c.len_utf8()), escape(c)))
            .list();
        let change = Change::made_of("Write it as an escape", edits);
        lint.report_fix(JSON_SYNTAX_ERROR, span, message, change);
    }
}

fn escape(c: char) -> String {
    let mut out = String::new();
    for unit in c.encode_utf16(&mut [0; 2]) {
        // Writing to a string cannot fail.
        let _ = write!(out, "\\u{unit:04x}");
    }
    out
}

// A policy inside something else: valid JSON, wrong document.
fn wrapped(lint: &mut Lint<'_, '_>) -> bool {
    let root = lint.root;
    if root.members().is_none() || root.get("Statement").is_some() {
        return false;
    }
    let (what, name) = if ["AWSTemplateFormatVersion", "Resources"]
        .iter()
        .any(|name| root.get(name).is_some())
    {
        (
            "a CloudFormation template",
            "the `PolicyDocument` of one resource",
        )
    } else if root.get("PolicyDocument").is_some() || root.get("PolicyVersion").is_some() {
        (
            "an answer of the AWS CLI",
            "the value of `PolicyDocument` or `Document`",
        )
    } else if root.get("terraform_version").is_some() || root.get("resource").is_some() {
        ("Terraform's JSON", "the value of one `policy`")
    } else {
        return false;
    };
    let message = format!("this is {what}, not a policy; paste {name} alone");
    lint.report(MISSING_STATEMENT, root.span(), message);
    true
}

const PROSE: (&str, &str) = (
    "plain text",
    "paste the policy's JSON document, beginning with `{`",
);

fn is_prose(text: &str, errors: &[SyntaxError]) -> bool {
    let is_word = |e: &SyntaxError| e.problem == Problem::BareWord;
    errors.iter().any(is_word) && !text::contains(text, "{") && !text::contains(text, "[")
}

// YAML, HCL, HTML or Python where JSON should be.
fn foreign(text: &str) -> Option<(&'static str, &'static str)> {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    if start.is_empty() || start.starts_with(['{', '[', '"']) {
        return None;
    }
    let code = |line: &&str| !line.is_empty() && !line.starts_with('#') && !line.starts_with("//");
    let lines: Vec<&str> = start.lines().map(str::trim).filter(code).take(200).list();
    let any = |test: fn(&str) -> bool| lines.iter().any(|line| test(line));
    let first = lines.first().copied().unwrap_or_default();
    let block = |line: &str| {
        [
            "resource \"",
            "data \"",
            "variable \"",
            "module \"",
            "locals {",
            "statement {",
            "provider \"",
        ]
        .iter()
        .any(|head| line.starts_with(head))
    };
    if block(first)
        || any(|l| text::contains(l, "jsonencode(") || text::contains(l, "aws_iam_policy_document"))
    {
        return Some((
            "Terraform (HCL)",
            "paste what `terraform show` or the plan prints as the policy's JSON",
        ));
    }
    if any(|l| {
        l.starts_with("AWSTemplateFormatVersion:")
            || l.starts_with("Type: AWS::")
            || l.starts_with("Type: 'AWS::")
    }) {
        return Some((
            "a CloudFormation template in YAML",
            "paste the `PolicyDocument` of one resource as JSON: `yq -o=json` converts YAML",
        ));
    }
    if ["https://", "http://", "s3://", "file://"]
        .iter()
        .any(|scheme| start.starts_with(scheme))
    {
        return Some(("a link", "open it and paste the policy itself"));
    }
    if start.starts_with("arn:") {
        return Some((
            "an ARN",
            "paste what `aws iam get-policy-version` prints for it",
        ));
    }
    if start.starts_with('<') {
        return Some(("a web page or XML", "copy the policy's JSON text alone"));
    }
    let yaml_key = |line: &str| {
        let line = line.strip_prefix("- ").unwrap_or(line);
        text::cut(line, b':').is_some_and(|(key, rest)| {
            !key.is_empty()
                && key
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'\''))
                && (rest.is_empty() || rest.starts_with(' '))
        })
    };
    if first == "---" || first.starts_with("%YAML") || yaml_key(first) || first.starts_with("- ") {
        return Some(("YAML", "convert it, for example with `yq -o=json`"));
    }
    None
}
