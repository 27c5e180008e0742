"""What becomes of instances and runners: deaths with each StateReason, late ones, vanished ones, taken ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from faults import promise
from faults.case import Verdict
from faults.world import DAYS, NEVER, OWN, Day, World
from standins.cloud import Behaves
from standins.gate import then
from standins.proxy import Behaviour

REASONS = (
    "Server.InsufficientInstanceCapacity",
    "Server.SpotInstanceTermination",
    "Server.SpotInstanceShutdown",
    "Server.ScheduledStop",
    "Server.InternalError",
    "Client.InstanceInitiatedShutdown",
    "Client.UserInitiatedShutdown",
    "Client.InstanceTerminated",
    "Client.InternalError",
    "Client.InvalidSnapshot.NotFound",
    "Client.VolumeLimitExceeded",
)
LONG: dict[str, object] = {**OWN, "start-timeout": "9s"}
FINE, NONE = Behaves(online_after=0.3), Behaves(online_after=None)
GONE = ("vanished", "Client.InstanceInitiatedShutdown")


def _days() -> Iterator[Day]:
    for reason in REASONS:
        for after in (0.0, 0.6, 1.6):
            dying = Behaves(dies_after=after, state_reason=reason)
            while_pending = Behaviour(pending=5.0)
            yield Day(f"dies:{reason}:{after}", LONG, dying, while_pending, words=(reason,))
            yield Day(f"one-dies:{reason}:{after}", {**LONG, "count": 3}, (FINE, dying, NONE), words=(reason,))
        dying = Behaves(online_after=0.2, dies_online_after=0.5, state_reason=reason)
        late = Behaves(online_after=3.2)
        # The first is online and gone before the others are online: it must be missed at the end.
        yield Day(f"dies-online:{reason}", {**LONG, "count": 2}, (dying, late), words=(reason,))
        yield Day(f"dies-online-early:{reason}", {**LONG, "count": 2}, (dying, FINE), words=(reason,))
    for seconds in (1.5, 3.0, 5.5):
        yield Day(f"late:{seconds}", LONG, Behaves(online_after=seconds))
        yield Day(f"late-one:{seconds}", {**LONG, "count": 5}, (FINE, Behaves(online_after=seconds)))
        yield Day(f"slow-to-run:{seconds}", LONG, FINE, Behaviour(pending=seconds))
        yield Day(f"hazy:{seconds}", LONG, FINE, Behaviour(unknown=seconds))
    yield Day("one-never", {**LONG, "count": 3}, (FINE, FINE, NONE), words=NEVER)
    yield Day("many-never", {**LONG, "count": 6}, (FINE, NONE), words=NEVER)
    shared = {**LONG, "labels": "shared"}
    yield Day("taken", shared, Behaves(online_after=0.1, job_takes=60))
    yield Day("taken-and-done", shared, Behaves(online_after=0.1, job_takes=0.1), words=GONE)
    some = (Behaves(online_after=0.1, job_takes=60), NONE)
    yield Day("taken-one-never", {**shared, "count": 2}, some, words=NEVER)
    for nth in (1, 2, 3):
        yield Day(f"vanishes:{nth}", LONG, NONE, words=("vanished",))
        yield Day(f"vanishes-one:{nth}", {**LONG, "count": 5}, NONE, words=("vanished",))


LIVES = {day.name: day for day in _days()}
DAYS.update(LIVES)


@dataclass(frozen=True)
class Fate:
    day: str
    latency: float

    @property
    def family(self) -> str:
        return "instances and runners"

    @property
    def name(self) -> str:
        return f"fate:{self.day}:{self.latency}"

    def play(self, world: World) -> Verdict:
        world.slow(self.latency)
        what, _, nth = self.day.partition(":")
        if what == "taken" or what.startswith("taken-"):
            world.github.queue_job("shared")
        if what.startswith("vanishes"):
            operation = "get-runner" if what == "vanishes" else "list-runners"
            world.github.gate.fail(operation, then(lambda: _lose_one(world)), nth=int(nth))
        run = world.step.run("start", **world.inputs())
        verdict = Verdict(self.name, self.family, run.code, run.seconds)
        verdict.broken += promise.broken(world, run)
        if run.code != (expected := 0 if world.day.ends_well else 1):
            verdict.wrong_code.append(f"exit {run.code}, not {expected}")
        verdict.must_name(run, *world.day.words)
        verdict.late += promise.outlived(world, run)
        verdict.record(world, run)
        return verdict


def _lose_one(world: World) -> None:
    records = world.github.records()
    if records:
        world.github.runners.remove(records[0])


def fates() -> Iterator[Fate]:
    for day in LIVES:
        for latency in (0.0, 0.15):
            yield Fate(day, latency)
