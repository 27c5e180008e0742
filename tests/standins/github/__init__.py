"""GitHub, as far as runners go: stateful, and held against GitHub's own description in every exchange.

    with GitHub() as github:
        token = github.add_token()              # an administration: write token
        github.url                              # GITHUB_API_URL
        github.queue_job("my-label", steps=["echo hello"])
        github.gate.fail("get-runner", reset, nth=2)

Operations by which calls are counted and spoilt: `generate-jitconfig`, `list-downloads`, `list-runners`, `get-runner`,
`delete-runner`, `list-runner-groups`; of workflow runs `get-run`, `list-jobs`, `list-annotations`, `rerun-job`,
`rerun-run`; `get-repository`; of Apps `get-installation`, `create-installation-token`, `revoke-installation-token`; of
the runner program `runner:session`, `runner:job`, `runner:finish`, `runner:leave`; `download`. Of scale sets
`registration-token`, `runner-registration` and those that `scale_sets/service.py` lists (`open-session`,
`next-message` and so on).
"""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
from types import TracebackType
from typing import TYPE_CHECKING

from standins import openapi
from standins.gate import Gate
from standins.github import contents, repositories, rest, runner_service, runs
from standins.github.apps import App
from standins.github.contents import Contents
from standins.github.groups import Group
from standins.github.paging import hiding, is_list_of_all
from standins.github.repositories import Repositories
from standins.github.rest import Download, Rest, scope_of
from standins.github.runners import LINUX_VERSION, Job, Runner, Runners
from standins.github.runs import RunJob, Runs, WorkflowRun
from standins.github.scale_sets import ScaleSet, ScaleSets, SetJob
from standins.github.scale_sets import service as actions_service
from standins.github.tokens import Kind, Token
from standins.server import Outcome, Request, Response, Server

if TYPE_CHECKING:
    from standins.machine.runner import RunnerArchive


REGISTRATION = "/actions/runner-registration"
__all__ = [
    "App",
    "GitHub",
    "Group",
    "Job",
    "Kind",
    "RunJob",
    "Runner",
    "ScaleSet",
    "SetJob",
    "Token",
    "WorkflowRun",
    "hiding",
    "is_list_of_all",
]


