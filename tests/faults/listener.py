"""A listener that is kept running, the jobs that it serves, and what was promised of both.

While it runs, whatever happens: no more than `max-runners` live. When all is over: every job that nobody cancelled has
run, no instance was ended whose runner had a job, no instance lives, and no runner record stays.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

from faults.case import Verdict
from faults.world import DAYS, OWN, Day, World
from standins.cloud import Behaves, Simulated
from standins.github import ScaleSet, SetJob
from standins.program import Run, Running

NAME = "linux-x64"
MOST = 3
IDLE = 3
PATIENCE = 60.0
"""Seconds within which every job must be over once nothing is wrong any more."""
LEAVING = 45.0
"""Seconds within which everything must be gone once there are no jobs."""
RESTART = 0.3
"""After so many seconds a service manager starts it again."""


def day(name: str, *behaves: Behaves, start_timeout: int = 30) -> str:
    """Those of instances that keep the boot script's timers; with several, by turns."""
    runner: dict[str, object] = {**OWN, "idle-timeout": f"{IDLE}s", "start-timeout": f"{start_timeout}s"}
    DAYS[name] = Day(name, runner, behaves)
    return name


PLAIN = day("listen", Behaves(online_after=0.3, job_takes=0.3, timers=True))
LONG = day("listen-long", Behaves(online_after=0.3, job_takes=3, timers=True))
SLOW = day("listen-slow", Behaves(online_after=2, job_takes=0.3, timers=True))


class Service:
    """What a service manager does: it starts the listener, and again whenever it fails."""

    def __init__(self, world: World, verdict: Verdict, runner: dict[str, object] | None = None) -> None:
        self.world = world
        self.verdict = verdict
        self.running: list[Running] = []
        self.runs: list[Run] = []
        self.jobs: list[SetJob] = []
        self.sets = world.github.scale_sets
        self.sets.pace.hurry()
        self._stopping = False
        self._ended_by_us: list[Running] = []
        self._threads: list[threading.Thread] = []
        self.most = MOST
        self.serve(runner or {})

    def serve(self, runner: dict[str, object]) -> None:
        """Writes the file of the listener that is started next."""
        workspace = Path(self.world.step.environment["RUNNER_TEMP"]) / "workspace"
        (workspace / ".github").mkdir(parents=True, exist_ok=True)
        served = {**self.world.day.inputs, "max-runners": MOST, **runner}
        (workspace / ".github" / "sprinters.yml").write_text(json.dumps({"runners": {NAME: served}}))
        self.world.step.environment["GITHUB_WORKSPACE"] = str(workspace)

    @property
    def set(self) -> ScaleSet:
        return self.sets.of(NAME)

    def start(self) -> Running:
        running = self.world.step.begin("listen")
        self.running.append(running)
        thread = threading.Thread(target=self._follow, args=[running], daemon=True)
        self._threads.append(thread)
        thread.start()
        return running

    def _follow(self, running: Running) -> None:
        run = running.wait(600)
        self.runs.append(run)
        if self._stopping:
            return
        if run.code >= 0 and running not in self._ended_by_us:
            self._check_exit(run)
        time.sleep(RESTART if run.code >= 0 else 0)
        if not self._stopping:
            self.start()

    def _check_exit(self, run: Run) -> None:
        """It gives up for a reason that a person can read, and never for nothing."""
        if run.code == 0:
            self.verdict.wrong_code.append("it ended by itself")
        elif not run.annotations:
            self.verdict.wrong_cause.append(f"exit {run.code} without a message")
        if "panicked" in run.log:
            self.verdict.broken.append("it panicked")

    def listening(self, timeout: float = 20) -> None:
        """Until a first session is open."""
        self.world.github.gate.wait_for("next-message", timeout=timeout)

    def push(self, jobs: int = 1) -> list[SetJob]:
        repository = self.world.step.environment["GITHUB_REPOSITORY"]
        pushed = [self.world.github.queue_job(NAME, repository=repository) for _ in range(jobs)]
        self.jobs += pushed
        return pushed

    def kill(self) -> None:
        """SIGKILL; the service manager starts it again at once."""
        self.running[-1].kill()

    def terminate(self, running: Running) -> None:
        """SIGTERM to one of them, as when a machine is replaced; another is started then."""
        self._ended_by_us.append(running)
        running.terminate()
        running.process.wait(20)

    def settle(self, patience: float = PATIENCE) -> None:
        """Waits until every job is over and everything is gone, with the listener at work; then stops it."""
        self._wait(lambda: all(job.is_over for job in self.jobs), patience)
        waiting = [f"a job is still {job.stage}" for job in self.jobs if not job.is_over]
        self.verdict.broken += waiting
        self.verdict.broken += [f"a job ended as {job.result}" for job in self.jobs if self._is_bad(job)]
        if not waiting:
            self._wait(lambda: not self.world.living() and not self.world.records(), LEAVING)
        self.verdict.broken += [f"{one} lives" for one in self.world.living()]
        self.verdict.broken += [f"the record {one} stays" for one in self.world.records()]
        self.stop()
        self._check_past()

    def _is_bad(self, job: SetJob) -> bool:
        return job.is_over and job.result not in ("Succeeded", *(["Canceled"] if job in self.cancelled else []))

    @property
    def cancelled(self) -> list[SetJob]:
        return [job for job in self.jobs if job.env.get("cancelled")]

    def cancel(self, job: SetJob) -> None:
        job.env["cancelled"] = "true"
        self.sets.cancel(job)

    def stop(self) -> None:
        self._stopping = True
        for running in self.running:
            if running.process.poll() is None:
                running.terminate()
        for thread in self._threads:
            thread.join(20)
        for running in self.running:
            if running.process.poll() is None:
                self.verdict.late.append("it did not end within 20 s of SIGTERM")
                running.kill()
                running.process.wait()
        ended = [run for run in self.runs if run.code >= 0]
        if ended and ended[-1].code != 0:
            self.verdict.wrong_code.append(f"exit {ended[-1].code} after SIGTERM")

    def _check_past(self) -> None:
        cloud = self.world.cloud
        if cloud.most_living > self.most:
            self.verdict.broken.append(f"{cloud.most_living} lived at once, more than {self.most}")
        for one, life in cloud.lives.items():
            if isinstance(life, Simulated) and life.killed_with_job:
                self.verdict.broken.append(f"{one} was ended while a job ran")
        self.verdict.broken += cloud.problems

    def launched_at_most(self, instances: int) -> None:
        # What was undone because EC2 did not answer in time is no launch too many.
        launched = sum(one.state_reason != "Client.UserInitiatedShutdown" for one in self.world.ec2.instances())
        if launched > instances:
            self.verdict.broken.append(f"{launched} instances were launched for what {instances} could do")

    @staticmethod
    def _wait(condition: Callable[[], bool], timeout: float) -> bool:
        until = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > until:
                return False
            time.sleep(0.1)
        return True
