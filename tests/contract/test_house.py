"""The order of imports in src/: data flows one way, and a room knows only the rooms below it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from standins.program import ROOT

SRC = ROOT / "src"

# From the roof down. Rooms of one floor do not know each other.
FLOORS = [
    {"main"},
    {"cli"},
    {"modes"},
    {"launch", "reruns"},
    {"runner"},
    {"clients"},
    {"teardown"},
    {"report"},
    {"error"},
    {"ec2", "github"},
    {"boot", "credentials", "http", "pricing"},
    {"inputs"},
    {"values"},
    {"retry", "yaml"},
    {"platform"},
]
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
# An absolute path inside the crate, and every name of a group that begins at its root.
PATH = re.compile(r"\bcrate::(\w+)((?:::\w+)*)")
ROOT_GROUP = re.compile(r"\buse crate::\{([^;]*)\};")


def production(file: Path) -> str:
    """The file without its tests, which may look at the whole house, and without comments."""
    text = file.read_text().split("#[cfg(test)]\nmod tests {")[0]
    return re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)


def room(file: Path) -> str:
    return file.relative_to(SRC).parts[0].removesuffix(".rs")


def sources() -> list[Path]:
    files = sorted(SRC.rglob("*.rs"))
    return [file for file in files if file.name != "tests.rs" and "tests" not in file.relative_to(SRC).parts]


def imports(file: Path) -> Iterator[list[str]]:
    text = production(file)
    for group in ROOT_GROUP.findall(text):
        yield from ([name.split("::")[0]] for name in re.findall(r"[\w:]+", group))
    for first, rest in PATH.findall(text):
        yield [first, *rest.split("::")[1:]]
    if file.name == "main.rs":
        yield from ([name] for name in re.findall(r"^use (\w+)::", text, re.MULTILINE) if name in FLOOR)


def test_every_room_has_a_floor() -> None:
    assert {room(file) for file in sources()} == set(FLOOR)


def test_imports_run_down() -> None:
    up = [
        f"{file.relative_to(ROOT)} imports crate::{'::'.join(path)}"
        for file in sources()
        for path in imports(file)
        if path[0] != room(file) and FLOOR.get(path[0], -1) <= FLOOR[room(file)]
    ]
    assert up == []


def test_modes_do_not_know_each_other() -> None:
    across = []
    for file in (file for file in sources() if room(file) == "modes" and file.parent != SRC):
        mode = file.relative_to(SRC / "modes").parts[0].removesuffix(".rs")
        across += [
            f"{file.relative_to(ROOT)} imports crate::{'::'.join(path)}"
            for path in imports(file)
            if path[0] == "modes" and mode != "mod" and path[1:2] != [mode]
        ]
    assert across == []
