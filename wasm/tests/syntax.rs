//! The JSON reader: valid text means what `serde_json` says it means, and each deviation is named where it stands, with the
//! edit that mends it.

#![expect(
    clippy::panic,
    reason = "a test that cannot go on may stop where it stands"
)]

use proptest::prelude::*;
use serde_json::Value as Strict;
use sprinters_policy::json::{MAX_DEPTH, Problem, Problem as P, Value, parse};

// The same value as serde_json reads it.
fn plain(value: &Value<'_>) -> Strict {
    match value {
        Value::Null(_) => Strict::Null,
        Value::Bool(value, _) => Strict::Bool(*value),
        Value::Number(text, _) => {
            serde_json::from_str(text).unwrap_or_else(|_| panic!("{text} is a number"))
        }
        Value::String(text) => Strict::String(text.value.clone().into_owned()),
        Value::Array(all, _) => all.iter().map(plain).collect(),
        Value::Object(members, _) => members
            .iter()
            .map(|member| (member.key.value.clone().into_owned(), plain(&member.value)))
            .collect(),
    }
}

fn is_read_as_serde_json_reads_it(text: &str) {
    let parsed = parse(text);
    assert_eq!(parsed.errors, [], "{text}");
    let strict: Strict = serde_json::from_str(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    assert_eq!(plain(&parsed.root), strict, "{text}");
}

#[test]
fn escapes_and_numbers_mean_what_json_says() {
    for text in [
        r#""\" \\ \/ \b \f \n \r \t""#,
        r#""\u0041\u00e9\u20AC\uD83D\uDE00 \ud800\udc00 \udbff\udfff \uffff""#,
        r#"["before\nafter", "", "\n", "é\té"]"#,
        "[0, -0, 10, 0.5, -12.25, 1e3, 1E+3, 2.5e-3, 0e0]",
        "[true, false, null, [], {}, [[]], {\"a\": {}}]",
        " \t\r\n{ \"a\" : 1 , \"b\" : [ 1 , 2 ] } \n",
        r#"{"\u0061": 1, "b\\": 2}"#,
    ] {
        is_read_as_serde_json_reads_it(text);
    }
}

proptest! {
    #[test]
    fn any_valid_string_is_read_as_serde_json_reads_it(
        parts in proptest::collection::vec(prop_oneof![
            "[a-z é€😀]{1,3}",
            r#"\\["\\/bfnrt]"#,
            r"\\u[0-9a-cA-C][0-9a-fA-F]{3}",
            r"\\u[dD][89abAB][0-9a-f]{2}\\u[dD][c-fC-F][0-9a-f]{2}",
        ], 0..6)
    ) {
        is_read_as_serde_json_reads_it(&format!("[\"{}\"]", parts.concat()));
    }
}

// The text with the edits of all errors applied.
fn mended(text: &str) -> String {
    let mut edits: Vec<_> = parse(text).errors.iter().filter_map(|e| e.edit).collect();
    edits.sort_by_key(|(span, _)| span.start);
    let mut out = text.to_owned();
    for (span, new) in edits.iter().rev() {
        out.replace_range(span.start as usize..span.end as usize, new);
    }
    out
}

// The text, its problems with what each one's span covers, and what the edits make of it.
type Case = (&'static str, &'static [(P, &'static str)], &'static str);

const CASES: &[Case] = &[
    ("", &[(P::Empty, "")], ""),
    (" \n ", &[(P::Empty, "")], " \n "),
    ("\u{feff}[1]", &[(P::ByteOrderMark, "\u{feff}")], "[1]"),
    ("[1,]", &[(P::TrailingComma, "]")], "[1]"),
    ("{\"a\": 1, }", &[(P::TrailingComma, "}")], "{\"a\": 1 }"),
    ("[,1]", &[(P::MissingValue, ",")], "[1]"),
    ("[,]", &[(P::MissingValue, ",")], "[]"),
    ("[1,,2]", &[(P::MissingValue, ",")], "[1,2]"),
    ("{,\"a\": 1}", &[(P::MissingValue, ",")], "{\"a\": 1}"),
    ("[1 2]", &[(P::MissingComma, "2")], "[1, 2]"),
    ("[1\n  2]", &[(P::MissingComma, "2")], "[1,\n  2]"),
    (
        "{\"a\": 1 \"b\": 2}",
        &[(P::MissingComma, "\"")],
        "{\"a\": 1, \"b\": 2}",
    ),
    ("{\"a\" 1}", &[(P::MissingColon, "1")], "{\"a\": 1}"),
    ("{\"a\"=1}", &[(P::MissingColon, "=")], "{\"a\":1}"),
    ("{\"a\" = 1}", &[(P::MissingColon, "=")], "{\"a\" : 1}"),
    ("{\"a\"}", &[(P::MissingValue, "}")], "{\"a\"}"),
    (
        "{\"a\", \"b\": 1}",
        &[(P::MissingValue, ",")],
        "{\"a\", \"b\": 1}",
    ),
    ("{\"a\":}", &[(P::MissingValue, "}")], "{\"a\":}"),
    (
        "{\"a\":, \"b\": 1}",
        &[(P::MissingValue, ",")],
        "{\"a\":, \"b\": 1}",
    ),
    ("[1] // end", &[(P::Comment, "// end")], "[1] "),
    ("[1, # one\n2]", &[(P::Comment, "# one")], "[1, \n2]"),
    ("[1, // one\r2]", &[(P::Comment, "// one")], "[1, \r2]"),
    ("[/* a */1]", &[(P::Comment, "/* a */")], "[1]"),
    ("['a']", &[(P::Quotes, "'a'")], "['a']"),
    (
        "[`a`, “b”, ‘c’, „d”]",
        &[
            (P::Quotes, "`a`"),
            (P::Quotes, "“b”"),
            (P::Quotes, "‘c’"),
            (P::Quotes, "„d”"),
        ],
        "[`a`, “b”, ‘c’, „d”]",
    ),
    ("{'a': 1}", &[(P::Quotes, "'a'")], "{'a': 1}"),
    ("['a\n]", &[(P::OpenString, "'a")], "['a\n]"),
    ("[abc]", &[(P::BareWord, "abc")], "[abc]"),
    ("{abc: 1}", &[(P::BareWord, "abc")], "{abc: 1}"),
    (
        "{abc=1}",
        &[(P::BareWord, "abc"), (P::MissingColon, "=")],
        "{abc:1}",
    ),
    (
        "[True, FALSE, None, undefined]",
        &[
            (P::BareWord, "True"),
            (P::BareWord, "FALSE"),
            (P::BareWord, "None"),
            (P::BareWord, "undefined"),
        ],
        "[true, false, null, null]",
    ),
    (
        "[TRUE, False, NULL]",
        &[
            (P::BareWord, "TRUE"),
            (P::BareWord, "False"),
            (P::BareWord, "NULL"),
        ],
        "[true, false, null]",
    ),
    ("[\"a\n, 1]", &[(P::OpenString, "\"")], "[\"a\"\n, 1]"),
    (
        "[\"a",
        &[(P::OpenBracket, ""), (P::OpenBracket, "")],
        "[\"a\"]",
    ),
    ("[1", &[(P::OpenBracket, "")], "[1]"),
    (
        "{\"a\": [1",
        &[(P::OpenBracket, ""), (P::OpenBracket, "")],
        "{\"a\": [1]}",
    ),
    ("[\"\"a\"]", &[(P::Doubled, "\"")], "[\"a\"]"),
    ("[\"a\"\"]", &[(P::Doubled, "\"")], "[\"a\"]"),
    ("[[1]", &[(P::Doubled, "[")], "[1]"),
    (
        "{{\"a\":: 1}",
        &[(P::Doubled, "{"), (P::Doubled, ":")],
        "{\"a\": 1}",
    ),
    ("[{\"a\": 1}}]", &[(P::StrayBracket, "}")], "[{\"a\": 1}]"),
    ("[1; 2]", &[(P::Semicolon, ";")], "[1, 2]"),
    (
        "{\"a\": 1; \"b\": 2}",
        &[(P::Semicolon, ";")],
        "{\"a\": 1, \"b\": 2}",
    ),
    ("[1]]", &[(P::StrayBracket, "]")], "[1]"),
    ("[1] } ", &[(P::StrayBracket, "}")], "[1] "),
    ("[1]] 2", &[(P::StrayBracket, "]")], "[1]] 2"),
    ("[1}]", &[(P::StrayBracket, "}")], "[1]"),
    ("{\"a\": 1]}", &[(P::UnopenedList, "]")], "{\"a\": [1]}"),
    ("{\"a\": [1]]}", &[(P::StrayBracket, "]")], "{\"a\": [1]}"),
    ("[\"a, \"b\"]", &[(P::OpenString, "\"")], "[\"a\", \"b\"]"),
    ("[\"${a}\n]", &[(P::OpenString, "\"")], "[\"${a}\"\n]"),
    (
        "[a\", \"b\"]",
        &[(P::UnopenedString, "a\"")],
        "[\"a\", \"b\"]",
    ),
    ("[1\", 2]", &[(P::UnopenedString, "1\"")], "[\"1\", 2]"),
    ("{a\": 1}", &[(P::UnopenedString, "a\"")], "{\"a\": 1}"),
    (
        "{\"a\": \"b\", \"c\"]}",
        &[(P::UnopenedList, "]")],
        "{\"a\": [\"b\", \"c\"]}",
    ),
    (
        "{\"a\": {}, {}]}",
        &[(P::UnopenedList, "{")],
        "{\"a\": [{}, {}]}",
    ),
    ("\"a\": 1}", &[(P::UnopenedObject, ":")], "{\"a\": 1}"),
    ("[\"a\": 1}]", &[(P::UnopenedObject, ":")], "[{\"a\": 1}]"),
    (
        "[{}, \"a\": 1}]",
        &[(P::UnopenedObject, ":")],
        "[{}, {\"a\": 1}]",
    ),
    (
        "{\"a\": \"b\": 1}}",
        &[(P::UnopenedObject, ":")],
        "{\"a\": {\"b\": 1}}",
    ),
    (
        "{\"a\": [1, \"b\": 2}",
        &[(P::UnclosedList, ":")],
        "{\"a\": [1], \"b\": 2}",
    ),
    (
        "{\"a\": [{}, \"b\": 2}",
        &[(P::UnclosedList, ":")],
        "{\"a\": [{}], \"b\": 2}",
    ),
    (
        "[{\"a\": 1, {\"a\": 2}]",
        &[(P::UnclosedObject, "{")],
        "[{\"a\": 1}, {\"a\": 2}]",
    ),
    ("{\"a\": [1}", &[(P::StrayBracket, "}")], "{\"a\": [1]}"),
    ("[{\"a\": 1]", &[(P::StrayBracket, "]")], "[{\"a\": 1}]"),
    ("[\"a\tb\"]", &[(P::ControlCharacter, "\t")], "[\"a\tb\"]"),
    ("[\"a\\xb\"]", &[(P::Escape, "\\")], "[\"a\\xb\"]"),
    ("[\"\\u12\"]", &[(P::Escape, "\\u")], "[\"\\u12\"]"),
    ("[\"\\u+123\"]", &[(P::Escape, "\\u")], "[\"\\u+123\"]"),
    (
        "[\"\\ud800\"]",
        &[(P::LoneSurrogate, "\\ud800")],
        "[\"\\ud800\"]",
    ),
    (
        "[\"\\ud800\\u0041\"]",
        &[(P::LoneSurrogate, "\\ud800")],
        "[\"\\ud800\\u0041\"]",
    ),
    (
        "[\"\\udc00\\udc00\"]",
        &[(P::LoneSurrogate, "\\udc00"), (P::LoneSurrogate, "\\udc00")],
        "[\"\\udc00\\udc00\"]",
    ),
    (
        "[01, 1., .5, +1, 1e, -, 1a]",
        &[
            (P::Number, "01"),
            (P::Number, "1."),
            (P::BareWord, ".5"),
            (P::BareWord, "+1"),
            (P::Number, "1e"),
            (P::Number, "-"),
            (P::Number, "1a"),
        ],
        "[01, 1., .5, +1, 1e, -, 1a]",
    ),
    (
        "[1:2]",
        &[(P::Character, ":"), (P::MissingComma, "2")],
        "[1:,2]",
    ),
    ("{:\"a\": 1}", &[(P::Character, ":")], "{:\"a\": 1}"),
    (
        "[\u{a0}1\u{200b}]",
        &[(P::Character, "\u{a0}"), (P::Character, "\u{200b}")],
        "[ 1 ]",
    ),
    ("[\u{b}1]", &[(P::Character, "\u{b}")], "[ 1]"),
    (
        "{\"a\": 1, \"a\": 2}",
        &[(P::DuplicateKey, "\"a\"")],
        "{\"a\": 1, \"a\": 2}",
    ),
    ("[1] 2", &[(P::TrailingText, "2")], "[1] 2"),
    ("[1] é", &[(P::TrailingText, "é")], "[1] é"),
];

#[test]
fn each_deviation_is_named_where_it_stands_and_mended() {
    for (text, problems, after) in CASES {
        let parsed = parse(text);
        let found: Vec<_> = parsed
            .errors
            .iter()
            .map(|e| (e.problem, e.span.text(text)))
            .collect();
        assert_eq!(found, *problems, "{text:?}");
        assert_eq!(mended(text), *after, "{text:?}");
    }
}

const POLICIES: [&str; 3] = [
    include_str!("policies/plain_six.json"),
    include_str!("policies/published_role.json"),
    include_str!("policies/tight.json"),
];

// The text without one of its quotes, commas, colons or brackets, each of them in turn.
fn each_less_one(text: &str) -> Vec<(usize, String)> {
    let mut in_string = false;
    let mut all = Vec::new();
    for (at, c) in text.char_indices() {
        in_string ^= c == '"';
        if c == '"' || (!in_string && ",:{}[]".contains(c)) {
            all.push((at, format!("{}{}", &text[..at], &text[at + 1..])));
        }
    }
    all
}

// To IAM a list of one value is that value.
fn without_lists_of_one(value: Strict) -> Strict {
    match value {
        Strict::Array(mut all) if all.len() == 1 => without_lists_of_one(all.remove(0)),
        Strict::Array(all) => all.into_iter().map(without_lists_of_one).collect(),
        Strict::Object(all) => {
            let members = all.into_iter();
            members
                .map(|(name, value)| (name, without_lists_of_one(value)))
                .collect()
        }
        other => other,
    }
}

#[test]
fn one_character_that_is_missing_is_one_error_whose_edit_mends_it() {
    for text in POLICIES {
        let value: Strict = serde_json::from_str(text).unwrap_or_default();
        for whole in [text.to_owned(), value.to_string()] {
            for (at, text) in each_less_one(&whole) {
                let shown = format!("`{}` is missing at {at} of\n{whole}", &whole[at..=at]);
                let errors = parse(&text).errors;
                assert!(!errors.is_empty(), "{shown}");
                assert_eq!(errors.len(), 1, "{shown}\n{errors:?}");
                let mended = mended(&text);
                assert_eq!(parse(&mended).errors, [], "{shown}\n{mended}");
                // Which members stand behind a brace, its own text alone does not tell.
                if whole[at..=at] != *"}" {
                    let after = without_lists_of_one(plain(&parse(&mended).root));
                    assert_eq!(
                        after,
                        without_lists_of_one(value.clone()),
                        "{shown}\n{mended}"
                    );
                }
            }
        }
    }
}

#[test]
fn one_character_too_much_is_one_error_whose_edit_mends_it() {
    for text in POLICIES {
        let value: Strict = serde_json::from_str(text).unwrap_or_default();
        for whole in [text.to_owned(), value.to_string()] {
            for (at, _) in each_less_one(&whole) {
                let text = format!("{}{}", &whole[..=at], &whole[at..]);
                let shown = format!("`{}` is doubled at {at} of\n{whole}", &whole[at..=at]);
                let errors = parse(&text).errors;
                assert_eq!(errors.len(), 1, "{shown}\n{errors:?}");
                let mended = mended(&text);
                assert_eq!(parse(&mended).errors, [], "{shown}\n{mended}");
                if !"{}[]".contains(&whole[at..=at]) {
                    assert_eq!(plain(&parse(&mended).root), value, "{shown}\n{mended}");
                }
            }
        }
    }
}

#[test]
fn what_is_broken_keeps_its_meaning() {
    for (text, value) in [
        ("['it''s']", r#"["it", "s"]"#),
        (
            "{a: “b”, 'c': `d`, e=None}",
            r#"{"a": "b", "c": "d", "e": null}"#,
        ),
        ("[True, FALSE, yes]", r#"[true, false, "yes"]"#),
        (
            r#"["a\xb", "\ud800x", "\u12"]"#,
            r#"["axb", "\ufffdx", "12"]"#,
        ),
        ("[1 2,,3,]", "[1, 2, 3]"),
        ("{\"a\" 1 \"b\"}", r#"{"a": 1, "b": null}"#),
        ("[\"a\n, 1", r#"["a", 1]"#),
        ("{\"a\": [{\"b\": 1]", r#"{"a": [{"b": 1}]}"#),
        ("\"a\\", "\"a\""),
    ] {
        let strict: Strict = serde_json::from_str(value).unwrap_or_default();
        assert_eq!(plain(&parse(text).root), strict, "{text}");
    }
}

#[test]
fn a_name_that_stands_twice_is_found_in_small_objects_and_in_large_ones() {
    for size in [2, 15, 16, 17, 18, 40] {
        let object = |twice: Option<(usize, usize)>| {
            let name = |at: usize| match twice {
                Some((first, second)) if at == second => first,
                _ => at,
            };
            let members: Vec<_> = (0..size)
                .map(|at| format!("\"k{:02}\":0", name(at)))
                .collect();
            format!("{{{}}}", members.join(","))
        };
        assert_eq!(parse(&object(None)).errors, []);
        for twice in [(0, 1), (0, size - 1), (size / 2 - 1, size - 1)] {
            let text = object(Some(twice));
            let errors = parse(&text).errors;
            assert_eq!(errors.len(), 1, "{size} {twice:?}");
            assert_eq!(errors[0].problem, Problem::DuplicateKey);
            // The second one is in the way.
            assert_eq!(
                errors[0].span.start as usize,
                1 + twice.1 * 8,
                "{size} {twice:?}"
            );
        }
    }
}

#[test]
fn nesting_is_read_to_its_limit_and_skipped_behind_it() {
    let nested = |depth: usize| format!("[{}{}, 1]", "[".repeat(depth - 1), "]".repeat(depth - 1));
    assert_eq!(parse(&nested(MAX_DEPTH)).errors, []);
    // Brackets in strings do not count in what is skipped.
    for inner in ["", "\"]\"", "{\"}\": [1, \"[\"]}"] {
        let (open, close) = ("[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
        let text = format!("{open}[{inner}]{close}");
        let errors = parse(&text).errors;
        assert_eq!(errors.len(), 1, "{inner}: {errors:?}");
        assert_eq!(errors[0].problem, Problem::TooDeep);
        let span = errors[0].span;
        assert_eq!((span.start as usize, span.text(&text)), (MAX_DEPTH, "["));
    }
}

#[test]
fn errors_end_where_they_say_nothing_new() {
    let many = format!("[{}]", "x,".repeat(50));
    assert_eq!(parse(&many).errors.len(), 20);
}
