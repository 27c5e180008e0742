"""Every invalid value: names the input, shows the value in backticks, exits 2 and calls nobody."""

from __future__ import annotations

import pytest

from standins import images
from standins.aws import Ec2
from standins.github import GitHub
from standins.program import Program

GOOD = {"image": images.OWN_X64, "instance-type": "m7i.large"}

# Input, its wrong value, and what the message shows of it.
WRONG = [
    ("aws-region", "eu-centrall-1", "eu-centrall-1"),
    ("aws-region", "Frankfurt", "Frankfurt"),
    ("spot", "maybe", "maybe"),
    ("image", "ami-xyz", "ami-xyz"),
    ("image", "ubuntu-19.10", "ubuntu-19.10"),
    ("instance-type", ",", ","),
    ("instance-type", "m7i", "m7i"),
    ("availability-zone", "us-east-1a", "us-east-1a"),
    ("availability-zone", "frankfurt", "frankfurt"),
    ("subnet", "subnet_1", "subnet_1"),
    ("security-group", "default", "default"),
    ("root", "gp2/100", "gp2/100"),
    ("root", "gp3/1/1", "gp3/1/1"),
    ("root-size", "0", "0"),
    ("root-size", "big", "big"),
    ("temp", "gp2/64", "gp2/64"),
    ("temp", "gp3/4/5000/125", "gp3/4/5000/125"),
    ("temp", "zram/much", "zram/much"),
    ("temp", "ephemeral", "ephemeral"),
    ("swap", "-1", "-1"),
    ("count", "0", "0"),
    ("count", "1001", "1001"),
    ("count", "-1", "-1"),
    ("count", "one", "one"),
    ("labels", "x" * 257, "x" * 20),
    ("labels", ",", ","),
    ("tags", "aws:team: build", "aws:team"),
    ("tags", "team: [", "team: ["),
    ("tags", "k" * 129 + ": v", "k" * 20),
    ("tags", "k: " + "v" * 257, "k"),
    ("tags", "\n".join(f"tag{number}: v" for number in range(51)), ""),
    ("runner-user", "root", "root"),
    ("runner-user", "Not A User", "Not A User"),
    ("sudo", "maybe", "maybe"),
    ("public-ip", "no", "no"),
    ("launch-template", "runners:newest", "runners:newest"),
    ("capacity-reservation", "cr-1", "cr-1"),
    ("nested-virtualization", "yes", "yes"),
    ("runner-home", "relative/path", "relative/path"),
    ("start-timeout", "5 parsecs", "5 parsecs"),
    ("start-timeout", "0s", "0s"),
    ("idle-timeout", "-5m", "-5m"),
    ("max-lifetime", "10 years", "10 years"),
]


@pytest.mark.parametrize(("name", "value", "shown"), WRONG, ids=[f"{name}={value[:24]!r}" for name, value, _ in WRONG])
def test_a_wrong_value_is_named_and_nobody_is_called(
    sprinters: Program, ec2: Ec2, github: GitHub, image_index: images.ImageIndex, name: str, value: str, shown: str
) -> None:
    run = sprinters.run("start", **{**GOOD, name: value})

    assert run.code == 2, run.log
    [message] = run.annotations
    assert f"`{name}`" in message
    assert shown in message and "`" in message
    assert not ec2.gate.exchanges and not github.gate.exchanges and not image_index.gate.exchanges
    assert not run.outputs


def test_an_unknown_mode(sprinters: Program, ec2: Ec2, github: GitHub) -> None:
    run = sprinters.run("begin")

    assert run.code == 2
    assert "`mode`" in run.log and "`begin`" in run.log and "`start`" in run.log
    assert not ec2.gate.exchanges and not github.gate.exchanges


def test_no_mode_at_all(sprinters: Program) -> None:
    run = sprinters.run("")

    assert run.code == 2
    assert "mode" in run.log


def test_every_wrong_input_is_told_in_one_go(sprinters: Program) -> None:
    run = sprinters.run("start", **{**GOOD, "spot": "maybe", "count": "0", "subnet": "nowhere"})

    assert run.code == 2
    for name in ("spot", "count", "subnet"):
        assert f"`{name}`" in run.log


@pytest.mark.parametrize(
    ("name", "value"), [("instance-id", "instance-1"), ("label", "x" * 257)], ids=["instance-id", "label"]
)
def test_stops_own_inputs(sprinters: Program, ec2: Ec2, name: str, value: str) -> None:
    run = sprinters.run("stop", **{name: value})

    assert run.code == 2, run.log
    assert f"`{name}`" in run.log
    assert not ec2.gate.exchanges


def test_inputs_that_are_no_json_are_never_shown(sprinters: Program) -> None:
    run = sprinters.begin_with('{"mode": "start", "github-token": "hush').wait()

    assert run.code == 2
    assert "SPRINTERS_INPUTS" in run.log
    assert "hush" not in run.log


def test_an_unknown_input_gets_a_suggestion(sprinters: Program) -> None:
    run = sprinters.run("start", **{**GOOD, "instance-typ": "m7i.large"})

    assert run.code == 2
    assert "`instance-typ`" in run.log and "`instance-type`" in run.log


def test_a_comment_where_a_tag_s_value_was_meant_is_explained(sprinters: Program) -> None:
    run = sprinters.run("start", **GOOD, tags="channel: #builds")

    assert run.code == 2
    assert "beginning of a comment" in run.log
