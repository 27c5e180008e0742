"""The built book on a port of this machine, below a folder as on GitHub Pages."""

from __future__ import annotations

import gzip
import subprocess
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 20_000
"""Milliseconds until something that is expected has to be seen, on a busy machine. Elsewhere it is seen at once."""


class _Quiet(SimpleHTTPRequestHandler):
    # Else Windows' or Debian's tables decide, and browsers start neither modules nor programs of a wrong type.
    extensions_map = {  # noqa: RUF012
        ".html": "text/html; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".json": "application/json",
        ".svg": "image/svg+xml",
        ".txt": "text/plain; charset=utf-8",
        ".wasm": "application/wasm",
        "": "application/octet-stream",
    }

    def log_message(self, format: str, *args: object) -> None:
        pass


class Site:
    def __init__(self, folder: Path) -> None:
        self.files = folder / "action"
        subprocess.run([ROOT / ".ci" / "book", self.files], check=True, stdout=subprocess.PIPE)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        self.url = f"{self.origin}/action/"
        Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def pages(self) -> list[str]:
        return sorted(page.name for page in self.files.glob("*.html"))

    def gzipped(self, url: str) -> int:
        """How many bytes a server that compresses, as GitHub's does, sends for this file."""
        name = url.removeprefix(self.url).partition("#")[0] or "index.html"
        return len(gzip.compress((self.files / name).read_bytes(), 9))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
