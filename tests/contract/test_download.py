"""What GitHub downloads for `uses:`, an archive of the repository: small, all that a run needs, and it runs."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
import yaml

from standins.program import ROOT, dist_binary

MEGABYTE = 1_000_000
# At the top, and nothing else: what is new there must be wanted by whoever runs the action to be downloaded by them.
TOP = {"action.yml", "dist", "wasm", "LICENSE", "LICENSE-APACHE", "LICENSE-MIT", "README.md"}


@pytest.fixture(scope="module")
def archive() -> bytes:
    # As the working tree says, so that a change is tested before it is committed; what is archived is committed.
    command = ["git", "archive", "--worktree-attributes", "--format=tar", "HEAD"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout


@pytest.fixture(scope="module")
def files(archive: bytes) -> set[str]:
    return {member.name for member in tarfile.open(fileobj=io.BytesIO(archive)) if member.isfile()}


@pytest.fixture(scope="module")
def unpacked(archive: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As it lies on a runner: without a repository around it."""
    folder = tmp_path_factory.mktemp("download")
    # Not with `tarfile`: its `filter` came to Python 3.11 by a security update, which a fresh Debian 12 does not have.
    subprocess.run(["tar", "--extract", "--directory", folder], input=archive, check=True)
    return folder


def test_it_is_small(archive: bytes) -> None:
    # Two programs, the portable one and the policy checker.
    assert len(gzip.compress(archive)) <= 7.9 * MEGABYTE


def test_it_has_what_a_run_needs_and_nothing_else(files: set[str]) -> None:
    assert {name.partition("/")[0] for name in files} == TOP
    assert {name for name in files if name.startswith("wasm/")} == {
        "wasm/action.yml",
        *(f"wasm/action/{module.name}" for module in (ROOT / "wasm" / "action").iterdir()),
    }


def test_every_file_of_every_action_in_the_repository_is_there(files: set[str]) -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, check=True, text=True).stdout.split()
    actions = {name for name in tracked if name.endswith("action.yml") and not name.startswith((".", "tests/"))}
    assert actions <= files
    # The hashes of the sources, which are not there to be compared with them.
    assert {name for name in tracked if name.startswith("dist/")} - {"dist/SOURCES"} <= files


def test_the_program_runs(unpacked: Path) -> None:
    program = unpacked / dist_binary().relative_to(ROOT)
    run = subprocess.run([program, "--help"], env={}, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    assert "start" in run.stdout


def test_the_step_that_checks_policies_runs(unpacked: Path, tmp_path: Path) -> None:
    node = shutil.which("node")
    assert node, "no node on PATH"
    declared = yaml.safe_load((unpacked / "wasm" / "action.yml").read_text())
    shutil.copy(ROOT / "docs" / "src" / "policies" / "plain_six.json", tmp_path / "good.json")
    (tmp_path / "bad.json").write_text(json.dumps({"Version": "2012-10-17", "Statement": []}))

    def check(policy: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": os.environ["PATH"], "GITHUB_WORKSPACE": str(tmp_path), "INPUT_POLICY": policy}
        command = [node, unpacked / "wasm" / declared["runs"]["main"]]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert (check("good.json").returncode, check("bad.json").returncode) == (0, 1), check("good.json").stderr

    # Lists as the program takes them; and what cannot be read hides nothing.
    (tmp_path / "gone.json").symlink_to("/nonexistent")
    together = check("good.json, gone.json,bad.json")
    assert together.returncode == 2
    assert all(word in together.stdout for word in ("✓ good.json", "✗ bad.json", "gone.json"))
