//! What people paste instead of the policy itself: recognized as one thing, named in one sentence, and, where the policy is
//! in it, taken out by one change.

use crate::json::{self, Parsed, Value};
use crate::position::Span;
use crate::text::{self, Append, IntoList, Own};

/// A text with a policy in it that is not the policy itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pasted {
    /// What the text is, for "this is …".
    pub(crate) what: &'static str,
    /// The policy in it.
    pub(crate) policy: String,
    /// Whether the text is JSON all the same.
    pub(crate) is_json: bool,
}

/// Deeper nothing is unwrapped: a string of JSON in a string of JSON in an answer is deep enough.
const MOST_LAYERS: usize = 4;

/// Longer texts are not wrapped policies.
const LONGEST: usize = 200_000;

/// Recognizes the text, unless it is a policy already or nothing that has one in it.
pub(crate) fn recognize(text: &str, parsed: &Parsed<'_>) -> Option<Pasted> {
    let clean = parsed.errors.is_empty();
    if text.len() > LONGEST {
        return None;
    }
    if let Some(policy) = wide(text) {
        return Some(Pasted {
            what: WIDE,
            policy,
            is_json: false,
        });
    }
    let begins = begins_with_brace(text);
    if !clean && begins {
        let pasted = characters(text);
        if pasted.is_some() {
            return pasted;
        }
    }
    if parsed.root.get("Statement").is_some() && (clean || begins) {
        if clean {
            return None;
        }
        let requoted = || {
            let policy = policy_in(&requoted(text)?, 0)?;
            Some(Pasted {
                what: REQUOTED,
                policy,
                is_json: false,
            })
        };
        return followed(text).or_else(requoted);
    }
    let (what, policy) = unwrap(text, parsed)?;
    Some(Pasted {
        what,
        policy,
        is_json: clean,
    })
}

/// Stands before a text that was read from a file in UTF-16: the byte order mark in the other order, which is no character.
pub const READ_AS_UTF_16: char = '\u{fffe}';
const WIDE: &str = "a file in UTF-16";
const REQUOTED: &str = "a policy with other quotes than JSON's";
const OTHER: &str = "other text with the policy in it";

// A file in UTF-16, read as what it is, or as UTF-8 all the same: then every other byte is 0.
fn wide(text: &str) -> Option<String> {
    let marks = |c: char| matches!(c, READ_AS_UTF_16 | '\u{feff}' | '\u{fffd}');
    let body = text.trim_start_matches(marks);
    let policy = if body.bytes().take(2).any(|b| b == 0) {
        body.replace('\0', "")
    } else if text.starts_with(READ_AS_UTF_16) {
        body.own()
    } else {
        return None;
    };
    Some(policy.trim().own())
}

fn begins_with_brace(text: &str) -> bool {
    text.trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with('{')
}

