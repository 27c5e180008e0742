"""`temp` and `swap`: what RunInstances asks for, what the instance is told, and what is refused before that."""

from __future__ import annotations

import base64
import gzip
from typing import Any

import pytest

from standins import images
from standins.aws import Ec2
from standins.program import Program
from standins.proxy import ec2_error

OWN = {"image": images.OWN_X64, "instance-type": "m7i.large"}


def temp_volume(ec2: Ec2) -> dict[str, Any]:
    [instance] = ec2.instances()
    _, temp = instance.volumes
    return temp


def asked(ec2: Ec2, operation: str = "RunInstances") -> dict[str, str]:
    """The second block device of the last such call."""
    prefix = "BlockDeviceMapping.2."
    form = ec2.gate.calls(operation)[-1].request.form
    return {name.removeprefix(prefix): value for name, value in form.items() if name.startswith(prefix)}


def told(ec2: Ec2) -> dict[str, str]:
    """The values that the instance's script begins with."""
    form = ec2.gate.calls("RunInstances")[-1].request.form
    script = gzip.decompress(base64.b64decode(form["UserData"])).decode()
    values = script.partition("\n\n")[2].partition("\n\n")[0]
    return {name: value.strip("'") for name, _, value in (line.partition("=") for line in values.splitlines())}


@pytest.mark.parametrize("policy", ["plain_six", "published_role", "tight"])
def test_a_volume_of_its_own(policy: str, request: pytest.FixtureRequest) -> None:
    request.applymarker(pytest.mark.policy(policy))
    sprinters, ec2 = request.getfixturevalue("sprinters"), request.getfixturevalue("ec2")
    run = sprinters.run("start", **OWN, temp="gp3/64/4000/750")

    assert run.code == 0, run.log
    assert asked(ec2) == {
        "DeviceName": "/dev/sdp",
        "Ebs.DeleteOnTermination": "true",
        "Ebs.Encrypted": "true",
        "Ebs.Iops": "4000",
        "Ebs.Throughput": "750",
        "Ebs.VolumeSize": "64",
        "Ebs.VolumeType": "gp3",
    }
    volume = temp_volume(ec2)
    assert (volume["size"], volume["type"], volume["encrypted"]) == (64, "gp3", True)
    assert volume["tags"]["sprinters:sprinters"] == "true"
    assert volume["tags"]["sprinters:temp"] == "gp3/64/4000/750"
    assert (told(ec2)["temp"], told(ec2)["temp_gib"]) == ("gp3", "64")


@pytest.mark.parametrize(
    ("inputs", "temp", "gib"),
    [
        ({"temp": "ephemeral", "instance-type": "m7gd.large", "image": images.OWN_ARM64}, "ephemeral", ""),
        ({"temp": "zram/16"}, "zram", "16"),
        ({"temp": "zram"}, "zram", ""),
        ({"swap": "4"}, "", ""),
    ],
    ids=lambda value: "" if isinstance(value, str) else " ".join(value.values()),
)
def test_what_needs_no_volume(sprinters: Program, ec2: Ec2, inputs: dict[str, str], temp: str, gib: str) -> None:
    run = sprinters.run("start", **{**OWN, **inputs})

    assert run.code == 0, run.log
    assert asked(ec2) == {}
    assert (told(ec2)["temp"], told(ec2)["temp_gib"]) == (temp, gib)
    assert told(ec2)["swap"] == inputs.get("swap", "0")
    assert "sprinters:temp" not in ec2.instances()[0].tags


def test_nothing_of_it_by_default(sprinters: Program, ec2: Ec2) -> None:
    run = sprinters.run("start", **OWN)

    assert run.code == 0, run.log
    assert asked(ec2) == {}
    assert (told(ec2)["temp"], told(ec2)["swap"]) == ("", "0")


def test_stop_counts_it(sprinters: Program, ec2: Ec2) -> None:
    assert sprinters.run("start", **OWN, temp="gp3/100", **{"root-size": "30"}).code == 0
    run = sprinters.run("stop")

    assert run.code == 0, run.log
    # m7i.large, and 130 GiB of gp3, for the least that is billed: a minute.
    expected = (2 * 0.060375 + 130 * 0.0952 / 730) / 60
    assert float(run.outputs["cost-usd"]) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("mode", ["start", "check"])
def test_ephemeral_on_a_type_without_it(sprinters: Program, ec2: Ec2, mode: str) -> None:
    run = sprinters.run(mode, **{**OWN, "instance-type": "m7gd.large, m7g.large", "temp": "ephemeral"})

    assert run.code == 2, run.log
    [message] = run.annotations
    assert "`temp` is `ephemeral`" in message
    assert "`m7g.large` has none" in message
    assert not ec2.gate.calls("RunInstances")


def test_check_asks_for_the_volume_as_well(sprinters: Program, ec2: Ec2) -> None:
    run = sprinters.run("check", **OWN, temp="64")

    assert run.code == 0, run.log
    assert asked(ec2, "RunInstances:DryRun")["Ebs.VolumeSize"] == "64"


def test_too_little_quota_takes_the_baseline(sprinters: Program, ec2: Ec2) -> None:
    ec2.gate.fail("RunInstances", ec2_error("MaxIOPSLimitExceeded", "too many IOPS"))
    run = sprinters.run("start", **OWN, temp="gp3/64/20000/1000")

    assert run.code == 0, run.log
    assert (asked(ec2)["Ebs.Iops"], asked(ec2)["Ebs.Throughput"]) == ("3000", "125")
    assert ec2.instances()[0].tags["sprinters:temp"] == "gp3/64"
