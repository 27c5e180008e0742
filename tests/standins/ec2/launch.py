"""RunInstances, with what EC2 refuses and moto would take, and with client tokens that hold."""

from __future__ import annotations

import base64
import datetime
import re
import time
from typing import Any, cast

from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.responses import ActionResult
from moto.ec2.models.amis import Ami, AmiBackend
from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS, INSTANCE_TYPES
from moto.ec2.models.instances import Instance
from moto.ec2.responses.instances import InstanceResponse
from moto.iam.models import iam_backends

from standins import images
from standins.ec2.access import call_of
from standins.ec2.errors import Ec2Error
from standins.ec2.life import Image, behaviour_of, lock
from standins.ec2.policy import listed, tag_specifications

USER_DATA_LIMIT = 16384

# By account and token.
_launched_by_token: dict[tuple[str, str], tuple[dict[str, str], Any]] = {}
_run_instances = InstanceResponse.run_instances


def run_instances(self: InstanceResponse) -> ActionResult:
    form = call_of(self)["form"]
    image_id = resolved(form.get("ImageId", ""))
    cast(Any, self.params)["ImageId"] = image_id
    check_launch(self, form | {"ImageId": image_id})
    token = form.get("ClientToken", "")
    behaviour = behaviour_of(self)
    with lock:
        if token and form.get("DryRun") != "true":
            seen = _launched_by_token.get((behaviour["account"], token))
            if seen and seen[0] != form:
                raise Ec2Error(
                    400,
                    "IdempotentParameterMismatch",
                    f"The request with client token '{token}' has different parameters from an earlier one",
                )
            if seen:
                return seen[1]
        result = _run_instances(self)
        _launched_by_token[(behaviour["account"], token)] = (form, result)
        now = time.monotonic()
        reservation: Any = result._result
        for instance in reservation.instances:
            instance.account = behaviour["account"]
            instance.visible_at = now + behaviour.get("unknown", 0)
            instance.tagged_at = now + behaviour.get("untagged", 0)
            instance.running_at = now + behaviour.get("pending", 0)
            instance._state.name, instance._state.code = "pending", 0
            instance.run_instances_request = form
            note_volumes(instance, form, self.ec2_backend.amis[image_id])
    return result


def resolved(image_id: str) -> str:
    """EC2 reads an SSM parameter itself."""
    name = image_id.removeprefix("resolve:ssm:")
    if name == image_id:
        return image_id
    if name not in images.PARAMETERS:
        message = f"The SSM parameter '{name}' could not be resolved"
        raise Ec2Error(400, "InvalidParameterValue", message)
    return images.PARAMETERS[name]


def check_launch(self: InstanceResponse, form: dict[str, str]) -> None:
    """What EC2 refuses and moto would take."""
    image = self.ec2_backend.amis.get(form.get("ImageId", ""))
    if image is None:
        raise Ec2Error(400, "InvalidAMIID.NotFound", f"The image id '[{form.get('ImageId')}]' does not exist")
    kind = INSTANCE_TYPES.get(form.get("InstanceType", ""))
    if kind is None:
        message = f"Invalid value '{form.get('InstanceType')}' for InstanceType."
        raise Ec2Error(400, "InvalidParameterValue", message)
    check_zone(self, form)
    architectures = kind["ProcessorInfo"]["SupportedArchitectures"]
    if image.architecture not in architectures:
        raise Ec2Error(
            400,
            "InvalidParameterValue",
            f"The architecture '{architectures[0]}' of the specified instance type does not match the architecture "
            f"'{image.architecture}' of the specified AMI. Specify an instance type and an AMI that have matching "
            "architectures, and try again.",
        )
    try:
        user_data = base64.b64decode(form.get("UserData", ""), validate=True)
    except ValueError:
        raise Ec2Error(400, "InvalidUserData.Malformed", "Invalid BASE64 encoding of user data.") from None
    if len(user_data) > USER_DATA_LIMIT:
        raise Ec2Error(400, "InvalidParameterValue", "User data is limited to 16384 bytes")
    check_profile(form)
    check_network(self, form)
    check_capacity(form)
    check_nesting(form)
    check_template(self, form)
    check_volumes(form, image.root_device_name)
    check_performance(form, cast(Image, image).root_size)
    token = form.get("ClientToken", "")
    if len(token) > 64 or not token.isascii():
        raise Ec2Error(400, "InvalidParameterValue", "ClientToken: at most 64 ASCII characters")
    check_tags(form)


