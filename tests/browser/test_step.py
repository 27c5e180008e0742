"""The workflow step `sprinters/action/wasm`: the same engine under Node, as GitHub starts it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from browser.checker import SIX, policy
from browser.site import ROOT

ACTION = ROOT / "wasm"
POLICIES = ROOT / "docs" / "src" / "policies"


@dataclass
class Run:
    code: int
    stdout: str
    summary: str
    output: str


class Step:
    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace

    def write(self, name: str, text: str) -> None:
        file = self.workspace / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def run(self, **inputs: str) -> Run:
        main = yaml.safe_load((ACTION / "action.yml").read_text())["runs"]["main"]
        summary, output = self.workspace.parent / "summary.md", self.workspace.parent / "output"
        summary.touch()
        output.touch()
        node = shutil.which("node")
        assert node, "no node on PATH"
        done = subprocess.run(
            [node, ACTION / main],
            cwd=self.workspace,
            # Nothing else of this environment: no credential could be used if there were one.
            env={
                "PATH": os.environ["PATH"],
                "GITHUB_WORKSPACE": str(self.workspace),
                "GITHUB_STEP_SUMMARY": str(summary),
                "GITHUB_OUTPUT": str(output),
                **{f"INPUT_{name.upper()}": value for name, value in inputs.items()},
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.stderr == ""
        return Run(done.returncode, done.stdout, summary.read_text(), output.read_text())


@pytest.fixture
def step(tmp_path: Path) -> Step:
    workspace = tmp_path / "checkout"
    workspace.mkdir()
    return Step(workspace)


def test_policies_that_work(step: Step) -> None:
    for file in POLICIES.glob("*.json"):
        step.write(f"policies/{file.name}", file.read_text())
    run = step.run(policy="policies/*.json")
    assert run.code == 0, run.stdout
    assert "::error" not in run.stdout
    assert run.output == "granted=true\n"
    assert run.summary.count("### ✅") == 3
    assert run.summary.count("✅ | `ec2:RunInstances`") == 3


def test_an_error_is_marked_on_its_line(step: Step) -> None:
    step.write("a/b/one.json", policy("ec2:RunInstance", *SIX[1:]))
    run = step.run(policy="**/*.json")
    assert run.code == 1
    [marked] = [line for line in run.stdout.splitlines() if "INVALID_ACTION" in line]
    assert marked.startswith("::error file=a/b/one.json,line=8,endLine=8,col=9,endColumn=26,title=INVALID_ACTION::")
    assert run.output == "granted=false\n"
    assert "❌ | `ec2:RunInstances`" in run.summary


def test_a_required_feature_is_missing(step: Step) -> None:
    step.write("one.json", policy(*SIX))
    run = step.run(policy="one.json", require="instance-profile")
    assert run.code == 1
    assert "iam:PassRole" in run.summary


def test_the_actions_of_all_services_are_known(step: Step) -> None:
    step.write("one.json", policy(*SIX, "s3:GetObjekt"))
    assert "::error file=one.json" in step.run(policy="one.json").stdout


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({}, "input `policy`: it is empty; name the files"),
        ({"policy": "nothing/*.json"}, "no file is named by `nothing/*.json`"),
        ({"policy": "one.json", "require": "spot"}, "input `require` is `spot`; accepted: `instance-profile`"),
        ({"policy": "one.json", "target": "bucket"}, "input `target` is `bucket`; accepted: `managed`"),
    ],
)
def test_wrong_inputs(step: Step, inputs: dict[str, str], said: str) -> None:
    step.write("one.json", policy(*SIX))
    run = step.run(**inputs)
    assert run.code == 2
    [line] = run.stdout.splitlines()
    assert line.startswith("::error title=Sprinters::") and said in line


def test_what_a_policy_says_is_no_command_and_no_markup(step: Step) -> None:
    text = policy(*SIX, "ec2:Describe|<img>\n::error::x")
    step.write("a,b.json", text)
    run = step.run(policy="*.json")
    assert run.code == 1
    assert not re.search(r"^::error::x", run.stdout, re.MULTILINE)
    assert "file=a%2Cb.json" in run.stdout
    assert "<img>" not in run.summary


def test_a_file_that_is_no_policy(step: Step) -> None:
    step.write("one.json", "resource {}\n")
    run = step.run(policy="one.json")
    assert run.code == 1
    assert "title=JSON_SYNTAX_ERROR" in run.stdout
