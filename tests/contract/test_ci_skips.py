"""In CI nothing may be skipped: held against a test file that tries."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from standins.program import ROOT

SKIPS = """
import pytest

def test_runs(): pass

def test_skips_itself(): pytest.skip("no such thing here; get it from there")

@pytest.mark.skipif(True, reason="a mark")
def test_is_marked(): pass
"""


@pytest.mark.parametrize(
    ("ci", "code", "closing"), [("true", 1, "1 failed, 1 passed, 1 error"), ("", 0, "1 passed, 2 skipped")]
)
def test_a_skip_fails_in_ci_and_only_there(tmp_path: Path, ci: str, code: int, closing: str) -> None:
    (tmp_path / "test_skips.py").write_text(SKIPS)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "ci_skips", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "tests"), "CI": ci},
        capture_output=True,
        text=True,
    )
    assert run.returncode == code
    assert closing in run.stdout.splitlines()[-1], run.stdout
