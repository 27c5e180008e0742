"""A company's proxy: the only way out, and the only one that can resolve names."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
from urllib.parse import urlsplit

from standins.tls import join


class WebProxy:
    """Tunnels (`CONNECT`) to the ports that `names` gives, and passes on plain requests to them."""

    def __init__(self, names: dict[str, int], credentials: str | None = None) -> None:
        """`credentials` (`user:password`) are asked for where given."""
        self._names = names
        self._expected = f"Basic {base64.b64encode(credentials.encode()).decode()}" if credentials else None
        self.asked: list[tuple[str, str]] = []
        """Each method and name that was let through."""
        self.refused: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.url = f"http://{credentials + '@' if credentials else ''}127.0.0.1:{port}"
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def tunnels(self) -> set[str]:
        return {name for method, name in self.asked if method == "CONNECT"}

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), connection:
            head = b""
            while b"\r\n\r\n" not in head:
                chunk = connection.recv(65536)
                if not chunk:
                    return
                head += chunk
            self._answer(connection, head)

    def _answer(self, connection: socket.socket, head: bytes) -> None:
        first, *lines = head.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
        method, target, _version = first.split()
        name = target.rpartition(":")[0] if method == "CONNECT" else str(urlsplit(target).hostname)
        headers = {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
        if self._expected and headers.get("proxy-authorization") != self._expected:
            self.refused.append(name)
            connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        if name not in self._names:
            self.refused.append(name)
            connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return
        self.asked.append((method, name))
        with socket.create_connection(("127.0.0.1", self._names[name])) as upstream:
            if method == "CONNECT":
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                # A plain request names the whole address in its first line; the rest is the server's.
                parts = urlsplit(target)
                path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
                upstream.sendall(f"{method} {path} HTTP/1.1\r\n".encode() + head.partition(b"\r\n")[2])
            join(connection, upstream)

    def close(self) -> None:
        self._listener.close()
