"""Every block of code in the README, the guides and the book is what it says: shell, YAML, JSON or HCL.

Whole workflows are also given to actionlint (test_documented_workflows.py), and the files of docs/src/setup are carried
out (scenarios/test_account_setup.py).
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml

from standins.program import ROOT

BOOK = ROOT / "docs" / "src"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(BOOK.glob("*.md"))]
BLOCK = re.compile(
    r"^(?P<margin>(?:> ?| )*)```(?P<language>\w*)\n(?P<text>.*?)^(?P=margin)```$", re.MULTILINE | re.DOTALL
)
INCLUDE = re.compile(r"\{\{#include ([\w./-]+)\}\}")
# What is there to be looked at: logs, drawings, differences, a file's lines.
SHOWN = {"text", "diff", "ini", ""}


@dataclass(frozen=True)
class Block:
    place: str
    language: str
    text: str


def blocks() -> list[Block]:
    found = []
    for page in PAGES:
        source = page.read_text()
        for match in BLOCK.finditer(source):
            text = re.sub(rf"^{re.escape(match['margin'])}", "", match["text"], flags=re.MULTILINE)
            text = INCLUDE.sub(lambda one: (BOOK / one[1]).read_text().rstrip("\n"), text)
            line = source[: match.start()].count("\n") + 1
            found.append(Block(f"{page.name}:{line}", match["language"], textwrap.dedent(text)))
    return found


ALL = blocks()


def of(language: str) -> list[Any]:
    found = [pytest.param(block.text, id=block.place) for block in ALL if block.language == language]
    assert found, f"no block in {language}"
    return found


def test_every_block_names_a_language_that_is_checked() -> None:
    checked = {"sh", "yaml", "json", "hcl"}
    assert {block.language for block in ALL} - SHOWN <= checked
    assert sum(block.language in checked for block in ALL) > 40


@pytest.mark.parametrize("text", of("sh"))
def test_shell(text: str) -> None:
    # SC2154: what a block sets nowhere is for its reader to put in, or was set by the block before.
    # SC2164: its reader sees where `cd` failed.
    command = [str(Path(sys.executable).parent / "shellcheck"), "--shell=bash", "--exclude=SC2154,SC2164", "-"]
    run = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


class _WithTags(yaml.SafeLoader):
    """CloudFormation's `!Ref` and the like are as good as plain values here."""


def _plain(loader: yaml.SafeLoader, _suffix: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node)
    return None


_WithTags.add_multi_constructor("!", _plain)


@pytest.mark.parametrize("text", of("yaml"))
def test_yaml(text: str) -> None:
    assert yaml.load(text, Loader=_WithTags)


@pytest.mark.parametrize("text", of("json"))
def test_json(text: str) -> None:
    assert json.loads(text)


@pytest.mark.parametrize("text", of("hcl"))
def test_hcl(text: str) -> None:
    assert hcl2.loads(text)


COMMAND = re.compile(r"^\s*(?:dist/)?sprinters(?:-Linux-X64)? (?P<rest>.*)$", re.MULTILINE)


def commands() -> list[Any]:
    """The program's own commands in blocks of shell, each as words."""
    found = []
    for block in ALL:
        if block.language == "sh":
            for command in COMMAND.finditer(block.text):
                words = shlex.split(command["rest"], comments=True)
                found.append(pytest.param(words, id=f"{block.place} {' '.join(words[:2])}"))
    return found


@pytest.mark.parametrize("words", commands())
def test_the_program_has_this_command_and_its_flags(binary: Path, words: list[str]) -> None:
    def help_of(*path: str) -> str:
        run = subprocess.run([binary, *path, "--help"], env={}, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        return run.stdout

    path: list[str] = []
    text = help_of()
    while len(path) < len(words) and re.search(rf"^  {re.escape(words[len(path)])}  ", text, re.MULTILINE):
        path.append(words[len(path)])
        text = help_of(*path)
    assert path, f"the program has no command `{words[0]}`"
    flags = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert flags <= set(re.findall(r"--[a-z-]+", text)), text
