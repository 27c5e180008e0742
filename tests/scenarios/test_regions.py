"""Several regions on one ladder, and whoever ends things looks in all of them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from standins import images
from standins.aws import Ec2, Instance, policy
from standins.cloud import Behaves
from standins.ec2.launch import RESERVATION
from standins.gate import lost, stalled
from standins.github import GitHub
from standins.program import Program, Run
from standins.proxy import ec2_error, region_of
from standins.server import Request
from standins.spot_prices import spot_price

HERE, THERE = "eu-central-1", "us-west-2"
BOTH = f"{HERE}, {THERE}"
TYPE = "m7i.large"
LAUNCH = {"aws-region": BOTH, "image": f"{HERE}={images.OWN_X64}, {THERE}={images.OWN_X64}", "instance-type": TYPE}

LeftBehind = Callable[[], list[str]]
Denying = dict[str, object]


def is_in(region: str) -> Callable[[Request], bool]:
    return lambda request: region_of(request) == region


def full(ec2: Ec2, region: str) -> None:
    error = ec2_error("InsufficientInstanceCapacity", f"not enough in {region}", 500)
    ec2.gate.fail("RunInstances", error, times=None, when=is_in(region))


def only_in(region: str) -> Denying:
    """The six permissions, in one region alone."""
    document = policy("plain_six")
    statements = [
        {**one, "Condition": {"StringEquals": {"aws:RequestedRegion": region}}} for one in document["Statement"]
    ]
    return {**document, "Statement": statements}


def launches(ec2: Ec2) -> list[str]:
    return [region_of(call.request) for call in ec2.gate.calls("RunInstances")]


def the_one(ec2: Ec2) -> Instance:
    [instance] = ec2.living()
    return instance


@pytest.fixture
def there(sprinters: Program, ec2: Ec2) -> Run:
    """A runner that landed in the second region."""
    full(ec2, HERE)
    run = sprinters.run("start", **LAUNCH)
    assert run.code == 0, run.log
    assert the_one(ec2).region == THERE
    ec2.gate.mend()
    return run


def test_a_full_region_is_followed_by_the_next(there: Run, ec2: Ec2) -> None:
    assert there.outputs["region"] == THERE
    assert there.outputs["availability-zone"].startswith(THERE)
    instance = the_one(ec2)
    assert instance.tags["sprinters:regions"] == f"{HERE}/{THERE}"
    assert {tag for volume in instance.volumes for tag in volume["tags"]} >= {"sprinters:regions"}
    assert launches(ec2)[0] == HERE


def test_a_single_region_is_not_remembered(sprinters: Program, ec2: Ec2) -> None:
    run = sprinters.run("start", image=images.OWN_X64, **{"instance-type": TYPE})

    assert run.code == 0, run.log
    assert run.outputs["region"] == HERE
    assert "sprinters:regions" not in the_one(ec2).tags


def test_stop_looks_in_every_region(there: Run, sprinters: Program, left_behind: LeftBehind) -> None:
    run = sprinters.run("stop", **{"aws-region": BOTH})

    assert run.code == 0, run.log
    assert there.outputs["instance-id"] in run.log
    assert float(run.outputs["cost-usd"]) > 0
    assert not left_behind()


def test_stop_follows_the_tag_into_regions_that_it_was_not_told(
    sprinters: Program, ec2: Ec2, left_behind: LeftBehind
) -> None:
    """One of two landed in the region that `stop` looks at; its tag names the other region."""
    error = ec2_error("InsufficientInstanceCapacity", "not enough", 500)
    ec2.gate.fail("RunInstances", error, nth=2, times=None, when=is_in(HERE))
    started = sprinters.run("start", count=2, **LAUNCH)
    assert started.code == 0, started.log
    assert {instance.region for instance in ec2.living()} == {HERE, THERE}
    run = sprinters.run("stop", **{"aws-region": HERE})

    assert run.code == 0, run.log
    assert not left_behind()


def test_sweep_looks_in_every_region(there: Run, sprinters: Program, ec2: Ec2, left_behind: LeftBehind) -> None:
    ec2.tag(there.outputs["instance-id"], "sprinters:expires", "2026-01-01T00:00:00Z")
    run = sprinters.run("sweep", **{"aws-region": BOTH})

    assert run.code == 0, run.log
    assert not left_behind()


def test_a_start_that_fails_there_is_undone_there(
    sprinters: Program, ec2: Ec2, behaves: Behaves, left_behind: LeftBehind
) -> None:
    full(ec2, HERE)
    behaves.online_after = None
    run = sprinters.run("start", **LAUNCH, **{"start-timeout": "4s"})

    assert run.code == 1, run.log
    assert [instance.region for instance in ec2.instances()] == [THERE]
    assert not left_behind()


def test_a_cancelled_start_is_undone_there(
    sprinters: Program, ec2: Ec2, github: GitHub, behaves: Behaves, left_behind: LeftBehind
) -> None:
    full(ec2, HERE)
    behaves.online_after = None
    running = sprinters.begin("start", **LAUNCH)
    github.gate.wait_for("get-runner")
    running.interrupt()
    run = running.wait()

    assert run.code == 1, run.log
    assert [instance.region for instance in ec2.instances()] == [THERE]
    assert run.outputs["region"] == ""
    assert not left_behind()


def test_a_launch_without_an_answer_is_looked_for_where_it_was_asked_for(sprinters: Program, ec2: Ec2) -> None:
    """Its answer is lost, and then its region is full: the instance is ended, whatever launches elsewhere."""
    ec2.gate.fail("RunInstances", lost, when=is_in(HERE))
    full(ec2, HERE)
    run = sprinters.run("start", **LAUNCH)

    assert run.code == 0, run.log
    assert len(ec2.living()) == 1


def test_each_region_has_its_own_image_subnet_and_group(sprinters: Program, ec2: Ec2) -> None:
    full(ec2, HERE)
    sprinters.run(
        "start",
        **{
            **LAUNCH,
            "image": f"ubuntu-24.04, {THERE}={images.OWN_X64}",
            "security-group": f"{HERE}=sg-0123456789abcdef0, {THERE}=sg-0fedcba9876543210",
            "subnet": f"{HERE}=subnet-0123456789abcdef0, {THERE}a=subnet-0fedcba9876543210",
            "start-timeout": "3s",
        },
    )
    asked = {region_of(call.request): call.request.form for call in ec2.gate.calls("RunInstances")}

    assert asked[THERE]["ImageId"] == images.OWN_X64 != asked[HERE]["ImageId"]
    assert asked[THERE]["SubnetId"] == "subnet-0fedcba9876543210"
    assert asked[HERE]["SubnetId"] == "subnet-0123456789abcdef0"
    assert asked[THERE]["SecurityGroupId.1"] == "sg-0fedcba9876543210"
    assert asked[HERE]["SecurityGroupId.1"] == "sg-0123456789abcdef0"


def test_each_region_has_its_own_template_and_reservation(sprinters: Program, ec2: Ec2) -> None:
    full(ec2, HERE)
    run = sprinters.run(
        "start",
        **LAUNCH,
        **{"capacity-reservation": f"none, {THERE}={RESERVATION}", "launch-template": f"{HERE}=runners"},
    )
    asked = {region_of(call.request): call.request.form for call in ec2.gate.calls("RunInstances")}
    reservation = "CapacityReservationSpecification.CapacityReservation"

    assert run.code == 0, run.log
    assert asked[HERE][f"{reservation}Preference"] == "none"
    assert asked[THERE][f"{reservation}Target.CapacityReservationId"] == RESERVATION
    assert asked[HERE]["LaunchTemplate.LaunchTemplateName"] == "runners"
    assert not any(name.startswith("LaunchTemplate.") for name in asked[THERE])


def test_spot_goes_to_the_cheapest_zone_of_all_regions(sprinters: Program, ec2: Ec2) -> None:
    run = sprinters.run("start", spot="true", **LAUNCH)
    assert run.code == 0, run.log

    zones = [f"{HERE}{letter}" for letter in "abc"] + [f"{THERE}{letter}" for letter in "abcd"]
    cheapest = min(zones, key=lambda zone: float(spot_price(TYPE, zone)))
    assert run.outputs["availability-zone"] == cheapest
    prices = [float(price) for price in re.findall(r"\d+\. spot m7i\.large in \S+ \(\$([0-9.]+)/h\)", run.log)]
    assert len(prices) > 4
    assert prices == sorted(prices)


@pytest.mark.policy(only_in(THERE))
def test_a_region_that_the_policy_denies_is_skipped(sprinters: Program, ec2: Ec2, left_behind: LeftBehind) -> None:
    run = sprinters.run("start", **LAUNCH)

    assert run.code == 0, run.log
    assert run.outputs["region"] == THERE
    [warning] = [line for line in run.stdout.splitlines() if line.startswith("::warning") and "is skipped" in line]
    assert f"`{HERE}`" in warning and "ec2:" in warning
    # Nobody knows what may be running in a region that may not be looked at.
    stop = sprinters.run("stop", **{"aws-region": BOTH})
    assert stop.code == 1, stop.log
    assert HERE in stop.log
    assert not left_behind()


@pytest.mark.parametrize("code", ["OptInRequired", "AuthFailure"])
def test_a_region_that_is_not_enabled_is_skipped(
    sprinters: Program, ec2: Ec2, left_behind: LeftBehind, code: str
) -> None:
    ec2.gate.fail("*", ec2_error(code, "not enabled", 401), times=None, when=is_in(HERE))
    run = sprinters.run("start", **LAUNCH)

    assert run.code == 0, run.log
    assert f"`{HERE}` is skipped: `ec2:RunInstances` failed with `{code}`" in run.log
    stop = sprinters.run("stop", **{"aws-region": BOTH})
    assert stop.code == 0, stop.log
    assert not left_behind()


def test_where_no_region_can_launch_each_candidate_has_a_line(
    sprinters: Program, ec2: Ec2, left_behind: LeftBehind
) -> None:
    ec2.gate.fail("RunInstances", ec2_error("OptInRequired", "not enabled", 401), times=None)
    run = sprinters.run("start", **{**LAUNCH, "instance-type": "m7i.large, m7a.large"})

    assert run.code == 1, run.log
    assert len(launches(ec2)) == 2, "a closed region is not asked again"
    assert len(set(re.findall(r"on-demand (m7[ia]\.large in any zone of \S+) +OptInRequired", run.log))) == 4
    assert not left_behind()


def test_no_capacity_in_any_region_ends_with_3(sprinters: Program, ec2: Ec2, left_behind: LeftBehind) -> None:
    full(ec2, HERE)
    ec2.gate.fail("RunInstances", ec2_error("OptInRequired", "not enabled", 401), times=None, when=is_in(THERE))
    run = sprinters.run("start", **LAUNCH, **{"start-timeout": "4s"})

    assert run.code == 3, run.log
    assert f"no capacity for any candidate in `{HERE}`; `{THERE}`: " in run.log
    assert "InsufficientInstanceCapacity" in run.log and "OptInRequired" in run.log
    assert not left_behind()


def test_a_region_that_does_not_answer_may_have_capacity(sprinters: Program, ec2: Ec2, left_behind: LeftBehind) -> None:
    """The other is full: both are named, and it is not the failure that a fallback is for."""
    full(ec2, HERE)
    ec2.gate.fail("RunInstances", stalled(60), times=None, when=is_in(THERE))
    run = sprinters.run("start", **LAUNCH, fallback="ubuntu-latest", **{"start-timeout": "8s"})

    assert run.code == 1, run.log
    assert f"no capacity for any candidate in `{HERE}`; `{THERE}`: `ec2:RunInstances` got no answer" in run.log
    assert not run.outputs.get("label")
    assert not left_behind()


def test_a_region_that_only_throttles_is_not_waited_for(sprinters: Program, ec2: Ec2, left_behind: LeftBehind) -> None:
    throttled = ec2_error("RequestLimitExceeded", "Request limit exceeded.", 503)
    ec2.gate.fail("RunInstances", throttled, times=None, when=is_in(HERE))
    run = sprinters.run("start", **LAUNCH, **{"start-timeout": "40s"})

    assert run.code == 0, run.log
    assert run.outputs["region"] == THERE
    assert f"`{HERE}` is skipped" in run.log
    assert len(ec2.living()) == 1


@pytest.mark.policy(only_in(THERE))
def test_check_names_the_region_that_lacks_a_permission(sprinters: Program) -> None:
    run = sprinters.run("check", **LAUNCH)

    assert run.code == 1, run.log
    assert f"✓ ec2:RunInstances in `{THERE}`" in run.stdout
    assert f"✗ ec2:RunInstances in `{HERE}`" in run.stdout


def test_check_is_content_with_two_regions(sprinters: Program) -> None:
    run = sprinters.run("check", **LAUNCH)

    assert run.code == 0, run.log
    for region in (HERE, THERE):
        assert f"✓ ec2:RunInstances in `{region}`" in run.stdout
        assert f"credentials for `{region}`" in run.stdout


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({"image": images.OWN_X64}, f"write `{HERE}=ami-…`"),
        ({"subnet": "subnet-0123456789abcdef0"}, f"write `{HERE}=subnet-…`"),
        ({"security-group": "sg-0123456789abcdef0"}, f"write `{HERE}=sg-…`"),
        ({"launch-template": "lt-0123456789abcdef0"}, f"write `{HERE}=lt-0123456789abcdef0`"),
        ({"capacity-reservation": RESERVATION}, f"write `{HERE}={RESERVATION}`"),
        ({"aws-region": "us-east-1, cn-north-1"}, "regions of one partition"),
        ({"availability-zone": "us-east-1a"}, f"zones of the regions `{HERE}`, `{THERE}`"),
    ],
)
def test_what_exists_in_one_region_names_it(sprinters: Program, ec2: Ec2, inputs: dict[str, str], told: str) -> None:
    run = sprinters.run("start", **{"aws-region": BOTH, "instance-type": TYPE, **inputs})

    assert run.code == 2, run.log
    assert told in run.log
    assert not ec2.gate.operations()
