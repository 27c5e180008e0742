"""The JSON Schema in the book agrees with the parser: the same documents, which `cargo test` gives to the parser."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from standins.program import ROOT

FOLDER = ROOT / "tests" / "profiles"
PAGE = ROOT / "docs" / "src" / "profiles.md"


@cache
def validator() -> Draft7Validator:
    schema = json.loads((ROOT / "docs" / "src" / "sprinters.schema.json").read_text())
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema)


def documents(kind: str) -> list[Any]:
    found = sorted((FOLDER / kind).glob("*.yml"))
    assert len(found) >= 4
    return [pytest.param(path, id=path.stem) for path in found]


@pytest.mark.parametrize("path", documents("good"))
def test_what_the_parser_takes_the_schema_takes(path: Path) -> None:
    assert not [error.message for error in validator().iter_errors(yaml.safe_load(path.read_text()))]


@pytest.mark.parametrize("path", documents("bad"))
def test_what_the_parser_refuses_the_schema_refuses(path: Path) -> None:
    assert list(validator().iter_errors(yaml.safe_load(path.read_text())))


@pytest.mark.parametrize("path", documents("beyond-the-schema"))
def test_these_need_the_parser(path: Path) -> None:
    """Should the schema find one of them one day, it belongs to the others."""
    try:
        document = yaml.safe_load(path.read_text())
    except yaml.YAMLError:
        return
    assert not list(validator().iter_errors(document))


def test_editors_are_told_what_each_key_is() -> None:
    schema = validator().schema
    assert isinstance(schema, dict)
    sections = schema["properties"]
    runner = sections["runners"]["additionalProperties"]["properties"]
    assert {"image", "instance-type", "spot", "extend", "setup", "tags"} <= set(runner)
    assert all(key["description"] for key in runner.values())
    assert not [key for section in sections.values() for key in section.get("properties", {}) if "secret" in key]


def test_the_books_example_fits_the_schema() -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    files = [yaml.safe_load(block) for block in blocks if "\nrunners:" in block]
    assert files
    for document in files:
        assert not [error.message for error in validator().iter_errors(document)]
