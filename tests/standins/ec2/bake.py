"""Images made of instances: with tags on their snapshots, pending for a while, and gone with their snapshots."""

from __future__ import annotations

import time
from typing import Any, cast

from moto.core.responses import ActionResult
from moto.ec2.responses.amis import AmisResponse

from standins.ec2.access import call_of
from standins.ec2.errors import Ec2Error
from standins.ec2.life import Image, behaviour_of
from standins.ec2.policy import tag_specifications

_create_image = AmisResponse.create_image
_describe_images = AmisResponse.describe_images


def create_image(self: AmisResponse) -> ActionResult:
    form = call_of(self)["form"]
    self.error_on_dryrun()
    name, backend = form["Name"], self.ec2_backend
    if any(image.name == name for image in backend.amis.values()):
        message = f"AMI name {name} is already in use by AMI {name}"
        raise Ec2Error(400, "InvalidAMIName.Duplicate", message)
    instance = backend.get_instance(form["InstanceId"])
    if instance.state not in ("running", "stopped"):
        message = f"Instance '{instance.id}' is not 'running' or 'stopped'"
        raise Ec2Error(400, "IncorrectState", message)
    image = cast(Image, backend.create_image(instance.id, name, "", tag_specifications=[]))
    tags = tag_specifications(form)
    image.add_tags(tags.get("image", {}))
    image.ebs_snapshot.add_tags(tags.get("snapshot", {}))
    image.root_device_name = instance.root_device_name
    image.root_device_type = "ebs"
    root = instance.block_device_mapping[instance.root_device_name]
    image.root_size = backend.volumes[root.volume_id].size
    image.state = "pending"
    image.available_at = time.monotonic() + behaviour_of(self).get("baking", 0)
    return ActionResult({"ImageId": image.id})


def describe_images(self: AmisResponse) -> ActionResult:
    for image in self.ec2_backend.amis.values():
        if image.state == "pending" and time.monotonic() >= image.available_at:
            image.state = "available"
    return _describe_images(self)


def deregister_image(self: AmisResponse) -> ActionResult:
    form = call_of(self)["form"]
    self.error_on_dryrun()
    image: Any = self.ec2_backend.amis.get(form["ImageId"])
    self.ec2_backend.deregister_image(form["ImageId"])
    if image and form.get("DeleteAssociatedSnapshots") == "true":
        self.ec2_backend.snapshots.pop(image.ebs_snapshot.id, None)
    return ActionResult({"Return": True})
