"""One scale set: its jobs, its session, its queue of messages, and what its statistics say."""

from __future__ import annotations

import json
import secrets
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from standins.github.groups import Group
from standins.github.runners import Runner
from standins.github.scale_sets.jobs import TIMES_ASSIGNED, SetJob, message, now
from standins.github.scale_sets.pace import Pace

MOST_IN_A_MESSAGE = 50
FIRST_MESSAGE = 100_000_001
Statistics = dict[str, int]


@dataclass
class Session:
    owner: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    tokens: dict[str, float] = field(default_factory=dict)
    """The queue token, and until when it is good; none once it was expired."""
    polled: float = field(default_factory=time.monotonic)
    """When a request for a message last came or was answered."""
    polling: int = 0
    capacity: int | None = None
    """What the last request said."""

    def new_token(self, lasts: float) -> str:
        """The one token from now on: a client that keeps an older one has not understood."""
        self.tokens.clear()
        token = f"eyJ{secrets.token_hex(30)}"
        self.tokens[token] = time.monotonic() + lasts
        return token

    def takes(self, token: str) -> bool:
        return self.tokens.get(token, 0) > time.monotonic()


@dataclass
class Message:
    id: int
    body: list[dict[str, Any]]
    statistics: Statistics
    delivered: float | None = None
    deleted: bool = False
    comes_again: bool = False
    """Once more, though it was deleted."""

    def as_json(self) -> dict[str, Any]:
        return {
            "messageId": self.id,
            "messageType": "RunnerScaleSetJobMessages",
            "body": json.dumps(self.body),
            "statistics": self.statistics,
        }


