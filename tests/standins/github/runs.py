"""Workflow runs with their attempts and jobs, and what running them again does.

As GitHub does it: a job is run again together with every job that needs it, directly or not; the others are carried
over with their results, under numbers of their own. While an attempt runs, nothing can be run again.
https://docs.github.com/rest/actions/workflow-runs#re-run-a-job-from-a-workflow-run
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from standins.github.tokens import message
from standins.server import Request, Response

SCOPE = r"^/(?P<scope>repos/[^/]+/[^/]+)/actions"
ROUTES = (
    ("GET", re.compile(SCOPE + r"/runs/(?P<id>\d+)$"), "get-run"),
    ("GET", re.compile(SCOPE + r"/runs/(?P<id>\d+)/attempts/(?P<attempt>\d+)/jobs$"), "list-jobs"),
    ("GET", re.compile(SCOPE + r"/runs$"), "list-runs"),
    ("POST", re.compile(SCOPE + r"/runs/(?P<id>\d+)/rerun$"), "rerun-run"),
    ("POST", re.compile(SCOPE + r"/runs/(?P<id>\d+)/cancel$"), "cancel-run"),
    ("POST", re.compile(SCOPE + r"/jobs/(?P<id>\d+)/rerun$"), "rerun-job"),
    (
        "GET",
        re.compile(r"^/(?P<scope>repos/[^/]+/[^/]+)/check-runs/(?P<id>\d+)/annotations$"),
        "list-annotations",
    ),
)


PARTS_OF_A_REPOSITORY = """
archive assignees blobs branches collaborators comments commits compare contents contributors deployments downloads
events forks git_commits git_refs git_tags hooks issue_comment issue_events issues keys labels languages merges
milestones notifications pulls releases stargazers statuses subscribers subscription tags teams trees
"""


@dataclass
class RunJob:
    """One job of one attempt."""

    name: str
    conclusion: str | None = None
    needs: tuple[str, ...] = ()
    runner_id: int | None = None
    runner_name: str | None = None
    id: int = 0
    annotations: tuple[str, ...] = ()
    """What GitHub remarks on how it ended."""
    notices: tuple[tuple[str, str], ...] = ()
    """What its steps annotate: titles and messages."""
    labels: tuple[str, ...] = ("self-hosted",)
    """What its `runs-on` asks for."""

    @property
    def status(self) -> str:
        if self.conclusion:
            return "completed"
        return "in_progress" if self.runner_id else "queued"


@dataclass
class WorkflowRun:
    id: int
    scope: str
    attempts: list[list[RunJob]]
    conclusion: str | None
    """Of the latest attempt; `None` while it runs."""
    reruns: list[list[str]] = field(default_factory=list)
    """The names of the jobs that each rerun began again."""

    @property
    def jobs(self) -> list[RunJob]:
        return self.attempts[-1]

    @property
    def status(self) -> str:
        """Queued, where nothing of the latest attempt runs or has run."""
        if self.conclusion:
            return "completed"
        return "in_progress" if any(job.status == "in_progress" for job in self.jobs) else "queued"

    def job(self, name: str) -> RunJob:
        return next(job for job in self.jobs if job.name == name)

    def end(self, conclusion: str, **jobs: str) -> None:
        """The latest attempt is over; jobs end with it as named, the others successfully."""
        for job in self.jobs:
            job.conclusion = jobs.get(job.name.replace("-", "_"), "success")
        self.conclusion = conclusion

    def begin_attempt(self, *again: RunJob) -> None:
        """Somebody has these jobs run again; the others are carried over, under numbers of their own."""
        by_name = {job.name: job for job in again}
        number = max(job.id for job in self.jobs)
        self.attempts.append(
            [replace(by_name.get(job.name, job), id=number + 1 + index) for index, job in enumerate(self.jobs)]
        )
        self.conclusion = None


class Runs:
    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self._ids = count(51725241954)
        self._runs: list[WorkflowRun] = []
        self._lock = threading.Lock()

    def add(self, repository: str, run_id: int | str, *jobs: RunJob) -> WorkflowRun:
        """A run whose first attempt is under way."""
        run = WorkflowRun(int(run_id), f"repos/{repository.lower()}", [], None)
        run.attempts.append([replace(job, id=next(self._ids)) for job in jobs])
        self._runs.append(run)
        return run

    def serve(self, request: Request) -> Response | None:
        """`None` where it is about something else."""
        for method, pattern, name in ROUTES:
            match = pattern.match(request.path)
            if match and method == request.method:
                with self._lock:
                    return self._answer(name, match, request)
        return None

    def _answer(self, name: str, match: re.Match[str], request: Request) -> Response:
        scope = match["scope"].lower()
        of_scope = [run for run in self._runs if run.scope == scope]
        if name == "list-runs":
            size = min(int(request.query.get("per_page", "30")), 100)
            page = int(request.query.get("page", "1"))
            found = [one for one in of_scope if request.query.get("status") in (None, one.status)]
            shown = [self._run_json(one) for one in found[(page - 1) * size : page * size]]
            return Response.of_json(200, {"total_count": len(found), "workflow_runs": shown})
        number = int(match["id"])
        if name in ("rerun-job", "list-annotations"):
            for run in of_scope:
                for job in run.jobs:
                    if job.id == number and name == "list-annotations":
                        return Response.of_json(200, _annotations(job))
                    if job.id == number:
                        return self._rerun(run, dependents(run.jobs, job), "The workflow run containing this job")
            return message(404, "Not Found")
        asked = [run for run in of_scope if run.id == number]
        if not asked:
            return message(404, "Not Found")
        run = asked[0]
        if name == "rerun-run":
            return self._rerun(run, {job.name for job in run.jobs}, "This workflow")
        if name == "cancel-run":
            return self._cancel(run)
        if name == "get-run":
            return Response.of_json(200, self._run_json(run))
        attempt = int(match["attempt"])
        if not 1 <= attempt <= len(run.attempts):
            return message(404, "Not Found")
        size, page = min(int(request.query.get("per_page", "30")), 100), int(request.query.get("page", "1"))
        jobs = run.attempts[attempt - 1]
        listed = [self._job_json(run, attempt, job) for job in jobs[(page - 1) * size : page * size]]
        return Response.of_json(200, {"total_count": len(jobs), "jobs": listed})

    def _cancel(self, run: WorkflowRun) -> Response:
        if run.conclusion:
            return message(409, "Cannot cancel a workflow run that is completed.")
        for job in run.jobs:
            job.conclusion = job.conclusion or "cancelled"
        run.conclusion = "cancelled"
        return Response.of_json(202, {})

    def _rerun(self, run: WorkflowRun, names: set[str], what: str) -> Response:
        if run.conclusion is None:
            return message(403, f"{what} is already running")
        again = [
            RunJob(job.name, needs=job.needs, id=next(self._ids))
            if job.name in names
            else replace(job, id=next(self._ids))
            for job in run.jobs
        ]
        run.attempts.append(again)
        run.conclusion = None
        run.reruns.append(sorted(names))
        return Response.of_json(201, {})

    def _run_json(self, run: WorkflowRun) -> dict[str, Any]:
        url = f"{self._server_url}/{run.scope}/actions/runs/{run.id}"
        repository = _repository(self._server_url, run.scope.partition("/")[2])
        urls = ("jobs", "logs", "check_suite", "cancel", "rerun", "artifacts", "workflow")
        return {
            "id": run.id,
            "node_id": "WFR_1",
            "name": "CI",
            "head_branch": "main",
            "head_sha": "0" * 40,
            "path": ".github/workflows/ci.yml",
            "run_number": 17,
            "run_attempt": len(run.attempts),
            "display_title": "CI",
            "event": "push",
            "status": run.status,
            "conclusion": run.conclusion,
            "workflow_id": 5,
            "url": url,
            "html_url": f"{self._server_url}/{repository['full_name']}/actions/runs/{run.id}",
            "created_at": "2026-11-23T18:00:00Z",
            "updated_at": "2026-11-23T18:10:00Z",
            "head_commit": None,
            "pull_requests": [],
            "repository": repository,
            "head_repository": repository,
            **{f"{name}_url": f"{url}/{name}" for name in urls},
        }

    def _job_json(self, run: WorkflowRun, attempt: int, job: RunJob) -> dict[str, Any]:
        url = f"{self._server_url}/{run.scope}/actions"
        return {
            "id": job.id,
            "run_id": run.id,
            "run_url": f"{url}/runs/{run.id}",
            "run_attempt": attempt,
            "node_id": "CR_1",
            "head_sha": "0" * 40,
            "head_branch": "main",
            "url": f"{url}/jobs/{job.id}",
            "html_url": f"{url}/runs/{run.id}/job/{job.id}",
            "status": job.status,
            "conclusion": job.conclusion,
            "created_at": "2026-11-23T18:00:00Z",
            "started_at": "2026-11-23T18:00:10Z",
            "completed_at": "2026-11-23T18:10:00Z" if job.conclusion else None,
            "name": job.name,
            "workflow_name": "CI",
            "steps": [],
            "check_run_url": f"{self._server_url}/{run.scope}/check-runs/{job.id}",
            "labels": list(job.labels),
            "runner_id": job.runner_id,
            "runner_name": (job.runner_name or f"sprinters-{job.runner_id}") if job.runner_id else None,
            "runner_group_id": 1 if job.runner_id else None,
            "runner_group_name": "Default" if job.runner_id else None,
        }


def dependents(jobs: list[RunJob], job: RunJob) -> set[str]:
    """The job and all that need it, directly or not."""
    names = {job.name}
    while True:
        more = {other.name for other in jobs if names & set(other.needs)} - names
        if not more:
            return names
        names |= more


def operation(request: Request) -> str | None:
    for method, pattern, name in ROUTES:
        if method == request.method and pattern.match(request.path):
            return name
    return None


def _annotations(job: RunJob) -> list[dict[str, Any]]:
    remarks = [_annotation(text) for text in job.annotations]
    return remarks + [_annotation(text, title, "notice") for title, text in job.notices]


def _annotation(text: str, title: str = "", level: str = "failure") -> dict[str, Any]:
    return {
        "path": ".github",
        "start_line": 1,
        "end_line": 1,
        "start_column": None,
        "end_column": None,
        "annotation_level": level,
        "title": title,
        "message": text,
        "raw_details": "",
        "blob_href": "https://github.com/",
    }


def _repository(server_url: str, full_name: str) -> dict[str, Any]:
    owner, _, name = full_name.partition("/")
    api = f"{server_url}/repos/{full_name}"
    of_owner = ("followers", "following", "gists", "starred", "subscriptions", "organizations", "repos", "events")
    parts = PARTS_OF_A_REPOSITORY.split()
    return {
        "id": 1,
        "node_id": "R_1",
        "name": name,
        "full_name": full_name,
        "private": True,
        "description": None,
        "fork": False,
        "url": api,
        "html_url": f"{server_url}/{full_name}",
        "owner": {
            "login": owner,
            "id": 1,
            "node_id": "U_1",
            "avatar_url": server_url,
            "gravatar_id": "",
            "url": f"{server_url}/users/{owner}",
            "html_url": f"{server_url}/{owner}",
            "received_events_url": f"{server_url}/users/{owner}/received_events",
            "type": "User",
            "site_admin": False,
            **{f"{part}_url": f"{server_url}/users/{owner}/{part}" for part in of_owner},
        },
        **{f"{part}_url": f"{api}/{part}" for part in parts},
    }
