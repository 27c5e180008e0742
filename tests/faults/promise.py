"""The promise: after `start` exits, either it succeeded and exactly `count` instances live, all of them in its outputs,
each with its runner record, or it failed and no instance lives and no record stays."""

from __future__ import annotations

import json
import time

from faults.meanings import PORTAL
from faults.world import World
from standins.program import Run

GRACE = 2.0
"""How much later than its deadline `start` may end, for each fault."""
SEARCH = 22.0
"""How long a launch whose answer was lost is looked for at most: EC2 may show it that much later."""
RECORD_SEARCH = 4.0
"""How long a record whose answer was lost is looked for by its name: GitHub may still be making it."""
UNDO = 62.0
"""How long an undo may take where nobody is waiting to kill it."""
LONGEST = UNDO + SEARCH + 20
"""Longer than any `start` here may take."""


def broken(world: World, run: Run) -> list[str]:
    """How the promise is broken, in words; nothing if it is kept."""
    settle(world)
    living, records = world.living(), world.records()
    if run.code != 0:
        return [f"{one} lives" for one in living] + [f"the record {one} stays" for one in records]
    found = []
    if len(living) != world.day.count:
        found.append(f"{len(living)} instances live, not {world.day.count}")
    if (named := sorted(json.loads(run.outputs.get("instance-ids", "[]")))) != living:
        found.append(f"the outputs name {named}, and {living} live")
    tagged = sorted(int(one.tags["sprinters:runner-id"]) for one in world.ec2.living())
    if tagged != records:
        found.append(f"the records are {records}, the instances' are {tagged}")
    return found


def settle(world: World) -> None:
    """Waits for calls that are still being carried out although nobody waits for their answer any more."""
    until = time.monotonic() + 3
    while time.monotonic() < until and any(one.under_way for one in (world.ec2.gate, world.github.gate)):
        time.sleep(0.02)


def named(world: World, run: Run) -> list[str]:
    """Where an API refuses for ever what would undo the launch, every thing that is left must be named."""
    message = "\n".join(run.annotations)
    found = [f"{one} is left, and the message does not say so" for one in world.living() if one not in message]
    for record in world.github.records():
        # Of a record whose answer was lost only the name is known.
        if f"runner record {record.id}:" not in message and record.name not in message:
            found.append(f"the record {record.id} is left, and the message does not say so")
    return found


def followed(world: World) -> list[str]:
    """A redirect is another's word on where secrets are to be sent."""
    asked = [one.request.target for gate in world.gates for one in gate.exchanges]
    return ["it followed a redirect"] if PORTAL in asked else []


def outlived(world: World, run: Run, is_undo_kept_waiting: bool = False, faults: int = 1) -> list[str]:
    """Whether it went on after its deadline, and after the minute that an undo may take where it is kept waiting."""
    looked_for = any("client-token" in one.request.form.values() for one in world.ec2.gate.calls("DescribeInstances"))
    is_record_lost = world.github.gate.has_spoilt("generate-jitconfig")
    limit = world.day.start_timeout + GRACE * faults + SEARCH * looked_for + RECORD_SEARCH * is_record_lost
    limit += UNDO * is_undo_kept_waiting
    return [f"it took {run.seconds:.1f} s, more than {limit:.0f} s"] if run.seconds > limit else []


def tags_missing(world: World) -> list[str]:
    """What a killed `start` leaves must carry all that lets `stop`, `sweep` and its own timers end it."""
    wanted = ("sprinters:sprinters", "sprinters:repository", "sprinters:run-id", "sprinters:expires")
    found = []
    for instance in world.ec2.living():
        found += [f"{instance.id} has no tag {tag}" for tag in wanted if tag not in instance.tags]
        if instance.request.get("InstanceInitiatedShutdownBehavior") != "terminate":
            found.append(f"{instance.id} does not terminate when it powers off")
    return found
