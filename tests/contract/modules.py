"""The modules of a crate, and which of them names which: read from its sources."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

# A path from the crate's root, the module above, or this one.
PATH = re.compile(r"\b((?:crate|super|self)(?:::\w+)+)")
USE = re.compile(r"\b(pub(?:\([^)]*\))? )?use ([^;]*);")
CHILD = re.compile(r"(?<![\w:])(\w+)::")

Path_ = list[str]


class Crate:
    """One crate's production code: without its tests, which may look at everything."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        files = (file for file in folder.rglob("*.rs") if "tests" not in (file.stem, *file.relative_to(folder).parts))
        self.texts = {file: production(file) for file in files}
        self.handed_on = dict(self._handed_on())

    def imports(self) -> dict[Path, set[Path]]:
        """For each file the files that it names; one that hands a name on is not named by those who take that name."""
        return {file: set(self._named_by(file)) - {file} for file in self.texts}

    def is_face_of(self, face: Path, file: Path) -> bool:
        """Whether the face, a `mod.rs` or the root, is above the file: what both need may stand there."""
        return face.name in ("mod.rs", "main.rs", "lib.rs") and face.parent in file.parents

    def _named_by(self, file: Path) -> Iterator[Path]:
        text = USE.sub(lambda use: "" if use[1] else use[0], self.texts[file])
        uses = [path for use in USE.finditer(text) if rooted(use[2]) for path in paths(use[2])]
        text = USE.sub("", text)
        uses += [path.split("::") for path in PATH.findall(text)]
        for path in uses:
            yield self._home(file, path)
        for name in CHILD.findall(text):
            child = self._home(file, ["self", name])
            if self._path(child)[:-1] == self._path(file):
                yield child

    def _handed_on(self) -> Iterator[tuple[tuple[Path, str], Path]]:
        for file, text in self.texts.items():
            for use in USE.finditer(text):
                for path in paths(use[2]) if use[1] else ():
                    home = self._find(self._absolute(file, path if rooted(path[0]) else ["self", *path]))[0]
                    if home != file:
                        yield (file, path[-1]), home

    def _home(self, file: Path, path: Path_) -> Path:
        home, rest = self._find(self._absolute(file, path))
        while rest and (home, rest[0]) in self.handed_on:
            home = self.handed_on[home, rest[0]]
        return home

    def _path(self, file: Path) -> Path_:
        parts = list(file.relative_to(self.folder).with_suffix("").parts)
        return parts[:-1] if parts[-1] in ("mod", "main", "lib") else parts

    def _absolute(self, file: Path, path: Path_) -> Path_:
        if path[0] == "crate":
            return path[1:]
        here, rest = self._path(file), path[1:] if path[0] == "self" else path
        while rest and rest[0] == "super":
            here, rest = here[:-1], rest[1:]
        return here + rest

    def _find(self, path: Path_) -> tuple[Path, Path_]:
        """The file of the deepest module on the path, and what follows it."""
        home = next(self.folder / name for name in ("main.rs", "lib.rs") if (self.folder / name).exists())
        for depth in range(1, len(path) + 1):
            stem = self.folder.joinpath(*path[:depth])
            found = next((file for file in (stem.with_suffix(".rs"), stem / "mod.rs") if file in self.texts), None)
            if found is None:
                return home, path[depth - 1 :]
            home = found
        return home, []


def production(file: Path) -> str:
    """The file without its tests and comments."""
    text = re.split(r"#\[cfg\(test\)\]\nmod \w+ \{", file.read_text())[0]
    return re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)


def rooted(use: str) -> bool:
    return use.split("::")[0].strip() in ("crate", "super", "self")


def paths(tree: str, above: tuple[str, ...] = ()) -> Iterator[Path_]:
    """Every path of a `use` tree: `a::{b, c::{d}}` has `a::b` and `a::c::d`."""
    head, brace, inner = tree.partition("{")
    names = [*above, *re.findall(r"\w+", re.sub(r"\bas \w+", "", head))]
    if not brace:
        if names:
            yield names
        return
    depth, branch = 0, ""
    for character in inner.rpartition("}")[0] + ",":
        if character == "," and depth == 0:
            yield from paths(branch, tuple(names))
            branch = ""
        else:
            depth += (character == "{") - (character == "}")
            branch += character
