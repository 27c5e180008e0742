"""`sweep`: ends what outlived its expiry, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from standins.aws import Ec2
from standins.cloud import Behaves
from standins.gate import answer
from standins.github import GitHub, hiding, is_list_of_all
from standins.program import Program, Run
from standins.server import Response

LeftBehind = Callable[[], list[str]]
Expire = Callable[[str], None]
Started = Callable[..., Run]


@pytest.fixture
def expire(ec2: Ec2) -> Callable[[str], None]:
    """Moves an instance's expiry into the past, as time would."""
    return lambda instance_id: ec2.tag(instance_id, "sprinters:expires", ago(minutes=5))


def ago(*, minutes: int) -> str:
    return (datetime.now(UTC) - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_nothing_to_sweep_is_success(sprinters: Program, ec2: Ec2) -> None:
    assert sprinters.run("sweep").code == 0
    assert ec2.gate.operations() == ["DescribeInstances"]


def test_what_has_not_expired_stays(sprinters: Program, started: Started, ec2: Ec2, github: GitHub) -> None:
    started()
    run = sprinters.run("sweep")

    assert run.code == 0, run.log
    assert len(ec2.living()) == 1
    assert len(github.records()) == 1


def test_what_outlived_its_expiry_is_ended(
    sprinters: Program, started: Started, expire: Expire, left_behind: LeftBehind
) -> None:
    run_of_start = started()
    expire(run_of_start.outputs["instance-id"])
    sprinters.environment["GITHUB_RUN_ID"] = "1"
    run = sprinters.run("sweep")

    assert run.code == 0, run.log
    assert run_of_start.outputs["instance-id"] in run.log
    assert not left_behind()


def test_what_github_calls_busy_for_ever_is_ended_at_last(
    sprinters: Program, started: Started, ec2: Ec2, github: GitHub, behaves: Behaves, left_behind: LeftBehind
) -> None:
    behaves.job_takes = 60
    behaves.busy_after_death = 0.3
    run_of_start = started()
    job = github.queue_job(run_of_start.outputs["label"])
    github.runners.wait(lambda: job.status == "in_progress", 10, "the job's start")
    ec2.tag(run_of_start.outputs["instance-id"], "sprinters:expires", ago(minutes=61))
    run = sprinters.run("sweep")

    assert run.code == 0, run.log
    assert ec2.living() == []


def test_a_busy_runner_is_spared(
    sprinters: Program, started: Started, ec2: Ec2, github: GitHub, behaves: Behaves, expire: Expire
) -> None:
    behaves.job_takes = 60
    run_of_start = started()
    job = github.queue_job(run_of_start.outputs["label"])
    github.runners.wait(lambda: job.status == "in_progress", 10, "the job's start")
    expire(run_of_start.outputs["instance-id"])
    run = sprinters.run("sweep")

    assert run.code == 0, run.log
    assert len(ec2.living()) == 1
    assert len(github.records()) == 1


def test_a_busy_runner_that_a_list_and_a_404_hide_is_spared(
    sprinters: Program, started: Started, ec2: Ec2, github: GitHub, behaves: Behaves, expire: Expire
) -> None:
    """Pages shift, and one of GitHub's servers may not know what another does."""
    behaves.job_takes = 60
    run_of_start = started()
    job = github.queue_job(run_of_start.outputs["label"])
    github.runners.wait(lambda: job.status == "in_progress", 10, "the job's start")
    expire(run_of_start.outputs["instance-id"])
    lists = github.gate.fail(
        "list-runners", hiding(int(run_of_start.outputs["runner-id"])), times=None, when=is_list_of_all
    )
    looks = github.gate.fail("get-runner", answer(Response.of_json(404, {"message": "Not Found"})))
    run = sprinters.run("sweep")

    assert (run.code, lists.struck, looks.struck) == (0, 3, 1), run.log
    assert len(ec2.living()) == 1
    assert len(github.records()) == 1


def test_other_repositories_are_not_touched(
    sprinters: Program, started: Started, ec2: Ec2, github: GitHub, expire: Expire
) -> None:
    run_of_start = started()
    expire(run_of_start.outputs["instance-id"])
    sprinters.environment["GITHUB_REPOSITORY"] = "octo/other"
    run = sprinters.run("sweep")

    assert run.code == 0, run.log
    assert len(ec2.living()) == 1


def test_a_runner_of_somebody_else_stays(sprinters: Program, github: GitHub) -> None:
    scope = f"repos/{sprinters.environment['GITHUB_REPOSITORY']}"
    github.runners.register(scope, "build-box-1", ["self-hosted"], 1)
    run = sprinters.run("sweep")

    assert run.code == 0, run.log
    assert github.gate.calls("list-runners"), "it has looked"
    assert [record.name for record in github.records()] == ["build-box-1"]


def test_one_runner_that_github_does_not_tell_about_keeps_no_other(
    sprinters: Program, started: Started, expire: Expire, ec2: Ec2, github: GitHub
) -> None:
    hidden, other = started(), started()
    for one in (hidden, other):
        expire(one.outputs["instance-id"])
    github.gate.fail("list-runners", hiding(int(hidden.outputs["runner-id"])), times=None, when=is_list_of_all)
    github.gate.fail("get-runner", answer(Response.of_json(403, {"message": "Forbidden"})), times=None)
    run = sprinters.run("sweep")

    assert run.code == 1, run.log
    assert [one.id for one in ec2.living()] == [hidden.outputs["instance-id"]]
    assert f"`{hidden.outputs['instance-id']}` was not ended: without an answer from GitHub" in run.log
    assert [str(record.id) for record in github.records()] == [hidden.outputs["runner-id"]]
