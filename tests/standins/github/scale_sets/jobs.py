"""Jobs on their way to a runner of a scale set, and what the set's messages say about them."""

from __future__ import annotations

import datetime
import itertools
import secrets
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from standins.github.runners import Job, Runner

NEVER = "0001-01-01T00:00:00Z"
"""How GitHub writes a time that has not come."""
TIMES_ASSIGNED = 3
"""How often GitHub assigns a job before it gives up."""
_request_ids = itertools.count(1001)


@dataclass
class SetJob(Job):
    """Its `stage` in a set: `waiting`, `available`, `assigned`, `running` or `completed`."""

    repository: str = "octo/app"
    run_id: int = field(default_factory=lambda: 4000000000 + secrets.randbelow(10**9))
    attempt: int = 1
    scale_set_id: int | None = None
    """`None` while no set is there for its labels."""
    stage: str = "waiting"
    request_id: int = field(default_factory=lambda: next(_request_ids))
    guid: str = field(default_factory=lambda: str(uuid.uuid4()))
    assigned: int = 0
    """How often it was assigned."""
    since: float = field(default_factory=time.monotonic)
    """When it reached its stage, on the `time.monotonic()` clock."""
    reached: dict[str, float] = field(default_factory=dict)
    """When it reached each stage last, on the same clock."""
    times: dict[str, str] = field(default_factory=dict)
    runner_id: int = 0

    def fits(self, runner: Runner) -> bool:
        if self.scale_set_id is None:
            return super().fits(runner)
        return self.stage == "assigned" and self.status == "queued" and runner.scale_set_id == self.scale_set_id

    def reach(self, stage: str) -> None:
        self.stage, self.since = stage, time.monotonic()
        self.reached[stage] = self.since
        if stage == "waiting":
            self.times.setdefault("queueTime", now())
        elif stage == "assigned":
            self.assigned += 1
            self.times["scaleSetAssignTime"] = now()
        elif stage == "running":
            self.times["runnerAssignTime"] = now()
        elif stage == "completed":
            self.times["finishTime"] = now()

    @property
    def is_over(self) -> bool:
        return self.stage == "completed"


def message(kind: str, job: SetJob, *, numbered: bool, **more: Any) -> dict[str, Any]:
    """One entry of a message's body; without `numbered` the request id is 0, as github.com writes it since 2025."""
    owner, _, repository = job.repository.partition("/")
    times = {name: job.times.get(name, NEVER) for name in ("queueTime", "scaleSetAssignTime")}
    times |= {name: job.times.get(name, NEVER) for name in ("runnerAssignTime", "finishTime")}
    return {
        "messageType": kind,
        **more,
        "runnerRequestId": job.request_id if numbered else 0,
        "repositoryName": repository,
        "ownerName": owner,
        "jobId": job.guid,
        "jobWorkflowRef": f"{job.repository}/.github/workflows/ci.yml@refs/heads/main",
        "jobDisplayName": job.name,
        "workflowRunId": job.run_id,
        "eventName": "push",
        "requestLabels": job.labels,
        **times,
    }


def now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
