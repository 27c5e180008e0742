"""`bake` as its user sees it: an instance really installs everything and stops, and a runner boots from its disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from standins import images
from standins.aws import PLAIN_SIX, Ec2
from standins.booted import Booted, booted, with_docker
from standins.cloud import Cloud
from standins.github import GitHub
from standins.machine import available
from standins.machine.runner import tarball
from standins.program import Program

AMI = {"image": images.OWN_X64, "instance-type": "m7i.large"}
BAKE = ("ec2:CreateImage", "ec2:DescribeImages", "ec2:DeregisterImage", "ec2:DeleteSnapshot")
MAY_BAKE = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": [*PLAIN_SIX, *BAKE], "Resource": "*"}],
}


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    with GitHub(archive=tarball(tmp_path)) as github:
        yield github
        assert not github.violations, "\n".join(github.violations)


@pytest.fixture
def cloud(ec2: Ec2, github: GitHub, release: str) -> Iterator[Cloud]:
    if missing := available():
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    with Cloud(ec2, github, booted(release=release, image=with_docker)) as cloud:
        yield cloud
        assert not cloud.problems, "\n".join(cloud.problems)


def started(sprinters: Program, ec2: Ec2, github: GitHub, **inputs: str) -> tuple[float, str]:
    """Starts a runner, and lets it run a job; answers the seconds from RunInstances to online, and the job's log."""
    run = sprinters.run("start", **AMI | inputs)
    assert run.code == 0, run.log
    [runner] = github.records()
    assert runner.online_at is not None
    arrived = ec2.gate.calls("RunInstances")[-1].request.arrived
    steps = ["test -e /var/tmp/tools && echo with tools || echo without", "id -un"]
    job = github.queue_job(run.outputs["label"], steps=steps)
    github.runners.wait(lambda: job.status == "completed", 60, "the job")
    assert job.result == "Succeeded", job.log
    return runner.online_at - arrived, job.log


@pytest.mark.policy(MAY_BAKE)
@pytest.mark.each_release
def test_a_runner_boots_from_a_baked_image(sprinters: Program, ec2: Ec2, github: GitHub, cloud: Cloud) -> None:
    stock, log = started(sprinters, ec2, github)
    assert log.splitlines() == ["without", "runner"]

    bake = sprinters.run("bake", **AMI, setup="touch /var/tmp/tools", **{"image-name": "ci"})
    assert bake.code == 0, bake.log
    downloads = len(github.gate.calls("download"))

    baked, log = started(sprinters, ec2, github, image="name=ci-20*@self")
    assert log.splitlines() == ["with tools", "runner"]
    assert len(github.gate.calls("download")) == downloads, "the runner is in the image"
    runner = cloud.lives[ec2.instances()[-1].id]
    assert isinstance(runner, Booted)
    assert runner.machine.wait_poweroff(60)
    # With a runner of a few kilobytes. `make bench` takes one of GitHub's size.
    print(f"RunInstances → online: {stock:.2f} s from the stock image, {baked:.2f} s from the baked one")
