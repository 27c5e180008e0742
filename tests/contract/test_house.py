"""The order of imports in src/: data flows one way, and a room knows only the rooms below it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from contract.modules import Crate, production
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


@pytest.mark.parametrize("folder", ["src", "wasm/src"])
def test_no_files_import_each_other_in_a_circle(folder: str) -> None:
    """But for a folder's own face: what its files share may stand in `mod.rs`."""
    crate = Crate(ROOT / folder)
    graph = {
        file: {other for other in named if not crate.is_face_of(other, file)} for file, named in crate.imports().items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(str(file.relative_to(ROOT)) for file in reversed(error.args[1])))


def test_the_guide_to_the_house_names_files_that_are_there() -> None:
    named = re.findall(r"`((?:[\w.-]+/)+[\w.-]*)`", (ROOT / "ARCHITECTURE.md").read_text())
    theirs = {".github/sprinters.yml"}
    missing = {name for name in named if not ((SRC / name).exists() or (ROOT / name).exists())}
    assert named and missing == theirs
