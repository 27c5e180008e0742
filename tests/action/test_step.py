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


def portable(checkout: Path) -> None:
    file = checkout / "dist" / "portable" / "sprinters.mjs"
    file.parent.mkdir()
    file.write_text("the portable program")


def node(file: Path) -> None:
    """What stands in for Node.js: tells its process id and arguments."""
    file.parent.mkdir(parents=True)
    file.write_text('#!/bin/sh\nprintf "%s %s\\n" $$ "$*"\n')
    file.chmod(0o755)


@pytest.fixture
def no_node(tmp_path: Path) -> str:
    """A PATH with all that the step itself needs, which is nothing."""
    (tmp_path / "empty").mkdir()
    return str(tmp_path / "empty")


def begin(
    checkout: Path, shell: str = "sh", os_name: str = "Linux", arch: str = "X64", path: str = SYSTEM_PATH
) -> subprocess.Popen[str]:
    file = checkout / "step.sh"
    file.write_text(script())
    [executable, *arguments] = shell.split()
    shell = " ".join([shutil.which(executable, path=SYSTEM_PATH) or executable, *arguments])
    environment = {
        "PATH": path,
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


@pytest.mark.parametrize("shell", ["sh", "bash", "busybox sh"])
@pytest.mark.parametrize(("os_name", "arch"), [("macOS", "ARM64"), ("Windows", "X64"), ("Linux", "ARM")])
def test_without_a_program_of_its_own_a_runner_takes_the_portable_one(
    checkout: Path, tmp_path: Path, shell: str, os_name: str, arch: str
) -> None:
    program(checkout, "Linux-X64")
    portable(checkout)
    node(tmp_path / "bin" / "node")
    step = begin(checkout, shell, os_name, arch, path=str(tmp_path / "bin"))
    said, _ = step.communicate(timeout=10)
    assert (step.returncode, said) == (0, f"{step.pid} {checkout}/dist/portable/sprinters.mjs\n")


def test_the_runner_s_own_node_will_do(tmp_path: Path, no_node: str) -> None:
    """A self-hosted runner keeps it beside the work folder in which it unpacks actions."""
    checkout = tmp_path / "actions-runner" / "_work" / "_actions" / "sprinters" / "action" / "v1"
    (checkout / "dist").mkdir(parents=True)
    portable(checkout)
    node(tmp_path / "actions-runner" / "externals" / "node24" / "bin" / "node")
    step = begin(checkout, os_name="macOS", arch="X64", path=no_node)
    said, _ = step.communicate(timeout=10)
    assert (step.returncode, said) == (0, f"{step.pid} {checkout}/dist/portable/sprinters.mjs\n")


def test_without_node_the_step_says_what_to_install(checkout: Path, no_node: str) -> None:
    program(checkout, "Linux-X64")
    portable(checkout)
    step = begin(checkout, os_name="Windows", arch="ARM64", path=no_node)
    said, _ = step.communicate(timeout=10)
    assert step.returncode == 1
    assert said == (
        "::error title=Sprinters::no program for this runner, `Windows-ARM64`, and no Node.js for the portable one; "
        "this version has one for: `Linux-X64`. Install Node.js 20 or newer on this runner, for example with "
        "`actions/setup-node`\n"
    )


def test_a_program_of_its_own_comes_first(checkout: Path, no_node: str) -> None:
    program(checkout, "Linux-ARM64", "#!/bin/sh\necho native\n")
    portable(checkout)
    step = begin(checkout, arch="ARM64", path=no_node)
    said, _ = step.communicate(timeout=10)
    assert (step.returncode, said) == (0, "native\n")


def test_windows_paths_reach_node_as_they_are(tmp_path: Path) -> None:
    """GitHub names the action's folder with backslashes there; Git's shell hands them on, Node takes both slashes."""
    checkout = tmp_path / r"D:\a\_actions\sprinters\action\v1"
    (checkout / "dist").mkdir(parents=True)
    portable(checkout)
    node(tmp_path / "bin" / "node")
    step = begin(checkout, "bash", os_name="Windows", arch="X64", path=str(tmp_path / "bin"))
    said, _ = step.communicate(timeout=10)
    assert (step.returncode, said) == (0, f"{step.pid} {checkout}/dist/portable/sprinters.mjs\n")


def test_nothing_is_interpolated_into_the_script() -> None:
    [step] = ACTION["runs"]["steps"]
    assert "${{" not in step["run"]
    assert step["env"] == {
        "SPRINTERS_INPUTS": "${{ toJSON(inputs) }}",
        "SPRINTERS_JOB_ID": "${{ job.check_run_id }}",
        "SPRINTERS_JOB_TOKEN": "${{ github.token }}",
    }
