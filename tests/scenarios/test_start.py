"""`start`: a runner is online, or nothing is left."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from standins import images
from standins.aws import Ec2, policy_with
from standins.cloud import Behaves, script_of
from standins.gate import lost
from standins.github import GitHub
from standins.program import Program, Run
from standins.proxy import ec2_error
from standins.spot_prices import cheapest_zone

LeftBehind = Callable[[], list[str]]
Started = Callable[..., Run]
AMI = {"image": images.OWN_X64, "instance-type": "m7i.large"}


def test_a_runner_comes_online_and_the_outputs_name_it(sprinters: Program, ec2: Ec2, github: GitHub) -> None:
    run = sprinters.run("start", **AMI)

    assert run.code == 0, run.log
    [instance], [record] = ec2.living(), github.records()
    assert record.status == "online"
    assert run.outputs["label"] in record.labels
    assert run.outputs["runner-id"] == str(record.id)
    assert run.outputs["runner-name"] == record.name
    assert run.outputs["instance-id"] == instance.id
    assert run.outputs["instance-type"] == "m7i.large"
    assert run.outputs["region"] == "eu-central-1"
    assert run.outputs["availability-zone"] == instance.zone
    assert run.outputs["market"] == "on-demand"
    assert json.loads(run.outputs["instance-ids"]) == [instance.id]
    assert json.loads(run.outputs["runners"]) == [run.outputs["label"]]


def test_the_summary_says_what_runs_where(sprinters: Program) -> None:
    run = sprinters.run("start", **AMI)

    for word in (run.outputs["instance-id"], run.outputs["label"], "m7i.large", run.outputs["availability-zone"]):
        assert word in run.summary


def test_an_explicit_image_on_demand_asks_ec2_once_before_it_waits(sprinters: Program, ec2: Ec2) -> None:
    run = sprinters.run("start", **AMI)

    assert run.code == 0, run.log
    assert ec2.gate.operations()[0] == "RunInstances"
    assert len(ec2.gate.calls("RunInstances")) == 1
    assert "DescribeSpotPriceHistory" not in ec2.gate.operations()


def test_the_instance_is_launched_safely(sprinters: Program, ec2: Ec2) -> None:
    sprinters.run("start", **AMI)

    [instance] = ec2.instances()
    request = instance.request
    assert request["MinCount"] == request["MaxCount"] == "1"
    assert request["InstanceInitiatedShutdownBehavior"] == "terminate"
    assert request["MetadataOptions.HttpTokens"] == "required"
    assert request["MetadataOptions.HttpPutResponseHopLimit"] == "1"
    assert request["MetadataOptions.InstanceMetadataTags"] == "disabled"
    assert request["BlockDeviceMapping.1.DeviceName"] == "/dev/sda1"
    assert request["BlockDeviceMapping.1.Ebs.VolumeType"] == "gp3"
    assert request["BlockDeviceMapping.1.Ebs.Encrypted"] == "true"
    assert request["BlockDeviceMapping.1.Ebs.DeleteOnTermination"] == "true"
    assert 1 <= len(request["ClientToken"]) <= 64
    assert "IamInstanceProfile.Name" not in request


@pytest.mark.policy(policy_with("iam:PassRole"))
def test_containers_reach_the_metadata_for_the_credentials_of_an_instance_profile_alone(
    sprinters: Program, ec2: Ec2
) -> None:
    ec2.create_instance_profile("ci")
    run = sprinters.run("start", **AMI, **{"instance-profile": "ci"})

    assert run.code == 0, run.log
    [instance] = ec2.instances()
    assert instance.request["MetadataOptions.HttpPutResponseHopLimit"] == "2"
    assert "the job and its containers can use the credentials of the instance profile `ci`" in run.log


def test_instance_and_volume_carry_the_tags(sprinters: Program, ec2: Ec2, github: GitHub) -> None:
    run = sprinters.run("start", **AMI)

    [instance], [record] = ec2.instances(), github.records()
    tags = instance.tags
    assert tags["sprinters:sprinters"] == "true"
    assert tags["Name"]
    assert tags["sprinters:repository"] == sprinters.environment["GITHUB_REPOSITORY"]
    assert tags["sprinters:run-id"] == sprinters.environment["GITHUB_RUN_ID"]
    assert tags["sprinters:run-attempt"] == "1"
    assert tags["sprinters:job"] == "start-runner"
    assert tags["sprinters:label"] == run.outputs["label"]
    assert tags["sprinters:runner-id"] == str(record.id)
    expires = datetime.fromisoformat(tags["sprinters:expires"]) - datetime.now(UTC)
    assert 6 * 3600 - 120 < expires.total_seconds() < 7 * 3600
    assert instance.volumes[0]["tags"] == tags


def test_the_users_own_tags_and_labels_are_added(sprinters: Program, ec2: Ec2, github: GitHub) -> None:
    sprinters.run("start", **AMI, tags="team: build\ncost-centre: '42'\n", labels="gpu, big")

    [instance], [record] = ec2.instances(), github.records()
    assert instance.tags["team"] == "build"
    assert instance.volumes[0]["tags"]["cost-centre"] == "42"
    assert {"gpu", "big"} < set(record.labels)


def test_a_blank_for_a_comma_in_labels_is_told(sprinters: Program) -> None:
    run = sprinters.run("start", **AMI, labels="gpu big")

    assert run.code == 0, run.log
    [line] = [line for line in run.stdout.splitlines() if line.startswith("::warning") and "`gpu big`" in line]
    assert "commas" in line


def test_tags_may_be_json(sprinters: Program, ec2: Ec2) -> None:
    sprinters.run("start", **AMI, tags='{"team": "build"}')

    assert ec2.instances()[0].tags["team"] == "build"


def test_two_starts_never_share_a_label(sprinters: Program, github: GitHub) -> None:
    first, second = sprinters.begin("start", **AMI), sprinters.begin("start", **AMI)

    assert first.wait().outputs["label"] != second.wait().outputs["label"]
    assert len(github.records()) == 2


def test_the_job_runs_and_the_instance_ends_itself(sprinters: Program, ec2: Ec2, github: GitHub) -> None:
    run = sprinters.run("start", **AMI)
    job = github.queue_job(run.outputs["label"])

    github.runners.wait(lambda: not github.records(), 10, "the runner's leaving")
    assert job.result == "Succeeded"
    ec2_gone = [ec2.instance(run.outputs["instance-id"]).state_reason]
    assert ec2_gone in (["Client.InstanceInitiatedShutdown"], [""])


def test_user_data_holds_what_the_inputs_say(sprinters: Program, ec2: Ec2) -> None:
    said = {"setup": "echo 'it''s $mine'", "sudo": "false", "runner-user": "builder", "idle-timeout": "7m"}
    sprinters.run("start", **AMI, **said)

    script = script_of(ec2.instances()[0])
    assert script.startswith("#cloud-boothook")
    assert "builder" in script
    assert "\nno_sudo='yes'\n" in script
    assert "420" in script
    assert len(ec2.instances()[0].user_data) <= 12_288


def test_an_ubuntu_image_comes_from_canonicals_index(sprinters: Program, ec2: Ec2) -> None:
    run = sprinters.run("start", image="ubuntu-24.04")

    assert run.code == 0, run.log
    [instance] = ec2.instances()
    assert instance.request["ImageId"] == images.newest("noble", "amd64", "eu-central-1")
    assert instance.type == "t3.large"


@pytest.mark.parametrize(
    ("image", "instance_type", "suite", "architecture"),
    [
        ("ubuntu-26.04", "t3.large", "resolute", "amd64"),
        ("ubuntu-latest", "t3.large", "resolute", "amd64"),
        ("ubuntu-26.04-arm", "t4g.large", "resolute", "arm64"),
        ("ubuntu-22.04", "t3.large", "jammy", "amd64"),
        ("ubuntu-24.04-arm", "t4g.large", "noble", "arm64"),
        ("", "m7g.large", "noble", "arm64"),
        ("", "", "noble", "amd64"),
    ],
)
def test_the_image_fits_the_processor(
    sprinters: Program, ec2: Ec2, image: str, instance_type: str, suite: str, architecture: str
) -> None:
    run = sprinters.run("start", image=image, **{"instance-type": instance_type})

    assert run.code == 0, run.log
    assert ec2.instances()[0].request["ImageId"] == images.newest(suite, architecture, "eu-central-1")


def test_without_the_image_index_it_names_the_way_out(
    sprinters: Program, image_index: images.ImageIndex, ec2: Ec2, github: GitHub
) -> None:
    image_index.close()
    run = sprinters.run("start", image="ubuntu-24.04", **{"start-timeout": "3s"})

    assert run.code == 1
    assert "`ami-" in run.log or "image: ami-" in run.log
    assert not ec2.instances() and not github.records()


def test_placement_security_and_root_volume_reach_ec2(sprinters: Program, ec2: Ec2) -> None:
    run = sprinters.run(
        "start", **AMI, **{"availability-zone": "eu-central-1b", "root": "gp3/6000/500", "root-size": "80"}
    )

    assert run.code == 0, run.log
    [instance] = ec2.instances()
    assert instance.zone == "eu-central-1b"
    assert instance.volumes[0]["size"] == 80
    assert instance.request["BlockDeviceMapping.1.Ebs.Iops"] == "6000"
    assert instance.request["BlockDeviceMapping.1.Ebs.Throughput"] == "500"


def test_spot_goes_to_the_cheapest_zone(sprinters: Program, ec2: Ec2) -> None:
    run = sprinters.run("start", **AMI, spot="true")

    assert run.code == 0, run.log
    [instance] = ec2.instances()
    zones = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
    assert (instance.market, instance.zone) == ("spot", cheapest_zone("m7i.large", zones))
    assert run.outputs["market"] == "spot"
    assert instance.request["InstanceMarketOptions.SpotOptions.SpotInstanceType"] == "one-time"


@pytest.mark.policy("published_role")
def test_the_published_role_suffices(sprinters: Program, started: Started, left_behind: LeftBehind) -> None:
    started(spot="auto")
    assert sprinters.run("stop").code == 0
    assert not left_behind()


@pytest.mark.policy("tight")
def test_the_tight_policy_suffices(sprinters: Program, started: Started, left_behind: LeftBehind) -> None:
    started(spot="auto")
    assert sprinters.run("stop").code == 0
    assert not left_behind()


def test_a_lost_answer_of_run_instances_makes_no_second_instance(sprinters: Program, ec2: Ec2) -> None:
    ec2.gate.fail("RunInstances", lost)
    run = sprinters.run("start", **AMI)

    assert run.code == 0, run.log
    first, second = ec2.gate.calls("RunInstances")
    assert first.request.form["ClientToken"] == second.request.form["ClientToken"]
    assert [one.id for one in ec2.living()] == [run.outputs["instance-id"]]


def test_a_fresh_instance_may_be_unknown_for_a_while(sprinters: Program, ec2: Ec2) -> None:
    ec2.behaviour.unknown = 1.0
    run = sprinters.run("start", **AMI)

    assert run.code == 0, run.log
    assert len(ec2.living()) == 1


def test_throttling_is_waited_out(sprinters: Program, ec2: Ec2) -> None:
    ec2.gate.fail("RunInstances", ec2_error("RequestLimitExceeded", "Request limit exceeded.", 503))
    run = sprinters.run("start", **AMI)

    assert run.code == 0, run.log
    assert len(ec2.living()) == 1


def test_instances_that_are_told_late_are_waited_for(sprinters: Program, behaves: Behaves) -> None:
    behaves.online_after = 4.0
    run = sprinters.run("start", **AMI)

    assert run.code == 0, run.log
    assert run.seconds >= 4.0


def test_a_blank_between_labels_is_warned_of(sprinters: Program) -> None:
    run = sprinters.run("start", **AMI, labels="linux gpu, ours")

    assert run.code == 0, run.log
    assert "`labels`: `linux gpu` is one label with a blank in it; several are separated by commas" in run.log
    assert "`ours` is one label" not in run.log
