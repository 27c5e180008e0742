"""What every request passes on its way into a stand-in: it is counted, recorded and, where a test says so, spoilt.

A fault is a function of the request and of `serve`, the stand-in itself. That one shape says everything a bad network
or a bad server can do: answer something else, serve and then lose the answer, wait first, cut the answer in half, send
a signal to the process under test at that very moment.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from standins.server import Cut, Handler, Outcome, Request, Response

Fault = Callable[[Request, Handler], Outcome]
"""Gets the request and the stand-in; returns what goes back."""


@dataclass(frozen=True)
class Exchange:
    operation: str
    nth: int
    """The how manieth call of this operation it was, from 1."""
    request: Request
    outcome: Outcome
    answered: float
    """On the `time.monotonic()` clock."""
    spoilt: bool
    """Whether a fault made the outcome."""

    @property
    def status(self) -> int | None:
        return self.outcome.status if isinstance(self.outcome, Response) else None

    def __str__(self) -> str:
        spoilt = " (injected)" if self.spoilt else ""
        return f"{self.operation} {self.request.method} {self.request.target} → {self.status or 'cut'}{spoilt}"


@dataclass
class Rule:
    operation: str
    """An operation's name, or `*`."""
    fault: Fault
    nth: int = 1
    """The first call that it spoils, counted among those that `when` lets through."""
    times: int | None = 1
    """How many calls from there on; `None` is for ever."""
    when: Callable[[Request], bool] = lambda _request: True
    seen: int = field(default=0, init=False)
    struck: int = field(default=0, init=False)
    """How many calls it has spoilt, for a test to see that its fault was met at all."""

    def strikes(self, operation: str, request: Request) -> bool:
        if self.operation not in ("*", operation) or not self.when(request):
            return False
        self.seen += 1
        strikes = self.seen >= self.nth and (self.times is None or self.seen < self.nth + self.times)
        self.struck += strikes
        return strikes


