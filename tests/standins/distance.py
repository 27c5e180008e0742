"""A distance before a stand-in: what a connection, its TLS handshake and each request take on a long way."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import select
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field

PIECE = 65536
# Who sleeps is woken so much too late.
OVERSLEPT = 0.0001


@dataclass(frozen=True)
class Way:
    """A connection from its client to the stand-in. At the far end, TLS ends where there is any."""

    near: socket.socket
    far: socket.socket
    open_from: float
    """On loopback a connection is there at once; elsewhere its handshake is a round trip before the first byte."""
    tls: Tls | None

    def arrived(self, piece: bytes) -> bytes:
        """At the far end; what goes back at once."""
        plain = self.tls.opened(piece) if self.tls and piece else piece
        if plain or not piece:
            deliver(self.far, plain)
        return self.tls.sealed() if self.tls else b""

    def answered(self, piece: bytes) -> bytes:
        """What goes back of an answer."""
        return self.tls.sealed(piece) if self.tls and piece else piece


class Tls:
    """A server's end."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._ends = context.wrap_bio(self._in, self._out, server_side=True)

    def opened(self, piece: bytes) -> bytes:
        self._in.write(piece)
        plain = b""
        with contextlib.suppress(ssl.SSLWantReadError):
            # A second time it has nothing to do.
            self._ends.do_handshake()
            while more := self._ends.read(PIECE):
                plain += more
        return plain

    def sealed(self, plain: bytes = b"") -> bytes:
        if plain:
            self._ends.write(plain)
        return self._out.read()


@dataclass(order=True)
class Sent:
    """What is on its way, until then."""

    due: float
    number: int
    way: Way = field(compare=False)
    piece: bytes = field(compare=False)
    is_answer: bool = field(compare=False)


class Distance:
    """Passes connections on to a port of this machine, `round_trip` seconds away; by TLS, if there is a context."""

    def __init__(self, port: int, round_trip: float, tls: ssl.SSLContext | None = None) -> None:
        self._to = port
        self._round_trip = round_trip
        self._tls = tls
        self.opened: list[float] = []
        """When each connection was begun."""
        self._ways: dict[socket.socket, Way] = {}
        self._on_their_way: list[Sent] = []
        self._numbers = itertools.count()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._closed, self._close = socket.socketpair()
        # One for all: threads for each direction would wait for one another.
        threading.Thread(target=self._carry, daemon=True).start()

    def close(self) -> None:
        self._close.close()

    def _carry(self) -> None:
        """Each piece arrives half a round trip after it left, however many are on their way."""
        while True:
            until = self._on_their_way[0].due - time.monotonic() - OVERSLEPT if self._on_their_way else None
            # `poll` counts in milliseconds.
            ready, _, _ = select.select(
                [self._closed, self._listener, *self._ways], [], [], None if until is None else max(0.0, until)
            )
            now = time.monotonic()
            while self._on_their_way and self._on_their_way[0].due <= now:
                self._arrive(heapq.heappop(self._on_their_way))
            if self._closed in ready:
                self._listener.close()
                return
            for source in ready:
                if source is self._listener:
                    self._accept(now)
                else:
                    self._read(source, now)

    def _accept(self, now: float) -> None:
        near, _ = self._listener.accept()
        self.opened.append(now)
        far = socket.create_connection(("127.0.0.1", self._to))
        way = Way(near, far, now + self._round_trip, Tls(self._tls) if self._tls else None)
        for end in (near, far):
            # As every server's: or an answer waits up to 40 ms for the client to acknowledge what came before it.
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._ways[end] = way

    def _read(self, source: socket.socket, now: float) -> None:
        way = self._ways[source]
        try:
            piece = source.recv(PIECE)
        except OSError:
            piece = b""
        if not piece:
            del self._ways[source]
        is_answer = source is way.far
        self._send(way, way.answered(piece) if is_answer else piece, now, is_answer=is_answer)

    def _send(self, way: Way, piece: bytes, now: float, *, is_answer: bool) -> None:
        due = max(now, way.open_from) + self._round_trip / 2
        heapq.heappush(self._on_their_way, Sent(due, next(self._numbers), way, piece, is_answer))

    def _arrive(self, sent: Sent) -> None:
        if sent.is_answer:
            deliver(sent.way.near, sent.piece)
            return
        now = time.monotonic()
        try:
            if back := sent.way.arrived(sent.piece):
                self._send(sent.way, back, now, is_answer=True)
        except ssl.SSLError:
            # Whoever does not trust us goes away in the middle of the greeting.
            deliver(sent.way.far, b"")
            deliver(sent.way.near, b"")


def deliver(sink: socket.socket, piece: bytes) -> None:
    """Nothing is the end."""
    with contextlib.suppress(OSError):
        if piece:
            sink.sendall(piece)
        else:
            sink.shutdown(socket.SHUT_WR)
