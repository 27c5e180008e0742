"""Who may do what: enough of IAM's evaluation to run the action under each of its documented policies.

moto matches a policy's actions alone and refuses whatever carries a condition. The policies that Sprinters documents
scope by resource and by tag, so the stand-in evaluates those itself: for every call the list of permissions that EC2
asks for (one for each resource that it touches), each with the condition keys that EC2 gives it. An operator that is
not known here stops the call with an error: it is never taken for granted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

Context = dict[str, list[str]]


class Asked(NamedTuple):
    action: str
    resource: str
    context: Context


def authorize(policies: list[dict[str, Any]], call: dict[str, Any], backend: Any) -> tuple[str, str] | None:
    """The first permission that is missing, as action and resource; `None` if the call is allowed."""
    for asked in permissions(call, backend):
        if not allowed(policies, asked):
            return asked.action, asked.resource
    return None


# --- what a call asks for ----------------------------------------------------------------------------------------


def permissions(call: dict[str, Any], backend: Any) -> Iterator[Asked]:
    action, form = call["action"], call["form"]
    place = f"arn:aws:ec2:{call['region']}:{call['account']}:"
    always = {"aws:RequestedRegion": [call["region"]], "ec2:Region": [call["region"]]}
    match action:
        case "RunInstances":
            yield from run_instances(form, place, always)
        case "TerminateInstances" | "StopInstances" | "StartInstances":
            for one in listed(form, "InstanceId"):
                yield Asked(f"ec2:{action}", f"{place}instance/{one}", always | resource_tags(backend, one))
        case "ModifyVolume":
            one = form.get("VolumeId", "")
            yield Asked("ec2:ModifyVolume", f"{place}volume/{one}", always | resource_tags(backend, one))
        case "CreateImage":
            yield from create_image(form, place, always, backend)
        case "DeregisterImage":
            one = form.get("ImageId", "")
            partition_place = place.rsplit(":", 2)[0]
            context = always | resource_tags(backend, one)
            yield Asked("ec2:DeregisterImage", f"{partition_place}::image/{one}", context)
            if form.get("DeleteAssociatedSnapshots") == "true" and one in backend.amis:
                snapshot = backend.amis[one].ebs_snapshot.id
                context = always | resource_tags(backend, snapshot)
                yield Asked("ec2:DeleteSnapshot", f"{partition_place}::snapshot/{snapshot}", context)
        case "CreateTags":
            tags = {
                form[n]: form.get(n[: -len("Key")] + "Value", "") for n in form if re.fullmatch(r"Tag\.\d+\.Key", n)
            }
            for one in listed(form, "ResourceId"):
                kind = {"i": "instance", "vol": "volume"}.get(one.partition("-")[0], "*")
                context = always | request_tags(tags) | resource_tags(backend, one)
                yield Asked("ec2:CreateTags", f"{place}{kind}/{one}", context)
        case _:
            yield Asked(f"ec2:{action}", "*", always)


def run_instances(form: dict[str, str], place: str, always: Context) -> Iterator[Asked]:
    tagged = tag_specifications(form)
    launch = always | {
        "ec2:InstanceType": [form.get("InstanceType", "")],
        "ec2:InstanceMarketType": [form.get("InstanceMarketOptions.MarketType", "on-demand")],
        "ec2:MetadataHttpTokens": [form.get("MetadataOptions.HttpTokens", "optional")],
    }
    profile = form.get("IamInstanceProfile.Arn") or form.get("IamInstanceProfile.Name")
    if profile:
        launch["ec2:InstanceProfile"] = [profile]
    partition_place = place.rsplit(":", 2)[0]
    image = {"ec2:ImageID": [form.get("ImageId", "")], "ec2:Owner": ["amazon"], "ec2:Public": ["true"]}
    interface = "NetworkInterface.1."
    groups = (
        listed(form, "SecurityGroupId") or listed(form, rf"{re.escape(interface)}SecurityGroupId") or ["sg-default"]
    )
    subnet = form.get("SubnetId") or form.get(interface + "SubnetId", "subnet-default")
    parameter = form.get("ImageId", "").removeprefix("resolve:ssm:")
    if parameter != form.get("ImageId", ""):
        region = always["aws:RequestedRegion"][0]
        yield Asked("ssm:GetParameters", f"arn:aws:ssm:{region}::parameter{parameter}", always)
    yield Asked("ec2:RunInstances", f"{partition_place}::image/{form.get('ImageId', '')}", always | image)
    yield Asked("ec2:RunInstances", f"{place}subnet/{subnet}", always)
    for group in groups:
        yield Asked("ec2:RunInstances", f"{place}security-group/{group}", always)
    for kind in ("instance", "volume", "network-interface"):
        yield Asked("ec2:RunInstances", f"{place}{kind}/*", launch | request_tags(tagged.get(kind, {})))
    for kind, name in (
        ("launch-template", "LaunchTemplate.LaunchTemplateId"),
        ("capacity-reservation", "CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId"),
    ):
        if name in form:
            yield Asked("ec2:RunInstances", f"{place}{kind}/{form[name]}", always)
    for kind, tags in tagged.items():
        context = launch | request_tags(tags) | {"ec2:CreateAction": ["RunInstances"]}
        yield Asked("ec2:CreateTags", f"{place}{kind}/*", context)
    if profile:
        role = f"arn:aws:iam::{place.split(':')[4]}:role/{profile.rpartition('/')[2]}"
        yield Asked("iam:PassRole", role, {"iam:PassedToService": ["ec2.amazonaws.com"]})


def create_image(form: dict[str, str], place: str, always: Context, backend: Any) -> Iterator[Asked]:
    partition_place = place.rsplit(":", 2)[0]
    one = form.get("InstanceId", "")
    tagged = tag_specifications(form)
    yield Asked("ec2:CreateImage", f"{place}instance/{one}", always | resource_tags(backend, one))
    for kind in ("image", "snapshot"):
        yield Asked("ec2:CreateImage", f"{partition_place}::{kind}/*", always | request_tags(tagged.get(kind, {})))
    for kind, tags in tagged.items():
        context = always | request_tags(tags) | {"ec2:CreateAction": ["CreateImage"]}
        yield Asked("ec2:CreateTags", f"{partition_place}::{kind}/*", context)


def tag_specifications(form: dict[str, str]) -> dict[str, dict[str, str]]:
    """Resource type → tags, out of `TagSpecification.1.Tag.1.Key=…`."""
    found: dict[str, dict[str, str]] = {}
    for name, kind in form.items():
        if re.fullmatch(r"TagSpecification\.\d+\.ResourceType", name):
            prefix = name.removesuffix("ResourceType") + "Tag."
            keys = [other for other in form if other.startswith(prefix) and other.endswith(".Key")]
            found[kind] = {form[key]: form.get(key.removesuffix("Key") + "Value", "") for key in keys}
    return found


def listed(form: dict[str, str], name: str) -> list[str]:
    return [value for key, value in form.items() if re.fullmatch(rf"{name}\.\d+", key)]


def request_tags(tags: dict[str, str]) -> Context:
    if not tags:
        return {}
    return {f"aws:RequestTag/{key}": [value] for key, value in tags.items()} | {"aws:TagKeys": list(tags)}


def resource_tags(backend: Any, resource_id: str) -> Context:
    tags = dict(backend.tags.get(resource_id, {}))
    return {f"{prefix}:ResourceTag/{key}": [value] for key, value in tags.items() for prefix in ("aws", "ec2")}


# --- what a policy says to it ------------------------------------------------------------------------------------


def allowed(policies: list[dict[str, Any]], asked: Asked) -> bool:
    effects = [
        statement["Effect"]
        for policy in policies
        for statement in as_list(policy["Statement"])
        if applies(statement, asked)
    ]
    return "Allow" in effects and "Deny" not in effects


def applies(statement: dict[str, Any], asked: Asked) -> bool:
    if "NotAction" in statement or "NotResource" in statement:
        raise NotImplementedError("NotAction and NotResource are not evaluated by the stand-in")
    return (
        any(like(pattern.lower(), asked.action.lower()) for pattern in as_list(statement["Action"]))
        and any(like(pattern, asked.resource) for pattern in as_list(statement["Resource"]))
        and all(
            holds(operator, key, as_list(values), asked.context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


def holds(operator: str, key: str, wanted: list[str], context: Context) -> bool:
    """A key that the request does not have is not a match."""
    test = TESTS[operator]
    present = next((values for name, values in context.items() if name.lower() == key.lower()), [])
    return any(test(pattern, value) for pattern in wanted for value in present)


def like(pattern: str, value: str) -> bool:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, value, re.DOTALL) is not None


# What the documented policies use; whatever else a policy says is a KeyError, and so an error of the call.
TESTS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda pattern, value: pattern == value,
    "StringLike": like,
    "ArnLike": like,
}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
