"""The instance metadata service, version 2 only, as one instance sees it."""

from __future__ import annotations

import json
import secrets
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

VERSIONS = ("latest", "2021-03-23")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A machine may lose its power in the middle of a request; anything else is worth a trace."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class MetadataService:
    """Serves `user_data` and a tree of metadata to one machine."""

    def __init__(self, listening: socket.socket, user_data: bytes, tree: dict[str, Any]) -> None:
        self._user_data = user_data
        self._tree = tree
        self._tokens: set[str] = set()
        self._changed = threading.Condition()
        self.requests: list[tuple[str, int]] = []
        """Every path that was asked for, and the status it got."""
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_PUT(self) -> None:
                service._put(self)

            def do_GET(self) -> None:
                service._get(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = _Server(("", 0), Handler, bind_and_activate=False)
        self._server.socket.close()
        self._server.socket = listening
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def notify_spot_interruption(self, when: str = "2026-11-23T18:22:00Z") -> None:
        """What EC2 does two minutes before it takes a spot instance back."""
        self._tree["spot"] = {"instance-action": json.dumps({"action": "terminate", "time": when})}

    def wait_for_request(self, path: str, timeout: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: any(p == path for p, _ in self.requests), timeout)

    def _answer(self, request: BaseHTTPRequestHandler, status: int, body: bytes = b"") -> None:
        with self._changed:
            self.requests.append((request.path, status))
            self._changed.notify_all()
        request.send_response(status)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def _put(self, request: BaseHTTPRequestHandler) -> None:
        ttl = request.headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
        if request.path != "/latest/api/token" or not ttl.isdigit() or not 1 <= int(ttl) <= 21600:
            self._answer(request, 400)
            return
        token = secrets.token_urlsafe(40)
        self._tokens.add(token)
        self._answer(request, 200, token.encode())

    def _get(self, request: BaseHTTPRequestHandler) -> None:
        if request.headers.get("X-aws-ec2-metadata-token") not in self._tokens:
            self._answer(request, 401)
            return
        version, _, path = request.path.lstrip("/").partition("/")
        found = self._look_up(path) if version in VERSIONS else None
        self._answer(request, 404 if found is None else 200, found or b"")

    def _identity(self) -> str:
        identity = {"instanceId": self._tree["instance-id"], "instanceType": self._tree["instance-type"]}
        return json.dumps(identity | self._tree["placement"])

    def _look_up(self, path: str) -> bytes | None:
        if path.rstrip("/") == "user-data":
            return self._user_data
        node: Any = {"meta-data": self._tree, "dynamic": {"instance-identity": {"document": self._identity()}}}
        for name in path.split("/"):
            if name:
                node = node.get(name) if isinstance(node, dict) else None
        if isinstance(node, dict):
            return "\n".join(name + "/" * isinstance(value, dict) for name, value in node.items()).encode()
        return None if node is None else str(node).encode()
