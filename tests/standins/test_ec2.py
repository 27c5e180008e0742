"""The EC2 stand-in does what EC2 does, where moto alone would not. Asked through AWS's own SDK."""

from __future__ import annotations

import time
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from standins import images
from standins.aws import Ec2, policy_with, policy_without
from standins.gate import garbage, lost, reset
from standins.proxy import no_capacity

ROOT, GP3 = "/dev/sda1", {"VolumeType": "gp3"}
TAGS = [{"Key": "sprinters:sprinters", "Value": "true"}, {"Key": "Name", "Value": "x"}]


def client(ec2: Ec2, **overrides: str) -> Any:
    return boto3.client(
        "ec2",
        endpoint_url=ec2.url,
        region_name=ec2.region,
        aws_access_key_id=ec2.access_key_id,
        aws_secret_access_key=overrides.get("secret", ec2.secret_access_key),
        config=Config(retries={"total_max_attempts": 1}),
    )


def launch(ec2: Ec2, token: str, **parameters: Any) -> dict[str, Any]:
    request = {
        "ImageId": images.OWN_X64,
        "InstanceType": "m7i.large",
        "MinCount": 1,
        "MaxCount": 1,
        "ClientToken": f"{ec2.access_key_id}-{token}",
        "TagSpecifications": [{"ResourceType": kind, "Tags": TAGS} for kind in ("instance", "volume")],
        **parameters,
    }
    return client(ec2).run_instances(**request)["Instances"][0]


