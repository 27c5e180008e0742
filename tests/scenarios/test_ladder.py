"""Where there is no capacity: the ladder of markets, types and zones."""

from __future__ import annotations

import re
from collections.abc import Callable

from standins import images
from standins.aws import Ec2
from standins.gate import lost
from standins.github import GitHub
from standins.program import Program
from standins.proxy import ec2_error, no_capacity

AMI = images.OWN_X64


def tried(ec2: Ec2) -> list[tuple[str, str]]:
    """Market and type of each launch, in order."""
    forms = [exchange.request.form for exchange in ec2.gate.calls("RunInstances")]
    return [(form.get("InstanceMarketOptions.MarketType", "on-demand"), form["InstanceType"]) for form in forms]


def test_the_next_type_is_taken(sprinters: Program, ec2: Ec2) -> None:
    no_capacity(ec2.gate, ("m7i.large", "*", "*"))
    run = sprinters.run("start", image=AMI, **{"instance-type": "m7i.large, m7a.large"})

    assert run.code == 0, run.log
    assert tried(ec2) == [("on-demand", "m7i.large"), ("on-demand", "m7a.large")]
    assert run.outputs["instance-type"] == "m7a.large"


def test_no_capacity_is_no_passing_error_though_it_looks_like_a_server_error(sprinters: Program, ec2: Ec2) -> None:
    """All other rungs come first; only then is the first one asked again."""
    no_capacity(ec2.gate)
    zones = "eu-central-1a, eu-central-1b, eu-central-1c"
    sprinters.run(
        "start", image=AMI, **{"instance-type": "m7i.large", "availability-zone": zones, "start-timeout": "3s"}
    )

    tried_zones = [call.request.form["Placement.AvailabilityZone"] for call in ec2.gate.calls("RunInstances")]
    assert tried_zones[:4] == ["eu-central-1a", "eu-central-1b", "eu-central-1c", "eu-central-1a"]


def test_a_full_region_is_tried_zone_by_zone(sprinters: Program, ec2: Ec2) -> None:
    """Without a zone EC2 picks one; nobody named any, so the others are worth a try."""
    no_capacity(ec2.gate, ("*", "", "*"), ("*", "eu-central-1a", "*"))
    run = sprinters.run("start", image=AMI, **{"instance-type": "m7i.large"})

    assert run.code == 0, run.log
    assert run.outputs["availability-zone"] == "eu-central-1b"


def test_capacity_that_comes_back_is_taken(sprinters: Program, ec2: Ec2) -> None:
    no_capacity(ec2.gate)
    running = sprinters.begin("start", image=AMI, **{"instance-type": "m7i.large", "start-timeout": "20s"})
    ec2.gate.wait_for("RunInstances", 5)
    ec2.gate.mend()
    run = running.wait()

    assert run.code == 0, run.log
    assert len(ec2.living()) == 1


def test_a_type_that_no_zone_has_is_not_waited_for(sprinters: Program, ec2: Ec2) -> None:
    ec2.gate.fail("RunInstances", ec2_error("Unsupported", "not supported in your requested zone"), times=None)
    run = sprinters.run(
        "start", image=AMI, **{"instance-type": "m7i.large", "availability-zone": "eu-central-1a, eu-central-1b"}
    )

    assert run.code == 3, run.log
    assert len(tried(ec2)) == 2
    assert run.seconds < 60, "it waited for its start-timeout of five minutes"


def test_spot_auto_falls_back_to_on_demand(sprinters: Program, ec2: Ec2) -> None:
    no_capacity(ec2.gate, ("*", "*", "spot"))
    run = sprinters.run("start", image=AMI, spot="auto", **{"instance-type": "m7i.large"})

    assert run.code == 0, run.log
    assert run.outputs["market"] == "on-demand"
    assert {market for market, _ in tried(ec2)[:-1]} == {"spot"}
    assert "EC2 refused spot: on-demand instead" in run.log
    assert "**EC2 refused spot**" in run.summary and "InsufficientInstanceCapacity" in run.summary


def test_spot_true_never_buys_on_demand(sprinters: Program, ec2: Ec2, left_behind: Callable[[], list[str]]) -> None:
    no_capacity(ec2.gate, ("*", "*", "spot"))
    run = sprinters.run("start", image=AMI, spot="true", **{"instance-type": "m7i.large", "start-timeout": "3s"})

    assert run.code == 3, run.log
    assert {market for market, _ in tried(ec2)} == {"spot"}
    assert not left_behind()


