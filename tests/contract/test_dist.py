"""dist/ holds what users run: is it what these sources make, and fit to run anywhere?"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from standins.program import ROOT

MEGABYTE = 1_000_000


def programs() -> list[Path]:
    return sorted((ROOT / "dist").glob("sprinters-Linux-*"))


def test_dist_matches_the_sources() -> None:
    check = subprocess.run([ROOT / ".ci" / "dist", "--check"], capture_output=True, text=True)
    if check.returncode != 0 and os.environ.get("CI") != "true":
        pytest.skip(f"{check.stderr.splitlines()[-1]} (in CI this fails)")
    assert check.returncode == 0, check.stderr


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