type Found = (&'static str, String);
/// Takes one layer off.
type Take = fn(&str) -> Option<String>;

fn unwrap(text: &str, parsed: &Parsed<'_>) -> Option<Found> {
    if parsed.errors.is_empty() {
        return wrapped(text, &parsed.root, 0);
    }
    let trimmed = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    let layers: [(&'static str, Take); 8] = [
        ("a Markdown block with the policy in it", fenced),
        ("a URL-encoded policy", percent_coded),
        ("a policy with HTML entities in it", entities),
        ("a command line with the policy in it", command),
        (REQUOTED, requoted),
        ("a policy in quotes", unquoted),
        (OTHER, braced),
        (OTHER, embedded),
    ];
    for (what, take) in layers {
        let Some(inner) = take(trimmed).filter(|inner| inner != text) else {
            continue;
        };
        if let Some(policy) = policy_in(&inner, 0) {
            return Some((what, policy));
        }
    }
    None
}

// The text itself if it is a policy, else the policy in it.
fn policy_in(text: &str, layer: usize) -> Option<String> {
    let parsed = json::parse(text);
    if !parsed.errors.is_empty() || layer > MOST_LAYERS {
        return None;
    }
    if is_policy(&parsed.root) {
        return Some(text.trim().own());
    }
    wrapped(text, &parsed.root, layer + 1).map(|(_, policy)| policy)
}

fn is_policy(value: &Value<'_>) -> bool {
    let list = value.get("Statement").map(Value::elements);
    list.is_some_and(|all| all.iter().all(|s| s.members().is_some()))
}

fn is_statement(value: &Value<'_>) -> bool {
    let has = |name: &str| value.get(name).is_some();
    has("Effect") && (has("Action") || has("NotAction"))
}

// Valid JSON: a statement alone, a string, or an object around the policy.
fn wrapped(text: &str, root: &Value<'_>, layer: usize) -> Option<Found> {
    match root {
        Value::String(inner) => {
            let policy = policy_in(&inner.value, layer)?;
            return Some(("a JSON string with the policy in it", policy));
        }
        Value::Array(all, _) if !all.is_empty() && all.iter().all(is_statement) => {
            return Some((
                "a list of statements without its policy",
                around(text.trim()),
            ));
        }
        Value::Object(..) if is_statement(root) && root.get("Version").is_none() => {
            let list = format!("[{}]", text.trim());
            return Some(("a statement without its policy", around(&list)));
        }
        _ => {}
    }
    let mut found = Vec::new();
    documents(root, &mut found, 0);
    let [only] = found.as_slice() else {
        return None;
    };
    let policy = match only {
        Value::String(inner) => {
            let decoded = percent_decoded(&inner.value);
            policy_in(decoded.as_deref().unwrap_or(&inner.value), layer)?
        }
        object => object.span().text(text).own(),
    };
    let what = if ["AWSTemplateFormatVersion", "Resources"]
        .iter()
        .any(|name| root.get(name).is_some())
    {
        "a CloudFormation template with the policy in it"
    } else if root.get("terraform_version").is_some() || root.get("resource").is_some() {
        "Terraform's JSON with the policy in it"
    } else {
        "an answer of the AWS CLI, or another object around the policy"
    };
    let laid_out = json::format(&policy).map_or(policy, |text| text.trim_end().own());
    Some((what, laid_out))
}

// The policies inside, as objects or as strings.
fn documents<'v, 't>(value: &'v Value<'t>, found: &mut Vec<&'v Value<'t>>, depth: usize) {
    if depth > 12 || found.len() > 1 {
        return;
    }
    match value {
        Value::Object(members, _) if depth > 0 && is_policy(value) && !members.is_empty() => {
            found.push(value);
        }
        Value::Object(members, _) => {
            for member in members {
                let named = ["policy", "document"];
                let key = member.key.value.to_ascii_lowercase();
                match &member.value {
                    Value::String(text) => {
                        if named.iter().any(|name| key.contains(name))
                            && text.value.contains("Statement")
                        {
                            found.push(&member.value);
                        }
                    }
                    other => documents(other, found, depth + 1),
                }
            }
        }
        Value::Array(all, _) => {
            for one in all {
                documents(one, found, depth + 1);
            }
        }
        _ => {}
    }
}

fn around(statements: &str) -> String {
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": {statements}}}"#);
    json::format(&text).map_or(text, |text| text.trim_end().own())
}

// The first fenced block that has a brace in it.
fn fenced(text: &str) -> Option<String> {
    let mut parts = text.split("```").skip(1).step_by(2);
    let block = parts.find(|block| text::has(block, b'{'))?;
    Some(block[text::find(block, b'{')?..].trim().own())
}

fn percent_decoded(text: &str) -> Option<String> {
    if !text.get(..3)?.eq_ignore_ascii_case("%7b") {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        let byte = match first {
            b'%' => {
                let (digits, after) = rest.split_at_checked(2)?;
                rest = after;
                u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?
            }
            b'+' => b' ',
            other => other,
        };
        bytes.push(byte);
    }
    String::from_utf8(bytes).ok()
}

// The value of a field in a link or a form.
fn percent_coded(text: &str) -> Option<String> {
    let start = text.find("%7B").or_else(|| text.find("%7b"))?;
    let ends = ['&', '"', '\'', ' ', '\n'];
    percent_decoded(text[start..].split(ends).next()?)
}

// A web page's text, with its tags perhaps.
fn entities(text: &str) -> Option<String> {
    let plain = entities_decoded(text)?;
    braced(&plain)
}

fn entities_decoded(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut found = false;
    while let Some((before, after)) = text::cut(rest, b'&') {
        out.append(before);
        let end = after.bytes().take(9).position(|b| b == b';');
        let coded = end.and_then(|end| entity(&after[..end]).zip(after.get(end + 1..)));
        if let Some((c, tail)) = coded {
            out.push(c);
            (rest, found) = (tail, true);
        } else {
            out.push('&');
            rest = after;
        }
    }
    out.append(rest);
    found.then_some(out)
}

fn entity(name: &str) -> Option<char> {
    const NAMED: [(&str, char); 6] = [
        ("quot", '"'),
        ("apos", '\''),
        ("nbsp", ' '),
        ("lt", '<'),
        ("gt", '>'),
        ("amp", '&'),
    ];
    let Some(number) = name.strip_prefix('#') else {
        return NAMED.iter().find(|(n, _)| *n == name).map(|(_, c)| *c);
    };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => number.parse(),
    };
    let c = char::from_u32(code.ok()?)?;
    Some(if c == '\u{a0}' { ' ' } else { c })
}

// Quotes as a spreadsheet or a string in a program writes them.
fn requoted(text: &str) -> Option<String> {
    if text.contains("\"\"Statement\"\"") {
        Some(text.trim_matches('"').replace("\"\"", "\""))
    } else if text.contains("\\\"Statement\\\"") {
        Some(unescaped(text))
    } else {
        None
    }
}

// The first object that is a policy, whatever stands around it.
fn embedded(text: &str) -> Option<String> {
    text.match_indices('{').take(8).find_map(|(at, _)| {
        let rest = &text[at..];
        let inner = rest.get(..json::parse(rest).root.span().end as usize)?;
        let parsed = json::parse(inner);
        (parsed.errors.is_empty() && is_policy(&parsed.root)).then(|| inner.own())
    })
}

// What stands in quotes behind an option, or in a file's heredoc.
fn command(text: &str) -> Option<String> {
    let start = text.trim_start_matches(['$', ' ']);
    let begins = ["aws ", "cat ", "echo ", "terraform ", "curl ", "export "];
    if !begins.iter().any(|begin| start.starts_with(begin)) && !text.contains("--policy-document") {
        return None;
    }
    braced(text).map(|inner| unescaped(&inner))
}

fn unquoted(text: &str) -> Option<String> {
    let quote = text
        .chars()
        .next()
        .filter(|c| matches!(c, '\'' | '"' | '`'))?;
    let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
    Some(unescaped(inner))
}

// `\"` and `\n` of a string in a program, `'\''` and line ends of a shell.
fn unescaped(text: &str) -> String {
    let plain = text.replace("'\\''", "'").replace("\\\n", "\n");
    if json::parse(&plain).errors.is_empty() {
        return plain;
    }
    let string = format!("\"{}\"", plain.replace('\n', "\\n"));
    match json::parse(&string).root {
        Value::String(text) if text::has(&text.value, b'{') => text.value.into_owned(),
        _ => plain,
    }
}

// From the first brace to the last.
fn braced(text: &str) -> Option<String> {
    let (start, end) = (text::find(text, b'{')?, text.rfind('}')?);
    (start < end).then(|| text[start..=end].own())
}

// The policy itself, and then words of somebody's.
fn followed(text: &str) -> Option<Pasted> {
    let policy = braced(text)?;
    let rest = &text[text.rfind('}')? + 1..];
    let words = rest.chars().filter(|c| c.is_alphabetic()).count() > 1;
    let parsed = json::parse(&policy);
    (words && parsed.errors.is_empty() && is_policy(&parsed.root)).then_some(Pasted {
        what: OTHER,
        policy,
        is_json: false,
    })
}

// The policy itself, with characters in it that a word processor or a chat put there.
fn characters(text: &str) -> Option<Pasted> {
    let quotes = |c: char| matches!(c, '“' | '”' | '„' | '‟' | '″' | '«' | '»');
    let unseen = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}' | '\u{feff}' | '\u{ad}');
    let spaces = |c: char| {
        matches!(
            c,
            '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{3000}'
        )
    };
    let dashes = |c: char| matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}');
    // A byte order mark alone has words of its own.
    let body = text.trim_start_matches('\u{feff}');
    let strange = |c: char| quotes(c) || unseen(c) || spaces(c) || dashes(c);
    if !body.contains(strange) {
        return None;
    }
    let policy: String = body
        .chars()
        .filter(|c| !unseen(*c))
        .map(|c| match c {
            c if quotes(c) => '"',
            c if spaces(c) => ' ',
            c if dashes(c) => '-',
            c => c,
        })
        .collect();
    let what = match () {
        () if body.contains(quotes) => "a policy with typographic quotes",
        () if body.contains(|c: char| unseen(c) || spaces(c)) => {
            "a policy with invisible characters in it"
        }
        () => "a policy with typographic dashes",
    };
    let parsed = json::parse(&policy);
    (parsed.errors.is_empty() && is_policy(&parsed.root)).then_some(Pasted {
        what,
        policy,
        is_json: false,
    })
}

