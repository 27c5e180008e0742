"""The three places that name the inputs and outputs, each read into the same shape."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from standins.program import ROOT

MODES = ("start", "stop", "check", "sweep", "rerun", "listen", "bake", "policy")

# Flags of `listen` that are not inputs: they are about the process rather than the runners.
OF_THE_PROCESS = {"log", "metrics", "drain"}
# What a person at a terminal may say of a policy: a workflow's step only checks.
OF_THE_TERMINAL = {
    *("region", "account", "partition", "image", "subnet", "security-group", "instance-type", "role", "fix", "diff"),
}


@dataclass(frozen=True)
class Input:
    meaning: str
    default: str


def action() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "action.yml").read_text())


def action_inputs() -> dict[str, Input]:
    """`description` is the meaning, and the default after it where there is one."""
    return {name: _split(item["description"], "; default: ") for name, item in action()["inputs"].items()}


def _split(text: str, separator: str) -> Input:
    meaning, _, default = text.partition(separator)
    return Input(meaning, default)


# A flag's line in the help, `  --spot <WHEN>  meaning`; what follows it, further in, continues the meaning.
FLAG = re.compile(r"^\s*(?:-\w, )?--(?P<name>[a-z][a-z-]*)(?: <[^>]*>)?(?P<rest>\s.*)?$")
DEFAULT = re.compile(r" \[default: (?P<default>[^\]]*)\]")
BRACKET = re.compile(r" \[[a-z]+: [^\]]*\]")


def flags(binary: Path, mode: str) -> dict[str, Input]:
    """`sprinters MODE --help`, without the flags that every program has."""
    text = subprocess.run([binary, mode, "--help"], env={}, capture_output=True, text=True, check=True).stdout
    found: dict[str, str] = {}
    name = None
    for line in text.splitlines():
        flag = FLAG.match(line)
        if flag:
            name = flag["name"]
            found[name] = (flag["rest"] or "").strip()
        elif name and line.startswith("   "):
            found[name] = f"{found[name]} {line.strip()}".strip()
        else:
            name = None
    left_out = {"help", "version"} | {"listen": OF_THE_PROCESS, "policy": OF_THE_TERMINAL}.get(mode, set())
    found = {name: text for name, text in found.items() if name not in left_out}
    return {name: _flag(text) for name, text in found.items()}


def headings(binary: Path, mode: str) -> dict[str, set[str]]:
    """The headings of `sprinters MODE --help`, each with its flags; without what stands under none of ours."""
    text = subprocess.run([binary, mode, "--help"], env={}, capture_output=True, text=True, check=True).stdout
    found: dict[str, set[str]] = {}
    names: set[str] = set()
    for line in text.splitlines():
        if re.fullmatch(r"[A-Z][a-z ]+:", line):
            names = found.setdefault(line.rstrip(":"), set())
        elif flag := FLAG.match(line):
            names.add(flag["name"])
    return {heading: names for heading, names in found.items() if names and heading != "Options"}


def groups() -> dict[str, set[str]]:
    """The groups of the book's page of inputs, and behind them what has a page of its own."""
    page = (ROOT / "docs" / "src" / PAGES[0]).read_text()
    found = {}
    for heading, text in re.findall(r"^### (.+)\n((?:(?!^##).*\n)*)", page, re.MULTILINE):
        names = set(re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)) - {"mode"}
        found[heading] = names
    rare = found.pop("Rare")
    policy = re.search(r"^### Inputs\n((?:(?!^##).*\n)*)", (ROOT / "docs" / "src" / PAGES[1]).read_text(), re.MULTILINE)
    assert policy
    return found | {"Policy": set(re.findall(r"^\| `([a-z-]+)` \|", policy[1], re.MULTILINE)), "Rare": rare}


def _flag(text: str) -> Input:
    default = DEFAULT.search(f" {text}")
    return Input(BRACKET.sub("", f" {text}").strip(), default["default"] if default else "")


# Where the book lists them: what only `mode: policy` takes has a page of its own.
PAGES = ("inputs-and-outputs.md", "check-policies.md")


def documented(heading: str) -> list[list[str]]:
    """The rows of all tables of the book whose first column is `heading`, without their heads."""
    text = "\n\n".join((ROOT / "docs" / "src" / page).read_text() for page in PAGES)
    tables = [table.splitlines() for table in re.findall(rf"^\| {heading} \|.*\n(?:\|.*\n)+", text, re.MULTILINE)]
    assert tables, f"the book has no table of each {heading}"
    return [cells(row) for table in tables for row in table[2:]]


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))]


def readme_workflow() -> str:
    """The workflow to copy: README.md's first whole one."""
    block = re.search(r"^```yaml\n(?P<text>on:.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert block, "README.md has no workflow"
    return block["text"]
