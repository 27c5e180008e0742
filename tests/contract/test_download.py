"""What GitHub downloads for `uses:`, an archive of the repository: small, and all that a run needs."""

from __future__ import annotations

import gzip
import io
import subprocess
import tarfile

import pytest

from standins.program import ROOT

MEGABYTE = 1_000_000
NEEDED = {"action.yml", "dist/SHA256SUMS", "LICENSE", "LICENSE-APACHE", "LICENSE-MIT", "README.md"}
NOT_NEEDED = {".ci", ".github", "Cargo.lock", "Cargo.toml", "Makefile", "deny.toml", "docs", "src", "tests"}


@pytest.fixture(scope="module")
def archive() -> bytes:
    # As the working tree says, so that a change is tested before it is committed; what is archived is committed.
    command = ["git", "archive", "--worktree-attributes", "--format=tar", "HEAD"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout


@pytest.fixture(scope="module")
def files(archive: bytes) -> set[str]:
    return {member.name for member in tarfile.open(fileobj=io.BytesIO(archive)) if member.isfile()}


def test_it_is_small(archive: bytes) -> None:
    assert len(gzip.compress(archive)) <= 5 * MEGABYTE


def test_it_has_what_a_run_needs(files: set[str]) -> None:
    assert files >= NEEDED, NEEDED - files
    assert any(name.startswith("dist/sprinters-") for name in files)


def test_it_has_nothing_else(files: set[str]) -> None:
    assert {name.partition("/")[0] for name in files} & NOT_NEEDED == set()


def test_every_file_of_every_action_in_the_repository_is_there(files: set[str]) -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, check=True, text=True).stdout.split()
    actions = {name for name in tracked if name.endswith("action.yml") and not name.startswith((".", "tests/"))}
    assert actions <= files
    assert {name for name in tracked if name.startswith("dist/")} <= files
