//! The JSON Schema that editors complete and check profile files by. It is made from the table of inputs, and the one in the
//! book is held equal to it: `SPRINTERS_WRITE_SCHEMA=1 cargo test schema` writes it anew.

use serde_json::{Map, Value, json};

use super::keys::{ACCOUNT, EXTEND, Section, Shape, shape};
use crate::inputs::Input;
use crate::values::image::Image;

const FILE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/docs/src/sprinters.schema.json"
);
/// As the reader wants it: something is there.
const TEXT: &str = r"\S";
const NAME: &str = "^(?!sprinters$)[A-Za-z0-9._-]{1,64}$";
const DURATION: &str = r"^\s*([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?\s*$";

fn text() -> Value {
    json!({ "type": "string", "pattern": TEXT })
}

fn scalar() -> Value {
    json!({ "type": ["string", "number", "boolean"], "pattern": TEXT })
}

/// Numbers may be written as such or as text.
fn whole_number() -> Value {
    json!({ "type": ["integer", "string"], "minimum": 0, "pattern": r"^\s*[0-9]+\s*$" })
}

/// What the value may be, as far as a schema can say and the input's parser agrees.
fn value(input: &Input) -> Value {
    match (input.name, shape(input)) {
        ("spot", _) => json!({ "enum": [true, false, "true", "false", "auto", "rerun"] }),
        ("sudo" | "public-ip" | "nested-virtualization", _) => {
            json!({ "enum": [true, false, "true", "false"] })
        }
        ("count" | "root-size" | "swap" | "max-runners" | "min-runners", _) => whole_number(),
        ("start-timeout" | "idle-timeout" | "max-lifetime" | "for", _) => {
            json!({ "type": "string", "pattern": DURATION })
        }
        ("image", _) => json!({
            "anyOf": [
                { "enum": Image::names() },
                text(),
                { "type": "array", "items": text(), "minItems": 1 },
            ],
        }),
        (_, Shape::Scalar) => scalar(),
        (_, Shape::List) => json!({
            "anyOf": [scalar(), { "type": "array", "items": scalar(), "minItems": 1 }],
        }),
        (_, Shape::Tags) => {
            let pairs = json!({
                "type": "object",
                "additionalProperties": { "type": ["string", "number", "boolean"] },
                "minProperties": 1,
            });
            json!({ "anyOf": [scalar(), pairs, { "type": "array", "items": pairs, "minItems": 1 }] })
        }
    }
}

fn properties(section: Section) -> Map<String, Value> {
    let inputs = section.inputs().filter(|(_, input)| !input.secret);
    inputs
        .map(|(key, input)| {
            let mut schema = value(input);
            let default = input
                .default
                .map(|default| format!(" (default: {default})"));
            schema["description"] = format!("{}{}", input.help, default.unwrap_or_default()).into();
            (key.to_owned(), schema)
        })
        .collect()
}

fn object(properties: &Map<String, Value>, description: &str) -> Value {
    json!({
        "type": ["object", "null"],
        "description": description,
        "additionalProperties": false,
        "properties": properties,
    })
}

fn schema() -> Value {
    let defaults = properties(Section::Runner);
    let mut runner = defaults.clone();
    runner.insert(
        EXTEND.to_owned(),
        json!({
            "description": "Runners of this file whose keys hold here, too; later ones override earlier ones, own keys override all",
            "anyOf": [text(), { "type": "array", "items": text(), "minItems": 1 }],
        }),
    );
    let mut aws = properties(Section::Aws);
    aws.insert(
        ACCOUNT.to_owned(),
        json!({
            "description": "The account that the credentials must belong to: 12 digits, in quotes",
            "type": ["string", "integer"],
            "pattern": "^[0-9]{12}$",
            "minimum": 100_000_000_000_u64,
            "maximum": 999_999_999_999_u64,
        }),
    );
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "https://sprinters.github.io/action/sprinters.schema.json",
        "title": "Sprinters profiles: .github/sprinters.yml",
        "type": "object",
        "required": ["runners"],
        "additionalProperties": false,
        "properties": {
            "defaults": object(&defaults, "What holds for every runner that does not say otherwise"),
            "runners": {
                "type": "object",
                "description": "Named runners; a workflow uses one with `runner: NAME`",
                "minProperties": 1,
                "propertyNames": { "pattern": NAME },
                "additionalProperties": object(&runner, "A runner"),
            },
            "aws": object(&aws, "Where runners are launched, whichever it is"),
            "github": object(&properties(Section::Github), "Where runners register, whichever it is"),
        },
    })
}

#[test]
fn the_books_schema_is_what_the_parser_takes() {
    let written = serde_json::to_string_pretty(&schema()).unwrap_or_default() + "\n";
    if std::env::var_os("SPRINTERS_WRITE_SCHEMA").is_some() {
        assert!(std::fs::write(FILE, &written).is_ok());
    }
    let kept = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        kept == written,
        "{FILE} is old: run SPRINTERS_WRITE_SCHEMA=1 cargo test schema"
    );
}
