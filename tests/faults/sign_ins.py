"""Signing in as a GitHub App: its two calls under faults, and a fresh token that not all of GitHub knows yet."""

from __future__ import annotations

import time
from collections.abc import Iterator

from faults import meanings, promise
from faults.case import Verdict
from faults.kinds import GITHUB_KINDS, Kind, Nature, github_answer
from faults.races import Race, launched, nothing_left
from faults.strangers import expire
from faults.world import OWN, World
from standins.gate import Fault
from standins.github.rest import scope_of
from standins.program import Run
from standins.server import Handler, Outcome, Request

MINTING = "create-installation-token"
SIGNING_IN = ("get-installation", MINTING)
YOUNG = 4.5
"""Seconds for which GitHub may not know a token that it has made."""
PATIENT: dict[str, object] = {"start-timeout": "20s"}
LONGEST = 40.0
PERMISSIONS = {"administration": "write", "metadata": "read"}
BAD_CREDENTIALS = github_answer(401, "Bad credentials")
REFUSED = ("answered 401",)
# Which calls each mode makes with the token.
ASKED = (
    ("start", "plain", ("generate-jitconfig", "list-downloads", "get-runner")),
    ("start", "six", ("generate-jitconfig", "list-runners")),
    ("start", "never", ("get-runner", "delete-runner")),
    ("stop", "six", ("list-runners", "delete-runner")),
    ("sweep", "six", ("list-runners", "delete-runner")),
    ("check", "plain", ("generate-jitconfig", "delete-runner")),
)


def use_app(world: World) -> None:
    app = world.github.add_app(PERMISSIONS, scope_of(world.step.environment["GITHUB_REPOSITORY"]))
    key = {"github-app-id": app.id, "github-app-private-key": app.pem()}
    world.step.inputs |= {"github-token": None, **key}


def unknown_while_young(world: World, every: int) -> Fault:
    """One of `every` servers of GitHub's does not know the token until it is older."""
    asked = 0

    def fault(request: Request, serve: Handler) -> Outcome:
        nonlocal asked
        asked += 1
        made = [one.answered for one in world.github.gate.calls(MINTING)]
        is_young = bool(made) and time.monotonic() - made[-1] < YOUNG
        return BAD_CREDENTIALS if is_young and asked % every == 0 else serve(request)

    return fault


def young(mode: str, day: str, operation: str, every: int | None) -> Race:
    """One answer of `every` is a 401 while the token is young; `None`: all are, for as long as it lives."""

    def act(world: World, verdict: Verdict) -> list[Run]:
        before = [launched(world)] if mode in ("stop", "sweep") else []
        expire(world, mode)
        use_app(world)
        fault = unknown_while_young(world, every) if every else always
        rule = world.github.gate.fail(operation, fault, times=None)
        of_start = {**world.inputs(), **(PATIENT if world.day.ends_well else {})}
        inputs: dict[str, dict[str, object]] = {"start": of_start, "check": {**OWN}}
        run = world.step.run(mode, promise.LONGEST, **inputs.get(mode, {}))
        assert rule.seen, "the call was not made"
        expected = 0 if every and (mode != "start" or world.day.ends_well) else 1
        if run.code != expected:
            verdict.wrong_code.append(f"{mode} ended with {run.code}, not {expected}")
        verdict.must_name(run, *(() if every else REFUSED), *world.day.words)
        world.mend()
        if mode == "start":
            verdict.broken += promise.broken(world, run)
        elif every:
            nothing_left(world, verdict, mode)
        verdict.late += [f"it took {run.seconds:.1f} s"] if every and run.seconds > LONGEST else []
        verdict.broken += still_good(world)
        return [*before, run]

    how = {None: "for-ever", 1: "young", 2: "half"}[every]
    return Race("a fresh App token", f"app:{mode}:{day}:{operation}:{how}", day, act)


def always(_request: Request, _serve: Handler) -> Outcome:
    return BAD_CREDENTIALS


def still_good(world: World) -> list[str]:
    """Whoever signs in signs out."""
    promise.settle(world)
    left = len(world.github.apps.good)
    return [f"{left} installation tokens are not revoked"] if left else []


def signing_in(operation: str, kind: Kind, times: int | None) -> Race:
    def act(world: World, verdict: Verdict) -> list[Run]:
        use_app(world)
        world.github.gate.fail(operation, kind.fault, times=times)
        run = world.step.run("start", promise.LONGEST, **world.inputs(must_succeed=times is not None))
        passes = kind.nature is Nature.HARMLESS or (kind.nature is Nature.PASSING and times is not None)
        expected = {0} if passes else {1}
        if kind.name == "late" and times is None:
            # It is slow, and there all the same.
            expected = {0, 1}
        if run.code not in expected:
            verdict.wrong_code.append(f"exit {run.code}, not {' or '.join(map(str, sorted(expected)))}")
        verdict.must_name(run, *kind.words)
        verdict.broken += promise.broken(world, run)
        verdict.broken += promise.followed(world)
        verdict.late += promise.outlived(world, run)
        return [run]

    how_often = "for-ever" if times is None else f"{times}x"
    return Race("an App that signs in", f"sign-in:{operation}:{kind}:{how_often}", "plain", act)


def sign_ins() -> Iterator[Race]:
    for mode, day, operations in ASKED:
        for operation in operations:
            undoing = operation == "delete-runner"
            for every in (1, 2) if undoing else (1, 2, None):
                yield young(mode, day, operation, every)
    for operation in SIGNING_IN:
        for kind in (*GITHUB_KINDS, *meanings.of(operation)):
            for times in (1, None):
                yield signing_in(operation, kind, times)