def check_profile(form: dict[str, str]) -> None:
    profiles = iam_backends[DEFAULT_ACCOUNT_ID]["aws"].instance_profiles.values()
    for kind, known in (("Name", {p.name for p in profiles}), ("Arn", {p.arn for p in profiles})):
        wanted = form.get(f"IamInstanceProfile.{kind}")
        if wanted and wanted not in known:
            parameter = f"iamInstanceProfile.{kind.lower()}"
            message = f"Value ({wanted}) for parameter {parameter} is invalid. Invalid IAM Instance Profile {kind}"
            raise Ec2Error(400, "InvalidParameterValue", message)


def check_network(self: InstanceResponse, form: dict[str, str]) -> None:
    if any(name.startswith("NetworkInterface.") for name in form) and (
        "SubnetId" in form or any(name.startswith("SecurityGroup") for name in form)
    ):
        message = (
            "Network interfaces and an instance-level subnet ID or security groups may not be specified on the same "
            "request"
        )
        raise Ec2Error(400, "InvalidParameterCombination", message)
    for group in listed(form, r"NetworkInterface\.1\.SecurityGroupId"):
        if self.ec2_backend.get_security_group_from_id(group) is None:
            raise Ec2Error(400, "InvalidGroup.NotFound", f"The security group '{group}' does not exist")


RESERVATION = "cr-0123456789abcdef0"
"""The one capacity reservation of the account: moto has none."""


def check_capacity(form: dict[str, str]) -> None:
    target = "CapacityReservationSpecification.CapacityReservationTarget."
    wanted = form.get(target + "CapacityReservationId")
    market = form.get("InstanceMarketOptions.MarketType")
    if wanted not in (None, RESERVATION):
        message = f"The capacity reservation ID '{wanted}' does not exist"
        raise Ec2Error(400, "InvalidCapacityReservationId.NotFound", message)
    if market == "capacity-block" and wanted is None:
        raise Ec2Error(400, "InvalidParameterCombination", "A capacity block must be targeted by its id")
    if market == "spot" and any(name.startswith(target) for name in form):
        message = "You cannot target a capacity reservation when launching Spot Instances"
        raise Ec2Error(400, "InvalidParameterCombination", message)


def check_nesting(form: dict[str, str]) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CpuOptionsRequest.html"""
    is_able = re.match(r"[cmr]8i(-flex)?\.(?!metal)", form.get("InstanceType", ""))
    if form.get("CpuOptions.NestedVirtualization") == "enabled" and not is_able:
        message = f"Nested virtualization is not supported for the instance type {form.get('InstanceType')}"
        raise Ec2Error(400, "InvalidParameterCombination", message)


def check_template(self: InstanceResponse, form: dict[str, str]) -> None:
    known = self.ec2_backend.launch_templates
    by_id = form.get("LaunchTemplate.LaunchTemplateId")
    by_name = form.get("LaunchTemplate.LaunchTemplateName")
    if by_id and by_id not in known:
        message = f"The specified launch template, with template ID {by_id}, does not exist."
        raise Ec2Error(400, "InvalidLaunchTemplateId.NotFound", message)
    if by_name and by_name not in self.ec2_backend.launch_template_name_to_ids:
        message = f"The specified launch template, with template name {by_name}, does not exist."
        raise Ec2Error(400, "InvalidLaunchTemplateName.NotFoundException", message)


def check_volumes(form: dict[str, str], root_device: str) -> None:
    """A mapping without a size keeps that of the image's root; under another name there is none to keep."""
    for key, device in form.items():
        ebs = key.removesuffix("DeviceName") + "Ebs."
        if not key.endswith(".DeviceName") or not any(name.startswith(ebs) for name in form):
            continue
        if device != root_device and not (ebs + "VolumeSize" in form or ebs + "SnapshotId" in form):
            raise Ec2Error(400, "MissingParameter", "The request must contain the parameter size or snapshotId")


