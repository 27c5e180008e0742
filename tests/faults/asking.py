"""`check` and `rerun`, which launch nothing, under one fault each: is the cause that they tell the true one?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from faults import meanings, promise
from faults.case import Verdict
from faults.kinds import EC2_KINDS, GITHUB_KINDS, INDEX_KINDS, TAKEN_NAME, Kind, Nature
from faults.races import PATIENCE, Race
from faults.world import OWN, World
from standins.github import Kind as TokenKind
from standins.github import RunJob, WorkflowRun
from standins.program import Run

Prepare = Callable[[World], dict[str, object]]
"""Arranges what makes `check` ask, and gives its inputs."""


def plainly(_world: World) -> dict[str, object]:
    return dict(OWN)


def by_name(_world: World) -> dict[str, object]:
    """Canonical's index knows the image, and prices choose the order."""
    return {"image": "ubuntu-24.04", "instance-type": "m7i.large, m7a.large", "spot": "auto"}


def served(world: World) -> dict[str, object]:
    """A runner that `listen` serves, and its set."""
    if not world.github.scale_sets.all():
        world.github.scale_sets.add(SERVED)
    workspace = Path(world.step.environment["RUNNER_TEMP"]) / "workspace"
    (workspace / ".github").mkdir(parents=True, exist_ok=True)
    runners = {"runners": {SERVED: {**OWN, "max-runners": 3}}}
    (workspace / ".github" / "sprinters.yml").write_text(json.dumps(runners))
    world.step.environment["GITHUB_WORKSPACE"] = str(workspace)
    return {"runner": SERVED, "profiles": "workspace"}


def in_a_group(world: World) -> dict[str, object]:
    world.github.add_group("orgs/octo", GROUP)
    token = world.github.add_token(TokenKind.ORGANIZATION).value
    return {**OWN, "scope": "org", "runner-group": GROUP, "github-token": token}


SERVED, GROUP = "linux-x64", "Large ones"
DRY_RUNS = (
    "RunInstances",
    "CreateTags",
    "DescribeInstances",
    "ModifyVolume",
    "TerminateInstances",
    "DescribeSpotPriceHistory",
)
CHECKED: dict[str, tuple[tuple[Kind, ...], Prepare]] = {
    **{f"{action}:DryRun": (EC2_KINDS, plainly) for action in DRY_RUNS},
    "generate-jitconfig": ((*GITHUB_KINDS, TAKEN_NAME), plainly),
    "delete-runner": (GITHUB_KINDS, plainly),
    "image-index": (INDEX_KINDS, by_name),
    "list-runner-groups": (GITHUB_KINDS, in_a_group),
    "registration-token": (GITHUB_KINDS, served),
    "runner-registration": (GITHUB_KINDS, served),
    "find-scale-set": (GITHUB_KINDS, served),
    "get-repository": (GITHUB_KINDS, served),
}
RENEWED = {"runner-registration": ("401", "403"), "find-scale-set": ("401",)}
"""Refusals for which the protocol makes another token: a fresh one is not known everywhere, an older one has ended."""
SLOWEST = 45.0
"""`check` waits passing errors out for 20 s, and a record's deletion for as long again."""
ADVICE = ("add to the IAM policy", "give the token", "make a new one", "make a token")
"""What `check` says of a permission or a token that lacks something."""


def checked(operation: str, kind: Kind, times: int | None, prepare: Prepare) -> Race:
    def act(world: World, verdict: Verdict) -> list[Run]:
        inputs = prepare(world)
        rule = world.gate(operation).fail(operation, kind.fault, times=times)
        run = world.step.run("check", SLOWEST + 15, **inputs)
        assert rule.seen, "the call was not made"
        is_passing = kind.nature in (Nature.PASSING, Nature.HARMLESS) or kind.name in RENEWED.get(operation, ())
        passes = is_passing and times is not None
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
    return Race("check under faults", f"check:{operation}:{kind}:{how_often}", "plain", act)


def lost_one(world: World, launched: list[Run], run: WorkflowRun) -> None:
    """AWS took its instance back, and the job failed for it."""
    world.cloud.interrupt(launched[0].outputs["instance-id"])
    run.end("failure", build="failure")


