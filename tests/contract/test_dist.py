"""dist/ holds what users run: is it what these sources make, and fit to run anywhere?"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from standins import builds
from standins.program import ROOT

MEGABYTE = 1_000_000


def programs() -> list[Path]:
    return sorted((ROOT / "dist").glob("sprinters-Linux-*"))


def test_dist_matches_the_sources() -> None:
    check = subprocess.run([ROOT / ".ci" / "dist", "--check"], capture_output=True, text=True)
    if check.returncode != 0 and os.environ.get("CI") != "true":
        pytest.skip(f"{check.stderr.splitlines()[-1]} (in CI this fails)")
    assert check.returncode == 0, check.stderr


def test_the_list_of_hashes_has_all_that_a_workflow_runs() -> None:
    """What is in no list is attested by no release: `wasm/action` is JavaScript that runs as it is written."""
    listed = {line.split("  ")[1] for line in (ROOT / "dist" / "SHA256SUMS").read_text().splitlines()}
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, check=True, text=True).stdout.split()
    run = {name for name in tracked if name.startswith(("action.yml", "dist/", "wasm/action"))} - {"dist/SHA256SUMS"}
    assert listed == {os.path.relpath(ROOT / name, ROOT / "dist") for name in run}


def test_there_is_a_program() -> None:
    assert programs(), "dist/ holds no program; run `make dist`"


@pytest.mark.parametrize("program", programs(), ids=lambda program: program.name)
def test_a_program_is_small_static_and_ready_to_run(program: Path) -> None:
    headers = subprocess.run(
        ["readelf", "--program-headers", "--dynamic", program], capture_output=True, text=True, check=True
    ).stdout
    assert "INTERP" not in headers, "it needs a dynamic loader, so it would not run on other systems"
    assert "NEEDED" not in headers, "it needs shared libraries"
    assert program.stat().st_size <= 8 * MEGABYTE
    assert os.access(program, os.X_OK)


def test_each_build_of_the_tests_is_there() -> None:
    for name in builds.BUILDS:
        file = Path(builds.command(name)[-1])
        assert file.exists(), f"dist/ has no {file.relative_to(ROOT)}; run `make dist`"


def test_the_portable_program_is_small_and_whole() -> None:
    """Node.js, these files and the names of actions beside them: no package is installed where it runs."""
    files = [file for file in (ROOT / "dist" / "portable").rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) <= 6 * MEGABYTE
    sources = {file.relative_to(ROOT / "portable") for file in (ROOT / "portable").rglob("*") if file.is_file()}
    made = {file.relative_to(ROOT / "dist" / "portable") for file in files}
    assert {str(name) for name in made - sources} == {
        "sprinters.js",
        "sprinters.core.wasm.br",
        *(f"sprinters.core{n}.wasm" for n in (2, 3, 4)),
    }
    for name in sources:
        assert (ROOT / "dist" / "portable" / name).read_bytes() == (ROOT / "portable" / name).read_bytes(), name
    imported = {
        found
        for file in files
        if file.suffix in (".mjs", ".js")
        for found in re.findall(r"""^import .*?from ["']([^"']+)["']""", file.read_text(), re.MULTILINE)
    }
    assert {name for name in imported if not name.startswith((".", "node:"))} == set()
