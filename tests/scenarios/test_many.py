"""`count`: several runners in one call, or none."""

from __future__ import annotations

import json
from collections.abc import Callable

from standins import images
from standins.aws import Ec2
from standins.cloud import Behaves
from standins.github import GitHub
from standins.program import Program, Run
from standins.proxy import ec2_error

Started = Callable[..., Run]
AMI = {"image": images.OWN_X64, "instance-type": "m7i.large"}
LeftBehind = Callable[[], list[str]]


def test_each_runner_has_its_own_instance_and_label(sprinters: Program, ec2: Ec2, github: GitHub) -> None:
    run = sprinters.run("start", **AMI, count="5")

    assert run.code == 0, run.log
    assert sorted(json.loads(run.outputs["instance-ids"])) == sorted(one.id for one in ec2.living())
    assert len(ec2.living()) == len(github.records()) == 5
    labels = json.loads(run.outputs["runners"])
    assert len(set(labels)) == 5
    assert all(any(label in record.labels for record in github.records()) for label in labels)


def test_one_that_cannot_be_launched_undoes_all(
    sprinters: Program, ec2: Ec2, github: GitHub, left_behind: LeftBehind
) -> None:
    denied = ec2_error("InvalidParameterValue", "no", 400)
    ec2.gate.fail("RunInstances", denied, nth=3, times=None)
    run = sprinters.run("start", **AMI, count="5")

    assert run.code == 1, run.log
    assert len(ec2.instances()) == 2
    assert not left_behind(), run.log


def test_one_that_never_comes_online_undoes_all(
    sprinters: Program, ec2: Ec2, behaves: Behaves, left_behind: LeftBehind
) -> None:
    behaves.online_after = None
    run = sprinters.run("start", **AMI, count="3", **{"start-timeout": "3s"})

    assert run.code == 1
    assert len(ec2.instances()) == 3
    assert not left_behind(), run.log


def test_stop_ends_them_all(sprinters: Program, started: Started, left_behind: LeftBehind) -> None:
    started(count="4")
    run = sprinters.run("stop")

    assert run.code == 0, run.log
    assert not left_behind()
