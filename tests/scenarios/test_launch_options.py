"""Templates, reservations, addresses and nested virtualization: what some accounts ask of a launch."""

from __future__ import annotations

import pytest

from standins import images
from standins.aws import Ec2
from standins.cloud import script_of
from standins.ec2.launch import RESERVATION
from standins.github import GitHub
from standins.program import Program

AMI = {"image": images.OWN_X64, "instance-type": "m7i.large"}
TARGET = "CapacityReservationSpecification.CapacityReservationTarget."


@pytest.mark.parametrize("version", ["", ":1", ":$Latest"])
def test_a_launch_template_lies_underneath(sprinters: Program, ec2: Ec2, version: str) -> None:
    template = ec2.create_launch_template(
        f"runners-{ec2.access_key_id}", ImageId="ami-of-the-template", InstanceType="t3.nano", UserData="bm9uZQ=="
    )
    run = sprinters.run("start", **AMI, **{"launch-template": template + version})

    assert run.code == 0, run.log
    [instance] = ec2.instances()
    assert instance.request["LaunchTemplate.LaunchTemplateId"] == template
    assert instance.request.get("LaunchTemplate.Version", "") == version.removeprefix(":")
    assert (instance.type, instance.request["ImageId"]) == ("m7i.large", images.OWN_X64)
    assert script_of(instance).startswith("#cloud-boothook")


@pytest.mark.parametrize("mode", ["start", "check"])
def test_a_template_that_does_not_exist(sprinters: Program, ec2: Ec2, github: GitHub, mode: str) -> None:
    run = sprinters.run(mode, **AMI, **{"launch-template": "runners-of-nobody"})

    assert run.code == 1
    assert "InvalidLaunchTemplateName.NotFoundException" in run.log
    assert "runners-of-nobody" in run.log
    assert not ec2.instances() and not github.records()


@pytest.mark.parametrize("public", ["true", "false"])
def test_the_public_address_is_decided_with_the_interface(sprinters: Program, ec2: Ec2, public: str) -> None:
    run = sprinters.run("start", **AMI, **{"public-ip": public})

    assert run.code == 0, run.log
    request = ec2.instances()[0].request
    assert request["NetworkInterface.1.AssociatePublicIpAddress"] == public
    assert request["NetworkInterface.1.DeleteOnTermination"] == "true"
    assert not [name for name in request if name.startswith(("SubnetId", "SecurityGroup"))]


def test_a_capacity_reservation_and_a_block(sprinters: Program, ec2: Ec2) -> None:
    reserved = sprinters.run("start", **AMI, **{"capacity-reservation": RESERVATION})
    block = sprinters.run("start", **AMI, **{"capacity-reservation": f"block={RESERVATION}"})

    assert (reserved.code, block.code) == (0, 0), reserved.log + block.log
    first, second = (instance.request for instance in ec2.instances())
    assert {first[TARGET + "CapacityReservationId"], second[TARGET + "CapacityReservationId"]} == {RESERVATION}
    markets = {request.get("InstanceMarketOptions.MarketType") for request in (first, second)}
    assert markets == {None, "capacity-block"}


def test_a_reservation_that_is_full_or_unknown_leaves_nothing(sprinters: Program, ec2: Ec2, github: GitHub) -> None:
    run = sprinters.run("start", **AMI, **{"capacity-reservation": "cr-00000000000000000"})

    assert run.code == 1
    assert "InvalidCapacityReservationId.NotFound" in run.log
    assert not ec2.instances() and not github.records()


@pytest.mark.parametrize("spot", ["auto", "true"])
def test_spot_in_a_named_reservation_is_refused_before_anybody_is_asked(
    sprinters: Program, ec2: Ec2, spot: str
) -> None:
    run = sprinters.run("start", **AMI, spot=spot, **{"capacity-reservation": RESERVATION})

    assert run.code == 2
    assert "`capacity-reservation`" in run.log and f"`spot: {spot}`" in run.log
    assert not ec2.gate.operations()


def test_nested_virtualization(sprinters: Program, ec2: Ec2) -> None:
    run = sprinters.run(
        "start", image=images.OWN_X64, **{"instance-type": "m8i.large", "nested-virtualization": "true"}
    )

    assert run.code == 0, run.log
    assert ec2.instances()[0].request["CpuOptions.NestedVirtualization"] == "enabled"


@pytest.mark.parametrize("unable", ["m7i.large", "m8a.large", "m8i.metal-48xl"])
def test_nested_virtualization_on_a_type_without_it_is_refused_by_name(
    sprinters: Program, ec2: Ec2, unable: str
) -> None:
    types = f"c8i-flex.large, {unable}"
    run = sprinters.run("start", image=images.OWN_X64, **{"instance-type": types, "nested-virtualization": "true"})

    assert run.code == 2
    assert f"`{unable}`, which cannot nest virtual machines" in run.log
    assert not ec2.gate.operations()


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ({"subnet": "subnet-0123456789abcdef0"}, "InvalidSubnetID.NotFound"),
        ({"security-group": "sg-0123456789abcdef0"}, "InvalidGroup.NotFound"),
    ],
    ids=["subnet", "group"],
)
def test_subnet_and_groups_go_with_the_interface(
    sprinters: Program, ec2: Ec2, place: dict[str, str], code: str
) -> None:
    """EC2 knows neither: so it was asked for them."""
    run = sprinters.run("start", **AMI, **{"public-ip": "true"}, **place)

    assert run.code == 1
    assert code in run.log
    assert not ec2.instances()