class GitHub:
    def __init__(
        self, *, openapi_validation: bool = True, archive: RunnerArchive | None = None, base_path: str = ""
    ) -> None:
        """`base_path` is `/api/v3` for a GitHub Enterprise Server; `archive` is the runner that downloads hand out."""
        self._description = openapi.load() if openapi_validation else None
        self._base_path = base_path
        self._files = {f"/_downloads/{archive.filename}": archive.path} if archive else {}
        self._archive = archive
        self._violations: list[str] = []
        self._validated = 0
        self._counting = threading.Lock()
        self.gate = Gate(self._operation, self._serve)
        self._server = Server(self.gate, self._validate)
        self.server_url = self._server.url
        self.url = self.server_url + base_path
        self.port = self._server.port
        self.runners = Runners(self.server_url)
        self.downloads = self._all_downloads()
        self.runs = Runs(self.server_url)
        self.contents = Contents(self.server_url)
        self.repositories = Repositories(self.server_url)
        self._rest = Rest(self.runners, self.runs, self.contents, self.repositories, lambda: self.downloads)
        self.apps = self._rest.apps
        self.scale_sets = ScaleSets(self.runners, self._rest.groups, self.server_url)
        self._rest.registration_token = self.scale_sets.sign_in.registration_token

    # --- for the binary ---

    def add_token(self, kind: Kind = Kind.WRITE) -> Token:
        token = Token.of(kind)
        self._rest.tokens[token.value] = token
        return token

    def add_app(self, permissions: dict[str, str], *scopes: str) -> App:
        """An App with these permissions, installed for each of `scopes` (`repos/octo/app`, `orgs/octo`)."""
        return self.apps.add(permissions, *scopes)

    def add_group(self, scope: str, name: str, open_to: tuple[str, ...] | None = None) -> Group:
        """A runner group of `orgs/octo` or `enterprises/acme`; `open_to` names the repositories or organizations."""
        return self._rest.groups.add(scope, name, open_to)

    @property
    def secrets(self) -> list[str]:
        """Everything that must never be seen anywhere: tokens, JIT configs and what stands in them."""
        issued = self.runners.issued
        return [
            *self._rest.tokens,
            *self.apps.secrets,
            *self.scale_sets.secrets,
            *(runner.encoded_jit_config for runner in issued),
            *(runner.token for runner in issued),
        ]

    # --- for tests ---

    @property
    def violations(self) -> list[str]:
        """What was asked or answered otherwise than GitHub describes, all exchanges so far included."""
        # An answer leaves before it is validated; whoever looks here wants the verdict on it.
        self.gate.wait_until(lambda: self._validated == len(self.gate.exchanges), 5)
        return list(self._violations)

    def queue_job(
        self,
        *labels: str,
        name: str = "build",
        steps: list[str] | None = None,
        repository: str | None = None,
        env: dict[str, str] | None = None,
    ) -> SetJob:
        """A job that waits for a runner, or for the scale set of its labels."""
        scope = scope_of(repository) if repository else None
        job = SetJob(list(labels), name, steps or [], env or {}, scope=scope, repository=repository or "octo/app")
        return self.scale_sets.push(job)

    def records(self, repository: str | None = None, *, scope: str | None = None) -> list[Runner]:
        """The runners that GitHub lists now; `scope` is `orgs/octo`, say."""
        return self.runners.listed(scope_of(repository) if repository else scope)

    def add_file(self, path: str, text: str, commit: str = "") -> None:
        """A file of every repository, at that commit or at the head of the default branch."""
        self.contents.files[path, commit] = text

    def make_public(self, repository: str) -> None:
        self.repositories.public.add(repository.lower())

    def runner_of(self, user_data: str) -> Runner:
        """The runner whose JIT config an instance's user data carries."""
        for runner in self.runners.issued:
            if runner.encoded_jit_config in user_data:
                return runner
        raise LookupError("the user data carries no JIT config that GitHub issued")

    @property
    def connections(self) -> int:
        """How many were opened so far."""
        return self._server.connections

    # --- serving ---

    def _operation(self, request: Request) -> str:
        path = self._stripped(request)
        if path.path.startswith("/_downloads/"):
            return "download"
        if path.path == REGISTRATION:
            return "runner-registration"
        return (
            runner_service.operation(path)
            or actions_service.operation(path)
            or rest.operation(path)
            or runs.operation(path)
            or contents.operation(path)
            or repositories.operation(path)
            or f"{request.method} {request.path}"
        )

    def _stripped(self, request: Request) -> Request:
        if not self._base_path or not request.target.startswith(self._base_path):
            return request
        target = request.target[len(self._base_path) :]
        return Request(request.method, target, request.headers, request.body, request.arrived)

    def _serve(self, request: Request) -> Outcome:
        if request.path.startswith("/_runner/"):
            return runner_service.serve(self.runners, request)
        if request.path.startswith("/_downloads/"):
            return self._download(request)
        if actions_service.is_served(request):
            return self.scale_sets.serve(request)
        stripped = self._stripped(request)
        if stripped.path == REGISTRATION and stripped.method == "POST":
            return self.scale_sets.sign_in.register(stripped)
        return self._rest(stripped)

    def _download(self, request: Request) -> Response:
        if request.path in self._files:
            body = self._files[request.path].read_bytes()
        elif any(download.url.endswith(request.path) for download in self.downloads):
            body = EMPTY_ARCHIVE
        else:
            return Response(404, {"Content-Type": "text/plain"}, b"Not Found")
        return Response(200, {"Content-Type": "application/octet-stream"}, body)

    def _all_downloads(self) -> list[Download]:
        """As GitHub lists them; where no archive was given, and for other systems, an empty one stands behind each."""
        version = self._archive.version if self._archive else LINUX_VERSION
        found = []
        for system, architecture in (
            ("osx", "x64"),
            ("linux", "x64"),
            ("linux", "arm"),
            ("win", "x64"),
            ("linux", "arm64"),
        ):
            filename = f"actions-runner-{system}-{architecture}-{version}.tar.gz"
            checksum = hashlib.sha256(EMPTY_ARCHIVE).hexdigest()
            if self._archive and (system, architecture) == ("linux", "x64"):
                filename, checksum = self._archive.filename, self._archive.sha256
            url = f"{self.server_url}/_downloads/{filename}"
            found.append(Download(system, architecture, url, filename, checksum))
        return found

    def _validate(self, request: Request, outcome: Outcome) -> None:
        if self._description is not None and self._is_described(request):
            # What a test injects is meant to be wrong; what was asked is held against the description all the same.
            response = outcome if isinstance(outcome, Response) and not self.gate.was_spoilt(request) else None
            self._violations += self._description.violations(self._stripped(request), response)
        with self._counting:
            self._validated += 1
        self.gate.wake()

    def _is_described(self, request: Request) -> bool:
        """The description says nothing of what runners and listeners talk to; nobody reads what a ping is answered."""
        if request.path.endswith("/rate_limit"):
            return False
        inner = ("/_runner/", "/_downloads/", "/_actions/", "/_queue/")
        return not request.path.startswith(inner) and self._stripped(request).path != REGISTRATION

    def close(self) -> None:
        self.scale_sets.close()
        self._server.close()

    def __enter__(self) -> GitHub:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _empty_archive() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz"):
        pass
    return buffer.getvalue()


EMPTY_ARCHIVE = _empty_archive()
