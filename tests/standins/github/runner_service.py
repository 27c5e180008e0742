"""The service that a runner program talks to, in the small protocol of the stand-in runner."""

from __future__ import annotations

import re

from standins.github.runners import Runners
from standins.github.tokens import bearer
from standins.server import Request, Response

ROUTE = re.compile(r"^/_runner/(?P<id>\d+)/(?P<what>session|job|finish)$")
HOLD = 1.0
"""How long a request for a job stays open, in seconds."""


def operation(request: Request) -> str | None:
    match = ROUTE.match(request.path)
    if match is None:
        return None
    leaving = request.method == "DELETE" and match["what"] == "session"
    return "runner:leave" if leaving else f"runner:{match['what']}"


def serve(runners: Runners, request: Request) -> Response:
    match = ROUTE.match(request.path)
    runner = runners.get(int(match["id"])) if match else None
    if runner is None:
        return Response.of_json(404, {"message": "Not Found"})
    if bearer(request) != runner.token:
        return Response.of_json(401, {"message": "Unauthorized"})
    match operation(request):
        case "runner:session":
            runners.connect(runner)
            return Response.of_json(200, {})
        case "runner:leave":
            runners.disconnect(runner)
            return Response(204)
        case "runner:finish":
            report = request.json()
            runners.finish(runner, report["result"], report.get("log", ""))
            return Response.of_json(200, {})
    job = runners.assign(runner, HOLD)
    if job:
        return Response.of_json(200, {"name": job.name, "steps": job.steps, "env": job.env})
    return Response(204) if runners.get(runner.id) else Response.of_json(404, {"message": "Not Found"})
