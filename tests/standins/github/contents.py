"""Files of repositories, as GitHub's contents API gives them."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field

from standins.github.tokens import message
from standins.server import Request, Response

PATH = re.compile(r"^/repos/(?P<repository>[^/]+/[^/]+)/contents/(?P<path>.+)$")
LINE = 60
"""GitHub breaks its base64 after so many characters."""


def operation(request: Request) -> str | None:
    return "get-contents" if request.method == "GET" and PATH.match(request.path) else None


@dataclass
class Contents:
    url: str
    files: dict[tuple[str, str], str] = field(default_factory=dict)
    """By path and commit; `""` is the head of the default branch."""

    def serve(self, request: Request) -> Response | None:
        match = PATH.match(request.path)
        if match is None or request.method != "GET":
            return None
        text = self.files.get((match["path"], request.query.get("ref", "")))
        if text is None:
            return message(404, "Not Found")
        return Response.of_json(200, self._file(match["repository"], match["path"], text.encode()))

    def _file(self, repository: str, path: str, content: bytes) -> dict[str, object]:
        sha = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
        packed = base64.b64encode(content).decode()
        lines = [packed[start : start + LINE] for start in range(0, len(packed), LINE)]
        own = f"{self.url}/repos/{repository}/contents/{path}"
        git = f"{self.url}/repos/{repository}/git/blobs/{sha}"
        html = f"{self.url}/{repository}/blob/main/{path}"
        return {
            "type": "file",
            "encoding": "base64",
            "size": len(content),
            "name": path.rpartition("/")[2],
            "path": path,
            "content": "\n".join([*lines, ""]),
            "sha": sha,
            "url": own,
            "git_url": git,
            "html_url": html,
            "download_url": f"{self.url}/raw/{repository}/main/{path}",
            "_links": {"self": own, "git": git, "html": html},
        }