def check_performance(form: dict[str, str], root_size: int) -> None:
    """gp3: 3,000 to 80,000 IOPS and 125 to 2,000 MiB/s, 500 IOPS per GiB and 0.25 MiB/s per IOPS at most."""
    for key in form:
        if not key.endswith(".Ebs.VolumeType") or form[key] != "gp3":
            continue
        ebs = key.removesuffix("VolumeType")
        size = int(form.get(ebs + "VolumeSize", root_size))
        iops, throughput = int(form.get(ebs + "Iops", 3000)), int(form.get(ebs + "Throughput", 125))
        rate = int(form.get(ebs + "VolumeInitializationRate", 100))
        if not 3000 <= iops <= 80_000 or not 125 <= throughput <= 2000 or not 100 <= rate <= 300:
            text = f"Volume iops of {iops}, throughput of {throughput} or initialization rate of {rate} is out of range"
            raise Ec2Error(400, "InvalidParameterValue", text)
        if iops > max(3000, 500 * size) or throughput > iops / 4:
            text = f"{iops} iops on {size} GiB with {throughput} MiB/s exceed the maximum ratio"
            raise Ec2Error(400, "InvalidParameterCombination", text)


def check_zone(self: InstanceResponse, form: dict[str, str]) -> None:
    zone = form.get("Placement.AvailabilityZone")
    if not zone:
        return
    offered = INSTANCE_TYPE_OFFERINGS["availability-zone"].get(self.region, [])
    if zone not in {offering["Location"] for offering in offered}:
        raise Ec2Error(400, "InvalidParameterValue", f"Invalid availability zone: [{zone}]")
    if not any(o["Location"] == zone and o["InstanceType"] == form["InstanceType"] for o in offered):
        raise Ec2Error(
            400,
            "Unsupported",
            f"Your requested instance type ({form['InstanceType']}) is not supported in your requested Availability "
            f"Zone ({zone}).",
        )


def check_tags(form: dict[str, str]) -> None:
    market = form.get("InstanceMarketOptions.MarketType")
    for kind, tags in tag_specifications(form).items():
        if kind == "spot-instances-request" and market != "spot":
            raise Ec2Error(400, "InvalidParameterCombination", "'spot-instances-request' needs the spot market")
        if len(tags) > 50:
            raise Ec2Error(400, "TagLimitExceeded", "The maximum number of tags for a resource has been reached.")
        for key, value in tags.items():
            if key.lower().startswith("aws:"):
                raise Ec2Error(
                    400, "InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use"
                )
            if not 1 <= len(key) <= 128 or len(value) > 256:
                raise Ec2Error(400, "InvalidParameterValue", f"Tag '{key}' exceeds the maximum length")


def note_volumes(instance: Instance, form: dict[str, str], image: Image) -> None:
    for name, device in form.items():
        if name.startswith("BlockDeviceMapping.") and name.endswith(".DeviceName"):
            prefix = name.removesuffix("DeviceName") + "Ebs."
            block = instance.block_device_mapping.get(device)
            if block is None:
                continue
            volume = instance.ec2_backend.volumes[block.volume_id]
            volume.iops = int(form.get(prefix + "Iops", "3000"))
            volume.throughput = int(form.get(prefix + "Throughput", "125"))
            if device == image.root_device_name and prefix + "VolumeSize" not in form:
                volume.size = image.root_size


_validate_mapping = InstanceResponse._validate_block_device_mapping


def size_from_image(mapping: dict[str, Any]) -> None:
    """EC2 takes the size of the image's own root where a mapping names none: `note_volumes` knows the image."""
    if mapping.get("Ebs") and not mapping["Ebs"].get("SnapshotId"):
        mapping["Ebs"].setdefault("VolumeSize", 8)
    _validate_mapping(mapping)


def block_devices(self: Image) -> list[dict[str, Any]]:
    """An image's root volume, of the size that the image has."""
    ebs = {
        "SnapshotId": self.ebs_snapshot.id,
        "VolumeSize": self.root_size,
        "DeleteOnTermination": True,
        "VolumeType": "gp3",
    }
    return [{"DeviceName": self.root_device_name, "Ebs": ebs}]


def load_images(self: AmiBackend) -> None:
    for image in images.known(self.region_name):  # type: ignore[attr-defined]
        ami = Ami(
            self,
            image.ami,
            name=image.name,
            public=True,
            virtualization_type="hvm",
            architecture=image.architecture,
            root_device_type="ebs",
            root_device_name=image.root_device,
            owner_id=image.owner,
            creation_date=datetime.datetime.fromisoformat(image.created),
        )
        cast(Image, ami).root_size = image.root_size
        self.amis[image.ami] = ami
