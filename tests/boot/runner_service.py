"""GitHub as one runner sees it: the service it talks to, and the server that it is downloaded from."""

from __future__ import annotations

import base64
import json
import queue
import secrets
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A machine may lose its power in the middle of a request; anything else is worth a trace."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@dataclass
class Download:
    """One answer to a request for the runner's archive."""

    status: int = 200
    body: bytes = b""
    cut_after: int | None = None
    """Close the connection after so many bytes."""
    stall_after: int | None = None
    """Send no more after so many bytes, and keep the connection open."""


@dataclass
class Report:
    result: str
    log: str
    """Of the job's steps."""
    set_up: str
    """Of the hook before them."""
    complete: str
    """Of the hook after them."""


@dataclass
class RunnerService:
    """Serves one runner: hands out `jobs` in order; `session_status` is what a runner gets that wants to connect."""

    jobs: queue.Queue[dict[str, Any]] = field(default_factory=queue.Queue)
    reports: queue.Queue[Report] = field(default_factory=queue.Queue)
    requests: list[str] = field(default_factory=list)
    session_status: int = 200
    downloads: list[Download] = field(default_factory=list)
    """The answers to requests for the archive, in order; the last one stays."""
    host: str = "127.0.0.1"
    """Where the machine finds this host."""
    token: str = field(default_factory=lambda: secrets.token_hex(24))

    def __post_init__(self) -> None:
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                service._answer(self)

            do_POST = do_DELETE = do_GET

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def archive_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/actions-runner-linux-x64.tar.gz"

    @property
    def jit_config(self) -> str:
        """Shaped like GitHub's."""
        config = {
            "agentId": 7,
            "agentName": "runner-7",
            "serverUrl": f"http://{self.host}:{self.port}/_runner/",
            "workFolder": "_work",
            "ephemeral": "True",
        }
        credentials = {"scheme": "OAuth", "data": {"clientId": "c", "token": self.token}}
        return _encoded({".runner": _encoded(config), ".credentials": _encoded(credentials)})

    def queue_job(self, *steps: str, name: str = "build") -> None:
        self.jobs.put({"name": name, "steps": list(steps), "env": {}})

    def report(self, timeout: float = 30) -> Report:
        """What the runner said of its job."""
        return self.reports.get(timeout=timeout)

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        what = request.path.rpartition("/")[2]
        self.requests.append(f"{request.command} {what}")
        if what.endswith(".tar.gz"):
            self._send_archive(request)
            return
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            _send(request, 401)
        elif what == "session":
            _send(request, self.session_status if request.command == "POST" else 204)
        elif what == "job":
            try:
                _send(request, 200, json.dumps(self.jobs.get(timeout=1)).encode())
            except queue.Empty:
                _send(request, 204)
        elif what == "finish":
            self.reports.put(Report(**json.loads(body)))
            _send(request, 200, b"{}")
        else:
            _send(request, 404)

    def _send_archive(self, request: BaseHTTPRequestHandler) -> None:
        answer = self.downloads[0] if len(self.downloads) == 1 else self.downloads.pop(0)
        if answer.cut_after is None and answer.stall_after is None:
            _send(request, answer.status, answer.body)
            return
        request.send_response(200)
        request.send_header("Content-Length", str(len(answer.body)))
        request.end_headers()
        request.wfile.write(answer.body[: answer.cut_after or answer.stall_after])
        if answer.stall_after is not None:
            request.wfile.flush()
            threading.Event().wait(60)
        request.close_connection = True


def _send(request: BaseHTTPRequestHandler, status: int, body: bytes = b"") -> None:
    request.send_response(status)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


def _encoded(value: object) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()
