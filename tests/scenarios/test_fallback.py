"""`fallback`: where no runner can be had, jobs get a label that is served, and nothing is left."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from standins import images
from standins.aws import Ec2
from standins.cloud import Behaves
from standins.github import GitHub
from standins.program import Program, Run
from standins.proxy import no_capacity

AMI = {"image": images.OWN_X64, "instance-type": "m7i.large"}
NO_SECRETS = {"github-token": None, "aws-access-key-id": None, "aws-secret-access-key": None}
LeftBehind = Callable[[], list[str]]


@pytest.fixture
def fork(sprinters: Program, tmp_path: Path) -> Program:
    """In a run for a fork's pull request."""
    sides = {"head": {"repo": {"full_name": "stranger/app"}}, "base": {"repo": {"full_name": "octo/app"}}}
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"action": "opened", "pull_request": sides}))
    sprinters.environment |= {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(event)}
    return sprinters


def handed_out(run: Run, label: str = "ubuntu-latest") -> None:
    assert run.code == 0, run.log
    assert run.outputs["label"] == label
    assert run.outputs["fallback"] == "true"
    assert run.outputs["attempt"] == "1"
    assert not run.outputs.get("instance-id")
    assert [line for line in run.stdout.splitlines() if line.startswith("::warning") and label in line]
    assert label in run.summary


def test_a_runner_is_no_fallback(sprinters: Program) -> None:
    run = sprinters.run("start", **AMI, fallback="ubuntu-latest")

    assert run.code == 0, run.log
    assert run.outputs["fallback"] == "false"
    assert run.outputs["label"].startswith("sprinters-")


def test_the_outputs_tell_attempt_and_job(sprinters: Program) -> None:
    sprinters.environment |= {"GITHUB_RUN_ATTEMPT": "3", "SPRINTERS_JOB_ID": "51725241954"}
    run = sprinters.run("start", **AMI)

    assert (run.outputs["attempt"], run.outputs["job-id"]) == ("3", "51725241954")


def test_no_capacity_anywhere(sprinters: Program, ec2: Ec2, left_behind: LeftBehind) -> None:
    no_capacity(ec2.gate, ("*", "*", "*"))
    run = sprinters.run("start", **AMI, fallback="ubuntu-latest", **{"start-timeout": "3s"})

    handed_out(run)
    assert "InsufficientInstanceCapacity" in run.summary
    assert not left_behind()


def test_many_are_all_or_none(sprinters: Program, ec2: Ec2, left_behind: LeftBehind) -> None:
    """Whoever fans out over `runners` gets as many labels as without."""
    no_capacity(ec2.gate, ("*", "*", "*"))
    run = sprinters.run("start", **AMI, fallback="self-hosted", count=3, **{"start-timeout": "3s"})

    handed_out(run, "self-hosted")
    assert json.loads(run.outputs["runners"]) == ["self-hosted"] * 3
    assert not left_behind()


def test_without_it_no_capacity_is_red(sprinters: Program, ec2: Ec2) -> None:
    no_capacity(ec2.gate, ("*", "*", "*"))
    run = sprinters.run("start", **AMI, **{"start-timeout": "3s"})

    assert run.code == 3
    assert not any(run.outputs.values())


@pytest.mark.parametrize(("on", "code"), [(None, 1), ("capacity", 1), ("capacity, error", 0)])
def test_another_failure_only_where_that_is_wanted(
    sprinters: Program, behaves: Behaves, left_behind: LeftBehind, on: str | None, code: int
) -> None:
    behaves.online_after = None
    inputs = {"fallback": "ubuntu-latest", "fallback-on": on, "start-timeout": "2s"}
    run = sprinters.run("start", **AMI, **inputs)

    assert run.code == code, run.log
    assert run.outputs["label"] == ("" if code else "ubuntu-latest")
    assert not left_behind()


def test_a_cancel_is_no_reason(sprinters: Program, behaves: Behaves, github: GitHub, left_behind: LeftBehind) -> None:
    behaves.online_after = None
    running = sprinters.begin("start", **AMI, fallback="ubuntu-latest", **{"fallback-on": "error"})
    github.gate.wait_for("get-runner")
    running.interrupt()
    run = running.wait()

    assert run.code == 1
    assert not any(run.outputs.values())
    assert not left_behind()


def test_what_could_not_be_undone_is_red(sprinters: Program, ec2: Ec2, behaves: Behaves) -> None:
    from standins.proxy import ec2_error

    behaves.online_after = None
    ec2.gate.fail("TerminateInstances", ec2_error("OperationNotPermitted", "protected"), times=None)
    run = sprinters.run("start", **AMI, fallback="x", **{"fallback-on": "error", "start-timeout": "2s"})

    assert run.code == 1
    assert "STILL THERE" in run.log
    assert not any(run.outputs.values())


def test_a_fork_gets_it(fork: Program, ec2: Ec2, github: GitHub) -> None:
    run = fork.run("start", **AMI, fallback="ubuntu-latest", **NO_SECRETS)

    handed_out(run)
    assert "fork" in run.summary
    assert not ec2.gate.operations() and not list(github.gate)


def test_dependabot_gets_it(sprinters: Program) -> None:
    sprinters.environment["GITHUB_ACTOR"] = "dependabot[bot]"
    handed_out(sprinters.run("start", **AMI, fallback="ubuntu-latest", **NO_SECRETS))


def test_a_fork_without_fallback_is_red(fork: Program) -> None:
    run = fork.run("start", **AMI, **NO_SECRETS)

    assert run.code == 2
    assert "`fallback`" in run.log, "the message names the way out"


@pytest.mark.parametrize("inputs", [NO_SECRETS, {"github-token": "ghp_wrong"}])
def test_elsewhere_a_missing_or_wrong_secret_is_red(sprinters: Program, inputs: dict[str, str | None]) -> None:
    run = sprinters.run("start", **AMI, fallback="ubuntu-latest", **inputs)

    assert run.code in (1, 2)
    assert run.outputs.get("label", "") == ""


def test_a_fork_s_stop_has_nothing_to_stop(fork: Program, ec2: Ec2) -> None:
    run = fork.run("stop", **NO_SECRETS)

    assert run.code == 0, run.log
    assert "nothing to stop" in run.log
    assert not ec2.gate.operations()


def test_elsewhere_a_stop_without_secrets_is_red(sprinters: Program) -> None:
    assert sprinters.run("stop", **NO_SECRETS).code == 2
