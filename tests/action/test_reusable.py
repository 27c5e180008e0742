"""The reusable workflows, as a caller of three lines uses them, run by `act`.

`act` has no runners besides this machine, so that `run` runs here, and asks with its label for a job on the new runner,
as `test_workflow.py` does. The action and the program are those of this checkout.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from action import act
from action.test_workflow import Workflow, workflow
from contract import tables
from standins.aws import Ec2
from standins.program import ROOT

__all__ = ["workflow"]
FOLDER = ROOT / ".github" / "workflows"
CALLER = """
on: push
jobs:
  test:
    uses: ./.github/workflows/run.yml
    secrets: inherit
    with: {checkout: false, runner: "sprinters:aws:eu-central-1:m7i.large:spot=auto", run: SCRIPT}
"""
LABEL = "needs.start.outputs.label"
RUNS_ON = f"runs-on: ${{{{ needs.start.outputs.attempt == github.run_attempt && {LABEL} || 'ubuntu-latest' }}}}"


def read(name: str) -> dict[Any, Any]:
    return yaml.safe_load((FOLDER / name).read_text())


def called(name: str) -> dict[str, Any]:
    """YAML 1.1 reads `on` as true."""
    return read(name)[True]["workflow_call"]


@pytest.fixture
def run_yml(workflow: Workflow) -> str:
    """`run.yml` whose `run` runs here, and tells its script the label."""
    text = (FOLDER / "run.yml").read_text()
    for old, new in (
        (RUNS_ON, "runs-on: ubuntu-latest"),
        ("SCRIPT: ${{ inputs.run }}", f"SCRIPT: ${{{{ inputs.run }}}}\n          LABEL: ${{{{ {LABEL} }}}}"),
    ):
        assert text.count(old) == 1, f"run.yml has no single `{old}` any more"
        text = text.replace(old, new)
    return text


def run(workflow: Workflow, caller: str, **workflows: str) -> act.WorkflowRun:
    return act.run(
        caller,
        workflow.action,
        workflow.folder,
        secrets=workflow.secrets,
        environment=workflow.environment,
        workflows=workflows,
    )


def test_three_lines_run_a_script_on_a_runner_of_its_own(
    workflow: Workflow, run_yml: str, ec2: Ec2, left_behind: Callable[[], list[str]]
) -> None:
    script = f'\'curl --fail --silent --data "$LABEL" {workflow.dispatcher.url} && echo "it works"\''
    ran = run(workflow, CALLER.replace("SCRIPT", script), run=run_yml)
    assert ran.code == 0, ran.log
    [job] = workflow.dispatcher.jobs
    assert job.result == "Succeeded"
    [instance] = ec2.instances()
    assert (instance.type, instance.market) == ("m7i.large", "spot")
    assert "it works" in ran.log
    assert left_behind() == []


def test_a_script_that_fails_is_red_and_its_runner_is_stopped(
    workflow: Workflow, run_yml: str, ec2: Ec2, left_behind: Callable[[], list[str]]
) -> None:
    ran = run(workflow, CALLER.replace("SCRIPT", '"false | true; exit 0"'), run=run_yml)
    assert ran.code == 1, "a pipe fails with its first part"
    assert len(ec2.instances()) == 1
    assert left_behind() == []


def test_runner_yml_hands_out_labels(workflow: Workflow, ec2: Ec2) -> None:
    caller = """
on: push
jobs:
  runners:
    uses: ./.github/workflows/runner.yml
    secrets: inherit
    with: {runner: "sprinters:aws:eu-central-1:m7i.large", count: 2}
  show:
    needs: runners
    runs-on: ubuntu-latest
    steps:
      - run: >-
          echo "got ${{ join(fromJSON(needs.runners.outputs.runners)) }}
          of ${{ needs.runners.outputs.attempt }}"
"""
    ran = run(workflow, caller, runner=(FOLDER / "runner.yml").read_text())
    assert ran.code == 0, ran.log
    labels = {instance.tags["sprinters:label"] for instance in ec2.living()}
    [shown] = [line for line in ran.of_job("show") if line.startswith("got ")]
    assert len(labels) == 2 and all(label in shown for label in labels)


@pytest.mark.parametrize("name", ["run.yml", "runner.yml"])
def test_they_take_every_input_of_a_start(name: str) -> None:
    """And hand it on."""
    own = {"run", "checkout", "timeout-minutes"}
    left_out = {
        "mode",
        "github-token",
        "github-app-private-key",
        "aws-access-key-id",
        "aws-secret-access-key",
        "aws-session-token",
    }
    one = {"run.yml": {"count", "group"}, "runner.yml": set()}[name]
    flags = set(tables.flags(act_binary(), "start"))
    assert set(called(name)["inputs"]) - own == flags - left_out - one - {"profiles"}
    [step] = [step for step in read(name)["jobs"]["start"]["steps"] if step["with"]["mode"] == "start"]
    assert set(step["with"]) - left_out - {"mode"} == set(called(name)["inputs"]) - own


def act_binary() -> Any:
    from standins.program import binary

    return binary()


@pytest.mark.parametrize("name", ["run.yml", "runner.yml"])
def test_no_job_has_more_permissions_than_it_needs(name: str) -> None:
    workflow = read(name)
    assert workflow["permissions"] == {}
    for job_name, job in workflow["jobs"].items():
        takes_role = any("sprinters/action@" in str(step.get("uses")) for step in job["steps"])
        assert job["permissions"] == {"contents": "read", **({"id-token": "write"} if takes_role else {})}, job_name
