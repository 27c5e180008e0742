"""Very many runners in one call, latency, and the throttles that EC2 and GitHub document."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from standins import images
from standins.crowd import Crowd
from standins.gate import delayed
from standins.github import GitHub
from standins.program import Program, Run, Running
from standins.throttle import Bucket, Creations, Points

AMI = {"image": images.OWN_X64, "instance-type": "m7i.large"}


@pytest.fixture
def crowd(sprinters: Program, github: GitHub) -> Iterator[Callable[..., Crowd]]:
    opened: list[Crowd] = []

    def open_one(**options: float) -> Crowd:
        crowd = Crowd(github, **options)
        sprinters.environment["AWS_ENDPOINT_URL_EC2"] = crowd.url
        opened.append(crowd)
        return crowd

    yield open_one
    for crowd in opened:
        crowd.close()


def with_peak(running: Running, timeout: float = 120) -> tuple[Run, float]:
    """The run when it is over, and its peak memory in MB."""
    status, peak = Path(f"/proc/{running.process.pid}/status"), 0
    deadline = time.monotonic() + timeout
    while running.process.poll() is None and time.monotonic() < deadline:
        for line in status.read_text().splitlines() if status.exists() else ():
            if line.startswith("VmHWM:"):
                peak = max(peak, int(line.split()[1]))
        time.sleep(0.02)
    return running.wait(1), peak / 1000


def most_at_once(crowd: Crowd, operation: str) -> int:
    """How many calls of it were under way together."""
    calls = crowd.gate.calls(operation)
    return max(sum(other.request.arrived <= one.request.arrived < other.answered for other in calls) for one in calls)


@pytest.mark.native_speed
@pytest.mark.github(openapi_validation=False)
def test_a_hundred_with_latency(sprinters: Program, github: GitHub, crowd: Callable[..., Crowd]) -> None:
    ec2 = crowd(latency=0.05)
    github.gate.fail("*", delayed(0.05), times=None)
    run, peak = with_peak(sprinters.begin("start", **AMI, count="100"))

    assert run.code == 0, run.log
    # `make bench` holds it to 1.5 s to the last launch, and to 30 MB.
    assert most_at_once(ec2, "RunInstances") >= 10, "they do not wait for one another"
    assert peak <= 60
    assert len(set(json.loads(run.outputs["instance-ids"]))) == len(ec2.living) == 100
    assert len(set(json.loads(run.outputs["runners"]))) == 100
    progress = [line for line in run.stdout.splitlines() if "launched " in line and " of 100" in line]
    assert len(progress) == 10
    assert len(github.gate.calls("list-runners")) <= 3, "one list serves all"
    assert len(github.gate.calls("get-runner")) <= 2


@pytest.mark.native_speed
@pytest.mark.github(openapi_validation=False)
def test_a_throttle_is_hardly_overrun(sprinters: Program, github: GitHub, crowd: Callable[..., Crowd]) -> None:
    ec2 = crowd(latency=0.02)
    bucket = Bucket(5, 20)
    bucket.before(ec2.gate, "RunInstances")
    points = Points(minute=2)
    points.before(github.gate)
    run, _ = with_peak(sprinters.begin("start", **AMI, count="200"))

    assert run.code == 0, run.log
    assert len(ec2.living) == 200
    refused = [one for one in ec2.gate.calls("RunInstances") if one.spoilt]
    assert len(refused) <= 150, "it does not ask much more often than it may"
    assert points.most_at_once <= 100


@pytest.mark.github(openapi_validation=False)
def test_github_counts_each_runner_as_something_new(
    sprinters: Program, github: GitHub, crowd: Callable[..., Crowd]
) -> None:
    ec2 = crowd()
    created = Creations(minute=3)
    created.before(github.gate)
    run, _ = with_peak(sprinters.begin("start", **AMI, count="100"))

    assert run.code == 0, run.log
    assert len(ec2.living) == 100
    assert 0 < created.refused <= 40, "those that were under way, and not the same ones again and again"


@pytest.mark.github(openapi_validation=False)
def test_github_lets_no_more_in_for_an_hour(sprinters: Program, github: GitHub, crowd: Callable[..., Crowd]) -> None:
    ec2 = crowd()
    created = Creations(minute=3_600)
    created.before(github.gate)
    run, _ = with_peak(sprinters.begin("start", **AMI, count="100"))

    assert run.code == 1, run.log
    assert not ec2.living and not github.records(), "all of them, or none stays"
    [error] = run.annotations
    assert "nothing is left running" in error and "runner records deleted" in error
    assert "run the job again in 60 min" in error
    assert error.count("`i-") == 10 and " more terminated" in error, "a thousand ids would hide the rest"


@pytest.mark.github(openapi_validation=False)
def test_a_hundred_starts_fit_into_one_token_s_hour(
    sprinters: Program, github: GitHub, crowd: Callable[..., Crowd]
) -> None:
    """Each start is alike, so that a few of them tell what a hundred use; they wait 20 s, as for an instance."""
    crowd(online_after=20)
    starts = [sprinters.begin("start", **AMI) for _ in range(5)]
    for start in starts:
        run = start.wait(60)
        assert run.code == 0, run.log
    counted = sum(one.status != 304 for one in github.gate.exchanges)
    assert counted / len(starts) * 100 <= 5_000 / 5, "a fifth of the hour's requests"
    assert len(github.gate.exchanges) / len(starts) > 10, "they did look, each second or every other"


@pytest.mark.github(openapi_validation=False)
def test_a_sweep_of_three_hundred_on_a_slow_day(
    sprinters: Program, github: GitHub, crowd: Callable[..., Crowd]
) -> None:
    """A quarter of a second a call, a record and an instance each: the sweep's time grows with what there is to end."""
    ec2 = crowd()
    started, _ = with_peak(sprinters.begin("start", **AMI, count="300"))
    assert started.code == 0, started.log
    for one in ec2.living.values():
        one.tags["sprinters:expires"] = "2020-01-01T00:00:00Z"
    ec2.gate.latency = github.gate.latency = 0.25
    run, _ = with_peak(sprinters.begin("sweep"))

    assert run.code == 0, run.log
    assert not ec2.living and not github.records()
    assert run.log.count("which had expired") == 300
