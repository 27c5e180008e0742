"""An instance's life between launch and end, on the clock that the caller's `Behaviour` sets.

Whose an instance is decides who can see it: each proxy is an account of its own, though all share one moto.
"""

from __future__ import annotations

import json
import threading
import time
from typing import Any, cast

from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidInstanceIdError
from moto.ec2.models import ec2_backends
from moto.ec2.models.amis import Ami
from moto.ec2.models.instances import Instance
from moto.ec2.responses._base_response import EC2BaseResponse
from moto.ec2.responses.instances import InstanceResponse

from standins.ec2.errors import Ec2Error

lock = threading.RLock()


class Launched(Instance):
    """moto's instance with what `launch` and `end` note on it. Never made: it names the types of these attributes."""

    account: str
    visible_at: float
    tagged_at: float
    running_at: float
    ended_at: float
    terminated_at: float
    run_instances_request: dict[str, str]


class Image(Ami):
    """moto's image with what `load_images` and `create_image` note on it. Never made either."""

    root_size: int
    available_at: float


def behaviour_of(self: EC2BaseResponse) -> dict[str, Any]:
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


def all_instances() -> list[Launched]:
    return [
        cast(Launched, instance)
        for backend in list(ec2_backends[DEFAULT_ACCOUNT_ID].values())
        for reservation in list(backend.reservations.values())
        for instance in reservation.instances
    ]


def is_hidden(instance: Launched, account: str) -> bool:
    """Somebody else's, or so fresh that EC2's parts have not all heard of it."""
    return instance.account != account or time.monotonic() < instance.visible_at


def is_asked_by_tag(self: InstanceResponse) -> bool:
    return any(name.startswith("tag") for name in self._filters_from_querystring())


def check_known(self: InstanceResponse) -> None:
    account = behaviour_of(self)["account"]
    hidden = {instance.id for instance in all_instances() if is_hidden(instance, account)}
    asked = [one for one in self._get_param("InstanceIds", []) if one in hidden]
    if asked:
        raise InvalidInstanceIdError(asked)


_describe_instances = InstanceResponse.describe_instances
_terminate_instances = InstanceResponse.terminate_instances


def check_bounds(self: InstanceResponse) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html and `Using_Filtering.html`."""
    if any(len(values) > 200 for values in self._filters_from_querystring().values()):
        raise Ec2Error(400, "FilterLimitExceeded", "The maximum number of filter values is 200")
    most = self._get_param("MaxResults")
    if most is None:
        return
    if self._get_param("InstanceIds"):
        text = "The parameter instancesSet cannot be used with the parameter maxResults"
        raise Ec2Error(400, "InvalidParameterCombination", text)
    if not 5 <= int(most) <= 1000:
        raise Ec2Error(400, "InvalidParameterValue", f"Value ( {most} ) for parameter maxResults is invalid.")


def check_protection(self: InstanceResponse) -> None:
    """One that is protected saves all that are asked for with it."""
    ids = self._get_param("InstanceIds", [])
    for instance in all_instances():
        if instance.id in ids and instance.disable_api_termination:
            text = (
                f"The instance '{instance.id}' may not be terminated. Modify its 'disableApiTermination' instance "
                "attribute and try again."
            )
            raise Ec2Error(400, "OperationNotPermitted", text)


def describe_instances(self: InstanceResponse) -> ActionResult:
    check_bounds(self)
    with lock:
        settle()
        check_known(self)
        account = behaviour_of(self)["account"]
        backend = self.ec2_backend
        everything = backend.reservations
        by_tag, now = is_asked_by_tag(self), time.monotonic()
        # moto pages what it finds, so what is hidden has to be out of its sight before.
        backend.reservations = {
            number: reservation
            for number, reservation in everything.items()
            if not any(
                is_hidden(launched, account) or (by_tag and now < launched.tagged_at)
                for launched in cast(list[Launched], reservation.instances)
            )
        }
        try:
            return _describe_instances(self)
        finally:
            backend.reservations = everything


def terminate_instances(self: InstanceResponse) -> ActionResult:
    with lock:
        settle()
        check_known(self)
        if not self._get_param("DryRun", False):
            check_protection(self)
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


def end(instance: Launched, seconds: float) -> None:
    """`shutting-down` now, `terminated` after `seconds`."""
    instance.ended_at = time.monotonic()
    instance.terminated_at = instance.ended_at + seconds
    if seconds > 0:
        instance._state.name, instance._state.code = "shutting-down", 32