def test_zones_are_tried_in_the_users_order(sprinters: Program, ec2: Ec2) -> None:
    no_capacity(ec2.gate, ("*", "eu-central-1c", "*"), ("*", "eu-central-1a", "*"))
    run = sprinters.run(
        "start",
        image=AMI,
        **{"instance-type": "m7i.large", "availability-zone": "eu-central-1c, eu-central-1a, eu-central-1b"},
    )

    assert run.code == 0, run.log
    zones = [exchange.request.form["Placement.AvailabilityZone"] for exchange in ec2.gate.calls("RunInstances")]
    assert zones == ["eu-central-1c", "eu-central-1a", "eu-central-1b"]


def test_a_full_ladder_ends_with_3_and_tells_each_rung(
    sprinters: Program, ec2: Ec2, github: GitHub, left_behind: Callable[[], list[str]]
) -> None:
    no_capacity(ec2.gate)
    run = sprinters.run("start", image=AMI, **{"instance-type": "m7i.large, m7a.large", "start-timeout": "8s"})

    assert run.code == 3, run.log
    assert "m7i.large" in run.log and "m7a.large" in run.log
    rung = r"on-demand m7i\.large in any zone of eu-central-1 +InsufficientInstanceCapacity \(\d+ times\)"
    assert re.search(rung, run.log)
    refusals = re.findall(r"^· (on-demand .*): InsufficientInstanceCapacity$", run.log, re.MULTILINE)
    assert len(refusals) == len(set(refusals)) < len(tried(ec2)), "a line for each rung, however often it is asked"
    assert run.summary.count("<details>") == 1 and run.summary.count("m7a.large in any zone") == 1
    assert not left_behind()
    assert not ec2.instances()


def test_each_candidate_has_its_own_token(sprinters: Program, ec2: Ec2) -> None:
    no_capacity(ec2.gate)
    sprinters.run("start", image=AMI, **{"instance-type": "m7i.large, m7a.large, c7i.large", "start-timeout": "3s"})

    tokens = [exchange.request.form["ClientToken"] for exchange in ec2.gate.calls("RunInstances")]
    assert len(set(tokens)) == len(tokens) > 3


def test_a_start_that_succeeds_has_looked_for_what_a_lost_answer_has_left(sprinters: Program, ec2: Ec2) -> None:
    """The first type was launched after all, and EC2 shows it only when `start-timeout` is all but over."""
    ec2.behaviour.unknown = 9.0
    ec2.gate.fail("RunInstances", lost)
    ec2.gate.fail("RunInstances", ec2_error("InsufficientInstanceCapacity", status=500), nth=2)
    run = sprinters.run("start", image=AMI, **{"instance-type": "m7i.large, m7a.large", "start-timeout": "10s"})

    assert run.code == 0, run.log
    assert len(ec2.instances()) == 2
    assert [one.id for one in ec2.living()] == [run.outputs["instance-id"]]


def test_without_the_spot_role_spot_is_dropped_and_the_fix_is_told(sprinters: Program, ec2: Ec2) -> None:
    ec2.gate.fail(
        "RunInstances",
        ec2_error(
            "AuthFailure.ServiceLinkedRoleCreationNotPermitted",
            "The provided credentials do not have permission to create the service-linked role for EC2 Spot Instances.",
            403,
        ),
        times=None,
        when=lambda request: request.form.get("InstanceMarketOptions.MarketType") == "spot",
    )
    run = sprinters.run("start", image=AMI, spot="auto", **{"instance-type": "m7i.large"})

    assert run.code == 0, run.log
    assert run.outputs["market"] == "on-demand"
    assert "aws iam create-service-linked-role --aws-service-name spot.amazonaws.com" in run.log


def test_an_error_that_no_other_rung_can_mend_is_final(
    sprinters: Program, ec2: Ec2, left_behind: Callable[[], list[str]]
) -> None:
    run = sprinters.run("start", image="ami-0ffffffffffffffff", **{"instance-type": "m7i.large, m7a.large"})

    assert run.code == 1, run.log
    assert "`ami-0ffffffffffffffff`" in run.log
    assert len(tried(ec2)) == 1
    assert not left_behind()
