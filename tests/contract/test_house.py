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


def module(file: Path) -> tuple[str, ...]:
    """`src/modes/listen/set.rs` is `modes::listen::set`, and a folder's `mod.rs` the folder."""
    parts = file.relative_to(SRC).with_suffix("").parts
    return parts[:-1] if parts[-1] == "mod" else parts


def neighbours(file: Path, modules: set[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """The files that a file imports, in its own room, too; not those below it, which it is made of."""
    here, text = module(file), production(file)
    paths = [tuple(path) for path in imports(file)]
    paths += [(*here[:-1], *rest.split("::")) for rest in re.findall(r"\buse super::(\w+(?:::\w+)*)", text)]
    found = set()
    for path in paths:
        longest = next((path[:end] for end in range(len(path), 0, -1) if path[:end] in modules), None)
        if longest and longest != here and here[: len(longest)] != longest and longest[: len(here)] != here:
            found.add(longest)
    return found


# Those that remain: fewer may be, more may not.
CIRCLES = {frozenset({("modes", "policy", "arguments"), ("modes", "policy", "facts")})}


def test_files_do_not_import_each_other_in_a_circle() -> None:
    files = [file for file in sources() if file.name not in ("main.rs", "cli.rs")]
    modules = {module(file) for file in files}
    known = {module(file): neighbours(file, modules) for file in files}
    reached = {start: reachable(start, known) for start in known}
    circles = {
        frozenset({one} | {two for two in reached[one] if one in reached[two]}) for one in known if one in reached[one]
    }
    assert circles <= CIRCLES


def reachable(start: tuple[str, ...], known: dict[tuple[str, ...], set[tuple[str, ...]]]) -> set[tuple[str, ...]]:
    seen: set[tuple[str, ...]] = set()
    ahead = list(known[start])
    while ahead:
        one = ahead.pop()
        if one not in seen:
            seen.add(one)
            ahead += known.get(one, ())
    return seen
