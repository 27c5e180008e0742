"""The runners that GitHub knows, and the jobs that wait for one."""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

LINUX_VERSION = "2.330.0"


@dataclass
class Job:
    labels: list[str]
    name: str = "build"
    steps: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    scope: str | None = None
    """Only runners of this scope (`repos/octo/app`) may take it; `None`: any."""
    status: str = "queued"
    """As GitHub says it: `queued`, `in_progress`, `completed`."""
    result: str | None = None
    log: str = ""
    runner_name: str | None = None

    def fits(self, runner: Runner) -> bool:
        """Whether GitHub hands it to this runner; those of a scale set take that set's jobs alone."""
        has = {label.lower() for label in runner.labels}
        wanted = {label.lower() for label in self.labels}
        is_open = self.status == "queued" and self.scope in (None, runner.scope)
        return is_open and runner.scale_set_id is None and wanted <= has


@dataclass
class Runner:
    id: int
    scope: str
    name: str
    labels: list[str]
    runner_group_id: int
    token: str
    encoded_jit_config: str
    created_at: float
    online_at: float | None = None
    """When it last came online, on the `time.monotonic()` clock."""
    status: str = "offline"
    job: Job | None = None
    os: str = "unknown"
    version: str | None = None
    scale_set_id: int | None = None

    @property
    def busy(self) -> bool:
        return self.job is not None

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "os": self.os,
            "status": self.status,
            "busy": self.busy,
            "ephemeral": True,
            "runner_group_id": self.runner_group_id,
            "version": self.version,
            "labels": [
                {"id": number, "name": label, "type": "custom"} for number, label in enumerate(self.labels, start=1)
            ],
        }


class Runners:
    """All state, under one lock. Whatever changes wakes those who wait."""

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self._ids = count(7)
        self._runners: dict[int, Runner] = {}
        self._issued: list[Runner] = []
        self._jobs: list[Job] = []
        self.changed = threading.Condition(threading.RLock())
        self.unseen = 0.0
        """How long a fresh record is missing from what the REST API reads, in seconds."""
        self.on_job: Callable[[Runner, Job], None] = lambda _runner, _job: None
        """Hears of every job that starts or ends on a runner, under the lock."""

    # --- what the REST API does ---

    def register(
        self, scope: str, name: str, labels: list[str], group: int, scale_set_id: int | None = None
    ) -> Runner | None:
        """`None` where the name is taken."""
        with self.changed:
            if any(runner.scope == scope and runner.name == name for runner in self._runners.values()):
                return None
            number, token = next(self._ids), secrets.token_hex(24)
            config = self._jit_config(number, scope, name, token)
            runner = Runner(number, scope, name, labels, group, token, config, time.monotonic())
            runner.scale_set_id = scale_set_id
            self._runners[number] = runner
            self._issued.append(runner)
            self.changed.notify_all()
            return runner

    def _jit_config(self, number: int, scope: str, name: str, token: str) -> str:
        """Base64 of a map from the runner's file names to their contents, as GitHub's own."""
        runner = {
            "agentId": number,
            "agentName": name,
            "poolId": "1",
            "serverUrl": f"{self._server_url}/_runner/",
            "gitHubUrl": f"{self._server_url}/{scope.partition('/')[2]}",
            "workFolder": "_work",
            "ephemeral": "True",
        }
        data = {"clientId": secrets.token_hex(16), "authorizationUrl": f"{self._server_url}/_token", "token": token}
        credentials = {"scheme": "OAuth", "data": data}
        files = {".runner": _encoded(runner), ".credentials": _encoded(credentials)}
        return _encoded(files)

    def get(self, number: int, scope: str | None = None) -> Runner | None:
        with self.changed:
            runner = self._runners.get(number)
            return runner if runner and scope in (None, runner.scope) else None

    def listed(self, scope: str | None = None, name: str | None = None) -> list[Runner]:
        with self.changed:
            return [r for r in self._runners.values() if scope in (None, r.scope) and name in (None, r.name)]

    def is_seen(self, runner: Runner) -> bool:
        return time.monotonic() >= runner.created_at + self.unseen

    @property
    def issued(self) -> list[Runner]:
        """Every runner ever registered, those gone included."""
        with self.changed:
            return list(self._issued)

    def remove(self, runner: Runner) -> None:
        with self.changed:
            self._runners.pop(runner.id, None)
            self.changed.notify_all()

    # --- what the runner program does ---

    def connect(self, runner: Runner) -> None:
        with self.changed:
            runner.status, runner.os, runner.version = "online", "Linux", LINUX_VERSION
            runner.online_at = time.monotonic()
            self.changed.notify_all()

    def disconnect(self, runner: Runner) -> None:
        with self.changed:
            runner.status = "offline"
            self.changed.notify_all()

    def assign(self, runner: Runner, wait: float) -> Job | None:
        """The first job that fits, which makes the runner busy; `None` after `wait` seconds, or if it is gone."""
        with self.changed:
            self.changed.wait_for(lambda: runner.id not in self._runners or self._fitting(runner) is not None, wait)
            job = self._fitting(runner)
            if runner.id not in self._runners or job is None:
                return None
            job.status, job.runner_name, runner.job = "in_progress", runner.name, job
            self.on_job(runner, job)
            self.changed.notify_all()
            return job

    def _fitting(self, runner: Runner) -> Job | None:
        return next((job for job in self._jobs if job.fits(runner)), None)

    def finish(self, runner: Runner, result: str, log: str) -> None:
        """The job is over; an ephemeral runner's record goes with it."""
        with self.changed:
            self._end(runner, result, log)
            self._runners.pop(runner.id, None)
            self.changed.notify_all()

    def abandon(self, runner: Runner) -> None:
        """GitHub gives up on a busy runner that it has not heard of: the job fails, the record stays, offline."""
        with self.changed:
            self._end(runner, "Failed")
            self.changed.notify_all()

    def _end(self, runner: Runner, result: str, log: str = "") -> None:
        job, runner.job = runner.job, None
        if job is None:
            return
        job.log = log
        # What was cancelled meanwhile stays cancelled.
        if job.status != "completed":
            job.status, job.result = "completed", result
            self.on_job(runner, job)

    # --- what a test does ---

    def queue(self, job: Job) -> Job:
        with self.changed:
            self._jobs.append(job)
            self.changed.notify_all()
        return job

    def wait(self, condition: Any, timeout: float, what: str) -> None:
        with self.changed:
            if not self.changed.wait_for(condition, timeout):
                raise TimeoutError(f"{what} did not happen within {timeout} s")


def _encoded(value: Any) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()
