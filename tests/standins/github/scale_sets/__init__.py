"""Runner scale sets as GitHub's Actions service keeps them, for `GitHub` to serve and for tests to command.

    github.scale_sets.pace.hurry()
    job = github.queue_job("linux-x64", steps=["make"], repository="octo/app")
    github.scale_sets.of("linux-x64").lies["totalAssignedJobs"] = 0
    github.scale_sets.expire_session("linux-x64")
    github.gate.fail("next-message", empty, nth=2)

A registration token leads to an admin token, that to a set and its one session, and the session's queue token to the
messages. What GitHub does not document is taken from its own client and its users' logs; where those say nothing (the
name of the error of a session that is gone, when exactly a withdrawn job is assigned again), this is a guess.

The capacity that a client names with each request is a total: so many jobs of the set may be offered, assigned or
running. A job goes from `waiting` over `available` (to be acquired) to `assigned`, or straight there where the set
`assigns_directly`, as GitHub does now where only one set can take the job. Any runner of the set takes any of its
assigned jobs.
"""

from __future__ import annotations

from itertools import count

from standins.github.groups import Group, Groups
from standins.github.runners import Job, Runner, Runners
from standins.github.scale_sets.jobs import SetJob
from standins.github.scale_sets.pace import Pace
from standins.github.scale_sets.service import Service
from standins.github.scale_sets.sets import ScaleSet
from standins.github.scale_sets.sign_in import SignIn
from standins.server import Request, Response

__all__ = ["Pace", "ScaleSet", "ScaleSets", "SetJob"]


class ScaleSets:
    def __init__(self, runners: Runners, groups: Groups, server_url: str) -> None:
        self._runners = runners
        self._numbers = count(117)
        self._unclaimed: list[SetJob] = []
        self.pace = Pace()
        self.sign_in = SignIn(server_url, self.pace)
        self.service = Service(runners, groups, self.sign_in, server_url)
        self.service.new_set = self._new_set
        self.service.on_gone = self._gone
        self.assigns_directly = False
        """What sets that are made from now on do."""
        runners.on_job = self._on_job

    def serve(self, request: Request) -> Response:
        return self.service(request)

    # --- what a test looks at ---

    def all(self) -> list[ScaleSet]:
        """Those that are there now."""
        with self._runners.changed:
            return [one for one in self.service.sets if not one.is_deleted]

    def of(self, name: str) -> ScaleSet:
        found = [one for one in self.all() if one.name == name]
        if not found:
            raise LookupError(f"no scale set `{name}`; there are {[one.name for one in self.all()]}")
        return found[-1]

    @property
    def secrets(self) -> list[str]:
        return self.sign_in.issued

    # --- what a test does ---

    def add(self, name: str, *labels: str, scope: str = "repos/octo/app", group: Group | None = None) -> ScaleSet:
        """A set that was there before."""
        with self._runners.changed:
            return self._new_set(scope.lower(), name, group or Group(1, "Default"), list(labels) or [name], True)

    def push(self, job: SetJob) -> SetJob:
        """A push: its job waits for a runner."""
        with self._runners.changed:
            job.reach("waiting")
            fitting = next((one for one in self.service.sets if not one.is_deleted and one.serves(job)), None)
            if fitting:
                fitting.take_in(job)
            else:
                self._unclaimed.append(job)
            self._runners.queue(job)
        return job

    def rerun(self, job: SetJob) -> SetJob:
        """ "Re-run failed jobs"."""
        attempt = job.attempt + 1
        env = job.env | {"GITHUB_RUN_ATTEMPT": str(attempt)}
        again = SetJob(job.labels, job.name, job.steps, env, job.scope, repository=job.repository)
        again.run_id, again.attempt = job.run_id, attempt
        return self.push(again)

    def cancel(self, job: SetJob) -> None:
        """Somebody cancels it, whether it waits or runs; a runner that has it does not stop by itself."""
        with self._runners.changed:
            if job.is_over:
                return
            job.status, job.result = "completed", "Canceled"
            self._over(job, job.runner_id, job.runner_name or "")
            self._runners.changed.notify_all()

    def expire_session(self, name: str) -> None:
        with self._runners.changed:
            self.of(name).session = None
            self._runners.changed.notify_all()

    def expire_queue_tokens(self) -> None:
        with self._runners.changed:
            for one in self.service.sets:
                if one.session:
                    one.session.tokens.clear()

    def expire_admin_tokens(self) -> None:
        with self._runners.changed:
            self.sign_in.expire_admin_tokens()

    def delete(self, name: str) -> None:
        """Somebody deletes the set."""
        with self._runners.changed:
            self._gone(self.of(name))
            self._runners.changed.notify_all()

    def close(self) -> None:
        """Lets go of the requests that are held."""
        with self._runners.changed:
            self.service.closing = True
            self._runners.changed.notify_all()

    # --- inside ---

    def _new_set(self, scope: str, name: str, group: Group, labels: list[str], disable_update: bool) -> ScaleSet:
        number = next(self._numbers)

        def own() -> list[Runner]:
            return [one for one in self._runners.listed() if one.scale_set_id == number]

        made = ScaleSet(number, scope, name, group, labels, self.pace, own, disable_update)
        made.assigns_directly = self.assigns_directly
        self.service.sets.append(made)
        for job in [job for job in self._unclaimed if made.serves(job) and job.status == "queued"]:
            self._unclaimed.remove(job)
            made.take_in(job)
        return made

    def _gone(self, one: ScaleSet) -> None:
        """Its idle runners go with it; its jobs wait for another set."""
        one.is_deleted, one.session = True, None
        for runner in one.runners():
            if not runner.busy:
                self._runners.remove(runner)
        for job in one.in_stage("waiting", "available", "assigned"):
            one.jobs.remove(job)
            job.scale_set_id = None
            job.reach("waiting")
            self._unclaimed.append(job)

    def _on_job(self, runner: Runner, job: Job) -> None:
        if not isinstance(job, SetJob) or job.scale_set_id is None:
            return
        if job.status == "in_progress":
            job.runner_id = runner.id
            job.reach("running")
            self._set_of(job).say("JobStarted", job, runnerId=runner.id, runnerName=runner.name)
        else:
            self._over(job, runner.id, runner.name)

    def _over(self, job: SetJob, runner_id: int, runner_name: str) -> None:
        job.reach("completed")
        if job.scale_set_id is None:
            return
        result = (job.result or "").lower()
        self._set_of(job).say("JobCompleted", job, result=result, runnerId=runner_id, runnerName=runner_name)

    def _set_of(self, job: SetJob) -> ScaleSet:
        return next(one for one in self.service.sets if one.id == job.scale_set_id)
