"""What a runner boots from: minimal images, images by name and owner, and root devices of any name."""

from __future__ import annotations

import pytest

from standins import images
from standins.aws import Ec2, policy_with
from standins.github import GitHub
from standins.program import Program
from standins.proxy import ec2_error, region_of

TYPE = {"instance-type": "m7i.large"}


DESCRIBING = pytest.mark.policy(policy_with("ec2:DescribeImages"))


def root_of(ec2: Ec2) -> dict[str, str]:
    [instance] = ec2.living()
    prefix = "BlockDeviceMapping.1."
    return {key.removeprefix(prefix): value for key, value in instance.request.items() if key.startswith(prefix)}


@pytest.mark.parametrize("release, suite", [("24.04", "noble"), ("26.04", "resolute")])
def test_minimal_means_canonicals_minimal_image(sprinters: Program, ec2: Ec2, release: str, suite: str) -> None:
    run = sprinters.run("start", image=f"ubuntu-{release}-minimal")

    assert run.code == 0, run.log
    assert ec2.living()[0].request["ImageId"] == images.newest(suite, "amd64", "eu-central-1", "minimal")


def test_where_the_index_has_no_minimal_image_it_is_the_server_image(sprinters: Program, ec2: Ec2) -> None:
    run = sprinters.run("start", image="ubuntu-22.04-arm-minimal")

    assert run.code == 0, run.log
    assert "its index has no minimal arm64 image of 22.04" in run.log
    assert ec2.living()[0].request["ImageId"] == images.newest("jammy", "arm64", "eu-central-1")


@pytest.mark.parametrize("name, architecture", [("ubuntu-26.04", "amd64"), ("ubuntu-26.04-arm", "arm64")])
def test_check_looks_a_release_up_as_well(sprinters: Program, ec2: Ec2, name: str, architecture: str) -> None:
    kind = {"amd64": "m7i.large", "arm64": "m7g.large"}[architecture]
    run = sprinters.run("check", image=name, **{"instance-type": kind})

    assert run.code == 0, run.log
    asked = ec2.gate.calls("RunInstances:DryRun")[0].request.form
    assert asked["ImageId"] == images.newest("resolute", architecture, "eu-central-1")


def test_each_region_s_image_is_of_the_release_that_is_named_for_it(sprinters: Program, ec2: Ec2) -> None:
    """The index has a file for each release."""
    full = ec2_error("InsufficientInstanceCapacity", "not enough", 500)
    ec2.gate.fail("RunInstances", full, times=None, when=lambda request: region_of(request) == "eu-central-1")
    both = {"aws-region": "eu-central-1, us-west-2", "image": "eu-central-1=ubuntu-22.04, us-west-2=ubuntu-24.04"}
    run = sprinters.run("start", **both, **TYPE)

    assert run.code == 0, run.log
    assert ec2.gate.calls("RunInstances")[0].request.form["ImageId"] == images.newest("jammy", "amd64", "eu-central-1")
    assert ec2.living()[0].request["ImageId"] == images.newest("noble", "amd64", "us-west-2")


@pytest.mark.policy(policy_with("ssm:GetParameters"))
@pytest.mark.parametrize("parameter", images.PARAMETERS)
def test_other_distributions_by_their_public_parameters(sprinters: Program, ec2: Ec2, parameter: str) -> None:
    """They call their root device otherwise than Ubuntu."""
    run = sprinters.run("start", image=f"resolve:ssm:{parameter}", **TYPE)

    assert run.code == 0, run.log
    assert root_of(ec2)["DeviceName"] == "/dev/xvda"
    assert len(ec2.gate.calls("RunInstances")) == 1


def test_an_image_by_parameter_needs_one_more_permission(sprinters: Program, ec2: Ec2) -> None:
    run = sprinters.run("start", image=f"resolve:ssm:{next(iter(images.PARAMETERS))}", **TYPE)

    assert run.code == 1
    assert "AWS refused `ssm:GetParameters`" in run.log
    assert not ec2.instances()


@pytest.mark.parametrize("image, device", [(images.AMAZON_LINUX, "/dev/xvda"), (images.XEN, "/dev/sda")])
def test_a_root_device_of_another_name_keeps_the_image_s_size(
    sprinters: Program, ec2: Ec2, github: GitHub, image: str, device: str
) -> None:
    run = sprinters.run("start", image=image, **TYPE)

    assert run.code == 0, run.log
    assert len(ec2.instances()) == 1, "EC2 refuses a wrong name before it launches"
    root = root_of(ec2)
    assert root["DeviceName"] == device
    assert root["Ebs.Encrypted"] == root["Ebs.DeleteOnTermination"] == "true"
    assert "Ebs.VolumeSize" not in root
    assert len(github.records()) == 1


def test_with_a_size_the_reply_tells_the_root_device(sprinters: Program, ec2: Ec2) -> None:
    run = sprinters.run("start", image=images.AMAZON_LINUX, **TYPE, **{"root-size": "20"})

    assert run.code == 0, run.log
    assert root_of(ec2)["DeviceName"] == "/dev/xvda"
    assert root_of(ec2)["Ebs.VolumeSize"] == "20"


@pytest.mark.parametrize("image", [images.AMAZON_LINUX, images.XEN])
def test_check_tries_the_names_as_well(sprinters: Program, ec2: Ec2, image: str) -> None:
    run = sprinters.run("check", image=image, **TYPE)

    assert run.code == 0, run.log
    assert not ec2.instances()


@DESCRIBING
def test_an_image_by_name_and_owner_is_the_newest_that_fits(sprinters: Program, ec2: Ec2) -> None:
    run = sprinters.run("start", image=f"name=runs-on-v2.2-ubuntu24-full-x64-*@{images.RUNS_ON}", **TYPE)

    assert run.code == 0, run.log
    assert ec2.living()[0].request["ImageId"] == images.RUNS_ON_NEWER
    assert "(runs-on-v2.2-ubuntu24-full-x64-20261103)" in run.log
    assert root_of(ec2)["Ebs.VolumeSize"] == "40", "the size is known from the image"


@DESCRIBING
@pytest.mark.parametrize(
    "image, why",
    [
        (f"name=runs-on-v2.2-*@{images.RUNS_ON}", "cloud-init"),
        (f"name=nothing-*@{images.RUNS_ON}", "has no x64 image"),
        ("name=runs-on-v2.2-ubuntu24-*@self", "has no x64 image"),
    ],
)
def test_an_image_that_cannot_be_used_is_refused_with_the_reason(
    sprinters: Program, ec2: Ec2, github: GitHub, image: str, why: str
) -> None:
    run = sprinters.run("start", image=image, **TYPE)

    assert run.code == 1
    assert why in run.log
    assert not ec2.instances() and not github.records()


def test_an_image_by_name_needs_one_more_permission(sprinters: Program) -> None:
    run = sprinters.run("check", image="name=own-image-*@self", **TYPE)

    assert run.code == 1
    assert "✗ image `name=own-image-*@self`" in run.stdout
    assert '"Action": "ec2:DescribeImages"' in run.log


@DESCRIBING
def test_check_knows_an_image_by_name(sprinters: Program) -> None:
    run = sprinters.run("check", image="name=own-image-x64@self", **TYPE)

    assert run.code == 0, run.log
    assert "✓ image `name=own-image-x64@self`" in run.stdout
