"""The EC2 stand-in's own process: moto with IAM enforced, and with what EC2 does that moto 5.2 does not.

Tests never start this by hand; `standins.aws` does. It prints one line of JSON with its port and ends when its
standard input does, so that it cannot outlive whoever started it.

What moto does by itself, tried: RunInstances keeps user data, tags on instances and volumes, spot, subnets, security
groups, MetadataOptions, client tokens and placement; DryRun answers `DryRunOperation` for RunInstances,
TerminateInstances, DescribeInstances, ModifyVolume and (for resources that exist) CreateTags.

What it does not, and what therefore stands here:

* A refused call answers `AccessDenied` in IAM's XML. EC2 answers `UnauthorizedOperation`, in EC2's, with status 403.
* RunInstances with tags needs `ec2:CreateTags` too, and with an instance profile `iam:PassRole`. moto checks neither.
* Policies are matched by action alone; see `policy.py` for what this adds.
* DryRun is ignored by DescribeSpotPriceHistory, whose prices are all 0.00001 and dated 2006.
* A client token is echoed and not honoured, and DescribeInstances knows no filter `client-token`.
* An instance runs at once and is gone at once. Here it is `pending` and `shutting-down` for as long as the caller's
  `Behaviour` says, and unknown for as long as it says too (eventual consistency).
* No instance ends by itself: the control route below powers one off, with a StateReason.
* Any image, type and architecture may be combined, any tag and any length of user data are taken; EC2 refuses.
* A block device without a size is refused; EC2 takes the image's. Iops and Throughput are dropped.

`Behaviour` arrives with each request in the header `X-Standins`, which no client sends and the proxy adds: so one moto
serves tests of very different minds at once.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "0"
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"

from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.exceptions import AuthFailureError
from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidInstanceIdError
from moto.ec2.models import ec2_backends
from moto.ec2.models.amis import Ami, AmiBackend
from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS, INSTANCE_TYPES
from moto.ec2.models.instances import Instance
from moto.ec2.responses._base_response import EC2BaseResponse
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.responses.spot_instances import SpotInstances
from moto.ec2.utils import filter_dict_attribute_mapping
from moto.iam.access_control import IAMRequest
from moto.iam.models import iam_backends
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.exceptions import HTTPException
from werkzeug.serving import make_server

from standins import images
from standins.policy import authorize, tag_specifications
from standins.spot_prices import spot_price

USER_DATA_LIMIT = 16384
_lock = threading.RLock()


class Ec2Error(HTTPException):
    """An error in EC2's own XML and with EC2's status."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(error_xml(code, message))
        self.code = status


def error_xml(code: str, message: str) -> str:
    escaped = message.replace("&", "&amp;").replace("<", "&lt;")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Response><Errors><Error><Code>{code}</Code><Message>{escaped}</Message></Error></Errors>"
        "<RequestID>5b8e7a3c-8f6e-4a1e-9a55-000000000000</RequestID></Response>"
    )


# --- who may do what ---------------------------------------------------------------------------------------------


def authenticate_and_authorize(self: EC2BaseResponse, _resource: str = "*") -> None:
    """Replaces moto's check: the same signature test, EC2's errors, and every permission that the call needs."""
    try:
        request = IAMRequest(
            account_id=self.current_account,
            method=self.method,
            path=self.raw_path,
            data=self.data,
            body=self.raw_body,
            headers=self.headers,
            action=self._get_action(),
        )
        request.check_signature()
    except AuthFailureError:
        message = "AWS was not able to validate the provided access credentials"
        raise Ec2Error(401, "AuthFailure", message) from None
    key = request._access_key
    documents = [_document(policy) for policy in key.collect_policies()]
    refusal = authorize(documents, call_of(self), self.ec2_backend)
    if refusal:
        action, resource = refusal
        raise Ec2Error(
            403,
            "UnauthorizedOperation",
            f"You are not authorized to perform this operation. User: {key.arn} is not authorized to perform: {action} "
            f"on resource: {resource} because no identity-based policy allows the {action} action. Encoded "
            "authorization failure message: c3RhbmQtaW4",
        )


