"""GitHub Apps: who may speak for them (a signed JWT proves it), where they are installed, and the tokens that they get.

The signature, the times and the issuer of every JWT are checked as GitHub checks them, with the key that it has.
"""

from __future__ import annotations

import base64
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from standins.github.tokens import Kind, Token, bearer, message
from standins.server import Request, Response

LONGEST = 600
"""Seconds that a JWT may be good for."""
KINDS = {
    "administration": Kind.WRITE,
    "organization_self_hosted_runners": Kind.ORGANIZATION,
    "actions": Kind.RERUNS,
    "contents": Kind.CONTENTS,
}
LEVELS = {"read": 1, "write": 2, "admin": 3}


@dataclass
class App:
    id: int
    client_id: str
    key: rsa.RSAPrivateKey
    permissions: dict[str, str]
    installations: dict[str, int] = field(default_factory=dict)
    """`repos/octo/app` or `orgs/octo`, and the installation's number."""

    def pem(self, form: PrivateFormat = PrivateFormat.TraditionalOpenSSL) -> str:
        """As GitHub hands it out (PKCS#1), or PKCS#8."""
        return self.key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


class Apps:
    def __init__(self, tokens: dict[str, Token]) -> None:
        self._apps: list[App] = []
        self._tokens = tokens
        self.minted: list[str] = []
        """Every installation token ever made."""
        self.asked: list[dict[str, Any]] = []
        """What each was limited to."""

    def add(self, permissions: dict[str, str], *scopes: str) -> App:
        number = 1000 + len(self._apps)
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        app = App(number, f"Iv23li{secrets.token_hex(7)}", key, permissions)
        app.installations = {scope.lower(): 5000 + number + nth for nth, scope in enumerate(scopes)}
        self._apps.append(app)
        return app

    @property
    def secrets(self) -> list[str]:
        """The tokens, and what of each key nobody could have written by chance."""
        lines = [line for app in self._apps for line in app.pem().splitlines()[1:-1] if len(line) == 64]
        return self.minted + lines

    @property
    def good(self) -> list[str]:
        """The tokens that nobody has revoked."""
        return [token for token in self.minted if token in self._tokens]

    def serve(self, name: str, request: Request, scope: str, number: int) -> Response:
        if name == "revoke-installation-token":
            value = bearer(request)
            if self._tokens.pop(value, None) is None:
                return message(401, "Bad credentials")
            return Response(204)
        app = self._app(request)
        if isinstance(app, Response):
            return app
        if name == "get-installation":
            found = app.installations.get(scope)
            return Response.of_json(200, installation(app, found, scope)) if found else message(404, "Not Found")
        return self._mint(app, number, request.json() if request.body else {})

    def _app(self, request: Request) -> App | Response:
        try:
            head, claims, signature = bearer(request).split(".")
            said = json.loads(_decoded(claims))
            assert json.loads(_decoded(head))["alg"] == "RS256"
            app = next(one for one in self._apps if said["iss"] in (str(one.id), one.client_id))
        except StopIteration:
            return message(404, "Integration not found")
        except (ValueError, KeyError, AssertionError):
            return message(401, "A JSON web token could not be decoded")
        try:
            signed = f"{head}.{claims}".encode()
            app.key.public_key().verify(_decoded(signature), signed, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return message(401, "A JSON web token could not be decoded")
        now = time.time()
        if said["iat"] > now:
            text = "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued."
            return message(401, text)
        if not now < said["exp"] <= now + LONGEST:
            return message(401, "'Expiration time' claim ('exp') is too far in the future")
        return app

    def _mint(self, app: App, number: int, limits: dict[str, Any]) -> Response:
        scope = next((scope for scope, one in app.installations.items() if one == number), None)
        if scope is None:
            return message(404, "Not Found")
        asked = limits.get("permissions") or app.permissions
        if any(LEVELS[level] > LEVELS.get(app.permissions.get(name, ""), 0) for name, level in asked.items()):
            return message(422, "The permissions requested are not granted to this installation.")
        if scope.startswith("repos/") and limits.get("repositories") not in ([scope.split("/")[2]], None):
            return message(422, "There is at least one repository that does not exist or is not accessible.")
        self.asked.append(limits)
        kind = next((KINDS[name] for name in asked if name in KINDS), Kind.UNRELATED)
        token = Token(kind, "ghs_" + secrets.token_hex(18))
        self._tokens[token.value] = token
        self.minted.append(token.value)
        expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        body = {"token": token.value, "expires_at": expires, "permissions": asked, "repository_selection": "selected"}
        return Response.of_json(201, body)


def installation(app: App, number: int, scope: str) -> dict[str, Any]:
    url = f"https://api.github.com/app/installations/{number}"
    owner = scope.split("/")[1]
    account = {"login": owner, "id": 1, "node_id": "MDQ6", "avatar_url": url, "gravatar_id": None, "url": url}
    account |= dict.fromkeys(ACCOUNT_URLS, url) | {"type": "Organization", "site_admin": False}
    return {
        "id": number,
        "account": account,
        "repository_selection": "selected",
        "access_tokens_url": f"{url}/access_tokens",
        "repositories_url": "https://api.github.com/installation/repositories",
        "html_url": f"https://github.com/organizations/{owner}/settings/installations/{number}",
        "app_id": app.id,
        "client_id": app.client_id,
        "target_id": 1,
        "target_type": "Organization",
        "permissions": app.permissions,
        "events": [],
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "app_slug": "runners",
        "suspended_by": None,
        "suspended_at": None,
    }


ACCOUNT_URLS = (
    "html_url",
    "followers_url",
    "following_url",
    "gists_url",
    "starred_url",
    "subscriptions_url",
    "organizations_url",
    "repos_url",
    "events_url",
    "received_events_url",
)


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