def lost_in_good_order(world: World, launched: list[Run], run: WorkflowRun) -> None:
    """The runner had the time to say goodbye: only the annotations tell that nobody cancelled the job."""
    world.cloud.interrupt(launched[0].outputs["instance-id"])
    run.end("cancelled", build="cancelled")
    run.job("build").annotations = ("The runner has received a shutdown signal.",)


def lost_two(world: World, launched: list[Run], run: WorkflowRun) -> None:
    """Of two jobs that launch, both are lost: GitHub takes one job at a time, so that all of it runs again."""
    environment = world.step.environment
    environment["SPRINTERS_JOB_ID"] = str(run.job("Start another").id)
    launched.append(started_for_rerun(world))
    run.job("test").runner_id = int(launched[1].outputs["runner-id"])
    for one in launched:
        world.cloud.interrupt(one.outputs["instance-id"])
    run.end("failure", build="failure", test="failure")


def waits_in_vain(world: World, launched: list[Run], run: WorkflowRun) -> None:
    """Somebody ran the failed job alone again: it waits for a runner that is gone, and its run has to be cancelled."""
    world.cloud.interrupt(launched[0].outputs["instance-id"], "Client.InstanceInitiatedShutdown")
    run.end("failure", build="failure")
    run.begin_attempt(RunJob("build", needs=("Start a runner",), labels=(launched[0].outputs["label"],)))


Lose = Callable[[World, list[Run], WorkflowRun], None]
RERUN: dict[str, tuple[tuple[Kind, ...], Lose]] = {
    "get-run": (GITHUB_KINDS, lost_one),
    "list-jobs": (GITHUB_KINDS, lost_one),
    "DescribeInstances": (EC2_KINDS, lost_one),
    "rerun-job": (GITHUB_KINDS, lost_one),
    "list-annotations": (GITHUB_KINDS, lost_in_good_order),
    "rerun-run": (GITHUB_KINDS, lost_two),
    "cancel-run": (GITHUB_KINDS, waits_in_vain),
}


def started_for_rerun(world: World) -> Run:
    started = world.step.run("start", **world.inputs(), spot="rerun")
    if started.code:
        raise RuntimeError(f"start ended with {started.code}: {started.log}")
    return started


def interrupted(world: World, lose: Lose) -> tuple[WorkflowRun, list[Run]]:
    """A run that lost what it needs."""
    environment = world.step.environment
    run = world.github.runs.add(
        environment["GITHUB_REPOSITORY"],
        environment["GITHUB_RUN_ID"],
        RunJob("Start a runner"),
        RunJob("build", needs=("Start a runner",)),
        RunJob("Start another"),
        RunJob("test", needs=("Start another",)),
    )
    environment["SPRINTERS_JOB_ID"] = str(run.job("Start a runner").id)
    launched = [started_for_rerun(world)]
    run.job("build").runner_id = int(launched[0].outputs["runner-id"])
    lose(world, launched, run)
    event = world.step.folder / "event.json"
    of_run = {"id": run.id, "run_attempt": len(run.attempts)}
    event.write_text(json.dumps({"action": "completed", "workflow_run": of_run}))
    environment |= {"GITHUB_RUN_ID": "99", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_EVENT_PATH": str(event)}
    del environment["SPRINTERS_JOB_ID"]
    return run, launched


def rerun_under(operation: str, kind: Kind, lose: Lose) -> Race:
    """It runs again once, or not at all and says why."""

    def act(world: World, verdict: Verdict) -> list[Run]:
        run, launched = interrupted(world, lose)
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
        return [*launched, asked]

    return Race("rerun under faults", f"rerun:{operation}:{kind}", "plain", act)


def asking() -> Iterator[Race]:
    for operation, (documented, prepare) in CHECKED.items():
        for kind in (*documented, *meanings.of(operation)):
            for times in (1, None):
                yield checked(operation, kind, times, prepare)
    for operation, (documented, lose) in RERUN.items():
        for kind in (*documented, *meanings.of(operation)):
            yield rerun_under(operation, kind, lose)
