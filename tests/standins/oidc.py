"""GitHub's OIDC service: hands a job that may ask a signed token that says which job it is."""

from __future__ import annotations

import base64
import json
import secrets
import time
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from standins.aws import ACCOUNT_ID
from standins.gate import Gate
from standins.server import Request, Response, Server

AUDIENCE = "sts.amazonaws.com"


class Oidc:
    """`environment` is what GitHub sets for a job with `id-token: write`. The operation's name is `oidc-token`."""

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.issued: list[str] = []
        self.request_token = secrets.token_hex(24)
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.gate = Gate(lambda _request: "oidc-token", self._serve)
        self._server = Server(self.gate)
        # Every stand-in is an issuer of its own: they share one moto, which knows issuers by name.
        self.issuer = f"https://{self._server.port}.token.actions.githubusercontent.com"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self._server.url}/token?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": self.request_token,
        }

    @property
    def public_key(self) -> str:
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    @property
    def secrets(self) -> list[str]:
        return [self.request_token, *self.issued]

    def _serve(self, request: Request) -> Response:
        if request.headers.get("authorization", "").lower() != f"bearer {self.request_token}".lower():
            return Response.of_json(401, {"message": "Unauthorized"})
        now = int(time.time())
        audience = request.query.get("audience", "https://github.com/octo")
        claims = {"iss": self.issuer, "sub": self.subject, "aud": audience, "iat": now, "exp": now + 300}
        signed = f"{_encoded({'typ': 'JWT', 'alg': 'RS256', 'kid': '1'})}.{_encoded(claims)}"
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        token = f"{signed}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"
        self.issued.append(token)
        return Response.of_json(200, {"count": len(token), "value": token})

    def close(self) -> None:
        self._server.close()


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def trust(oidc: Oidc, subject: str, operator: str = "StringEquals") -> dict[str, Any]:
    issuer = oidc.issuer.removeprefix("https://")
    condition: dict[str, dict[str, str]] = {"StringEquals": {f"{issuer}:aud": AUDIENCE}}
    condition.setdefault(operator, {})[f"{issuer}:sub"] = subject
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT_ID}:oidc-provider/{issuer}"},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": condition,
            }
        ],
    }
