"""Valid HTTP with a wrong meaning: answers whose framing is whole and whose text says something that is not so."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from faults.kinds import LIMITED, NO_ANSWER, Kind, Nature, coded, ec2_answer, github_answer
from standins.gate import Fault, acted_but, answer
from standins.server import Handler, Outcome, Request, Response

TOO_LARGE = 9 * 1024 * 1024
"""More than any answer of EC2's or GitHub's has."""
PACE = 0.4
"""Seconds between two bytes of an answer that drips: no read of the socket times out, and it takes minutes."""
PORTAL = "/portal/login"
"""Where a captive portal sends; nobody may follow."""
SKEWED = "Sun, 22 Nov 2026 03:04:05 GMT"
HUGE = "18446744073709551615"
LAST_DAY = "Fri, 31 Dec 9999 23:59:59 GMT"
LONG_AGO = "Mon, 05 Jan 2026 10:00:00 GMT"
UNREADABLE = (*NO_ANSWER, "HTTP 200", "HTTP 202", "HTTP 204")


def changed(change: Callable[[Response], Response]) -> Fault:
    """The stand-in acts, and its answer arrives changed."""

    def fault(request: Request, serve: Handler) -> Outcome:
        outcome = serve(request)
        return change(outcome) if isinstance(outcome, Response) else outcome

    return fault


def _portal(status: int) -> Response:
    headers = {"Content-Type": "text/html; charset=utf-8"}
    return Response(status, headers, b"<!DOCTYPE html>\n<html><body><h1>Welcome to our Wi-Fi</h1></body></html>")


def _halved(response: Response) -> Response:
    return Response(response.status, response.headers, response.body[: len(response.body) // 2])


def _oversized(response: Response) -> Response:
    """What it says, with white space that fills any memory that lets it."""
    return Response(response.status, response.headers, response.body + b" " * TOO_LARGE)


def _dripping(response: Response) -> Response:
    return Response(response.status, response.headers, response.body or b"{}", pace=PACE)


def _skewed(response: Response) -> Response:
    return Response(response.status, {**response.headers, "Date": SKEWED}, response.body)


def _shrunk(response: Response) -> Response:
    """A list that has lost the first half of its entries, and still says how many there are."""
    if response.status != 200:
        return response
    page: dict[str, Any] = json.loads(response.body)
    lists = {name: entries[(len(entries) + 1) // 2 :] for name, entries in page.items() if isinstance(entries, list)}
    return Response(200, response.headers, json.dumps(page | lists).encode())


def _hollow(request: Request, _serve: Handler) -> Outcome:
    """EC2's document for the call, with nothing in it; nothing was done."""
    action = request.form.get("Action", "")
    namespace = "http://ec2.amazonaws.com/doc/2016-11-15/"
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<{action}Response xmlns="{namespace}"></{action}Response>'
    return Response(200, {"Content-Type": "text/xml;charset=UTF-8"}, body.encode())


def redirected(status: int) -> Fault:
    return answer(Response(status, {"Location": PORTAL, "Content-Type": "text/html"}, b"<html>Moved</html>"))


# What anybody may meet between here and there.
IN_BETWEEN = (
    Kind("portal", answer(_portal(200)), Nature.PASSING, UNREADABLE),
    Kind("cut", changed(_halved), Nature.PASSING, NO_ANSWER),
    Kind("oversized", changed(_oversized), Nature.PASSING, NO_ANSWER),
    Kind("drip", changed(_dripping), Nature.PASSING, NO_ANSWER),
    Kind("date-skewed", changed(_skewed), Nature.HARMLESS, ()),
)


def _ec2_waiting(retry_after: str) -> Fault:
    return answer(ec2_answer("RequestLimitExceeded", 503, **{"Retry-After": retry_after}))


def _skewed_refusal(code: str, status: int) -> Kind:
    return Kind(f"{code}+skew", answer(ec2_answer(code, status, Date=SKEWED)), Nature.FINAL, ("clock",))


