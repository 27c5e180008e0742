"""Two set-ups, or two builds, at the same time on one machine: one waits for the other."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from standins.program import ROOT

# Long enough to show that it waits, and nothing of it is spent where it does not.
A_MOMENT = 0.5


@contextmanager
def held(file: Path, kind: int = fcntl.LOCK_EX) -> Iterator[None]:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as open_file:
        fcntl.flock(open_file, kind)
        yield


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A machine on which everything is set up, with a cargo that only notes how it is called."""
    programs = tmp_path / "programs"
    programs.mkdir()
    cargo = programs / "cargo"
    cargo.write_text(f'#!/bin/sh\necho "$PWD: $*" >>{tmp_path}/calls\necho "cargo 1.999.0 (stub)"\n')
    rustc = programs / "rustc"
    rustc.write_text("#!/bin/sh\n")
    for program in (cargo, rustc):
        program.chmod(0o755)
    return {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "CARGO_TARGET_DIR": str(tmp_path / "target"),
    }


def begun(command: list[str | Path], environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def waits(process: subprocess.Popen[str]) -> bool:
    """Whether it says that it waits, and does."""
    assert process.stdout
    said = process.stdout.readline()
    time.sleep(A_MOMENT)
    return "Waiting for" in said and process.poll() is None


def test_a_set_up_waits_for_another(environment: dict[str, str], tmp_path: Path) -> None:
    cache = tmp_path / "cache" / "sprinters"
    wanted = b"".join(file.read_bytes() for file in sorted((ROOT / "tests").glob("requirements*.txt")))
    (cache / "stamps").mkdir(parents=True)
    (cache / "stamps" / "python").write_text(f"{hashlib.sha256(wanted).hexdigest()}  -\n")
    (cache / "venv" / "bin").mkdir(parents=True)
    (cache / "venv" / "bin" / "python").symlink_to("/bin/true")
    with held(cache / "setup.lock"):
        second = begun([ROOT / ".ci" / "setup", "python"], environment)
        assert waits(second)
    assert second.wait(20) == 0, second.communicate()[0]


def checkout(folder: Path) -> Path:
    shutil.copytree(ROOT / ".ci", folder / ".ci", ignore=shutil.ignore_patterns("node_modules"))
    return folder


def uses_target(root: Path, environment: dict[str, str], then: str = "true") -> subprocess.Popen[str]:
    script = f"set -euo pipefail; . {root}/.ci/settings.sh; use_target_directory; {then}"
    return begun(["bash", "-c", script], environment)


def cleaned(tmp_path: Path) -> list[str]:
    """The checkouts that removed another one's programs."""
    calls = (tmp_path / "calls").read_text().splitlines()
    return [call.partition(": ")[0] for call in calls if " clean " in call]


def test_a_checkout_waits_for_another_that_uses_the_target_directory(
    environment: dict[str, str], tmp_path: Path
) -> None:
    first, second = checkout(tmp_path / "first"), checkout(tmp_path / "second")
    assert uses_target(first, environment).wait(20) == 0
    with held(tmp_path / "target" / "checkout.lock", fcntl.LOCK_SH):
        # The same checkout's programs are the same.
        assert uses_target(first, environment).wait(20) == 0
        other = uses_target(second, environment)
        assert waits(other)
        assert cleaned(tmp_path) == [str(first)]
    assert other.wait(20) == 0, other.communicate()[0]
    assert cleaned(tmp_path) == [str(first), str(second)]


def test_many_that_switch_checkouts_all_get_their_own_programs(environment: dict[str, str], tmp_path: Path) -> None:
    roots = [checkout(tmp_path / name) for name in ("first", "second", "third")]
    read = "cat $CARGO_TARGET_DIR/checkout; sleep 0.05; cat $CARGO_TARGET_DIR/checkout"
    running = [(root, uses_target(root, environment, read)) for root in roots * 3]
    for root, process in running:
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0, said
        assert [line for line in said.splitlines() if line.startswith("/")] == [str(root)] * 2