class Gate:
    """Stands before one service. `name` tells the operation that a request asks for."""

    def __init__(self, name: Callable[[Request], str], serve: Handler) -> None:
        self._name = name
        self._serve = serve
        self._rules: list[Rule] = []
        self._exchanges: list[Exchange] = []
        self._on_their_way = 0
        self._arrived: Counter[str] = Counter()
        self._struck: Counter[str] = Counter()
        self._spoilt: set[int] = set()
        self._changed = threading.Condition()
        self.latency = 0.0
        """How long every call takes on its way there and back, in seconds."""

    def __call__(self, request: Request) -> Outcome:
        if request.method == "GET" and request.path.endswith(("/ping", "/rate_limit")):
            # It opens a connection, and what is answered is of no interest.
            time.sleep(self.latency)
            return Response(200, body=b"healthy")
        operation = self._name(request)
        with self._changed:
            self._on_their_way += 1
        time.sleep(self.latency / 2)
        with self._changed:
            self._arrived[operation] += 1
            nth = self._arrived[operation]
            # Every rule counts every call, so that two rules for one operation do not shift each other.
            striking = [rule for rule in self._rules if rule.strikes(operation, request)]
            self._struck[operation] += bool(striking)
            self._changed.notify_all()
        outcome = striking[0].fault(request, self._serve) if striking else self._serve(request)
        time.sleep(self.latency / 2)
        exchange = Exchange(operation, nth, request, outcome, time.monotonic(), bool(striking))
        with self._changed:
            self._exchanges.append(exchange)
            if striking:
                self._spoilt.add(id(request))
            self._changed.notify_all()
        return outcome

    def fail(
        self,
        operation: str,
        fault: Fault,
        *,
        nth: int = 1,
        times: int | None = 1,
        when: Callable[[Request], bool] | None = None,
    ) -> Rule:
        """From its `nth` call on, `operation` meets `fault`, `times` times (`None`: for ever)."""
        rule = Rule(operation, fault, nth, times, when or (lambda _request: True))
        with self._changed:
            self._rules.append(rule)
        return rule

    def mend(self, rule: Rule | None = None) -> None:
        """Takes one rule, or all of them, away."""
        with self._changed:
            self._rules = [kept for kept in self._rules if rule is not None and kept is not rule]

    @property
    def exchanges(self) -> list[Exchange]:
        with self._changed:
            return list(self._exchanges)

    def calls(self, operation: str) -> list[Exchange]:
        return [exchange for exchange in self.exchanges if exchange.operation == operation]

    def was_spoilt(self, request: Request) -> bool:
        """Whether a fault made the answer to this very request (the exchanges keep it alive, and so its identity)."""
        with self._changed:
            return id(request) in self._spoilt

    def has_spoilt(self, operation: str) -> bool:
        """Whether a fault has met any call of `operation`, answered or not."""
        with self._changed:
            return self._struck[operation] > 0

    @property
    def under_way(self) -> int:
        """Calls that are on their way here and not answered yet."""
        with self._changed:
            return self._on_their_way - len(self._exchanges)

    def operations(self) -> list[str]:
        """What was asked, in the order in which it was answered."""
        return [exchange.operation for exchange in self.exchanges]

    def wait_for(self, operation: str, nth: int = 1, timeout: float = 20) -> None:
        """Returns once the `nth` call of `operation` has arrived, answered or not."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._arrived[operation] >= nth, timeout):
                raise TimeoutError(f"call {nth} of {operation} did not come within {timeout} s")

    def wait_until(self, condition: Callable[[], bool], timeout: float | None = None) -> bool:
        """Waits for a condition on the exchanges; looked at whenever a request arrives or has been answered."""
        with self._changed:
            return self._changed.wait_for(condition, timeout)

    def wake(self) -> None:
        """Has those who wait look again."""
        with self._changed:
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self.exchanges)


def answer(response: Response) -> Fault:
    """The stand-in never sees the request; `response` goes back."""
    return lambda _request, _serve: response


def reset(_request: Request, _serve: Handler) -> Outcome:
    """The connection is reset before the stand-in acts."""
    return Cut()


def lost(request: Request, serve: Handler) -> Outcome:
    """The stand-in acts, and its answer is lost."""
    serve(request)
    return Cut()


def delayed(seconds: float) -> Fault:
    """The stand-in acts at once, and its answer takes `seconds` to arrive."""

    def fault(request: Request, serve: Handler) -> Outcome:
        outcome = serve(request)
        time.sleep(seconds)
        return outcome

    return fault


def stalled(seconds: float) -> Fault:
    """Nothing happens for `seconds`; then the connection is reset without the stand-in having acted."""

    def fault(_request: Request, _serve: Handler) -> Outcome:
        time.sleep(seconds)
        return Cut()

    return fault


def acted_but(response: Response) -> Fault:
    """The stand-in acts, and `response` goes back all the same."""

    def fault(request: Request, serve: Handler) -> Outcome:
        serve(request)
        return response

    return fault


def late(seconds: float) -> Fault:
    """The request reaches the stand-in only after `seconds`, when its sender may have given up."""

    def fault(request: Request, serve: Handler) -> Outcome:
        time.sleep(seconds)
        return serve(request)

    return fault


def truncated(request: Request, serve: Handler) -> Outcome:
    """The stand-in acts, and half of its answer arrives before the connection closes."""
    outcome = serve(request)
    if isinstance(outcome, Cut):
        return outcome
    wire = outcome.wire()
    return Cut(wire[: len(wire) - max(1, len(outcome.body) // 2)], reset=False)


def empty(request: Request, serve: Handler) -> Outcome:
    """The stand-in acts, and its answer has its status and nothing in it."""
    outcome = serve(request)
    return outcome if isinstance(outcome, Cut) else Response(outcome.status, outcome.headers)


def garbage(request: Request, serve: Handler) -> Outcome:
    """The stand-in acts, and what comes back with its status is no XML and no JSON."""
    outcome = serve(request)
    if isinstance(outcome, Cut):
        return outcome
    return Response(outcome.status, {"Content-Type": "text/html"}, b"<html><p>\x00\xff{not what you asked for")


def then(action: Callable[[], object], fault: Fault | None = None) -> Fault:
    """`action` runs at the moment the request arrives (a signal, say); then it is served, or meets `fault`."""

    def both(request: Request, serve: Handler) -> Outcome:
        action()
        return fault(request, serve) if fault else serve(request)

    return both
