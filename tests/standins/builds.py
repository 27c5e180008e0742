"""The builds that users run, out of dist/: one table, from which the scenarios are run against each of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from standins.cache import cache_dir

DIST = Path(__file__).resolve().parents[2] / "dist"


def native(name: str) -> list[str]:
    return [str(DIST / f"sprinters-{name}")]


def emulated(name: str) -> list[str]:
    """For another processor than this machine's."""
    return [found("qemu-aarch64-static"), *native(name)]


def portable(node: str) -> list[str]:
    """With the Node.js of that major version, which `.ci/setup builds` fetches."""
    installed = cache_dir() / "builds" / "node_modules" / f"node-{node}"
    return [str(installed / "bin" / "node"), str(DIST / "portable" / "sprinters.mjs")]


def found(tool: str) -> str:
    return shutil.which(tool) or f"/usr/bin/{tool}"


BUILDS: dict[str, Callable[[], list[str]]] = {
    "Linux-X64": lambda: native("Linux-X64"),
    "Linux-ARM64": lambda: emulated("Linux-ARM64"),
    "portable-node20": lambda: portable("20"),
    "portable-node24": lambda: portable("24"),
}


def command(name: str) -> list[str]:
    """How to run a build of the table."""
    if name not in BUILDS:
        raise ValueError(f"SPRINTERS_BUILD is `{name}`; there is {', '.join(BUILDS)}")
    return BUILDS[name]()
