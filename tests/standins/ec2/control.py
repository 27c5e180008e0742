"""The route by which tests look behind EC2's back: all instances, users, and ends that nobody called for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, cast

from moto.core import DEFAULT_ACCOUNT_ID
from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends

from standins.ec2 import sts
from standins.ec2.life import Launched, all_instances, end, lock, settle


def describe(instance: Launched) -> dict[str, Any]:
    """An instance as a test wants to see it: with everything that RunInstances was told."""
    volumes = [instance.ec2_backend.volumes.get(block.volume_id) for block in instance.block_device_mapping.values()]
    return {
        "id": instance.id,
        "account": instance.account,
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


def forget(account: str) -> dict[str, Any]:
    """Drops every instance of an account, so that a process that serves thousands of tests stays quick."""
    for backend in ec2_backends[DEFAULT_ACCOUNT_ID].values():
        for number, reservation in list(backend.reservations.items()):
            if any(cast(Launched, instance).account == account for instance in reservation.instances):
                del backend.reservations[number]
    return {}


def create_user(policies: list[dict[str, Any]]) -> dict[str, str]:
    backend = iam_backends[DEFAULT_ACCOUNT_ID]["aws"]
    name = f"sprinters-{len(backend.users)}"
    backend.create_user("us-east-1", name)
    for number, policy in enumerate(policies):
        backend.put_user_policy(name, f"policy-{number}", json.dumps(policy))
    key = backend.create_access_key(name)
    return {"access_key_id": key.access_key_id, "secret_access_key": key.secret_access_key}


def power_off(instance_id: str, code: str, message: str, transition_reason: str | None) -> dict[str, Any]:
    """The instance ends by itself, or AWS ends it; either way nobody called TerminateInstances."""
    for instance in all_instances():
        if instance.id == instance_id:
            request = getattr(instance, "run_instances_request", {})
            if instance._state.name in ("shutting-down", "terminated"):
                return describe(instance)
            if (
                code == "Client.InstanceInitiatedShutdown"
                and request.get("InstanceInitiatedShutdownBehavior") == "stop"
            ):
                instance.stop()
                instance.state_reason.code = code
                instance.state_reason.message = f"{code}: {message}"
            else:
                instance.terminate()
                instance.state_reason.code = code
                instance.state_reason.message = f"{code}: {message}"
                if transition_reason is not None:
                    instance._reason = transition_reason
                end(instance, 0)
            return describe(instance)
    raise KeyError(instance_id)


def own_images() -> list[dict[str, Any]]:
    """What was made of instances, and not deleted: images, and snapshots of images that are gone."""
    found = []
    for backend in ec2_backends[DEFAULT_ACCOUNT_ID].values():
        for image in backend.amis.values():
            if image.instance_id:
                one = {"id": image.id, "name": image.name, "tags": tags_of(image), "state": image.state}
                found.append(one | {"instance": image.instance_id})
        for snapshot in backend.snapshots.values():
            if "Created by CreateImage" in (snapshot.description or ""):
                name = snapshot.from_ami or ""
                found.append({"id": snapshot.id, "name": name, "tags": tags_of(snapshot), "state": "snapshot"})
    return found


def tags_of(resource: Any) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in resource.get_tags()}


def create_instance_profile(name: str) -> dict[str, str]:
    backend = iam_backends[DEFAULT_ACCOUNT_ID]["aws"]
    role = backend.create_role(name, "{}", "/", None, "", [], "3600")
    profile = backend.create_instance_profile(name, "/", [])
    backend.add_role_to_instance_profile(name, name)
    return {"role": role.arn, "profile": profile.arn}


def create_launch_template(name: str, data: dict[str, Any]) -> dict[str, str]:
    backend = ec2_backends[DEFAULT_ACCOUNT_ID][data.pop("region")]
    return {"id": backend.create_launch_template(name, "", data, {}).id}


def control(path: str, body: dict[str, Any]) -> Any:
    with lock:
        settle()
        match path.strip("/").split("/")[1:]:
            case ["instances"]:
                account = body.get("account")
                return [describe(one) for one in all_instances() if account in (None, one.account)]
            case ["accounts", account, "forget"]:
                return forget(account)
            case ["instances", instance_id, "power-off"]:
                return power_off(instance_id, body["code"], body["message"], body["transition_reason"])
            case ["instances", instance_id, "protection"]:
                next(one for one in all_instances() if one.id == instance_id).disable_api_termination = body["on"]
                return {}
            case ["instances", instance_id, "tags"]:
                region = next(one.region_name for one in all_instances() if one.id == instance_id)
                ec2_backends[DEFAULT_ACCOUNT_ID][region].create_tags([instance_id], body)
                return {}
            case ["images"]:
                return own_images()
            case ["users"]:
                return create_user(body["policies"])
            case ["roles", name]:
                return sts.create_role(name, body["trust"], body["policies"])
            case ["roles", name, "sessions"]:
                return sts.sessions(name)
            case ["oidc-providers"]:
                return sts.trust_provider(body["issuer"], body["audiences"], body["public_key"])
            case ["instance-profiles", name]:
                return create_instance_profile(name)
            case ["launch-templates", name]:
                return create_launch_template(name, body)
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
