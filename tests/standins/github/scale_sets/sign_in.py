"""From a token to the Actions service: registration tokens, then admin tokens, JWTs that say how long they are good."""

from __future__ import annotations

import base64
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from standins.github.scale_sets.pace import Pace
from standins.github.tokens import message
from standins.server import Request, Response


@dataclass
class Tenant:
    """One place (`repos/octo/app`) at the Actions service, under a path of its own."""

    scope: str
    path: str
    tokens: dict[str, float] = field(default_factory=dict)
    """Each admin token, and until when it is good, on the `time.time()` clock."""


class SignIn:
    def __init__(self, server_url: str, pace: Pace) -> None:
        self._server_url = server_url
        self._pace = pace
        self._registrations: dict[str, tuple[str, float]] = {}
        self._tenants: dict[str, Tenant] = {}
        self.issued: list[str] = []
        """Every token ever made."""

    def registration_token(self, scope: str) -> Response:
        token = "A" + secrets.token_hex(14).upper()
        until = time.time() + self._pace.registration_token
        self._registrations[token] = (scope, until)
        self.issued.append(token)
        shown = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(until))
        return Response.of_json(201, {"token": token, "expires_at": shown})

    def register(self, request: Request) -> Response:
        """`POST /actions/runner-registration`."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        scope, until = self._registrations.get(token.strip(), ("", 0.0))
        if scheme.lower() != "remoteauth" or until <= time.time():
            return message(401, "Bad credentials")
        try:
            body = request.json()
            wanted, event = str(body["url"]), body["runner_event"]
        except (ValueError, KeyError, TypeError):
            return message(400, "Problems parsing JSON")
        if event != "register":
            return message(422, "Validation Failed")
        if self._scope(wanted) != scope:
            return message(404, "Not Found")
        tenant = self._tenants.setdefault(scope, Tenant(scope, f"/_actions/{secrets.token_urlsafe(12)}/"))
        answer = {
            "url": self._server_url + tenant.path,
            "token": self._admin_token(tenant),
            "token_schema": "OAuthAccessToken",
        }
        return Response.of_json(200, answer)

    def _scope(self, url: str) -> str:
        """What `https://github.com/octo/app` is at the API."""
        if not url.startswith(self._server_url + "/"):
            return ""
        parts = urlsplit(url).path.strip("/").lower().split("/")
        match parts:
            case ["enterprises", name]:
                return f"enterprises/{name}"
            case [owner, repository]:
                return f"repos/{owner}/{repository}"
            case [owner]:
                return f"orgs/{owner}"
        return ""

    def _admin_token(self, tenant: Tenant) -> str:
        made = time.time()
        until = made + self._pace.admin_token
        claims = {"nbf": int(made), "exp": int(until), "iss": "vstoken.actions.githubusercontent.com", "scp": "Actions"}
        token = ".".join((_part({"typ": "JWT", "alg": "RS256"}), _part(claims), secrets.token_urlsafe(64)))
        tenant.tokens[token] = until
        self.issued.append(token)
        return token

    def tenant(self, path: str) -> Tenant | None:
        """Whose part of the Actions service this path is in."""
        return next((one for one in self._tenants.values() if path.startswith(one.path)), None)

    def url_of(self, scope: str) -> str:
        tenant = self._tenants.get(scope)
        return self._server_url + tenant.path if tenant else ""

    def expire_admin_tokens(self) -> None:
        for tenant in self._tenants.values():
            tenant.tokens.clear()


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
