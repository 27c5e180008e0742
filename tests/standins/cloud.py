"""What happens on the instances: each one that EC2 launches gets a life, and EC2 is told when that life ends.

A life is either `Simulated`, which plays the runner's part in a thread and costs nothing, or `Booted`, which boots the
instance's very user data in a machine of its own.
"""

from __future__ import annotations

import gzip
import itertools
import math
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

from standins.aws import Ec2, Instance
from standins.github import GitHub, Job, Runner


class Life(Protocol):
    def begin(self) -> None:
        """The instance boots; returns at once."""

    def kill(self) -> None:
        """EC2 ends the instance."""


class Cloud:
    """Watches RunInstances and TerminateInstances pass by, lost answers included."""

    def __init__(self, ec2: Ec2, github: GitHub, life: Callable[[Cloud, Instance], Life]) -> None:
        self.ec2 = ec2
        self.github = github
        self._new_life = life
        self.lives: dict[str, Life] = {}
        self.problems: list[str] = []
        """What went wrong on instances, for a test to find."""
        self.most_living = 0
        """How many lived at once."""
        self._seen = 0
        self._closing = False
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while True:
            self.ec2.gate.wait_until(lambda: self._closing or len(self._changes()) > self._seen)
            if self._closing:
                return
            self._seen = len(self._changes())
            instances = self.ec2.instances()
            self.most_living = max(self.most_living, sum(instance.lives for instance in instances))
            for instance in instances:
                self._follow(instance)

    def _changes(self) -> list[str]:
        return [name for name in self.ec2.gate.operations() if name in ("RunInstances", "TerminateInstances")]

    def _follow(self, instance: Instance) -> None:
        life = self.lives.get(instance.id)
        if life is None and instance.lives:
            self.lives[instance.id] = life = self._new_life(self, instance)
            life.begin()
        elif life is not None and not instance.lives:
            life.kill()

    def powered_off(self, instance_id: str) -> None:
        """An instance's own power-off: EC2 terminates it, with nobody's permission."""
        try:
            self.ec2.power_off(instance_id)
        except LookupError:
            # The story is over, and its instances are forgotten.
            if not self._closing:
                raise

    def interrupt(self, instance_id: str, code: str = "Server.SpotInstanceTermination", message: str = "") -> None:
        """AWS ends an instance, as it does with spot ones or where a volume's key is out of reach."""
        self.ec2.power_off(instance_id, code, message or code)
        life = self.lives.get(instance_id)
        if life:
            life.kill()

    def close(self) -> None:
        self._closing = True
        self.ec2.gate.wake()
        self._thread.join(5)
        for life in self.lives.values():
            life.kill()

    def __enter__(self) -> Cloud:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def script_of(instance: Instance) -> str:
    """The user data as cloud-init would read it."""
    data = instance.user_data
    return (gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data).decode()


@dataclass
class Behaves:
    """How simulated instances behave, in seconds."""

    online_after: float | None = 0.2
    """From launch to the runner's being online; `None`: never."""
    job_takes: float = 0.2
    dies_after: float | None = None
    """The instance ends by itself so long after launch, before its runner is online, say."""
    state_reason: str = "Server.InternalError"
    dies_online_after: float | None = None
    """The instance ends by itself so long after its runner came online."""
    busy_after_death: float = 0.3
    """How long GitHub holds a runner for busy whose instance is gone."""
    timers: bool = False
    """Whether the boot script's own timers end it: after start-timeout without a runner, idle-timeout without a job."""


def simulated(*behaves: Behaves) -> Callable[[Cloud, Instance], Life]:
    """With several, instances behave by turns in the order of their launch."""
    turns = itertools.cycle(behaves or (Behaves(),))
    return lambda cloud, instance: Simulated(cloud, instance, next(turns))


class Simulated:
    """Does what the boot script and the runner do, as GitHub and EC2 see it from outside."""

    def __init__(self, cloud: Cloud, instance: Instance, behaves: Behaves) -> None:
        self._cloud = cloud
        self._instance = instance
        self._behaves = behaves
        self._dead = threading.Event()
        self._job: Job | None = None
        self.killed_with_job = False
        """Whether EC2 ended it while a job ran."""
        self._thread = threading.Thread(target=self._live, daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def kill(self) -> None:
        self.killed_with_job = self.killed_with_job or (self._job is not None and not self._dead.is_set())
        self._dead.set()

    def _live(self) -> None:
        behaves = self._behaves
        if behaves.dies_after is not None:
            if not self._dead.wait(behaves.dies_after):
                self._cloud.interrupt(self._instance.id, behaves.state_reason)
            return
        if self._instance.request.get("InstanceInitiatedShutdownBehavior") == "stop":
            return  # It becomes an image, and has no runner.
        try:
            script = script_of(self._instance)
            runner = self._cloud.github.runner_of(script)
        except (LookupError, ValueError, EOFError) as problem:
            self._cloud.problems.append(f"{self._instance.id}: {problem}")
            return
        if behaves.online_after is None:
            if behaves.timers and not self._dead.wait(timer(script, "start_timeout")):
                self._cloud.powered_off(self._instance.id)
            return
        if not self._dead.wait(behaves.online_after):
            self._run(runner, timer(script, "idle_timeout") if behaves.timers else None)

    def _run(self, runner: Runner, idle_timeout: float | None) -> None:
        behaves = self._behaves
        runners = self._cloud.github.runners
        if runners.get(runner.id) is None:
            self._power_off()
            return
        runners.connect(runner)
        if behaves.dies_online_after is not None:
            if not self._dead.wait(behaves.dies_online_after):
                runners.disconnect(runner)
                self._cloud.interrupt(self._instance.id, behaves.state_reason)
            return
        self._job = self._next_job(runner, idle_timeout)
        if self._job and self._work(self._job):
            runners.finish(runner, "Succeeded", "")
            self._power_off()
            return
        runners.disconnect(runner)
        if self._job:
            # GitHub takes a while to see that a busy runner is gone; until then it refuses to delete it.
            threading.Event().wait(behaves.busy_after_death)
            runners.abandon(runner)
        elif not self._dead.is_set():
            self._power_off()

    def _next_job(self, runner: Runner, idle_timeout: float | None) -> Job | None:
        """`None` where it is dead or removed, or was idle for too long."""
        runners = self._cloud.github.runners
        until = time.monotonic() + idle_timeout if idle_timeout else math.inf
        while not self._dead.is_set() and time.monotonic() < until:
            job = runners.assign(runner, 0.1)
            if job or runners.get(runner.id) is None:
                return job
        return None

    def _work(self, job: Job) -> bool:
        """Whether it came to its end, be it by a cancel; otherwise the instance is dead."""
        until = time.monotonic() + self._behaves.job_takes
        while job.status != "completed" and (left := until - time.monotonic()) > 0:
            if self._dead.wait(min(left, 0.1)):
                return False
        return True

    def _power_off(self) -> None:
        self._job = None
        self._cloud.powered_off(self._instance.id)


def timer(script: str, name: str) -> float:
    """What the boot script was told, in seconds."""
    found = re.search(rf"^{name}='?([0-9]+)", script, re.MULTILINE)
    if found is None:
        raise LookupError(f"the boot script has no {name}")
    return float(found[1])
