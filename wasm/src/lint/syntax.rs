//! Broken JSON, and text that is no JSON at all.

use std::fmt::Write as _;

use super::Lint;
use crate::fix::Change;
use crate::issue_code::{JSON_SYNTAX_ERROR, MISSING_STATEMENT};
use crate::json::{MAX_DEPTH, Problem, SyntaxError};
use crate::position::Span;
use crate::text::{self, IntoList};

/// Reports syntax errors. True if the text is something else than a policy, so that the other
/// checks would only make noise.
pub(super) fn check(lint: &mut Lint<'_, '_>, errors: &[SyntaxError]) -> bool {
    if let Some((what, advice)) = foreign(lint.text) {
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
    // Where the meaning is lost nobody knows which brackets are missing, and of several
    // missing ones only the innermost can go first.
    let mut may_close = !errors.iter().any(|e| super::is_guesswork(e.problem));
    // Behind such an error nobody knows either what belongs to which string: a change may land inside one.
    let mut lost = false;
    for error in errors {
        let shown: String = error.span.text(lint.text).chars().take(40).collect();
        let message = explain(error.problem, &shown);
        let closes = error.problem == Problem::OpenBracket;
        let edit = error.edit.filter(|_| !lost && (!closes || may_close));
        lost |= super::is_guesswork(error.problem);
        may_close &= !closes;
        let change = edit.map(|(span, text)| Change::new("Fix the JSON", span, text));
        lint.add_at(JSON_SYNTAX_ERROR, error.span, message, change);
    }
    control_characters(lint);
    wrapped(lint)
}

/// The error in words.
fn explain(problem: Problem, shown: &str) -> String {
    let what = match problem {
        Problem::Empty => "there is nothing to read; paste a policy",
        Problem::ByteOrderMark => {
            "the text begins with a byte order mark, which IAM refuses; save it as UTF-8 without one"
        }
        Problem::TrailingComma => "no value follows the comma before this; remove that comma",
        Problem::MissingComma => "a comma is missing before this; add it",
        Problem::MissingColon => "a colon is missing between the name and its value; add it",
        Problem::MissingValue => "a value is missing here; add it or remove the comma",
        Problem::Comment => "JSON has no comments; remove it",
        Problem::Quotes => "JSON strings stand in double quotes (\"); replace the quotes",
        Problem::BareWord => "JSON words stand in double quotes (\"); add them",
        Problem::OpenString => "this string has no closing quote on its line; add it",
        Problem::OpenBracket => "the text ends before all brackets are closed; add what is missing",
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
            "paste the `PolicyDocument` of one resource, written as JSON",
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
        let line = line.trim_start_matches("- ");
        text::cut(line, b':').is_some_and(|(key, rest)| {
            !key.is_empty()
                && key
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'\''))
                && (rest.is_empty() || rest.starts_with(' '))
        })
    };
    if first == "---" || first.starts_with("%YAML") || yaml_key(first) || first.starts_with("- ") {
        return Some(("YAML", "write it as JSON, beginning with `{`"));
    }
    None
}
