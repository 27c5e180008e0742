"""The one step of action.yml, run as GitHub's runner runs it: `sh -e FILE`."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
import yaml

from standins.program import ROOT, SYSTEM_PATH

ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
# What stands in for the program: tells its process id, waits to be told what to do with its life.
TELLS_ITS_ID = """#!/usr/bin/env python3
import os, signal, sys
signal.signal(signal.SIGINT, lambda *_: sys.exit(42))
print(os.getpid(), os.environ["SPRINTERS_INPUTS"], flush=True)
signal.pause()
"""


def script() -> str:
    [step] = ACTION["runs"]["steps"]
    return step["run"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A downloaded action whose folder's name would break an unquoted script."""
    folder = tmp_path / "an action's folder"
    (folder / "dist").mkdir(parents=True)
    return folder


def program(checkout: Path, name: str, text: str = TELLS_ITS_ID) -> None:
    file = checkout / "dist" / f"sprinters-{name}"
    file.write_text(text)
    file.chmod(0o755)


def begin(checkout: Path, shell: str = "sh", os_name: str = "Linux", arch: str = "X64") -> subprocess.Popen[str]:
    file = checkout / "step.sh"
    file.write_text(script())
    environment = {
        "PATH": SYSTEM_PATH,
        "GITHUB_ACTION_PATH": str(checkout),
        "RUNNER_OS": os_name,
        "RUNNER_ARCH": arch,
        "SPRINTERS_INPUTS": json.dumps({"mode": "start"}),
    }
    command = [*shell.split(), "-e", str(file)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


# Debian's sh is dash; Alpine's is busybox's; bash is what a workflow's `defaults` might make of it.
@pytest.mark.parametrize("shell", ["sh", "bash", "busybox sh"])
def test_the_program_is_the_steps_entry_process(checkout: Path, shell: str) -> None:
    """A cancel sends SIGINT to that process alone."""
    if shutil.which(shell.split()[0], path=SYSTEM_PATH) is None:
        pytest.skip(f"`{shell}` is missing; run `apt-get install {shell.split()[0]}`")
    program(checkout, "Linux-X64")
    step = begin(checkout, shell)
    assert step.stdout is not None
    process_id, inputs = step.stdout.readline().split(maxsplit=1)
    assert int(process_id) == step.pid
    assert json.loads(inputs) == {"mode": "start"}
    step.send_signal(signal.SIGINT)
    assert step.wait(10) == 42


def test_a_runner_without_a_program_says_which_ones_have_one(checkout: Path) -> None:
    program(checkout, "Linux-X64")
    program(checkout, "Linux-ARM64")
    step = begin(checkout, os_name="macOS", arch="ARM64")
    said, _ = step.communicate(timeout=10)
    assert step.returncode == 1
    assert said == (
        "::error title=Sprinters::no program for this runner, `macOS-ARM64`; this version has one for: `Linux-ARM64` "
        "`Linux-X64`. Run this step on such a runner, for example with `runs-on: ubuntu-latest`\n"
    )


def test_an_action_without_any_program_says_so(checkout: Path) -> None:
    step = begin(checkout)
    said, _ = step.communicate(timeout=10)
    assert step.returncode == 1
    assert "no program for this runner, `Linux-X64`; this version has one for: none." in said


def test_nothing_is_interpolated_into_the_script() -> None:
    [step] = ACTION["runs"]["steps"]
    assert "${{" not in step["run"]
    assert step["env"] == {
        "SPRINTERS_INPUTS": "${{ toJSON(inputs) }}",
        "SPRINTERS_JOB_ID": "${{ job.check_run_id }}",
        "SPRINTERS_JOB_TOKEN": "${{ github.token }}",
    }
