"""The step in wasm/ and `mode: policy` take the same lists, and give the same exit code and outputs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from standins.program import ROOT, Program

POLICIES = ROOT / "tests" / "standins" / "policies"


@pytest.fixture
def workspace(sprinters: Program, tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "checkout"
    (folder / "iam").mkdir(parents=True)
    for name in ("plain_six", "tight"):
        (folder / "iam" / f"{name}.json").write_text((POLICIES / f"{name}.json").read_text())
    (folder / "bad.json").write_text(json.dumps({"Version": "2012-10-17", "Statement": []}))
    (folder / "gone.json").symlink_to("/nonexistent")
    (folder / "latin1.json").write_bytes('{"Id": "ü"}'.encode("latin-1"))
    sprinters.environment["GITHUB_WORKSPACE"] = str(folder)
    yield folder


def of_the_step(workspace: Path, inputs: dict[str, str]) -> tuple[int, str, str]:
    output = workspace.parent / "output"
    output.write_text("")
    node = shutil.which("node")
    assert node, "no node on PATH"
    environment = {"PATH": os.environ["PATH"], "GITHUB_WORKSPACE": str(workspace), "GITHUB_OUTPUT": str(output)}
    environment |= {f"INPUT_{name.upper()}": value for name, value in inputs.items()}
    command = [node, str(ROOT / "wasm" / "action" / "main.mjs")]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return run.returncode, output.read_text(), run.stdout + run.stderr


@pytest.mark.parametrize(
    ("inputs", "code", "named"),
    [
        ({"policy": "iam/tight.json"}, 0, []),
        ({"policy": "iam/tight.json, iam/plain_six.json"}, 0, []),
        ({"policy": "iam/tight.json\n  iam/plain_six.json\n\n"}, 0, []),
        ({"policy": ",iam/*.json,"}, 0, []),
        ({"policy": "**/plain*.json"}, 0, []),
        ({"policy": "iam/tight.json,bad.json"}, 1, ["bad.json"]),
        ({"policy": "gone.json,bad.json"}, 2, ["gone.json", "bad.json"]),
        ({"policy": "absent.json, bad.json"}, 2, ["absent.json", "bad.json"]),
        ({"policy": "no*thing.json\nbad.json"}, 2, ["no*thing.json", "bad.json"]),
        ({"policy": "latin1.json, bad.json"}, 2, ["latin1.json", "bad.json"]),
        ({"policy": "iam/tight.json", "require": "instance-profile, console"}, 1, ["iam:PassRole"]),
        ({"policy": "iam/tight.json", "target": "inline-user"}, 0, []),
        ({"policy": " ,\n"}, 2, ["`policy`"]),
        (
            {"policy": "iam/tight.json", "require": "spott, conzole", "target": "bucket"},
            2,
            ["spott", "conzole", "`bucket`"],
        ),
    ],
)
def test_the_step_and_the_mode_agree(
    sprinters: Program, workspace: Path, inputs: dict[str, str], code: int, named: list[str]
) -> None:
    step_code, step_outputs, step_log = of_the_step(workspace, inputs)
    mode = sprinters.run("policy", **inputs)

    assert (step_code, mode.code) == (code, code), step_log + mode.log
    granted = dict(line.split("=", 1) for line in step_outputs.splitlines())
    assert granted == mode.outputs
    for log in (step_log, mode.log):
        assert [word for word in named if word not in log] == []