def code_of(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return caught.value.response["Error"]["Code"]


def test_the_same_client_token_is_the_same_instance(ec2: Ec2) -> None:
    first, second = launch(ec2, "a"), launch(ec2, "a")

    assert first["InstanceId"] == second["InstanceId"]
    with pytest.raises(ClientError) as caught:
        launch(ec2, "a", InstanceType="c7i.large")
    assert code_of(caught) == "IdempotentParameterMismatch"


@pytest.mark.policy(policy_with("ec2:CreateImage", "ec2:DescribeImages"))
def test_an_image_of_an_instance_has_the_root_that_its_own_image_gave_it(ec2: Ec2) -> None:
    api = client(ec2)
    [known] = api.describe_images(ImageIds=[images.RUNS_ON_NEWER])["Images"]
    device = known["RootDeviceName"]
    mapping = {"DeviceName": device, "Ebs": {"VolumeType": "gp3"}}
    instance_id = launch(ec2, "baked", ImageId=images.RUNS_ON_NEWER, BlockDeviceMappings=[mapping])["InstanceId"]
    assert next_state(ec2, instance_id, "pending") == "running"
    image = api.create_image(InstanceId=instance_id, Name=f"of-{instance_id}")["ImageId"]
    [made] = api.describe_images(ImageIds=[image])["Images"]
    [block] = made["BlockDeviceMappings"]
    assert (made["RootDeviceName"], block["DeviceName"], block["Ebs"]["VolumeSize"]) == (device, device, 40)


def test_an_instance_is_pending_then_running_then_shutting_down_then_terminated(ec2: Ec2) -> None:
    ec2.behaviour.pending = ec2.behaviour.shutting_down = 1.0
    instance_id = launch(ec2, "life")["InstanceId"]
    seen = [ec2.instance(instance_id).state]
    seen.append(next_state(ec2, instance_id, seen[-1]))
    client(ec2).terminate_instances(InstanceIds=[instance_id])
    seen.append(ec2.instance(instance_id).state)
    seen.append(next_state(ec2, instance_id, seen[-1]))

    assert seen == ["pending", "running", "shutting-down", "terminated"]


def next_state(ec2: Ec2, instance_id: str, now: str) -> str:
    deadline = time.monotonic() + 10
    while ec2.instance(instance_id).state == now and time.monotonic() < deadline:
        time.sleep(0.02)
    return ec2.instance(instance_id).state


def test_a_fresh_instance_can_be_unknown(ec2: Ec2) -> None:
    ec2.behaviour.unknown = 1.5
    instance_id = launch(ec2, "unknown")["InstanceId"]
    for call in ("describe_instances", "terminate_instances"):
        with pytest.raises(ClientError) as caught:
            getattr(client(ec2), call)(InstanceIds=[instance_id])
        assert code_of(caught) == "InvalidInstanceID.NotFound"
    by_token = [{"Name": "client-token", "Values": [f"{ec2.access_key_id}-unknown"]}]
    assert not client(ec2).describe_instances(Filters=by_token)["Reservations"]
    time.sleep(1.5)
    assert client(ec2).describe_instances(Filters=by_token)["Reservations"]


def test_a_power_off_has_its_own_reason_and_terminating_again_keeps_it(ec2: Ec2) -> None:
    instance_id = launch(ec2, "off")["InstanceId"]
    ec2.power_off(instance_id)
    client(ec2).terminate_instances(InstanceIds=[instance_id])

    [reservation] = client(ec2).describe_instances(InstanceIds=[instance_id])["Reservations"]
    assert reservation["Instances"][0]["StateReason"]["Code"] == "Client.InstanceInitiatedShutdown"


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"ImageId": "ami-0ffffffffffffffff"}, "InvalidAMIID.NotFound"),
        ({"InstanceType": "m7i.largest"}, "InvalidParameterValue"),
        ({"InstanceType": "t4g.large"}, "InvalidParameterValue"),
        ({"Placement": {"AvailabilityZone": "us-east-1a"}}, "InvalidParameterValue"),
        ({"SubnetId": "subnet-01234567"}, "InvalidSubnetID.NotFound"),
        ({"SecurityGroupIds": ["sg-01234567"]}, "InvalidGroup.NotFound"),
        ({"UserData": "x" * 16385}, "InvalidParameterValue"),
        ({"ClientToken": "x" * 65}, "InvalidParameterValue"),
        ({"IamInstanceProfile": {"Name": "builder"}}, "UnauthorizedOperation"),
        (
            {"BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeType": "gp3"}}]},
            "MissingParameter",
        ),
        ({"BlockDeviceMappings": [{"DeviceName": ROOT, "Ebs": GP3 | {"Iops": 80_001}}]}, "InvalidParameterValue"),
        (
            {"BlockDeviceMappings": [{"DeviceName": ROOT, "Ebs": GP3 | {"Iops": 6_000, "VolumeSize": 8}}]},
            "InvalidParameterCombination",
        ),
        (
            {"BlockDeviceMappings": [{"DeviceName": ROOT, "Ebs": GP3 | {"Throughput": 800}}]},
            "InvalidParameterCombination",
        ),
        (
            {"TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "aws:x", "Value": ""}]}]},
            "InvalidParameterValue",
        ),
        (
            {"TagSpecifications": [{"ResourceType": "spot-instances-request", "Tags": TAGS}]},
            "InvalidParameterCombination",
        ),
    ],
)
def test_what_ec2_refuses_is_refused(ec2: Ec2, parameters: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as caught:
        launch(ec2, "refused", **parameters)
    assert code_of(caught) == code
    assert not ec2.instances()


def test_one_that_is_protected_saves_the_others(ec2: Ec2) -> None:
    ids = [launch(ec2, token)["InstanceId"] for token in ("a", "b", "c")]
    ec2.protect(ids[1])
    with pytest.raises(ClientError) as caught:
        client(ec2).terminate_instances(InstanceIds=ids)
    assert code_of(caught) == "OperationNotPermitted"
    assert len(ec2.living()) == 3
    ec2.protect(ids[1], on=False)
    client(ec2).terminate_instances(InstanceIds=ids)
    assert not ec2.living()


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"MaxResults": 4}, "InvalidParameterValue"),
        ({"MaxResults": 1001}, "InvalidParameterValue"),
        ({"Filters": [{"Name": "instance-id", "Values": [f"i-{n}" for n in range(201)]}]}, "FilterLimitExceeded"),
    ],
)
def test_what_is_asked_for_has_bounds(ec2: Ec2, parameters: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as caught:
        client(ec2).describe_instances(**parameters)
    assert code_of(caught) == code


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.policy(n)) for n in ("published_role", "tight")])
def test_scoped_policies_end_tagged_instances_only(ec2: Ec2, name: str) -> None:
    launched = launch(ec2, "scoped")
    client(ec2).terminate_instances(InstanceIds=[launched["InstanceId"]])
    with pytest.raises(ClientError) as caught:
        client(ec2).terminate_instances(InstanceIds=["i-0123456789abcdef0"])
    assert code_of(caught) == "UnauthorizedOperation"


