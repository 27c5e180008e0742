"""`bake`: an image of an instance that installs everything and stops; where it fails, nothing is left."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from standins import images
from standins.aws import PLAIN_SIX, Ec2
from standins.cloud import Behaves, script_of
from standins.gate import answer, delayed, stalled, then
from standins.github import GitHub, Kind, RunJob
from standins.program import Program, Running
from standins.proxy import ec2_error
from standins.server import Response

AMI = {"image": images.OWN_X64, "instance-type": "m7i.large"}
LeftBehind = Callable[[], list[str]]
BAKE = ("ec2:CreateImage", "ec2:DescribeImages", "ec2:DeregisterImage", "ec2:DeleteSnapshot")


def allowed(*more: str) -> pytest.MarkDecorator:
    statement = {"Effect": "Allow", "Action": [*PLAIN_SIX, *more], "Resource": "*"}
    return pytest.mark.policy({"Version": "2012-10-17", "Statement": [statement]})


ALLOWED = allowed(*BAKE)


@pytest.fixture
def bakes(behaves: Behaves) -> None:
    """Instances install everything in no time, and stop."""
    behaves.online_after = None
    behaves.dies_after = 0.3
    behaves.state_reason = "Client.InstanceInitiatedShutdown"


def made(ec2: Ec2, sprinters: Program) -> list[str]:
    found = ec2.made_images(sprinters.environment["GITHUB_REPOSITORY"])
    return [one["id"] for one in found if one["state"] != "snapshot"]


@ALLOWED
@pytest.mark.usefixtures("bakes")
def test_an_image_is_made_and_the_instance_ends(sprinters: Program, ec2: Ec2, left_behind: LeftBehind) -> None:
    run = sprinters.run("bake", **AMI, setup="apt-get -y install cmake", **{"image-name": "ci-base"})

    assert run.code == 0, run.log
    assert [run.outputs["image"]] == made(ec2, sprinters)
    [instance] = ec2.instances()
    assert instance.request["InstanceInitiatedShutdownBehavior"] == "stop"
    assert instance.tags["sprinters:sprinters"] == "true" and "sprinters:expires" in instance.tags
    script = script_of(instance)
    assert "setup='apt-get -y install cmake'" in script
    assert "sha256='" in script
    image, snapshot = ec2.made_images(sprinters.environment["GITHUB_REPOSITORY"])
    assert image["name"].startswith("ci-base-20")
    assert image["tags"] == snapshot["tags"]
    assert image["tags"]["sprinters:image"] == "ci-base"
    assert "sprinters:expires" not in image["tags"], "an image does not expire"
    assert "baked" in run.summary and run.outputs["image"] in run.summary
    assert not left_behind()


@ALLOWED
@pytest.mark.usefixtures("bakes")
def test_the_newest_stay_and_the_rest_go_with_their_snapshots(sprinters: Program, ec2: Ec2) -> None:
    baked = [sprinters.run("bake", **AMI, keep="2").outputs["image"] for _ in range(3)]
    other = sprinters.run("bake", **AMI, keep="1", **{"image-name": "another"}).outputs["image"]

    assert made(ec2, sprinters) == [*baked[1:], other]
    found = ec2.made_images(sprinters.environment["GITHUB_REPOSITORY"])
    assert len([one for one in found if one["state"] == "snapshot"]) == 3


@ALLOWED
@pytest.mark.usefixtures("bakes")
def test_a_runner_boots_from_the_image(sprinters: Program, ec2: Ec2, behaves: Behaves) -> None:
    assert sprinters.run("bake", **AMI, **{"image-name": "ci"}).code == 0
    behaves.online_after, behaves.dies_after = 0.2, None
    run = sprinters.run("start", image="name=ci-20*@self", **{"instance-type": "m7i.large"})

    assert run.code == 0, run.log
    assert ec2.living()[0].request["ImageId"] == made(ec2, sprinters)[0]


@pytest.mark.usefixtures("bakes")
@pytest.mark.parametrize(
    "missing",
    [
        pytest.param(action, marks=allowed(*(other for other in BAKE if other != action)))
        for action in ("ec2:CreateImage", "ec2:DescribeImages")
    ],
)
def test_a_missing_permission_is_told_at_once(
    sprinters: Program, ec2: Ec2, left_behind: LeftBehind, missing: str
) -> None:
    run = sprinters.run("bake", **AMI)

    assert run.code == 1
    assert f"AWS refused `{missing}`" in run.log
    assert not made(ec2, sprinters) and not left_behind()


@allowed("ec2:CreateImage", "ec2:DescribeImages")
@pytest.mark.usefixtures("bakes")
def test_an_older_image_that_may_not_be_deleted_is_a_warning(sprinters: Program, ec2: Ec2) -> None:
    sprinters.run("bake", **AMI, keep="1")
    run = sprinters.run("bake", **AMI, keep="1")

    assert run.code == 0, run.log
    assert "ec2:DeregisterImage" in run.log
    assert len(made(ec2, sprinters)) == 2


@allowed(*BAKE, "ec2:GetConsoleOutput")
def test_a_setup_that_fails_is_told_with_its_last_lines(
    sprinters: Program, ec2: Ec2, behaves: Behaves, left_behind: LeftBehind
) -> None:
    behaves.online_after = None
    console = "sprinters: bake: FAILED: setup failed (exit status 7)\nE: Unable to locate package cmak\n"
    output = base64.b64encode(console.encode()).decode()
    body = f"<GetConsoleOutputResponse><instanceId>i-1</instanceId><output>{output}</output></GetConsoleOutputResponse>"
    ec2.gate.fail("GetConsoleOutput", answer(Response(200, {"Content-Type": "text/xml"}, body.encode())), times=None)
    run = sprinters.run("bake", **AMI, setup="exit 7")

    assert run.code == 1
    assert "setup failed (exit status 7)" in run.log
    assert not made(ec2, sprinters) and not left_behind()


@ALLOWED
def test_an_instance_that_aws_takes_makes_no_image(
    sprinters: Program, ec2: Ec2, behaves: Behaves, left_behind: LeftBehind
) -> None:
    behaves.online_after, behaves.dies_after = None, 0.3
    run = sprinters.run("bake", **AMI)

    assert run.code == 1
    assert "Server.InternalError" in run.log
    assert not made(ec2, sprinters) and not left_behind()


@ALLOWED
def test_an_instance_that_is_never_done(
    sprinters: Program, ec2: Ec2, behaves: Behaves, left_behind: LeftBehind
) -> None:
    behaves.online_after = None
    run = sprinters.run("bake", **AMI, **{"start-timeout": "4s"})

    assert run.code == 1
    assert "start-timeout" in run.log
    assert not made(ec2, sprinters) and not left_behind()


@ALLOWED
@pytest.mark.usefixtures("bakes")
def test_an_image_that_may_still_come_is_named(sprinters: Program, ec2: Ec2) -> None:
    begun: list[Running] = []
    ec2.gate.fail("CreateImage", then(lambda: begun[0].interrupt(), stalled(9)))
    begun.append(sprinters.begin("bake", **AMI, **{"image-name": "ci"}))
    run = begun[0].wait()

    assert run.code == 1 and run.seconds < 10
    assert "STILL THERE: perhaps the image `ci-20" in run.log
    assert "nothing is left running" not in run.log


@ALLOWED
@pytest.mark.usefixtures("bakes")
@pytest.mark.parametrize("operation", ["RunInstances", "CreateImage"])
def test_a_cancel_leaves_nothing(sprinters: Program, ec2: Ec2, left_behind: LeftBehind, operation: str) -> None:
    begun: list[Running] = []
    ec2.gate.fail(operation, then(lambda: begun[0].interrupt(), delayed(0.5)))
    begun.append(sprinters.begin("bake", **AMI))
    run = begun[0].wait()

    assert run.code == 1
    assert not made(ec2, sprinters), run.log
    assert not left_behind(), run.log


@ALLOWED
@pytest.mark.debug_build
def test_a_panic_leaves_nothing(sprinters: Program, ec2: Ec2, left_behind: LeftBehind) -> None:
    sprinters.environment["SPRINTERS_TEST_PANIC"] = "1"
    run = sprinters.run("bake", **AMI)

    assert run.code == 1
    assert len(ec2.instances()) == 1
    assert not left_behind(), run.log


@ALLOWED
def test_sweep_ends_what_a_killed_bake_left(sprinters: Program, ec2: Ec2, behaves: Behaves) -> None:
    behaves.online_after, behaves.dies_after = None, 0.3
    behaves.state_reason = "Client.InstanceInitiatedShutdown"
    begun = sprinters.begin("bake", **AMI)
    ec2.gate.wait_for("DescribeInstances", 1)
    begun.kill()
    begun.wait()
    [instance] = ec2.living()
    ec2.tag(instance.id, "sprinters:expires", "2026-01-01T00:00:00Z")
    run = sprinters.run("sweep")

    assert run.code == 0, run.log
    assert not ec2.living()


@ALLOWED
def test_a_stop_ends_a_bake_s_instance_only_where_its_job_is_over(
    sprinters: Program, ec2: Ec2, github: GitHub, behaves: Behaves, left_behind: LeftBehind
) -> None:
    behaves.online_after = None
    environment = sprinters.environment
    jobs = github.runs.add(
        environment["GITHUB_REPOSITORY"],
        environment["GITHUB_RUN_ID"],
        RunJob("bake", runner_id=999),
        RunJob("stop", runner_id=998),
    )
    environment["SPRINTERS_JOB_ID"] = str(jobs.job("bake").id)
    baking = sprinters.begin("bake", **AMI)
    ec2.gate.wait_for("DescribeInstances", 1)
    [instance] = ec2.living()
    environment["SPRINTERS_JOB_ID"] = str(jobs.job("stop").id)

    unknown = sprinters.run("stop")
    assert unknown.code == 0, unknown.log
    assert f"`{instance.id}` is spared: a `bake` that may be under way has launched it" in unknown.log
    environment["SPRINTERS_JOB_TOKEN"] = github.add_token(Kind.RERUNS).value
    known = sprinters.run("stop")
    assert known.code == 0, known.log
    assert "the job `bake`, which has launched it, has not ended" in known.log
    assert [one.id for one in ec2.living()] == [instance.id]

    baking.kill()
    baking.wait()
    jobs.job("bake").conclusion = "failure"
    over = sprinters.run("stop")
    assert over.code == 0, over.log
    assert not left_behind()


@ALLOWED
@pytest.mark.parametrize("by", ["force", "name"])
def test_a_stop_that_is_told_to_ends_a_bake_s_instance(
    sprinters: Program, ec2: Ec2, behaves: Behaves, left_behind: LeftBehind, by: str
) -> None:
    behaves.online_after = None
    baking = sprinters.begin("bake", **AMI)
    ec2.gate.wait_for("DescribeInstances", 1)
    baking.kill()
    baking.wait()
    [instance] = ec2.living()
    run = sprinters.run("stop", **({"force": "true"} if by == "force" else {"instance-id": instance.id}))

    assert run.code == 0, run.log
    assert not left_behind()


@ALLOWED
@pytest.mark.usefixtures("bakes")
def test_a_full_type_is_followed_by_the_next(sprinters: Program, ec2: Ec2) -> None:
    ec2.gate.fail("RunInstances", ec2_error("InsufficientInstanceCapacity", status=500))
    run = sprinters.run("bake", image=images.OWN_X64, **{"instance-type": "m7i.large, m7a.large"})

    assert run.code == 0, run.log
    assert [one.type for one in ec2.instances()] == ["m7a.large"]


@ALLOWED
def test_check_says_whether_images_may_be_made(sprinters: Program) -> None:
    run = sprinters.run("check", **AMI)

    assert run.code == 0, run.log
    assert "✓ ec2:CreateImage" in run.stdout and "`mode: bake`" in run.stdout


def test_check_does_not_ask_for_what_only_a_bake_needs(sprinters: Program) -> None:
    run = sprinters.run("check", **AMI)

    assert run.code == 0, run.log
    assert "mode: bake" not in run.stdout


def test_wrong_inputs_are_told_together(sprinters: Program) -> None:
    run = sprinters.run("bake", keep="0", **{"image-name": "a*b"})

    assert run.code == 2
    assert "`keep`" in run.log and "`image-name`" in run.log
