"""A distance before a stand-in: what a connection, its TLS handshake and each request take on a long way."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time


class Distance:
    """Passes connections on to a port of this machine, `round_trip` seconds away."""

    def __init__(self, port: int, round_trip: float) -> None:
        self._to = port
        self._round_trip = round_trip
        self.opened: list[float] = []
        """When each connection was begun."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            begun = time.monotonic()
            self.opened.append(begun)
            far = socket.create_connection(("127.0.0.1", self._to))
            for one in (near, far):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # On loopback a connection is there at once; elsewhere its handshake is a round trip before the first byte.
            open_from = begun + self._round_trip
            self._carry(near, far, open_from)
            self._carry(far, near, open_from)

    def _carry(self, source: socket.socket, sink: socket.socket, open_from: float) -> None:
        """Each piece arrives half a round trip after it left, however many are on their way."""
        on_their_way: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()

        def read() -> None:
            piece = b"-"
            while piece:
                try:
                    piece = source.recv(65536)
                except OSError:
                    piece = b""
                on_their_way.put((max(time.monotonic(), open_from) + self._round_trip / 2, piece))

        def write() -> None:
            while True:
                due, piece = on_their_way.get()
                time.sleep(max(0, due - time.monotonic()))
                with contextlib.suppress(OSError):
                    if not piece:
                        sink.shutdown(socket.SHUT_WR)
                        return
                    sink.sendall(piece)

        for work in (read, write):
            threading.Thread(target=work, daemon=True).start()
