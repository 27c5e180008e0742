"""The root volume: launched fast where that pays or is asked for, and brought down once the runner is online."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from standins import images
from standins.aws import Ec2, policy_without
from standins.gate import Fault, reset, stalled
from standins.program import Program
from standins.proxy import ec2_error

UBUNTU = {"image": "ubuntu-24.04"}
LARGE = {**UBUNTU, "instance-type": "m7i.24xlarge"}
# 6,000 IOPS need 12 GiB: EC2 gives at most 500 for each.
BOOT = {"image": images.OWN_X64, "instance-type": "m7i.large", "root": "gp3-boot/6000/500/300", "root-size": 20}
LeftBehind = Callable[[], list[str]]


def performance(ec2: Ec2) -> tuple[int, int]:
    [instance] = ec2.instances()
    [volume] = instance.volumes
    return volume["iops"], volume["throughput"]


def asked(ec2: Ec2) -> dict[str, str]:
    prefix = "BlockDeviceMapping.1.Ebs."
    form = ec2.gate.calls("RunInstances")[-1].request.form
    return {name.removeprefix(prefix): value for name, value in form.items() if name.startswith(prefix)}


def test_fast_for_the_boot_and_down_once_online(sprinters: Program, ec2: Ec2) -> None:
    run = sprinters.run("start", **BOOT)

    assert run.code == 0, run.log
    assert (asked(ec2)["Iops"], asked(ec2)["Throughput"]) == ("6000", "500")
    assert asked(ec2)["VolumeInitializationRate"] == "300"
    [call] = ec2.gate.calls("ModifyVolume")
    assert call.request.form["VolumeId"] == ec2.instances()[0].volumes[0]["id"]
    assert performance(ec2) == (3000, 125)
    assert "6000 IOPS and 500 MiB/s" in run.log and "$" in run.log
    assert "brought down to the baseline: 1" in run.log


def test_by_default_where_it_pays(sprinters: Program, ec2: Ec2) -> None:
    run = sprinters.run("start", **LARGE)

    assert run.code == 0, run.log
    assert (asked(ec2)["Iops"], asked(ec2)["Throughput"]) == ("15000", "1000")
    assert "VolumeInitializationRate" not in asked(ec2)
    assert performance(ec2) == (3000, 125)


@pytest.mark.parametrize(
    "inputs",
    [
        {**UBUNTU, "instance-type": "m7i.large"},
        {**LARGE, "image": images.OWN_X64},
        {**LARGE, "root": "gp3/3000/125"},
    ],
    ids=["too small to pay", "size unknown", "forbidden"],
)
def test_elsewhere_it_stays_at_the_baseline(sprinters: Program, ec2: Ec2, inputs: dict[str, str]) -> None:
    run = sprinters.run("start", **inputs)

    assert run.code == 0, run.log
    assert performance(ec2) == (3000, 125)
    assert not ec2.gate.calls("ModifyVolume")


def test_what_the_user_chose_for_the_job_stays(sprinters: Program, ec2: Ec2) -> None:
    run = sprinters.run("start", **{**BOOT, "root": "gp3/6000/500"})

    assert run.code == 0, run.log
    assert performance(ec2) == (6000, 500)
    assert not ec2.gate.calls("ModifyVolume")


@pytest.mark.parametrize("policy", ["plain_six", "published_role", "tight"])
def test_each_documented_policy_lets_it_down(policy: str, request: pytest.FixtureRequest) -> None:
    request.applymarker(pytest.mark.policy(policy))
    sprinters, ec2 = request.getfixturevalue("sprinters"), request.getfixturevalue("ec2")
    run = sprinters.run("start", **BOOT)

    assert run.code == 0, run.log
    assert performance(ec2) == (3000, 125)


@pytest.mark.parametrize(
    "fault",
    [
        reset,
        stalled(300),
        ec2_error("IncorrectModificationState", "modifying"),
        ec2_error("VolumeModificationRateExceeded", "too often"),
        ec2_error("RequestLimitExceeded", "slow down", 503),
    ],
    ids=["reset", "stalled", "state", "rate", "throttled"],
)
@pytest.mark.parametrize("operation", ["ModifyVolume", "DescribeInstances"])
def test_no_fault_of_it_fails_a_start(sprinters: Program, ec2: Ec2, operation: str, fault: Fault) -> None:
    ec2.gate.fail(operation, fault, times=None)
    run = sprinters.run("start", **BOOT)

    assert run.code == 0, run.log
    assert "fast" in run.log
    assert run.seconds < 60, "it waited for an answer that never came"


@pytest.mark.policy(policy_without("ec2:ModifyVolume"))
def test_without_the_permission_it_stays_fast_and_says_so(sprinters: Program, ec2: Ec2) -> None:
    run = sprinters.run("start", **BOOT)

    assert run.code == 0, run.log
    assert performance(ec2) == (6000, 500)
    assert "`ec2:ModifyVolume`" in run.log


def test_the_tag_tells_stop_what_to_count(sprinters: Program, ec2: Ec2) -> None:
    sprinters.run("start", **LARGE)

    assert ec2.instances()[0].tags["sprinters:root"] == "gp3-boot/15000/1000,30GiB"
    run = sprinters.run("stop")
    assert float(run.outputs["cost-usd"]) == pytest.approx(
        (96 * 0.060375 + 30 * 0.0952 / 730 + (12_000 * 0.006 + 875 * 0.048) / 730) / 60, abs=1e-5
    )


RATIO = "The parameter iops to volume size ratio of 625.000000 is too high; maximum is 500"


def test_what_ec2_gives_no_volume_takes_the_baseline_where_nobody_chose_it(sprinters: Program, ec2: Ec2) -> None:
    ec2.gate.fail("RunInstances", ec2_error("InvalidParameterCombination", RATIO))
    run = sprinters.run("start", **LARGE)

    assert run.code == 0, run.log
    assert performance(ec2) == (3000, 125)


def test_what_ec2_gives_no_volume_names_the_inputs(sprinters: Program, ec2: Ec2, left_behind: LeftBehind) -> None:
    ec2.gate.fail("RunInstances", ec2_error("InvalidParameterCombination", RATIO), times=None)
    run = sprinters.run("start", image=images.OWN_X64, **{"instance-type": "m7i.large", "root": "gp3/5000/500"})

    assert run.code == 1
    assert RATIO in run.log
    assert all(words in run.log for words in ("`root`", "`root-size`", "500 IOPS per GiB"))
    assert not left_behind()


def test_too_little_quota_takes_the_baseline(sprinters: Program, ec2: Ec2) -> None:
    ec2.gate.fail("RunInstances", ec2_error("MaxIOPSLimitExceeded", "too many IOPS"))
    run = sprinters.run("start", **LARGE)

    assert run.code == 0, run.log
    assert performance(ec2) == (3000, 125)
    assert ec2.instances()[0].tags["sprinters:root"] == "gp3/3000/125,30GiB"
