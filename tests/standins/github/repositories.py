"""What GitHub says of a repository to whoever may see it; any token that is for it may."""

from __future__ import annotations

import re
from typing import Any

from standins.github.apps import ACCOUNT_URLS
from standins.server import Request, Response

ROUTE = re.compile(r"^/repos/(?P<owner>[^/]+)/(?P<name>[^/]+)$")
URLS = [
    "archive",
    "assignees",
    "blobs",
    "branches",
    "collaborators",
    "comments",
    "commits",
    "compare",
    "contents",
    "contributors",
    "deployments",
    "downloads",
    "events",
    "forks",
    "git_commits",
    "git_refs",
    "git_tags",
    "git",
    "issue_comment",
    "issue_events",
    "issues",
    "keys",
    "labels",
    "languages",
    "merges",
    "milestones",
    "notifications",
    "pulls",
    "releases",
    "ssh",
    "stargazers",
    "statuses",
    "subscribers",
    "subscription",
    "tags",
    "teams",
    "trees",
    "clone",
    "hooks",
    "svn",
    "html",
]
COUNTS = [
    "forks_count",
    "stargazers_count",
    "watchers_count",
    "size",
    "open_issues_count",
    "subscribers_count",
    "network_count",
    "forks",
    "open_issues",
    "watchers",
]
FLAGS = ["fork", "has_issues", "has_projects", "has_wiki", "has_pages", "has_discussions", "archived", "disabled"]


def operation(request: Request) -> str | None:
    return "get-repository" if request.method == "GET" and ROUTE.match(request.path) else None


class Repositories:
    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self.public: set[str] = set()
        """`octo/app`; all others are private."""

    def serve(self, request: Request) -> Response | None:
        match = ROUTE.match(request.path)
        if match is None or request.method != "GET":
            return None
        return Response.of_json(200, self._as_json(match["owner"], match["name"]))

    def _as_json(self, owner: str, name: str) -> dict[str, Any]:
        url = f"{self._server_url}/{owner}/{name}"
        is_public = f"{owner}/{name}".lower() in self.public
        times = dict.fromkeys(("pushed_at", "created_at", "updated_at"), "2026-01-01T00:00:00Z")
        account = {"login": owner, "id": 1, "node_id": "MDQ6", "avatar_url": url, "gravatar_id": None, "url": url}
        account |= dict.fromkeys(ACCOUNT_URLS, url) | {"type": "Organization", "site_admin": False}
        return {
            "id": 1,
            "node_id": "MDEw",
            "name": name,
            "full_name": f"{owner}/{name}",
            "owner": account,
            "private": not is_public,
            "visibility": "public" if is_public else "private",
            "default_branch": "main",
            "url": url,
            **dict.fromkeys((f"{one}_url" for one in URLS), url),
            **dict.fromkeys(("description", "homepage", "language", "license", "mirror_url")),
            **dict.fromkeys(COUNTS, 0),
            **dict.fromkeys(FLAGS, False),
            **times,
        }
