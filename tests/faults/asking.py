"""`check` and `rerun`, which launch nothing, under one fault each: is the cause that they tell the true one?"""

from __future__ import annotations

import json
from collections.abc import Iterator

from faults import meanings, promise
from faults.case import Verdict
from faults.kinds import EC2_KINDS, GITHUB_KINDS, TAKEN_NAME, Kind, Nature
from faults.races import PATIENCE, Race
from faults.world import OWN, World
from standins.github import Kind as TokenKind
from standins.github import RunJob, WorkflowRun
from standins.program import Run

CHECKED = {
    "RunInstances:DryRun": EC2_KINDS,
    "CreateTags:DryRun": EC2_KINDS,
    "DescribeInstances:DryRun": EC2_KINDS,
    "TerminateInstances:DryRun": EC2_KINDS,
    "generate-jitconfig": (*GITHUB_KINDS, TAKEN_NAME),
    "delete-runner": GITHUB_KINDS,
}
SLOWEST = 45.0
"""`check` waits passing errors out for 20 s, and a record's deletion for as long again."""
ADVICE = ("add to the IAM policy", "give the token", "make a new one", "make a token")
"""What `check` says of a permission or a token that lacks something."""


def checked(operation: str, kind: Kind, times: int | None) -> Race:
    def tell(world: World, verdict: Verdict) -> list[Run]:
        rule = world.gate(operation).fail(operation, kind.fault, times=times)
        run = world.step.run("check", SLOWEST + 15, **OWN)
        assert rule.seen, "the call was not made"
        passes = kind.nature in (Nature.PASSING, Nature.HARMLESS) and times is not None
        expected = {0} if passes or kind.nature is Nature.HARMLESS else {0, 1}
        is_sure = operation != "delete-runner" and kind.name != "late"
        if is_sure and not passes and kind.nature is not Nature.HARMLESS:
            expected = {1}
        if run.code not in expected:
            verdict.wrong_code.append(f"check ended with {run.code}, not {' or '.join(map(str, sorted(expected)))}")
        shown = [line for line in run.stdout.splitlines() if line.startswith("✗")]
        if kind.nature in (Nature.PASSING, Nature.FAR):
            verdict.wrong_cause += [f"it says `{line}`" for line in shown if any(one in line for one in ADVICE)]
        # Of a permission that is missing, `check` says which statement would grant it.
        words = (*kind.words, ADVICE[0]) if kind.name == "UnauthorizedOperation" else kind.words
        if run.code and not any(word in run.stdout for word in words):
            verdict.wrong_cause.append(f"the log names none of {', '.join(kind.words)}")
        promise.settle(world)
        for record in world.github.records():
            if record.name not in run.stdout and f"record {record.id}" not in run.stdout:
                verdict.broken.append(f"the record {record.id} is left, and the log does not say so")
        if passes and world.records():
            verdict.broken.append(f"the records {world.records()} are left")
        if world.ec2.instances():
            verdict.broken.append("it launched something")
        verdict.broken += promise.followed(world)
        verdict.late += [f"it took {run.seconds:.1f} s"] if run.seconds > SLOWEST else []
        return [run]

    how_often = "for-ever" if times is None else f"{times}x"
    return Race("check under faults", f"check:{operation}:{kind}:{how_often}", "plain", tell)


RERUN = {
    "get-run": GITHUB_KINDS,
    "list-jobs": GITHUB_KINDS,
    "DescribeInstances": EC2_KINDS,
    "rerun-job": GITHUB_KINDS,
}


def interrupted(world: World) -> tuple[WorkflowRun, Run]:
    """A run whose instance AWS took back, and that failed for it."""
    environment = world.step.environment
    run = world.github.runs.add(
        environment["GITHUB_REPOSITORY"],
        environment["GITHUB_RUN_ID"],
        RunJob("Start a runner"),
        RunJob("build", needs=("Start a runner",)),
    )
    environment["SPRINTERS_JOB_ID"] = str(run.job("Start a runner").id)
    started = world.step.run("start", **world.inputs(), spot="rerun")
    if started.code:
        raise RuntimeError(f"start ended with {started.code}: {started.log}")
    run.job("build").runner_id = int(started.outputs["runner-id"])
    world.cloud.interrupt(started.outputs["instance-id"])
    run.end("failure", build="failure")
    event = world.step.folder / "event.json"
    event.write_text(json.dumps({"action": "completed", "workflow_run": {"id": run.id, "run_attempt": 1}}))
    environment |= {"GITHUB_RUN_ID": "99", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_EVENT_PATH": str(event)}
    del environment["SPRINTERS_JOB_ID"]
    return run, started


def rerun_under(operation: str, kind: Kind) -> Race:
    """It runs again once, or not at all and says why."""

    def tell(world: World, verdict: Verdict) -> list[Run]:
        run, started = interrupted(world)
        rule = world.gate(operation).fail(operation, kind.fault)
        token = world.github.add_token(TokenKind.RERUNS).value
        asked = world.step.run("rerun", PATIENCE + 5, **{"github-token": token})
        assert rule.seen, "the call was not made"
        is_refused = kind.nature in (Nature.FINAL, Nature.FAR)
        if asked.code != (expected := 1 if is_refused else 0):
            verdict.wrong_code.append(f"rerun ended with {asked.code}, not {expected}")
        verdict.must_name(asked, *kind.words)
        begun = len(run.reruns)
        if begun > 1:
            verdict.broken.append(f"it was run again {begun} times")
        if (claimed := asked.outputs.get("rerun") == "true") and not begun:
            verdict.broken.append("it says that it runs again, and it does not")
        # Nobody can tell a document with nothing in it from a run that launched nothing.
        if not claimed and not is_refused and kind.name != "hollow":
            verdict.broken.append("it says that it does not run again")
        verdict.broken += promise.followed(world)
        return [started, asked]

    return Race("rerun under faults", f"rerun:{operation}:{kind}", "plain", tell)


def asking() -> Iterator[Race]:
    for operation, documented in CHECKED.items():
        for kind in (*documented, *meanings.of(operation)):
            for times in (1, None):
                yield checked(operation, kind, times)
    for operation, documented in RERUN.items():
        for kind in (*documented, *meanings.of(operation)):
            yield rerun_under(operation, kind)
