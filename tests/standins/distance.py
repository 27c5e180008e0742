"""A distance before a stand-in: what a connection, its TLS handshake and each request take on a long way."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import select
import socket
import threading
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Lane:
    """One direction of a connection."""

    sink: socket.socket
    open_from: float
    """On loopback a connection is there at once; elsewhere its handshake is a round trip before the first byte."""


class Distance:
    """Passes connections on to a port of this machine, `round_trip` seconds away."""

    def __init__(self, port: int, round_trip: float) -> None:
        self._to = port
        self._round_trip = round_trip
        self.opened: list[float] = []
        """When each connection was begun."""
        self._lanes: dict[socket.socket, Lane] = {}
        self._on_their_way: list[tuple[float, int, Lane, bytes]] = []
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
            until = self._on_their_way[0][0] - time.monotonic() if self._on_their_way else None
            # `poll` counts in milliseconds.
            ready, _, _ = select.select(
                [self._closed, self._listener, *self._lanes], [], [], None if until is None else max(0.0, until)
            )
            now = time.monotonic()
            while self._on_their_way and self._on_their_way[0][0] <= now:
                _, _, lane, piece = heapq.heappop(self._on_their_way)
                self._deliver(lane, piece)
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
        for one, other in ((near, far), (far, near)):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._lanes[one] = Lane(other, now + self._round_trip)

    def _read(self, source: socket.socket, now: float) -> None:
        lane = self._lanes[source]
        try:
            piece = source.recv(65536)
        except OSError:
            piece = b""
        if not piece:
            del self._lanes[source]
        due = max(now, lane.open_from) + self._round_trip / 2
        heapq.heappush(self._on_their_way, (due, next(self._numbers), lane, piece))

    @staticmethod
    def _deliver(lane: Lane, piece: bytes) -> None:
        with contextlib.suppress(OSError):
            if piece:
                lane.sink.sendall(piece)
            else:
                lane.sink.shutdown(socket.SHUT_WR)
