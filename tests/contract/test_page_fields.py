"""The fields of the checker's page take the words that the program takes, and no others."""

from __future__ import annotations

import csv
import json
import re
import subprocess

import pytest

from standins.program import ROOT, binary

FORMS = dict(
    re.findall(
        r'^export const (\w+) =\s*("(?:[^"\\]|\\.)*");$', (ROOT / "docs/web/src/forms.ts").read_text(), re.MULTILINE
    )
)
# The regions that the program knows, and the types that AWS has.
REGIONS = re.findall(r'^    "([a-z-]+-\d)",$', (ROOT / "wasm/src/region.rs").read_text(), re.MULTILINE)
TYPES = [row["type"] for row in csv.DictReader((ROOT / "src/tests/instance_types.csv").open())]

IDS = ("0123456789abcdef0", "12c6146b")
NO_IDS = ("", "1234567", "123456789", "0123456789ABCDEF0", "0123456789abcdefg", "0123456789abcdef01")

# A form, the program's flag, words that are right, words that are wrong.
FIELDS = {
    "REGION": (
        "region",
        [*REGIONS, "eu-west-9"],
        [
            "eu-centrl-1",
            "eu-central",
            "eu-central-0",
            "eu-central-1a",
            "EU-central-1",
            "eu",
            "us-east-1;",
            "mars-east-1-x",
        ],
    ),
    "ACCOUNT": (
        "account",
        ["111122223333", "000000000000"],
        ["1111", "1111222233334", "1111-2222-3333", "11112222333x"],
    ),
    "IMAGE": (
        "image",
        [f"ami-{one}" for one in IDS],
        [*(f"ami-{one}" for one in NO_IDS), "ubuntu-24.04", "subnet-12c6146b"],
    ),
    "SUBNET": ("subnet", [f"subnet-{one}" for one in IDS], [*(f"subnet-{one}" for one in NO_IDS), "ami-12c6146b"]),
    "SECURITY_GROUP": ("security-group", [f"sg-{one}" for one in IDS], [*(f"sg-{one}" for one in NO_IDS), "default"]),
    "INSTANCE_TYPE": (
        "instance-type",
        [*(one for one in TYPES if not one.startswith("mac")), "m99i.96xlarge", "i7i.metal-48xl"],
        [
            "m7i",
            "m7i.",
            ".large",
            "m7i.larg",
            "m7i.Large",
            "large.m7i",
            "mac2.metal",
            "m.large",
            "7m.large",
            "m7i.large.x",
        ],
    ),
    "ROLE": (
        "role",
        ["build-role", "ci/build.role", "a+b=c@d_e"],
        ["a role", "/ci/role", "ci/role/", "ci//role", "röle"],
    ),
    "REPOSITORY": (
        "repository",
        ["octo/app", "octo-org/app.js", "o/a_b", "octo_acme/app", "7/7"],
        ["octo", "octo/", "/app", "octo/app/x", "octo app/x", "octo/app;", "https://github.com/octo/app"],
    ),
}


def refused(flag: str, words: list[str]) -> set[str]:
    """The words that the program calls wrong."""
    if flag == "repository":
        commands = [["setup", f"--repository={word}"] for word in words]
    else:
        commands = [["policy", "tighten", f"--{flag}={word}"] for word in words]
    runs = [
        subprocess.run([binary(), *command], env={}, capture_output=True, text=True, check=False)
        for command in commands
    ]
    assert {run.returncode for run in runs} <= {0, 2}
    assert all(f"`{flag}`" in run.stderr for run in runs if run.returncode == 2), [run.stderr for run in runs]
    return {word for word, run in zip(words, runs, strict=True) if run.returncode == 2}


def test_every_form_is_compared() -> None:
    assert FORMS.keys() == FIELDS.keys()
    assert len(REGIONS) > 40
    assert len(TYPES) > 1000


@pytest.mark.parametrize("form", FIELDS)
def test_the_page_and_the_program_take_the_same_words(form: str) -> None:
    flag, right, wrong = FIELDS[form]
    pattern = re.compile(json.loads(FORMS[form]), re.ASCII)
    assert [word for word in right if not pattern.fullmatch(word)] == []
    assert [word for word in wrong if pattern.fullmatch(word)] == []
    some = right[:: max(1, len(right) // 60)]
    assert refused(flag, some) == set()
    assert refused(flag, wrong) == {word for word in wrong if word}