@dataclass
class ScaleSet:
    """Everything here runs under the lock of `Runners`."""

    id: int
    scope: str
    name: str
    group: Group
    labels: list[str]
    pace: Pace
    runners: Callable[[], list[Runner]]
    """Those of this set that GitHub lists now."""
    disable_update: bool = False
    created_on: str = field(default_factory=now)
    is_deleted: bool = False
    session: Session | None = None
    sessions: list[Session] = field(default_factory=list)
    """All that ever were."""
    jobs: list[SetJob] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)
    """Every entry of every message that was ever made."""
    capacities: list[int] = field(default_factory=list)
    """What each request for a message named, in their order."""

    # What a test may set.
    assigns_directly: bool = False
    """As github.com does now: no JobAvailable and nothing to acquire, and every request id is 0."""
    lies: Statistics = field(default_factory=dict)
    """Figures that stand in the statistics instead of the true ones."""
    lies_by: Statistics = field(default_factory=dict)
    """What is added to the true figures."""
    delivers_twice: bool = False
    """Every message comes a second time, with its number, after it was deleted."""
    out_of_order: bool = False
    """One entry a message, the youngest first."""
    is_frozen: bool = False
    """Jobs are neither offered nor assigned, and nothing is said."""

    _pending: list[dict[str, Any]] = field(default_factory=list)
    _next_message: int = FIRST_MESSAGE

    @property
    def group_id(self) -> int:
        return self.group.id

    # --- jobs ---

    def serves(self, job: SetJob) -> bool:
        wanted = {label.lower() for label in job.labels}
        fits = wanted <= {label.lower() for label in self.labels} or wanted == {self.name.lower()}
        repository = job.repository.lower()
        owner = repository.partition("/")[0]
        is_enterprise = self.scope.startswith("enterprises/")
        # A repository has no groups but the default one.
        is_open = self.group.is_open_to(owner if is_enterprise else repository)
        return fits and is_open and (is_enterprise or self.scope in (f"repos/{repository}", f"orgs/{owner}"))

    def take_in(self, job: SetJob) -> None:
        job.scale_set_id = self.id
        job.reach("waiting")
        self.jobs.append(job)

    def say(self, kind: str, job: SetJob, **more: Any) -> None:
        entry = message(kind, job, numbered=not self.assigns_directly, **more)
        self._pending.append(entry)
        self.sent.append(entry)

    def assign(self, job: SetJob) -> None:
        job.reach("assigned")
        self.say("JobAssigned", job)

    def in_stage(self, *stages: str) -> list[SetJob]:
        return [job for job in self.jobs if job.stage in stages]

    def proceed(self) -> None:
        """What time alone brings: withdrawn assignments, offers and, within the capacity, assignments."""
        moment = time.monotonic()
        if self.session and self._has_expired(self.session, moment):
            self.session = None
        for job in self.in_stage("assigned"):
            if moment - job.since > self.pace.assignment:
                self._withdraw(job)
        for job in self.in_stage("available"):
            if moment - job.since > self.pace.offer:
                job.reach("waiting")
        if self.session and self.session.capacity is not None and not self.is_frozen:
            self._hand_out(self.session.capacity)

    def _withdraw(self, job: SetJob) -> None:
        self.say("JobCompleted", job, result="canceled", runnerId=0, runnerName="")
        if job.assigned >= TIMES_ASSIGNED:
            job.status, job.result = "completed", "Canceled"
            job.reach("completed")
            return
        job.request_id += 100_000
        job.reach("waiting")

    def _hand_out(self, capacity: int) -> None:
        left = capacity - len(self.in_stage("available", "assigned", "running"))
        for job in self.in_stage("waiting")[: max(0, left)]:
            if self.assigns_directly:
                self.assign(job)
            else:
                job.reach("available")
                url = f"https://pipelines.example/_apis/runtime/runnerscalesets/{self.id}/acquirejobs"
                self.say("JobAvailable", job, acquireJobUrl=url)

    def acquire(self, request_ids: list[int]) -> list[int]:
        """Those that were acquired; what is not on offer any more is left out."""
        acquired = [job for job in self.in_stage("available") if job.request_id in request_ids]
        for job in acquired:
            self.assign(job)
        return [job.request_id for job in acquired]

    def statistics(self) -> Statistics:
        runners = self.runners()
        running = len(self.in_stage("running"))
        registered = len([one for one in runners if one.status == "online" or one.busy])
        busy = len([one for one in runners if one.busy])
        true = {
            "totalAvailableJobs": len(self.in_stage("waiting", "available")),
            "totalAcquiredJobs": 0,
            "totalAssignedJobs": len(self.in_stage("assigned")) + running,
            "totalRunningJobs": running,
            "totalRegisteredRunners": registered,
            "totalBusyRunners": busy,
            "totalIdleRunners": registered - busy,
        }
        return true | {name: true[name] + more for name, more in self.lies_by.items()} | self.lies

    # --- the session and its messages ---

    def open(self, owner: str) -> Session:
        self.session = Session(owner)
        self.sessions.append(self.session)
        # What was offered to the session before is offered anew.
        for job in self.in_stage("available"):
            job.reach("waiting")
        return self.session

    def is_taken(self) -> bool:
        self.proceed()
        return self.session is not None

    def _has_expired(self, session: Session, moment: float) -> bool:
        # GitHub does not see at once that a client is gone whose request it holds.
        return moment - session.polled > self.pace.session + (self.pace.hold if session.polling else 0)

    def next_message(self, last: int) -> Message | None:
        """The oldest message that was not deleted and is younger than `last`, or one that is due again."""
        if not self.is_frozen and (self.out_of_order or not self._choose(last)):
            self._make_messages()
        chosen = self._choose(last)
        if chosen:
            chosen.delivered, chosen.comes_again = time.monotonic(), False
        return chosen

    def _choose(self, last: int) -> Message | None:
        for one in sorted(self.messages, key=lambda one: one.id, reverse=self.out_of_order):
            is_due = one.delivered is not None and time.monotonic() - one.delivered > self.pace.redelivery
            if one.comes_again or is_due or (not one.deleted and (one.id > last or self.out_of_order)):
                return one
        return None

    def _make_messages(self) -> None:
        """One of what has gathered, with the statistics of this moment; many small ones where order is lost."""
        most = 1 if self.out_of_order else MOST_IN_A_MESSAGE
        while self._pending:
            entries, self._pending = self._pending[:most], self._pending[most:]
            self._add_message(entries)
            if not self.out_of_order:
                return

    def _add_message(self, entries: list[dict[str, Any]]) -> None:
        self.messages.append(Message(self._next_message, entries, self.statistics()))
        self._next_message += 1

    def delete_message(self, number: int) -> None:
        """A message that is gone already is not an error."""
        for one in [one for one in self.messages if one.id == number]:
            if self.delivers_twice and not one.deleted:
                one.deleted = one.comes_again = True
            else:
                self.messages.remove(one)

    @property
    def has_news(self) -> bool:
        """Something was said that stands in no message yet."""
        return bool(self._pending)

    def announce(self) -> None:
        """A message without entries: only the statistics changed."""
        self._add_message([])

    # --- how it is shown ---

    def as_json(self, url: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "runnerGroupId": self.group.id,
            "runnerGroupName": self.group.name,
            "labels": [{"id": nth, "name": name, "type": "System"} for nth, name in enumerate(self.labels, start=1)],
            "RunnerSetting": {"ephemeral": True, "disableUpdate": self.disable_update, "provisioning": ""},
            "createdOn": self.created_on,
            "runnerJitConfigUrl": f"{url}_apis/runtime/runnerscalesets/{self.id}/generatejitconfig",
            "getAcquirableJobsUrl": f"{url}_apis/runtime/runnerscalesets/{self.id}/acquirablejobs",
            "acquireJobsUrl": f"{url}_apis/runtime/runnerscalesets/{self.id}/acquirejobs",
            "statistics": self.statistics(),
            "status": "online" if self.session else "offline",
            "enabled": True,
        }
