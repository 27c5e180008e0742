"""A small HTTP/1.1 server whose every byte on the wire is under a test's control.

Python's own `http.server` would do for the good days; for the bad ones a stand-in must also be able to reset a
connection, send half an answer or none at all. One thread serves one connection, connections are kept alive, and an
answer leaves in a single segment with Nagle's algorithm off, so that nothing here adds a delay worth measuring.
"""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import responses
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    """Path and query as they stood in the request line."""
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    arrived: float
    """When the first byte of the request line was read, on the machine-wide `time.monotonic()` clock."""

    @property
    def path(self) -> str:
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> dict[str, str]:
        pairs = parse_qs(urlsplit(self.target).query, keep_blank_values=True)
        return {name: values[-1] for name, values in pairs.items()}

    @property
    def form(self) -> dict[str, str]:
        """The body as AWS's query protocol sends it."""
        pairs = parse_qs(self.body.decode("utf-8", "replace"), keep_blank_values=True)
        return {name: values[-1] for name, values in pairs.items()}

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Response:
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    pace: float = 0.0
    """Seconds between the bytes of the body; 0 sends all in one segment."""

    @staticmethod
    def of_json(status: int, value: Any, **headers: str) -> Response:
        return Response(
            status, {"Content-Type": "application/json; charset=utf-8", **headers}, json.dumps(value).encode()
        )

    def wire(self) -> bytes:
        reason = responses.get(self.status, "Unknown")
        lines = [f"HTTP/1.1 {self.status} {reason}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.status not in (204, 304):
            lines.append(f"Content-Length: {len(self.body)}")
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        return head if self.status in (204, 304) else head + self.body


@dataclass(frozen=True)
class Cut:
    """The connection ends instead of an answer: `sent` goes out first, then a reset (or a plain close)."""

    sent: bytes = b""
    reset: bool = True


Outcome = Response | Cut
Handler = Callable[[Request], Outcome]
Observer = Callable[[Request, Outcome], None]


class Server:
    """Serves `handler` on a free loopback port; `after` sees each exchange once its answer has been sent."""

    def __init__(self, handler: Handler, after: Observer | None = None, host: str = "127.0.0.1") -> None:
        self._handler = handler
        self._after = after
        self._open: set[socket.socket] = set()
        self.connections = 0
        """How many were ever opened."""
        self._lock = threading.Lock()
        self._tcp = _Threads((host, 0), self)
        self.port: int = self._tcp.server_address[1]
        self.url = f"http://{host}:{self.port}"
        # The poll interval bounds how long close() takes, not how soon a request is seen.
        self._thread = threading.Thread(target=self._tcp.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._tcp.shutdown()
        self._tcp.server_close()
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def serve(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.add(connection)
            self.connections += 1
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection.makefile("rb") as stream:
                while self._one(connection, stream):
                    pass
        except (ConnectionError, TimeoutError, ValueError):
            pass  # The client went away or sent no HTTP; either way this connection is over.
        finally:
            with self._lock:
                self._open.discard(connection)

    def _one(self, connection: socket.socket, stream: Any) -> bool:
        request = _read(connection, stream)
        if request is None:
            return False
        outcome = self._handler(request)
        try:
            self._send(connection, request, outcome)
        finally:
            if self._after:
                self._after(request, outcome)
        return isinstance(outcome, Response) and request.headers.get("connection", "").lower() != "close"

    @staticmethod
    def _send(connection: socket.socket, request: Request, outcome: Outcome) -> None:
        if isinstance(outcome, Response):
            wire = outcome.wire()
            if outcome.pace:
                _drip(connection, wire, outcome.pace)
            else:
                connection.sendall(_head_only(wire) if request.method == "HEAD" else wire)
            return
        if outcome.sent:
            connection.sendall(outcome.sent)
        if outcome.reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class _Threads(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 1024

    def __init__(self, address: tuple[str, int], owner: Server) -> None:
        self.owner = owner
        super().__init__(address, _Connection)

    def shutdown_request(self, request: Any) -> None:
        # socketserver shuts the sending side first, which would turn a reset into an orderly end.
        self.close_request(request)


class _Connection(socketserver.BaseRequestHandler):
    server: _Threads

    def handle(self) -> None:
        self.server.owner.serve(self.request)


def _read(connection: socket.socket, stream: Any) -> Request | None:
    line = stream.readline(65536)
    arrived = time.monotonic()
    if not line.strip():
        return None
    method, target, _version = line.decode("latin-1").split()
    headers: dict[str, str] = {}
    while (line := stream.readline(65536)) not in (b"\r\n", b"\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    if headers.get("expect", "").lower() == "100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = _chunks(stream)
    else:
        body = stream.read(int(headers.get("content-length", "0")))
    return Request(method, target, headers, body, arrived)


def _chunks(stream: Any) -> bytes:
    body = b""
    while size := int(stream.readline().split(b";")[0], 16):
        body += stream.read(size)
        stream.readline()
    stream.readline()
    return body


def _drip(connection: socket.socket, wire: bytes, pace: float) -> None:
    head = _head_only(wire)
    connection.sendall(head)
    for byte in wire[len(head) :]:
        time.sleep(pace)
        connection.sendall(bytes([byte]))


def _head_only(wire: bytes) -> bytes:
    return wire[: wire.index(b"\r\n\r\n") + 4]