def _document(policy: Any) -> dict[str, Any]:
    text = policy["policy_document"] if isinstance(policy, dict) else policy.document
    return json.loads(text) if isinstance(text, str) else text


def call_of(self: EC2BaseResponse) -> dict[str, Any]:
    """The request as `policy.authorize` wants it."""
    form = {name: values[0] if isinstance(values, list) else values for name, values in self.data.items()}
    return {"action": self._get_action(), "account": self.current_account, "region": self.region, "form": form}


# --- RunInstances ------------------------------------------------------------------------------------------------

_launched_by_token: dict[tuple[str, str], tuple[dict[str, str], Any]] = {}
_run_instances = InstanceResponse.run_instances


def run_instances(self: InstanceResponse) -> ActionResult:
    form = call_of(self)["form"]
    check_launch(self, form)
    token = form.get("ClientToken", "")
    with _lock:
        if token and form.get("DryRun") != "true":
            seen = _launched_by_token.get((self.region, token))
            if seen and seen[0] != form:
                raise Ec2Error(
                    400,
                    "IdempotentParameterMismatch",
                    f"The request with client token '{token}' has different parameters from an earlier one",
                )
            if seen:
                return seen[1]
        result = _run_instances(self)
        _launched_by_token[(self.region, token)] = (form, result)
        behaviour = behaviour_of(self)
        now = time.monotonic()
        for instance in result._result.instances:
            instance.visible_at = now + behaviour.get("unknown", 0)
            instance.running_at = now + behaviour.get("pending", 0)
            instance._state.name, instance._state.code = "pending", 0
            instance.run_instances_request = form
            note_volume_performance(instance, form)
    return result


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


def note_volume_performance(instance: Instance, form: dict[str, str]) -> None:
    for name, device in form.items():
        if name.startswith("BlockDeviceMapping.") and name.endswith(".DeviceName"):
            prefix = name.removesuffix("DeviceName") + "Ebs."
            block = instance.block_device_mapping.get(device)
            if block is None:
                continue
            volume = instance.ec2_backend.volumes[block.volume_id]
            volume.iops = int(form.get(prefix + "Iops", "3000"))
            volume.throughput = int(form.get(prefix + "Throughput", "125"))


_validate_mapping = InstanceResponse._validate_block_device_mapping


def size_from_image(mapping: dict[str, Any]) -> None:
    """EC2 takes the size of the image's own root where a mapping names none."""
    if mapping.get("Ebs") and not mapping["Ebs"].get("SnapshotId"):
        mapping["Ebs"].setdefault("VolumeSize", 8)
    _validate_mapping(mapping)


# --- an instance's life ------------------------------------------------------------------------------------------


def behaviour_of(self: EC2BaseResponse) -> dict[str, float]:
    return json.loads(self.headers.get("X-Standins", "{}"))


def settle() -> None:
    """Moves every instance to the state that its clock says."""
    now = time.monotonic()
    for instance in all_instances():
        state = instance._state
        if state.name == "pending" and now >= getattr(instance, "running_at", now):
            state.name, state.code = "running", 16
        elif state.name == "shutting-down" and now >= getattr(instance, "terminated_at", now):
            state.name, state.code = "terminated", 48


def all_instances() -> list[Instance]:
    return [
        instance
        for backend in list(ec2_backends[DEFAULT_ACCOUNT_ID].values())
        for reservation in list(backend.reservations.values())
        for instance in reservation.instances
    ]


def unknown(instance: Instance) -> bool:
    return time.monotonic() < getattr(instance, "visible_at", 0)


