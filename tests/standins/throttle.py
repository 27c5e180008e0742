"""The throttles that EC2 and GitHub document, as rules before a stand-in.

https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html: a bucket of tokens for each action.
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api: 100 requests at a time, and 900 points
a minute, of which a request that reads costs one and any other five.
"""

from __future__ import annotations

import math
import threading
import time

from standins.gate import Gate
from standins.github.tokens import message
from standins.proxy import ec2_error
from standins.server import Handler, Outcome, Request, Response

POINTS = 900
CREATIONS = 80


class Bucket:
    """`most` at once, `per_second` from then on. RunInstances: 5 and 2."""

    def __init__(self, most: float = 5, per_second: float = 2) -> None:
        self.most, self.per_second = most, per_second
        self._tokens, self._filled = most, time.monotonic()
        self._lock = threading.Lock()

    def is_empty(self) -> bool:
        """Takes a token, if there is one. A refused request takes none."""
        with self._lock:
            now = time.monotonic()
            self._tokens = min(self.most, self._tokens + (now - self._filled) * self.per_second)
            self._filled = now
            if self._tokens < 1:
                return True
            self._tokens -= 1
            return False

    def bound(self, calls: int) -> float:
        """The least seconds that so many calls take."""
        return max(0.0, (calls - self.most) / self.per_second)

    def before(self, gate: Gate, operation: str) -> None:
        refusal = ec2_error("RequestLimitExceeded", "Request limit exceeded.", 503)
        gate.fail(operation, refusal, times=None, when=lambda _request: self.is_empty())


class Points:
    """GitHub's secondary limits. `minute` may be shorter than one, to try it sooner."""

    def __init__(self, minute: float = 60) -> None:
        self.minute = minute
        self.refused = 0
        self.most_at_once = 0
        self._used, self._since = 0, time.monotonic()
        self._at_once = 0
        self._lock = threading.Lock()

    def before(self, gate: Gate) -> None:
        gate.fail("*", self._fault, times=None)

    def _fault(self, request: Request, serve: Handler) -> Outcome:
        with self._lock:
            now = time.monotonic()
            if now - self._since >= self.minute:
                self._used, self._since = 0, now
            cost = 1 if request.method == "GET" else 5
            if self._used + cost > POINTS:
                self.refused += 1
                return slow_down(self._since + self.minute - now)
            self._used += cost
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            return serve(request)
        finally:
            with self._lock:
                self._at_once -= 1


class Creations:
    """GitHub's limit on requests that create something: 80 a minute. It does not say whether runners' records count."""

    def __init__(self, minute: float = 60) -> None:
        self.minute = minute
        self.refused = 0
        self._made, self._since = 0, time.monotonic()
        self._lock = threading.Lock()

    def bound(self, creations: int) -> float:
        """The least seconds that so many take: the first minute's at once, and so on. GitHub tells whole seconds."""
        return max(0, math.ceil(creations / CREATIONS) - 1) * math.ceil(self.minute)

    def before(self, gate: Gate) -> None:
        gate.fail("*", self._fault, times=None, when=lambda request: request.method == "POST")

    def _fault(self, request: Request, serve: Handler) -> Outcome:
        with self._lock:
            now = time.monotonic()
            if now - self._since >= self.minute:
                self._made, self._since = 0, now
            if self._made >= CREATIONS:
                self.refused += 1
                return slow_down(self._since + self.minute - now)
            self._made += 1
        return serve(request)


def slow_down(seconds: float) -> Response:
    text = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    refusal = message(403, text)
    refusal.headers["Retry-After"] = str(math.ceil(seconds))
    return refusal
