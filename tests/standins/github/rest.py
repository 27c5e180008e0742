"""GitHub's REST endpoints about self-hosted runners, with the errors that GitHub gives."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from standins.github.apps import Apps
from standins.github.contents import Contents
from standins.github.groups import Groups
from standins.github.repositories import Repositories
from standins.github.runners import Runners
from standins.github.runs import Runs
from standins.github.tokens import Token, bearer, message, refusal
from standins.server import Request, Response

PLACE = r"^/(?P<scope>repos/[^/]+/[^/]+|orgs/[^/]+|enterprises/[^/]+)/actions"
SCOPE = PLACE + "/runners"
ROUTES = (
    ("POST", re.compile(SCOPE + r"/generate-jitconfig$"), "generate-jitconfig"),
    ("POST", re.compile(SCOPE + r"/registration-token$"), "registration-token"),
    ("GET", re.compile(SCOPE + r"/downloads$"), "list-downloads"),
    ("GET", re.compile(SCOPE + r"$"), "list-runners"),
    ("GET", re.compile(SCOPE + r"/(?P<id>\d+)$"), "get-runner"),
    ("DELETE", re.compile(SCOPE + r"/(?P<id>\d+)$"), "delete-runner"),
    ("GET", re.compile(r"^/(?P<scope>repos/[^/]+/[^/]+|orgs/[^/]+)/installation$"), "get-installation"),
    ("POST", re.compile(r"^/app/installations/(?P<id>\d+)/access_tokens$"), "create-installation-token"),
    ("DELETE", re.compile(r"^/installation/token$"), "revoke-installation-token"),
    ("GET", re.compile(PLACE.replace("repos/[^/]+/[^/]+|", "") + r"/runner-groups$"), "list-runner-groups"),
)
FORBIDDEN_IN_NAMES = set('"/:<>\\|*?')


@dataclass(frozen=True)
class Download:
    os: str
    architecture: str
    url: str
    filename: str
    sha256: str | None

    def as_json(self) -> dict[str, str]:
        entry = {
            "os": self.os,
            "architecture": self.architecture,
            "download_url": self.url,
            "filename": self.filename,
        }
        return entry | ({"sha256_checksum": self.sha256} if self.sha256 else {})


def operation(request: Request) -> str | None:
    """One of the names in `ROUTES`, by which tests spoil and count calls."""
    for method, pattern, name in ROUTES:
        if method == request.method and pattern.match(request.path):
            return name
    return None


class Rest:
    def __init__(
        self,
        runners: Runners,
        runs: Runs,
        contents: Contents,
        repositories: Repositories,
        downloads: Callable[[], list[Download]],
    ) -> None:
        self._runners = runners
        self._runs = runs
        self._downloads = downloads
        self.contents = contents
        self._repositories = repositories
        self.tokens: dict[str, Token] = {}
        self.groups = Groups()
        self.apps = Apps(self.tokens)
        self.registration_token: Callable[[str], Response]

    def __call__(self, request: Request) -> Response:
        token = self.tokens.get(bearer(request))
        # An App signs in with its own kind of token, which its part checks.
        is_sign_in = request.path.endswith("/installation") or request.path.startswith(("/app/", "/installation/"))
        refused = None if is_sign_in else refusal(token, request)
        response = refused or self._serve_others(request) or self._route(request)
        headers = {
            "X-GitHub-Media-Type": "github.v3; format=json",
            "X-GitHub-Request-Id": "0000:0000:0000:0000:00000000",
        }
        permission = "administration" if request.path.startswith("/repos/") else "organization_self_hosted_runners"
        if not request.path.startswith("/enterprises/"):
            headers["X-Accepted-GitHub-Permissions"] = permission + ("=read" if request.method == "GET" else "=write")
        if request.method == "GET" and response.status == 200:
            response = conditional(request, response)
        if token:
            # An answer of 304 is free: https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
            token.used += response.status != 304
            headers |= token.rate_limit_headers
        return Response(response.status, response.headers | headers, response.body)

    def _serve_others(self, request: Request) -> Response | None:
        return self._runs.serve(request) or self.contents.serve(request) or self._repositories.serve(request)

    def _route(self, request: Request) -> Response:
        for method, pattern, name in ROUTES:
            match = pattern.match(request.path)
            if match and method == request.method:
                # Owners and repositories ignore case.
                scope = match.groupdict().get("scope", "").lower()
                number = int(match["id"]) if "id" in match.groupdict() else 0
                if "installation" in name:
                    return self.apps.serve(name, request, scope, number)
                return self._serve(name, scope, number, request)
        return message(404, "Not Found")

    def _serve(self, name: str, scope: str, number: int, request: Request) -> Response:
        match name:
            case "generate-jitconfig":
                return self._generate_jitconfig(scope, request)
            case "registration-token":
                return self.registration_token(scope)
            case "list-downloads":
                return Response.of_json(200, [download.as_json() for download in self._downloads()])
            case "list-runner-groups":
                return self._list_groups(scope, request.query)
            case "list-runners":
                return self._list(scope, request.query)
            case "get-runner":
                runner = self._runners.get(number, scope)
                seen = runner and self._runners.is_seen(runner)
                return Response.of_json(200, runner.as_json()) if runner and seen else message(404, "Not Found")
            case _:
                return self._delete(scope, number)

    def _generate_jitconfig(self, scope: str, request: Request) -> Response:
        try:
            body = request.json()
        except ValueError:
            return message(400, "Problems parsing JSON")
        problem = launch_problem(body)
        if problem:
            return message(422, "Validation Failed", errors=[problem])
        if body["runner_group_id"] not in {group.id for group in self.groups.of(scope)}:
            return message(404, "Not Found")
        runner = self._runners.register(scope, body["name"], body["labels"], body["runner_group_id"])
        if runner is None:
            return message(409, f"Already exists - A runner with the name {body['name']} already exists.")
        return Response.of_json(201, {"runner": runner.as_json(), "encoded_jit_config": runner.encoded_jit_config})

    def _list(self, scope: str, query: dict[str, str]) -> Response:
        found = [one for one in self._runners.listed(scope, query.get("name")) if self._runners.is_seen(one)]
        size = min(int(query.get("per_page", "30")), 100)
        page = int(query.get("page", "1"))
        shown = found[(page - 1) * size : page * size]
        return Response.of_json(200, {"total_count": len(found), "runners": [one.as_json() for one in shown]})

    def _list_groups(self, scope: str, query: dict[str, str]) -> Response:
        user = query.get("visible_to_repository") or query.get("visible_to_organization")
        found = [group for group in self.groups.of(scope) if user is None or group.is_open_to(user)]
        size = min(int(query.get("per_page", "30")), 100)
        page = int(query.get("page", "1"))
        shown = found[(page - 1) * size : page * size]
        answer = {"total_count": len(found), "runner_groups": [one.as_json(scope) for one in shown]}
        return Response.of_json(200, answer)

    def _delete(self, scope: str, number: int) -> Response:
        runner = self._runners.get(number, scope)
        if runner is None:
            return message(404, "Not Found")
        if runner.busy:
            return message(422, f'Bad request - Runner "{runner.name}" is still running a job"')
        self._runners.remove(runner)
        return Response(204)


def launch_problem(body: Any) -> str | None:
    """Why GitHub would refuse to register such a runner."""
    if not isinstance(body, dict):
        return "the body is not an object"
    name, labels = body.get("name"), body.get("labels")
    if not isinstance(name, str) or not 1 <= len(name) <= 64 or FORBIDDEN_IN_NAMES & set(name):
        return 'name is invalid: at most 64 characters, none of " / : < > \\ | * ?'
    if not isinstance(labels, list) or not 1 <= len(labels) <= 100:
        return "labels: between 1 and 100"
    if not all(isinstance(label, str) and 1 <= len(label) <= 256 for label in labels):
        return "labels: each between 1 and 256 characters"
    if not isinstance(body.get("runner_group_id"), int):
        return "runner_group_id is missing"
    return None


def conditional(request: Request, response: Response) -> Response:
    """304 where the client has this very answer already."""
    tag = 'W/"' + hashlib.sha256(response.body).hexdigest() + '"'
    validators = {"ETag": tag, "Cache-Control": "private, max-age=60, s-maxage=60", "Vary": "Accept, Authorization"}
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if tag.removeprefix("W/") in known:
        return Response(304, validators)
    return Response(response.status, response.headers | validators, response.body)


def scope_of(repository: str) -> str:
    return f"repos/{repository.lower()}"