def check_known(self: InstanceResponse) -> None:
    hidden = {instance.id for instance in all_instances() if unknown(instance)}
    asked = [one for one in self._get_param("InstanceIds", []) if one in hidden]
    if asked:
        raise InvalidInstanceIdError(asked)


_describe_instances = InstanceResponse.describe_instances
_terminate_instances = InstanceResponse.terminate_instances


def describe_instances(self: InstanceResponse) -> ActionResult:
    with _lock:
        settle()
        check_known(self)
        result = _describe_instances(self)
        kept = [r for r in result._result["Reservations"] if not any(unknown(i) for i in r.instances)]
        result._result["Reservations"] = kept
        return result


def terminate_instances(self: InstanceResponse) -> ActionResult:
    with _lock:
        settle()
        check_known(self)
        asked = [i for i in all_instances() if i.id in self._get_param("InstanceIds", [])]
        over = {
            i.id: (i.state_reason, i._state.name) for i in asked if i._state.name in ("shutting-down", "terminated")
        }
        # EC2 leaves an instance that is already over as it is; moto would end it again and fail on its volumes.
        if over and len(over) == len(asked) and not self._get_param("DryRun", False):
            return ActionResult({"TerminatingInstances": [_change(i, i._state.name, i._state.code) for i in asked]})
        result = _terminate_instances(self)
        for instance in asked:
            if instance.id in over:
                instance.state_reason = over[instance.id][0]
            else:
                end(instance, behaviour_of(self).get("shutting_down", 0))
        return result


def _change(instance: Instance, name: str, code: int) -> dict[str, Any]:
    state = {"Code": code, "Name": name}
    return {"InstanceId": instance.id, "CurrentState": state, "PreviousState": state}


def end(instance: Instance, seconds: float) -> None:
    """`shutting-down` now, `terminated` after `seconds`."""
    instance.ended_at = time.monotonic()
    instance.terminated_at = instance.ended_at + seconds
    if seconds > 0:
        instance._state.name, instance._state.code = "shutting-down", 32


# --- spot prices -------------------------------------------------------------------------------------------------


def describe_spot_price_history(self: SpotInstances) -> ActionResult:
    self.error_on_dryrun()
    form = call_of(self)["form"]
    types = {value for name, value in form.items() if name.startswith("InstanceType.")}
    zones = {form["AvailabilityZone"]} if form.get("AvailabilityZone") else set()
    filters = {f["Name"]: set(f.get("Values", [])) for f in self._get_param("Filters", [])}
    types |= filters.get("instance-type", set())
    zones |= filters.get("availability-zone", set())
    offered = INSTANCE_TYPE_OFFERINGS["availability-zone"].get(self.region, [])
    history = [
        {
            "InstanceType": offer["InstanceType"],
            "ProductDescription": "Linux/UNIX",
            "SpotPrice": spot_price(offer["InstanceType"], offer["Location"]),
            "AvailabilityZone": offer["Location"],
            "Timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - 3600)),
        }
        for offer in offered
        if (not types or offer["InstanceType"] in types) and (not zones or offer["Location"] in zones)
    ]
    return ActionResult({"SpotPriceHistory": history})


