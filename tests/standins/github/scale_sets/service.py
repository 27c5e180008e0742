"""The Actions service over HTTP: who may ask, in which form, and what it answers."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from standins.github.groups import Group, Groups
from standins.github.rest import launch_problem
from standins.github.runners import Runner, Runners
from standins.github.scale_sets.sets import ScaleSet, Session
from standins.github.scale_sets.sign_in import SignIn, Tenant
from standins.github.tokens import bearer
from standins.server import Request, Response

PREFIX = r"^/_actions/[^/]+/"
SETS = PREFIX + r"_apis/runtime/runnerscalesets"
AGENTS = PREFIX + r"_apis/distributedtask/pools/0/agents"
QUEUE = r"^/_queue/(?P<id>\d+)/message"
SESSION = r"/(?P<id>\d+)/sessions/(?P<session>[0-9a-f-]{36})$"
ROUTES = (
    ("GET", re.compile(SETS + "$"), "find-scale-set"),
    ("GET", re.compile(SETS + r"/(?P<id>\d+)$"), "get-scale-set"),
    ("POST", re.compile(SETS + "$"), "create-scale-set"),
    ("PATCH", re.compile(SETS + r"/(?P<id>\d+)$"), "update-scale-set"),
    ("DELETE", re.compile(SETS + r"/(?P<id>\d+)$"), "delete-scale-set"),
    ("GET", re.compile(PREFIX + r"_apis/runtime/runnergroups/$"), "find-runner-group"),
    ("POST", re.compile(SETS + r"/(?P<id>\d+)/generatejitconfig$"), "generate-set-jitconfig"),
    ("GET", re.compile(SETS + r"/(?P<id>\d+)/acquirablejobs$"), "acquirable-jobs"),
    ("POST", re.compile(SETS + r"/(?P<id>\d+)/acquirejobs$"), "acquire-jobs"),
    ("POST", re.compile(SETS + r"/(?P<id>\d+)/sessions$"), "open-session"),
    ("PATCH", re.compile(SETS + SESSION), "refresh-session"),
    ("DELETE", re.compile(SETS + SESSION), "close-session"),
    ("GET", re.compile(AGENTS + "$"), "find-agent"),
    ("GET", re.compile(AGENTS + r"/(?P<agent>\d+)$"), "get-agent"),
    ("DELETE", re.compile(AGENTS + r"/(?P<agent>\d+)$"), "delete-agent"),
    ("GET", re.compile(QUEUE + "$"), "next-message"),
    ("DELETE", re.compile(QUEUE + r"/(?P<message>\d+)$"), "delete-message"),
)
OPERATIONS = tuple(name for _, _, name in ROUTES)
API_VERSION = "6.0-preview"
BOM = b"\xef\xbb\xbf"
NAMESPACE = "GitHub.Actions.Runtime.WebApi"
AGENT_NAMESPACE = "GitHub.DistributedTask.WebApi"
TRACE = {"ActivityId": "6d1c7f52-0000-4000-8000-000000000000", "X-GitHub-Request-Id": "0000:0000:0000:0000:00000000"}


def operation(request: Request) -> str | None:
    for method, pattern, name in ROUTES:
        if method == request.method and pattern.match(request.path):
            return name
    return None


def is_served(request: Request) -> bool:
    return request.path.startswith(("/_actions/", "/_queue/"))


class Service:
    def __init__(self, runners: Runners, groups: Groups, sign_in: SignIn, server_url: str) -> None:
        self._runners = runners
        self._groups = groups
        self._sign_in = sign_in
        self._server_url = server_url
        self.sets: list[ScaleSet] = []
        """All that ever were, in the order of their creation."""
        self.new_set: Callable[..., ScaleSet]
        self.on_gone: Callable[[ScaleSet], None]
        self.is_supported = True
        self.bom = True
        self.closing = False

    def __call__(self, request: Request) -> Response:
        for method, pattern, name in ROUTES:
            match = pattern.match(request.path)
            if match and method == request.method:
                with self._runners.changed:
                    response = self._serve(name, match.groupdict(), request)
                    self._runners.changed.notify_all()
                break
        else:
            response = Response(404, {"Content-Type": "text/html"}, b"<html>404 - File or directory not found.</html>")
        has_bom = self.bom and response.body and "json" in response.headers.get("Content-Type", "")
        return Response(response.status, response.headers | TRACE, (BOM if has_bom else b"") + response.body)

    def _serve(self, name: str, of: dict[str, str], request: Request) -> Response:
        if not self.is_supported:
            return Response(404, {"Content-Type": "text/plain"}, b"Not Found")
        if not request.headers.get("user-agent"):
            return Response(403, {"Content-Type": "text/plain"}, b"a User-Agent header is required")
        if name in ("next-message", "delete-message"):
            return self._serve_queue(name, of, request)
        tenant = self._sign_in.tenant(request.path)
        if tenant is None:
            return Response(404, {"Content-Type": "text/plain"}, b"Not Found")
        scale_set = self._set(tenant.scope, int(of["id"])) if "id" in of else None
        refused = self._refusal(name, tenant, scale_set, request)
        if refused:
            return refused
        if "id" in of and scale_set is None:
            return error(
                404, "RunnerScaleSetNotFoundException", f"No runner scale set found with identifier {of['id']}."
            )
        if scale_set:
            scale_set.proceed()
            return self._serve_set(name, scale_set, of, request)
        return self._serve_place(name, tenant, of, request)

    def _refusal(self, name: str, tenant: Tenant, scale_set: ScaleSet | None, request: Request) -> Response | None:
        if request.query.get("api-version") != API_VERSION:
            text = f"A version must be specified: `api-version={API_VERSION}`."
            return error(400, "VssVersionNotSpecifiedException", text, "Microsoft.VisualStudio.Services.WebApi")
        if request.body and "application/json" not in request.headers.get("content-type", ""):
            return Response(415, {"Content-Type": "text/plain"}, b"Unsupported Media Type")
        token = bearer(request)
        if name == "acquire-jobs":
            session = scale_set.session if scale_set else None
            return None if session and session.takes(token) else unauthorized()
        if tenant.tokens.get(token, 0) <= time.time():
            return unauthorized()
        return None

    def _set(self, scope: str | None, number: int) -> ScaleSet | None:
        fits = (one for one in self.sets if one.id == number and not one.is_deleted and scope in (None, one.scope))
        return next(fits, None)

    def _living(self, scope: str) -> list[ScaleSet]:
        return [one for one in self.sets if one.scope == scope and not one.is_deleted]

    # --- what belongs to a repository, an organization or an enterprise ---

    def _serve_place(self, name: str, tenant: Tenant, of: dict[str, str], request: Request) -> Response:
        scope, query = tenant.scope, request.query
        match name:
            case "find-scale-set":
                found = [
                    one.as_json(self._url(one))
                    for one in self._living(scope)
                    if query.get("name", one.name).lower() == one.name.lower()
                    and query.get("runnerGroupId", str(one.group_id)) == str(one.group_id)
                ]
                return listed(found)
            case "find-runner-group":
                wanted = query.get("groupName", "").lower()
                return listed(
                    [
                        {"id": one.id, "name": one.name, "size": 0, "isDefaultGroup": one.id == 1}
                        for one in self._groups.of(scope)
                        if wanted in ("", one.name.lower())
                    ]
                )
            case "create-scale-set":
                return self._create(scope, request)
            case "find-agent":
                wanted = query.get("agentName", "").lower()
                agents = [one for one in self._runners.listed(scope) if wanted in ("", one.name.lower())]
                return listed([agent(one) for one in agents])
        runner = self._runners.get(int(of["agent"]), scope)
        if runner is None:
            return error(404, "AgentNotFoundException", f"Agent {of['agent']} was not found.", AGENT_NAMESPACE)
        if name == "get-agent":
            return Response.of_json(200, agent(runner))
        if runner.busy:
            text = f'Agent "{runner.name}" is still running a job.'
            return error(400, "JobStillRunningException", text, AGENT_NAMESPACE)
        self._runners.remove(runner)
        return Response(204)

    def _create(self, scope: str, request: Request) -> Response:
        body = request.json()
        problem = set_problem(body)
        if problem:
            return error(400, "ArgumentException", problem)
        group = self._group(scope, body)
        if group is None:
            return error(404, "RunnerGroupNotFoundException", f"Runner group {body['runnerGroupId']} was not found.")
        name = body["name"]
        if self._has(scope, name, group):
            return error(409, "RunnerScaleSetExistsException", f"Runner scale set {name} already exists.")
        setting = body.get("RunnerSetting", {})
        made = self.new_set(scope, name, group, label_names(body), bool(setting.get("disableUpdate")))
        return Response.of_json(200, made.as_json(self._url(made)))

    def _group(self, scope: str, body: Any) -> Group | None:
        return next((one for one in self._groups.of(scope) if one.id == body["runnerGroupId"]), None)

    def _has(self, scope: str, name: str, group: Group, besides: ScaleSet | None = None) -> bool:
        """A set's name is taken in its group alone."""
        others = (one for one in self._living(scope) if one is not besides and one.group.id == group.id)
        return any(one.name.lower() == name.lower() for one in others)

    # --- one set ---

    def _serve_set(self, name: str, one: ScaleSet, of: dict[str, str], request: Request) -> Response:
        match name:
            case "get-scale-set":
                return Response.of_json(200, one.as_json(self._url(one)))
            case "update-scale-set":
                return self._update(one, request.json())
            case "delete-scale-set":
                self.on_gone(one)
                return Response(204)
            case "generate-set-jitconfig":
                return self._generate_jitconfig(one, request.json())
            case "acquirable-jobs":
                waiting = one.in_stage("available")
                return listed([{"runnerRequestId": job.request_id} for job in waiting]) if waiting else Response(204)
            case "acquire-jobs":
                ids = request.json()
                if not isinstance(ids, list) or not all(isinstance(number, int) for number in ids):
                    return error(400, "ArgumentException", "The body is not a list of request ids.")
                acquired = one.acquire(ids)
                return Response.of_json(200, {"count": len(acquired), "value": acquired})
            case "open-session":
                return self._open_session(one, request.json())
        if one.session is None or one.session.id != of["session"]:
            text = f"Session {of['session']} of the runner scale set {one.name} was not found."
            return error(404, "RunnerScaleSetSessionNotFoundException", text)
        if name == "refresh-session":
            # What the client says by this is that it is there.
            one.session.polled = time.monotonic()
            return self._session(one, one.session)
        one.session = None
        return Response(204)

    def _update(self, one: ScaleSet, body: Any) -> Response:
        problem = set_problem({**one.as_json(""), **body})
        if problem:
            return error(400, "ArgumentException", problem)
        new_name = body.get("name", one.name)
        group = self._group(one.scope, body) if "runnerGroupId" in body else one.group
        if group is None:
            return error(404, "RunnerGroupNotFoundException", f"Runner group {body['runnerGroupId']} was not found.")
        if self._has(one.scope, new_name, group, besides=one):
            return error(409, "RunnerScaleSetExistsException", f"Runner scale set {new_name} already exists.")
        one.name, one.group = new_name, group
        one.labels = label_names(body) if "labels" in body else one.labels
        one.disable_update = bool(body.get("RunnerSetting", {}).get("disableUpdate", one.disable_update))
        return Response.of_json(200, one.as_json(self._url(one)))

    def _generate_jitconfig(self, one: ScaleSet, body: Any) -> Response:
        wanted = {**body, "labels": one.labels, "runner_group_id": one.group_id} if isinstance(body, dict) else body
        problem = launch_problem(wanted)
        if problem:
            return error(400, "ArgumentException", problem)
        runner = self._runners.register(one.scope, body["name"], one.labels, one.group_id, one.id)
        if runner is None:
            text = f"A runner exists with the same name {body['name']}."
            return error(409, "AgentExistsException", text, AGENT_NAMESPACE)
        answer = {"runner": agent(runner), "encodedJITConfig": runner.encoded_jit_config}
        return Response.of_json(200, answer)

    def _open_session(self, one: ScaleSet, body: Any) -> Response:
        owner = body.get("ownerName") if isinstance(body, dict) else None
        if not owner:
            return error(400, "ArgumentNullException", "ownerName is missing.")
        if one.is_taken() and one.session:
            text = f"The runner scale set {one.name} already has an active session for owner {one.session.owner}."
            return error(409, "RunnerScaleSetSessionConflictException", text)
        return self._session(one, one.open(owner))

    def _session(self, one: ScaleSet, session: Session) -> Response:
        token = session.new_token(one.pace.queue_token)
        self._sign_in.issued.append(token)
        answer = {
            "sessionId": session.id,
            "ownerName": session.owner,
            "runnerScaleSet": one.as_json(self._url(one)),
            "messageQueueUrl": f"{self._server_url}/_queue/{one.id}/message?sessionId={session.id}",
            "messageQueueAccessToken": token,
            "statistics": one.statistics(),
        }
        return Response.of_json(200, answer)

    def _url(self, one: ScaleSet) -> str:
        return self._sign_in.url_of(one.scope)

    # --- the queue ---

    def _serve_queue(self, name: str, of: dict[str, str], request: Request) -> Response:
        one = self._set(None, int(of["id"]))
        session = self._session_of(one, request)
        if one is None or session is None:
            return unauthorized()
        if name == "delete-message":
            one.delete_message(int(of["message"]))
            return Response(204)
        if f"api-version={API_VERSION}" not in request.headers.get("accept", "").replace(" ", ""):
            return error(400, "VssVersionNotSpecifiedException", "Accept names no api-version.")
        capacity = request.headers.get("x-scalesetmaxcapacity", "")
        last = request.query.get("lastMessageId", "0")
        if not capacity.isdecimal() or not last.isdecimal():
            return error(400, "ArgumentException", "X-ScaleSetMaxCapacity and lastMessageId are numbers, 0 or more.")
        session.capacity = int(capacity)
        one.capacities.append(int(capacity))
        session.polling += 1
        try:
            return self._hold(one, session, int(last))
        finally:
            session.polling -= 1
            session.polled = time.monotonic()

    def _session_of(self, one: ScaleSet | None, request: Request) -> Session | None:
        """The one that the request's token and its `sessionId` speak for, while it lives."""
        if one is None:
            return None
        one.proceed()
        session = one.session
        speaks = session and session.id == request.query.get("sessionId") and session.takes(bearer(request))
        return session if speaks else None

    def _hold(self, one: ScaleSet, session: Session, last: int) -> Response:
        session.polled = time.monotonic()
        until = session.polled + one.pace.hold
        while True:
            one.proceed()
            if one.is_deleted or one.session is not session:
                return unauthorized()
            found = one.next_message(last)
            if found:
                self._runners.changed.notify_all()
                return Response.of_json(200, found.as_json())
            left = until - time.monotonic()
            if left <= 0 or self.closing:
                return Response(202)
            # Others change what this waits for; time does, too.
            self._runners.changed.wait(min(left, 0.25))


