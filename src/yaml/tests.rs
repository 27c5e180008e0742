use super::*;

const DATA: Rules = Rules {
    deepest: 4,
    most: 20,
    is_data: true,
};
const AS_WRITTEN: Rules = Rules {
    deepest: 4,
    most: 20,
    is_data: false,
};

fn read(text: &str) -> Result<Node, String> {
    Node::parse(text, DATA)
        .map_err(|wrong| format!("{}: {}", wrong.at, wrong.why))?
        .ok_or_else(|| "nothing".to_owned())
}

/// Every scalar with what it covers in the text.
fn places<'t>(node: &Node, text: &'t str) -> Vec<(String, &'t str)> {
    match &node.kind {
        Kind::Scalar { value, .. } => {
            let source = text.get(node.span.clone()).unwrap_or("outside");
            vec![(value.clone(), source)]
        }
        Kind::Sequence(items) => items.iter().flat_map(|item| places(item, text)).collect(),
        Kind::Mapping(entries) => entries
            .iter()
            .flat_map(|(key, value)| [key, value])
            .flat_map(|node| places(node, text))
            .collect(),
        Kind::Alias => Vec::new(),
    }
}

#[test]
fn each_scalar_knows_its_place() {
    let text = "ä: 1.10 # b\n\"k\\\"\": 'it''s' # c\nlist: [x, \"y\"]\nnone:\n";
    let found = read(text).map(|node| places(&node, text));
    let expected = [
        ("ä", "ä"),
        ("1.10", "1.10"),
        ("k\"", "\"k\\\"\""),
        ("it's", "'it''s'"),
        ("list", "list"),
        ("x", "x"),
        ("y", "\"y\""),
        ("none", "none"),
        ("", ""),
    ];
    let expected = expected.map(|(value, source)| (value.to_owned(), source));
    assert_eq!(found, Ok(expected.to_vec()));
}

#[test]
fn null_and_flags_are_the_core_schema_s() {
    let shown = |text: &str| {
        read(text).map(|node| match node.value() {
            Value::Null => "null".to_owned(),
            other => format!("{other:?}"),
        })
    };
    for text in ["~", "null", "a:", "[ ]", "'~'", "True", "yes", "0x1F"] {
        let expected = match text {
            "~" | "null" => "null",
            "'~'" => "Scalar(\"~\")",
            "True" => "Scalar(\"true\")",
            "yes" => "Scalar(\"yes\")",
            "0x1F" => "Scalar(\"0x1F\")",
            _ => continue,
        };
        assert_eq!(shown(text).as_deref(), Ok(expected), "{text}");
    }
    assert!(read("a:").is_ok_and(|node| node.get("a").is_some_and(Node::is_null)));
}

#[test]
fn an_alias_becomes_what_it_refers_to_or_stays_one() {
    let text = "a: &a { x: y }\nb: *a\n";
    let found = read(text).map(|node| {
        let copy = node.get("b").and_then(|b| b.get("x")).cloned();
        copy.map(|node| node.span)
    });
    assert_eq!(found, Ok(Some(11..12)), "where it is written");
    let written = Node::parse(text, AS_WRITTEN).ok().flatten();
    let kind = written.and_then(|node| node.get("b").map(|node| node.kind.clone()));
    assert!(matches!(kind, Some(Kind::Alias)));
}

#[test]
fn data_is_read_with_care() {
    for (text, wrong) in [
        ("a: 1\na: 2", "5: each key once; `a` appears twice"),
        ("a: &a {}\nb: { <<: *a }", "14: there are no merge keys"),
        ("a: !x y", "3: values have no tags"),
        ("[a]: b", "0: a key is a name"),
        ("a: &a [*a]", "an alias to something that contains it"),
        ("a: [[[[x]]]]", "nested too deep"),
        ("a: &a [[[x]]]\nb: [*a]", "nested too deep"),
        ("a\n---\nb", "several documents"),
        ("a: [", "4: "),
        ("# nothing", "nothing"),
    ] {
        let found = read(text).err().unwrap_or_default();
        assert!(found.contains(wrong), "{text:?}: {found}");
    }
    let wide = format!("a: &a [{}]\nb: *a\nc: *a", "x, ".repeat(8));
    assert!(read(&wide).is_err_and(|wrong| wrong.contains("at most 20 values")));
    let wide = format!("[{}]", "x, ".repeat(30));
    assert!(read(&wide).is_err_and(|wrong| wrong.contains("at most 20 values")));
}

#[test]
fn what_is_written_is_read_as_it_is() {
    for text in ["a: 1\na: 2", "a: &a {}\nb: { <<: *a }", "a: !x y"] {
        assert!(Node::parse(text, AS_WRITTEN).is_ok(), "{text}");
    }
}

#[test]
fn what_is_simple_can_be_replaced_where_it_stands() {
    let simple = |text: &str| {
        let read = Node::parse(text, AS_WRITTEN).ok().flatten();
        read.as_ref()
            .and_then(|node| node.get("k"))
            .is_some_and(|node| node.is_simple(text))
    };
    for text in [
        "k: a",
        "k: a b # c",
        "k: 'a'",
        "k: ''",
        "k: \"a\"",
        "{k: a}",
    ] {
        assert!(simple(text), "{text}");
    }
    for text in [
        "k:",
        "k: |\n  a",
        "k: >-\n  a",
        "k: [a]",
        "k: a\n  b",
        "k: 'a\n  b'",
        "k: \"a\n  b\"",
    ] {
        assert!(!simple(text), "{text}");
    }
}

#[test]
fn what_stands_in_braces_is_in_flow() {
    let flow = |text: &str| {
        let read = Node::parse(text, AS_WRITTEN).ok().flatten();
        read.as_ref()
            .and_then(|node| node.get("k"))
            .map(|node| node.is_flow(text))
    };
    for text in ["k: {a: b}", "k: [a]", "k: {}", "k: [\n  a\n]"] {
        assert_eq!(flow(text), Some(true), "{text}");
    }
    for text in ["k: a", "k:\n  a: b", "k:\n  - a", "k: '[a]'"] {
        assert_eq!(flow(text), Some(false), "{text}");
    }
}