def refuse_dry_run(self: EC2BaseResponse) -> None:
    if self._get_param("DryRun", False):
        raise Ec2Error(412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.")


def load_images(self: AmiBackend) -> None:
    for image in images.known(self.region_name):  # type: ignore[attr-defined]
        self.amis[image.ami] = Ami(
            self,
            image.ami,
            name=image.name,
            public=True,
            virtualization_type="hvm",
            architecture=image.architecture,
            root_device_type="ebs",
            root_device_name=image.root_device,
        )


def amend_moto() -> None:
    EC2BaseResponse._authenticate_and_authorize_normal_action = authenticate_and_authorize
    EC2BaseResponse.error_on_dryrun = refuse_dry_run
    InstanceResponse.run_instances = run_instances
    InstanceResponse.describe_instances = describe_instances
    InstanceResponse.terminate_instances = terminate_instances
    InstanceResponse._validate_block_device_mapping = staticmethod(size_from_image)
    SpotInstances.describe_spot_price_history = describe_spot_price_history
    AmiBackend._load_amis = load_images
    filter_dict_attribute_mapping["client-token"] = "client_token"


# --- the control route -------------------------------------------------------------------------------------------


def describe(instance: Instance) -> dict[str, Any]:
    """An instance as a test wants to see it: with everything that RunInstances was told."""
    volumes = [instance.ec2_backend.volumes.get(block.volume_id) for block in instance.block_device_mapping.values()]
    return {
        "id": instance.id,
        "region": instance.region_name,
        "zone": instance.placement.zone,
        "type": instance.instance_type,
        "state": instance._state.name,
        "state_reason": instance.state_reason.code,
        "market": "spot" if instance.lifecycle == "spot" else "on-demand",
        "tags": {tag["key"]: tag["value"] for tag in instance.get_tags()},
        "volumes": [
            {
                "id": volume.id,
                "size": volume.size,
                "type": volume.volume_type,
                "encrypted": volume.encrypted,
                "iops": volume.iops,
                "throughput": volume.throughput,
                "tags": {tag["key"]: tag["value"] for tag in volume.get_tags()},
            }
            for volume in volumes
            if volume is not None
        ],
        "request": getattr(instance, "run_instances_request", {}),
    }


def create_user(policies: list[dict[str, Any]]) -> dict[str, str]:
    backend = iam_backends[DEFAULT_ACCOUNT_ID]["aws"]
    name = f"sprinters-{len(backend.users)}"
    backend.create_user("us-east-1", name)
    for number, policy in enumerate(policies):
        backend.put_user_policy(name, f"policy-{number}", json.dumps(policy))
    key = backend.create_access_key(name)
    return {"access_key_id": key.access_key_id, "secret_access_key": key.secret_access_key}


def power_off(instance_id: str, code: str, message: str) -> dict[str, Any]:
    """The instance ends by itself, or AWS ends it; either way nobody called TerminateInstances."""
    for instance in all_instances():
        if instance.id == instance_id:
            if instance._state.name not in ("shutting-down", "terminated"):
                instance.terminate()
                instance.state_reason.code = code
                instance.state_reason.message = f"{code}: {message}"
                end(instance, 0)
            return describe(instance)
    raise KeyError(instance_id)


def create_instance_profile(name: str) -> dict[str, str]:
    backend = iam_backends[DEFAULT_ACCOUNT_ID]["aws"]
    role = backend.create_role(name, "{}", "/", None, "", [], 3600)
    profile = backend.create_instance_profile(name, "/", [])
    backend.add_role_to_instance_profile(name, name)
    return {"role": role.arn, "profile": profile.arn}


def control(path: str, body: dict[str, Any]) -> Any:
    with _lock:
        settle()
        match path.strip("/").split("/")[1:]:
            case ["instances"]:
                return [describe(instance) for instance in all_instances()]
            case ["instances", instance_id, "power-off"]:
                return power_off(instance_id, body["code"], body["message"])
            case ["users"]:
                return create_user(body["policies"])
            case ["instance-profiles", name]:
                return create_instance_profile(name)
            case _:
                raise KeyError(path)


def with_control(app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if not path.startswith("/_standins/"):
            return app(environ, start_response)
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = json.loads(environ["wsgi.input"].read(length) or b"{}")
        try:
            status, answer = "200 OK", control(path, body)
        except KeyError as missing:
            status, answer = "404 Not Found", {"missing": str(missing)}
        content = json.dumps(answer).encode()
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
        return [content]

    return serve


class _KeepAlive(MotoRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # Head and body in one segment.


def main() -> None:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    amend_moto()
    app = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, with_control(app), threaded=True, request_handler=_KeepAlive)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"port": server.server_port}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