def set_problem(body: Any) -> str | None:
    """Why GitHub would not keep such a set."""
    if not isinstance(body, dict):
        return "the body is not an object"
    name, labels = body.get("name"), body.get("labels")
    if not isinstance(name, str) or not 1 <= len(name) <= 256 or name != name.strip() or not name.isprintable():
        return "name: between 1 and 256 printable characters"
    if not isinstance(labels, list) or not 1 <= len(labels) <= 100:
        return "labels: between 1 and 100"
    if not all(
        isinstance(one, dict) and isinstance(one.get("name"), str) and 1 <= len(one["name"]) <= 256 for one in labels
    ):
        return "labels: each has a name of 1 to 256 characters"
    if not all(one.get("type") in ("System", "User") for one in labels):
        return "labels: the type of each is System or User"
    if not isinstance(body.get("runnerGroupId"), int):
        return "runnerGroupId is missing"
    return None


def label_names(body: dict[str, Any]) -> list[str]:
    return [one["name"] for one in body["labels"]]


def agent(runner: Runner) -> dict[str, Any]:
    shown = {"id": runner.id, "name": runner.name, "status": runner.status, "enabled": True, "ephemeral": True}
    return shown | ({"runnerScaleSetId": runner.scale_set_id} if runner.scale_set_id else {})


def listed(found: list[Any]) -> Response:
    return Response.of_json(200, {"count": len(found), "value": found})


def unauthorized() -> Response:
    return Response(401, {"Content-Type": "text/plain", "WWW-Authenticate": "Bearer"}, b"")


def error(status: int, kind: str, text: str, namespace: str = NAMESPACE) -> Response:
    body = {
        "$id": "1",
        "innerException": None,
        "message": text,
        "typeName": f"{namespace}.{kind}, {namespace}",
        "typeKey": kind,
        "errorCode": 0,
        "eventId": 3000,
    }
    return Response.of_json(status, body)
