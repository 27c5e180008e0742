"""The workflow step `sprinters/action/wasm`: the same engine under Node, as GitHub starts it."""

from __future__ import annotations

import json
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

    def write_bytes(self, name: str, content: bytes) -> None:
        (self.workspace / name).write_bytes(content)


@pytest.fixture
def step(tmp_path: Path) -> Step:
    workspace = tmp_path / "checkout"
    workspace.mkdir()
    return Step(workspace)


def test_policies_that_work(step: Step) -> None:
    for name in ("plain_six", "published_role", "tight"):
        step.write(f"policies/{name}.json", (POLICIES / f"{name}.json").read_text())
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


def test_what_cannot_be_read_hides_nothing_and_is_in_the_summary(step: Step) -> None:
    step.write("one.json", policy(*SIX))
    step.write_bytes("latin1.json", '{"Id": "ü"}'.encode("latin-1"))
    run = step.run(policy="one.json,latin1.json,nothing/*.json")
    assert run.code == 2
    assert "✓ one.json" in run.stdout
    assert "one.json" in run.summary
    assert "latin1.json" in run.summary
    assert "UTF-8" in run.summary
    assert "nothing/*.json" in run.summary


def test_what_a_policy_says_is_no_command_and_no_markup(step: Step) -> None:
    text = policy(*SIX, "ec2:Describe|<img>\n::error::x")
    step.write("a,b.json", text)
    run = step.run(policy="*.json")
    assert run.code == 1
    assert not re.search(r"^::error::x", run.stdout, re.MULTILINE)
    assert "file=a%2Cb.json" in run.stdout
    assert "<img>" not in run.summary


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_file_in_utf_16_is_named(step: Step, encoding: str) -> None:
    text = (POLICIES / "plain_six.json").read_text()
    step.write_bytes("wide.json", f"\ufeff{text}".encode(encoding))
    run = step.run(policy="wide.json")
    assert run.code == 1
    assert "this is a file in UTF-16" in run.stdout


def test_a_file_that_is_no_policy(step: Step) -> None:
    step.write("one.json", "resource {}\n")
    run = step.run(policy="one.json")
    assert run.code == 1
    assert "title=JSON_SYNTAX_ERROR" in run.stdout


# Names that a pull request may give to files.
HOSTILE = (
    "a\n::error title=x::y.json",
    "b\r::stop-commands::token.json",
    "c ##[set-output name=granted]true.json",
    "d ##[add-path].json",
    "e|<details>`x`.json",
)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("text", [policy(*SIX), "{", "[]"], ids=["good", "bad", "not-a-policy"])
def test_a_file_s_name_is_not_a_command(step: Step, name: str, text: str) -> None:
    step.write(name, text)
    run = step.run(policy="*.json")

    assert run.code in (0, 1)
    commands = [line for line in re.split(r"[\r\n]", run.stdout) if line.lstrip().startswith("::")]
    assert all(re.match(r"::(error|warning|notice) (file|title)=", line) for line in commands), run.stdout
    assert not any(line.startswith("::error title=x") for line in commands)
    assert "##[" not in run.stdout
    [heading] = [line for line in run.summary.splitlines() if line.startswith("### ")]
    assert "<details>" not in run.summary and "|" not in heading


def test_a_policy_s_text_is_not_a_command(step: Step) -> None:
    statement = {
        "Sid": "##[set-output name=x]y",
        "Effect": "Allow",
        "Action": "ec2:Run\\|\n::error::x",
        "Resource": "*",
    }
    step.write("a.json", json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    run = step.run(policy="a.json")

    assert run.code == 1 and "::error file=a.json" in run.stdout
    assert "##[" not in run.stdout
    assert not re.search(r"(?m)^::error::x", run.stdout)
    rows = [line for line in run.summary.splitlines() if line.startswith("| ")]
    assert rows and all(row.count("|") in (4, 5) and "\\" not in row for row in rows), run.summary


def test_only_files_of_the_checkout_are_read(step: Step, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text("{}")
    (step.workspace / "out.json").symlink_to(tmp_path / "secret.json")
    step.write("policies/six.json", policy(*SIX))
    (step.workspace / "within.json").symlink_to(step.workspace / "policies" / "six.json")
    step.write("large.json", " " * (1024 * 1024 + 1))

    assert step.run(policy="within.json").code == 0
    out = step.run(policy="out.json")
    assert out.code == 2 and "leads out of the checkout" in out.stdout
    large = step.run(policy="large.json")
    assert large.code == 2 and "which no policy has" in large.stdout
