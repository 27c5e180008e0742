"""The story itself: three jobs of a workflow and what becomes of the instance; then a listener, and a push."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from demo.stage import PROFILES, Stage
from demo.story import Story, readable
from standins.aws import PLAIN_SIX
from standins.booted import Booted
from standins.github import SetJob
from standins.leaks import leaks
from standins.program import Run, Running

REPOSITORY = "octo/app"
JOB = [
    'echo "Hello from $(hostname), as $(whoami)"',
    '. /etc/os-release && echo "$PRETTY_NAME on $(uname -m)"',
]


def play(story: Story, stage: Stage) -> int:
    started = start(story, stage)
    if started.code != 0:
        story.quote(readable(started.log))
        story.problem(f"start ended with {started.code}")
        return 1
    job(story, stage, started)
    stopped = second_net(story, stage)
    sweep(story, stage)
    second_act(story, stage)
    promises(story, stage)
    summaries(story, started, stopped)
    story.close()
    return 1 if story.failures else 0


def start(story: Story, stage: Stage) -> Run:
    story.phase(
        "job start-runner:  uses: sprinters/action@v1  with: { mode: start, instance-type: m7i.large, spot: auto }"
    )
    running = stage.step.begin("start", **{"instance-type": "m7i.large", "spot": "auto"})
    stage.ec2.gate.wait_for("RunInstances", timeout=30)
    arrived = stage.ec2.gate.calls("RunInstances")
    story.tick(
        "RunInstances reached EC2", (arrived[0].request.arrived if arrived else time.monotonic()) - running.began
    )
    run = running.wait(300)
    story.quote(readable(run.log))
    online = [record.online_at for record in stage.github.runners.issued if record.online_at]
    if run.code == 0 and online:
        story.tick("the runner was online", online[0] - run.began)
        story.tick("and the step was over", run.ended - run.began)
        story.tick(f"its output: label={run.outputs['label']}")
    return run


def job(story: Story, stage: Stage, started: Run) -> None:
    label = started.outputs["label"]
    story.phase(f"job build:  runs-on: {label}")
    began = time.monotonic()
    queued = stage.github.queue_job(label, steps=JOB)
    stage.github.runners.wait(lambda: queued.status == "completed", 60, "the job")
    story.tick(f"the runner {queued.runner_name} ran it: {queued.result}", time.monotonic() - began)
    story.quote(queued.log.splitlines())
    began = time.monotonic()
    gone = until(lambda: not stage.ec2.living(), 60)
    instance = stage.ec2.instance(started.outputs["instance-id"])
    story.check(
        gone and instance.state_reason == "Client.InstanceInitiatedShutdown",
        f"and the instance powered itself off: {instance.state}, {instance.state_reason}"
        f" ({time.monotonic() - began:.2f} s after the job)",
        f"the instance is {instance.state} ({instance.state_reason}), it should have powered itself off",
    )
    console(story, stage, instance.id)


def console(story: Story, stage: Stage, instance_id: str) -> None:
    life = stage.cloud.lives.get(instance_id)
    if isinstance(life, Booted):
        story.paragraph("What its console said:")
        story.quote(life.machine.lines(), mark="▒")


def second_net(story: Story, stage: Stage) -> Run:
    story.phase("job stop-runner:  uses: sprinters/action@v1  with: { mode: stop }")
    run = stage.step.run("stop")
    story.quote(readable(run.log))
    story.check(run.code == 0, "nothing was left to stop, and that is success", f"stop ended with {run.code}")
    story.paragraph("Once more, for a job that never comes: start, and stop while the runner still waits.")
    first: Running = stage.step.begin("start", **{"instance-type": "m7i.large"})
    started = first.wait(300)
    run = stage.step.run("stop")
    story.quote(readable(run.log))
    instance = stage.ec2.instance(started.outputs.get("instance-id", ""))
    story.check(
        run.code == 0 and until(lambda: not stage.ec2.living(), 10) and not stage.github.records(),
        f"stop found {instance.id} by its tags, ended it and removed its runner ({run.seconds:.2f} s)",
        f"stop ended with {run.code} and left {instance.state}",
    )
    outputs = ", ".join(f"{name}={value}" for name, value in run.outputs.items())
    story.paragraph(f"Its outputs: {outputs}")
    return run


def sweep(story: Story, stage: Stage) -> None:
    story.phase("a scheduled workflow:  uses: sprinters/action@v1  with: { mode: sweep }")
    run = stage.step.run("sweep")
    story.quote(readable(run.log))
    story.check(run.code == 0, "nothing had outlived its expiry", f"sweep ended with {run.code}")


def second_act(story: Story, stage: Stage) -> None:
    story.phase("Second act, in a folder with .github/sprinters.yml:  sprinters listen")
    story.quote(PROFILES.splitlines())
    listening = stage.listen()
    stage.github.gate.wait_for("next-message", timeout=60)
    story.tick(
        "GitHub has the scale set `linux-x64`, and its session is open",
        stage.github.gate.calls("open-session")[0].answered - listening.began,
    )
    attempt = {"GITHUB_RUN_ATTEMPT": "1"}
    steps = [*JOB, 'echo "attempt $GITHUB_RUN_ATTEMPT"; [ "$GITHUB_RUN_ATTEMPT" -gt 1 ]']
    story.phase("A push.  job build:  runs-on: linux-x64")
    pushed = stage.github.queue_job("linux-x64", steps=steps, repository=REPOSITORY, env=attempt)
    came_by_itself(story, stage, pushed)
    story.phase('"Re-run failed jobs": the same label, and nothing to wait for in vain')
    came_by_itself(story, stage, stage.github.scale_sets.rerun(pushed))
    listening.interrupt()
    run = listening.wait(30)
    story.phase("Ctrl-C.  What the listener said:")
    story.quote(readable(run.log))
    scale_set = stage.github.scale_sets.of("linux-x64")
    story.check(
        run.code == 0 and scale_set.session is None,
        "it closed its session and ended; the set stays, for whoever listens next",
        f"it ended with {run.code}",
    )


def came_by_itself(story: Story, stage: Stage, job: SetJob) -> None:
    """From the push on, by what happened at EC2 and at GitHub."""
    began, before = job.reached["waiting"], len(stage.ec2.gate.calls("RunInstances"))
    stage.github.runners.wait(lambda: job.is_over, 300, "the job's end")
    launches = stage.ec2.gate.calls("RunInstances")[before:]
    if launches:
        story.tick("RunInstances reached EC2", launches[0].request.arrived - began)
    story.tick(f"a runner that came by itself, {job.runner_name}, had the job", job.reached["running"] - began)
    # A simulated instance runs no steps.
    wanted = ("Succeeded",) if stage.simulated_because or job.attempt > 1 else ("Failed",)
    story.check(job.result in wanted, f"and it {(job.result or '').lower()}, as it must", f"the job {job.result}")
    story.quote(job.log.splitlines())
    story.check(until(lambda: not stage.ec2.living(), 60), "the instance powered itself off", "the instance lives")


def promises(story: Story, stage: Stage) -> None:
    story.phase("What is left, and what was asked")
    living, records = stage.ec2.living(), stage.github.records()
    story.check(
        not living and not records,
        "no instance lives, no runner record stays",
        f"{len(living)} instances live, {len(records)} runner records stay",
    )
    calls = Counter(exchange.operation for exchange in stage.ec2.gate.exchanges)
    allowed = {action.removeprefix("ec2:") for action in PLAIN_SIX}
    story.check(
        set(calls) <= allowed,
        "EC2 was asked for " + ", ".join(f"{name} {count}x" for name, count in sorted(calls.items())),
        f"EC2 was asked for more than the six permissions: {sorted(set(calls) - allowed)}",
    )
    found = leaks(stage.step, stage.ec2, stage.github)
    story.check(not found, "no token, key or JIT config can be read in any log, tag or output", "; ".join(found))
    exchanges = len(stage.github.gate.exchanges)
    held = "none otherwise than it describes" if stage.validated else "not held against its description in this run"
    violations = stage.github.violations
    story.check(not violations, f"{exchanges} exchanges with GitHub, {held}", "; ".join(violations))


def summaries(story: Story, started: Run, stopped: Run) -> None:
    for what, run in (("start", started), ("the second stop", stopped)):
        story.phase(f"The job summary of {what}, which GitHub renders with its pictures")
        story.quote(run.summary.splitlines())


def until(condition: Callable[[], bool], timeout: float) -> bool:
    """Moto has no events; the two places that wait for it look often."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