/// What the change does that takes the policy out.
pub(crate) fn title(pasted: &Pasted) -> &'static str {
    if pasted.what == WIDE {
        "Write it in UTF-8"
    } else {
        "Take the policy out"
    }
}

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
        for (at, _) in text.match_indices(beginning).take(50) {
            let rest = &text[at..];
            let close = if beginning == "{{" { "}}" } else { "}" };
            let line = text::find(rest, b'\n').unwrap_or(rest.len());
            let end = rest[..line]
                .find(close)
                .map_or(line, |end| end + close.len());
            all.push(Span::new(at, at + end));
        }
    }
    all.sort_by_key(|span| span.start);
    all
}

/// The places of `&{…}`, as Terraform's policy documents write IAM's variables.
pub(crate) fn escaped_variables(text: &str) -> Vec<Span> {
    let places = text.match_indices("&{").take(50).map(|(at, _)| {
        let line = text[at..].lines().next().unwrap_or_default();
        Span::new(at, at + text::find(line, b'}').map_or(2, |end| end + 1))
    });
    places.list()
}

/// The sentence about it.
pub(crate) fn sentence(pasted: &Pasted) -> String {
    if pasted.what == WIDE {
        return "this file is in UTF-16, which AWS does not read; save it in UTF-8".own();
    }
    format!(
        "this is {}, not the policy itself; take it out",
        pasted.what
    )
}