EC2_MEANINGS = (
    *IN_BETWEEN,
    Kind("hollow", _hollow, Nature.PASSING, NO_ANSWER),
    Kind("302", redirected(302), Nature.PASSING, (f"HTTP 302 to `{PORTAL}`",)),
    Kind("retry-after-huge", _ec2_waiting(HUGE), Nature.FAR, ("RequestLimitExceeded",)),
    Kind("retry-after-far", _ec2_waiting(LAST_DAY), Nature.FAR, ("RequestLimitExceeded",)),
    Kind("retry-after-negative", _ec2_waiting("-1"), Nature.PASSING, ("RequestLimitExceeded",)),
    Kind("retry-after-past", _ec2_waiting(LONG_AGO), Nature.PASSING, ("RequestLimitExceeded",)),
    _skewed_refusal("AuthFailure", 401),
    _skewed_refusal("SignatureDoesNotMatch", 403),
    *(
        coded(code, status, Nature.PASSING)
        for code, status in (
            ("SlowDown", 503),
            ("ThrottledException", 400),
            ("EC2ThrottledException", 503),
            ("BandwidthLimitExceeded", 503),
            ("RequestTimeout", 400),
            ("RequestTimeoutException", 408),
            ("ConcurrentTagAccess", 400),
            ("PriorRequestNotComplete", 400),
            ("TooManyRequestsException", 429),
        )
    ),
)


def _limited(**headers: str) -> Fault:
    return answer(github_answer(403, "You have exceeded a secondary rate limit.", **headers))


def _used_up(reset: str) -> Fault:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    return answer(github_answer(403, "API rate limit exceeded", **headers))


ABUSE = "You have triggered an abuse detection mechanism. Please wait a few minutes before you try again."
GITHUB_MEANINGS = (
    *IN_BETWEEN,
    Kind("202", answer(Response.of_json(202, {})), Nature.PASSING, UNREADABLE),
    Kind("202-acted", acted_but(Response.of_json(202, {})), Nature.PASSING, UNREADABLE),
    Kind("null", changed(lambda one: Response(one.status, one.headers, b"null")), Nature.PASSING, UNREADABLE),
    Kind("302", redirected(302), Nature.FINAL, ("answered 302",)),
    Kind("408", answer(github_answer(408, "Request Timeout")), Nature.PASSING, ("answered 408",)),
    Kind("abuse", answer(github_answer(403, ABUSE)), Nature.PASSING, LIMITED),
    Kind("retry-after-huge", _limited(**{"Retry-After": HUGE}), Nature.FAR, LIMITED),
    Kind("retry-after-far", _limited(**{"Retry-After": LAST_DAY}), Nature.FAR, LIMITED),
    Kind("retry-after-negative", _limited(**{"Retry-After": "-1"}), Nature.PASSING, LIMITED),
    Kind("reset-far", _used_up("99999999999"), Nature.FAR, LIMITED),
    Kind("reset-huge", _used_up(HUGE), Nature.FAR, LIMITED),
)
# What the answer to a call that does something can be mistaken for.
WRITING_MEANINGS = (
    Kind("200", answer(Response.of_json(200, {})), Nature.PASSING, UNREADABLE),
    Kind("200-acted", acted_but(Response.of_json(200, {})), Nature.PASSING, UNREADABLE),
)
READING_MEANINGS = (Kind("204", answer(Response(204)), Nature.PASSING, UNREADABLE),)
SHRUNK = Kind("shrunk", changed(_shrunk), Nature.PASSING, ("lists",))
# The record is there, and whoever answers does not know it.
NOT_THERE = Kind("404-but-there", answer(github_answer(404, "Not Found")), Nature.PASSING, ("answered 404",))
INDEX_MEANINGS = (
    *IN_BETWEEN,
    Kind("302", redirected(302), Nature.FINAL, ("image index",)),
)

WITHOUT_BODY = ("cut", "oversized", "drip", "null")
"""Kinds that change a body, where the documented answer has none."""


def of(operation: str) -> tuple[Kind, ...]:
    """What may come instead of the answer to this call."""
    if operation == "image-index":
        return INDEX_MEANINGS
    return EC2_MEANINGS if operation[0].isupper() else _of_github(operation)


WRITING = re.compile("generate|rerun|cancel|create|open|refresh|acquire|registration|runner-registration")
LISTING = ("list-runners", "list-jobs", "find-scale-set", "acquire-jobs")


def _of_github(operation: str) -> tuple[Kind, ...]:
    if re.match("delete|close", operation):
        kinds = tuple(kind for kind in GITHUB_MEANINGS if kind.name not in WITHOUT_BODY)
        return (*kinds, *WRITING_MEANINGS, NOT_THERE)
    listing = (SHRUNK,) if operation in LISTING else ()
    writing = WRITING_MEANINGS if WRITING.match(operation) else READING_MEANINGS
    return (*GITHUB_MEANINGS, *writing, *listing)
