"""The kinds of token that people hand to Sprinters, and what GitHub says to each."""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass, field
from enum import Enum

from standins.server import Request, Response

IS_ABOUT_CONTENTS = re.compile(r"^/repos/[^/]+/[^/]+/contents/")
IS_ABOUT_REPOSITORIES = re.compile(r"^/repos/[^/]+/[^/]+$")
IS_ABOUT_RUNS = re.compile(r"/actions/(runs$|runs/|jobs/)|/check-runs/")
DOCUMENTATION = "https://docs.github.com/rest/actions/self-hosted-runners"
HOURLY_LIMIT = 5000


class Kind(Enum):
    WRITE = "fine-grained, administration: write"
    READ = "fine-grained, administration: read"
    WRITE_AND_CONTENTS = "fine-grained, administration: write, contents: read"
    CONTENTS = "fine-grained, contents: read"
    UNRELATED = "fine-grained, without administration"
    NO_ACCESS = "fine-grained, for other repositories"
    GITHUB_TOKEN = "the job's own GITHUB_TOKEN"
    RERUNS = "the job's own GITHUB_TOKEN, with actions: write and checks: read"
    RERUNS_BLINDLY = "the job's own GITHUB_TOKEN, with actions: write"
    ORGANIZATION = "fine-grained, organization_self_hosted_runners: write"
    ENTERPRISE = "classic, manage_runners:enterprise"

    @property
    def prefix(self) -> str:
        if self is Kind.ENTERPRISE:
            return "ghp_"
        return "ghs_" if self in (Kind.GITHUB_TOKEN, Kind.RERUNS, Kind.RERUNS_BLINDLY) else "github_pat_"

    @property
    def place(self) -> str:
        """Where the runners are that it may manage."""
        return {Kind.ORGANIZATION: "orgs", Kind.ENTERPRISE: "enterprises"}.get(self, "repos")


@dataclass
class Token:
    kind: Kind
    value: str
    limit: int = HOURLY_LIMIT
    used: int = 0
    reset: int = field(default_factory=lambda: int(time.time()) + 3600)

    @staticmethod
    def of(kind: Kind) -> Token:
        return Token(kind, kind.prefix + secrets.token_hex(20))

    @property
    def rate_limit_headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(0, self.limit - self.used)),
            "X-RateLimit-Reset": str(self.reset),
            "X-RateLimit-Used": str(self.used),
            "X-RateLimit-Resource": "core",
        }


def message(status: int, text: str, **extra: object) -> Response:
    return Response.of_json(
        status, {"message": text, "documentation_url": DOCUMENTATION, "status": str(status), **extra}
    )


def bearer(request: Request) -> str:
    """The token of `Authorization: Bearer …` (or `token …`, which GitHub takes as well)."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() in ("bearer", "token") else ""


def refusal(token: Token | None, request: Request) -> Response | None:
    """What GitHub answers instead, where the token may not do what is asked."""
    if not request.headers.get("user-agent"):
        text = "Request forbidden by administrative rules. Please make sure your request has a User-Agent header"
        return Response(403, {"Content-Type": "text/html"}, text.encode())
    if token is None:
        given = bearer(request)
        return message(401, "Bad credentials" if given else "Requires authentication")
    if token.used >= token.limit:
        return message(403, "API rate limit exceeded for user ID 1.")
    if IS_ABOUT_CONTENTS.search(request.path):
        return _refusal_about_contents(token)
    # Every token may read what a repository is that it is for.
    if IS_ABOUT_REPOSITORIES.search(request.path):
        return message(404, "Not Found") if token.kind is Kind.NO_ACCESS else None
    if IS_ABOUT_RUNS.search(request.path):
        return _refusal_about_runs(token, request)
    match token.kind:
        case Kind.NO_ACCESS:
            return message(404, "Not Found")
        case Kind.GITHUB_TOKEN | Kind.RERUNS | Kind.RERUNS_BLINDLY:
            return message(403, "Resource not accessible by integration")
        case Kind.UNRELATED | Kind.CONTENTS:
            return message(403, "Resource not accessible by personal access token")
        case kind if not request.path.startswith(f"/{kind.place}/"):
            # A classic token sees nothing that its scopes do not open.
            if kind is Kind.ENTERPRISE:
                return message(404, "Not Found")
            return message(403, "Resource not accessible by personal access token")
        case Kind.READ if request.method != "GET":
            return message(403, "Resource not accessible by personal access token")
    return None


def _refusal_about_contents(token: Token) -> Response | None:
    """Files of a private repository need `contents: read`, which a job's own token has."""
    match token.kind:
        case Kind.CONTENTS | Kind.WRITE_AND_CONTENTS | Kind.GITHUB_TOKEN | Kind.RERUNS | Kind.RERUNS_BLINDLY:
            return None
        case Kind.NO_ACCESS:
            return message(404, "Not Found")
        case _:
            return message(403, "Resource not accessible by personal access token")


def _refusal_about_runs(token: Token, request: Request) -> Response | None:
    """Runs need `actions`, which is another permission than runners'."""
    match token.kind:
        case Kind.RERUNS:
            return None
        case Kind.RERUNS_BLINDLY if "/actions/" in request.path:
            return None
        case Kind.NO_ACCESS:
            return message(404, "Not Found")
        case Kind.GITHUB_TOKEN | Kind.RERUNS_BLINDLY:
            return message(403, "Resource not accessible by integration")
        case _:
            return message(403, "Resource not accessible by personal access token")
