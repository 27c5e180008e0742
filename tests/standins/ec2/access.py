"""Who may do what: every call is authenticated, and authorized for each permission that EC2 would ask for."""

from __future__ import annotations

import json
from typing import Any

from moto.core.exceptions import AuthFailureError
from moto.ec2.responses._base_response import EC2BaseResponse
from moto.iam.access_control import IAMRequest

from standins.ec2.errors import Ec2Error
from standins.ec2.policy import authorize


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
    if isinstance(policy, str):
        return json.loads(policy)
    if isinstance(policy, dict):
        text = policy["policy_document"]
    else:
        # One that is attached: the version in force.
        text = next(version.document for version in policy.versions if version.is_default)
    return json.loads(text) if isinstance(text, str) else text


def call_of(self: EC2BaseResponse) -> dict[str, Any]:
    """The request as `policy.authorize` wants it."""
    form = {name: values[0] if isinstance(values, list) else values for name, values in self.data.items()}
    return {"action": self._get_action(), "account": self.current_account, "region": self.region, "form": form}
