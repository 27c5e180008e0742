"""`runner: sprinters:aws:…`: a label says what inputs say, and inputs override it."""

from __future__ import annotations

import pytest

from standins import images
from standins.aws import ACCOUNT_ID, Ec2
from standins.github import GitHub
from standins.program import Program

PLACE = "eu-central-1/eu-central-1b"
LABEL = f"sprinters:aws/{ACCOUNT_ID}:{PLACE}:{images.OWN_X64}:m7i.xlarge:spot=false:root=gp3/4000/500"


@pytest.fixture
def labelled(sprinters: Program) -> Program:
    """Without the inputs that a label makes needless."""
    sprinters.inputs.pop("aws-region")
    return sprinters


def test_a_label_is_all_that_a_start_needs(labelled: Program, ec2: Ec2, github: GitHub) -> None:
    run = labelled.run("start", runner=LABEL)

    assert run.code == 0, run.log
    [instance], [record] = ec2.living(), github.records()
    assert (instance.type, instance.zone, instance.region) == ("m7i.xlarge", "eu-central-1b", "eu-central-1")
    [volume] = instance.volumes
    assert instance.request["BlockDeviceMapping.1.Ebs.Iops"] == "4000", volume
    assert run.outputs["region"] == "eu-central-1"
    # Anybody's job that guesses what a label says could take a runner that has it.
    assert record.labels == [run.outputs["label"]]


def test_a_label_that_is_listed_is_registered(labelled: Program, github: GitHub) -> None:
    run = labelled.run("start", runner=LABEL, labels=LABEL)

    assert run.code == 0, run.log
    [record] = github.records()
    assert {run.outputs["label"], LABEL} == set(record.labels)
    job = github.queue_job(run.outputs["label"], LABEL.upper())
    github.runners.wait(lambda: not github.records(), 10, "the runner's leaving")
    assert job.result == "Succeeded"


def test_stop_finds_its_runners_where_the_label_says(labelled: Program, ec2: Ec2) -> None:
    labelled.run("start", runner=LABEL)
    assert ec2.living()

    run = labelled.run("stop", runner=LABEL)

    assert run.code == 0, run.log
    assert not ec2.living()


def test_a_disk_and_swap_of_the_labels_own(labelled: Program, ec2: Ec2) -> None:
    run = labelled.run("start", runner=f"{LABEL}:temp=gp3/64/3000/max:swap=4")

    assert run.code == 0, run.log
    [instance] = ec2.living()
    assert instance.tags["sprinters:temp"] == "gp3/64/3000/750"
    assert instance.request["BlockDeviceMapping.2.Ebs.VolumeSize"] == "64"


def test_inputs_override_parts(labelled: Program, ec2: Ec2) -> None:
    run = labelled.run("start", runner=LABEL, **{"instance-type": "c7i.large", "availability-zone": "eu-central-1a"})

    assert run.code == 0, run.log
    [instance] = ec2.living()
    assert (instance.type, instance.zone) == ("c7i.large", "eu-central-1a")


def test_a_small_image_of_the_service_is_canonicals(labelled: Program) -> None:
    run = labelled.run("start", runner="sprinters:aws:eu-central-1:ubuntu-24.04-slim:m7i.large:events=false")

    assert run.code == 0, run.log
    assert "Canonical's server image" in run.log
    assert "`events=false` is ignored" in run.log


@pytest.mark.parametrize("mode", ["start", "stop", "sweep", "check"])
def test_another_account_is_told_before_anything_happens(
    labelled: Program, ec2: Ec2, github: GitHub, mode: str
) -> None:
    run = labelled.run(mode, runner=LABEL.replace(ACCOUNT_ID, "999999999999"))

    assert run.code == (1 if mode == "check" else 2), run.log
    assert "`999999999999`" in run.log and f"`{ACCOUNT_ID}`" in run.log
    assert "RunInstances" not in ec2.gate.operations()
    assert not ec2.instances()
    assert not github.records()


def test_check_confirms_the_account(labelled: Program) -> None:
    run = labelled.run("check", runner=LABEL)

    assert run.code == 0, run.log
    assert f"✓ AWS account `{ACCOUNT_ID}`" in run.stdout


def test_nobody_is_asked_whose_account_it_is_unless_the_label_says(labelled: Program, ec2: Ec2) -> None:
    run = labelled.run("start", runner=LABEL.replace(f"/{ACCOUNT_ID}", ""))

    assert run.code == 0, run.log
    assert "GetCallerIdentity" not in ec2.gate.operations()


@pytest.mark.parametrize(
    ("label", "inputs", "below", "said"),
    [
        (f"sprinters:aws:{images.OWN_X64}:m7i.xlrge", {}, "m7i.xlrge", "did you mean `m7i.xlarge`?"),
        ("sprinters:aws:eu-centrl-1:ubuntu-24.04", {}, "eu-centrl-1", "did you mean `eu-central-1`?"),
        ("sprinters:aws:ubuntu-24.04:m8gd.large", {}, "m8gd.large", "x64 types for the image `ubuntu-24.04`"),
        ("sprinters:aws:eu-central-1c:spot=maybe", {}, "maybe", "`false`"),
        ("sprinters:aws:eu-central-1c", {"aws-region": "us-east-1"}, "eu-central-1c", "region `us-east-1`"),
    ],
)
def test_what_is_wrong_has_a_caret_and_nobody_is_called(
    labelled: Program, ec2: Ec2, github: GitHub, label: str, inputs: dict[str, str], below: str, said: str
) -> None:
    run = labelled.run("start", runner=label, **inputs)

    assert run.code == 2, run.log
    [message] = run.annotations
    lines = message.splitlines()
    [caret] = [line for line in lines if set(line) <= set(" |^") and "^" in line]
    [shown] = [line for line in lines if line.startswith("1 | ")]
    assert shown[caret.index("^") : caret.rindex("^") + 1] == below
    assert said in message
    assert not ec2.gate.exchanges and not github.gate.exchanges