@pytest.mark.policy(policy_without("ec2:CreateTags"))
def test_tags_at_launch_need_create_tags(ec2: Ec2) -> None:
    with pytest.raises(ClientError) as caught:
        launch(ec2, "tags")
    assert "ec2:CreateTags" in str(caught.value)
    launch(ec2, "plain", TagSpecifications=[])


def test_what_the_six_permissions_leave_out_is_refused(ec2: Ec2) -> None:
    for call in ("describe_images", "describe_subnets", "describe_volumes"):
        with pytest.raises(ClientError) as caught:
            getattr(client(ec2), call)()
        assert code_of(caught) == "UnauthorizedOperation"


def test_a_wrong_secret_is_no_way_in(ec2: Ec2) -> None:
    with pytest.raises(ClientError) as caught:
        client(ec2, secret="x" * 40).describe_instances()
    assert code_of(caught) == "AuthFailure"


def test_every_one_of_the_six_can_be_tried_without_effect(ec2: Ec2) -> None:
    api = client(ec2)
    tries = {
        "DescribeInstances": lambda: api.describe_instances(DryRun=True),
        "DescribeSpotPriceHistory": lambda: api.describe_spot_price_history(DryRun=True),
        "TerminateInstances": lambda: api.terminate_instances(DryRun=True, InstanceIds=["i-0123456789abcdef0"]),
        "ModifyVolume": lambda: api.modify_volume(DryRun=True, VolumeId="vol-0123456789abcdef0"),
        "CreateTags": lambda: api.create_tags(DryRun=True, Resources=["i-0123456789abcdef0"], Tags=TAGS),
        "RunInstances": lambda: launch(ec2, "dry", DryRun=True),
    }
    for dry_run in tries.values():
        with pytest.raises(ClientError) as caught:
            dry_run()
        assert code_of(caught) == "DryRunOperation"
    assert ec2.gate.operations() == [f"{action}:DryRun" for action in tries]
    assert not ec2.instances()


def test_spot_prices_differ_by_zone(ec2: Ec2) -> None:
    history = client(ec2).describe_spot_price_history(InstanceTypes=["m7i.large"])["SpotPriceHistory"]
    assert len({entry["SpotPrice"] for entry in history}) == len(history) == 3


def test_capacity_can_be_missing_somewhere(ec2: Ec2) -> None:
    no_capacity(ec2.gate, ("m7i.large", "eu-central-1a", "spot"))
    spot = {"InstanceMarketOptions": {"MarketType": "spot"}}
    with pytest.raises(ClientError) as caught:
        launch(ec2, "1", Placement={"AvailabilityZone": "eu-central-1a"}, **spot)
    assert code_of(caught) == "InsufficientInstanceCapacity"
    assert launch(ec2, "2", Placement={"AvailabilityZone": "eu-central-1b"}, **spot)["InstanceLifecycle"] == "spot"
    launch(ec2, "3", Placement={"AvailabilityZone": "eu-central-1a"})


def test_a_lost_answer_has_launched_and_a_reset_has_not(ec2: Ec2) -> None:
    for fault, launched in ((reset, 0), (lost, 1)):
        ec2.gate.mend()
        ec2.gate.fail("RunInstances", fault)
        with pytest.raises(ConnectionClosedError):
            launch(ec2, fault.__name__)
        assert len(ec2.living()) == launched


def test_the_nth_call_alone_is_spoilt(ec2: Ec2) -> None:
    ec2.gate.fail("DescribeInstances", garbage, nth=2)
    api = client(ec2)
    api.describe_instances()
    with pytest.raises(Exception, match="invalid XML"):
        api.describe_instances()
    api.describe_instances()
    assert [exchange.spoilt for exchange in ec2.gate.calls("DescribeInstances")] == [False, True, False]
