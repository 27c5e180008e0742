"""AssumeRoleWithWebIdentity as AWS does it: a known provider must have made the token, and the role must trust it."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.responses import ActionResult
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends
from moto.sts.responses import TokenResponse
from werkzeug.exceptions import HTTPException

from standins.ec2.policy import as_list, holds

_assume_role = TokenResponse.assume_role_with_web_identity


class StsError(HTTPException):
    """An error in STS's XML and with its status."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(
            '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
            f"<Code>{code}</Code><Message>{message}</Message></Error><RequestId>0</RequestId></ErrorResponse>"
        )
        self.code = status

    def get_body(self, *_: Any, **__: Any) -> str:
        return self.description or ""

    def get_headers(self, *_: Any, **__: Any) -> list[tuple[str, str]]:
        return [("Content-Type", "text/xml")]


@dataclass
class Provider:
    arn: str
    audiences: list[str]
    key: rsa.RSAPublicKey


_providers: dict[str, Provider] = {}


def trust_provider(issuer: str, audiences: list[str], public_key: str) -> dict[str, str]:
    key = load_pem_public_key(public_key.encode())
    assert isinstance(key, rsa.RSAPublicKey)
    arn = f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:oidc-provider/{issuer.removeprefix('https://')}"
    _providers[issuer] = Provider(arn, audiences, key)
    return {"arn": arn}


def create_role(name: str, trust: dict[str, Any], policies: list[dict[str, Any]]) -> dict[str, str]:
    backend = iam_backends[DEFAULT_ACCOUNT_ID]["aws"]
    role = backend.create_role(name, json.dumps(trust), "/", None, "", [], "3600")
    for number, policy in enumerate(policies):
        backend.put_role_policy(name, f"policy-{number}", json.dumps(policy))
    return {"arn": role.arn}


def sessions(name: str) -> list[str]:
    """The secrets of everybody who took the role."""
    taken = sts_backends[DEFAULT_ACCOUNT_ID]["aws"].assumed_roles
    mine = [one for one in taken if one.role_arn.endswith(f"/{name}")]
    return [secret for one in mine for secret in (one.secret_access_key, one.session_token)]


def assume_role_with_web_identity(self: TokenResponse) -> ActionResult:
    claims = verified(self._get_param("WebIdentityToken"))
    denied = StsError(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
    arn = self._get_param("RoleArn")
    roles = iam_backends[DEFAULT_ACCOUNT_ID]["aws"].roles.values()
    role = next((one for one in roles if one.arn == arn), None)
    if role is None or not trusts(json.loads(role.assume_role_policy_document), claims):
        raise denied
    if not 2 <= len(self._get_param("RoleSessionName")) <= 64:
        raise StsError(400, "ValidationError", "roleSessionName must have length between 2 and 64")
    return _assume_role(self)


_authorize = TokenResponse._authenticate_and_authorize_normal_action


def authorize(self: TokenResponse, resource: str = "*") -> None:
    """The token is all that this one call is authorized by."""
    if self._get_action() != "AssumeRoleWithWebIdentity":
        _authorize(self, resource)


def verified(token: str) -> dict[str, Any]:
    try:
        head, body, signature = token.split(".")
        claims = json.loads(decoded(body))
    except ValueError:
        raise StsError(400, "InvalidIdentityToken", "The ID Token provided is not a valid JWT.") from None
    provider = _providers.get(claims["iss"])
    if provider is None:
        message = f"No OpenIDConnect provider found in your account for {claims['iss']}"
        raise StsError(400, "InvalidIdentityToken", message)
    try:
        provider.key.verify(decoded(signature), f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        message = "Couldn't retrieve verification key from your identity provider"
        raise StsError(400, "InvalidIdentityToken", message) from None
    if claims["aud"] not in provider.audiences:
        raise StsError(400, "InvalidIdentityToken", "Incorrect token audience")
    if claims["exp"] < time.time():
        raise StsError(400, "ExpiredTokenException", "Token expired")
    return claims


def trusts(policy: dict[str, Any], claims: dict[str, Any]) -> bool:
    issuer = claims["iss"].removeprefix("https://")
    context = {f"{issuer}:{name}": [str(claims[name])] for name in ("aud", "sub")}
    return any(
        statement["Effect"] == "Allow"
        and statement["Principal"].get("Federated") == _providers[claims["iss"]].arn
        and "sts:AssumeRoleWithWebIdentity" in as_list(statement["Action"])
        and all(
            holds(operator, key, as_list(values), context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
        for statement in policy["Statement"]
    )


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
