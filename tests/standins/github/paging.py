"""Lists whose pages shift while they are read: somebody is missing, and only the count tells."""

from __future__ import annotations

import json

from standins.gate import Fault
from standins.server import Cut, Handler, Outcome, Request, Response


def hiding(number: int) -> Fault:
    """The list lacks the runner of that number, and is as long as ever by its `total_count`."""

    def fault(request: Request, serve: Handler) -> Outcome:
        outcome = serve(request)
        if isinstance(outcome, Cut) or outcome.status != 200:
            return outcome
        body = json.loads(outcome.body)
        body["runners"] = [runner for runner in body["runners"] if runner["id"] != number]
        return Response(200, outcome.headers, json.dumps(body).encode())

    return fault


def is_list_of_all(request: Request) -> bool:
    """Not of a single name."""
    return "name" not in request.query
